// SPDX-License-Identifier: GPL-2.0
/* The model as text. */
#include <inttypes.h>
#include <string.h>

#include "print.h"
#include "print_json.h"
#include "userctl.h"
#include "value.h"

bool json_output;

void print_setting(FILE *file, const struct setting *setting)
{
	fprintf(file, "set %s %s", setting->key,
		setting->value[0] ? setting->value : "default");
}

void print_pool(FILE *file, const struct pool *pool)
{
	char text[VALUE_TEXT];
	size_t i;

	fprintf(file, "pool %s", pool->name);
	for (i = 0; i < pool->count; i++)
		fprintf(file, " %s",
			text_addr_range(text, &pool->ranges[i].addr));
	if (pool->ports.set)
		fprintf(file, " ports %s", text_ports(text, &pool->ports));
}

void print_forward(FILE *file, const struct forward *forward)
{
	char proto[VALUE_TEXT], ext[VALUE_TEXT], internal[VALUE_TEXT];

	fprintf(file, "forward %s %s %s", text_proto(proto, forward->proto),
		text_endpoint(ext, &forward->ext_addr, forward->ext_port),
		text_endpoint(internal, &forward->int_addr,
			      forward->int_port));
}

static void print_match(FILE *file, const struct rule *rule, uint32_t match,
			const char *name, const char *value)
{
	fprintf(file, "%s %s %s", rule->invert & match ? " not" : "", name,
		value);
}

static void print_matches(FILE *file, const struct rule *rule)
{
	char text[VALUE_TEXT];

	if (rule->iif[0])
		print_match(file, rule, NATTY_MATCH_IIF, "iif", rule->iif);
	if (rule->oif[0])
		print_match(file, rule, NATTY_MATCH_OIF, "oif", rule->oif);
	if (rule->src.addr.len)
		print_match(file, rule, NATTY_MATCH_SRC, "src",
			    text_prefix(text, &rule->src));
	if (rule->dst.addr.len)
		print_match(file, rule, NATTY_MATCH_DST, "dst",
			    text_prefix(text, &rule->dst));
	if (rule->local & NATTY_MATCH_SRC_LOCAL)
		print_match(file, rule, NATTY_MATCH_SRC_LOCAL, "src", "local");
	if (rule->local & NATTY_MATCH_DST_LOCAL)
		print_match(file, rule, NATTY_MATCH_DST_LOCAL, "dst", "local");
	if (rule->has_proto)
		print_match(file, rule, NATTY_MATCH_PROTO, "proto",
			    text_proto(text, rule->proto));
	if (rule->sport.set)
		print_match(file, rule, NATTY_MATCH_SPORT, "sport",
			    text_ports(text, &rule->sport));
	if (rule->dport.set)
		print_match(file, rule, NATTY_MATCH_DPORT, "dport",
			    text_ports(text, &rule->dport));
	if (rule->has_mark) {
		snprintf(text, sizeof(text), rule->mark_mask == UINT32_MAX ?
			 "0x%" PRIx32 : "0x%" PRIx32 "/0x%" PRIx32,
			 rule->mark, rule->mark_mask);
		print_match(file, rule, NATTY_MATCH_MARK, "mark", text);
	}
}

static void print_action(FILE *file, const struct rule *rule)
{
	char text[VALUE_TEXT];

	fprintf(file, " %s", name_of(action_names, rule->action));
	if (rule->pool[0])
		fprintf(file, " pool %s", rule->pool);
	else if (rule->net.addr.len)
		fprintf(file, " %s", text_prefix(text, &rule->net));
	else if (rule->to.min.len)
		fprintf(file, " %s", text_endpoints(text, &rule->to,
						    &rule->ports));
	else if (rule->ports.set)
		fprintf(file, " :%s", text_ports(text, &rule->ports));
}

void print_rule(FILE *file, const struct rule *rule)
{
	unsigned int i;

	fprintf(file, "rule %s", name_of(chain_names, rule->chain));
	print_matches(file, rule);
	print_action(file, rule);
	for (i = 0; option_names[i]; i++)
		if (rule->options & 1U << i)
			fprintf(file, " %s", option_names[i]);
	if (rule->mapping >= 0)
		fprintf(file, " mapping %s",
			name_of(behaviour_names, rule->mapping));
	if (rule->filtering >= 0)
		fprintf(file, " filtering %s",
			name_of(behaviour_names, rule->filtering));
}

