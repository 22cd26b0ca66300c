// SPDX-License-Identifier: GPL-2.0
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <net/addrconf.h>
#include <net/route.h>

#include "choice.h"
#include "netns.h"
#include "presence.h"

/* Most addresses of a pool that one new flow tries. */
#define ADDRS_MAX	1024

/* For how long fewer do after a new host has tried that many in vain. */
#define ADDRS_FEW	32
#define ADDRS_PAUSE	(HZ / 10)

/*
 * nf_nat spreads flows over a range of addresses by an unkeyed hash, so that a
 * host keeps its address over a restart of the router and behind its twin;
 * profile iptables must come to the same.
 */
static noinline u32 hash_as_iptables(const struct natty_tuple *t, bool with_dst,
				     const union nf_inet_addr *upper)
{
	unsigned int last = t->family == NFPROTO_IPV4 ? 0 : 3, i;
	u32 src[4] = {}, hash;

	memcpy(src, &t->src.addr, (last + 1) * sizeof(*src));
	hash = jhash2(src, ARRAY_SIZE(src), with_dst ? t->dst.addr.all[last] : 0);
	for (i = 0; with_dst && i < last; i++)
		hash ^= upper->all[i];
	return hash;
}

u32 natty_choice_hash(const struct natty_flow *flow, bool with_dst,
		      const union nf_inet_addr *upper)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	u32 seed = (u32)flow->table->key.key[0];

	if (natty_setting(flow->config, NATTY_SET_PROFILE) == NATTY_PROFILE_IPTABLES)
		return hash_as_iptables(t, with_dst, upper);
	if (with_dst)
		seed = natty_port_hash(t->family, &t->dst.addr, seed);
	return natty_port_hash(t->family, &t->src.addr, seed);
}

/* Where a host's addresses begin in the pool: the same for all its flows. */
static void choose_first(struct natty_choice *c, const struct natty_flow *flow)
{
	const struct natty_pool *pool = c->rule->pool;
	bool maps = natty_nat_mapping(flow, c->rule) !=
		    NATTY_BEHAVIOUR_ADDRESS_AND_PORT_DEPENDENT;
	bool paired = maps || c->rule->options & NATTY_OPTION_PERSISTENT;
	u32 hash = natty_choice_hash(flow, !paired, &flow->pkt.tuple.dst.addr);

	if (pool->size <= U32_MAX)
		c->first = reciprocal_scale(hash, pool->size);
	else
		c->first = hash;
	c->naddrs = min_t(u64, pool->size, ADDRS_MAX);
	/* RFC 7857 section 4: the host has no other address, if this one is full. */
	if (maps && !natty_setting(flow->config, NATTY_SET_POOL_SPILL)) {
		c->naddrs = 1;
		c->paired = pool->size > 1;
	}
}

/* Is the host one of the few that have another address than that of their hash? */
static void choose_pairing(struct natty_choice *c, const struct natty_flow *flow)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	union nf_inet_addr to;

	if (!natty_pairing_find(flow->nn, t->family, &t->src.addr, &c->req.addr,
				&to) ||
	    !natty_pool_contains(c->rule->pool, t->family, &to))
		return;
	c->home = c->req.addr;
	c->req.addr = to;
	c->deviates = true;
}

/*
 * The address that this host would use on the device towards that destination,
 * and none that it has elsewhere: that could be an internal one.
 */
static bool masquerade_addr(const struct natty_flow *flow,
			    const struct net_device *oif,
			    union nf_inet_addr *addr)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	const struct dst_entry *dst = skb_dst(flow->pkt.skb);
	struct net *net = flow->nn->net;
	__be32 nexthop = t->dst.addr.ip;
	struct in_device *in_dev;

	if (t->family == NFPROTO_IPV6)
		return !ipv6_dev_get_saddr(net, oif, &t->dst.addr.in6, 0,
					   &addr->in6) &&
		       ipv6_chk_addr(net, &addr->in6, oif, 1);
	/* Only where the packet is really routed that way is its gateway known. */
	if (dst && dst->dev == oif)
		nexthop = rt_nexthop((const struct rtable *)dst, nexthop);
	addr->ip = inet_select_addr(oif, nexthop, RT_SCOPE_UNIVERSE);
	in_dev = __in_dev_get_rcu(oif);
	return addr->ip && in_dev &&
	       inet_confirm_addr(net, in_dev, 0, addr->ip, RT_SCOPE_HOST);
}

