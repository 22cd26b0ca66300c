/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rule sets of other programs between the readers, translate_iptables.c and
 * translate_nft.c, and translate_flatten.c, which makes natty's rules of them.
 */
#ifndef USERCTL_TRANSLATE_H
#define USERCTL_TRANSLATE_H

#include <stdio.h>

#include "box.h"

/* Where something stands, for people to find it. */
struct place {
	const char *file;
	unsigned int number;	/* of the file, and in it of the line or the rule */
	unsigned int line;	/* 0: not known */
	unsigned int column;	/* 0: not known */
	const char *name;	/* of a rule that has no line, or NULL */
	const char *text;	/* as it stands there */
};

enum verdict {
	VERDICT_NONE,		/* goes on with the next rule */
	VERDICT_ACCEPT,
	VERDICT_RETURN,
	VERDICT_JUMP,
	VERDICT_GOTO,
	VERDICT_NAT
};

/* A rule of a chain. */
struct step {
	struct place place;
	const struct box *boxes;	/* one of them must fit */
	size_t count;
	enum verdict verdict;
	struct tchain *to;		/* jump and goto */
	struct rule nat;		/* the action */
	const char *comment;		/* or NULL */
	const char *problem;		/* why it has no equivalent, or NULL */
	const char *note;		/* for its place in what comes out, or NULL */
	bool told;			/* the note stands there */
	bool visited;			/* a packet may get here */
};

struct tchain {
	const char *name;
	struct place place;
	struct step *steps;
	size_t count;
};

/* A chain that a hook calls. */
struct base {
	struct tchain *chain;
	unsigned int families;
	long priority;
	size_t number;		/* of its order, where priorities are the same */
};

struct refusal {
	struct place place;
	const char *what;
};

/* A line of what comes out: a statement, a comment, or both. */
struct item {
	const char *statement;
	const char *comment;
};

struct translation {
	struct arena arena;
	struct base *bases[NATTY_CHAIN_INPUT + 1];
	size_t base_count[NATTY_CHAIN_INPUT + 1];
	struct tchain **chains;		/* all, in their order */
	size_t chain_count;
	unsigned int early_marks;	/* families whose marks are set before natty */
	unsigned int late_marks;	/* looks for destinations, or behind that */
	struct refusal *refusals;
	size_t refusal_count;
	struct item *items;
	size_t item_count;
};

/* Where a reader is. */
struct reader {
	struct translation *translation;
	struct place place;
	unsigned int families;	/* that the command line gives; 0: none */
};

/* Each reads @len bytes of @text, which it changes and which must live on. */
void translate_iptables(struct reader *reader, char *text, size_t len);
void translate_nft(struct reader *reader, char *text, size_t len);

/* Make the rules of natty. */
void translate_flatten(struct translation *translation);

/* A new chain, and a new rule at its end. */
struct tchain *tchain_new(struct reader *reader, const char *name);
struct step *tchain_add(struct reader *reader, struct tchain *chain);

void translate_base(struct translation *translation, enum natty_chain hook,
		    struct tchain *chain, unsigned int families, long priority);

/* Note that something has no equivalent. The exit status says so. */
__printf(3, 4)
void translate_problem(struct translation *translation,
		       const struct place *place, const char *format, ...);

/* The same of a rule, which is left out. */
__printf(4, 5)
void translate_refuse(struct translation *translation, struct step *step,
		      const struct place *place, const char *format, ...);

void translate_comment(struct translation *translation, const char *text);
void translate_statement(struct translation *translation,
			 const struct rule *rule, const char *comment);

/*
 * Note that a rule sets marks of packets that arrive: in time for natty, which
 * looks at those in prerouting before connection tracking, or later.
 */
void translate_marks(struct translation *translation, unsigned int families,
		     bool early);

/* Print all of it, as --json says; refusals on standard error. */
void translate_print(struct translation *translation);

/* Whether natty knows the action at the hook. */
bool translate_possible(enum natty_action action, enum natty_chain hook);

/* The text of @place, ready for a comment, and where it stands. */
const char *translate_quote(struct translation *translation,
			    const struct place *place);

#endif