/* Lists and shows: one of two forms. */

static bool list_started;

void list_begin(const char *name)
{
	if (!json_output)
		return;
	printf("{\"%s\": [", name);
	list_started = false;
}

void list_next(const char *name)
{
	if (!json_output)
		return;
	printf("%s], \"%s\": [", list_started ? "\n" : "", name);
	list_started = false;
}

void list_end(void)
{
	if (json_output)
		printf("%s]}\n", list_started ? "\n" : "");
}

static void list_json(json_t *item)
{
	fputs(list_started ? ",\n  " : "\n  ", stdout);
	list_started = true;
	json_print(item);
}

void list_setting(const struct setting *setting)
{
	if (json_output) {
		list_json(json_setting(setting));
		return;
	}
	printf("%s %s  # %s", setting->key, setting->value,
	       setting->explicit ? "set" : "implied");
	if (setting->range[0])
		printf("; %s", setting->range);
	putchar('\n');
}

static void list_pool(const struct pool *pool)
{
	if (json_output) {
		list_json(json_pool(pool));
		return;
	}
	print_pool(stdout, pool);
	putchar('\n');
}

static void list_rule(const struct rule *rule)
{
	if (json_output) {
		list_json(json_rule(rule));
		return;
	}
	print_rule(stdout, rule);
	printf("  # position %" PRIu32 ", id %" PRIu32 ", flows %" PRIu64
	       "\n", rule->position, rule->id, rule->flows);
}

static void list_forward(const struct forward *forward)
{
	if (json_output) {
		list_json(json_forward(forward));
		return;
	}
	print_forward(stdout, forward);
	putchar('\n');
}

void list_statement(const struct statement *statement)
{
	switch (statement->kind) {
	case STATEMENT_SET:
		list_setting(&statement->setting);
		break;
	case STATEMENT_POOL:
		list_pool(&statement->pool);
		break;
	case STATEMENT_RULE:
		list_rule(&statement->rule);
		break;
	default:
		list_forward(&statement->forward);
	}
}

/*
 * Lines of connections are put together by hand: there may be millions, and
 * printf() would be most of what their list costs.
 */
#define LINE_TEXT	1024

static char *add_number(char *at, const char *name, uint64_t number)
{
	return text_number(stpcpy(at, name), number);
}

static char *add_tuple(char *at, const struct tuple *tuple)
{
	char text[VALUE_TEXT];

	at = stpcpy(stpcpy(at, " src="), text_addr(text, &tuple->src));
	at = stpcpy(stpcpy(at, " dst="), text_addr(text, &tuple->dst));
	if (tuple->has_ports) {
		at = add_number(at, " sport=", tuple->sport);
		at = add_number(at, " dport=", tuple->dport);
	}
	return tuple->has_id ? add_number(at, " id=", tuple->id) : at;
}

static char *add_counts(char *at, const struct conn *conn, uint64_t packets,
			uint64_t bytes)
{
	if (!conn->has_counts)
		return at;
	at = add_number(at, " packets=", packets);
	return add_number(at, " bytes=", bytes);
}

static void print_conn(const struct conn *conn)
{
	char line[LINE_TEXT], text[VALUE_TEXT], *at = line;

	at = stpcpy(at, text_proto(text, conn->proto));
	at = add_number(at, " ", conn->proto);
	if (conn->has_expires)
		at = add_number(at, " ", conn->expires);
	if (conn->has_state)
		at = stpcpy(stpcpy(at, " "), name_of(state_names, conn->state));
	at = add_tuple(at, &conn->orig);
	at = add_counts(at, conn, conn->orig_packets, conn->orig_bytes);
	if (!(conn->flags & NATTY_CONN_FLAG_REPLIED))
		at = stpcpy(at, " [unreplied]");
	at = add_tuple(at, &conn->reply);
	at = add_counts(at, conn, conn->reply_packets, conn->reply_bytes);
	if (!(conn->flags & (NATTY_CONN_FLAG_SOURCE |
			     NATTY_CONN_FLAG_DESTINATION)))
		at = stpcpy(at, " [untranslated]");
	if (conn->flags & NATTY_CONN_FLAG_INBOUND)
		at = stpcpy(at, " [inbound]");
	if (conn->flags & NATTY_CONN_FLAG_UNCONFIRMED)
		at = stpcpy(at, " [unconfirmed]");
	if (conn->has_rule)
		at = add_number(at, " rule=", conn->rule);
	puts(line);
}

