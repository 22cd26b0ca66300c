// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "bucket.h"
#include "test_table.h"
#include "walk.h"

/* Connections that make a table grow fourfold, two entries each. */
#define MANY 36000

/* Indices that so many objects may have. */
#define INDICES (2 * MANY)

static struct natty_conn **conns;
static unsigned long *seen;

static int grow_test_init(struct kunit *test)
{
	conns = kvcalloc(MANY, sizeof(*conns), GFP_KERNEL);
	seen = bitmap_zalloc(INDICES, GFP_KERNEL);
	if (!conns || !seen)
		return -ENOMEM;
	return test_net_init(test);
}

static void grow_test_exit(struct kunit *test)
{
	test_net_exit(test);
	bitmap_free(seen);
	kvfree(conns);
}

static struct test_conn conn_number(u16 i)
{
	return i % 2 ? test_conn_plain(NFPROTO_IPV4, i) :
		       test_conn_carrier(NFPROTO_IPV4, i);
}

static void add_conns(struct kunit *test, unsigned int from, unsigned int to)
{
	struct test_conn c;
	unsigned int i;

	for (i = from; i < to; i++) {
		c = conn_number(i);
		conns[i] = test_conn_add(test, &c);
		KUNIT_ASSERT_LT(test, conns[i]->index, INDICES);
		if (i % 256 == 0)
			cond_resched();
	}
}

/* Is every one of them found in both directions? */
static void expect_all_found(struct kunit *test, unsigned int n)
{
	struct natty_tuple t;
	struct test_conn c;
	enum natty_dir dir;
	unsigned int i;

	for (i = 0; i < n; i++) {
		c = conn_number(i);
		t = test_conn_tuple(&c, NATTY_DIR_ORIG);
		KUNIT_ASSERT_PTR_EQ(test, test_find(test->priv, &t, false, &dir),
				    conns[i]);
		t = test_conn_tuple(&c, NATTY_DIR_REPLY);
		KUNIT_ASSERT_PTR_EQ(test, test_find(test->priv, &t, true, &dir),
				    conns[i]);
		if (i % 256 == 0)
			cond_resched();
	}
}

static u32 count_chains(struct natty_table *table)
{
	u32 chains;

	rcu_read_lock();
	chains = 1U << rcu_dereference(table->buckets)->bits;
	rcu_read_unlock();
	return chains;
}

static void table_grows_and_keeps_all(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct natty_table *table = &nn->table[0];
	u32 before = count_chains(table);
	u64 empty = natty_table_memory(table);

	add_conns(test, 0, MANY);
	flush_work(&table->resize);

	KUNIT_EXPECT_GE(test, count_chains(table), 4 * before);
	KUNIT_EXPECT_GE(test, natty_stats_sum(nn, NATTY_COUNT_TABLE_RESIZE), 1);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&table->entries), 2 * MANY);
	expect_all_found(test, MANY);
	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), MANY);
	/* Object and buckets; the table has just become twice as large. */
	KUNIT_EXPECT_GE(test, natty_table_memory(table), empty + MANY * 64);
	KUNIT_EXPECT_LE(test, natty_table_memory(table), empty + MANY * 160);
}

static void small_table_does_not_grow(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	u32 before = count_chains(&nn->table[0]);

	add_conns(test, 0, 4000);
	flush_work(&nn->table[0].resize);

	KUNIT_EXPECT_EQ(test, count_chains(&nn->table[0]), before);
	KUNIT_EXPECT_EQ(test, natty_stats_sum(nn, NATTY_COUNT_TABLE_RESIZE), 0);
}

/* What stands all along is yielded once, whatever else comes and goes. */
static void walk_yields_each_object_once(struct kunit *test)
{
	const unsigned int lasting = 5000, n = 6000;
	struct natty_net *nn = test->priv;
	unsigned int next = lasting, found = 0, i;
	struct natty_conn *conn;
	struct test_conn c;
	u32 cursor = 0;

	add_conns(test, 0, lasting);
	rcu_read_lock();
	while ((conn = natty_walk_next(&nn->table[0], &cursor))) {
		KUNIT_EXPECT_FALSE(test, test_and_set_bit(conn->index, seen));
		if (++found % 8 || next == n)
			continue;
		rcu_read_unlock();
		/* One more, and one that came so goes. */
		c = conn_number(next);
		conns[next] = test_conn_add(test, &c);
		if (next % 2)
			test_conn_remove(nn, conns[next - 1]);
		next++;
		rcu_read_lock();
	}
	rcu_read_unlock();

	KUNIT_EXPECT_GT(test, next, lasting);
	for (i = 0; i < lasting; i++)
		KUNIT_ASSERT_TRUE(test, test_bit(conns[i]->index, seen));
	KUNIT_EXPECT_NULL(test, natty_walk_next(&nn->table[0], &cursor));
}

/* What a walk has met of both tables, and the object that stopped it last. */
struct tour {
	unsigned int met[2];
	const struct natty_conn *stopped;
};

