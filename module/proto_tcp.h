/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PROTO_TCP_H
#define NATTY_PROTO_TCP_H

#include <net/tcp.h>

#include "conn.h"
#include "packet.h"
#include "setting.h"

/* See natty_proto_open(). */
enum natty_counter natty_tcp_open(const struct natty_packet *pkt,
				  const struct natty_settings *set, u8 *state);

/**
 * natty_tcp_packet() - let a segment advance its connection
 * @conn: open TCP connection, under RCU
 * @pkt: segment of it
 * @dir: the way it travels
 * @set: settings
 *
 * Return: whether it shows that the connection lives, so that its end moves.
 */
bool natty_tcp_packet(struct natty_conn *conn, const struct natty_packet *pkt,
		      enum natty_dir dir, const struct natty_settings *set);

/* Is there nothing in this segment that the connection must remember? */
static inline bool natty_tcp_is_ordinary(const struct natty_conn *conn,
					 u8 flags, u32 ack, enum natty_dir dir)
{
	u32 known = READ_ONCE(conn->ack[dir]);

	return !(flags & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST)) &&
	       READ_ONCE(conn->state) == NATTY_STATE_ESTABLISHED &&
	       !READ_ONCE(conn->fin) && known &&
	       (s32)(ack - known) <= NATTY_TCP_ACK_SLACK;
}

/* Seconds that one that is established lives without a segment. */
static inline u32 natty_tcp_established_timeout(const struct natty_conn *conn,
						const struct natty_settings *set)
{
	/* Picked up in the middle, and nobody has answered yet. */
	return set->value[natty_conn_is(conn, NATTY_CONN_REPLIED) ?
			  NATTY_SET_TCP_ESTABLISHED : NATTY_SET_TCP_TRANSITORY];
}

/* The same, given its state. */
u32 natty_tcp_timeout(const struct natty_conn *conn,
		      const struct natty_settings *set);

#endif
