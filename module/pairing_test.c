// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>

#include "mapping.h"
#include "presence.h"
#include "test_race.h"
#include "test_table.h"

/* Addresses that end alike in either family. */
static union nf_inet_addr address(u8 family, u32 n)
{
	return test_endpoint(family, n, 0).addr;
}

static int join(struct kunit *test, u8 family, u32 host, u32 from, u32 to,
		bool make)
{
	union nf_inet_addr h = address(family, host), f = address(family, from);
	union nf_inet_addr t = address(family, to);

	return natty_pairing_join(test->priv, family, &h, &f, &t, make);
}

static void leave(struct kunit *test, u8 family, u32 host, u32 to)
{
	union nf_inet_addr h = address(family, host), t = address(family, to);

	natty_pairing_leave(test->priv, family, &h, &t);
}

/* Where the host is paired with, or 0. */
static u32 paired(struct kunit *test, u8 family, u32 host, u32 from)
{
	union nf_inet_addr h = address(family, host), f = address(family, from), to;
	bool found;

	rcu_read_lock();
	found = natty_pairing_find(test->priv, family, &h, &f, &to);
	rcu_read_unlock();
	if (!found)
		return 0;
	return ntohl((__force __be32)to.all[family == NFPROTO_IPV4 ? 0 : 3]);
}

static int count(struct kunit *test)
{
	struct natty_net *nn = test->priv;

	return atomic_read(&nn->pairings.n);
}

static void a_pairing_lasts_as_long_as_its_mappings(struct kunit *test)
{
	static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		u8 family = families[i];

		KUNIT_EXPECT_EQ(test, join(test, family, 9, 1, 2, false), -ENOENT);
		KUNIT_EXPECT_EQ(test, join(test, family, 9, 1, 2, true), 0);
		KUNIT_EXPECT_EQ(test, join(test, family, 9, 1, 2, false), 0);
		KUNIT_EXPECT_EQ(test, join(test, family, 9, 1, 2, true), 0);
		/* Another CPU's choice holds. */
		KUNIT_EXPECT_EQ(test, join(test, family, 9, 1, 3, true), -EEXIST);
		KUNIT_EXPECT_EQ(test, count(test), 1);
		KUNIT_EXPECT_EQ(test, paired(test, family, 9, 1), 2);
		KUNIT_EXPECT_EQ(test, paired(test, family, 9, 2), 0);
		KUNIT_EXPECT_EQ(test, paired(test, family, 8, 1), 0);
		leave(test, family, 9, 2);
		leave(test, family, 9, 2);
		KUNIT_EXPECT_EQ(test, paired(test, family, 9, 1), 2);
		leave(test, family, 9, 2);
		KUNIT_EXPECT_EQ(test, paired(test, family, 9, 1), 0);
		KUNIT_EXPECT_FALSE(test, count(test));
	}
}

static void families_have_pairings_of_their_own(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, join(test, NFPROTO_IPV4, 9, 1, 2, true), 0);
	KUNIT_EXPECT_EQ(test, paired(test, NFPROTO_IPV6, 9, 1), 0);
	KUNIT_EXPECT_EQ(test, join(test, NFPROTO_IPV6, 9, 1, 3, true), 0);
	KUNIT_EXPECT_EQ(test, paired(test, NFPROTO_IPV4, 9, 1), 2);
	KUNIT_EXPECT_EQ(test, paired(test, NFPROTO_IPV6, 9, 1), 3);
	/* What is left goes with the namespace. */
}

/* A host in two pools whose hashes were full, and that share an address. */
static void two_pairings_may_end_at_one_address(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, join(test, NFPROTO_IPV4, 9, 1, 3, true), 0);
	KUNIT_EXPECT_EQ(test, join(test, NFPROTO_IPV4, 9, 2, 3, true), 0);
	KUNIT_EXPECT_EQ(test, join(test, NFPROTO_IPV4, 9, 2, 3, false), 0);
	KUNIT_EXPECT_EQ(test, count(test), 2);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, paired(test, NFPROTO_IPV4, 9, 1) ||
				  paired(test, NFPROTO_IPV4, 9, 2));
		leave(test, NFPROTO_IPV4, 9, 3);
	}
	KUNIT_EXPECT_EQ(test, count(test), 0);
}

