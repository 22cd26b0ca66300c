/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PROTO_H
#define NATTY_PROTO_H

#include "conn.h"
#include "packet.h"
#include "setting.h"

/**
 * natty_proto_open() - may a packet open a connection?
 * @pkt: parsed, of kind NATTY_PACKET_FLOW, belongs to no connection
 * @set: settings
 * @state: enum natty_state in which the connection would begin
 *
 * TCP: a SYN opens; with tcp.loose also a segment with ACK and neither SYN,
 * FIN nor RST (pick-up of a flow that lived before the module), which begins
 * as established, though with the transitory timeout until it is answered.
 *
 * Return: NATTY_DROP_NONE, NATTY_DROP_TCP_STATE or _TCP_FLAGS.
 */
enum natty_counter natty_proto_open(const struct natty_packet *pkt,
				    const struct natty_settings *set, u8 *state);

/**
 * natty_proto_packet() - let a packet advance its connection
 * @conn: open connection, under RCU
 * @pkt: parsed packet of it, not an ICMP error
 * @dir: the way it travels
 * @set: settings
 *
 * Changes state under NATTY_CONN_LOCK and only when it changes, refreshes the
 * expiry, sets NATTY_CONN_REPLIED. A packet that does not change anything
 * writes nothing. A RST whose sequence number is far from what its receiver
 * acknowledged is passed on but not believed (RFC 7857 section 2.2). Also
 * called for the packet that opened the connection, if natty_proto_has_states().
 *
 * Return: NATTY_DROP_NONE, or why the packet must not pass.
 */
enum natty_counter natty_proto_packet(struct natty_conn *conn,
				      const struct natty_packet *pkt,
				      enum natty_dir dir,
				      const struct natty_settings *set);

/* Do connections of this protocol have states that depend on packets' flags? */
static inline bool natty_proto_has_states(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_DCCP;
}

/* Seconds that the connection lives without a packet, given its state. */
u32 natty_proto_timeout(const struct natty_conn *conn,
			const struct natty_settings *set);

/* The same, whether its first packet has got through or not. */
u32 natty_proto_lifetime(const struct natty_conn *conn,
			 const struct natty_settings *set);

#endif
