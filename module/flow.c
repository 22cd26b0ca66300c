// SPDX-License-Identifier: GPL-2.0
/* What becomes of a packet: its connection found or made, one side rewritten. */
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <net/tcp.h>

#include "compat/route_input.h"
#include "compat/uninitialized.h"
#include "flow.h"
#include "mapping.h"
#include "nat.h"
#include "netns.h"
#include "proto.h"
#include "refusal.h"
#include "rewrite.h"
#include "syn.h"

unsigned int natty_flow_drop(struct natty_net *nn, enum natty_counter why)
{
	natty_count(nn, why);
	return NF_DROP;
}

/* RFC 5508 REQ-10: such messages are not worth a translation. */
static void disown_obsolete(struct natty_flow *flow)
{
	if (natty_setting(flow->config, NATTY_SET_ICMP_OBSOLETE))
		return;
	natty_packet_outer(&flow->pkt, &flow->pkt.tuple);
	flow->pkt.kind = NATTY_PACKET_OPAQUE;
}

enum natty_counter natty_flow_init(struct natty_flow *flow, struct natty_net *nn,
				   struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	enum natty_counter why;

	flow->nn = nn;
	flow->config = rcu_dereference(nn->config);
	flow->table = natty_table_of(nn, state->pf);
	flow->iif = state->in;
	flow->oif = state->out;
	flow->vacant = false;
	why = natty_packet_parse(&flow->pkt, skb, state->pf);
	if (unlikely(flow->pkt.obsolete) && !why)
		disown_obsolete(flow);
	return why;
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
static bool translated_end(const struct natty_conn *conn, enum natty_dir dir,
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

static void hand_over(struct natty_net *nn, const struct sk_buff *skb,
		      struct natty_conn *conn, enum natty_dir dir)
{
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	enum natty_end end;

	h->skb = skb;
	h->conn = conn;
	h->dir = dir;
	h->done = !natty_conn_is(conn, NATTY_CONN_UNCONFIRMED) &&
		  !translated_end(conn, dir, NATTY_MANIP_SRC, &end);
}

static bool translate(struct natty_flow *flow, const struct natty_conn *conn,
		      enum natty_dir dir, enum natty_manip manip)
{
	struct natty_endpoint ep;
	enum natty_end end;

	if (!translated_end(conn, dir, manip, &end))
		return true;
	natty_conn_get_end(conn, end, &ep);
	if (!natty_rewrite(&flow->pkt, manip, &ep))
		return false;
	if (manip == NATTY_MANIP_SRC && conn->family == NFPROTO_IPV4 &&
	    natty_setting(flow->config, NATTY_SET_IP_UNIQUE_ID)) {
		struct iphdr *iph = ip_hdr(flow->pkt.skb);

		csum_replace_by_diff(&iph->check,
				     natty_ident_renew(&flow->nn->idents,
						       flow->pkt.skb, iph));
	}
	return true;
}

/* Let the packet act on its connection; once per packet. */
static enum natty_counter advance(struct natty_flow *flow, struct natty_conn *conn,
				  enum natty_dir dir)
{
	natty_flow_account(flow->table, flow->config, conn, dir,
			   flow->pkt.skb->len);
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

/*
 * An answer to this host's own flow ends here: no later hook gives the source
 * back, and conntrack must see it given back. Routing must not: that source may
 * be one of this host's own addresses, or lie behind another interface than
 * the answerer, and IPv4 would take it for forged. So it is routed before.
 */
static bool return_source(struct natty_flow *flow, const struct natty_conn *conn,
			  enum natty_dir dir)
{
	struct sk_buff *skb = flow->pkt.skb;

	if (conn->family == NFPROTO_IPV4 && !skb_dst(skb) &&
	    !nf_bridge_info_exists(skb) && natty_route_input(skb, skb->dev) &&
	    skb_rtable(skb)->rt_type != RTN_LOCAL)
		skb_dst_drop(skb);
	return translate(flow, conn, dir, NATTY_MANIP_SRC);
}

unsigned int natty_flow_destine(struct natty_flow *flow, struct natty_conn *conn,
				enum natty_dir dir)
{
	bool embryo = natty_conn_is(conn, NATTY_CONN_UNCONFIRMED);
	enum natty_counter why;

	if (embryo && dir == NATTY_DIR_ORIG && is_refused(flow, conn)) {
		natty_conn_refresh(conn, natty_proto_lifetime(conn,
							      &flow->config->set));
		return natty_flow_drop(flow->nn, NATTY_DROP_FILTERED);
	}
	why = advance(flow, conn, dir);
	if (why)
		return natty_flow_drop(flow->nn, why);
	if (embryo)
		natty_conn_refresh(conn, natty_setting(flow->config,
						       NATTY_SET_UNCONFIRMED));
	if (!translate(flow, conn, dir, NATTY_MANIP_DST))
		return natty_flow_drop(flow->nn, NATTY_DROP_NO_MEMORY);
	if (dir == NATTY_DIR_REPLY && flow->iif &&
	    natty_conn_is(conn, NATTY_CONN_LOCAL) &&
	    !return_source(flow, conn, dir))
		return natty_flow_drop(flow->nn, NATTY_DROP_NO_MEMORY);
	hand_over(flow->nn, flow->pkt.skb, conn, dir);
	return NF_ACCEPT;
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

/* find_between() for those that look different on the wire. */
static noinline struct natty_conn *find_translated(const struct natty_flow *flow,
						   enum natty_dir *dir)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	struct natty_tuple inverse;
	struct natty_conn *conn;

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

/*
 * Find it again, for a packet that came by a detour, by what it looks like
 * between the hooks. @fresh: no hook before this one has seen it.
 */
static struct natty_conn *find_between(struct natty_flow *flow,
				       enum natty_dir *dir, bool *fresh)
{
	struct natty_conn *conn;

	*fresh = true;
	conn = natty_table_find_leaving(flow->table, &flow->pkt.tuple, dir,
					&flow->vacant);
	if (conn)
		return is_outer_between(conn, *dir) ? conn : NULL;
	*fresh = false;
	if (!READ_ONCE(flow->nn->destinations) &&
	    !natty_is_outside(flow->nn, flow->iif ? flow->iif->ifindex : 0))
		return NULL;
	return find_translated(flow, dir);
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

/* An error's tuple is that of what it quotes; rules mean the error. */
static noinline struct natty_rule *find_rule_of_error(const struct natty_flow *flow,
						      u8 chain,
						      struct natty_rule_key *key)
{
	struct natty_tuple outer = flow->pkt.tuple;

	natty_packet_outer(&flow->pkt, &outer);
	key->tuple = &outer;
	return natty_ruleset_find(flow->config->chain[chain], key);
}

struct natty_rule *natty_flow_rule(const struct natty_flow *flow, u8 chain)
{
	struct natty_rule_key key = {
		.net = flow->nn->net,
		.tuple = &flow->pkt.tuple,
		.iif = flow->iif,
		.oif = flow->oif,
		.mark = flow->pkt.skb->mark,
	};

	if (unlikely(flow->pkt.kind == NATTY_PACKET_ERROR))
		return find_rule_of_error(flow, chain, &key);
	return natty_ruleset_find(flow->config->chain[chain], &key);
}

static bool translates(const struct natty_rule *rule)
{
	return rule && rule->action != NATTY_ACTION_ACCEPT;
}

/*
 * Does a packet of this host's answer one to the address that it comes from?
 * Whoever sent that knows the address, and waits for it.
 */
static bool is_reaction(const struct natty_packet *pkt,
			const struct natty_tuple *outer)
{
	switch (pkt->kind) {
	case NATTY_PACKET_ANSWER:
		return true;
	case NATTY_PACKET_ERROR:
		return natty_addr_equal(outer->family, &outer->src.addr,
					&pkt->tuple.src.addr);
	default:
		return pkt->kind == NATTY_PACKET_FLOW &&
		       pkt->tuple.proto == IPPROTO_TCP &&
		       pkt->tcp_flags & TCPHDR_RST;
	}
}

/*
 * Does this host, which sends the packet, answer a stranger, from an address
 * that its way out has or that the stranger must have used? That is no flow of
 * its own, and has nothing to hide. Of TCP all but a SYN, so that connections to
 * this host's servers are not taken for older ones of its own.
 */
static noinline bool is_own_answer(const struct natty_flow *flow)
{
	const struct natty_packet *pkt = &flow->pkt;
	struct natty_tuple outer = pkt->tuple;

	if (pkt->kind == NATTY_PACKET_ERROR)
		natty_packet_outer(pkt, &outer);
	if (is_reaction(pkt, &outer))
		return true;
	if (pkt->kind == NATTY_PACKET_FLOW &&
	    (outer.proto != IPPROTO_TCP || natty_syn_is(pkt)))
		return false;
	return natty_nat_addr_dev(flow->nn->net, outer.family,
				  &outer.src.addr) == flow->oif;
}

/* This end opens, too: so the other one's attempt needs no answer. */
static void forget_opening(struct natty_flow *flow, const struct natty_conn *conn)
{
	struct natty_tuple t;

	natty_conn_tuple(conn, NATTY_DIR_REPLY, &t);
	natty_syn_forget(flow->nn, &t);
}

/* The first packet of a flow whose source nobody has decided on. */
static enum natty_counter open_source(struct natty_flow *flow, u8 chain,
				      struct natty_conn **conn)
{
	struct natty_rule *rule = natty_flow_rule(flow, chain);
	struct natty_draft draft __uninitialized;
	enum natty_counter why;
	u8 state;

	if (*conn) {
		if (!translates(rule) || natty_conn_is(*conn, NATTY_CONN_SRC))
			return NATTY_DROP_NONE;
		return add_source(flow, rule, conn);
	}
	if (!flow->iif && flow->oif && translates(rule) && is_own_answer(flow))
		return NATTY_DROP_NONE;
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
	if (unlikely(natty_syn_any(&flow->nn->syns)))
		forget_opening(flow, *conn);
	if (flow->oif && natty_conn_is(*conn, NATTY_CONN_SRC))
		natty_mark_outside(flow->nn, flow->oif->ifindex);
	/* Its timeout is that of a new connection already. */
	if (natty_proto_has_states((*conn)->proto))
		return advance(flow, *conn, NATTY_DIR_ORIG);
	natty_flow_account(flow->table, flow->config, *conn, NATTY_DIR_ORIG,
			   flow->pkt.skb->len);
	return NATTY_DROP_NONE;
}

unsigned int natty_flow_source(struct natty_flow *flow, u8 chain)
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
	if (why)
		return natty_refuse(flow, why, true);
	if (!conn)
		return NF_ACCEPT;
	/* An error about its first packet tells that this did not get through. */
	if (unlikely(natty_conn_is(conn, NATTY_CONN_UNCONFIRMED)) &&
	    flow->pkt.kind != NATTY_PACKET_ERROR)
		natty_conn_confirm(flow->nn, conn, &flow->config->set);
	if (!translate(flow, conn, dir, NATTY_MANIP_SRC))
		return natty_flow_drop(flow->nn, NATTY_DROP_NO_MEMORY);
	return NF_ACCEPT;
}
