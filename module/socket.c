// SPDX-License-Identifier: GPL-2.0
/*
 * Does this host have a socket on a port? Asked for every port that is to be
 * handed out, so the usual answer, no, is found by looking at one chain of the
 * protocol's hash table by port, and needs no route lookup.
 */

#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/inet_hashtables.h>
#include <net/route.h>

#include "compat/bind_bucket.h"
#include "compat/udp_table.h"
#include "port.h"

static bool addr_is_local(struct net *net, u8 family,
			  const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return inet_addr_type(net, addr->ip) == RTN_LOCAL;
#if IS_ENABLED(CONFIG_IPV6)
	return ipv6_chk_addr(net, &addr->in6, NULL, 0);
#else
	return false;
#endif
}

/* Does a socket bound to @bound, mapped if it is IPv4, receive what comes to @addr? */
static bool receives(struct net *net, u8 family, const union nf_inet_addr *addr,
		     const struct in6_addr *bound)
{
	if (ipv6_addr_any(bound))
		return addr_is_local(net, family, addr);
	if (family == NFPROTO_IPV6)
		return ipv6_addr_equal(bound, &addr->in6);
	if (!ipv6_addr_v4mapped(bound))
		return false;
	if (!bound->s6_addr32[3])
		return addr_is_local(net, family, addr);
	return bound->s6_addr32[3] == addr->ip;
}

/*
 * A bucket holds listening, connected and merely bound sockets as well as those
 * in TIME_WAIT.
 */
static noinline bool tcp_is_local(struct net *net, u8 family,
				  const union nf_inet_addr *addr, u16 port)
{
	struct inet_hashinfo *info = net->ipv4.tcp_death_row.hashinfo;
	struct inet_bind_hashbucket *head;
	struct inet_bind_bucket *bucket;
	struct natty_bound *bound;
	struct in6_addr at;
	bool local = false;

	head = &info->bhash[inet_bhashfn(net, port, info->bhash_size)];
	if (hlist_empty(&head->chain))
		return false;
	spin_lock_bh(&head->lock);
	hlist_for_each_entry(bucket, &head->chain, node) {
		if (bucket->port != port || !net_eq(ib_net(bucket), net))
			continue;
		natty_for_each_bound(bound, bucket) {
			natty_bound_addr(bound, &at);
			local = receives(net, family, addr, &at);
			if (local)
				goto out;
		}
	}
out:
	spin_unlock_bh(&head->lock);
	return local;
}

static void socket_addr(const struct sock *sk, struct in6_addr *addr)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		*addr = sk->sk_v6_rcv_saddr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, addr);
}

static noinline bool udp_receives(struct net *net, u8 family,
				  const union nf_inet_addr *addr, u16 port,
				  const struct udp_hslot *slot)
{
	struct in6_addr at;
	bool local = false;
	struct sock *sk;

	rcu_read_lock();
	sk_for_each_rcu(sk, &slot->head) {
		if (udp_sk(sk)->udp_port_hash != port ||
		    !net_eq(sock_net(sk), net))
			continue;
		socket_addr(sk, &at);
		local = receives(net, family, addr, &at);
		if (local)
			break;
	}
	rcu_read_unlock();
	return local;
}

static bool udp_is_local(struct net *net, u8 family, u8 proto,
			 const union nf_inet_addr *addr, u16 port)
{
	struct udp_table *table = natty_udp_table(net, proto);
	const struct udp_hslot *slot;

	if (!table)
		return false;
	slot = udp_hashslot(table, net, port);
	return !hlist_empty(&slot->head) &&
	       udp_receives(net, family, addr, port, slot);
}

bool natty_port_is_local(struct net *net, u8 family, u8 proto,
			 const union nf_inet_addr *addr, u16 port)
{
	switch (proto) {
	case IPPROTO_TCP:
		return tcp_is_local(net, family, addr, port);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return udp_is_local(net, family, proto, addr, port);
	default:
		/* SCTP and DCCP keep their sockets to themselves. */
		return false;
	}
}
