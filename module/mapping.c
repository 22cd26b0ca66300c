// SPDX-License-Identifier: GPL-2.0
#include "mapping.h"
#include "netns.h"
#include "walk.h"

bool natty_mapping_get(struct natty_conn *mapping)
{
	return atomic_inc_not_zero(&mapping->users);
}

/* Give the port of a mapping back, to rest if not all that used it was closed. */
static void free_port(struct natty_net *nn, const struct natty_conn *mapping)
{
	struct natty_endpoint inside, ext;
	u32 seconds = 0;

	natty_conn_get_end(mapping, NATTY_END_ORIG_SRC, &inside);
	natty_conn_get_end(mapping, NATTY_END_NEW_SRC, &ext);
	if (natty_conn_is(mapping, NATTY_CONN_RESTS)) {
		rcu_read_lock();
		seconds = natty_setting(rcu_dereference(nn->config),
					NATTY_SET_PORT_REUSE);
		rcu_read_unlock();
	}
	natty_port_rest(nn, mapping->family, mapping->proto, &ext.addr,
			ntohs(ext.port),
			natty_port_tag(nn, mapping->family, &inside.addr),
			seconds);
}

void natty_mapping_put(struct natty_net *nn, struct natty_conn *mapping)
{
	struct natty_table *table = natty_table_of(nn, mapping->family);
	struct natty_endpoint ep, ext;

	if (!atomic_dec_and_test(&mapping->users))
		return;
	natty_conn_mark(mapping, NATTY_CONN_DEAD);
	natty_table_unlink(table, mapping);
	natty_conn_get_end(mapping, NATTY_END_NEW_SRC, &ep);
	if (natty_conn_is(mapping, NATTY_CONN_SOURCE)) {
		if (natty_conn_is(mapping, NATTY_CONN_SHARED))
			natty_port_unshare(nn, mapping->family, mapping->proto,
					   &ep.addr, ntohs(ep.port));
		if (natty_conn_is(mapping, NATTY_CONN_ADDR_USED))
			natty_port_addr_unuse(nn, mapping->family, &ep.addr);
		natty_arena_retire(&table->arena, mapping);
		return;
	}
	free_port(nn, mapping);
	ext = ep;
	natty_conn_get_end(mapping, NATTY_END_ORIG_SRC, &ep);
	if (unlikely(natty_conn_is(mapping, NATTY_CONN_PAIRED)))
		natty_pairing_leave(nn, mapping->family, &ep.addr, &ext.addr);
	if (natty_conn_is(mapping, NATTY_CONN_PORT_COUNTED))
		natty_host_uncharge(nn, mapping->family, &ep.addr,
				    NATTY_HOST_PORTS);
	natty_count(nn, NATTY_COUNT_MAPPING_DEL);
	percpu_counter_dec(&nn->mappings);
	natty_arena_retire(&table->arena, mapping);
}

bool natty_mapping_admits(struct natty_net *nn, const struct natty_conn *mapping,
			  const struct natty_endpoint *remote)
{
	struct natty_endpoint ep;

	if (natty_conn_is(mapping, NATTY_CONN_FILTER_EIF))
		return true;
	/* A known remote endpoint has a connection and never asks. */
	if (natty_conn_is(mapping, NATTY_CONN_FILTER_APDF))
		return false;
	natty_conn_get_end(mapping, NATTY_END_ORIG_DST, &ep);
	if (natty_conn_alive(mapping) &&
	    natty_addr_equal(mapping->family, &ep.addr, &remote->addr))
		return true;
	return natty_table_find_filter(natty_table_of(nn, mapping->family),
				       mapping->index, &remote->addr);
}

static bool needs_permissions(const struct natty_conn *mapping)
{
	return !natty_conn_is(mapping, NATTY_CONN_FILTER_EIF) &&
	       !natty_conn_is(mapping, NATTY_CONN_FILTER_APDF);
}

