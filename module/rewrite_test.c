// SPDX-License-Identifier: GPL-2.0
/*
 * A packet that was rewritten is compared byte for byte with one that was
 * written from scratch with the new endpoint.
 */
#include <net/checksum.h>

#include "rewrite.h"
#include "test_packet.h"

static u8 before[TEST_PACKET_MAX];
static u8 after[TEST_PACKET_MAX];

static void set_side(struct test_packet *p, enum natty_manip side,
		     const struct natty_endpoint *to)
{
	if (side == NATTY_MANIP_SRC)
		p->src = *to;
	else
		p->dst = *to;
}

static enum natty_manip other(enum natty_manip side)
{
	return side == NATTY_MANIP_SRC ? NATTY_MANIP_DST : NATTY_MANIP_SRC;
}

/* Another endpoint for that side, without a port where there is none. */
static struct natty_endpoint moved(const struct test_packet *p,
				   enum natty_manip side, u32 addr, u16 port)
{
	const struct natty_endpoint *old = side == NATTY_MANIP_SRC ? &p->src :
								     &p->dst;

	if (!old->port)
		port = 0;
	return p->family == NFPROTO_IPV4 ? test_v4(addr, port) :
					   test_v6(addr, port);
}

/* Has the tuple followed? */
static bool followed(const struct natty_packet *pkt, enum natty_manip side,
		     const struct natty_endpoint *to)
{
	const struct natty_tuple *t = &pkt->tuple;

	return natty_endpoint_equal(t->family, to, side == NATTY_MANIP_SRC ?
				    &t->src : &t->dst);
}

/* Do the packet's bytes equal the first @len of after[]? */
static void expect_bytes(struct kunit *test, struct sk_buff *skb,
			 unsigned int len, const char *what)
{
	KUNIT_EXPECT_EQ(test, skb->len, len);
	KUNIT_EXPECT_EQ(test, skb_copy_bits(skb, 0, before, skb->len), 0);
	KUNIT_EXPECT_MEMEQ_MSG(test, before, after, len, "%s", what);
}

/* Rewrite @p, received with checksum state @summed, and compare. */
static void check(struct kunit *test, const struct test_packet *p,
		  enum natty_manip side, const struct natty_endpoint *to,
		  enum test_layout layout, u8 summed)
{
	unsigned int len = test_packet_write(p, before);
	struct sk_buff *skb = test_skb(test, before, len, layout);
	struct test_packet want = *p;
	struct natty_packet pkt;
	char what[80];

	snprintf(what, sizeof(what), "proto %u family %u side %u layout %u summed %u",
		 p->proto, p->family, side, layout, summed);
	set_side(&want, side, to);
	skb->ip_summed = summed;
	if (summed == CHECKSUM_COMPLETE)
		skb->csum = csum_partial(before, len, 0);

	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p->family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, side, to));

	KUNIT_EXPECT_TRUE(test, followed(&pkt, side, to));
	test_packet_write(&want, after);
	expect_bytes(test, skb, len, what);
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_EQ_MSG(test, (__force u16)csum_fold(skb->csum),
				    (__force u16)csum_fold(skb_checksum(skb, 0, len, 0)),
				    "%s", what);
	test_skb_free(skb);
}

static const u8 summed[] = {
	CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE,
};

static void every_protocol(struct kunit *test)
{
	enum test_layout layout;
	struct natty_endpoint to;
	struct test_packet p;
	unsigned int i, c;

	for (i = 0; i < 4 * TEST_PROTOS; i++) {
		enum natty_manip side = i & 1;
		bool v6 = i & 2;

		p = test_packet_plain(v6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
				      v6 ? test_protos6[i / 4] :
					   test_protos4[i / 4]);
		p.options = i % 3 * 8;
		p.payload = 41;
		to = moved(&p, side, TEST_X, 40001);
		for (layout = 0; layout < TEST_LAYOUTS; layout++)
			for (c = 0; c < ARRAY_SIZE(summed); c++)
				check(test, &p, side, &to, layout, summed[c]);
		/* Only the address. */
		to.port = side == NATTY_MANIP_SRC ? p.src.port : p.dst.port;
		check(test, &p, side, &to, TEST_LINEAR, CHECKSUM_COMPLETE);
	}
}

