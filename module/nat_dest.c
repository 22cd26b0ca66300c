// SPDX-License-Identifier: GPL-2.0
#include <linux/inetdevice.h>
#include <linux/random.h>
#include <net/addrconf.h>
#include <net/route.h>

#include "choice.h"
#include "ifaddr.h"
#include "mapping.h"
#include "nat.h"
#include "netns.h"
#include "proto.h"
#include "syn.h"

/* Ports that are tried for the source where two destinations became one. */
#define CLASH_TRIES	16

/* Ports of a shifted range that are tried before, as many as by the kernel. */
#define SHIFT_TRIES	128

/* What a firewall may yet refuse takes up an eighth of the table at most. */
static bool has_embryo_room(struct natty_flow *flow)
{
	u32 limit = natty_setting(flow->config, NATTY_SET_LIMIT_CONNECTIONS) / 8;

	return (u32)atomic_read(&flow->nn->embryos) < limit ||
	       natty_gc_evict(flow->nn, flow->table->family);
}

/* Does a rule that gives ports change the flow's destination port? */
static bool gives_port(const struct natty_flow *flow,
		       const struct natty_rule *rule)
{
	u8 proto = flow->pkt.tuple.proto;

	return rule && rule->port_min && natty_proto_has_ports(proto) &&
	       !natty_proto_is_icmp(proto);
}

/* The port that the rule shifts the flow's to is taken: another of the range. */
static int publish_shifted(struct natty_flow *flow, struct natty_draft *draft,
			   struct natty_conn **conn)
{
	const struct natty_rule *rule = draft->rule;
	u16 port = ntohs(draft->orig.dst.port), nth, last;
	int err = -EEXIST;

	if (!gives_port(flow, rule) || !rule->port_base)
		return err;
	last = min(rule->port_max - rule->port_min, SHIFT_TRIES - 1);
	for (nth = 1; err == -EEXIST && nth <= last; nth++) {
		draft->new_dst.port = htons(natty_rule_shift(rule, port, nth));
		err = natty_nat_publish(flow, draft, conn);
	}
	return err;
}

static enum natty_counter publish(struct natty_flow *flow,
				  struct natty_draft *draft,
				  struct natty_conn **conn)
{
	union nf_inet_addr inside = draft->flags & BIT(NATTY_CONN_INBOUND) ?
				    draft->new_dst.addr : draft->orig.src.addr;
	enum natty_counter drop;
	enum natty_dir dir;
	int err, tries;

	if (!has_embryo_room(flow))
		return NATTY_DROP_LIMIT_CONNECTIONS;
	drop = natty_conn_room(flow->nn, draft->orig.family, &inside,
			       &flow->config->set, &draft->flags);
	if (drop)
		return drop;
	/* A firewall may yet refuse its first packet. */
	draft->flags |= BIT(NATTY_CONN_UNCONFIRMED);
	err = natty_nat_publish(flow, draft, conn);
	if (err == -EEXIST) {
		*conn = natty_table_find(flow->table, &draft->orig, true, &dir);
		if (*conn && dir == NATTY_DIR_ORIG) {
			natty_draft_drop(draft, flow->nn);
			err = 0;
			goto unroom;
		}
	}
	/*
	 * Two flows of one sender to different external destinations that are
	 * the same inside: the later one's source port must change, unless the
	 * rule has another port for it.
	 */
	if (err == -EEXIST)
		err = publish_shifted(flow, draft, conn);
	for (tries = 0; err == -EEXIST && draft->new_src.port &&
	     !(draft->flags & BIT(NATTY_CONN_SRC)) && tries < CLASH_TRIES; tries++) {
		draft->flags |= BIT(NATTY_CONN_SRC);
		draft->new_src.port =
			htons(1024 + reciprocal_scale(get_random_u32(), 64512));
		err = natty_nat_publish(flow, draft, conn);
		draft->flags &= ~BIT(NATTY_CONN_SRC);
	}
	if (!err)
		return NATTY_DROP_NONE;
unroom:
	natty_conn_unroom(flow->nn, draft->orig.family, &inside, &draft->flags);
	return natty_nat_drop(err);
}

/* Through a mapping, from outside. */
static enum natty_counter enter(struct natty_flow *flow,
				struct natty_conn *mapping,
				struct natty_conn **conn)
{
	struct natty_draft draft;
	enum natty_counter drop;

