// SPDX-License-Identifier: GPL-2.0
/* Which ports of one address and protocol are taken. */

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/slab.h>

#include "portmap.h"

#define LEAF_PORTS (2 * 64 * NATTY_PORTMAP_WORDS)

/* An empty map keeps so many leaves for the next ports. */
#define LEAVES_KEPT 2

/* So many ports are looked at for one that a host had before. */
#define FIND_REST_MAX 4096

/**
 * struct place - where a port is in a map
 * @parity: of the port
 * @word: of all words of this parity
 * @bit: in that word
 */
struct place {
	unsigned int parity;
	unsigned int word;
	unsigned int bit;
};

static struct place place_of(u16 port)
{
	return (struct place){
		.parity = port & 1,
		.word = port >> 7,
		.bit = port >> 1 & 63,
	};
}

static struct natty_portmap_leaf *leaf_of(const struct natty_portmap *map,
					  unsigned int word)
{
	return map->leaf[word / NATTY_PORTMAP_WORDS];
}

static u64 word_of(const struct natty_portmap *map, unsigned int parity,
		   unsigned int word)
{
	const struct natty_portmap_leaf *leaf = leaf_of(map, word);

	return leaf ? leaf->taken[parity][word % NATTY_PORTMAP_WORDS] : 0;
}

struct natty_portmap *natty_portmap_alloc(void)
{
	return kzalloc(sizeof(struct natty_portmap), GFP_ATOMIC | __GFP_NOWARN);
}

static void free_leaves(struct natty_portmap *map)
{
	unsigned int i;

	for (i = 0; i < NATTY_PORTMAP_LEAVES; i++) {
		kfree(map->leaf[i]);
		map->leaf[i] = NULL;
		if (map->share)
			kfree(map->share[i]);
		kfree(map->rest[i]);
		map->rest[i] = NULL;
	}
	kfree(map->share);
	map->share = NULL;
	map->leaves = 0;
	map->memory = 0;
}

void natty_portmap_free(struct natty_portmap *map)
{
	if (!map)
		return;
	free_leaves(map);
	kfree(map);
}

bool natty_portmap_is_taken(const struct natty_portmap *map, u16 port)
{
	struct place p = place_of(port);

	return word_of(map, p.parity, p.word) & BIT_ULL(p.bit);
}

/* How many users share the port; NULL if no port near it was ever shared. */
static u32 *share_of(const struct natty_portmap *map, u16 port)
{
	u32 *share = map->share ? map->share[port / LEAF_PORTS] : NULL;

	return share ? &share[port % LEAF_PORTS] : NULL;
}

u32 natty_portmap_shares(const struct natty_portmap *map, u16 port)
{
	const u32 *share = share_of(map, port);

	return share ? *share : 0;
}

static struct natty_portmap_leaf *make_leaf(struct natty_portmap *map,
					    unsigned int word)
{
	struct natty_portmap_leaf *leaf = leaf_of(map, word);

	if (likely(leaf))
		return leaf;
	leaf = kzalloc(sizeof(*leaf), GFP_ATOMIC | __GFP_NOWARN);
	if (!leaf)
		return NULL;
	map->leaf[word / NATTY_PORTMAP_WORDS] = leaf;
	map->leaves++;
	map->memory += sizeof(*leaf);
	return leaf;
}

int natty_portmap_take(struct natty_portmap *map, u16 port)
{
	struct place p = place_of(port);
	struct natty_portmap_leaf *leaf;
	u64 *word;

	leaf = make_leaf(map, p.word);
	if (unlikely(!leaf))
		return -ENOMEM;
	word = &leaf->taken[p.parity][p.word % NATTY_PORTMAP_WORDS];
	*word |= BIT_ULL(p.bit);
	if (*word == U64_MAX)
		map->full[p.parity][p.word / 64] |= BIT_ULL(p.word % 64);
	map->used++;
	return 0;
}

