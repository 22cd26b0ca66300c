/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/natty.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_NATTY_H
#define _UAPI_LINUX_NATTY_H

#define NATTY_GENL_NAME		"natty"
#define NATTY_GENL_VERSION	1

#define NATTY_NAME_MAX	31

/**
 * enum natty_chain - Where a rule is looked at.
 * @NATTY_CHAIN_PREROUTING: As a packet arrives, before it is routed.
 * @NATTY_CHAIN_POSTROUTING: As a packet leaves, after it was routed.
 * @NATTY_CHAIN_OUTPUT: As a packet of this host is sent.
 * @NATTY_CHAIN_INPUT: As a packet for this host is delivered.
 */
enum natty_chain {
	NATTY_CHAIN_PREROUTING,
	NATTY_CHAIN_POSTROUTING,
	NATTY_CHAIN_OUTPUT,
	NATTY_CHAIN_INPUT,
};

/**
 * enum natty_action - What becomes of a flow whose first packet a rule
 *   matches.
 * @NATTY_ACTION_ACCEPT: The flow passes this chain untranslated.
 * @NATTY_ACTION_MASQUERADE: The source becomes the address of the outgoing
 *   interface.
 * @NATTY_ACTION_SNAT: The source becomes an address of a range or of a pool.
 * @NATTY_ACTION_DNAT: The destination becomes an address of a range.
 * @NATTY_ACTION_REDIRECT: The destination becomes this host.
 * @NATTY_ACTION_NETMAP: The network part of the address changes, the host part
 *   stays.
 */
enum natty_action {
	NATTY_ACTION_ACCEPT,
	NATTY_ACTION_MASQUERADE,
	NATTY_ACTION_SNAT,
	NATTY_ACTION_DNAT,
	NATTY_ACTION_REDIRECT,
	NATTY_ACTION_NETMAP,
};

/**
 * enum natty_behaviour - Mapping and filtering behaviour in the terms of RFC
 *   4787.
 * @NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT: The same for every remote endpoint.
 * @NATTY_BEHAVIOUR_ADDRESS_DEPENDENT: Differs between remote addresses.
 * @NATTY_BEHAVIOUR_ADDRESS_AND_PORT_DEPENDENT: Differs between remote
 *   endpoints.
 */
enum natty_behaviour {
	NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT,
	NATTY_BEHAVIOUR_ADDRESS_DEPENDENT,
	NATTY_BEHAVIOUR_ADDRESS_AND_PORT_DEPENDENT,
};

/**
 * enum natty_match - The matches of a rule, by which the attribute invert
 *   names them.
 * @NATTY_MATCH_IIF: Incoming interface.
 * @NATTY_MATCH_OIF: Outgoing interface.
 * @NATTY_MATCH_SRC: Source address.
 * @NATTY_MATCH_DST: Destination address.
 * @NATTY_MATCH_PROTO: IP protocol.
 * @NATTY_MATCH_SPORT: Source port.
 * @NATTY_MATCH_DPORT: Destination port.
 * @NATTY_MATCH_MARK: Packet mark.
 * @NATTY_MATCH_SRC_LOCAL: The source address is one of this host.
 * @NATTY_MATCH_DST_LOCAL: The destination address is one of this host.
 */
enum natty_match {
	NATTY_MATCH_IIF = 1,
	NATTY_MATCH_OIF = 2,
	NATTY_MATCH_SRC = 4,
	NATTY_MATCH_DST = 8,
	NATTY_MATCH_PROTO = 16,
	NATTY_MATCH_SPORT = 32,
	NATTY_MATCH_DPORT = 64,
	NATTY_MATCH_MARK = 128,
	NATTY_MATCH_SRC_LOCAL = 256,
	NATTY_MATCH_DST_LOCAL = 512,
};

/**
 * enum natty_option - Options of a translating rule.
 * @NATTY_OPTION_RANDOM: Choose the external port unpredictably even where the
 *   internal one is free.
 * @NATTY_OPTION_PERSISTENT: Choose the external address by the internal
 *   address only.
 */
enum natty_option {
	NATTY_OPTION_RANDOM = 1,
	NATTY_OPTION_PERSISTENT = 2,
};

/**
 * enum natty_state - State of a connection. The first two belong to protocols
 *   without connections of their own, the others to TCP and DCCP.
 * @NATTY_STATE_NEW: Packets in one direction only.
 * @NATTY_STATE_REPLIED: Packets in both directions.
 * @NATTY_STATE_SYN_SENT: SYN of the opener seen.
 * @NATTY_STATE_SYN_RECEIVED: SYN of the answerer seen.
 * @NATTY_STATE_ESTABLISHED: Handshake complete.
 * @NATTY_STATE_FIN_WAIT: FIN of one side seen.
 * @NATTY_STATE_CLOSE_WAIT: That FIN acknowledged.
 * @NATTY_STATE_LAST_ACK: FINs of both sides seen.
 * @NATTY_STATE_TIME_WAIT: Both FINs acknowledged.
 * @NATTY_STATE_CLOSE: RST seen.
 */
