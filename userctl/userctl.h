/* SPDX-License-Identifier: GPL-2.0 */
/* What every command shares. */
#ifndef USERCTL_USERCTL_H
#define USERCTL_USERCTL_H

#include <stdbool.h>
#include <stddef.h>

enum {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2
};

struct command {
	const char *name;
	/* @argv[0] is the word after the command's name. */
	int (*run)(const struct command *command, int argc, char **argv);
	const char *synopsis;	/* one line a form, each without "userctl " */
	const char *summary;	/* half a line, for the overview */
	const char *help;	/* what --help tells beyond the two */
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The kernel's words, as its style checker wants to see them. */
#define __attribute __attribute__
#define __printf(a, b) __attribute((format(printf, a, b)))
#define __noreturn __attribute((noreturn))

/* --json was given. */
extern bool json_output;

int apply_run(const struct command *command, int argc, char **argv);
int conn_run(const struct command *command, int argc, char **argv);
int forward_run(const struct command *command, int argc, char **argv);
int get_run(const struct command *command, int argc, char **argv);
int mapping_run(const struct command *command, int argc, char **argv);
int monitor_run(const struct command *command, int argc, char **argv);
int pool_run(const struct command *command, int argc, char **argv);
int rule_run(const struct command *command, int argc, char **argv);
int save_run(const struct command *command, int argc, char **argv);
int set_run(const struct command *command, int argc, char **argv);
int stats_run(const struct command *command, int argc, char **argv);
int status_run(const struct command *command, int argc, char **argv);
int translate_run(const struct command *command, int argc, char **argv);

/* Print the synopsis to stderr; returns EXIT_USAGE. */
int usage(const struct command *command);

/* As realloc(), but ends the program when memory is short. */
void *xrealloc(void *memory, size_t size);

/* Say so and end the program. */
void __noreturn out_of_memory(void);

#endif