	if (!natty_mapping_get(mapping))
		return NATTY_DROP_DYING;
	natty_draft_init(&draft, flow);
	draft.dst_mapping = mapping;
	draft.flags = BIT(NATTY_CONN_DST) | BIT(NATTY_CONN_INBOUND);
	if (natty_conn_is(mapping, NATTY_CONN_MASQUERADE))
		draft.flags |= BIT(NATTY_CONN_MASQUERADE);
	draft.ifindex = flow->iif ? flow->iif->ifindex : 0;
	natty_conn_get_end(mapping, NATTY_END_ORIG_SRC, &draft.new_dst);
	drop = publish(flow, &draft, conn);
	if (drop)
		natty_draft_drop(&draft, flow->nn);
	else if (unlikely(natty_syn_any(&flow->nn->syns)))
		natty_syn_forget(flow->nn, &flow->pkt.tuple);
	return drop;
}

/*
 * The rule that would translate the packet's source if it went out where the
 * mapping's outside is: then it comes from inside, and is a hairpin.
 */
static struct natty_rule *hairpin_rule(const struct natty_flow *flow,
				       const struct natty_conn *mapping,
				       const struct net_device **oif)
{
	struct natty_rule_key key = {
		.net = flow->nn->net,
		.tuple = &flow->pkt.tuple,
		.mark = flow->pkt.skb->mark,
	};
	struct net *net = flow->nn->net;
	struct natty_rule *rule;

	*oif = mapping->ifindex ? dev_get_by_index_rcu(net, mapping->ifindex) :
	       natty_nat_addr_dev(net, mapping->family, &flow->pkt.tuple.dst.addr);
	if (!*oif || !flow->iif || (*oif)->ifindex == flow->iif->ifindex)
		return NULL;
	key.iif = flow->iif;
	key.oif = *oif;
	rule = natty_ruleset_find(flow->config->chain[NATTY_CHAIN_POSTROUTING],
				  &key);
	if (!rule || (rule->action != NATTY_ACTION_MASQUERADE &&
		      rule->action != NATTY_ACTION_SNAT))
		return NULL;
	return rule;
}

/*
 * From inside to the external endpoint of another internal host: both sides
 * are translated, so that the receiver sees the sender's external endpoint
 * (RFC 4787 REQ-9). If the receiver's filter refuses it, the connection stays
 * unconfirmed, but by it the sender's own filter is open (REQ-9a).
 */
static enum natty_counter hairpin(struct natty_flow *flow,
				  struct natty_conn *mapping,
				  struct natty_rule *rule,
				  const struct net_device *oif,
				  struct natty_conn **conn)
{
	struct natty_draft draft;
	enum natty_counter drop;

	natty_draft_init(&draft, flow);
	drop = natty_nat_outside(flow, rule, oif, &draft.mapping);
	if (drop)
		return drop;
	if (!natty_mapping_get(mapping)) {
		natty_draft_drop(&draft, flow->nn);
		return NATTY_DROP_DYING;
	}
	draft.dst_mapping = mapping;
	draft.flags = NATTY_CONN_BOTH;
	draft.rule = rule;
	draft.ifindex = oif->ifindex;
	natty_conn_get_end(draft.mapping, NATTY_END_NEW_SRC, &draft.new_src);
	natty_conn_get_end(mapping, NATTY_END_ORIG_SRC, &draft.new_dst);
	drop = publish(flow, &draft, conn);
	if (drop) {
		natty_draft_drop(&draft, flow->nn);
		return drop;
	}
	natty_count(flow->nn, NATTY_COUNT_HAIRPIN);
	if (natty_mapping_admits(flow->nn, mapping, &draft.new_src))
		return NATTY_DROP_NONE;
	/* The sender counts on its hole as on any that it makes (REQ-5). */
	natty_conn_refresh(*conn, natty_proto_lifetime(*conn, &flow->config->set));
	return NATTY_DROP_FILTERED;
}

/* To an external endpoint that a forward or a dynamic mapping has. */
static enum natty_counter to_mapping(struct natty_flow *flow,
				     struct natty_conn *mapping,
				     struct natty_conn **conn)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	const struct net_device *oif;
	struct natty_rule *rule;

	rule = hairpin_rule(flow, mapping, &oif);
	flow->hairpin = rule;
	if (rule && !natty_setting(flow->config, NATTY_SET_HAIRPIN))
		return NATTY_DROP_FILTERED;
	if (rule)
		return hairpin(flow, mapping, rule, oif, conn);
	if (natty_mapping_admits(flow->nn, mapping, &t->src))
		return enter(flow, mapping, conn);
	/* The host itself may have opened the port after the mapping was made. */
	if (natty_port_is_local(flow->nn->net, t->family, t->proto,
				&t->dst.addr, ntohs(t->dst.port)))
		return NATTY_DROP_NONE;
	natty_syn_hold(flow);
	return NATTY_DROP_FILTERED;
}

