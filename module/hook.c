// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/slab.h>
#include <net/icmp.h>
#include <net/route.h>

#include "hook.h"
#include "mapping.h"
#include "nat.h"
#include "netns.h"
#include "proto.h"
#include "rewrite.h"

/* Conntrack must see internal addresses only: translate outer ones before it. */
#define PRI_BEFORE_CONNTRACK	(NF_IP_PRI_CONNTRACK - 1)

/* Can a rule of the chain concern a packet that passes this device? */
static bool passes_gate(const struct natty_config *config, u8 chain,
			const struct net_device *dev)
{
	return config->nrules[chain] &&
	       natty_ruleset_gate(config->chain[chain], chain, dev);
}

static unsigned int drop_packet(struct natty_net *nn, enum natty_counter why)
{
	natty_count(nn, why);
	return NF_DROP;
}

/* Everything a hook needs to know of a packet. False: drop or pass, see @why. */
static enum natty_counter flow_init(struct natty_flow *flow, struct natty_net *nn,
				    struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	flow->nn = nn;
	flow->config = rcu_dereference(nn->config);
	flow->table = natty_table_of(nn, state->pf);
	flow->iif = state->in;
	flow->oif = state->out;
	return natty_packet_parse(&flow->pkt, skb, state->pf);
}

static void hand_over(struct natty_net *nn, const struct sk_buff *skb,
		      struct natty_conn *conn, enum natty_dir dir)
{
	struct natty_handover *h = this_cpu_ptr(nn->handover);

	h->skb = skb;
	h->conn = conn;
	h->dir = dir;
}

/* Does a packet between the hooks belong to @conn, travelling in @dir? */
static bool is_between(const struct natty_packet *pkt,
		       const struct natty_conn *conn, enum natty_dir dir)
{
	struct natty_tuple t, inverse;

	natty_conn_middle(conn, &t);
	if (dir == NATTY_DIR_ORIG)
		return natty_tuple_equal(&t, &pkt->tuple);
	natty_tuple_invert(&inverse, &t);
	return natty_tuple_equal(&inverse, &pkt->tuple);
}

/* Do packets in @dir look the same on the wire and between the hooks? */
static bool is_outer_between(const struct natty_conn *conn, enum natty_dir dir)
{
	return !natty_conn_is(conn, dir == NATTY_DIR_ORIG ? NATTY_CONN_DST :
							    NATTY_CONN_SRC);
}

/* The end that a packet's side gets in this direction, if it must change. */
static bool new_end(const struct natty_conn *conn, enum natty_dir dir,
		    enum natty_manip manip, enum natty_end *end)
{
	if (manip == NATTY_MANIP_SRC) {
		*end = dir == NATTY_DIR_ORIG ? NATTY_END_NEW_SRC :
					       NATTY_END_ORIG_DST;
		return natty_conn_is(conn, dir == NATTY_DIR_ORIG ?
				     NATTY_CONN_SRC : NATTY_CONN_DST);
	}
	*end = dir == NATTY_DIR_ORIG ? NATTY_END_NEW_DST : NATTY_END_ORIG_SRC;
	return natty_conn_is(conn, dir == NATTY_DIR_ORIG ?
			     NATTY_CONN_DST : NATTY_CONN_SRC);
}

static bool translate(struct natty_flow *flow, const struct natty_conn *conn,
		      enum natty_dir dir, enum natty_manip manip)
{
	struct natty_endpoint ep;
	enum natty_end end;

	if (!new_end(conn, dir, manip, &end))
		return true;
	natty_conn_get_end(conn, end, &ep);
	return natty_rewrite(&flow->pkt, manip, &ep);
}

static void account(struct natty_flow *flow, const struct natty_conn *conn,
		    enum natty_dir dir)
{
	struct natty_counts *counts;

	if (!natty_setting(flow->config, NATTY_SET_ACCOUNTING))
		return;
	counts = natty_arena_counts(&flow->table->arena, conn->index);
	if (!counts)
		return;
	/* Approximate where two CPUs carry one direction. */
	WRITE_ONCE(counts->packets[dir], counts->packets[dir] + 1);
	WRITE_ONCE(counts->bytes[dir], counts->bytes[dir] + flow->pkt.skb->len);
}

