// SPDX-License-Identifier: GPL-2.0
/* save: print what is active, as a file for apply. */
#include <stdio.h>

#include "print.h"
#include "refuse.h"
#include "userctl.h"

static void save_text(const struct config *config)
{
	const struct statement *statement;
	size_t i;

	for (i = 0; i < config->count; i++) {
		statement = &config->list[i];
		switch (statement->kind) {
		case STATEMENT_SET:
			/* What the profile implies needs no words. */
			if (!statement->setting.explicit)
				continue;
			print_setting(stdout, &statement->setting);
			break;
		case STATEMENT_POOL:
			print_pool(stdout, &statement->pool);
			break;
		case STATEMENT_RULE:
			print_rule(stdout, &statement->rule);
			break;
		default:
			print_forward(stdout, &statement->forward);
		}
		putchar('\n');
	}
}

static void save_json(const struct config *config)
{
	static const char *const names[STATEMENT_KINDS] = {
		[STATEMENT_SET] = "settings",
		[STATEMENT_POOL] = "pools",
		[STATEMENT_RULE] = "rules",
		[STATEMENT_FORWARD] = "forwards",
	};
	unsigned int kind;
	size_t i = 0;

	/* The configuration comes by kinds. */
	for (kind = 0; kind < STATEMENT_KINDS; kind++) {
		if (kind)
			list_next(names[kind]);
		else
			list_begin(names[kind]);
		for (; i < config->count && config->list[i].kind == kind; i++)
			list_statement(&config->list[i]);
	}
	list_end();
}

int save_run(const struct command *command, int argc, char **argv)
{
	struct config config;
	struct nl *nl;

	(void)argv;
	if (argc)
		return usage(command);
	nl = nl_open();
	if (!nl)
		return EXIT_REFUSED;
	if (nl_load(nl, (1U << STATEMENT_KINDS) - 1, &config)) {
		refuse(nl);
		nl_close(nl);
		return EXIT_REFUSED;
	}
	if (json_output)
		save_json(&config);
	else
		save_text(&config);
	config_free(&config);
	nl_close(nl);
	return EXIT_DONE;
}
