// SPDX-License-Identifier: GPL-2.0
/* A rule from netlink attributes: which action takes what, and where. */

#include <linux/err.h>

#include "netlink.h"
#include "pool.h"
#include "rule.h"

/* What an action takes. */
enum {
	TAKES_ADDR = BIT(0),	/* an address or range */
	TAKES_PREFIX = BIT(1),	/* a network */
	TAKES_PORTS = BIT(2),
	TAKES_POOL = BIT(3),
	TAKES_BEHAVIOUR = BIT(4),
	TAKES_BASE = BIT(5),	/* a port that becomes the first of its ports */
};

#define PRE	BIT(NATTY_CHAIN_PREROUTING)
#define POST	BIT(NATTY_CHAIN_POSTROUTING)
#define OUT	BIT(NATTY_CHAIN_OUTPUT)
#define IN	BIT(NATTY_CHAIN_INPUT)

/**
 * struct action - what an action is
 * @name: as in the configuration language
 * @chains: bits of the chains where it is possible
 * @takes: TAKES_*
 * @options: NATTY_OPTION_* that it takes
 */
struct action {
	const char *name;
	u8 chains;
	u8 takes;
	u8 options;
};

static const struct action actions[] = {
	[NATTY_ACTION_ACCEPT] = {
		.name = "accept",
		.chains = PRE | POST | OUT | IN,
	},
	[NATTY_ACTION_MASQUERADE] = {
		.name = "masquerade",
		.chains = POST,
		.takes = TAKES_PORTS | TAKES_BEHAVIOUR,
		.options = NATTY_OPTION_RANDOM,
	},
	[NATTY_ACTION_SNAT] = {
		.name = "snat",
		.chains = POST | IN,
		.takes = TAKES_ADDR | TAKES_PORTS | TAKES_POOL | TAKES_BEHAVIOUR,
		.options = NATTY_OPTION_RANDOM | NATTY_OPTION_PERSISTENT,
	},
	[NATTY_ACTION_DNAT] = {
		.name = "dnat",
		.chains = PRE | OUT,
		.takes = TAKES_ADDR | TAKES_PORTS | TAKES_BASE,
		.options = NATTY_OPTION_RANDOM | NATTY_OPTION_PERSISTENT,
	},
	[NATTY_ACTION_REDIRECT] = {
		.name = "redirect",
		.chains = PRE | OUT,
		.takes = TAKES_PORTS,
		.options = NATTY_OPTION_RANDOM,
	},
	[NATTY_ACTION_NETMAP] = {
		.name = "netmap",
		.chains = PRE | POST | OUT | IN,
		.takes = TAKES_PREFIX,
	},
};

static const char * const chain_names[] = {
	[NATTY_CHAIN_PREROUTING] = "prerouting",
	[NATTY_CHAIN_POSTROUTING] = "postrouting",
	[NATTY_CHAIN_OUTPUT] = "output",
	[NATTY_CHAIN_INPUT] = "input",
};

static int check_chain(struct nlattr **tb, const struct natty_rule *rule,
		       struct netlink_ext_ack *extack)
{
	const struct action *action = &actions[rule->action];
	const char *chain = chain_names[rule->chain];

	if (!(action->chains & BIT(rule->chain))) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, tb[NATTY_A_RULE_ACTION],
					"%s is not possible in chain %s",
					action->name, chain);
		return -EINVAL;
	}
	if (tb[NATTY_A_RULE_IIF] && rule->chain == NATTY_CHAIN_OUTPUT) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, tb[NATTY_A_RULE_IIF],
					"iif is not known in chain %s", chain);
		return -EINVAL;
	}
	if (tb[NATTY_A_RULE_OIF] && (BIT(rule->chain) & (PRE | IN))) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, tb[NATTY_A_RULE_OIF],
					"oif is not known in chain %s", chain);
		return -EINVAL;
	}
	return 0;
}

/* Matches on ports need a protocol that has them. */
static int check_proto(struct nlattr **tb, const struct natty_rule *rule,
		       struct netlink_ext_ack *extack)
{
	u32 ports = rule->match & (NATTY_MATCH_SPORT | NATTY_MATCH_DPORT);
	bool given = rule->match & ~rule->invert & NATTY_MATCH_PROTO;

	if (ports && (!given || !natty_proto_has_ports(rule->proto) ||
		      natty_proto_is_icmp(rule->proto))) {
		NL_SET_ERR_MSG_ATTR(extack,
				    tb[NATTY_A_RULE_SPORT_MIN] ?:
				    tb[NATTY_A_RULE_DPORT_MIN],
				    "needs proto tcp, udp, udplite, sctp or dccp");
		return -EINVAL;
	}
	if (rule->port_min && given && !natty_proto_has_ports(rule->proto)) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, tb[NATTY_A_RULE_PORT_MIN],
					"protocol %u has no ports",
					rule->proto);
		return -EINVAL;
	}
	return 0;
}

