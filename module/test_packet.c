// SPDX-License-Identifier: GPL-2.0
/* Packets for unit tests. */
#include <linux/mm.h>

#include "test_packet.h"

const u8 test_protos4[TEST_PROTOS] = {
	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_DCCP,
	IPPROTO_ICMP, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_AH, 253,
};

const u8 test_protos6[TEST_PROTOS] = {
	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_DCCP,
	IPPROTO_ICMPV6, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_AH, 59,
};

struct natty_endpoint test_v4(u32 addr, u16 port)
{
	struct natty_endpoint ep = {};

	ep.addr.ip = htonl(addr);
	ep.port = htons(port);
	return ep;
}

struct natty_endpoint test_v6(u32 last, u16 port)
{
	struct natty_endpoint ep = {};

	ep.addr.ip6[0] = htonl(0x20010db8);
	ep.addr.ip6[3] = htonl(last);
	ep.port = htons(port);
	return ep;
}

struct test_packet test_packet_plain(u8 family, u8 proto)
{
	struct test_packet p = {
		.family = family,
		.proto = proto,
		.payload = 40,
		.seed = proto,
	};
	bool v4 = family == NFPROTO_IPV4;
	u16 sport = 5000, dport = 80;

	if (natty_proto_is_icmp(proto)) {
		sport = 77;
		dport = 0;
		p.type = proto == IPPROTO_ICMP ? 8 : 128;
	} else if (!natty_proto_has_ports(proto)) {
		sport = 0;
		dport = 0;
	}
	p.src = v4 ? test_v4(TEST_C1, sport) : test_v6(TEST_C1, sport);
	p.dst = v4 ? test_v4(TEST_S1, dport) : test_v6(TEST_S1, dport);
	return p;
}

struct test_packet test_packet_error(const struct test_packet *quote)
{
	struct test_packet p = {
		.family = quote->family,
		.proto = test_packet_icmp(quote->family),
		.type = quote->family == NFPROTO_IPV4 ? 3 : 1,
		.src = quote->dst,
		.dst = quote->src,
		.quote = quote,
	};

	p.src.port = 0;
	p.dst.port = 0;
	return p;
}

