// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>

#include "compat/uninitialized.h"
#include "bucket.h"
#include "cursor.h"
#include "netns.h"
#include "slot.h"
#include "table.h"

/* log2 of the chains that a table begins with, and may have at most. */
#define BITS_MIN 12
#define BITS_MAX 24
/* Smaller tables grow fourfold, as they may fill within a grace period. */
#define BITS_CALM 16
/* Mean number of entries in a chain that makes the table grow. */
#define LOAD_MAX 8

static noinline struct natty_conn *find_tuple(const struct natty_table *table,
					      const struct natty_tuple *t,
					      enum natty_dir *dir)
{
	struct natty_conn *conn;
	struct natty_tuple own;
	struct natty_cursor c;

	natty_cursor_init(&c, table, natty_slot_tuple(table, t));
	while ((conn = natty_cursor_next(&c))) {
		if (!natty_conn_alive(conn) || natty_conn_is(conn, NATTY_CONN_MAPPING))
			continue;
		for (*dir = NATTY_DIR_ORIG; *dir <= NATTY_DIR_REPLY; (*dir)++) {
			natty_conn_tuple(conn, *dir, &own);
			if (natty_tuple_equal(&own, t))
				return conn;
		}
	}
	return NULL;
}

/*
 * One that carries its own mapping, by what its opener sends. @vacant: there is
 * no mapping of its source whatever, but perhaps one for some remote address.
 */
static __always_inline struct natty_conn *
find_outbound(const struct natty_table *table, const struct natty_tuple *t,
	      bool *vacant)
{
	struct natty_conn *conn;
	struct natty_cursor c;

	natty_cursor_init(&c, table, natty_slot_endpoint(table, NATTY_SLOT_INTERNAL,
							 t->proto, &t->src));
	*vacant = true;
	while ((conn = natty_cursor_next(&c))) {
		*vacant = false;
		if (natty_conn_is(conn, NATTY_CONN_MAPPING) &&
		    natty_conn_end_is(conn, NATTY_END_ORIG_SRC, &t->src) &&
		    natty_conn_end_is(conn, NATTY_END_ORIG_DST, &t->dst) &&
		    conn->proto == t->proto && natty_conn_alive(conn))
			return conn;
	}
	return NULL;
}

/* The same from outside. */
static struct natty_conn *find_inbound(const struct natty_table *table,
				       const struct natty_tuple *t)
{
	struct natty_conn *conn;
	struct natty_cursor c;

	natty_cursor_init(&c, table, natty_slot_endpoint(table, NATTY_SLOT_EXTERNAL,
							 t->proto, &t->dst));
	while ((conn = natty_cursor_next(&c)))
		if (natty_conn_is(conn, NATTY_CONN_MAPPING) &&
		    natty_conn_end_is(conn, NATTY_END_NEW_SRC, &t->dst) &&
		    natty_conn_end_is(conn, NATTY_END_ORIG_DST, &t->src) &&
		    conn->proto == t->proto && natty_conn_alive(conn))
			return conn;
	return NULL;
}

struct natty_conn *natty_table_find_leaving(const struct natty_table *table,
					    const struct natty_tuple *t,
					    enum natty_dir *dir, bool *vacant)
{
	struct natty_conn *conn = find_outbound(table, t, vacant);

	if (conn) {
		*dir = NATTY_DIR_ORIG;
		return conn;
	}
	/* Most often all flows carry their mappings: then nothing is missed. */
	return READ_ONCE(table->tuples) ? find_tuple(table, t, dir) : NULL;
}

struct natty_conn *natty_table_find(const struct natty_table *table,
				    const struct natty_tuple *t, bool inbound,
				    enum natty_dir *dir)
{
	struct natty_conn *conn;
	bool vacant;

	if (inbound) {
		conn = find_inbound(table, t);
		if (conn) {
			*dir = NATTY_DIR_REPLY;
			return conn;
		}
	}
	return natty_table_find_leaving(table, t, dir, &vacant);
}

