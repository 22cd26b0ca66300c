/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_TEST_PACKET_H
#define NATTY_TEST_PACKET_H

/*
 * Packets for unit tests, written byte by byte with checksums computed from
 * scratch: nothing here shares code with what is tested.
 */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/skbuff.h>

#include "packet.h"

#define TEST_PACKET_MAX 2048

/* Who sends packets, a translator between them, who answers. */
#define TEST_C1	0x0a000002	/* 10.0.0.2 */
#define TEST_X	0xc6336401	/* 198.51.100.1 */
#define TEST_S1	0xc633640a	/* 198.51.100.10 */

/* Protocols of IPv4 and IPv6 that differ to a translator. */
#define TEST_PROTOS 10
extern const u8 test_protos4[TEST_PROTOS];
extern const u8 test_protos6[TEST_PROTOS];

/**
 * struct test_packet - what to write
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: upper-layer protocol
 * @src: source; of ICMP the identifier of a query
 * @dst: destination; of ICMP the identifier of an answer
 * @type: of an ICMP message
 * @flags: of a TCP segment, 0 for ACK
 * @options: bytes of IP options or of an IPv6 header with options, times of 8
 * @payload: bytes behind the transport header
 * @seed: what the payload consists of
 * @no_check: UDP checksum of 0
 * @quote: what an ICMP error quotes
 * @quote_len: how much of it, 0 for all
 */
struct test_packet {
	u8 family;
	u8 proto;
	struct natty_endpoint src;
	struct natty_endpoint dst;
	u8 type;
	u8 flags;
	unsigned int options;
	unsigned int payload;
	u32 seed;
	bool no_check;
	const struct test_packet *quote;
	unsigned int quote_len;
};

/* How the bytes lie in the buffer. */
enum test_layout {
	TEST_LINEAR,
	TEST_CLONED,
	TEST_PAGED,		/* nothing linear */
	TEST_HEADER,		/* the IP header is linear */
	TEST_LAYOUTS
};

struct natty_endpoint test_v4(u32 addr, u16 port);
struct natty_endpoint test_v6(u32 last, u16 port);

static inline u8 test_packet_icmp(u8 family)
{
	return family == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

/* A packet from C1:5000 to S1:80, an ICMP query with identifier 77. */
struct test_packet test_packet_plain(u8 family, u8 proto);

/* An ICMP error of the destination of @quote to its source. */
struct test_packet test_packet_error(const struct test_packet *quote);

/* 16-bit one's complement sum of @len bytes over @sum, not inverted. */
u16 test_sum(const u8 *data, unsigned int len, u32 sum);

/* Write a packet of at most TEST_PACKET_MAX bytes. Return: its length. */
unsigned int test_packet_write(const struct test_packet *p, u8 *buf);

/* Offset of the transport header. */
unsigned int test_packet_l4(const struct test_packet *p);

/* Correct the IPv4 header checksum after a change. */
void test_packet_fix(u8 *ip);

/* A received packet of those bytes; its control block belongs to the test. */
struct sk_buff *test_skb(struct kunit *test, const u8 *buf, unsigned int len,
			 enum test_layout layout);
void test_skb_free(struct sk_buff *skb);

/* Reproducible numbers. */
static inline u32 test_random(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
