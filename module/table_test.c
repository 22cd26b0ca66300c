// SPDX-License-Identifier: GPL-2.0
#include "bucket.h"
#include "test_packet.h"
#include "test_table.h"

static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

#define for_each_family(f, i)						\
	for ((i) = 0; (i) < ARRAY_SIZE(families) && ((f) = families[i]); (i)++)

static void expect_found(struct kunit *test, const struct natty_conn *conn,
			 const struct test_conn *c, enum natty_dir dir,
			 bool inbound)
{
	struct natty_tuple t = test_conn_tuple(c, dir);
	enum natty_dir found;

	KUNIT_ASSERT_PTR_EQ(test, test_find(test->priv, &t, inbound, &found),
			    conn);
	KUNIT_EXPECT_EQ(test, found, dir);
}

static void expect_lost(struct kunit *test, const struct test_conn *c)
{
	struct natty_tuple t = test_conn_tuple(c, NATTY_DIR_ORIG);
	enum natty_dir dir;

	KUNIT_EXPECT_NULL(test, test_find(test->priv, &t, false, &dir));
	KUNIT_EXPECT_NULL(test, test_find(test->priv, &t, true, &dir));
	t = test_conn_tuple(c, NATTY_DIR_REPLY);
	KUNIT_EXPECT_NULL(test, test_find(test->priv, &t, true, &dir));
}

static struct natty_conn *find_internal(struct natty_net *nn, u8 family,
					const struct natty_realm *realm,
					const struct natty_endpoint *ep)
{
	struct natty_conn *conn;

	rcu_read_lock();
	conn = natty_table_find_internal(natty_table_of(nn, family), realm,
					 IPPROTO_UDP, ep);
	rcu_read_unlock();
	return conn;
}

static struct natty_conn *find_external(struct natty_net *nn, u8 family,
					u8 proto, const struct natty_endpoint *ep)
{
	struct natty_conn *conn;

	rcu_read_lock();
	conn = natty_table_find_external(natty_table_of(nn, family), proto, ep);
	rcu_read_unlock();
	return conn;
}

static struct natty_conn *find_middle(struct natty_net *nn,
				      const struct natty_tuple *t)
{
	struct natty_conn *conn;

	rcu_read_lock();
	conn = natty_table_find_middle(natty_table_of(nn, t->family), t);
	rcu_read_unlock();
	return conn;
}

static struct natty_conn *find_filter(struct natty_net *nn, u8 family,
				      u32 mapping,
				      const struct natty_endpoint *remote)
{
	struct natty_conn *conn;

	rcu_read_lock();
	conn = natty_table_find_filter(natty_table_of(nn, family), mapping,
				       &remote->addr);
	rcu_read_unlock();
	return conn;
}

static void carrier_is_found_from_both_sides(struct kunit *test)
{
	struct test_conn c;
	struct natty_conn *conn;
	unsigned int i;
	u8 family;

	for_each_family(family, i) {
		c = test_conn_carrier(family, 5000);
		expect_lost(test, &c);
		conn = test_conn_add(test, &c);

		expect_found(test, conn, &c, NATTY_DIR_ORIG, false);
		expect_found(test, conn, &c, NATTY_DIR_ORIG, true);
		expect_found(test, conn, &c, NATTY_DIR_REPLY, true);

		test_conn_remove(test->priv, conn);
		expect_lost(test, &c);
		KUNIT_EXPECT_EQ(test, test_count(test->priv, family), 0);
	}
}

static void ping_is_found_by_its_identifiers(struct kunit *test)
{
	struct natty_conn *conn;
	struct natty_tuple t;
	struct test_conn c;
	unsigned int i;
	u8 family;

	for_each_family(family, i) {
		c = test_conn_carrier(family, 77);
		c.proto = test_packet_icmp(family);
		c.end[NATTY_END_ORIG_DST].port = 0;
		c.end[NATTY_END_NEW_DST].port = 0;
		conn = test_conn_add(test, &c);

		expect_found(test, conn, &c, NATTY_DIR_ORIG, false);
		expect_found(test, conn, &c, NATTY_DIR_REPLY, true);
		t = test_conn_tuple(&c, NATTY_DIR_ORIG);
		t.src.port ^= htons(1);
		KUNIT_EXPECT_NULL(test, test_find(test->priv, &t, false,
						  &(enum natty_dir){ 0 }));
	}
}

