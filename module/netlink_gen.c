// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/natty.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/natty.h>

/* Common nested types */
const struct nla_policy natty_filter_nl_policy[NATTY_A_RULE_INVERT + 1] = {
	[NATTY_A_RULE_SRC] = { .type = NLA_BINARY, },
	[NATTY_A_RULE_SRC_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[NATTY_A_RULE_DST] = { .type = NLA_BINARY, },
	[NATTY_A_RULE_DST_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[NATTY_A_RULE_PROTO] = { .type = NLA_U8, },
	[NATTY_A_RULE_SPORT_MIN] = { .type = NLA_U16, },
	[NATTY_A_RULE_SPORT_MAX] = { .type = NLA_U16, },
	[NATTY_A_RULE_DPORT_MIN] = { .type = NLA_U16, },
	[NATTY_A_RULE_DPORT_MAX] = { .type = NLA_U16, },
	[NATTY_A_RULE_INVERT] = NLA_POLICY_MASK(NLA_U32, 0x3ff),
};

const struct nla_policy natty_range_nl_policy[NATTY_A_RANGE_ADDR_MAX + 1] = {
	[NATTY_A_RANGE_ADDR_MIN] = { .type = NLA_BINARY, },
	[NATTY_A_RANGE_ADDR_MAX] = { .type = NLA_BINARY, },
};

/* NATTY_CMD_TXN_BEGIN - do */
static const struct nla_policy natty_txn_begin_nl_policy[NATTY_A_TXN_REPLACE + 1] = {
	[NATTY_A_TXN_REPLACE] = { .type = NLA_FLAG, },
};

/* NATTY_CMD_TXN_COMMIT - do */
static const struct nla_policy natty_txn_commit_nl_policy[NATTY_A_TXN_DRY_RUN + 1] = {
	[NATTY_A_TXN_DRY_RUN] = { .type = NLA_FLAG, },
};

/* NATTY_CMD_RULE_NEW - do */
static const struct nla_policy natty_rule_new_nl_policy[NATTY_A_RULE_PORT_BASE + 1] = {
	[NATTY_A_RULE_CHAIN] = NLA_POLICY_MAX(NLA_U32, 3),
	[NATTY_A_RULE_POSITION] = NLA_POLICY_MIN(NLA_U32, 1),
	[NATTY_A_RULE_IIF] = { .type = NLA_NUL_STRING, .len = 15, },
	[NATTY_A_RULE_OIF] = { .type = NLA_NUL_STRING, .len = 15, },
	[NATTY_A_RULE_SRC] = { .type = NLA_BINARY, },
	[NATTY_A_RULE_SRC_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[NATTY_A_RULE_DST] = { .type = NLA_BINARY, },
	[NATTY_A_RULE_DST_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[NATTY_A_RULE_PROTO] = { .type = NLA_U8, },
	[NATTY_A_RULE_SPORT_MIN] = { .type = NLA_U16, },
	[NATTY_A_RULE_SPORT_MAX] = { .type = NLA_U16, },
	[NATTY_A_RULE_DPORT_MIN] = { .type = NLA_U16, },
	[NATTY_A_RULE_DPORT_MAX] = { .type = NLA_U16, },
	[NATTY_A_RULE_MARK] = { .type = NLA_U32, },
	[NATTY_A_RULE_MARK_MASK] = { .type = NLA_U32, },
	[NATTY_A_RULE_LOCAL] = NLA_POLICY_MASK(NLA_U32, 0x3ff),
	[NATTY_A_RULE_INVERT] = NLA_POLICY_MASK(NLA_U32, 0x3ff),
	[NATTY_A_RULE_ACTION] = NLA_POLICY_MAX(NLA_U32, 5),
	[NATTY_A_RULE_ADDR_MIN] = { .type = NLA_BINARY, },
	[NATTY_A_RULE_ADDR_MAX] = { .type = NLA_BINARY, },
	[NATTY_A_RULE_ADDR_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[NATTY_A_RULE_PORT_MIN] = NLA_POLICY_MIN(NLA_U16, 1),
	[NATTY_A_RULE_PORT_MAX] = NLA_POLICY_MIN(NLA_U16, 1),
	[NATTY_A_RULE_PORT_BASE] = NLA_POLICY_MIN(NLA_U16, 1),
	[NATTY_A_RULE_POOL] = { .type = NLA_NUL_STRING, .len = NATTY_NAME_MAX, },
	[NATTY_A_RULE_OPTIONS] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[NATTY_A_RULE_MAPPING] = NLA_POLICY_MAX(NLA_U32, 2),
	[NATTY_A_RULE_FILTERING] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* NATTY_CMD_RULE_DEL - do */
static const struct nla_policy natty_rule_del_nl_policy[NATTY_A_RULE_POSITION + 1] = {
	[NATTY_A_RULE_ID] = { .type = NLA_U32, },
	[NATTY_A_RULE_CHAIN] = NLA_POLICY_MAX(NLA_U32, 3),
	[NATTY_A_RULE_POSITION] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* NATTY_CMD_POOL_NEW - do */
static const struct nla_policy natty_pool_new_nl_policy[NATTY_A_POOL_PORT_MAX + 1] = {
	[NATTY_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = NATTY_NAME_MAX, },
	[NATTY_A_POOL_RANGE] = NLA_POLICY_NESTED(natty_range_nl_policy),
	[NATTY_A_POOL_PORT_MIN] = NLA_POLICY_MIN(NLA_U16, 1),
	[NATTY_A_POOL_PORT_MAX] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* NATTY_CMD_POOL_DEL - do */
static const struct nla_policy natty_pool_del_nl_policy[NATTY_A_POOL_NAME + 1] = {
	[NATTY_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = NATTY_NAME_MAX, },
};

/* NATTY_CMD_FORWARD_NEW - do */
static const struct nla_policy natty_forward_new_nl_policy[NATTY_A_FORWARD_INT_PORT + 1] = {
	[NATTY_A_FORWARD_PROTO] = { .type = NLA_U8, },
	[NATTY_A_FORWARD_EXT_ADDR] = { .type = NLA_BINARY, },
	[NATTY_A_FORWARD_EXT_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[NATTY_A_FORWARD_INT_ADDR] = { .type = NLA_BINARY, },
	[NATTY_A_FORWARD_INT_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* NATTY_CMD_FORWARD_DEL - do */
static const struct nla_policy natty_forward_del_nl_policy[NATTY_A_FORWARD_EXT_PORT + 1] = {
	[NATTY_A_FORWARD_PROTO] = { .type = NLA_U8, },
	[NATTY_A_FORWARD_EXT_ADDR] = { .type = NLA_BINARY, },
	[NATTY_A_FORWARD_EXT_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* NATTY_CMD_SETTING_SET - do */
static const struct nla_policy natty_setting_set_nl_policy[NATTY_A_SETTING_VALUE + 1] = {
	[NATTY_A_SETTING_KEY] = { .type = NLA_NUL_STRING, .len = 31, },
	[NATTY_A_SETTING_VALUE] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* NATTY_CMD_SETTING_GET - do */
static const struct nla_policy natty_setting_get_nl_policy[NATTY_A_SETTING_KEY + 1] = {
	[NATTY_A_SETTING_KEY] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* NATTY_CMD_CONN_GET - dump */
static const struct nla_policy natty_conn_get_nl_policy[NATTY_A_CONN_FILTER + 1] = {
	[NATTY_A_CONN_FILTER] = NLA_POLICY_NESTED(natty_filter_nl_policy),
};

/* NATTY_CMD_CONN_COUNT - do */
static const struct nla_policy natty_conn_count_nl_policy[NATTY_A_CONN_FILTER + 1] = {
	[NATTY_A_CONN_FILTER] = NLA_POLICY_NESTED(natty_filter_nl_policy),
};

/* NATTY_CMD_CONN_DEL - do */
static const struct nla_policy natty_conn_del_nl_policy[NATTY_A_CONN_FILTER + 1] = {
	[NATTY_A_CONN_FILTER] = NLA_POLICY_NESTED(natty_filter_nl_policy),
};

/* Ops table for natty */
const struct genl_split_ops natty_nl_ops[21] = {
	{
		.cmd	= NATTY_CMD_STATUS_GET,
		.doit	= natty_nl_status_get_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_TXN_BEGIN,
		.doit		= natty_nl_txn_begin_doit,
		.policy		= natty_txn_begin_nl_policy,
		.maxattr	= NATTY_A_TXN_REPLACE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_TXN_COMMIT,
		.doit		= natty_nl_txn_commit_doit,
		.policy		= natty_txn_commit_nl_policy,
		.maxattr	= NATTY_A_TXN_DRY_RUN,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= NATTY_CMD_TXN_ABORT,
		.doit	= natty_nl_txn_abort_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_RULE_NEW,
		.doit		= natty_nl_rule_new_doit,
		.policy		= natty_rule_new_nl_policy,
		.maxattr	= NATTY_A_RULE_PORT_BASE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_RULE_DEL,
		.doit		= natty_nl_rule_del_doit,
		.policy		= natty_rule_del_nl_policy,
		.maxattr	= NATTY_A_RULE_POSITION,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= NATTY_CMD_RULE_GET,
		.dumpit	= natty_nl_rule_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= NATTY_CMD_POOL_NEW,
		.doit		= natty_nl_pool_new_doit,
		.policy		= natty_pool_new_nl_policy,
		.maxattr	= NATTY_A_POOL_PORT_MAX,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_POOL_DEL,
		.doit		= natty_nl_pool_del_doit,
		.policy		= natty_pool_del_nl_policy,
		.maxattr	= NATTY_A_POOL_NAME,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= NATTY_CMD_POOL_GET,
		.dumpit	= natty_nl_pool_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= NATTY_CMD_FORWARD_NEW,
		.doit		= natty_nl_forward_new_doit,
		.policy		= natty_forward_new_nl_policy,
		.maxattr	= NATTY_A_FORWARD_INT_PORT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_FORWARD_DEL,
		.doit		= natty_nl_forward_del_doit,
		.policy		= natty_forward_del_nl_policy,
		.maxattr	= NATTY_A_FORWARD_EXT_PORT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= NATTY_CMD_FORWARD_GET,
		.dumpit	= natty_nl_forward_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= NATTY_CMD_SETTING_SET,
		.doit		= natty_nl_setting_set_doit,
		.policy		= natty_setting_set_nl_policy,
		.maxattr	= NATTY_A_SETTING_VALUE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_SETTING_GET,
		.doit		= natty_nl_setting_get_doit,
		.policy		= natty_setting_get_nl_policy,
		.maxattr	= NATTY_A_SETTING_KEY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= NATTY_CMD_SETTING_GET,
		.dumpit	= natty_nl_setting_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= NATTY_CMD_CONN_GET,
		.dumpit		= natty_nl_conn_get_dumpit,
		.policy		= natty_conn_get_nl_policy,
		.maxattr	= NATTY_A_CONN_FILTER,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= NATTY_CMD_CONN_COUNT,
		.doit		= natty_nl_conn_count_doit,
		.policy		= natty_conn_count_nl_policy,
		.maxattr	= NATTY_A_CONN_FILTER,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= NATTY_CMD_CONN_DEL,
		.doit		= natty_nl_conn_del_doit,
		.policy		= natty_conn_del_nl_policy,
		.maxattr	= NATTY_A_CONN_FILTER,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= NATTY_CMD_MAPPING_GET,
		.dumpit	= natty_nl_mapping_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= NATTY_CMD_STAT_GET,
		.dumpit	= natty_nl_stat_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group natty_nl_mcgrps[] = {
	[NATTY_NLGRP_EVENTS] = { "events", },
};
