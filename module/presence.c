// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "netns.h"
#include "presence.h"

/* Ports that are looked up between two looks at the map. */
#define BATCH 64

/* So many are looked up for a packet; if there are more, in process context. */
#define AT_ONCE (8 * BATCH)

/* A mapping that another CPU is making is found within so many looks. */
#define LOOKS 64

/* So many times as long as a search took no other one begins. */
#define PAUSE 16

/* How long one is kept that nobody asks for. */
#define KEPT (60 * HZ)

enum answer {
	UNSURE,
	MAYBE,
	NEVER,
};

static u8 proto_of(enum natty_port_class class, u8 family)
{
	static const u8 proto[NATTY_PORT_CLASSES] = {
		[NATTY_PORTS_TCP] = IPPROTO_TCP,
		[NATTY_PORTS_UDP] = IPPROTO_UDP,
		[NATTY_PORTS_UDPLITE] = IPPROTO_UDPLITE,
		[NATTY_PORTS_SCTP] = IPPROTO_SCTP,
		[NATTY_PORTS_DCCP] = IPPROTO_DCCP,
		[NATTY_PORTS_ICMP] = IPPROTO_ICMP,
	};

	if (class == NATTY_PORTS_ICMP && family == NFPROTO_IPV6)
		return IPPROTO_ICMPV6;
	return proto[class];
}

/* The next owned ports of a class; returns how many, at most BATCH. */
static unsigned int list_ports(struct natty_port_addr *pa, u16 *port)
{
	struct natty_presence *presence = pa->presence;
	const unsigned int class = presence->class;
	unsigned int n = 0;
	int next;

	spin_lock_bh(&pa->lock);
	while (pa->map[class] && n < BATCH && presence->from <= U16_MAX) {
		next = natty_portmap_next_owned(pa->map[class], presence->from);
		if (next < 0)
			break;
		port[n++] = next;
		presence->from = next + 1;
	}
	spin_unlock_bh(&pa->lock);
	return n;
}

/* Whoever is about to have the port may not be in the table yet. */
static void note_owner(struct natty_net *nn, struct natty_port_addr *pa, u8 proto,
		       u16 port)
{
	struct natty_table *table = natty_table_of(nn, pa->key.family);
	struct natty_endpoint ep = {
		.addr = pa->key.addr,
		.port = htons(port),
	};
	struct natty_conn *mapping = NULL;
	int i;

	for (i = 0; i < LOOKS && !mapping; i++)
		mapping = natty_table_find_external(table, proto, &ep);
	if (!mapping || natty_conn_is(mapping, NATTY_CONN_STATIC))
		return;
	natty_conn_get_end(mapping, NATTY_END_ORIG_SRC, &ep);
	spin_lock_bh(&pa->lock);
	natty_presence_note(pa->presence, pa->key.family, &ep.addr);
	spin_unlock_bh(&pa->lock);
}

/* Note who has some more ports; returns of how many. Under RCU. */
static unsigned int note_some(struct natty_net *nn, struct natty_port_addr *pa)
{
	struct natty_presence *presence = pa->presence;
	u8 proto = proto_of(presence->class, pa->key.family);
	unsigned int i, n;
	u16 port[BATCH];

	n = list_ports(pa, port);
	for (i = 0; i < n; i++)
		note_owner(nn, pa, proto, port[i]);
	if (n < BATCH) {
		presence->class++;
		presence->from = 0;
	}
	return n;
}

static bool is_complete(const struct natty_presence *presence)
{
	return presence->class == NATTY_PORT_CLASSES;
}

/* All ports have been looked at, which took so many nanoseconds. */
static void finish(struct natty_net *nn, struct natty_port_addr *pa, s64 spent)
{
	spin_lock_bh(&pa->lock);
	pa->presence->ready = true;
	pa->users--;
	spin_unlock_bh(&pa->lock);
	atomic64_set(&nn->pairings.next_look, ktime_get_ns() + PAUSE * spent);
}

void natty_presence_look(struct work_struct *work)
{
	struct natty_net *nn = container_of(work, struct natty_net, pairings.look);
	struct natty_port_addr *pa = nn->pairings.full;
	s64 start = ktime_get_ns();

	while (!is_complete(pa->presence)) {
		rcu_read_lock();
		note_some(nn, pa);
		rcu_read_unlock();
		cond_resched();
	}
	finish(nn, pa, ktime_get_ns() - start);
}

/* Put a new one in the place of the old; it stays until all ports are seen. */
static bool replace(struct natty_net *nn, struct natty_port_addr *pa)
{
	struct natty_presence *new, *old = NULL;
	bool done = false;

	new = kzalloc(sizeof(*new), GFP_ATOMIC | __GFP_NOWARN);
	if (!new)
		return false;
	new->seed = get_random_u32();
	spin_lock_bh(&pa->lock);
	if (!pa->dead) {
		old = pa->presence;
		pa->presence = new;
		/* The address stays while it is looked at. */
		pa->users++;
		done = true;
	}
	spin_unlock_bh(&pa->lock);
	if (done && !old)
		atomic_long_add(sizeof(*new), &nn->ports.memory);
	kfree(done ? old : new);
	return done;
}

/* Look at all ports. False if that takes longer, or must wait. */
static bool look(struct natty_net *nn, struct natty_port_addr *pa)
{
	struct natty_pairings *pairings = &nn->pairings;
	s64 start = ktime_get_ns(), next = atomic64_read(&pairings->next_look);
	unsigned int n = 0;

	/* One at a time, whatever the address. */
	if (start < next ||
	    !atomic64_try_cmpxchg(&pairings->next_look, &next, S64_MAX))
		return false;
	if (!replace(nn, pa)) {
		atomic64_set(&pairings->next_look, start);
		return false;
	}
	while (!is_complete(pa->presence) && n < AT_ONCE)
		n += note_some(nn, pa);
	if (!is_complete(pa->presence)) {
		pairings->full = pa;
		queue_work(system_unbound_wq, &pairings->look);
		return false;
	}
	finish(nn, pa, ktime_get_ns() - start);
	return true;
}

void natty_presence_stop(struct natty_net *nn)
{
	cancel_work_sync(&nn->pairings.look);
}

static enum answer ask(struct natty_port_addr *pa,
		       const union nf_inet_addr *host)
{
	struct natty_presence *presence;
	enum answer answer = UNSURE;

	spin_lock_bh(&pa->lock);
	presence = pa->presence;
	if (presence && presence->ready) {
		presence->asked = jiffies;
		answer = test_bit(natty_presence_bit(presence, pa->key.family,
						     host),
				  presence->host) ? MAYBE : NEVER;
	}
	spin_unlock_bh(&pa->lock);
	return answer;
}

bool natty_presence_lacks(struct natty_net *nn, u8 family,
			  const union nf_inet_addr *addr,
			  const union nf_inet_addr *host)
{
	struct natty_port_addr *pa = natty_port_addr_find(nn, family, addr);

	if (!pa || ask(pa, host) == NEVER)
		return true;
	return look(nn, pa) && ask(pa, host) == NEVER;
}

bool natty_presence_is_stale(const struct natty_presence *presence)
{
	return presence->ready &&
	       time_after(jiffies, presence->asked + KEPT);
}
