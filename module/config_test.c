// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <net/netlink.h>

#include "config.h"
#include "netlink.h"

/* How many of a thing make a quadratic cost show. */
#define MANY 20000

static struct natty_config *config;
static struct netlink_ext_ack extack;

static int config_test_init(struct kunit *test)
{
	static const struct natty_config base = { .generation = 7, .next_id = 1 };

	memset(&extack, 0, sizeof(extack));
	config = natty_config_blank(&base);
	KUNIT_ASSERT_NOT_NULL(test, config);
	return 0;
}

static void config_test_exit(struct kunit *test)
{
	if (config)
		natty_config_free(config);
}

static struct natty_rule *add_rule(struct kunit *test, u32 position, u32 mark)
{
	struct natty_rule *rule = natty_rule_alloc();

	KUNIT_ASSERT_NOT_NULL(test, rule);
	rule->chain = NATTY_CHAIN_OUTPUT;
	rule->mark = mark;
	KUNIT_ASSERT_EQ(test, natty_config_add_rule(config, rule, position), 0);
	return rule;
}

static u32 mark_at(unsigned int i)
{
	return config->rule[NATTY_CHAIN_OUTPUT][i]->mark;
}

static void rules_go_where_they_are_put(struct kunit *test)
{
	struct natty_rule *rule;

	add_rule(test, 0, 20);
	add_rule(test, 1, 10);
	add_rule(test, 3, 40);
	add_rule(test, 3, 30);

	KUNIT_ASSERT_EQ(test, config->nrules[NATTY_CHAIN_OUTPUT], 4);
	KUNIT_EXPECT_EQ(test, mark_at(0), 10);
	KUNIT_EXPECT_EQ(test, mark_at(1), 20);
	KUNIT_EXPECT_EQ(test, mark_at(2), 30);
	KUNIT_EXPECT_EQ(test, mark_at(3), 40);

	rule = natty_rule_alloc();
	KUNIT_ASSERT_NOT_NULL(test, rule);
	rule->chain = NATTY_CHAIN_OUTPUT;
	KUNIT_EXPECT_EQ(test, natty_config_add_rule(config, rule, 6), -ERANGE);
	natty_rule_put(rule);
}

static void rules_are_deleted_in_place(struct kunit *test)
{
	u32 position;
	u8 chain;
	int i;

	for (i = 1; i <= 5; i++)
		add_rule(test, 0, i)->id = 100 + i;
	KUNIT_ASSERT_TRUE(test, natty_config_find_rule(config, 103, &chain,
						       &position));
	KUNIT_EXPECT_EQ(test, chain, NATTY_CHAIN_OUTPUT);
	KUNIT_EXPECT_EQ(test, position, 3);
	natty_config_del_rules(config, chain, position, 2);

	KUNIT_ASSERT_EQ(test, config->nrules[NATTY_CHAIN_OUTPUT], 3);
	KUNIT_EXPECT_EQ(test, mark_at(1), 2);
	KUNIT_EXPECT_EQ(test, mark_at(2), 5);
	KUNIT_EXPECT_FALSE(test, natty_config_find_rule(config, 103, &chain,
							&position));
}

static struct natty_pool *new_pool(struct kunit *test, const char *name, u8 last)
{
	struct natty_pool_range range = {
		.min.ip = htonl(0xcb007100 + last),
		.max.ip = htonl(0xcb007100 + last),
	};
	struct natty_pool *pool;

