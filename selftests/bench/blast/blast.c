// SPDX-License-Identifier: GPL-2.0
/*
 * A generator of packets that pktgen cannot make: answers to translated flows,
 * TCP with its states, IPv6 from many hosts. It hands packets up in the name
 * of a device of the writer's network namespace and times that.
 *
 * /proc/natty_blast takes one command a write; reading tells its result:
 *   flows FAMILY PROTO HOSTS PORTS STEP	which flows; STEP orders them
 *   open	make all of them, learn what they look like outside
 *   send first|out|reply|both COUNT
 * Inside is lan0, outside wan0; answers come in by wan1.
 */
#include <linux/ktime.h>
#include <linux/string.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>

#include "packet.h"

#define FIRST_PORT 10000
#define FIRST_HOST 2
#define BATCH 64

enum blast_what { SEND_FIRST, SEND_OUT, SEND_REPLY, SEND_BOTH };

/* Everything here is under blast_lock; @outside is written by the tap, too. */
static struct blast {
	int family;
	u8 proto;
	u32 hosts, ports, n;
	/* Which flow follows one another: shares no divisor with @n. */
	u32 step;
	u32 learnt;
	struct blast_end remote;
	struct blast_end *outside;
	char result[80];
} blast;
static DEFINE_MUTEX(blast_lock);

static void inside_end(u32 flow, struct blast_end *end)
{
	u32 host = FIRST_HOST + flow % blast.hosts;

	memset(end, 0, sizeof(*end));
	if (blast.family == AF_INET) {
		end->addr.s6_addr32[0] = htonl(0x0a000000 | host);
	} else {
		end->addr.s6_addr32[0] = htonl(0xfd000000);
		end->addr.s6_addr32[3] = htonl(host);
	}
	end->port = htons(FIRST_PORT + flow % blast.ports);
}

static int send_one(const struct blast_shape *shape, enum blast_kind kind,
		    bool reply, u32 flow)
{
	struct blast_end inside;
	struct sk_buff *skb;

	if (reply) {
		skb = blast_packet(shape, kind, reply, &blast.remote,
				   &blast.outside[flow], flow);
	} else {
		inside_end(flow, &inside);
		skb = blast_packet(shape, kind, reply, &inside, &blast.remote,
				   flow);
	}
	if (!skb)
		return -ENOMEM;
	netif_receive_skb(skb);
	return 0;
}

/* Sees what leaves by wan0 while flows are being opened. */
static int tap(struct sk_buff *skb, struct net_device *dev,
	       struct packet_type *type, struct net_device *orig_dev)
{
	struct blast_end end;
	u32 flow;

	if (blast_source(skb, &end, &flow) && flow < blast.n &&
	    !blast.outside[flow].port) {
		blast.outside[flow] = end;
		blast.learnt++;
	}
	consume_skb(skb);
	return 0;
}

static int open_flow(struct blast_shape *in, struct blast_shape *back, u32 flow)
{
	bool tcp = blast.proto == IPPROTO_TCP;
	int err;

	err = send_one(in, tcp ? BLAST_SYN : BLAST_DATA, false, flow);
	if (err || !blast.outside[flow].port)
		return err;
	err = send_one(back, tcp ? BLAST_SYNACK : BLAST_DATA, true, flow);
	if (err || !tcp)
		return err;
	return send_one(in, BLAST_ACK, false, flow);
}

static int open_all(struct blast_shape *in, struct blast_shape *back,
		    struct net_device *out)
{
	struct packet_type type = {
		.type = htons(ETH_P_ALL),
		.dev = out,
		.func = tap,
	};
	u32 i, flow = 0;
	int err = 0;

	memset(blast.outside, 0, array_size(blast.n, sizeof(*blast.outside)));
	blast.learnt = 0;
	dev_add_pack(&type);
	for (i = 0; i < blast.n && !err; i++) {
		local_bh_disable();
		err = open_flow(in, back, flow);
		local_bh_enable();
		flow = (flow + 1) % blast.n;
		cond_resched();
	}
	dev_remove_pack(&type);
	snprintf(blast.result, sizeof(blast.result), "%u", blast.learnt);
	return err;
}

static int send_batch(struct blast_shape *in, struct blast_shape *back,
		      enum blast_what what, u32 count, u32 *flow)
{
	enum blast_kind kind = what == SEND_FIRST && blast.proto == IPPROTO_TCP ?
			       BLAST_SYN : BLAST_DATA;
	int err = 0;

