/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_SYN_H
#define NATTY_SYN_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "packet.h"

struct natty_flow;
struct natty_net;

/*
 * Openings from outside that nobody waits for: a TCP SYN or a DCCP-Listen. Its
 * sender may be one of two that open at once, whose other one is not that far
 * yet, and an answer would spoil that: so none is given for six seconds
 * (RFC 5382 REQ-4, RFC 5597 REQ-4). If the other one's own opening has gone out
 * by then, none is given at all.
 */

#define NATTY_SYN_BUCKETS 64

/**
 * struct natty_syns - the unanswered openings of a namespace
 * @lock: innermost; of all below
 * @count: how many there are, bounded; read without the lock to
 *	see whether there are any
 * @oldest: all of them, in the order in which their answers fall due
 * @bucket: the same by tuple
 * @work: answers those that are due
 */
struct natty_syns {
	spinlock_t lock;	/* of all below */
	u32 count;
	struct list_head oldest;
	struct hlist_head bucket[NATTY_SYN_BUCKETS];
	struct delayed_work work;
};

void natty_syn_init(struct natty_net *nn);

/* No packet is in a hook any more. Process context. */
void natty_syn_exit(struct natty_net *nn);

/* May the packet be an opening whose answer must wait? */
bool natty_syn_is(const struct natty_packet *pkt);

/**
 * natty_syn_hold() - put off the answer to a packet that is being dropped
 * @flow: any packet, in a hook before routing or on its way in
 *
 * Remembers the packet's headers if it is an opening from outside and the
 * setting tcp.unsolicited asks for an answer. Does nothing if it is remembered
 * already, or if so many are that more answers would be a flood.
 */
void natty_syn_hold(struct natty_flow *flow);

/* A connection began in which packets look like this: forget such an opening. */
void natty_syn_forget(struct natty_net *nn, const struct natty_tuple *t);

/* Forget all of them, unanswered. */
void natty_syn_flush(struct natty_net *nn);

static inline bool natty_syn_any(const struct natty_syns *syns)
{
	return READ_ONCE(syns->count);
}

#endif
