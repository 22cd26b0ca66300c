/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_IFADDR_H
#define NATTY_IFADDR_H

#include <linux/netfilter.h>

/*
 * Follows addresses and links: flows that masquerade behind an address or an
 * interface end when it goes, and none of the others do.
 */
int natty_ifaddr_init(void);
void natty_ifaddr_exit(void);

/* Is it one of this host's own addresses? Under RCU. */
bool natty_ifaddr_is_local(struct net *net, u8 family, const union nf_inet_addr *addr);

#endif
