// SPDX-License-Identifier: GPL-2.0
/*
 * What else looks at packets: the kernel's own NAT and connection tracking.
 *
 * Neither module is linked to, nor loaded by asking: their hooks are
 * recognised by their fixed priorities among the registered ones.
 */

#include <linux/net.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rcupdate.h>

#include "conflict.h"
#include "netns.h"

/*
 * Other hooks of these priorities are chains of nftables or natty's own. What
 * type the kernel's own NAT declares depends on the kernel.
 */
static bool is_foreign(const struct nf_hook_ops *ops, const struct natty_net *nn)
{
	return ops->hook_ops_type != NF_HOOK_OP_NF_TABLES && ops->priv != nn;
}

static bool entries_have(const struct nf_hook_entries *entries, int priority,
			 const struct natty_net *nn)
{
	struct nf_hook_ops **ops;
	unsigned int i;

	if (!entries)
		return false;
	ops = nf_hook_entries_get_hook_ops(entries);
	for (i = 0; i < entries->num_hook_entries; i++) {
		const struct nf_hook_ops *one = READ_ONCE(ops[i]);

		if (one->priority == priority && is_foreign(one, nn))
			return true;
	}
	return false;
}

static bool hook_has(struct net *net, unsigned int hook, int priority)
{
	const struct natty_net *nn = natty_pernet(net);
	bool found;

	rcu_read_lock();
	found = entries_have(rcu_dereference(net->nf.hooks_ipv4[hook]),
			     priority, nn);
#if IS_ENABLED(CONFIG_IPV6)
	found |= entries_have(rcu_dereference(net->nf.hooks_ipv6[hook]),
			      priority, nn);
#endif
	rcu_read_unlock();
	return found;
}

bool natty_conflict_nat(struct net *net)
{
	return hook_has(net, NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC) ||
	       hook_has(net, NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
}

bool natty_conflict_conntrack(struct net *net)
{
	return hook_has(net, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK);
}

void natty_conflict_check(struct natty_net *nn)
{
	if (natty_conflict_nat(nn->net))
		net_notice_ratelimited("natty: nf_nat (iptables or nftables NAT) is active in the same network namespace; packets may be translated twice\n");
}
