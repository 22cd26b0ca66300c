// SPDX-License-Identifier: GPL-2.0
/* Good packets, each with one thing wrong, and what is said about it. */
#include "fragment.h"
#include "test_packet.h"

/* A change to bytes; offsets count from the header that is named. */
enum place { L3, L4, QUOTE };

/**
 * struct malformed - what is done to a packet
 * @name: for messages
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: of the packet, or of what the ICMP error quotes
 * @error: is it such an error
 * @options: bytes of IP options or an IPv6 extension header
 * @place: which header is changed
 * @off: where
 * @n: how many bytes
 * @bytes: what they become
 * @cut: bytes to cut off the end
 * @fix: correct the checksum of the IPv4 header after it
 * @want: verdict
 */
struct malformed {
	const char *name;
	u8 family;
	u8 proto;
	bool error;
	u8 options;
	enum place place;
	u8 off;
	u8 n;
	u8 bytes[4];
	u16 cut;
	bool fix;
	enum natty_counter want;
};

#define V4(p)	.family = NFPROTO_IPV4, .proto = IPPROTO_##p
#define V6(p)	.family = NFPROTO_IPV6, .proto = IPPROTO_##p
#define SET1(where, at, a) \
	.place = where, .off = at, .n = 1, .bytes = { a }
#define SET2(where, at, a, b) \
	.place = where, .off = at, .n = 2, .bytes = { a, b }
#define REFUSED(reason)	.want = NATTY_DROP_##reason
#define PASSED		.want = NATTY_DROP_NONE

