// SPDX-License-Identifier: GPL-2.0
#include <linux/if_packet.h>
#include <linux/inet.h>

#include "test_packet.h"

/* Tests run one after the other. */
static u8 buf[TEST_PACKET_MAX];

/* Parse bytes; the packet is gone when this returns. */
static enum natty_counter parse(struct kunit *test, unsigned int len, u8 family,
				enum test_layout layout,
				struct natty_packet *pkt)
{
	struct sk_buff *skb = test_skb(test, buf, len, layout);
	enum natty_counter verdict;

	memset(pkt, 0, sizeof(*pkt));
	verdict = natty_packet_parse(pkt, skb, family);
	test_skb_free(skb);
	pkt->skb = NULL;
	return verdict;
}

static void expect_plain(struct kunit *test, const struct test_packet *p,
			 enum test_layout layout)
{
	struct natty_tuple want = {
		.src = p->src, .dst = p->dst,
		.family = p->family, .proto = p->proto,
	};
	struct natty_packet pkt;
	unsigned int len;

	len = test_packet_write(p, buf);
	KUNIT_EXPECT_EQ(test, parse(test, len, p->family, layout, &pkt),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_TRUE(test, natty_tuple_equal(&pkt.tuple, &want));
	KUNIT_EXPECT_EQ(test, pkt.kind, NATTY_PACKET_FLOW);
	KUNIT_EXPECT_EQ(test, pkt.len, len);
	KUNIT_EXPECT_EQ(test, pkt.l4, test_packet_l4(p));
}

static void every_protocol(struct kunit *test)
{
	enum test_layout layout;
	struct test_packet p;
	unsigned int i, options;

	for (layout = 0; layout < TEST_LAYOUTS; layout++) {
		for (options = 0; options <= 40; options += 8) {
			for (i = 0; i < TEST_PROTOS; i++) {
				p = test_packet_plain(NFPROTO_IPV4, test_protos4[i]);
				p.options = options;
				expect_plain(test, &p, layout);
				p = test_packet_plain(NFPROTO_IPV6, test_protos6[i]);
				p.options = options;
				expect_plain(test, &p, layout);
			}
		}
	}
}

static void tcp_fields(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_TCP);
	struct natty_packet pkt;
	unsigned int len;

	p.flags = 0x11;			/* FIN and ACK */
	len = test_packet_write(&p, buf);
	KUNIT_EXPECT_EQ(test, parse(test, len, p.family, TEST_LINEAR, &pkt),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_EQ(test, pkt.tcp_flags, 0x11);
	KUNIT_EXPECT_EQ(test, pkt.tcp_seq, 0x12340000);
	KUNIT_EXPECT_EQ(test, pkt.tcp_ack, 0x00004321);
	KUNIT_EXPECT_EQ(test, pkt.tcp_end, 0x12340000 + 40 + 1);
}

static void tcp_flag_sets(struct kunit *test)
{
	static const u8 good[] = {
		0x02, 0x22, 0x12, 0x04, 0x14, 0x11, 0x31, 0x10, 0x30,
	};
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_TCP);
	struct natty_packet pkt;
	unsigned int flags, len;
	bool valid;

	len = test_packet_write(&p, buf);
	for (flags = 0; flags < 256; flags++) {
		/* PSH, ECE and CWR make no difference. */
		valid = memchr(good, flags & 0x37, sizeof(good));
		buf[20 + 13] = flags;
		KUNIT_EXPECT_EQ(test, parse(test, len, p.family,
					    TEST_LINEAR, &pkt),
				valid ? NATTY_DROP_NONE : NATTY_DROP_TCP_FLAGS);
	}
}

