/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMMIT_H
#define NATTY_COMMIT_H

#include <linux/netlink.h>

struct natty_config;
struct natty_net;

/**
 * natty_commit() - make a staged configuration the active one
 * @nn: network namespace, @nn->lock held
 * @config: staged from the one that is active; released on failure
 * @fresh: it was built from nothing: its rules that say the same as active
 *	ones keep those objects, with id and counter
 * @extack: gets the reason of a failure
 *
 * Packets see either the old or the new configuration. Connections go on, but
 * for those of forwards that are gone and of pool addresses that neither a
 * pool nor a rule nor a forward has any more.
 *
 * Return: 0; or a negative error, and nothing changed.
 */
int natty_commit(struct natty_net *nn, struct natty_config *config, bool fresh,
		 struct netlink_ext_ack *extack);

/* Would natty_commit() succeed, memory permitting? Releases @config. */
int natty_commit_check(struct natty_net *nn, struct natty_config *config,
		       bool fresh, struct netlink_ext_ack *extack);

#endif
