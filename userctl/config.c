// SPDX-License-Identifier: GPL-2.0
/* The grammar of statements; natty.conf(5) describes it. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "userctl.h"
#include "value.h"

static const char *const kind_names[] = {
	[STATEMENT_SET] = "set",
	[STATEMENT_POOL] = "pool",
	[STATEMENT_RULE] = "rule",
	[STATEMENT_FORWARD] = "forward",
	NULL
};

/* The next word without taking it, or NULL. */
static const char *peek(const struct source *source)
{
	return source->at < source->count ?
		source->words[source->at].text : NULL;
}

static unsigned int column(const struct source *source)
{
	return source->at < source->count ?
		source->words[source->at].column : source->end;
}

/* Complain about the next word, @format being a whole sentence. */
__printf(2, 3)
static bool complain(struct source *source, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	source_verror(source, source->line, column(source), format, args);
	va_end(args);
	return false;
}

/*
 * Take the next word as @field of a statement. NULL with an error, which says
 * that @what is missing, if there is none.
 */
static const char *take(struct source *source, unsigned int *columns,
			enum field field, const char *what)
{
	const char *word = peek(source);

	if (!word) {
		complain(source, "%s is missing", what);
		return NULL;
	}
	columns[field] = column(source);
	source->at++;
	return word;
}

/* Complain about the word taken last, if there is a reason. */
static bool check(struct source *source, const char *what, const char *word,
		  const char *why)
{
	if (!why)
		return true;
	source->at--;
	return complain(source, "%s %s: %s", what, word, why);
}

static bool take_ports(struct source *source, unsigned int *columns,
		       enum field field, uint16_t lowest,
		       struct port_range *ports)
{
	const char *word = take(source, columns, field, "a port");

	return word && check(source, strchr(word, '-') ? "port range" : "port",
			     word, value_ports(word, lowest, ports));
}

/* ":PORT[-PORT[/BASE]]" if the next word begins with a colon. */
static bool take_colon_ports(struct source *source, unsigned int *columns,
			     struct port_range *ports)
{
	const char *word = peek(source);

	if (!word || word[0] != ':')
		return true;
	take(source, columns, FIELD_PORTS, "a port");
	word++;
	return check(source, strchr(word, '-') ? "port range" : "port", word,
		     value_to_ports(word, ports));
}

static bool take_prefix(struct source *source, unsigned int *columns,
			enum field field, struct prefix *prefix)
{
	const char *word = take(source, columns, field,
				"an address or a network");

	return word && check(source, strchr(word, '/') ? "network" : "address",
			     word, value_prefix(word, prefix));
}

static bool take_iface(struct source *source, unsigned int *columns,
		       enum field field, char *name)
{
	const char *word = take(source, columns, field, "an interface name");

	return word && check(source, "interface", word,
			     value_iface(word, name));
}

static bool take_proto(struct source *source, unsigned int *columns,
		       uint8_t *proto)
{
	const char *word = take(source, columns, FIELD_PROTO, "a protocol");

	return word && check(source, "protocol", word,
			     value_proto(word, proto));
}

static bool take_mark(struct source *source, unsigned int *columns,
		      struct rule *rule)
{
	const char *word = take(source, columns, FIELD_MARK, "a mark");

	return word && check(source, "mark", word,
			     value_mark(word, &rule->mark, &rule->mark_mask));
}

/* Of @match, that on an address, the one on its being this host's, if that follows. */
static uint32_t or_local(const struct source *source, uint32_t match)
{
	const char *word = source->at + 1 < source->count ?
			   source->words[source->at + 1].text : "";

	if (strcmp(word, "local"))
		return match;
	if (match == NATTY_MATCH_SRC)
		return NATTY_MATCH_SRC_LOCAL;
	return match == NATTY_MATCH_DST ? NATTY_MATCH_DST_LOCAL : match;
}