static void mapping_is_found_by_its_endpoints(struct kunit *test)
{
	struct natty_realm realm = { .rule = 1, .ifindex = 2 };
	struct natty_endpoint in, out;
	struct natty_conn *conn;
	struct test_conn c;
	unsigned int i;
	u8 f;

	for_each_family(f, i) {
		c = test_conn_carrier(f, 5000);
		in = c.end[NATTY_END_ORIG_SRC];
		out = c.end[NATTY_END_NEW_SRC];
		conn = test_conn_add(test, &c);

		KUNIT_EXPECT_PTR_EQ(test, find_internal(test->priv, f, &realm, &in),
				    conn);
		KUNIT_EXPECT_PTR_EQ(test, find_external(test->priv, f, IPPROTO_UDP,
							&out), conn);
		/* Neither by the other's key nor for another protocol or port. */
		KUNIT_EXPECT_NULL(test, find_internal(test->priv, f, &realm, &out));
		KUNIT_EXPECT_NULL(test, find_external(test->priv, f, IPPROTO_UDP,
						      &in));
		KUNIT_EXPECT_NULL(test, find_external(test->priv, f, IPPROTO_TCP,
						      &out));
		out.port ^= htons(1);
		KUNIT_EXPECT_NULL(test, find_external(test->priv, f, IPPROTO_UDP,
						      &out));
		test_conn_remove(test->priv, conn);
		KUNIT_EXPECT_NULL(test, find_internal(test->priv, f, &realm, &in));
	}
}

static void mapping_holds_in_its_realm(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	const struct natty_endpoint *in = &c.end[NATTY_END_ORIG_SRC];
	const struct natty_realm others[] = {
		{ .rule = 2, .ifindex = 2 },
		{ .rule = 1, .ifindex = 3 },
		{ .rule = 1, .ifindex = 2, .remote = &c.end[NATTY_END_ORIG_DST].addr },
		{ .forwards = true },
	};
	unsigned int i;

	test_conn_add(test, &c);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		KUNIT_EXPECT_NULL(test, find_internal(test->priv, NFPROTO_IPV4,
						      &others[i], in));
}

static void paired_mapping_holds_for_its_remote(struct kunit *test)
{
	struct natty_realm realm = { .rule = 1, .ifindex = 2 };
	struct natty_endpoint remote;
	struct natty_conn *conn;
	struct test_conn c;
	unsigned int i;
	u8 f;

	for_each_family(f, i) {
		c = test_conn_carrier(f, 5000);
		c.flags = BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_ADDRESS) |
			  BIT(NATTY_CONN_CLOSED);
		conn = test_conn_add(test, &c);

		remote = c.end[NATTY_END_ORIG_DST];
		realm.remote = &remote.addr;
		KUNIT_EXPECT_PTR_EQ(test, find_internal(test->priv, f, &realm,
							&c.end[NATTY_END_ORIG_SRC]),
				    conn);
		remote = test_endpoint(f, TEST_INNER, 0);
		KUNIT_EXPECT_NULL(test, find_internal(test->priv, f, &realm,
						      &c.end[NATTY_END_ORIG_SRC]));
		realm.remote = NULL;
		KUNIT_EXPECT_NULL(test, find_internal(test->priv, f, &realm,
						      &c.end[NATTY_END_ORIG_SRC]));
		/* It is no connection. */
		expect_lost(test, &c);
	}
}

static void forward_is_found_as_such(struct kunit *test)
{
	const struct natty_realm forwards = { .forwards = true };
	const struct natty_realm realm = { .rule = 1, .ifindex = 2 };
	struct natty_conn *conn;
	struct test_conn c;
	unsigned int i;
	u8 f;

	for_each_family(f, i) {
		c = test_conn_carrier(f, 5000);
		c.flags = BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_STATIC) |
			  BIT(NATTY_CONN_CLOSED);
		conn = test_conn_add(test, &c);

		KUNIT_EXPECT_PTR_EQ(test, find_internal(test->priv, f, &forwards,
							&c.end[NATTY_END_ORIG_SRC]),
				    conn);
		KUNIT_EXPECT_PTR_EQ(test, find_external(test->priv, f, IPPROTO_UDP,
							&c.end[NATTY_END_NEW_SRC]),
				    conn);
		KUNIT_EXPECT_NULL(test, find_internal(test->priv, f, &realm,
						      &c.end[NATTY_END_ORIG_SRC]));
		expect_lost(test, &c);
	}
}

