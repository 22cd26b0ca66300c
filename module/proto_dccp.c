// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a DCCP connection, RFC 5597. They bear the names of those of
 * TCP that mean the same: a Request is as a SYN, a Response as a SYN-ACK, a
 * CloseReq or Close as a second FIN, since nobody sends data after it, and a
 * Reset ends the connection, in time-wait if it answers a Close.
 *
 * Every packet has a sequence number of its own. What ends a connection is
 * believed if its number is near those that its sender has used before.
 */
#include <linux/bottom_half.h>

#include "proto_dccp.h"

/* Bit of natty_conn.fin, by direction: this end has sent a Request. */
#define REQUESTED(dir)	BIT(dir)

/*
 * natty_conn.ack[] is the number of the latest packet in each direction, its
 * lower half, or 0 if none was seen. It may be behind the real one by SLACK.
 */
#define SLACK		64

/* How far a number may be ahead of the last one known: what got lost. */
#define SPAN		0x100000

static enum natty_dir opposite(enum natty_dir dir)
{
	return dir == NATTY_DIR_ORIG ? NATTY_DIR_REPLY : NATTY_DIR_ORIG;
}

/* The lower half of the number; a short one has 24 bits only. */
static u32 number(const struct natty_conn *conn, const struct natty_packet *pkt,
		  enum natty_dir dir)
{
	u32 last = READ_ONCE(conn->ack[dir]), ahead;

	if (pkt->dccp_long || !last)
		return pkt->tcp_seq;
	ahead = (pkt->tcp_seq - last) & 0xffffff;
	return ahead < 0x800000 ? last + ahead : last + ahead - 0x1000000;
}

enum natty_counter natty_dccp_open(const struct natty_packet *pkt,
				   const struct natty_settings *set, u8 *state)
{
	switch (pkt->dccp_type) {
	case NATTY_DCCP_REQUEST:
	case NATTY_DCCP_LISTEN:
		*state = NATTY_STATE_SYN_SENT;
		return NATTY_DROP_NONE;
	case NATTY_DCCP_DATA:
	case NATTY_DCCP_ACK:
	case NATTY_DCCP_DATAACK:
		*state = NATTY_STATE_ESTABLISHED;
		return set->value[NATTY_SET_TCP_LOOSE] ? NATTY_DROP_NONE :
							 NATTY_DROP_TCP_STATE;
	default:
		return NATTY_DROP_TCP_STATE;
	}
}

u32 natty_dccp_timeout(const struct natty_conn *conn,
		       const struct natty_settings *set)
{
	/* Picked up in the middle, it must be answered first. */
	if (READ_ONCE(conn->state) == NATTY_STATE_ESTABLISHED &&
	    natty_conn_is(conn, NATTY_CONN_REPLIED))
		return set->value[NATTY_SET_DCCP_OPEN];
	return set->value[NATTY_SET_DCCP_TRANSITORY];
}

static void note_number(struct natty_conn *conn, u32 seq, enum natty_dir dir)
{
	u32 last = conn->ack[dir];
	s32 slack = conn->state == NATTY_STATE_ESTABLISHED ? SLACK : 0;

	/* A stranger's number must not lead astray. */
	if (!last || ((s32)(seq - last) > slack && seq - last <= SPAN))
		WRITE_ONCE(conn->ack[dir], seq ?: 1);
}

static void begin(struct natty_conn *conn, u8 requested, enum natty_dir dir)
{
	WRITE_ONCE(conn->ack[NATTY_DIR_ORIG], 0);
	WRITE_ONCE(conn->ack[NATTY_DIR_REPLY], 0);
	WRITE_ONCE(conn->fin, requested);
	natty_conn_unmark(conn, NATTY_CONN_RESET);
	if (dir == NATTY_DIR_ORIG)
		natty_conn_unmark(conn, NATTY_CONN_REPLIED);
	WRITE_ONCE(conn->state, NATTY_STATE_SYN_SENT);
}

static bool is_over(const struct natty_conn *conn)
{
	return conn->state == NATTY_STATE_LAST_ACK ||
	       conn->state == NATTY_STATE_TIME_WAIT ||
	       conn->state == NATTY_STATE_CLOSE;
}

/* A Request or a Listen; repeats do not prolong. */
static bool take_opening(struct natty_conn *conn,
			 const struct natty_packet *pkt, enum natty_dir dir)
{
	u8 requested = pkt->dccp_type == NATTY_DCCP_REQUEST ? REQUESTED(dir) : 0;

	if (is_over(conn)) {
		begin(conn, requested, dir);
		return true;
	}
	if (conn->state != NATTY_STATE_SYN_SENT || !(requested & ~conn->fin))
		return false;
	WRITE_ONCE(conn->fin, conn->fin | requested);
	return true;
}

static bool take_response(struct natty_conn *conn, enum natty_dir dir)
{
	if (conn->state != NATTY_STATE_SYN_SENT ||
	    !(conn->fin & REQUESTED(opposite(dir))))
		return false;
	WRITE_ONCE(conn->state, NATTY_STATE_SYN_RECEIVED);
	return true;
}

