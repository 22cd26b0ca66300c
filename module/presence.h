/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PRESENCE_H
#define NATTY_PRESENCE_H

#include <linux/bitops.h>

#include "port_addr.h"

/* log2 of the bits of natty_presence.host. */
#define NATTY_PRESENCE_SHIFT 14

/**
 * struct natty_presence - which hosts have ports of an address
 * @seed: of the hash; another one each time, so that hosts which share a bit
 *	do not share it for long
 * @ready: all ports taken before it was made have been looked at
 * @asked: jiffies at which somebody last wanted to know
 * @class: of the ports to look at next
 * @from: the first of them
 * @host: the bit of a host is set if it may have a port; never cleared
 *
 * Made when somebody asks about a full address, by looking at who has its
 * ports; from then on who takes one is noted. @ready, @asked and @host are under
 * natty_port_addr.lock; @class and @from belong to who looks.
 */
struct natty_presence {
	u32 seed;
	bool ready;
	unsigned long asked;
	unsigned int class;
	u32 from;
	unsigned long host[BITS_TO_LONGS(BIT(NATTY_PRESENCE_SHIFT))];
};

/**
 * natty_presence_lacks() - does a host surely have no mapping of an address?
 * @nn: network namespace, under RCU, softirqs disabled
 * @family: of both
 * @addr: external address
 * @host: internal host
 *
 * Forwards do not count. Now and then looks at all ports of the address, for at
 * most a sixteenth of the time, if they are many in process context; says no as
 * long as it is not sure.
 */
bool natty_presence_lacks(struct natty_net *nn, u8 family,
			  const union nf_inet_addr *addr,
			  const union nf_inet_addr *host);

/* Of natty_pairings.look: looks at the ports of .full that are left. */
void natty_presence_look(struct work_struct *work);

/* Look at ports no more; no packet comes any more. Process context. */
void natty_presence_stop(struct natty_net *nn);

static inline u32 natty_presence_bit(const struct natty_presence *presence,
				     u8 family, const union nf_inet_addr *host)
{
	return natty_port_hash(family, host, presence->seed) >>
	       (32 - NATTY_PRESENCE_SHIFT);
}

/* A host takes a port. */
static inline void natty_presence_note(struct natty_presence *presence, u8 family,
				       const union nf_inet_addr *host)
{
	__set_bit(natty_presence_bit(presence, family, host), presence->host);
}

/* Of an address that nobody has asked about for a while. */
bool natty_presence_is_stale(const struct natty_presence *presence);

#endif
