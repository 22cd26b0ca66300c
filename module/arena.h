/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_ARENA_H
#define NATTY_ARENA_H

#include <linux/bits.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "conn.h"

/* Objects in a chunk: small enough to be had in softirq. */
#define NATTY_CHUNK_SHIFT	10
#define NATTY_CHUNK_OBJECTS	BIT(NATTY_CHUNK_SHIFT)
#define NATTY_CHUNKS_MAX	20480

/* Free indices that a CPU keeps for itself. */
#define NATTY_CACHE_SIZE	64

/**
 * struct natty_cache - free indices of one CPU
 * @n: how many; softirqs disabled, own CPU only
 * @index: the indices
 */
struct natty_cache {
	u32 n;
	u32 index[NATTY_CACHE_SIZE];
};

/**
 * struct natty_arena - the objects of one table, known by index
 * @object_shift: log2 of the size of an object
 * @chunk: memory of the objects; each pointer is set once, in order, under
 *	@lock, and stays until the namespace ends
 * @lock: protects all that follows but @cache; innermost
 * @top: first index never given out
 * @free: head of the free indices, linked by .ifindex, which no late packet
 *	writes
 * @limbo: head of the objects retired since the running grace period began
 * @waiting: head of those for which it runs, linked likewise
 * @rcu: of that grace period
 * @rcu_busy: it runs
 * @spare: a chunk got ready in process context
 * @refill: gets it
 * @cache: per CPU
 * @counts: packets and bytes of the objects, by chunk; NULL until accounting
 *	is first switched on
 */
struct natty_arena {
	u8 object_shift;
	void **chunk;
	struct natty_cache __percpu *cache;
	struct natty_counts **counts;

	spinlock_t lock ____cacheline_aligned_in_smp;
	u32 top;
	u32 free;
	u32 limbo;
	u32 waiting;
	struct rcu_head rcu;
	bool rcu_busy;
	void *spare;
	struct work_struct refill;
};

int natty_arena_init(struct natty_arena *arena, u8 family);

/* After a grace period in which nobody used an object; sleeps. */
void natty_arena_exit(struct natty_arena *arena);

/* For who knows log2 of the size of an object. */
static __always_inline struct natty_conn *
natty_arena_object(const struct natty_arena *arena, u32 index, unsigned int shift)
{
	return READ_ONCE(arena->chunk[index >> NATTY_CHUNK_SHIFT]) +
	       ((index & (NATTY_CHUNK_OBJECTS - 1)) << shift);
}

static inline struct natty_conn *natty_arena_at(const struct natty_arena *arena,
						u32 index)
{
	return natty_arena_object(arena, index, arena->object_shift);
}

/**
 * natty_arena_alloc() - get an object
 * @arena: the arena; softirqs disabled
 *
 * Return: a zeroed object, closed and dead until the caller says otherwise,
 * with its .index set; NULL if out of memory.
 */
struct natty_conn *natty_arena_alloc(struct natty_arena *arena);

/* Give back an object that nobody else could see. Softirqs disabled. */
void natty_arena_discard(struct natty_arena *arena, struct natty_conn *conn);

/* Give back an object that readers may still hold: reused after a grace period. */
void natty_arena_retire(struct natty_arena *arena, struct natty_conn *conn);

/* Make it possible to count packets. Process context, serialised. 0, -ENOMEM. */
int natty_arena_account(struct natty_arena *arena);

/* The counts of an object; NULL: accounting is off or it is the first of many. */
static __always_inline struct natty_counts *
natty_arena_counts(const struct natty_arena *arena, u32 index)
{
	struct natty_counts **chunks, *chunk;

	/* Pairs with the release in natty_arena_account(). */
	chunks = smp_load_acquire(&arena->counts);
	if (unlikely(!chunks))
		return NULL;
	/* Pairs with the cmpxchg() in natty_arena_counts_get(). */
	chunk = smp_load_acquire(&chunks[index >> NATTY_CHUNK_SHIFT]);
	return chunk ? chunk + (index & (NATTY_CHUNK_OBJECTS - 1)) : NULL;
}

/* The same, made if need be; NULL: accounting is off or memory is short. */
struct natty_counts *natty_arena_counts_get(struct natty_arena *arena, u32 index);

/* All indices ever given out are below. */
static inline u32 natty_arena_top(const struct natty_arena *arena)
{
	return READ_ONCE(arena->top);
}

u64 natty_arena_memory(const struct natty_arena *arena);

#endif
