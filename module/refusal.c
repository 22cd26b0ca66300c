// SPDX-License-Identifier: GPL-2.0
/* What becomes of flows for which nothing is left. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/icmp.h>

#include "compat/route_input.h"
#include "netns.h"
#include "refusal.h"

static bool is_exhaustion(enum natty_counter why)
{
	switch (why) {
	case NATTY_DROP_NO_PORT:
	case NATTY_DROP_LIMIT_CONNECTIONS:
	case NATTY_DROP_LIMIT_HOST:
	case NATTY_DROP_LIMIT_HOST_RATE:
		return true;
	default:
		return false;
	}
}

/* The kernel limits how many errors a destination gets, and all together. */
static void send_error(struct natty_flow *flow)
{
	u32 answer = natty_setting(flow->config, NATTY_SET_ICMP_EXHAUSTED);
	bool admin = answer == NATTY_EXHAUSTED_ADMIN_PROHIBITED;
	struct sk_buff *skb = flow->pkt.skb;

	if (answer == NATTY_EXHAUSTED_SILENT)
		return;
	/* Before routing, the way back is not known to the kernel yet. */
	if (flow->table->family == NFPROTO_IPV4 && !skb_dst(skb) &&
	    !natty_route_input(skb, skb->dev))
		return;
	natty_count(flow->nn, NATTY_COUNT_ICMP_SENT);
	if (flow->table->family == NFPROTO_IPV4)
		icmp_send(skb, ICMP_DEST_UNREACH,
			  admin ? ICMP_PKT_FILTERED : ICMP_HOST_UNREACH, 0);
	else
		icmpv6_send(skb, ICMPV6_DEST_UNREACH,
			    admin ? ICMPV6_ADM_PROHIBITED : ICMPV6_ADDR_UNREACH, 0);
}

unsigned int natty_refuse(struct natty_flow *flow, enum natty_counter why,
			  bool answer)
{
	/* First, as the event tells the count. */
	natty_count(flow->nn, why);
	if (is_exhaustion(why)) {
		natty_event_limit(flow->nn, why);
		if (answer)
			send_error(flow);
	}
	return NF_DROP;
}