/* Let the packet act on its connection; once per packet. */
static enum natty_counter advance(struct natty_flow *flow, struct natty_conn *conn,
				  enum natty_dir dir)
{
	account(flow, conn, dir);
	if (flow->pkt.kind == NATTY_PACKET_ERROR) {
		natty_count(flow->nn, NATTY_COUNT_ICMP_ERROR);
		return NATTY_DROP_NONE;
	}
	return natty_proto_packet(conn, &flow->pkt, dir, &flow->config->set);
}

/*
 * A hairpin that its receiver's filter refused so far: the receiver may have
 * opened it in the meantime, and opens it by what it sends this way itself.
 */
static bool is_refused(struct natty_flow *flow, const struct natty_conn *conn)
{
	struct natty_endpoint ep;

	if ((atomic_read(&conn->flags) & NATTY_CONN_BOTH) != NATTY_CONN_BOTH ||
	    conn->dst_mapping == NATTY_CONN_NONE)
		return false;
	natty_conn_get_end(conn, NATTY_END_NEW_SRC, &ep);
	return !natty_mapping_admits(flow->nn,
				     natty_table_at(flow->table, conn->dst_mapping),
				     &ep);
}

/* Translate the destination of a packet of @conn and tell the next hook. */
static unsigned int destine(struct natty_flow *flow, struct natty_conn *conn,
			    enum natty_dir dir)
{
	bool embryo = natty_conn_is(conn, NATTY_CONN_UNCONFIRMED);
	enum natty_counter why;

	if (embryo && dir == NATTY_DIR_ORIG && is_refused(flow, conn))
		return drop_packet(flow->nn, NATTY_DROP_FILTERED);
	why = advance(flow, conn, dir);
	if (why)
		return drop_packet(flow->nn, why);
	if (embryo)
		natty_conn_refresh(conn, natty_setting(flow->config,
						       NATTY_SET_UNCONFIRMED));
	if (!translate(flow, conn, dir, NATTY_MANIP_DST))
		return drop_packet(flow->nn, NATTY_DROP_NO_MEMORY);
	/* Its answer ends here: no later hook gives the source back. */
	if (dir == NATTY_DIR_REPLY && flow->iif &&
	    natty_conn_is(conn, NATTY_CONN_LOCAL) &&
	    !translate(flow, conn, dir, NATTY_MANIP_SRC))
		return drop_packet(flow->nn, NATTY_DROP_NO_MEMORY);
	hand_over(flow->nn, flow->pkt.skb, conn, dir);
	return NF_ACCEPT;
}

static bool dst_known(const struct natty_net *nn, const struct sk_buff *skb,
		      u8 family)
{
	union nf_inet_addr addr;

	if (family == NFPROTO_IPV4)
		addr.ip = ip_hdr(skb)->daddr;
	else
		addr.in6 = ipv6_hdr(skb)->daddr;
	return natty_port_addr_maybe(&nn->ports, family, &addr) &&
	       natty_port_addr_known(nn, family, &addr);
}

/*
 * Have what postrouting will look at on its way to the cache while routing, and
 * spare it the hash.
 */
static void warm_up(struct natty_net *nn, const struct sk_buff *skb, u8 family)
{
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	const struct iphdr *iph = ip_hdr(skb);
	struct natty_endpoint src;

	if (family != NFPROTO_IPV4 || iph->ihl != 5 || skb_headlen(skb) < 24)
		return;
	src.addr.ip = iph->saddr;
	src.port = *(const __be16 *)(iph + 1);
	h->hash = natty_table_prefetch(natty_table_of(nn, family),
				       iph->protocol, &src);
	h->conn = NULL;
	h->skb = skb;
}