#define HOSTS 16

/* Each worker holds one mapping of each host at a time, of whatever address. */
static void pair_and_part(struct test_worker *w)
{
	struct natty_net *nn = w->race->arg;
	union nf_inet_addr host, to, from = { .ip = htonl(1) };
	unsigned int i;

	for (i = 0; test_race_step(w); i++) {
		host = (union nf_inet_addr){ .ip = htonl(100 + i % HOSTS) };
		to = (union nf_inet_addr){ .ip = htonl(2 + w->id) };
		if (natty_pairing_join(nn, NFPROTO_IPV4, &host, &from, &to, true)) {
			w->rare++;
			rcu_read_lock();
			if (!natty_pairing_find(nn, NFPROTO_IPV4, &host, &from, &to))
				to.ip = 0;
			rcu_read_unlock();
			if (!to.ip || natty_pairing_join(nn, NFPROTO_IPV4, &host,
							 &from, &to, false))
				continue;
		}
		w->good++;
		natty_pairing_leave(nn, NFPROTO_IPV4, &host, &to);
	}
}

static void two_threads_pair_the_same_hosts(struct kunit *test)
{
	struct test_race race = {
		.work = pair_and_part,
		.arg = test->priv,
		.seconds = 2,
	};

	test_race_run(test, &race);
	KUNIT_EXPECT_GT(test, race.worker[0].good, 0);
	KUNIT_EXPECT_GT(test, race.worker[1].good, 0);
	KUNIT_EXPECT_EQ(test, count(test), 0);
}

/* A mapping as translation makes it; its host is TEST_INTERNAL + @host. */
static struct natty_conn *open_mapping(struct kunit *test, u16 port, u32 host)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, port);
	struct natty_endpoint *in = &c.end[NATTY_END_ORIG_SRC];
	struct natty_endpoint *out = &c.end[NATTY_END_NEW_SRC];
	struct natty_net *nn = test->priv;

	*in = test_endpoint(NFPROTO_IPV4, TEST_INTERNAL + host, port);
	out->port = htons(port);
	KUNIT_ASSERT_EQ(test, natty_port_take_exact(nn, c.family, c.proto, &out->addr,
						    port), 0);
	percpu_counter_inc(&nn->conns);
	percpu_counter_inc(&nn->mappings);
	return test_conn_add(test, &c);
}

static void close_mapping(struct kunit *test, struct natty_conn *conn)
{
	local_bh_disable();
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, natty_conn_close(test->priv, conn,
						 NATTY_COUNT_CONN_DEL));
	rcu_read_unlock();
	local_bh_enable();
}

static bool lacks(struct natty_net *nn, u32 host)
{
	union nf_inet_addr addr = address(NFPROTO_IPV4, TEST_EXTERNAL);
	union nf_inet_addr h = address(NFPROTO_IPV4, TEST_INTERNAL + host);
	bool none;

	local_bh_disable();
	rcu_read_lock();
	none = natty_presence_lacks(nn, NFPROTO_IPV4, &addr, &h);
	rcu_read_unlock();
	local_bh_enable();
	return none;
}

static bool comes_to_lack(struct natty_net *nn, u32 host)
{
	unsigned int i;

	for (i = 0; i < 500; i++) {
		if (lacks(nn, host))
			return true;
		usleep_range(2000, 4000);
	}
	return false;
}