static void icmp_queries(struct kunit *test)
{
	static const struct {
		u8 family, type;
		enum natty_packet_kind kind;
	} cases[] = {
		{ NFPROTO_IPV4, 8, NATTY_PACKET_FLOW },
		{ NFPROTO_IPV4, 13, NATTY_PACKET_FLOW },
		{ NFPROTO_IPV4, 15, NATTY_PACKET_FLOW },
		{ NFPROTO_IPV4, 17, NATTY_PACKET_FLOW },
		{ NFPROTO_IPV4, 0, NATTY_PACKET_ANSWER },
		{ NFPROTO_IPV4, 14, NATTY_PACKET_ANSWER },
		{ NFPROTO_IPV4, 16, NATTY_PACKET_ANSWER },
		{ NFPROTO_IPV4, 18, NATTY_PACKET_ANSWER },
		{ NFPROTO_IPV4, 9, NATTY_PACKET_OPAQUE },
		{ NFPROTO_IPV4, 40, NATTY_PACKET_OPAQUE },
		{ NFPROTO_IPV6, 128, NATTY_PACKET_FLOW },
		{ NFPROTO_IPV6, 129, NATTY_PACKET_ANSWER },
		{ NFPROTO_IPV6, 100, NATTY_PACKET_OPAQUE },
		{ NFPROTO_IPV6, 139, NATTY_PACKET_OPAQUE },
		/* Routed, so not of this link. */
		{ NFPROTO_IPV6, 135, NATTY_PACKET_OPAQUE },
		{ NFPROTO_IPV6, 131, NATTY_PACKET_OPAQUE },
	};
	struct natty_packet pkt;
	struct test_packet p;
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bool flow = cases[i].kind == NATTY_PACKET_FLOW;
		bool answer = cases[i].kind == NATTY_PACKET_ANSWER;

		p = test_packet_plain(cases[i].family,
				      test_packet_icmp(cases[i].family));
		p.type = cases[i].type;
		len = test_packet_write(&p, buf);
		KUNIT_EXPECT_EQ(test, parse(test, len, p.family,
					    TEST_LINEAR, &pkt),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_EQ_MSG(test, pkt.kind, cases[i].kind, "type %u",
				    cases[i].type);
		KUNIT_EXPECT_EQ(test, pkt.obsolete,
				cases[i].type >= 15 && cases[i].type <= 18);
		KUNIT_EXPECT_EQ(test, ntohs(pkt.tuple.src.port), flow ? 77 : 0);
		KUNIT_EXPECT_EQ(test, ntohs(pkt.tuple.dst.port), answer ? 77 : 0);
	}
}

static bool same(const struct test_packet *p, const struct natty_endpoint *a,
		 const struct natty_endpoint *b)
{
	return natty_endpoint_equal(p->family, a, b);
}

/* The quote is cut to its headers and 8 bytes, the least there can be. */
static void icmp_errors(struct kunit *test)
{
	static const u8 types4[] = { 3, 4, 5, 11, 12 };
	enum test_layout layout;
	struct test_packet quote, p;
	struct natty_packet pkt;
	unsigned int i, len, v6;

	for (i = 0; i < 2 * TEST_PROTOS; i++) {
		v6 = i & 1;
		if (v6)
			quote = test_packet_plain(NFPROTO_IPV6, test_protos6[i / 2]);
		else
			quote = test_packet_plain(NFPROTO_IPV4, test_protos4[i / 2]);
		quote.options = i & 2 ? 16 : 0;
		p = test_packet_error(&quote);
		p.type = v6 ? 1 + i / 2 % 4 : types4[i / 2 % 5];
		p.quote_len = test_packet_l4(&quote) +
			      (natty_proto_has_ports(quote.proto) ? 8 : 0);
		for (layout = 0; layout < TEST_LAYOUTS; layout++) {
			len = test_packet_write(&p, buf);
			KUNIT_EXPECT_EQ(test, parse(test, len, p.family,
						    layout, &pkt),
					NATTY_DROP_NONE);
			KUNIT_EXPECT_EQ(test, pkt.kind, NATTY_PACKET_ERROR);
			KUNIT_EXPECT_EQ(test, pkt.tuple.proto, quote.proto);
			KUNIT_EXPECT_TRUE(test, same(&p, &pkt.tuple.src, &quote.dst));
			KUNIT_EXPECT_TRUE(test, same(&p, &pkt.tuple.dst, &quote.src));
		}
		if (!natty_proto_has_ports(quote.proto))
			continue;
		p.quote_len--;
		len = test_packet_write(&p, buf);
		KUNIT_EXPECT_EQ(test, parse(test, len, p.family,
					    TEST_LINEAR, &pkt),
				NATTY_DROP_ICMP_QUOTE);
	}
}

static void local_addresses4(struct kunit *test)
{
	static const struct {
		u32 src, dst;
		enum natty_packet_kind kind;
	} cases[] = {
		{ 0, 0xffffffff, NATTY_PACKET_LOCAL },	/* DHCP */
		{ TEST_C1, 0xffffffff, NATTY_PACKET_LOCAL },
		{ TEST_C1, 0xe00000fb, NATTY_PACKET_LOCAL },
		{ TEST_C1, 0xef010203, NATTY_PACKET_LOCAL },
		{ TEST_C1, 0, NATTY_PACKET_LOCAL },
		{ 0, TEST_C1, NATTY_PACKET_LOCAL },
		{ 0x7f000001, TEST_C1, NATTY_PACKET_LOCAL },
		{ TEST_C1, 0x7f000001, NATTY_PACKET_LOCAL },
		{ TEST_C1, 0xa9fea9fe, NATTY_PACKET_FLOW },	/* link-local */
		{ TEST_C1, 0xf0000001, NATTY_PACKET_FLOW },
		{ 0x01000001, 0xdfffffff, NATTY_PACKET_FLOW },
		{ TEST_C1, 0x80000001, NATTY_PACKET_FLOW },
	};
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_UDP);
	struct natty_packet pkt;
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p.src = test_v4(cases[i].src, 68);
		p.dst = test_v4(cases[i].dst, 67);
		len = test_packet_write(&p, buf);
		KUNIT_EXPECT_EQ(test, parse(test, len, p.family,
					    TEST_LINEAR, &pkt),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_EQ_MSG(test, pkt.kind, cases[i].kind, "case %u", i);
	}
}