/* Spread flows over a range of destinations; one client, one destination. */
static void choose_dst_addr(const struct natty_flow *flow,
			    const struct natty_rule *rule,
			    union nf_inet_addr *addr)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	unsigned int last = t->family == NFPROTO_IPV4 ? 0 : 3;
	u32 lo = ntohl((__force __be32)rule->addr_min.all[last]);
	u32 hi = ntohl((__force __be32)rule->addr_max.all[last]);
	u32 hash;

	*addr = rule->addr_min;
	if (natty_addr_equal(t->family, &rule->addr_min, &rule->addr_max))
		return;
	hash = natty_choice_hash(flow, !(rule->options & NATTY_OPTION_PERSISTENT),
				 &rule->addr_min);
	if (rule->options & NATTY_OPTION_RANDOM &&
	    natty_setting(flow->config, NATTY_SET_PROFILE) != NATTY_PROFILE_IPTABLES)
		hash = get_random_u32();
	/* Ranges of IPv6 addresses vary in the last 32 bits. */
	if (hi - lo == U32_MAX)
		lo = hash;
	else
		lo += reciprocal_scale(hash, hi - lo + 1);
	addr->all[last] = (__force u32)htonl(lo);
}

static __be16 choose_dst_port(const struct natty_flow *flow,
			      const struct natty_rule *rule)
{
	u16 want = ntohs(flow->pkt.tuple.dst.port);

	if (!gives_port(flow, rule))
		return flow->pkt.tuple.dst.port;
	if (rule->port_base)
		return htons(natty_rule_shift(rule, want, 0));
	if (want >= rule->port_min && want <= rule->port_max &&
	    !(rule->options & NATTY_OPTION_RANDOM))
		return htons(want);
	return htons(rule->port_min +
		     reciprocal_scale(get_random_u32(),
				      rule->port_max - rule->port_min + 1));
}

/* This host, as a packet from that interface knows it. */
static bool redirect_addr(const struct natty_flow *flow, u8 chain,
			  union nf_inet_addr *addr)
{
	const struct in_device *in_dev;
	const struct in_ifaddr *ifa;

	if (flow->pkt.tuple.family == NFPROTO_IPV6) {
		if (chain == NATTY_CHAIN_OUTPUT) {
			addr->in6 = in6addr_loopback;
			return true;
		}
		return !ipv6_dev_get_saddr(flow->nn->net, flow->iif,
					   &flow->pkt.tuple.src.addr.in6, 0,
					   &addr->in6);
	}
	if (chain == NATTY_CHAIN_OUTPUT) {
		addr->ip = htonl(INADDR_LOOPBACK);
		return true;
	}
	in_dev = __in_dev_get_rcu(flow->iif);
	ifa = in_dev ? rcu_dereference(in_dev->ifa_list) : NULL;
	if (!ifa)
		return false;
	addr->ip = ifa->ifa_local;
	return true;
}

static enum natty_counter to_rule(struct natty_flow *flow,
				  struct natty_rule *rule, u8 chain,
				  struct natty_conn **conn)
{
	struct natty_draft draft;
	enum natty_counter drop;

	natty_draft_init(&draft, flow);
	draft.rule = rule;
	draft.flags = BIT(NATTY_CONN_DST);
	if (chain == NATTY_CHAIN_OUTPUT)
		draft.flags |= BIT(NATTY_CONN_LOCAL);
	draft.ifindex = flow->iif ? flow->iif->ifindex : 0;
	draft.new_dst.port = choose_dst_port(flow, rule);
	switch (rule->action) {
	case NATTY_ACTION_DNAT:
		choose_dst_addr(flow, rule, &draft.new_dst.addr);
		break;
	case NATTY_ACTION_REDIRECT:
		if (!redirect_addr(flow, chain, &draft.new_dst.addr))
			return NATTY_DROP_NO_ADDRESS;
		break;
	case NATTY_ACTION_NETMAP:
		natty_nat_netmap(rule, draft.orig.family, &draft.new_dst.addr);
		draft.flags |= BIT(NATTY_CONN_INBOUND);
		break;
	default:
		return NATTY_DROP_NONE;
	}
	drop = publish(flow, &draft, conn);
	if (drop)
		natty_draft_drop(&draft, flow->nn);
	return drop;
}

