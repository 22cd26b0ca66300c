// SPDX-License-Identifier: GPL-2.0
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "conflict.h"
#include "hook.h"
#include "netns.h"
#include "presence.h"

static unsigned int natty_net_id __read_mostly;

struct natty_net *natty_pernet(const struct net *net)
{
	return net_generic(net, natty_net_id);
}

int natty_netns_tables_init(struct natty_net *nn)
{
	int err;

	err = natty_table_init(&nn->table[0], nn, NFPROTO_IPV4);
	if (err)
		return err;
	err = natty_table_init(&nn->table[1], nn, NFPROTO_IPV6);
	if (err)
		goto v4;
	err = natty_ident_init(&nn->idents);
	if (err)
		goto v6;
	return 0;

v6:
	natty_table_exit(&nn->table[1]);
v4:
	natty_table_exit(&nn->table[0]);
	return err;
}

void natty_netns_tables_exit(struct natty_net *nn)
{
	natty_syn_exit(nn);
	natty_presence_stop(nn);
	natty_ident_exit(&nn->idents);
	natty_table_exit(&nn->table[1]);
	natty_table_exit(&nn->table[0]);
}

int natty_netns_enable(struct natty_net *nn, struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&nn->lock);
	if (nn->enabled)
		return 0;
	err = natty_netns_tables_init(nn);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the connection tables");
		return err;
	}
	err = natty_hook_register(nn);
	if (err) {
		NL_SET_ERR_MSG(extack, "cannot register netfilter hooks");
		natty_netns_tables_exit(nn);
		return err;
	}
	natty_gc_start(nn);
	/* Pairs with the acquire of whoever walks the tables without @lock. */
	smp_store_release(&nn->enabled, true);
	natty_conflict_check(nn);
	return 0;
}

static int init_counters(struct natty_net *nn)
{
	int err;

	err = percpu_counter_init(&nn->conns, 0, GFP_KERNEL);
	if (err)
		return err;
	err = percpu_counter_init(&nn->mappings, 0, GFP_KERNEL);
	if (err)
		goto conns;
	err = natty_stats_init(nn);
	if (err)
		goto mappings;
	nn->handover = alloc_percpu(struct natty_handover);
	if (nn->handover)
		return 0;
	err = -ENOMEM;
	natty_stats_exit(nn);
mappings:
	percpu_counter_destroy(&nn->mappings);
conns:
	percpu_counter_destroy(&nn->conns);
	return err;
}

static void exit_counters(struct natty_net *nn)
{
	free_percpu(nn->handover);
	natty_stats_exit(nn);
	percpu_counter_destroy(&nn->mappings);
	percpu_counter_destroy(&nn->conns);
}

int natty_netns_setup(struct natty_net *nn, struct net *net)
{
	int err;

	nn->net = net;
	mutex_init(&nn->lock);
	natty_syn_init(nn);
	err = init_counters(nn);
	if (err)
		return err;
	err = natty_port_init(nn);
	if (err)
		goto counters;
	err = natty_host_init(nn);
	if (err)
		goto ports;
	err = natty_pairing_init(nn);
	if (err)
		goto hosts;
	err = natty_config_init(nn);
	if (err)
		goto pairings;
	return 0;

pairings:
	natty_pairing_exit(nn);
hosts:
	natty_host_exit(nn);
ports:
	natty_port_exit(nn);
counters:
	exit_counters(nn);
	return err;
}

void natty_netns_release(struct natty_net *nn)
{
	natty_config_exit(nn);
	natty_pairing_exit(nn);
	natty_host_exit(nn);
	natty_port_exit(nn);
	exit_counters(nn);
}

static int __net_init netns_init(struct net *net)
{
	return natty_netns_setup(natty_pernet(net), net);
}

/* A grace period follows before netns_exit(): no packet is in a hook then. */
static void __net_exit netns_pre_exit(struct net *net)
{
	struct natty_net *nn = natty_pernet(net);

	if (nn->enabled)
		natty_hook_unregister(nn);
}

static void __net_exit netns_exit(struct net *net)
{
	struct natty_net *nn = natty_pernet(net);

	if (nn->enabled) {
		natty_gc_stop(nn);
		natty_netns_tables_exit(nn);
	}
	natty_netns_release(nn);
}

static struct pernet_operations netns_ops = {
	.init = netns_init,
	.pre_exit = netns_pre_exit,
	.exit = netns_exit,
	.id = &natty_net_id,
	.size = sizeof(struct natty_net),
};

int natty_netns_init(void)
{
	return register_pernet_subsys(&netns_ops);
}

void natty_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}
