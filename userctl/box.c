// SPDX-License-Identifier: GPL-2.0
/* Conditions on the fields of a packet, and what they have in common. */
#include <string.h>

#include "box.h"

#define BOXES_MAX	4096

static bool is_wildcard(const char *name)
{
	size_t len = strlen(name);

	return len && name[len - 1] == '+';
}

/* Does every interface that fits @a fit @b? */
static bool name_within(const char *a, const char *b)
{
	size_t len = strlen(b);

	if (!is_wildcard(b))
		return !strcmp(a, b);
	len--;
	/* The part of a before its own plus sign must reach as far. */
	return !strncmp(a, b, len) &&
	       strlen(a) - (is_wildcard(a) ? 1 : 0) >= len;
}

/* Is there an interface that fits both? */
static bool name_meets(const char *a, const char *b)
{
	return name_within(a, b) || name_within(b, a);
}

/* Take out of the inverted names those that the name which is wanted implies. */
static bool names_settle(struct names *names)
{
	size_t i, n = 0;

	if (!names->is)
		return true;
	for (i = 0; i < names->nots; i++) {
		if (name_within(names->is, names->not[i]))
			return false;
		if (name_meets(names->is, names->not[i]))
			names->not[n++] = names->not[i];
	}
	names->nots = n;
	return true;
}

bool box_and_name(struct arena *arena, struct box *box, enum side side,
		  const char *name, bool invert)
{
	struct names *names = &box->iface[side];
	const char **not;
	size_t i, n = 0;

	/* A name that every interface has. */
	if (!strcmp(name, "+"))
		return !invert;
	if (!invert && names->is && !name_meets(names->is, name))
		return false;
	if (!invert && (!names->is || name_within(name, names->is)))
		names->is = name;
	/* Boxes that were copied have the same list. */
	not = arena_alloc(arena, (names->nots + 1) * sizeof(*not));
	for (i = 0; i < names->nots; i++) {
		if (invert && name_within(name, names->not[i]))
			return true;
		if (!invert || !name_within(names->not[i], name))
			not[n++] = names->not[i];
	}
	if (invert)
		not[n++] = name;
	names->not = not;
	names->nots = n;
	return names_settle(names);
}

/* Does every mark that fits @a fit @b? */
static bool mark_within(struct mark a, struct mark b)
{
	return !(b.mask & ~a.mask) && !((a.value ^ b.value) & b.mask);
}

static bool mark_meets(struct mark a, struct mark b)
{
	return !((a.value ^ b.value) & a.mask & b.mask);
}

bool box_and_mark(struct arena *arena, struct box *box, struct mark mark,
		  bool invert)
{
	struct marks *marks = &box->mark;
	struct mark *not;
	size_t i, n = 0;

	/* iptables lets the mark have bits that its mask has not. */
	if (mark.value & ~mark.mask)
		return invert;
	if (!invert && !mark_meets(marks->is, mark))
		return false;
	if (!invert) {
		marks->is.value |= mark.value;
		marks->is.mask |= mark.mask;
	}
	not = arena_alloc(arena, (marks->nots + 1) * sizeof(*not));
	for (i = 0; i < marks->nots; i++)
		not[i] = marks->not[i];
	if (invert)
		not[marks->nots++] = mark;
	for (i = 0; i < marks->nots; i++) {
		if (mark_within(marks->is, not[i]))
			return false;
		if (mark_meets(marks->is, not[i]))
			not[n++] = not[i];
	}
	marks->not = not;
	marks->nots = n;
	return true;
}

static bool and_names(struct arena *arena, struct box *box,
		      const struct box *other)
{
	unsigned int side;
	size_t i;

	for (side = 0; side < 2; side++) {
		const struct names *names = &other->iface[side];

		if (names->is &&
		    !box_and_name(arena, box, side, names->is, false))
			return false;
		for (i = 0; i < names->nots; i++)
			if (!box_and_name(arena, box, side, names->not[i], true))
				return false;
	}
	return true;
}

static bool and_marks(struct arena *arena, struct box *box,
		      const struct marks *marks)
{
	size_t i;

	if (marks->is.mask && !box_and_mark(arena, box, marks->is, false))
		return false;
	for (i = 0; i < marks->nots; i++)
		if (!box_and_mark(arena, box, marks->not[i], true))
			return false;
	return true;
}