int natty_mapping_permit(struct natty_net *nn, struct natty_conn *mapping,
			 const union nf_inet_addr *remote)
{
	struct natty_table *table = natty_table_of(nn, mapping->family);
	struct natty_endpoint ep = { .addr = *remote };
	struct natty_conn *filter;
	int err;

	if (!needs_permissions(mapping))
		return 0;
	/* Twice at most: whoever was first may be gone again. */
	for (err = -EEXIST; err == -EEXIST;) {
		filter = natty_table_find_filter(table, mapping->index, remote);
		if (filter && atomic_inc_not_zero(&filter->users))
			return 0;
		filter = natty_arena_alloc(&table->arena);
		if (!filter)
			return -ENOMEM;
		filter->family = mapping->family;
		filter->proto = 0;
		filter->dst_mapping = mapping->index;
		natty_conn_set_end(filter, NATTY_END_ORIG_DST, &ep);
		atomic_set(&filter->users, 1);
		err = natty_table_insert(table, filter, BIT(NATTY_CONN_FILTER) |
						BIT(NATTY_CONN_CLOSED));
		if (err)
			natty_arena_discard(&table->arena, filter);
	}
	return err;
}

void natty_mapping_forbid(struct natty_net *nn, struct natty_conn *mapping,
			  const union nf_inet_addr *remote)
{
	struct natty_table *table = natty_table_of(nn, mapping->family);
	struct natty_conn *filter;

	if (!needs_permissions(mapping))
		return;
	filter = natty_table_find_filter(table, mapping->index, remote);
	if (WARN_ON_ONCE(!filter) || !atomic_dec_and_test(&filter->users))
		return;
	natty_conn_mark(filter, NATTY_CONN_DEAD);
	natty_table_unlink(table, filter);
	natty_arena_retire(&table->arena, filter);
}

/* Which connections are closed. */
struct doom {
	bool (*match)(const struct natty_conn *conn, const void *arg);
	const void *arg;
};

static int close_one(struct natty_net *nn, struct natty_conn *conn, void *arg)
{
	const struct doom *doom = arg;

	if (natty_conn_open(conn) && doom->match(conn, doom->arg))
		natty_conn_close(nn, conn, NATTY_COUNT_CONN_DEL);
	return 0;
}

/* Close every open connection of a table that @match picks. */
static void close_matching(struct natty_table *table,
			   bool (*match)(const struct natty_conn *conn,
					 const void *arg), const void *arg)
{
	struct doom doom = { .match = match, .arg = arg };
	u32 cursor = 0;

	natty_walk_table(table, &cursor, close_one, &doom);
}

static bool uses_mapping(const struct natty_conn *conn, const void *arg)
{
	u32 index = *(const u32 *)arg;

	return conn->index == index || conn->dst_mapping == index ||
	       (!natty_conn_stays(conn) && conn->mapping == index);
}

/* Take the port from the dynamic mapping that has it. */
static bool expropriate(struct natty_net *nn, const struct natty_forward *forward)
{
	struct natty_table *table = natty_table_of(nn, forward->family);
	struct natty_conn *mapping;
	u32 index = NATTY_CONN_NONE;

	rcu_read_lock();
	mapping = natty_table_find_external(table, forward->proto, &forward->ext);
	if (mapping && !natty_conn_is(mapping, NATTY_CONN_STATIC))
		index = mapping->index;
	rcu_read_unlock();
	if (index == NATTY_CONN_NONE)
		return false;
	close_matching(table, uses_mapping, &index);
	return true;
}

