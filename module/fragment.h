/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_FRAGMENT_H
#define NATTY_FRAGMENT_H

#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "stats.h"

struct natty_net;

/**
 * natty_fragment_check() - is a packet a fragment that must not be?
 * @skb: in a netfilter hook before reassembly; headers may be pulled
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * RFC 1858, RFC 3128: a first fragment must hold the ports, of TCP also the
 * flags, and no later one may begin inside the TCP header. Reassembly would
 * hide such fragments from natty_packet_parse().
 *
 * Return: NATTY_DROP_NONE or NATTY_DROP_TINY_FRAGMENT.
 */
enum natty_counter natty_fragment_check(struct sk_buff *skb, u8 family);

/*
 * Does a fragment of that protocol, with @off bytes before it and @len in it,
 * hide something?
 */
bool natty_fragment_is_tiny(u8 proto, unsigned int off, unsigned int len);

/* Can it be a fragment? Looked at for many packets, so no closer. */
static inline bool natty_fragment_maybe(const struct sk_buff *skb, u8 family)
{
	if (family == NFPROTO_IPV4)
		return ip_is_fragment(ip_hdr(skb));
	return ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr);
}

/**
 * natty_fragment_gather() - have the kernel put a packet together
 * @nn: network namespace
 * @skb: any packet, in the first hook that sees it; softirqs disabled
 * @state: of the hook
 *
 * Done here rather than in a hook of netfilter's own, whose call would be a
 * tenth of what an established packet costs. With the setting fragment-check
 * fragments that hide their ports are dropped first (RFC 1858). Where conntrack
 * is at work it has gathered everything before, with the same queues' limits.
 *
 * Return: NF_ACCEPT if @skb is whole now, NF_STOLEN if it waits for others,
 * NF_DROP.
 */
unsigned int natty_fragment_gather(struct natty_net *nn, struct sk_buff *skb,
				   const struct nf_hook_state *state);

#endif