struct natty_conn *natty_table_find_middle(const struct natty_table *table,
					   const struct natty_tuple *t)
{
	struct natty_conn *conn;
	struct natty_tuple own;
	struct natty_cursor c;

	natty_cursor_init(&c, table, natty_slot_tuple(table, t));
	while ((conn = natty_cursor_next(&c))) {
		if ((atomic_read(&conn->flags) & NATTY_CONN_BOTH) != NATTY_CONN_BOTH ||
		    !natty_conn_alive(conn))
			continue;
		natty_conn_middle(conn, &own);
		if (natty_tuple_equal(&own, t))
			return conn;
	}
	return NULL;
}

/* Is this object the mapping that a flow from inside looks for? */
static bool maps_internal(const struct natty_conn *conn,
			  const struct natty_realm *realm, u8 proto,
			  const struct natty_endpoint *ep)
{
	struct natty_endpoint end;

	if (!natty_conn_maps(conn) || conn->proto != proto ||
	    !natty_conn_end_is(conn, NATTY_END_ORIG_SRC, ep))
		return false;
	if (natty_conn_is(conn, NATTY_CONN_STATIC) || realm->forwards)
		return natty_conn_is(conn, NATTY_CONN_STATIC) && realm->forwards;
	if (conn->rule != realm->rule || conn->ifindex != realm->ifindex ||
	    natty_conn_is(conn, NATTY_CONN_ADDRESS) != !!realm->remote)
		return false;
	if (!realm->remote)
		return true;
	natty_conn_get_end(conn, NATTY_END_ORIG_DST, &end);
	return natty_addr_equal(conn->family, realm->remote, &end.addr);
}

struct natty_conn *natty_table_find_internal(const struct natty_table *table,
					     const struct natty_realm *realm,
					     u8 proto,
					     const struct natty_endpoint *ep)
{
	struct natty_conn *conn;
	struct natty_cursor c;

	natty_cursor_init(&c, table, realm->remote ?
		    natty_slot_paired(table, proto, ep, realm->remote) :
		    natty_slot_endpoint(table, NATTY_SLOT_INTERNAL, proto, ep));
	while ((conn = natty_cursor_next(&c)))
		if (maps_internal(conn, realm, proto, ep))
			return conn;
	return NULL;
}

struct natty_conn *natty_table_find_external(const struct natty_table *table,
					     u8 proto,
					     const struct natty_endpoint *ep)
{
	struct natty_conn *conn;
	struct natty_cursor c;

	natty_cursor_init(&c, table, natty_slot_endpoint(table, NATTY_SLOT_EXTERNAL, proto, ep));
	while ((conn = natty_cursor_next(&c)))
		if (natty_conn_maps(conn) && conn->proto == proto &&
		    natty_conn_end_is(conn, NATTY_END_NEW_SRC, ep))
			return conn;
	return NULL;
}

struct natty_conn *
natty_table_find_source(const struct natty_table *table, u8 proto,
			const struct natty_endpoint *ep,
			bool (*fits)(const struct natty_conn *conn, const void *arg),
			const void *arg)
{
	const u32 which = BIT(NATTY_CONN_SOURCE) | BIT(NATTY_CONN_DEAD);
	struct natty_conn *conn;
	struct natty_cursor c;

	natty_cursor_init(&c, table, natty_slot_endpoint(table, NATTY_SLOT_SOURCE, proto, ep));
	while ((conn = natty_cursor_next(&c)))
		if (((u32)atomic_read(&conn->flags) & which) == BIT(NATTY_CONN_SOURCE) &&
		    conn->proto == proto &&
		    natty_conn_end_is(conn, NATTY_END_ORIG_SRC, ep) && fits(conn, arg))
			return conn;
	return NULL;
}

void natty_table_prefetch_external(const struct natty_table *table, u8 proto,
				   const struct natty_endpoint *ep)
{
	prefetchw(natty_bucket_of(rcu_dereference(table->buckets),
				  natty_slot_endpoint(table, NATTY_SLOT_EXTERNAL,
						      proto, ep)));
}

