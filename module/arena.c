// SPDX-License-Identifier: GPL-2.0
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "arena.h"

static size_t chunk_size(const struct natty_arena *arena)
{
	return (size_t)NATTY_CHUNK_OBJECTS << arena->object_shift;
}

static void *chunk_alloc(const struct natty_arena *arena, gfp_t gfp)
{
	return kmalloc(chunk_size(arena), gfp | __GFP_ZERO | __GFP_NOWARN);
}

/* A chunk got in process context spares softirq a failing atomic allocation. */
static void refill_work(struct work_struct *work)
{
	struct natty_arena *arena = container_of(work, struct natty_arena, refill);
	void *chunk = chunk_alloc(arena, GFP_KERNEL);

	spin_lock_bh(&arena->lock);
	if (!arena->spare)
		swap(arena->spare, chunk);
	spin_unlock_bh(&arena->lock);
	kfree(chunk);
}

int natty_arena_init(struct natty_arena *arena, u8 family)
{
	BUILD_BUG_ON(offsetof(struct natty_conn, addr4) +
		     sizeof_field(struct natty_conn, addr4) > BIT(NATTY_CONN_SHIFT_V4));
	BUILD_BUG_ON(sizeof(struct natty_conn) > BIT(NATTY_CONN_SHIFT_V6));

	arena->object_shift = family == NFPROTO_IPV4 ? NATTY_CONN_SHIFT_V4 :
						       NATTY_CONN_SHIFT_V6;
	spin_lock_init(&arena->lock);
	INIT_WORK(&arena->refill, refill_work);
	arena->top = NATTY_CONN_NONE + 1;
	arena->chunk = kvcalloc(NATTY_CHUNKS_MAX, sizeof(*arena->chunk), GFP_KERNEL);
	if (!arena->chunk)
		return -ENOMEM;
	arena->cache = alloc_percpu(struct natty_cache);
	if (!arena->cache)
		goto free_chunks;
	arena->chunk[0] = chunk_alloc(arena, GFP_KERNEL);
	if (!arena->chunk[0])
		goto free_cache;
	return 0;

free_cache:
	free_percpu(arena->cache);
free_chunks:
	kvfree(arena->chunk);
	return -ENOMEM;
}

void natty_arena_exit(struct natty_arena *arena)
{
	u32 i;

	cancel_work_sync(&arena->refill);
	/* The callback touches the arena, and may start another one. */
	do {
		rcu_barrier();
	} while (READ_ONCE(arena->rcu_busy));
	for (i = 0; i < NATTY_CHUNKS_MAX && arena->chunk[i]; i++)
		kfree(arena->chunk[i]);
	kfree(arena->spare);
	for (i = 0; arena->counts && i < NATTY_CHUNKS_MAX; i++)
		kfree(arena->counts[i]);
	kvfree(arena->counts);
	kvfree(arena->chunk);
	free_percpu(arena->cache);
}

int natty_arena_account(struct natty_arena *arena)
{
	struct natty_counts **counts;

	if (arena->counts)
		return 0;
	counts = kvcalloc(NATTY_CHUNKS_MAX, sizeof(*counts), GFP_KERNEL);
	if (!counts)
		return -ENOMEM;
	/* Pairs with the acquire in natty_arena_counts(). */
	smp_store_release(&arena->counts, counts);
	return 0;
}

struct natty_counts *natty_arena_counts_get(struct natty_arena *arena, u32 index)
{
	/* Pairs with the release in natty_arena_account(). */
	struct natty_counts **chunks = smp_load_acquire(&arena->counts);
	struct natty_counts *counts = natty_arena_counts(arena, index), *chunk;

	if (likely(counts) || !chunks)
		return counts;
	chunk = kcalloc(NATTY_CHUNK_OBJECTS, sizeof(*chunk),
			GFP_ATOMIC | __GFP_NOWARN);
	if (!chunk)
		return NULL;
	/* Perhaps another CPU has made them in the meantime. */
	if (cmpxchg(&chunks[index >> NATTY_CHUNK_SHIFT], NULL, chunk))
		kfree(chunk);
	return natty_arena_counts(arena, index);
}

/* A new connection begins at zero. */
static void clear_counts(struct natty_arena *arena, u32 index)
{
	struct natty_counts *counts = natty_arena_counts(arena, index);

	if (counts)
		memset(counts, 0, sizeof(*counts));
}

