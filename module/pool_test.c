// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/inet.h>

#include "pool.h"

static struct natty_pool_range range_of(struct kunit *test, u8 family,
					const char *min, const char *max)
{
	struct natty_pool_range range = {};
	bool ok;

	if (family == NFPROTO_IPV4)
		ok = in4_pton(min, -1, (u8 *)&range.min.ip, -1, NULL) &&
		     in4_pton(max, -1, (u8 *)&range.max.ip, -1, NULL);
	else
		ok = in6_pton(min, -1, range.min.in6.s6_addr, -1, NULL) &&
		     in6_pton(max, -1, range.max.in6.s6_addr, -1, NULL);
	KUNIT_ASSERT_TRUE(test, ok);
	return range;
}

static void expect_addr(struct kunit *test, const struct natty_pool *pool, u64 i,
			const char *text)
{
	struct natty_pool_range range = range_of(test, pool->family, text, text);
	union nf_inet_addr addr;

	natty_pool_addr(pool, i, &addr);
	KUNIT_EXPECT_TRUE(test, natty_addr_equal(pool->family, &addr, &range.min));
	KUNIT_EXPECT_TRUE(test, natty_pool_contains(pool, pool->family, &addr));
}

static void ipv4_addresses_follow_the_ranges(struct kunit *test)
{
	struct natty_pool_range range[] = {
		range_of(test, NFPROTO_IPV4, "203.0.113.250", "203.0.114.5"),
		range_of(test, NFPROTO_IPV4, "203.0.113.9", "203.0.113.9"),
		range_of(test, NFPROTO_IPV4, "198.51.100.0", "198.51.100.255"),
	};
	struct natty_pool_range outside;
	struct natty_pool *pool;

	pool = natty_pool_new("isp", NFPROTO_IPV4, range, ARRAY_SIZE(range), 1024,
			      2047, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	outside = range_of(test, NFPROTO_IPV4, "203.0.113.249", "203.0.114.6");

	KUNIT_EXPECT_EQ(test, pool->size, 12 + 1 + 256);
	KUNIT_EXPECT_TRUE(test, pool->ports_given);
	KUNIT_EXPECT_STREQ(test, pool->name, "isp");
	expect_addr(test, pool, 0, "203.0.113.250");
	expect_addr(test, pool, 11, "203.0.114.5");
	expect_addr(test, pool, 12, "203.0.113.9");
	expect_addr(test, pool, 13, "198.51.100.0");
	expect_addr(test, pool, 268, "198.51.100.255");
	KUNIT_EXPECT_FALSE(test, natty_pool_contains(pool, NFPROTO_IPV4,
						     &outside.min));
	KUNIT_EXPECT_FALSE(test, natty_pool_contains(pool, NFPROTO_IPV4,
						     &outside.max));
	KUNIT_EXPECT_FALSE(test, natty_pool_contains(pool, NFPROTO_IPV6,
						     &range[0].min));
	natty_pool_put(pool);
}

static void ipv6_addresses_carry_between_words(struct kunit *test)
{
	struct natty_pool_range range[] = {
		range_of(test, NFPROTO_IPV6, "2001:db8::ffff:ffff:ffff:fffe",
			 "2001:db8:0:1::1"),
		range_of(test, NFPROTO_IPV6, "2001:db8:1::", "2001:db8:1::ffff"),
	};
	struct natty_pool *pool;

	pool = natty_pool_new("", NFPROTO_IPV6, range, ARRAY_SIZE(range), 0, 0,
			      NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));

	KUNIT_EXPECT_EQ(test, pool->size, 4 + 65536);
	KUNIT_EXPECT_FALSE(test, pool->ports_given);
	expect_addr(test, pool, 1, "2001:db8::ffff:ffff:ffff:ffff");
	expect_addr(test, pool, 2, "2001:db8:0:1::");
	expect_addr(test, pool, 3, "2001:db8:0:1::1");
	expect_addr(test, pool, 4, "2001:db8:1::");
	expect_addr(test, pool, 65539, "2001:db8:1::ffff");
	natty_pool_put(pool);
}

static void size_saturates(struct kunit *test)
{
	struct natty_pool_range range[] = {
		range_of(test, NFPROTO_IPV6, "2001:db8::", "2001:db8:0:ffff::"),
		range_of(test, NFPROTO_IPV6, "2001:db8:2::", "2001:db8:2::7"),
	};
	struct natty_pool *pool;

	pool = natty_pool_new("", NFPROTO_IPV6, range, ARRAY_SIZE(range), 0, 0,
			      NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));

	KUNIT_EXPECT_EQ(test, pool->size, U64_MAX);
	expect_addr(test, pool, U64_MAX - 1, "2001:db8::ffff:ffff:ffff:fffe");
	natty_pool_put(pool);
}