void list_conn(const struct conn *conn)
{
	if (json_output)
		list_json(json_conn(conn));
	else
		print_conn(conn);
}

void list_mapping(const struct mapping *mapping)
{
	char proto[VALUE_TEXT], ext[VALUE_TEXT], internal[VALUE_TEXT];

	if (json_output) {
		list_json(json_mapping(mapping));
		return;
	}
	printf("%s %u", text_proto(proto, mapping->proto), mapping->proto);
	if (mapping->is_static)
		printf(" static");
	else if (mapping->has_expires)
		printf(" %" PRIu32, mapping->expires);
	printf(" internal=%s external=%s",
	       text_endpoint(internal, &mapping->int_addr, mapping->int_port),
	       text_endpoint(ext, &mapping->ext_addr, mapping->ext_port));
	if (mapping->has_connections)
		printf(" connections=%" PRIu32, mapping->connections);
	if (mapping->filtering >= 0)
		printf(" filtering=%s",
		       name_of(behaviour_names, mapping->filtering));
	putchar('\n');
}

void show_status(const struct status *status)
{
	if (json_output) {
		json_print(json_status(status));
		putchar('\n');
		return;
	}
	printf("version      %s\n", status->version);
	printf("profile      %s\n", status->profile);
	printf("generation   %" PRIu32 "\n", status->generation);
	printf("rules        %" PRIu32 "\n", status->rules);
	printf("pools        %" PRIu32 "\n", status->pools);
	printf("forwards     %" PRIu32 "\n", status->forwards);
	printf("connections  %" PRIu32 " of %" PRIu32 "\n",
	       status->connections, status->connections_limit);
	printf("mappings     %" PRIu32 "\n", status->mappings);
	printf("memory       %" PRIu64 "\n", status->memory);
	printf("conntrack    %s\n",
	       status->conntrack ? "active" : "not active");
	printf("nf_nat       %s\n", status->nf_nat ?
	       "ACTIVE here too: both translate the same packets" :
	       "not active");
}

void show_stats(const struct stat *stats, size_t count)
{
	int width = 0;
	size_t i;

	if (json_output) {
		json_print(json_stats(stats, count));
		putchar('\n');
		return;
	}
	for (i = 0; i < count; i++)
		if ((int)strlen(stats[i].name) > width)
			width = strlen(stats[i].name);
	for (i = 0; i < count; i++)
		printf("%-*s %" PRIu64 "%s\n", width, stats[i].name,
		       stats[i].value, stats[i].drop ? "  drop" : "");
}

void show_number(const char *name, uint64_t number)
{
	if (json_output)
		printf("{\"%s\": %" PRIu64 "}\n", name, number);
	else
		printf("%" PRIu64 "\n", number);
}

void show_event(const struct event *event)
{
	if (json_output) {
		json_print(json_event(event));
		putchar('\n');
	} else if (event->kind == EVENT_LIMIT) {
		printf("limit %s %" PRIu64 "\n", event->stat.name,
		       event->stat.value);
	} else {
		printf(event->kind == EVENT_NEW ? "new " : "end ");
		print_conn(&event->conn);
	}
	fflush(stdout);
}

void show_lost(uint64_t count)
{
	if (json_output)
		printf(count ? "{\"event\": \"lost\", \"count\": %" PRIu64
		       "}\n" : "{\"event\": \"lost\"}\n", count);
	else if (count)
		printf("lost %" PRIu64 " events\n", count);
	else
		printf("lost events\n");
	fflush(stdout);
}