static u32 *make_share(struct natty_portmap *map, u16 port)
{
	u32 **share;

	if (unlikely(!map->share)) {
		map->share = kcalloc(NATTY_PORTMAP_LEAVES, sizeof(*map->share),
				     GFP_ATOMIC | __GFP_NOWARN);
		if (!map->share)
			return NULL;
		map->memory += NATTY_PORTMAP_LEAVES * sizeof(*map->share);
	}
	share = &map->share[port / LEAF_PORTS];
	if (unlikely(!*share)) {
		*share = kcalloc(LEAF_PORTS, sizeof(**share),
				 GFP_ATOMIC | __GFP_NOWARN);
		if (!*share)
			return NULL;
		map->memory += LEAF_PORTS * sizeof(**share);
	}
	return *share + port % LEAF_PORTS;
}

int natty_portmap_share(struct natty_portmap *map, u16 port)
{
	u32 *share = make_share(map, port);
	int err;

	if (unlikely(!share))
		return -ENOMEM;
	if (!natty_portmap_is_taken(map, port)) {
		err = natty_portmap_take(map, port);
		if (err)
			return err;
	}
	++*share;
	return 0;
}

bool natty_portmap_put(struct natty_portmap *map, u16 port)
{
	struct natty_portmap_leaf *leaf;
	struct place p = place_of(port);
	u32 *share;

	if (!natty_portmap_is_taken(map, port))
		return false;
	share = share_of(map, port);
	if (share && *share && --*share)
		return true;
	leaf = leaf_of(map, p.word);
	leaf->taken[p.parity][p.word % NATTY_PORTMAP_WORDS] &= ~BIT_ULL(p.bit);
	map->full[p.parity][p.word / 64] &= ~BIT_ULL(p.word % 64);
	if (!--map->used && (map->share || map->leaves > LEAVES_KEPT))
		free_leaves(map);
	return true;
}

/*
 * A mark is the second, of which 16 bits do, and the tag. Rests are short, and
 * are looked at long before those bits come around.
 */
static u32 make_mark(u32 until, u16 tag)
{
	u32 mark = (u32)(u16)until << 16 | tag;

	return mark ?: 1U << 16;
}

static bool is_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static bool is_over(u32 mark, u32 now)
{
	return (s16)((u16)(mark >> 16) - (u16)now) <= 0;
}

int natty_portmap_rest(struct natty_portmap *map, u16 port, u32 until, u16 tag)
{
	struct natty_portmap_rest **place = &map->rest[port / LEAF_PORTS];

	if (!*place) {
		*place = kzalloc(sizeof(**place), GFP_ATOMIC | __GFP_NOWARN);
		if (!*place)
			return -ENOMEM;
		map->memory += sizeof(**place);
	}
	(*place)->mark[port % LEAF_PORTS] = make_mark(until, tag);
	if (!(*place)->n++ || is_before(until, (*place)->due))
		(*place)->due = until;
	if (!map->resting++ || is_before(until, map->due))
		map->due = until;
	return 0;
}

static u32 mark_of(const struct natty_portmap *map, u16 port)
{
	const struct natty_portmap_rest *rest = map->rest[port / LEAF_PORTS];

	return rest ? rest->mark[port % LEAF_PORTS] : 0;
}

bool natty_portmap_rests(const struct natty_portmap *map, u16 port)
{
	return mark_of(map, port);
}

void natty_portmap_rouse(struct natty_portmap *map, u16 port)
{
	struct natty_portmap_rest **place = &map->rest[port / LEAF_PORTS];

	map->resting--;
	(*place)->mark[port % LEAF_PORTS] = 0;
	if (!--(*place)->n) {
		kfree(*place);
		*place = NULL;
		map->memory -= sizeof(**place);
	}
	natty_portmap_put(map, port);
}

