// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "addrset.h"

static struct natty_addrset set, part;

static int addrset_test_init(struct kunit *test)
{
	memset(&set, 0, sizeof(set));
	memset(&part, 0, sizeof(part));
	return 0;
}

static void addrset_test_exit(struct kunit *test)
{
	natty_addrset_free(&set);
	natty_addrset_free(&part);
}

static void add(struct kunit *test, struct natty_addrset *to, u32 min, u32 max)
{
	union nf_inet_addr low = { .ip = htonl(min) }, high = { .ip = htonl(max) };

	KUNIT_ASSERT_EQ(test, natty_addrset_add(to, NFPROTO_IPV4, &low, &high), 0);
}

static bool has(u32 ip)
{
	union nf_inet_addr addr = { .ip = htonl(ip) };

	return natty_addrset_contains(&set, NFPROTO_IPV4, &addr);
}

static void an_empty_set_contains_nothing(struct kunit *test)
{
	natty_addrset_seal(&set);
	KUNIT_EXPECT_FALSE(test, has(0));
	KUNIT_EXPECT_TRUE(test, natty_addrset_covers(&set, &part));
}

static void ranges_contain_their_ends(struct kunit *test)
{
	add(test, &set, 0x0a000010, 0x0a0000ff);
	add(test, &set, 0x0a000001, 0x0a000001);
	natty_addrset_seal(&set);

	KUNIT_EXPECT_FALSE(test, has(0x0a000000));
	KUNIT_EXPECT_TRUE(test, has(0x0a000001));
	KUNIT_EXPECT_FALSE(test, has(0x0a00000f));
	KUNIT_EXPECT_TRUE(test, has(0x0a000010));
	KUNIT_EXPECT_TRUE(test, has(0x0a0000ff));
	KUNIT_EXPECT_FALSE(test, has(0x0a000100));
}

static void overlap_is_joined(struct kunit *test)
{
	add(test, &set, 20, 40);
	add(test, &set, 10, 30);
	add(test, &set, 25, 26);
	natty_addrset_seal(&set);

	KUNIT_EXPECT_EQ(test, set.n, 1);
	KUNIT_EXPECT_TRUE(test, has(10));
	KUNIT_EXPECT_TRUE(test, has(40));
	KUNIT_EXPECT_FALSE(test, has(41));
}

static void families_are_apart(struct kunit *test)
{
	union nf_inet_addr six = { .ip6 = { htonl(5) } };

	add(test, &set, 1, 10);
	natty_addrset_seal(&set);
	KUNIT_EXPECT_TRUE(test, has(5));
	KUNIT_EXPECT_FALSE(test, natty_addrset_contains(&set, NFPROTO_IPV6, &six));
}

static void covering_is_of_every_range(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		add(test, &set, i * 10, i * 10 + 5);
	natty_addrset_seal(&set);

	add(test, &part, 11, 14);
	add(test, &part, 990, 995);
	natty_addrset_seal(&part);
	KUNIT_EXPECT_TRUE(test, natty_addrset_covers(&set, &part));

	add(test, &part, 500, 506);
	natty_addrset_seal(&part);
	KUNIT_EXPECT_FALSE(test, natty_addrset_covers(&set, &part));
}

static struct kunit_case addrset_test_cases[] = {
	KUNIT_CASE(an_empty_set_contains_nothing),
	KUNIT_CASE(ranges_contain_their_ends),
	KUNIT_CASE(overlap_is_joined),
	KUNIT_CASE(families_are_apart),
	KUNIT_CASE(covering_is_of_every_range),
	{}
};

static struct kunit_suite natty_addrset_suite = {
	.name = "natty_addrset",
	.init = addrset_test_init,
	.exit = addrset_test_exit,
	.test_cases = addrset_test_cases,
};

kunit_test_suite(natty_addrset_suite);
