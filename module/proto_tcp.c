// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a TCP connection, RFC 5382 and RFC 7857 section 2.
 *
 * A translator sees some of the segments in some order. It never drops one
 * because of its sequence number, but what it believes must fit: a SYN-ACK
 * acknowledges the SYN, a FIN or RST has a sequence number near what its
 * receiver acknowledged. Whoever does not see the traffic cannot guess that.
 */
#include <linux/bottom_half.h>
#include <net/tcp.h>

#include "proto_tcp.h"

/*
 * Bits of natty_conn.fin, each shifted by a direction: its FIN was seen; that
 * was acknowledged; it sent a SYN although the connection is established.
 */
#define FIN_SEEN(dir)	BIT(dir)
#define FIN_ACKED(dir)	BIT(2 + (dir))
#define SYN_AGAIN(dir)	BIT(4 + (dir))

/* How far the first acknowledgment may be ahead of the SYN: data with it. */
#define HANDSHAKE_SPAN	0x10000

/*
 * How far a RST or FIN may be ahead of what is known to be acknowledged: data
 * on the way, and NATTY_TCP_ACK_SLACK. A RST only shortens the time to the end
 * until there is data again, but it comes alone; a missed FIN is worse.
 */
#define RST_SPAN	0x100000
#define FIN_SPAN	0x1000000

static enum natty_dir opposite(enum natty_dir dir)
{
	return dir == NATTY_DIR_ORIG ? NATTY_DIR_REPLY : NATTY_DIR_ORIG;
}

/* A sequence number to be remembered; 0 means that none is. */
static u32 known(u32 seq)
{
	return seq ?: 1;
}

/* Is @seq at or not far ahead of @base, if that is known? */
static bool follows(u32 seq, u32 base, u32 span)
{
	return !base || seq - base <= span;
}

static bool has(const struct natty_packet *pkt, u8 flags)
{
	return pkt->tcp_flags & flags;
}

enum natty_counter natty_tcp_open(const struct natty_packet *pkt,
				  const struct natty_settings *set, u8 *state)
{
	switch (pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_ACK | TCPHDR_FIN |
				  TCPHDR_RST)) {
	case TCPHDR_SYN:
		*state = NATTY_STATE_SYN_SENT;
		return NATTY_DROP_NONE;
	case TCPHDR_ACK:
		if (!set->value[NATTY_SET_TCP_LOOSE])
			return NATTY_DROP_TCP_STATE;
		*state = NATTY_STATE_ESTABLISHED;
		return NATTY_DROP_NONE;
	default:
		return NATTY_DROP_TCP_STATE;
	}
}

u32 natty_tcp_timeout(const struct natty_conn *conn,
		      const struct natty_settings *set)
{
	static const u8 setting[] = {
		[NATTY_STATE_NEW]		= NATTY_SET_TCP_TRANSITORY,
		[NATTY_STATE_REPLIED]		= NATTY_SET_TCP_TRANSITORY,
		[NATTY_STATE_SYN_SENT]		= NATTY_SET_TCP_SYN_SENT,
		[NATTY_STATE_SYN_RECEIVED]	= NATTY_SET_TCP_SYN_RECEIVED,
		[NATTY_STATE_FIN_WAIT]		= NATTY_SET_TCP_FIN_WAIT,
		[NATTY_STATE_CLOSE_WAIT]	= NATTY_SET_TCP_CLOSE_WAIT,
		[NATTY_STATE_LAST_ACK]		= NATTY_SET_TCP_LAST_ACK,
		[NATTY_STATE_TIME_WAIT]		= NATTY_SET_TCP_TIME_WAIT,
		[NATTY_STATE_CLOSE]		= NATTY_SET_TCP_CLOSE,
	};
	u8 state = READ_ONCE(conn->state);

	if (state == NATTY_STATE_ESTABLISHED)
		return natty_tcp_established_timeout(conn, set);
	return set->value[setting[state]];
}

static void set_state(struct natty_conn *conn, enum natty_state state)
{
	if (conn->state != state)
		WRITE_ONCE(conn->state, state);
}

static void set_fin(struct natty_conn *conn, u8 fin)
{
	if (conn->fin != fin)
		WRITE_ONCE(conn->fin, fin);
}

static void forget(struct natty_conn *conn, enum natty_conn_bit bit)
{
	if (natty_conn_is(conn, bit))
		natty_conn_unmark(conn, bit);
}