static int refuse(const struct nlattr *attr, const struct action *action,
		  const char *what, struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "%s takes no %s", action->name,
				what);
	return -EINVAL;
}

/* Refuse what the action does not take. */
static int check_takes(struct nlattr **tb, const struct natty_rule *rule,
		       struct netlink_ext_ack *extack)
{
	const struct action *action = &actions[rule->action];
	u8 takes = action->takes;
	int err = 0;

	if (!(takes & (TAKES_ADDR | TAKES_PREFIX)))
		err = refuse(tb[NATTY_A_RULE_ADDR_MIN], action, "address",
			     extack);
	if (!err && !(takes & TAKES_ADDR))
		err = refuse(tb[NATTY_A_RULE_ADDR_MAX], action, "address range",
			     extack);
	if (!err && !(takes & TAKES_PREFIX))
		err = refuse(tb[NATTY_A_RULE_ADDR_LEN], action, "prefix", extack);
	if (!err && !(takes & TAKES_PORTS))
		err = refuse(tb[NATTY_A_RULE_PORT_MIN] ?:
			     tb[NATTY_A_RULE_PORT_MAX], action, "ports", extack);
	if (!err && !(takes & TAKES_BASE))
		err = refuse(tb[NATTY_A_RULE_PORT_BASE], action, "base port",
			     extack);
	if (!err && !(takes & TAKES_POOL))
		err = refuse(tb[NATTY_A_RULE_POOL], action, "pool", extack);
	if (!err && !(takes & TAKES_BEHAVIOUR))
		err = refuse(tb[NATTY_A_RULE_MAPPING], action, "mapping",
			     extack) ?:
		      refuse(tb[NATTY_A_RULE_FILTERING], action, "filtering",
			     extack);
	if (!err && rule->options & ~(u32)action->options)
		err = refuse(tb[NATTY_A_RULE_OPTIONS], action,
			     rule->options & ~(u32)action->options &
			     NATTY_OPTION_RANDOM ? "random" : "persistent",
			     extack);
	return err;
}

/* The address or range of snat and dnat. */
static int get_range(struct nlattr **tb, struct natty_rule *rule,
		     struct netlink_ext_ack *extack)
{
	const struct nlattr *max = tb[NATTY_A_RULE_ADDR_MAX];
	int err;

	err = natty_nl_get_addr(tb[NATTY_A_RULE_ADDR_MIN], &rule->family,
				&rule->addr_min, extack);
	if (err)
		return err;
	rule->addr_max = rule->addr_min;
	if (max) {
		err = natty_nl_get_addr(max, &rule->family, &rule->addr_max,
					extack);
		if (err)
			return err;
	}
	/* IPv4 addresses are followed by zeros. */
	if (memcmp(&rule->addr_min, &rule->addr_max,
		   sizeof(rule->addr_min)) > 0) {
		NL_SET_ERR_MSG_ATTR(extack, max,
				    "address range: low end above high end");
		return -EINVAL;
	}
	return 0;
}

static bool is_unicast(u8 family, const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return addr->ip && !ipv4_is_multicast(addr->ip) &&
		       !ipv4_is_lbcast(addr->ip);
	return !ipv6_addr_any(&addr->in6) && !ipv6_addr_is_multicast(&addr->in6);
}

/* The addresses of dnat; those of snat are checked by natty_pool_new(). */
static int check_target(struct nlattr **tb, const struct natty_rule *rule,
			struct netlink_ext_ack *extack)
{
	if (is_unicast(rule->family, &rule->addr_min) &&
	    is_unicast(rule->family, &rule->addr_max))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[NATTY_A_RULE_ADDR_MIN],
			    "not the address of a host");
	return -EINVAL;
}

/* The pool of a rule that gives its addresses itself. */
static int make_pool(struct nlattr **tb, struct natty_rule *rule,
		     struct netlink_ext_ack *extack)
{
	struct natty_pool_range range = {
		.min = rule->addr_min,
		.max = rule->addr_max,
	};
	struct natty_pool *pool;

	pool = natty_pool_new("", rule->family, &range, 1, rule->port_min,
			      rule->port_max, extack);
	if (IS_ERR(pool)) {
		NL_SET_BAD_ATTR(extack, tb[NATTY_A_RULE_ADDR_MIN]);
		return PTR_ERR(pool);
	}
	rule->pool = pool;
	return 0;
}

static int need(const struct nlattr *attr, const char *what,
		const struct action *action, struct netlink_ext_ack *extack)
{
	if (attr)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "%s needs %s", action->name, what);
	return -EINVAL;
}