/* Every seventh object has no room at first, as in a full message. */
static int meet(struct natty_net *nn, struct natty_conn *conn, void *arg)
{
	struct tour *tour = arg;

	if (conn->index % 7 == 0 && tour->stopped != conn) {
		tour->stopped = conn;
		return -EMSGSIZE;
	}
	tour->met[conn->family == NFPROTO_IPV6]++;
	return 0;
}

static void walk_goes_on_with_the_object_that_stopped_it(struct kunit *test)
{
	const unsigned int n = 2 * NATTY_WALK_BATCH + 10;
	struct natty_net *nn = test->priv;
	struct natty_walk walk = {};
	struct tour tour = {};
	struct test_conn c;
	unsigned int i, stops = 0;

	add_conns(test, 0, n);
	for (i = 0; i < 3; i++) {
		c = test_conn_plain(NFPROTO_IPV6, i);
		test_conn_add(test, &c);
	}
	while (natty_walk_all(nn, &walk, meet, &tour) == -EMSGSIZE &&
	       stops <= n)
		stops++;

	KUNIT_EXPECT_GE(test, stops, n / 7);
	KUNIT_EXPECT_LE(test, stops, n / 7 + 2);
	KUNIT_EXPECT_EQ(test, tour.met[0], n);
	KUNIT_EXPECT_EQ(test, tour.met[1], 3);
}

static unsigned int count_entries(struct natty_buckets *b)
{
	u32 all = (1U << b->bits) + b->spare, i;
	unsigned int n = 0, way;

	for (i = 0; i < all; i++)
		for (way = 0; way < NATTY_WAYS; way++)
			n += b->bucket[i].index[way] != NATTY_BUCKET_FREE;
	return n;
}

/* In which chains an object of an otherwise empty table stands. */
static unsigned int find_chains(struct natty_buckets *b, u32 *chain)
{
	unsigned int n = 0, way;
	u32 i;

	for (i = 0; i < 1U << b->bits; i++)
		for (way = 0; way < NATTY_WAYS; way++)
			if (b->bucket[i].index[way] != NATTY_BUCKET_FREE &&
			    n < NATTY_SLOTS_MAX)
				chain[n++] = i;
	return n;
}

/* Fill a chain, or empty it again, with entries of a dead object. */
static unsigned int fill_chain(struct natty_buckets *b, u32 chain,
			       struct natty_conn *dead, bool fill)
{
	u32 hash = chain << (32 - b->bits);
	unsigned int n = 0;

	local_bh_disable();
	natty_bucket_lock(natty_bucket_of(b, hash));
	while (fill ? natty_bucket_add(b, hash | n, dead->index,
				       true) :
		      natty_bucket_remove(b, hash | n, dead->index))
		n++;
	natty_bucket_unlock(natty_bucket_of(b, hash));
	local_bh_enable();
	return n;
}

/* A connection of which one slot finds no room stands in none. */
static void full_chain_refuses_the_whole_connection(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct natty_table *table = &nn->table[0];
	struct natty_buckets *b = rcu_dereference_protected(table->buckets, true);
	struct test_conn c = test_conn_both(NFPROTO_IPV4, 5000);
	struct natty_conn *dead = test_conn_alloc(nn, &c), *conn;
	u32 chain[NATTY_SLOTS_MAX], i;
	struct natty_tuple t;
	enum natty_dir dir;
	unsigned int n;

	KUNIT_ASSERT_NOT_NULL(test, dead);
	conn = test_conn_add(test, &c);
	KUNIT_ASSERT_EQ(test, find_chains(b, chain), 3);
	test_conn_remove(nn, conn);

	for (i = 0; i < NATTY_SLOTS_MAX; i++) {
		n = fill_chain(b, chain[i], dead, true);
		KUNIT_EXPECT_EQ(test, n, NATTY_WAYS * NATTY_CHAIN_MAX);
		KUNIT_EXPECT_EQ(test, test_conn_insert(nn, &c, NULL), -ENOSPC);
		KUNIT_EXPECT_EQ(test, count_entries(b), n);
		KUNIT_EXPECT_EQ(test, percpu_counter_sum(&table->entries), 0);
		t = test_conn_tuple(&c, NATTY_DIR_ORIG);
		KUNIT_EXPECT_NULL(test, test_find(nn, &t, true, &dir));
		KUNIT_EXPECT_EQ(test, fill_chain(b, chain[i], dead, false), n);
	}
	KUNIT_EXPECT_EQ(test, test_conn_insert(nn, &c, NULL), 0);
}

static struct kunit_case grow_test_cases[] = {
	KUNIT_CASE(table_grows_and_keeps_all),
	KUNIT_CASE(small_table_does_not_grow),
	KUNIT_CASE(walk_yields_each_object_once),
	KUNIT_CASE(walk_goes_on_with_the_object_that_stopped_it),
	KUNIT_CASE(full_chain_refuses_the_whole_connection),
	{}
};

static struct kunit_suite grow_test_suite = {
	.name = "natty_table_grow",
	.init = grow_test_init,
	.exit = grow_test_exit,
	.test_cases = grow_test_cases,
};

kunit_test_suite(grow_test_suite);