static void set_ack(struct natty_conn *conn, enum natty_dir dir, u32 ack)
{
	WRITE_ONCE(conn->ack[dir], known(ack));
}

static void begin(struct natty_conn *conn, const struct natty_packet *pkt,
		  enum natty_dir dir)
{
	set_ack(conn, opposite(dir), pkt->tcp_seq + 1);
	WRITE_ONCE(conn->ack[dir], 0);
	set_fin(conn, 0);
	forget(conn, NATTY_CONN_RESET);
	if (dir == NATTY_DIR_ORIG)
		forget(conn, NATTY_CONN_REPLIED);
	set_state(conn, NATTY_STATE_SYN_SENT);
}

static bool take_syn(struct natty_conn *conn, const struct natty_packet *pkt,
		     enum natty_dir dir)
{
	switch (conn->state) {
	case NATTY_STATE_SYN_SENT:
		if (conn->ack[dir]) {
			/* Both open at once. */
			set_ack(conn, opposite(dir), pkt->tcp_seq + 1);
			set_state(conn, NATTY_STATE_SYN_RECEIVED);
			return true;
		}
		if (conn->ack[opposite(dir)] == known(pkt->tcp_seq + 1))
			return false;	/* repeats do not prolong */
		begin(conn, pkt, dir);
		return true;
	case NATTY_STATE_LAST_ACK:
	case NATTY_STATE_TIME_WAIT:
	case NATTY_STATE_CLOSE:
		begin(conn, pkt, dir);
		return true;
	default:
		/* The answer will show whether that end knows better. */
		set_fin(conn, conn->fin | SYN_AGAIN(dir));
		return false;
	}
}

/* The other end's SYN is acknowledged with this one's own. */
static void handshake(struct natty_conn *conn, const struct natty_packet *pkt,
		      enum natty_dir dir)
{
	set_fin(conn, 0);
	set_ack(conn, dir, pkt->tcp_ack);
	set_ack(conn, opposite(dir), pkt->tcp_seq + 1);
	set_state(conn, NATTY_STATE_SYN_RECEIVED);
}

static bool take_synack(struct natty_conn *conn, const struct natty_packet *pkt,
			enum natty_dir dir)
{
	switch (conn->state) {
	case NATTY_STATE_SYN_SENT:
		if (!conn->ack[dir] ||
		    !follows(pkt->tcp_ack, conn->ack[dir], HANDSHAKE_SPAN))
			return false;
		handshake(conn, pkt, dir);
		return true;
	case NATTY_STATE_SYN_RECEIVED:
		if (!follows(pkt->tcp_ack, conn->ack[dir], HANDSHAKE_SPAN))
			return false;
		/* Whoever knows that is who the SYN was for. */
		set_ack(conn, opposite(dir), pkt->tcp_seq + 1);
		/* The opener sends one only where both open at once. */
		if (dir == NATTY_DIR_ORIG)
			set_state(conn, NATTY_STATE_ESTABLISHED);
		return true;
	default:
		/* One end had forgotten the connection and opens it anew. */
		if (!(conn->fin & SYN_AGAIN(opposite(dir))))
			return false;
		handshake(conn, pkt, dir);
		return true;
	}
}

static bool is_believable_reset(const struct natty_conn *conn,
				const struct natty_packet *pkt,
				enum natty_dir dir)
{
	u32 acked = conn->ack[opposite(dir)];

	if (acked)
		return follows(pkt->tcp_seq, acked, RST_SPAN);
	/* The answer to a SYN has a sequence number of 0. */
	return has(pkt, TCPHDR_ACK) &&
	       follows(pkt->tcp_ack, conn->ack[dir], HANDSHAKE_SPAN);
}

/*
 * RFC 7857 7.1: who refuses what an outsider begins may not prolong the mapping
 * by that.
 */
static bool take_reset(struct natty_conn *conn, const struct natty_packet *pkt,
		       enum natty_dir dir, const struct natty_settings *set)
{
	bool opening = conn->state == NATTY_STATE_SYN_SENT ||
		       conn->state == NATTY_STATE_SYN_RECEIVED;

