// SPDX-License-Identifier: GPL-2.0
/*
 * See shortcut.h. Each instruction here is paid for by every packet, so what
 * one of them needs and others do not stands in functions of its own, which end
 * in jumps.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "compat/unaligned.h"
#include "change.h"
#include "cursor.h"
#include "flow.h"
#include "hook.h"
#include "netns.h"
#include "proto_tcp.h"
#include "proto_udp.h"
#include "shortcut.h"
#include "slot.h"

/*
 * A packet of the simplest form: network header, then transport header, with
 * both addresses and both ports side by side.
 */

static __always_inline unsigned int header_len(u8 family)
{
	return family == NFPROTO_IPV4 ? sizeof(struct iphdr) :
					sizeof(struct ipv6hdr);
}

static __always_inline const __be16 *ports_of(const void *l3, u8 family)
{
	return l3 + header_len(family);
}

static __always_inline u8 proto_of(const void *l3, u8 family)
{
	return family == NFPROTO_IPV4 ? ((const struct iphdr *)l3)->protocol :
					((const struct ipv6hdr *)l3)->nexthdr;
}

/* Its source, or its destination. */
static __always_inline const union nf_inet_addr *addr_of(const void *l3, u8 family,
							 bool dst)
{
	if (family == NFPROTO_IPV4)
		return (const void *)(&((const struct iphdr *)l3)->saddr + dst);
	return (const void *)(&((const struct ipv6hdr *)l3)->saddr + dst);
}

/* Is it of that form, as far as addresses and ports go? */
static __always_inline bool is_plain(const struct sk_buff *skb, u8 family)
{
	const void *l3 = skb->data;
	u8 proto;

	if (unlikely(skb_headlen(skb) < header_len(family) + sizeof(struct udphdr)))
		return false;
	if (family == NFPROTO_IPV4)
		return *(const u8 *)l3 == 0x45 &&
		       !(((const struct iphdr *)l3)->frag_off &
			 htons(IP_MF | IP_OFFSET));
	/* Behind others there may be one that says it is a fragment. */
	proto = proto_of(l3, NFPROTO_IPV6);
	return ((const struct ipv6hdr *)l3)->version == 6 &&
	       (proto == IPPROTO_TCP || proto == IPPROTO_UDP);
}

/* Does it hold what its headers claim, and may they be written to? */
static __always_inline bool is_whole(const struct sk_buff *skb, u8 family)
{
	const void *l3 = skb->data, *l4 = ports_of(l3, family);
	unsigned int len;

	if (family == NFPROTO_IPV4)
		len = ntohs(((const struct iphdr *)l3)->tot_len);
	else
		len = ntohs(((const struct ipv6hdr *)l3)->payload_len) +
		      sizeof(struct ipv6hdr);
	if (unlikely(len > skb->len || skb_cloned(skb)))
		return false;
	/* Where a length is 0, as in what the stack has merged: huge. */
	len -= header_len(family);
	if (proto_of(l3, family) == IPPROTO_UDP) {
		unsigned int claimed = ntohs(((const struct udphdr *)l4)->len);

		return claimed >= sizeof(struct udphdr) && claimed <= len &&
		       len < 0x10000;
	}
	return proto_of(l3, family) == IPPROTO_TCP && len < 0x10000 &&
	       skb_headlen(skb) >= header_len(family) + sizeof(struct tcphdr) &&
	       ((const struct tcphdr *)l4)->doff * 4 >= sizeof(struct tcphdr) &&
	       ((const struct tcphdr *)l4)->doff * 4 <= len;
}

/*
 * Of the opener's endpoint as the packet shows it, inside or outside: its
 * source or destination.
 */