static void icmp_identifiers(struct kunit *test)
{
	static const u8 types[] = { 8, 0, 13, 14, 15, 16, 17, 18 };
	struct natty_endpoint to;
	struct test_packet p;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		p = test_packet_plain(NFPROTO_IPV4, IPPROTO_ICMP);
		p.type = types[i];
		if (i & 1)
			swap(p.src.port, p.dst.port);
		to = moved(&p, NATTY_MANIP_SRC, TEST_X, 81);
		check(test, &p, NATTY_MANIP_SRC, &to, TEST_LINEAR, CHECKSUM_NONE);
		to = moved(&p, NATTY_MANIP_DST, TEST_X, 81);
		check(test, &p, NATTY_MANIP_DST, &to, TEST_LINEAR, CHECKSUM_NONE);
	}
}

static void udp_without_checksum(struct kunit *test)
{
	static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	struct natty_endpoint to;
	struct test_packet p;
	unsigned int i, c;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		p = test_packet_plain(families[i], IPPROTO_UDP);
		p.no_check = true;
		to = moved(&p, NATTY_MANIP_SRC, TEST_X, 40001);
		for (c = 0; c < ARRAY_SIZE(summed); c++)
			check(test, &p, NATTY_MANIP_SRC, &to, TEST_CLONED,
			      summed[c]);
	}
}

/* Among 65536 ports there is one for which the checksum computes to 0. */
static void udp_checksum_ffff(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_UDP);
	struct natty_endpoint to = test_v4(TEST_X, 0);
	unsigned int port;

	for (port = 1; port < 65536; port++) {
		struct test_packet q = p;

		to.port = htons(port);
		q.src = to;
		test_packet_write(&q, after);
		if (after[26] == 0xff && after[27] == 0xff)
			break;
	}
	KUNIT_ASSERT_LT(test, port, 65536);
	check(test, &p, NATTY_MANIP_SRC, &to, TEST_LINEAR, CHECKSUM_NONE);

	/* And away from it. */
	p.src = to;
	to = test_v4(TEST_C1, 5000);
	check(test, &p, NATTY_MANIP_SRC, &to, TEST_LINEAR, CHECKSUM_NONE);
}

/* The checksum of a packet of this host is yet to be completed. */
static void partial(struct kunit *test)
{
	static const u8 protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE };
	unsigned int i, l4, len, off;
	struct natty_endpoint to;
	struct natty_packet pkt;
	struct test_packet p, want;
	struct sk_buff *skb;
	bool v6, gso;
	u16 sum;

	for (i = 0; i < 4 * ARRAY_SIZE(protos); i++) {
		v6 = i & 1;
		gso = i & 2;
		p = test_packet_plain(v6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
				      protos[i / 4]);
		to = moved(&p, NATTY_MANIP_SRC, TEST_X, 40001);
		want = p;
		want.src = to;
		len = test_packet_write(&p, before);
		l4 = test_packet_l4(&p);
		off = p.proto == IPPROTO_TCP ? 16 : 6;
		sum = test_sum(before + (v6 ? 8 : 12), v6 ? 32 : 8,
			       p.proto + len - l4);
		before[l4 + off] = sum >> 8;
		before[l4 + off + 1] = sum;
		skb = test_skb(test, before, len, TEST_LINEAR);
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + l4;
		skb->csum_offset = off;
		if (gso)
			skb_shinfo(skb)->gso_size = 20;

		KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &to));

		KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_PARTIAL);
		test_packet_write(&want, after);
		sum = test_sum(after + (v6 ? 8 : 12), v6 ? 32 : 8,
			       p.proto + len - l4);
		after[l4 + off] = sum >> 8;
		after[l4 + off + 1] = sum;
		expect_bytes(test, skb, len, "partial");
		test_skb_free(skb);
	}
}

/* A tunnel's: the outer checksum is whole, the inner one is not. */
static void partial_inside(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_UDP);
	struct natty_endpoint to = test_v4(TEST_X, 40001);
	unsigned int len = test_packet_write(&p, before);
	struct sk_buff *skb = test_skb(test, before, len, TEST_LINEAR);
	struct natty_packet pkt;

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + 48;
	skb->csum_offset = 6;

	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &to));

	p.src = to;
	test_packet_write(&p, after);
	expect_bytes(test, skb, len, "partial inside");
	test_skb_free(skb);
}

static void partial_sctp(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_SCTP);
	struct natty_endpoint to = test_v4(TEST_X, 40001);
	unsigned int len = test_packet_write(&p, before);
	struct sk_buff *skb = test_skb(test, before, len, TEST_LINEAR);
	struct natty_packet pkt;

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + 20;
	skb->csum_offset = 8;
	memcpy(after + 1024, before + 28, 4);

	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &to));

	KUNIT_EXPECT_MEMEQ(test, skb->data + 28, after + 1024, 4);
	test_skb_free(skb);
}

