// SPDX-License-Identifier: GPL-2.0
#include "mapping.h"
#include "test_table.h"

static struct natty_endpoint server(u32 addr, u16 port)
{
	return test_endpoint(NFPROTO_IPV4, addr, port);
}

static bool port_is_free(struct natty_net *nn, const struct natty_endpoint *ep)
{
	u16 port = ntohs(ep->port);

	if (natty_port_take_exact(nn, NFPROTO_IPV4, IPPROTO_UDP, &ep->addr, port))
		return false;
	natty_port_put(nn, NFPROTO_IPV4, IPPROTO_UDP, &ep->addr, port);
	return true;
}

static struct natty_conn *find_external(struct natty_net *nn,
					const struct natty_endpoint *ep)
{
	struct natty_conn *conn;

	rcu_read_lock();
	conn = natty_table_find_external(&nn->table[0], IPPROTO_UDP, ep);
	rcu_read_unlock();
	return conn;
}

/* As translation makes it: with its port, counted. */
static struct natty_conn *open_carrier(struct kunit *test,
				       const struct test_conn *c)
{
	const struct natty_endpoint *out = &c->end[NATTY_END_NEW_SRC];
	struct natty_net *nn = test->priv;

	KUNIT_ASSERT_EQ(test, natty_port_take_exact(nn, c->family, c->proto,
						    &out->addr,
						    ntohs(out->port)), 0);
	percpu_counter_inc(&nn->conns);
	percpu_counter_inc(&nn->mappings);
	return test_conn_add(test, c);
}

static int permit(struct natty_net *nn, struct natty_conn *mapping, u32 addr)
{
	struct natty_endpoint remote = server(addr, 0);
	int err;

	local_bh_disable();
	rcu_read_lock();
	err = natty_mapping_permit(nn, mapping, &remote.addr);
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

static void forbid(struct natty_net *nn, struct natty_conn *mapping, u32 addr)
{
	struct natty_endpoint remote = server(addr, 0);

	rcu_read_lock();
	natty_mapping_forbid(nn, mapping, &remote.addr);
	rcu_read_unlock();
}

static bool admits(struct natty_net *nn, const struct natty_conn *mapping,
		   u32 addr, u16 port)
{
	struct natty_endpoint remote = server(addr, port);
	bool yes;

	rcu_read_lock();
	yes = natty_mapping_admits(nn, mapping, &remote);
	rcu_read_unlock();
	return yes;
}

/* One more connection of the carrier's inside endpoint, to another address. */
static struct natty_conn *open_child(struct kunit *test,
				     struct natty_conn *carrier,
				     const struct test_conn *c, u32 addr)
{
	struct natty_net *nn = test->priv;
	struct test_conn child = *c;

	child.flags = BIT(NATTY_CONN_SRC);
	child.mapping = carrier->index;
	child.end[NATTY_END_ORIG_DST] = server(addr, 80);
	child.end[NATTY_END_NEW_DST] = server(addr, 80);
	KUNIT_ASSERT_TRUE(test, natty_mapping_get(carrier));
	KUNIT_ASSERT_EQ(test, permit(nn, carrier, addr), 0);
	percpu_counter_inc(&nn->conns);
	return test_conn_add(test, &child);
}

static bool close(struct natty_net *nn, struct natty_conn *conn)
{
	bool done;

	rcu_read_lock();
	done = natty_conn_close(nn, conn, NATTY_COUNT_CONN_DEL);
	rcu_read_unlock();
	return done;
}

static void expect_nothing_left(struct kunit *test)
{
	struct natty_net *nn = test->priv;

	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), 0);
	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV6), 0);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&nn->conns), 0);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&nn->mappings), 0);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&nn->table[0].entries), 0);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&nn->table[1].entries), 0);
}

static void mapping_ends_with_its_connection(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	const struct natty_endpoint *out = &c.end[NATTY_END_NEW_SRC];
	struct natty_conn *conn = open_carrier(test, &c);

	KUNIT_EXPECT_FALSE(test, port_is_free(test->priv, out));
	KUNIT_EXPECT_TRUE(test, close(test->priv, conn));

	KUNIT_EXPECT_FALSE(test, close(test->priv, conn));
	KUNIT_EXPECT_NULL(test, find_external(test->priv, out));
	KUNIT_EXPECT_FALSE(test, natty_mapping_get(conn));
	KUNIT_EXPECT_TRUE(test, port_is_free(test->priv, out));
	KUNIT_EXPECT_EQ(test, natty_stats_sum(test->priv, NATTY_COUNT_CONN_DEL), 1);
	KUNIT_EXPECT_EQ(test, natty_stats_sum(test->priv, NATTY_COUNT_MAPPING_DEL),
			1);
	expect_nothing_left(test);
}