static __always_inline u32 hash_of(const struct natty_table *table, u8 family,
				   const void *l3, enum natty_dir dir)
{
	const bool dst = dir == NATTY_DIR_REPLY;
	const union nf_inet_addr *addr = addr_of(l3, family, dst);
	u32 rest = natty_slot_rest(dst ? NATTY_SLOT_EXTERNAL : NATTY_SLOT_INTERNAL,
				   proto_of(l3, family),
				   ports_of(l3, family)[dst]);

	if (family == NFPROTO_IPV4)
		return natty_slot_endpoint4(table, rest, addr->ip);
	return natty_slot_endpoint6(table, rest, &addr->in6);
}

/*
 * The opener's packets show ORIG_SRC and ORIG_DST, answers ORIG_DST, which is
 * NEW_DST as well, and NEW_SRC: each pair stands side by side in a connection
 * as it does in a packet.
 */
static __always_inline bool is_of(const struct natty_conn *conn, u8 family,
				  const void *l3, enum natty_dir dir)
{
	const unsigned int i = dir == NATTY_DIR_ORIG ? NATTY_END_ORIG_SRC :
						       NATTY_END_ORIG_DST;
	const union nf_inet_addr *addr = addr_of(l3, family, false);
	const u32 set = BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_SRC);
	const u32 clear = BIT(NATTY_CONN_DST) | BIT(NATTY_CONN_LOCAL) |
			  BIT(NATTY_CONN_FILTER) | BIT(NATTY_CONN_UNCONFIRMED) |
			  BIT(NATTY_CONN_CLOSED) | BIT(NATTY_CONN_DEAD);

	BUILD_BUG_ON(NATTY_END_ORIG_SRC != 0 || NATTY_END_ORIG_DST != 1 ||
		     NATTY_END_NEW_SRC != 2);
	if (get_unaligned((const u32 *)&conn->port[i]) !=
	    get_unaligned((const u32 *)ports_of(l3, family)) ||
	    ((u32)atomic_read(&conn->flags) & (set | clear)) != set ||
	    conn->proto != proto_of(l3, family))
		return false;
	if (family == NFPROTO_IPV4)
		return get_unaligned((const u64 *)&conn->addr4[i]) ==
		       get_unaligned((const u64 *)addr);
	return ipv6_addr_equal(&conn->addr6[i], &addr->in6) &&
	       ipv6_addr_equal(&conn->addr6[i + 1],
			       &addr_of(l3, family, true)->in6);
}

/* Where most connections are: what has the tag there, if it is one at all. */
static __always_inline struct natty_conn *guess(const struct natty_table *table,
						u32 hash)
{
	struct natty_buckets *buckets = rcu_dereference(table->buckets);
	const struct natty_bucket *bucket = natty_bucket_of(buckets, hash);
	u64 ways = natty_bucket_match_most(bucket, (u16)hash);

	return likely(ways) ? natty_table_candidate(table, bucket, ways) : NULL;
}

/* Wherever the table has it. */
static noinline struct natty_conn *find_more(const struct natty_table *table,
					     u8 family, const void *l3,
					     enum natty_dir dir, u32 hash)
{
	struct natty_cursor cursor;
	struct natty_conn *conn;

	natty_cursor_init(&cursor, table, hash);
	if (!cursor.ways && !natty_bucket_has_more(cursor.buckets, cursor.bucket))
		return NULL;
	while ((conn = natty_cursor_next(&cursor)))
		if (is_of(conn, family, l3, dir))
			return conn;
	return NULL;
}

static __always_inline struct natty_conn *find(const struct natty_table *table,
					       u8 family, const void *l3,
					       enum natty_dir dir, u32 hash)
{
	struct natty_conn *conn = guess(table, hash);

	if (unlikely(!conn || !is_of(conn, family, l3, dir))) {
		conn = find_more(table, family, l3, dir, hash);
		if (!conn)
			return NULL;
	}
	return natty_conn_expired(conn) ? NULL : conn;
}

