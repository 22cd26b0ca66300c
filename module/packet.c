// SPDX-License-Identifier: GPL-2.0
/*
 * Taking packets apart. Whatever a header claims about a length is compared
 * with what is there before it is believed; all loops are bounded.
 */
#include <linux/dccp.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <linux/igmp.h>
#include <linux/ip.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "exthdrs.h"
#include "fragment.h"
#include "packet.h"
#include "proto_dccp.h"

/* Shortest quote of a transport header (RFC 792). */
#define QUOTE_MIN 8

static void *at(const struct natty_packet *pkt, unsigned int off)
{
	return pkt->skb->data + off;
}

/* Is the packet that long, and are those bytes in its linear part now? */
static bool have(struct natty_packet *pkt, unsigned int end)
{
	if (end > pkt->len)
		return false;
	return likely(end <= skb_headlen(pkt->skb)) ||
	       pskb_may_pull(pkt->skb, end);
}

/*
 * IP length fields are too narrow for the largest packets that the stack
 * builds for itself; those say 0, and their length is the buffer's.
 */
static unsigned int total_len(const struct sk_buff *skb, unsigned int header,
			      unsigned int claimed)
{
	if (likely(claimed))
		return header + claimed;
	return skb_is_gso(skb) ? skb->len : header;
}

/* Did the packet come over a wire, and has it not been routed yet? */
static bool is_from_wire(const struct sk_buff *skb)
{
	return skb->skb_iif > LOOPBACK_IFINDEX && !skb_dst(skb);
}

enum natty_icmp_role natty_packet_icmp_role(u8 proto, u8 type)
{
	if (proto == IPPROTO_ICMPV6) {
		switch (type) {
		case ICMPV6_ECHO_REQUEST:
			return NATTY_ICMP_QUERY;
		case ICMPV6_ECHO_REPLY:
			return NATTY_ICMP_ANSWER;
		}
		return NATTY_ICMP_NONE;
	}
	switch (type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
	case ICMP_INFO_REQUEST:
	case ICMP_ADDRESS:
		return NATTY_ICMP_QUERY;
	case ICMP_ECHOREPLY:
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESSREPLY:
		return NATTY_ICMP_ANSWER;
	}
	return NATTY_ICMP_NONE;
}

/* Combinations that some stack sends; PSH, ECE and CWR go with all of them. */
static bool tcp_flags_valid(u8 flags)
{
	const u64 valid = BIT_ULL(TCPHDR_SYN) |
			  BIT_ULL(TCPHDR_SYN | TCPHDR_URG) |
			  BIT_ULL(TCPHDR_SYN | TCPHDR_ACK) |
			  BIT_ULL(TCPHDR_RST) |
			  BIT_ULL(TCPHDR_RST | TCPHDR_ACK) |
			  BIT_ULL(TCPHDR_FIN | TCPHDR_ACK) |
			  BIT_ULL(TCPHDR_FIN | TCPHDR_ACK | TCPHDR_URG) |
			  BIT_ULL(TCPHDR_ACK) |
			  BIT_ULL(TCPHDR_ACK | TCPHDR_URG);

	return valid & BIT_ULL(flags & (TCPHDR_FIN | TCPHDR_SYN | TCPHDR_RST |
					TCPHDR_ACK | TCPHDR_URG));
}