	if (conn->state == NATTY_STATE_CLOSE ||
	    !is_believable_reset(conn, pkt, dir))
		return false;
	set_state(conn, NATTY_STATE_CLOSE);
	natty_conn_mark(conn, NATTY_CONN_RESET);
	return !opening ||
	       natty_conn_expires_in(conn) >= set->value[NATTY_SET_TCP_CLOSE];
}

static void note_ack(struct natty_conn *conn, const struct natty_packet *pkt,
		     enum natty_dir dir)
{
	s32 ahead = pkt->tcp_ack - conn->ack[dir];

	if (conn->fin & FIN_SEEN(opposite(dir))) {
		if (ahead >= 0)
			set_fin(conn, conn->fin | FIN_ACKED(opposite(dir)));
	} else if (!conn->ack[dir] || ahead > NATTY_TCP_ACK_SLACK) {
		set_ack(conn, dir, pkt->tcp_ack);
	}
}

static void note_fin(struct natty_conn *conn, const struct natty_packet *pkt,
		     enum natty_dir dir)
{
	if (conn->fin & FIN_SEEN(dir) ||
	    !follows(pkt->tcp_end, conn->ack[opposite(dir)], FIN_SPAN))
		return;
	set_fin(conn, conn->fin | FIN_SEEN(dir));
	/* From here on that is what the other end must acknowledge. */
	set_ack(conn, opposite(dir), pkt->tcp_end);
}

static enum natty_state closing_state(u8 fin)
{
	bool orig = fin & FIN_SEEN(NATTY_DIR_ORIG);
	bool reply = fin & FIN_SEEN(NATTY_DIR_REPLY);
	bool orig_acked = fin & FIN_ACKED(NATTY_DIR_ORIG);
	bool reply_acked = fin & FIN_ACKED(NATTY_DIR_REPLY);

	if (orig && reply)
		return orig_acked && reply_acked ? NATTY_STATE_TIME_WAIT :
						   NATTY_STATE_LAST_ACK;
	if (orig || reply)
		return orig_acked || reply_acked ? NATTY_STATE_CLOSE_WAIT :
						   NATTY_STATE_FIN_WAIT;
	return NATTY_STATE_ESTABLISHED;
}

/* A segment with ACK, perhaps FIN, but neither SYN nor RST. */
static bool take_segment(struct natty_conn *conn,
			 const struct natty_packet *pkt, enum natty_dir dir)
{
	switch (conn->state) {
	case NATTY_STATE_SYN_SENT:
		return false;
	case NATTY_STATE_SYN_RECEIVED:
		if (!follows(pkt->tcp_ack, conn->ack[dir], HANDSHAKE_SPAN))
			return false;
		break;
	case NATTY_STATE_CLOSE:
		/* RFC 7857 2.2: data shows that the RST was not believed. */
		if (pkt->tcp_end == pkt->tcp_seq)
			return false;
		forget(conn, NATTY_CONN_RESET);
		break;
	}
	set_fin(conn, conn->fin & ~SYN_AGAIN(dir));
	note_ack(conn, pkt, dir);
	if (has(pkt, TCPHDR_FIN))
		note_fin(conn, pkt, dir);
	set_state(conn, closing_state(conn->fin));
	return true;
}

static bool advance(struct natty_conn *conn, const struct natty_packet *pkt,
		    enum natty_dir dir, const struct natty_settings *set)
{
	if (has(pkt, TCPHDR_RST))
		return take_reset(conn, pkt, dir, set);
	if (!has(pkt, TCPHDR_SYN))
		return take_segment(conn, pkt, dir);
	if (has(pkt, TCPHDR_ACK))
		return take_synack(conn, pkt, dir);
	return take_syn(conn, pkt, dir);
}

bool natty_tcp_packet(struct natty_conn *conn, const struct natty_packet *pkt,
		      enum natty_dir dir, const struct natty_settings *set)
{
	bool lives = true;

	if (unlikely(!natty_tcp_is_ordinary(conn, pkt->tcp_flags, pkt->tcp_ack,
					    dir))) {
		local_bh_disable();
		natty_conn_lock(conn);
		lives = advance(conn, pkt, dir, set);
		natty_conn_unlock(conn);
		local_bh_enable();
	}
	if (dir == NATTY_DIR_REPLY && !has(pkt, TCPHDR_RST) &&
	    !natty_conn_is(conn, NATTY_CONN_REPLIED))
		natty_conn_mark(conn, NATTY_CONN_REPLIED);
	return lives;
}