u16 test_sum(const u8 *data, unsigned int len, u32 sum)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(u8 *p, u16 value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static u32 crc_bitwise(const u8 *data, unsigned int len)
{
	u32 crc = ~0;
	unsigned int i, bit;

	for (i = 0; i < len; i++) {
		crc ^= data[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void put_crc(u8 *p, u32 crc)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		p[i] = crc >> 8 * i;
}

static unsigned int header_len(const struct test_packet *p)
{
	switch (p->proto) {
	case IPPROTO_TCP:
		return 24;		/* with an option of four bytes */
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return 12;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 8;
	default:
		return 0;
	}
}

unsigned int test_packet_l4(const struct test_packet *p)
{
	return (p->family == NFPROTO_IPV4 ? 20 : 40) + p->options;
}

void test_packet_fix(u8 *ip)
{
	put16(ip + 10, 0);
	put16(ip + 10, ~test_sum(ip, (ip[0] & 15) * 4, 0));
}

static void write_ports(const struct test_packet *p, u8 *l4)
{
	memcpy(l4, &p->src.port, 2);
	memcpy(l4 + 2, &p->dst.port, 2);
}

/* Everything but checksums. */
static void write_l4(const struct test_packet *p, u8 *l4, unsigned int len)
{
	switch (p->proto) {
	case IPPROTO_TCP:
		write_ports(p, l4);
		put16(l4 + 4, 0x1234);
		put16(l4 + 10, 0x4321);
		l4[12] = 6 << 4;
		l4[13] = p->flags ? p->flags : 0x10;
		put16(l4 + 14, 501);
		put16(l4 + 20, 0x0204);
		put16(l4 + 22, 1460);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		write_ports(p, l4);
		put16(l4 + 4, p->proto == IPPROTO_UDP ? len : 8);
		break;
	case IPPROTO_DCCP:
		write_ports(p, l4);
		l4[4] = 3;
		l4[8] = 2 << 1;
		break;
	case IPPROTO_SCTP:
		write_ports(p, l4);
		put16(l4 + 4, 0xabcd);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		l4[0] = p->type;
		l4[1] = p->quote ? 1 : 0;
		if (!p->quote) {
			memcpy(l4 + 4, p->src.port ? &p->src.port : &p->dst.port, 2);
			put16(l4 + 6, 7);
		}
		break;
	}
}

static u32 pseudo_sum(const struct test_packet *p, unsigned int len)
{
	unsigned int size = p->family == NFPROTO_IPV4 ? 4 : 16;
	u32 sum = len + p->proto;

	if (p->proto == IPPROTO_ICMP)
		return 0;
	sum += test_sum((const u8 *)&p->src.addr, size, 0);
	return sum + test_sum((const u8 *)&p->dst.addr, size, 0);
}

static void write_check(const struct test_packet *p, u8 *l4, unsigned int len)
{
	unsigned int covered = len;
	u8 *check = l4 + 6;
	u16 sum;

	switch (p->proto) {
	case IPPROTO_SCTP:
		put_crc(l4 + 8, crc_bitwise(l4, len));
		return;
	case IPPROTO_TCP:
		check = l4 + 16;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		check = l4 + 2;
		break;
	case IPPROTO_UDPLITE:
		covered = 8;
		break;
	case IPPROTO_UDP:
		if (p->no_check)
			return;
		break;
	case IPPROTO_DCCP:
		break;
	default:
		return;
	}
	sum = ~test_sum(l4, covered, pseudo_sum(p, len));
	if (!sum && (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE))
		sum = 0xffff;
	put16(check, sum);
}

static void write_l3(const struct test_packet *p, u8 *buf, unsigned int total)
{
	unsigned int i;

	if (p->family == NFPROTO_IPV4) {
		buf[0] = 4 << 4 | (20 + p->options) / 4;
		buf[1] = 0x2d;			/* TOS and ECN */
		put16(buf + 2, total);
		put16(buf + 4, 0xbeef);
		put16(buf + 6, 0x4000);
		buf[8] = 61;
		buf[9] = p->proto;
		memcpy(buf + 12, &p->src.addr.ip, 4);
		memcpy(buf + 16, &p->dst.addr.ip, 4);
		for (i = 0; i < p->options; i++)
			buf[20 + i] = 1;	/* no operation */
		test_packet_fix(buf);
		return;
	}
	put16(buf, 0x62d1);
	put16(buf + 4, total - 40);
	buf[6] = p->options ? 60 : p->proto;
	buf[7] = 61;
	memcpy(buf + 8, &p->src.addr, 16);
	memcpy(buf + 24, &p->dst.addr, 16);
	if (p->options) {
		buf[40] = p->proto;
		buf[41] = p->options / 8 - 1;	/* full of padding, which is 0 */
	}
}

/* Into zeroed memory. */
static unsigned int write_packet(const struct test_packet *p, u8 *buf)
{
	unsigned int l4 = test_packet_l4(p), data = l4 + header_len(p);
	unsigned int i, len = data + p->payload, whole;
	u32 seed = p->seed + 1;

	for (i = data; i < len; i++)
		buf[i] = test_random(&seed);
	if (p->quote) {
		whole = write_packet(p->quote, buf + data);
		len = data + (p->quote_len ? min(p->quote_len, whole) : whole);
		memset(buf + len, 0, data + whole - len);
	}
	write_l3(p, buf, len);
	write_l4(p, buf + l4, len - l4);
	write_check(p, buf + l4, len - l4);
	return len;
}

unsigned int test_packet_write(const struct test_packet *p, u8 *buf)
{
	memset(buf, 0, TEST_PACKET_MAX);
	return write_packet(p, buf);
}

static bool put_in_page(struct sk_buff *skb, const u8 *data, unsigned int len)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return false;
	memcpy(page_address(page), data, len);
	skb_add_rx_frag(skb, 0, page, 0, len, PAGE_SIZE);
	return true;
}

struct sk_buff *test_skb(struct kunit *test, const u8 *buf, unsigned int len,
			 enum test_layout layout)
{
	unsigned int linear = len;
	struct sk_buff *skb, *clone;

	if (layout == TEST_PAGED)
		linear = 0;
	if (layout == TEST_HEADER)
		linear = min(len, 20u);
	skb = alloc_skb(NET_SKB_PAD + linear, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, NET_SKB_PAD);
	skb_put_data(skb, buf, linear);
	if (linear < len)
		KUNIT_ASSERT_TRUE(test, put_in_page(skb, buf + linear,
						    len - linear));
	skb_reset_network_header(skb);
	skb->skb_iif = LOOPBACK_IFINDEX + 1;
	*(struct sk_buff **)skb->cb = NULL;
	if (layout != TEST_CLONED)
		return skb;
	clone = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);
	*(struct sk_buff **)clone->cb = skb;
	return clone;
}

void test_skb_free(struct sk_buff *skb)
{
	kfree_skb(*(struct sk_buff **)skb->cb);
	kfree_skb(skb);
}
