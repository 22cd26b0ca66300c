// SPDX-License-Identifier: GPL-2.0
/* Words, where they stand, and the errors about them. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "userctl.h"

void source_file(struct source *source, const char *name)
{
	memset(source, 0, sizeof(*source));
	source->name = name;
	source->log = stderr;
}

static void add_word(struct source *source, char *text, unsigned int column)
{
	if (source->count == source->room) {
		source->room = source->room ? source->room * 2 : 32;
		source->words = xrealloc(source->words, source->room *
					 sizeof(*source->words));
	}
	source->words[source->count++] = (struct word){ text, column };
}

void source_argv(struct source *source, const char *name, char **argv,
		 int count)
{
	int i;

	source_file(source, name);
	source->argv = true;
	source->line = 1;
	for (i = 0; i < count; i++)
		add_word(source, argv[i], i + 1);
	source->end = count + 1;
}

void source_free(struct source *source)
{
	free(source->words);
	source->words = NULL;
	source->count = 0;
	source->room = 0;
}

/* What comes from a file must not reach a terminal as control characters. */
static void print_clean(FILE *log, char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ?
		      '?' : *text, log);
}

void source_verror(struct source *source, unsigned int line,
		   unsigned int column, const char *format, va_list args)
{
	char *message = NULL;

	source->errors++;
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	if (source->argv)
		fprintf(source->log, "%s: ", source->name);
	else if (column)
		fprintf(source->log, "%s:%u:%u: ", source->name, line, column);
	else
		fprintf(source->log, "%s:%u: ", source->name, line);
	if (message)
		print_clean(source->log, message);
	fputc('\n', source->log);
	free(message);
}

bool source_error(struct source *source, unsigned int line,
		  unsigned int column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	source_verror(source, line, column, format, args);
	va_end(args);
	return false;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool source_split(struct source *source, char *line, size_t len)
{
	char *c = line, *end = line + len;

	source->count = 0;
	source->at = 0;
	source->end = 1;
	while (true) {
		char *start;

		while (c < end && blank(*c))
			c++;
		if (c == end || *c == '#')
			return true;
		start = c;
		while (c < end && !blank(*c)) {
			if ((unsigned char)*c < ' ' || *c == 0x7f) {
				source_error(source, source->line,
					     c - line + 1,
					     "byte 0x%02x: not text", *c);
				return false;
			}
			c++;
		}
		add_word(source, start, start - line + 1);
		source->end = c - line + 1;
		/* The buffer of getline() has room for a zero at its end. */
		if (c < end)
			*c++ = '\0';
		else
			*c = '\0';
	}
}