/* All that find others' mappings, and all that find none. */
static void tuples_are_found_from_both_sides(struct kunit *test)
{
	struct natty_conn *conn;
	struct test_conn c[4];
	unsigned int i, k;
	u8 family;

	for_each_family(family, i) {
		c[0] = test_conn_plain(family, 5000);
		c[1] = test_conn_dnat(family, 5001);
		c[2] = test_conn_both(family, 5002);
		/* One more connection of a mapping. */
		c[3] = test_conn_carrier(family, 5003);
		c[3].flags = BIT(NATTY_CONN_SRC);
		for (k = 0; k < ARRAY_SIZE(c); k++) {
			conn = test_conn_add(test, &c[k]);

			expect_found(test, conn, &c[k], NATTY_DIR_ORIG, false);
			expect_found(test, conn, &c[k], NATTY_DIR_ORIG, true);
			expect_found(test, conn, &c[k], NATTY_DIR_REPLY, false);
			expect_found(test, conn, &c[k], NATTY_DIR_REPLY, true);

			test_conn_remove(test->priv, conn);
			expect_lost(test, &c[k]);
		}
	}
}

static void middle_is_found_where_both_sides_are_translated(struct kunit *test)
{
	struct natty_conn *conn, *dnat;
	struct test_conn c, d;
	struct natty_tuple t;
	unsigned int i;
	u8 family;

	for_each_family(family, i) {
		c = test_conn_both(family, 5000);
		d = test_conn_dnat(family, 5001);
		conn = test_conn_add(test, &c);
		dnat = test_conn_add(test, &d);

		t = test_conn_middle(&c);
		KUNIT_EXPECT_PTR_EQ(test, find_middle(test->priv, &t), conn);
		t = test_conn_middle(&d);
		KUNIT_EXPECT_NULL(test, find_middle(test->priv, &t));
		t = test_conn_tuple(&c, NATTY_DIR_ORIG);
		KUNIT_EXPECT_NULL(test, find_middle(test->priv, &t));

		test_conn_remove(test->priv, conn);
		test_conn_remove(test->priv, dnat);
		t = test_conn_middle(&c);
		KUNIT_EXPECT_NULL(test, find_middle(test->priv, &t));
	}
}

static struct test_conn make_filter(u8 family, u32 mapping, u32 remote)
{
	struct test_conn c = {
		.family = family,
		.flags = BIT(NATTY_CONN_FILTER) | BIT(NATTY_CONN_CLOSED),
		.dst_mapping = mapping,
	};

	c.end[NATTY_END_ORIG_DST] = test_endpoint(family, remote, 0);
	return c;
}

static void permission_is_found_by_mapping_and_remote(struct kunit *test)
{
	struct natty_endpoint remote, other;
	struct natty_conn *conn;
	struct test_conn c;
	unsigned int i;
	u8 f;

	for_each_family(f, i) {
		remote = test_endpoint(f, TEST_SERVER, 1234);
		other = test_endpoint(f, TEST_INNER, 1234);
		c = make_filter(f, 17, TEST_SERVER);
		conn = test_conn_add(test, &c);

		KUNIT_EXPECT_PTR_EQ(test, find_filter(test->priv, f, 17, &remote),
				    conn);
		KUNIT_EXPECT_NULL(test, find_filter(test->priv, f, 18, &remote));
		KUNIT_EXPECT_NULL(test, find_filter(test->priv, f, 17, &other));
		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &c, NULL),
				-EEXIST);

		test_conn_remove(test->priv, conn);
		KUNIT_EXPECT_NULL(test, find_filter(test->priv, f, 17, &remote));
	}
}

static void taken_tuple_is_refused(struct kunit *test)
{
	struct test_conn c, rival;
	struct natty_conn *conn;
	unsigned int i;
	u8 family;

	for_each_family(family, i) {
		c = test_conn_dnat(family, 5000);
		conn = test_conn_add(test, &c);

		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &c, NULL),
				-EEXIST);
		/* Another flow whose answers would look the same. */
		rival = c;
		rival.end[NATTY_END_ORIG_DST].port = htons(8081);
		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &rival, NULL),
				-EEXIST);
		/* One that looks like these answers. */
		rival = test_conn_plain(family, 0);
		rival.end[NATTY_END_ORIG_SRC] = c.end[NATTY_END_NEW_DST];
		rival.end[NATTY_END_ORIG_DST] = c.end[NATTY_END_NEW_SRC];
		rival.end[NATTY_END_NEW_SRC] = rival.end[NATTY_END_ORIG_SRC];
		rival.end[NATTY_END_NEW_DST] = rival.end[NATTY_END_ORIG_DST];
		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &rival, NULL),
				-EEXIST);
		KUNIT_EXPECT_EQ(test, test_count(test->priv, family), 1);

		test_conn_remove(test->priv, conn);
		test_conn_add(test, &rival);
	}
}