struct natty_conn *natty_table_find_filter(const struct natty_table *table,
					   u32 mapping,
					   const union nf_inet_addr *remote)
{
	struct natty_endpoint ep;
	struct natty_conn *conn;
	struct natty_cursor c;

	natty_cursor_init(&c, table, natty_slot_filter(table, mapping, remote));
	while ((conn = natty_cursor_next(&c))) {
		if (!natty_conn_is(conn, NATTY_CONN_FILTER) ||
		    natty_conn_is(conn, NATTY_CONN_DEAD) ||
		    conn->dst_mapping != mapping)
			continue;
		natty_conn_get_end(conn, NATTY_END_ORIG_DST, &ep);
		if (natty_addr_equal(table->family, &ep.addr, remote))
			return conn;
	}
	return NULL;
}

/* Does @other stand where @conn with these flags wants to? */
static noinline bool is_rival(const struct natty_conn *conn, u32 flags,
			      const struct natty_conn *other)
{
	struct natty_realm realm = {
		.rule = conn->rule,
		.ifindex = conn->ifindex,
	};
	struct natty_tuple orig, reply, its;
	struct natty_endpoint ep, remote;

	if (flags & BIT(NATTY_CONN_FILTER)) {
		natty_conn_get_end(conn, NATTY_END_ORIG_DST, &ep);
		return natty_conn_is(other, NATTY_CONN_FILTER) &&
		       !natty_conn_is(other, NATTY_CONN_DEAD) &&
		       other->dst_mapping == conn->dst_mapping &&
		       natty_conn_end_is(other, NATTY_END_ORIG_DST, &ep);
	}
	if (flags & BIT(NATTY_CONN_MAPPING)) {
		if (flags & BIT(NATTY_CONN_STATIC))
			return false;
		natty_conn_get_end(conn, NATTY_END_ORIG_SRC, &ep);
		natty_conn_get_end(conn, NATTY_END_ORIG_DST, &remote);
		realm.remote = flags & BIT(NATTY_CONN_ADDRESS) ?
			       &remote.addr : NULL;
		return maps_internal(other, &realm, conn->proto, &ep);
	}
	if (!natty_conn_alive(other) || natty_conn_is(other, NATTY_CONN_MAPPING))
		return false;
	natty_conn_tuple(conn, NATTY_DIR_ORIG, &orig);
	natty_conn_tuple(conn, NATTY_DIR_REPLY, &reply);
	natty_conn_tuple(other, NATTY_DIR_ORIG, &its);
	if (natty_tuple_equal(&its, &orig) || natty_tuple_equal(&its, &reply))
		return true;
	natty_conn_tuple(other, NATTY_DIR_REPLY, &its);
	return natty_tuple_equal(&its, &orig) || natty_tuple_equal(&its, &reply);
}

static bool has_rival_at(const struct natty_table *table,
			 const struct natty_conn *conn, u32 flags, u32 hash)
{
	struct natty_conn *other;
	struct natty_cursor c;

	natty_cursor_init(&c, table, hash);
	while ((other = natty_cursor_next(&c)))
		if (is_rival(conn, flags, other))
			return true;
	return false;
}

static bool has_rival(const struct natty_table *table,
		      const struct natty_conn *conn, u32 flags,
		      const u32 *hash, unsigned int n)
{
	unsigned int i;

	/* Whoever owns an external port is alone with it. */
	if (flags & BIT(NATTY_CONN_MAPPING))
		return has_rival_at(table, conn, flags, hash[0]);
	for (i = 0; i < n; i++)
		if (has_rival_at(table, conn, flags, hash[i]))
			return true;
	return false;
}

/*
 * The chains that a change locks: those of the current buckets, then, while a
 * resize runs, those of the next ones; within each in the order of addresses.
 * The resize work nests one of each in the same order.
 */