enum natty_state {
	NATTY_STATE_NEW,
	NATTY_STATE_REPLIED,
	NATTY_STATE_SYN_SENT,
	NATTY_STATE_SYN_RECEIVED,
	NATTY_STATE_ESTABLISHED,
	NATTY_STATE_FIN_WAIT,
	NATTY_STATE_CLOSE_WAIT,
	NATTY_STATE_LAST_ACK,
	NATTY_STATE_TIME_WAIT,
	NATTY_STATE_CLOSE,
};

/**
 * enum natty_conn_flag - How a connection came about and what is translated.
 * @NATTY_CONN_FLAG_INBOUND: Its first packet came from outside through a
 *   mapping or a forward.
 * @NATTY_CONN_FLAG_REPLIED: Packets were seen in both directions.
 * @NATTY_CONN_FLAG_UNCONFIRMED: Its first packet has not yet left or reached
 *   this host.
 * @NATTY_CONN_FLAG_SOURCE: Its source is translated.
 * @NATTY_CONN_FLAG_DESTINATION: Its destination is translated.
 */
enum natty_conn_flag {
	NATTY_CONN_FLAG_INBOUND = 1,
	NATTY_CONN_FLAG_REPLIED = 2,
	NATTY_CONN_FLAG_UNCONFIRMED = 4,
	NATTY_CONN_FLAG_SOURCE = 8,
	NATTY_CONN_FLAG_DESTINATION = 16,
};

enum {
	NATTY_A_STATUS_VERSION = 1,
	NATTY_A_STATUS_PROFILE,
	NATTY_A_STATUS_GENERATION,
	NATTY_A_STATUS_RULES,
	NATTY_A_STATUS_POOLS,
	NATTY_A_STATUS_FORWARDS,
	NATTY_A_STATUS_CONNECTIONS,
	NATTY_A_STATUS_CONNECTIONS_LIMIT,
	NATTY_A_STATUS_MAPPINGS,
	NATTY_A_STATUS_MEMORY,
	NATTY_A_STATUS_NF_NAT,
	NATTY_A_STATUS_CONNTRACK,

	__NATTY_A_STATUS_MAX
};
#define NATTY_A_STATUS_MAX (__NATTY_A_STATUS_MAX - 1)

enum {
	NATTY_A_TXN_REPLACE = 1,
	NATTY_A_TXN_DRY_RUN,
	NATTY_A_TXN_GENERATION,

	__NATTY_A_TXN_MAX
};
#define NATTY_A_TXN_MAX (__NATTY_A_TXN_MAX - 1)

enum {
	NATTY_A_RULE_ID = 1,
	NATTY_A_RULE_CHAIN,
	NATTY_A_RULE_POSITION,
	NATTY_A_RULE_IIF,
	NATTY_A_RULE_OIF,
	NATTY_A_RULE_SRC,
	NATTY_A_RULE_SRC_LEN,
	NATTY_A_RULE_DST,
	NATTY_A_RULE_DST_LEN,
	NATTY_A_RULE_PROTO,
	NATTY_A_RULE_SPORT_MIN,
	NATTY_A_RULE_SPORT_MAX,
	NATTY_A_RULE_DPORT_MIN,
	NATTY_A_RULE_DPORT_MAX,
	NATTY_A_RULE_MARK,
	NATTY_A_RULE_MARK_MASK,
	NATTY_A_RULE_INVERT,
	NATTY_A_RULE_ACTION,
	NATTY_A_RULE_ADDR_MIN,
	NATTY_A_RULE_ADDR_MAX,
	NATTY_A_RULE_ADDR_LEN,
	NATTY_A_RULE_PORT_MIN,
	NATTY_A_RULE_PORT_MAX,
	NATTY_A_RULE_POOL,
	NATTY_A_RULE_OPTIONS,
	NATTY_A_RULE_MAPPING,
	NATTY_A_RULE_FILTERING,
	NATTY_A_RULE_FLOWS,
	NATTY_A_RULE_LOCAL,
	NATTY_A_RULE_PORT_BASE,

	__NATTY_A_RULE_MAX
};
#define NATTY_A_RULE_MAX (__NATTY_A_RULE_MAX - 1)

enum {
	NATTY_A_RANGE_ADDR_MIN = 1,
	NATTY_A_RANGE_ADDR_MAX,

	__NATTY_A_RANGE_MAX
};
#define NATTY_A_RANGE_MAX (__NATTY_A_RANGE_MAX - 1)

