// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "pool.h"
#include "rule.h"

static struct net_device *lan, *wan;
static struct natty_tuple tuple;
static struct natty_rule_key key;

static struct net_device *fake_device(struct kunit *test, const char *name)
{
	struct net_device *dev;

	dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	if (dev)
		strscpy(dev->name, name, IFNAMSIZ);
	return dev;
}

/* A rule that matches everything, and a packet from lan0 to wan0. */
static int rule_test_init(struct kunit *test)
{
	test->priv = natty_rule_alloc();
	lan = fake_device(test, "lan0");
	wan = fake_device(test, "wan0");
	if (!test->priv || !lan || !wan)
		return -ENOMEM;

	memset(&tuple, 0, sizeof(tuple));
	tuple.family = NFPROTO_IPV4;
	tuple.proto = IPPROTO_TCP;
	tuple.src.addr.ip = htonl(0x0a000002);
	tuple.src.port = htons(5000);
	tuple.dst.addr.ip = htonl(0xc0000201);
	tuple.dst.port = htons(80);
	key = (struct natty_rule_key){
		.tuple = &tuple,
		.iif = lan,
		.oif = wan,
		.mark = 0x1234,
	};
	return 0;
}

static void rule_test_exit(struct kunit *test)
{
	natty_rule_put(test->priv);
}

/* The rule's only match must hold or fail, and inverted the other way round. */
static void expect_match(struct kunit *test, u32 match, bool holds)
{
	struct natty_rule *rule = test->priv;

	rule->match = match;
	rule->invert = 0;
	KUNIT_EXPECT_EQ(test, natty_rule_matches(rule, &key), holds);
	rule->invert = match;
	KUNIT_EXPECT_EQ(test, natty_rule_matches(rule, &key), !holds);
}

static void empty_rule_matches_everything(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, natty_rule_matches(test->priv, &key));
	tuple.family = NFPROTO_IPV6;
	KUNIT_EXPECT_TRUE(test, natty_rule_matches(test->priv, &key));
}

static void family_is_never_inverted(struct kunit *test)
{
	struct natty_rule *rule = test->priv;

	rule->family = NFPROTO_IPV6;
	rule->match = NATTY_MATCH_SRC;
	rule->invert = NATTY_MATCH_SRC;
	KUNIT_EXPECT_FALSE(test, natty_rule_matches(rule, &key));
}

/* Whose addresses they are is not told. */
static void no_address_is_local(struct kunit *test)
{
	struct natty_rule *rule = test->priv;

	expect_match(test, NATTY_MATCH_SRC_LOCAL, false);
	expect_match(test, NATTY_MATCH_DST_LOCAL, false);
	key.net = &init_net;
	expect_match(test, NATTY_MATCH_SRC_LOCAL, false);
	rule->match = NATTY_MATCH_SRC_LOCAL | NATTY_MATCH_IIF;
	rule->invert = NATTY_MATCH_SRC_LOCAL;
	strscpy(rule->iif, "lan0", IFNAMSIZ);
	KUNIT_EXPECT_TRUE(test, natty_rule_matches(rule, &key));
	strscpy(rule->iif, "lan1", IFNAMSIZ);
	KUNIT_EXPECT_FALSE(test, natty_rule_matches(rule, &key));
}

static void interfaces_by_name_or_prefix(struct kunit *test)
{
	struct natty_rule *rule = test->priv;

	strscpy(rule->iif, "lan0", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, true);
	strscpy(rule->iif, "lan", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, false);
	strscpy(rule->iif, "lan00", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, false);
	strscpy(rule->iif, "lan+", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, true);
	strscpy(rule->iif, "lan0+", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, true);
	strscpy(rule->iif, "wan+", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, false);
	strscpy(rule->iif, "+", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, true);
	strscpy(rule->oif, "wan0", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_OIF, true);

	key.oif = NULL;
	expect_match(test, NATTY_MATCH_OIF, false);
}

static void longest_interface_name(struct kunit *test)
{
	struct natty_rule *rule = test->priv;

	strscpy(lan->name, "abcdefghijklmno", IFNAMSIZ);
	strscpy(rule->iif, "abcdefghijklmno", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, true);
	strscpy(rule->iif, "abcdefghijklmn+", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, true);
	strscpy(rule->iif, "abcdefghijklmn", IFNAMSIZ);
	expect_match(test, NATTY_MATCH_IIF, false);
}