struct locked {
	struct natty_buckets *to;
	struct natty_buckets *from;
	unsigned int n;
	struct natty_bucket *bucket[2 * NATTY_SLOTS_MAX];
};

static void lock_in(struct locked *l, struct natty_buckets *b, const u32 *hash,
		    unsigned int n)
{
	unsigned int first = l->n, i, j;
	struct natty_bucket *bucket;

	/* Most objects stand in two. */
	if (likely(n == 2)) {
		struct natty_bucket *a = natty_bucket_of(b, hash[0]);

		bucket = natty_bucket_of(b, hash[1]);
		if (a != bucket) {
			l->bucket[l->n++] = min(a, bucket);
			natty_bucket_lock(min(a, bucket));
		}
		l->bucket[l->n++] = max(a, bucket);
		natty_bucket_lock(max(a, bucket));
		return;
	}
	for (i = 0; i < n; i++) {
		bucket = natty_bucket_of(b, hash[i]);
		for (j = l->n; j > first && l->bucket[j - 1] > bucket; j--)
			l->bucket[j] = l->bucket[j - 1];
		l->bucket[j] = bucket;
		l->n++;
	}
	for (i = first, j = first; i < l->n; i++)
		if (i == first || l->bucket[i] != l->bucket[j - 1])
			l->bucket[j++] = l->bucket[i];
	l->n = j;
	for (i = first; i < l->n; i++)
		natty_bucket_lock(l->bucket[i]);
}

/*
 * Under RCU: a resize moves nothing before all who did not see the next
 * buckets are gone.
 */
static void lock_chains(struct locked *l, const struct natty_table *table,
			const u32 *hash, unsigned int n)
{
	l->n = 0;
	l->from = rcu_dereference(table->buckets);
	l->to = rcu_dereference(l->from->next);
	lock_in(l, l->from, hash, n);
	if (l->to)
		lock_in(l, l->to, hash, n);
	else
		l->to = l->from;
}

static void unlock_chains(struct locked *l)
{
	while (l->n)
		natty_bucket_unlock(l->bucket[--l->n]);
}

/* The table is too full, or chains have used up what prolongs them. */
static bool is_full(const struct natty_buckets *b, s64 entries)
{
	return b->bits < BITS_MAX &&
	       (entries > (s64)LOAD_MAX << b->bits ||
		(u32)atomic_read(&b->used) > b->spare / 2);
}

int natty_table_insert(struct natty_table *table, struct natty_conn *conn,
		       u32 flags)
{
	struct locked l __uninitialized;
	u32 hash[NATTY_SLOTS_MAX];
	unsigned int n, i;
	int err = 0;

	n = natty_slot_all(table, conn, flags, hash);
	lock_chains(&l, table, hash, n);
	if (has_rival(table, conn, flags, hash, n)) {
		err = -EEXIST;
		goto unlock;
	}
	for (i = 0; i < n; i++) {
		if (natty_bucket_add(l.to, hash[i], conn->index, false))
			continue;
		while (i)
			natty_bucket_remove(l.to, hash[--i], conn->index);
		err = -ENOSPC;
		goto unlock;
	}
	if (unlikely(!(flags & BIT(NATTY_CONN_MAPPING)) &&
		     !READ_ONCE(table->tuples)))
		WRITE_ONCE(table->tuples, true);
	/* Alive only now: nobody may close it before it stands everywhere. */
	atomic_set_release(&conn->flags, flags);
	percpu_counter_add(&table->entries, n);
unlock:
	unlock_chains(&l);
	if (unlikely(is_full(l.to, percpu_counter_read(&table->entries))))
		queue_work(system_unbound_wq, &table->resize);
	return err;
}

