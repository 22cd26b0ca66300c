/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_NAT_H
#define NATTY_NAT_H

#include "flow.h"

/**
 * struct natty_draft - a connection that is being decided on
 * @orig: the flow as its opener sends it
 * @new_src: source as the answerer sees it
 * @new_dst: destination as the answerer sees it
 * @flags: of enum natty_conn_bit
 * @rule: that decided, or NULL
 * @ifindex: way to the outside
 * @mapping: that translates the source, a reference, or NULL
 * @dst_mapping: that translates the destination, a reference, or NULL
 */
struct natty_draft {
	struct natty_tuple orig;
	struct natty_endpoint new_src;
	struct natty_endpoint new_dst;
	u32 flags;
	const struct natty_rule *rule;
	u32 ifindex;
	struct natty_conn *mapping;
	struct natty_conn *dst_mapping;
};

/* A draft that translates nothing. Sets all of it. */
static inline void natty_draft_init(struct natty_draft *draft,
				    const struct natty_flow *flow)
{
	draft->orig = flow->pkt.tuple;
	draft->new_src = flow->pkt.tuple.src;
	draft->new_dst = flow->pkt.tuple.dst;
	draft->flags = 0;
	draft->rule = NULL;
	draft->ifindex = 0;
	draft->mapping = NULL;
	draft->dst_mapping = NULL;
}

/* Let go of the mappings that the draft refers to. */
void natty_draft_drop(struct natty_draft *draft, struct natty_net *nn);

/**
 * natty_nat_publish() - make a draft a connection
 * @flow: the packet that opens it
 * @draft: what to make; its references pass to the connection
 * @conn: set on success
 *
 * The caller has made sure of room for it (natty_conn_room()) and counts
 * nothing on failure; the draft is unchanged then. The connection has its proper
 * timeout and listeners are told of it, unless the draft has
 * NATTY_CONN_UNCONFIRMED: then that is for natty_conn_confirm().
 *
 * Return: 0, -EEXIST if a tuple or mapping of it is taken, -ENOMEM, -ENOSPC.
 */
int natty_nat_publish(const struct natty_flow *flow,
		      const struct natty_draft *draft, struct natty_conn **conn);

/**
 * natty_nat_source() - decide on a new flow's source, and make it a connection
 * @flow: the packet; its destination is translated already
 * @rule: of chain postrouting or input, NULL for none
 * @draft: what is decided so far, nothing or the destination; consumed
 * @conn: set on success, perhaps to one that another CPU made meanwhile
 *
 * Return: NATTY_DROP_NONE, or why the packet must be dropped.
 */
enum natty_counter natty_nat_source(struct natty_flow *flow,
				    struct natty_rule *rule,
				    struct natty_draft *draft,
				    struct natty_conn **conn);

/**
 * natty_nat_outside() - the external endpoint of a source for all destinations
 * @flow: a packet from that source
 * @rule: masquerade or snat with endpoint-independent mapping
 * @oif: way out, as if the packet went there
 * @mapping: set to the mapping, with a reference
 *
 * Return: NATTY_DROP_NONE or why there is none.
 */
enum natty_counter natty_nat_outside(struct natty_flow *flow,
				     struct natty_rule *rule,
				     const struct net_device *oif,
				     struct natty_conn **mapping);

/**
 * natty_nat_destination() - decide on a new flow's destination
 * @flow: the packet, in prerouting or output
 * @chain: NATTY_CHAIN_PREROUTING or NATTY_CHAIN_OUTPUT
 * @conn: set to the new connection, unconfirmed, or NULL if the destination
 *	stays as it is
 *
 * Looks at forwards, then rules, then dynamic mappings with their filters, and
 * translates hairpin flows on both sides (RFC 4787 REQ-9).
 *
 * Return: NATTY_DROP_NONE, or why the packet must be dropped.
 */
enum natty_counter natty_nat_destination(struct natty_flow *flow, u8 chain,
					 struct natty_conn **conn);

/* The network part from a netmap rule, the host part stays. */
void natty_nat_netmap(const struct natty_rule *rule, u8 family,
		      union nf_inet_addr *addr);

/* The device that has an address, or NULL. Under RCU. */
const struct net_device *natty_nat_addr_dev(struct net *net, u8 family,
					    const union nf_inet_addr *addr);

/* Why a packet is dropped whose connection could not be published. */
enum natty_counter natty_nat_why(int err);

static inline enum natty_counter natty_nat_drop(int err)
{
	return likely(!err) ? NATTY_DROP_NONE : natty_nat_why(err);
}

/* What a rule or else the settings say. Return: enum natty_behaviour. */
static inline u8 natty_nat_mapping(const struct natty_flow *flow,
				   const struct natty_rule *rule)
{
	if (rule->mapping != NATTY_BEHAVIOUR_DEFAULT)
		return rule->mapping;
	return natty_setting(flow->config, NATTY_SET_MAPPING);
}

static inline u8 natty_nat_filtering(const struct natty_flow *flow,
				     const struct natty_rule *rule)
{
	if (rule->filtering != NATTY_BEHAVIOUR_DEFAULT)
		return rule->filtering;
	return natty_setting(flow->config, NATTY_SET_FILTERING);
}

#endif
