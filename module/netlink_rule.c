// SPDX-License-Identifier: GPL-2.0
/* Requests about rules. */

#include "config.h"
#include "netlink.h"
#include "txn.h"

/* Let a rule use the pool that it names. */
static int bind_pool(struct natty_config *config, struct natty_rule *rule,
		     const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct natty_pool *pool;

	pool = natty_config_find_pool(config, nla_data(attr));
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (!pool) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "there is no pool %s",
					(const char *)nla_data(attr));
		return -ENOENT;
	}
	if (rule->family != NFPROTO_UNSPEC && rule->family != pool->family) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "IPv4 and IPv6 addresses are mixed");
		return -EINVAL;
	}
	rule->family = pool->family;
	natty_pool_get(pool);
	rule->pool = pool;
	return 0;
}

static int add_rule(struct natty_config *config, struct natty_rule *rule,
		    struct genl_info *info)
{
	const struct nlattr *position = info->attrs[NATTY_A_RULE_POSITION];
	const struct nlattr *pool = info->attrs[NATTY_A_RULE_POOL];
	int err = 0;

	if (pool)
		err = bind_pool(config, rule, pool, info->extack);
	if (err)
		return err;
	err = natty_config_add_rule(config, rule,
				    position ? nla_get_u32(position) : 0);
	if (err == -ERANGE)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, position,
					"no such position: %u comes after the last rule",
					config->nrules[rule->chain] + 1);
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "too many rules");
	return err;
}

int natty_nl_rule_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct natty_rule *rule = natty_rule_alloc();
	struct natty_edit edit;
	int err;

	if (!rule)
		return -ENOMEM;
	err = natty_edit_begin(&edit, natty_nl_net(skb), info->snd_portid);
	if (err)
		goto err_rule;
	err = natty_nl_get_rule(info->attrs, rule, info->extack) ?:
	      add_rule(edit.config, rule, info);
	if (err)
		natty_rule_put(rule);
	return natty_edit_end(&edit, err, info->extack);

err_rule:
	natty_rule_put(rule);
	return err;
}

static int del_by_id(struct natty_config *config, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	u32 id = nla_get_u32(attr), position;
	u8 chain;

	if (!id || !natty_config_find_rule(config, id, &chain, &position)) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "there is no rule %u", id);
		return -ENOENT;
	}
	natty_config_del_rules(config, chain, position, 1);
	return 0;
}

static int del_by_position(struct natty_config *config, u8 chain,
			   const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	u32 position = nla_get_u32(attr);

	if (position > config->nrules[chain]) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"no such position: the chain has %u",
					config->nrules[chain]);
		return -ENOENT;
	}
	natty_config_del_rules(config, chain, position, 1);
	return 0;
}

static int del_rules(struct natty_config *config, struct genl_info *info)
{
	const struct nlattr *id = info->attrs[NATTY_A_RULE_ID];
	const struct nlattr *chain = info->attrs[NATTY_A_RULE_CHAIN];
	const struct nlattr *position = info->attrs[NATTY_A_RULE_POSITION];
	unsigned int c;

	if (id && (chain || position)) {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "give either an id or a place");
		return -EINVAL;
	}
	if (position && !chain) {
		NL_SET_ERR_MSG_ATTR(info->extack, position,
				    "a position needs a chain");
		return -EINVAL;
	}
	if (id)
		return del_by_id(config, id, info->extack);
	if (position)
		return del_by_position(config, nla_get_u32(chain), position,
				       info->extack);
	for (c = 0; c < NATTY_CHAINS; c++)
		if (!chain || nla_get_u32(chain) == c)
			natty_config_del_rules(config, c, 1, config->nrules[c]);
	return 0;
}

int natty_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct natty_edit edit;
	int err;

	err = natty_edit_begin(&edit, natty_nl_net(skb), info->snd_portid);
	if (err)
		return err;
	err = del_rules(edit.config, info);
	return natty_edit_end(&edit, err, info->extack);
}

static int put_target(struct sk_buff *skb, const struct natty_rule *rule)
{
	switch (rule->action) {
	case NATTY_ACTION_SNAT:
		if (*rule->pool->name)
			return nla_put_string(skb, NATTY_A_RULE_POOL,
					      rule->pool->name);
		fallthrough;
	case NATTY_ACTION_DNAT:
		return natty_nl_put_addr(skb, NATTY_A_RULE_ADDR_MIN,
					 rule->family, &rule->addr_min) ?:
		       natty_nl_put_addr(skb, NATTY_A_RULE_ADDR_MAX,
					 rule->family, &rule->addr_max);
	case NATTY_ACTION_NETMAP:
		return natty_nl_put_addr(skb, NATTY_A_RULE_ADDR_MIN,
					 rule->family, &rule->addr_min) ?:
		       nla_put_u8(skb, NATTY_A_RULE_ADDR_LEN, rule->addr_len);
	default:
		return 0;
	}
}

static int put_action(struct sk_buff *skb, const struct natty_rule *rule)
{
	if (nla_put_u32(skb, NATTY_A_RULE_ACTION, rule->action) ||
	    put_target(skb, rule))
		return -EMSGSIZE;
	if (rule->port_min &&
	    (nla_put_u16(skb, NATTY_A_RULE_PORT_MIN, rule->port_min) ||
	     nla_put_u16(skb, NATTY_A_RULE_PORT_MAX, rule->port_max)))
		return -EMSGSIZE;
	if (rule->port_base &&
	    nla_put_u16(skb, NATTY_A_RULE_PORT_BASE, rule->port_base))
		return -EMSGSIZE;
	if (rule->options &&
	    nla_put_u32(skb, NATTY_A_RULE_OPTIONS, rule->options))
		return -EMSGSIZE;
	if (rule->mapping != NATTY_BEHAVIOUR_DEFAULT &&
	    nla_put_u32(skb, NATTY_A_RULE_MAPPING, rule->mapping))
		return -EMSGSIZE;
	if (rule->filtering != NATTY_BEHAVIOUR_DEFAULT &&
	    nla_put_u32(skb, NATTY_A_RULE_FILTERING, rule->filtering))
		return -EMSGSIZE;
	return 0;
}

static int put_rule(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct natty_rule *rule, u32 position)
{
	void *hdr = natty_nl_dump_entry(skb, cb, NATTY_CMD_RULE_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, NATTY_A_RULE_ID, rule->id) ||
	    nla_put_u32(skb, NATTY_A_RULE_CHAIN, rule->chain) ||
	    nla_put_u32(skb, NATTY_A_RULE_POSITION, position) ||
	    natty_nl_put_matches(skb, rule) || put_action(skb, rule) ||
	    natty_nl_put_u64(skb, NATTY_A_RULE_FLOWS, natty_rule_flows(rule))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Where a dump of rules goes on. */
struct rule_cursor {
	u32 chain;
	u32 i;
};

int natty_nl_rule_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rule_cursor *at = (struct rule_cursor *)cb->ctx;
	const struct natty_config *config;
	int err = 0;

	rcu_read_lock();
	config = rcu_dereference(natty_nl_net(skb)->config);
	cb->seq = config->generation;
	for (; at->chain < NATTY_CHAINS; at->chain++, at->i = 0) {
		for (; at->i < config->nrules[at->chain]; at->i++) {
			err = put_rule(skb, cb, config->rule[at->chain][at->i],
				       at->i + 1);
			if (err)
				goto out;
		}
	}
out:
	rcu_read_unlock();
	return skb->len;
}
