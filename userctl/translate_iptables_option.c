// SPDX-License-Identifier: GPL-2.0
/* What the options of iptables' modules and targets mean. */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "translate_iptables.h"
#include "value.h"

static struct arena *arena_of(const struct ipt_line *line)
{
	return &line->reader->translation->arena;
}

/* One more condition, which the line inverts perhaps. */
static const char *and_box(struct ipt_line *line, const struct box *box)
{
	return boxes_and(arena_of(line), &line->boxes, box, 1) ? NULL :
		"there are too many combinations";
}

static struct box any_box(void)
{
	return (struct box){ .families = FAMILY_BOTH };
}

/* ADDR[/BITS|/MASK] */
static const char *addr_span(const char *text, struct span *span, uint8_t *len)
{
	const char *slash = strchr(text, '/');
	char part[VALUE_TEXT];
	struct addr addr, mask;
	uint32_t bits = 0;
	const char *why;

	snprintf(part, sizeof(part), "%s", text);
	part[strcspn(part, "/")] = '\0';
	why = value_addr(part, &addr);
	if (why)
		return why;
	*len = addr.len;
	if (!slash) {
		bits = addr.len * 8;
	} else if (!value_addr(slash + 1, &mask) && mask.len == addr.len) {
		while (bits < mask.len * 8U &&
		       mask.bytes[bits / 8] & 0x80 >> bits % 8)
			bits++;
		*span = span_of_prefix(num_of_addr(&mask), bits, mask.len * 8);
		if (num_cmp(span->min, num_of_addr(&mask)))
			return "the mask makes no network";
	} else if (value_number(slash + 1, addr.len * 8, &bits)) {
		return "neither a prefix length nor a mask";
	}
	*span = span_of_prefix(num_of_addr(&addr), bits, addr.len * 8);
	return NULL;
}

static const char *and_addrs(struct ipt_line *line, struct set set,
			     uint8_t len, unsigned int side)
{
	struct box box = any_box();

	box.families = len == 4 ? FAMILY_4 : FAMILY_6;
	if (box.families != line->families)
		return "the address is not of the family of the table";
	box.addr[side] = line->invert ? set_not(arena_of(line), set, len * 8) :
					set;
	if (set_is_empty(box.addr[side]))
		return boxes_and(arena_of(line), &line->boxes, NULL, 0), NULL;
	return and_box(line, &box);
}

static const char *take_addr(struct ipt_line *line, char *value,
			     unsigned int side)
{
	struct set set = { .some = true };
	uint8_t len = 0, first = 0;
	struct span span;
	const char *why;
	char *next;

	for (; value; value = next) {
		next = strchr(value, ',');
		if (next)
			*next++ = '\0';
		why = addr_span(value, &span, &len);
		if (!why && first && first != len)
			why = "the addresses are of two families";
		if (why)
			return why;
		first = len;
		set = set_or(arena_of(line), set,
			     set_of_span(arena_of(line), span));
	}
	return and_addrs(line, set, len, side);
}

static const char *take_range(struct ipt_line *line, char *value,
			      unsigned int side)
{
	struct addr_range range;
	const char *why = value_addr_range(value, &range);
	struct span span;

	if (why)
		return why;
	span.min = num_of_addr(&range.min);
	span.max = num_of_addr(&range.max);
	return and_addrs(line, set_of_span(arena_of(line), span),
			 range.min.len, side);
}

static const char *take_iface(struct ipt_line *line, char *value,
			      unsigned int side)
{
	struct box box = any_box();
	const char *why;
	char name[IFACE_MAX + 1];

	why = value_iface(value, name);
	if (why)
		return why;
	if (!box_and_name(arena_of(line), &box, side, value, line->invert))
		return boxes_and(arena_of(line), &line->boxes, NULL, 0), NULL;
	return and_box(line, &box);
}

/* The name or number of a protocol, as iptables knows it. */
static const char *proto_number(const char *text, uint8_t *proto)
{
	const struct protoent *entry;

	if (!value_proto(text, proto))
		return NULL;
	if (!strcmp(text, "ipv6-icmp") || !strcmp(text, "icmp6")) {
		*proto = 58;
		return NULL;
	}
	entry = getprotobyname(text);
	if (!entry || entry->p_proto > 255)
		return "no protocol that is known here";
	*proto = entry->p_proto;
	return NULL;
}

