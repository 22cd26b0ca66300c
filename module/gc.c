// SPDX-License-Identifier: GPL-2.0
#include "gc.h"
#include "netns.h"
#include "walk.h"

/* A round takes about that many seconds, one step a second. */
#define ROUND		8
/* Objects between two chances for others to run. */
#define BATCH		256
/* Objects that one new flow looks at to find room. */
#define EVICT_MAX	64

static void expire(struct natty_net *nn, struct natty_conn *conn)
{
	if (natty_conn_open(conn) && natty_conn_expired(conn))
		natty_conn_close(nn, conn, NATTY_COUNT_CONN_EXPIRED);
}

static void sweep(struct natty_net *nn, struct natty_table *table, u32 *cursor)
{
	u32 budget = natty_arena_top(&table->arena) / ROUND + BATCH, n;
	struct natty_conn *conn;

	rcu_read_lock();
	for (n = 1; n <= budget; n++) {
		conn = natty_walk_next(table, cursor);
		if (!conn) {
			*cursor = 0;
			break;
		}
		expire(nn, conn);
		if (n % BATCH)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
}

static void gc_work(struct work_struct *work)
{
	struct natty_net *nn = container_of(to_delayed_work(work),
					    struct natty_net, gc.work);
	int i;

	for (i = 0; i < ARRAY_SIZE(nn->table); i++)
		sweep(nn, &nn->table[i], &nn->gc.cursor[i]);
	if (!(++nn->gc.step % ROUND))
		natty_port_sweep(nn);
	queue_delayed_work(system_power_efficient_wq, &nn->gc.work, HZ);
}

bool natty_gc_evict(struct natty_net *nn, u8 family)
{
	struct natty_table *table = natty_table_of(nn, family);
	u32 cursor = READ_ONCE(nn->gc.evict);
	struct natty_conn *conn;
	bool done = false;
	int n;

	for (n = 0; n < EVICT_MAX && !done; n++) {
		conn = natty_walk_next(table, &cursor);
		if (!conn) {
			cursor = 0;
			continue;
		}
		if (natty_conn_open(conn) &&
		    (natty_conn_is(conn, NATTY_CONN_UNCONFIRMED) ||
		     natty_conn_expired(conn)))
			done = natty_conn_close(nn, conn, NATTY_COUNT_CONN_EVICTED);
	}
	WRITE_ONCE(nn->gc.evict, cursor);
	return done;
}

void natty_gc_start(struct natty_net *nn)
{
	INIT_DELAYED_WORK(&nn->gc.work, gc_work);
	queue_delayed_work(system_power_efficient_wq, &nn->gc.work, HZ);
}

void natty_gc_stop(struct natty_net *nn)
{
	cancel_delayed_work_sync(&nn->gc.work);
}
