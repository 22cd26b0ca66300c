// SPDX-License-Identifier: GPL-2.0
/* Requests about pools. */

#include <linux/ctype.h>
#include <linux/mm.h>

#include "config.h"
#include "netlink.h"
#include "txn.h"

/* Ranges, as they come out of a request. */
struct ranges {
	struct natty_pool_range *range;
	unsigned int n;
	u8 family;
	const struct nlattr *first;
};

static int get_range(struct ranges *ranges, const struct nlattr *nest,
		     struct netlink_ext_ack *extack)
{
	struct natty_pool_range *range = &ranges->range[ranges->n++];
	struct nlattr *tb[NATTY_A_RANGE_ADDR_MAX + 1];
	int err;

	err = nla_parse_nested(tb, NATTY_A_RANGE_ADDR_MAX, nest,
			       natty_range_nl_policy, extack);
	if (err)
		return err;
	if (NL_REQ_ATTR_CHECK(extack, nest, tb, NATTY_A_RANGE_ADDR_MIN)) {
		NL_SET_ERR_MSG(extack, "a range needs an address");
		return -EINVAL;
	}
	err = natty_nl_get_addr(tb[NATTY_A_RANGE_ADDR_MIN], &ranges->family,
				&range->min, extack);
	range->max = range->min;
	if (!err && tb[NATTY_A_RANGE_ADDR_MAX])
		err = natty_nl_get_addr(tb[NATTY_A_RANGE_ADDR_MAX],
					&ranges->family, &range->max, extack);
	/* IPv4 addresses are followed by zeros. */
	if (!err && memcmp(&range->min, &range->max, sizeof(range->min)) > 0) {
		NL_SET_ERR_MSG_ATTR(extack, tb[NATTY_A_RANGE_ADDR_MAX],
				    "address range: low end above high end");
		err = -EINVAL;
	}
	return err;
}

static int get_ranges(struct ranges *ranges, struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int n = 0;
	int rem, err = 0;

	nla_for_each_attr(attr, genlmsg_data(info->genlhdr),
			  genlmsg_len(info->genlhdr), rem)
		n += nla_type(attr) == NATTY_A_POOL_RANGE;
	ranges->range = kvcalloc(n + 1, sizeof(*ranges->range),
				 GFP_KERNEL_ACCOUNT);
	if (!ranges->range)
		return -ENOMEM;
	nla_for_each_attr(attr, genlmsg_data(info->genlhdr),
			  genlmsg_len(info->genlhdr), rem) {
		if (nla_type(attr) != NATTY_A_POOL_RANGE)
			continue;
		if (!ranges->first)
			ranges->first = attr;
		err = get_range(ranges, attr, info->extack);
		if (err)
			break;
	}
	return err;
}

static struct natty_pool *make_pool(const char *name,
				    const struct ranges *ranges,
				    struct genl_info *info)
{
	const struct nlattr *min = info->attrs[NATTY_A_POOL_PORT_MIN];
	const struct nlattr *max = info->attrs[NATTY_A_POOL_PORT_MAX];
	u16 port_min = 0, port_max = 0;
	struct natty_pool *pool;
	int err;

	if (!min && max) {
		NL_SET_ERR_MSG_ATTR(info->extack, max,
				    "end of port range without beginning");
		return ERR_PTR(-EINVAL);
	}
	if (min) {
		err = natty_nl_get_ports(min, max, &port_min, &port_max,
					 info->extack);
		if (err)
			return ERR_PTR(err);
	}
	pool = natty_pool_new(name, ranges->family, ranges->range, ranges->n,
			      port_min, port_max, info->extack);
	if (IS_ERR(pool) && ranges->first)
		NL_SET_BAD_ATTR(info->extack, ranges->first);
	return pool;
}

/* A name must stay one word in the configuration language. */
static int check_name(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *at = nla_data(attr);

	while (*at && !isspace(*at) && isprint(*at) && *at != '#' && *at != '"')
		at++;
	if (at != (const char *)nla_data(attr) && !*at)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "not a name for a pool");
	return -EINVAL;
}

static int set_pool(struct natty_config *config, struct natty_pool *pool,
		    struct genl_info *info)
{
	int err = natty_config_set_pool(config, pool);

	if (err == -EINVAL)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[NATTY_A_POOL_NAME],
				    "used by rules of the other address family");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "too many pools");
	return err;
}