static const char *take_proto(struct ipt_line *line, char *value,
			      unsigned int which)
{
	struct box box = any_box();
	const char *why;
	uint8_t proto;
	struct set set;

	(void)which;
	if (!strcmp(value, "all") || !strcmp(value, "0")) {
		if (line->invert)
			boxes_and(arena_of(line), &line->boxes, NULL, 0);
		return NULL;
	}
	why = proto_number(value, &proto);
	if (why)
		return why;
	set = set_of_span(arena_of(line),
			  (struct span){ num_of(proto), num_of(proto) });
	box.proto = line->invert ? set_not(arena_of(line), set, 8) : set;
	line->module = value;
	return and_box(line, &box);
}

/* A[:B], where either may be missing. */
static const char *port_span(char *text, struct span *span)
{
	struct port_range min = { .min = 0 }, max = { .min = UINT16_MAX };
	char *colon = strchr(text, ':');
	const char *why = NULL;

	if (colon)
		*colon = '\0';
	if (!colon || *text)
		why = strchr(text, '-') ? "not a port number" :
		      value_ports(text, 0, &min);
	if (!why && !colon)
		max = min;
	else if (!why && colon[1])
		why = strchr(colon + 1, '-') ? "not a port number" :
		      value_ports(colon + 1, 0, &max);
	if (colon)
		*colon = ':';
	if (!why && min.min > max.min)
		why = "low end above high end";
	span->min = num_of(min.min);
	span->max = num_of(max.min);
	return why;
}

static const char *get_ports(struct ipt_line *line, char *value,
			     struct set *set)
{
	const char *why = NULL;
	struct span span;
	char *next;

	*set = (struct set){ .some = true };
	for (; value && !why; value = next) {
		next = strchr(value, ',');
		if (next)
			*next++ = '\0';
		why = port_span(value, &span);
		if (!why)
			*set = set_or(arena_of(line), *set,
				      set_of_span(arena_of(line), span));
	}
	if (!why && line->invert)
		*set = set_not(arena_of(line), *set, 16);
	return why;
}

static const char *take_port(struct ipt_line *line, char *value,
			     unsigned int side)
{
	struct box box = any_box();
	const char *why = get_ports(line, value, &box.port[side]);

	if (why)
		return why;
	if (set_is_empty(box.port[side]))
		return boxes_and(arena_of(line), &line->boxes, NULL, 0), NULL;
	return and_box(line, &box);
}

/* Either of the ports, or, inverted, neither. */
static const char *take_either(struct ipt_line *line, char *value,
			       unsigned int which)
{
	struct box boxes[2] = { any_box(), any_box() };
	struct set set;
	const char *why;

	(void)which;
	why = get_ports(line, value, &set);
	if (why)
		return why;
	boxes[0].port[SIDE_IN] = set;
	boxes[line->invert ? 0 : 1].port[SIDE_OUT] = set;
	if (set_is_empty(set))
		return boxes_and(arena_of(line), &line->boxes, NULL, 0), NULL;
	return boxes_and(arena_of(line), &line->boxes, boxes,
			 line->invert ? 1 : 2) ? NULL :
		"there are too many combinations";
}

static const char *take_mark(struct ipt_line *line, char *value,
			     unsigned int which)
{
	struct mark mark = { .mask = UINT32_MAX };
	char *slash = strchr(value, '/');
	struct box box = any_box();
	const char *why;

	(void)which;
	if (slash)
		*slash++ = '\0';
	why = value_number(value, UINT32_MAX, &mark.value);
	if (!why && slash)
		why = value_number(slash, UINT32_MAX, &mark.mask);
	if (why)
		return why;
	if (!box_and_mark(arena_of(line), &box, mark, line->invert))
		return boxes_and(arena_of(line), &line->boxes, NULL, 0), NULL;
	return and_box(line, &box);
}

static const char *take_comment(struct ipt_line *line, char *value,
				unsigned int which)
{
	(void)which;
	line->step->comment = value;
	return NULL;
}

