// SPDX-License-Identifier: GPL-2.0
/*
 * What the packets of each protocol do to their connection. Each protocol with
 * states has a file with the same three functions, which are called by name:
 * calls through pointers would cost every packet.
 */
#include "proto.h"
#include "proto_dccp.h"
#include "proto_tcp.h"
#include "proto_udp.h"

enum natty_counter natty_proto_open(const struct natty_packet *pkt,
				    const struct natty_settings *set, u8 *state)
{
	if (pkt->tuple.proto == IPPROTO_TCP)
		return natty_tcp_open(pkt, set, state);
	if (pkt->tuple.proto == IPPROTO_DCCP)
		return natty_dccp_open(pkt, set, state);
	*state = NATTY_STATE_NEW;
	return NATTY_DROP_NONE;
}

u32 natty_proto_lifetime(const struct natty_conn *conn,
			 const struct natty_settings *set)
{
	switch (conn->proto) {
	case IPPROTO_TCP:
		return natty_tcp_timeout(conn, set);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return natty_udp_timeout(conn, set);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return set->value[NATTY_SET_ICMP];
	case IPPROTO_DCCP:
		return natty_dccp_timeout(conn, set);
	case IPPROTO_SCTP:
		return set->value[NATTY_SET_SCTP];
	case IPPROTO_GRE:
		return set->value[natty_conn_is(conn, NATTY_CONN_REPLIED) ?
				  NATTY_SET_GRE_REPLIED : NATTY_SET_GRE];
	default:
		return set->value[NATTY_SET_OTHER];
	}
}

u32 natty_proto_timeout(const struct natty_conn *conn,
			const struct natty_settings *set)
{
	/* What nobody answered for yet must not live long, whatever it is. */
	if (unlikely(natty_conn_is(conn, NATTY_CONN_UNCONFIRMED)))
		return set->value[NATTY_SET_UNCONFIRMED];
	return natty_proto_lifetime(conn, set);
}

enum natty_counter natty_proto_packet(struct natty_conn *conn,
				      const struct natty_packet *pkt,
				      enum natty_dir dir,
				      const struct natty_settings *set)
{
	bool refresh = true;

	if (conn->proto == IPPROTO_TCP) {
		refresh = natty_tcp_packet(conn, pkt, dir, set);
	} else if (unlikely(conn->proto == IPPROTO_DCCP)) {
		refresh = natty_dccp_packet(conn, pkt, dir, set);
	} else if (dir == NATTY_DIR_REPLY &&
		   !natty_conn_is(conn, NATTY_CONN_REPLIED)) {
		/* With nf_conntrack an answer itself does not prolong yet. */
		if (set->value[NATTY_SET_PROFILE] == NATTY_PROFILE_IPTABLES) {
			natty_conn_refresh(conn, natty_proto_timeout(conn, set));
			refresh = false;
		}
		natty_conn_mark(conn, NATTY_CONN_REPLIED);
		WRITE_ONCE(conn->state, NATTY_STATE_REPLIED);
	}
	if (refresh)
		natty_conn_refresh(conn, natty_proto_timeout(conn, set));
	return NATTY_DROP_NONE;
}
