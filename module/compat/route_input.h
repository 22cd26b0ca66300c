/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_ROUTE_INPUT_H
#define NATTY_COMPAT_ROUTE_INPUT_H

#include <linux/ip.h>
#include <linux/version.h>
#include <net/inet_dscp.h>
#include <net/ip.h>
#include <net/route.h>

/*
 * Route a packet that came in by a device, for as long as RCU is held. True if
 * there is a route. Since 6.13 the kernel has a type for what is left of TOS.
 */
static inline bool natty_route_input(struct sk_buff *skb,
				     struct net_device *dev)
{
	const struct iphdr *iph = ip_hdr(skb);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	return !ip_route_input_noref(skb, iph->daddr, iph->saddr,
				     ip4h_dscp(iph), dev);
#else
	return !ip_route_input_noref(skb, iph->daddr, iph->saddr, iph->tos, dev);
#endif
}

#endif
