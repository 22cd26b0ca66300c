/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_CONFLICT_H
#define NATTY_CONFLICT_H

#include <linux/types.h>

struct natty_net;
struct net;

/* Does the kernel's own NAT translate packets of this namespace? */
bool natty_conflict_nat(struct net *net);

/* Does nf_conntrack track packets of this namespace? */
bool natty_conflict_conntrack(struct net *net);

/* Warn of the kernel's NAT; called once, when the namespace is enabled. */
void natty_conflict_check(struct natty_net *nn);

#endif
