// SPDX-License-Identifier: GPL-2.0
/* Requests, and which word of a statement an attribute of one came from. */
#include <string.h>

#include "nl_msg.h"

static void put_addr(struct nlmsghdr *nlh, uint16_t type,
		     const struct addr *addr)
{
	mnl_attr_put(nlh, type, addr->len, addr->bytes);
}

/* A single value stands for a range of one. */
static void put_addr_range(struct nlmsghdr *nlh, uint16_t min, uint16_t max,
			   const struct addr_range *range)
{
	if (!range->min.len)
		return;
	put_addr(nlh, min, &range->min);
	if (memcmp(&range->min, &range->max, sizeof(range->min)))
		put_addr(nlh, max, &range->max);
}

static void put_ports(struct nlmsghdr *nlh, uint16_t min, uint16_t max,
		      const struct port_range *ports)
{
	if (!ports->set)
		return;
	mnl_attr_put_u16(nlh, min, ports->min);
	if (ports->max != ports->min)
		mnl_attr_put_u16(nlh, max, ports->max);
}

static void put_prefix(struct nlmsghdr *nlh, uint16_t addr, uint16_t len,
		       const struct prefix *prefix)
{
	if (!prefix->addr.len)
		return;
	put_addr(nlh, addr, &prefix->addr);
	mnl_attr_put_u8(nlh, len, prefix->bits);
}

/* The matches that a filter has, too. */
static void put_matches(struct nlmsghdr *nlh, const struct rule *rule)
{
	put_prefix(nlh, NATTY_A_RULE_SRC, NATTY_A_RULE_SRC_LEN, &rule->src);
	put_prefix(nlh, NATTY_A_RULE_DST, NATTY_A_RULE_DST_LEN, &rule->dst);
	if (rule->has_proto)
		mnl_attr_put_u8(nlh, NATTY_A_RULE_PROTO, rule->proto);
	put_ports(nlh, NATTY_A_RULE_SPORT_MIN, NATTY_A_RULE_SPORT_MAX,
		  &rule->sport);
	put_ports(nlh, NATTY_A_RULE_DPORT_MIN, NATTY_A_RULE_DPORT_MAX,
		  &rule->dport);
	if (rule->invert)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_INVERT, rule->invert);
}

static void put_rule(struct nlmsghdr *nlh, const struct rule *rule)
{
	mnl_attr_put_u32(nlh, NATTY_A_RULE_CHAIN, rule->chain);
	if (rule->position)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_POSITION, rule->position);
	if (rule->iif[0])
		mnl_attr_put_strz(nlh, NATTY_A_RULE_IIF, rule->iif);
	if (rule->oif[0])
		mnl_attr_put_strz(nlh, NATTY_A_RULE_OIF, rule->oif);
	put_matches(nlh, rule);
	if (rule->has_mark) {
		mnl_attr_put_u32(nlh, NATTY_A_RULE_MARK, rule->mark);
		mnl_attr_put_u32(nlh, NATTY_A_RULE_MARK_MASK,
				 rule->mark_mask);
	}
	if (rule->local)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_LOCAL, rule->local);
	mnl_attr_put_u32(nlh, NATTY_A_RULE_ACTION, rule->action);
	put_addr_range(nlh, NATTY_A_RULE_ADDR_MIN, NATTY_A_RULE_ADDR_MAX,
		       &rule->to);
	put_prefix(nlh, NATTY_A_RULE_ADDR_MIN, NATTY_A_RULE_ADDR_LEN,
		   &rule->net);
	put_ports(nlh, NATTY_A_RULE_PORT_MIN, NATTY_A_RULE_PORT_MAX,
		  &rule->ports);
	if (rule->ports.base)
		mnl_attr_put_u16(nlh, NATTY_A_RULE_PORT_BASE, rule->ports.base);
	if (rule->pool[0])
		mnl_attr_put_strz(nlh, NATTY_A_RULE_POOL, rule->pool);
	if (rule->options)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_OPTIONS, rule->options);
	if (rule->mapping >= 0)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_MAPPING, rule->mapping);
	if (rule->filtering >= 0)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_FILTERING,
				 rule->filtering);
}

