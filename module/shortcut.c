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
static __always_inline bool is_whole(const struct sk_buff *skb, u8 family, u8 proto)
{
	const void *l3 = skb->data, *l4 = ports_of(l3, family);
	int len, claimed, room = skb->len;

	/* Length 0 is that of something huge which the stack has merged. */
	if (family == NFPROTO_IPV4) {
		len = ntohs(((const struct iphdr *)l3)->tot_len);
	} else {
		len = ntohs(((const struct ipv6hdr *)l3)->payload_len);
		room -= sizeof(struct ipv6hdr);
	}
	if (unlikely(len > room || skb_cloned(skb)))
		return false;
	if (family == NFPROTO_IPV4)
		len -= sizeof(struct iphdr);
	if (proto == IPPROTO_UDP) {
		claimed = ntohs(((const struct udphdr *)l4)->len);
		if (unlikely(claimed < (int)sizeof(struct udphdr)))
			return false;
	} else {
		if (unlikely(proto != IPPROTO_TCP || skb_headlen(skb) <
			     header_len(family) + sizeof(struct tcphdr)))
			return false;
		claimed = ((const struct tcphdr *)l4)->doff * 4;
		if (unlikely(claimed < (int)sizeof(struct tcphdr)))
			return false;
	}
	return likely(claimed <= len);
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
				  u8 proto, const void *l3, enum natty_dir dir)
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
	    conn->proto != proto)
		return false;
	if (family == NFPROTO_IPV4)
		return get_unaligned((const u64 *)&conn->addr4[i]) ==
		       get_unaligned((const u64 *)addr);
	return ipv6_addr_equal(&conn->addr6[i], &addr->in6) &&
	       ipv6_addr_equal(&conn->addr6[i + 1],
			       &addr_of(l3, family, true)->in6);
}

/**
 * struct guessed - what is where most connections are
 * @conn: it
 * @counts: its counts, NULL if nobody counts
 */
struct guessed {
	struct natty_conn *conn;
	struct natty_counts *counts;
};

/* Is it that at all? False also for the first that is counted there. */
static __always_inline bool guess(struct guessed *g, const struct natty_table *table,
				  const struct natty_config *config, u8 family,
				  u8 proto, const void *l3, enum natty_dir dir,
				  u32 hash)
{
	struct natty_buckets *buckets = rcu_dereference(table->buckets);
	const struct natty_bucket *bucket = natty_bucket_of(buckets, hash);
	u64 ways = natty_bucket_match_most(bucket, (u16)hash);
	u32 index;

	if (unlikely(!ways))
		return false;
	/* Pairs with the release in natty_bucket_add(). */
	index = smp_load_acquire(&bucket->index[natty_bucket_way_most(__ffs64(ways))]);
	if (unlikely(index == NATTY_CONN_NONE))
		return false;
	g->counts = NULL;
	if (natty_setting(config, NATTY_SET_ACCOUNTING)) {
		g->counts = natty_arena_counts(&table->arena, index);
		if (unlikely(!g->counts))
			return false;
		/* While the connection comes, too. */
		prefetchw(g->counts);
	}
	g->conn = natty_arena_object(&table->arena, index,
				     family == NFPROTO_IPV4 ? NATTY_CONN_SHIFT_V4 :
							      NATTY_CONN_SHIFT_V6);
	return likely(is_of(g->conn, family, proto, l3, dir));
}

/* Wherever the table has it. */
static struct natty_conn *find(const struct natty_table *table, u8 family,
			       u8 proto, const void *l3, enum natty_dir dir,
			       u32 hash)
{
	struct natty_cursor cursor;
	struct natty_conn *conn;

	natty_cursor_init(&cursor, table, hash);
	if (!cursor.ways && !natty_bucket_has_more(cursor.buckets, cursor.bucket))
		return NULL;
	while ((conn = natty_cursor_next(&cursor)))
		if (is_of(conn, family, proto, l3, dir))
			return conn;
	return NULL;
}

