// SPDX-License-Identifier: GPL-2.0
/* A hash of places in an array: open addressing, linear probing. */

#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/random.h>

#include "index.h"

static struct natty_index_slot *alloc_slots(u32 size)
{
	return kvcalloc(size, sizeof(struct natty_index_slot),
			GFP_KERNEL_ACCOUNT);
}

/**
 * natty_index_init() - make an empty index
 * @index: overwritten
 * @expected: number of elements to have room for at once
 *
 * Return: 0 or -ENOMEM.
 */
int natty_index_init(struct natty_index *index, unsigned int expected)
{
	u32 size = roundup_pow_of_two(max(expected, 8U) * 2);

	index->slot = alloc_slots(size);
	if (!index->slot)
		return -ENOMEM;
	index->mask = size - 1;
	index->used = 0;
	index->seed = get_random_u32();
	return 0;
}

void natty_index_free(struct natty_index *index)
{
	kvfree(index->slot);
	index->slot = NULL;
}

static void put(struct natty_index_slot *slot, u32 mask, u32 hash, u32 place)
{
	u32 i = hash;

	while (slot[i & mask].place)
		i++;
	slot[i & mask].hash = hash;
	slot[i & mask].place = place;
}

static int grow(struct natty_index *index)
{
	u32 mask = index->mask * 2 + 1;
	struct natty_index_slot *slot;
	u32 start = 0, i;

	slot = alloc_slots(mask + 1);
	if (!slot)
		return -ENOMEM;
	/* From a free slot on, so that equal hashes keep their order. */
	while (index->slot[start].place)
		start++;
	for (i = 1; i <= index->mask; i++) {
		struct natty_index_slot *old;

		old = &index->slot[(start + i) & index->mask];
		if (old->place)
			put(slot, mask, old->hash, old->place);
	}
	kvfree(index->slot);
	index->slot = slot;
	index->mask = mask;
	return 0;
}

/**
 * natty_index_add() - add an element
 * @index: initialised
 * @hash: of its key
 * @place: in the array
 *
 * Return: 0 or -ENOMEM; then nothing changed.
 */
int natty_index_add(struct natty_index *index, u32 hash, u32 place)
{
	if (index->used > index->mask / 2 && grow(index))
		return -ENOMEM;
	put(index->slot, index->mask, hash, place + 1);
	index->used++;
	return 0;
}
