/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/natty.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_NATTY_GEN_H
#define _LINUX_NATTY_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/natty.h>

/* Common nested types */
extern const struct nla_policy natty_filter_nl_policy[NATTY_A_RULE_INVERT + 1];
extern const struct nla_policy natty_range_nl_policy[NATTY_A_RANGE_ADDR_MAX + 1];

/* Ops table for natty */
extern const struct genl_split_ops natty_nl_ops[21];

int natty_nl_status_get_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_txn_begin_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_txn_commit_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_txn_abort_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_rule_new_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_rule_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int natty_nl_pool_new_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_pool_del_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int natty_nl_forward_new_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_forward_del_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_forward_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int natty_nl_setting_set_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_setting_get_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_setting_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int natty_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int natty_nl_conn_count_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_conn_del_doit(struct sk_buff *skb, struct genl_info *info);
int natty_nl_mapping_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int natty_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	NATTY_NLGRP_EVENTS,
};

#endif /* _LINUX_NATTY_GEN_H */
