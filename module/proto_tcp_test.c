// SPDX-License-Identifier: GPL-2.0
/* Connections played segment by segment. */
#include <kunit/test.h>
#include <net/tcp.h>

#include "proto.h"

#define S	TCPHDR_SYN
#define A	TCPHDR_ACK
#define F	TCPHDR_FIN
#define R	TCPHDR_RST

#define OUT	NATTY_DIR_ORIG
#define IN	NATTY_DIR_REPLY
#define KEPT	true	/* the end of the connection does not move */

/**
 * struct step - one segment
 * @dir: the way it travels
 * @flags: of TCP
 * @seq: sequence number
 * @ack: acknowledgment number
 * @len: bytes of data
 * @want: state after it, without its prefix
 * @kept: it does not prolong the connection's life
 */
struct step {
	enum natty_dir dir;
	u8 flags;
	u32 seq;
	u32 ack;
	u32 len;
	enum natty_state want;
	bool kept;
};

#define IS(state)	NATTY_STATE_##state

static struct natty_settings settings;

static struct natty_packet segment(const struct step *step)
{
	struct natty_packet pkt = {
		.tuple.family = NFPROTO_IPV4,
		.tuple.proto = IPPROTO_TCP,
		.kind = NATTY_PACKET_FLOW,
		.tcp_flags = step->flags,
		.tcp_seq = step->seq,
		.tcp_ack = step->ack,
	};

	pkt.tcp_end = step->seq + step->len + !!(step->flags & S) +
		      !!(step->flags & F);
	return pkt;
}

static void begin(struct natty_conn *conn, u8 state)
{
	natty_settings_init(&settings);
	memset(conn, 0, sizeof(*conn));
	conn->proto = IPPROTO_TCP;
	conn->family = NFPROTO_IPV4;
	conn->state = state;
}

static void play_on(struct kunit *test, struct natty_conn *conn,
		    const struct step *step, unsigned int n)
{
	struct natty_packet pkt;
	unsigned int i;
	u32 stale;

	for (i = 0; i < n; i++, step++) {
		pkt = segment(step);
		/* As if nothing had happened for long. */
		stale = (u32)jiffies - 100 * HZ;
		conn->expires = stale;
		KUNIT_EXPECT_EQ(test, natty_proto_packet(conn, &pkt, step->dir,
							 &settings),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_EQ_MSG(test, conn->state, step->want, "step %u", i);
		KUNIT_EXPECT_EQ_MSG(test, conn->expires == stale, step->kept,
				    "step %u", i);
		KUNIT_EXPECT_FALSE(test, natty_conn_is(conn, NATTY_CONN_LOCK));
	}
}

static void play(struct kunit *test, struct natty_conn *conn,
		 const struct step *step, unsigned int n)
{
	struct natty_packet pkt = segment(step);
	u8 state;

	begin(conn, 0);
	KUNIT_ASSERT_EQ(test, natty_proto_open(&pkt, &settings, &state),
			NATTY_DROP_NONE);
	conn->state = state;
	play_on(test, conn, step, n);
}

/* The client counts from 1000, the server from 5000. */
static const struct step handshake[] = {
	{ OUT, S, 1000, 0, 0, IS(SYN_SENT) },
	{ IN, S | A, 5000, 1001, 0, IS(SYN_RECEIVED) },
	{ OUT, A, 1001, 5001, 0, IS(ESTABLISHED) },
};

static void play_open(struct kunit *test, struct natty_conn *conn,
		      const struct step *step, unsigned int n)
{
	play(test, conn, handshake, ARRAY_SIZE(handshake));
	play_on(test, conn, step, n);
}

/* From the first segment, or from an established connection on. */
#define PLAY(test, conn, ...) do {					\
	static const struct step steps[] = { __VA_ARGS__ };		\
									\
	play(test, conn, steps, ARRAY_SIZE(steps));			\
} while (0)