static void mapping_stays_for_other_connections(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	const struct natty_endpoint *out = &c.end[NATTY_END_NEW_SRC];
	struct natty_conn *carrier = open_carrier(test, &c);
	struct natty_conn *a = open_child(test, carrier, &c, TEST_SERVER + 1);
	struct natty_conn *b = open_child(test, carrier, &c, TEST_SERVER + 2);
	struct natty_tuple t = test_conn_tuple(&c, NATTY_DIR_ORIG);
	enum natty_dir dir;

	KUNIT_EXPECT_TRUE(test, close(test->priv, carrier));
	KUNIT_EXPECT_NULL(test, test_find(test->priv, &t, false, &dir));
	KUNIT_EXPECT_PTR_EQ(test, find_external(test->priv, out), carrier);
	natty_conn_tuple(a, NATTY_DIR_REPLY, &t);
	KUNIT_EXPECT_PTR_EQ(test, test_find(test->priv, &t, true, &dir), a);

	KUNIT_EXPECT_TRUE(test, close(test->priv, a));
	KUNIT_EXPECT_PTR_EQ(test, find_external(test->priv, out), carrier);
	KUNIT_EXPECT_FALSE(test, port_is_free(test->priv, out));
	KUNIT_EXPECT_TRUE(test, close(test->priv, b));

	KUNIT_EXPECT_NULL(test, find_external(test->priv, out));
	KUNIT_EXPECT_TRUE(test, port_is_free(test->priv, out));
	expect_nothing_left(test);
}

/* RFC 4787 REQ-8: by default those remote addresses to which something went. */
static void filter_admits_known_addresses(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	struct natty_conn *carrier = open_carrier(test, &c);
	struct natty_conn *child = open_child(test, carrier, &c, TEST_SERVER + 1);

	KUNIT_EXPECT_TRUE(test, admits(test->priv, carrier, TEST_SERVER, 80));
	KUNIT_EXPECT_TRUE(test, admits(test->priv, carrier, TEST_SERVER, 9));
	KUNIT_EXPECT_TRUE(test, admits(test->priv, carrier, TEST_SERVER + 1, 9));
	KUNIT_EXPECT_FALSE(test, admits(test->priv, carrier, TEST_SERVER + 2, 80));

	/* What the carrier's own connection admitted goes with it. */
	close(test->priv, carrier);
	KUNIT_EXPECT_FALSE(test, admits(test->priv, carrier, TEST_SERVER, 80));
	KUNIT_EXPECT_TRUE(test, admits(test->priv, carrier, TEST_SERVER + 1, 9));
	close(test->priv, child);
	expect_nothing_left(test);
}

static void permissions_are_counted(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	struct natty_conn *carrier = open_carrier(test, &c);
	struct natty_net *nn = test->priv;
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, permit(nn, carrier, TEST_SERVER + 1), 0);
	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), 2);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, admits(nn, carrier, TEST_SERVER + 1, 5));
		forbid(nn, carrier, TEST_SERVER + 1);
	}
	KUNIT_EXPECT_FALSE(test, admits(nn, carrier, TEST_SERVER + 1, 5));
	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), 1);
	/* And again, after the last one went. */
	KUNIT_EXPECT_EQ(test, permit(nn, carrier, TEST_SERVER + 1), 0);
	KUNIT_EXPECT_TRUE(test, admits(nn, carrier, TEST_SERVER + 1, 5));
	forbid(nn, carrier, TEST_SERVER + 1);
	close(nn, carrier);
	expect_nothing_left(test);
}

static void other_filters_need_no_permissions(struct kunit *test)
{
	static const enum natty_conn_bit filters[] = {
		NATTY_CONN_FILTER_EIF, NATTY_CONN_FILTER_APDF,
	};
	struct natty_net *nn = test->priv;
	struct natty_conn *carrier;
	struct test_conn c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(filters); i++) {
		bool open = filters[i] == NATTY_CONN_FILTER_EIF;

		c = test_conn_carrier(NFPROTO_IPV4, 5000 + i);
		c.flags |= BIT(filters[i]);
		carrier = open_carrier(test, &c);
		KUNIT_EXPECT_EQ(test, permit(nn, carrier, TEST_SERVER + 1), 0);

		KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), 1);
		KUNIT_EXPECT_EQ(test, admits(nn, carrier, TEST_SERVER + 1, 9), open);
		KUNIT_EXPECT_EQ(test, admits(nn, carrier, TEST_SERVER + 2, 9), open);

		forbid(nn, carrier, TEST_SERVER + 1);
		close(nn, carrier);
		expect_nothing_left(test);
	}
}

