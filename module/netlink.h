/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_NETLINK_H
#define NATTY_NETLINK_H

#include <net/genetlink.h>
#include <net/netlink.h>

#include <linux/natty.h>

#include "compat/extack.h"
#include "compat/genl_info_dump.h"
#include "compat/genl_split_ops.h"
#include "netlink_gen.h"
#include "netns.h"
#include "tuple.h"

struct natty_conn;
struct natty_rule;

extern struct genl_family natty_nl_family;

/* Last of the module's init and first of its exit: from then on nobody calls. */
int natty_netlink_init(void);
void natty_netlink_exit(void);

/* The namespace that a request is about. */
struct natty_net *natty_nl_net(const struct sk_buff *skb);

/* Do the tables exist? If so, for as long as the namespace. */
static inline bool natty_nl_is_enabled(const struct natty_net *nn)
{
	/* Pairs with the release in natty_netns_enable(). */
	return smp_load_acquire(&nn->enabled);
}

/**
 * natty_nl_get_addr() - read an address
 * @attr: of 4 or 16 bytes
 * @family: NFPROTO_UNSPEC, or what it must be; set
 * @addr: all of it is written
 * @extack: gets the reason of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int natty_nl_get_addr(const struct nlattr *attr, u8 *family,
		      union nf_inet_addr *addr, struct netlink_ext_ack *extack);

int natty_nl_put_addr(struct sk_buff *skb, int type, u8 family,
		      const union nf_inet_addr *addr);

/* 64 bits, not aligned: no set has an attribute that pads. */
int natty_nl_put_u64(struct sk_buff *skb, int type, u64 value);

/* An answer to be filled in, or NULL. genlmsg_end() and genlmsg_reply() send it. */
struct sk_buff *natty_nl_reply(struct genl_info *info, void **hdr);

/* One entry of a dump; NULL: no room. */
void *natty_nl_dump_entry(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd);

/* A network; @len_attr NULL: that of a host. Refuses host bits. 0 or -EINVAL. */
int natty_nl_get_prefix(const struct nlattr *attr,
			const struct nlattr *len_attr, u8 *family,
			union nf_inet_addr *addr, u8 *len,
			struct netlink_ext_ack *extack);

/* A range of ports; @max_attr NULL: one port. 0 or -EINVAL. */
int natty_nl_get_ports(const struct nlattr *min_attr,
		       const struct nlattr *max_attr, u16 *min, u16 *max,
		       struct netlink_ext_ack *extack);

/**
 * natty_nl_get_matches() - read the matches of a rule or filter
 * @tb: attributes NATTY_A_RULE_*, at least up to NATTY_A_RULE_INVERT
 * @rule: zeroed; gets the matches and the family
 * @extack: gets the reason of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int natty_nl_get_matches(struct nlattr **tb, struct natty_rule *rule,
			 struct netlink_ext_ack *extack);
int natty_nl_put_matches(struct sk_buff *skb, const struct natty_rule *rule);

/**
 * natty_nl_get_rule() - read a rule
 * @tb: attributes NATTY_A_RULE_* of rule-new
 * @rule: from natty_rule_alloc(); filled in but for the named pool
 * @extack: gets the reason of a refusal
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int natty_nl_get_rule(struct nlattr **tb, struct natty_rule *rule,
		      struct netlink_ext_ack *extack);

/* What all events and dumps say of a connection. Under RCU. 0 or -EMSGSIZE. */
int natty_nl_put_conn(struct sk_buff *skb, const struct natty_conn *conn);

/* Its packets and bytes, if accounting is on. Under RCU. 0 or -EMSGSIZE. */
int natty_nl_put_counts(struct sk_buff *skb, struct natty_net *nn,
			const struct natty_conn *conn);

#endif