#define PLAY_OPEN(test, conn, ...) do {					\
	static const struct step steps[] = { __VA_ARGS__ };		\
									\
	play_open(test, conn, steps, ARRAY_SIZE(steps));		\
} while (0)

static void close_in_order(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { OUT, A, 1001, 5001, 100, IS(ESTABLISHED) },
		  { IN, A, 5001, 1101, 2000, IS(ESTABLISHED) },
		  { OUT, F | A, 1101, 7001, 0, IS(FIN_WAIT) },
		  { IN, A, 7001, 1102, 0, IS(CLOSE_WAIT) },
		  { IN, F | A, 7001, 1102, 0, IS(LAST_ACK) },
		  { OUT, A, 1102, 7002, 0, IS(TIME_WAIT) });
	KUNIT_EXPECT_TRUE(test, natty_conn_is(&conn, NATTY_CONN_REPLIED));
}

static void close_by_the_server(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { IN, F | A, 5001, 1001, 0, IS(FIN_WAIT) },
		  { OUT, F | A, 1001, 5002, 0, IS(LAST_ACK) },
		  { IN, A, 5002, 1002, 0, IS(TIME_WAIT) });
}

static void close_at_once(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { OUT, F | A, 1001, 5001, 0, IS(FIN_WAIT) },
		  { IN, F | A, 5001, 1001, 0, IS(LAST_ACK) },
		  { OUT, A, 1002, 5002, 0, IS(LAST_ACK) },
		  { IN, A, 5002, 1002, 0, IS(TIME_WAIT) });
}

/* Data the other way goes on; a FIN that comes twice is one. */
static void half_close(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { OUT, F | A, 1001, 5001, 0, IS(FIN_WAIT) },
		  { OUT, F | A, 1001, 5001, 0, IS(FIN_WAIT) },
		  { IN, A, 5001, 1001, 1000, IS(FIN_WAIT) },
		  { OUT, A, 1002, 6001, 0, IS(FIN_WAIT) },
		  { IN, A, 6001, 1002, 1000, IS(CLOSE_WAIT) },
		  { OUT, F | A, 1001, 6001, 0, IS(CLOSE_WAIT) },
		  { OUT, A, 1002, 7001, 0, IS(CLOSE_WAIT) },
		  { IN, F | A, 7001, 1002, 500, IS(LAST_ACK) },
		  { OUT, A, 1002, 7001, 0, IS(LAST_ACK) },
		  { OUT, A, 1002, 7502, 0, IS(TIME_WAIT) });
}

static void simultaneous_open(struct kunit *test)
{
	struct natty_conn conn;

	PLAY(test, &conn,
	     { OUT, S, 1000, 0, 0, IS(SYN_SENT) },
	     { IN, S, 5000, 0, 0, IS(SYN_RECEIVED) },
	     { IN, S | A, 5000, 1001, 0, IS(SYN_RECEIVED) },
	     { OUT, S | A, 1000, 5001, 0, IS(ESTABLISHED) },
	     { OUT, A, 1001, 5001, 10, IS(ESTABLISHED) });
}

static void repeated_syn(struct kunit *test)
{
	struct natty_conn conn;

	PLAY(test, &conn,
	     { OUT, S, 1000, 0, 0, IS(SYN_SENT) },
	     { OUT, S, 1000, 0, 0, IS(SYN_SENT), KEPT },
	     { OUT, S, 90000, 0, 0, IS(SYN_SENT) },
	     { IN, S | A, 5000, 1001, 0, IS(SYN_SENT), KEPT },
	     { IN, S | A, 5000, 90001, 0, IS(SYN_RECEIVED) },
	     { IN, S | A, 5000, 90001, 0, IS(SYN_RECEIVED) },
	     { OUT, A, 90001, 5001, 0, IS(ESTABLISHED) });
}

