// SPDX-License-Identifier: GPL-2.0
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>

#include "packet.h"

/* Enough for the index of the flow, and for the shortest Ethernet frame. */
#define PAYLOAD 18
#define SEQ_ORIG 1000
#define SEQ_REPLY 2000

static void put_ip(struct sk_buff *skb, u8 proto, const struct blast_end *src,
		   const struct blast_end *dst)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = 5;
	iph->ttl = 32;
	iph->protocol = proto;
	iph->tot_len = htons(skb->len);
	iph->saddr = src->addr.s6_addr32[0];
	iph->daddr = dst->addr.s6_addr32[0];
	ip_send_check(iph);
	skb->protocol = htons(ETH_P_IP);
}

static void put_ipv6(struct sk_buff *skb, u8 proto, const struct blast_end *src,
		     const struct blast_end *dst)
{
	unsigned int len = skb->len;
	struct ipv6hdr *ip6h = skb_push(skb, sizeof(*ip6h));

	memset(ip6h, 0, sizeof(*ip6h));
	ip6h->version = 6;
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = proto;
	ip6h->hop_limit = 32;
	ip6h->saddr = src->addr;
	ip6h->daddr = dst->addr;
	skb->protocol = htons(ETH_P_IPV6);
}

static void put_udp(struct sk_buff *skb, const struct blast_end *src,
		    const struct blast_end *dst)
{
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	uh->source = src->port;
	uh->dest = dst->port;
	uh->len = htons(skb->len);
	uh->check = htons(0x1234);
}

/* The same numbers again and again are retransmissions, which are in window. */
static void put_tcp(struct sk_buff *skb, enum blast_kind kind, bool reply,
		    const struct blast_end *src, const struct blast_end *dst)
{
	struct tcphdr *th = skb_push(skb, sizeof(*th));
	bool syn = kind == BLAST_SYN || kind == BLAST_SYNACK;

	memset(th, 0, sizeof(*th));
	th->source = src->port;
	th->dest = dst->port;
	th->doff = sizeof(*th) / 4;
	th->seq = htonl((reply ? SEQ_REPLY : SEQ_ORIG) + !syn);
	th->window = htons(60000);
	th->check = htons(0x1234);
	th->syn = syn;
	th->psh = kind == BLAST_DATA;
	if (kind != BLAST_SYN) {
		th->ack = 1;
		th->ack_seq = htonl((reply ? SEQ_ORIG : SEQ_REPLY) + 1);
	}
}

/* A packet as a device hands it up that has verified its checksum. */
struct sk_buff *blast_packet(const struct blast_shape *shape,
			     enum blast_kind kind, bool reply,
			     const struct blast_end *src,
			     const struct blast_end *dst, u32 index)
{
	struct sk_buff *skb;
	__be32 *payload;

	skb = netdev_alloc_skb(shape->dev, 128);
	if (!skb)
		return NULL;
	skb_reserve(skb, ETH_HLEN + sizeof(struct ipv6hdr) +
		    sizeof(struct tcphdr) + 2);
	payload = skb_put_zero(skb, PAYLOAD);
	*payload = htonl(index);
	if (shape->proto == IPPROTO_UDP)
		put_udp(skb, src, dst);
	else
		put_tcp(skb, kind, reply, src, dst);
	if (shape->family == AF_INET)
		put_ip(skb, shape->proto, src, dst);
	else
		put_ipv6(skb, shape->proto, src, dst);
	skb_reset_network_header(skb);
	skb_push(skb, ETH_HLEN);
	skb_reset_mac_header(skb);
	ether_addr_copy(eth_hdr(skb)->h_dest, shape->dev->dev_addr);
	eth_zero_addr(eth_hdr(skb)->h_source);
	eth_hdr(skb)->h_proto = skb->protocol;
	skb_pull(skb, ETH_HLEN);
	skb->pkt_type = PACKET_HOST;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

/* Which flow a packet is of that comes out, and as what; it is not fragmented. */
bool blast_source(const struct sk_buff *skb, struct blast_end *src, u32 *index)
{
	const u8 *at = skb_network_header(skb);
	const u8 *end = skb_tail_pointer(skb);
	u8 proto;

	memset(src, 0, sizeof(*src));
	if (skb->protocol == htons(ETH_P_IP)) {
		src->addr.s6_addr32[0] = ((struct iphdr *)at)->saddr;
		proto = ((struct iphdr *)at)->protocol;
		at += sizeof(struct iphdr);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		src->addr = ((struct ipv6hdr *)at)->saddr;
		proto = ((struct ipv6hdr *)at)->nexthdr;
		at += sizeof(struct ipv6hdr);
	} else {
		return false;
	}
	src->port = *(__be16 *)at;
	if (proto == IPPROTO_UDP)
		at += sizeof(struct udphdr);
	else if (proto == IPPROTO_TCP)
		at += sizeof(struct tcphdr);
	else
		return false;
	if (at + PAYLOAD != end)
		return false;
	*index = ntohl(*(__be32 *)at);
	return true;
}
