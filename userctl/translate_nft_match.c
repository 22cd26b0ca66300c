// SPDX-License-Identifier: GPL-2.0
/* What nft's expressions say of a packet. */
#include <string.h>

#include "translate_nft.h"
#include "value.h"

enum kind {
	KIND_IFACE,
	KIND_ADDR,
	KIND_PROTO,
	KIND_PORT,
	KIND_MARK,
	KIND_FAMILY,
	KIND_LOCAL,
	KIND_STATE
};

/* What an expression looks at. */
struct subject {
	enum kind kind;
	enum side side;
	unsigned int families;	/* in which it is */
	uint8_t proto;		/* in which a port is; 0: any */
	uint32_t mask;		/* of a mark, or bits of an address */
};

static const struct {
	const char *key;
	struct subject subject;
} metas[] = {
	{ "iifname", { KIND_IFACE, SIDE_IN, FAMILY_BOTH, 0, 0 } },
	{ "iif", { KIND_IFACE, SIDE_IN, FAMILY_BOTH, 0, 0 } },
	{ "oifname", { KIND_IFACE, SIDE_OUT, FAMILY_BOTH, 0, 0 } },
	{ "oif", { KIND_IFACE, SIDE_OUT, FAMILY_BOTH, 0, 0 } },
	{ "l4proto", { KIND_PROTO, 0, FAMILY_BOTH, 0, 0 } },
	{ "nfproto", { KIND_FAMILY, 0, FAMILY_BOTH, 0, 0 } },
	{ "protocol", { KIND_FAMILY, 0, FAMILY_BOTH, 0, 0 } },
	{ "mark", { KIND_MARK, 0, FAMILY_BOTH, 0, UINT32_MAX } },
};

static const struct {
	const char *protocol, *field;
	struct subject subject;
} payloads[] = {
	{ "ip", "saddr", { KIND_ADDR, SIDE_IN, FAMILY_4, 0, 0 } },
	{ "ip", "daddr", { KIND_ADDR, SIDE_OUT, FAMILY_4, 0, 0 } },
	{ "ip", "protocol", { KIND_PROTO, 0, FAMILY_4, 0, 0 } },
	{ "ip6", "saddr", { KIND_ADDR, SIDE_IN, FAMILY_6, 0, 0 } },
	{ "ip6", "daddr", { KIND_ADDR, SIDE_OUT, FAMILY_6, 0, 0 } },
	{ "tcp", "sport", { KIND_PORT, SIDE_IN, FAMILY_BOTH, 6, 0 } },
	{ "tcp", "dport", { KIND_PORT, SIDE_OUT, FAMILY_BOTH, 6, 0 } },
	{ "udp", "sport", { KIND_PORT, SIDE_IN, FAMILY_BOTH, 17, 0 } },
	{ "udp", "dport", { KIND_PORT, SIDE_OUT, FAMILY_BOTH, 17, 0 } },
	{ "udplite", "sport", { KIND_PORT, SIDE_IN, FAMILY_BOTH, 136, 0 } },
	{ "udplite", "dport", { KIND_PORT, SIDE_OUT, FAMILY_BOTH, 136, 0 } },
	{ "sctp", "sport", { KIND_PORT, SIDE_IN, FAMILY_BOTH, 132, 0 } },
	{ "sctp", "dport", { KIND_PORT, SIDE_OUT, FAMILY_BOTH, 132, 0 } },
	{ "dccp", "sport", { KIND_PORT, SIDE_IN, FAMILY_BOTH, 33, 0 } },
	{ "dccp", "dport", { KIND_PORT, SIDE_OUT, FAMILY_BOTH, 33, 0 } },
	{ "th", "sport", { KIND_PORT, SIDE_IN, FAMILY_BOTH, 0, 0 } },
	{ "th", "dport", { KIND_PORT, SIDE_OUT, FAMILY_BOTH, 0, 0 } },
};

static struct arena *arena_of(const struct nft_rule *rule)
{
	return &rule->nft->reader->translation->arena;
}

static bool is_string(const json_t *value, const char *text)
{
	return json_is_string(value) && !strcmp(json_string_value(value), text);
}

static bool meta_subject(const json_t *meta, struct subject *subject)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(metas); i++) {
		if (is_string(json_object_get(meta, "key"), metas[i].key)) {
			*subject = metas[i].subject;
			return true;
		}
	}
	return false;
}

static bool payload_subject(const json_t *payload, struct subject *subject)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(payloads); i++) {
		if (is_string(json_object_get(payload, "protocol"),
			      payloads[i].protocol) &&
		    is_string(json_object_get(payload, "field"),
			      payloads[i].field)) {
			*subject = payloads[i].subject;
			return true;
		}
	}
	return false;
}

