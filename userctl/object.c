// SPDX-License-Identifier: GPL-2.0
/* What the commands rule, pool, forward and set have in common. */
#include <string.h>

#include "object.h"
#include "print.h"
#include "refuse.h"

static int add(struct source *source, const struct statement *statement)
{
	struct nl *nl = nl_open();
	int ret;

	if (!nl)
		return EXIT_REFUSED;
	ret = nl_statement(nl, statement);
	if (ret)
		refuse_statement(source, statement, nl_error(nl));
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}

int object_add(const char *name, int argc, char **argv,
	       bool (*parse)(struct source *source,
			     struct statement *statement))
{
	struct statement statement = { 0 };
	struct source source;
	int ret = EXIT_REFUSED;

	source_argv(&source, name, argv, argc);
	if (parse(&source, &statement))
		ret = add(&source, &statement);
	statement_free(&statement);
	source_close(&source);
	return ret;
}

int object_list(enum statement_kind kind, const char *name,
		bool (*wanted)(const struct statement *statement,
			       const void *data),
		const void *data)
{
	struct config config;
	struct nl *nl = nl_open();
	size_t i;

	if (!nl)
		return EXIT_REFUSED;
	if (nl_load(nl, 1U << kind, &config)) {
		refuse(nl);
		nl_close(nl);
		return EXIT_REFUSED;
	}
	list_begin(name);
	for (i = 0; i < config.count; i++)
		if (!wanted || wanted(&config.list[i], data))
			list_statement(&config.list[i]);
	list_end();
	config_free(&config);
	nl_close(nl);
	return EXIT_DONE;
}
