// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/bitmap.h>

#include "arena.h"

/* More than two chunks. */
#define MANY 2500

static struct natty_arena arena;
static struct natty_conn *conns[MANY];
static DECLARE_BITMAP(seen, 2 * MANY);

static int arena_test_init(struct kunit *test)
{
	memset(&arena, 0, sizeof(arena));
	bitmap_zero(seen, 2 * MANY);
	return natty_arena_init(&arena, NFPROTO_IPV4);
}

static void arena_test_exit(struct kunit *test)
{
	natty_arena_exit(&arena);
}

static struct natty_conn *alloc(void)
{
	struct natty_conn *conn;

	local_bh_disable();
	conn = natty_arena_alloc(&arena);
	local_bh_enable();
	return conn;
}

static void alloc_many(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		conns[i] = alloc();
		KUNIT_ASSERT_NOT_NULL(test, conns[i]);
		KUNIT_ASSERT_LT(test, conns[i]->index, 2 * MANY);
		KUNIT_ASSERT_FALSE(test, test_and_set_bit(conns[i]->index, seen));
	}
}

/* Until all that was retired can be had again. */
static void wait_for_readers(void)
{
	do {
		rcu_barrier();
	} while (READ_ONCE(arena.rcu_busy));
}

static void objects_have_an_index_each(struct kunit *test)
{
	unsigned int i;

	alloc_many(test);

	for (i = 0; i < MANY; i++) {
		KUNIT_ASSERT_NE(test, conns[i]->index, NATTY_CONN_NONE);
		KUNIT_ASSERT_LT(test, conns[i]->index, natty_arena_top(&arena));
		KUNIT_ASSERT_PTR_EQ(test, natty_arena_at(&arena, conns[i]->index),
				    conns[i]);
		/* A walker that meets it before it is complete passes by. */
		KUNIT_ASSERT_TRUE(test, natty_conn_is(conns[i], NATTY_CONN_DEAD));
		KUNIT_ASSERT_FALSE(test, natty_conn_open(conns[i]));
	}
	KUNIT_EXPECT_GE(test, natty_arena_memory(&arena),
			MANY << NATTY_CONN_SHIFT_V4);
}

static void discarded_objects_are_reused(struct kunit *test)
{
	unsigned int i;
	u32 top;

	alloc_many(test);
	top = natty_arena_top(&arena);
	local_bh_disable();
	for (i = 0; i < MANY; i++)
		natty_arena_discard(&arena, conns[i]);
	local_bh_enable();
	bitmap_zero(seen, 2 * MANY);

	alloc_many(test);

	/* What another CPU keeps for itself is not to be had here. */
	KUNIT_EXPECT_LE(test, natty_arena_top(&arena),
			top + num_online_cpus() * NATTY_CACHE_SIZE);
}

static void retired_object_outlives_its_readers(struct kunit *test)
{
	struct natty_conn *old = alloc(), *conn;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, old);
	rcu_read_lock();
	natty_arena_retire(&arena, old);
	for (i = 0; i < MANY; i++) {
		conn = alloc();
		if (!conn || conn == old)
			break;
	}
	rcu_read_unlock();

	KUNIT_EXPECT_EQ(test, i, MANY);
}

static void retired_objects_come_back(struct kunit *test)
{
	unsigned int round, i;

	for (round = 0; round < 8; round++) {
		bitmap_zero(seen, 2 * MANY);
		alloc_many(test);
		for (i = 0; i < MANY; i++)
			natty_arena_retire(&arena, conns[i]);
		wait_for_readers();
	}

	KUNIT_EXPECT_LE(test, natty_arena_top(&arena),
			MANY + 1 + num_possible_cpus() * NATTY_CACHE_SIZE);
}

/* A segment may find its connection just before another CPU closes it. */
static void late_packet_harms_no_list(struct kunit *test)
{
	unsigned int i;

	alloc_many(test);
	rcu_read_lock();
	for (i = 0; i < MANY; i++) {
		natty_arena_retire(&arena, conns[i]);
		conns[i]->ack[0] = 0xdeadbeef;
		conns[i]->ack[1] = 0xdeadbeef;
		conns[i]->expires = 0xdeadbeef;
		conns[i]->state = 0xff;
		conns[i]->fin = 0xff;
	}
	rcu_read_unlock();
	wait_for_readers();
	bitmap_zero(seen, 2 * MANY);

	alloc_many(test);

	for (i = 0; i < MANY; i++) {
		KUNIT_ASSERT_EQ(test, conns[i]->ack[0], 0);
		KUNIT_ASSERT_EQ(test, conns[i]->ack[1], 0);
		KUNIT_ASSERT_EQ(test, conns[i]->fin, 0);
		KUNIT_ASSERT_EQ(test, conns[i]->ifindex, 0);
		KUNIT_ASSERT_EQ(test, conns[i]->rule, 0);
	}
}

static void counts_begin_at_zero(struct kunit *test)
{
	struct natty_counts *counts;
	struct natty_conn *conn = alloc();

	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_NULL(test, natty_arena_counts_get(&arena, conn->index));
	KUNIT_ASSERT_EQ(test, natty_arena_account(&arena), 0);
	KUNIT_ASSERT_EQ(test, natty_arena_account(&arena), 0);
	KUNIT_EXPECT_NULL(test, natty_arena_counts(&arena, conn->index));
	counts = natty_arena_counts_get(&arena, conn->index);
	KUNIT_ASSERT_NOT_NULL(test, counts);
	KUNIT_EXPECT_PTR_NE(test, natty_arena_counts(&arena, conn->index + 1),
			    counts);
	KUNIT_EXPECT_EQ(test, counts->packets[0], 0);

	counts->packets[0] = 5;
	counts->bytes[1] = 500;
	local_bh_disable();
	natty_arena_discard(&arena, conn);
	conn = natty_arena_alloc(&arena);
	local_bh_enable();

	counts = natty_arena_counts(&arena, conn->index);
	KUNIT_ASSERT_NOT_NULL(test, counts);
	KUNIT_EXPECT_EQ(test, counts->packets[0], 0);
	KUNIT_EXPECT_EQ(test, counts->bytes[1], 0);
}

static struct kunit_case arena_test_cases[] = {
	KUNIT_CASE(objects_have_an_index_each),
	KUNIT_CASE(discarded_objects_are_reused),
	KUNIT_CASE(retired_object_outlives_its_readers),
	KUNIT_CASE(retired_objects_come_back),
	KUNIT_CASE(late_packet_harms_no_list),
	KUNIT_CASE(counts_begin_at_zero),
	{}
};

static struct kunit_suite arena_test_suite = {
	.name = "natty_arena",
	.init = arena_test_init,
	.exit = arena_test_exit,
	.test_cases = arena_test_cases,
};

kunit_test_suite(arena_test_suite);
