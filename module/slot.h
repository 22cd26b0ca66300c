/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_SLOT_H
#define NATTY_SLOT_H

#include <linux/hash.h>

#include "table.h"

/* Keyed hashes of the slots that an object stands in, see table.h. */

/* Protocol and kind of slot go into one word with the port. */
static inline u32 natty_slot_endpoint(const struct natty_table *table, enum natty_slot slot,
				      u8 proto, const struct natty_endpoint *ep)
{
	u32 rest = (__force u16)ep->port | proto << 16 | (u32)slot << 24;
	u32 word[5];

	if (table->family == NFPROTO_IPV4)
		return hsiphash_2u32((__force u32)ep->addr.ip, rest, &table->key);
	memcpy(word, &ep->addr, 16);
	word[4] = rest;
	return hsiphash(word, sizeof(word), &table->key);
}

static inline u32 natty_slot_tuple(const struct natty_table *table, const struct natty_tuple *t)
{
	u32 ports = (__force u16)t->src.port | (u32)(__force u16)t->dst.port << 16;
	u32 word[10];

	if (table->family == NFPROTO_IPV4)
		return hsiphash_4u32((__force u32)t->src.addr.ip,
				     (__force u32)t->dst.addr.ip, ports,
				     t->proto, &table->key);
	memcpy(word, &t->src.addr, 16);
	memcpy(word + 4, &t->dst.addr, 16);
	word[8] = ports;
	word[9] = t->proto;
	return hsiphash(word, sizeof(word), &table->key);
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

/* The hashes of all slots that an object with these flags stands in. */
static inline unsigned int natty_slot_all(const struct natty_table *table,
					  const struct natty_conn *conn, u32 flags, u32 *hash)
{
	struct natty_endpoint ep, remote;
	struct natty_tuple t;
	unsigned int n = 0;

	if (flags & BIT(NATTY_CONN_FILTER)) {
		natty_conn_get_end(conn, NATTY_END_ORIG_DST, &ep);
		hash[n++] = natty_slot_filter(table, conn->dst_mapping, &ep.addr);
		return n;
	}
	if (flags & BIT(NATTY_CONN_MAPPING)) {
		natty_conn_get_end(conn, NATTY_END_ORIG_SRC, &ep);
		natty_conn_get_end(conn, NATTY_END_ORIG_DST, &remote);
		hash[n++] = flags & BIT(NATTY_CONN_ADDRESS) ?
			    natty_slot_paired(table, conn->proto, &ep, &remote.addr) :
			    natty_slot_endpoint(table, NATTY_SLOT_INTERNAL,
						conn->proto, &ep);
		natty_conn_get_end(conn, NATTY_END_NEW_SRC, &ep);
		hash[n++] = natty_slot_endpoint(table, NATTY_SLOT_EXTERNAL,
						conn->proto, &ep);
		return n;
	}
	natty_conn_tuple(conn, NATTY_DIR_ORIG, &t);
	hash[n++] = natty_slot_tuple(table, &t);
	natty_conn_tuple(conn, NATTY_DIR_REPLY, &t);
	hash[n++] = natty_slot_tuple(table, &t);
	if ((flags & NATTY_CONN_BOTH) == NATTY_CONN_BOTH) {
		natty_conn_middle(conn, &t);
		hash[n++] = natty_slot_tuple(table, &t);
	}
	return n;
}

#endif
