// SPDX-License-Identifier: GPL-2.0
/* The choice of ports on external addresses. */

#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "netns.h"
#include "presence.h"

/*
 * Seconds for which a search remembers that this host has a socket on a port:
 * where there are many, not every search looks at all of them.
 */
#define LOCAL_REST 2

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

/*
 * Any number below @n, which is 65536 at most: 16 bits cost half of what those of
 * get_random_u32_below() do, and that is much of what a port costs.
 */
static u32 random_below(u32 n)
{
	u32 mask = roundup_pow_of_two(n) - 1, number;

	do {
		number = get_random_u16() & mask;
	} while (number >= n);
	return number;
}

/* At most two searches for each parity, but for ports with sockets. */
static int search_any(struct search *s)
{
	u32 start = s->min + random_below(s->max - s->min + 1);
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

/* By which a resting port knows the host; 0 for none. */
static u16 tag_of(const struct search *s)
{
	const struct natty_port_request *req = s->req;

	return req->host ? natty_port_tag(s->nn, req->family, req->host) : 0;
}

static bool wake(struct search *s, u32 port)
{
	if (!natty_portmap_rests(s->map, port) ||
	    !natty_portmap_wake(s->map, port, ktime_get_seconds(), tag_of(s)))
		return false;
	atomic_dec(&s->nn->ports.resting);
	return true;
}

/* A port that this very host had, where no other is left. */
static int search_own(struct search *s)
{
	u32 start = s->min + random_below(s->max - s->min + 1);
	u16 tag = tag_of(s);
	int port;

	if (!tag)
		return -ENOSPC;
	port = natty_portmap_find_rest(s->map, start, s->max, tag);
	if (port < 0)
		port = natty_portmap_find_rest(s->map, s->min, s->max, tag);
	if (port < 0 || has_socket(s, port) || !wake(s, port))
		return -ENOSPC;
	return port;
}

/* Nothing is free: perhaps some ports have rested long enough by now. */
static int search_resting(struct search *s)
{
	int port = -ENOSPC;
	u32 n;

	/* The first leaf most often has one; but it may be for others only. */
	do {
		n = natty_portmap_sweep(s->map, ktime_get_seconds(), s->min, s->max);
		if (!n)
			return search_own(s);
		atomic_sub(n, &s->nn->ports.resting);
		port = search_any(s);
	} while (port < 0);
	return port;
}

static bool can_have(struct search *s, u32 port)
{
	if (s->req->random || port < s->min || port > s->max)
		return false;
	if (natty_portmap_is_taken(s->map, port) && !wake(s, port))
		return false;
	return !has_socket(s, port);
}

static int choose(struct search *s)
{
	int port;

	if (can_have(s, s->req->want))
		return s->req->want;
	port = search_any(s);
	if (port < 0 && s->map->resting)
		port = search_resting(s);
	return port;
}

/* Will nothing be found before somebody gives a port back? */
static bool is_full(const struct search *s)
{
	return !s->map->resting &&
	       natty_portmap_next(s->map, 0, s->min, s->max) < 0 &&
	       natty_portmap_next(s->map, 1, s->min, s->max) < 0;
}

/* -EAGAIN: the address was just forgotten. */
static int take_at(struct natty_net *nn, struct natty_port_addr *pa, int class,
		   const struct natty_port_request *req, bool share)
{
	struct search s = { .nn = nn, .req = req };
	struct natty_portmap *map;
	int port = -EAGAIN, err;
	u32 before, range;

	set_range(&s);
	range = natty_port_range(s.min, s.max);
	/* Where a pool is nearly full, most flows meet addresses that are. */
	if (unlikely(READ_ONCE(pa->full[class]) == range))
		return -ENOSPC;
	spin_lock_bh(&pa->lock);
	if (unlikely(pa->dead))
		goto out;
	port = -ENOMEM;
	map = get_map(nn, pa, class);
	if (unlikely(!map))
		goto out;
	s.map = map;
	before = map->memory;
	port = choose(&s);
	if (port >= 0) {
		if (share)
			err = natty_portmap_share(map, port);
		else
			err = natty_portmap_take(map, port);
		if (unlikely(err))
			port = err;
		else if (unlikely(pa->presence) && req->host)
			natty_presence_note(pa->presence, req->family, req->host);
	} else if (port == -ENOSPC && is_full(&s)) {
		WRITE_ONCE(pa->full[class], range);
	}
	account(nn, map, before);
out:
	spin_unlock_bh(&pa->lock);
	return port;
}

static int take(struct natty_net *nn, const struct natty_port_request *req,
		bool share)
{
	int tries = NATTY_PORT_TRIES, port = -EAGAIN;
	int class = natty_port_class(req->proto);
	struct natty_port_addr *pa;

	if (class < 0)
		return -EINVAL;
	rcu_read_lock();
	while (port == -EAGAIN && tries--) {
		pa = natty_port_addr_get(nn, req->family, &req->addr);
		port = likely(pa) ? take_at(nn, pa, class, req, share) : -ENOMEM;
	}
	rcu_read_unlock();
	return port == -EAGAIN ? -ENOMEM : port;
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

/* -EAGAIN: the address was just forgotten. */
static int take_exact_at(struct natty_net *nn, struct natty_port_addr *pa,
			 u8 proto, u16 port, bool share)
{
	struct natty_portmap *map;
	int err = -EAGAIN;
	u32 before;

	spin_lock_bh(&pa->lock);
	if (unlikely(pa->dead))
		goto out;
	err = -ENOMEM;
	map = get_map(nn, pa, natty_port_class(proto));
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

static int take_exact(struct natty_net *nn, u8 family, u8 proto,
		      const union nf_inet_addr *addr, u16 port, bool share)
{
	int tries = NATTY_PORT_TRIES, err = -EAGAIN;
	struct natty_port_addr *pa;

	if (natty_port_class(proto) < 0)
		return -EINVAL;
	rcu_read_lock();
	while (err == -EAGAIN && tries--) {
		pa = natty_port_addr_get(nn, family, addr);
		err = likely(pa) ? take_exact_at(nn, pa, proto, port, share) :
				   -ENOMEM;
	}
	rcu_read_unlock();
	return err == -EAGAIN ? -ENOMEM : err;
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
	int class = natty_port_class(proto);
	struct natty_port_addr *pa;
	struct natty_portmap *map;
	bool done = false;
	u32 before;

	rcu_read_lock();
	pa = natty_port_addr_find(nn, family, addr);
	if (WARN_ON_ONCE(!pa || class < 0))
		goto out;
	spin_lock_bh(&pa->lock);
	map = pa->map[class];
	if (map && r->share == !!natty_portmap_shares(map, port) &&
	    !natty_portmap_rests(map, port)) {
		before = map->memory;
		/* Where none rests, this is the only way to get a port back. */
		if (unlikely(pa->full[class]))
			WRITE_ONCE(pa->full[class], 0);
		done = lay_down(nn, map, port, r) ||
		       natty_portmap_put(map, port);
		account(nn, map, before);
	}
	spin_unlock_bh(&pa->lock);
	/* The port has no such user: somebody would lose his. */
	WARN_ON_ONCE(!done);
out:
	rcu_read_unlock();
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
