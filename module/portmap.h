/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PORTMAP_H
#define NATTY_PORTMAP_H

#include <linux/types.h>

#define NATTY_PORTMAP_WORDS 8	/* of one leaf and parity, 64 ports each */
#define NATTY_PORTMAP_LEAVES (32768 / 64 / NATTY_PORTMAP_WORDS)

/**
 * struct natty_portmap_leaf - 1024 neighbouring ports
 * @taken: a bit a port, a cache line for each parity
 */
struct natty_portmap_leaf {
	u64 taken[2][NATTY_PORTMAP_WORDS];
};

/**
 * struct natty_portmap_rest - who of 1024 neighbouring ports rests
 * @n: how many do
 * @due: the second at which some port's rest is over, no later one
 * @mark: of each port, 0 if it does not rest
 */
struct natty_portmap_rest {
	u32 n;
	u32 due;
	u32 mark[2 * 64 * NATTY_PORTMAP_WORDS];
};

/**
 * struct natty_portmap - which of 65536 ports are taken
 * @full: for each parity, a bit for each word of 64 ports that are all taken
 * @leaf: made when one of their ports is taken
 * @share: NULL while no port is shared; else for each leaf NULL or how many
 *	users share each of its ports, 0 for ports with an owner
 * @rest: for each leaf NULL or which of its ports rest: nobody has them, but
 *	they are taken until their rest is over
 * @used: number of ports taken, resting ones included
 * @resting: number of ports that rest
 * @due: the second at which some port's rest is over, no later one
 * @leaves: number of leaves
 * @memory: bytes that leaves, shares and rests occupy
 *
 * A free port of a range is found by looking at two words of ports and at no
 * more than eight words of @full, whatever the number of ports taken.
 *
 * No function locks; the owner of the map does.
 */
struct natty_portmap {
	u64 full[2][NATTY_PORTMAP_LEAVES * NATTY_PORTMAP_WORDS / 64];
	struct natty_portmap_leaf *leaf[NATTY_PORTMAP_LEAVES];
	u32 **share;
	struct natty_portmap_rest *rest[NATTY_PORTMAP_LEAVES];
	u32 used;
	u32 resting;
	u32 due;
	u32 leaves;
	u32 memory;
};

struct natty_portmap *natty_portmap_alloc(void);
void natty_portmap_free(struct natty_portmap *map);

bool natty_portmap_is_taken(const struct natty_portmap *map, u16 port);

/* How many users share the port; 0 if it is free or has an owner. */
u32 natty_portmap_shares(const struct natty_portmap *map, u16 port);

/* Take a port that is free. 0 or -ENOMEM. Softirq. */
int natty_portmap_take(struct natty_portmap *map, u16 port);

/* Take a port that is free or shared. 0 or -ENOMEM. Softirq. */
int natty_portmap_share(struct natty_portmap *map, u16 port);

/* Give up a port, or one share of it; false if it was not taken. */
bool natty_portmap_put(struct natty_portmap *map, u16 port);

/**
 * natty_portmap_rest() - let a port that its owner gives up rest
 * @map: the map
 * @port: taken, not shared, not resting
 * @until: the second at which its rest is over
 * @tag: 16 bits to know its last owner by; 0: nobody
 *
 * Softirq. Return: 0, or -ENOMEM: then it does not rest.
 */
int natty_portmap_rest(struct natty_portmap *map, u16 port, u32 until, u16 tag);

/* Does the port rest? */
bool natty_portmap_rests(const struct natty_portmap *map, u16 port);

/*
 * Free a port that rests, if that is over, or if @tag, which is not 0, is that
 * of its last owner. Was it freed?
 */
bool natty_portmap_wake(struct natty_portmap *map, u16 port, u32 now, u16 tag);

/* Free a port that rests whatever else. */
void natty_portmap_rouse(struct natty_portmap *map, u16 port);

/**
 * natty_portmap_sweep() - free ports whose rest is over
 * @map: the map
 * @now: the second
 * @min: of interest, with its neighbours in a leaf
 * @max: likewise
 *
 * Stops behind the first leaf where there are any, so that nobody waits long for
 * the lock.
 *
 * Return: how many were freed; 0 if there are no more.
 */
u32 natty_portmap_sweep(struct natty_portmap *map, u32 now, u16 min, u16 max);

/* A port of @min..@max that @tag had before it rested, or -1. Looks at a few. */
int natty_portmap_find_rest(const struct natty_portmap *map, u32 min, u32 max,
			    u16 tag);

/* The lowest port from @from on that has an owner and does not rest, or -1. */
int natty_portmap_next_owned(const struct natty_portmap *map, u32 from);

/* The lowest free port of the parity in @min..@max, or -1. */
int natty_portmap_next(const struct natty_portmap *map, unsigned int parity,
		       u32 min, u32 max);

#endif