static void local_addresses6(struct kunit *test)
{
	static const struct {
		const char *src, *dst;
		enum natty_packet_kind kind;
	} cases[] = {
		{ "2001:db8::1", "ff02::1", NATTY_PACKET_LOCAL },
		{ "2001:db8::1", "ff0e::1", NATTY_PACKET_LOCAL },
		{ "2001:db8::1", "fe80::1", NATTY_PACKET_LOCAL },
		{ "2001:db8::1", "febf::1", NATTY_PACKET_LOCAL },
		{ "::", "2001:db8::1", NATTY_PACKET_LOCAL },
		{ "::1", "2001:db8::1", NATTY_PACKET_LOCAL },
		{ "2001:db8::1", "::1", NATTY_PACKET_LOCAL },
		{ "2001:db8::1", "fec0::1", NATTY_PACKET_FLOW },
		{ "2001:db8::1", "fd00::1", NATTY_PACKET_FLOW },
		{ "::2", "::1:2", NATTY_PACKET_FLOW },
	};
	struct test_packet p = test_packet_plain(NFPROTO_IPV6, IPPROTO_UDP);
	struct natty_packet pkt;
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		in6_pton(cases[i].src, -1, (u8 *)&p.src.addr, -1, NULL);
		in6_pton(cases[i].dst, -1, (u8 *)&p.dst.addr, -1, NULL);
		len = test_packet_write(&p, buf);
		KUNIT_EXPECT_EQ(test, parse(test, len, p.family,
					    TEST_LINEAR, &pkt),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_EQ_MSG(test, pkt.kind, cases[i].kind, "case %u", i);
	}
}

/* What this host sends to itself may be redirected. */
static void loopback_of_this_host(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_UDP);
	struct natty_packet pkt;
	struct sk_buff *skb;
	unsigned int len;

	p.dst = test_v4(0x7f000001, 53);
	len = test_packet_write(&p, buf);
	skb = test_skb(test, buf, len, TEST_LINEAR);
	skb->skb_iif = 0;
	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_EQ(test, pkt.kind, NATTY_PACKET_FLOW);
	skb->skb_iif = LOOPBACK_IFINDEX;
	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_EQ(test, pkt.kind, NATTY_PACKET_FLOW);
	test_skb_free(skb);
}

static void link_messages(struct kunit *test)
{
	static const struct {
		u8 family, proto, type, hops;
	} cases[] = {
		{ NFPROTO_IPV6, IPPROTO_ICMPV6, 133, 255 },
		{ NFPROTO_IPV6, IPPROTO_ICMPV6, 135, 255 },
		{ NFPROTO_IPV6, IPPROTO_ICMPV6, 137, 255 },
		{ NFPROTO_IPV6, IPPROTO_ICMPV6, 130, 1 },
		{ NFPROTO_IPV6, IPPROTO_ICMPV6, 143, 1 },
		{ NFPROTO_IPV4, IPPROTO_IGMP, 0x16, 1 },
	};
	struct natty_packet pkt;
	struct test_packet p;
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p = test_packet_plain(cases[i].family, cases[i].proto);
		p.type = cases[i].type;
		len = test_packet_write(&p, buf);
		if (p.family == NFPROTO_IPV4) {
			buf[8] = cases[i].hops;
			test_packet_fix(buf);
		} else {
			buf[7] = cases[i].hops;
		}
		KUNIT_EXPECT_EQ(test, parse(test, len, p.family,
					    TEST_LINEAR, &pkt),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_EQ_MSG(test, pkt.kind, NATTY_PACKET_LOCAL,
				    "case %u", i);
	}
}

static void l2_broadcast(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, IPPROTO_UDP);
	struct natty_packet pkt;
	struct sk_buff *skb;

	skb = test_skb(test, buf, test_packet_write(&p, buf), TEST_LINEAR);
	skb->pkt_type = PACKET_BROADCAST;
	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_EQ(test, pkt.kind, NATTY_PACKET_LOCAL);
	test_skb_free(skb);
}

/*
 * Packets that the stack has merged. The largest have no room for their
 * length in the header.
 */
