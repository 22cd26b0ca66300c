// SPDX-License-Identifier: GPL-2.0
/* status: version, sizes and conflicts. */
#include "print.h"
#include "refuse.h"
#include "userctl.h"

int status_run(const struct command *command, int argc, char **argv)
{
	struct status status;
	struct nl *nl;
	int ret;

	(void)argv;
	if (argc)
		return usage(command);
	nl = nl_open();
	if (!nl)
		return EXIT_REFUSED;
	ret = nl_status(nl, &status);
	if (ret)
		refuse(nl);
	else
		show_status(&status);
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}
