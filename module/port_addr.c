// SPDX-License-Identifier: GPL-2.0
/* Which addresses have ports or connections: made for a flow, forgotten later. */

#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "external.h"
#include "netns.h"
#include "presence.h"

static inline u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct natty_port_key *key = data;

	return natty_port_hash(key->family, &key->addr, seed);
}

static int key_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct natty_port_addr *pa = object;
	const struct natty_port_key *key = arg->key;

	return key->family != pa->key.family ||
	       !natty_addr_equal(key->family, &key->addr, &pa->key.addr);
}

static const struct rhashtable_params addr_params = {
	.head_offset = offsetof(struct natty_port_addr, node),
	.key_offset = offsetof(struct natty_port_addr, key),
	.key_len = sizeof(struct natty_port_key),
	.hashfn = key_hash,
	.obj_cmpfn = key_compare,
	.automatic_shrinking = true,
};

int natty_port_class(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return NATTY_PORTS_TCP;
	case IPPROTO_UDP:
		return NATTY_PORTS_UDP;
	case IPPROTO_UDPLITE:
		return NATTY_PORTS_UDPLITE;
	case IPPROTO_SCTP:
		return NATTY_PORTS_SCTP;
	case IPPROTO_DCCP:
		return NATTY_PORTS_DCCP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return NATTY_PORTS_ICMP;
	default:
		return -EINVAL;
	}
}

int natty_port_init(struct natty_net *nn)
{
	struct natty_ports *ports = &nn->ports;

	bitmap_zero(ports->filter, BIT(NATTY_PORT_FILTER_SHIFT));
	ports->seed = get_random_u32();
	atomic_long_set(&ports->memory, 0);
	atomic_set(&ports->resting, 0);
	return rhashtable_init(&ports->addrs, &addr_params);
}

/* Nobody looks at the maps without the lock but whoever frees them. */
static void free_maps(struct natty_port_addr *pa)
{
	unsigned int i;

	kfree(pa->presence);
	pa->presence = NULL;
	for (i = 0; i < NATTY_PORT_CLASSES; i++) {
		natty_portmap_free(pa->map[i]);
		pa->map[i] = NULL;
	}
}

static void free_addr(void *object, void *unused)
{
	struct natty_port_addr *pa = object;

	free_maps(pa);
	kfree(pa);
}

void natty_port_exit(struct natty_net *nn)
{
	rhashtable_free_and_destroy(&nn->ports.addrs, free_addr, NULL);
}

struct natty_port_addr *natty_port_addr_find(const struct natty_net *nn, u8 family,
					     const union nf_inet_addr *addr)
{
	struct natty_port_key key = { .addr = *addr, .family = family };
	struct rhashtable *addrs = (struct rhashtable *)&nn->ports.addrs;

	return rhashtable_lookup(addrs, &key, addr_params);
}

static struct natty_port_addr *insert_addr(struct natty_net *nn, u8 family,
					   const union nf_inet_addr *addr)
{
	struct natty_ports *ports = &nn->ports;
	struct natty_port_addr *pa, *old;

	pa = kzalloc(sizeof(*pa), GFP_ATOMIC | __GFP_NOWARN);
	if (!pa)
		return NULL;
	pa->key.family = family;
	pa->key.addr = *addr;
	spin_lock_init(&pa->lock);

	set_bit(natty_port_filter_bit(ports, family, addr), ports->filter);
	old = rhashtable_lookup_get_insert_fast(&ports->addrs, &pa->node,
						addr_params);
	if (!old) {
		atomic_long_add(sizeof(*pa), &ports->memory);
		return pa;
	}
	kfree(pa);
	return IS_ERR(old) ? NULL : old;
}

struct natty_port_addr *natty_port_addr_get(struct natty_net *nn, u8 family,
					    const union nf_inet_addr *addr)
{
	struct natty_port_addr *pa = natty_port_addr_find(nn, family, addr);

	return likely(pa) ? pa : insert_addr(nn, family, addr);
}

/* Free some of what has rested long enough. Is there more? */
static bool sweep_some(struct natty_net *nn, struct natty_port_addr *pa,
		       unsigned int class)
{
	struct natty_portmap *map;
	u32 before, n = 0;

	spin_lock_bh(&pa->lock);
	map = pa->map[class];
	if (map && map->resting) {
		before = map->memory;
		n = natty_portmap_sweep(map, ktime_get_seconds(), 0, U16_MAX);
		atomic_sub(n, &nn->ports.resting);
		atomic_long_add((long)map->memory - (long)before,
				&nn->ports.memory);
	}
	spin_unlock_bh(&pa->lock);
	return n;
}