	local_bh_disable();
	for (; count && !err; count--) {
		if (what != SEND_REPLY)
			err = send_one(in, kind, false, *flow);
		if (!err && (what == SEND_REPLY || what == SEND_BOTH) &&
		    blast.outside[*flow].port)
			err = send_one(back, kind, true, *flow);
		*flow += blast.step;
		if (*flow >= blast.n)
			*flow -= blast.n;
	}
	local_bh_enable();
	return err;
}

static int send_all(struct blast_shape *in, struct blast_shape *back,
		    enum blast_what what, u32 count)
{
	u64 start = ktime_get_ns();
	u32 done, flow = 0;
	int err = 0;

	for (done = 0; done < count && !err; done += BATCH) {
		err = send_batch(in, back, what, min_t(u32, BATCH, count - done),
				 &flow);
		cond_resched();
	}
	snprintf(blast.result, sizeof(blast.result), "%llu",
		 ktime_get_ns() - start);
	return err;
}

static int set_flows(const char *text)
{
	u32 proto, hosts, ports, step, family;
	struct blast_end *outside;

	if (sscanf(text, "flows %u %u %u %u %u", &family, &proto, &hosts, &ports,
		   &step) != 5 || !hosts || !ports || hosts > 60000 ||
	    ports > 40000)
		return -EINVAL;
	outside = vzalloc(array3_size(hosts, ports, sizeof(*outside)));
	if (!outside)
		return -ENOMEM;
	vfree(blast.outside);
	blast.outside = outside;
	blast.family = family == 4 ? AF_INET : AF_INET6;
	blast.proto = proto;
	blast.hosts = hosts;
	blast.ports = ports;
	blast.n = hosts * ports;
	blast.step = step % blast.n;
	memset(&blast.remote, 0, sizeof(blast.remote));
	blast.remote.port = htons(9);
	if (family == 4) {
		blast.remote.addr.s6_addr32[0] = htonl(0xc633640a);
	} else {
		blast.remote.addr.s6_addr32[0] = htonl(0x20010db8);
		blast.remote.addr.s6_addr32[1] = htonl(0x00010000);
		blast.remote.addr.s6_addr32[3] = htonl(0x10);
	}
	return 0;
}

static int command(struct net *net, const char *text)
{
	static const char * const whats[] = {
		[SEND_FIRST] = "first", [SEND_OUT] = "out",
		[SEND_REPLY] = "reply", [SEND_BOTH] = "both",
	};
	struct blast_shape in = { .family = blast.family, .proto = blast.proto };
	struct blast_shape back = in;
	struct net_device *out;
	char word[8];
	int what, err;
	u32 count;

	if (!strncmp(text, "flows ", 6))
		return set_flows(text);
	if (!blast.outside)
		return -EINVAL;
	in.dev = dev_get_by_name(net, "lan0");
	back.dev = dev_get_by_name(net, "wan1");
	out = dev_get_by_name(net, "wan0");
	err = -EINVAL;
	if (!in.dev || !back.dev || !out) {
		err = -ENODEV;
	} else if (!strncmp(text, "open", 4)) {
		err = open_all(&in, &back, out);
	} else if (sscanf(text, "send %7s %u", word, &count) == 2) {
		what = match_string(whats, ARRAY_SIZE(whats), word);
		err = what < 0 ? what : send_all(&in, &back, what, count);
	}
	dev_put(in.dev);
	dev_put(back.dev);
	dev_put(out);
	return err;
}

static ssize_t blast_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	char *text;
	int err;

	if (len > 100)
		return -EINVAL;
	text = memdup_user_nul(from, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	mutex_lock(&blast_lock);
	blast.result[0] = '\0';
	err = command(current->nsproxy->net_ns, text);
	mutex_unlock(&blast_lock);
	kfree(text);
	return err ?: len;
}

static int blast_show(struct seq_file *seq, void *v)
{
	mutex_lock(&blast_lock);
	seq_printf(seq, "%s\n", blast.result);
	mutex_unlock(&blast_lock);
	return 0;
}

static int blast_open(struct inode *inode, struct file *file)
{
	return single_open(file, blast_show, NULL);
}

static const struct proc_ops blast_ops = {
	.proc_open = blast_open,
	.proc_read = seq_read,
	.proc_write = blast_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init blast_init(void)
{
	return proc_create("natty_blast", 0600, NULL, &blast_ops) ? 0 : -ENOMEM;
}

static void __exit blast_exit(void)
{
	remove_proc_entry("natty_blast", NULL);
	vfree(blast.outside);
}

module_init(blast_init);
module_exit(blast_exit);
MODULE_DESCRIPTION("packets for natty's bench");
MODULE_LICENSE("GPL");
