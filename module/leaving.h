/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_LEAVING_H
#define NATTY_LEAVING_H

#include "addrset.h"
#include "config.h"

/**
 * struct natty_leaving - external addresses before and after a commit
 * @before: of pools and rules of the old configuration
 * @after: of everything in the new one
 * @any: some are gone
 */
struct natty_leaving {
	struct natty_addrset before;
	struct natty_addrset after;
	bool any;
};

/*
 * Do both have the same pools, named or of rules? Of the new one only those
 * chains are compiled that are not the same.
 */
bool natty_leaving_pools_kept(const struct natty_config *old,
			      const struct natty_config *new);

/* Which addresses does @new no longer have? 0 or -ENOMEM. */
int natty_leaving_find(struct natty_leaving *leaving,
		       const struct natty_config *old,
		       const struct natty_config *new);

/* End the connections of those that are gone; the new one is active. */
void natty_leaving_close(struct natty_leaving *leaving, struct natty_net *nn);

void natty_leaving_free(struct natty_leaving *leaving);

#endif