static unsigned int prerouting(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	struct natty_flow flow;
	struct natty_conn *conn;
	enum natty_counter why;
	enum natty_dir dir;
	bool known;

	this_cpu_write(nn->handover->skb, NULL);
	/* What goes over the loopback was dealt with on its way out. */
	if (state->in->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	known = dst_known(nn, skb, state->pf);
	flow.config = rcu_dereference(nn->config);
	if (!known && !READ_ONCE(nn->destinations) &&
	    !passes_gate(flow.config, NATTY_CHAIN_PREROUTING, state->in)) {
		warm_up(nn, skb, state->pf);
		return NF_ACCEPT;
	}
	why = flow_init(&flow, nn, skb, state);
	if (why)
		return drop_packet(nn, why);
	if (flow.pkt.kind == NATTY_PACKET_LOCAL)
		return NF_ACCEPT;
	conn = flow.pkt.kind == NATTY_PACKET_OPAQUE ? NULL :
	       natty_table_find(flow.table, &flow.pkt.tuple, known, &dir);
	if (conn)
		return destine(&flow, conn, dir);
	why = natty_nat_destination(&flow, NATTY_CHAIN_PREROUTING, &conn);
	if (why)
		return drop_packet(nn, why);
	return conn ? destine(&flow, conn, NATTY_DIR_ORIG) : NF_ACCEPT;
}

/* The connection that the earlier hook found for this very packet. */
static struct natty_conn *take_over(struct natty_flow *flow, enum natty_dir *dir)
{
	struct natty_handover *h = this_cpu_ptr(flow->nn->handover);
	struct natty_conn *conn = h->conn;

	if (h->skb != flow->pkt.skb || !conn)
		return NULL;
	h->skb = NULL;
	*dir = h->dir;
	if (conn->family != flow->table->family || !natty_conn_alive(conn) ||
	    !is_between(&flow->pkt, conn, h->dir))
		return NULL;
	return conn;
}

/*
 * Find it again, for a packet that came by a detour, by what it looks like
 * between the hooks. @fresh: no hook before this one has seen it.
 */
static struct natty_conn *find_between(struct natty_flow *flow,
				       enum natty_dir *dir, bool *fresh)
{
	struct natty_handover *h = this_cpu_ptr(flow->nn->handover);
	const struct natty_tuple *t = &flow->pkt.tuple;
	struct natty_tuple inverse;
	struct natty_conn *conn;

	*fresh = true;
	if (h->skb == flow->pkt.skb) {
		*dir = NATTY_DIR_ORIG;
		conn = natty_table_find_outbound(flow->table, t, h->hash);
		if (likely(conn))
			return conn;
	}
	conn = natty_table_find(flow->table, t, false, dir);
	if (likely(conn))
		return is_outer_between(conn, *dir) ? conn : NULL;
	*fresh = false;
	if (!READ_ONCE(flow->nn->destinations) &&
	    !natty_is_outside(flow->nn, flow->iif ? flow->iif->ifindex : 0))
		return NULL;
	natty_tuple_invert(&inverse, t);
	conn = natty_table_find(flow->table, &inverse, false, dir);
	if (conn) {
		*dir = *dir == NATTY_DIR_ORIG ? NATTY_DIR_REPLY : NATTY_DIR_ORIG;
		return is_between(&flow->pkt, conn, *dir) ? conn : NULL;
	}
	conn = natty_table_find_middle(flow->table, t);
	*dir = NATTY_DIR_ORIG;
	if (conn)
		return conn;
	*dir = NATTY_DIR_REPLY;
	return natty_table_find_middle(flow->table, &inverse);
}

/* Give a source to a connection whose destination alone was decided so far. */
static enum natty_counter add_source(struct natty_flow *flow,
				     struct natty_rule *rule,
				     struct natty_conn **conn)
{
	struct natty_conn *old = *conn;
	struct natty_draft draft;
	enum natty_counter why;

	natty_draft_init(&draft, flow);
	natty_conn_tuple(old, NATTY_DIR_ORIG, &draft.orig);
	draft.new_src = draft.orig.src;
	natty_conn_get_end(old, NATTY_END_NEW_DST, &draft.new_dst);
	draft.flags = atomic_read(&old->flags) &
		      (BIT(NATTY_CONN_DST) | BIT(NATTY_CONN_INBOUND) |
		       BIT(NATTY_CONN_LOCAL));
	if (old->dst_mapping != NATTY_CONN_NONE) {
		draft.dst_mapping = natty_table_at(flow->table, old->dst_mapping);
		if (!natty_mapping_get(draft.dst_mapping))
			return NATTY_DROP_DYING;
	}
	if (!natty_conn_close(flow->nn, old, NATTY_COUNT_CONN_DEL)) {
		natty_draft_drop(&draft, flow->nn);
		return NATTY_DROP_DYING;
	}
	why = natty_nat_source(flow, rule, &draft, conn);
	if (!why)
		natty_proto_packet(*conn, &flow->pkt, NATTY_DIR_ORIG,
				   &flow->config->set);
	return why;
}

static struct natty_rule *find_rule(const struct natty_flow *flow, u8 chain)
{
	struct natty_rule_key key = {
		.tuple = &flow->pkt.tuple,
		.iif = flow->iif,
		.oif = flow->oif,
		.mark = flow->pkt.skb->mark,
	};
	struct natty_tuple outer;

	/* An error's tuple is that of what it quotes; rules mean the error. */
	if (flow->pkt.kind == NATTY_PACKET_ERROR) {
		outer = flow->pkt.tuple;
		natty_packet_outer(&flow->pkt, &outer);
		key.tuple = &outer;
	}
	return natty_ruleset_find(flow->config->chain[chain], &key);
}

static bool translates(const struct natty_rule *rule)
{
	return rule && rule->action != NATTY_ACTION_ACCEPT;
}

/* The first packet of a flow whose source nobody has decided on. */
static enum natty_counter open_source(struct natty_flow *flow, u8 chain,
				      struct natty_conn **conn)
{
	struct natty_rule *rule = find_rule(flow, chain);
	struct natty_draft draft;
	enum natty_counter why;
	u8 state;

	if (*conn) {
		if (!translates(rule) || natty_conn_is(*conn, NATTY_CONN_SRC))
			return NATTY_DROP_NONE;
		return add_source(flow, rule, conn);
	}
	switch (flow->pkt.kind) {
	case NATTY_PACKET_FLOW:
		break;
	case NATTY_PACKET_OPAQUE:
		return translates(rule) ? NATTY_DROP_ICMP_TYPE : NATTY_DROP_NONE;
	default:
		return translates(rule) ? NATTY_DROP_ICMP_UNRELATED :
					  NATTY_DROP_NONE;
	}
	why = natty_proto_open(&flow->pkt, &flow->config->set, &state);
	if (why)
		return translates(rule) ? why : NATTY_DROP_NONE;
	natty_draft_init(&draft, flow);
	why = natty_nat_source(flow, rule, &draft, conn);
	/* Where nothing is to be translated, remembering that is a luxury. */
	if (why && why != NATTY_DROP_CLASH && !translates(rule))
		return NATTY_DROP_NONE;
	if (why)
		return why;
	if (flow->oif && natty_conn_is(*conn, NATTY_CONN_SRC))
		natty_mark_outside(flow->nn, flow->oif->ifindex);
	return advance(flow, *conn, NATTY_DIR_ORIG);
}

/* Tell the sender that there is no room (RFC 5508 REQ-8, RFC 6888 REQ-11). */
static void refuse(struct natty_flow *flow, enum natty_counter why)
{
	u32 answer = natty_setting(flow->config, NATTY_SET_ICMP_EXHAUSTED);
	bool admin = answer == NATTY_EXHAUSTED_ADMIN_PROHIBITED;
	struct sk_buff *skb = flow->pkt.skb;

	switch (why) {
	case NATTY_DROP_NO_PORT:
	case NATTY_DROP_LIMIT_CONNECTIONS:
	case NATTY_DROP_LIMIT_HOST:
		break;
	default:
		return;
	}
	natty_event_limit(flow->nn, why);
	if (answer == NATTY_EXHAUSTED_SILENT)
		return;
	natty_count(flow->nn, NATTY_COUNT_ICMP_SENT);
	if (flow->table->family == NFPROTO_IPV4)
		icmp_send(skb, ICMP_DEST_UNREACH,
			  admin ? ICMP_PKT_FILTERED : ICMP_HOST_UNREACH, 0);
	else
		icmpv6_send(skb, ICMPV6_DEST_UNREACH,
			    admin ? ICMPV6_ADM_PROHIBITED : ICMPV6_ADDR_UNREACH, 0);
}

/* The second hook, on the way out or in: the source's turn. */
static unsigned int source(struct natty_flow *flow, u8 chain)
{
	enum natty_counter why = NATTY_DROP_NONE;
	struct natty_conn *conn;
	enum natty_dir dir;
	bool fresh = false;

	conn = flow->pkt.kind == NATTY_PACKET_OPAQUE ? NULL :
	       take_over(flow, &dir);
	if (!conn && flow->pkt.kind != NATTY_PACKET_OPAQUE) {
		conn = find_between(flow, &dir, &fresh);
		if (conn && fresh)
			why = advance(flow, conn, dir);
	}
	if (!why && (!conn || natty_conn_is(conn, NATTY_CONN_UNCONFIRMED))) {
		if (!conn)
			dir = NATTY_DIR_ORIG;
		if (dir == NATTY_DIR_ORIG)
			why = open_source(flow, chain, &conn);
	}
	if (why) {
		refuse(flow, why);
		return drop_packet(flow->nn, why);
	}
	if (!conn)
		return NF_ACCEPT;
	if (unlikely(natty_conn_is(conn, NATTY_CONN_UNCONFIRMED)))
		natty_conn_confirm(flow->nn, conn, &flow->config->set);
	if (!translate(flow, conn, dir, NATTY_MANIP_SRC))
		return drop_packet(flow->nn, NATTY_DROP_NO_MEMORY);
	return NF_ACCEPT;
}

/*
 * Did the first hook do everything? Most often so with answers. The addresses
 * are compared to make sure that it saw this packet, not one before it in the
 * same place.
 */
static bool is_done(const struct natty_handover *h, const struct sk_buff *skb,
		    u8 family)
{
	const struct natty_conn *conn = h->conn;
	enum natty_end src = NATTY_END_ORIG_SRC, dst = NATTY_END_NEW_DST;
	const u32 pending = BIT(NATTY_CONN_UNCONFIRMED) | BIT(NATTY_CONN_CLOSED) |
			    BIT(NATTY_CONN_DEAD);
	enum natty_end end;

	if (conn->family != family || atomic_read(&conn->flags) & pending ||
	    new_end(conn, h->dir, NATTY_MANIP_SRC, &end))
		return false;
	if (h->dir == NATTY_DIR_REPLY)
		swap(src, dst);
	if (family == NFPROTO_IPV4)
		return ip_hdr(skb)->saddr == conn->addr4[src] &&
		       ip_hdr(skb)->daddr == conn->addr4[dst];
	return ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &conn->addr6[src]) &&
	       ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &conn->addr6[dst]);
}

