// SPDX-License-Identifier: GPL-2.0
/* stats: all counters. */
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "refuse.h"
#include "userctl.h"

struct stats {
	struct stat *list;
	size_t count;
};

static void add(const struct stat *stat, void *data)
{
	struct stats *stats = data;
	size_t size = strlen(stat->name) + 1;
	char *name = xrealloc(NULL, size);

	memcpy(name, stat->name, size);
	stats->list = xrealloc(stats->list,
			       (stats->count + 1) * sizeof(*stats->list));
	stats->list[stats->count] = *stat;
	stats->list[stats->count++].name = name;
}

int stats_run(const struct command *command, int argc, char **argv)
{
	struct stats stats = { 0 };
	struct nl *nl;
	size_t i;
	int ret;

	(void)argv;
	if (argc)
		return usage(command);
	nl = nl_open();
	if (!nl)
		return EXIT_REFUSED;
	ret = nl_stats(nl, add, &stats);
	if (ret)
		refuse(nl);
	else
		show_stats(stats.list, stats.count);
	for (i = 0; i < stats.count; i++)
		free((char *)stats.list[i].name);
	free(stats.list);
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}
