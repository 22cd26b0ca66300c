/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_IDENT_H
#define NATTY_IDENT_H

#include <linux/atomic.h>
#include <linux/hash.h>
#include <net/ip.h>

#include "change.h"

/*
 * Identifications of IPv4 packets. Hosts that share an address each choose
 * theirs, so that two may send to one destination with the same source,
 * protocol and identification at once, and their fragments are put together to
 * garbage. So packets that may be fragmented get one of the translator's
 * (RFC 6864 section 5.3.1, RFC 7857 section 9); those with DF set mean nothing by
 * theirs, and keep it.
 */

#define NATTY_IDENT_SHIFT 10

/**
 * struct natty_idents - counters of a namespace
 * @batch: per CPU, an array of what it has taken of each counter, so that CPUs
 *	do not write the same line for each packet: how many are left in the
 *	lower half, the next of them in the upper; softirqs disabled
 * @next: counters by hash of the destination, in any state at first.
 *	Destinations that share one only come around sooner.
 */
struct natty_idents {
	u32 __percpu *batch;
	atomic_t *next;
};

/* Process context. 0 or -ENOMEM. */
int natty_ident_init(struct natty_idents *idents);

/* No packet is in a hook any more. */
void natty_ident_exit(struct natty_idents *idents);

static __always_inline u32 natty_ident_slot(__be32 daddr)
{
	return hash_32((__force u32)daddr, NATTY_IDENT_SHIFT);
}

/* What this CPU has taken for packets to that destination. */
static __always_inline u32 *natty_ident_batch(const struct natty_idents *idents,
					      __be32 daddr)
{
	return this_cpu_ptr(idents->batch) + natty_ident_slot(daddr);
}

/* May the packet be fragmented, so that its identification means something? */
static __always_inline bool natty_ident_matters(const struct iphdr *iph)
{
	return !(iph->frag_off & htons(IP_DF));
}

/* How many the packet needs: what is yet to be segmented uses one for each. */
static __always_inline u16 natty_ident_need(const struct sk_buff *skb)
{
	return max_t(u16, skb_shinfo(skb)->gso_segs, 1);
}

static __always_inline __wsum natty_ident_set(struct iphdr *iph, u16 to)
{
	__be16 from = iph->id;

	iph->id = htons(to);
	return natty_difference16(from, iph->id);
}

/* Take the next one of a batch that has one left; for natty_ident_set(). */
static __always_inline u16 natty_ident_next(u32 *batch)
{
	u32 had = *batch;

	*batch = had + (1U << 16) - 1;
	return had >> 16;
}

/**
 * natty_ident_renew() - give a packet another identification, if it matters
 * @idents: the namespace's
 * @skb: IPv4, writable; its source is being changed
 * @iph: its header
 *
 * Softirqs disabled. Return: what the checksum of the header must be told.
 */
__wsum natty_ident_renew(struct natty_idents *idents, const struct sk_buff *skb,
			 struct iphdr *iph);

#endif
