// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "rule.h"

#define DEVICES 6
#define RULES 10000

static const char * const names[DEVICES] = {
	"lan0", "lan1", "wan0", "ppp0", "ppp17", "eth0"
};

/**
 * struct fixture - a set of rules and devices
 * @rule: the rules
 * @n: how many
 * @dev: devices with the names above
 */
struct fixture {
	struct natty_rule *rule[RULES];
	unsigned int n;
	struct net_device *dev[DEVICES];
};

static struct rnd_state rnd;

static int ruleset_test_init(struct kunit *test)
{
	struct fixture *f = kvzalloc(sizeof(*f), GFP_KERNEL);
	u64 seed = get_random_u32();
	unsigned int i;

	if (!f)
		return -ENOMEM;
	test->priv = f;
	for (i = 0; i < DEVICES; i++) {
		f->dev[i] = kunit_kzalloc(test, sizeof(*f->dev[i]), GFP_KERNEL);
		if (!f->dev[i])
			return -ENOMEM;
		strscpy(f->dev[i]->name, names[i], IFNAMSIZ);
		/* One with an index that is not remembered. */
		f->dev[i]->ifindex = i ? i : 100000;
	}
	prandom_seed_state(&rnd, seed);
	kunit_info(test, "seed %llu\n", seed);
	return 0;
}

static void ruleset_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	while (f && f->n)
		natty_rule_put(f->rule[--f->n]);
	kvfree(f);
}

static u32 draw(u32 n)
{
	return ((u64)prandom_u32_state(&rnd) * n) >> 32;
}

static struct natty_rule *add_rule(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct natty_rule *rule = natty_rule_alloc();

	KUNIT_ASSERT_NOT_NULL(test, rule);
	f->rule[f->n++] = rule;
	return rule;
}

/* Addresses of a small world, so that prefixes meet. */
static void random_addr(u8 family, union nf_inet_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (family == NFPROTO_IPV4) {
		addr->ip = htonl(0x0a000000 | draw(4) << 16 | draw(1024));
		return;
	}
	addr->ip6[0] = htonl(0x20010db8);
	addr->ip6[1] = htonl(draw(4));
	addr->ip6[3] = htonl(draw(256));
}

static void random_prefix(u8 family, union nf_inet_addr *addr, u8 *len)
{
	static const u8 len_v4[] = { 0, 8, 16, 22, 24, 29, 32 };
	static const u8 len_v6[] = { 0, 32, 62, 64, 120, 127, 128 };
	union nf_inet_addr full;

	random_addr(family, &full);
	memset(addr, 0, sizeof(*addr));
	if (family == NFPROTO_IPV4) {
		*len = len_v4[draw(ARRAY_SIZE(len_v4))];
		if (*len)
			addr->ip = full.ip & htonl(~0U << (32 - *len));
	} else {
		*len = len_v6[draw(ARRAY_SIZE(len_v6))];
		ipv6_addr_prefix(&addr->in6, &full.in6, *len);
	}
}

static void random_device(char *name)
{
	static const char * const wildcards[] = { "+", "lan+", "ppp1+", "w+" };

	if (!draw(5))
		strscpy(name, wildcards[draw(ARRAY_SIZE(wildcards))], IFNAMSIZ);
	else if (!draw(20))
		strscpy(name, "none0", IFNAMSIZ);
	else
		strscpy(name, names[draw(DEVICES)], IFNAMSIZ);
}

static void random_ports(u16 *min, u16 *max)
{
	*min = draw(64);
	*max = draw(4) ? *min : *min + draw(10);
}

static u8 random_proto(void)
{
	static const u8 proto[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_GRE
	};

	return proto[draw(ARRAY_SIZE(proto))];
}

/* With every match with a probability of @percent. */
static void random_rule(struct natty_rule *rule, unsigned int percent)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		if (draw(100) < percent)
			rule->match |= BIT(i);
		if (!draw(10))
			rule->invert |= BIT(i);
	}
	rule->invert &= rule->match;
	if (rule->match & (NATTY_MATCH_SRC | NATTY_MATCH_DST))
		rule->family = draw(2) ? NFPROTO_IPV4 : NFPROTO_IPV6;
	random_device(rule->iif);
	random_device(rule->oif);
	random_prefix(rule->family, &rule->src, &rule->src_len);
	random_prefix(rule->family, &rule->dst, &rule->dst_len);
	rule->proto = random_proto();
	random_ports(&rule->sport_min, &rule->sport_max);
	random_ports(&rule->dport_min, &rule->dport_max);
	rule->mark = draw(4);
	rule->mark_mask = draw(4);
}

