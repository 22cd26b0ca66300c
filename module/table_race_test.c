// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "bucket.h"
#include "mapping.h"
#include "test_packet.h"
#include "test_race.h"
#include "test_table.h"
#include "walk.h"

/* Connections that stand all along; they have the numbers below it. */
#define LASTING 600

/* Each worker's own connections: so many that the table grows. */
#define OWN 21000

/* What two workers fight for. */
#define PRIZES 3000

/* Objects between two walks over the table. */
#define WALK 6000

static struct natty_net *nn;
static struct natty_conn **prize;
static atomic_t wins, closes;
static struct natty_conn *carrier;
static u32 lasting_index[LASTING];

static int race_test_init(struct kunit *test)
{
	int err;

	prize = kvcalloc(PRIZES, sizeof(*prize), GFP_KERNEL);
	if (!prize)
		return -ENOMEM;
	atomic_set(&wins, 0);
	atomic_set(&closes, 0);
	err = test_net_init(test);
	nn = test->priv;
	return err;
}

static void race_test_exit(struct kunit *test)
{
	test_net_exit(test);
	kvfree(prize);
}

static struct test_conn conn_number(u16 i)
{
	switch (i % 3) {
	case 0:
		return test_conn_carrier(NFPROTO_IPV4, i);
	case 1:
		return test_conn_plain(NFPROTO_IPV4, i);
	default:
		return test_conn_both(NFPROTO_IPV4, i);
	}
}

static unsigned int entries_of(u16 i)
{
	return i % 3 == 2 ? 3 : 2;
}

/* Is connection @i found, as @conn if that is known? */
static bool is_found(u16 i, enum natty_dir dir, const struct natty_conn *conn)
{
	struct test_conn c = conn_number(i);
	struct natty_tuple t = test_conn_tuple(&c, dir);
	struct natty_conn *found;
	enum natty_dir its;

	local_bh_disable();
	found = test_find(nn, &t, true, &its);
	local_bh_enable();
	return found && its == dir && (!conn || conn == found);
}

static bool is_growing(void)
{
	bool growing;

	rcu_read_lock();
	growing = rcu_access_pointer(rcu_dereference(nn->table[0].buckets)->next);
	rcu_read_unlock();
	return growing;
}

/* A burst may fill the table before it has grown. */
static int insert_patiently(u16 i, struct natty_conn **conn)
{
	struct test_conn c = conn_number(i);
	int tries, err = -ENOSPC;

	for (tries = 0; tries < 100 && err == -ENOSPC; tries++) {
		err = test_conn_insert(nn, &c, conn);
		if (err == -ENOSPC)
			flush_work(&nn->table[0].resize);
	}
	return err;
}

