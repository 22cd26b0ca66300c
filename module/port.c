// SPDX-License-Identifier: GPL-2.0
/* External addresses, and the choice of ports on them. */

#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "netns.h"
#include "port.h"
#include "portmap.h"

/*
 * Seconds for which a search remembers that this host has a socket on a port:
 * where there are many, not every search looks at all of them.
 */
#define LOCAL_REST 2

/* Protocols have port spaces of their own. */
enum port_class {
	CLASS_TCP,
	CLASS_UDP,
	CLASS_UDPLITE,
	CLASS_SCTP,
	CLASS_DCCP,
	CLASS_ICMP,
	CLASSES
};

/**
 * struct addr_key - by which an address is found
 * @addr: the address
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 */
struct addr_key {
	union nf_inet_addr addr;
	u8 family;
};

/**
 * struct natty_port_addr - an external address
 * @node: in the hash table
 * @key: constant
 * @lock: protects @map and what it points to
 * @map: of each enum port_class, made when its first port is taken
 */
struct natty_port_addr {
	struct rhash_head node;
	struct addr_key key;
	/* Packets read the above while flows that come and go write the below. */
	spinlock_t lock ____cacheline_aligned_in_smp;
	struct natty_portmap *map[CLASSES];
};

static u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct addr_key *key = data;

	return natty_port_hash(key->family, &key->addr, seed);
}

static int key_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct natty_port_addr *pa = object;
	const struct addr_key *key = arg->key;

	return key->family != pa->key.family ||
	       !natty_addr_equal(key->family, &key->addr, &pa->key.addr);
}

static const struct rhashtable_params addr_params = {
	.head_offset = offsetof(struct natty_port_addr, node),
	.key_offset = offsetof(struct natty_port_addr, key),
	.key_len = sizeof(struct addr_key),
	.hashfn = key_hash,
	.obj_cmpfn = key_compare,
};