/* Sequence numbers pass through 0, which stands for unknown. */
static void around_zero(struct kunit *test)
{
	struct natty_conn conn;

	PLAY(test, &conn,
	     { OUT, S, 0xffffffff, 0, 0, IS(SYN_SENT) },
	     { OUT, S, 0xffffffff, 0, 0, IS(SYN_SENT), KEPT },
	     { IN, S | A, 0xfffffffe, 1, 0, IS(SYN_RECEIVED) },
	     { OUT, A, 1, 0xffffffff, 0, IS(ESTABLISHED) },
	     { IN, A, 0xffffffff, 1, 100, IS(ESTABLISHED) },
	     { OUT, F | A, 1, 99, 0, IS(FIN_WAIT) },
	     { IN, F | A, 99, 2, 0, IS(LAST_ACK) },
	     { OUT, A, 2, 100, 0, IS(TIME_WAIT) });
}

/* Somebody who does not see the traffic forges segments of the server. */
static void forged(struct kunit *test)
{
	struct natty_conn conn;

	PLAY(test, &conn,
	     { OUT, S, 1000, 0, 0, IS(SYN_SENT) },
	     { IN, S | A, 77, 0x55555555, 0, IS(SYN_SENT), KEPT },
	     { IN, R | A, 0, 0x55555555, 0, IS(SYN_SENT), KEPT },
	     { IN, R, 0, 0, 0, IS(SYN_SENT), KEPT },
	     { IN, A, 77, 0x55555555, 0, IS(SYN_SENT), KEPT },
	     { IN, S, 0x66666666, 0, 0, IS(SYN_RECEIVED) },
	     { IN, S | A, 5000, 1001, 0, IS(SYN_RECEIVED) },
	     { OUT, A, 1001, 5001, 0, IS(ESTABLISHED) },
	     { IN, R, 0x70000000, 0, 0, IS(ESTABLISHED), KEPT },
	     { IN, R, 4000, 0, 0, IS(ESTABLISHED), KEPT },
	     { IN, F | A, 0x70000000, 1001, 0, IS(ESTABLISHED) },
	     { IN, S | A, 0x70000000, 1001, 0, IS(ESTABLISHED), KEPT },
	     { OUT, A, 1001, 5001, 10, IS(ESTABLISHED) });
}

/* RFC 7857 7.1: to refuse does not prolong, but it may shorten. */
static void refused(struct kunit *test)
{
	struct natty_packet pkt = segment(&(const struct step){
		IN, R | A, 0, 1001, 0, IS(CLOSE)
	});
	struct natty_conn conn;

	PLAY(test, &conn,
	     { OUT, S, 1000, 0, 0, IS(SYN_SENT) },
	     { IN, R | A, 0, 1001, 0, IS(CLOSE), KEPT });
	KUNIT_EXPECT_FALSE(test, natty_conn_is(&conn, NATTY_CONN_REPLIED));
	KUNIT_EXPECT_TRUE(test, natty_conn_is(&conn, NATTY_CONN_RESET));

	PLAY(test, &conn, { OUT, S, 1000, 0, 0, IS(SYN_SENT) });
	settings.value[NATTY_SET_TCP_CLOSE] = 10;
	natty_proto_packet(&conn, &pkt, IN, &settings);
	KUNIT_EXPECT_LE(test, natty_conn_expires_in(&conn), 10);
}

/* RFC 7857 2.2: not the end while there is data. */
static void reset(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { IN, R | A, 5001, 1001, 0, IS(CLOSE) },
		  { IN, R | A, 5001, 1001, 0, IS(CLOSE), KEPT },
		  { OUT, A, 1001, 5001, 0, IS(CLOSE), KEPT });
	KUNIT_EXPECT_TRUE(test, natty_conn_is(&conn, NATTY_CONN_RESET));
	PLAY_OPEN(test, &conn,
		  { IN, R | A, 5001, 1001, 0, IS(CLOSE) },
		  { OUT, A, 1001, 5001, 5, IS(ESTABLISHED) });
	KUNIT_EXPECT_FALSE(test, natty_conn_is(&conn, NATTY_CONN_RESET));
}