static void merged(struct kunit *test)
{
	static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	struct natty_packet pkt;
	struct test_packet p;
	struct sk_buff *skb;
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		p = test_packet_plain(families[i], IPPROTO_TCP);
		len = test_packet_write(&p, buf);
		memset(buf + (i ? 4 : 2), 0, 2);
		skb = test_skb(test, buf, len, TEST_LINEAR);
		KUNIT_EXPECT_NE(test, natty_packet_parse(&pkt, skb, p.family),
				NATTY_DROP_NONE);
		skb_shinfo(skb)->gso_size = 20;
		skb_shinfo(skb)->gso_type = i ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
		KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
				NATTY_DROP_NONE);
		KUNIT_EXPECT_EQ(test, pkt.tcp_end, 0x12340000 + 40);
		test_skb_free(skb);

		p = test_packet_plain(families[i], IPPROTO_UDP);
		len = test_packet_write(&p, buf);
		memset(buf + test_packet_l4(&p) + 4, 0, 2);
		skb = test_skb(test, buf, len, TEST_LINEAR);
		KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
				NATTY_DROP_TRANSPORT_HEADER);
		skb_shinfo(skb)->gso_size = 20;
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
		KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
				NATTY_DROP_NONE);
		test_skb_free(skb);
	}
}

/* Nothing is read beyond any end, wherever the packet is cut. */
static void cut_everywhere(struct kunit *test)
{
	struct test_packet quote, p;
	struct natty_packet pkt;
	enum test_layout layout;
	unsigned int i, cut, len, want;

	for (i = 0; i < TEST_PROTOS; i++) {
		quote = test_packet_plain(NFPROTO_IPV4, test_protos4[i]);
		p = test_packet_error(&quote);
		len = test_packet_write(i & 1 ? &p : &quote, buf);
		for (cut = 0; cut < len; cut++) {
			layout = cut % TEST_LAYOUTS;
			KUNIT_EXPECT_EQ(test, parse(test, cut,
						    NFPROTO_IPV4, layout, &pkt),
					NATTY_DROP_IP_HEADER);
		}
		/* The same with a total length that admits it. */
		if (i & 1 || natty_proto_is_icmp(quote.proto))
			continue;
		want = natty_packet_min_header(quote.proto);
		if (quote.proto == IPPROTO_TCP)
			want = 24;
		if (quote.proto == IPPROTO_UDP)
			want = len - 20;
		for (cut = 20; cut < len; cut++) {
			buf[2] = cut >> 8;
			buf[3] = cut;
			test_packet_fix(buf);
			KUNIT_EXPECT_EQ(test, parse(test, cut,
						    NFPROTO_IPV4,
						    cut % TEST_LAYOUTS, &pkt),
					cut < 20 + want ?
					NATTY_DROP_TRANSPORT_HEADER :
					NATTY_DROP_NONE);
		}
	}
}

/* Random damage to good packets: any verdict, but never out of bounds. */
static void random_damage(struct kunit *test)
{
	u32 seed = 20260101, state;
	struct test_packet quote, p;
	struct natty_packet pkt;
	unsigned int i, n, len;
	u8 family;

	for (i = 0; i < 20000; i++) {
		state = test_random(&seed);
		family = state & 1 ? NFPROTO_IPV4 : NFPROTO_IPV6;
		n = (state >> 1) % TEST_PROTOS;
		quote = test_packet_plain(family, state & 1 ? test_protos4[n] : test_protos6[n]);
		quote.options = (state >> 8) % 5 * 8;
		p = test_packet_error(&quote);
		len = test_packet_write(state & 0x10000 ? &p : &quote, buf);
		for (n = (state >> 20) % 6; n; n--)
			buf[test_random(&seed) % min(len, 110u)] = test_random(&seed);
		if (state & 0x20000000)
			len -= test_random(&seed) % len;
		if (family == NFPROTO_IPV4 && state & 0x40000000 && len >= 60)
			test_packet_fix(buf);
		parse(test, len, family, state % TEST_LAYOUTS, &pkt);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_protocol),
	KUNIT_CASE(tcp_fields),
	KUNIT_CASE(tcp_flag_sets),
	KUNIT_CASE(icmp_queries),
	KUNIT_CASE(icmp_errors),
	KUNIT_CASE(local_addresses4),
	KUNIT_CASE(local_addresses6),
	KUNIT_CASE(loopback_of_this_host),
	KUNIT_CASE(link_messages),
	KUNIT_CASE(l2_broadcast),
	KUNIT_CASE(merged),
	KUNIT_CASE(cut_everywhere),
	KUNIT_CASE(random_damage),
	{}
};

static struct kunit_suite suite = {
	.name = "natty_packet",
	.test_cases = cases,
};

kunit_test_suite(suite);
