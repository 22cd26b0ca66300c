// SPDX-License-Identifier: GPL-2.0
/* What each internal host has: connections and ports, counted for limits. */

#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "host.h"
#include "netns.h"

/* How often a charge may meet an entry that is just being removed. */
#define TRIES 8

struct host_key {
	union nf_inet_addr addr;
	u32 family;
};

/**
 * struct host - an internal host
 * @node: in natty_hosts.table
 * @key: constant
 * @lock: protects the rest
 * @dead: removed from the table, all counts are 0 for ever
 * @count: by enum natty_host_count
 * @credit: what it may begin now, a HZth of one each
 * @since: jiffies at which @credit was that
 * @rcu: for its release
 */
struct host {
	struct rhash_head node;
	struct host_key key;
	spinlock_t lock; /* innermost but for the table's own */
	bool dead;
	u32 count[NATTY_HOST_COUNTS];
	u32 credit;
	u32 since;
	struct rcu_head rcu;
};

static const struct rhashtable_params params = {
	.key_len = sizeof(struct host_key),
	.key_offset = offsetof(struct host, key),
	.head_offset = offsetof(struct host, node),
	.automatic_shrinking = true,
};

int natty_host_init(struct natty_net *nn)
{
	return rhashtable_init(&nn->hosts.table, &params);
}

static void free_host(void *ptr, void *arg)
{
	kfree(ptr);
}

void natty_host_exit(struct natty_net *nn)
{
	rhashtable_free_and_destroy(&nn->hosts.table, free_host, NULL);
}

static void set_key(struct host_key *key, u8 family,
		    const union nf_inet_addr *addr)
{
	memset(key, 0, sizeof(*key));
	key->family = family;
	if (family == NFPROTO_IPV4)
		key->addr.ip = addr->ip;
	else
		key->addr.in6 = addr->in6;
}

/* The entry of a host, made if there is none. Under RCU. */
static struct host *get_host(struct rhashtable *table,
			     const struct host_key *key)
{
	struct host *host, *old;

	host = rhashtable_lookup_fast(table, key, params);
	if (host)
		return host;
	host = kzalloc(sizeof(*host), GFP_ATOMIC);
	if (!host)
		return NULL;
	host->key = *key;
	host->since = (u32)jiffies - HZ;
	spin_lock_init(&host->lock);
	old = rhashtable_lookup_get_insert_fast(table, &host->node, params);
	if (!old)
		return host;
	kfree(host);
	return IS_ERR(old) ? NULL : old;
}

/* Remove an entry that counts nothing; its lock is held. */
static void bury(struct rhashtable *table, struct host *host)
{
	unsigned int i;

	for (i = 0; i < NATTY_HOST_COUNTS; i++)
		if (host->count[i])
			return;
	host->dead = true;
	rhashtable_remove_fast(table, &host->node, params);
	kfree_rcu(host, rcu);
}

/* A bucket that a second fills; its lock is held. May the host begin one more? */
static bool draw(struct host *host, u32 rate)
{
	u32 now = jiffies, gain = min_t(u32, now - host->since, HZ) * rate;

	host->credit = min_t(u32, host->credit + gain, rate * HZ);
	host->since = now;
	if (host->credit < HZ)
		return false;
	host->credit -= HZ;
	return true;
}

/* -EAGAIN: the entry is dead. */
static int charge(struct rhashtable *table, struct host *host,
		  enum natty_host_count what, u32 limit, u32 rate)
{
	int err = 0;

	spin_lock_bh(&host->lock);
	if (host->dead) {
		err = -EAGAIN;
	} else if (host->count[what] >= limit) {
		err = -ENOSPC;
		bury(table, host);
	} else if (rate && !draw(host, rate)) {
		err = -EDQUOT;
		bury(table, host);
	} else {
		host->count[what]++;
	}
	spin_unlock_bh(&host->lock);
	return err;
}

int natty_host_charge(struct natty_net *nn, u8 family,
		      const union nf_inet_addr *addr,
		      enum natty_host_count what, u32 limit, u32 rate)
{
	struct rhashtable *table = &nn->hosts.table;
	int err = -EAGAIN, tries = TRIES;
	struct host_key key;
	struct host *host;

	set_key(&key, family, addr);
	rcu_read_lock();
	while (err == -EAGAIN && tries--) {
		host = get_host(table, &key);
		err = host ? charge(table, host, what, limit, rate) :
			     -ENOMEM;
	}
	rcu_read_unlock();
	return err == -EAGAIN ? -ENOMEM : err;
}

void natty_host_uncharge(struct natty_net *nn, u8 family,
			 const union nf_inet_addr *addr,
			 enum natty_host_count what)
{
	struct rhashtable *table = &nn->hosts.table;
	struct host_key key;
	struct host *host;

	set_key(&key, family, addr);
	rcu_read_lock();
	host = rhashtable_lookup_fast(table, &key, params);
	if (host) {
		spin_lock_bh(&host->lock);
		if (host->count[what]) {
			host->count[what]--;
			bury(table, host);
		}
		spin_unlock_bh(&host->lock);
	}
	rcu_read_unlock();
}