static const char *take_type(struct ipt_line *line, char *value,
			     unsigned int side)
{
	struct box box = any_box();

	if (strcmp(value, "LOCAL"))
		return "natty only knows addresses of the type LOCAL";
	box.local[side] = line->invert ? LOCAL_NO : LOCAL_YES;
	return and_box(line, &box);
}

/* Rules see the first packet of a flow, the state of which is NEW. */
static const char *take_state(struct ipt_line *line, char *value,
			      unsigned int which)
{
	bool holds = false;
	char *word, *state;

	(void)which;
	for (word = value; (state = strtok_r(word, ",", &value)); word = NULL) {
		if (!strcmp(state, "NEW"))
			holds = true;
		else if (strcmp(state, "ESTABLISHED") &&
			 strcmp(state, "RELATED") && strcmp(state, "INVALID") &&
			 strcmp(state, "UNTRACKED"))
			return "natty has no match for it";
	}
	if (holds == line->invert)
		boxes_and(arena_of(line), &line->boxes, NULL, 0);
	return NULL;
}

static const char *take_icmp_type(struct ipt_line *line, char *value,
				  unsigned int which)
{
	(void)which;
	return !line->invert && (!strcmp(value, "any") || !strcmp(value, "255")) ?
		NULL : "natty has no match for types of ICMP";
}

/* "[ADDR-ADDR]:PORT-PORT" with the brackets of each address. */
static const char *split_target(char *value, char **addrs, char **ports)
{
	char *end = NULL;

	*addrs = value;
	*ports = NULL;
	if (value[0] == '[') {
		end = strchr(value, ']');
		if (!end || (end[1] && end[1] != ':'))
			return "not an address with a port";
		*addrs = value + 1;
		*end++ = '\0';
	} else if (strchr(value, ':') == strrchr(value, ':')) {
		end = strchr(value, ':');
	}
	if (end && *end) {
		*end = '\0';
		*ports = end + 1;
	}
	return NULL;
}

/* "PORT[-PORT[/BASE]]"; of a single port iptables-save prints the base, too. */
static const char *take_target_ports(struct ipt_line *line, char *value)
{
	struct rule *rule = &line->step->nat;
	char *slash = strchr(value, '/');

	if (slash && rule->action != NATTY_ACTION_DNAT)
		return "natty shifts the ports of destinations only";
	if (slash && !memchr(value, '-', slash - value))
		*slash = '\0';
	return value_to_ports(value, &rule->ports);
}

static const char *take_to(struct ipt_line *line, char *value,
			   unsigned int which)
{
	struct rule *rule = &line->step->nat;
	char *addrs, *ports;
	const char *why;

	(void)which;
	if (rule->to.min.len || rule->ports.set)
		return "natty has one range of addresses in a rule";
	why = split_target(value, &addrs, &ports);
	if (!why && *addrs)
		why = value_addr_range(addrs, &rule->to);
	if (!why && *addrs &&
	    rule->to.min.len != (line->families == FAMILY_4 ? 4 : 16))
		why = "the address is not of the family of the table";
	return why || !ports ? why : take_target_ports(line, ports);
}

static const char *take_to_ports(struct ipt_line *line, char *value,
				 unsigned int which)
{
	(void)which;
	return value_ports(value, 1, &line->step->nat.ports);
}

static const char *take_net(struct ipt_line *line, char *value,
			    unsigned int which)
{
	struct prefix *net = &line->step->nat.net;
	struct set set = { .some = true, .count = 1 };
	struct span span;
	const char *why;
	uint8_t len;

	(void)which;
	why = addr_span(value, &span, &len);
	if (why)
		return why;
	if (len != (line->families == FAMILY_4 ? 4 : 16))
		return "the address is not of the family of the table";
	set.list = &span;
	set_prefixes(set, len, net, 1);
	return NULL;
}

static const char *take_option(struct ipt_line *line, char *value,
			       unsigned int which)
{
	(void)value;
	line->step->nat.options |= which;
	return NULL;
}

#define PORTS_OF(proto)								\
	{ proto, "--sport", "--source-port", take_port, SIDE_IN, false },	\
	{ proto, "--dport", "--destination-port", take_port, SIDE_OUT, false }

