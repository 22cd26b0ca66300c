/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_TABLE_H
#define NATTY_TABLE_H

#include <linux/percpu_counter.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>

#include "arena.h"
#include "conn.h"

struct natty_buckets;
struct natty_net;

/*
 * The connection table of one address family.
 *
 * Objects live in an arena and are known by index. The hash table's buckets
 * are cache lines that hold indices with 16-bit tags of the hash. An object
 * stands in several slots, each found by another key:
 *
 *   INTERNAL	protocol and internal endpoint	objects with a mapping
 *   EXTERNAL	protocol and external endpoint	objects with a mapping
 *   TUPLE	five-tuple of either direction	connections without their own
 *						mapping, twice; a third time as
 *						between the hooks if both sides
 *						are translated
 *   FILTER	mapping and remote address	permissions, see mapping.h
 *   SOURCE	protocol and internal endpoint	connections without a mapping whose
 *						external endpoint is for others, too;
 *						never with both sides translated
 *
 * so a connection that carries its own mapping needs two slots, not four.
 */
enum natty_slot {
	NATTY_SLOT_TUPLE,
	NATTY_SLOT_INTERNAL,
	NATTY_SLOT_EXTERNAL,
	NATTY_SLOT_FILTER,
	NATTY_SLOT_SOURCE,
};

/* Most slots that one object stands in. */
#define NATTY_SLOTS_MAX		3

/**
 * struct natty_table - connections of one family
 * @nn: namespace it belongs to
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @key: secret of this table's hashes
 * @buckets: current buckets; replaced by @resize
 * @arena: the objects
 * @tuples: an object once stood in other slots than INTERNAL and EXTERNAL
 * @entries: used slots
 * @resize: work that replaces @buckets
 */
struct natty_table {
	struct natty_net *nn;
	u8 family;
	bool tuples;
	hsiphash_key_t key;
	struct natty_buckets __rcu *buckets;
	struct natty_arena arena;
	struct percpu_counter entries;
	struct work_struct resize;
};

int natty_table_init(struct natty_table *table, struct natty_net *nn, u8 family);

/* After a grace period in which nobody used the table; sleeps. */
void natty_table_exit(struct natty_table *table);

static inline struct natty_conn *natty_table_at(const struct natty_table *table,
						u32 index)
{
	return natty_arena_at(&table->arena, index);
}

/**
 * natty_table_insert() - publish an object in all of its slots
 * @table: the table; under RCU, softirqs disabled
 * @conn: complete but for NATTY_CONN_DEAD and _CLOSED, which are set
 * @flags: what .flags becomes when the object can be found
 *
 * Which slots follows from @flags. All or none are taken. Where the object
 * carries a mapping, only its internal endpoint is compared with others': the
 * owned external port makes the rest unique.
 *
 * Return: 0; -EEXIST if a living connection has one of the tuples or a living
 * mapping the internal endpoint; -ENOSPC if a chain would exceed
 * NATTY_CHAIN_MAX.
 */
int natty_table_insert(struct natty_table *table, struct natty_conn *conn,
		       u32 flags);

/* Take an object out of all of its slots, once for each insert. Under RCU. */
void natty_table_unlink(struct natty_table *table, struct natty_conn *conn);

/**
 * natty_table_find() - the connection that a packet belongs to
 * @table: the table
 * @t: as on the wire (prerouting, output) or as about to be (postrouting)
 * @inbound: the destination is a known external address
 * @dir: the direction in which such a packet travels
 *
 * Lock-free, under RCU. Expired connections are not found.
 */
struct natty_conn *natty_table_find(const struct natty_table *table,
				    const struct natty_tuple *t, bool inbound,
				    enum natty_dir *dir);

/*
 * The same where the destination is not an external address. If @vacant is set
 * there was no mapping of the source just now but, perhaps, one for some remote
 * address only, and natty_table_insert() alone need tell of a newer one.
 */
struct natty_conn *natty_table_find_leaving(const struct natty_table *table,
					    const struct natty_tuple *t,
					    enum natty_dir *dir, bool *vacant);

/*
 * The connection with both sides translated whose opener's packets look like
 * @t between destination and source translation. Under RCU.
 */
struct natty_conn *natty_table_find_middle(const struct natty_table *table,
					   const struct natty_tuple *t);

/**
 * struct natty_realm - for which outside a mapping holds
 * @rule: id of the rule that translates
 * @ifindex: way out
 * @remote: the only remote address, or NULL if it holds for all
 * @forwards: only a forward will do, of whatever rule and way out
 *
 * An internal endpoint has one mapping for each realm that it talks to.
 */
struct natty_realm {
	u32 rule;
	u32 ifindex;
	const union nf_inet_addr *remote;
	bool forwards;
};

/* The object whose mapping has this internal endpoint in a realm. Under RCU. */
struct natty_conn *natty_table_find_internal(const struct natty_table *table,
					     const struct natty_realm *realm,
					     u8 proto,
					     const struct natty_endpoint *ep);

/* Bring where a mapping with this external endpoint will stand. Under RCU. */
void natty_table_prefetch_external(const struct natty_table *table, u8 proto,
				   const struct natty_endpoint *ep);

/* The object whose mapping has this external endpoint. Under RCU. */
struct natty_conn *natty_table_find_external(const struct natty_table *table,
					     u8 proto,
					     const struct natty_endpoint *ep);

/*
 * A connection, perhaps one that has ended, by which later ones with this
 * internal endpoint are translated, and that @fits. Under RCU.
 */
struct natty_conn *
natty_table_find_source(const struct natty_table *table, u8 proto,
			const struct natty_endpoint *ep,
			bool (*fits)(const struct natty_conn *conn, const void *arg),
			const void *arg);

/* The permission of a mapping for a remote address. Under RCU. */
struct natty_conn *natty_table_find_filter(const struct natty_table *table,
					   u32 mapping,
					   const union nf_inet_addr *remote);

/* Bytes occupied by buckets and objects. */
u64 natty_table_memory(const struct natty_table *table);

#endif
