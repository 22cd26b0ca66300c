/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_HOST_H
#define NATTY_HOST_H

#include <linux/rhashtable-types.h>

#include "tuple.h"

struct natty_net;

/*
 * What an internal host has: open connections and external ports, counted
 * while limit.host-connections or limit.host-ports is set (RFC 6888 REQ-4).
 * A host is known as long as one of its counts is not zero.
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

/* Count one more unless that exceeds @limit. 0, -ENOSPC or -ENOMEM. Softirq. */
int natty_host_charge(struct natty_net *nn, u8 family,
		      const union nf_inet_addr *addr,
		      enum natty_host_count what, u32 limit);

/* Count one less; harmless if the host is not known. */
void natty_host_uncharge(struct natty_net *nn, u8 family,
			 const union nf_inet_addr *addr,
			 enum natty_host_count what);

#endif
