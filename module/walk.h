/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_WALK_H
#define NATTY_WALK_H

#include <linux/sched.h>

#include "netns.h"

/* Objects that are looked at between two chances to schedule. */
#define NATTY_WALK_BATCH 1024

/*
 * A walk does little but wait for memory, and what hardware fetches ahead by
 * itself ends with the page. So many bytes ahead and into the second cache only
 * was the fastest.
 */
#define NATTY_WALK_AHEAD 4096
#define NATTY_WALK_CACHE 2

/**
 * natty_walk_next() - the next object of a table
 * @table: the table
 * @cursor: 0 to begin; where to go on
 *
 * Yields every object that stands in the table during the whole walk exactly
 * once: connections, mappings and permissions. Under RCU, which may be left
 * between calls.
 *
 * Return: an object or NULL at the end.
 */
static inline struct natty_conn *natty_walk_next(const struct natty_table *table,
						 u32 *cursor)
{
	u32 top = natty_arena_top(&table->arena);
	struct natty_conn *conn;

	while (*cursor + 1 < top) {
		conn = natty_table_at(table, ++*cursor);
		__builtin_prefetch((void *)conn + NATTY_WALK_AHEAD, 0,
				   NATTY_WALK_CACHE);
		if (!natty_conn_is(conn, NATTY_CONN_DEAD))
			return conn;
	}
	return NULL;
}

/* What a walk does with an object, under RCU: 0, or an error that stops it. */
typedef int natty_walk_fn(struct natty_net *nn, struct natty_conn *conn,
			  void *arg);

/* At most one batch. 1: there may be more, 0: the end, < 0: as @visit says. */
static __always_inline int natty_walk_batch(struct natty_table *table,
					    u32 *cursor, natty_walk_fn *visit,
					    void *arg)
{
	struct natty_conn *conn;
	u32 n, before;
	int err;

	for (n = 0; n < NATTY_WALK_BATCH; n++) {
		before = *cursor;
		conn = natty_walk_next(table, cursor);
		if (!conn)
			return 0;
		err = visit(table->nn, conn, arg);
		if (unlikely(err)) {
			*cursor = before;
			return err;
		}
	}
	return 1;
}

/**
 * natty_walk_table() - visit all objects of a table
 * @table: the table
 * @cursor: as of natty_walk_next()
 * @visit: a constant, so that it is inlined
 * @arg: for @visit
 *
 * Process context; lets others run now and then.
 *
 * Return: 0 at the end; the error of @visit, whose object comes again if the
 * walk goes on.
 */
static __always_inline int natty_walk_table(struct natty_table *table,
					    u32 *cursor, natty_walk_fn *visit,
					    void *arg)
{
	int err;

	do {
		rcu_read_lock();
		err = natty_walk_batch(table, cursor, visit, arg);
		rcu_read_unlock();
		cond_resched();
	} while (err > 0);
	return err;
}

/**
 * struct natty_walk - where a walk over all tables goes on
 * @table: in which one
 * @cursor: where in it
 */
struct natty_walk {
	u32 table;
	u32 cursor;
};

/* The same for all tables of a namespace; @walk is zeroed to begin. */
static __always_inline int natty_walk_all(struct natty_net *nn,
					  struct natty_walk *walk,
					  natty_walk_fn *visit, void *arg)
{
	int err;

	for (; walk->table < ARRAY_SIZE(nn->table); walk->table++) {
		err = natty_walk_table(&nn->table[walk->table], &walk->cursor,
				       visit, arg);
		if (err)
			return err;
		walk->cursor = 0;
	}
	return 0;
}

#endif
