// SPDX-License-Identifier: GPL-2.0
/* rule: add, insert, list, delete and flush rules. */
#include <string.h>

#include "object.h"
#include "refuse.h"
#include "value.h"

static bool parse_insert(struct source *source, struct statement *statement)
{
	return config_chain(source, statement) &&
	       config_position(source, statement) &&
	       config_rule(source, statement);
}

static bool of_chain(const struct statement *statement, const void *data)
{
	const enum natty_chain *chain = data;

	return statement->rule.chain == *chain;
}

static int list(struct source *source)
{
	struct statement statement = { 0 };

	if (!source->count)
		return object_list(STATEMENT_RULE, "rules", NULL, NULL);
	if (!config_chain(source, &statement) || !config_end(source))
		return EXIT_REFUSED;
	return object_list(STATEMENT_RULE, "rules", of_chain,
			   &statement.rule.chain);
}

/* The words "id" and a number that stand for a rule. */
static bool parse_id(struct source *source, struct statement *statement)
{
	const char *word = source->words[1].text;
	const char *why = value_number(word, UINT32_MAX, &statement->rule.id);

	if (why) {
		source_error(source, 1, 2, "id %s: %s", word, why);
		return false;
	}
	statement->column[FIELD_CHAIN] = 2;
	source->at = 2;
	return config_end(source);
}

/* Delete what @statement names: an id, a position, a chain, or all rules. */
static int delete(struct source *source, const struct statement *statement)
{
	const struct rule *rule = &statement->rule;
	struct nl *nl = nl_open();
	int ret;

	if (!nl)
		return EXIT_REFUSED;
	if (rule->id)
		ret = nl_rule_delete(nl, &rule->id, NULL, NULL);
	else if (rule->position)
		ret = nl_rule_delete(nl, NULL, &rule->chain, &rule->position);
	else
		ret = nl_rule_delete(nl, NULL, source->count ? &rule->chain :
				     NULL, NULL);
	if (ret)
		refuse_statement(source, statement, nl_error(nl));
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}

static int delete_one(struct source *source)
{
	struct statement statement = { 0 };

	if (!strcmp(source->words[0].text, "id")) {
		if (!parse_id(source, &statement))
			return EXIT_REFUSED;
	} else if (!config_chain(source, &statement) ||
		   !config_position(source, &statement) ||
		   !config_end(source)) {
		return EXIT_REFUSED;
	}
	return delete(source, &statement);
}

static int flush(struct source *source)
{
	struct statement statement = { 0 };

	if (source->count && (!config_chain(source, &statement) ||
			      !config_end(source)))
		return EXIT_REFUSED;
	return delete(source, &statement);
}

static int run_on(const char *name, int argc, char **argv,
		  int (*run)(struct source *source))
{
	struct source source;
	int ret;

	source_argv(&source, name, argv, argc);
	ret = run(&source);
	source_close(&source);
	return ret;
}

int rule_run(const struct command *command, int argc, char **argv)
{
	const char *verb = argc ? argv[0] : "";

	argc--;
	argv++;
	if (!strcmp(verb, "add") && argc)
		return object_add("rule add", argc, argv, config_rule);
	if (!strcmp(verb, "insert") && argc)
		return object_add("rule insert", argc, argv, parse_insert);
	if (!strcmp(verb, "list"))
		return run_on("rule list", argc, argv, list);
	if (!strcmp(verb, "delete") && argc > 1)
		return run_on("rule delete", argc, argv, delete_one);
	if (!strcmp(verb, "flush"))
		return run_on("rule flush", argc, argv, flush);
	return usage(command);
}