enum {
	NATTY_A_POOL_NAME = 1,
	NATTY_A_POOL_RANGE,
	NATTY_A_POOL_PORT_MIN,
	NATTY_A_POOL_PORT_MAX,

	__NATTY_A_POOL_MAX
};
#define NATTY_A_POOL_MAX (__NATTY_A_POOL_MAX - 1)

enum {
	NATTY_A_FORWARD_PROTO = 1,
	NATTY_A_FORWARD_EXT_ADDR,
	NATTY_A_FORWARD_EXT_PORT,
	NATTY_A_FORWARD_INT_ADDR,
	NATTY_A_FORWARD_INT_PORT,

	__NATTY_A_FORWARD_MAX
};
#define NATTY_A_FORWARD_MAX (__NATTY_A_FORWARD_MAX - 1)

enum {
	NATTY_A_SETTING_KEY = 1,
	NATTY_A_SETTING_VALUE,
	NATTY_A_SETTING_EXPLICIT,
	NATTY_A_SETTING_RANGE,

	__NATTY_A_SETTING_MAX
};
#define NATTY_A_SETTING_MAX (__NATTY_A_SETTING_MAX - 1)

enum {
	NATTY_A_TUPLE_SRC = 1,
	NATTY_A_TUPLE_DST,
	NATTY_A_TUPLE_SPORT,
	NATTY_A_TUPLE_DPORT,
	NATTY_A_TUPLE_ID,

	__NATTY_A_TUPLE_MAX
};
#define NATTY_A_TUPLE_MAX (__NATTY_A_TUPLE_MAX - 1)

enum {
	NATTY_A_CONN_FILTER = 1,
	NATTY_A_CONN_PROTO,
	NATTY_A_CONN_STATE,
	NATTY_A_CONN_EXPIRES,
	NATTY_A_CONN_ORIG,
	NATTY_A_CONN_REPLY,
	NATTY_A_CONN_RULE,
	NATTY_A_CONN_FLAGS,
	NATTY_A_CONN_ORIG_PACKETS,
	NATTY_A_CONN_ORIG_BYTES,
	NATTY_A_CONN_REPLY_PACKETS,
	NATTY_A_CONN_REPLY_BYTES,
	NATTY_A_CONN_COUNT,
	NATTY_A_CONN_SEQ,

	__NATTY_A_CONN_MAX
};
#define NATTY_A_CONN_MAX (__NATTY_A_CONN_MAX - 1)

enum {
	NATTY_A_MAPPING_PROTO = 1,
	NATTY_A_MAPPING_INT_ADDR,
	NATTY_A_MAPPING_INT_PORT,
	NATTY_A_MAPPING_EXT_ADDR,
	NATTY_A_MAPPING_EXT_PORT,
	NATTY_A_MAPPING_EXPIRES,
	NATTY_A_MAPPING_CONNECTIONS,
	NATTY_A_MAPPING_FILTERING,
	NATTY_A_MAPPING_STATIC,

	__NATTY_A_MAPPING_MAX
};
#define NATTY_A_MAPPING_MAX (__NATTY_A_MAPPING_MAX - 1)

enum {
	NATTY_A_STAT_NAME = 1,
	NATTY_A_STAT_VALUE,
	NATTY_A_STAT_DROP,

	__NATTY_A_STAT_MAX
};
#define NATTY_A_STAT_MAX (__NATTY_A_STAT_MAX - 1)

enum {
	NATTY_CMD_STATUS_GET = 1,
	NATTY_CMD_TXN_BEGIN,
	NATTY_CMD_TXN_COMMIT,
	NATTY_CMD_TXN_ABORT,
	NATTY_CMD_RULE_NEW,
	NATTY_CMD_RULE_DEL,
	NATTY_CMD_RULE_GET,
	NATTY_CMD_POOL_NEW,
	NATTY_CMD_POOL_DEL,
	NATTY_CMD_POOL_GET,
	NATTY_CMD_FORWARD_NEW,
	NATTY_CMD_FORWARD_DEL,
	NATTY_CMD_FORWARD_GET,
	NATTY_CMD_SETTING_SET,
	NATTY_CMD_SETTING_GET,
	NATTY_CMD_CONN_GET,
	NATTY_CMD_CONN_COUNT,
	NATTY_CMD_CONN_DEL,
	NATTY_CMD_MAPPING_GET,
	NATTY_CMD_STAT_GET,
	NATTY_CMD_CONN_NEW_NTF,
	NATTY_CMD_CONN_DEL_NTF,
	NATTY_CMD_LIMIT_NTF,

	__NATTY_CMD_MAX
};
#define NATTY_CMD_MAX (__NATTY_CMD_MAX - 1)

#define NATTY_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_NATTY_H */