	pool = natty_pool_new(name, NFPROTO_IPV4, &range, 1, 0, 0, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

static void a_new_pool_replaces_the_old_in_rules(struct kunit *test)
{
	struct natty_pool *old = new_pool(test, "isp", 1);
	struct natty_pool *new = new_pool(test, "isp", 2);
	struct natty_rule *rule, *now;

	KUNIT_ASSERT_EQ(test, natty_config_set_pool(config, old), 0);
	rule = add_rule(test, 0, 5);
	rule->id = 77;
	natty_pool_get(old);
	rule->pool = old;

	KUNIT_EXPECT_TRUE(test, natty_config_uses_pool(config, old));
	KUNIT_ASSERT_EQ(test, natty_config_set_pool(config, new), 0);
	now = config->rule[NATTY_CHAIN_OUTPUT][0];
	KUNIT_EXPECT_PTR_EQ(test, now->pool, new);
	KUNIT_EXPECT_PTR_NE(test, now, rule);
	KUNIT_EXPECT_EQ(test, now->id, 77);
	KUNIT_EXPECT_EQ(test, config->npools, 1);
	KUNIT_EXPECT_EQ(test, config->nheirs, 1);
}

static void pools_are_found_by_name(struct kunit *test)
{
	char name[8];
	int i;

	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		KUNIT_ASSERT_EQ(test, natty_config_set_pool(config,
							    new_pool(test, name, i + 1)),
				0);
	}
	KUNIT_EXPECT_STREQ(test, natty_config_find_pool(config, "p42")->name, "p42");
	natty_config_del_pool(config, natty_config_find_pool(config, "p42"));
	KUNIT_EXPECT_NULL(test, natty_config_find_pool(config, "p42"));
	KUNIT_EXPECT_STREQ(test, natty_config_find_pool(config, "p99")->name, "p99");
	KUNIT_EXPECT_EQ(test, config->npools, 99);
}

static void set_forward(struct natty_forward *forward, u32 i)
{
	memset(forward, 0, sizeof(*forward));
	forward->family = NFPROTO_IPV4;
	forward->proto = IPPROTO_TCP;
	forward->ext.addr.ip = htonl(0xcb007100 + i / 10000);
	forward->ext.port = htons(1 + i % 10000);
	forward->inside.addr.ip = htonl(0x0a000000 + i);
	forward->inside.port = htons(80);
}

static void many_forwards_are_told_apart(struct kunit *test)
{
	struct natty_forward forward;
	u32 i;

	for (i = 0; i < MANY; i++) {
		set_forward(&forward, i);
		KUNIT_ASSERT_EQ(test, natty_config_add_forward(config, &forward), 0);
	}
	set_forward(&forward, MANY / 2);
	KUNIT_EXPECT_EQ(test, natty_config_add_forward(config, &forward), -EEXIST);
	forward.proto = IPPROTO_UDP;
	KUNIT_EXPECT_EQ(test, natty_config_add_forward(config, &forward), 0);
	KUNIT_EXPECT_EQ(test, config->nforwards, MANY + 1);
}

static void deleted_forwards_may_come_back(struct kunit *test)
{
	struct natty_forward forward;
	u32 i;

	for (i = 0; i < 10; i++) {
		set_forward(&forward, i);
		KUNIT_ASSERT_EQ(test, natty_config_add_forward(config, &forward), 0);
	}
	set_forward(&forward, 4);
	KUNIT_EXPECT_EQ(test, natty_config_del_forward(config, &forward), 0);
	KUNIT_EXPECT_EQ(test, natty_config_del_forward(config, &forward), -ENOENT);
	natty_config_settle(config);
	KUNIT_EXPECT_EQ(test, config->nforwards, 9);
	KUNIT_EXPECT_EQ(test, natty_config_find_forward(config, &forward), -1);
	KUNIT_EXPECT_EQ(test, natty_config_add_forward(config, &forward), 0);
	KUNIT_EXPECT_EQ(test, natty_config_find_forward(config, &forward), 9);
}

static void a_clone_is_independent(struct kunit *test)
{
	struct natty_config *clone;

	add_rule(test, 0, 1);
	clone = natty_config_clone(config);
	KUNIT_ASSERT_NOT_NULL(test, clone);
	natty_config_del_rules(config, NATTY_CHAIN_OUTPUT, 1, 1);

	KUNIT_EXPECT_EQ(test, config->nrules[NATTY_CHAIN_OUTPUT], 0);
	KUNIT_EXPECT_EQ(test, clone->nrules[NATTY_CHAIN_OUTPUT], 1);
	KUNIT_EXPECT_EQ(test, clone->rule[NATTY_CHAIN_OUTPUT][0]->mark, 1);
	KUNIT_EXPECT_EQ(test, clone->generation, config->generation);
	natty_config_free(clone);
}

static struct kunit_case config_test_cases[] = {
	KUNIT_CASE(rules_go_where_they_are_put),
	KUNIT_CASE(rules_are_deleted_in_place),
	KUNIT_CASE(a_new_pool_replaces_the_old_in_rules),
	KUNIT_CASE(pools_are_found_by_name),
	KUNIT_CASE(many_forwards_are_told_apart),
	KUNIT_CASE(deleted_forwards_may_come_back),
	KUNIT_CASE(a_clone_is_independent),
	{}
};

static struct kunit_suite natty_config_suite = {
	.name = "natty_config",
	.init = config_test_init,
	.exit = config_test_exit,
	.test_cases = config_test_cases,
};

kunit_test_suite(natty_config_suite);

/**
 * struct refusal - a rule that must be refused
 * @chain: of the rule
 * @action: of the rule
 * @attr: one more attribute
 * @value: its value
 * @len: of that
 * @bad: attribute that must be blamed; 0: any or none
 */
struct refusal {
	u32 chain;
	u32 action;
	u16 attr;
	const void *value;
	u16 len;
	u16 bad;
};

#define REFUSE(on, act, type, blamed, bytes) {				\
	NATTY_CHAIN_##on, NATTY_ACTION_##act, NATTY_A_RULE_##type,	\
	bytes, sizeof(bytes) - 1, NATTY_A_RULE_##blamed			\
}

