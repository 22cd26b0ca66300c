/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a rule of iptables or nft looks at, as a box: a condition on each field
 * of a packet, all of which hold. Boxes can be intersected, and are written with
 * the matches of one or more rules of natty.
 */
#ifndef USERCTL_BOX_H
#define USERCTL_BOX_H

#include "set.h"

enum {
	FAMILY_4 = 1,
	FAMILY_6 = 2,
	FAMILY_BOTH = FAMILY_4 | FAMILY_6
};

enum side {
	SIDE_IN,		/* interface in, source */
	SIDE_OUT		/* interface out, destination */
};

/* Names as natty has them: a trailing + is a wildcard. */
struct names {
	const char *is;		/* NULL: any */
	const char **not;
	size_t nots;
};

struct mark {
	uint32_t value, mask;
};

struct marks {
	struct mark is;		/* of no bits: any */
	const struct mark *not;
	size_t nots;
};

enum local {
	LOCAL_ANY,
	LOCAL_YES,
	LOCAL_NO
};

struct box {
	unsigned int families;
	struct names iface[2];
	struct set addr[2];	/* where it is given there is one family */
	struct set proto;
	struct set port[2];
	struct marks mark;
	enum local local[2];	/* whether the address is this host's own */
};

/* Both conditions; false if no packet fits. */
bool box_and(struct arena *arena, const struct box *a, const struct box *b,
	     struct box *both);

/* Alternatives. */
struct boxes {
	struct box *list;
	size_t count;
};

/* What is in one of the boxes of each. False if these become too many. */
bool boxes_and(struct arena *arena, struct boxes *boxes,
	       const struct box *list, size_t count);

/* Further conditions; false if no packet fits any more. */
bool box_and_name(struct arena *arena, struct box *box, enum side side,
		  const char *name, bool invert);
bool box_and_mark(struct arena *arena, struct box *box, struct mark mark,
		  bool invert);

/*
 * Judge the interfaces that packets do not have at a hook; false if no packet
 * fits.
 */
bool box_at(struct box *box, enum natty_chain chain);

/*
 * A rule has one match of each interface and of the mark. If @box, which is
 * @own and more, has more conditions, take an inverted one out of @own, and
 * make @out the packets which that was about. False if there is none.
 */
bool box_relax(struct arena *arena, const struct box *box, struct box *own,
	       struct box *out);

/* Does every packet that is in @of fit? */
bool box_is_all(const struct box *box, const struct box *of);

/*
 * Call @take with the matches of each rule that the box needs, set in a copy of
 * @rule. Returns NULL, or why no rules can say it.
 */
typedef void box_take(const struct rule *rule, void *data);
const char *box_rules(struct arena *arena, const struct box *box,
		      const struct rule *rule, box_take *take, void *data);

#endif
