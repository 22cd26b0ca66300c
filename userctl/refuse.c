// SPDX-License-Identifier: GPL-2.0
/* Telling people what the kernel refused. */
#include <stdio.h>
#include <string.h>

#include "refuse.h"
#include "userctl.h"
#include "value.h"

/* Copy the word at @column of the command line or of @line; false if none. */
static bool get_word(const struct source *source, const char *line,
		     unsigned int column, char *word, size_t size)
{
	size_t len;

	if (!column)
		return false;
	if (source->argv && column <= source->count)
		line = source->words[column - 1].text;
	else if (!source->argv && line && column <= strlen(line))
		line += column - 1;
	else
		return false;
	len = source->argv ? strlen(line) : strcspn(line, " \t\r\n");
	if (len >= size)
		len = size - 1;
	memcpy(word, line, len);
	word[len] = '\0';
	return true;
}

/* Note what the kernel says, with the word that it says it about. */
static void note(struct source *source, const struct statement *statement,
		 unsigned int column, const char *message)
{
	unsigned int line = statement ? statement->line : source->line;
	char word[VALUE_TEXT];

	if (get_word(source, statement ? statement->text : NULL, column, word,
		     sizeof(word)) && !strstr(message, word))
		source_error(source, line, column, "%s: %s", word, message);
	else
		source_error(source, line, column, "%s", message);
}

void refuse_statement(struct source *source, const struct statement *statement,
		      const struct nl_error *error)
{
	unsigned int column = 0;

	if (statement && error->has_field)
		column = statement->column[error->field];
	if (statement && error->has_field && error->field == FIELD_RANGE &&
	    statement->kind == STATEMENT_POOL &&
	    error->nth < statement->pool.count)
		column = statement->pool.ranges[error->nth].column;
	/* Of a file at least the statement can be pointed at. */
	if (statement && !column)
		column = statement->column[FIELD_STATEMENT];
	note(source, statement, column, error->message);
}

void refuse_filter(struct source *source, const struct filter *filter,
		   const struct nl_error *error)
{
	note(source, NULL, error->has_field ?
	     filter->column[error->field] : 0, error->message);
}

int refuse(const struct nl *nl)
{
	fprintf(stderr, "userctl: %s\n", nl_error(nl)->message);
	return EXIT_REFUSED;
}