static void random_key(const struct fixture *f, struct natty_rule_key *key,
		       struct natty_tuple *t)
{
	memset(t, 0, sizeof(*t));
	t->family = draw(2) ? NFPROTO_IPV4 : NFPROTO_IPV6;
	t->proto = random_proto();
	random_addr(t->family, &t->src.addr);
	random_addr(t->family, &t->dst.addr);
	if (natty_proto_has_ports(t->proto)) {
		t->src.port = htons(draw(64));
		t->dst.port = htons(draw(64));
	}
	key->tuple = t;
	key->iif = draw(8) ? f->dev[draw(DEVICES)] : NULL;
	key->oif = draw(8) ? f->dev[draw(DEVICES)] : NULL;
	key->mark = draw(4);
}

/* The slow truth for natty_ruleset_find(). */
static struct natty_rule *first_match(const struct fixture *f,
				      const struct natty_rule_key *key)
{
	unsigned int i;

	for (i = 0; i < f->n; i++)
		if (natty_rule_matches(f->rule[i], key))
			return f->rule[i];
	return NULL;
}

static struct natty_ruleset *compile(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct natty_ruleset *set = natty_ruleset_compile(f->rule, f->n);

	KUNIT_ASSERT_NOT_NULL(test, set);
	return set;
}

/* Compare with the linear search; returns how many keys matched a rule. */
static unsigned int compare(struct kunit *test, unsigned int keys)
{
	struct natty_ruleset *set = compile(test);
	unsigned int i, found = 0, wrong = 0;
	struct natty_rule *rule;
	struct natty_rule_key key;
	struct natty_tuple t;

	for (i = 0; i < keys; i++) {
		random_key(test->priv, &key, &t);
		rule = natty_ruleset_find(set, &key);
		found += !!rule;
		wrong += rule != first_match(test->priv, &key);
		cond_resched();
	}
	natty_ruleset_free(set);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	return found;
}

static void no_rules_match_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct natty_ruleset *set = compile(test);
	struct natty_rule_key key;
	struct natty_tuple t;

	random_key(f, &key, &t);
	KUNIT_EXPECT_NULL(test, natty_ruleset_find(set, &key));
	KUNIT_EXPECT_FALSE(test, natty_ruleset_gate(set, NATTY_CHAIN_OUTPUT,
						    f->dev[1]));
	natty_ruleset_free(set);
	natty_ruleset_free(NULL);
}

static void small_sets_agree_with_linear_search(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i, n, found = 0;

	for (i = 0; i < 300; i++) {
		for (n = draw(12); n; n--)
			random_rule(add_rule(test), 10 + draw(50));
		found += compare(test, 100);
		while (f->n)
			natty_rule_put(f->rule[--f->n]);
	}
	/* Neither all nor none. */
	KUNIT_EXPECT_GT(test, found, 3000);
	KUNIT_EXPECT_LT(test, found, 29000);
}

static void large_sets_agree_with_linear_search(struct kunit *test)
{
	unsigned int i, found;

	for (i = 0; i < RULES; i++)
		random_rule(add_rule(test), 75);
	found = compare(test, 2000);
	KUNIT_EXPECT_GT(test, found, 100);
}

/* What operators write: one kind of rule many times, a general one at the end. */
static void hosts_before_a_network(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct natty_tuple t = { .family = NFPROTO_IPV4, .proto = IPPROTO_UDP };
	struct natty_rule_key key = { .tuple = &t, .oif = f->dev[2] };
	struct natty_ruleset *set;
	struct natty_rule *rule;
	unsigned int i;

	for (i = 0; i < RULES; i++) {
		rule = add_rule(test);
		rule->family = NFPROTO_IPV4;
		rule->match = NATTY_MATCH_SRC | NATTY_MATCH_OIF;
		strscpy(rule->oif, "wan0", IFNAMSIZ);
		rule->src.ip = htonl(0x0a000000 + i);
		rule->src_len = i < RULES - 1 ? 32 : 8;
	}
	rule->src.ip = htonl(0x0a000000);
	set = compile(test);

	for (i = 0; i < RULES + 100; i++) {
		t.src.addr.ip = htonl(0x0a000000 + i);
		rule = f->rule[min(i, RULES - 1U)];
		KUNIT_ASSERT_PTR_EQ(test, natty_ruleset_find(set, &key), rule);
	}
	t.src.addr.ip = htonl(0x0b000000);
	KUNIT_EXPECT_NULL(test, natty_ruleset_find(set, &key));
	t.src.addr.ip = htonl(0x0a000000);
	key.oif = f->dev[0];
	KUNIT_EXPECT_NULL(test, natty_ruleset_find(set, &key));
	natty_ruleset_free(set);
}

