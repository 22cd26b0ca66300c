/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_BIND_BUCKET_H
#define NATTY_COMPAT_BIND_BUCKET_H

#include <linux/version.h>
#include <net/inet_hashtables.h>

/*
 * struct natty_bound is what a bucket of TCP's bind hash lists: before 6.8 its
 * sockets, since then the buckets of the addresses to which they are bound.
 * natty_bound_addr() shows an IPv4 address mapped into IPv6.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)

#define natty_bound inet_bind2_bucket
#define natty_for_each_bound(bound, bucket) \
	hlist_for_each_entry(bound, &(bucket)->bhash2, bhash_node)

static inline void natty_bound_addr(const struct inet_bind2_bucket *bound,
				    struct in6_addr *addr)
{
#if IS_ENABLED(CONFIG_IPV6)
	*addr = bound->v6_rcv_saddr;
#else
	ipv6_addr_set_v4mapped(bound->rcv_saddr, addr);
#endif
}

#else

#define natty_bound sock
#define natty_for_each_bound(bound, bucket) \
	sk_for_each_bound(bound, &(bucket)->owners)

static inline void natty_bound_addr(const struct sock *bound,
				    struct in6_addr *addr)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (bound->sk_family == AF_INET6) {
		*addr = bound->sk_v6_rcv_saddr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(bound->sk_rcv_saddr, addr);
}

#endif

#endif
