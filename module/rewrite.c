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
#include "rewrite.h"

/* Header bytes that a quote may hold and that a rewrite touches: up to TCP's. */
#define QUOTE_HEADER 20

/**
 * struct change - what becomes of one side of a packet
 * @side: which
 * @to: the address it gets
 * @to_port: and the port
 * @addr: what a checksum must be told about the address
 * @port: what a checksum must be told about the port, 0 if that stays
 */
struct change {
	enum natty_manip side;
	const union nf_inet_addr *to;
	__be16 to_port;
	__wsum addr;
	__wsum port;
};

/* Where a side's port is, or its ICMP identifier; NULL if it has none. */
static __be16 *port_of(void *l4, u8 proto, enum natty_manip side,
		       enum natty_icmp_role role)
{
	bool dst = side == NATTY_MANIP_DST;

	if (!natty_proto_is_icmp(proto))
		return (__be16 *)l4 + dst;
	if (role != (dst ? NATTY_ICMP_ANSWER : NATTY_ICMP_QUERY))
		return NULL;
	return &((struct icmphdr *)l4)->un.echo.id;
}

/* Place of the Internet checksum in a transport header, 0 if it has none. */
static __always_inline unsigned int check_offset(u8 proto)
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
static __wsum difference6(const struct in6_addr *from, const struct in6_addr *to)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < 4; i++)
		sum += (u64)(__force u32)~from->s6_addr32[i] +
		       (__force u32)to->s6_addr32[i];
	sum = (sum & U32_MAX) + (sum >> 32);
	return (__force __wsum)(u32)((sum & U32_MAX) + (sum >> 32));
}

static __always_inline __wsum difference16(__be16 from, __be16 to)
{
	return (__force __wsum)((u32)(u16)~(__force u16)from +
				(__force u16)to);
}

/* Bytes of the packet changed by @diff and no checksum made up for it. */
static __always_inline void packet_sum_add(struct sk_buff *skb, __wsum diff)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_add(skb->csum, diff);
}

static bool make_writable(struct sk_buff *skb, unsigned int len)
{
	if (likely(len <= skb_headlen(skb) && !skb_cloned(skb)))
		return true;
	return !skb_ensure_writable(skb, len);
}

/*
 * Is the checksum of the header at @l4 yet to be completed? It then holds that
 * of the pseudo header only. A tunnel's outer checksum is complete although
 * the packet in it is not, except while segmentation is to come.
 */
static __always_inline bool is_partial(const struct sk_buff *skb, unsigned int l4)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       (skb_is_gso(skb) || skb_checksum_start_offset(skb) == l4);
}

/* Set an address of the IP header at @off; @change->addr gets the difference. */
static __always_inline void set_addr(struct sk_buff *skb, unsigned int off, u8 family,
				     struct change *change)
{
	bool dst = change->side == NATTY_MANIP_DST;
	const union nf_inet_addr *to = change->to;

	if (family == NFPROTO_IPV4) {
		struct iphdr *ih = (struct iphdr *)(skb->data + off);
		__be32 *addr = dst ? &ih->daddr : &ih->saddr;

		change->addr = csum_sub((__force __wsum)to->ip,
					(__force __wsum)*addr);
		csum_replace_by_diff(&ih->check, change->addr);
		*addr = to->ip;
	} else {
		struct ipv6hdr *ih = (struct ipv6hdr *)(skb->data + off);
		struct in6_addr *addr = dst ? &ih->daddr : &ih->saddr;

		change->addr = difference6(addr, &to->in6);
		*addr = to->in6;
	}
}

static __always_inline void set_port(__be16 *port, struct change *change)
{
	change->port = difference16(*port, change->to_port);
	*port = change->to_port;
}