/* Whether an address is this host's: fib saddr type, fib daddr type. */
static bool fib_subject(const json_t *fib, struct subject *subject)
{
	json_t *flags = json_object_get(fib, "flags");

	if (json_is_array(flags) && json_array_size(flags) == 1)
		flags = json_array_get(flags, 0);
	if (!is_string(json_object_get(fib, "result"), "type") ||
	    (!is_string(flags, "saddr") && !is_string(flags, "daddr")))
		return false;
	*subject = (struct subject){
		.kind = KIND_LOCAL, .families = FAMILY_BOTH,
		.side = is_string(flags, "saddr") ? SIDE_IN : SIDE_OUT,
	};
	return true;
}

/* A mark under a mask. */
static bool masked_subject(const json_t *both, struct subject *subject)
{
	json_t *meta = json_object_get(json_array_get(both, 0), "meta");
	json_t *mask = json_array_get(both, 1);

	if (!meta_subject(meta, subject) || subject->kind != KIND_MARK ||
	    !json_is_integer(mask))
		return false;
	subject->mask = json_integer_value(mask);
	return true;
}

static bool get_subject(const json_t *left, struct subject *subject)
{
	json_t *ct = json_object_get(left, "ct");

	if (is_string(json_object_get(ct, "key"), "state")) {
		*subject = (struct subject){
			.kind = KIND_STATE, .families = FAMILY_BOTH,
		};
		return true;
	}
	return meta_subject(json_object_get(left, "meta"), subject) ||
	       payload_subject(json_object_get(left, "payload"), subject) ||
	       fib_subject(json_object_get(left, "fib"), subject) ||
	       masked_subject(json_object_get(left, "&"), subject);
}

size_t nft_count(const json_t *value)
{
	json_t *set = json_object_get(value, "set");

	if (set)
		value = set;
	return json_is_array(value) ? json_array_size(value) : 1;
}

const json_t *nft_element(const json_t *value, size_t i)
{
	json_t *set = json_object_get(value, "set");
	const json_t *element, *inner;

	if (set)
		value = set;
	element = json_is_array(value) ? json_array_get(value, i) : value;
	/* With a comment or a counter of its own. */
	inner = json_object_get(json_object_get(element, "elem"), "val");
	return inner ? inner : element;
}

const char *nft_addr_span(const json_t *value, struct span *span, uint8_t *len)
{
	json_t *range = json_object_get(value, "range");
	json_t *prefix = json_object_get(value, "prefix");
	const char *low, *high;
	struct addr min, max;

	low = json_string_value(range ? json_array_get(range, 0) : prefix ?
				json_object_get(prefix, "addr") : value);
	high = range ? json_string_value(json_array_get(range, 1)) : low;
	if (!low || !high || value_addr(low, &min) || value_addr(high, &max) ||
	    min.len != max.len)
		return "not an address";
	*len = min.len;
	span->min = num_of_addr(&min);
	span->max = num_of_addr(&max);
	if (prefix) {
		json_int_t bits = json_integer_value(json_object_get(prefix, "len"));

		if (bits < 0 || bits > min.len * 8)
			return "not a network";
		*span = span_of_prefix(span->min, bits, min.len * 8);
	}
	return num_cmp(span->min, span->max) > 0 ? "low end above high end" :
						   NULL;
}

/* A number, or the number of a protocol's name. */
static bool get_number(const json_t *value, uint64_t max, uint64_t *number)
{
	const char *text = json_string_value(value);
	uint8_t proto;

	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    (uint64_t)json_integer_value(value) <= max) {
		*number = json_integer_value(value);
		return true;
	}
	if (!text || max != UINT8_MAX)
		return false;
	if (value_proto(text, &proto)) {
		if (strcmp(text, "ipv6-icmp"))
			return false;
		proto = 58;
	}
	*number = proto;
	return true;
}

const char *nft_span(const json_t *value, uint64_t max, struct span *span)
{
	json_t *range = json_object_get(value, "range");
	uint64_t low, high;

	if (!get_number(range ? json_array_get(range, 0) : value, max, &low) ||
	    !get_number(range ? json_array_get(range, 1) : value, max, &high) ||
	    low > high)
		return "not a number that is known here";
	span->min = num_of(low);
	span->max = num_of(high);
	return NULL;
}

static unsigned int width_of(const struct subject *subject)
{
	switch (subject->kind) {
	case KIND_ADDR:
		return subject->families == FAMILY_4 ? 32 : 128;
	case KIND_PORT:
		return 16;
	default:
		return 8;
	}
}