/* Ranges that are cut into blocks, beside single ports and other rules. */
static void port_ranges_agree_with_linear_search(struct kunit *test)
{
	static const unsigned int sizes[] = { 16, 17, 100, 1000 };
	struct fixture *f = test->priv;
	struct natty_tuple t = { .family = NFPROTO_IPV4, .proto = IPPROTO_TCP };
	struct natty_rule_key key = { .tuple = &t };
	struct natty_ruleset *set;
	struct natty_rule *rule;
	unsigned int i, size, wrong = 0;

	for (size = 0; size < ARRAY_SIZE(sizes); size++) {
		while (f->n < sizes[size]) {
			rule = add_rule(test);
			rule->match = NATTY_MATCH_DPORT;
			rule->dport_min = draw(65536);
			rule->dport_max = rule->dport_min +
				draw(draw(2) ? 65536 - rule->dport_min : 8);
			if (!draw(8))
				rule->match |= NATTY_MATCH_PROTO;
			rule->proto = random_proto();
			if (!draw(16))
				rule->invert = NATTY_MATCH_DPORT;
			if (!draw(20))
				rule->match = NATTY_MATCH_PROTO;
		}
		/* Several at both ends. */
		f->rule[7]->dport_min = 0;
		f->rule[8]->dport_max = 65535;
		f->rule[9]->dport_min = 0;
		f->rule[9]->dport_max = 65535;
		set = compile(test);
		for (i = 0; i < 65536; i += 1 + draw(8)) {
			t.dst.port = htons(i);
			t.proto = random_proto();
			wrong += natty_ruleset_find(set, &key) !=
				 first_match(f, &key);
		}
		natty_ruleset_free(set);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void disjoint_ranges_are_found(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct natty_tuple t = { .family = NFPROTO_IPV4, .proto = IPPROTO_TCP };
	struct natty_rule_key key = { .tuple = &t };
	struct natty_ruleset *set;
	struct natty_rule *rule;
	unsigned int i, wrong = 0;
	u64 start;

	for (i = 0; i < 6000; i++) {
		rule = add_rule(test);
		rule->match = NATTY_MATCH_DPORT;
		rule->dport_min = 1024 + 10 * i;
		rule->dport_max = 1024 + 10 * i + 9;
	}
	set = compile(test);
	start = ktime_get_ns();
	for (i = 1024; i < 61024; i++) {
		t.dst.port = htons(i);
		wrong += natty_ruleset_find(set, &key) !=
			 f->rule[(i - 1024) / 10];
	}
	kunit_info(test, "6000 ranges: find %llu ns\n",
		   div_u64(ktime_get_ns() - start, 60000));
	natty_ruleset_free(set);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* A gate may let too much pass, never too little. */
static void gate_passes_what_rules_match(struct kunit *test)
{
	const u32 devices = NATTY_MATCH_IIF | NATTY_MATCH_OIF;
	struct fixture *f = test->priv;
	unsigned int i, n, closed = 0, wrong = 0;
	struct natty_ruleset *set;
	struct natty_rule *rule;
	struct natty_rule_key key;
	struct natty_tuple t;

	for (i = 0; i < 300; i++) {
		u8 chain = draw(NATTY_CHAINS);
		const struct net_device *dev;

		for (n = 0; n < 2; n++) {
			rule = add_rule(test);
			random_rule(rule, 90);
			rule->match &= devices;
			rule->invert &= devices;
			rule->family = NFPROTO_UNSPEC;
		}
		set = compile(test);
		for (n = 0; n < 50; n++) {
			random_key(f, &key, &t);
			dev = chain == NATTY_CHAIN_PREROUTING ||
			      chain == NATTY_CHAIN_INPUT ? key.iif : key.oif;
			if (!dev || natty_ruleset_gate(set, chain, dev))
				continue;
			closed++;
			wrong += !!natty_ruleset_find(set, &key);
		}
		natty_ruleset_free(set);
		while (f->n)
			natty_rule_put(f->rule[--f->n]);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, closed, 1500);
}

static void gate_knows_a_name_until_told_to_forget(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct natty_rule *rule = add_rule(test);
	struct net_device *dev = f->dev[1];
	struct natty_ruleset *set;

	rule->match = NATTY_MATCH_OIF;
	strscpy(rule->oif, "wan9", IFNAMSIZ);
	set = compile(test);
	KUNIT_EXPECT_FALSE(test, natty_ruleset_gate(set, NATTY_CHAIN_POSTROUTING,
						    dev));
	KUNIT_EXPECT_FALSE(test, natty_ruleset_gate(set, NATTY_CHAIN_POSTROUTING,
						    f->dev[0]));

	strscpy(dev->name, "wan9", IFNAMSIZ);
	natty_ruleset_forget(set);
	KUNIT_EXPECT_TRUE(test, natty_ruleset_gate(set, NATTY_CHAIN_POSTROUTING,
						   dev));
	KUNIT_EXPECT_TRUE(test, natty_ruleset_gate(set, NATTY_CHAIN_POSTROUTING,
						   dev));
	natty_ruleset_free(set);
}

/* More wildcards than the gate looks through. */
static void gate_opens_for_many_wildcards(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct natty_ruleset *set;
	struct natty_rule *rule;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		rule = add_rule(test);
		rule->match = NATTY_MATCH_IIF;
		scnprintf(rule->iif, IFNAMSIZ, "x%u+", i);
	}
	set = compile(test);
	KUNIT_EXPECT_TRUE(test, natty_ruleset_gate(set, NATTY_CHAIN_PREROUTING,
						   f->dev[1]));
	natty_ruleset_free(set);
}

/* For people who compare; nothing is expected of the figures. */
static void cost_by_number_of_rules(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 100, RULES };
	struct fixture *f = test->priv;
	struct natty_tuple t = { .family = NFPROTO_IPV4, .proto = IPPROTO_UDP };
	struct natty_rule_key key = { .tuple = &t, .oif = f->dev[2] };
	struct natty_rule *rule = add_rule(test);
	struct natty_ruleset *set;
	u64 start, compiled, found;
	unsigned int i, size;

	/* The general rule first in memory, last in order. */
	for (size = 0; size < ARRAY_SIZE(sizes); size++) {
		while (f->n < sizes[size]) {
			f->rule[f->n - 1] = natty_rule_alloc();
			KUNIT_ASSERT_NOT_NULL(test, f->rule[f->n - 1]);
			f->rule[f->n - 1]->family = NFPROTO_IPV4;
			f->rule[f->n - 1]->match = NATTY_MATCH_SRC | NATTY_MATCH_OIF;
			strscpy(f->rule[f->n - 1]->oif, "wan0", IFNAMSIZ);
			f->rule[f->n - 1]->src.ip = htonl(0x0b000000 + f->n);
			f->rule[f->n - 1]->src_len = 32;
			f->rule[f->n++] = rule;
		}
		rule->family = NFPROTO_IPV4;
		rule->match = NATTY_MATCH_SRC | NATTY_MATCH_OIF;
		strscpy(rule->oif, "wan0", IFNAMSIZ);
		rule->src.ip = htonl(0x0a000000);
		rule->src_len = 8;
		start = ktime_get_ns();
		set = compile(test);
		compiled = ktime_get_ns() - start;
		start = ktime_get_ns();
		for (i = 0; i < 100000; i++) {
			t.src.addr.ip = htonl(0x0a000000 + i % 2000);
			natty_ruleset_find(set, &key);
		}
		found = ktime_get_ns() - start;
		natty_ruleset_free(set);
		kunit_info(test, "%u rules: compile %llu us, find %llu ns\n",
			   sizes[size], div_u64(compiled, 1000),
			   div_u64(found, 100000));
	}
}

static struct kunit_case ruleset_test_cases[] = {
	KUNIT_CASE(no_rules_match_nothing),
	KUNIT_CASE(small_sets_agree_with_linear_search),
	KUNIT_CASE(large_sets_agree_with_linear_search),
	KUNIT_CASE(hosts_before_a_network),
	KUNIT_CASE(port_ranges_agree_with_linear_search),
	KUNIT_CASE(disjoint_ranges_are_found),
	KUNIT_CASE(gate_passes_what_rules_match),
	KUNIT_CASE(gate_knows_a_name_until_told_to_forget),
	KUNIT_CASE(gate_opens_for_many_wildcards),
	KUNIT_CASE(cost_by_number_of_rules),
	{}
};

static struct kunit_suite natty_ruleset_suite = {
	.name = "natty_ruleset",
	.init = ruleset_test_init,
	.exit = ruleset_test_exit,
	.test_cases = ruleset_test_cases,
};

kunit_test_suite(natty_ruleset_suite);