static unsigned int postrouting(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	const struct natty_config *config = rcu_dereference(nn->config);
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_flow flow;
	enum natty_counter why;
	bool handed;

	handed = h->skb == skb && h->conn;
	if (handed && is_done(h, skb, state->pf))
		return NF_ACCEPT;
	if (!handed && !READ_ONCE(nn->destinations) &&
	    !natty_is_outside(nn, state->out->ifindex) &&
	    !passes_gate(config, NATTY_CHAIN_POSTROUTING, state->out))
		return NF_ACCEPT;
	why = flow_init(&flow, nn, skb, state);
	if (why)
		return drop_packet(nn, why);
	if (flow.pkt.kind == NATTY_PACKET_LOCAL)
		return NF_ACCEPT;
	return source(&flow, NATTY_CHAIN_POSTROUTING);
}

static unsigned int local_in(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	const struct natty_config *config = rcu_dereference(nn->config);
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_flow flow;
	enum natty_counter why;

	if (state->in->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	if ((h->skb != skb || !h->conn) &&
	    !passes_gate(config, NATTY_CHAIN_INPUT, state->in))
		return NF_ACCEPT;
	why = flow_init(&flow, nn, skb, state);
	if (why)
		return drop_packet(nn, why);
	/* The answer's source was given back before routing. */
	if (flow.pkt.kind == NATTY_PACKET_LOCAL ||
	    (h->skb == skb && h->conn && h->dir == NATTY_DIR_REPLY))
		return NF_ACCEPT;
	return source(&flow, NATTY_CHAIN_INPUT);
}

/* Route again what got another destination after it was routed. */
static unsigned int reroute(struct natty_net *nn, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	int err;

	if (state->pf == NFPROTO_IPV4)
		err = ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC);
	else
		err = ip6_route_me_harder(state->net, state->sk, skb);
	if (!err)
		return NF_ACCEPT;
	natty_count(nn, NATTY_DROP_REROUTE);
	return NF_DROP_ERR(err);
}

