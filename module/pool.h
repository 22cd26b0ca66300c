/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_POOL_H
#define NATTY_POOL_H

#include <linux/kref.h>
#include <linux/netlink.h>

#include <linux/natty.h>

#include "tuple.h"

struct natty_pool_range {
	union nf_inet_addr min;
	union nf_inet_addr max;
	u64 before;	/* how many addresses the earlier ranges hold, saturating */
};

/**
 * struct natty_pool - external addresses and the ports to use of them
 * @ref: held by every configuration and rule that names it; whoever lets
 *	readers under RCU see the pool gives his up after a grace period
 * @name: empty for the pool of a rule that gives its addresses itself
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @port_min: host order, 0 if no range was given
 * @port_max: host order, 0 if no range was given
 * @ports_given: a range was given; only then may a port below 1024 be replaced
 *	by one of the range
 * @size: number of addresses, saturating at U64_MAX
 * @nranges: number of ranges
 * @range: sorted as the configuration gives them
 *
 * Constant after creation.
 */
struct natty_pool {
	struct kref ref;
	char name[NATTY_NAME_MAX + 1];
	u8 family;
	bool ports_given;
	u16 port_min;
	u16 port_max;
	u64 size;
	unsigned int nranges;
	struct natty_pool_range range[];
};

/**
 * natty_pool_new() - make a pool
 * @name: at most NATTY_NAME_MAX bytes, or ""
 * @family: of all ranges
 * @range: @before is computed here; copied
 * @nranges: at least 1
 * @port_min: 0 if not given
 * @port_max: 0 if not given
 * @extack: gets the reason of a refusal (low end above high end, overlap,
 *	multicast, loopback, unspecified or broadcast address)
 *
 * Return: a reference, or ERR_PTR(-EINVAL, -ENOMEM).
 */
struct natty_pool *natty_pool_new(const char *name, u8 family,
				  const struct natty_pool_range *range,
				  unsigned int nranges, u16 port_min,
				  u16 port_max, struct netlink_ext_ack *extack);

void natty_pool_get(struct natty_pool *pool);
void natty_pool_put(struct natty_pool *pool);

/* The address of index @i < @pool->size. */
void natty_pool_addr(const struct natty_pool *pool, u64 i,
		     union nf_inet_addr *addr);

bool natty_pool_contains(const struct natty_pool *pool, u8 family,
			 const union nf_inet_addr *addr);

/* Do two pools say the same, name included? */
bool natty_pool_same(const struct natty_pool *a, const struct natty_pool *b);

#endif
