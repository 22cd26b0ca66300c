/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_HOST_H
#define NATTY_HOST_H

#include <linux/rhashtable-types.h>

#include "tuple.h"

struct natty_net;

/*
 * What an internal host has: open connections and external ports, counted
 * while limit.host-connections, limit.host-rate or limit.host-ports is set
 * (RFC 6888 REQ-4). A host is known as long as one of its counts is not zero.
 */
struct natty_hosts {
	struct rhashtable table;
};

enum natty_host_count {
	NATTY_HOST_CONNS,
	NATTY_HOST_PORTS,
	NATTY_HOST_COUNTS
};

int natty_host_init(struct natty_net *nn);
void natty_host_exit(struct natty_net *nn);

/**
 * natty_host_charge() - count one more of what a host has
 * @nn: network namespace
 * @family: of the host
 * @addr: its internal address
 * @what: to count
 * @limit: how many it may have
 * @rate: how many it may begin a second, 0 for any number; after a pause as
 *	many at once
 *
 * Any context but hard interrupts.
 *
 * Return: 0, -ENOSPC beyond @limit, -EDQUOT beyond @rate, -ENOMEM.
 */
int natty_host_charge(struct natty_net *nn, u8 family,
		      const union nf_inet_addr *addr,
		      enum natty_host_count what, u32 limit, u32 rate);

/* Count one less; harmless if the host is not known. */
void natty_host_uncharge(struct natty_net *nn, u8 family,
			 const union nf_inet_addr *addr,
			 enum natty_host_count what);

#endif
