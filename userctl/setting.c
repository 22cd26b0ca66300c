// SPDX-License-Identifier: GPL-2.0
/* set and get: settings, all of which the kernel knows and userctl none. */
#include <stdio.h>
#include <string.h>

#include "object.h"
#include "print.h"
#include "refuse.h"

int set_run(const struct command *command, int argc, char **argv)
{
	if (argc < 2)
		return usage(command);
	return object_add("set", argc, argv, config_setting);
}

static int get_one(const char *key)
{
	struct setting setting = { 0 };
	struct nl *nl;
	int ret;

	/* The kernel would refuse it for its length, in no sentence. */
	if (strlen(key) > WORD_MAX) {
		fprintf(stderr, "get: %s: no such key\n", key);
		return EXIT_REFUSED;
	}
	nl = nl_open();
	if (!nl)
		return EXIT_REFUSED;
	ret = nl_setting(nl, key, &setting);
	if (ret) {
		fprintf(stderr, "get: %s: %s\n", key, nl_error(nl)->message);
	} else {
		list_begin("settings");
		list_setting(&setting);
		list_end();
	}
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}

int get_run(const struct command *command, int argc, char **argv)
{
	if (argc > 1)
		return usage(command);
	if (argc)
		return get_one(argv[0]);
	return object_list(STATEMENT_SET, "settings", NULL, NULL);
}