/* A wrong checksum stays as wrong as it was. */
static void wrong_checksum(struct kunit *test)
{
	static const struct { u8 proto, off; } cases[] = {
		{ IPPROTO_TCP, 16 }, { IPPROTO_UDP, 6 }, { IPPROTO_SCTP, 8 },
		{ IPPROTO_DCCP, 6 },
	};
	struct natty_endpoint to = test_v4(TEST_X, 40001);
	struct natty_packet pkt;
	struct test_packet p;
	struct sk_buff *skb;
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p = test_packet_plain(NFPROTO_IPV4, cases[i].proto);
		len = test_packet_write(&p, before);
		before[20 + cases[i].off] ^= 0x55;
		skb = test_skb(test, before, len, TEST_LINEAR);
		natty_packet_parse(&pkt, skb, p.family);
		KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &to));
		p.src = to;
		test_packet_write(&p, after);
		KUNIT_EXPECT_NE(test, memcmp(skb->data, after, len), 0);
		to = test_v4(TEST_C1, 5000);
		KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &to));
		KUNIT_EXPECT_MEMEQ(test, skb->data, before, len);
		to = test_v4(TEST_X, 40001);
		test_skb_free(skb);
	}
}

/* A shared buffer is copied before it is written, and only then. */
static void others_keep_theirs(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_UDP);
	struct natty_endpoint to = test_v4(TEST_X, 40001);
	unsigned int len = test_packet_write(&p, before);
	struct sk_buff *skb = test_skb(test, before, len, TEST_CLONED);
	struct sk_buff *shared = *(struct sk_buff **)skb->cb;
	struct natty_packet pkt;

	natty_packet_parse(&pkt, skb, p.family);
	KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &p.src));
	KUNIT_EXPECT_PTR_EQ(test, skb->data, shared->data);
	KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &to));
	KUNIT_EXPECT_MEMEQ(test, shared->data, before, len);
	test_skb_free(skb);
}

/* Payload in pages stays there. */
static void payload_is_not_pulled(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_TCP);
	struct natty_endpoint to = test_v4(TEST_X, 40001);
	struct natty_packet pkt;
	struct sk_buff *skb;

	p.payload = 1400;
	skb = test_skb(test, before, test_packet_write(&p, before), TEST_HEADER);
	natty_packet_parse(&pkt, skb, p.family);
	KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, NATTY_MANIP_SRC, &to));
	KUNIT_EXPECT_EQ(test, skb_headlen(skb), 40);
	test_skb_free(skb);
}

/*
 * An ICMP error of a router on the way (as if from TEST_S1 + 1) whose quote
 * was cut to @quote_len bytes; compared with one about the packet as it was
 * before translation.
 */
static void check_error(struct kunit *test, const struct test_packet *quote,
			unsigned int quote_len, enum natty_manip side,
			enum test_layout layout, u8 state)
{
	struct test_packet error = test_packet_error(quote);
	struct natty_endpoint to, addr;
	struct test_packet want_quote = *quote, want;
	struct natty_packet pkt;
	struct sk_buff *skb;
	unsigned int len;

	error.src = moved(&error, NATTY_MANIP_SRC, TEST_S1 + 1, 0);
	error.quote_len = quote_len;
	to = moved(quote, other(side), TEST_X, 40001);
	want = error;
	want.quote = &want_quote;
	set_side(&want_quote, other(side), &to);
	addr = to;
	addr.port = 0;
	set_side(&want, side, &addr);

	len = test_packet_write(&error, before);
	skb = test_skb(test, before, len, layout);
	skb->ip_summed = state;
	if (state == CHECKSUM_COMPLETE)
		skb->csum = csum_partial(before, len, 0);
	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, error.family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, side, &to));

	test_packet_write(&want, after);
	expect_bytes(test, skb, len, "error");
	KUNIT_EXPECT_TRUE(test, followed(&pkt, side, &to));
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_EQ(test, (__force u16)csum_fold(skb->csum),
				(__force u16)csum_fold(skb_checksum(skb, 0, len, 0)));
	test_skb_free(skb);
}

