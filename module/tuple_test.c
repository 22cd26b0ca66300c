// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "test_packet.h"
#include "tuple.h"

static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

static struct natty_tuple make_tuple(u8 family, u8 proto)
{
	bool v4 = family == NFPROTO_IPV4;

	return (struct natty_tuple){
		.family = family,
		.proto = proto,
		.src = v4 ? test_v4(TEST_C1, 5000) : test_v6(TEST_C1, 5000),
		.dst = v4 ? test_v4(TEST_S1, 80) : test_v6(TEST_S1, 80),
	};
}

static void inverse_swaps_the_ends(struct kunit *test)
{
	struct natty_tuple t, inverse;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		t = make_tuple(families[i], IPPROTO_TCP);

		natty_tuple_invert(&inverse, &t);

		KUNIT_EXPECT_EQ(test, inverse.family, families[i]);
		KUNIT_EXPECT_EQ(test, inverse.proto, IPPROTO_TCP);
		KUNIT_EXPECT_TRUE(test, natty_endpoint_equal(t.family, &inverse.src,
							     &t.dst));
		KUNIT_EXPECT_TRUE(test, natty_endpoint_equal(t.family, &inverse.dst,
							     &t.src));
		KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&inverse, &t));
	}
}

static void tuple_may_be_inverted_in_place(struct kunit *test)
{
	struct natty_tuple t, before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		t = make_tuple(families[i], IPPROTO_UDP);
		before = t;

		natty_tuple_invert(&t, &t);

		KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &before));
		natty_tuple_invert(&t, &t);
		KUNIT_EXPECT_TRUE(test, natty_tuple_equal(&t, &before));
	}
}

/* The identifier is the source port of a query and the other of its answer. */
static void icmp_answer_is_the_inverse_of_its_query(struct kunit *test)
{
	struct natty_tuple query, answer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		query = make_tuple(families[i], test_packet_icmp(families[i]));
		query.src.port = htons(77);
		query.dst.port = 0;

		natty_tuple_invert(&answer, &query);

		KUNIT_EXPECT_EQ(test, ntohs(answer.src.port), 0);
		KUNIT_EXPECT_EQ(test, ntohs(answer.dst.port), 77);
	}
}

static void every_part_makes_a_difference(struct kunit *test)
{
	struct natty_tuple t = make_tuple(NFPROTO_IPV4, IPPROTO_UDP), other = t;

	KUNIT_EXPECT_TRUE(test, natty_tuple_equal(&t, &other));
	other.proto = IPPROTO_TCP;
	KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
	other = t;
	other.family = NFPROTO_IPV6;
	KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
	other = t;
	other.src.port ^= htons(0x8000);
	KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
	other = t;
	other.dst.port ^= htons(1);
	KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
	other = t;
	other.src.addr.ip ^= htonl(1);
	KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
	other = t;
	other.dst.addr.ip ^= htonl(0x80000000);
	KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
}

static void all_words_of_an_ipv6_address_count(struct kunit *test)
{
	struct natty_tuple t = make_tuple(NFPROTO_IPV6, IPPROTO_UDP), other;
	unsigned int word;

	for (word = 0; word < 4; word++) {
		other = t;
		other.src.addr.ip6[word] ^= htonl(1);
		KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
		other = t;
		other.dst.addr.ip6[word] ^= htonl(1);
		KUNIT_EXPECT_FALSE(test, natty_tuple_equal(&t, &other));
	}
}

/* Whoever fills in an IPv4 address leaves the rest of the union as it was. */
static void rest_of_an_ipv4_address_is_ignored(struct kunit *test)
{
	struct natty_tuple t = make_tuple(NFPROTO_IPV4, IPPROTO_UDP), other = t;
	unsigned int word;

	for (word = 1; word < 4; word++) {
		other.src.addr.all[word] = 0xdeadbeef;
		other.dst.addr.all[word] = 0xdeadbeef;
	}

	KUNIT_EXPECT_TRUE(test, natty_tuple_equal(&t, &other));
}

static void protocols_with_ports_are_known(struct kunit *test)
{
	static const u8 with[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP,
		IPPROTO_DCCP, IPPROTO_ICMP, IPPROTO_ICMPV6,
	};
	unsigned int proto, n = 0, i;

	for (proto = 0; proto < 256; proto++)
		n += natty_proto_has_ports(proto);

	KUNIT_EXPECT_EQ(test, n, ARRAY_SIZE(with));
	for (i = 0; i < ARRAY_SIZE(with); i++)
		KUNIT_EXPECT_TRUE(test, natty_proto_has_ports(with[i]));
}

static struct kunit_case tuple_test_cases[] = {
	KUNIT_CASE(inverse_swaps_the_ends),
	KUNIT_CASE(tuple_may_be_inverted_in_place),
	KUNIT_CASE(icmp_answer_is_the_inverse_of_its_query),
	KUNIT_CASE(every_part_makes_a_difference),
	KUNIT_CASE(all_words_of_an_ipv6_address_count),
	KUNIT_CASE(rest_of_an_ipv4_address_is_ignored),
	KUNIT_CASE(protocols_with_ports_are_known),
	{}
};

static struct kunit_suite tuple_test_suite = {
	.name = "natty_tuple",
	.test_cases = tuple_test_cases,
};

kunit_test_suite(tuple_test_suite);