static bool same_dst(const struct natty_tuple *a, const struct natty_tuple *b)
{
	return natty_addr_equal(a->family, &a->dst.addr, &b->dst.addr);
}

/*
 * Answers of this host to flows whose source was translated on their way in
 * get their true destination before conntrack sees them.
 */
static unsigned int output_answer(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	struct natty_tuple before;
	struct natty_flow flow;
	struct natty_conn *conn;
	unsigned int verdict;
	enum natty_dir dir;

	this_cpu_write(nn->handover->skb, NULL);
	if (!dst_known(nn, skb, state->pf))
		return NF_ACCEPT;
	if (flow_init(&flow, nn, skb, state) ||
	    flow.pkt.kind == NATTY_PACKET_LOCAL ||
	    flow.pkt.kind == NATTY_PACKET_OPAQUE)
		return NF_ACCEPT;
	conn = natty_table_find(flow.table, &flow.pkt.tuple, true, &dir);
	if (!conn || dir != NATTY_DIR_REPLY || !natty_conn_is(conn, NATTY_CONN_SRC))
		return NF_ACCEPT;
	before = flow.pkt.tuple;
	verdict = destine(&flow, conn, dir);
	if (verdict != NF_ACCEPT || same_dst(&before, &flow.pkt.tuple))
		return verdict;
	return reroute(nn, skb, state);
}

