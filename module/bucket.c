// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "bucket.h"

#define LOCKED 1U

/*
 * At eight entries a bucket, of random ones 18 in 100 overflow, which must be
 * less than the half that makes the table grow before its time. Small tables
 * have more, as they may fill while they grow.
 */
struct natty_buckets *natty_buckets_alloc(u32 bits)
{
	u32 n = 1U << bits;
	u32 spare = n / 8 * 3 + min(n, 4096U);
	struct natty_buckets *b;

	BUILD_BUG_ON(sizeof(struct natty_bucket) != 64);
	b = kvzalloc(struct_size(b, bucket, (size_t)n + spare),
		     GFP_KERNEL | __GFP_NOWARN);
	if (!b)
		return NULL;
	b->bits = bits;
	b->shift = 32 - bits;
	b->spare = spare;
	return b;
}

void natty_buckets_free(struct natty_buckets *b)
{
	kvfree(b);
}

u64 natty_buckets_memory(const struct natty_buckets *b)
{
	return struct_size(b, bucket, (1UL << b->bits) + b->spare);
}

void natty_bucket_lock(struct natty_bucket *bucket)
{
	u32 head;

	/* Where softirqs are threads they must not be preempted here either. */
	preempt_disable();
	for (;;) {
		head = READ_ONCE(bucket->head) & ~LOCKED;
		if (try_cmpxchg_acquire(&bucket->head, &head, head | LOCKED))
			return;
		cpu_relax();
	}
}

void natty_bucket_unlock(struct natty_bucket *bucket)
{
	/* Pairs with the acquire of whoever locks it next. */
	smp_store_release(&bucket->head, bucket->head & ~LOCKED);
	preempt_enable();
}

static u16 *tag_of(struct natty_bucket *bucket, unsigned int way)
{
	return &bucket->tag[natty_bucket_place(way)];
}

/* Put one more bucket behind a full chain. */
static struct natty_bucket *prolong(struct natty_buckets *b,
				    struct natty_bucket *last, bool moving)
{
	u32 next = atomic_inc_return(&b->used);

	/* New entries may be refused for a moment, old ones must not be lost. */
	if (next > b->spare - (moving ? 0 : b->spare / 4)) {
		atomic_dec(&b->used);
		return NULL;
	}
	next += (1U << b->bits) - 1;
	/* It is empty since the allocation: there is no order to keep. */
	WRITE_ONCE(last->head, (last->head & LOCKED) | next << 1);
	return &b->bucket[next];
}

bool natty_bucket_add(struct natty_buckets *b, u32 hash, u32 index, bool moving)
{
	struct natty_bucket *bucket = natty_bucket_of(b, hash), *next;
	unsigned int length = 1;
	int way;

	for (;;) {
		for (way = 0; way < NATTY_WAYS; way++) {
			if (bucket->index[way] != NATTY_BUCKET_FREE)
				continue;
			WRITE_ONCE(*tag_of(bucket, way), (u16)hash);
			/* The reader's acquire of the index pairs with it. */
			smp_store_release(&bucket->index[way], index);
			return true;
		}
		next = natty_bucket_next(b, bucket);
		if (!next && length < NATTY_CHAIN_MAX)
			next = prolong(b, bucket, moving);
		if (!next)
			return false;
		bucket = next;
		length++;
	}
}

bool natty_bucket_remove(struct natty_buckets *b, u32 hash, u32 index)
{
	struct natty_bucket *bucket = natty_bucket_of(b, hash);
	int way;

	do {
		for (way = 0; way < NATTY_WAYS; way++) {
			if (bucket->index[way] == index &&
			    *tag_of(bucket, way) == (u16)hash) {
				WRITE_ONCE(bucket->index[way], NATTY_BUCKET_FREE);
				/* Nobody need look who was here. */
				WRITE_ONCE(*tag_of(bucket, way), 0);
				return true;
			}
		}
		bucket = natty_bucket_next(b, bucket);
	} while (bucket);
	return false;
}

/* How many entries of a chain have this tag and index? */
static unsigned int count_equal(struct natty_buckets *b,
				struct natty_bucket *bucket, u16 tag, u32 index)
{
	unsigned int n = 0;
	int way;

	for (; bucket; bucket = natty_bucket_next(b, bucket))
		for (way = 0; way < NATTY_WAYS; way++)
			n += bucket->index[way] == index &&
			     *tag_of(bucket, way) == tag;
	return n;
}

unsigned int natty_buckets_move(struct natty_buckets *from,
				struct natty_buckets *to, u32 i,
				u32 (*hash)(const void *arg, u32 chain, u16 tag,
					    u32 index, unsigned int nth),
				const void *arg)
{
	struct natty_bucket *first = &from->bucket[i], *bucket, *target;
	unsigned int lost = 0;
	u32 index, h;
	int way;
	u16 tag;

	natty_bucket_lock(first);
	for (bucket = first; bucket; bucket = natty_bucket_next(from, bucket)) {
		for (way = 0; way < NATTY_WAYS; way++) {
			index = bucket->index[way];
			tag = *tag_of(bucket, way);
			if (index == NATTY_BUCKET_FREE)
				continue;
			/* Chain and tag hold all bits that the move asks for. */
			if (from->bits >= 16)
				h = i << from->shift | tag;
			else
				h = hash(arg, i, tag, index,
					 count_equal(from, first, tag, index));
			target = natty_bucket_of(to, h);
			natty_bucket_lock(target);
			lost += !natty_bucket_add(to, h, index, true);
			natty_bucket_unlock(target);
			/* Only now, so that a reader finds it in one of them. */
			smp_store_release(&bucket->index[way], NATTY_BUCKET_FREE);
		}
	}
	natty_bucket_unlock(first);
	return lost;
}
