/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_CHOICE_H
#define NATTY_CHOICE_H

#include "nat.h"
#include "port.h"

/**
 * struct natty_choice - which external addresses and ports a rule permits a flow
 * @rule: the rule
 * @first: index of the first address of the pool to try
 * @naddrs: how many addresses to try
 * @req: what to ask the port map for, its address once natty_choice_addr() has
 *	said which
 * @paired: the host has no more than one address of the pool
 * @deviates: this is not @home, but that which it is paired with
 * @home: if it deviates: the address that its hash leads to
 * @sticky: later flows of the same internal endpoint shall get the same
 */
struct natty_choice {
	const struct natty_rule *rule;
	u64 first;
	u64 naddrs;
	struct natty_port_request req;
	bool paired;
	bool deviates;
	union nf_inet_addr home;
	bool sticky;
};

/**
 * natty_choice_init() - what may a flow get?
 * @c: filled in, but for the address
 * @flow: the packet
 * @rule: masquerade or snat
 * @oif: way out
 *
 * Return: NATTY_DROP_NONE, or NATTY_DROP_NO_ADDRESS if there is none to use.
 */
enum natty_counter natty_choice_init(struct natty_choice *c,
				     const struct natty_flow *flow,
				     const struct natty_rule *rule,
				     const struct net_device *oif);

/*
 * Which of many addresses a host gets: the same for all its flows, or @with_dst
 * for those to one destination, whose upper words in the end are @upper.
 */
u32 natty_choice_hash(const struct natty_flow *flow, bool with_dst,
		      const union nf_inet_addr *upper);

/* Go on to address number @i of those to try. */
void natty_choice_addr(struct natty_choice *c, u64 i);

/* Own a port of one of the addresses, for the draft's source. */
enum natty_counter natty_choice_take(const struct natty_flow *flow,
				     struct natty_choice *c,
				     struct natty_draft *draft);

/* Give it back. */
void natty_choice_put(const struct natty_flow *flow, struct natty_draft *draft);

#endif
