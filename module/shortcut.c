// SPDX-License-Identifier: GPL-2.0
/* See shortcut.h. Each instruction here is paid for by every packet. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "cursor.h"
#include "flow.h"
#include "netns.h"
#include "proto.h"
#include "proto_tcp.h"
#include "rewrite.h"
#include "shortcut.h"
#include "slot.h"

/**
 * struct plain - a packet of the simplest form
 * @addr: its addresses, source before destination
 * @l4: its transport header, which begins with its ports in that order
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 */
struct plain {
	const void *addr;
	const void *l4;
	u8 proto;
};

static __always_inline unsigned int header_len(u8 family)
{
	return family == NFPROTO_IPV4 ? sizeof(struct iphdr) :
					sizeof(struct ipv6hdr);
}

/* Find addresses and ports; nothing is known yet but that they are there. */
static __always_inline bool plain_begin(struct plain *p,
					const struct sk_buff *skb, u8 family)
{
	const void *l3 = skb->data;

	if (unlikely(skb_headlen(skb) < header_len(family) + sizeof(struct udphdr)))
		return false;
	p->l4 = l3 + header_len(family);
	if (family == NFPROTO_IPV4) {
		const struct iphdr *ih = l3;

		p->addr = &ih->saddr;
		p->proto = ih->protocol;
		return *(const u8 *)ih == 0x45 &&
		       !(ih->frag_off & htons(IP_MF | IP_OFFSET));
	} else {
		const struct ipv6hdr *ih = l3;

		p->addr = &ih->saddr;
		p->proto = ih->nexthdr;
		/* Behind others there may be one that says it is a fragment. */
		return ih->version == 6 && (p->proto == IPPROTO_TCP ||
					    p->proto == IPPROTO_UDP);
	}
}

static __always_inline const union nf_inet_addr *dst_of(const struct plain *p,
							u8 family)
{
	return family == NFPROTO_IPV4 ?
	       (const void *)((const __be32 *)p->addr + 1) :
	       (const void *)((const struct in6_addr *)p->addr + 1);
}

/* Does the packet hold what its headers claim, and may they be written to? */
static __always_inline bool plain_check(const struct plain *p,
					const struct sk_buff *skb, u8 family)
{
	unsigned int len;

	if (family == NFPROTO_IPV4)
		len = ntohs(((const struct iphdr *)skb->data)->tot_len);
	else
		len = ntohs(((const struct ipv6hdr *)skb->data)->payload_len) +
		      sizeof(struct ipv6hdr);
	if (unlikely(len > skb->len || skb_cloned(skb)))
		return false;
	/* Where a length is 0, as in what the stack has merged: huge. */
	len -= header_len(family);
	if (p->proto == IPPROTO_UDP) {
		unsigned int claimed = ntohs(((const struct udphdr *)p->l4)->len);

		return claimed >= sizeof(struct udphdr) && claimed <= len &&
		       len < 0x10000;
	}
	return p->proto == IPPROTO_TCP && len < 0x10000 &&
	       skb_headlen(skb) >= header_len(family) + sizeof(struct tcphdr) &&
	       ((const struct tcphdr *)p->l4)->doff * 4 >= sizeof(struct tcphdr) &&
	       ((const struct tcphdr *)p->l4)->doff * 4 <= len;
}

/*
 * Of the opener's endpoint as the packet shows it, inside or outside: its
 * source or destination.
 */
static __always_inline u32 hash_of(const struct natty_table *table, u8 family,
				   const struct plain *p, enum natty_dir dir)
{
	const unsigned int i = dir == NATTY_DIR_REPLY;
	u32 rest = natty_slot_rest(i ? NATTY_SLOT_EXTERNAL : NATTY_SLOT_INTERNAL,
				   p->proto, ((const __be16 *)p->l4)[i]);

	if (family == NFPROTO_IPV4)
		return natty_slot_endpoint4(table, rest,
					    ((const __be32 *)p->addr)[i]);
	return natty_slot_endpoint6(table, rest,
				    (const struct in6_addr *)p->addr + i);
}

/*
 * The opener's packets show ORIG_SRC and ORIG_DST, answers ORIG_DST, which is
 * NEW_DST as well, and NEW_SRC: each pair stands side by side in a connection
 * as it does in a packet.
 */