/* The client's RST, while what it has acknowledged is known roughly. */
static void reset_in_flow(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { IN, A, 5001, 1001, 16000, IS(ESTABLISHED) },
		  { OUT, A, 1001, 21001, 0, IS(ESTABLISHED) },
		  { IN, A, 21001, 1001, 60000, IS(ESTABLISHED) },
		  { OUT, A, 1001, 81001, 0, IS(ESTABLISHED) },
		  { IN, R, 81001, 0, 0, IS(CLOSE) });
	KUNIT_EXPECT_EQ(test, conn.ack[OUT], 81001);
}

static void reopen(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { OUT, F | A, 1001, 5001, 0, IS(FIN_WAIT) },
		  { IN, F | A, 5001, 1002, 0, IS(LAST_ACK) },
		  { OUT, A, 1002, 5002, 0, IS(TIME_WAIT) },
		  { OUT, S, 700000, 0, 0, IS(SYN_SENT) },
		  { IN, S | A, 900000, 700001, 0, IS(SYN_RECEIVED) },
		  { OUT, A, 700001, 900001, 0, IS(ESTABLISHED) },
		  { OUT, R, 700001, 0, 0, IS(CLOSE) },
		  { OUT, S, 300, 0, 0, IS(SYN_SENT) });
	KUNIT_EXPECT_FALSE(test, natty_conn_is(&conn, NATTY_CONN_REPLIED));
	KUNIT_EXPECT_FALSE(test, natty_conn_is(&conn, NATTY_CONN_RESET));
}

/* The server closed first; its side opens anew. */
static void reopen_from_outside(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { IN, R, 5001, 0, 0, IS(CLOSE) },
		  { IN, S, 800, 0, 0, IS(SYN_SENT) },
		  { OUT, S | A, 400, 801, 0, IS(SYN_RECEIVED) },
		  { IN, A, 801, 401, 0, IS(ESTABLISHED) });
}

/* The client crashed and uses its port again; the server has not noticed. */
static void one_end_forgot(struct kunit *test)
{
	struct natty_conn conn;

	PLAY_OPEN(test, &conn,
		  { OUT, S, 600000, 0, 0, IS(ESTABLISHED), KEPT },
		  { IN, A, 5001, 1001, 0, IS(ESTABLISHED) },
		  { OUT, R, 1001, 0, 0, IS(CLOSE) },
		  { OUT, S, 600000, 0, 0, IS(SYN_SENT) });
	/* Both have forgotten. */
	PLAY_OPEN(test, &conn,
		  { OUT, S, 600000, 0, 0, IS(ESTABLISHED), KEPT },
		  { IN, S | A, 90, 600001, 0, IS(SYN_RECEIVED) },
		  { OUT, A, 600001, 91, 0, IS(ESTABLISHED) },
		  { IN, R, 91, 0, 0, IS(CLOSE) });
}

static void picked_up(struct kunit *test)
{
	struct natty_conn conn;

	PLAY(test, &conn, { OUT, A, 1001, 5001, 10, IS(ESTABLISHED) });
	KUNIT_EXPECT_EQ(test, natty_proto_timeout(&conn, &settings),
			settings.value[NATTY_SET_TCP_TRANSITORY]);
	PLAY(test, &conn, { OUT, A, 1001, 5001, 10, IS(ESTABLISHED) },
	     { IN, A, 5001, 1011, 10, IS(ESTABLISHED) });
	KUNIT_EXPECT_EQ(test, natty_proto_timeout(&conn, &settings),
			settings.value[NATTY_SET_TCP_ESTABLISHED]);
	PLAY(test, &conn, { OUT, A, 1001, 5001, 10, IS(ESTABLISHED) },
	     { IN, R, 99, 0, 0, IS(ESTABLISHED), KEPT },
	     { IN, R, 5001, 0, 0, IS(CLOSE) });
}

