/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_BUCKET_H
#define NATTY_BUCKET_H

#include <linux/rcupdate.h>
#include <linux/types.h>
#include <asm/byteorder.h>

/*
 * The buckets of a hash table: cache lines of entries, an entry being an index
 * and 16 bits of its hash. The hash's upper bits choose the bucket, its lower
 * ones are the tag, so that a table of 65536 buckets or more grows without
 * looking at anything but the entries themselves.
 */
#define NATTY_WAYS	10

/* Most buckets chained at one place; then a new entry is refused. */
#define NATTY_CHAIN_MAX	8

/* An entry with this index is free. */
#define NATTY_BUCKET_FREE	0

/**
 * struct natty_bucket - one cache line
 * @tag: lower bits of the entries' hashes, in the order of natty_bucket_place();
 *	read four at a time
 * @head: bit 0 locks the whole chain (in its first bucket); the rest is the
 *	number of the next bucket, 0 for none
 * @index: of the entries
 */
struct natty_bucket {
	u16 tag[NATTY_WAYS];
	u32 head;
	u32 index[NATTY_WAYS];
} __aligned(64);

/**
 * struct natty_buckets - an array of buckets
 * @bits: log2 of the number of chains
 * @shift: how many lower bits of a hash do not matter for them
 * @spare: buckets after those that begin chains, to prolong full ones
 * @used: how many of them do
 * @next: what a running resize moves the entries to
 * @bucket: the buckets
 */
struct natty_buckets {
	u32 bits;
	u32 shift;
	u32 spare;
	atomic_t used;
	struct natty_buckets __rcu *next;
	struct natty_bucket bucket[];
};

/* Empty buckets or NULL. Process context. */
struct natty_buckets *natty_buckets_alloc(u32 bits);
void natty_buckets_free(struct natty_buckets *b);

/* Bytes occupied. */
u64 natty_buckets_memory(const struct natty_buckets *b);

static inline struct natty_bucket *natty_bucket_of(struct natty_buckets *b,
						   u32 hash)
{
	return &b->bucket[hash >> b->shift];
}

static inline struct natty_bucket *
natty_bucket_next(struct natty_buckets *b, const struct natty_bucket *bucket)
{
	u32 next = READ_ONCE(bucket->head) >> 1;

	return next ? &b->bucket[next] : NULL;
}

#ifdef __BIG_ENDIAN
#define NATTY_BIG_ENDIAN 1
#else
#define NATTY_BIG_ENDIAN 0
#endif

/*
 * Where the tag of a way is: so that which bit tells of a match says which way
 * it is with no more than a shift.
 */
static __always_inline unsigned int natty_bucket_place(unsigned int way)
{
	unsigned int lane = way / 2;

	if (way >= 8)
		return way;
	/* Where the first of four tags is the upper part of a word. */
	if (NATTY_BIG_ENDIAN)
		lane = 3 - lane;
	return way % 2 ? lane : 4 + lane;
}

/* Which lanes of four tags equal those of @all: the top bit of each. */
static __always_inline u64 natty_bucket_match4(const u16 *tags, u64 all)
{
	const u64 low = 0x7fff7fff7fff7fffULL;
	u64 x = READ_ONCE(*(const u64 *)tags) ^ all;

	return ~(((x & low) + low) | x | low);
}

/*
 * Which ways have this tag, a bit each, in no particular order: word by word,
 * as a loop over the ways costs a fifth of a translation. Entries fill a bucket
 * from its first way on, so most are in these.
 */
static __always_inline u64 natty_bucket_match_most(const struct natty_bucket *bucket,
						   u16 tag)
{
	u64 lanes = 0x0001000100010001ULL;

	/* One multiplication, not the shifts that it could be taken apart to. */
	OPTIMIZER_HIDE_VAR(lanes);
	lanes *= tag;
	return natty_bucket_match4(bucket->tag, lanes) |
	       natty_bucket_match4(bucket->tag + 4, lanes) >> 8;
}

/* The way that a bit of natty_bucket_match_most() stands for. */
static __always_inline u32 natty_bucket_way_most(u32 bit)
{
	return bit / 8;
}

/* The same of all ways. */
static __always_inline u64 natty_bucket_match(const struct natty_bucket *bucket, u16 tag)
{
	u64 ways = natty_bucket_match_most(bucket, tag);

	ways |= READ_ONCE(bucket->tag[8]) == tag;
	ways |= (READ_ONCE(bucket->tag[9]) == tag) << 1;
	return ways;
}

/* The way that a bit of natty_bucket_match() stands for. */
static __always_inline u32 natty_bucket_way(u32 bit)
{
	return bit < 2 ? 8 + bit : natty_bucket_way_most(bit);
}

/* Lock the chain that begins with @bucket. Softirqs are disabled. */
void natty_bucket_lock(struct natty_bucket *bucket);
void natty_bucket_unlock(struct natty_bucket *bucket);

/*
 * Caller holds the lock of the chain. False: it is as long as it may be, or no
 * bucket is left to prolong it; the last of these are for @moving entries only.
 */
bool natty_bucket_add(struct natty_buckets *b, u32 hash, u32 index, bool moving);

/* Caller holds the lock of the chain. False: no such entry. */
bool natty_bucket_remove(struct natty_buckets *b, u32 hash, u32 index);

/**
 * natty_buckets_move() - move a chain's entries to other buckets
 * @from: where to
 * @to: more chains than @from
 * @i: which chain; it is empty afterwards
 * @hash: gives the hash of an entry; @nth counts the entries of equal tag and
 *	index in the chain, from the last to the first
 * @arg: for @hash
 *
 * An entry is in one or the other for a reader that looks at @from first.
 *
 * Return: how many entries found no room and are lost.
 */
unsigned int natty_buckets_move(struct natty_buckets *from,
				struct natty_buckets *to, u32 i,
				u32 (*hash)(const void *arg, u32 chain, u16 tag,
					    u32 index, unsigned int nth),
				const void *arg);

#endif
