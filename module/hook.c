// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/slab.h>
#include <net/route.h>

#include "compat/uninitialized.h"
#include "flow.h"
#include "fragment.h"
#include "hook.h"
#include "nat.h"
#include "netns.h"
#include "refusal.h"
#include "shortcut.h"
#include "syn.h"

/* Conntrack must see internal addresses only: translate outer ones before it. */
#define PRI_BEFORE_CONNTRACK	(NF_IP_PRI_CONNTRACK - 1)

static __always_inline void dst_of(const struct sk_buff *skb, u8 family,
				   union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		addr->ip = ip_hdr(skb)->daddr;
	else
		addr->in6 = ipv6_hdr(skb)->daddr;
}

static bool dst_known(const struct natty_net *nn, const struct sk_buff *skb,
		      u8 family)
{
	union nf_inet_addr addr;

	dst_of(skb, family, &addr);
	return natty_port_addr_known(nn, family, &addr);
}

static unsigned int prerouting(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	struct natty_flow flow __uninitialized;
	struct natty_conn *conn;
	enum natty_counter why;
	unsigned int verdict;
	enum natty_dir dir;
	bool known;

	this_cpu_write(nn->handover->skb, NULL);
	/* What goes over the loopback was dealt with on its way out. */
	if (state->in->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	if (unlikely(natty_fragment_maybe(skb, state->pf))) {
		verdict = natty_fragment_gather(nn, skb, state);
		if (verdict != NF_ACCEPT)
			return verdict;
	}
	known = dst_known(nn, skb, state->pf);
	flow.config = rcu_dereference(nn->config);
	if (!known && !READ_ONCE(nn->destinations) &&
	    !natty_config_gate(flow.config, NATTY_CHAIN_PREROUTING, state->in))
		return NF_ACCEPT;
	why = natty_flow_init(&flow, nn, skb, state);
	if (why)
		return natty_flow_drop(nn, why);
	if (flow.pkt.kind == NATTY_PACKET_LOCAL)
		return NF_ACCEPT;
	conn = flow.pkt.kind == NATTY_PACKET_OPAQUE ? NULL :
	       natty_table_find(flow.table, &flow.pkt.tuple, known, &dir);
	if (conn)
		return natty_flow_destine(&flow, conn, dir);
	why = natty_nat_destination(&flow, NATTY_CHAIN_PREROUTING, &conn);
	if (why)
		return natty_refuse(&flow, why, flow.hairpin);
	return conn ? natty_flow_destine(&flow, conn, NATTY_DIR_ORIG) : NF_ACCEPT;
}

static unsigned int postrouting(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	const struct natty_config *config = rcu_dereference(nn->config);
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_flow flow __uninitialized;
	enum natty_counter why;
	bool handed;

	handed = h->skb == skb && h->conn;
	if (!handed && !READ_ONCE(nn->destinations) &&
	    !natty_is_outside(nn, state->out->ifindex) &&
	    !natty_config_gate(config, NATTY_CHAIN_POSTROUTING, state->out))
		return NF_ACCEPT;
	why = natty_flow_init(&flow, nn, skb, state);
	if (why)
		return natty_flow_drop(nn, why);
	if (flow.pkt.kind == NATTY_PACKET_LOCAL)
		return NF_ACCEPT;
	return natty_flow_source(&flow, NATTY_CHAIN_POSTROUTING);
}

/*
 * Can a packet for this host be an opening that nothing waits for? What belongs
 * to a socket of this host mostly has found it by now.
 */
static bool may_be_unsolicited(const struct natty_net *nn,
			       const struct natty_config *config,
			       const struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	u8 proto = state->pf == NFPROTO_IPV4 ? ip_hdr(skb)->protocol :
					       ipv6_hdr(skb)->nexthdr;

	if (proto == IPPROTO_UDP || natty_proto_is_icmp(proto))
		return false;
	return !skb->sk && natty_is_outside(nn, state->in->ifindex) &&
	       natty_setting(config, NATTY_SET_TCP_UNSOLICITED) !=
	       NATTY_UNSOLICITED_PASS && dst_known(nn, skb, state->pf);
}

static bool is_unsolicited(const struct natty_flow *flow)
{
	const struct natty_tuple *t = &flow->pkt.tuple;

	return natty_syn_is(&flow->pkt) &&
	       natty_external_is(flow->nn, flow->config, t->family, &t->dst.addr) &&
	       !natty_port_is_local(flow->nn->net, t->family, t->proto,
				    &t->dst.addr, ntohs(t->dst.port));
}

/*
 * Is it for an address of this host's that another interface has, where rules
 * of postrouting would take the answers for flows of its own? With nf_nat these
 * are known to be answers, so that flow must be known, too.
 */
static bool may_be_asked_elsewhere(const struct natty_net *nn,
				   const struct natty_config *config,
				   const struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	const struct net_device *dev;
	union nf_inet_addr addr;

	if (natty_setting(config, NATTY_SET_PROFILE) != NATTY_PROFILE_IPTABLES ||
	    !natty_config_gate(config, NATTY_CHAIN_POSTROUTING, state->in))
		return false;
	dst_of(skb, state->pf, &addr);
	dev = natty_nat_addr_dev(nn->net, state->pf, &addr);
	return dev && dev != state->in;
}

/* Only what a socket may answer is worth it, and no mapping has its port. */
static bool is_served(const struct natty_flow *flow)
{
	const struct natty_tuple *t = &flow->pkt.tuple;

	return flow->pkt.kind == NATTY_PACKET_FLOW &&
	       natty_proto_has_ports(t->proto) &&
	       natty_port_is_local(flow->nn->net, t->family, t->proto,
				   &t->dst.addr, ntohs(t->dst.port));
}

static unsigned int local_in(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	struct natty_net *nn = priv;
	const struct natty_config *config = rcu_dereference(nn->config);
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_flow flow;
	enum natty_counter why;
	bool handed, gate, unsolicited, elsewhere;

	if (state->in->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	handed = h->skb == skb && h->conn;
	gate = natty_config_gate(config, NATTY_CHAIN_INPUT, state->in);
	unsolicited = !handed && may_be_unsolicited(nn, config, skb, state);
	elsewhere = !handed && !gate &&
		    may_be_asked_elsewhere(nn, config, skb, state);
	if (!handed && !gate && !unsolicited && !elsewhere)
		return NF_ACCEPT;
	why = natty_flow_init(&flow, nn, skb, state);
	/* Oddities that only concern this host are not its translator's to judge. */
	if (why)
		return handed || gate || unsolicited ? natty_flow_drop(nn, why) :
						       NF_ACCEPT;
	/* The answer's source was given back before routing. */
	if (flow.pkt.kind == NATTY_PACKET_LOCAL ||
	    (handed && h->dir == NATTY_DIR_REPLY))
		return NF_ACCEPT;
	if (unsolicited && is_unsolicited(&flow)) {
		natty_syn_hold(&flow);
		return natty_flow_drop(nn, NATTY_DROP_UNSOLICITED);
	}
	/* Nothing else was asked of it: an outsider must not fill the table. */
	if (!handed && !gate && !(elsewhere && is_served(&flow)))
		return NF_ACCEPT;
	return natty_flow_source(&flow, NATTY_CHAIN_INPUT);
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
	if (unlikely(natty_fragment_maybe(skb, state->pf))) {
		verdict = natty_fragment_gather(nn, skb, state);
		if (verdict != NF_ACCEPT)
			return verdict;
	}
	if (!dst_known(nn, skb, state->pf))
		return NF_ACCEPT;
	if (natty_flow_init(&flow, nn, skb, state) ||
	    flow.pkt.kind == NATTY_PACKET_LOCAL ||
	    flow.pkt.kind == NATTY_PACKET_OPAQUE)
		return NF_ACCEPT;
	conn = natty_table_find(flow.table, &flow.pkt.tuple, true, &dir);
	if (!conn || dir != NATTY_DIR_REPLY || !natty_conn_is(conn, NATTY_CONN_SRC))
		return NF_ACCEPT;
	before = flow.pkt.tuple;
	verdict = natty_flow_destine(&flow, conn, dir);
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
	    !natty_config_gate(config, NATTY_CHAIN_OUTPUT, state->out))
		return NF_ACCEPT;
	/* This host's own oddities are not its translator's to judge. */
	if (natty_flow_init(&flow, nn, skb, state) ||
	    flow.pkt.kind == NATTY_PACKET_LOCAL ||
	    flow.pkt.kind == NATTY_PACKET_OPAQUE)
		return NF_ACCEPT;
	conn = natty_table_find(flow.table, &flow.pkt.tuple, true, &dir);
	if (!conn) {
		why = natty_nat_destination(&flow, NATTY_CHAIN_OUTPUT, &conn);
		if (why)
			return natty_refuse(&flow, why, false);
		dir = NATTY_DIR_ORIG;
	}
	if (!conn)
		return NF_ACCEPT;
	before = flow.pkt.tuple;
	verdict = natty_flow_destine(&flow, conn, dir);
	if (verdict != NF_ACCEPT || same_dst(&before, &flow.pkt.tuple))
		return verdict;
	return reroute(nn, skb, state);
}

/*
 * What this host sends itself passes the hooks in process context, as does what
 * a queue gives back: per-CPU state and bit locks need softirqs off there.
 */
static __always_inline unsigned int undisturbed(nf_hookfn *hook, void *priv,
						struct sk_buff *skb,
						const struct nf_hook_state *state)
{
	unsigned int verdict;

	if (likely(softirq_count()))
		return hook(priv, skb, state);
	local_bh_disable();
	verdict = hook(priv, skb, state);
	local_bh_enable();
	return verdict;
}

unsigned int natty_hook_prerouting(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	return undisturbed(prerouting, priv, skb, state);
}

unsigned int natty_hook_postrouting(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	return undisturbed(postrouting, priv, skb, state);
}

static unsigned int hook_output_answer(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	return undisturbed(output_answer, priv, skb, state);
}

static unsigned int hook_output(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	return undisturbed(output, priv, skb, state);
}

static unsigned int hook_local_in(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	return undisturbed(local_in, priv, skb, state);
}

#define NATTY_OPS(number, at, hook4, hook6) {				\
		.hook = hook4,						\
		.pf = NFPROTO_IPV4,					\
		.hooknum = number,					\
		.priority = at,						\
	}, {								\
		.hook = hook6,						\
		.pf = NFPROTO_IPV6,					\
		.hooknum = number,					\
		.priority = at,						\
	}