static void openers(struct kunit *test)
{
	static const struct {
		u8 flags;
		bool loose;
		bool opens;
	} cases[] = {
		{ S, false, true }, { S, true, true },
		{ A, false, false }, { A, true, true },
		{ A | TCPHDR_PSH, true, true },
		{ S | A, true, false }, { R, true, false },
		{ R | A, true, false }, { F | A, true, false },
	};
	enum natty_counter want;
	unsigned int i;
	u8 state;

	natty_settings_init(&settings);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step step = { OUT, cases[i].flags };
		struct natty_packet pkt = segment(&step);

		settings.value[NATTY_SET_TCP_LOOSE] = cases[i].loose;
		want = NATTY_DROP_TCP_STATE;
		if (cases[i].opens)
			want = NATTY_DROP_NONE;
		KUNIT_EXPECT_EQ_MSG(test,
				    natty_proto_open(&pkt, &settings, &state),
				    want, "case %u", i);
	}
}

static void timeouts(struct kunit *test)
{
	static const struct {
		enum natty_state state;
		enum natty_setting setting;
	} cases[] = {
		{ IS(SYN_SENT), NATTY_SET_TCP_SYN_SENT },
		{ IS(SYN_RECEIVED), NATTY_SET_TCP_SYN_RECEIVED },
		{ IS(ESTABLISHED), NATTY_SET_TCP_ESTABLISHED },
		{ IS(FIN_WAIT), NATTY_SET_TCP_FIN_WAIT },
		{ IS(CLOSE_WAIT), NATTY_SET_TCP_CLOSE_WAIT },
		{ IS(LAST_ACK), NATTY_SET_TCP_LAST_ACK },
		{ IS(TIME_WAIT), NATTY_SET_TCP_TIME_WAIT },
		{ IS(CLOSE), NATTY_SET_TCP_CLOSE },
	};
	struct natty_conn conn;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&conn, cases[i].state);
		natty_conn_mark(&conn, NATTY_CONN_REPLIED);
		settings.value[cases[i].setting] = 1000 + i;
		KUNIT_EXPECT_EQ(test, natty_proto_timeout(&conn, &settings),
				1000 + i);
		natty_conn_mark(&conn, NATTY_CONN_UNCONFIRMED);
		KUNIT_EXPECT_EQ(test, natty_proto_timeout(&conn, &settings),
				settings.value[NATTY_SET_UNCONFIRMED]);
	}
}

/* Protocols without a state of their own: who has spoken. */
static void other_protocols(struct kunit *test)
{
	static const struct {
		u8 proto;
		enum natty_setting before, after;
	} cases[] = {
		{ IPPROTO_UDP, NATTY_SET_UDP, NATTY_SET_UDP_REPLIED },
		{ IPPROTO_UDPLITE, NATTY_SET_UDP, NATTY_SET_UDP_REPLIED },
		{ IPPROTO_ICMP, NATTY_SET_ICMP, NATTY_SET_ICMP },
		{ IPPROTO_ICMPV6, NATTY_SET_ICMP, NATTY_SET_ICMP },
		{ IPPROTO_GRE, NATTY_SET_GRE, NATTY_SET_GRE_REPLIED },
		{ IPPROTO_ESP, NATTY_SET_OTHER, NATTY_SET_OTHER },
	};
	struct natty_packet pkt = {};
	struct natty_conn conn;
	unsigned int i;
	u8 state;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&conn, 0);
		settings.value[cases[i].before] = 50;
		settings.value[cases[i].after] = 60;
		pkt.tuple.proto = cases[i].proto;
		conn.proto = cases[i].proto;
		KUNIT_EXPECT_EQ(test, natty_proto_open(&pkt, &settings, &state),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_EQ(test, state, NATTY_STATE_NEW);
		natty_proto_packet(&conn, &pkt, OUT, &settings);
		KUNIT_EXPECT_EQ(test, conn.state, NATTY_STATE_NEW);
		KUNIT_EXPECT_EQ(test, natty_proto_timeout(&conn, &settings),
				settings.value[cases[i].before]);
		natty_proto_packet(&conn, &pkt, IN, &settings);
		KUNIT_EXPECT_EQ(test, conn.state, NATTY_STATE_REPLIED);
		KUNIT_EXPECT_EQ(test, natty_proto_timeout(&conn, &settings), 60);
		KUNIT_EXPECT_GE(test, natty_conn_expires_in(&conn), 59);
	}
}