/*
 * Rules are asked once for a flow, as in the kernel's nat table: remember also
 * that one says not to translate it, as long as there is room to.
 */
static void remember(struct natty_flow *flow, struct natty_rule *rule,
		     struct natty_conn **conn)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	struct natty_draft draft;
	u8 state;

	if (natty_setting(flow->config, NATTY_SET_PROFILE) != NATTY_PROFILE_IPTABLES ||
	    natty_proto_open(&flow->pkt, &flow->config->set, &state))
		return;
	natty_draft_init(&draft, flow);
	draft.rule = rule;
	draft.flags = BIT(NATTY_CONN_UNCONFIRMED);
	draft.ifindex = flow->iif ? flow->iif->ifindex : 0;
	if (natty_conn_room(flow->nn, t->family, &t->src.addr, &flow->config->set,
			    &draft.flags))
		return;
	if (natty_nat_publish(flow, &draft, conn))
		natty_conn_unroom(flow->nn, t->family, &t->src.addr, &draft.flags);
}

/*
 * No flow is known that the error could be about (RFC 5508 REQ-4). It may be
 * about a socket of this host; of a ping only the stack can tell.
 */
static bool is_unrelated(const struct natty_flow *flow)
{
	const struct natty_tuple *t = &flow->pkt.tuple;

	return flow->pkt.kind == NATTY_PACKET_ERROR &&
	       (t->proto == IPPROTO_TCP || t->proto == IPPROTO_UDP) &&
	       !natty_port_is_local(flow->nn->net, t->family, t->proto,
				    &t->dst.addr, ntohs(t->dst.port));
}

/* Why a packet may not go on to an external address that nothing expects it at. */
static enum natty_counter refuse_stray(struct natty_flow *flow)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	enum natty_counter why;

	if (is_unrelated(flow))
		why = NATTY_DROP_ICMP_UNRELATED;
	else if (flow->pkt.obsolete && flow->pkt.kind == NATTY_PACKET_OPAQUE)
		/* It may be meant for a host inside; this one does not need it. */
		why = NATTY_DROP_ICMP_TYPE;
	else if (!natty_ifaddr_is_local(flow->nn->net, t->family, &t->dst.addr))
		/* What is only ours to translate would be routed out again. */
		why = NATTY_DROP_FILTERED;
	else
		return NATTY_DROP_NONE;
	/* Some other host may have the address by now. */
	if (!natty_external_is(flow->nn, flow->config, t->family, &t->dst.addr))
		return NATTY_DROP_NONE;
	if (why == NATTY_DROP_FILTERED)
		natty_syn_hold(flow);
	return why;
}

enum natty_counter natty_nat_destination(struct natty_flow *flow, u8 chain,
					 struct natty_conn **conn)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	struct natty_conn *mapping = NULL;
	struct natty_rule *rule;
	bool known;
	u8 state;

	*conn = NULL;
	flow->hairpin = false;
	known = natty_port_addr_known(flow->nn, t->family, &t->dst.addr);
	if (flow->pkt.kind != NATTY_PACKET_FLOW)
		goto pass;
	if (known && natty_proto_has_ports(t->proto))
		mapping = natty_table_find_external(flow->table, t->proto, &t->dst);
	rule = mapping && natty_conn_is(mapping, NATTY_CONN_STATIC) ? NULL :
	       natty_flow_rule(flow, chain);
	if (rule && rule->action == NATTY_ACTION_ACCEPT) {
		if (!mapping)
			remember(flow, rule, conn);
		return NATTY_DROP_NONE;
	}
	if (!rule && !mapping)
		goto pass;
	/* What opens nothing goes on as it is: it cannot reach the inside. */
	if (natty_proto_open(&flow->pkt, &flow->config->set, &state))
		return mapping ? NATTY_DROP_TCP_STATE : NATTY_DROP_NONE;
	return rule ? to_rule(flow, rule, chain, conn) :
		      to_mapping(flow, mapping, conn);
pass:
	if (!known || chain != NATTY_CHAIN_PREROUTING)
		return NATTY_DROP_NONE;
	return refuse_stray(flow);
}
