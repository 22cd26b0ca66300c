// SPDX-License-Identifier: GPL-2.0
/*
 * Changing packets. Checksums are never computed from the payload: each takes
 * the difference of what it covers, so a wrong checksum stays wrong, and a
 * packet's payload is neither read nor linearised.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/icmp.h>
#include <linux/mm.h>
#include <linux/sctp.h>
#include <net/checksum.h>

#include "compat/crc32c.h"
#include "change.h"
#include "rewrite.h"

/* Header bytes that a quote may hold and that a rewrite touches: up to TCP's. */
#define QUOTE_HEADER 20

/* Where a side's port is, or its ICMP identifier; NULL if it has none. */
static __always_inline __be16 *port_of(void *l4, u8 proto, enum natty_manip side,
				       enum natty_icmp_role role)
{
	bool dst = side == NATTY_MANIP_DST;

	if (!natty_proto_is_icmp(proto))
		return (__be16 *)l4 + dst;
	if (role != (dst ? NATTY_ICMP_ANSWER : NATTY_ICMP_QUERY))
		return NULL;
	return &((struct icmphdr *)l4)->un.echo.id;
}

static bool make_writable(struct sk_buff *skb, unsigned int len)
{
	if (likely(len <= skb_headlen(skb) && !skb_cloned(skb)))
		return true;
	return !skb_ensure_writable(skb, len);
}

/*
 * CRC32c is linear: it changes by the CRC of the difference followed by as
 * many zeros as there are bytes behind it, with neither preset nor inversion.
 * @len counts from the common header on.
 */
static __le32 sctp_difference(__be32 before, __be32 after, unsigned int len)
{
	static const u8 zeros[256];
	__be32 diff = before ^ after;
	unsigned int n;
	u32 crc;

	crc = crc32c(0, (const void *)&diff, sizeof(diff));
	for (len -= sizeof(diff); len; len -= n) {
		n = min_t(unsigned int, len, sizeof(zeros));
		crc = crc32c(crc, zeros, n);
	}
	return cpu_to_le32(crc);
}

