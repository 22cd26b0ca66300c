// SPDX-License-Identifier: GPL-2.0
/* Rule sets as "nft -j list ruleset" prints them. */
#include <stdlib.h>
#include <string.h>

#include "translate_nft.h"

#define PRI_NATTY	(-201)	/* of natty's hook in prerouting */

static struct arena *arena_of(const struct nft *nft)
{
	return &nft->reader->translation->arena;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

const char *nft_keep(struct nft *nft, const char *text)
{
	return arena_text(arena_of(nft), text, strlen(text));
}

const char *nft_text(struct nft *nft, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	char *copy = arena_text(arena_of(nft), text ? text : "",
				text ? strlen(text) : 0);

	free(text);
	return copy;
}

static unsigned int families_of(const char *family)
{
	if (!strcmp(family, "ip"))
		return FAMILY_4;
	if (!strcmp(family, "ip6"))
		return FAMILY_6;
	return strcmp(family, "inet") ? 0 : FAMILY_BOTH;
}

struct nft_chain *nft_find_chain(const struct nft *nft, const char *family,
				 const char *table, const char *name)
{
	size_t i;

	for (i = 0; i < nft->count; i++)
		if (!strcmp(nft->chains[i].name, name) &&
		    !strcmp(nft->chains[i].table, table) &&
		    !strcmp(nft->chains[i].family, family))
			return &nft->chains[i];
	return NULL;
}

json_t *nft_set(const struct nft_rule *rule, const char *name, const char *kind)
{
	json_t *object, *set;
	size_t i;

	json_array_foreach(rule->nft->objects, i, object) {
		set = json_object_get(object, kind);
		if (set && !strcmp(string_of(set, "name"), name) &&
		    !strcmp(string_of(set, "table"), rule->chain->table) &&
		    !strcmp(string_of(set, "family"), rule->chain->family))
			return set;
	}
	return NULL;
}

/* Is the table switched off? */
static bool is_dormant(const struct nft *nft, const json_t *chain)
{
	json_t *object, *table, *flags;
	const char *text;
	size_t i;

	json_array_foreach(nft->objects, i, object) {
		table = json_object_get(object, "table");
		if (!table || strcmp(string_of(table, "name"),
				     string_of(chain, "table")) ||
		    strcmp(string_of(table, "family"),
			   string_of(chain, "family")))
			continue;
		flags = json_object_get(table, "flags");
		if (json_is_array(flags))
			flags = json_array_get(flags, 0);
		text = json_string_value(flags);
		return text && !strcmp(text, "dormant");
	}
	return false;
}

static void set_place(struct nft *nft, const char *what, const json_t *object,
		      const char *chain)
{
	json_int_t handle = json_integer_value(json_object_get(object, "handle"));
	struct place *place = &nft->reader->place;

	place->number++;
	place->name = arena_printf(arena_of(nft), "%s %s %s %s handle %lld",
				   what, string_of(object, "family"),
				   string_of(object, "table"), chain,
				   (long long)handle);
	place->text = NULL;
}

static void add_base(struct nft *nft, struct nft_chain *chain, json_t *object)
{
	static const char *const hooks[] = {
		[NATTY_CHAIN_PREROUTING] = "prerouting",
		[NATTY_CHAIN_POSTROUTING] = "postrouting",
		[NATTY_CHAIN_OUTPUT] = "output",
		[NATTY_CHAIN_INPUT] = "input",
		NULL
	};
	struct translation *tr = nft->reader->translation;
	int hook = name_find(hooks, string_of(object, "hook"));

	if (hook < 0 || !chain->families || is_dormant(nft, object))
		return;
	chain->used = true;
	translate_base(tr, hook, chain->chain, chain->families,
		       json_integer_value(json_object_get(object, "prio")));
	if (strcmp(string_of(object, "policy"), "accept"))
		translate_problem(tr, &nft->reader->place,
				  "policy %s: chains of natty end with accept",
				  string_of(object, "policy"));
}

static void read_chain(struct nft *nft, json_t *object)
{
	const char *name = nft_keep(nft, string_of(object, "name"));
	struct nft_chain *chain;

	set_place(nft, "chain", object, name);
	nft->chains = arena_grow(arena_of(nft), nft->chains, nft->count,
				 sizeof(*nft->chains));
	chain = &nft->chains[nft->count++];
	*chain = (struct nft_chain){
		.family = string_of(object, "family"),
		.table = string_of(object, "table"),
		.name = name,
		.families = families_of(string_of(object, "family")),
		.hook = string_of(object, "hook"),
		.priority = json_integer_value(json_object_get(object, "prio")),
		.chain = tchain_new(nft->reader, name),
	};
	if (!strcmp(string_of(object, "type"), "nat"))
		add_base(nft, chain, object);
}

static void read_rules(struct nft *nft, const struct nft_chain *chain)
{
	json_t *object, *rule;
	size_t i;

	json_array_foreach(nft->objects, i, object) {
		rule = json_object_get(object, "rule");
		if (!rule || strcmp(string_of(rule, "chain"), chain->name) ||
		    strcmp(string_of(rule, "table"), chain->table) ||
		    strcmp(string_of(rule, "family"), chain->family))
			continue;
		set_place(nft, "rule", rule, chain->name);
		nft->reader->place.text =
			nft_text(nft, json_object_get(rule, "expr"));
		nft_rule(nft, chain, rule);
	}
}

/* Chains of a nat hook, and those that their rules jump to. */
static void read_used(struct nft *nft)
{
	bool more = true;
	size_t i;

	while (more) {
		more = false;
		for (i = 0; i < nft->count; i++) {
			if (!nft->chains[i].used || nft->chains[i].read)
				continue;
			nft->chains[i].read = true;
			more = true;
			read_rules(nft, &nft->chains[i]);
		}
	}
}

/* Does one of the statements give packets a mark? */
static bool is_marking(const json_t *statements)
{
	json_t *statement, *key;
	const char *name;
	size_t i;

	json_array_foreach(statements, i, statement) {
		key = json_object_get(json_object_get(statement, "mangle"), "key");
		name = string_of(json_object_get(key, "meta"), "key");
		if (!strcmp(name, "mark"))
			return true;
		name = string_of(json_object_get(statement, "xt"), "name");
		if (!strcmp(name, "MARK") || !strcmp(name, "CONNMARK"))
			return true;
	}
	return false;
}

/* Who sets marks of what arrives: before natty, behind it, or nobody can tell. */
static void read_marks(struct nft *nft)
{
	struct translation *tr = nft->reader->translation;
	const struct nft_chain *chain;
	json_t *object, *rule;
	size_t i;

	json_array_foreach(nft->objects, i, object) {
		rule = json_object_get(object, "rule");
		if (!rule || !is_marking(json_object_get(rule, "expr")))
			continue;
		chain = nft_find_chain(nft, string_of(rule, "family"),
				       string_of(rule, "table"),
				       string_of(rule, "chain"));
		if (!chain)
			continue;
		if (!strcmp(chain->hook, "ingress"))
			translate_marks(tr, FAMILY_BOTH, true);
		else if (!strcmp(chain->hook, "prerouting"))
			translate_marks(tr, chain->families,
					chain->priority < PRI_NATTY);
		else if (!chain->hook[0])
			translate_marks(tr, chain->families, false);
	}
}

static void tell_unused(struct nft *nft)
{
	struct translation *tr = nft->reader->translation;
	size_t i, n = 0;

	/* Chains of a table stand together. */
	for (i = 0; i < nft->count; i++) {
		struct nft_chain *chain = &nft->chains[i];

		n += !chain->used;
		if (i + 1 < nft->count &&
		    !strcmp(chain[1].table, chain->table) &&
		    !strcmp(chain[1].family, chain->family))
			continue;
		if (n)
			translate_comment(tr, arena_printf(&tr->arena,
							   "%s: table %s %s: chains left as they are, as no hook of nat leads there: %zu",
							   nft->reader->place.file,
							   chain->family,
							   chain->table, n));
		n = 0;
	}
}

static void read_objects(struct nft *nft)
{
	json_t *object, *chain;
	size_t i;

	json_array_foreach(nft->objects, i, object) {
		chain = json_object_get(object, "chain");
		if (chain)
			read_chain(nft, chain);
	}
	read_used(nft);
	read_marks(nft);
	tell_unused(nft);
}

void translate_nft(struct reader *reader, char *text, size_t len)
{
	struct nft nft = { .reader = reader };
	struct place *place = &reader->place;
	json_error_t error;
	json_t *root;

	root = json_loadb(text, len, 0, &error);
	place->number++;
	place->name = NULL;
	place->text = NULL;
	place->line = 0;
	nft.objects = json_object_get(root, "nftables");
	if (!root) {
		place->line = error.line > 0 ? error.line : 0;
		translate_problem(reader->translation, place, "no JSON: %s",
				  error.text);
		place->line = 0;
	} else if (!json_is_array(nft.objects)) {
		translate_problem(reader->translation, place,
				  "not what nft -j list ruleset prints");
	} else {
		read_objects(&nft);
	}
	json_decref(root);
}