/* Data, an acknowledgment, or both. */
static bool take_data(struct natty_conn *conn, const struct natty_packet *pkt,
		      enum natty_dir dir)
{
	switch (conn->state) {
	case NATTY_STATE_ESTABLISHED:
		return true;
	case NATTY_STATE_SYN_RECEIVED:
		if (!(conn->fin & REQUESTED(dir)))
			return false;
		break;
	case NATTY_STATE_CLOSE:
		/* As with TCP: the Reset was not believed. */
		if (pkt->dccp_type == NATTY_DCCP_ACK)
			return false;
		natty_conn_unmark(conn, NATTY_CONN_RESET);
		break;
	default:
		return false;
	}
	WRITE_ONCE(conn->state, NATTY_STATE_ESTABLISHED);
	return true;
}

/*
 * May it end the connection? If its sender has sent nothing else so far, it
 * must acknowledge what the other end did.
 */
static bool is_believable(const struct natty_conn *conn,
			  const struct natty_packet *pkt, u32 seq,
			  enum natty_dir dir)
{
	u32 last = conn->ack[dir], theirs = conn->ack[opposite(dir)];

	if (!pkt->dccp_long)
		return false;
	return last ? seq - last <= SPAN : theirs - pkt->tcp_ack <= SLACK;
}

static bool take_close(struct natty_conn *conn, const struct natty_packet *pkt,
		       u32 seq, enum natty_dir dir)
{
	if (is_over(conn) || !is_believable(conn, pkt, seq, dir))
		return false;
	WRITE_ONCE(conn->state, NATTY_STATE_LAST_ACK);
	return true;
}

static bool take_reset(struct natty_conn *conn, const struct natty_packet *pkt,
		       u32 seq, enum natty_dir dir,
		       const struct natty_settings *set)
{
	u8 state = conn->state;

	if (state == NATTY_STATE_CLOSE || state == NATTY_STATE_TIME_WAIT ||
	    !is_believable(conn, pkt, seq, dir))
		return false;
	if (state == NATTY_STATE_LAST_ACK) {
		WRITE_ONCE(conn->state, NATTY_STATE_TIME_WAIT);
		return true;
	}
	WRITE_ONCE(conn->state, NATTY_STATE_CLOSE);
	natty_conn_mark(conn, NATTY_CONN_RESET);
	/* A refusal does not prolong what it refuses (RFC 7857 7.1). */
	return state == NATTY_STATE_ESTABLISHED ||
	       natty_conn_expires_in(conn) >=
	       set->value[NATTY_SET_DCCP_TRANSITORY];
}

static bool advance(struct natty_conn *conn, const struct natty_packet *pkt,
		    enum natty_dir dir, const struct natty_settings *set)
{
	u32 seq = number(conn, pkt, dir);
	bool lives;

	switch (pkt->dccp_type) {
	case NATTY_DCCP_CLOSEREQ:
	case NATTY_DCCP_CLOSE:
		return take_close(conn, pkt, seq, dir);
	case NATTY_DCCP_RESET:
		return take_reset(conn, pkt, seq, dir, set);
	case NATTY_DCCP_REQUEST:
	case NATTY_DCCP_LISTEN:
		lives = take_opening(conn, pkt, dir);
		if (pkt->dccp_type == NATTY_DCCP_REQUEST)
			note_number(conn, seq, dir);
		return lives;
	case NATTY_DCCP_RESPONSE:
		note_number(conn, seq, dir);
		return take_response(conn, dir);
	case NATTY_DCCP_DATA:
	case NATTY_DCCP_ACK:
	case NATTY_DCCP_DATAACK:
		note_number(conn, seq, dir);
		return take_data(conn, pkt, dir);
	case NATTY_DCCP_SYNC:
	case NATTY_DCCP_SYNCACK:
		return conn->state == NATTY_STATE_ESTABLISHED;
	default:
		return false;
	}
}

/* Is there nothing in this packet that the connection must remember? */
static bool is_ordinary(const struct natty_conn *conn,
			const struct natty_packet *pkt, enum natty_dir dir)
{
	u32 last = READ_ONCE(conn->ack[dir]);

	return pkt->dccp_type >= NATTY_DCCP_DATA &&
	       pkt->dccp_type <= NATTY_DCCP_DATAACK &&
	       READ_ONCE(conn->state) == NATTY_STATE_ESTABLISHED && last &&
	       (s32)(number(conn, pkt, dir) - last) <= SLACK;
}

bool natty_dccp_packet(struct natty_conn *conn, const struct natty_packet *pkt,
		       enum natty_dir dir, const struct natty_settings *set)
{
	bool lives = true;

	if (unlikely(!is_ordinary(conn, pkt, dir))) {
		local_bh_disable();
		natty_conn_lock(conn);
		lives = advance(conn, pkt, dir, set);
		natty_conn_unlock(conn);
		local_bh_enable();
	}
	if (dir == NATTY_DIR_REPLY && pkt->dccp_type != NATTY_DCCP_RESET &&
	    !natty_conn_is(conn, NATTY_CONN_REPLIED))
		natty_conn_mark(conn, NATTY_CONN_REPLIED);
	return lives;
}