static bool and_set(struct arena *arena, struct set *set, struct set other)
{
	*set = set_and(arena, *set, other);
	return !set_is_empty(*set);
}

bool box_and(struct arena *arena, const struct box *a, const struct box *b,
	     struct box *both)
{
	unsigned int side;

	*both = *a;
	both->families &= b->families;
	/* Addresses of two families are never compared. */
	if (!both->families || !and_names(arena, both, b) ||
	    !and_set(arena, &both->proto, b->proto) ||
	    !and_marks(arena, both, &b->mark))
		return false;
	for (side = 0; side < 2; side++) {
		if (!and_set(arena, &both->addr[side], b->addr[side]) ||
		    !and_set(arena, &both->port[side], b->port[side]))
			return false;
		if (both->local[side] && b->local[side] &&
		    both->local[side] != b->local[side])
			return false;
		if (b->local[side])
			both->local[side] = b->local[side];
	}
	return true;
}

bool boxes_and(struct arena *arena, struct boxes *boxes,
	       const struct box *list, size_t count)
{
	struct boxes both = { 0 };
	size_t i, j;

	if (count && boxes->count > BOXES_MAX / count)
		return false;
	both.list = arena_alloc(arena, boxes->count * count *
				sizeof(*both.list));
	for (i = 0; i < boxes->count; i++)
		for (j = 0; j < count; j++)
			if (box_and(arena, &boxes->list[i], &list[j],
				    &both.list[both.count]))
				both.count++;
	*boxes = both;
	return true;
}

bool box_at(struct box *box, enum natty_chain chain)
{
	static const bool known[][2] = {
		[NATTY_CHAIN_PREROUTING] = { true, false },
		[NATTY_CHAIN_POSTROUTING] = { true, true },
		[NATTY_CHAIN_OUTPUT] = { false, true },
		[NATTY_CHAIN_INPUT] = { true, false },
	};
	unsigned int side;

	for (side = 0; side < 2; side++) {
		if (known[chain][side])
			continue;
		/* There the name is empty. */
		if (box->iface[side].is)
			return false;
		box->iface[side].nots = 0;
	}
	return true;
}

bool box_relax(struct arena *arena, const struct box *box, struct box *own,
	       struct box *out)
{
	struct marks *marks = &own->mark;
	unsigned int side;

	*out = (struct box){ .families = FAMILY_BOTH };
	for (side = 0; side < 2; side++) {
		const struct names *names = &box->iface[side];

		if (names->nots <= (names->is ? 0 : 1) || !own->iface[side].nots)
			continue;
		own->iface[side].nots--;
		return box_and_name(arena, out, side,
				    own->iface[side].not[own->iface[side].nots],
				    false);
	}
	if (box->mark.nots <= (box->mark.is.mask ? 0 : 1) || !marks->nots)
		return false;
	marks->nots--;
	return box_and_mark(arena, out, marks->not[marks->nots], false);
}

static bool set_same(struct set a, struct set b)
{
	if (a.some != b.some || a.count != b.count)
		return false;
	return !a.count || !memcmp(a.list, b.list, a.count * sizeof(*a.list));
}

static bool names_same(const struct names *a, const struct names *b)
{
	size_t i;

	if (a->nots != b->nots || !a->is != !b->is)
		return false;
	for (i = 0; i < a->nots; i++)
		if (strcmp(a->not[i], b->not[i]))
			return false;
	return !a->is || !strcmp(a->is, b->is);
}

static bool marks_same(const struct marks *a, const struct marks *b)
{
	if (memcmp(&a->is, &b->is, sizeof(a->is)) || a->nots != b->nots)
		return false;
	return !a->nots || !memcmp(a->not, b->not, a->nots * sizeof(*a->not));
}

bool box_is_all(const struct box *box, const struct box *of)
{
	unsigned int side;

	/* @box being @of with further conditions, these show. */
	if (box->families != of->families ||
	    !set_same(box->proto, of->proto) ||
	    !marks_same(&box->mark, &of->mark))
		return false;
	for (side = 0; side < 2; side++)
		if (!names_same(&box->iface[side], &of->iface[side]) ||
		    !set_same(box->addr[side], of->addr[side]) ||
		    !set_same(box->port[side], of->port[side]) ||
		    box->local[side] != of->local[side])
			return false;
	return true;
}