static void mapped_endpoint_is_refused_in_its_realm(struct kunit *test)
{
	struct test_conn c, rival;
	unsigned int i;
	u8 family;

	for_each_family(family, i) {
		c = test_conn_carrier(family, 5000);
		test_conn_add(test, &c);
		rival = c;
		rival.end[NATTY_END_NEW_SRC].port = htons(9);

		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &rival, NULL),
				-EEXIST);
		rival.rule++;
		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &rival, NULL), 0);
		rival.ifindex++;
		rival.end[NATTY_END_NEW_SRC].port = htons(10);
		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &rival, NULL), 0);
		/* A forward has the last word, whatever stands there. */
		rival = c;
		rival.flags = BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_STATIC) |
			      BIT(NATTY_CONN_CLOSED);
		rival.end[NATTY_END_NEW_SRC].port = htons(11);
		KUNIT_EXPECT_EQ(test, test_conn_insert(test->priv, &rival, NULL), 0);
	}
}

static void expired_connection_is_in_nobodys_way(struct kunit *test)
{
	struct test_conn c = test_conn_plain(NFPROTO_IPV4, 5000);
	struct natty_conn *old = test_conn_add(test, &c), *conn;

	old->expires = (u32)jiffies - 1;
	expect_lost(test, &c);
	conn = test_conn_add(test, &c);
	expect_found(test, conn, &c, NATTY_DIR_ORIG, false);
	/* Only its own entries go with it. */
	test_conn_remove(test->priv, old);
	expect_found(test, conn, &c, NATTY_DIR_ORIG, false);
	expect_found(test, conn, &c, NATTY_DIR_REPLY, false);
}

static void mapping_outlives_its_connection(struct kunit *test)
{
	struct test_conn c = test_conn_carrier(NFPROTO_IPV4, 5000);
	struct natty_realm realm = { .rule = 1, .ifindex = 2 };
	struct natty_conn *conn = test_conn_add(test, &c);

	conn->expires = (u32)jiffies - 1;
	expect_lost(test, &c);
	KUNIT_EXPECT_PTR_EQ(test, find_internal(test->priv, NFPROTO_IPV4, &realm,
						&c.end[NATTY_END_ORIG_SRC]), conn);
	natty_conn_mark(conn, NATTY_CONN_CLOSED);
	KUNIT_EXPECT_PTR_EQ(test, find_external(test->priv, NFPROTO_IPV4,
						IPPROTO_UDP,
						&c.end[NATTY_END_NEW_SRC]), conn);
	natty_conn_mark(conn, NATTY_CONN_DEAD);
	KUNIT_EXPECT_NULL(test, find_external(test->priv, NFPROTO_IPV4,
					      IPPROTO_UDP,
					      &c.end[NATTY_END_NEW_SRC]));
}

static struct kunit_case table_test_cases[] = {
	KUNIT_CASE(carrier_is_found_from_both_sides),
	KUNIT_CASE(ping_is_found_by_its_identifiers),
	KUNIT_CASE(mapping_is_found_by_its_endpoints),
	KUNIT_CASE(mapping_holds_in_its_realm),
	KUNIT_CASE(paired_mapping_holds_for_its_remote),
	KUNIT_CASE(forward_is_found_as_such),
	KUNIT_CASE(tuples_are_found_from_both_sides),
	KUNIT_CASE(middle_is_found_where_both_sides_are_translated),
	KUNIT_CASE(permission_is_found_by_mapping_and_remote),
	KUNIT_CASE(taken_tuple_is_refused),
	KUNIT_CASE(mapped_endpoint_is_refused_in_its_realm),
	KUNIT_CASE(expired_connection_is_in_nobodys_way),
	KUNIT_CASE(mapping_outlives_its_connection),
	{}
};

static struct kunit_suite table_test_suite = {
	.name = "natty_table",
	.init = test_net_init,
	.exit = test_net_exit,
	.test_cases = table_test_cases,
};

kunit_test_suite(table_test_suite);
