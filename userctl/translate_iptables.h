/* SPDX-License-Identifier: GPL-2.0 */
/* What iptables-save prints: between its lines and the words of a rule. */
#ifndef USERCTL_TRANSLATE_IPTABLES_H
#define USERCTL_TRANSLATE_IPTABLES_H

#include "translate.h"

struct ipt_word {
	char *text;
	unsigned int column;
	bool quoted;
};

/* A line "-A CHAIN ...", the words of which are looked at one by one. */
struct ipt_line {
	struct reader *reader;
	struct ipt_word *words;
	size_t count, at;
	unsigned int families;
	struct tchain **chains;		/* of the table */
	size_t chain_count;
	struct step *step;
	struct boxes boxes;
	const char *module;		/* whose options follow, or NULL */
	bool invert;
	bool bad_target;		/* and its options do not matter */
};

struct ipt_option {
	const char *module;	/* or target; NULL: of iptables itself */
	const char *name, *other;
	/* Returns NULL, or why the value, or the option, cannot be. */
	const char *(*take)(struct ipt_line *line, char *value,
			    unsigned int which);
	unsigned int which;
	bool flag;		/* takes no value */
};

/* The modules whose options natty may have matches for. */
extern const char *const ipt_modules[];

/* An option of iptables itself, or of the module that the line is at; or NULL. */
const struct ipt_option *ipt_option(const struct ipt_line *line,
				    const char *name);

/* Set the action of a target; false if natty has none for it. */
bool ipt_target(struct step *step, const char *name);

/* The words behind "-A CHAIN" make a rule of @line->step. */
void ipt_rule(struct ipt_line *line);

#endif
