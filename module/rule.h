/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_RULE_H
#define NATTY_RULE_H

#include <linux/if.h>
#include <linux/kref.h>
#include <linux/netdevice.h>

#include <linux/natty.h>

#include "tuple.h"

struct natty_pool;

#define NATTY_CHAINS (NATTY_CHAIN_INPUT + 1)

/* Matches that ask the routing table, which is why they are looked at last. */
#define NATTY_MATCH_LOCAL (NATTY_MATCH_SRC_LOCAL | NATTY_MATCH_DST_LOCAL)

/* Value of natty_rule.mapping and .filtering: what the setting says. */
#define NATTY_BEHAVIOUR_DEFAULT 0xff

/**
 * struct natty_rule - one rule
 * @ref: held by every configuration that contains it; whoever lets readers
 *	under RCU see the rule gives his up after a grace period
 * @id: unique in the namespace, never 0, kept over configuration changes that
 *	keep the rule
 * @family: NFPROTO_IPV4, NFPROTO_IPV6, or NFPROTO_UNSPEC if it names no address
 * @chain: enum natty_chain
 * @action: enum natty_action
 * @match: NATTY_MATCH_* that are given
 * @invert: those of them that hold when the value differs, a subset of @match
 * @iif: exact name, or with a trailing + a prefix
 * @oif: likewise
 * @src: masked with @src_len
 * @dst: masked with @dst_len
 * @src_len: prefix length
 * @dst_len: prefix length
 * @proto: protocol
 * @sport_min: lowest source port, host order as all ports here
 * @sport_max: highest one
 * @dport_min: lowest destination port
 * @dport_max: highest one
 * @mark: of the packet
 * @mark_mask: which bits of it are compared
 * @addr_min: first translated address, or network of netmap
 * @addr_max: last one
 * @addr_len: prefix length of netmap
 * @port_min: 0 if the rule gives no ports
 * @port_max: 0 if the rule gives no ports
 * @port_base: of dnat, the port that becomes @port_min; 0 if ports keep no
 *	distance
 * @options: NATTY_OPTION_*
 * @mapping: enum natty_behaviour or NATTY_BEHAVIOUR_DEFAULT
 * @filtering: likewise
 * @pool: of snat, never NULL there: named, or made from the rule's addresses
 * @flows: per CPU, how many flows it decided
 *
 * All but @ref and @flows is constant once the rule is in a configuration.
 */
struct natty_rule {
	struct kref ref;
	u32 id;
	u8 family;
	u8 chain;
	u8 action;
	u32 match;
	u32 invert;
	char iif[IFNAMSIZ];
	char oif[IFNAMSIZ];
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u8 src_len;
	u8 dst_len;
	u8 proto;
	u16 sport_min;
	u16 sport_max;
	u16 dport_min;
	u16 dport_max;
	u32 mark;
	u32 mark_mask;
	union nf_inet_addr addr_min;
	union nf_inet_addr addr_max;
	u8 addr_len;
	u16 port_min;
	u16 port_max;
	u16 port_base;
	u32 options;
	u8 mapping;
	u8 filtering;
	struct natty_pool *pool;
	u64 __percpu *flows;
};

/**
 * struct natty_rule_key - what rules look at
 * @net: whose addresses are local; if NULL none is
 * @tuple: of the packet as the chain sees it
 * @iif: incoming device, or NULL
 * @oif: outgoing device, or NULL
 * @mark: of the packet
 *
 * A match on an interface that is NULL fails, inverted it holds. A match on
 * ports fails for protocols without ports and for ICMP, inverted it holds.
 */
struct natty_rule_key {
	struct net *net;
	const struct natty_tuple *tuple;
	const struct net_device *iif;
	const struct net_device *oif;
	u32 mark;
};

struct natty_ruleset;

/* Is this the device, or does it fit the wildcard? A device NULL never does. */
bool natty_rule_names_device(const char *pattern, const struct net_device *dev);

/* A rule to be filled in: everything 0, one reference. NULL if out of memory. */
struct natty_rule *natty_rule_alloc(void);
void natty_rule_get(struct natty_rule *rule);
void natty_rule_put(struct natty_rule *rule);

/* Do two rules say the same? Compares neither id nor counter. */
bool natty_rule_same(const struct natty_rule *a, const struct natty_rule *b);

/* Does this rule, alone, match? The reference for natty_ruleset_find(). */
bool natty_rule_matches(const struct natty_rule *rule,
			const struct natty_rule_key *key);

/**
 * natty_rule_shift() - the destination port of a rule with a base
 * @rule: with @port_base, which has ports from @port_min to @port_max
 * @port: destination port of the packet, any
 * @nth: how many ports of the range behind its own, where these are taken
 *
 * Port and base differ by a number of 16 bits, also where the port is the lower
 * one; what that number exceeds the range by begins at its low end again. So
 * does the kernel's own NAT (NF_NAT_RANGE_PROTO_OFFSET).
 *
 * Return: a port of the range.
 */
u16 natty_rule_shift(const struct natty_rule *rule, u16 port, u16 nth);

/**
 * natty_ruleset_compile() - prepare the rules of one chain for lookup
 * @rules: in their order; not referenced beyond the configuration that holds them
 * @n: how many, may be 0
 *
 * Lookup cost depends on how many combinations of match kinds and prefix
 * lengths the rules use, not on their number.
 *
 * Return: the ruleset or NULL if out of memory.
 */
struct natty_ruleset *natty_ruleset_compile(struct natty_rule **rules,
					    unsigned int n);
void natty_ruleset_free(struct natty_ruleset *set);

/* The first rule that matches, or NULL. Under RCU, lock-free. */
struct natty_rule *natty_ruleset_find(const struct natty_ruleset *set,
				      const struct natty_rule_key *key);

/*
 * Can any rule match a packet whose iif (prerouting, input) or oif
 * (postrouting, output) is this device? Lock-free, a few nanoseconds.
 * Remembered per interface index; natty_ruleset_forget() after a rename.
 */
bool natty_ruleset_gate(struct natty_ruleset *set, u8 chain,
			const struct net_device *dev);
void natty_ruleset_forget(struct natty_ruleset *set);

#endif
