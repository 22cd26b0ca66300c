/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration language: one parser for files and for the command line.
 * Errors are noted in the source, which prints them when it is closed.
 */
#ifndef USERCTL_CONFIG_H
#define USERCTL_CONFIG_H

#include <stdarg.h>
#include <stdio.h>

#include "model.h"
#include "userctl.h"

#define ERRORS_MAX	20	/* after so many a file is given up */

struct word {
	char *text;
	unsigned int column;	/* from 1; of argv the number of the word */
};

struct problem {
	unsigned int line;	/* 0: the file as a whole */
	unsigned int column;	/* 0: the line as a whole */
	char *message;
};

/* Where words come from: a line of a file, or argv. */
struct source {
	const char *name;	/* of the file, or the command, as "rule add" */
	bool argv;
	FILE *log;		/* for errors */
	unsigned int line;	/* from 1 */
	struct problem *problems;
	size_t errors;		/* how many problems there are */
	size_t problems_room;
	bool abandoned;		/* after ERRORS_MAX errors */
	bool lost_pool;		/* one of the errors is in a pool */
	struct word *words;
	size_t count, room;
	size_t at;		/* the next word to parse */
	unsigned int end;	/* column just after the last word */
};

struct config {
	struct statement *list;
	size_t count, room;
};

void source_file(struct source *source, const char *name);

/* Take the @count words of @argv, which must outlive @source. */
void source_argv(struct source *source, const char *name, char **argv,
		 int count);

/* Print the errors, in the order of their places, and release everything. */
void source_close(struct source *source);

/*
 * Note an error about the word at @column of @line. Returns false, for parsers
 * to return.
 */
__printf(4, 5)
bool source_error(struct source *source, unsigned int line,
		  unsigned int column, const char *format, ...);
__printf(4, 0)
void source_verror(struct source *source, unsigned int line,
		   unsigned int column, const char *format, va_list args);

/*
 * Split a line of @len bytes, which is changed and must outlive the words.
 * False if it holds bytes that no text has.
 */
bool source_split(struct source *source, char *line, size_t len);

/* Parse the words of @source as one statement; false after an error. */
bool config_statement(struct source *source, struct statement *statement);

/* The same for the words after "set", "pool", "rule" and "forward". */
bool config_setting(struct source *source, struct statement *statement);
bool config_pool(struct source *source, struct statement *statement);
bool config_rule(struct source *source, struct statement *statement);
bool config_forward(struct source *source, struct statement *statement);

/* Parse the single words that name a rule's place, a pool or a forward. */
bool config_chain(struct source *source, struct statement *statement);
bool config_position(struct source *source, struct statement *statement);
bool config_external(struct source *source, struct statement *statement);
bool config_name(struct source *source, struct statement *statement);

/* Parse the remaining words as the matches that select connections. */
bool config_filter(struct source *source, struct filter *filter);

/* False, with an error, if words are left over. */
bool config_end(struct source *source);

/*
 * Parse @file whole. False if it has an error; @config holds the statements
 * that have none all the same.
 */
bool config_read(struct source *source, FILE *file, struct config *config);

/* Append a statement, all zero. */
struct statement *config_add(struct config *config);
void config_free(struct config *config);
void statement_free(struct statement *statement);

#endif