/* What this host sends itself. */
static unsigned int output(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	const struct natty_config *config = rcu_dereference(nn->config);
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_tuple before;
	struct natty_flow flow;
	struct natty_conn *conn;
	enum natty_counter why;
	unsigned int verdict;
	enum natty_dir dir;

	if (h->skb == skb && h->conn)
		return NF_ACCEPT;
	if (!READ_ONCE(nn->destinations) && !dst_known(nn, skb, state->pf) &&
	    !passes_gate(config, NATTY_CHAIN_OUTPUT, state->out))
		return NF_ACCEPT;
	/* This host's own oddities are not its translator's to judge. */
	if (flow_init(&flow, nn, skb, state) ||
	    flow.pkt.kind == NATTY_PACKET_LOCAL ||
	    flow.pkt.kind == NATTY_PACKET_OPAQUE)
		return NF_ACCEPT;
	conn = natty_table_find(flow.table, &flow.pkt.tuple, true, &dir);
	if (!conn) {
		why = natty_nat_destination(&flow, NATTY_CHAIN_OUTPUT, &conn);
		if (why)
			return drop_packet(nn, why);
		dir = NATTY_DIR_ORIG;
	}
	if (!conn)
		return NF_ACCEPT;
	before = flow.pkt.tuple;
	verdict = destine(&flow, conn, dir);
	if (verdict != NF_ACCEPT || same_dst(&before, &flow.pkt.tuple))
		return verdict;
	return reroute(nn, skb, state);
}

/*
 * What this host sends itself passes the hooks in process context, as does what
 * a queue gives back: per-CPU state and bit locks need softirqs off there.
 */
#define NATTY_HOOK(name)						\
static unsigned int hook_##name(void *priv, struct sk_buff *skb,	\
				const struct nf_hook_state *state)	\
{									\
	unsigned int verdict;						\
									\
	if (likely(softirq_count()))					\
		return name(priv, skb, state);				\
	local_bh_disable();						\
	verdict = name(priv, skb, state);				\
	local_bh_enable();						\
	return verdict;							\
}

NATTY_HOOK(prerouting)
NATTY_HOOK(output_answer)
NATTY_HOOK(output)
NATTY_HOOK(local_in)
NATTY_HOOK(postrouting)

static const struct nf_hook_ops hook_ops[] = {
	{
		.hook = hook_prerouting,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = PRI_BEFORE_CONNTRACK,
	}, {
		.hook = hook_output_answer,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = PRI_BEFORE_CONNTRACK,
	}, {
		.hook = hook_output,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_NAT_DST,
	}, {
		.hook = hook_local_in,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_NAT_SRC,
	}, {
		.hook = hook_postrouting,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP_PRI_NAT_SRC,
	},
};

int natty_hook_register(struct natty_net *nn)
{
	const unsigned int n = ARRAY_SIZE(hook_ops);
	unsigned int i;
	int err;

	/* IPv6 has the same hooks at the same priorities. */
	BUILD_BUG_ON((int)NF_IP6_PRI_CONNTRACK != (int)NF_IP_PRI_CONNTRACK);
	BUILD_BUG_ON((int)NF_IP6_PRI_NAT_DST != (int)NF_IP_PRI_NAT_DST);
	BUILD_BUG_ON((int)NF_IP6_PRI_NAT_SRC != (int)NF_IP_PRI_NAT_SRC);

	nn->hooks = kcalloc(2 * n, sizeof(*nn->hooks), GFP_KERNEL);
	if (!nn->hooks)
		return -ENOMEM;
	for (i = 0; i < 2 * n; i++) {
		nn->hooks[i] = hook_ops[i % n];
		nn->hooks[i].priv = nn;
		if (i >= n)
			nn->hooks[i].pf = NFPROTO_IPV6;
	}
	err = nf_register_net_hooks(nn->net, nn->hooks, 2 * n);
	if (err) {
		kfree(nn->hooks);
		nn->hooks = NULL;
	}
	return err;
}

void natty_hook_unregister(struct natty_net *nn)
{
	nf_unregister_net_hooks(nn->net, nn->hooks, 2 * ARRAY_SIZE(hook_ops));
	kfree(nn->hooks);
	nn->hooks = NULL;
}
