// SPDX-License-Identifier: GPL-2.0
/* Conditions on packets as the matches of rules. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "box.h"

#define VARIANTS	256	/* of one match, and of all the rules of a box */

/* Ways to say a field; there is a rule for each combination of them. */
struct addrs {
	struct prefix list[VARIANTS + 1];
	size_t count;
	bool invert;
};

struct spans {
	struct span *list;
	size_t count;
	bool invert;
};

struct job {
	struct arena *arena;
	const struct box *box;
	struct addrs *addr[2];
	struct spans port[2];
	struct spans proto;
	box_take *take;
	void *data;
};

static const uint32_t addr_match[] = { NATTY_MATCH_SRC, NATTY_MATCH_DST };
static const uint32_t port_match[] = { NATTY_MATCH_SPORT, NATTY_MATCH_DPORT };
static const uint32_t iface_match[] = { NATTY_MATCH_IIF, NATTY_MATCH_OIF };

/* The other family's addresses are no addresses of this one. */
static uint8_t addr_len(const struct box *box)
{
	return box->families == FAMILY_6 ? 16 : 4;
}

static const char *get_addrs(struct job *job, enum side side)
{
	struct addrs *addrs = arena_alloc(job->arena, sizeof(*addrs));
	struct set set = job->box->addr[side], others;
	uint8_t len = addr_len(job->box);

	job->addr[side] = addrs;
	if (!set.some)
		return NULL;
	others = set_not(job->arena, set, len * 8);
	if (set_is_empty(others))
		return NULL;
	addrs->count = set_prefixes(set, len, addrs->list, VARIANTS);
	if (addrs->count == 1)
		return NULL;
	if (set_prefixes(others, len, addrs->list, 1) == 1) {
		addrs->count = 1;
		addrs->invert = true;
		return NULL;
	}
	addrs->count = set_prefixes(set, len, addrs->list, VARIANTS);
	return addrs->count <= VARIANTS ? NULL :
		"the addresses make more than 256 networks";
}

/* Spans of ports or protocols, or the one that is excluded. */
static void get_spans(struct job *job, struct set set, unsigned int width,
		      struct spans *spans)
{
	struct set others = set_not(job->arena, set, width);

	memset(spans, 0, sizeof(*spans));
	if (!set.some || set_is_empty(others))
		return;
	spans->invert = set.count > 1 && others.count == 1;
	/* Either half of the protocols but one is a span. */
	if (width == 8)
		spans->invert = set_is_single(others);
	if (spans->invert)
		set = others;
	spans->list = (struct span *)set.list;
	spans->count = set.count;
}

static bool has_ports(uint64_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == IPPROTO_UDPLITE || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_DCCP;
}

/* Each protocol in a span of its own, as rules name them. */
static const char *get_protos(struct job *job)
{
	struct span *list;
	struct spans *protos = &job->proto;
	size_t i, n = 0;
	uint64_t proto;

	get_spans(job, job->box->proto, 8, protos);
	if ((job->port[0].count || job->port[1].count) &&
	    (!protos->count || protos->invert))
		return "ports need protocols that have them";
	list = arena_alloc(job->arena, VARIANTS * sizeof(*list));
	for (i = 0; i < protos->count; i++) {
		for (proto = protos->list[i].min.lo;
		     proto <= protos->list[i].max.lo && n < VARIANTS; proto++) {
			if ((job->port[0].count || job->port[1].count) &&
			    !has_ports(proto))
				return "ports need protocols that have them";
			list[n++] = (struct span){ num_of(proto), num_of(proto) };
		}
	}
	protos->list = list;
	protos->count = n;
	return NULL;
}

static const char *set_iface(const struct job *job, struct rule *rule,
			     enum side side)
{
	const struct names *names = &job->box->iface[side];
	char *to = side == SIDE_IN ? rule->iif : rule->oif;
	const char *name = names->is;

	if (names->nots > (name ? 0 : 1))
		return side == SIDE_IN ?
			"a rule of natty has one match of the incoming interface" :
			"a rule of natty has one match of the outgoing interface";
	if (names->nots) {
		name = names->not[0];
		rule->invert |= iface_match[side];
	}
	if (name)
		snprintf(to, IFACE_MAX + 1, "%s", name);
	return NULL;
}

