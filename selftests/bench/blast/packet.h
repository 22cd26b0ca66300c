/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BLAST_PACKET_H
#define _BLAST_PACKET_H

#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

/**
 * struct blast_end - an address and a port
 * @addr: of IPv4 the first word only
 * @port: of UDP or TCP
 */
struct blast_end {
	struct in6_addr addr;
	__be16 port;
};

/**
 * struct blast_shape - what all packets of a run have in common
 * @family: AF_INET or AF_INET6
 * @proto: IPPROTO_UDP or IPPROTO_TCP
 * @dev: the device that they come in by
 */
struct blast_shape {
	int family;
	u8 proto;
	struct net_device *dev;
};

/* What a TCP packet is for; UDP has data only. */
enum blast_kind { BLAST_DATA, BLAST_SYN, BLAST_SYNACK, BLAST_ACK };

struct sk_buff *blast_packet(const struct blast_shape *shape,
			     enum blast_kind kind, bool reply,
			     const struct blast_end *src,
			     const struct blast_end *dst, u32 index);
bool blast_source(const struct sk_buff *skb, struct blast_end *src, u32 *index);

#endif