/* Let the packet act on its connection, if all it does is to keep it alive. */
static __always_inline bool advance(const struct natty_config *config,
				    struct natty_conn *conn,
				    const struct sk_buff *skb, u8 family,
				    u8 proto, enum natty_dir dir)
{
	const struct tcphdr *th = (const void *)ports_of(skb->data, family);
	u32 seconds;

	if (dir == NATTY_DIR_REPLY && !natty_conn_is(conn, NATTY_CONN_REPLIED))
		return false;
	if (proto == IPPROTO_UDP) {
		seconds = natty_udp_timeout(conn, &config->set);
	} else {
		if (!th->ack || !natty_tcp_is_ordinary(conn, ((const u8 *)th)[13],
						       ntohl(th->ack_seq), dir))
			return false;
		seconds = natty_tcp_established_timeout(conn, &config->set);
	}
	return likely(natty_conn_touch(conn, seconds));
}

/* Translate one side of it; @header is what else changed in its IPv4 header. */
static __always_inline void translate(struct sk_buff *skb, u8 family, u8 proto,
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
	void *l3 = skb->data, *l4 = l3 + header_len(family);

	natty_change_addr(l3, family, &change);
	natty_change_port((__be16 *)l4 + (side == NATTY_MANIP_DST), &change);
	if (proto == IPPROTO_UDP)
		natty_change_l4_check(skb, l4, family, IPPROTO_UDP, &change);
	else
		natty_change_l4_check(skb, l4, family, IPPROTO_TCP, &change);
}

/* Before routing: an answer gets its destination; the other hook does the rest. */
static __always_inline unsigned int take_in(struct natty_net *nn,
					    struct natty_conn *conn,
					    struct natty_counts *counts,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    u8 family, u8 proto,
					    enum natty_dir dir)
{
	struct natty_handover *h;

	if (unlikely(!advance(rcu_dereference(nn->config), conn, skb, family,
			      proto, dir)))
		return natty_hook_prerouting(nn, skb, state);
	if (counts)
		natty_flow_count(counts, dir, skb->len);
	if (dir == NATTY_DIR_REPLY)
		translate(skb, family, proto, conn, NATTY_MANIP_DST,
			  NATTY_END_ORIG_SRC, 0);
	h = this_cpu_ptr(nn->handover);
	h->skb = skb;
	h->conn = conn;
	h->dir = dir;
	h->done = dir == NATTY_DIR_REPLY;
	return NF_ACCEPT;
}

/* What is not where most connections are, or the first that is counted there. */
static noinline unsigned int look_further(struct natty_net *nn,
					  struct sk_buff *skb,
					  const struct nf_hook_state *state,
					  enum natty_dir dir)
{
	struct natty_table *table = natty_table_of(nn, state->pf);
	u8 proto = proto_of(skb->data, state->pf);
	struct natty_counts *counts = NULL;
	struct natty_conn *conn;

	conn = find(table, state->pf, proto, skb->data, dir,
		    hash_of(table, state->pf, skb->data, dir));
	if (!conn)
		return natty_hook_prerouting(nn, skb, state);
	if (natty_setting(rcu_dereference(nn->config), NATTY_SET_ACCOUNTING))
		counts = natty_arena_counts_get(&table->arena, conn->index);
	return take_in(nn, conn, counts, skb, state, state->pf, proto, dir);
}

/*
 * Look up at once what cannot wait: first it is told whether this is the usual
 * case, which calls nobody and so saves no registers.
 */
static __always_inline unsigned int look_up(struct natty_net *nn,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    u8 family, enum natty_dir dir)
{
	struct natty_table *table = natty_table_of(nn, family);
	u8 proto = proto_of(skb->data, family);
	struct guessed g;

	if (unlikely(!is_whole(skb, family, proto)))
		return natty_hook_prerouting(nn, skb, state);
	if (unlikely(!guess(&g, table, rcu_dereference(nn->config), family, proto,
			    skb->data, dir,
			    hash_of(table, family, skb->data, dir))))
		return look_further(nn, skb, state, dir);
	return take_in(nn, g.conn, g.counts, skb, state, family, proto, dir);
}