void natty_table_unlink(struct natty_table *table, struct natty_conn *conn)
{
	u32 hash[NATTY_SLOTS_MAX];
	unsigned int n, i;
	struct locked l;

	n = natty_slot_all(table, conn, atomic_read(&conn->flags), hash);
	local_bh_disable();
	for (i = 0; i < n; i++) {
		lock_chains(&l, table, &hash[i], 1);
		if (!natty_bucket_remove(l.from, hash[i], conn->index) &&
		    l.to != l.from)
			natty_bucket_remove(l.to, hash[i], conn->index);
		unlock_chains(&l);
	}
	local_bh_enable();
	percpu_counter_sub(&table->entries, n);
}

/* The @nth from the last of an object's hashes with that chain and tag. */
static u32 entry_hash(const void *arg, u32 chain, u16 tag, u32 index,
		      unsigned int nth)
{
	const struct natty_table *table = arg;
	const struct natty_buckets *b;
	const struct natty_conn *conn;
	u32 hash[NATTY_SLOTS_MAX];
	u32 found = (u32)tag;
	unsigned int n, i;

	b = rcu_dereference_protected(table->buckets, true);
	conn = natty_table_at(table, index);
	n = natty_slot_all(table, conn, atomic_read(&conn->flags), hash);
	for (i = 0; i < n && nth; i++) {
		if (hash[i] >> (32 - b->bits) != chain || (u16)hash[i] != tag)
			continue;
		found = hash[i];
		nth--;
	}
	return found;
}

/* The only writer of table->buckets. */
static void resize_work(struct work_struct *work)
{
	struct natty_table *table = container_of(work, struct natty_table, resize);
	struct natty_buckets *from, *to;
	unsigned int lost = 0;
	u32 i;

	from = rcu_dereference_protected(table->buckets, true);
	if (!is_full(from, percpu_counter_sum(&table->entries)))
		return;
	to = natty_buckets_alloc(from->bits + (from->bits < BITS_CALM ? 2 : 1));
	if (!to)
		return;
	rcu_assign_pointer(from->next, to);
	/* From here on, whoever comes adds to the new buckets. */
	synchronize_rcu();
	for (i = 0; i < 1U << from->bits; i++) {
		local_bh_disable();
		lost += natty_buckets_move(from, to, i, entry_hash, table);
		local_bh_enable();
		cond_resched();
	}
	/* Not by chance: an attacker knows the key. Their flows time out. */
	this_cpu_add(table->nn->stats->count[NATTY_DROP_LIMIT_CHAIN], lost);
	rcu_assign_pointer(table->buckets, to);
	natty_count(table->nn, NATTY_COUNT_TABLE_RESIZE);
	synchronize_rcu();
	natty_buckets_free(from);
}

u64 natty_table_memory(const struct natty_table *table)
{
	u64 bytes;

	rcu_read_lock();
	bytes = natty_buckets_memory(rcu_dereference(table->buckets));
	rcu_read_unlock();
	return bytes + natty_arena_memory(&table->arena);
}

int natty_table_init(struct natty_table *table, struct natty_net *nn, u8 family)
{
	struct natty_buckets *b;
	int err;

	BUILD_BUG_ON(NATTY_CONN_NONE != NATTY_BUCKET_FREE);

	table->nn = nn;
	table->family = family;
	get_random_bytes(&table->key, sizeof(table->key));
	INIT_WORK(&table->resize, resize_work);
	err = natty_arena_init(&table->arena, family);
	if (err)
		return err;
	err = percpu_counter_init(&table->entries, 0, GFP_KERNEL);
	if (err)
		goto free_arena;
	b = natty_buckets_alloc(BITS_MIN);
	if (!b) {
		err = -ENOMEM;
		goto free_entries;
	}
	RCU_INIT_POINTER(table->buckets, b);
	return 0;

free_entries:
	percpu_counter_destroy(&table->entries);
free_arena:
	natty_arena_exit(&table->arena);
	return err;
}

void natty_table_exit(struct natty_table *table)
{
	cancel_work_sync(&table->resize);
	natty_buckets_free(rcu_dereference_protected(table->buckets, true));
	percpu_counter_destroy(&table->entries);
	natty_arena_exit(&table->arena);
}