static __always_inline bool is_of(const struct natty_conn *conn, u8 family,
				  const struct plain *p, enum natty_dir dir)
{
	const unsigned int i = dir == NATTY_DIR_ORIG ? NATTY_END_ORIG_SRC :
						       NATTY_END_ORIG_DST;
	const u32 set = BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_SRC);
	const u32 clear = BIT(NATTY_CONN_DST) | BIT(NATTY_CONN_LOCAL) |
			  BIT(NATTY_CONN_FILTER) | BIT(NATTY_CONN_UNCONFIRMED) |
			  BIT(NATTY_CONN_CLOSED) | BIT(NATTY_CONN_DEAD);

	BUILD_BUG_ON(NATTY_END_ORIG_SRC != 0 || NATTY_END_ORIG_DST != 1 ||
		     NATTY_END_NEW_SRC != 2);
	if (memcmp(&conn->port[i], p->l4, 2 * sizeof(conn->port[0])) ||
	    ((u32)atomic_read(&conn->flags) & (set | clear)) != set ||
	    conn->proto != p->proto)
		return false;
	if (family == NFPROTO_IPV4)
		return !memcmp(&conn->addr4[i], p->addr, 2 * sizeof(conn->addr4[0]));
	return !memcmp(&conn->addr6[i], p->addr, 2 * sizeof(conn->addr6[0]));
}

/* See natty_cursor; this one stays in registers. */
static __always_inline struct natty_conn *find(const struct natty_table *table,
					       u8 family, const struct plain *p,
					       enum natty_dir dir, u32 hash)
{
	struct natty_buckets *buckets = rcu_dereference(table->buckets);
	const struct natty_bucket *bucket = natty_bucket_of(buckets, hash);
	struct natty_conn *conn;
	u64 ways;

	do {
		ways = natty_bucket_match(bucket, (u16)hash);
		for (; ways; ways &= ways - 1) {
			conn = natty_table_candidate(table, bucket, ways);
			if (conn && is_of(conn, family, p, dir))
				return natty_conn_expired(conn) ? NULL : conn;
		}
		bucket = natty_buckets_follow(&buckets, bucket, hash);
	} while (unlikely(bucket));
	return NULL;
}

/* Let the packet act on its connection, if all it does is to keep it alive. */
static __always_inline bool advance(const struct natty_config *config,
				    struct natty_table *table,
				    struct natty_conn *conn, struct sk_buff *skb,
				    const struct plain *p, enum natty_dir dir)
{
	const struct tcphdr *th = p->l4;

	if (dir == NATTY_DIR_REPLY && !natty_conn_is(conn, NATTY_CONN_REPLIED))
		return false;
	if (p->proto == IPPROTO_TCP &&
	    (!th->ack || !natty_tcp_is_ordinary(conn, ((const u8 *)th)[13],
						ntohl(th->ack_seq), dir)))
		return false;
	natty_conn_refresh(conn, natty_proto_timeout(conn, &config->set));
	natty_flow_account(table, config, conn, dir, skb->len);
	return true;
}

/* Can nothing but an outbound connection without a translated destination be meant? */
static __always_inline bool is_outward(const struct natty_net *nn,
				       const struct net_device *in)
{
	const struct natty_config *config = rcu_dereference(nn->config);

	return !READ_ONCE(nn->destinations) &&
	       !natty_config_gate(config, NATTY_CHAIN_PREROUTING, in);
}

static __always_inline bool short_in(struct natty_net *nn, struct sk_buff *skb,
				     const struct net_device *in, u8 family)
{
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_table *table = natty_table_of(nn, family);
	enum natty_dir dir = NATTY_DIR_ORIG;
	struct natty_conn *conn = NULL;
	struct plain p;
	u32 hash;

	if (!plain_begin(&p, skb, family))
		return false;
	if (natty_port_addr_maybe(&nn->ports, family, dst_of(&p, family))) {
		dir = NATTY_DIR_REPLY;
	} else if (likely(is_outward(nn, in))) {
		hash = hash_of(table, family, &p, NATTY_DIR_ORIG);
		prefetch(natty_bucket_of(rcu_dereference(table->buckets), hash));
		h->hash = hash;
		goto done;
	}
	if (!plain_check(&p, skb, family))
		return false;
	conn = find(table, family, &p, dir, hash_of(table, family, &p, dir));
	if (!conn || !advance(rcu_dereference(nn->config), table, conn, skb, &p, dir))
		return false;
	if (dir == NATTY_DIR_REPLY)
		natty_rewrite_short(skb, family, p.proto, NATTY_MANIP_DST,
				    natty_conn_addr(conn, family,
						    NATTY_END_ORIG_SRC),
				    conn->port[NATTY_END_ORIG_SRC]);
done:
	h->skb = skb;
	h->conn = conn;
	h->dir = dir;
	h->done = dir == NATTY_DIR_REPLY;
	return true;
}

