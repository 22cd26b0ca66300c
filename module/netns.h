/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_NETNS_H
#define NATTY_NETNS_H

#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/percpu_counter.h>
#include <net/net_namespace.h>

#include "config.h"
#include "event.h"
#include "gc.h"
#include "handover.h"
#include "host.h"
#include "ident.h"
#include "pairing.h"
#include "port.h"
#include "stats.h"
#include "syn.h"
#include "table.h"
#include "txn.h"

#define NATTY_OUTSIDE_BITS 256

/**
 * struct natty_net - everything a network namespace owns
 * @net: the namespace
 * @config: what is active; never NULL; replaced under @lock, read under RCU
 * @idents: identifications of packets; there while @enabled
 * @lock: serialises changes of the configuration; outermost
 * @txns: configurations that sockets are staging
 * @enabled: tables exist and hooks are registered; set once under @lock, when
 *	the first rule or forward is committed
 * @destinations: some connection's destination was translated: from then on
 *	every packet is looked up before routing
 * @outside: interfaces, by index modulo the size, that translated packets left
 *	by: they stay in question even when no rule names them any more
 * @table: connections, [0] IPv4, [1] IPv6
 * @conns: open connections of both tables
 * @embryos: connections whose destination is translated and whose first packet
 *	is still under way, or was dropped by a firewall
 * @mappings: mappings of both tables
 * @ports: external addresses and their ports
 * @hosts: internal hosts that are counted
 * @pairings: hosts that have another address of a pool than most would have
 * @crowded: jiffies at which a flow last found no port to share, 0 for never
 * @gc: expiry
 * @syns: openings from outside that wait for an answer
 * @events: numbering of notifications
 * @stats: per-CPU counters
 * @handover: per-CPU memory of what an earlier hook found
 * @hooks: registered operations, private data pointing here
 */
struct natty_net {
	struct natty_config __rcu *config;
	struct natty_handover __percpu *handover;
	struct natty_idents idents;
	struct natty_stats __percpu *stats;
	bool destinations;
	bool enabled;
	DECLARE_BITMAP(outside, NATTY_OUTSIDE_BITS);
	struct natty_table table[2];
	struct net *net;
	struct mutex lock;	/* of changes to the configuration */
	struct natty_txns txns;
	struct percpu_counter conns;
	atomic_t embryos;
	struct percpu_counter mappings;
	struct natty_ports ports;
	struct natty_hosts hosts;
	struct natty_pairings pairings;
	unsigned long crowded;
	struct natty_gc gc;
	struct natty_syns syns;
	struct natty_events events;
	struct nf_hook_ops *hooks;
};

struct natty_net *natty_pernet(const struct net *net);

/**
 * natty_netns_enable() - make tables and hooks ready
 * @nn: network namespace, @nn->lock held
 * @extack: gets the reason of a failure
 *
 * Does nothing if that was done before.
 *
 * Return: 0 or a negative error; then nothing remains.
 */
int natty_netns_enable(struct natty_net *nn, struct netlink_ext_ack *extack);

/**
 * natty_netns_setup() - all of a namespace but what needs traffic
 * @nn: zeroed
 * @net: it
 *
 * Process context. Return: 0 or -ENOMEM; then nothing remains.
 */
int natty_netns_setup(struct natty_net *nn, struct net *net);

/* After natty_netns_tables_exit(), if there were tables. Process context. */
void natty_netns_release(struct natty_net *nn);

/* Tables of both families, behind the setup. Process context. 0 or -ENOMEM. */
int natty_netns_tables_init(struct natty_net *nn);

/* A grace period after the last packet. Process context. */
void natty_netns_tables_exit(struct natty_net *nn);

int natty_netns_init(void);
void natty_netns_exit(void);

static inline struct natty_table *natty_table_of(struct natty_net *nn, u8 family)
{
	return &nn->table[family == NFPROTO_IPV6];
}

/* Did translated packets ever leave by this interface? */
static inline bool natty_is_outside(const struct natty_net *nn, u32 ifindex)
{
	return test_bit(ifindex % NATTY_OUTSIDE_BITS, nn->outside);
}

static inline void natty_mark_outside(struct natty_net *nn, u32 ifindex)
{
	if (!natty_is_outside(nn, ifindex))
		set_bit(ifindex % NATTY_OUTSIDE_BITS, nn->outside);
}

static inline void natty_count(struct natty_net *nn, enum natty_counter counter)
{
	this_cpu_inc(nn->stats->count[counter]);
}

#endif