static void sweep_rests(struct natty_net *nn, struct natty_port_addr *pa)
{
	unsigned int class;

	for (class = 0; class < NATTY_PORT_CLASSES; class++)
		while (sweep_some(nn, pa, class))
			;
}

/* How many ports and connections have the address; the lock is held. */
static u32 count_users(const struct natty_port_addr *pa, bool resting)
{
	u32 n = pa->users;
	unsigned int i;

	for (i = 0; i < NATTY_PORT_CLASSES; i++) {
		if (!pa->map[i])
			continue;
		n += pa->map[i]->used;
		if (!resting)
			n -= pa->map[i]->resting;
	}
	return n;
}

/* Its lock is held; readers under RCU may yet see it. */
static void bury(struct natty_net *nn, struct natty_port_addr *pa)
{
	long memory = sizeof(*pa);
	unsigned int i;

	if (pa->presence)
		memory += sizeof(*pa->presence);
	for (i = 0; i < NATTY_PORT_CLASSES; i++)
		if (pa->map[i])
			memory += sizeof(*pa->map[i]) + pa->map[i]->memory;
	atomic_long_sub(memory, &nn->ports.memory);
	pa->dead = true;
	free_maps(pa);
	rhashtable_remove_fast(&nn->ports.addrs, &pa->node, addr_params);
	kfree_rcu(pa, rcu);
}

/* @config: NULL if none says which addresses are in use: then all are. */
static void sweep_addr(struct natty_net *nn, const struct natty_config *config,
		       struct natty_port_addr *pa)
{
	bool idle;

	sweep_rests(nn, pa);
	spin_lock_bh(&pa->lock);
	if (pa->presence && natty_presence_is_stale(pa->presence)) {
		atomic_long_sub(sizeof(*pa->presence), &nn->ports.memory);
		kfree(pa->presence);
		pa->presence = NULL;
	}
	idle = !count_users(pa, true);
	spin_unlock_bh(&pa->lock);
	if (!idle || !config ||
	    natty_external_configured(nn, config, pa->key.family, &pa->key.addr))
		return;
	spin_lock_bh(&pa->lock);
	if (!count_users(pa, true))
		bury(nn, pa);
	spin_unlock_bh(&pa->lock);
}

void natty_port_sweep(struct natty_net *nn)
{
	struct natty_port_addr *pa;
	struct rhashtable_iter iter;

	if (!atomic_read(&nn->ports.addrs.nelems))
		return;
	rhashtable_walk_enter(&nn->ports.addrs, &iter);
	rhashtable_walk_start(&iter);
	while ((pa = rhashtable_walk_next(&iter))) {
		/* The table grows; who is missed now is met the next time. */
		if (IS_ERR(pa))
			continue;
		sweep_addr(nn, rcu_dereference(nn->config), pa);
		if (!need_resched())
			continue;
		rhashtable_walk_stop(&iter);
		cond_resched();
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

bool natty_port_addr_known(const struct natty_net *nn, u8 family,
			   const union nf_inet_addr *addr)
{
	return natty_port_addr_maybe(&nn->ports, family, addr) &&
	       natty_port_addr_find(nn, family, addr);
}

bool natty_port_addr_used(const struct natty_net *nn, u8 family,
			  const union nf_inet_addr *addr)
{
	struct natty_port_addr *pa = natty_port_addr_find(nn, family, addr);
	bool used;

	if (!pa)
		return false;
	spin_lock_bh(&pa->lock);
	used = count_users(pa, false);
	spin_unlock_bh(&pa->lock);
	return used;
}

int natty_port_addr_use(struct natty_net *nn, u8 family,
			const union nf_inet_addr *addr)
{
	int err = -EAGAIN, tries = NATTY_PORT_TRIES;
	struct natty_port_addr *pa;

	rcu_read_lock();
	while (err && tries--) {
		pa = natty_port_addr_get(nn, family, addr);
		if (!pa)
			break;
		spin_lock_bh(&pa->lock);
		if (!pa->dead) {
			pa->users++;
			err = 0;
		}
		spin_unlock_bh(&pa->lock);
	}
	rcu_read_unlock();
	return err ? -ENOMEM : 0;
}

void natty_port_addr_unuse(struct natty_net *nn, u8 family,
			   const union nf_inet_addr *addr)
{
	struct natty_port_addr *pa;

	rcu_read_lock();
	pa = natty_port_addr_find(nn, family, addr);
	if (!WARN_ON_ONCE(!pa)) {
		spin_lock_bh(&pa->lock);
		if (!WARN_ON_ONCE(!pa->users))
			pa->users--;
		spin_unlock_bh(&pa->lock);
	}
	rcu_read_unlock();
}

u64 natty_port_memory(const struct natty_net *nn)
{
	return atomic_long_read(&nn->ports.memory);
}
