/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_SLOT_H
#define NATTY_SLOT_H

#include <linux/hash.h>

#include "hash.h"
#include "table.h"

/* Keyed hashes of the slots that an object stands in, see table.h. */

/* Two words of a hash from an IPv6 address. */
static inline u64 natty_slot_half(const struct in6_addr *addr, unsigned int i)
{
	return (u64)(__force u32)addr->s6_addr32[2 * i] << 32 |
	       (__force u32)addr->s6_addr32[2 * i + 1];
}

/* Protocol and kind of slot go into one word with the port. */
static __always_inline u32 natty_slot_rest(enum natty_slot slot, u8 proto,
					   __be16 port)
{
	return (__force u16)port | proto << 16 | (u32)slot << 24;
}

static __always_inline u32 natty_slot_endpoint4(const struct natty_table *table,
						u32 rest, __be32 addr)
{
	return natty_hash32(&table->key, (__force u32)addr, rest);
}

static __always_inline u32 natty_slot_endpoint6(const struct natty_table *table,
						u32 rest,
						const struct in6_addr *addr)
{
	return natty_hash(&table->key, natty_hash(&table->key,
						  natty_slot_half(addr, 0),
						  natty_slot_half(addr, 1)),
			  rest);
}

static inline u32 natty_slot_endpoint(const struct natty_table *table, enum natty_slot slot,
				      u8 proto, const struct natty_endpoint *ep)
{
	u32 rest = natty_slot_rest(slot, proto, ep->port);

	if (table->family == NFPROTO_IPV4)
		return natty_slot_endpoint4(table, rest, ep->addr.ip);
	return natty_slot_endpoint6(table, rest, &ep->addr.in6);
}

static inline u32 natty_slot_tuple(const struct natty_table *table, const struct natty_tuple *t)
{
	u64 rest = (u64)t->proto << 32 | (u32)(__force u16)t->dst.port << 16 |
		   (__force u16)t->src.port;
	u64 src, dst;

	if (table->family == NFPROTO_IPV4)
		return natty_hash(&table->key, (__force u32)t->src.addr.ip |
				  (u64)(__force u32)t->dst.addr.ip << 32, rest);
	src = natty_hash(&table->key, natty_slot_half(&t->src.addr.in6, 0),
			 natty_slot_half(&t->src.addr.in6, 1));
	dst = natty_hash(&table->key, natty_slot_half(&t->dst.addr.in6, 0),
			 natty_slot_half(&t->dst.addr.in6, 1));
	return natty_hash(&table->key, src, natty_hash(&table->key, dst, rest));
}

static inline u32 natty_slot_filter(const struct natty_table *table, u32 mapping,
				    const union nf_inet_addr *remote)
{
	struct natty_endpoint ep = { .addr = *remote };

	return natty_slot_endpoint(table, NATTY_SLOT_FILTER, 0, &ep) ^
	       hash_32(mapping, 32);
}

/* An endpoint that is mapped for one remote address only. */
static inline u32 natty_slot_paired(const struct natty_table *table, u8 proto,
				    const struct natty_endpoint *ep,
		       const union nf_inet_addr *remote)
{
	struct natty_tuple t = { .proto = proto, .src = *ep };

	t.dst.addr = *remote;
	return natty_slot_tuple(table, &t);
}

/* Of an end of a connection. */
static inline u32 natty_slot_end(const struct natty_table *table, enum natty_slot slot,
				 const struct natty_conn *conn, enum natty_end end)
{
	u32 rest = natty_slot_rest(slot, conn->proto, conn->port[end]);

	if (table->family == NFPROTO_IPV4)
		return natty_slot_endpoint4(table, rest, conn->addr4[end]);
	return natty_slot_endpoint6(table, rest, &conn->addr6[end]);
}

/* See natty_slot_all(): of any object but an unrestricted mapping. */
unsigned int natty_slot_others(const struct natty_table *table,
			       const struct natty_conn *conn, u32 flags, u32 *hash);

/* The hashes of all slots that an object with these flags stands in. */
static __always_inline unsigned int
natty_slot_all(const struct natty_table *table, const struct natty_conn *conn,
	       u32 flags, u32 *hash)
{
	const u32 which = BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_ADDRESS) |
			  BIT(NATTY_CONN_FILTER);

	if (unlikely((flags & which) != BIT(NATTY_CONN_MAPPING)))
		return natty_slot_others(table, conn, flags, hash);
	hash[0] = natty_slot_end(table, NATTY_SLOT_INTERNAL, conn, NATTY_END_ORIG_SRC);
	hash[1] = natty_slot_end(table, NATTY_SLOT_EXTERNAL, conn, NATTY_END_NEW_SRC);
	return 2;
}

#endif
