// SPDX-License-Identifier: GPL-2.0
/* The model as JSON. */
#include <stdlib.h>
#include <string.h>

#include "print_json.h"
#include "value.h"

/* Names in a configuration may be any bytes, JSON strings are UTF-8 only. */
static json_t *string(const char *text)
{
	json_t *value = json_string(text);
	char clean[4 * WORD_MAX];
	size_t i;

	if (value)
		return value;
	for (i = 0; text[i] && i < sizeof(clean) - 1; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	clean[i] = '\0';
	return json_string(clean);
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new_nocheck(object, key, value);
}

static void set_string(json_t *object, const char *key, const char *text)
{
	set(object, key, string(text));
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
	set(object, key, json_integer(number));
}

static void set_addr(json_t *object, const char *key, const struct addr *addr)
{
	char text[VALUE_TEXT];

	set(object, key, json_string_nocheck(text_addr(text, addr)));
}

static void set_prefix(json_t *object, const char *key,
		       const struct prefix *prefix)
{
	char text[VALUE_TEXT];

	if (prefix->addr.len)
		set_string(object, key, text_prefix(text, prefix));
}

static void set_proto(json_t *object, uint8_t proto)
{
	char text[VALUE_TEXT];

	set(object, "proto", json_string_nocheck(text_proto(text, proto)));
}

static void set_ports(json_t *object, const char *key,
		      const struct port_range *ports)
{
	json_t *range;

	if (!ports->set)
		return;
	range = json_object();
	set_number(range, "min", ports->min);
	set_number(range, "max", ports->max);
	if (ports->base)
		set_number(range, "base", ports->base);
	set(object, key, range);
}

static json_t *addr_range(const struct addr_range *range)
{
	json_t *value = json_object();

	set_addr(value, "min", &range->min);
	set_addr(value, "max", &range->max);
	return value;
}

/* The names of the bits of @flags, as an array. */
static json_t *flag_array(const char *const *names, uint32_t flags)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; names[i]; i++)
		if (flags & 1U << i)
			json_array_append_new(array,
					      json_string_nocheck(names[i]));
	return array;
}

json_t *json_setting(const struct setting *setting)
{
	json_t *value = json_object();
	uint32_t number;

	set_string(value, "key", setting->key);
	if (value_number(setting->value, UINT32_MAX, &number))
		set_string(value, "value", setting->value);
	else
		set_number(value, "value", number);
	set(value, "explicit", json_boolean(setting->explicit));
	if (setting->range[0])
		set_string(value, "range", setting->range);
	return value;
}

json_t *json_pool(const struct pool *pool)
{
	json_t *value = json_object();
	json_t *ranges = json_array();
	size_t i;

	set_string(value, "name", pool->name);
	for (i = 0; i < pool->count; i++)
		json_array_append_new(ranges,
				      addr_range(&pool->ranges[i].addr));
	set(value, "ranges", ranges);
	set_ports(value, "ports", &pool->ports);
	return value;
}

json_t *json_forward(const struct forward *forward)
{
	json_t *value = json_object();
	json_t *ext = json_object();
	json_t *internal = json_object();

	set_proto(value, forward->proto);
	set_addr(ext, "address", &forward->ext_addr);
	set_number(ext, "port", forward->ext_port);
	set(value, "external", ext);
	set_addr(internal, "address", &forward->int_addr);
	set_number(internal, "port", forward->int_port);
	set(value, "internal", internal);
	return value;
}

static void set_matches(json_t *value, const struct rule *rule)
{
	if (rule->iif[0])
		set_string(value, "iif", rule->iif);
	if (rule->oif[0])
		set_string(value, "oif", rule->oif);
	set_prefix(value, "src", &rule->src);
	set_prefix(value, "dst", &rule->dst);
	if (rule->has_proto)
		set_proto(value, rule->proto);
	set_ports(value, "sport", &rule->sport);
	set_ports(value, "dport", &rule->dport);
	if (rule->has_mark) {
		set_number(value, "mark", rule->mark);
		set_number(value, "mask", rule->mark_mask);
	}
	if (rule->local)
		set(value, "local", flag_array(match_names, rule->local));
	if (rule->invert)
		set(value, "not", flag_array(match_names, rule->invert));
}

