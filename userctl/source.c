// SPDX-License-Identifier: GPL-2.0
/* Words, where they stand, and the errors about them. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "userctl.h"

#define MESSAGE_MAX	500	/* bytes of a message that are printed */

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

/* The bytes that a character of UTF-8 at @text has, or 0 if there is none. */
static size_t utf8_length(const char *text)
{
	unsigned char first = *text;
	size_t i, len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 :
			first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;

	for (i = 1; i < len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* What comes from a file must reach a terminal as text, and not too much. */
static void print_clean(FILE *log, const char *text)
{
	const char *end = text + MESSAGE_MAX;
	size_t len;

	for (; *text && text < end; text += len ? len : 1) {
		len = utf8_length(text);
		if (!len || (unsigned char)*text < ' ' || *text == 0x7f)
			fputc('?', log);
		else
			fwrite(text, 1, len, log);
	}
	fputs(*text ? "...\n" : "\n", log);
}

static int by_place(const void *a, const void *b)
{
	const struct problem *one = a, *other = b;

	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	return one->column < other->column ? -1 : one->column > other->column;
}

static void print_problem(const struct source *source,
			  const struct problem *problem)
{
	fprintf(source->log, "%s:", source->name);
	if (problem->line && !source->argv)
		fprintf(source->log, "%u:", problem->line);
	if (problem->column && !source->argv)
		fprintf(source->log, "%u:", problem->column);
	fputc(' ', source->log);
	print_clean(source->log, problem->message);
}

void source_close(struct source *source)
{
	size_t i;

	if (source->errors)
		qsort(source->problems, source->errors,
		      sizeof(*source->problems), by_place);
	for (i = 0; i < source->errors; i++) {
		print_problem(source, &source->problems[i]);
		free(source->problems[i].message);
	}
	if (source->abandoned)
		fprintf(source->log, "%s: giving up after %zu errors\n",
			source->name, source->errors);
	free(source->problems);
	free(source->words);
}

void source_verror(struct source *source, unsigned int line,
		   unsigned int column, const char *format, va_list args)
{
	struct problem problem = { line, column, NULL };

	if (vasprintf(&problem.message, format, args) < 0)
		out_of_memory();
	if (source->errors == source->problems_room) {
		source->problems_room = source->errors ?
					source->errors * 2 : 16;
		source->problems = xrealloc(source->problems,
					    source->problems_room *
					    sizeof(problem));
	}
	source->problems[source->errors++] = problem;
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