/* The value of a match, its name being taken. */
static bool match_value(struct source *source, unsigned int *columns,
			uint32_t match, struct rule *rule)
{
	switch (match) {
	case NATTY_MATCH_IIF:
		return take_iface(source, columns, FIELD_IIF, rule->iif);
	case NATTY_MATCH_OIF:
		return take_iface(source, columns, FIELD_OIF, rule->oif);
	case NATTY_MATCH_SRC:
		return take_prefix(source, columns, FIELD_SRC, &rule->src);
	case NATTY_MATCH_DST:
		return take_prefix(source, columns, FIELD_DST, &rule->dst);
	case NATTY_MATCH_PROTO:
		rule->has_proto = true;
		return take_proto(source, columns, &rule->proto);
	case NATTY_MATCH_SPORT:
		return take_ports(source, columns, FIELD_SPORT, 0,
				  &rule->sport);
	case NATTY_MATCH_DPORT:
		return take_ports(source, columns, FIELD_DPORT, 0,
				  &rule->dport);
	case NATTY_MATCH_SRC_LOCAL:
	case NATTY_MATCH_DST_LOCAL:
		rule->local |= match;
		return take(source, columns, FIELD_LOCAL, "local");
	default:
		rule->has_mark = true;
		return take_mark(source, columns, rule);
	}
}

/* All matches from here on; the first other word ends them. */
static bool matches(struct source *source, unsigned int *columns,
		    struct rule *rule)
{
	uint32_t seen = 0;
	const char *word;

	while ((word = peek(source))) {
		bool not = !strcmp(word, "not");
		uint32_t match;
		int number;

		if (not) {
			take(source, columns, FIELD_INVERT, "a match");
			word = peek(source);
			if (!word)
				return complain(source,
						"a match is missing after not");
		}
		number = name_find(match_names, word);
		if (number < 0 && !not)
			return true;
		if (number < 0)
			return complain(source, "%s: no match, so not cannot precede it",
					word);
		match = or_local(source, 1U << number);
		if (seen & match)
			return complain(source, "%s: given twice", word);
		seen |= match;
		if (not)
			rule->invert |= match;
		source->at++;
		if (!match_value(source, columns, match, rule))
			return false;
	}
	return true;
}

static bool take_endpoints(struct source *source, unsigned int *columns,
			   struct rule *rule)
{
	const char *word = take(source, columns, FIELD_TO, "an address");

	if (!word)
		return false;
	/* Errors of the kernel about the port concern the same word. */
	columns[FIELD_PORTS] = columns[FIELD_TO];
	return check(source, strchr(word, '-') ? "range" : "address", word,
		     value_endpoints(word, &rule->to, &rule->ports));
}

static bool snat(struct source *source, unsigned int *columns,
		 struct rule *rule)
{
	const char *word = peek(source);

	if (!word || strcmp(word, "pool"))
		return take_endpoints(source, columns, rule);
	source->at++;
	word = take(source, columns, FIELD_POOL, "the name of a pool");
	return word && check(source, "pool", word,
			     value_word(word, rule->pool));
}

static bool take_action(struct source *source, unsigned int *columns,
			struct rule *rule)
{
	const char *word = peek(source);
	int number;

	if (!word)
		return complain(source, "an action is missing, such as masquerade");
	number = name_find(action_names, word);
	if (number < 0)
		return complain(source, "%s: neither a match nor an action",
				word);
	take(source, columns, FIELD_ACTION, "an action");
	rule->action = number;
	switch (rule->action) {
	case NATTY_ACTION_MASQUERADE:
	case NATTY_ACTION_REDIRECT:
		return take_colon_ports(source, columns, &rule->ports);
	case NATTY_ACTION_SNAT:
		return snat(source, columns, rule);
	case NATTY_ACTION_DNAT:
		return take_endpoints(source, columns, rule);
	case NATTY_ACTION_NETMAP:
		return take_prefix(source, columns, FIELD_TO, &rule->net);
	default:
		return true;
	}
}

static bool take_behaviour(struct source *source, unsigned int *columns,
			   enum field field, int *behaviour)
{
	const char *name = source->words[source->at].text;
	const char *word;

	if (*behaviour >= 0)
		return complain(source, "%s: given twice", name);
	source->at++;
	word = take(source, columns, field, "a behaviour");
	if (!word)
		return false;
	*behaviour = name_find(behaviour_names, word);
	return check(source, name, word, *behaviour >= 0 ? NULL :
		     "neither endpoint-independent, address-dependent nor address-and-port-dependent");
}