/* Let the checksum of a transport header follow. */
static __always_inline void set_check(__sum16 *check, u8 proto, const struct change *change)
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
static void rewrite_sctp(struct natty_packet *pkt, struct change *change)
{
	struct sk_buff *skb = pkt->skb;
	struct sctphdr *sh = (struct sctphdr *)(skb->data + pkt->l4);
	__be32 ports = *(__be32 *)sh;

	if (pkt->tuple.family == NFPROTO_IPV6)
		packet_sum_add(skb, change->addr);
	set_port(port_of(sh, IPPROTO_SCTP, change->side, 0), change);
	if (*(__be32 *)sh == ports || is_partial(skb, pkt->l4))
		return;
	sh->checksum ^= sctp_difference(ports, *(__be32 *)sh,
					pkt->len - pkt->l4);
	/* Its sum over the whole packet is no longer known. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
}

/*
 * The checksum of a packet's transport header. Where the device has summed the
 * whole packet, that sum stays right by itself as far as a changed field and
 * the checksum over it cancel out; the IPv4 address does so against its
 * header's.
 */
static __always_inline void rewrite_check(struct sk_buff *skb, unsigned int l4,
					  u8 family, u8 proto,
					  const struct change *change)
{
	__sum16 *check = (void *)skb->data + l4 + check_offset(proto);
	bool v6 = family == NFPROTO_IPV6;

	if (is_partial(skb, l4)) {
		if (proto != IPPROTO_ICMP)
			*check = ~csum_fold(csum_add(change->addr,
						     csum_unfold(*check)));
	} else if (!*check && proto == IPPROTO_UDP) {
		packet_sum_add(skb, change->port);
		if (v6)
			packet_sum_add(skb, change->addr);
	} else {
		set_check(check, proto, change);
		if (!v6 && proto != IPPROTO_ICMP)
			packet_sum_add(skb, ~change->addr);
	}
}

static void rewrite_l4(struct natty_packet *pkt, struct change *change)
{
	u8 proto = pkt->tuple.proto;
	__be16 *port;

	port = port_of(pkt->skb->data + pkt->l4, proto, change->side,
		       pkt->kind == NATTY_PACKET_ANSWER ? NATTY_ICMP_ANSWER :
							  NATTY_ICMP_QUERY);
	if (port)
		set_port(port, change);
	rewrite_check(pkt->skb, pkt->l4, pkt->tuple.family, proto, change);
}

static __always_inline void rewrite_short(struct sk_buff *skb, u8 family,
					  u8 proto, enum natty_manip manip,
					  const union nf_inet_addr *addr,
					  __be16 port)
{
	struct change change = { .side = manip, .to = addr, .to_port = port };
	unsigned int l4 = family == NFPROTO_IPV4 ? sizeof(struct iphdr) :
						   sizeof(struct ipv6hdr);

	set_addr(skb, 0, family, &change);
	set_port((__be16 *)(skb->data + l4) + (manip == NATTY_MANIP_DST),
		 &change);
	rewrite_check(skb, l4, family, proto, &change);
}

/* With constants for arguments there is little left of it. */
void natty_rewrite_short(struct sk_buff *skb, u8 family, u8 proto,
			 enum natty_manip manip,
			 const union nf_inet_addr *addr, __be16 port)
{
	if (family != NFPROTO_IPV4)
		rewrite_short(skb, NFPROTO_IPV6, proto, manip, addr, port);
	else if (proto == IPPROTO_UDP)
		rewrite_short(skb, NFPROTO_IPV4, IPPROTO_UDP, manip, addr, port);
	else
		rewrite_short(skb, NFPROTO_IPV4, IPPROTO_TCP, manip, addr, port);
}

static bool rewrite_plain(struct natty_packet *pkt, struct change *change)
{
	u8 family = pkt->tuple.family;
	u8 proto = pkt->tuple.proto;
	unsigned int need;

	if (natty_proto_has_ports(proto))
		need = pkt->l4 + natty_packet_min_header(proto);
	else
		need = family == NFPROTO_IPV4 ? sizeof(struct iphdr) :
						sizeof(struct ipv6hdr);
	if (!make_writable(pkt->skb, need))
		return false;
	set_addr(pkt->skb, 0, family, change);
	if (proto == IPPROTO_SCTP)
		rewrite_sctp(pkt, change);
	else if (natty_proto_has_ports(proto))
		rewrite_l4(pkt, change);
	else if (family == NFPROTO_IPV6)
		packet_sum_add(pkt->skb, change->addr);
	return true;
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
static void rewrite_quoted_l4(struct natty_packet *pkt, struct change *change,
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
		set_port(port, change);
	if (proto == IPPROTO_SCTP) {
		struct sctphdr *sh = l4;

		if (len >= sizeof(*sh) && quoted_len(pkt) >= sizeof(*sh))
			sh->checksum ^= sctp_difference(ports, *(__be32 *)sh,
							quoted_len(pkt));
		return;
	}
	if (len < check_offset(proto) + sizeof(*check))
		return;
	check = l4 + check_offset(proto);
	if (*check || proto != IPPROTO_UDP)
		set_check(check, proto, change);
}

static bool rewrite_error(struct natty_packet *pkt, struct change *change)
{
	u8 family = pkt->tuple.family;
	u8 proto = pkt->tuple.proto;
	unsigned int end = min_t(unsigned int, pkt->len,
				 pkt->quote_l4 + QUOTE_HEADER);
	unsigned int size = end - pkt->quote_l3;
	struct change quoted = {
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
	set_addr(pkt->skb, pkt->quote_l3, family, &quoted);
	if (natty_proto_has_ports(proto))
		rewrite_quoted_l4(pkt, &quoted, end - pkt->quote_l4);
	diff = csum_sub(csum_partial(quote, size, 0), before);

	/* The message's own checksum is in the same place in both families. */
	set_addr(pkt->skb, 0, family, change);
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
	struct change change = {
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
	else
		done = rewrite_plain(pkt, &change);
	if (done)
		*side = *to;
	return done;
}