/* How many of the lasting objects a walk does not yield exactly once. */
static unsigned int walk_wrong(void)
{
	DECLARE_BITMAP(seen, LASTING) = {};
	unsigned int wrong = 0, n = 0, i;
	struct natty_conn *conn;
	u32 cursor = 0;

	rcu_read_lock();
	while ((conn = natty_walk_next(&nn->table[0], &cursor))) {
		/* Indices are given out in blocks that begin near one another. */
		for (i = 0; i < LASTING && cursor <= 2 * LASTING; i++)
			if (lasting_index[i] == conn->index)
				wrong += test_and_set_bit(i, seen);
		if (++n % 512)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	return wrong + LASTING - bitmap_weight(seen, LASTING);
}

static void insert_find_walk_and_delete(struct test_worker *w)
{
	unsigned int base = LASTING + w->id * OWN, i;
	struct natty_conn *conn, *last = NULL;
	u32 state = w->id + 1;

	for (i = 0; i < OWN && test_race_step(w); i++) {
		w->rare += is_growing();
		if (insert_patiently(base + i, &conn)) {
			w->bad++;
			break;
		}
		w->good += entries_of(base + i);
		w->bad += !is_found(base + i, i & 1, conn);
		w->bad += !is_found(test_random(&state) % LASTING, i & 1, NULL);
		if (i % WALK == WALK / 2)
			w->bad += walk_wrong();
		if (i % 8 == 7) {
			test_conn_remove(nn, last);
			w->good -= entries_of(base + i - 1);
			w->bad += is_found(base + i - 1, i & 1, NULL);
		}
		last = conn;
	}
}

static void nothing_is_missed_while_the_table_grows(struct kunit *test)
{
	struct test_race race = { .work = insert_find_walk_and_delete, .seconds = 60 };
	struct natty_conn *conn;
	unsigned int entries = 0, i;

	for (i = 0; i < LASTING; i++) {
		KUNIT_ASSERT_EQ(test, insert_patiently(i, &conn), 0);
		lasting_index[i] = conn->index;
		KUNIT_ASSERT_LE(test, conn->index, 2 * LASTING);
		entries += entries_of(i);
	}

	test_race_run(test, &race);
	flush_work(&nn->table[0].resize);

	for (i = 0; i < TEST_WORKERS; i++) {
		KUNIT_ASSERT_EQ(test, race.worker[i].bad, 0);
		entries += race.worker[i].good;
	}
	KUNIT_ASSERT_EQ(test, percpu_counter_sum(&nn->table[0].entries), entries);
	KUNIT_ASSERT_EQ(test, walk_wrong(), 0);
	for (i = 0; i < LASTING; i++)
		KUNIT_ASSERT_TRUE(test, is_found(i, i & 1, NULL));
	if (natty_stats_sum(nn, NATTY_COUNT_TABLE_RESIZE) < 1)
		kunit_skip(test, "the table did not grow");
	test_race_expect_met(test, &race);
}

/* Both try to open the same connections, each with a port of its own. */
static void win_prizes(struct test_worker *w)
{
	struct natty_conn *conn;
	struct test_conn c;
	struct natty_tuple t;
	unsigned int i;
	int err;

	for (i = 0; i < PRIZES && test_race_abreast(w); i++) {
		c = conn_number(i);
		c.end[NATTY_END_NEW_SRC].port ^= htons(w->id << 15);
		if (i % 3 == 1)
			c.end[NATTY_END_NEW_SRC] = c.end[NATTY_END_ORIG_SRC];
		err = test_conn_insert(nn, &c, &conn);
		if (!err) {
			percpu_counter_inc(&nn->conns);
			atomic_inc(&wins);
			w->rare++;
			w->bad += !!cmpxchg(&prize[i], NULL, conn);
			continue;
		}
		w->bad += err != -EEXIST;
		/* The loser must be able to use what the winner made. */
		t = test_conn_tuple(&c, NATTY_DIR_ORIG);
		w->bad += !test_find(nn, &t, false, &(enum natty_dir){ 0 });
	}
	w->good = i;
}

static void one_of_two_rivals_wins(struct kunit *test)
{
	struct test_race race = { .work = win_prizes, .seconds = 30 };
	unsigned int i;

	test_race_run(test, &race);

	for (i = 0; i < TEST_WORKERS; i++)
		KUNIT_ASSERT_EQ(test, race.worker[i].bad, 0);
	KUNIT_ASSERT_EQ(test, atomic_read(&wins),
			max(race.worker[0].good, race.worker[1].good));
	KUNIT_ASSERT_EQ(test, test_count(nn, NFPROTO_IPV4), atomic_read(&wins));
	test_race_expect_met(test, &race);
}

static bool close(struct natty_conn *conn)
{
	bool won;

	rcu_read_lock();
	won = natty_conn_close(nn, conn, NATTY_COUNT_CONN_DEL);
	rcu_read_unlock();
	return won;
}

static void close_prizes(struct test_worker *w)
{
	unsigned int i;
	bool won;

	for (i = 0; i < PRIZES && test_race_abreast(w); i++) {
		won = close(prize[i]);
		w->rare += won;
		atomic_add(won, &closes);
	}
	w->good = i;
}

/* As expiry, deletion and a RST that arrives do. */
static void one_of_two_closes(struct kunit *test)
{
	struct test_race race = { .work = close_prizes, .seconds = 30 };
	struct natty_endpoint *ep;
	struct test_conn c;
	unsigned int i;

	for (i = 0; i < PRIZES; i++) {
		c = conn_number(i);
		prize[i] = test_conn_add(test, &c);
		percpu_counter_inc(&nn->conns);
		if (!(c.flags & BIT(NATTY_CONN_MAPPING)))
			continue;
		percpu_counter_inc(&nn->mappings);
		ep = &c.end[NATTY_END_NEW_SRC];
		KUNIT_ASSERT_EQ(test, natty_port_take_exact(nn, c.family, c.proto,
							    &ep->addr,
							    ntohs(ep->port)), 0);
	}

	test_race_run(test, &race);

	KUNIT_ASSERT_EQ(test, atomic_read(&closes),
			max(race.worker[0].good, race.worker[1].good));
	/* Where the machine was too slow, what is left. */
	for (i = atomic_read(&closes); i < PRIZES; i++)
		KUNIT_ASSERT_TRUE(test, close(prize[i]));
	KUNIT_ASSERT_EQ(test, test_count(nn, NFPROTO_IPV4), 0);
	KUNIT_ASSERT_EQ(test, percpu_counter_sum(&nn->table[0].entries), 0);
	KUNIT_ASSERT_EQ(test, percpu_counter_sum(&nn->conns), 0);
	KUNIT_ASSERT_EQ(test, percpu_counter_sum(&nn->mappings), 0);
	test_race_expect_met(test, &race);
}

static void permit_and_forbid(struct test_worker *w)
{
	struct natty_endpoint remote = test_v4(TEST_INNER, 0);

	while (test_race_until_met(w, PRIZES)) {
		local_bh_disable();
		rcu_read_lock();
		if (natty_mapping_permit(nn, carrier, &remote.addr)) {
			w->bad++;
		} else {
			w->bad += !natty_mapping_admits(nn, carrier, &remote);
			natty_mapping_forbid(nn, carrier, &remote.addr);
			w->good++;
		}
		/* The other one's permission is seen: they do meet. */
		w->rare += natty_mapping_admits(nn, carrier, &remote);
		rcu_read_unlock();
		local_bh_enable();
	}
}

static void permission_comes_and_goes_on_two_cpus(struct kunit *test)
{
	struct test_race race = { .work = permit_and_forbid, .seconds = 30 };
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	unsigned int i;

	carrier = test_conn_add(test, &c);

	test_race_run(test, &race);

	for (i = 0; i < TEST_WORKERS; i++)
		KUNIT_ASSERT_EQ(test, race.worker[i].bad, 0);
	KUNIT_ASSERT_EQ(test, test_count(nn, NFPROTO_IPV4), 1);
	test_race_expect_met(test, &race);
}

/* Open and close the carrier of one endpoint over and over. */
static void reopen(struct test_worker *w, const struct test_conn *c)
{
	const struct natty_endpoint *ep = &c->end[NATTY_END_NEW_SRC];
	struct natty_conn *conn;

	/* While the other one needs the old mapping, that keeps the port. */
	if (natty_port_take_exact(nn, c->family, c->proto, &ep->addr,
				  ntohs(ep->port))) {
		w->rare++;
		return;
	}
	percpu_counter_inc(&nn->conns);
	percpu_counter_inc(&nn->mappings);
	if (test_conn_insert(nn, c, &conn)) {
		w->bad++;
		return;
	}
	test_race_abreast(w);
	rcu_read_lock();
	w->bad += !natty_conn_close(nn, conn, NATTY_COUNT_CONN_DEL);
	rcu_read_unlock();
	w->good++;
}

static void hold(struct test_worker *w, const struct test_conn *c)
{
	const struct natty_endpoint *ep = &c->end[NATTY_END_NEW_SRC];
	struct natty_conn *mapping;

	rcu_read_lock();
	mapping = natty_table_find_external(&nn->table[0], c->proto, ep);
	if (mapping && !natty_mapping_get(mapping))
		mapping = NULL;
	rcu_read_unlock();
	if (!mapping)
		return;
	w->rare++;
	test_race_abreast(w);
	/* Nobody may have had its memory or its port meanwhile. */
	w->bad += !natty_conn_maps(mapping) ||
		  !natty_conn_end_is(mapping, NATTY_END_NEW_SRC, ep) ||
		  natty_port_take_exact(nn, c->family, c->proto, &ep->addr,
					ntohs(ep->port)) != -EBUSY;
	rcu_read_lock();
	natty_mapping_put(nn, mapping);
	rcu_read_unlock();
	w->good++;
}

static void reopen_or_hold(struct test_worker *w)
{
	const struct test_conn *c = w->race->arg;

	while (test_race_until_met(w, PRIZES)) {
		if (w->id)
			hold(w, c);
		else
			reopen(w, c);
	}
}

static void mapping_is_held_while_its_connection_closes(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	struct test_race race = {
		.work = reopen_or_hold,
		.arg = &c,
		.seconds = 30,
	};
	unsigned int i;

	test_race_run(test, &race);

	for (i = 0; i < TEST_WORKERS; i++)
		KUNIT_ASSERT_EQ(test, race.worker[i].bad, 0);
	KUNIT_ASSERT_EQ(test, test_count(nn, NFPROTO_IPV4), 0);
	KUNIT_ASSERT_EQ(test, percpu_counter_sum(&nn->mappings), 0);
	KUNIT_ASSERT_EQ(test, natty_port_take_exact(nn, c.family, c.proto,
						    &c.end[NATTY_END_NEW_SRC].addr,
						    ntohs(c.end[NATTY_END_NEW_SRC].port)),
			0);
	test_race_expect_met(test, &race);
}

static struct kunit_case race_test_cases[] = {
	KUNIT_CASE(nothing_is_missed_while_the_table_grows),
	KUNIT_CASE(one_of_two_rivals_wins),
	KUNIT_CASE(one_of_two_closes),
	KUNIT_CASE(permission_comes_and_goes_on_two_cpus),
	KUNIT_CASE(mapping_is_held_while_its_connection_closes),
	{}
};

static struct kunit_suite race_test_suite = {
	.name = "natty_table_race",
	.init = race_test_init,
	.exit = race_test_exit,
	.test_cases = race_test_cases,
};

kunit_test_suite(race_test_suite);
