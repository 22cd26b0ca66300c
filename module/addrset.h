/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_ADDRSET_H
#define NATTY_ADDRSET_H

#include "pool.h"

struct natty_span {
	u8 family;
	union nf_inet_addr min;
	union nf_inet_addr max;
};

/**
 * struct natty_addrset - a set of addresses, as ranges
 * @span: sorted and without overlap once sealed
 * @n: how many
 * @room: how many fit
 */
struct natty_addrset {
	struct natty_span *span;
	unsigned int n;
	unsigned int room;
};

/* Add a range, or those of a pool. The set is not sealed. 0 or -ENOMEM. */
int natty_addrset_add(struct natty_addrset *set, u8 family,
		      const union nf_inet_addr *min,
		      const union nf_inet_addr *max);
int natty_addrset_add_pool(struct natty_addrset *set,
			   const struct natty_pool *pool);

/* Sort, and join what overlaps; afterwards the set is constant. */
void natty_addrset_seal(struct natty_addrset *set);

/* Is the address, are all addresses from @min to @max, in the sealed set? */
bool natty_addrset_contains(const struct natty_addrset *set, u8 family,
			    const union nf_inet_addr *addr);

/*
 * Does @set contain every range of @part? Both are sealed. May say no though
 * it does, where ranges of @set touch without overlapping.
 */
bool natty_addrset_covers(const struct natty_addrset *set,
			  const struct natty_addrset *part);

void natty_addrset_free(struct natty_addrset *set);

#endif