/* Both families have the same hooks at the same priorities. */
static const struct nf_hook_ops hook_ops[] = {
	NATTY_OPS(NF_INET_PRE_ROUTING, PRI_BEFORE_CONNTRACK,
		  natty_shortcut_in4, natty_shortcut_in6),
	NATTY_OPS(NF_INET_LOCAL_OUT, PRI_BEFORE_CONNTRACK,
		  hook_output_answer, hook_output_answer),
	NATTY_OPS(NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST, hook_output, hook_output),
	NATTY_OPS(NF_INET_LOCAL_IN, NF_IP_PRI_NAT_SRC,
		  hook_local_in, hook_local_in),
	NATTY_OPS(NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC,
		  natty_shortcut_out4, natty_shortcut_out6),
};

int natty_hook_register(struct natty_net *nn)
{
	const unsigned int n = ARRAY_SIZE(hook_ops);
	unsigned int i;
	int err;

	BUILD_BUG_ON((int)NF_IP6_PRI_CONNTRACK != (int)NF_IP_PRI_CONNTRACK);
	BUILD_BUG_ON((int)NF_IP6_PRI_NAT_DST != (int)NF_IP_PRI_NAT_DST);
	BUILD_BUG_ON((int)NF_IP6_PRI_NAT_SRC != (int)NF_IP_PRI_NAT_SRC);

	nn->hooks = kmemdup(hook_ops, sizeof(hook_ops), GFP_KERNEL);
	if (!nn->hooks)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		nn->hooks[i].priv = nn;
	err = nf_register_net_hooks(nn->net, nn->hooks, n);
	if (err) {
		kfree(nn->hooks);
		nn->hooks = NULL;
	}
	return err;
}

void natty_hook_unregister(struct natty_net *nn)
{
	nf_unregister_net_hooks(nn->net, nn->hooks, ARRAY_SIZE(hook_ops));
	kfree(nn->hooks);
	nn->hooks = NULL;
}