static bool take_option(struct source *source, unsigned int *columns,
			struct rule *rule)
{
	const char *word = peek(source);
	int number;

	if (!strcmp(word, "mapping"))
		return take_behaviour(source, columns, FIELD_MAPPING,
				      &rule->mapping);
	if (!strcmp(word, "filtering"))
		return take_behaviour(source, columns, FIELD_FILTERING,
				      &rule->filtering);
	number = name_find(option_names, word);
	if (number < 0 && (name_find(match_names, word) >= 0 ||
			   !strcmp(word, "not")))
		return complain(source, "%s: matches stand before the action",
				word);
	if (number < 0)
		return complain(source, "%s: not an option of a rule", word);
	if (rule->options & 1U << number)
		return complain(source, "%s: given twice", word);
	rule->options |= 1U << number;
	take(source, columns, FIELD_OPTIONS, "an option");
	return true;
}

bool config_end(struct source *source)
{
	if (!peek(source))
		return true;
	return complain(source, "%s: one word too many", peek(source));
}

bool config_chain(struct source *source, struct statement *statement)
{
	const char *word = take(source, statement->column, FIELD_CHAIN,
				"a chain");
	int number;

	if (!word)
		return false;
	number = name_find(chain_names, word);
	if (number >= 0)
		statement->rule.chain = number;
	return check(source, "chain", word, number >= 0 ? NULL :
		     "neither prerouting, postrouting, output nor input");
}

bool config_position(struct source *source, struct statement *statement)
{
	struct rule *rule = &statement->rule;
	const char *word = take(source, statement->column, FIELD_POSITION,
				"a position");
	const char *why;

	if (!word)
		return false;
	why = value_number(word, UINT32_MAX, &rule->position);
	if (!why && !rule->position)
		why = "positions count from 1";
	return check(source, "position", word, why);
}

bool config_rule(struct source *source, struct statement *statement)
{
	unsigned int *columns = statement->column;
	struct rule *rule = &statement->rule;

	statement->kind = STATEMENT_RULE;
	rule->mapping = -1;
	rule->filtering = -1;
	if (!columns[FIELD_CHAIN] && !config_chain(source, statement))
		return false;
	if (!matches(source, columns, rule) || !take_action(source, columns, rule))
		return false;
	while (peek(source))
		if (!take_option(source, columns, rule))
			return false;
	return true;
}

bool config_name(struct source *source, struct statement *statement)
{
	const char *word = take(source, statement->column, FIELD_NAME,
				"the name of a pool");

	return word && check(source, "pool", word,
			     value_word(word, statement->pool.name));
}

static int by_address(const void *a, const void *b)
{
	const struct pool_range *one = a, *other = b;

	return memcmp(one->addr.min.bytes, other->addr.min.bytes,
		      sizeof(one->addr.min.bytes));
}

/* Ranges that overlap, of one family: the later word is to blame. */
static bool check_overlap(struct source *source, const struct pool *pool)
{
	size_t i, size = pool->count * sizeof(*pool->ranges);
	struct pool_range *sorted = xrealloc(NULL, size);
	const struct pool_range *later = NULL;
	char text[VALUE_TEXT];

	memcpy(sorted, pool->ranges, size);
	qsort(sorted, pool->count, sizeof(*sorted), by_address);
	for (i = 1; i < pool->count && !later; i++) {
		if (memcmp(sorted[i].addr.min.bytes,
			   sorted[i - 1].addr.max.bytes,
			   sizeof(sorted[i].addr.min.bytes)) > 0)
			continue;
		later = sorted[i].column > sorted[i - 1].column ?
			&sorted[i] : &sorted[i - 1];
	}
	if (later)
		source_error(source, source->line, later->column,
			     "%s: overlaps with another range of the pool",
			     text_addr_range(text, &later->addr));
	free(sorted);
	return !later;
}

static bool check_family(struct source *source, const struct pool *pool)
{
	const struct pool_range *range = &pool->ranges[pool->count - 1];
	char text[VALUE_TEXT];

	if (range->addr.min.len == pool->ranges[0].addr.min.len)
		return true;
	return source_error(source, source->line, range->column,
			    "%s: a pool is either of IPv4 or of IPv6 addresses",
			    text_addr_range(text, &range->addr));
}

