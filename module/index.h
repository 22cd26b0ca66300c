/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_INDEX_H
#define NATTY_INDEX_H

#include <linux/types.h>

struct natty_index_slot {
	u32 hash;
	u32 place;	/* place in the array plus 1; 0: free */
};

/**
 * struct natty_index - finds elements of an array by the hash of their keys
 * @slot: power-of-two array, at most half full; NULL: no index
 * @mask: size of @slot minus 1
 * @used: used slots
 * @seed: for the hash of the keys
 *
 * Belongs to one staged configuration or to one commit, thus to one task at a
 * time. Elements are never removed: who deletes one marks it in the array.
 */
struct natty_index {
	struct natty_index_slot *slot;
	u32 mask;
	u32 used;
	u32 seed;
};

int natty_index_init(struct natty_index *index, unsigned int expected);
void natty_index_free(struct natty_index *index);
int natty_index_add(struct natty_index *index, u32 hash, u32 place);

/**
 * natty_index_next() - places of elements with a hash
 * @index: initialised
 * @hash: of the key that is sought
 * @cursor: begins as @hash; where to go on
 *
 * In the order in which they were added. Distinct keys may share a hash.
 *
 * Return: a place, or -1 when there are no more.
 */
static inline int natty_index_next(const struct natty_index *index, u32 hash,
				   u32 *cursor)
{
	const struct natty_index_slot *slot;

	for (;;) {
		slot = &index->slot[(*cursor)++ & index->mask];
		if (!slot->place)
			return -1;
		if (slot->hash == hash)
			return slot->place - 1;
	}
}

#endif