/* The values of a comparison other than with single values. */
static const char *compare(const struct nft_rule *rule, const char *op,
			   struct span span, unsigned int width,
			   struct set *set)
{
	struct arena *arena = arena_of(rule);
	bool below = op[0] == '<', with = op[1] == '=';
	struct span rest = {
		below ? num_of(0) : span.min,
		below ? span.min :
			span_of_prefix(num_of(0), 0, width).max,
	};

	*set = set_of_span(arena, rest);
	if (!with)
		*set = set_and(arena, *set,
			       set_not(arena, set_of_span(arena, span), width));
	return NULL;
}

/* Addresses, ports and protocols, all of which are numbers. */
static const char *match_numbers(const struct nft_rule *rule,
				 const struct subject *subject, const char *op,
				 const json_t *right, struct box *box)
{
	struct arena *arena = arena_of(rule);
	struct set set = { .some = true };
	unsigned int width = width_of(subject);
	const char *why = NULL;
	struct span span;
	uint8_t len = 0;
	size_t i;

	for (i = 0; i < nft_count(right) && !why; i++) {
		const json_t *value = nft_element(right, i);

		if (subject->kind == KIND_ADDR)
			why = nft_addr_span(value, &span, &len);
		else
			why = nft_span(value, (1U << width) - 1, &span);
		if (!why && subject->kind == KIND_ADDR && len * 8U != width)
			why = "an address of another family";
		if (!why && (op[0] == '<' || op[0] == '>'))
			why = compare(rule, op, span, width, &set);
		else if (!why)
			set = set_or(arena, set, set_of_span(arena, span));
	}
	if (!strcmp(op, "!="))
		set = set_not(arena, set, width);
	if (subject->kind == KIND_ADDR)
		box->addr[subject->side] = set;
	else if (subject->kind == KIND_PORT)
		box->port[subject->side] = set;
	else
		box->proto = set;
	if (subject->proto)
		box->proto = set_of_span(arena, (struct span){
			num_of(subject->proto), num_of(subject->proto) });
	return why;
}

/* An interface, a trailing asterisk being any rest of its name. */
static const char *get_name(const struct nft_rule *rule, const json_t *value,
			    char **name)
{
	const char *text = json_string_value(value);
	char checked[IFACE_MAX + 1];
	size_t len;

	if (!text)
		return "not the name of an interface";
	*name = (char *)nft_keep(rule->nft, text);
	len = strlen(*name);
	if (len && (*name)[len - 1] == '+')
		return "to natty the plus sign would be a wildcard";
	if (len > 1 && (*name)[len - 1] == '*' && (*name)[len - 2] != '\\')
		(*name)[len - 1] = '+';
	else if (len > 1 && (*name)[len - 1] == '*')
		strcpy(*name + len - 2, "*");
	return value_iface(*name, checked);
}

/* One of the values of anything else, as a further condition. */
static const char *and_value(const struct nft_rule *rule,
			     const struct subject *subject,
			     const json_t *value, bool invert, struct box *box,
			     bool *fits)
{
	struct mark mark = { .mask = subject->mask };
	uint64_t number;
	const char *why;
	char *name;
	bool six;

	switch (subject->kind) {
	case KIND_IFACE:
		why = get_name(rule, value, &name);
		if (!why)
			*fits &= box_and_name(arena_of(rule), box,
					      subject->side, name, invert);
		return why;
	case KIND_MARK:
		if (!get_number(value, UINT32_MAX, &number))
			return "natty compares marks with numbers";
		mark.value = number;
		*fits &= box_and_mark(arena_of(rule), box, mark, invert);
		return NULL;
	case KIND_LOCAL:
		if (!is_string(value, "local"))
			return "natty only knows addresses of the type local";
		box->local[subject->side] = invert ? LOCAL_NO : LOCAL_YES;
		return NULL;
	default:
		if (!is_string(value, "ipv4") && !is_string(value, "ip") &&
		    !is_string(value, "ipv6") && !is_string(value, "ip6"))
			return "natty knows the families ipv4 and ipv6";
		six = strchr(json_string_value(value), '6');
		box->families &= six != invert ? FAMILY_6 : FAMILY_4;
		*fits &= box->families != 0;
		return NULL;
	}
}

static const char *match_each(const struct nft_rule *rule,
			      const struct subject *subject, bool invert,
			      const json_t *right, struct boxes *boxes)
{
	struct box box = { .families = subject->families };
	const char *why = NULL;
	bool fits = true;
	size_t i;

	for (i = 0; i < nft_count(right) && !why; i++) {
		if (!invert) {
			box = (struct box){ .families = subject->families };
			fits = true;
		}
		why = and_value(rule, subject, nft_element(right, i), invert,
				&box, &fits);
		if (!why && fits && !invert)
			boxes->list[boxes->count++] = box;
	}
	if (!why && fits && invert)
		boxes->list[boxes->count++] = box;
	return why;
}