static const struct ipt_option options[] = {
	{ NULL, "-s", "--source", take_addr, SIDE_IN, false },
	{ NULL, "-d", "--destination", take_addr, SIDE_OUT, false },
	{ NULL, "-i", "--in-interface", take_iface, SIDE_IN, false },
	{ NULL, "-o", "--out-interface", take_iface, SIDE_OUT, false },
	{ NULL, "-p", "--protocol", take_proto, 0, false },
	PORTS_OF("tcp"), PORTS_OF("udp"), PORTS_OF("udplite"),
	PORTS_OF("sctp"), PORTS_OF("dccp"),
	{ "multiport", "--sports", "--source-ports", take_port, SIDE_IN, false },
	{ "multiport", "--dports", "--destination-ports", take_port, SIDE_OUT,
	  false },
	{ "multiport", "--ports", "--ports", take_either, 0, false },
	{ "mark", "--mark", "--mark", take_mark, 0, false },
	{ "comment", "--comment", "--comment", take_comment, 0, false },
	{ "iprange", "--src-range", "--src-range", take_range, SIDE_IN, false },
	{ "iprange", "--dst-range", "--dst-range", take_range, SIDE_OUT, false },
	{ "addrtype", "--src-type", "--src-type", take_type, SIDE_IN, false },
	{ "addrtype", "--dst-type", "--dst-type", take_type, SIDE_OUT, false },
	{ "conntrack", "--ctstate", "--ctstate", take_state, 0, false },
	{ "state", "--state", "--state", take_state, 0, false },
	{ "icmp", "--icmp-type", "--icmp-type", take_icmp_type, 0, false },
	{ "icmp6", "--icmpv6-type", "--icmpv6-type", take_icmp_type, 0, false },
	{ "SNAT", "--to-source", "--to-source", take_to, 0, false },
	{ "DNAT", "--to-destination", "--to-destination", take_to, 0, false },
	{ "MASQUERADE", "--to-ports", "--to-ports", take_to_ports, 0, false },
	{ "REDIRECT", "--to-ports", "--to-ports", take_to_ports, 0, false },
	{ "NETMAP", "--to", "--to", take_net, 0, false },
	{ "FULLCONENAT", "--to-source", "--to-source", take_to, 0, false },
	{ "FULLCONENAT", "--to-ports", "--to-ports", take_to_ports, 0, false },
	{ "*", "--random", "--random-fully", take_option, NATTY_OPTION_RANDOM,
	  true },
	{ "*", "--persistent", "--persistent", take_option,
	  NATTY_OPTION_PERSISTENT, true },
};

const char *const ipt_modules[] = {
	"tcp", "udp", "udplite", "sctp", "dccp", "multiport", "mark", "comment",
	"iprange", "addrtype", "conntrack", "state", "icmp", "icmp6", NULL
};

static const struct {
	const char *name;
	enum natty_action action;
	bool full_cone;
} targets[] = {
	{ "SNAT", NATTY_ACTION_SNAT, false },
	{ "MASQUERADE", NATTY_ACTION_MASQUERADE, false },
	{ "DNAT", NATTY_ACTION_DNAT, false },
	{ "REDIRECT", NATTY_ACTION_REDIRECT, false },
	{ "NETMAP", NATTY_ACTION_NETMAP, false },
	{ "FULLCONENAT", NATTY_ACTION_MASQUERADE, true },
};

static bool is_target(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i].name, name))
			return true;
	return false;
}

const struct ipt_option *ipt_option(const struct ipt_line *line,
				    const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const struct ipt_option *option = &options[i];

		if (strcmp(name, option->name) && strcmp(name, option->other))
			continue;
		if (!option->module)
			return option;
		if (line->module && (!strcmp(option->module, "*") ?
				     is_target(line->module) :
				     !strcmp(option->module, line->module)))
			return option;
	}
	return NULL;
}

bool ipt_target(struct step *step, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(targets[i].name, name))
			continue;
		step->verdict = VERDICT_NAT;
		step->nat.action = targets[i].action;
		if (targets[i].full_cone) {
			step->nat.mapping = NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT;
			step->nat.filtering = NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT;
		}
		return true;
	}
	return false;
}