static u8 icmp_of(u8 family)
{
	return family == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static void set_ports(struct natty_packet *pkt, __be16 src, __be16 dst)
{
	pkt->tuple.src.port = src;
	pkt->tuple.dst.port = dst;
}

static enum natty_counter parse_tcp(struct natty_packet *pkt)
{
	const struct tcphdr *th;
	unsigned int hlen;

	if (!have(pkt, pkt->l4 + sizeof(*th)))
		return NATTY_DROP_TRANSPORT_HEADER;
	th = at(pkt, pkt->l4);
	hlen = th->doff * 4;
	if (hlen < sizeof(*th) || pkt->l4 + hlen > pkt->len)
		return NATTY_DROP_TRANSPORT_HEADER;
	pkt->tcp_flags = ((const u8 *)th)[13];
	if (!tcp_flags_valid(pkt->tcp_flags))
		return NATTY_DROP_TCP_FLAGS;
	set_ports(pkt, th->source, th->dest);
	pkt->tcp_seq = ntohl(th->seq);
	pkt->tcp_ack = ntohl(th->ack_seq);
	pkt->tcp_end = pkt->tcp_seq + th->syn + th->fin +
		       (pkt->len - pkt->l4 - hlen);
	return NATTY_DROP_NONE;
}

static enum natty_counter parse_udp(struct natty_packet *pkt)
{
	const struct udphdr *uh;
	unsigned int len;

	if (!have(pkt, pkt->l4 + sizeof(*uh)))
		return NATTY_DROP_TRANSPORT_HEADER;
	uh = at(pkt, pkt->l4);
	len = ntohs(uh->len);
	/* What the stack has merged, it has checked; its length may be 0. */
	if ((len < sizeof(*uh) || len > pkt->len - pkt->l4) &&
	    !skb_is_gso(pkt->skb))
		return NATTY_DROP_TRANSPORT_HEADER;
	set_ports(pkt, uh->source, uh->dest);
	return NATTY_DROP_NONE;
}

/* Like UDP, but what was the length says how much the checksum covers. */
static enum natty_counter parse_udplite(struct natty_packet *pkt)
{
	const struct udphdr *uh;
	unsigned int coverage;

	if (!have(pkt, pkt->l4 + sizeof(*uh)))
		return NATTY_DROP_TRANSPORT_HEADER;
	uh = at(pkt, pkt->l4);
	coverage = ntohs(uh->len);
	if (coverage &&
	    (coverage < sizeof(*uh) || coverage > pkt->len - pkt->l4))
		return NATTY_DROP_TRANSPORT_HEADER;
	set_ports(pkt, uh->source, uh->dest);
	return NATTY_DROP_NONE;
}

static enum natty_counter parse_sctp(struct natty_packet *pkt)
{
	const struct sctphdr *sh;

	if (!have(pkt, pkt->l4 + sizeof(*sh)))
		return NATTY_DROP_TRANSPORT_HEADER;
	sh = at(pkt, pkt->l4);
	set_ports(pkt, sh->source, sh->dest);
	return NATTY_DROP_NONE;
}

/* Of 48 bits, of which the lower 32 will do. */
static enum natty_counter parse_dccp_numbers(struct natty_packet *pkt,
					     unsigned int hlen)
{
	unsigned int need = pkt->dccp_type == NATTY_DCCP_RESET ? 24 : 16;
	const __be32 *word;

	if (hlen < need || !have(pkt, pkt->l4 + need))
		return NATTY_DROP_TRANSPORT_HEADER;
	word = at(pkt, pkt->l4);
	pkt->tcp_seq = ntohl(word[3]);
	if (pkt->dccp_type == NATTY_DCCP_RESET)
		pkt->tcp_ack = ntohl(word[5]);
	return NATTY_DROP_NONE;
}

static enum natty_counter parse_dccp(struct natty_packet *pkt)
{
	const struct dccp_hdr *dh;
	unsigned int hlen, len, coverage;

	if (!have(pkt, pkt->l4 + sizeof(*dh)))
		return NATTY_DROP_TRANSPORT_HEADER;
	dh = at(pkt, pkt->l4);
	hlen = dh->dccph_doff * 4;
	len = pkt->len - pkt->l4;
	/* RFC 4340 9.2: 0 covers all, n the header and n - 1 words of data. */
	coverage = dh->dccph_cscov ? (dh->dccph_cscov - 1) * 4 : 0;
	if (hlen < sizeof(*dh) || hlen > len || coverage > len - hlen)
		return NATTY_DROP_TRANSPORT_HEADER;
	set_ports(pkt, dh->dccph_sport, dh->dccph_dport);
	pkt->dccp_type = dh->dccph_type;
	pkt->dccp_long = dh->dccph_x;
	pkt->tcp_seq = dh->dccph_seq2 << 16 | ntohs(dh->dccph_seq);
	return pkt->dccp_long ? parse_dccp_numbers(pkt, hlen) : NATTY_DROP_NONE;
}

/* The ports of a quoted packet, seen from the one who answers it. */
static enum natty_counter parse_quote_l4(struct natty_packet *pkt)
{
	u8 proto = pkt->tuple.proto;
	const struct icmphdr *ih;
	const __be16 *ports;

	set_ports(pkt, 0, 0);
	if (!natty_proto_has_ports(proto))
		return NATTY_DROP_NONE;
	if (!have(pkt, pkt->quote_l4 + QUOTE_MIN))
		return NATTY_DROP_ICMP_QUOTE;
	if (!natty_proto_is_icmp(proto)) {
		ports = at(pkt, pkt->quote_l4);
		set_ports(pkt, ports[1], ports[0]);
		return NATTY_DROP_NONE;
	}
	if (proto != icmp_of(pkt->tuple.family))
		return NATTY_DROP_ICMP_QUOTE;
	/* Type and identifier lie in the same place in both families. */
	ih = at(pkt, pkt->quote_l4);
	switch (natty_packet_icmp_role(proto, ih->type)) {
	case NATTY_ICMP_QUERY:
		pkt->tuple.dst.port = ih->un.echo.id;
		return NATTY_DROP_NONE;
	case NATTY_ICMP_ANSWER:
		pkt->tuple.src.port = ih->un.echo.id;
		return NATTY_DROP_NONE;
	default:
		return NATTY_DROP_ICMP_QUOTE;
	}
}

static enum natty_counter parse_quote4(struct natty_packet *pkt)
{
	const struct iphdr *ih;
	unsigned int hlen;

	if (!have(pkt, pkt->quote_l3 + sizeof(*ih)))
		return NATTY_DROP_ICMP_QUOTE;
	ih = at(pkt, pkt->quote_l3);
	hlen = ih->ihl * 4;
	if (ih->version != 4 || hlen < sizeof(*ih) ||
	    !have(pkt, pkt->quote_l3 + hlen))
		return NATTY_DROP_ICMP_QUOTE;
	ih = at(pkt, pkt->quote_l3);
	/* A later fragment's data is no header. */
	if (ip_fast_csum((const u8 *)ih, ih->ihl) ||
	    ih->frag_off & htons(IP_OFFSET))
		return NATTY_DROP_ICMP_QUOTE;
	pkt->tuple.src.addr.ip = ih->daddr;
	pkt->tuple.dst.addr.ip = ih->saddr;
	pkt->tuple.proto = ih->protocol;
	pkt->quote_l4 = pkt->quote_l3 + hlen;
	return parse_quote_l4(pkt);
}

static enum natty_counter parse_quote6(struct natty_packet *pkt)
{
	const struct ipv6hdr *ih;
	struct natty_exthdrs chain = {};

	if (!have(pkt, pkt->quote_l3 + sizeof(*ih)))
		return NATTY_DROP_ICMP_QUOTE;
	ih = at(pkt, pkt->quote_l3);
	chain.off = pkt->quote_l3 + sizeof(*ih);
	chain.end = pkt->len;
	chain.proto = ih->nexthdr;
	if (ih->version != 6 || !natty_exthdrs_walk(pkt->skb, &chain) ||
	    chain.frag_off || chain.detour)
		return NATTY_DROP_ICMP_QUOTE;
	pkt->tuple.src.addr.in6 = ih->daddr;
	pkt->tuple.dst.addr.in6 = ih->saddr;
	pkt->tuple.proto = chain.proto;
	pkt->quote_l4 = chain.off;
	return parse_quote_l4(pkt);
}

static enum natty_counter parse_icmp_query(struct natty_packet *pkt, u8 type,
					   __be16 id)
{
	switch (natty_packet_icmp_role(pkt->tuple.proto, type)) {
	case NATTY_ICMP_QUERY:
		pkt->tuple.src.port = id;
		break;
	case NATTY_ICMP_ANSWER:
		pkt->kind = NATTY_PACKET_ANSWER;
		pkt->tuple.dst.port = id;
		break;
	default:
		pkt->kind = NATTY_PACKET_OPAQUE;
	}
	return NATTY_DROP_NONE;
}

static bool icmp4_is_obsolete(u8 type)
{
	switch (type) {
	case ICMP_SOURCE_QUENCH:
	case ICMP_INFO_REQUEST:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY:
		return true;
	default:
		return false;
	}
}

/*
 * Packets of this host itself need no verification: their checksum is yet to
 * be made, or was made just now.
 */
static enum natty_counter parse_icmp4(struct natty_packet *pkt)
{
	const struct icmphdr *ih;

	if (!have(pkt, pkt->l4 + sizeof(*ih)))
		return NATTY_DROP_TRANSPORT_HEADER;
	if (pkt->skb->skb_iif &&
	    nf_ip_checksum(pkt->skb, NF_INET_PRE_ROUTING, pkt->l4, IPPROTO_ICMP))
		return NATTY_DROP_CHECKSUM;
	ih = at(pkt, pkt->l4);
	pkt->obsolete = icmp4_is_obsolete(ih->type);
	switch (ih->type) {
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		pkt->kind = NATTY_PACKET_ERROR;
		pkt->quote_l3 = pkt->l4 + sizeof(*ih);
		return parse_quote4(pkt);
	default:
		return parse_icmp_query(pkt, ih->type, ih->un.echo.id);
	}
}

/*
 * Messages of one link, as their hop limit proves; a router that forwards
 * such a packet would have spoilt it.
 */
static bool icmp6_is_local(u8 type, u8 hop_limit)
{
	switch (type) {
	case ICMPV6_MGM_QUERY:
	case ICMPV6_MGM_REPORT:
	case ICMPV6_MGM_REDUCTION:
	case ICMPV6_MLD2_REPORT:
	case 151 ... 153:		/* multicast router discovery */
		return hop_limit == 1;
	case 133 ... 137:		/* neighbour discovery */
	case 141 ... 142:		/* inverse neighbour discovery */
	case 148 ... 149:		/* secure neighbour discovery */
		return hop_limit == 255;
	default:
		return false;
	}
}

static enum natty_counter parse_icmp6(struct natty_packet *pkt, u8 hop_limit)
{
	const struct icmp6hdr *ih;

	if (!have(pkt, pkt->l4 + sizeof(*ih)))
		return NATTY_DROP_TRANSPORT_HEADER;
	if (pkt->skb->skb_iif &&
	    nf_ip6_checksum(pkt->skb, NF_INET_PRE_ROUTING, pkt->l4,
			    IPPROTO_ICMPV6))
		return NATTY_DROP_CHECKSUM;
	ih = at(pkt, pkt->l4);
	if (icmp6_is_local(ih->icmp6_type, hop_limit)) {
		pkt->kind = NATTY_PACKET_LOCAL;
		return NATTY_DROP_NONE;
	}
	switch (ih->icmp6_type) {
	case ICMPV6_DEST_UNREACH:
	case ICMPV6_PKT_TOOBIG:
	case ICMPV6_TIME_EXCEED:
	case ICMPV6_PARAMPROB:
		pkt->kind = NATTY_PACKET_ERROR;
		pkt->quote_l3 = pkt->l4 + sizeof(*ih);
		return parse_quote6(pkt);
	default:
		return parse_icmp_query(pkt, ih->icmp6_type,
					ih->icmp6_identifier);
	}
}

static enum natty_counter parse_icmp(struct natty_packet *pkt, u8 hop_limit)
{
	if (pkt->tuple.family == NFPROTO_IPV4)
		return parse_icmp4(pkt);
	return parse_icmp6(pkt, hop_limit);
}

static noinline enum natty_counter parse_rarer(struct natty_packet *pkt, u8 hop_limit)
{
	set_ports(pkt, 0, 0);
	switch (pkt->tuple.proto) {
	case IPPROTO_UDPLITE:
		return parse_udplite(pkt);
	case IPPROTO_SCTP:
		return parse_sctp(pkt);
	case IPPROTO_DCCP:
		return parse_dccp(pkt);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (pkt->tuple.proto == icmp_of(pkt->tuple.family))
			return parse_icmp(pkt, hop_limit);
		pkt->kind = NATTY_PACKET_OPAQUE;
		break;
	case IPPROTO_IGMP:
		if (hop_limit <= 1)
			pkt->kind = NATTY_PACKET_LOCAL;
		break;
	}
	return NATTY_DROP_NONE;
}

static enum natty_counter parse_l4(struct natty_packet *pkt, u8 hop_limit)
{
	switch (pkt->tuple.proto) {
	case IPPROTO_TCP:
		return parse_tcp(pkt);
	case IPPROTO_UDP:
		return parse_udp(pkt);
	default:
		return parse_rarer(pkt, hop_limit);
	}
}

/* Is this neither 0/8 nor 127/8 nor 224/3, which need a closer look? */
static __always_inline bool ipv4_is_ordinary(__be32 addr)
{
	u8 net = ntohl(addr) >> 24;

	return net && net < 224 && net != IN_LOOPBACKNET;
}

static bool ipv4_is_local(const struct sk_buff *skb, __be32 src, __be32 dst)
{
	if (unlikely(skb->pkt_type == PACKET_BROADCAST))
		return true;
	if (likely(ipv4_is_ordinary(src) && ipv4_is_ordinary(dst)))
		return false;
	if (ipv4_is_loopback(src) || ipv4_is_loopback(dst))
		return is_from_wire(skb);
	return !src || !dst || ipv4_is_multicast(src) ||
	       ipv4_is_multicast(dst) || ipv4_is_lbcast(src) ||
	       ipv4_is_lbcast(dst);
}

static bool ipv6_is_local(const struct sk_buff *skb, const struct in6_addr *src,
			  const struct in6_addr *dst)
{
	if (ipv6_addr_is_multicast(dst) || ipv6_addr_is_multicast(src) ||
	    ipv6_addr_any(src) || ipv6_addr_any(dst))
		return true;
	if ((dst->s6_addr32[0] & htonl(0xffc00000)) == htonl(0xfe800000))
		return true;
	return (ipv6_addr_loopback(src) || ipv6_addr_loopback(dst)) &&
	       is_from_wire(skb);
}

static enum natty_counter refuse_fragment(u8 proto, unsigned int off,
					  unsigned int len)
{
	return natty_fragment_is_tiny(proto, off, len) ?
	       NATTY_DROP_TINY_FRAGMENT : NATTY_DROP_FRAGMENT;
}

static enum natty_counter parse_ipv4(struct natty_packet *pkt,
				     struct sk_buff *skb)
{
	const struct iphdr *ih;
	unsigned int hlen;

	if (!pskb_may_pull(skb, sizeof(*ih)))
		return NATTY_DROP_IP_HEADER;
	ih = (const struct iphdr *)skb->data;
	hlen = ih->ihl * 4;
	pkt->len = total_len(skb, 0, ntohs(ih->tot_len));
	if (ih->version != 4 || hlen < sizeof(*ih) || pkt->len < hlen ||
	    pkt->len > skb->len)
		return NATTY_DROP_IP_HEADER;
	pkt->l4 = hlen;
	pkt->tuple.proto = ih->protocol;
	pkt->tuple.src.addr.ip = ih->saddr;
	pkt->tuple.dst.addr.ip = ih->daddr;
	if (unlikely(ih->frag_off & htons(IP_MF | IP_OFFSET)))
		return refuse_fragment(ih->protocol,
				       (ntohs(ih->frag_off) & IP_OFFSET) * 8,
				       pkt->len - hlen);
	if (unlikely(ipv4_is_local(skb, ih->saddr, ih->daddr))) {
		pkt->kind = NATTY_PACKET_LOCAL;
		set_ports(pkt, 0, 0);
		return NATTY_DROP_NONE;
	}
	return parse_l4(pkt, ih->ttl);
}

static enum natty_counter parse_ipv6(struct natty_packet *pkt,
				     struct sk_buff *skb)
{
	const struct ipv6hdr *ih;
	struct natty_exthdrs chain = {};

	if (!pskb_may_pull(skb, sizeof(*ih)))
		return NATTY_DROP_IP_HEADER;
	ih = (const struct ipv6hdr *)skb->data;
	pkt->len = total_len(skb, sizeof(*ih), ntohs(ih->payload_len));
	/* A jumbogram (RFC 2675), whose length IPv6 has checked. */
	if (!ih->payload_len && ih->nexthdr == NEXTHDR_HOP)
		pkt->len = skb->len;
	if (ih->version != 6 || pkt->len > skb->len)
		return NATTY_DROP_IP_HEADER;
	pkt->tuple.src.addr.in6 = ih->saddr;
	pkt->tuple.dst.addr.in6 = ih->daddr;
	chain.off = sizeof(*ih);
	chain.end = pkt->len;
	chain.proto = ih->nexthdr;
	if (!natty_exthdrs_walk(skb, &chain))
		return chain.fragmented ? NATTY_DROP_TINY_FRAGMENT :
					  NATTY_DROP_IP_HEADER;
	if (chain.fragmented)
		return refuse_fragment(chain.proto, chain.frag_off,
				       pkt->len - chain.off);
	pkt->l4 = chain.off;
	pkt->tuple.proto = chain.proto;
	if (chain.detour || ipv6_is_local(skb, &ih->saddr, &ih->daddr)) {
		pkt->kind = chain.detour ? NATTY_PACKET_OPAQUE :
					   NATTY_PACKET_LOCAL;
		set_ports(pkt, 0, 0);
		return NATTY_DROP_NONE;
	}
	return parse_l4(pkt, ih->hop_limit);
}

enum natty_counter natty_packet_parse(struct natty_packet *pkt,
				      struct sk_buff *skb, u8 family)
{
	pkt->skb = skb;
	pkt->kind = NATTY_PACKET_FLOW;
	pkt->tcp_flags = 0;
	pkt->obsolete = false;
	pkt->tuple.family = family;
	if (family == NFPROTO_IPV4)
		return parse_ipv4(pkt, skb);
	return parse_ipv6(pkt, skb);
}
