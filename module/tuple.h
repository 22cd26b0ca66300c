/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_TUPLE_H
#define NATTY_TUPLE_H

#include <linux/netfilter.h>
#include <linux/string.h>
#include <linux/types.h>
#include <net/ipv6.h>

/**
 * struct natty_endpoint - an address and a port
 * @addr: for IPv4 only the first word is meaningful
 * @port: 0 for protocols without ports; the identifier of an ICMP query
 */
struct natty_endpoint {
	union nf_inet_addr addr;
	__be16 port;
};

/**
 * struct natty_tuple - a flow as one hook sees it
 * @src: where the packet comes from
 * @dst: where it goes
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: IP protocol, or the IPv6 header after all extension headers
 *
 * An ICMP query has its identifier in @src.port and 0 in @dst.port, its answer
 * the other way round, so that one is the inverse of the other.
 */
struct natty_tuple {
	struct natty_endpoint src;
	struct natty_endpoint dst;
	u8 family;
	u8 proto;
};

/* The side of a packet that a rewrite changes. */
enum natty_manip {
	NATTY_MANIP_SRC,
	NATTY_MANIP_DST,
};

/* The direction in which a packet travels, seen from the connection's opener. */
enum natty_dir {
	NATTY_DIR_ORIG,
	NATTY_DIR_REPLY,
};

static inline bool natty_addr_equal(u8 family, const union nf_inet_addr *a,
				    const union nf_inet_addr *b)
{
	if (family == NFPROTO_IPV4)
		return a->ip == b->ip;
	return ipv6_addr_equal(&a->in6, &b->in6);
}

static inline bool natty_addr_in_prefix(u8 family, const union nf_inet_addr *addr,
					const union nf_inet_addr *net, u8 len)
{
	if (family == NFPROTO_IPV6)
		return ipv6_prefix_equal(&addr->in6, &net->in6, len);
	/* A shift by 32 is undefined. */
	return !len || !((addr->ip ^ net->ip) & htonl(~0U << (32 - len)));
}

static inline bool natty_endpoint_equal(u8 family,
					const struct natty_endpoint *a,
					const struct natty_endpoint *b)
{
	return a->port == b->port && natty_addr_equal(family, &a->addr, &b->addr);
}

static inline bool natty_tuple_equal(const struct natty_tuple *a,
				     const struct natty_tuple *b)
{
	return a->proto == b->proto && a->family == b->family &&
	       natty_endpoint_equal(a->family, &a->src, &b->src) &&
	       natty_endpoint_equal(a->family, &a->dst, &b->dst);
}

/* The tuple of the packet that answers a packet of tuple @t. */
static inline void natty_tuple_invert(struct natty_tuple *inverse,
				      const struct natty_tuple *t)
{
	struct natty_endpoint src = t->src;

	inverse->src = t->dst;
	inverse->dst = src;
	inverse->family = t->family;
	inverse->proto = t->proto;
}

static inline bool natty_proto_is_icmp(u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* Do tuples of this protocol have ports, or identifiers that serve as such? */
static inline bool natty_proto_has_ports(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return true;
	default:
		return false;
	}
}

#endif
