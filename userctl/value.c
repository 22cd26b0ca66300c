// SPDX-License-Identifier: GPL-2.0
/* Single values of the configuration language, both ways. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userctl.h"
#include "value.h"

static const struct {
	const char *name;
	uint8_t number;
} protos[] = {
	{ "tcp", 6 }, { "udp", 17 }, { "icmp", 1 }, { "icmpv6", 58 },
	{ "sctp", 132 }, { "dccp", 33 }, { "udplite", 136 }, { "gre", 47 },
	{ "esp", 50 }, { "ah", 51 }, { "ipip", 4 }, { "ipv6", 41 },
	{ "igmp", 2 }, { "ospf", 89 }, { "pim", 103 }, { "vrrp", 112 },
	{ "l2tp", 115 },
};

static int digit(char c, unsigned int base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

const char *value_number(const char *text, uint32_t max, uint32_t *number)
{
	unsigned int base = 10;
	uint64_t sum = 0;

	/* Not strtoul(): it takes signs, blanks and octal numbers. */
	if (!strncmp(text, "0x", 2)) {
		base = 16;
		text += 2;
	}
	if (!*text)
		return "not a number";
	for (; *text; text++) {
		int d = digit(*text, base);

		if (d < 0)
			return "not a number";
		sum = sum * base + d;
		if (sum > UINT32_MAX)
			sum = UINT32_MAX + 1ULL;
	}
	if (sum > max)
		return "too large";
	*number = sum;
	return NULL;
}

/* Copy @len bytes of @text as a string. False if they do not fit. */
static bool cut(char *part, size_t size, const char *text, size_t len)
{
	if (len >= size)
		return false;
	memcpy(part, text, len);
	part[len] = '\0';
	return true;
}

static const char *single_port(const char *text, uint16_t lowest, uint16_t *port)
{
	uint32_t number;
	const char *c;

	for (c = text; *c; c++)
		if (digit(*c, 10) < 0)
			return "not a port number";
	if (!*text)
		return "a port number is missing";
	if (value_number(text, UINT16_MAX, &number))
		return "the highest port is 65535";
	if (number < lowest)
		return "the lowest port is 1";
	*port = number;
	return NULL;
}

const char *value_ports(const char *text, uint16_t lowest,
			struct port_range *ports)
{
	const char *dash = strchr(text, '-');
	char low[VALUE_TEXT];
	const char *why;

	if (!cut(low, sizeof(low), text,
		 dash ? (size_t)(dash - text) : strlen(text)))
		return "not a port number";
	why = single_port(low, lowest, &ports->min);
	if (why)
		return why;
	ports->max = ports->min;
	ports->base = 0;
	if (dash) {
		why = single_port(dash + 1, lowest, &ports->max);
		if (why)
			return why;
	}
	if (ports->min > ports->max)
		return "low end above high end";
	ports->set = true;
	return NULL;
}

const char *value_to_ports(const char *text, struct port_range *ports)
{
	const char *slash = strchr(text, '/');
	char range[VALUE_TEXT];
	uint16_t base = 0;
	const char *why;

	if (!cut(range, sizeof(range), text,
		 slash ? (size_t)(slash - text) : strlen(text)))
		return "not a port number";
	why = value_ports(range, 1, ports);
	if (!why && slash && ports->min == ports->max)
		why = "a base port needs a range, as in 7000-7003/6000";
	if (!why && slash)
		why = single_port(slash + 1, 1, &base);
	ports->base = base;
	return why;
}

const char *value_addr(const char *text, struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, addr->bytes) == 1)
		addr->len = 4;
	else if (inet_pton(AF_INET6, text, addr->bytes) == 1)
		addr->len = 16;
	else
		return "not an IPv4 or IPv6 address";
	return NULL;
}

/* Whether @addr has a bit set after the first @bits. */
static bool bits_beyond(const struct addr *addr, unsigned int bits)
{
	unsigned int i;

	for (i = bits; i < addr->len * 8U; i++)
		if (addr->bytes[i / 8] & (0x80 >> (i % 8)))
			return true;
	return false;
}

