/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_CURSOR_H
#define NATTY_CURSOR_H

#include "bucket.h"
#include "table.h"

/* The object that the lowest of @ways stands for, NULL if it is free meanwhile. */
static __always_inline struct natty_conn *
natty_table_candidate(const struct natty_table *table,
		      const struct natty_bucket *bucket, u64 ways)
{
	u32 way = natty_bucket_way(__ffs64(ways));
	/* Pairs with the release in natty_bucket_add(). */
	u32 index = smp_load_acquire(&bucket->index[way]);

	return index == NATTY_CONN_NONE ? NULL : natty_table_at(table, index);
}

/*
 * Where else entries of this hash may be: the chain goes on, or a resize is
 * filling other buckets. NULL at the end.
 */
static __always_inline const struct natty_bucket *
natty_buckets_follow(struct natty_buckets **buckets,
		     const struct natty_bucket *bucket, u32 hash)
{
	bucket = natty_bucket_next(*buckets, bucket);
	if (unlikely(bucket))
		return bucket;
	/* Pairs with the release of the bucket lock after an entry moved. */
	smp_rmb();
	*buckets = rcu_dereference((*buckets)->next);
	return unlikely(*buckets) ? natty_bucket_of(*buckets, hash) : NULL;
}

/* May there be entries behind a bucket's first ways? */
static __always_inline bool natty_bucket_has_more(const struct natty_buckets *buckets,
						  const struct natty_bucket *bucket)
{
	return READ_ONCE(bucket->index[8]) || READ_ONCE(bucket->index[9]) ||
	       READ_ONCE(bucket->head) >> 1 || rcu_access_pointer(buckets->next);
}

/**
 * struct natty_cursor - a walk over the candidates of a hash
 * @table: the table
 * @buckets: those it is in
 * @bucket: the one it is at
 * @hash: of what is looked for
 * @ways: of @bucket, those that it has yet to look at
 *
 * Yields every object whose slot has the tag, first in the current buckets,
 * then in those that a resize fills. That order, and the resize's to copy
 * before it clears, keep a reader from missing an entry. Under RCU.
 */
struct natty_cursor {
	const struct natty_table *table;
	struct natty_buckets *buckets;
	const struct natty_bucket *bucket;
	u32 hash;
	u64 ways;
};

static __always_inline void natty_cursor_init(struct natty_cursor *c,
					      const struct natty_table *table,
					      u32 hash)
{
	c->table = table;
	c->hash = hash;
	c->buckets = rcu_dereference(table->buckets);
	c->bucket = natty_bucket_of(c->buckets, hash);
	c->ways = natty_bucket_match(c->bucket, (u16)hash);
}

/* The next candidate, or NULL. */
static __always_inline struct natty_conn *natty_cursor_next(struct natty_cursor *c)
{
	struct natty_conn *conn;

	for (;;) {
		while (c->ways) {
			conn = natty_table_candidate(c->table, c->bucket, c->ways);
			c->ways &= c->ways - 1;
			if (conn)
				return conn;
		}
		c->bucket = natty_buckets_follow(&c->buckets, c->bucket, c->hash);
		if (!c->bucket)
			return NULL;
		c->ways = natty_bucket_match(c->bucket, (u16)c->hash);
	}
}

#endif
