// SPDX-License-Identifier: GPL-2.0
/* conn: list, count, delete and flush connections. */
#include <stdio.h>
#include <string.h>

#include "print.h"
#include "refuse.h"
#include "userctl.h"

static int list(struct nl *nl, const struct filter *filter)
{
	bool torn;
	int ret;

	list_begin("connections");
	ret = nl_conns(nl, filter, list_conn, &torn);
	list_end();
	if (!ret && torn)
		fprintf(stderr,
			"userctl: connections came and went while they were listed\n");
	return ret;
}

static int count(struct nl *nl, const struct filter *filter)
{
	uint32_t number;

	if (nl_conn_count(nl, filter, &number))
		return -1;
	show_number("count", number);
	return 0;
}

static int delete(struct nl *nl, const struct filter *filter)
{
	uint32_t number;

	if (nl_conn_delete(nl, filter, &number))
		return -1;
	show_number("deleted", number);
	return 0;
}

static int run(const char *name, int argc, char **argv,
	       int (*act)(struct nl *nl, const struct filter *filter))
{
	int ret = EXIT_REFUSED;
	struct filter filter;
	struct source source;
	struct nl *nl;

	source_argv(&source, name, argv, argc);
	if (!config_filter(&source, &filter))
		goto close_source;
	nl = nl_open();
	if (!nl)
		goto close_source;
	ret = EXIT_DONE;
	if (act(nl, argc ? &filter : NULL)) {
		refuse_filter(&source, &filter, nl_error(nl));
		ret = EXIT_REFUSED;
	}
	nl_close(nl);
close_source:
	source_close(&source);
	return ret;
}

int conn_run(const struct command *command, int argc, char **argv)
{
	const char *verb = argc ? argv[0] : "";

	argc--;
	argv++;
	if (!strcmp(verb, "list"))
		return run("conn list", argc, argv, list);
	if (!strcmp(verb, "count"))
		return run("conn count", argc, argv, count);
	/* All of them only by flush, lest a filter be forgotten. */
	if (!strcmp(verb, "delete") && argc)
		return run("conn delete", argc, argv, delete);
	if (!strcmp(verb, "flush") && !argc)
		return run("conn flush", argc, argv, delete);
	return usage(command);
}
