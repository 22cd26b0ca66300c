/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_IDENT_H
#define NATTY_IDENT_H

#include <linux/atomic.h>
#include <linux/ip.h>
#include <net/ip.h>

struct natty_net;

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
 * struct natty_ident_batch - what a CPU has taken of a counter
 * @next: first one left
 * @left: how many there are
 */
struct natty_ident_batch {
	u16 next;
	u16 left;
};

/**
 * struct natty_idents - counters of a namespace
 * @next: by hash of the destination, in any state at first. Destinations that
 *	share one only come around sooner.
 * @batch: per CPU, an array like @next, so that CPUs do not write the same line
 *	for each packet; softirqs disabled
 */
struct natty_idents {
	atomic_t next[1 << NATTY_IDENT_SHIFT];
	struct natty_ident_batch __percpu *batch;
};

/* Process context. 0 or -ENOMEM. */
int natty_ident_init(struct natty_net *nn);

/* No packet is in a hook any more. */
void natty_ident_exit(struct natty_net *nn);

/*
 * Give a packet whose DF bit is clear another identification, if ip.unique-id.
 * Return: what the checksum of its header must be told.
 */
__wsum natty_ident_change(struct natty_net *nn, struct sk_buff *skb);

/* The same for any IPv4 packet whose source is changed and that is writable. */
static __always_inline __wsum natty_ident_renew(struct natty_net *nn,
						struct sk_buff *skb)
{
	if (ip_hdr(skb)->frag_off & htons(IP_DF))
		return 0;
	return natty_ident_change(nn, skb);
}

#endif
