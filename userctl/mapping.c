// SPDX-License-Identifier: GPL-2.0
/* mapping: list which external endpoint stands for which internal one. */
#include <stdio.h>
#include <string.h>

#include "print.h"
#include "refuse.h"
#include "userctl.h"

int mapping_run(const struct command *command, int argc, char **argv)
{
	struct nl *nl;
	bool torn;
	int ret;

	if (argc != 1 || strcmp(argv[0], "list"))
		return usage(command);
	nl = nl_open();
	if (!nl)
		return EXIT_REFUSED;
	list_begin("mappings");
	ret = nl_mappings(nl, list_mapping, &torn);
	list_end();
	if (ret)
		refuse(nl);
	else if (torn)
		fprintf(stderr,
			"userctl: mappings came and went while they were listed\n");
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}