static struct natty_forward make_forward(u8 family, u16 port)
{
	return (struct natty_forward){
		.family = family,
		.proto = IPPROTO_UDP,
		.ext = test_endpoint(family, TEST_EXTERNAL, port),
		.inside = test_endpoint(family, TEST_INNER, port + 1),
	};
}

static int add_static(struct natty_net *nn, const struct natty_forward *forward)
{
	int err;

	mutex_lock(&nn->lock);
	err = natty_mapping_add_static(nn, forward);
	mutex_unlock(&nn->lock);
	return err;
}

static void del_statics(struct natty_net *nn, const struct natty_forward *forward,
			unsigned long which, unsigned int n)
{
	u32 scratch[8];

	mutex_lock(&nn->lock);
	natty_mapping_del_statics(nn, forward, &which, n, scratch);
	mutex_unlock(&nn->lock);
}

static void forward_holds_its_port(struct kunit *test)
{
	struct natty_forward f = make_forward(NFPROTO_IPV4, 2222);
	struct natty_net *nn = test->priv;
	struct natty_conn *conn;

	KUNIT_ASSERT_EQ(test, add_static(nn, &f), 0);

	conn = find_external(nn, &f.ext);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_TRUE(test, natty_conn_is(conn, NATTY_CONN_STATIC));
	KUNIT_EXPECT_FALSE(test, natty_conn_open(conn));
	KUNIT_EXPECT_TRUE(test, admits(nn, conn, TEST_SERVER, 9));
	KUNIT_EXPECT_FALSE(test, port_is_free(nn, &f.ext));
	KUNIT_EXPECT_EQ(test, add_static(nn, &f), -EBUSY);

	del_statics(nn, &f, 1, 1);
	KUNIT_EXPECT_NULL(test, find_external(nn, &f.ext));
	KUNIT_EXPECT_TRUE(test, port_is_free(nn, &f.ext));
	expect_nothing_left(test);
	KUNIT_EXPECT_EQ(test, natty_stats_sum(nn, NATTY_COUNT_MAPPING_NEW),
			natty_stats_sum(nn, NATTY_COUNT_MAPPING_DEL));
	/* Deleting what is not there does nothing. */
	del_statics(nn, &f, 1, 1);
	KUNIT_EXPECT_EQ(test, add_static(nn, &f), 0);
	del_statics(nn, &f, 1, 1);
	expect_nothing_left(test);
}

static void forward_takes_a_dynamic_port_away(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	struct natty_forward f = make_forward(NFPROTO_IPV4, 1);
	struct natty_conn *carrier = open_carrier(test, &c);
	struct natty_net *nn = test->priv;
	struct natty_conn *conn;

	open_child(test, carrier, &c, TEST_SERVER + 1);
	f.ext = c.end[NATTY_END_NEW_SRC];

	KUNIT_EXPECT_EQ(test, add_static(nn, &f), 0);

	conn = find_external(nn, &f.ext);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_TRUE(test, natty_conn_is(conn, NATTY_CONN_STATIC));
	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), 1);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&nn->conns), 0);
	del_statics(nn, &f, 1, 1);
	expect_nothing_left(test);
}

static void forward_respects_a_shared_port(struct kunit *test)
{
	struct natty_forward f = make_forward(NFPROTO_IPV4, 2222);
	struct natty_net *nn = test->priv;

	KUNIT_ASSERT_EQ(test, natty_port_share(nn, NFPROTO_IPV4, IPPROTO_UDP,
					       &f.ext.addr, 2222, false), 0);
	KUNIT_EXPECT_EQ(test, add_static(nn, &f), -EBUSY);
	expect_nothing_left(test);
	natty_port_unshare(nn, NFPROTO_IPV4, IPPROTO_UDP, &f.ext.addr, 2222);
	KUNIT_EXPECT_EQ(test, add_static(nn, &f), 0);
	del_statics(nn, &f, 1, 1);
}