static void ipv4_prefixes_of_every_length(struct kunit *test)
{
	struct natty_rule *rule = test->priv;
	unsigned int len;

	rule->family = NFPROTO_IPV4;
	for (len = 0; len <= 32; len++) {
		__be32 mask = len ? htonl(~0U << (32 - len)) : 0;

		rule->src_len = len;
		rule->src.ip = tuple.src.addr.ip & mask;
		expect_match(test, NATTY_MATCH_SRC, true);
		rule->dst_len = len;
		rule->dst.ip = tuple.dst.addr.ip & mask;
		expect_match(test, NATTY_MATCH_DST, true);
		if (!len)
			continue;
		/* The last bit of the prefix differs. */
		rule->src.ip ^= htonl(1U << (32 - len));
		expect_match(test, NATTY_MATCH_SRC, false);
	}
}

static void ipv6_prefixes_of_every_length(struct kunit *test)
{
	struct natty_rule *rule = test->priv;
	unsigned int len;

	tuple.family = NFPROTO_IPV6;
	get_random_bytes(&tuple.src.addr, sizeof(tuple.src.addr));
	rule->family = NFPROTO_IPV6;
	for (len = 0; len <= 128; len++) {
		rule->src_len = len;
		ipv6_addr_prefix(&rule->src.in6, &tuple.src.addr.in6, len);
		expect_match(test, NATTY_MATCH_SRC, true);
		if (!len)
			continue;
		rule->src.in6.s6_addr[(len - 1) / 8] ^= 0x80 >> ((len - 1) & 7);
		expect_match(test, NATTY_MATCH_SRC, false);
	}
}

static void ports_by_range(struct kunit *test)
{
	struct natty_rule *rule = test->priv;

	rule->sport_min = 5000;
	rule->sport_max = 5000;
	expect_match(test, NATTY_MATCH_SPORT, true);
	rule->dport_min = 80;
	rule->dport_max = 90;
	expect_match(test, NATTY_MATCH_DPORT, true);
	rule->dport_min = 81;
	expect_match(test, NATTY_MATCH_DPORT, false);
	rule->dport_min = 0;
	rule->dport_max = 65535;
	expect_match(test, NATTY_MATCH_DPORT, true);

	tuple.proto = IPPROTO_ICMP;
	expect_match(test, NATTY_MATCH_DPORT, false);
	tuple.proto = IPPROTO_GRE;
	expect_match(test, NATTY_MATCH_DPORT, false);
}

static void protocol_and_mark(struct kunit *test)
{
	struct natty_rule *rule = test->priv;

	rule->proto = IPPROTO_TCP;
	expect_match(test, NATTY_MATCH_PROTO, true);
	rule->proto = IPPROTO_UDP;
	expect_match(test, NATTY_MATCH_PROTO, false);
	rule->mark = 0x34;
	rule->mark_mask = 0xff;
	expect_match(test, NATTY_MATCH_MARK, true);
	rule->mark_mask = 0xfff;
	expect_match(test, NATTY_MATCH_MARK, false);
	rule->mark_mask = 0;
	expect_match(test, NATTY_MATCH_MARK, true);
}

static void all_matches_must_hold(struct kunit *test)
{
	struct natty_rule *rule = test->priv;

	rule->match = NATTY_MATCH_PROTO | NATTY_MATCH_DPORT | NATTY_MATCH_MARK;
	rule->proto = IPPROTO_TCP;
	rule->dport_min = 80;
	rule->dport_max = 80;
	rule->invert = NATTY_MATCH_MARK;
	rule->mark = 1;
	rule->mark_mask = U32_MAX;
	KUNIT_EXPECT_TRUE(test, natty_rule_matches(rule, &key));
	rule->proto = IPPROTO_UDP;
	KUNIT_EXPECT_FALSE(test, natty_rule_matches(rule, &key));
	rule->proto = IPPROTO_TCP;
	key.mark = 1;
	KUNIT_EXPECT_FALSE(test, natty_rule_matches(rule, &key));
}

/* Of a range of 11 ports, with the distance as a number of 16 bits. */
static void ports_keep_their_distance_from_the_base(struct kunit *test)
{
	static const struct {
		u16 port, nth, becomes;
	} cases[] = {
		{ 5000, 0, 1000 }, { 5001, 0, 1001 }, { 5010, 0, 1010 },
		{ 5011, 0, 1000 }, { 5022, 0, 1000 }, { 65535, 0, 1002 },
		{ 4999, 0, 1008 }, { 4998, 0, 1007 }, { 4990, 0, 1010 },
		{ 0, 0, 1003 }, { 5000, 1, 1001 }, { 5010, 1, 1000 },
		{ 4999, 1, 1000 }, { 4999, 2, 1001 },
	};
	struct natty_rule *rule = test->priv;
	unsigned int i;

	rule->port_min = 1000;
	rule->port_max = 1010;
	rule->port_base = 5000;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    natty_rule_shift(rule, cases[i].port,
						     cases[i].nth),
				    cases[i].becomes, "port %u, %u behind",
				    cases[i].port, cases[i].nth);
}