static int insert_static(struct natty_net *nn, const struct natty_forward *forward)
{
	struct natty_table *table = natty_table_of(nn, forward->family);
	struct natty_endpoint none = {};
	struct natty_conn *mapping;
	int err = -ENOMEM;

	local_bh_disable();
	rcu_read_lock();
	mapping = natty_arena_alloc(&table->arena);
	if (!mapping)
		goto out;
	mapping->family = forward->family;
	mapping->proto = forward->proto;
	mapping->state = NATTY_STATE_NEW;
	natty_conn_set_end(mapping, NATTY_END_ORIG_SRC, &forward->inside);
	natty_conn_set_end(mapping, NATTY_END_NEW_SRC, &forward->ext);
	natty_conn_set_end(mapping, NATTY_END_ORIG_DST, &none);
	natty_conn_set_end(mapping, NATTY_END_NEW_DST, &none);
	atomic_set(&mapping->users, 1);
	err = natty_table_insert(table, mapping, BIT(NATTY_CONN_MAPPING) |
				 BIT(NATTY_CONN_STATIC) | BIT(NATTY_CONN_CLOSED) |
				 BIT(NATTY_CONN_FILTER_EIF));
	if (err) {
		natty_arena_discard(&table->arena, mapping);
		goto out;
	}
	percpu_counter_inc(&nn->mappings);
	natty_count(nn, NATTY_COUNT_MAPPING_NEW);
out:
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

int natty_mapping_add_static(struct natty_net *nn,
			     const struct natty_forward *forward)
{
	u16 port = ntohs(forward->ext.port);
	int err;

	lockdep_assert_held(&nn->lock);
	err = natty_port_take_exact(nn, forward->family, forward->proto,
				    &forward->ext.addr, port);
	if (err == -EBUSY && expropriate(nn, forward))
		err = natty_port_take_exact(nn, forward->family, forward->proto,
					    &forward->ext.addr, port);
	if (err)
		return err;
	err = insert_static(nn, forward);
	if (err)
		natty_port_put(nn, forward->family, forward->proto,
			       &forward->ext.addr, port);
	return err;
}

/* Make a forward's mapping unfindable; its index, or NATTY_CONN_NONE. */
static u32 doom_static(struct natty_net *nn, const struct natty_forward *forward)
{
	struct natty_table *table = natty_table_of(nn, forward->family);
	u32 index = NATTY_CONN_NONE;
	struct natty_conn *mapping;

	rcu_read_lock();
	mapping = natty_table_find_external(table, forward->proto, &forward->ext);
	if (mapping && natty_conn_is(mapping, NATTY_CONN_STATIC) &&
	    !natty_conn_mark(mapping, NATTY_CONN_DEAD))
		index = mapping->index;
	rcu_read_unlock();
	return index;
}

static bool is_doomed(const struct natty_table *table, u32 index)
{
	const struct natty_conn *mapping;

	if (index == NATTY_CONN_NONE)
		return false;
	mapping = natty_table_at(table, index);
	return natty_conn_is(mapping, NATTY_CONN_STATIC) &&
	       natty_conn_is(mapping, NATTY_CONN_DEAD);
}

static bool uses_doomed(const struct natty_conn *conn, const void *arg)
{
	const struct natty_table *table = arg;

	return is_doomed(table, conn->dst_mapping) ||
	       (!natty_conn_stays(conn) && is_doomed(table, conn->mapping));
}

void natty_mapping_del_statics(struct natty_net *nn,
			       const struct natty_forward *forward,
			       const unsigned long *which, unsigned int n,
			       u32 *scratch)
{
	struct natty_table *table;
	bool any = false;
	unsigned int i;

	for_each_set_bit(i, which, n) {
		scratch[i] = doom_static(nn, &forward[i]);
		any |= scratch[i] != NATTY_CONN_NONE;
	}
	if (!any)
		return;
	/* Afterwards nobody new comes to use them. */
	synchronize_rcu();
	for (i = 0; i < ARRAY_SIZE(nn->table); i++)
		close_matching(&nn->table[i], uses_doomed, &nn->table[i]);
	for_each_set_bit(i, which, n) {
		if (scratch[i] == NATTY_CONN_NONE)
			continue;
		table = natty_table_of(nn, forward[i].family);
		rcu_read_lock();
		natty_mapping_put(nn, natty_table_at(table, scratch[i]));
		rcu_read_unlock();
		cond_resched();
	}
}

struct external {
	const union nf_inet_addr *addr;
	u32 ifindex;
};

static bool has_external(const struct natty_conn *conn, const void *arg)
{
	const struct external *ext = arg;
	struct natty_endpoint ep;

	if ((!ext->addr || ext->ifindex) &&
	    (!natty_conn_is(conn, NATTY_CONN_MASQUERADE) ||
	     (ext->ifindex && conn->ifindex != ext->ifindex)))
		return false;
	if (!ext->addr)
		return true;
	natty_conn_get_end(conn, NATTY_END_NEW_SRC, &ep);
	if (natty_conn_is(conn, NATTY_CONN_SRC) &&
	    natty_addr_equal(conn->family, &ep.addr, ext->addr))
		return true;
	natty_conn_get_end(conn, NATTY_END_ORIG_DST, &ep);
	return natty_conn_is(conn, NATTY_CONN_INBOUND) &&
	       natty_addr_equal(conn->family, &ep.addr, ext->addr);
}

void natty_mapping_flush_addr(struct natty_net *nn, u8 family,
			      const union nf_inet_addr *addr, u32 ifindex)
{
	struct external ext = { .addr = addr, .ifindex = ifindex };

	close_matching(natty_table_of(nn, family), has_external, &ext);
}
