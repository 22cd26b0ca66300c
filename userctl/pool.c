// SPDX-License-Identifier: GPL-2.0
/* pool: add, list, delete and flush pools. */
#include <string.h>

#include "object.h"
#include "refuse.h"

/* Delete the pool @statement names; without one, all of them. */
static int delete(struct source *source, const struct statement *statement)
{
	struct nl *nl = nl_open();
	int ret;

	if (!nl)
		return EXIT_REFUSED;
	ret = nl_pool_delete(nl, statement ? statement->pool.name : NULL);
	if (ret)
		refuse_statement(source, statement, nl_error(nl));
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}

static int delete_one(int argc, char **argv)
{
	struct statement statement = { .kind = STATEMENT_POOL };
	struct source source;
	int ret = EXIT_REFUSED;

	source_argv(&source, "pool delete", argv, argc);
	if (config_name(&source, &statement) && config_end(&source))
		ret = delete(&source, &statement);
	source_close(&source);
	return ret;
}

static int delete_all(void)
{
	struct source source;

	source_argv(&source, "pool flush", NULL, 0);
	return delete(&source, NULL);
}

int pool_run(const struct command *command, int argc, char **argv)
{
	const char *verb = argc ? argv[0] : "";

	argc--;
	argv++;
	if (!strcmp(verb, "add") && argc)
		return object_add("pool add", argc, argv, config_pool);
	if (!strcmp(verb, "list") && !argc)
		return object_list(STATEMENT_POOL, "pools", NULL, NULL);
	if (!strcmp(verb, "delete") && argc)
		return delete_one(argc, argv);
	if (!strcmp(verb, "flush") && !argc)
		return delete_all();
	return usage(command);
}