/* The active pool of that name if it says the same, else the new one. */
static struct natty_pool *prefer_active(struct natty_net *nn,
					struct natty_pool *pool)
{
	struct natty_pool *active;

	active = natty_config_find_pool(natty_config_active(nn), pool->name);
	if (IS_ERR_OR_NULL(active) || !natty_pool_same(active, pool))
		return pool;
	natty_pool_get(active);
	natty_pool_put(pool);
	return active;
}

int natty_nl_pool_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *name = info->attrs[NATTY_A_POOL_NAME];
	struct natty_net *nn = natty_nl_net(skb);
	struct ranges ranges = {};
	struct natty_pool *pool;
	struct natty_edit edit;
	int err;

	err = natty_edit_begin(&edit, nn, info->snd_portid);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, NATTY_A_POOL_NAME)) {
		NL_SET_ERR_MSG(info->extack, "a pool needs a name");
		err = -EINVAL;
		goto out;
	}
	err = check_name(name, info->extack) ?: get_ranges(&ranges, info);
	if (err)
		goto out;
	pool = make_pool(nla_data(name), &ranges, info);
	if (IS_ERR(pool)) {
		err = PTR_ERR(pool);
		goto out;
	}
	pool = prefer_active(nn, pool);
	err = set_pool(edit.config, pool, info);
	if (err)
		natty_pool_put(pool);
out:
	kvfree(ranges.range);
	return natty_edit_end(&edit, err, info->extack);
}

static int del_pool(struct natty_config *config, struct genl_info *info)
{
	const struct nlattr *name = info->attrs[NATTY_A_POOL_NAME];
	struct natty_pool *pool = NULL;

	if (name)
		pool = natty_config_find_pool(config, nla_data(name));
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (name && !pool) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, name,
					"there is no pool %s",
					(const char *)nla_data(name));
		return -ENOENT;
	}
	if (natty_config_uses_pool(config, pool)) {
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "the pool is used by a rule");
		return -EBUSY;
	}
	natty_config_del_pool(config, pool);
	return 0;
}

int natty_nl_pool_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct natty_edit edit;
	int err;

	err = natty_edit_begin(&edit, natty_nl_net(skb), info->snd_portid);
	if (err)
		return err;
	err = del_pool(edit.config, info);
	return natty_edit_end(&edit, err, info->extack);
}

static int put_range(struct sk_buff *skb, u8 family,
		     const struct natty_pool_range *range)
{
	struct nlattr *nest = nla_nest_start(skb, NATTY_A_POOL_RANGE);

	if (!nest ||
	    natty_nl_put_addr(skb, NATTY_A_RANGE_ADDR_MIN, family,
			      &range->min) ||
	    natty_nl_put_addr(skb, NATTY_A_RANGE_ADDR_MAX, family, &range->max))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Ranges of one message: so many always fit. */
#define RANGES_MAX 64

/* Where a dump of pools goes on. */
struct pool_cursor {
	u32 i;
	u32 range;
};

/* Puts as many ranges of the pool as one message takes, and moves on. */
static int put_pool(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct natty_pool *pool, struct pool_cursor *at)
{
	void *hdr = natty_nl_dump_entry(skb, cb, NATTY_CMD_POOL_GET);
	u32 end = min_t(u32, pool->nranges, at->range + RANGES_MAX);
	unsigned int i;
	int err;

	if (!hdr)
		return -EMSGSIZE;
	err = nla_put_string(skb, NATTY_A_POOL_NAME, pool->name);
	for (i = at->range; i < end && !err; i++)
		err = put_range(skb, pool->family, &pool->range[i]);
	if (!err && pool->ports_given)
		err = nla_put_u16(skb, NATTY_A_POOL_PORT_MIN, pool->port_min) ?:
		      nla_put_u16(skb, NATTY_A_POOL_PORT_MAX, pool->port_max);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	genlmsg_end(skb, hdr);
	at->range = end;
	if (end == pool->nranges) {
		at->range = 0;
		at->i++;
	}
	return 0;
}

int natty_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct pool_cursor *at = (struct pool_cursor *)cb->ctx;
	const struct natty_config *config;

	rcu_read_lock();
	config = rcu_dereference(natty_nl_net(skb)->config);
	cb->seq = config->generation;
	while (at->i < config->npools) {
		/* The configuration may have changed since. */
		if (at->range >= config->pool[at->i]->nranges)
			at->range = 0;
		if (put_pool(skb, cb, config->pool[at->i], at))
			break;
	}
	rcu_read_unlock();
	return skb->len;
}