bool config_pool(struct source *source, struct statement *statement)
{
	struct pool *pool = &statement->pool;
	struct pool_range range;
	const char *word;

	statement->kind = STATEMENT_POOL;
	if (!config_name(source, statement))
		return false;
	while ((word = peek(source)) && strcmp(word, "ports")) {
		range.column = column(source);
		take(source, statement->column, FIELD_RANGE, "a range");
		if (!check(source, strchr(word, '-') ? "range" : "address",
			   word, value_addr_range(word, &range.addr)))
			return false;
		/* Grown at powers of two, so that no capacity is kept. */
		if (!(pool->count & (pool->count - 1)))
			pool->ranges = xrealloc(pool->ranges, sizeof(range) *
						(pool->count ?
						 pool->count * 2 : 1));
		pool->ranges[pool->count++] = range;
		if (!check_family(source, pool))
			return false;
	}
	if (!pool->count)
		return complain(source, "an address or a range is missing");
	if (!check_overlap(source, pool))
		return false;
	if (!word)
		return true;
	source->at++;
	return take_ports(source, statement->column, FIELD_PORTS, 1,
			  &pool->ports) && config_end(source);
}

/* PROTO ADDR:PORT, what a forward is known by. */
bool config_external(struct source *source, struct statement *statement)
{
	struct forward *forward = &statement->forward;
	const char *word;

	statement->kind = STATEMENT_FORWARD;
	if (!take_proto(source, statement->column, &forward->proto))
		return false;
	word = take(source, statement->column, FIELD_EXT,
		    "the external address and port");
	return word && check(source, "endpoint", word,
			     value_endpoint(word, &forward->ext_addr,
					    &forward->ext_port));
}

bool config_forward(struct source *source, struct statement *statement)
{
	struct forward *forward = &statement->forward;
	const char *word;

	if (!config_external(source, statement))
		return false;
	word = take(source, statement->column, FIELD_INT,
		    "the internal address and port");
	return word && check(source, "endpoint", word,
			     value_endpoint(word, &forward->int_addr,
					    &forward->int_port)) &&
	       config_end(source);
}

bool config_setting(struct source *source, struct statement *statement)
{
	struct setting *setting = &statement->setting;
	const char *word;

	statement->kind = STATEMENT_SET;
	word = take(source, statement->column, FIELD_KEY, "a key");
	if (!word || !check(source, "key", word,
			    value_word(word, setting->key)))
		return false;
	word = take(source, statement->column, FIELD_VALUE, "a value");
	if (!word)
		return false;
	if (!strcmp(word, "default"))
		return config_end(source);
	return check(source, "value", word,
		     value_word(word, setting->value)) && config_end(source);
}

bool config_statement(struct source *source, struct statement *statement)
{
	const char *word;

	memset(statement, 0, sizeof(*statement));
	statement->line = source->line;
	word = take(source, statement->column, FIELD_STATEMENT, "a statement");
	if (!word)
		return false;
	switch (name_find(kind_names, word)) {
	case STATEMENT_SET:
		return config_setting(source, statement);
	case STATEMENT_POOL:
		return config_pool(source, statement);
	case STATEMENT_RULE:
		return config_rule(source, statement);
	case STATEMENT_FORWARD:
		return config_forward(source, statement);
	default:
		return check(source, "statement", word,
			     "neither set, pool, rule nor forward");
	}
}

bool config_filter(struct source *source, struct filter *filter)
{
	static const uint32_t foreign = NATTY_MATCH_IIF | NATTY_MATCH_OIF |
					NATTY_MATCH_MARK;
	size_t start = source->at;

	memset(filter, 0, sizeof(*filter));
	/* Say why before anything is said about the value. */
	for (; source->at < source->count; source->at++) {
		int number = name_find(match_names, peek(source));

		if (number >= 0 && foreign & 1U << number)
			return complain(source, "%s: connections keep no interface and no mark",
					peek(source));
	}
	source->at = start;
	if (!matches(source, filter->column, &filter->match))
		return false;
	if (filter->match.local)
		return complain(source, "local: connections are selected by addresses");
	if (peek(source))
		return complain(source, "%s: not one of src, dst, proto, sport and dport",
				peek(source));
	return true;
}
