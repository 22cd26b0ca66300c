/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PORT_H
#define NATTY_PORT_H

#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/rhashtable-types.h>

#include "tuple.h"

struct natty_net;

/*
 * Which ports of an external address are taken, for each protocol that has
 * ports. A port is free, or owned by one mapping, or shared by a number of
 * connections whose destinations differ (RFC 7857 section 3), or it rests:
 * nobody else gets it until what was on the way to its last owner has passed
 * (RFC 6888 REQ-8). The map of an address is made when the first port of it is
 * asked for.
 *
 * All functions: softirq or process context with softirqs disabled or not.
 * They hold the lock of one address for a bounded number of steps; within it
 * only TCP's bind hash is locked, to look for sockets. Ports are in host order.
 */

/* log2 of the bits of natty_ports.filter. */
#define NATTY_PORT_FILTER_SHIFT 13

/**
 * struct natty_ports - external addresses of a namespace
 * @addrs: struct natty_port_addr by family and address; they stay as long as they
 *	are used or configured, and after that until natty_port_sweep()
 * @seed: of @filter
 * @memory: bytes occupied
 * @resting: number of ports that rest
 * @filter: the bit of an address's hash is set before the address enters
 *	@addrs, and stays set until exit
 */
struct natty_ports {
	struct rhashtable addrs;
	u32 seed;
	atomic_long_t memory;
	atomic_t resting;
	unsigned long filter[BITS_TO_LONGS(BIT(NATTY_PORT_FILTER_SHIFT))];
};

/**
 * struct natty_port_request - what port is wanted
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: protocol with ports
 * @addr: external address
 * @want: the internal port, taken if it is free and in range
 * @min: lowest permitted
 * @max: highest permitted; both 0 for the band of @want: 1-1023 or 1024-65535
 *	(RFC 4787 REQ-3a), for ICMP all
 * @random: choose unpredictably even if @want is free
 * @parity: keep the parity of @want while the range has such a port (REQ-4)
 * @host: internal host, which may have again what it had, and is noted where
 *	presence.h asks for it, or NULL
 */
struct natty_port_request {
	u8 family;
	u8 proto;
	union nf_inet_addr addr;
	u16 want;
	u16 min;
	u16 max;
	bool random;
	bool parity;
	const union nf_inet_addr *host;
};

/* 0 or -ENOMEM. */
int natty_port_init(struct natty_net *nn);

/* Nobody uses the ports any more, not even under RCU. */
void natty_port_exit(struct natty_net *nn);

/**
 * natty_port_take() - own a free port
 * @nn: network namespace
 * @req: what is wanted
 *
 * Never gives a port on which a TCP, UDP or UDP-Lite socket of this host
 * receives what comes to the address. Unpredictable unless @want itself is given
 * (RFC 6056). Finds the last free port, also the last whose rest is over; cost
 * does not depend on how many are taken.
 *
 * Return: the port; -ENOSPC if none is free, -ENOMEM, -EINVAL for a protocol
 * without ports.
 */
int natty_port_take(struct natty_net *nn, const struct natty_port_request *req);

/*
 * Own exactly this port, even if it rests and whatever local sockets there are.
 * 0, -EBUSY, -ENOMEM.
 */
int natty_port_take_exact(struct natty_net *nn, u8 family, u8 proto,
			  const union nf_inet_addr *addr, u16 port);

/**
 * natty_port_rest() - give an owned port back, and let it rest
 * @nn: network namespace
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: protocol with ports
 * @addr: external address
 * @port: owned
 * @tag: natty_port_tag() of the host that had it, which may have it again
 * @seconds: how long nobody else may
 *
 * It is free at once where memory is short, or @seconds is 0.
 */
void natty_port_rest(struct natty_net *nn, u8 family, u8 proto,
		     const union nf_inet_addr *addr, u16 port, u16 tag,
		     u32 seconds);

/* By which a resting port knows a host; never 0. Hosts may have the same. */
u16 natty_port_tag(const struct natty_net *nn, u8 family,
		   const union nf_inet_addr *host);

/*
 * Free ports that have rested long enough, and addresses that nobody uses and
 * the configuration does not translate to. Process context; now and then.
 */
void natty_port_sweep(struct natty_net *nn);

/* Give an owned port back. */
void natty_port_put(struct natty_net *nn, u8 family, u8 proto,
		    const union nf_inet_addr *addr, u16 port);

/*
 * Use a port that is free, resting or shared already. 0, -EBUSY if it is owned
 * or, unless it is the sender's @own, has a socket of this host, -ENOMEM.
 */
int natty_port_share(struct natty_net *nn, u8 family, u8 proto,
		     const union nf_inet_addr *addr, u16 port, bool own);

/*
 * Like natty_port_take(), but the port is then shared by one user; finds only
 * ports that nobody uses yet.
 */
int natty_port_take_shared(struct natty_net *nn,
			   const struct natty_port_request *req);

void natty_port_unshare(struct natty_net *nn, u8 family, u8 proto,
			const union nf_inet_addr *addr, u16 port);

/*
 * Does this host have a socket, listening or connected or bound, that receives
 * what comes to the port of the address? One bound to any address does if the
 * address is the host's. Knows TCP, UDP and UDP-Lite.
 */
bool natty_port_is_local(struct net *net, u8 family, u8 proto,
			 const union nf_inet_addr *addr, u16 port);

static inline u32 natty_port_hash(u8 family, const union nf_inet_addr *addr,
				  u32 seed)
{
	if (family == NFPROTO_IPV4)
		return jhash_1word((__force u32)addr->ip, seed);
	return jhash2((__force const u32 *)addr->ip6, 4, seed);
}

/*
 * A weaker hash than that of @addrs: every packet pays for it, and who finds
 * addresses that share a bit only makes his packets take the longer way.
 */
static __always_inline u32 natty_port_filter_bit(const struct natty_ports *ports,
						 u8 family,
					const union nf_inet_addr *addr)
{
	u32 word = family == NFPROTO_IPV4 ? (__force u32)addr->ip :
					    ipv6_addr_hash(&addr->in6);

	return hash_32(word ^ ports->seed, NATTY_PORT_FILTER_SHIFT);
}

/*
 * Like natty_port_addr_known(), but now and then true for an address that is
 * not known: one memory access, for those to whom that only costs time.
 */
static __always_inline bool natty_port_addr_maybe(const struct natty_ports *ports,
						  u8 family,
					 const union nf_inet_addr *addr)
{
	return test_bit(natty_port_filter_bit(ports, family, addr),
			ports->filter);
}

/*
 * May a port of this address be taken? If not, no packet to it can belong to a
 * mapping. Lock-free, under RCU.
 */
bool natty_port_addr_known(const struct natty_net *nn, u8 family,
			   const union nf_inet_addr *addr);

/* Is a port of it taken that does not rest, or the address in use? Under RCU. */
bool natty_port_addr_used(const struct natty_net *nn, u8 family,
			  const union nf_inet_addr *addr);

/*
 * Make the address known although no port of it is taken (netmap, protocols
 * without ports) until natty_port_addr_unuse() is called as often. 0, -ENOMEM.
 */
int natty_port_addr_use(struct natty_net *nn, u8 family,
			const union nf_inet_addr *addr);
void natty_port_addr_unuse(struct natty_net *nn, u8 family,
			   const union nf_inet_addr *addr);

/* Bytes that addresses and maps occupy. */
u64 natty_port_memory(const struct natty_net *nn);

#endif