/*
 * The bucket comes while the packet is routed. To look into it now for what else
 * to fetch would be to wait for it: that doubles the cost at half a million
 * flows.
 */
static __always_inline unsigned int look_later(struct natty_net *nn,
					       const struct sk_buff *skb, u8 family)
{
	struct natty_table *table = natty_table_of(nn, family);
	u32 hash = hash_of(table, family, skb->data, NATTY_DIR_ORIG);
	struct natty_handover *h = this_cpu_ptr(nn->handover);

	prefetch(natty_bucket_of(rcu_dereference(table->buckets), hash));
	h->skb = skb;
	h->conn = NULL;
	h->hash = hash;
	return NF_ACCEPT;
}

/* What the opener sends, where destinations of some packets may be translated. */
static __always_inline unsigned int question(struct natty_net *nn,
					     struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     u8 family)
{
	if (READ_ONCE(nn->destinations) ||
	    natty_config_gate(rcu_dereference(nn->config), NATTY_CHAIN_PREROUTING,
			      state->in))
		return look_up(nn, skb, state, family, NATTY_DIR_ORIG);
	return look_later(nn, skb, family);
}

static noinline unsigned int question4(struct natty_net *nn, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	return question(nn, skb, state, NFPROTO_IPV4);
}

static noinline unsigned int question6(struct natty_net *nn, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	return question(nn, skb, state, NFPROTO_IPV6);
}

static __always_inline unsigned int short_in(struct natty_net *nn,
					     struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     u8 family)
{
	const struct natty_config *config = rcu_dereference(nn->config);

	if (!is_plain(skb, family) || state->in->flags & IFF_LOOPBACK ||
	    unlikely(!softirq_count()))
		return natty_hook_prerouting(nn, skb, state);
	/* Is it an answer, as far as its destination tells? */
	if (natty_port_addr_maybe(&nn->ports, family,
				  addr_of(skb->data, family, true)))
		return look_up(nn, skb, state, family, NATTY_DIR_REPLY);
	if (READ_ONCE(nn->destinations) || config->nrules[NATTY_CHAIN_PREROUTING])
		return family == NFPROTO_IPV4 ? question4(nn, skb, state) :
						question6(nn, skb, state);
	return look_later(nn, skb, family);
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

	if (!h->done || conn->family != family)
		return false;
	if (h->dir == NATTY_DIR_REPLY)
		swap(src, dst);
	if (family == NFPROTO_IPV4)
		return ip_hdr(skb)->saddr == conn->addr4[src] &&
		       ip_hdr(skb)->daddr == conn->addr4[dst];
	return ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &conn->addr6[src]) &&
	       ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &conn->addr6[dst]);
}