/* Only what goes out to a port below 1024 may be shorter. */
static void well_known_udp(struct kunit *test)
{
	static const struct {
		u16 port;
		u32 flags, timeout;
	} cases[] = {
		{ 53, 0, 5 },
		{ 1023, 0, 5 },
		{ 53, BIT(NATTY_CONN_REPLIED), 5 },
		{ 53, BIT(NATTY_CONN_INBOUND), 50 },
		{ 1024, 0, 50 },
	};
	struct natty_conn conn;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&conn, 0);
		conn.proto = IPPROTO_UDP;
		conn.port[NATTY_END_NEW_DST] = htons(cases[i].port);
		atomic_set(&conn.flags, cases[i].flags);
		settings.value[NATTY_SET_UDP] = 50;
		settings.value[NATTY_SET_UDP_REPLIED] = 60;
		settings.value[NATTY_SET_UDP_WELL_KNOWN] = 5;
		KUNIT_EXPECT_EQ(test, natty_proto_timeout(&conn, &settings),
				cases[i].timeout);
		/* It makes nothing longer. */
		settings.value[NATTY_SET_UDP_WELL_KNOWN] = 70;
		KUNIT_EXPECT_LE(test, natty_proto_timeout(&conn, &settings), 60);
	}
}

/* Any segments in any order: no lock is kept, the state stays a TCP state. */
static void random_segments(struct kunit *test)
{
	struct natty_conn conn;
	struct natty_packet pkt = {};
	u32 seed = 4711;
	unsigned int i;

	begin(&conn, IS(SYN_SENT));
	for (i = 0; i < 100000; i++) {
		seed = seed * 1664525 + 1013904223;
		pkt.tcp_flags = (seed >> 8) & (S | A | F | R);
		pkt.tcp_seq = (seed >> 16) & 0x3ff;
		pkt.tcp_ack = (seed >> 20) & 0x3ff;
		pkt.tcp_end = pkt.tcp_seq + (seed >> 30);
		natty_proto_packet(&conn, &pkt, seed >> 12 & 1, &settings);
		KUNIT_ASSERT_GE(test, conn.state, IS(SYN_SENT));
		KUNIT_ASSERT_LE(test, conn.state, IS(CLOSE));
		KUNIT_ASSERT_FALSE(test, natty_conn_is(&conn, NATTY_CONN_LOCK));
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(close_in_order),
	KUNIT_CASE(close_by_the_server),
	KUNIT_CASE(close_at_once),
	KUNIT_CASE(half_close),
	KUNIT_CASE(simultaneous_open),
	KUNIT_CASE(repeated_syn),
	KUNIT_CASE(around_zero),
	KUNIT_CASE(forged),
	KUNIT_CASE(refused),
	KUNIT_CASE(reset),
	KUNIT_CASE(reset_in_flow),
	KUNIT_CASE(reopen),
	KUNIT_CASE(reopen_from_outside),
	KUNIT_CASE(one_end_forgot),
	KUNIT_CASE(picked_up),
	KUNIT_CASE(openers),
	KUNIT_CASE(timeouts),
	KUNIT_CASE(other_protocols),
	KUNIT_CASE(well_known_udp),
	KUNIT_CASE(random_segments),
	{}
};

static struct kunit_suite suite = {
	.name = "natty_proto_tcp",
	.test_cases = cases,
};

kunit_test_suite(suite);