static void put_pool(struct nlmsghdr *nlh, const struct pool *pool)
{
	struct nlattr *nest;
	size_t i;

	mnl_attr_put_strz(nlh, NATTY_A_POOL_NAME, pool->name);
	for (i = 0; i < pool->count; i++) {
		nest = mnl_attr_nest_start(nlh, NATTY_A_POOL_RANGE);
		put_addr_range(nlh, NATTY_A_RANGE_ADDR_MIN,
			       NATTY_A_RANGE_ADDR_MAX, &pool->ranges[i].addr);
		mnl_attr_nest_end(nlh, nest);
	}
	put_ports(nlh, NATTY_A_POOL_PORT_MIN, NATTY_A_POOL_PORT_MAX,
		  &pool->ports);
}

void msg_put_external(struct nlmsghdr *nlh, const struct forward *forward)
{
	mnl_attr_put_u8(nlh, NATTY_A_FORWARD_PROTO, forward->proto);
	put_addr(nlh, NATTY_A_FORWARD_EXT_ADDR, &forward->ext_addr);
	mnl_attr_put_u16(nlh, NATTY_A_FORWARD_EXT_PORT, forward->ext_port);
}

static void put_forward(struct nlmsghdr *nlh, const struct forward *forward)
{
	msg_put_external(nlh, forward);
	put_addr(nlh, NATTY_A_FORWARD_INT_ADDR, &forward->int_addr);
	mnl_attr_put_u16(nlh, NATTY_A_FORWARD_INT_PORT, forward->int_port);
}

static void put_setting(struct nlmsghdr *nlh, const struct setting *setting)
{
	mnl_attr_put_strz(nlh, NATTY_A_SETTING_KEY, setting->key);
	if (setting->value[0])
		mnl_attr_put_strz(nlh, NATTY_A_SETTING_VALUE, setting->value);
}

void msg_put_filter(struct nlmsghdr *nlh, const struct filter *filter)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NATTY_A_CONN_FILTER);

	put_matches(nlh, &filter->match);
	mnl_attr_nest_end(nlh, nest);
}

size_t msg_statement_size(const struct statement *statement)
{
	size_t ranges = statement->kind == STATEMENT_POOL ?
			statement->pool.count : 0;

	/* All attributes of a rule at their longest are 400 bytes. */
	return 512 + ranges * 3 * (MNL_ATTR_HDRLEN + 16);
}

uint8_t msg_statement_command(const struct statement *statement)
{
	static const uint8_t commands[] = {
		[STATEMENT_SET] = NATTY_CMD_SETTING_SET,
		[STATEMENT_POOL] = NATTY_CMD_POOL_NEW,
		[STATEMENT_RULE] = NATTY_CMD_RULE_NEW,
		[STATEMENT_FORWARD] = NATTY_CMD_FORWARD_NEW,
	};

	return commands[statement->kind];
}

void msg_put_statement(struct nlmsghdr *nlh,
		       const struct statement *statement)
{
	switch (statement->kind) {
	case STATEMENT_SET:
		put_setting(nlh, &statement->setting);
		break;
	case STATEMENT_POOL:
		put_pool(nlh, &statement->pool);
		break;
	case STATEMENT_RULE:
		put_rule(nlh, &statement->rule);
		break;
	default:
		put_forward(nlh, &statement->forward);
	}
}

/* Words by attribute; 0, FIELD_STATEMENT, for what comes from no word. */

static const uint8_t rule_fields[NATTY_A_RULE_MAX + 1] = {
	[NATTY_A_RULE_CHAIN] = FIELD_CHAIN,
	[NATTY_A_RULE_POSITION] = FIELD_POSITION,
	[NATTY_A_RULE_IIF] = FIELD_IIF,
	[NATTY_A_RULE_OIF] = FIELD_OIF,
	[NATTY_A_RULE_SRC] = FIELD_SRC,
	[NATTY_A_RULE_SRC_LEN] = FIELD_SRC,
	[NATTY_A_RULE_DST] = FIELD_DST,
	[NATTY_A_RULE_DST_LEN] = FIELD_DST,
	[NATTY_A_RULE_PROTO] = FIELD_PROTO,
	[NATTY_A_RULE_SPORT_MIN] = FIELD_SPORT,
	[NATTY_A_RULE_SPORT_MAX] = FIELD_SPORT,
	[NATTY_A_RULE_DPORT_MIN] = FIELD_DPORT,
	[NATTY_A_RULE_DPORT_MAX] = FIELD_DPORT,
	[NATTY_A_RULE_MARK] = FIELD_MARK,
	[NATTY_A_RULE_MARK_MASK] = FIELD_MARK,
	[NATTY_A_RULE_LOCAL] = FIELD_LOCAL,
	[NATTY_A_RULE_INVERT] = FIELD_INVERT,
	[NATTY_A_RULE_ACTION] = FIELD_ACTION,
	[NATTY_A_RULE_ADDR_MIN] = FIELD_TO,
	[NATTY_A_RULE_ADDR_MAX] = FIELD_TO,
	[NATTY_A_RULE_ADDR_LEN] = FIELD_TO,
	[NATTY_A_RULE_PORT_MIN] = FIELD_PORTS,
	[NATTY_A_RULE_PORT_MAX] = FIELD_PORTS,
	[NATTY_A_RULE_PORT_BASE] = FIELD_PORTS,
	[NATTY_A_RULE_POOL] = FIELD_POOL,
	[NATTY_A_RULE_OPTIONS] = FIELD_OPTIONS,
	[NATTY_A_RULE_MAPPING] = FIELD_MAPPING,
	[NATTY_A_RULE_FILTERING] = FIELD_FILTERING,
};

