/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_EVENT_H
#define NATTY_EVENT_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "stats.h"

struct natty_conn;
struct natty_net;

/**
 * struct natty_events - numbering of a namespace's notifications
 * @seq: of the last connection event; a gap tells a listener of a loss
 * @limited: jiffies of the last limit event of each reason, 0 for none yet
 */
struct natty_events {
	atomic64_t seq;
	unsigned long limited[NATTY_DROP_END];
};

/*
 * Tell listeners that a connection was confirmed or has ended. Any context but
 * hard interrupts, under RCU. Costs one test when nobody listens.
 */
void natty_event_conn_new(struct natty_net *nn, const struct natty_conn *conn);
void natty_event_conn_del(struct natty_net *nn, const struct natty_conn *conn);

/*
 * Tell listeners that a flow was refused, which is counted already; at most
 * once a second for each reason.
 */
void natty_event_limit(struct natty_net *nn, enum natty_counter why);

#endif