/* Addresses are not covered. */
static void rewrite_sctp(struct natty_packet *pkt, struct natty_change *change)
{
	struct sk_buff *skb = pkt->skb;
	struct sctphdr *sh = (struct sctphdr *)(skb->data + pkt->l4);
	__be32 ports = *(__be32 *)sh;

	if (pkt->tuple.family == NFPROTO_IPV6)
		natty_packet_sum_add(skb, change->addr);
	natty_change_port(port_of(sh, IPPROTO_SCTP, change->side, 0), change);
	if (*(__be32 *)sh == ports || natty_check_is_partial(skb, sh))
		return;
	sh->checksum ^= sctp_difference(ports, *(__be32 *)sh,
					pkt->len - pkt->l4);
	/* Its sum over the whole packet is no longer known. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
}

static __always_inline void rewrite_l4(struct natty_packet *pkt, u8 family, u8 proto,
				       struct natty_change *change)
{
	void *l4 = pkt->skb->data + pkt->l4;
	__be16 *port;

	port = port_of(l4, proto, change->side,
		       pkt->kind == NATTY_PACKET_ANSWER ? NATTY_ICMP_ANSWER :
							  NATTY_ICMP_QUERY);
	if (port)
		natty_change_port(port, change);
	natty_change_l4_check(pkt->skb, l4, family, proto, change);
}

/* @family and @proto are constants for the most usual packets. */
static __always_inline bool rewrite_headers(struct natty_packet *pkt, u8 family,
					    u8 proto, struct natty_change *change)
{
	unsigned int need;

	if (natty_proto_has_ports(proto))
		need = pkt->l4 + natty_packet_min_header(proto);
	else
		need = family == NFPROTO_IPV4 ? sizeof(struct iphdr) :
						sizeof(struct ipv6hdr);
	if (!make_writable(pkt->skb, need))
		return false;
	natty_change_addr(pkt->skb->data, family, change);
	if (proto == IPPROTO_SCTP)
		rewrite_sctp(pkt, change);
	else if (natty_proto_has_ports(proto))
		rewrite_l4(pkt, family, proto, change);
	else if (family == NFPROTO_IPV6)
		natty_packet_sum_add(pkt->skb, change->addr);
	return true;
}

static noinline bool rewrite_rarer(struct natty_packet *pkt, struct natty_change *change)
{
	return rewrite_headers(pkt, pkt->tuple.family, pkt->tuple.proto, change);
}

/* Of a quoted IP header: how many bytes its packet had behind the header. */
static unsigned int quoted_len(const struct natty_packet *pkt)
{
	const void *l3 = pkt->skb->data + pkt->quote_l3;
	unsigned int headers = pkt->quote_l4 - pkt->quote_l3;
	unsigned int len;

	if (pkt->tuple.family == NFPROTO_IPV4)
		len = ntohs(((const struct iphdr *)l3)->tot_len);
	else
		len = ntohs(((const struct ipv6hdr *)l3)->payload_len) +
		      sizeof(struct ipv6hdr);
	return max(len, headers) - headers;
}

/* The quoted transport header, of which @len bytes are there: 8 or more. */
static void rewrite_quoted_l4(struct natty_packet *pkt, struct natty_change *change,
			      unsigned int len)
{
	void *l4 = pkt->skb->data + pkt->quote_l4;
	u8 proto = pkt->tuple.proto;
	__be32 ports = *(__be32 *)l4;
	__be16 *port;
	__sum16 *check;

	port = port_of(l4, proto, change->side,
		       natty_packet_icmp_role(proto, *(u8 *)l4));
	if (port)
		natty_change_port(port, change);
	if (proto == IPPROTO_SCTP) {
		struct sctphdr *sh = l4;

		if (len >= sizeof(*sh) && quoted_len(pkt) >= sizeof(*sh))
			sh->checksum ^= sctp_difference(ports, *(__be32 *)sh,
							quoted_len(pkt));
		return;
	}
	if (len < natty_check_offset(proto) + sizeof(*check))
		return;
	check = l4 + natty_check_offset(proto);
	if (*check || proto != IPPROTO_UDP)
		natty_change_check(check, proto, change);
}

static noinline bool rewrite_error(struct natty_packet *pkt, struct natty_change *change)
{
	u8 family = pkt->tuple.family;
	u8 proto = pkt->tuple.proto;
	unsigned int end = min_t(unsigned int, pkt->len,
				 pkt->quote_l4 + QUOTE_HEADER);
	unsigned int size = end - pkt->quote_l3;
	struct natty_change quoted = {
		.side = change->side == NATTY_MANIP_SRC ? NATTY_MANIP_DST :
							  NATTY_MANIP_SRC,
		.to = change->to,
		.to_port = change->to_port,
	};
	struct icmphdr *ih;
	__wsum before, diff;
	void *quote;

	if (!make_writable(pkt->skb, end))
		return false;
	quote = pkt->skb->data + pkt->quote_l3;
	before = csum_partial(quote, size, 0);
	natty_change_addr(quote, family, &quoted);
	if (natty_proto_has_ports(proto))
		rewrite_quoted_l4(pkt, &quoted, end - pkt->quote_l4);
	diff = csum_sub(csum_partial(quote, size, 0), before);

	/* The message's own checksum is in the same place in both families. */
	natty_change_addr(pkt->skb->data, family, change);
	ih = (struct icmphdr *)(pkt->skb->data + pkt->l4);
	if (family == NFPROTO_IPV6)
		diff = csum_add(diff, change->addr);
	csum_replace_by_diff(&ih->checksum, diff);
	return true;
}

bool natty_rewrite(struct natty_packet *pkt, enum natty_manip manip,
		   const struct natty_endpoint *to)
{
	struct natty_endpoint *side = manip == NATTY_MANIP_SRC ?
				      &pkt->tuple.src : &pkt->tuple.dst;
	struct natty_change change = {
		.side = manip,
		.to = &to->addr,
		.to_port = to->port,
	};
	u8 family = pkt->tuple.family;
	bool done;

	if (natty_endpoint_equal(family, side, to))
		return true;
	if (pkt->kind == NATTY_PACKET_ERROR)
		done = rewrite_error(pkt, &change);
	else if (family == NFPROTO_IPV4 && pkt->tuple.proto == IPPROTO_UDP)
		done = rewrite_headers(pkt, NFPROTO_IPV4, IPPROTO_UDP, &change);
	else if (family == NFPROTO_IPV4 && pkt->tuple.proto == IPPROTO_TCP)
		done = rewrite_headers(pkt, NFPROTO_IPV4, IPPROTO_TCP, &change);
	else
		done = rewrite_rarer(pkt, &change);
	if (done)
		*side = *to;
	return done;
}
