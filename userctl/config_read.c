// SPDX-License-Identifier: GPL-2.0
/* A file as a list of statements. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

void statement_free(struct statement *statement)
{
	if (statement->kind == STATEMENT_POOL)
		free(statement->pool.ranges);
	free(statement->text);
}

struct statement *config_add(struct config *config)
{
	if (config->count == config->room) {
		config->room = config->room ? config->room * 2 : 64;
		config->list = xrealloc(config->list, config->room *
					sizeof(*config->list));
	}
	memset(&config->list[config->count], 0, sizeof(*config->list));
	return &config->list[config->count++];
}

/* The line again, in which only splitting has put zeros. */
static char *unsplit(char *line, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!line[i])
			line[i] = ' ';
	return line;
}

static void read_line(struct source *source, char *line, size_t len,
		      struct config *config)
{
	struct statement *statement;

	source->line++;
	if (!source_split(source, line, len) || !source->count)
		return;
	statement = config_add(config);
	if (config_statement(source, statement)) {
		statement->text = strdup(unsplit(line, len));
		if (!statement->text)
			out_of_memory();
		return;
	}
	if (statement->kind == STATEMENT_POOL)
		source->lost_pool = true;
	statement_free(statement);
	config->count--;
}

static int by_name(const void *a, const void *b)
{
	const struct statement *one = *(const struct statement *const *)a;
	const struct statement *other = *(const struct statement *const *)b;
	int diff = strcmp(one->pool.name, other->pool.name);

	if (diff)
		return diff;
	return one->line < other->line ? -1 : 1;
}

/* The kernel would take a second pool of a name for a change of the first. */
static void check_pools(struct source *source, const struct config *config)
{
	const struct statement **pools;
	size_t i, n = 0;

	pools = xrealloc(NULL, (config->count + 1) * sizeof(*pools));
	for (i = 0; i < config->count; i++)
		if (config->list[i].kind == STATEMENT_POOL)
			pools[n++] = &config->list[i];
	if (n)
		qsort(pools, n, sizeof(*pools), by_name);
	for (i = 1; i < n; i++)
		if (!strcmp(pools[i]->pool.name, pools[i - 1]->pool.name))
			source_error(source, pools[i]->line,
				     pools[i]->column[FIELD_NAME],
				     "pool %s: line %u defines it already",
				     pools[i]->pool.name, pools[i - 1]->line);
	free(pools);
}

bool config_read(struct source *source, FILE *file, struct config *config)
{
	size_t room = 0;
	char *line = NULL;
	ssize_t len;

	memset(config, 0, sizeof(*config));
	while (source->errors < ERRORS_MAX &&
	       (len = getline(&line, &room, file)) >= 0)
		read_line(source, line, len, config);
	if (ferror(file))
		source_error(source, 0, 0, "cannot read: %s", strerror(errno));
	source->abandoned = source->errors >= ERRORS_MAX;
	free(line);
	check_pools(source, config);
	return !source->errors;
}

void config_free(struct config *config)
{
	size_t i;

	for (i = 0; i < config->count; i++)
		statement_free(&config->list[i]);
	free(config->list);
	memset(config, 0, sizeof(*config));
}
