/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PORT_ADDR_H
#define NATTY_PORT_ADDR_H

#include <linux/spinlock.h>

#include "port.h"
#include "portmap.h"

/* Protocols have port spaces of their own. */
enum natty_port_class {
	NATTY_PORTS_TCP,
	NATTY_PORTS_UDP,
	NATTY_PORTS_UDPLITE,
	NATTY_PORTS_SCTP,
	NATTY_PORTS_DCCP,
	NATTY_PORTS_ICMP,
	NATTY_PORT_CLASSES
};

/**
 * struct natty_port_key - by which an address is found
 * @addr: the address
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 */
struct natty_port_key {
	union nf_inet_addr addr;
	u8 family;
};

/**
 * struct natty_port_addr - an external address
 * @node: in the hash table
 * @key: constant
 * @full: for each enum natty_port_class natty_port_range() of ports of which
 *	none is free and none rests, or 0; written under @lock
 * @lock: protects what follows
 * @dead: forgotten; whoever meets it looks the address up again
 * @users: connections that have the address and no port of it
 * @presence: which hosts may have ports, where somebody asked, or NULL
 * @map: of each enum natty_port_class, made when its first port is taken
 * @rcu: for its release
 */
struct natty_port_addr {
	struct rhash_head node;
	struct natty_port_key key;
	u32 full[NATTY_PORT_CLASSES];
	/* Packets read the above while flows that come and go write the below. */
	spinlock_t lock ____cacheline_aligned_in_smp;
	bool dead;
	u32 users;
	struct natty_presence *presence;
	struct natty_portmap *map[NATTY_PORT_CLASSES];
	struct rcu_head rcu;
};

/* How often a new user may meet an address that is just being forgotten. */
#define NATTY_PORT_TRIES 8

/* Enum natty_port_class, or -EINVAL for a protocol without ports. */
int natty_port_class(u8 proto);

static inline u32 natty_port_range(u16 min, u16 max)
{
	return (u32)min << 16 | max;
}

/* The address or NULL. Under RCU. */
struct natty_port_addr *natty_port_addr_find(const struct natty_net *nn, u8 family,
					     const union nf_inet_addr *addr);

/* The address, made if it is not known; NULL if out of memory. Under RCU. */
struct natty_port_addr *natty_port_addr_get(struct natty_net *nn, u8 family,
					    const union nf_inet_addr *addr);

#endif
