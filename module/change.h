/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_CHANGE_H
#define NATTY_CHANGE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/checksum.h>

#include "tuple.h"

/*
 * One address and port of a packet become others, and the Internet checksums
 * that cover them follow. Inline, for arguments are mostly constant where every
 * packet comes by.
 */

/**
 * struct natty_change - what becomes of one side of a packet
 * @side: which
 * @to: the address it gets
 * @to_port: and the port
 * @addr: what a checksum must be told about the address
 * @port: what a checksum must be told about the port, 0 if that stays
 * @header: what the checksum of the IPv4 header must be told besides
 */
struct natty_change {
	enum natty_manip side;
	const union nf_inet_addr *to;
	__be16 to_port;
	__wsum addr;
	__wsum port;
	__wsum header;
};

/* Place of the Internet checksum in a transport header, 0 if it has none. */
static __always_inline unsigned int natty_check_offset(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

/* The difference that a checksum sees when one address becomes another. */
static inline __wsum natty_difference6(const struct in6_addr *from,
				       const struct in6_addr *to)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < 4; i++)
		sum += (u64)(__force u32)~from->s6_addr32[i] +
		       (__force u32)to->s6_addr32[i];
	sum = (sum & U32_MAX) + (sum >> 32);
	return (__force __wsum)(u32)((sum & U32_MAX) + (sum >> 32));
}

static __always_inline __wsum natty_difference16(__be16 from, __be16 to)
{
	return (__force __wsum)((u32)(u16)~(__force u16)from +
				(__force u16)to);
}

/* Bytes of the packet changed by @diff and no checksum made up for it. */
static __always_inline void natty_packet_sum_add(struct sk_buff *skb, __wsum diff)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_add(skb->csum, diff);
}

/*
 * Is the checksum of the transport header @l4 yet to be completed? It then holds that
 * of the pseudo header only. A tunnel's outer checksum is complete although
 * the packet in it is not, except while segmentation is to come.
 */
static __always_inline bool natty_check_is_partial(const struct sk_buff *skb,
						   const void *l4)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       (skb_is_gso(skb) ||
		skb->data + skb_checksum_start_offset(skb) == l4);
}

/* Set an address of the IP header at @l3; @change->addr gets the difference. */
static __always_inline void natty_change_addr(void *l3, u8 family,
					      struct natty_change *change)
{
	bool dst = change->side == NATTY_MANIP_DST;
	const union nf_inet_addr *to = change->to;

	if (family == NFPROTO_IPV4) {
		struct iphdr *ih = l3;
		__be32 *addr = dst ? &ih->daddr : &ih->saddr;

		change->addr = csum_sub((__force __wsum)to->ip,
					(__force __wsum)*addr);
		csum_replace_by_diff(&ih->check,
				     csum_add(change->addr, change->header));
		*addr = to->ip;
	} else {
		struct ipv6hdr *ih = l3;
		struct in6_addr *addr = dst ? &ih->daddr : &ih->saddr;

		change->addr = natty_difference6(addr, &to->in6);
		*addr = to->in6;
	}
}

static __always_inline void natty_change_port(__be16 *port,
					      struct natty_change *change)
{
	change->port = natty_difference16(*port, change->to_port);
	*port = change->to_port;
}

/* Let the checksum of a transport header follow. */
static __always_inline void natty_change_check(__sum16 *check, u8 proto,
					       const struct natty_change *change)
{
	__wsum diff = change->port;

	/* All but ICMP for IPv4 cover the addresses. */
	if (proto != IPPROTO_ICMP)
		diff = csum_add(diff, change->addr);
	csum_replace_by_diff(check, diff);
	/* For these 0 means that there is none. */
	if (!*check && (proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE))
		*check = CSUM_MANGLED_0;
}

/*
 * The checksum of a packet's transport header. Where the device has summed the
 * whole packet, that sum stays right by itself as far as a changed field and
 * the checksum over it cancel out; the IPv4 address does so against its
 * header's.
 */
static __always_inline void
natty_change_l4_check(struct sk_buff *skb, void *l4, u8 family, u8 proto,
		      const struct natty_change *change)
{
	__sum16 *check = l4 + natty_check_offset(proto);
	bool v6 = family == NFPROTO_IPV6;

	if (natty_check_is_partial(skb, l4)) {
		if (proto != IPPROTO_ICMP)
			*check = ~csum_fold(csum_add(change->addr,
						     csum_unfold(*check)));
	} else if (!*check && proto == IPPROTO_UDP) {
		natty_packet_sum_add(skb, change->port);
		if (v6)
			natty_packet_sum_add(skb, change->addr);
	} else {
		natty_change_check(check, proto, change);
		if (!v6 && proto != IPPROTO_ICMP)
			natty_packet_sum_add(skb, ~change->addr);
	}
}

#endif
