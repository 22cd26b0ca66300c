// SPDX-License-Identifier: GPL-2.0
/* forward: add, list, delete and flush static forwards. */
#include <string.h>

#include "object.h"
#include "refuse.h"

/* Delete the forward @statement names; without one, all of them. */
static int delete(struct source *source, const struct statement *statement)
{
	struct nl *nl = nl_open();
	int ret;

	if (!nl)
		return EXIT_REFUSED;
	ret = nl_forward_delete(nl, statement ? &statement->forward : NULL);
	if (ret)
		refuse_statement(source, statement, nl_error(nl));
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}

/* The internal endpoint may follow, so that a line of a list can be used. */
static bool parse_delete(struct source *source, struct statement *statement)
{
	if (source->count > 2)
		return config_forward(source, statement);
	return config_external(source, statement);
}

static int delete_one(int argc, char **argv)
{
	struct statement statement = { 0 };
	struct source source;
	int ret = EXIT_REFUSED;

	source_argv(&source, "forward delete", argv, argc);
	if (parse_delete(&source, &statement))
		ret = delete(&source, &statement);
	source_close(&source);
	return ret;
}

static int delete_all(void)
{
	struct source source;

	source_argv(&source, "forward flush", NULL, 0);
	return delete(&source, NULL);
}

int forward_run(const struct command *command, int argc, char **argv)
{
	const char *verb = argc ? argv[0] : "";

	argc--;
	argv++;
	if (!strcmp(verb, "add") && argc)
		return object_add("forward add", argc, argv, config_forward);
	if (!strcmp(verb, "list") && !argc)
		return object_list(STATEMENT_FORWARD, "forwards", NULL, NULL);
	if (!strcmp(verb, "delete") && argc)
		return delete_one(argc, argv);
	if (!strcmp(verb, "flush") && !argc)
		return delete_all();
	return usage(command);
}
