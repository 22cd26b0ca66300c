/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PACKET_H
#define NATTY_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>

#include "stats.h"
#include "tuple.h"

/**
 * enum natty_packet_kind - what a packet is to the translator
 * @NATTY_PACKET_FLOW: belongs to, or may open, a flow
 * @NATTY_PACKET_ANSWER: belongs to a flow but never opens one (ICMP answers)
 * @NATTY_PACKET_ERROR: ICMP error about a flow
 * @NATTY_PACKET_LOCAL: concerns the link only and is never translated:
 *	neighbour and router discovery, MLD, IGMP, multicast, broadcast and
 *	IPv6 link-local destinations, unspecified sources, loopback addresses
 *	that came over a wire
 * @NATTY_PACKET_OPAQUE: cannot be translated: ICMP of other types, ICMP of the
 *	other family, IPv6 routing headers that are not used up
 *
 * Of the last two the tuple has ports of 0.
 */
enum natty_packet_kind {
	NATTY_PACKET_FLOW,
	NATTY_PACKET_ANSWER,
	NATTY_PACKET_ERROR,
	NATTY_PACKET_LOCAL,
	NATTY_PACKET_OPAQUE,
};

/**
 * struct natty_packet - a packet taken apart
 * @skb: the packet; its network header is set, its data starts there
 * @tuple: its flow; of an ICMP error, the inverse of the packet it quotes:
 *	the tuple that a packet of the quoted flow would have if it travelled
 *	the way of the error
 * @kind: see enum natty_packet_kind
 * @len: bytes from the network header on, as that header says
 * @tcp_flags: byte 13 of the TCP header
 * @dccp_type: enum natty_dccp_type, or a reserved type
 * @dccp_long: of DCCP, is @tcp_seq the lower half of a number of 48 bits, or
 *	the whole of one of 24?
 * @obsolete: ICMP that is no longer in use: source quench (RFC 6633),
 *	information and address mask queries (RFC 6918)
 * @l4: offset of the transport header from the network header
 * @quote_l3: of an ICMP error, offset of the quoted network header
 * @quote_l4: of an ICMP error, offset of the quoted transport header
 * @tcp_seq: host order; of DCCP see @dccp_long
 * @tcp_ack: host order; of DCCP the lower half, and in a Reset only
 * @tcp_end: sequence number after this segment
 *
 * Offsets stay valid over skb_ensure_writable(), pointers would not.
 */
struct natty_packet {
	struct sk_buff *skb;
	struct natty_tuple tuple;
	enum natty_packet_kind kind;
	u32 len;
	u8 tcp_flags;
	u8 dccp_type;
	bool dccp_long;
	bool obsolete;
	u16 l4;
	u16 quote_l3;
	u16 quote_l4;
	u32 tcp_seq;
	u32 tcp_ack;
	u32 tcp_end;
};

/**
 * natty_packet_parse() - take a packet apart
 * @pkt: filled in
 * @skb: in a netfilter hook, reassembled; headers may be pulled
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Trusts no length, follows IP options and IPv6 extension headers, verifies
 * the checksum of ICMP messages and of quoted IPv4 headers (RFC 5508 REQ-3),
 * not that of transport headers. The only place that pulls headers.
 *
 * Return: NATTY_DROP_NONE, or why the packet must be dropped.
 */
enum natty_counter natty_packet_parse(struct natty_packet *pkt,
				      struct sk_buff *skb, u8 family);

/* What an ICMP message, other than an error, has to do with a flow. */
enum natty_icmp_role {
	NATTY_ICMP_NONE,
	NATTY_ICMP_QUERY,	/* its identifier is the source's */
	NATTY_ICMP_ANSWER,	/* its identifier is the destination's */
};

/* @type of @proto, which is IPPROTO_ICMP or IPPROTO_ICMPV6. */
enum natty_icmp_role natty_packet_icmp_role(u8 proto, u8 type);

/* Header of a transport protocol that a translator looks at, 0 for others. */
static inline unsigned int natty_packet_min_header(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return 20;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 8;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return 12;
	default:
		return 0;
	}
}

/*
 * The packet's own addresses and protocol, without ports: of an ICMP error not
 * those of what it quotes.
 */
static inline void natty_packet_outer(const struct natty_packet *pkt,
				      struct natty_tuple *t)
{
	t->src.port = 0;
	t->dst.port = 0;
	if (t->family == NFPROTO_IPV4) {
		t->proto = IPPROTO_ICMP;
		t->src.addr.ip = ip_hdr(pkt->skb)->saddr;
		t->dst.addr.ip = ip_hdr(pkt->skb)->daddr;
	} else {
		t->proto = IPPROTO_ICMPV6;
		t->src.addr.in6 = ipv6_hdr(pkt->skb)->saddr;
		t->dst.addr.in6 = ipv6_hdr(pkt->skb)->daddr;
	}
}

#endif