/* Rules see the first packet of a flow, the state of which is new. */
static const char *match_state(const json_t *right, bool invert,
			       struct boxes *boxes)
{
	bool holds = false;
	size_t i;

	for (i = 0; i < nft_count(right); i++) {
		if (!json_is_string(nft_element(right, i)))
			return "natty has no match for it";
		holds |= is_string(nft_element(right, i), "new");
	}
	if (holds != invert)
		boxes->list[boxes->count++] =
			(struct box){ .families = FAMILY_BOTH };
	return NULL;
}

/* The elements of the set that is named, or the value itself. */
static const char *resolve(const struct nft_rule *rule, const json_t **right)
{
	const char *name = json_string_value(*right);
	json_t *set, *flag;
	size_t i;

	if (!name || name[0] != '@')
		return NULL;
	set = nft_set(rule, name + 1, "set");
	if (!set)
		return "there is no such set";
	json_array_foreach(json_object_get(set, "flags"), i, flag)
		if (is_string(flag, "dynamic") || is_string(flag, "timeout"))
			return "the set changes by itself";
	*right = json_object_get(set, "elem");
	/* Without elements the member is absent. */
	return *right ? NULL : "the set is empty";
}

static const char *match_single(const struct nft_rule *rule,
				const json_t *left, const char *op,
				const json_t *right, struct boxes *boxes)
{
	bool invert = !strcmp(op, "!=");
	struct subject subject;
	struct box box;
	const char *why;

	if (!get_subject(left, &subject))
		return "natty has no match for it";
	boxes->list = arena_alloc(arena_of(rule), (nft_count(right) + 1) *
				  sizeof(*boxes->list));
	boxes->count = 0;
	if (subject.kind != KIND_ADDR && subject.kind != KIND_PORT &&
	    subject.kind != KIND_PROTO) {
		if (op[0] == '<' || op[0] == '>')
			return "natty has no match for it";
		return subject.kind == KIND_STATE ?
			match_state(right, invert, boxes) :
			match_each(rule, &subject, invert, right, boxes);
	}
	box = (struct box){ .families = subject.families };
	why = match_numbers(rule, &subject, op, right, &box);
	if (!why && !set_is_empty(box.addr[subject.side]) &&
	    !set_is_empty(box.port[subject.side]) && !set_is_empty(box.proto))
		boxes->list[boxes->count++] = box;
	return why;
}

/* Several expressions at once, of which each element has a value each. */
static const char *match_concat(const struct nft_rule *rule,
				const json_t *lefts, const json_t *right,
				struct boxes *boxes)
{
	struct arena *arena = arena_of(rule);
	struct boxes all = { 0 };
	size_t i, j, k;

	for (i = 0; i < nft_count(right); i++) {
		const json_t *values = json_object_get(nft_element(right, i),
						       "concat");
		struct boxes one = {
			arena_alloc(arena, sizeof(struct box)), 1
		};

		one.list[0].families = FAMILY_BOTH;
		if (json_array_size(values) != json_array_size(lefts))
			return "natty has no match for it";
		for (j = 0; j < json_array_size(lefts); j++) {
			struct boxes part = { 0 };
			const char *why;

			why = match_single(rule, json_array_get(lefts, j), "==",
					   json_array_get(values, j), &part);
			if (!why && !boxes_and(arena, &one, part.list, part.count))
				why = "there are too many combinations";
			if (why)
				return why;
		}
		for (k = 0; k < one.count; k++) {
			all.list = arena_grow(arena, all.list, all.count,
					      sizeof(*all.list));
			all.list[all.count++] = one.list[k];
		}
	}
	*boxes = all;
	return NULL;
}

const char *nft_match(const struct nft_rule *rule, const json_t *left,
		      const char *op, const json_t *right, struct boxes *boxes)
{
	static const char *const ops[] = {
		"==", "!=", "in", "<", ">", "<=", ">=", NULL
	};
	const json_t *concat = json_object_get(left, "concat");
	const char *why;

	if (name_find(ops, op) < 0 || !right)
		return "natty has no match for it";
	why = resolve(rule, &right);
	if (why)
		return why;
	if (!concat)
		return match_single(rule, left, op, right, boxes);
	if (op[0] == '!' || op[0] == '<' || op[0] == '>')
		return "natty has no match for it";
	return match_concat(rule, concat, right, boxes);
}