/* Let the packet act on its connection, if all it does is to keep it alive. */
static __always_inline bool advance(const struct natty_config *config,
				    struct natty_table *table,
				    struct natty_conn *conn, struct sk_buff *skb,
				    u8 family, enum natty_dir dir)
{
	const struct tcphdr *th = (const void *)ports_of(skb->data, family);
	u32 seconds;

	if (dir == NATTY_DIR_REPLY && !natty_conn_is(conn, NATTY_CONN_REPLIED))
		return false;
	if (proto_of(skb->data, family) == IPPROTO_UDP) {
		seconds = natty_udp_timeout(conn, &config->set);
	} else {
		if (!th->ack || !natty_tcp_is_ordinary(conn, ((const u8 *)th)[13],
						       ntohl(th->ack_seq), dir))
			return false;
		seconds = natty_tcp_timeout(conn, &config->set);
	}
	natty_conn_refresh(conn, seconds);
	natty_flow_account(table, config, conn, dir, skb->len);
	return true;
}

/* Translate one side of it; @header is what else changed in its IPv4 header. */
static __always_inline void translate(struct sk_buff *skb, u8 family,
				      const struct natty_conn *conn,
				      enum natty_manip side, enum natty_end to,
				      __wsum header)
{
	struct natty_change change = {
		.side = side,
		.to = natty_conn_addr(conn, family, to),
		.to_port = conn->port[to],
		.header = header,
	};
	__be16 *ports = (__be16 *)ports_of(skb->data, family);
	u8 proto = proto_of(skb->data, family);

	natty_change_addr(skb, 0, family, &change);
	natty_change_port(&ports[side == NATTY_MANIP_DST], &change);
	natty_change_l4_check(skb, header_len(family), family,
			      proto == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP,
			      &change);
}

/* Look up at once what cannot wait; an answer gets its destination, too. */
static __always_inline unsigned int look_up(struct natty_net *nn,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    u8 family, enum natty_dir dir)
{
	struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_table *table = natty_table_of(nn, family);
	struct natty_conn *conn;

	if (!is_whole(skb, family))
		goto no;
	conn = find(table, family, skb->data, dir,
		    hash_of(table, family, skb->data, dir));
	if (!conn || !advance(rcu_dereference(nn->config), table, conn, skb,
			      family, dir))
		goto no;
	if (dir == NATTY_DIR_REPLY)
		translate(skb, family, conn, NATTY_MANIP_DST,
			  NATTY_END_ORIG_SRC, 0);
	h->skb = skb;
	h->conn = conn;
	h->dir = dir;
	h->done = dir == NATTY_DIR_REPLY;
	return NF_ACCEPT;
no:
	return natty_hook_prerouting(nn, skb, state);
}

/* An answer, as far as its destination tells. */
static noinline unsigned int answer4(struct natty_net *nn, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return look_up(nn, skb, state, NFPROTO_IPV4, NATTY_DIR_REPLY);
}

static noinline unsigned int answer6(struct natty_net *nn, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return look_up(nn, skb, state, NFPROTO_IPV6, NATTY_DIR_REPLY);
}

/* What the opener sends where destinations may be translated, too. */
static noinline unsigned int question4(struct natty_net *nn, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	return look_up(nn, skb, state, NFPROTO_IPV4, NATTY_DIR_ORIG);
}

static noinline unsigned int question6(struct natty_net *nn, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	return look_up(nn, skb, state, NFPROTO_IPV6, NATTY_DIR_ORIG);
}

/* Can nothing but an outbound connection without a translated destination be meant? */
static __always_inline bool is_outward(const struct natty_net *nn,
				       const struct net_device *in)
{
	const struct natty_config *config = rcu_dereference(nn->config);

	return !READ_ONCE(nn->destinations) &&
	       !natty_config_gate(config, NATTY_CHAIN_PREROUTING, in);
}

