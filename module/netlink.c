// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: status, transactions, and what all share. */

#include <linux/notifier.h>

#include "config.h"
#include "conflict.h"
#include "netlink.h"
#include "txn.h"
#include "version.h"

struct natty_net *natty_nl_net(const struct sk_buff *skb)
{
	return natty_pernet(sock_net(skb->sk));
}

int natty_nl_get_addr(const struct nlattr *attr, u8 *family,
		      union nf_inet_addr *addr, struct netlink_ext_ack *extack)
{
	u8 found;

	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		found = NFPROTO_IPV4;
		break;
	case sizeof(struct in6_addr):
		found = NFPROTO_IPV6;
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an address has 4 or 16 bytes");
		return -EINVAL;
	}
	if (*family != NFPROTO_UNSPEC && *family != found) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "IPv4 and IPv6 addresses are mixed");
		return -EINVAL;
	}
	*family = found;
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, nla_data(attr), nla_len(attr));
	return 0;
}

int natty_nl_put_addr(struct sk_buff *skb, int type, u8 family,
		      const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return nla_put_in_addr(skb, type, addr->ip);
	return nla_put_in6_addr(skb, type, &addr->in6);
}

int natty_nl_put_u64(struct sk_buff *skb, int type, u64 value)
{
	/* Readers copy 64-bit values, so that none has to be aligned. */
	return nla_put(skb, type, sizeof(value), &value);
}

struct sk_buff *natty_nl_reply(struct genl_info *info, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put_reply(msg, info, &natty_nl_family, 0,
				 info->genlhdr->cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

void *natty_nl_dump_entry(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &natty_nl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

static int put_config(struct sk_buff *msg, struct natty_net *nn)
{
	const struct natty_config *config;
	unsigned int chain, rules = 0;
	char profile[16];
	int err;

	rcu_read_lock();
	config = rcu_dereference(nn->config);
	for (chain = 0; chain < NATTY_CHAINS; chain++)
		rules += config->nrules[chain];
	natty_setting_print(&config->set, NATTY_SET_PROFILE, profile,
			    sizeof(profile));
	err = nla_put_string(msg, NATTY_A_STATUS_PROFILE, profile) ||
	      nla_put_u32(msg, NATTY_A_STATUS_GENERATION,
			  config->generation) ||
	      nla_put_u32(msg, NATTY_A_STATUS_RULES, rules) ||
	      nla_put_u32(msg, NATTY_A_STATUS_POOLS, config->npools) ||
	      nla_put_u32(msg, NATTY_A_STATUS_FORWARDS, config->nforwards) ||
	      nla_put_u32(msg, NATTY_A_STATUS_CONNECTIONS_LIMIT,
			  natty_setting(config, NATTY_SET_LIMIT_CONNECTIONS));
	rcu_read_unlock();
	return err ? -EMSGSIZE : 0;
}

static int put_state(struct sk_buff *msg, struct natty_net *nn)
{
	u64 conns = 0, mappings = 0, memory = 0;

	if (natty_nl_is_enabled(nn)) {
		conns = percpu_counter_sum_positive(&nn->conns);
		mappings = percpu_counter_sum_positive(&nn->mappings);
		memory = natty_table_memory(&nn->table[0]) +
			 natty_table_memory(&nn->table[1]) +
			 natty_port_memory(nn);
	}
	if (nla_put_u32(msg, NATTY_A_STATUS_CONNECTIONS, conns) ||
	    nla_put_u32(msg, NATTY_A_STATUS_MAPPINGS, mappings) ||
	    natty_nl_put_u64(msg, NATTY_A_STATUS_MEMORY, memory))
		return -EMSGSIZE;
	if (natty_conflict_nat(nn->net) &&
	    nla_put_flag(msg, NATTY_A_STATUS_NF_NAT))
		return -EMSGSIZE;
	if (natty_conflict_conntrack(nn->net) &&
	    nla_put_flag(msg, NATTY_A_STATUS_CONNTRACK))
		return -EMSGSIZE;
	return 0;
}

int natty_nl_status_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct natty_net *nn = natty_nl_net(skb);
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = natty_nl_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	err = nla_put_string(msg, NATTY_A_STATUS_VERSION, NATTY_VERSION) ?:
	      put_config(msg, nn) ?: put_state(msg, nn);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

int natty_nl_txn_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool fresh = info->attrs[NATTY_A_TXN_REPLACE];

	return natty_txn_begin(natty_nl_net(skb), info->snd_portid, fresh,
			       info->extack);
}

int natty_nl_txn_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool check = info->attrs[NATTY_A_TXN_DRY_RUN];
	struct sk_buff *msg;
	u32 generation;
	void *hdr;
	int err;

	/* First, for once it is committed nothing may fail. */
	msg = natty_nl_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	err = natty_txn_commit(natty_nl_net(skb), info->snd_portid, check,
			       &generation, info->extack);
	if (!err)
		err = nla_put_u32(msg, NATTY_A_TXN_GENERATION, generation);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

int natty_nl_txn_abort_doit(struct sk_buff *skb, struct genl_info *info)
{
	return natty_txn_abort(natty_nl_net(skb), info->snd_portid,
			       info->extack);
}

/* A socket that closes abandons its transaction. */
static int socket_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	const struct netlink_notify *notify = data;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		natty_txn_forget(natty_pernet(notify->net), notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_event,
};

static const struct genl_multicast_group groups[] = {
	[NATTY_NLGRP_EVENTS] = {
		.name = NATTY_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family natty_nl_family __ro_after_init = {
	.name = NATTY_GENL_NAME,
	.version = NATTY_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int natty_netlink_init(void)
{
	int err;

	err = natty_config_setup();
	if (err)
		return err;
	err = netlink_register_notifier(&socket_notifier);
	if (err)
		goto err_config;
	natty_genl_set_ops(&natty_nl_family, natty_nl_ops,
			   ARRAY_SIZE(natty_nl_ops));
	err = genl_register_family(&natty_nl_family);
	if (err)
		goto err_notifier;
	return 0;

err_notifier:
	netlink_unregister_notifier(&socket_notifier);
err_config:
	natty_config_teardown();
	return err;
}

void natty_netlink_exit(void)
{
	genl_unregister_family(&natty_nl_family);
	netlink_unregister_notifier(&socket_notifier);
	natty_config_teardown();
}
