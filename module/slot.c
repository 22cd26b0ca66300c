// SPDX-License-Identifier: GPL-2.0
#include "slot.h"

unsigned int natty_slot_others(const struct natty_table *table,
			       const struct natty_conn *conn, u32 flags, u32 *hash)
{
	struct natty_endpoint ep, remote;
	struct natty_tuple t;
	unsigned int n = 0;

	natty_conn_get_end(conn, NATTY_END_ORIG_DST, &remote);
	if (flags & BIT(NATTY_CONN_FILTER)) {
		hash[n++] = natty_slot_filter(table, conn->dst_mapping, &remote.addr);
		return n;
	}
	if (flags & BIT(NATTY_CONN_MAPPING)) {
		natty_conn_get_end(conn, NATTY_END_ORIG_SRC, &ep);
		hash[n++] = natty_slot_paired(table, conn->proto, &ep, &remote.addr);
		hash[n++] = natty_slot_end(table, NATTY_SLOT_EXTERNAL, conn,
					   NATTY_END_NEW_SRC);
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
	if (flags & BIT(NATTY_CONN_SOURCE))
		hash[n++] = natty_slot_end(table, NATTY_SLOT_SOURCE, conn,
					   NATTY_END_ORIG_SRC);
	return n;
}