static const uint8_t pool_fields[NATTY_A_RULE_MAX + 1] = {
	[NATTY_A_POOL_NAME] = FIELD_NAME,
	[NATTY_A_POOL_RANGE] = FIELD_RANGE,
	[NATTY_A_POOL_PORT_MIN] = FIELD_PORTS,
	[NATTY_A_POOL_PORT_MAX] = FIELD_PORTS,
};

static const uint8_t forward_fields[NATTY_A_RULE_MAX + 1] = {
	[NATTY_A_FORWARD_PROTO] = FIELD_PROTO,
	[NATTY_A_FORWARD_EXT_ADDR] = FIELD_EXT,
	[NATTY_A_FORWARD_EXT_PORT] = FIELD_EXT,
	[NATTY_A_FORWARD_INT_ADDR] = FIELD_INT,
	[NATTY_A_FORWARD_INT_PORT] = FIELD_INT,
};

static const uint8_t setting_fields[NATTY_A_RULE_MAX + 1] = {
	[NATTY_A_SETTING_KEY] = FIELD_KEY,
	[NATTY_A_SETTING_VALUE] = FIELD_VALUE,
};

static const uint8_t *command_fields(uint8_t command)
{
	switch (command) {
	case NATTY_CMD_SETTING_SET:
	case NATTY_CMD_SETTING_GET:
		return setting_fields;
	case NATTY_CMD_POOL_NEW:
	case NATTY_CMD_POOL_DEL:
		return pool_fields;
	case NATTY_CMD_FORWARD_NEW:
	case NATTY_CMD_FORWARD_DEL:
		return forward_fields;
	case NATTY_CMD_RULE_NEW:
	case NATTY_CMD_RULE_DEL:
	case NATTY_CMD_CONN_GET:
	case NATTY_CMD_CONN_COUNT:
	case NATTY_CMD_CONN_DEL:
		return rule_fields;
	default:
		return NULL;
	}
}

static bool attr_holds(const struct nlmsghdr *nlh, const struct nlattr *attr,
		       uint32_t offset)
{
	uint32_t start = (const char *)attr - (const char *)nlh;

	return offset >= start && offset < start + attr->nla_len;
}

bool msg_field(const struct nlmsghdr *nlh, uint32_t offset, enum field *field,
	       unsigned int *nth)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const uint8_t *fields = command_fields(genl->cmd);
	const struct nlattr *attr, *in;
	uint16_t type = 0;

	*nth = 0;
	if (!fields)
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(*genl)) {
		if (!attr_holds(nlh, attr, offset)) {
			/* Only ranges of a pool come more than once. */
			if (mnl_attr_get_type(attr) == NATTY_A_POOL_RANGE)
				++*nth;
			continue;
		}
		type = mnl_attr_get_type(attr);
		if (fields != rule_fields || type != NATTY_A_CONN_FILTER ||
		    !(attr->nla_type & NLA_F_NESTED))
			break;
		type = 0;
		mnl_attr_for_each_nested(in, attr)
			if (attr_holds(nlh, in, offset))
				type = mnl_attr_get_type(in);
		break;
	}
	if (fields != pool_fields || type != NATTY_A_POOL_RANGE)
		*nth = 0;
	if (type > NATTY_A_RULE_MAX || !fields[type])
		return false;
	*field = fields[type];
	return true;
}
