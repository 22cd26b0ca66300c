// SPDX-License-Identifier: GPL-2.0
/* Answers and events. A message of a newer module may hold more: skip that. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl_msg.h"
#include "userctl.h"

/* Numbers by their length, as kernels widen them in time. */
static uint64_t get_number(const struct nlattr *attr)
{
	uint64_t number = 0;
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (len) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 2:
		return mnl_attr_get_u16(attr);
	case 4:
		return mnl_attr_get_u32(attr);
	case 8:
		/* Such attributes are aligned to four bytes only. */
		memcpy(&number, mnl_attr_get_payload(attr), sizeof(number));
		return number;
	default:
		return 0;
	}
}

static void get_string(const struct nlattr *attr, char *text, size_t size)
{
	size_t len = strnlen(mnl_attr_get_payload(attr),
			     mnl_attr_get_payload_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(text, mnl_attr_get_payload(attr), len);
	text[len] = '\0';
}

static void get_addr(const struct nlattr *attr, struct addr *addr)
{
	uint16_t len = mnl_attr_get_payload_len(attr);

	if (len != 4 && len != 16)
		return;
	memset(addr, 0, sizeof(*addr));
	addr->len = len;
	memcpy(addr->bytes, mnl_attr_get_payload(attr), len);
}

static void get_port_min(const struct nlattr *attr, struct port_range *ports)
{
	ports->min = get_number(attr);
	/* The highest follows, unless it is the same. */
	ports->max = ports->min;
	ports->set = true;
}

#define for_each(attr, nlh) \
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))

void msg_get_status(const struct nlmsghdr *nlh, struct status *status)
{
	const struct nlattr *attr;

	memset(status, 0, sizeof(*status));
	for_each(attr, nlh) {
		uint64_t number = get_number(attr);

		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_STATUS_VERSION:
			get_string(attr, status->version,
				   sizeof(status->version));
			break;
		case NATTY_A_STATUS_PROFILE:
			get_string(attr, status->profile,
				   sizeof(status->profile));
			break;
		case NATTY_A_STATUS_GENERATION:
			status->generation = number;
			break;
		case NATTY_A_STATUS_RULES:
			status->rules = number;
			break;
		case NATTY_A_STATUS_POOLS:
			status->pools = number;
			break;
		case NATTY_A_STATUS_FORWARDS:
			status->forwards = number;
			break;
		case NATTY_A_STATUS_CONNECTIONS:
			status->connections = number;
			break;
		case NATTY_A_STATUS_CONNECTIONS_LIMIT:
			status->connections_limit = number;
			break;
		case NATTY_A_STATUS_MAPPINGS:
			status->mappings = number;
			break;
		case NATTY_A_STATUS_MEMORY:
			status->memory = number;
			break;
		case NATTY_A_STATUS_NF_NAT:
			status->nf_nat = true;
			break;
		case NATTY_A_STATUS_CONNTRACK:
			status->conntrack = true;
			break;
		}
	}
}

void msg_get_setting(const struct nlmsghdr *nlh, struct setting *setting)
{
	const struct nlattr *attr;

	memset(setting, 0, sizeof(*setting));
	for_each(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_SETTING_KEY:
			get_string(attr, setting->key, sizeof(setting->key));
			break;
		case NATTY_A_SETTING_VALUE:
			get_string(attr, setting->value,
				   sizeof(setting->value));
			break;
		case NATTY_A_SETTING_EXPLICIT:
			setting->explicit = true;
			break;
		case NATTY_A_SETTING_RANGE:
			get_string(attr, setting->range,
				   sizeof(setting->range));
			break;
		}
	}
}

static void get_range(const struct nlattr *nest, struct pool_range *range)
{
	const struct nlattr *attr;

	memset(range, 0, sizeof(*range));
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_RANGE_ADDR_MIN:
			get_addr(attr, &range->addr.min);
			break;
		case NATTY_A_RANGE_ADDR_MAX:
			get_addr(attr, &range->addr.max);
			break;
		}
	}
	if (!range->addr.max.len)
		range->addr.max = range->addr.min;
}

void msg_get_pool(const struct nlmsghdr *nlh, struct pool *pool)
{
	const struct nlattr *attr;
	size_t count = 0;

	memset(pool, 0, sizeof(*pool));
	for_each(attr, nlh)
		if (mnl_attr_get_type(attr) == NATTY_A_POOL_RANGE)
			count++;
	pool->ranges = xrealloc(NULL, (count + 1) * sizeof(*pool->ranges));
	for_each(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_POOL_NAME:
			get_string(attr, pool->name, sizeof(pool->name));
			break;
		case NATTY_A_POOL_RANGE:
			get_range(attr, &pool->ranges[pool->count++]);
			break;
		case NATTY_A_POOL_PORT_MIN:
			get_port_min(attr, &pool->ports);
			break;
		case NATTY_A_POOL_PORT_MAX:
			pool->ports.max = get_number(attr);
			break;
		}
	}
}