static const struct refusal refusals[] = {
	REFUSE(PREROUTING, MASQUERADE, PROTO, ACTION, "\x06"),
	REFUSE(POSTROUTING, DNAT, ADDR_MIN, ACTION, "\x0a\x00\x00\x01"),
	REFUSE(PREROUTING, SNAT, ADDR_MIN, ACTION, "\x0a\x00\x00\x01"),
	REFUSE(INPUT, REDIRECT, PROTO, ACTION, "\x06"),
	REFUSE(PREROUTING, ACCEPT, OIF, OIF, "wan0\0"),
	REFUSE(INPUT, ACCEPT, OIF, OIF, "wan0\0"),
	REFUSE(OUTPUT, ACCEPT, IIF, IIF, "wan0\0"),
	REFUSE(OUTPUT, ACCEPT, OIF, OIF, "w n\0"),
	REFUSE(OUTPUT, ACCEPT, OIF, OIF, "\0"),
	REFUSE(OUTPUT, ACCEPT, SRC, SRC, "\x0a\x00\x00"),
	REFUSE(OUTPUT, ACCEPT, SRC_LEN, SRC_LEN, "\x08"),
	REFUSE(OUTPUT, ACCEPT, DPORT_MIN, DPORT_MIN, "\x50\x00"),
	REFUSE(OUTPUT, ACCEPT, PROTO, PROTO, "\x2c"),
	REFUSE(OUTPUT, ACCEPT, MARK_MASK, MARK_MASK, "\x01\x00\x00\x00"),
	REFUSE(OUTPUT, ACCEPT, INVERT, INVERT, "\x04\x00\x00\x00"),
	REFUSE(OUTPUT, ACCEPT, ADDR_MIN, ADDR_MIN, "\x0a\x00\x00\x01"),
	REFUSE(OUTPUT, ACCEPT, MAPPING, MAPPING, "\x00\x00\x00\x00"),
	REFUSE(OUTPUT, ACCEPT, POOL, POOL, "isp\0"),
	REFUSE(POSTROUTING, MASQUERADE, OPTIONS, OPTIONS, "\x02\x00\x00\x00"),
	REFUSE(POSTROUTING, MASQUERADE, PORT_MAX, PORT_MAX, "\x50\x00"),
	REFUSE(POSTROUTING, NETMAP, PORT_MIN, PORT_MIN, "\x50\x00"),
	REFUSE(POSTROUTING, SNAT, PORT_BASE, PORT_BASE, "\x50\x00"),
	REFUSE(PREROUTING, REDIRECT, PORT_BASE, PORT_BASE, "\x50\x00"),
	REFUSE(PREROUTING, DNAT, PORT_BASE, PORT_BASE, "\x50\x00"),
	REFUSE(POSTROUTING, SNAT, ADDR_MIN, ADDR_MIN, "\xe0\x00\x00\x01"),
	REFUSE(OUTPUT, DNAT, ADDR_MIN, ADDR_MIN, "\x00\x00\x00\x00"),
	{	/* An address is missing. */
		.chain = NATTY_CHAIN_OUTPUT,
		.action = NATTY_ACTION_DNAT,
		.attr = NATTY_A_RULE_OPTIONS,
		.value = "\x01\x00\x00\x00",
		.len = 4,
	},
};