const char *value_prefix(const char *text, struct prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char addr[VALUE_TEXT];
	const char *why;
	uint32_t bits;

	if (!cut(addr, sizeof(addr), text,
		 slash ? (size_t)(slash - text) : strlen(text)))
		return "not an IPv4 or IPv6 address";
	why = value_addr(addr, &prefix->addr);
	if (why)
		return why;
	prefix->bits = prefix->addr.len * 8;
	if (!slash)
		return NULL;
	if (!strncmp(slash + 1, "0x", 2) ||
	    value_number(slash + 1, prefix->bits, &bits))
		return prefix->addr.len == 4 ?
			"the prefix length is a number from 0 to 32" :
			"the prefix length is a number from 0 to 128";
	if (bits_beyond(&prefix->addr, bits))
		return "has bits set beyond its prefix length";
	prefix->bits = bits;
	return NULL;
}

/* One end of a range, [@text, @text + @len), perhaps in brackets. */
static const char *range_end(const char *text, size_t len, struct addr *addr)
{
	bool bracket = len > 2 && text[0] == '[' && text[len - 1] == ']';
	char part[VALUE_TEXT];
	const char *why;

	if (bracket) {
		text++;
		len -= 2;
	}
	if (!cut(part, sizeof(part), text, len))
		return "not an IPv4 or IPv6 address";
	why = value_addr(part, addr);
	if (!why && bracket && addr->len == 4)
		return "only IPv6 addresses stand in brackets";
	return why;
}

const char *value_addr_range(const char *text, struct addr_range *range)
{
	const char *dash = strchr(text, '-');
	const char *why;

	why = range_end(text, dash ? (size_t)(dash - text) : strlen(text),
			&range->min);
	if (why)
		return why;
	range->max = range->min;
	if (!dash)
		return NULL;
	why = range_end(dash + 1, strlen(dash + 1), &range->max);
	if (why)
		return why;
	if (range->min.len != range->max.len)
		return "an IPv4 and an IPv6 address make no range";
	if (memcmp(range->min.bytes, range->max.bytes, range->min.len) > 0)
		return "low end above high end";
	return NULL;
}

/* The colon before the ports of @text, or NULL. */
static const char *port_colon(const char *text)
{
	const char *bracket = strrchr(text, ']');
	const char *colon = strchr(text, ':');

	if (bracket)
		return bracket[1] == ':' ? bracket + 1 : NULL;
	/* Two colons make an IPv6 address without a port. */
	return colon && !strchr(colon + 1, ':') ? colon : NULL;
}

const char *value_endpoints(const char *text, struct addr_range *range,
			    struct port_range *ports)
{
	const char *colon = port_colon(text);
	char addr[VALUE_TEXT];
	const char *why;

	if (!cut(addr, sizeof(addr), text,
		 colon ? (size_t)(colon - text) : strlen(text)))
		return "not an IPv4 or IPv6 address";
	why = value_addr_range(addr, range);
	if (why)
		return why;
	return colon ? value_to_ports(colon + 1, ports) : NULL;
}

const char *value_endpoint(const char *text, struct addr *addr,
			   uint16_t *port)
{
	struct port_range ports = { 0 };
	struct addr_range range;
	const char *why;

	why = value_endpoints(text, &range, &ports);
	if (why)
		return why;
	if (strchr(text, '-'))
		return "a single address and port is wanted, not a range";
	if (!ports.set)
		return range.min.len == 4 ?
			"a port is missing, as in 192.0.2.1:80" :
			"a port is missing, as in [2001:db8::1]:80";
	*addr = range.min;
	*port = ports.min;
	return NULL;
}

const char *value_proto(const char *text, uint8_t *proto)
{
	uint32_t number;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protos); i++) {
		if (!strcmp(protos[i].name, text)) {
			*proto = protos[i].number;
			return NULL;
		}
	}
	if (digit(*text, 10) < 0 || value_number(text, 255, &number))
		return "neither a protocol's name nor a number up to 255";
	*proto = number;
	return NULL;
}