static const struct malformed table[] = {
	{ "version 5", V4(UDP), SET1(L3, 0, 0x55), REFUSED(IP_HEADER) },
	{ "header of 4 words", V4(UDP), SET1(L3, 0, 0x44), REFUSED(IP_HEADER) },
	{ "header of 0 words", V4(UDP), SET1(L3, 0, 0x40), REFUSED(IP_HEADER) },
	{ "header past the end", V4(GRE), SET1(L3, 0, 0x4f), .cut = 10,
	  REFUSED(IP_HEADER) },
	{ "total length in the header", V4(UDP), SET2(L3, 2, 0, 19),
	  REFUSED(IP_HEADER) },
	{ "total length past the end", V4(UDP), SET2(L3, 2, 1, 0),
	  REFUSED(IP_HEADER) },
	{ "total length 0", V4(UDP), SET2(L3, 2, 0, 0), REFUSED(IP_HEADER) },
	{ "total length 65535", V4(TCP), SET2(L3, 2, 255, 255),
	  REFUSED(IP_HEADER) },
	{ "evil bit", V4(UDP), SET2(L3, 6, 0x80, 0), PASSED },
	{ "evil and don't fragment", V4(UDP), SET2(L3, 6, 0xc0, 0), PASSED },
	{ "IP options", V4(TCP), .options = 40, PASSED },
	{ "first fragment", V4(UDP), SET2(L3, 6, 0x20, 0), REFUSED(FRAGMENT) },
	{ "later fragment", V4(UDP), SET2(L3, 6, 0, 5), REFUSED(FRAGMENT) },
	{ "TCP at offset 8", V4(TCP), SET2(L3, 6, 0, 1),
	  REFUSED(TINY_FRAGMENT) },
	{ "TCP at offset 16", V4(TCP), SET2(L3, 6, 0, 2), REFUSED(FRAGMENT) },
	{ "TCP data offset 4", V4(TCP), SET1(L4, 12, 0x40),
	  REFUSED(TRANSPORT_HEADER) },
	{ "TCP data offset 0", V4(TCP), SET1(L4, 12, 0),
	  REFUSED(TRANSPORT_HEADER) },
	{ "TCP data offset of 15 words", V4(TCP), SET1(L4, 12, 0xf0),
	  PASSED },
	{ "TCP option of length 0", V4(TCP), SET2(L4, 20, 8, 0), PASSED },
	{ "TCP option of length 1", V4(TCP), SET2(L4, 20, 8, 1), PASSED },
	{ "TCP option past the header", V4(TCP), SET2(L4, 20, 8, 40), PASSED },
	{ "TCP option unknown", V4(TCP), SET2(L4, 20, 200, 4), PASSED },
	{ "TCP options end, then more", V4(TCP), SET2(L4, 20, 0, 4), PASSED },
	{ "TCP without a flag", V4(TCP), SET1(L4, 13, 0), REFUSED(TCP_FLAGS) },
	{ "TCP with every flag", V4(TCP), SET1(L4, 13, 255),
	  REFUSED(TCP_FLAGS) },
	{ "SYN FIN", V4(TCP), SET1(L4, 13, 3), REFUSED(TCP_FLAGS) },
	{ "SYN RST", V4(TCP), SET1(L4, 13, 6), REFUSED(TCP_FLAGS) },
	{ "UDP length 7", V4(UDP), SET2(L4, 4, 0, 7),
	  REFUSED(TRANSPORT_HEADER) },
	{ "UDP length 0", V4(UDP), SET2(L4, 4, 0, 0),
	  REFUSED(TRANSPORT_HEADER) },
	{ "UDP length past the end", V4(UDP), SET2(L4, 4, 0, 49),
	  REFUSED(TRANSPORT_HEADER) },
	{ "UDP length short of the end", V4(UDP), SET2(L4, 4, 0, 8), PASSED },
	{ "UDP-Lite covers nothing", V4(UDPLITE), SET2(L4, 4, 0, 1),
	  REFUSED(TRANSPORT_HEADER) },
	{ "UDP-Lite covers all", V4(UDPLITE), SET2(L4, 4, 0, 0), PASSED },
	{ "UDP-Lite covers more", V4(UDPLITE), SET2(L4, 4, 0, 49),
	  REFUSED(TRANSPORT_HEADER) },
	{ "DCCP data offset 2", V4(DCCP), SET1(L4, 4, 2),
	  REFUSED(TRANSPORT_HEADER) },
	{ "DCCP data offset past the end", V4(DCCP), SET1(L4, 4, 14),
	  REFUSED(TRANSPORT_HEADER) },
	{ "DCCP covers more", V4(DCCP), SET2(L4, 4, 13, 2),
	  REFUSED(TRANSPORT_HEADER) },
	{ "ICMP checksum", V4(ICMP), SET1(L4, 8, 0xee), REFUSED(CHECKSUM) },
	{ "ICMP cut", V4(ICMP), .cut = 41, SET2(L3, 2, 0, 27), .fix = true,
	  REFUSED(TRANSPORT_HEADER) },
	{ "ICMPv6 in IPv4", V4(ICMPV6), PASSED },
	{ "quote: its checksum", V4(UDP), .error = true, SET1(QUOTE, 8, 99),
	  REFUSED(ICMP_QUOTE) },
	{ "quote: its version", V4(UDP), .error = true, SET1(QUOTE, 0, 0x65),
	  .fix = true, REFUSED(ICMP_QUOTE) },
	{ "quote: its header length", V4(UDP), .error = true,
	  SET1(QUOTE, 0, 0x44), .fix = true, REFUSED(ICMP_QUOTE) },
	{ "quote: later fragment", V4(UDP), .error = true,
	  SET2(QUOTE, 6, 0, 3), .fix = true, REFUSED(ICMP_QUOTE) },
	{ "quote: first fragment", V4(UDP), .error = true,
	  SET2(QUOTE, 6, 0x20, 0), .fix = true, PASSED },
	{ "quote: TTL 0", V4(UDP), .error = true, SET1(QUOTE, 8, 0),
	  .fix = true, PASSED },
	{ "quote: total length lies", V4(UDP), .error = true,
	  SET2(QUOTE, 2, 0xff, 0xff), .fix = true, PASSED },
	{ "quote: IP options", V4(UDP), .error = true, .options = 40, PASSED },
	{ "quote: transport checksum", V4(UDP), .error = true,
	  SET2(QUOTE, 26, 0, 1), PASSED },
	{ "quote: ICMP error", V4(ICMP), .error = true, SET1(QUOTE, 20, 3),
	  REFUSED(ICMP_QUOTE) },
	{ "IPv6 version", V6(UDP), SET1(L3, 0, 0x40), REFUSED(IP_HEADER) },
	{ "IPv6 length past the end", V6(UDP), SET2(L3, 4, 0, 49),
	  REFUSED(IP_HEADER) },
	{ "IPv6 length 0", V6(UDP), SET2(L3, 4, 0, 0),
	  REFUSED(TRANSPORT_HEADER) },
	{ "extension header past the end", V6(UDP), .options = 8,
	  SET1(L3, 41, 200), REFUSED(IP_HEADER) },
	{ "atomic fragment", V6(UDP), .options = 8, SET1(L3, 6, 44), PASSED },
	{ "routing header used up", V6(UDP), .options = 8, SET1(L3, 6, 43),
	  PASSED },
	{ "IPv6 UDP length past the end", V6(UDP), SET2(L4, 4, 0, 49),
	  REFUSED(TRANSPORT_HEADER) },
	{ "ICMPv6 checksum", V6(ICMPV6), SET1(L4, 8, 0xee), REFUSED(CHECKSUM) },
	{ "quote: IPv6 version", V6(UDP), .error = true, SET1(QUOTE, 0, 0x40),
	  REFUSED(ICMP_QUOTE) },
	{ "quote: extension header past the end", V6(UDP), .error = true,
	  .options = 8, SET1(QUOTE, 41, 200), REFUSED(ICMP_QUOTE) },
};