/* Only those of the bitmap, in both families, with the connections through them. */
static void deleted_forwards_end_their_connections(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct natty_forward f[4];
	struct natty_conn *mapping;
	struct test_conn c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++) {
		f[i] = make_forward(i % 2 ? NFPROTO_IPV6 : NFPROTO_IPV4, 2000 + i);
		KUNIT_ASSERT_EQ(test, add_static(nn, &f[i]), 0);
	}
	for (i = 0; i < ARRAY_SIZE(f); i += 2) {
		mapping = find_external(nn, &f[i].ext);
		KUNIT_ASSERT_NOT_NULL(test, mapping);
		KUNIT_ASSERT_TRUE(test, natty_mapping_get(mapping));
		c = test_conn_dnat(NFPROTO_IPV4, 6000);
		c.flags |= BIT(NATTY_CONN_INBOUND);
		c.dst_mapping = mapping->index;
		c.end[NATTY_END_ORIG_DST] = f[i].ext;
		c.end[NATTY_END_NEW_DST] = f[i].inside;
		percpu_counter_inc(&nn->conns);
		test_conn_add(test, &c);
	}

	del_statics(nn, f, BIT(0) | BIT(1), ARRAY_SIZE(f));

	KUNIT_EXPECT_NULL(test, find_external(nn, &f[0].ext));
	KUNIT_EXPECT_NOT_NULL(test, find_external(nn, &f[2].ext));
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&nn->conns), 1);
	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), 2);
	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV6), 1);
	del_statics(nn, f, BIT(2) | BIT(3), ARRAY_SIZE(f));
	expect_nothing_left(test);
}

static void lost_address_ends_its_connections(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct test_conn a = test_conn_carrier(NFPROTO_IPV4, 5000);
	struct test_conn b = test_conn_carrier(NFPROTO_IPV4, 5001);
	struct test_conn plain = test_conn_plain(NFPROTO_IPV4, 5002);
	struct natty_endpoint ext = a.end[NATTY_END_NEW_SRC];
	struct natty_conn *carrier, *other, *untouched;

	b.end[NATTY_END_NEW_SRC].addr.ip ^= htonl(0xff);
	carrier = open_carrier(test, &a);
	other = open_carrier(test, &b);
	open_child(test, carrier, &a, TEST_SERVER + 1);
	percpu_counter_inc(&nn->conns);
	untouched = test_conn_add(test, &plain);

	natty_mapping_flush_addr(nn, NFPROTO_IPV4, &ext.addr, 0);

	KUNIT_EXPECT_EQ(test, test_count(nn, NFPROTO_IPV4), 2);
	KUNIT_EXPECT_TRUE(test, port_is_free(nn, &ext));
	KUNIT_EXPECT_TRUE(test, natty_conn_open(untouched));
	KUNIT_EXPECT_TRUE(test, natty_conn_open(other));
	close(nn, other);
	close(nn, untouched);
	expect_nothing_left(test);
}

static void lost_interface_ends_what_masquerades_behind_it(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct natty_conn *conn[3];
	struct test_conn c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(conn); i++) {
		c = test_conn_carrier(NFPROTO_IPV4, 5000 + i);
		c.ifindex = 2 + i % 2;
		if (i < 2)
			c.flags |= BIT(NATTY_CONN_MASQUERADE);
		conn[i] = open_carrier(test, &c);
	}

	natty_mapping_flush_addr(nn, NFPROTO_IPV4, NULL, 2);
	KUNIT_EXPECT_FALSE(test, natty_conn_open(conn[0]));
	KUNIT_EXPECT_TRUE(test, natty_conn_open(conn[1]));
	KUNIT_EXPECT_TRUE(test, natty_conn_open(conn[2]));
	natty_mapping_flush_addr(nn, NFPROTO_IPV4, NULL, 0);
	KUNIT_EXPECT_FALSE(test, natty_conn_open(conn[1]));
	KUNIT_EXPECT_TRUE(test, natty_conn_open(conn[2]));
	close(nn, conn[2]);
	expect_nothing_left(test);
}

static struct kunit_case mapping_test_cases[] = {
	KUNIT_CASE(mapping_ends_with_its_connection),
	KUNIT_CASE(mapping_stays_for_other_connections),
	KUNIT_CASE(filter_admits_known_addresses),
	KUNIT_CASE(permissions_are_counted),
	KUNIT_CASE(other_filters_need_no_permissions),
	KUNIT_CASE(forward_holds_its_port),
	KUNIT_CASE(forward_takes_a_dynamic_port_away),
	KUNIT_CASE(forward_respects_a_shared_port),
	KUNIT_CASE(deleted_forwards_end_their_connections),
	KUNIT_CASE(lost_address_ends_its_connections),
	KUNIT_CASE(lost_interface_ends_what_masquerades_behind_it),
	{}
};

static struct kunit_suite mapping_test_suite = {
	.name = "natty_mapping",
	.init = test_net_init,
	.exit = test_net_exit,
	.test_cases = mapping_test_cases,
};

kunit_test_suite(mapping_test_suite);