static void get_match(const struct nlattr *attr, struct rule *rule)
{
	switch (mnl_attr_get_type(attr)) {
	case NATTY_A_RULE_IIF:
		get_string(attr, rule->iif, sizeof(rule->iif));
		break;
	case NATTY_A_RULE_OIF:
		get_string(attr, rule->oif, sizeof(rule->oif));
		break;
	case NATTY_A_RULE_SRC:
		get_addr(attr, &rule->src.addr);
		rule->src.bits = rule->src.addr.len * 8;
		break;
	case NATTY_A_RULE_SRC_LEN:
		rule->src.bits = get_number(attr);
		break;
	case NATTY_A_RULE_DST:
		get_addr(attr, &rule->dst.addr);
		rule->dst.bits = rule->dst.addr.len * 8;
		break;
	case NATTY_A_RULE_DST_LEN:
		rule->dst.bits = get_number(attr);
		break;
	case NATTY_A_RULE_PROTO:
		rule->proto = get_number(attr);
		rule->has_proto = true;
		break;
	case NATTY_A_RULE_SPORT_MIN:
		get_port_min(attr, &rule->sport);
		break;
	case NATTY_A_RULE_SPORT_MAX:
		rule->sport.max = get_number(attr);
		break;
	case NATTY_A_RULE_DPORT_MIN:
		get_port_min(attr, &rule->dport);
		break;
	case NATTY_A_RULE_DPORT_MAX:
		rule->dport.max = get_number(attr);
		break;
	case NATTY_A_RULE_MARK:
		rule->mark = get_number(attr);
		rule->mark_mask = UINT32_MAX;
		rule->has_mark = true;
		break;
	case NATTY_A_RULE_MARK_MASK:
		rule->mark_mask = get_number(attr);
		break;
	case NATTY_A_RULE_LOCAL:
		rule->local = get_number(attr);
		break;
	case NATTY_A_RULE_INVERT:
		rule->invert = get_number(attr);
		break;
	}
}

static void get_rule_rest(const struct nlattr *attr, struct rule *rule)
{
	switch (mnl_attr_get_type(attr)) {
	case NATTY_A_RULE_ID:
		rule->id = get_number(attr);
		break;
	case NATTY_A_RULE_CHAIN:
		rule->chain = get_number(attr);
		break;
	case NATTY_A_RULE_POSITION:
		rule->position = get_number(attr);
		break;
	case NATTY_A_RULE_ACTION:
		rule->action = get_number(attr);
		break;
	case NATTY_A_RULE_ADDR_MIN:
		get_addr(attr, &rule->to.min);
		break;
	case NATTY_A_RULE_ADDR_MAX:
		get_addr(attr, &rule->to.max);
		break;
	case NATTY_A_RULE_ADDR_LEN:
		rule->net.bits = get_number(attr);
		break;
	case NATTY_A_RULE_PORT_MIN:
		get_port_min(attr, &rule->ports);
		break;
	case NATTY_A_RULE_PORT_MAX:
		rule->ports.max = get_number(attr);
		break;
	case NATTY_A_RULE_PORT_BASE:
		rule->ports.base = get_number(attr);
		break;
	case NATTY_A_RULE_POOL:
		get_string(attr, rule->pool, sizeof(rule->pool));
		break;
	case NATTY_A_RULE_OPTIONS:
		rule->options = get_number(attr);
		break;
	case NATTY_A_RULE_MAPPING:
		rule->mapping = get_number(attr);
		break;
	case NATTY_A_RULE_FILTERING:
		rule->filtering = get_number(attr);
		break;
	case NATTY_A_RULE_FLOWS:
		rule->flows = get_number(attr);
		break;
	}
}

void msg_get_rule(const struct nlmsghdr *nlh, struct rule *rule)
{
	const struct nlattr *attr;

	memset(rule, 0, sizeof(*rule));
	rule->mapping = -1;
	rule->filtering = -1;
	rule->net.bits = UINT8_MAX;
	for_each(attr, nlh) {
		get_match(attr, rule);
		get_rule_rest(attr, rule);
	}
	if (rule->action == NATTY_ACTION_NETMAP) {
		rule->net.addr = rule->to.min;
		if (rule->net.bits == UINT8_MAX)
			rule->net.bits = rule->net.addr.len * 8;
		memset(&rule->to, 0, sizeof(rule->to));
	} else if (!rule->to.max.len) {
		rule->to.max = rule->to.min;
	}
}

