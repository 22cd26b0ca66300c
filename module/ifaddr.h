/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_IFADDR_H
#define NATTY_IFADDR_H

/*
 * Follows addresses and links: flows that masquerade behind an address or an
 * interface end when it goes, and none of the others do.
 */
int natty_ifaddr_init(void);
void natty_ifaddr_exit(void);

#endif