static void bad_pools_are_refused(struct kunit *test)
{
	static const struct {
		u8 family;
		const char *min, *max;
		u16 port_min, port_max;
		const char *message;
	} cases[] = {
		{ NFPROTO_IPV4, "192.0.2.2", "192.0.2.1", 0, 0,
		  "address range: low end above high end" },
		{ NFPROTO_IPV4, "192.0.2.1", "192.0.2.2", 9000, 80,
		  "port range 9000-80: low end above high end" },
		{ NFPROTO_IPV4, "192.0.2.1", "192.0.2.2", 0, 80,
		  "port range 0-80: 0 is no port" },
		{ NFPROTO_IPV4, "0.0.0.0", "0.0.0.9", 0, 0,
		  "address range: holds unspecified addresses" },
		{ NFPROTO_IPV4, "126.0.0.0", "128.0.0.0", 0, 0,
		  "address range: holds loopback addresses" },
		{ NFPROTO_IPV4, "224.0.0.1", "224.0.0.1", 0, 0,
		  "address range: holds multicast addresses" },
		{ NFPROTO_IPV4, "255.255.255.255", "255.255.255.255", 0, 0,
		  "address range: holds broadcast addresses" },
		{ NFPROTO_IPV6, "::", "::", 0, 0,
		  "address range: holds unspecified addresses" },
		{ NFPROTO_IPV6, "::1", "::2", 0, 0,
		  "address range: holds loopback addresses" },
		{ NFPROTO_IPV6, "2001::", "ff02::1", 0, 0,
		  "address range: holds multicast addresses" },
		{ NFPROTO_IPV6, "2001:db8::1:0", "2001:db8::ffff", 0, 0,
		  "address range: low end above high end" },
	};
	struct netlink_ext_ack extack = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct natty_pool_range range = range_of(test, cases[i].family,
							 cases[i].min,
							 cases[i].max);
		struct natty_pool *pool;

		pool = natty_pool_new("", cases[i].family, &range, 1,
				      cases[i].port_min, cases[i].port_max,
				      &extack);
		KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
		KUNIT_EXPECT_STREQ(test, extack._msg, cases[i].message);
	}
}

static void overlap_is_refused(struct kunit *test)
{
	struct natty_pool_range v4[] = {
		range_of(test, NFPROTO_IPV4, "203.0.113.1", "203.0.113.6"),
		range_of(test, NFPROTO_IPV4, "192.0.2.1", "192.0.2.1"),
		range_of(test, NFPROTO_IPV4, "203.0.113.6", "203.0.113.9"),
	};
	struct natty_pool_range v6[] = {
		range_of(test, NFPROTO_IPV6, "2001:db8::9", "2001:db8::9"),
		range_of(test, NFPROTO_IPV6, "2001:db8::1", "2001:db8::9"),
	};
	struct netlink_ext_ack extack = {};
	struct natty_pool *pool;

	pool = natty_pool_new("", NFPROTO_IPV4, v4, ARRAY_SIZE(v4), 0, 0, &extack);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
	KUNIT_EXPECT_STREQ(test, extack._msg, "203.0.113.6 is in two ranges");

	pool = natty_pool_new("", NFPROTO_IPV6, v6, ARRAY_SIZE(v6), 0, 0, &extack);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
	KUNIT_EXPECT_STREQ(test, extack._msg, "2001:db8::9 is in two ranges");

	pool = natty_pool_new("", NFPROTO_IPV4, v4, 0, 0, 0, &extack);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
}

static void same_looks_at_everything(struct kunit *test)
{
	struct natty_pool_range range[] = {
		range_of(test, NFPROTO_IPV4, "203.0.113.1", "203.0.113.6"),
		range_of(test, NFPROTO_IPV4, "192.0.2.1", "192.0.2.1"),
	};
	struct natty_pool *pool[4];
	unsigned int i;

	pool[0] = natty_pool_new("a", NFPROTO_IPV4, range, 2, 0, 0, NULL);
	pool[1] = natty_pool_new("a", NFPROTO_IPV4, range, 2, 0, 0, NULL);
	pool[2] = natty_pool_new("a", NFPROTO_IPV4, range, 1, 0, 0, NULL);
	pool[3] = natty_pool_new("a", NFPROTO_IPV4, range, 2, 1, 2, NULL);
	for (i = 0; i < ARRAY_SIZE(pool); i++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(pool[i]));

	KUNIT_EXPECT_TRUE(test, natty_pool_same(pool[0], pool[1]));
	KUNIT_EXPECT_FALSE(test, natty_pool_same(pool[0], pool[2]));
	KUNIT_EXPECT_FALSE(test, natty_pool_same(pool[0], pool[3]));
	for (i = 0; i < ARRAY_SIZE(pool); i++)
		natty_pool_put(pool[i]);
}

static struct kunit_case pool_test_cases[] = {
	KUNIT_CASE(ipv4_addresses_follow_the_ranges),
	KUNIT_CASE(ipv6_addresses_carry_between_words),
	KUNIT_CASE(size_saturates),
	KUNIT_CASE(bad_pools_are_refused),
	KUNIT_CASE(overlap_is_refused),
	KUNIT_CASE(same_looks_at_everything),
	{}
};

static struct kunit_suite natty_pool_suite = {
	.name = "natty_pool",
	.test_cases = pool_test_cases,
};

kunit_test_suite(natty_pool_suite);