void msg_get_forward(const struct nlmsghdr *nlh, struct forward *forward)
{
	const struct nlattr *attr;

	memset(forward, 0, sizeof(*forward));
	for_each(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_FORWARD_PROTO:
			forward->proto = get_number(attr);
			break;
		case NATTY_A_FORWARD_EXT_ADDR:
			get_addr(attr, &forward->ext_addr);
			break;
		case NATTY_A_FORWARD_EXT_PORT:
			forward->ext_port = get_number(attr);
			break;
		case NATTY_A_FORWARD_INT_ADDR:
			get_addr(attr, &forward->int_addr);
			break;
		case NATTY_A_FORWARD_INT_PORT:
			forward->int_port = get_number(attr);
			break;
		}
	}
}

static void get_tuple(const struct nlattr *nest, struct tuple *tuple)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_TUPLE_SRC:
			get_addr(attr, &tuple->src);
			break;
		case NATTY_A_TUPLE_DST:
			get_addr(attr, &tuple->dst);
			break;
		case NATTY_A_TUPLE_SPORT:
			tuple->sport = get_number(attr);
			tuple->has_ports = true;
			break;
		case NATTY_A_TUPLE_DPORT:
			tuple->dport = get_number(attr);
			tuple->has_ports = true;
			break;
		case NATTY_A_TUPLE_ID:
			tuple->id = get_number(attr);
			tuple->has_id = true;
			break;
		}
	}
}

void msg_get_conn(const struct nlmsghdr *nlh, struct conn *conn,
		  uint64_t *seq)
{
	const struct nlattr *attr;

	memset(conn, 0, sizeof(*conn));
	for_each(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_CONN_PROTO:
			conn->proto = get_number(attr);
			break;
		case NATTY_A_CONN_STATE:
			conn->state = get_number(attr);
			conn->has_state = true;
			break;
		case NATTY_A_CONN_EXPIRES:
			conn->expires = get_number(attr);
			conn->has_expires = true;
			break;
		case NATTY_A_CONN_ORIG:
			get_tuple(attr, &conn->orig);
			break;
		case NATTY_A_CONN_REPLY:
			get_tuple(attr, &conn->reply);
			break;
		case NATTY_A_CONN_RULE:
			conn->rule = get_number(attr);
			conn->has_rule = true;
			break;
		case NATTY_A_CONN_FLAGS:
			conn->flags = get_number(attr);
			break;
		case NATTY_A_CONN_ORIG_PACKETS:
			conn->orig_packets = get_number(attr);
			conn->has_counts = true;
			break;
		case NATTY_A_CONN_ORIG_BYTES:
			conn->orig_bytes = get_number(attr);
			break;
		case NATTY_A_CONN_REPLY_PACKETS:
			conn->reply_packets = get_number(attr);
			break;
		case NATTY_A_CONN_REPLY_BYTES:
			conn->reply_bytes = get_number(attr);
			break;
		case NATTY_A_CONN_SEQ:
			if (seq)
				*seq = get_number(attr);
			break;
		}
	}
}

void msg_get_mapping(const struct nlmsghdr *nlh, struct mapping *mapping)
{
	const struct nlattr *attr;

	memset(mapping, 0, sizeof(*mapping));
	mapping->filtering = -1;
	for_each(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_MAPPING_PROTO:
			mapping->proto = get_number(attr);
			break;
		case NATTY_A_MAPPING_INT_ADDR:
			get_addr(attr, &mapping->int_addr);
			break;
		case NATTY_A_MAPPING_INT_PORT:
			mapping->int_port = get_number(attr);
			break;
		case NATTY_A_MAPPING_EXT_ADDR:
			get_addr(attr, &mapping->ext_addr);
			break;
		case NATTY_A_MAPPING_EXT_PORT:
			mapping->ext_port = get_number(attr);
			break;
		case NATTY_A_MAPPING_EXPIRES:
			mapping->expires = get_number(attr);
			mapping->has_expires = true;
			break;
		case NATTY_A_MAPPING_CONNECTIONS:
			mapping->connections = get_number(attr);
			mapping->has_connections = true;
			break;
		case NATTY_A_MAPPING_FILTERING:
			mapping->filtering = get_number(attr);
			break;
		case NATTY_A_MAPPING_STATIC:
			mapping->is_static = true;
			break;
		}
	}
}

void msg_get_stat(const struct nlmsghdr *nlh, struct stat *stat)
{
	const struct nlattr *attr;

	*stat = (struct stat){ .name = "?" };
	for_each(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case NATTY_A_STAT_NAME:
			if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
				stat->name = mnl_attr_get_str(attr);
			break;
		case NATTY_A_STAT_VALUE:
			stat->value = get_number(attr);
			break;
		case NATTY_A_STAT_DROP:
			stat->drop = true;
			break;
		}
	}
}

uint32_t msg_get_count(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	for_each(attr, nlh)
		if (mnl_attr_get_type(attr) == NATTY_A_CONN_COUNT)
			return get_number(attr);
	return 0;
}
