// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/jhash.h>
#include <linux/slab.h>
#include <net/icmp.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>

#include "flow.h"
#include "netns.h"
#include "proto_dccp.h"
#include "syn.h"

/* No answer earlier than that. */
#define HOLD		(6 * HZ)
/* That many at a time, so that many answers in HOLD: 42 a second. */
#define HELD_MAX	256
/* What an answer quotes: the longest IPv4 and TCP headers. */
#define QUOTE_MAX	128

/**
 * struct held - an opening whose answer waits
 * @order: in natty_syns.oldest
 * @node: in natty_syns.bucket
 * @tuple: of the packet
 * @due: jiffies at which it is answered
 * @ifindex: where it came in
 * @len: of @head
 * @head: the packet from its IP header on
 */
struct held {
	struct list_head order;
	struct hlist_node node;
	struct natty_tuple tuple;
	unsigned long due;
	u32 ifindex;
	u16 len;
	u8 head[QUOTE_MAX];
};

bool natty_syn_is(const struct natty_packet *pkt)
{
	if (pkt->kind != NATTY_PACKET_FLOW)
		return false;
	if (pkt->tuple.proto == IPPROTO_DCCP)
		return pkt->dccp_type == NATTY_DCCP_LISTEN;
	if (pkt->tuple.proto != IPPROTO_TCP)
		return false;
	return (pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_ACK | TCPHDR_FIN |
				  TCPHDR_RST)) == TCPHDR_SYN;
}

static struct hlist_head *bucket_of(struct natty_net *nn,
				    const struct natty_tuple *t)
{
	u32 hash;

	hash = natty_port_hash(t->family, &t->src.addr, nn->ports.seed);
	hash = jhash_2words((__force u32)t->src.port << 16 |
			    (__force u32)t->dst.port, t->proto, hash);
	return &nn->syns.bucket[hash % NATTY_SYN_BUCKETS];
}

static struct held *find(struct natty_net *nn, const struct natty_tuple *t)
{
	struct held *held;

	hlist_for_each_entry(held, bucket_of(nn, t), node)
		if (natty_tuple_equal(&held->tuple, t))
			return held;
	return NULL;
}

static void take_out(struct natty_syns *syns, struct held *held)
{
	list_del(&held->order);
	hlist_del(&held->node);
	WRITE_ONCE(syns->count, syns->count - 1);
}

static struct held *make(const struct natty_flow *flow)
{
	struct held *held;

	held = kmalloc(sizeof(*held), GFP_ATOMIC | __GFP_NOWARN);
	if (!held)
		return NULL;
	held->tuple = flow->pkt.tuple;
	held->due = jiffies + HOLD;
	held->ifindex = flow->iif->ifindex;
	held->len = min_t(u32, flow->pkt.len, QUOTE_MAX);
	if (!skb_copy_bits(flow->pkt.skb, 0, held->head, held->len))
		return held;
	kfree(held);
	return NULL;
}

void natty_syn_hold(struct natty_flow *flow)
{
	struct natty_net *nn = flow->nn;
	struct natty_syns *syns = &nn->syns;
	struct held *held;

	if (natty_setting(flow->config, NATTY_SET_TCP_UNSOLICITED) !=
		    NATTY_UNSOLICITED_PORT_UNREACHABLE ||
	    !flow->iif || !natty_is_outside(nn, flow->iif->ifindex) ||
	    !natty_syn_is(&flow->pkt) || READ_ONCE(syns->count) >= HELD_MAX)
		return;
	held = make(flow);
	if (!held)
		return;
	spin_lock_bh(&syns->lock);
	/* Who sends it again is not answered later for that. */
	if (syns->count >= HELD_MAX || find(nn, &held->tuple)) {
		spin_unlock_bh(&syns->lock);
		kfree(held);
		return;
	}
	list_add_tail(&held->order, &syns->oldest);
	hlist_add_head(&held->node, bucket_of(nn, &held->tuple));
	WRITE_ONCE(syns->count, syns->count + 1);
	spin_unlock_bh(&syns->lock);
	/* Does nothing if an earlier one is waited for. */
	queue_delayed_work(system_power_efficient_wq, &syns->work, HOLD + 1);
}