bool natty_portmap_wake(struct natty_portmap *map, u16 port, u32 now, u16 tag)
{
	u32 mark = mark_of(map, port);

	if (!mark || !(is_over(mark, now) || (tag && (u16)mark == tag)))
		return false;
	natty_portmap_rouse(map, port);
	return true;
}

/* Free the ports of a leaf whose rest is over. */
static void sweep_leaf(struct natty_portmap *map, unsigned int leaf, u32 now)
{
	u32 port, due = now + S16_MAX, mark, left;

	for (port = leaf * LEAF_PORTS; port < (leaf + 1) * LEAF_PORTS; port++) {
		/* The last one takes the marks along. */
		if (!map->rest[leaf])
			return;
		mark = mark_of(map, port);
		if (!mark)
			continue;
		left = (u16)((mark >> 16) - now);
		if (is_over(mark, now))
			natty_portmap_rouse(map, port);
		else if (is_before(now + left, due))
			due = now + left;
	}
	if (map->rest[leaf])
		map->rest[leaf]->due = due;
}

u32 natty_portmap_sweep(struct natty_portmap *map, u32 now, u16 min, u16 max)
{
	u32 before = map->resting, due = now + S16_MAX;
	unsigned int i;

	if (!before || is_before(now, map->due))
		return 0;
	for (i = 0; i < NATTY_PORTMAP_LEAVES; i++) {
		if (i >= min / LEAF_PORTS && i <= max / LEAF_PORTS &&
		    map->rest[i] && !is_before(now, map->rest[i]->due))
			sweep_leaf(map, i, now);
		if (map->resting != before)
			return before - map->resting;
		if (map->rest[i] && is_before(map->rest[i]->due, due))
			due = map->rest[i]->due;
	}
	map->due = due;
	return 0;
}

int natty_portmap_find_rest(const struct natty_portmap *map, u32 min, u32 max,
			    u16 tag)
{
	unsigned int tries = FIND_REST_MAX;
	u32 port;

	for (port = min; port <= max && tries--; port++) {
		if (!map->rest[port / LEAF_PORTS])
			port |= LEAF_PORTS - 1;
		else if ((u16)mark_of(map, port) == tag)
			return port;
	}
	return -1;
}

int natty_portmap_next_owned(const struct natty_portmap *map, u32 from)
{
	u32 port;

	for (port = from; port <= U16_MAX; port++) {
		struct place p = place_of(port);

		/* A word of each parity stands for 128 ports. */
		if (!word_of(map, 0, p.word) && !word_of(map, 1, p.word))
			port |= 127;
		else if (natty_portmap_is_taken(map, port) &&
			 !natty_portmap_shares(map, port) &&
			 !natty_portmap_rests(map, port))
			return port;
	}
	return -1;
}

/* The first word from @word on that is not full, or -1. */
static int next_word(const struct natty_portmap *map, unsigned int parity,
		     unsigned int word)
{
	unsigned int i = word / 64;
	u64 open;

	if (i >= ARRAY_SIZE(map->full[parity]))
		return -1;
	open = ~map->full[parity][i] & (U64_MAX << (word % 64));
	while (!open) {
		if (++i == ARRAY_SIZE(map->full[parity]))
			return -1;
		open = ~map->full[parity][i];
	}
	return i * 64 + __ffs64(open);
}

int natty_portmap_next(const struct natty_portmap *map, unsigned int parity,
		       u32 min, u32 max)
{
	struct place p;
	int word;
	u64 open;
	u32 port;

	/* The first port from @min on that has the parity. */
	min += (min ^ parity) & 1;
	if (min > max)
		return -1;
	p = place_of(min);
	open = ~word_of(map, parity, p.word) & (U64_MAX << p.bit);
	if (open) {
		word = p.word;
	} else {
		word = next_word(map, parity, p.word + 1);
		if (word < 0)
			return -1;
		open = ~word_of(map, parity, word);
	}
	port = (u32)word << 7 | __ffs64(open) << 1 | parity;
	return port <= max ? (int)port : -1;
}
