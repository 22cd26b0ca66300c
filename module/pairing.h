/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_PAIRING_H
#define NATTY_PAIRING_H

#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "tuple.h"

struct natty_net;
struct natty_port_addr;

/*
 * A host has one address of a pool in all protocols (RFC 4787 REQ-2, RFC 6888
 * REQ-2), by a hash, so that nothing need be remembered; but for hosts that had
 * no mapping when the hash led them to a full address. These are paired with
 * another address as long as they have mappings of it, and are remembered here:
 * no more of them than there are mappings.
 */

/**
 * struct natty_pairings - hosts whose address is not the one of their hash
 * @table: struct pairing by host and address of the hash; read under RCU
 * @lock: of changes; softirqs disabled; innermost but for the table's own
 * @n: how many
 * @next_look: when the next costly look at who has ports of an address may begin,
 *	in nanoseconds, S64_MAX while one lasts; see presence.c
 * @full: the address that @look is about
 * @look: looks at ports of an address that has many
 * @vain: jiffies at which all addresses of a pool were last found full, 0: never
 */
struct natty_pairings {
	struct rhashtable table;
	spinlock_t lock;	/* of changes */
	atomic_t n;
	atomic64_t next_look;
	struct natty_port_addr *full;
	struct work_struct look;
	unsigned long vain;
};

int natty_pairing_init(struct natty_net *nn);
void natty_pairing_exit(struct natty_net *nn);

/* Mostly there is none, and first packets need not look. */
static inline bool natty_pairing_any(const struct natty_pairings *pairings)
{
	return atomic_read(&pairings->n);
}

/**
 * natty_pairing_find() - find a host's pairing
 * @nn: network namespace, under RCU
 * @family: of all addresses
 * @host: internal host
 * @from: address that its hash leads to
 * @to: set to the one that it has instead
 *
 * Return: false if it has none.
 */
bool natty_pairing_find(const struct natty_net *nn, u8 family,
			const union nf_inet_addr *host,
			const union nf_inet_addr *from, union nf_inet_addr *to);

/**
 * natty_pairing_join() - count one more mapping of a paired host
 * @nn: network namespace
 * @family: of all addresses
 * @host: internal host
 * @from: address that its hash leads to
 * @to: address of the mapping
 * @make: begin a pairing if there is none
 *
 * Return: 0, -EEXIST if it is paired with another address, -ENOENT if it is
 * not paired, -ENOMEM.
 */
int natty_pairing_join(struct natty_net *nn, u8 family,
		       const union nf_inet_addr *host,
		       const union nf_inet_addr *from,
		       const union nf_inet_addr *to, bool make);

/* Count one less; the last one ends the pairing. */
void natty_pairing_leave(struct natty_net *nn, u8 family,
			 const union nf_inet_addr *host,
			 const union nf_inet_addr *to);

#endif
