/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What userctl knows of natty: plain structs between the configuration
 * language, netlink and the printer, none of which appears here. The numbers
 * of the enums are those of the uapi header.
 */
#ifndef USERCTL_MODEL_H
#define USERCTL_MODEL_H

#include <linux/natty.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IFACE_MAX	15	/* bytes of an interface name */
#define WORD_MAX	31	/* bytes of a pool's name, a key and its value */

struct addr {
	uint8_t len;		/* 4 or 16; 0: no address */
	uint8_t bytes[16];	/* network byte order */
};

struct prefix {
	struct addr addr;
	uint8_t bits;
};

struct addr_range {
	struct addr min, max;
};

struct port_range {
	bool set;
	uint16_t min, max;	/* host byte order */
	uint16_t base;		/* of a target: becomes min; 0: none */
};

struct rule {
	uint32_t id;		/* 0: not known */
	uint32_t position;	/* 0: at the end of its chain */
	uint64_t flows;
	enum natty_chain chain;
	char iif[IFACE_MAX + 1];
	char oif[IFACE_MAX + 1];
	struct prefix src, dst;
	struct port_range sport, dport;
	bool has_proto, has_mark;
	uint8_t proto;
	uint32_t mark, mark_mask;
	uint32_t local;		/* NATTY_MATCH_SRC_LOCAL, NATTY_MATCH_DST_LOCAL */
	uint32_t invert;	/* NATTY_MATCH_* */
	enum natty_action action;
	struct addr_range to;	/* snat, dnat */
	struct prefix net;	/* netmap */
	struct port_range ports;
	char pool[WORD_MAX + 1];
	uint32_t options;	/* NATTY_OPTION_* */
	int mapping, filtering;	/* enum natty_behaviour; -1: the profile's */
};

struct pool_range {
	struct addr_range addr;
	unsigned int column;	/* of its word, for errors */
};

struct pool {
	char name[WORD_MAX + 1];
	struct pool_range *ranges;
	size_t count;
	struct port_range ports;
};

struct forward {
	uint8_t proto;
	struct addr ext_addr, int_addr;
	uint16_t ext_port, int_port;
};

struct setting {
	char key[WORD_MAX + 1];
	char value[WORD_MAX + 1];	/* empty: the default */
	char range[128];
	bool explicit;
};

/* The words of a statement, to tell which of them an error is about. */
enum field {
	FIELD_STATEMENT,
	FIELD_CHAIN, FIELD_POSITION,
	FIELD_IIF, FIELD_OIF, FIELD_SRC, FIELD_DST, FIELD_PROTO, FIELD_SPORT,
	FIELD_DPORT, FIELD_MARK, FIELD_LOCAL, FIELD_INVERT,
	FIELD_ACTION, FIELD_TO, FIELD_POOL,
	FIELD_OPTIONS, FIELD_MAPPING, FIELD_FILTERING,
	FIELD_NAME, FIELD_RANGE, FIELD_PORTS,
	FIELD_EXT, FIELD_INT,
	FIELD_KEY, FIELD_VALUE,
	FIELD_COUNT
};

/* In the order in which apply sends them: rules need their pools. */
enum statement_kind {
	STATEMENT_SET,
	STATEMENT_POOL,
	STATEMENT_RULE,
	STATEMENT_FORWARD,
	STATEMENT_KINDS
};

struct statement {
	enum statement_kind kind;
	unsigned int line;
	unsigned int column[FIELD_COUNT];	/* 0: no such word */
	char *text;				/* the line, or NULL */
	union {
		struct setting setting;
		struct pool pool;
		struct rule rule;
		struct forward forward;
	};
};

/* Which connections: the matches src, dst, proto, sport, dport of a rule. */
struct filter {
	struct rule match;
	unsigned int column[FIELD_COUNT];
};

struct tuple {
	struct addr src, dst;
	bool has_ports, has_id;
	uint16_t sport, dport, id;
};

struct conn {
	uint8_t proto;
	bool has_state, has_expires, has_rule, has_counts;
	uint32_t state;
	uint32_t expires;
	uint32_t rule;
	uint32_t flags;
	struct tuple orig, reply;
	uint64_t orig_packets, orig_bytes, reply_packets, reply_bytes;
};

struct mapping {
	uint8_t proto;
	struct addr int_addr, ext_addr;
	uint16_t int_port, ext_port;
	bool has_expires, has_connections, is_static;
	uint32_t expires;
	uint32_t connections;
	int filtering;		/* enum natty_behaviour; -1: not told */
};

struct stat {
	const char *name;
	uint64_t value;
	bool drop;
};

struct status {
	char version[64];
	char profile[WORD_MAX + 1];
	uint32_t generation, rules, pools, forwards;
	uint32_t connections, connections_limit, mappings;
	uint64_t memory;
	bool nf_nat, conntrack;
};

enum event_kind {
	EVENT_NEW,
	EVENT_END,
	EVENT_LIMIT
};

struct event {
	enum event_kind kind;
	uint64_t seq;		/* 0: this event carries none */
	struct conn conn;
	struct stat stat;
};

/* Words of the language by number, each table closed by NULL. */
extern const char *const chain_names[];
extern const char *const action_names[];
extern const char *const behaviour_names[];
extern const char *const option_names[];
extern const char *const match_names[];
extern const char *const state_names[];
extern const char *const conn_flag_names[];

/* The number of @word in @names, or -1. */
int name_find(const char *const *names, const char *word);

/* The word for @number, or "?" where a newer kernel knows more. */
const char *name_of(const char *const *names, unsigned int number);

#endif
