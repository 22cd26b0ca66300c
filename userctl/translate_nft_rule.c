// SPDX-License-Identifier: GPL-2.0
/* The statements of a rule of nft. */
#include <string.h>

#include "translate_nft.h"
#include "value.h"

static struct arena *arena_of(const struct nft_rule *rule)
{
	return &rule->nft->reader->translation->arena;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* A step of its own for each of the packets of @boxes that a statement decides on. */
static struct step *add_step(struct nft_rule *rule, const struct boxes *boxes)
{
	struct step *step = tchain_add(rule->nft->reader, rule->chain->chain);

	step->boxes = boxes->list;
	step->count = boxes->count;
	step->comment = rule->comment;
	return step;
}

/* Such an object, or such a name, say what becomes of packets. */
static const char *set_verdict(struct nft_rule *rule, struct step *step,
			       const char *name, const json_t *value)
{
	struct nft_chain *to;

	if (!strcmp(name, "accept"))
		step->verdict = VERDICT_ACCEPT;
	else if (!strcmp(name, "return"))
		step->verdict = VERDICT_RETURN;
	else if (!strcmp(name, "continue"))
		step->verdict = VERDICT_NONE;
	else if (!strcmp(name, "jump"))
		step->verdict = VERDICT_JUMP;
	else if (!strcmp(name, "goto"))
		step->verdict = VERDICT_GOTO;
	else
		return "natty has no such action";
	if (step->verdict != VERDICT_JUMP && step->verdict != VERDICT_GOTO)
		return NULL;
	to = nft_find_chain(rule->nft, rule->chain->family, rule->chain->table,
			    string_of(value, "target"));
	if (!to)
		return "there is no such chain";
	to->used = true;
	step->to = to->chain;
	return NULL;
}

static const char *set_flag(struct rule *nat, const json_t *flag)
{
	const char *name = json_string_value(flag);

	if (name && (!strcmp(name, "random") || !strcmp(name, "fully-random")))
		nat->options |= NATTY_OPTION_RANDOM;
	else if (name && !strcmp(name, "netmap"))
		return NULL;	/* looked at with the address */
	else if (!name || strcmp(name, "persistent"))
		return "natty has no such option";
	else if (nat->action == NATTY_ACTION_SNAT ||
		 nat->action == NATTY_ACTION_DNAT)
		nat->options |= NATTY_OPTION_PERSISTENT;
	return NULL;
}

static const char *set_flags(struct rule *nat, const json_t *flags)
{
	const char *why = NULL;
	json_t *flag;
	size_t i;

	if (json_is_string(flags))
		return set_flag(nat, flags);
	json_array_foreach(flags, i, flag)
		if (!why)
			why = set_flag(nat, flag);
	return why;
}

static const char *set_ports(struct rule *nat, const json_t *value)
{
	struct span span;
	const char *why;

	if (!value)
		return NULL;
	why = nft_span(value, UINT16_MAX, &span);
	if (!why && !span.min.lo)
		why = "the lowest port is 1";
	nat->ports = (struct port_range){ .set = true, .min = span.min.lo,
					  .max = span.max.lo };
	return why;
}

static const char *set_addr(struct rule *nat, const json_t *value, bool netmap)
{
	struct set set = { .some = true, .count = 1 };
	const char *why;
	struct span span;
	uint8_t len;

	if (!value)
		return NULL;
	why = nft_addr_span(value, &span, &len);
	if (!why && netmap && nat->action != NATTY_ACTION_SNAT &&
	    nat->action != NATTY_ACTION_DNAT)
		why = "it takes no network";
	if (why)
		return why;
	if (!netmap) {
		nat->to.min = addr_of_num(span.min, len);
		nat->to.max = addr_of_num(span.max, len);
		return NULL;
	}
	set.list = &span;
	if (set_prefixes(set, len, &nat->net, 1) != 1)
		return "natty maps networks";
	nat->action = NATTY_ACTION_NETMAP;
	return NULL;
}

static bool has_flag(const json_t *nat, const char *key, const char *name)
{
	json_t *flags = json_object_get(nat, key), *flag;
	size_t i;

	if (json_is_string(flags))
		return !strcmp(json_string_value(flags), name);
	json_array_foreach(flags, i, flag)
		if (json_is_string(flag) && !strcmp(json_string_value(flag), name))
			return true;
	return false;
}

/* An address, or an address with a port. */
static const char *set_target(struct rule *nat, const json_t *value, bool netmap)
{
	const json_t *parts = json_object_get(value, "concat");
	const char *why;

	if (!parts)
		return set_addr(nat, value, netmap);
	if (json_array_size(parts) != 2)
		return "natty has no such action";
	why = set_addr(nat, json_array_get(parts, 0), netmap);
	return why ? why : set_ports(nat, json_array_get(parts, 1));
}

/* What a key leads to: {"map": {"key": expression, "data": set or name}}. */
static const char *get_map(const struct nft_rule *rule, const json_t *map,
			   const json_t **elements)
{
	const json_t *data = json_object_get(map, "data");
	const char *name = json_string_value(data);
	json_t *named;

	if (name && name[0] == '@') {
		named = nft_set(rule, name + 1, "map");
		if (!named)
			return "there is no such map";
		data = json_object_get(named, "elem");
	}
	*elements = data;
	return data ? NULL : "the map is empty";
}

/* The packets for which the map's key is that of element @i. */
static const char *map_boxes(const struct nft_rule *rule, const json_t *map,
			     const json_t *elements, size_t i,
			     struct boxes *boxes, const json_t **value)
{
	const json_t *pair = nft_element(elements, i);
	const json_t *key = json_array_get(pair, 0);
	struct boxes part = { 0 };
	const char *why;