const char *value_mark(const char *text, uint32_t *mark, uint32_t *mask)
{
	const char *slash = strchr(text, '/');
	char part[VALUE_TEXT];

	*mask = UINT32_MAX;
	if (!cut(part, sizeof(part), text,
		 slash ? (size_t)(slash - text) : strlen(text)) ||
	    value_number(part, UINT32_MAX, mark))
		return "the mark is a number of 32 bits, as in 0x10";
	if (slash && value_number(slash + 1, UINT32_MAX, mask))
		return "the mask is a number of 32 bits, as in 0x10/0xff";
	if (*mark & ~*mask)
		return "has bits set beyond its mask";
	return NULL;
}

const char *value_iface(const char *text, char name[IFACE_MAX + 1])
{
	const char *c;

	/* What the kernel refuses as an interface name. */
	if (!*text || !strcmp(text, ".") || !strcmp(text, "..") ||
	    strpbrk(text, "/:"))
		return "no interface can have this name";
	/* What would be no word, or another one, in a file. */
	for (c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return "no interface can have this name";
	if (*text == '#')
		return "a name that begins with # cannot be written";
	if (!cut(name, IFACE_MAX + 1, text, strlen(text)))
		return "an interface name has at most 15 bytes";
	return NULL;
}

const char *value_word(const char *text, char word[WORD_MAX + 1])
{
	if (!cut(word, WORD_MAX + 1, text, strlen(text)))
		return "longer than 31 bytes";
	return NULL;
}

char *text_number(char *text, uint64_t number)
{
	char digits[20];
	size_t i = 0;

	do {
		digits[i++] = '0' + number % 10;
		number /= 10;
	} while (number);
	while (i)
		*text++ = digits[--i];
	*text = '\0';
	return text;
}

char *text_addr(char text[VALUE_TEXT], const struct addr *addr)
{
	char *at = text;
	int i;

	if (addr->len == 4) {
		/* Four times as fast as inet_ntop(), and lists are long. */
		for (i = 0; i < 4; i++) {
			at = text_number(at, addr->bytes[i]);
			if (i < 3)
				*at++ = '.';
		}
		return text;
	}
	if (!inet_ntop(AF_INET6, addr->bytes, text, VALUE_TEXT))
		strcpy(text, "?");
	return text;
}

char *text_prefix(char text[VALUE_TEXT], const struct prefix *prefix)
{
	size_t len;

	text_addr(text, &prefix->addr);
	len = strlen(text);
	if (prefix->bits != prefix->addr.len * 8)
		snprintf(text + len, VALUE_TEXT - len, "/%u", prefix->bits);
	return text;
}

char *text_ports(char text[VALUE_TEXT], const struct port_range *ports)
{
	int len = snprintf(text, VALUE_TEXT, "%u", ports->min);

	if (ports->min != ports->max)
		len += snprintf(text + len, VALUE_TEXT - len, "-%u", ports->max);
	if (ports->base)
		snprintf(text + len, VALUE_TEXT - len, "/%u", ports->base);
	return text;
}

char *text_endpoints(char text[VALUE_TEXT], const struct addr_range *range,
		     const struct port_range *ports)
{
	bool bracket = range->min.len == 16 && ports->set;
	char addr[VALUE_TEXT], part[VALUE_TEXT];
	bool same = !memcmp(&range->min, &range->max, sizeof(range->min));
	int len;

	text_addr(addr, &range->min);
	len = snprintf(text, VALUE_TEXT, bracket ? "[%s]" : "%s", addr);
	if (!same) {
		text_addr(addr, &range->max);
		len += snprintf(text + len, VALUE_TEXT - len,
				bracket ? "-[%s]" : "-%s", addr);
	}
	if (ports->set)
		snprintf(text + len, VALUE_TEXT - len, ":%s",
			 text_ports(part, ports));
	return text;
}

char *text_addr_range(char text[VALUE_TEXT], const struct addr_range *range)
{
	return text_endpoints(text, range, &(struct port_range){ 0 });
}

char *text_endpoint(char text[VALUE_TEXT], const struct addr *addr,
		    uint16_t port)
{
	return text_endpoints(text, &(struct addr_range){ *addr, *addr },
			      &(struct port_range){ .set = true, .min = port,
						     .max = port });
}

char *text_proto(char text[VALUE_TEXT], uint8_t proto)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].number == proto)
			return strcpy(text, protos[i].name);
	snprintf(text, VALUE_TEXT, "%u", proto);
	return text;
}