/* The next index never given out, or NATTY_CONN_NONE. Caller holds the lock. */
static u32 take_new(struct natty_arena *arena)
{
	u32 i = arena->top >> NATTY_CHUNK_SHIFT;
	void *chunk;

	lockdep_assert_held(&arena->lock);
	if (i == NATTY_CHUNKS_MAX)
		return NATTY_CONN_NONE;
	if (!arena->chunk[i]) {
		chunk = arena->spare;
		arena->spare = NULL;
		if (!chunk)
			chunk = chunk_alloc(arena, GFP_ATOMIC);
		queue_work(system_unbound_wq, &arena->refill);
		if (!chunk)
			return NATTY_CONN_NONE;
		/* Pairs with the dependent load of whoever gets an index. */
		smp_store_release(&arena->chunk[i], chunk);
	}
	atomic_set(&natty_arena_at(arena, arena->top)->flags,
		   BIT(NATTY_CONN_CLOSED) | BIT(NATTY_CONN_DEAD));
	/* A walker that sees the new top must see the chunk and a dead object. */
	smp_store_release(&arena->top, arena->top + 1);
	return arena->top - 1;
}

static u32 take_free(struct natty_arena *arena)
{
	u32 index = arena->free;

	lockdep_assert_held(&arena->lock);
	if (index == NATTY_CONN_NONE)
		return take_new(arena);
	arena->free = natty_arena_at(arena, index)->ifindex;
	return index;
}

static void fill_cache(struct natty_arena *arena, struct natty_cache *cache)
{
	u32 index;

	spin_lock(&arena->lock);
	while (cache->n < NATTY_CACHE_SIZE / 2) {
		index = take_free(arena);
		if (index == NATTY_CONN_NONE)
			break;
		cache->index[cache->n++] = index;
	}
	spin_unlock(&arena->lock);
}

struct natty_conn *natty_arena_alloc(struct natty_arena *arena)
{
	struct natty_cache *cache = this_cpu_ptr(arena->cache);
	struct natty_conn *conn;
	u32 index;

	if (!cache->n)
		fill_cache(arena, cache);
	if (!cache->n)
		return NULL;
	index = cache->index[--cache->n];
	conn = natty_arena_at(arena, index);
	/* A walker may look at it at any time: it is dead until it is complete. */
	atomic_set(&conn->flags, BIT(NATTY_CONN_CLOSED) | BIT(NATTY_CONN_DEAD));
	conn->index = index;
	conn->mapping = NATTY_CONN_NONE;
	conn->dst_mapping = NATTY_CONN_NONE;
	conn->rule = 0;
	conn->ack[0] = 0;
	conn->ack[1] = 0;
	conn->fin = 0;
	conn->ifindex = 0;
	clear_counts(arena, index);
	if (cache->n)
		prefetchw(natty_arena_at(arena, cache->index[cache->n - 1]));
	return conn;
}

void natty_arena_discard(struct natty_arena *arena, struct natty_conn *conn)
{
	struct natty_cache *cache = this_cpu_ptr(arena->cache);

	atomic_set(&conn->flags, BIT(NATTY_CONN_CLOSED) | BIT(NATTY_CONN_DEAD));
	if (cache->n < NATTY_CACHE_SIZE) {
		cache->index[cache->n++] = conn->index;
		return;
	}
	spin_lock(&arena->lock);
	conn->ifindex = arena->free;
	arena->free = conn->index;
	spin_unlock(&arena->lock);
}

static void grace_period_over(struct rcu_head *rcu);

/* Begin a grace period for all that has gathered. Caller holds the lock. */
static void start_grace_period(struct natty_arena *arena)
{
	lockdep_assert_held(&arena->lock);
	if (arena->rcu_busy || arena->limbo == NATTY_CONN_NONE)
		return;
	arena->waiting = arena->limbo;
	arena->limbo = NATTY_CONN_NONE;
	arena->rcu_busy = true;
	call_rcu(&arena->rcu, grace_period_over);
}

static void grace_period_over(struct rcu_head *rcu)
{
	struct natty_arena *arena = container_of(rcu, struct natty_arena, rcu);
	struct natty_conn *conn;
	unsigned int n;

	/* A long list is handed on in pieces, so that the lock is held briefly. */
	do {
		spin_lock_bh(&arena->lock);
		for (n = 0; n < 256 && arena->waiting != NATTY_CONN_NONE; n++) {
			conn = natty_arena_at(arena, arena->waiting);
			arena->waiting = conn->ifindex;
			conn->ifindex = arena->free;
			arena->free = conn->index;
		}
		if (arena->waiting == NATTY_CONN_NONE) {
			arena->rcu_busy = false;
			start_grace_period(arena);
			n = 0;
		}
		spin_unlock_bh(&arena->lock);
	} while (n);
}

void natty_arena_retire(struct natty_arena *arena, struct natty_conn *conn)
{
	spin_lock_bh(&arena->lock);
	conn->ifindex = arena->limbo;
	arena->limbo = conn->index;
	start_grace_period(arena);
	spin_unlock_bh(&arena->lock);
}

u64 natty_arena_memory(const struct natty_arena *arena)
{
	u64 chunks = DIV_ROUND_UP(natty_arena_top(arena), NATTY_CHUNK_OBJECTS);

	return chunks * (chunk_size(arena) + sizeof(void *));
}
