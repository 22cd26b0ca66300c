/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_FLOW_H
#define NATTY_FLOW_H

#include <linux/netdevice.h>
#include <linux/netfilter.h>

#include "config.h"
#include "packet.h"
#include "table.h"

struct natty_net;

/**
 * struct natty_flow - a packet in a hook
 * @nn: network namespace
 * @config: its configuration
 * @table: connections of the packet's family
 * @pkt: the packet, taken apart
 * @iif: device it came in by, or NULL if this host sends it
 * @oif: device it goes out by, NULL before routing
 * @hairpin: from inside to an external endpoint; natty_nat_destination() says
 * @vacant: when the flow was looked for its source had no mapping, except for
 *	some remote address
 *
 * Lives on the stack of a hook, under RCU with softirqs disabled.
 */
struct natty_flow {
	struct natty_net *nn;
	const struct natty_config *config;
	struct natty_table *table;
	struct natty_packet pkt;
	const struct net_device *iif;
	const struct net_device *oif;
	bool hairpin;
	bool vacant;
};

/* Take a packet apart. Return: NATTY_DROP_NONE or why it must be dropped. */
enum natty_counter natty_flow_init(struct natty_flow *flow, struct natty_net *nn,
				   struct sk_buff *skb,
				   const struct nf_hook_state *state);

/* Count a packet as dropped. Return: NF_DROP. */
unsigned int natty_flow_drop(struct natty_net *nn, enum natty_counter why);

/* Count a packet of @len bytes. Approximate where two CPUs carry one direction. */
static __always_inline void natty_flow_count(struct natty_counts *counts,
					     enum natty_dir dir, unsigned int len)
{
	WRITE_ONCE(counts->packets[dir], counts->packets[dir] + 1);
	WRITE_ONCE(counts->bytes[dir], counts->bytes[dir] + len);
}

/* The same, if that is wanted. */
static inline void natty_flow_account(struct natty_table *table,
				      const struct natty_config *config,
				      const struct natty_conn *conn,
				      enum natty_dir dir, unsigned int len)
{
	struct natty_counts *counts;

	if (!natty_setting(config, NATTY_SET_ACCOUNTING))
		return;
	counts = natty_arena_counts_get(&table->arena, conn->index);
	if (counts)
		natty_flow_count(counts, dir, len);
}

/**
 * natty_flow_destine() - translate a packet's destination
 * @flow: the packet, in the first hook that it passes
 * @conn: its connection
 * @dir: the way it travels
 *
 * Lets the packet act on its connection and hands that to the second hook.
 *
 * Return: NF_ACCEPT or NF_DROP.
 */
unsigned int natty_flow_destine(struct natty_flow *flow, struct natty_conn *conn,
				enum natty_dir dir);

/**
 * natty_flow_source() - translate a packet's source
 * @flow: the packet, in the second hook, on its way out or in
 * @chain: NATTY_CHAIN_POSTROUTING or NATTY_CHAIN_INPUT
 *
 * Takes over what the first hook found, or looks for it; opens a connection if
 * there is none; confirms it.
 *
 * Return: NF_ACCEPT or NF_DROP.
 */
unsigned int natty_flow_source(struct natty_flow *flow, u8 chain);

/* The first rule of the chain that matches the packet itself, or NULL. */
struct natty_rule *natty_flow_rule(const struct natty_flow *flow, u8 chain);

#endif