/* Apart, so that none has to save what only another needs. */
static noinline bool short_in4(struct natty_net *nn, struct sk_buff *skb,
			       const struct net_device *in)
{
	return short_in(nn, skb, in, NFPROTO_IPV4);
}

static noinline bool short_in6(struct natty_net *nn, struct sk_buff *skb,
			       const struct net_device *in)
{
	return short_in(nn, skb, in, NFPROTO_IPV6);
}

bool natty_shortcut_in(struct natty_net *nn, struct sk_buff *skb,
		       const struct nf_hook_state *state)
{
	if (state->in->flags & IFF_LOOPBACK)
		return false;
	if (likely(state->pf == NFPROTO_IPV4))
		return short_in4(nn, skb, state->in);
	return short_in6(nn, skb, state->in);
}

/*
 * Did the first hook do everything? Most often so with answers. The addresses
 * are compared to make sure that it saw this packet, not one before it in the
 * same place.
 */
static bool is_done(const struct natty_handover *h, const struct sk_buff *skb,
		    u8 family)
{
	const struct natty_conn *conn = h->conn;
	enum natty_end src = NATTY_END_ORIG_SRC, dst = NATTY_END_NEW_DST;

	if (conn->family != family)
		return false;
	if (h->dir == NATTY_DIR_REPLY)
		swap(src, dst);
	if (family == NFPROTO_IPV4)
		return ip_hdr(skb)->saddr == conn->addr4[src] &&
		       ip_hdr(skb)->daddr == conn->addr4[dst];
	return ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &conn->addr6[src]) &&
	       ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &conn->addr6[dst]);
}

static __always_inline bool short_out(struct natty_net *nn,
				      struct natty_handover *h,
				      struct sk_buff *skb, u8 family)
{
	struct natty_table *table = natty_table_of(nn, family);
	struct natty_conn *conn = h->conn;
	struct plain p;

	if (!plain_begin(&p, skb, family) || !plain_check(&p, skb, family))
		return false;
	if (conn) {
		if (conn->family != family || !is_of(conn, family, &p, NATTY_DIR_ORIG))
			return false;
	} else {
		conn = find(table, family, &p, NATTY_DIR_ORIG, h->hash);
		if (!conn || !advance(rcu_dereference(nn->config), table, conn,
				      skb, &p, NATTY_DIR_ORIG))
			return false;
	}
	natty_rewrite_short(skb, family, p.proto, NATTY_MANIP_SRC,
			    natty_conn_addr(conn, family, NATTY_END_NEW_SRC),
			    conn->port[NATTY_END_NEW_SRC]);
	if (family == NFPROTO_IPV4)
		natty_ident_renew(nn, skb);
	return true;
}

static noinline bool short_out4(struct natty_net *nn, struct natty_handover *h,
				struct sk_buff *skb)
{
	return short_out(nn, h, skb, NFPROTO_IPV4);
}

static noinline bool short_out6(struct natty_net *nn, struct natty_handover *h,
				struct sk_buff *skb)
{
	return short_out(nn, h, skb, NFPROTO_IPV6);
}

bool natty_shortcut_out(struct natty_net *nn, struct sk_buff *skb,
			const struct nf_hook_state *state)
{
	struct natty_handover *h = this_cpu_ptr(nn->handover);

	if (h->skb != skb)
		return false;
	if (h->done)
		return is_done(h, skb, state->pf);
	/* Where no connection is known yet only interfaces of the outside matter. */
	if (h->dir != NATTY_DIR_ORIG ||
	    (!h->conn && !natty_is_outside(nn, state->out->ifindex)))
		return false;
	if (likely(state->pf == NFPROTO_IPV4))
		return short_out4(nn, h, skb);
	return short_out6(nn, h, skb);
}
