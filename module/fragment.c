// SPDX-License-Identifier: GPL-2.0
/* Fragments, which must show on their own what they are. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_bridge.h>
#include <net/ip.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

#include "exthdrs.h"
#include "flow.h"
#include "fragment.h"
#include "netns.h"
#include "packet.h"

/* RFC 1858 3.2.1: a first fragment of TCP must reach past the flags. */
#define TCP_FIRST_FRAGMENT 16

bool natty_fragment_is_tiny(u8 proto, unsigned int off, unsigned int len)
{
	if (off)
		return proto == IPPROTO_TCP && off < TCP_FIRST_FRAGMENT;
	if (proto == IPPROTO_TCP)
		return len < TCP_FIRST_FRAGMENT;
	return len < min(natty_packet_min_header(proto), 8u);
}

static enum natty_counter check_fragment6(struct sk_buff *skb)
{
	const struct ipv6hdr *ih;
	struct natty_exthdrs chain = { .off = sizeof(*ih), .end = skb->len };
	bool whole;

	if (!pskb_may_pull(skb, sizeof(*ih)))
		return NATTY_DROP_NONE;
	ih = (const struct ipv6hdr *)skb->data;
	chain.proto = ih->nexthdr;
	whole = natty_exthdrs_walk(skb, &chain);
	if (!chain.fragmented)
		return NATTY_DROP_NONE;
	if (!whole || natty_fragment_is_tiny(chain.proto, chain.frag_off,
					     skb->len - chain.off))
		return NATTY_DROP_TINY_FRAGMENT;
	return NATTY_DROP_NONE;
}

enum natty_counter natty_fragment_check(struct sk_buff *skb, u8 family)
{
	const struct iphdr *ih;

	if (family == NFPROTO_IPV6)
		return check_fragment6(skb);
	if (!pskb_may_pull(skb, sizeof(*ih)))
		return NATTY_DROP_NONE;
	ih = (const struct iphdr *)skb->data;
	/* What else may be wrong shows when the packet is whole. */
	if (likely(!ip_is_fragment(ih)) || skb->len < ih->ihl * 4)
		return NATTY_DROP_NONE;
	if (natty_fragment_is_tiny(ih->protocol,
				   (ntohs(ih->frag_off) & IP_OFFSET) * 8,
				   skb->len - ih->ihl * 4))
		return NATTY_DROP_TINY_FRAGMENT;
	return NATTY_DROP_NONE;
}

static unsigned int gather4(struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	u32 user = IP_DEFRAG_CONNTRACK_IN;

	if (state->hook == NF_INET_LOCAL_OUT)
		user = IP_DEFRAG_CONNTRACK_OUT;
	else if (nf_bridge_in_prerouting(skb))
		user = IP_DEFRAG_CONNTRACK_BRIDGE_IN;
	if (ip_defrag(state->net, skb, user))
		return NF_STOLEN;
	skb->ignore_df = 1;
	return NF_ACCEPT;
}

static unsigned int gather6(struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	u32 user = IP6_DEFRAG_CONNTRACK_IN;

	if (state->hook == NF_INET_LOCAL_OUT)
		user = IP6_DEFRAG_CONNTRACK_OUT;
	else if (nf_bridge_in_prerouting(skb))
		user = IP6_DEFRAG_CONNTRACK_BRIDGE_IN;
	switch (nf_ct_frag6_gather(state->net, skb, user)) {
	case 0:
		return NF_ACCEPT;
	case -EINPROGRESS:
		return NF_STOLEN;
	default:
		return NF_DROP;
	}
}

unsigned int natty_fragment_gather(struct natty_net *nn, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	const struct natty_config *config = rcu_dereference(nn->config);
	enum natty_counter why;

	if (natty_setting(config, NATTY_SET_FRAGMENT_CHECK)) {
		why = natty_fragment_check(skb, state->pf);
		if (why)
			return natty_flow_drop(nn, why);
	}
	return state->pf == NFPROTO_IPV4 ? gather4(skb, state) :
					   gather6(skb, state);
}
