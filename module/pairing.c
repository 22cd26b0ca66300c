// SPDX-License-Identifier: GPL-2.0
/* Hosts that have another address of a pool than their hash leads to. */

#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "netns.h"
#include "pairing.h"
#include "presence.h"

/**
 * struct pairing_key - by which a pairing is found
 * @host: internal host
 * @addr: of its hash, or with @by_end that which it has instead
 * @family: of both
 * @by_end: not in entries
 */
struct pairing_key {
	union nf_inet_addr host;
	union nf_inet_addr addr;
	u8 family;
	bool by_end;
};

/**
 * struct pairing - a host and its address
 * @node: in natty_pairings.table
 * @key: constant
 * @to: the address, constant
 * @count: mappings; under natty_pairings.lock
 * @rcu: for its release
 */
struct pairing {
	struct rhash_head node;
	struct pairing_key key;
	union nf_inet_addr to;
	u32 count;
	struct rcu_head rcu;
};

/* Of the host alone: either address finds the pairing. */
static u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct pairing_key *key = data;

	return natty_port_hash(key->family, &key->host, seed);
}

static int key_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct pairing *p = object;
	const struct pairing_key *key = arg->key;
	const union nf_inet_addr *addr = key->by_end ? &p->to : &p->key.addr;

	return key->family != p->key.family ||
	       !natty_addr_equal(key->family, &key->host, &p->key.host) ||
	       !natty_addr_equal(key->family, &key->addr, addr);
}

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct pairing, node),
	.key_offset = offsetof(struct pairing, key),
	.key_len = sizeof(struct pairing_key),
	.hashfn = key_hash,
	.obj_cmpfn = key_compare,
	.automatic_shrinking = true,
};

int natty_pairing_init(struct natty_net *nn)
{
	struct natty_pairings *pairings = &nn->pairings;

	spin_lock_init(&pairings->lock);
	atomic_set(&pairings->n, 0);
	atomic64_set(&pairings->next_look, 0);
	INIT_WORK(&pairings->look, natty_presence_look);
	pairings->vain = 0;
	return rhashtable_init(&pairings->table, &params);
}

static void free_pairing(void *object, void *unused)
{
	kfree(object);
}

void natty_pairing_exit(struct natty_net *nn)
{
	rhashtable_free_and_destroy(&nn->pairings.table, free_pairing, NULL);
}

static struct pairing *find(const struct natty_net *nn, u8 family,
			    const union nf_inet_addr *host,
			    const union nf_inet_addr *addr, bool by_end)
{
	struct pairing_key key = {
		.host = *host,
		.addr = *addr,
		.family = family,
		.by_end = by_end,
	};
	struct rhashtable *table = (struct rhashtable *)&nn->pairings.table;

	return rhashtable_lookup_fast(table, &key, params);
}

bool natty_pairing_find(const struct natty_net *nn, u8 family,
			const union nf_inet_addr *host,
			const union nf_inet_addr *from, union nf_inet_addr *to)
{
	const struct pairing *p = find(nn, family, host, from, false);

	if (p)
		*to = p->to;
	return p;
}

static int begin(struct natty_net *nn, u8 family,
		 const union nf_inet_addr *host, const union nf_inet_addr *from,
		 const union nf_inet_addr *to)
{
	struct natty_pairings *pairings = &nn->pairings;
	struct pairing *p = kzalloc(sizeof(*p), GFP_ATOMIC | __GFP_NOWARN);
	int err;

	if (!p)
		return -ENOMEM;
	p->key.host = *host;
	p->key.addr = *from;
	p->key.family = family;
	p->to = *to;
	p->count = 1;
	err = rhashtable_lookup_insert_fast(&pairings->table, &p->node, params);
	if (err) {
		kfree(p);
		return -ENOMEM;
	}
	atomic_inc(&pairings->n);
	return 0;
}

int natty_pairing_join(struct natty_net *nn, u8 family,
		       const union nf_inet_addr *host,
		       const union nf_inet_addr *from,
		       const union nf_inet_addr *to, bool make)
{
	struct natty_pairings *pairings = &nn->pairings;
	struct pairing *p;
	int err = 0;

	spin_lock_bh(&pairings->lock);
	p = find(nn, family, host, from, false);
	if (!p)
		err = make ? begin(nn, family, host, from, to) : -ENOENT;
	else if (natty_addr_equal(family, &p->to, to))
		p->count++;
	else
		err = -EEXIST;
	spin_unlock_bh(&pairings->lock);
	return err;
}

void natty_pairing_leave(struct natty_net *nn, u8 family,
			 const union nf_inet_addr *host,
			 const union nf_inet_addr *to)
{
	struct natty_pairings *pairings = &nn->pairings;
	struct pairing *p;

	spin_lock_bh(&pairings->lock);
	/*
	 * Two hashes of a host, of two pools, may have led it to one address.
	 * Which of both counts this mapping does not matter: they end with the
	 * last one.
	 */
	p = find(nn, family, host, to, true);
	if (!WARN_ON_ONCE(!p) && !--p->count) {
		rhashtable_remove_fast(&pairings->table, &p->node, params);
		atomic_dec(&pairings->n);
		kfree_rcu(p, rcu);
	}
	spin_unlock_bh(&pairings->lock);
}
