// SPDX-License-Identifier: GPL-2.0
/* Which ports of one address and protocol are taken. */

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/slab.h>

#include "portmap.h"

#define LEAF_PORTS (2 * 64 * NATTY_PORTMAP_WORDS)

/* An empty map keeps so many leaves for the next ports. */
#define LEAVES_KEPT 2

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