void natty_syn_forget(struct natty_net *nn, const struct natty_tuple *t)
{
	struct natty_syns *syns = &nn->syns;
	struct held *held;

	spin_lock_bh(&syns->lock);
	held = find(nn, t);
	if (held)
		take_out(syns, held);
	spin_unlock_bh(&syns->lock);
	kfree(held);
}

/* The packet as far as it is remembered, as if it had just come in. */
static struct sk_buff *revive(const struct held *held, struct net_device *dev)
{
	bool v4 = held->tuple.family == NFPROTO_IPV4;
	struct sk_buff *skb;

	skb = alloc_skb(held->len, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_put_data(skb, held->head, held->len);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->protocol = v4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	skb->pkt_type = PACKET_HOST;
	skb->dev = dev;
	skb->skb_iif = dev->ifindex;
	if (v4) {
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		IPCB(skb)->iif = dev->ifindex;
	} else {
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
		IP6CB(skb)->iif = dev->ifindex;
	}
	return skb;
}

/* The stack answers along a route to the sender. */
static bool set_route(struct net *net, struct sk_buff *skb)
{
	struct flowi4 fl4 = { .daddr = ip_hdr(skb)->saddr };
	struct rtable *rt;

	rt = ip_route_output_key(net, &fl4);
	if (IS_ERR(rt))
		return false;
	skb_dst_set(skb, &rt->dst);
	return true;
}

/* The stack limits the rate of such messages, too. */
static void answer(struct natty_net *nn, const struct held *held)
{
	struct net_device *dev;
	struct sk_buff *skb;

	dev = dev_get_by_index_rcu(nn->net, held->ifindex);
	skb = dev ? revive(held, dev) : NULL;
	if (!skb)
		return;
	if (held->tuple.family == NFPROTO_IPV6)
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
	else if (set_route(nn->net, skb))
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	natty_count(nn, NATTY_COUNT_ICMP_SENT);
	kfree_skb(skb);
}

/* Take out the oldest if its answer is due; @wait: jiffies until it will be. */
static struct held *next_due(struct natty_syns *syns, unsigned long *wait)
{
	struct held *held;

	*wait = 0;
	spin_lock_bh(&syns->lock);
	held = list_first_entry_or_null(&syns->oldest, struct held, order);
	if (held && time_before(jiffies, held->due)) {
		*wait = held->due - jiffies + 1;
		held = NULL;
	}
	if (held)
		take_out(syns, held);
	spin_unlock_bh(&syns->lock);
	return held;
}

static void syn_work(struct work_struct *work)
{
	struct natty_net *nn = container_of(to_delayed_work(work),
					    struct natty_net, syns.work);
	unsigned long wait;
	struct held *held;

	while ((held = next_due(&nn->syns, &wait))) {
		local_bh_disable();
		rcu_read_lock();
		answer(nn, held);
		rcu_read_unlock();
		local_bh_enable();
		kfree(held);
	}
	/* One that came just now may have asked for a later time. */
	if (wait)
		mod_delayed_work(system_power_efficient_wq, &nn->syns.work, wait);
}

void natty_syn_init(struct natty_net *nn)
{
	struct natty_syns *syns = &nn->syns;
	int i;

	spin_lock_init(&syns->lock);
	INIT_LIST_HEAD(&syns->oldest);
	for (i = 0; i < NATTY_SYN_BUCKETS; i++)
		INIT_HLIST_HEAD(&syns->bucket[i]);
	INIT_DELAYED_WORK(&syns->work, syn_work);
}

void natty_syn_flush(struct natty_net *nn)
{
	struct natty_syns *syns = &nn->syns;
	struct held *held, *next;

	spin_lock_bh(&syns->lock);
	list_for_each_entry_safe(held, next, &syns->oldest, order) {
		take_out(syns, held);
		kfree(held);
	}
	spin_unlock_bh(&syns->lock);
}

void natty_syn_exit(struct natty_net *nn)
{
	cancel_delayed_work_sync(&nn->syns.work);
	natty_syn_flush(nn);
}