static __always_inline unsigned int short_in(struct natty_net *nn,
					     struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     u8 family)
{
	struct natty_table *table = natty_table_of(nn, family);
	struct natty_handover *h;
	u32 hash;

	if (!is_plain(skb, family) || state->in->flags & IFF_LOOPBACK ||
	    unlikely(!softirq_count()))
		return natty_hook_prerouting(nn, skb, state);
	if (natty_port_addr_maybe(&nn->ports, family,
				  addr_of(skb->data, family, true)))
		return family == NFPROTO_IPV4 ? answer4(nn, skb, state) :
						answer6(nn, skb, state);
	if (!likely(is_outward(nn, state->in)))
		return family == NFPROTO_IPV4 ? question4(nn, skb, state) :
						question6(nn, skb, state);
	/*
	 * The bucket comes while the packet is routed. To look into it now for
	 * what else to fetch would be to wait for it: that doubles the cost at
	 * half a million flows.
	 */
	hash = hash_of(table, family, skb->data, NATTY_DIR_ORIG);
	prefetch(natty_bucket_of(rcu_dereference(table->buckets), hash));
	h = this_cpu_ptr(nn->handover);
	h->hash = hash;
	h->skb = skb;
	h->conn = NULL;
	h->dir = NATTY_DIR_ORIG;
	h->done = false;
	return NF_ACCEPT;
}

unsigned int natty_shortcut_in4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	return short_in(priv, skb, state, NFPROTO_IPV4);
}

unsigned int natty_shortcut_in6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	return short_in(priv, skb, state, NFPROTO_IPV6);
}

/*
 * Did the first hook do everything? Most often so with answers. The addresses
 * are compared to make sure that it saw this packet, not one before it in the
 * same place.
 */
static __always_inline bool is_done(const struct natty_handover *h,
				    const struct sk_buff *skb, u8 family)
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

/* What the opener sends. */
static __always_inline unsigned int outward(struct natty_net *nn,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    u8 family)
{
	const struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_table *table = natty_table_of(nn, family);
	struct natty_conn *conn = h->conn;
	__wsum header = 0;

	if (!is_plain(skb, family) || !is_whole(skb, family))
		goto no;
	if (conn) {
		if (conn->family != family ||
		    !is_of(conn, family, skb->data, NATTY_DIR_ORIG))
			goto no;
	} else {
		conn = find(table, family, skb->data, NATTY_DIR_ORIG, h->hash);
		if (!conn || !advance(rcu_dereference(nn->config), table, conn,
				      skb, family, NATTY_DIR_ORIG))
			goto no;
	}
	if (family == NFPROTO_IPV4)
		header = natty_ident_renew(nn, skb);
	translate(skb, family, conn, NATTY_MANIP_SRC, NATTY_END_NEW_SRC, header);
	return NF_ACCEPT;
no:
	return natty_hook_postrouting(nn, skb, state);
}

static noinline unsigned int outward4(struct natty_net *nn, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	return outward(nn, skb, state, NFPROTO_IPV4);
}

static noinline unsigned int outward6(struct natty_net *nn, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	return outward(nn, skb, state, NFPROTO_IPV6);
}

static __always_inline unsigned int short_out(struct natty_net *nn,
					      struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      u8 family)
{
	const struct natty_handover *h;

	if (unlikely(!softirq_count()))
		goto no;
	h = this_cpu_ptr(nn->handover);
	if (h->skb != skb)
		goto no;
	if (h->done) {
		if (likely(is_done(h, skb, family)))
			return NF_ACCEPT;
		goto no;
	}
	/* Where no connection is known yet only interfaces of the outside matter. */
	if (h->dir == NATTY_DIR_ORIG &&
	    (h->conn || natty_is_outside(nn, state->out->ifindex)))
		return family == NFPROTO_IPV4 ? outward4(nn, skb, state) :
						outward6(nn, skb, state);
no:
	return natty_hook_postrouting(nn, skb, state);
}

unsigned int natty_shortcut_out4(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	return short_out(priv, skb, state, NFPROTO_IPV4);
}

unsigned int natty_shortcut_out6(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	return short_out(priv, skb, state, NFPROTO_IPV6);
}