json_t *json_rule(const struct rule *rule)
{
	json_t *value = json_object();

	set_number(value, "id", rule->id);
	set_string(value, "chain", name_of(chain_names, rule->chain));
	set_number(value, "position", rule->position);
	set_matches(value, rule);
	set_string(value, "action", name_of(action_names, rule->action));
	if (rule->to.min.len)
		set(value, "addresses", addr_range(&rule->to));
	set_prefix(value, "network", &rule->net);
	set_ports(value, "ports", &rule->ports);
	if (rule->pool[0])
		set_string(value, "pool", rule->pool);
	if (rule->options)
		set(value, "options", flag_array(option_names, rule->options));
	if (rule->mapping >= 0)
		set_string(value, "mapping",
			   name_of(behaviour_names, rule->mapping));
	if (rule->filtering >= 0)
		set_string(value, "filtering",
			   name_of(behaviour_names, rule->filtering));
	set_number(value, "flows", rule->flows);
	return value;
}

static json_t *tuple_json(const struct tuple *tuple)
{
	json_t *value = json_object();

	set_addr(value, "src", &tuple->src);
	set_addr(value, "dst", &tuple->dst);
	if (tuple->has_ports) {
		set_number(value, "sport", tuple->sport);
		set_number(value, "dport", tuple->dport);
	}
	if (tuple->has_id)
		set_number(value, "id", tuple->id);
	return value;
}

json_t *json_conn(const struct conn *conn)
{
	json_t *value = json_object();
	json_t *orig = tuple_json(&conn->orig);
	json_t *reply = tuple_json(&conn->reply);

	set_proto(value, conn->proto);
	if (conn->has_state)
		set_string(value, "state", name_of(state_names, conn->state));
	if (conn->has_expires)
		set_number(value, "expires", conn->expires);
	if (conn->has_counts) {
		set_number(orig, "packets", conn->orig_packets);
		set_number(orig, "bytes", conn->orig_bytes);
		set_number(reply, "packets", conn->reply_packets);
		set_number(reply, "bytes", conn->reply_bytes);
	}
	set(value, "orig", orig);
	set(value, "reply", reply);
	if (conn->has_rule)
		set_number(value, "rule", conn->rule);
	set(value, "flags", flag_array(conn_flag_names, conn->flags));
	return value;
}

json_t *json_mapping(const struct mapping *mapping)
{
	json_t *value = json_forward(&(struct forward){
		.proto = mapping->proto,
		.ext_addr = mapping->ext_addr,
		.ext_port = mapping->ext_port,
		.int_addr = mapping->int_addr,
		.int_port = mapping->int_port,
	});

	set(value, "static", json_boolean(mapping->is_static));
	if (mapping->has_expires)
		set_number(value, "expires", mapping->expires);
	if (mapping->has_connections)
		set_number(value, "connections", mapping->connections);
	if (mapping->filtering >= 0)
		set_string(value, "filtering",
			   name_of(behaviour_names, mapping->filtering));
	return value;
}

json_t *json_status(const struct status *status)
{
	json_t *value = json_object();

	set_string(value, "version", status->version);
	set_string(value, "profile", status->profile);
	set_number(value, "generation", status->generation);
	set_number(value, "rules", status->rules);
	set_number(value, "pools", status->pools);
	set_number(value, "forwards", status->forwards);
	set_number(value, "connections", status->connections);
	set_number(value, "connections_limit", status->connections_limit);
	set_number(value, "mappings", status->mappings);
	set_number(value, "memory", status->memory);
	set(value, "conntrack", json_boolean(status->conntrack));
	set(value, "nf_nat", json_boolean(status->nf_nat));
	return value;
}

json_t *json_stats(const struct stat *stats, size_t count)
{
	json_t *value = json_object();
	json_t *all = json_object();
	json_t *drops = json_object();
	size_t i;

	for (i = 0; i < count; i++) {
		set_number(all, stats[i].name, stats[i].value);
		if (stats[i].drop)
			set_number(drops, stats[i].name, stats[i].value);
	}
	set(value, "stats", all);
	set(value, "drops", drops);
	return value;
}

json_t *json_event(const struct event *event)
{
	static const char *const kinds[] = {
		[EVENT_NEW] = "new",
		[EVENT_END] = "end",
		[EVENT_LIMIT] = "limit",
	};
	json_t *value = json_object();

	set_string(value, "event", kinds[event->kind]);
	if (event->seq)
		set_number(value, "seq", event->seq);
	if (event->kind == EVENT_LIMIT) {
		set_string(value, "name", event->stat.name);
		set_number(value, "value", event->stat.value);
	} else {
		set(value, "connection", json_conn(&event->conn));
	}
	return value;
}

void json_print(json_t *value)
{
	json_dumpf(value, stdout, 0);
	json_decref(value);
}