/* What the opener sends, and the first hook knew or the second cannot guess. */
static __always_inline unsigned int outward(struct natty_net *nn,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    u8 family)
{
	const struct natty_config *config = rcu_dereference(nn->config);
	const struct natty_handover *h = this_cpu_ptr(nn->handover);
	struct natty_table *table = natty_table_of(nn, family);
	u8 proto = proto_of(skb->data, family);
	struct natty_conn *conn = h->conn;
	__wsum header = 0;

	if (!is_plain(skb, family) || !is_whole(skb, family, proto))
		goto no;
	if (conn) {
		if (conn->family != family ||
		    !is_of(conn, family, proto, skb->data, NATTY_DIR_ORIG))
			goto no;
	} else {
		conn = find(table, family, proto, skb->data, NATTY_DIR_ORIG,
			    h->hash);
		if (!conn || !advance(config, conn, skb, family, proto,
				      NATTY_DIR_ORIG))
			goto no;
		natty_flow_account(table, config, conn, NATTY_DIR_ORIG, skb->len);
	}
	if (family == NFPROTO_IPV4 &&
	    natty_setting(config, NATTY_SET_IP_UNIQUE_ID))
		header = natty_ident_renew(&nn->idents, skb, (void *)skb->data);
	translate(skb, family, proto, conn, NATTY_MANIP_SRC, NATTY_END_NEW_SRC,
		  header);
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

/* What the first hook found a connection of. */
static __always_inline unsigned int handed(struct natty_net *nn,
					   struct sk_buff *skb,
					   const struct nf_hook_state *state,
					   u8 family)
{
	const struct natty_handover *h = this_cpu_ptr(nn->handover);

	if (likely(is_done(h, skb, family)))
		return NF_ACCEPT;
	if (h->dir == NATTY_DIR_REPLY)
		return natty_hook_postrouting(nn, skb, state);
	return family == NFPROTO_IPV4 ? outward4(nn, skb, state) :
					outward6(nn, skb, state);
}

static noinline unsigned int handed4(struct natty_net *nn, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return handed(nn, skb, state, NFPROTO_IPV4);
}

static noinline unsigned int handed6(struct natty_net *nn, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return handed(nn, skb, state, NFPROTO_IPV6);
}

/* As look_up(), of what the opener sends if there was no need to do it before. */
static __always_inline unsigned int short_out(struct natty_net *nn,
					      struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      u8 family)
{
	const struct natty_config *config = rcu_dereference(nn->config);
	struct natty_table *table = natty_table_of(nn, family);
	u8 proto = proto_of(skb->data, family);
	const struct natty_handover *h;
	u32 *idents = NULL;
	struct guessed g;
	__wsum header = 0;

	if (unlikely(!softirq_count()))
		goto no;
	h = this_cpu_ptr(nn->handover);
	if (h->skb != skb)
		goto no;
	if (h->conn)
		return family == NFPROTO_IPV4 ? handed4(nn, skb, state) :
						handed6(nn, skb, state);
	/* Where no connection is known yet only interfaces of the outside matter. */
	if (unlikely(!natty_is_outside(nn, state->out->ifindex)) ||
	    unlikely(!is_plain(skb, family) || !is_whole(skb, family, proto)))
		goto no;
	if (unlikely(!guess(&g, table, config, family, proto, skb->data,
			    NATTY_DIR_ORIG, h->hash)))
		goto other;
	if (family == NFPROTO_IPV4 && natty_setting(config, NATTY_SET_IP_UNIQUE_ID) &&
	    natty_ident_matters((const void *)skb->data)) {
		idents = natty_ident_batch(&nn->idents,
					   ((const struct iphdr *)skb->data)->daddr);
		if (unlikely(!(u16)*idents || natty_ident_need(skb) > 1))
			goto other;
	}
	if (unlikely(!advance(config, g.conn, skb, family, proto, NATTY_DIR_ORIG)))
		goto no;
	if (g.counts)
		natty_flow_count(g.counts, NATTY_DIR_ORIG, skb->len);
	if (idents)
		header = natty_ident_set((void *)skb->data,
					 natty_ident_next(idents));
	translate(skb, family, proto, g.conn, NATTY_MANIP_SRC, NATTY_END_NEW_SRC,
		  header);
	return NF_ACCEPT;
no:
	return natty_hook_postrouting(nn, skb, state);
other:
	return family == NFPROTO_IPV4 ? outward4(nn, skb, state) :
					outward6(nn, skb, state);
}

/* Those of one family are neighbours: it is seldom that both are in use. */
unsigned int natty_shortcut_in4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	return short_in(priv, skb, state, NFPROTO_IPV4);
}

unsigned int natty_shortcut_out4(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	return short_out(priv, skb, state, NFPROTO_IPV4);
}

unsigned int natty_shortcut_in6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	return short_in(priv, skb, state, NFPROTO_IPV6);
}

unsigned int natty_shortcut_out6(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	return short_out(priv, skb, state, NFPROTO_IPV6);
}
