/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_UDP_TABLE_H
#define NATTY_COMPAT_UDP_TABLE_H

#include <linux/version.h>
#include <net/udp.h>

/* Later kernels have no UDP-Lite sockets. */
#ifdef IS_UDPLITE
#include <net/udplite.h>
#endif

/*
 * The hash table of the protocol's sockets, NULL if there is none. Since 6.2 a
 * namespace can have a table of its own.
 */
static inline struct udp_table *natty_udp_table(const struct net *net, u8 proto)
{
	if (proto == IPPROTO_UDPLITE)
#ifdef IS_UDPLITE
		return &udplite_table;
#else
		return NULL;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return net->ipv4.udp_table;
#else
	return &udp_table;
#endif
}

#endif