enum natty_counter natty_choice_init(struct natty_choice *c, const struct natty_flow *flow,
				     const struct natty_rule *rule,
				 const struct net_device *oif)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	bool udp = t->proto == IPPROTO_UDP || t->proto == IPPROTO_UDPLITE;

	c->rule = rule;
	c->first = 0;
	c->naddrs = 1;
	c->paired = false;
	c->deviates = false;
	c->req.family = t->family;
	c->req.proto = t->proto;
	c->req.want = ntohs(t->src.port);
	c->req.host = &t->src.addr;
	c->req.random = rule->options & NATTY_OPTION_RANDOM;
	c->req.parity = udp && natty_setting(flow->config, NATTY_SET_PORT_PARITY);
	/* As nf_nat, which looks for a source among those it translates. */
	c->sticky = !c->req.random && natty_setting(flow->config, NATTY_SET_PROFILE) ==
				      NATTY_PROFILE_IPTABLES;
	c->req.min = rule->port_min;
	c->req.max = rule->port_max;
	if (rule->action == NATTY_ACTION_MASQUERADE)
		return masquerade_addr(flow, oif, &c->req.addr) ?
		       NATTY_DROP_NONE : NATTY_DROP_NO_ADDRESS;
	if (rule->pool->family != t->family)
		return NATTY_DROP_NO_ADDRESS;
	if (!c->req.min) {
		c->req.min = rule->pool->port_min;
		c->req.max = rule->pool->port_max;
	}
	choose_first(c, flow);
	if (c->paired && unlikely(natty_pairing_any(&flow->nn->pairings))) {
		natty_choice_addr(c, 0);
		choose_pairing(c, flow);
	}
	return NATTY_DROP_NONE;
}

void natty_choice_addr(struct natty_choice *c, u64 i)
{
	u64 at = c->first + i;

	if (c->rule->action == NATTY_ACTION_MASQUERADE || c->deviates)
		return;
	if (at >= c->rule->pool->size)
		at -= c->rule->pool->size;
	natty_pool_addr(c->rule->pool, at, &c->req.addr);
}

/* Of the address that the host is paired with, if it still is. */
static int take_paired(const struct natty_flow *flow, struct natty_choice *c,
		       struct natty_draft *draft)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	int port;

	if (natty_pairing_join(flow->nn, t->family, &t->src.addr, &c->home,
			       &c->req.addr, false)) {
		c->deviates = false;
		c->req.addr = c->home;
		return natty_port_take(flow->nn, &c->req);
	}
	port = natty_port_take(flow->nn, &c->req);
	if (port < 0)
		natty_pairing_leave(flow->nn, t->family, &t->src.addr,
				    &c->req.addr);
	else
		draft->flags |= BIT(NATTY_CONN_PAIRED);
	return port;
}

/* Any address of the pool but the host's own one that has a port. */
static int take_other(const struct natty_flow *flow, struct natty_choice *c)
{
	unsigned long vain = READ_ONCE(flow->nn->pairings.vain);
	u64 others = c->rule->pool->size - 1, n, i, at;
	int port = -ENOSPC;

	n = min_t(u64, others, ADDRS_MAX);
	if (vain && time_before(jiffies, vain + ADDRS_PAUSE))
		n = min_t(u64, n, ADDRS_FEW);
	at = reciprocal_scale(get_random_u32(), min_t(u64, others, U32_MAX));
	for (i = 0; i < n && port == -ENOSPC; i++) {
		natty_choice_addr(c, 1 + at);
		port = natty_port_take(flow->nn, &c->req);
		at = at + 1 == others ? 0 : at + 1;
	}
	if (port == -ENOSPC && n > ADDRS_FEW)
		WRITE_ONCE(flow->nn->pairings.vain, jiffies ?: 1);
	return port;
}

