// SPDX-License-Identifier: GPL-2.0
/* Telling people what the kernel refused. */
#include <stdio.h>

#include "refuse.h"
#include "userctl.h"

/* The word at @column of the command line, or NULL. */
static const char *word_at(const struct source *source, unsigned int column)
{
	if (!source->argv || !column || column > source->count)
		return NULL;
	return source->words[column - 1].text;
}

static void print(struct source *source, unsigned int line,
		  unsigned int column, const char *message)
{
	const char *word = word_at(source, column);

	if (word)
		source_error(source, line, column, "%s: %s", word, message);
	else
		source_error(source, line, column, "%s", message);
}

void refuse_statement(struct source *source, const struct statement *statement,
		      const struct nl_error *error)
{
	unsigned int column = 0;

	if (!statement) {
		print(source, source->line, 0, error->message);
		return;
	}
	if (error->has_field)
		column = statement->column[error->field];
	if (error->has_field && error->field == FIELD_RANGE &&
	    statement->kind == STATEMENT_POOL &&
	    error->nth < statement->pool.count)
		column = statement->pool.ranges[error->nth].column;
	/* Of a file at least the statement can be pointed at. */
	if (!column)
		column = statement->column[FIELD_STATEMENT];
	print(source, statement->line, column, error->message);
}

void refuse_filter(struct source *source, const struct filter *filter,
		   const struct nl_error *error)
{
	print(source, source->line, error->has_field ?
	      filter->column[error->field] : 0, error->message);
}

int refuse(const struct nl *nl)
{
	fprintf(stderr, "userctl: %s\n", nl_error(nl)->message);
	return EXIT_REFUSED;
}