static void errors(struct kunit *test)
{
	struct test_packet quote;
	enum test_layout layout;
	unsigned int i, extra;

	for (i = 0; i < 4 * TEST_PROTOS; i++) {
		bool v6 = i & 2;

		quote = test_packet_plain(v6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
					  v6 ? test_protos6[i / 4] :
					       test_protos4[i / 4]);
		quote.options = i % 3 * 8;
		/* All lengths from the shortest, odd ones too; 41 is whole. */
		for (extra = 8; extra < 42; extra++) {
			/* Half a checksum is nobody's and stays. */
			if ((quote.proto == IPPROTO_TCP && extra == 17) ||
			    (quote.proto == IPPROTO_SCTP && extra > 8 &&
			     extra < 12))
				continue;
			layout = extra % TEST_LAYOUTS;
			check_error(test, &quote,
				    test_packet_l4(&quote) + extra, i & 1,
				    layout, summed[extra % ARRAY_SIZE(summed)]);
		}
		check_error(test, &quote, 0, i & 1, TEST_LINEAR, CHECKSUM_NONE);
	}
}

/* A quoted checksum of 0 stays. */
static void error_about_udp_without_checksum(struct kunit *test)
{
	struct test_packet quote = test_packet_plain(NFPROTO_IPV4, IPPROTO_UDP);

	quote.no_check = true;
	check_error(test, &quote, 28, NATTY_MANIP_DST, TEST_LINEAR,
		    CHECKSUM_NONE);
	check_error(test, &quote, 0, NATTY_MANIP_DST, TEST_LINEAR,
		    CHECKSUM_NONE);
}

/* About an answer: the identifier is on the other side. */
static void error_about_echo_reply(struct kunit *test)
{
	struct test_packet quote = test_packet_plain(NFPROTO_IPV4, IPPROTO_ICMP);

	quote.type = 0;
	swap(quote.src.port, quote.dst.port);
	check_error(test, &quote, 28, NATTY_MANIP_SRC, TEST_LINEAR,
		    CHECKSUM_NONE);
	check_error(test, &quote, 28, NATTY_MANIP_DST, TEST_LINEAR,
		    CHECKSUM_NONE);
}

/* Any packet, both sides there and back, is what it was. */
static void there_and_back(struct kunit *test)
{
	struct natty_endpoint to, old;
	struct test_packet quote, p;
	struct natty_packet pkt;
	struct sk_buff *skb;
	u32 seed = 77, r;
	unsigned int i, len;

	for (i = 0; i < 4000; i++) {
		enum natty_manip side;

		r = test_random(&seed);
		quote = test_packet_plain(r & 1 ? NFPROTO_IPV4 : NFPROTO_IPV6,
					  r & 1 ?
					  test_protos4[(r >> 4) % TEST_PROTOS] :
					  test_protos6[(r >> 4) % TEST_PROTOS]);
		quote.payload = (r >> 8) % 1200;
		quote.options = (r >> 20) % 6 * 8;
		quote.seed = r;
		p = r & 2 ? test_packet_error(&quote) : quote;
		p.quote_len = r & 4 ? test_packet_l4(&quote) + 8 + (r >> 28) : 0;
		side = r >> 3 & 1;
		len = test_packet_write(&p, before);
		skb = test_skb(test, before, len, r % TEST_LAYOUTS);
		KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
				NATTY_DROP_NONE);
		old = side == NATTY_MANIP_SRC ? pkt.tuple.src : pkt.tuple.dst;
		to = moved(&quote, r & 2 ? other(side) : side,
			   test_random(&seed), test_random(&seed) | 1);

		KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, side, &to));
		KUNIT_EXPECT_TRUE(test, natty_rewrite(&pkt, side, &old));

		KUNIT_EXPECT_EQ(test, skb_copy_bits(skb, 0, after, len), 0);
		KUNIT_EXPECT_MEMEQ_MSG(test, before, after, len, "round %u", i);
		test_skb_free(skb);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_protocol),
	KUNIT_CASE(icmp_identifiers),
	KUNIT_CASE(udp_without_checksum),
	KUNIT_CASE(udp_checksum_ffff),
	KUNIT_CASE(partial),
	KUNIT_CASE(partial_inside),
	KUNIT_CASE(partial_sctp),
	KUNIT_CASE(wrong_checksum),
	KUNIT_CASE(others_keep_theirs),
	KUNIT_CASE(payload_is_not_pulled),
	KUNIT_CASE(errors),
	KUNIT_CASE(error_about_udp_without_checksum),
	KUNIT_CASE(error_about_echo_reply),
	KUNIT_CASE(there_and_back),
	{}
};

static struct kunit_suite suite = {
	.name = "natty_rewrite",
	.test_cases = cases,
};

kunit_test_suite(suite);