/*
 * The host's address is full. If it has no mapping it may as well have another
 * one, which it keeps for all protocols as long as it has mappings.
 */
static int take_elsewhere(const struct natty_flow *flow, struct natty_choice *c,
			  struct natty_draft *draft)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	union nf_inet_addr home = c->req.addr;
	int port, err;

	if (!natty_presence_lacks(flow->nn, t->family, &home, &t->src.addr))
		return -ENOSPC;
	port = take_other(flow, c);
	if (port >= 0) {
		err = natty_pairing_join(flow->nn, t->family, &t->src.addr, &home,
					 &c->req.addr, true);
		if (!err) {
			c->home = home;
			c->deviates = true;
			draft->flags |= BIT(NATTY_CONN_PAIRED);
			return port;
		}
		natty_port_put(flow->nn, t->family, t->proto, &c->req.addr, port);
		port = err;
	}
	c->req.addr = home;
	if (port != -EEXIST)
		return port;
	/* Another CPU has just paired it. */
	choose_pairing(c, flow);
	return c->deviates ? take_paired(flow, c, draft) : -ENOSPC;
}

static int take_port(const struct natty_flow *flow, struct natty_choice *c,
		     struct natty_draft *draft)
{
	int port = -ENOSPC;
	u64 i;

	if (unlikely(c->deviates)) {
		port = take_paired(flow, c, draft);
	} else {
		for (i = 0; i < c->naddrs && port == -ENOSPC; i++) {
			natty_choice_addr(c, i);
			port = natty_port_take(flow->nn, &c->req);
		}
	}
	if (unlikely(port == -ENOSPC) && c->paired && !c->deviates)
		port = take_elsewhere(flow, c, draft);
	return port;
}

enum natty_counter natty_choice_take(const struct natty_flow *flow,
				     struct natty_choice *c, struct natty_draft *draft)
{
	u32 limit = natty_setting(flow->config, NATTY_SET_LIMIT_HOST_PORTS);
	const struct natty_tuple *t = &flow->pkt.tuple;
	int port;

	if (limit && natty_host_charge(flow->nn, t->family, &t->src.addr,
				       NATTY_HOST_PORTS, limit, 0))
		return NATTY_DROP_LIMIT_HOST;
	port = take_port(flow, c, draft);
	if (port >= 0) {
		draft->new_src.addr = c->req.addr;
		draft->new_src.port = htons(port);
		natty_table_prefetch_external(flow->table, t->proto,
					      &draft->new_src);
		if (limit)
			draft->flags |= BIT(NATTY_CONN_PORT_COUNTED);
		return NATTY_DROP_NONE;
	}
	if (limit)
		natty_host_uncharge(flow->nn, t->family, &t->src.addr,
				    NATTY_HOST_PORTS);
	return port == -ENOSPC ? NATTY_DROP_NO_PORT : NATTY_DROP_NO_MEMORY;
}

void natty_choice_put(const struct natty_flow *flow, struct natty_draft *draft)
{
	const struct natty_tuple *t = &flow->pkt.tuple;

	natty_port_put(flow->nn, t->family, t->proto, &draft->new_src.addr,
		       ntohs(draft->new_src.port));
	if (draft->flags & BIT(NATTY_CONN_PORT_COUNTED))
		natty_host_uncharge(flow->nn, t->family, &t->src.addr,
				    NATTY_HOST_PORTS);
	if (draft->flags & BIT(NATTY_CONN_PAIRED))
		natty_pairing_leave(flow->nn, t->family, &t->src.addr,
				    &draft->new_src.addr);
	draft->flags &= ~(BIT(NATTY_CONN_PORT_COUNTED) | BIT(NATTY_CONN_PAIRED));
}