	*value = json_array_get(pair, 1);
	if (!key || !*value)
		return "natty has no match for it";
	/* A list would be taken for alternatives. */
	if (json_object_get(json_object_get(key, "elem"), "val"))
		key = json_object_get(json_object_get(key, "elem"), "val");
	why = nft_match(rule, json_object_get(map, "key"), "==", key, &part);
	*boxes = rule->boxes;
	if (!why && !boxes_and(arena_of(rule), boxes, part.list, part.count))
		why = "there are too many combinations";
	return why;
}

static const char *add_nat(struct nft_rule *rule, const struct rule *nat,
			   const json_t *value, const json_t *address,
			   const struct boxes *boxes)
{
	struct step *step;
	struct rule action = *nat;
	bool netmap = has_flag(value, "type_flags", "prefix") ||
		      has_flag(value, "flags", "netmap");
	const char *why;

	why = set_target(&action, address, netmap);
	if (why)
		return why;
	if ((action.action == NATTY_ACTION_SNAT ||
	     action.action == NATTY_ACTION_DNAT) && !action.to.min.len &&
	    !action.ports.set)
		return "it does not say to what";
	if ((action.action == NATTY_ACTION_MASQUERADE ||
	     action.action == NATTY_ACTION_REDIRECT) && action.to.min.len)
		return "it takes no address";
	if (action.action == NATTY_ACTION_NETMAP && action.ports.set)
		return "natty maps networks without ports";
	if (action.action == NATTY_ACTION_NETMAP)
		action.options = 0;
	step = add_step(rule, boxes);
	step->verdict = VERDICT_NAT;
	step->nat = action;
	return NULL;
}

/* snat, dnat, masquerade and redirect, whose value may be null. */
static const char *take_nat(struct nft_rule *rule, enum natty_action action,
			    const json_t *value)
{
	const json_t *addr = json_object_get(value, "addr");
	const json_t *map = json_object_get(addr, "map"), *elements;
	struct rule nat = { .action = action, .mapping = -1, .filtering = -1 };
	struct boxes boxes;
	const char *why;
	size_t i;

	why = set_flags(&nat, json_object_get(value, "flags"));
	if (!why)
		why = set_ports(&nat, json_object_get(value, "port"));
	if (!why && map)
		why = get_map(rule, map, &elements);
	if (why)
		return why;
	if (!map)
		return add_nat(rule, &nat, value, addr, &rule->boxes);
	for (i = 0; i < nft_count(elements) && !why; i++) {
		why = map_boxes(rule, map, elements, i, &boxes, &addr);
		if (!why)
			why = add_nat(rule, &nat, value, addr, &boxes);
	}
	return why;
}

/* A verdict for each value of a key. */
static const char *take_vmap(struct nft_rule *rule, const json_t *map)
{
	const json_t *elements = NULL, *verdict;
	struct boxes boxes;
	const char *why, *name;
	json_t *value;
	size_t i;

	why = get_map(rule, map, &elements);
	for (i = 0; !why && i < nft_count(elements); i++) {
		why = map_boxes(rule, map, elements, i, &boxes, &verdict);
		if (why)
			break;
		json_object_foreach((json_t *)verdict, name, value)
			why = set_verdict(rule, add_step(rule, &boxes), name,
					  value);
	}
	return why;
}

/* Every flow of an internal endpoint has one external endpoint, open to all. */
static const char *take_full_cone(struct nft_rule *rule)
{
	struct step *step = add_step(rule, &rule->boxes);

	step->verdict = VERDICT_NAT;
	step->nat.action = NATTY_ACTION_MASQUERADE;
	step->nat.mapping = NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT;
	step->nat.filtering = NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT;
	return NULL;
}

static const char *take_match(struct nft_rule *rule, const json_t *value)
{
	struct boxes boxes = { 0 };
	const char *why;

	why = nft_match(rule, json_object_get(value, "left"),
			string_of(value, "op"), json_object_get(value, "right"),
			&boxes);
	if (!why && !boxes_and(arena_of(rule), &rule->boxes, boxes.list,
			       boxes.count))
		why = "there are too many combinations";
	return why;
}

/* True in *@last if nothing follows that packets in the rule could meet. */
static const char *take_statement(struct nft_rule *rule, const char *name,
				  const json_t *value, bool *last)
{
	*last = false;
	if (!strcmp(name, "match"))
		return take_match(rule, value);
	if (!strcmp(name, "counter"))
		return NULL;
	if (!strcmp(name, "xt"))
		return "an extension of iptables: translate what iptables-save prints instead";
	*last = true;
	if (!strcmp(name, "snat"))
		return take_nat(rule, NATTY_ACTION_SNAT, value);
	if (!strcmp(name, "dnat"))
		return take_nat(rule, NATTY_ACTION_DNAT, value);
	if (!strcmp(name, "masquerade"))
		return take_nat(rule, NATTY_ACTION_MASQUERADE, value);
	if (!strcmp(name, "redirect"))
		return take_nat(rule, NATTY_ACTION_REDIRECT, value);
	if (!strcmp(name, "fullcone"))
		return take_full_cone(rule);
	if (!strcmp(name, "vmap"))
		return take_vmap(rule, value);
	return set_verdict(rule, add_step(rule, &rule->boxes), name, value);
}

static void refuse(struct nft_rule *rule, const json_t *statement,
		   const char *why)
{
	struct reader *reader = rule->nft->reader;
	const char *text;
	struct step *step;

	/* In place of what the rule has made so far. */
	step = add_step(rule, &rule->boxes);
	step->verdict = VERDICT_NONE;
	text = nft_text(rule->nft, statement);
	translate_refuse(reader->translation, step, &reader->place,
			 "%.200s%s: %s", text, strlen(text) > 200 ? "..." : "",
			 why);
}

void nft_rule(struct nft *nft, const struct nft_chain *chain, json_t *object)
{
	struct nft_rule rule = { .nft = nft, .chain = chain };
	size_t first = chain->chain->count, i;
	json_t *statement, *value;
	const char *name, *why = NULL;
	bool last = false;

	rule.boxes.list = arena_alloc(arena_of(&rule), sizeof(struct box));
	rule.boxes.list[0].families = chain->families;
	rule.boxes.count = 1;
	name = json_string_value(json_object_get(object, "comment"));
	if (name)
		rule.comment = nft_keep(nft, name);
	json_array_foreach(json_object_get(object, "expr"), i, statement) {
		if (last && !why)
			why = "it stands behind a verdict";
		json_object_foreach(statement, name, value)
			if (!why)
				why = take_statement(&rule, name, value, &last);
		if (why) {
			chain->chain->count = first;
			refuse(&rule, statement, why);
			return;
		}
	}
	if (!last)
		add_step(&rule, &rule.boxes);
}