/* An attribute table with one attribute more than chain and action. */
static void fill(struct kunit *test, struct nlattr **tb, const struct refusal *r)
{
	struct nlattr *attr;

	attr = kunit_kzalloc(test, nla_total_size(r->len), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, attr);
	attr->nla_type = r->attr;
	attr->nla_len = nla_attr_size(r->len);
	memcpy(nla_data(attr), r->value, r->len);
	tb[r->attr] = attr;
}

static void fill_u32(struct kunit *test, struct nlattr **tb, u16 attr, u32 value)
{
	const struct refusal number = {
		.attr = attr,
		.value = &value,
		.len = sizeof(value),
	};

	fill(test, tb, &number);
}

static void refuse(struct kunit *test, const struct refusal *r)
{
	struct nlattr *tb[NATTY_A_RULE_MAX + 1] = {};
	struct natty_rule *rule = natty_rule_alloc();

	KUNIT_ASSERT_NOT_NULL(test, rule);
	memset(&extack, 0, sizeof(extack));
	fill_u32(test, tb, NATTY_A_RULE_CHAIN, r->chain);
	fill_u32(test, tb, NATTY_A_RULE_ACTION, r->action);
	fill(test, tb, r);

	KUNIT_EXPECT_EQ(test, natty_nl_get_rule(tb, rule, &extack), -EINVAL);
	KUNIT_EXPECT_TRUE(test, extack._msg && *extack._msg);
	if (r->bad)
		KUNIT_EXPECT_PTR_EQ(test, extack.bad_attr, tb[r->bad]);
	natty_rule_put(rule);
}

static void refusals_blame_an_attribute(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		refuse(test, &refusals[i]);
}

static void a_whole_rule_is_read(struct kunit *test)
{
	static const struct refusal src = {
		.attr = NATTY_A_RULE_SRC, .value = "\x0a\x09\x00\x00", .len = 4,
	};
	static const struct refusal len = {
		.attr = NATTY_A_RULE_SRC_LEN, .value = "\x10", .len = 1,
	};
	static const struct refusal addr = {
		.attr = NATTY_A_RULE_ADDR_MIN, .value = "\xcb\x00\x71\x01", .len = 4,
	};
	struct nlattr *tb[NATTY_A_RULE_MAX + 1] = {};
	struct natty_rule *rule = natty_rule_alloc();

	KUNIT_ASSERT_NOT_NULL(test, rule);
	fill_u32(test, tb, NATTY_A_RULE_CHAIN, NATTY_CHAIN_POSTROUTING);
	fill_u32(test, tb, NATTY_A_RULE_ACTION, NATTY_ACTION_SNAT);
	fill_u32(test, tb, NATTY_A_RULE_OPTIONS, NATTY_OPTION_RANDOM);
	fill(test, tb, &src);
	fill(test, tb, &len);
	fill(test, tb, &addr);

	KUNIT_EXPECT_EQ(test, natty_nl_get_rule(tb, rule, &extack), 0);
	KUNIT_EXPECT_EQ(test, rule->family, NFPROTO_IPV4);
	KUNIT_EXPECT_EQ(test, rule->match, NATTY_MATCH_SRC);
	KUNIT_EXPECT_EQ(test, rule->src_len, 16);
	KUNIT_EXPECT_EQ(test, rule->options, NATTY_OPTION_RANDOM);
	KUNIT_EXPECT_EQ(test, rule->mapping, NATTY_BEHAVIOUR_DEFAULT);
	KUNIT_ASSERT_NOT_NULL(test, rule->pool);
	KUNIT_EXPECT_EQ(test, rule->pool->size, 1);
	natty_rule_put(rule);
}

static struct kunit_case statement_test_cases[] = {
	KUNIT_CASE(refusals_blame_an_attribute),
	KUNIT_CASE(a_whole_rule_is_read),
	{}
};

static struct kunit_suite natty_statement_suite = {
	.name = "natty_statement",
	.test_cases = statement_test_cases,
};

kunit_test_suite(natty_statement_suite);
