/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PROTO_UDP_H
#define NATTY_PROTO_UDP_H

#include "conn.h"
#include "setting.h"

/* How long nf_conntrack takes UDP in both directions for a question answered. */
#define NATTY_UDP_STREAM_AFTER	(2 * HZ)

/*
 * Do packets go both ways, and not only because a question was answered? Where
 * nf_conntrack sets the example that shows after a moment.
 */
static __always_inline bool natty_udp_is_stream(const struct natty_conn *conn,
						const struct natty_settings *set)
{
	if (!natty_conn_is(conn, NATTY_CONN_REPLIED))
		return false;
	return set->value[NATTY_SET_PROFILE] != NATTY_PROFILE_IPTABLES ||
	       conn->proto != IPPROTO_UDP ||
	       (s32)((u32)jiffies - conn->ack[0]) > NATTY_UDP_STREAM_AFTER;
}

/*
 * Seconds that it lives without a packet, given its state. Flows to well-known
 * services may be short (RFC 4787 REQ-5a).
 */
static __always_inline u32 natty_udp_timeout(const struct natty_conn *conn,
					     const struct natty_settings *set)
{
	u32 known = set->value[NATTY_SET_UDP_WELL_KNOWN];
	u32 usual = set->value[natty_udp_is_stream(conn, set) ?
			       NATTY_SET_UDP_REPLIED : NATTY_SET_UDP];

	if (likely(!known) || natty_conn_is(conn, NATTY_CONN_INBOUND) ||
	    ntohs(conn->port[NATTY_END_NEW_DST]) >= 1024)
		return usual;
	return min(known, usual);
}

#endif