static void set_local(const struct box *box, struct rule *rule, enum side side)
{
	static const uint32_t match[] = {
		NATTY_MATCH_SRC_LOCAL, NATTY_MATCH_DST_LOCAL
	};

	if (box->local[side])
		rule->local |= match[side];
	if (box->local[side] == LOCAL_NO)
		rule->invert |= match[side];
}

static const char *set_mark(const struct job *job, struct rule *rule)
{
	const struct marks *marks = &job->box->mark;
	struct mark mark = marks->is;

	if (marks->nots > (mark.mask ? 0 : 1))
		return "a rule of natty has one match of the mark";
	if (marks->nots) {
		mark = marks->not[0];
		rule->invert |= NATTY_MATCH_MARK;
	}
	rule->has_mark = mark.mask;
	rule->mark = mark.value;
	rule->mark_mask = mark.mask;
	return NULL;
}

/* A rule that names no address is for both families. */
static const char *set_family(const struct job *job, struct rule *rule)
{
	const struct box *box = job->box;
	uint8_t len = addr_len(box);
	uint8_t to = rule->to.min.len ? rule->to.min.len : rule->net.addr.len;

	if (to && (box->families & (to == 4 ? FAMILY_4 : FAMILY_6)) == 0)
		return "the addresses are of two families";
	if (to || box->families == FAMILY_BOTH || job->addr[0]->count ||
	    job->addr[1]->count)
		return NULL;
	rule->src.addr.len = len;
	return NULL;
}

static void set_addr(const struct job *job, struct rule *rule, enum side side,
		     size_t i)
{
	const struct addrs *addrs = job->addr[side];

	if (!addrs->count)
		return;
	*(side == SIDE_IN ? &rule->src : &rule->dst) = addrs->list[i];
	if (addrs->invert)
		rule->invert |= addr_match[side];
}

static void set_port(const struct job *job, struct rule *rule, enum side side,
		     size_t i)
{
	const struct spans *spans = &job->port[side];
	struct port_range *ports = side == SIDE_IN ? &rule->sport : &rule->dport;

	if (!spans->count)
		return;
	ports->set = true;
	ports->min = spans->list[i].min.lo;
	ports->max = spans->list[i].max.lo;
	if (spans->invert)
		rule->invert |= port_match[side];
}

static void set_proto(const struct job *job, struct rule *rule, size_t i)
{
	if (!job->proto.count)
		return;
	rule->has_proto = true;
	rule->proto = job->proto.list[i].min.lo;
	if (job->proto.invert)
		rule->invert |= NATTY_MATCH_PROTO;
}

/* Take one of @count, which if 0 stands for no match at all. */
static size_t digit(size_t *rest, size_t count)
{
	size_t value;

	if (!count)
		return 0;
	value = *rest % count;
	*rest /= count;
	return value;
}

static const char *combine(const struct job *job, const struct rule *rule)
{
	size_t counts[] = {
		job->port[1].count, job->port[0].count, job->proto.count,
		job->addr[1]->count, job->addr[0]->count,
	};
	size_t i, n = 1, rest;
	struct rule one;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		n *= counts[i] ? counts[i] : 1;
		if (n > VARIANTS)
			return "it would take more than 256 rules";
	}
	for (i = 0; i < n; i++) {
		one = *rule;
		rest = i;
		set_port(job, &one, SIDE_OUT, digit(&rest, counts[0]));
		set_port(job, &one, SIDE_IN, digit(&rest, counts[1]));
		set_proto(job, &one, digit(&rest, counts[2]));
		set_addr(job, &one, SIDE_OUT, digit(&rest, counts[3]));
		set_addr(job, &one, SIDE_IN, digit(&rest, counts[4]));
		job->take(&one, job->data);
	}
	return NULL;
}

const char *box_rules(struct arena *arena, const struct box *box,
		      const struct rule *rule, box_take *take, void *data)
{
	struct job job = {
		.arena = arena, .box = box, .take = take, .data = data,
	};
	struct rule common = *rule;
	const char *why = NULL;
	unsigned int side;

	for (side = 0; side < 2 && !why; side++) {
		get_spans(&job, box->port[side], 16, &job.port[side]);
		why = get_addrs(&job, side);
		if (!why)
			why = set_iface(&job, &common, side);
		set_local(box, &common, side);
	}
	if (!why)
		why = get_protos(&job);
	if (!why)
		why = set_mark(&job, &common);
	if (!why)
		why = set_family(&job, &common);
	return why ? why : combine(&job, &common);
}
