// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "netns.h"
#include "presence.h"

/* Ports that are looked up between two looks at the map. */
#define BATCH 64

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

/* Owned ports from @from on; returns how many, at most BATCH. */
static unsigned int list_ports(struct natty_port_addr *pa, unsigned int class,
			       u32 from, u16 *port)
{
	unsigned int n = 0;
	int next;

	spin_lock_bh(&pa->lock);
	while (pa->map[class] && n < BATCH && from <= U16_MAX) {
		next = natty_portmap_next_owned(pa->map[class], from);
		if (next < 0)
			break;
		port[n++] = next;
		from = next + 1;
	}
	spin_unlock_bh(&pa->lock);
	return n;
}

/* Whoever is about to have the port may not be in the table yet. */
static void note_owner(struct natty_net *nn, struct natty_port_addr *pa,
		       struct natty_presence *presence, u8 proto, u16 port)
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
	natty_presence_note(presence, pa->key.family, &ep.addr);
	spin_unlock_bh(&pa->lock);
}

static void note_all(struct natty_net *nn, struct natty_port_addr *pa,
		     struct natty_presence *presence)
{
	unsigned int class, i, n;
	u16 port[BATCH];
	u32 from;

	for (class = 0; class < NATTY_PORT_CLASSES; class++) {
		from = 0;
		do {
			n = list_ports(pa, class, from, port);
			for (i = 0; i < n; i++)
				note_owner(nn, pa, presence,
					   proto_of(class, pa->key.family),
					   port[i]);
			if (n)
				from = port[n - 1] + 1;
		} while (n == BATCH);
	}
}

/* Put a new one in the place of the old; not while another CPU makes one. */
static bool replace(struct natty_net *nn, struct natty_port_addr *pa,
		    struct natty_presence *new)
{
	struct natty_presence *old = NULL;
	bool done = false;

	spin_lock_bh(&pa->lock);
	if (!pa->dead && (!pa->presence || pa->presence->ready)) {
		old = pa->presence;
		pa->presence = new;
		/* The address stays while it is looked at. */
		pa->users++;
		done = true;
	}
	spin_unlock_bh(&pa->lock);
	if (done && !old)
		atomic_long_add(sizeof(*new), &nn->ports.memory);
	kfree(old);
	return done;
}

/* Look at all ports. False if that must wait. */
static bool look(struct natty_net *nn, struct natty_port_addr *pa)
{
	struct natty_pairings *pairings = &nn->pairings;
	struct natty_presence *new;
	s64 start = ktime_get_ns();

	if (start < atomic64_read(&pairings->next_look))
		return false;
	new = kzalloc(sizeof(*new), GFP_ATOMIC | __GFP_NOWARN);
	if (!new)
		return false;
	new->seed = get_random_u32();
	if (!replace(nn, pa, new)) {
		kfree(new);
		return false;
	}
	note_all(nn, pa, new);
	spin_lock_bh(&pa->lock);
	new->ready = true;
	pa->users--;
	spin_unlock_bh(&pa->lock);
	atomic64_set(&pairings->next_look, start + (PAUSE + 1) *
		     (s64)(ktime_get_ns() - start));
	return true;
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