static unsigned int place_of(const struct malformed *m, unsigned int l4)
{
	switch (m->place) {
	case L4:
		return l4;
	case QUOTE:
		return l4 + 8;
	default:
		return 0;
	}
}

/* Let the checksum of an ICMP message hold again. */
static void fix_icmp(u8 *buf, unsigned int len, unsigned int l4, u8 family)
{
	u32 sum = 0;

	if (family == NFPROTO_IPV6)
		sum = test_sum(buf + 8, 32, len - l4 + IPPROTO_ICMPV6);
	buf[l4 + 2] = 0;
	buf[l4 + 3] = 0;
	sum = ~test_sum(buf + l4, len - l4, sum);
	buf[l4 + 2] = sum >> 8;
	buf[l4 + 3] = sum;
}

static void check(struct kunit *test, const struct malformed *m,
		  enum test_layout layout)
{
	struct test_packet quote = test_packet_plain(m->family, m->proto);
	struct test_packet p = quote;
	static u8 buf[TEST_PACKET_MAX];
	struct natty_packet pkt;
	unsigned int len, l4;
	struct sk_buff *skb;

	quote.options = m->options;
	p = m->error ? test_packet_error(&quote) : quote;
	len = test_packet_write(&p, buf) - m->cut;
	l4 = test_packet_l4(&p);
	memcpy(buf + place_of(m, l4) + m->off, m->bytes, m->n);
	if (m->fix)
		test_packet_fix(buf + place_of(m, l4));
	if (m->error)
		fix_icmp(buf, len, l4, m->family);

	skb = test_skb(test, buf, len, layout);
	KUNIT_EXPECT_EQ_MSG(test, natty_packet_parse(&pkt, skb, m->family),
			    m->want, "%s, layout %u", m->name, layout);
	test_skb_free(skb);
}

static void verdicts(struct kunit *test)
{
	enum test_layout layout;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		for (layout = 0; layout < TEST_LAYOUTS; layout++)
			check(test, &table[i], layout);
}

/* Its destination is not where it goes in the end. */
static void routing_header(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV6, IPPROTO_UDP);
	static u8 buf[TEST_PACKET_MAX];
	struct natty_packet pkt;
	struct sk_buff *skb;

	p.options = 24;
	skb = test_skb(test, buf, test_packet_write(&p, buf), TEST_LINEAR);
	skb->data[6] = 43;
	skb->data[43] = 1;
	KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
			NATTY_DROP_NONE);
	KUNIT_EXPECT_EQ(test, pkt.kind, NATTY_PACKET_OPAQUE);
	test_skb_free(skb);
}