static void hosts_with_mappings_are_known(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct natty_conn *conn[200];
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, lacks(nn, 0));
	for (i = 0; i < ARRAY_SIZE(conn); i++)
		conn[i] = open_mapping(test, 5000 + 7 * i, i);
	/* Hosts that share a bit with one of them are told apart in the end. */
	for (i = 0; i < 3 * ARRAY_SIZE(conn); i++) {
		if (i < ARRAY_SIZE(conn))
			KUNIT_EXPECT_FALSE(test, lacks(nn, i));
		else
			KUNIT_EXPECT_TRUE(test, comes_to_lack(nn, i));
	}
	for (i = 0; i < ARRAY_SIZE(conn); i++)
		close_mapping(test, conn[i]);
	KUNIT_EXPECT_TRUE(test, comes_to_lack(nn, 0));
	KUNIT_EXPECT_TRUE(test, comes_to_lack(nn, 199));
}

static void who_takes_a_port_is_known_at_once(struct kunit *test)
{
	struct natty_port_request req = {
		.family = NFPROTO_IPV4,
		.proto = IPPROTO_TCP,
		.addr = address(NFPROTO_IPV4, TEST_EXTERNAL),
		.want = 7000,
	};
	union nf_inet_addr host = address(NFPROTO_IPV4, TEST_INTERNAL + 1);
	struct natty_conn *conn = open_mapping(test, 5000, 0);
	struct natty_net *nn = test->priv;
	u64 memory = natty_port_memory(nn);
	struct natty_config *config = rcu_dereference_protected(nn->config, 1);

	/* Ports that rest would keep the address. */
	config->set.value[NATTY_SET_PORT_REUSE] = 0;
	KUNIT_EXPECT_TRUE(test, comes_to_lack(nn, 1));
	KUNIT_EXPECT_GT(test, natty_port_memory(nn), memory);
	req.host = &host;
	KUNIT_EXPECT_EQ(test, natty_port_take(nn, &req), 7000);
	KUNIT_EXPECT_FALSE(test, lacks(nn, 1));
	natty_port_put(nn, req.family, req.proto, &req.addr, 7000);
	KUNIT_EXPECT_TRUE(test, comes_to_lack(nn, 1));
	close_mapping(test, conn);
	natty_port_sweep(nn);
	KUNIT_EXPECT_EQ(test, natty_port_memory(nn), 0);
}

/* More ports than are looked at while a packet waits. */
static void an_address_of_many_ports_is_known_a_moment_later(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	u32 hosts = 40, n = 1000, i;
	struct natty_conn **conn;

	conn = kunit_kcalloc(test, n, sizeof(*conn), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	for (i = 0; i < n; i++)
		conn[i] = open_mapping(test, 2000 + i, i % hosts);
	KUNIT_EXPECT_FALSE(test, lacks(nn, hosts));
	KUNIT_EXPECT_TRUE(test, comes_to_lack(nn, hosts));
	for (i = 0; i < hosts; i++)
		KUNIT_EXPECT_FALSE(test, lacks(nn, i));
	/* The last ports are those of one host. */
	for (i = 0; i < n; i++)
		if (i % hosts != hosts - 1)
			close_mapping(test, conn[i]);
	KUNIT_EXPECT_TRUE(test, comes_to_lack(nn, 0));
	KUNIT_EXPECT_FALSE(test, lacks(nn, hosts - 1));
	for (i = hosts - 1; i < n; i += hosts)
		close_mapping(test, conn[i]);
}

static struct kunit_case pairing_test_cases[] = {
	KUNIT_CASE(a_pairing_lasts_as_long_as_its_mappings),
	KUNIT_CASE(families_have_pairings_of_their_own),
	KUNIT_CASE(two_pairings_may_end_at_one_address),
	KUNIT_CASE(two_threads_pair_the_same_hosts),
	KUNIT_CASE(hosts_with_mappings_are_known),
	KUNIT_CASE(who_takes_a_port_is_known_at_once),
	KUNIT_CASE(an_address_of_many_ports_is_known_a_moment_later),
	{}
};

static struct kunit_suite natty_pairing_suite = {
	.name = "natty_pairing",
	.init = test_net_init,
	.exit = test_net_exit,
	.test_cases = pairing_test_cases,
};

kunit_test_suite(natty_pairing_suite);
