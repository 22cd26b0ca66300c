/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of the values that a field of a packet may have: addresses, ports. */
#ifndef USERCTL_SET_H
#define USERCTL_SET_H

#include "arena.h"
#include "model.h"

/* An address, a port or a protocol, as a number of up to 128 bits. */
struct num {
	uint64_t hi, lo;
};

struct span {
	struct num min, max;
};

/* Spans are in order and have a gap between them. Sets are not changed. */
struct set {
	bool some;		/* else all values are in it */
	const struct span *list;
	size_t count;
};

struct num num_of_addr(const struct addr *addr);
struct addr addr_of_num(struct num num, uint8_t len);
struct num num_of(uint64_t lo);
int num_cmp(struct num a, struct num b);

/* The network of @bits in which @num is, of numbers of @width bits. */
struct span span_of_prefix(struct num num, unsigned int bits,
			   unsigned int width);

struct set set_of_span(struct arena *arena, struct span span);
struct set set_of_prefix(struct arena *arena, const struct prefix *prefix);
struct set set_and(struct arena *arena, struct set a, struct set b);
struct set set_or(struct arena *arena, struct set a, struct set b);

/* All numbers of @width bits but those of @set. */
struct set set_not(struct arena *arena, struct set set, unsigned int width);

bool set_is_empty(struct set set);
bool set_has(struct set set, struct num num);
bool set_is_single(struct set set);

/*
 * Write the networks that make up a set of addresses of @len bytes into @list.
 * Returns how many there are, or more than @max if they are too many for it.
 */
size_t set_prefixes(struct set set, uint8_t len, struct prefix *list,
		    size_t max);

#endif