static void shifted_ports_stay_in_the_range(struct kunit *test)
{
	static const u16 ranges[][2] = {
		{ 1, 65535 }, { 1, 2 }, { 65534, 65535 }, { 1024, 65535 },
	};
	struct natty_rule *rule = test->priv;
	unsigned int i, port;
	u16 to;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		rule->port_min = ranges[i][0];
		rule->port_max = ranges[i][1];
		rule->port_base = 1 + get_random_u32() % 65535;
		for (port = 0; port <= U16_MAX; port++) {
			to = natty_rule_shift(rule, port, 0);
			if (to < rule->port_min || to > rule->port_max)
				break;
		}
		KUNIT_EXPECT_EQ_MSG(test, port, U16_MAX + 1,
				    "range %u-%u, base %u: port %u",
				    rule->port_min, rule->port_max,
				    rule->port_base, port);
	}
}

static void same_disregards_id_and_counter(struct kunit *test)
{
	struct natty_rule *a = test->priv, *b = natty_rule_alloc();

	KUNIT_ASSERT_NOT_NULL(test, b);
	a->id = 1;
	b->id = 2;
	this_cpu_inc(*b->flows);
	KUNIT_EXPECT_TRUE(test, natty_rule_same(a, b));

	b->mapping = NATTY_BEHAVIOUR_ADDRESS_DEPENDENT;
	KUNIT_EXPECT_FALSE(test, natty_rule_same(a, b));
	b->mapping = a->mapping;
	b->port_base = 5000;
	KUNIT_EXPECT_FALSE(test, natty_rule_same(a, b));
	b->port_base = a->port_base;
	strscpy(b->oif, "wan0", IFNAMSIZ);
	KUNIT_EXPECT_FALSE(test, natty_rule_same(a, b));
	natty_rule_put(b);
}

/* Of a named pool a rule says the name, of its own one the addresses. */
static void same_compares_pools_as_rules_name_them(struct kunit *test)
{
	struct natty_pool_range one = {
		.min.ip = htonl(0xc6336401), .max.ip = htonl(0xc6336401),
	};
	struct natty_pool_range two = {
		.min.ip = htonl(0xc6336401), .max.ip = htonl(0xc6336402),
	};
	struct natty_rule *a = test->priv, *b = natty_rule_alloc();

	KUNIT_ASSERT_NOT_NULL(test, b);
	a->pool = natty_pool_new("isp", NFPROTO_IPV4, &one, 1, 0, 0, NULL);
	KUNIT_EXPECT_FALSE(test, natty_rule_same(a, b));
	b->pool = natty_pool_new("isp", NFPROTO_IPV4, &two, 1, 0, 0, NULL);
	KUNIT_EXPECT_TRUE(test, natty_rule_same(a, b));
	*a->pool->name = '\0';
	KUNIT_EXPECT_FALSE(test, natty_rule_same(a, b));
	*b->pool->name = '\0';
	KUNIT_EXPECT_FALSE(test, natty_rule_same(a, b));
	natty_rule_put(b);
}

static struct kunit_case rule_test_cases[] = {
	KUNIT_CASE(empty_rule_matches_everything),
	KUNIT_CASE(family_is_never_inverted),
	KUNIT_CASE(no_address_is_local),
	KUNIT_CASE(interfaces_by_name_or_prefix),
	KUNIT_CASE(longest_interface_name),
	KUNIT_CASE(ipv4_prefixes_of_every_length),
	KUNIT_CASE(ipv6_prefixes_of_every_length),
	KUNIT_CASE(ports_by_range),
	KUNIT_CASE(protocol_and_mark),
	KUNIT_CASE(all_matches_must_hold),
	KUNIT_CASE(ports_keep_their_distance_from_the_base),
	KUNIT_CASE(shifted_ports_stay_in_the_range),
	KUNIT_CASE(same_disregards_id_and_counter),
	KUNIT_CASE(same_compares_pools_as_rules_name_them),
	{}
};

static struct kunit_suite natty_rule_suite = {
	.name = "natty_rule",
	.init = rule_test_init,
	.exit = rule_test_exit,
	.test_cases = rule_test_cases,
};

kunit_test_suite(natty_rule_suite);