static int class_of(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return CLASS_TCP;
	case IPPROTO_UDP:
		return CLASS_UDP;
	case IPPROTO_UDPLITE:
		return CLASS_UDPLITE;
	case IPPROTO_SCTP:
		return CLASS_SCTP;
	case IPPROTO_DCCP:
		return CLASS_DCCP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return CLASS_ICMP;
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

static void free_addr(void *object, void *unused)
{
	struct natty_port_addr *pa = object;
	unsigned int i;

	for (i = 0; i < CLASSES; i++)
		natty_portmap_free(pa->map[i]);
	kfree(pa);
}

void natty_port_exit(struct natty_net *nn)
{
	rhashtable_free_and_destroy(&nn->ports.addrs, free_addr, NULL);
}

/* Under RCU; valid until exit, though. */
static struct natty_port_addr *find_addr(const struct natty_net *nn, u8 family,
					 const union nf_inet_addr *addr)
{
	struct addr_key key = { .addr = *addr, .family = family };
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

/* The address, made if it is not known; NULL if out of memory. */
static struct natty_port_addr *get_addr(struct natty_net *nn, u8 family,
					const union nf_inet_addr *addr)
{
	struct natty_port_addr *pa;

	rcu_read_lock();
	pa = find_addr(nn, family, addr);
	rcu_read_unlock();
	return likely(pa) ? pa : insert_addr(nn, family, addr);
}

static struct natty_portmap *get_map(struct natty_net *nn,
				     struct natty_port_addr *pa, int class)
{
	lockdep_assert_held(&pa->lock);
	if (likely(pa->map[class]))
		return pa->map[class];
	pa->map[class] = natty_portmap_alloc();
	if (pa->map[class])
		atomic_long_add(sizeof(*pa->map[class]), &nn->ports.memory);
	return pa->map[class];
}

/* Account a change of @map, whose memory was @before. */
static void account(struct natty_net *nn, const struct natty_portmap *map,
		    u32 before)
{
	if (unlikely(map->memory != before))
		atomic_long_add((long)map->memory - (long)before,
				&nn->ports.memory);
}

/**
 * struct search - a search for a free port
 * @nn: network namespace
 * @req: what is wanted
 * @map: where
 * @min: lowest permitted port
 * @max: highest permitted port
 */
struct search {
	struct natty_net *nn;
	const struct natty_port_request *req;
	struct natty_portmap *map;
	u32 min;
	u32 max;
};

static void set_range(struct search *s)
{
	const struct natty_port_request *req = s->req;

	s->min = req->min;
	s->max = req->max;
	if (req->min || req->max)
		return;
	if (natty_proto_is_icmp(req->proto)) {
		s->max = U16_MAX;
	} else if (req->want < 1024) {
		s->min = 1;
		s->max = 1023;
	} else {
		s->min = 1024;
		s->max = U16_MAX;
	}
}

static bool has_socket(struct search *s, u32 port)
{
	const struct natty_port_request *req = s->req;

	return natty_port_is_local(s->nn->net, req->family, req->proto,
				   &req->addr, port);
}

/* Keep later searches from looking at this free port for a while. */
static void set_aside(struct search *s, u32 port)
{
	if (natty_portmap_take(s->map, port))
		return;
	if (natty_portmap_rest(s->map, port, ktime_get_seconds() + LOCAL_REST, 0))
		natty_portmap_put(s->map, port);
	else
		atomic_inc(&s->nn->ports.resting);
}

/* A port of the parity that is free and without a socket, from @min to @max. */
static int search_range(struct search *s, unsigned int parity, u32 min, u32 max)
{
	int port = natty_portmap_next(s->map, parity, min, max);

	while (port >= 0) {
		if (!has_socket(s, port))
			return port;
		set_aside(s, port);
		port = natty_portmap_next(s->map, parity, port + 1, max);
	}
	return -ENOSPC;
}

/* At most two searches for each parity, but for ports with sockets. */
static int search_any(struct search *s)
{
	u32 start = s->min + get_random_u32_below(s->max - s->min + 1);
	unsigned int parity = s->req->parity ? s->req->want & 1 : start & 1;
	unsigned int i;
	int port;

	for (i = 0; i < 2; i++, parity ^= 1) {
		port = search_range(s, parity, start, s->max);
		if (port < 0 && start > s->min)
			port = search_range(s, parity, s->min, start - 1);
		if (port >= 0)
			return port;
	}
	return -ENOSPC;
}

static bool wake(struct search *s, u32 port, u16 tag)
{
	if (!natty_portmap_wake(s->map, port, ktime_get_seconds(), tag))
		return false;
	atomic_dec(&s->nn->ports.resting);
	return true;
}

/* A port that this very host had, where no other is left. */
static int search_own(struct search *s)
{
	u32 start = s->min + get_random_u32_below(s->max - s->min + 1);
	u16 tag = s->req->tag;
	int port;

	if (!tag)
		return -ENOSPC;
	port = natty_portmap_find_rest(s->map, start, s->max, tag);
	if (port < 0)
		port = natty_portmap_find_rest(s->map, s->min, s->max, tag);
	if (port < 0 || has_socket(s, port) || !wake(s, port, tag))
		return -ENOSPC;
	return port;
}

/* Nothing is free: perhaps some ports have rested long enough by now. */
static int search_resting(struct search *s)
{
	u32 n = natty_portmap_sweep(s->map, ktime_get_seconds());
	int port = -ENOSPC;

	if (n) {
		atomic_sub(n, &s->nn->ports.resting);
		port = search_any(s);
	}
	return port >= 0 ? port : search_own(s);
}

static bool can_have(struct search *s, u32 port)
{
	if (s->req->random || port < s->min || port > s->max)
		return false;
	if (natty_portmap_is_taken(s->map, port) && !wake(s, port, s->req->tag))
		return false;
	return !has_socket(s, port);
}

static int choose(struct natty_net *nn, struct natty_portmap *map,
		  const struct natty_port_request *req)
{
	struct search s = {
		.nn = nn,
		.req = req,
		.map = map,
	};
	int port;

	set_range(&s);
	if (can_have(&s, req->want))
		return req->want;
	port = search_any(&s);
	if (port < 0 && map->resting)
		port = search_resting(&s);
	return port;
}

static int take(struct natty_net *nn, const struct natty_port_request *req,
		bool share)
{
	int class = class_of(req->proto);
	struct natty_port_addr *pa;
	struct natty_portmap *map;
	int port = -ENOMEM, err;
	u32 before;

	if (class < 0)
		return class;
	pa = get_addr(nn, req->family, &req->addr);
	if (!pa)
		return -ENOMEM;
	spin_lock_bh(&pa->lock);
	map = get_map(nn, pa, class);
	if (unlikely(!map))
		goto out;
	before = map->memory;
	port = choose(nn, map, req);
	if (port >= 0) {
		if (share)
			err = natty_portmap_share(map, port);
		else
			err = natty_portmap_take(map, port);
		if (unlikely(err))
			port = err;
	}
	account(nn, map, before);
out:
	spin_unlock_bh(&pa->lock);
	return port;
}

int natty_port_take(struct natty_net *nn, const struct natty_port_request *req)
{
	return take(nn, req, false);
}

int natty_port_take_shared(struct natty_net *nn,
			   const struct natty_port_request *req)
{
	return take(nn, req, true);
}

static int take_exact(struct natty_net *nn, u8 family, u8 proto,
		      const union nf_inet_addr *addr, u16 port, bool share)
{
	int class = class_of(proto), err = -ENOMEM;
	struct natty_port_addr *pa;
	struct natty_portmap *map;
	u32 before;

	if (class < 0)
		return class;
	pa = get_addr(nn, family, addr);
	if (!pa)
		return -ENOMEM;
	spin_lock_bh(&pa->lock);
	map = get_map(nn, pa, class);
	if (unlikely(!map))
		goto out;
	err = -EBUSY;
	before = map->memory;
	if (natty_portmap_rests(map, port)) {
		natty_portmap_rouse(map, port);
		atomic_dec(&nn->ports.resting);
	}
	if (natty_portmap_is_taken(map, port) &&
	    !(share && natty_portmap_shares(map, port)))
		goto out;
	if (share)
		err = natty_portmap_share(map, port);
	else
		err = natty_portmap_take(map, port);
	account(nn, map, before);
out:
	spin_unlock_bh(&pa->lock);
	return err;
}

int natty_port_take_exact(struct natty_net *nn, u8 family, u8 proto,
			  const union nf_inet_addr *addr, u16 port)
{
	return take_exact(nn, family, proto, addr, port, false);
}

int natty_port_share(struct natty_net *nn, u8 family, u8 proto,
		     const union nf_inet_addr *addr, u16 port, bool own)
{
	if (!own && natty_port_is_local(nn->net, family, proto, addr, port))
		return -EBUSY;
	return take_exact(nn, family, proto, addr, port, true);
}

/* Who gets a port back, and who may have it next. */
struct retiree {
	bool share;
	u16 tag;
	u32 seconds;
};

/* May one more port rest, and does it now? */
static bool lay_down(struct natty_net *nn, struct natty_portmap *map, u16 port,
		     const struct retiree *r)
{
	u32 limit;

	if (!r->seconds)
		return false;
	rcu_read_lock();
	limit = natty_setting(rcu_dereference(nn->config),
			      NATTY_SET_LIMIT_RESTING_PORTS);
	rcu_read_unlock();
	if ((u32)atomic_read(&nn->ports.resting) >= limit ||
	    natty_portmap_rest(map, port, ktime_get_seconds() + r->seconds, r->tag))
		return false;
	atomic_inc(&nn->ports.resting);
	return true;
}

static void put(struct natty_net *nn, u8 family, u8 proto,
		const union nf_inet_addr *addr, u16 port,
		const struct retiree *r)
{
	struct natty_portmap *map = NULL;
	int class = class_of(proto);
	struct natty_port_addr *pa;
	bool done = false;
	u32 before;

	rcu_read_lock();
	pa = find_addr(nn, family, addr);
	rcu_read_unlock();
	if (WARN_ON_ONCE(!pa || class < 0))
		return;
	spin_lock_bh(&pa->lock);
	map = pa->map[class];
	if (map && r->share == !!natty_portmap_shares(map, port) &&
	    !natty_portmap_rests(map, port)) {
		before = map->memory;
		done = lay_down(nn, map, port, r) ||
		       natty_portmap_put(map, port);
		account(nn, map, before);
	}
	spin_unlock_bh(&pa->lock);
	/* The port has no such user: somebody would lose his. */
	WARN_ON_ONCE(!done);
}

void natty_port_put(struct natty_net *nn, u8 family, u8 proto,
		    const union nf_inet_addr *addr, u16 port)
{
	put(nn, family, proto, addr, port, &(struct retiree){ });
}

void natty_port_rest(struct natty_net *nn, u8 family, u8 proto,
		     const union nf_inet_addr *addr, u16 port, u16 tag,
		     u32 seconds)
{
	put(nn, family, proto, addr, port,
	    &(struct retiree){ .tag = tag, .seconds = seconds });
}

u16 natty_port_tag(const struct natty_net *nn, u8 family,
		   const union nf_inet_addr *host)
{
	u32 hash = natty_port_hash(family, host, ~nn->ports.seed);

	return (u16)(hash ^ hash >> 16) ?: 1;
}

void natty_port_unshare(struct natty_net *nn, u8 family, u8 proto,
			const union nf_inet_addr *addr, u16 port)
{
	put(nn, family, proto, addr, port, &(struct retiree){ .share = true });
}

static void sweep_addr(struct natty_net *nn, struct natty_port_addr *pa)
{
	struct natty_portmap *map;
	unsigned int i;
	u32 before;

	for (i = 0; i < CLASSES; i++) {
		if (!READ_ONCE(pa->map[i]))
			continue;
		spin_lock_bh(&pa->lock);
		map = pa->map[i];
		before = map->memory;
		atomic_sub(natty_portmap_sweep(map, ktime_get_seconds()),
			   &nn->ports.resting);
		account(nn, map, before);
		spin_unlock_bh(&pa->lock);
	}
}

void natty_port_sweep(struct natty_net *nn)
{
	struct natty_port_addr *pa;
	struct rhashtable_iter iter;

	if (!atomic_read(&nn->ports.resting))
		return;
	rhashtable_walk_enter(&nn->ports.addrs, &iter);
	rhashtable_walk_start(&iter);
	while ((pa = rhashtable_walk_next(&iter))) {
		/* The table grows; who is missed now is met the next time. */
		if (IS_ERR(pa))
			continue;
		sweep_addr(nn, pa);
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
	       find_addr(nn, family, addr);
}

int natty_port_addr_learn(struct natty_net *nn, u8 family,
			  const union nf_inet_addr *addr)
{
	return get_addr(nn, family, addr) ? 0 : -ENOMEM;
}

u64 natty_port_memory(const struct natty_net *nn)
{
	return atomic_long_read(&nn->ports.memory);
}
