// SPDX-License-Identifier: GPL-2.0
/* Notifications to the multicast group events. */

#include "conn.h"
#include "event.h"
#include "netlink.h"

static bool has_listeners(const struct natty_net *nn)
{
	return genl_has_listeners(&natty_nl_family, nn->net,
				  NATTY_NLGRP_EVENTS);
}

/* A message to be filled in, or NULL. */
static struct sk_buff *begin(u8 cmd, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, 0, 0, &natty_nl_family, 0, cmd);
	if (*hdr)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static void send(struct natty_net *nn, struct sk_buff *msg, void *hdr)
{
	int err;

	genlmsg_end(msg, hdr);
	err = genlmsg_multicast_netns(&natty_nl_family, nn->net, msg, 0,
				      NATTY_NLGRP_EVENTS, GFP_ATOMIC);
	/* -ESRCH: the last listener has just gone. */
	if (err && err != -ESRCH)
		natty_count(nn, NATTY_COUNT_EVENT_LOST);
}

static int put_conn(struct sk_buff *msg, u8 cmd, struct natty_net *nn,
		    const struct natty_conn *conn)
{
	if (natty_nl_put_conn(msg, conn))
		return -EMSGSIZE;
	if (cmd != NATTY_CMD_CONN_NEW_NTF)
		return natty_nl_put_counts(msg, nn, conn);
	return nla_put_u32(msg, NATTY_A_CONN_EXPIRES,
			   natty_conn_expires_in(conn));
}

static noinline void tell_conn(struct natty_net *nn, const struct natty_conn *conn,
			       u8 cmd)
{
	struct sk_buff *msg;
	void *hdr;
	u64 seq;

	/* First, so that an event which gets lost below leaves a gap. */
	seq = atomic64_inc_return(&nn->events.seq);
	msg = begin(cmd, &hdr);
	if (!msg)
		goto lost;
	if (natty_nl_put_u64(msg, NATTY_A_CONN_SEQ, seq) ||
	    put_conn(msg, cmd, nn, conn)) {
		nlmsg_free(msg);
		goto lost;
	}
	send(nn, msg, hdr);
	return;

lost:
	natty_count(nn, NATTY_COUNT_EVENT_LOST);
}

void natty_event_conn_new(struct natty_net *nn, const struct natty_conn *conn)
{
	if (has_listeners(nn))
		tell_conn(nn, conn, NATTY_CMD_CONN_NEW_NTF);
}

void natty_event_conn_del(struct natty_net *nn, const struct natty_conn *conn)
{
	if (has_listeners(nn))
		tell_conn(nn, conn, NATTY_CMD_CONN_DEL_NTF);
}

/* Is it a second since the last such event? True for one caller only. */
static bool limit_due(unsigned long *limited)
{
	unsigned long last = READ_ONCE(*limited), now = jiffies;

	if (last && time_before(now, last + HZ))
		return false;
	return cmpxchg(limited, last, now ?: 1) == last;
}

void natty_event_limit(struct natty_net *nn, enum natty_counter why)
{
	struct sk_buff *msg;
	void *hdr;

	if (!has_listeners(nn) || !limit_due(&nn->events.limited[why]))
		return;
	msg = begin(NATTY_CMD_LIMIT_NTF, &hdr);
	if (!msg) {
		natty_count(nn, NATTY_COUNT_EVENT_LOST);
		return;
	}
	if (nla_put_string(msg, NATTY_A_STAT_NAME, natty_stats_name(why)) ||
	    natty_nl_put_u64(msg, NATTY_A_STAT_VALUE,
			     natty_stats_sum(nn, why))) {
		nlmsg_free(msg);
		return;
	}
	send(nn, msg, hdr);
}
