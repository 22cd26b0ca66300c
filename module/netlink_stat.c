// SPDX-License-Identifier: GPL-2.0
/* Requests about counters. */

#include "netlink.h"
#include "stats.h"

static int put_stat(struct sk_buff *skb, struct netlink_callback *cb,
		    enum natty_counter counter)
{
	void *hdr = natty_nl_dump_entry(skb, cb, NATTY_CMD_STAT_GET);
	const struct natty_net *nn = natty_nl_net(skb);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_string(skb, NATTY_A_STAT_NAME, natty_stats_name(counter)) ||
	    natty_nl_put_u64(skb, NATTY_A_STAT_VALUE,
			     natty_stats_sum(nn, counter)) ||
	    (natty_stats_is_drop(counter) &&
	     nla_put_flag(skb, NATTY_A_STAT_DROP))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Where a dump of counters goes on. */
struct stat_cursor {
	u32 counter;
};

int natty_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct stat_cursor *at = (struct stat_cursor *)cb->ctx;

	for (; at->counter < NATTY_COUNT_MAX; at->counter++) {
		if (!natty_stats_name(at->counter))
			continue;
		if (put_stat(skb, cb, at->counter))
			break;
	}
	return skb->len;
}
