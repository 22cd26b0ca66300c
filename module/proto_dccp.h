/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PROTO_DCCP_H
#define NATTY_PROTO_DCCP_H

#include "conn.h"
#include "packet.h"
#include "setting.h"

/*
 * Types of packets (RFC 4340 5.1), and the one with which a server opens its
 * own translator's filter (RFC 5596).
 */
enum natty_dccp_type {
	NATTY_DCCP_REQUEST,
	NATTY_DCCP_RESPONSE,
	NATTY_DCCP_DATA,
	NATTY_DCCP_ACK,
	NATTY_DCCP_DATAACK,
	NATTY_DCCP_CLOSEREQ,
	NATTY_DCCP_CLOSE,
	NATTY_DCCP_RESET,
	NATTY_DCCP_SYNC,
	NATTY_DCCP_SYNCACK,
	NATTY_DCCP_LISTEN,
};

/* See natty_proto_open(). A Request or a Listen opens. */
enum natty_counter natty_dccp_open(const struct natty_packet *pkt,
				   const struct natty_settings *set, u8 *state);

/**
 * natty_dccp_packet() - let a packet advance its connection
 * @conn: open DCCP connection, under RCU
 * @pkt: packet of it
 * @dir: the way it travels
 * @set: settings
 *
 * Return: whether it shows that the connection lives, so that its end moves.
 */
bool natty_dccp_packet(struct natty_conn *conn, const struct natty_packet *pkt,
		       enum natty_dir dir, const struct natty_settings *set);

/* Seconds that it lives without a packet, given its state. */
u32 natty_dccp_timeout(const struct natty_conn *conn,
		       const struct natty_settings *set);

#endif