static int get_snat(struct nlattr **tb, struct natty_rule *rule,
		    struct netlink_ext_ack *extack)
{
	const struct nlattr *pool = tb[NATTY_A_RULE_POOL];
	const struct nlattr *own;
	int err;

	if (!pool) {
		err = need(tb[NATTY_A_RULE_ADDR_MIN], "an address or a pool",
			   &actions[rule->action], extack);
		return err ?: get_range(tb, rule, extack) ?:
			      make_pool(tb, rule, extack);
	}
	own = tb[NATTY_A_RULE_ADDR_MIN] ?: tb[NATTY_A_RULE_ADDR_MAX] ?:
	      tb[NATTY_A_RULE_PORT_MIN] ?: tb[NATTY_A_RULE_PORT_MAX];
	if (!own)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, own,
			    "addresses and ports are those of the pool");
	return -EINVAL;
}

/* What the action does with addresses. */
static int get_addresses(struct nlattr **tb, struct natty_rule *rule,
			 struct netlink_ext_ack *extack)
{
	const struct action *action = &actions[rule->action];

	switch (rule->action) {
	case NATTY_ACTION_SNAT:
		return get_snat(tb, rule, extack);
	case NATTY_ACTION_DNAT:
		return need(tb[NATTY_A_RULE_ADDR_MIN], "an address", action,
			    extack) ?:
		       get_range(tb, rule, extack) ?:
		       check_target(tb, rule, extack);
	case NATTY_ACTION_NETMAP:
		return need(tb[NATTY_A_RULE_ADDR_MIN], "a network", action,
			    extack) ?:
		       natty_nl_get_prefix(tb[NATTY_A_RULE_ADDR_MIN],
					   tb[NATTY_A_RULE_ADDR_LEN],
					   &rule->family, &rule->addr_min,
					   &rule->addr_len, extack);
	default:
		return 0;
	}
}

static int get_ports(struct nlattr **tb, struct natty_rule *rule,
		     struct netlink_ext_ack *extack)
{
	const struct nlattr *min = tb[NATTY_A_RULE_PORT_MIN];
	const struct nlattr *max = tb[NATTY_A_RULE_PORT_MAX];

	if (min)
		return natty_nl_get_ports(min, max, &rule->port_min,
					  &rule->port_max, extack);
	if (!max)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, max, "end of port range without beginning");
	return -EINVAL;
}

/* The base of a range of ports. It leaves nothing to chance. */
static int get_base(struct nlattr **tb, struct natty_rule *rule,
		    struct netlink_ext_ack *extack)
{
	const struct nlattr *base = tb[NATTY_A_RULE_PORT_BASE];

	if (!base)
		return 0;
	rule->port_base = nla_get_u16(base);
	if (rule->port_min == rule->port_max) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, base,
					"base port %u: needs a range of ports",
					rule->port_base);
		return -EINVAL;
	}
	if (!(rule->options & NATTY_OPTION_RANDOM))
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, tb[NATTY_A_RULE_OPTIONS],
				"random: base port %u decides which port",
				rule->port_base);
	return -EINVAL;
}

static void get_behaviour(struct nlattr **tb, struct natty_rule *rule)
{
	if (tb[NATTY_A_RULE_OPTIONS])
		rule->options = nla_get_u32(tb[NATTY_A_RULE_OPTIONS]);
	if (tb[NATTY_A_RULE_MAPPING])
		rule->mapping = nla_get_u32(tb[NATTY_A_RULE_MAPPING]);
	if (tb[NATTY_A_RULE_FILTERING])
		rule->filtering = nla_get_u32(tb[NATTY_A_RULE_FILTERING]);
}

int natty_nl_get_rule(struct nlattr **tb, struct natty_rule *rule,
		      struct netlink_ext_ack *extack)
{
	if (NL_REQ_ATTR_CHECK(extack, NULL, tb, NATTY_A_RULE_CHAIN)) {
		NL_SET_ERR_MSG(extack, "a rule needs a chain");
		return -EINVAL;
	}
	if (NL_REQ_ATTR_CHECK(extack, NULL, tb, NATTY_A_RULE_ACTION)) {
		NL_SET_ERR_MSG(extack, "a rule needs an action");
		return -EINVAL;
	}
	rule->chain = nla_get_u32(tb[NATTY_A_RULE_CHAIN]);
	rule->action = nla_get_u32(tb[NATTY_A_RULE_ACTION]);
	get_behaviour(tb, rule);
	return check_chain(tb, rule, extack) ?:
	       check_takes(tb, rule, extack) ?:
	       natty_nl_get_matches(tb, rule, extack) ?:
	       get_ports(tb, rule, extack) ?:
	       get_base(tb, rule, extack) ?:
	       check_proto(tb, rule, extack) ?:
	       get_addresses(tb, rule, extack);
}