/* A chain of @n empty headers before UDP. */
static void many_headers(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV6, IPPROTO_UDP);
	static u8 buf[TEST_PACKET_MAX];
	struct natty_packet pkt;
	struct sk_buff *skb;
	unsigned int n, i, len;

	for (n = 1; n < 12; n++) {
		p.options = 8 * n;
		len = test_packet_write(&p, buf);
		for (i = 0; i < n; i++) {
			memset(buf + 40 + 8 * i, 0, 8);
			buf[40 + 8 * i] = i == n - 1 ? IPPROTO_UDP : 60;
		}
		skb = test_skb(test, buf, len, TEST_HEADER);
		KUNIT_EXPECT_EQ(test, natty_packet_parse(&pkt, skb, p.family),
				n <= 8 ? NATTY_DROP_NONE : NATTY_DROP_IP_HEADER);
		test_skb_free(skb);
	}
}

static void check_tiny4(struct kunit *test, u8 proto, u16 frag, unsigned int len,
			enum natty_counter want)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV4, proto);
	static u8 buf[TEST_PACKET_MAX];
	struct sk_buff *skb;

	test_packet_write(&p, buf);
	buf[6] = frag >> 8;
	buf[7] = frag;
	skb = test_skb(test, buf, 20 + len, TEST_HEADER);
	KUNIT_EXPECT_EQ_MSG(test, natty_fragment_check(skb, p.family),
			    want, "protocol %u field %x length %u", proto, frag,
			    len);
	test_skb_free(skb);
}

/* RFC 1858, before reassembly hides them. */
static void tiny_fragments(struct kunit *test)
{
	check_tiny4(test, IPPROTO_TCP, 0x2000, 8, NATTY_DROP_TINY_FRAGMENT);
	check_tiny4(test, IPPROTO_TCP, 0x2000, 16, NATTY_DROP_NONE);
	check_tiny4(test, IPPROTO_TCP, 0x0001, 40, NATTY_DROP_TINY_FRAGMENT);
	check_tiny4(test, IPPROTO_TCP, 0x2001, 40, NATTY_DROP_TINY_FRAGMENT);
	check_tiny4(test, IPPROTO_TCP, 0x0002, 40, NATTY_DROP_NONE);
	check_tiny4(test, IPPROTO_TCP, 0x4000, 8, NATTY_DROP_NONE);
	check_tiny4(test, IPPROTO_UDP, 0x2000, 0, NATTY_DROP_TINY_FRAGMENT);
	check_tiny4(test, IPPROTO_UDP, 0x2000, 8, NATTY_DROP_NONE);
	check_tiny4(test, IPPROTO_UDP, 0x0001, 8, NATTY_DROP_NONE);
	check_tiny4(test, 253, 0x2000, 0, NATTY_DROP_NONE);
}

/* A first fragment holds all headers (RFC 7112). */
static void tiny_fragments6(struct kunit *test)
{
	struct test_packet p = test_packet_plain(NFPROTO_IPV6, IPPROTO_TCP);
	static u8 buf[TEST_PACKET_MAX];
	struct sk_buff *skb;
	unsigned int len;

	p.options = 8;
	test_packet_write(&p, buf);
	buf[6] = 44;
	buf[43] = 1;			/* more to come */
	for (len = 48; len < 70; len++) {
		skb = test_skb(test, buf, len, TEST_HEADER);
		KUNIT_EXPECT_EQ(test,
				natty_fragment_check(skb, p.family),
				len < 64 ? NATTY_DROP_TINY_FRAGMENT :
					   NATTY_DROP_NONE);
		test_skb_free(skb);
	}
	buf[40] = 60;			/* and another header, cut */
	skb = test_skb(test, buf, 52, TEST_LINEAR);
	KUNIT_EXPECT_EQ(test, natty_fragment_check(skb, p.family),
			NATTY_DROP_TINY_FRAGMENT);
	test_skb_free(skb);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(verdicts),
	KUNIT_CASE(routing_header),
	KUNIT_CASE(many_headers),
	KUNIT_CASE(tiny_fragments),
	KUNIT_CASE(tiny_fragments6),
	{}
};

static struct kunit_suite suite = {
	.name = "natty_malformed",
	.test_cases = cases,
};

kunit_test_suite(suite);
