// SPDX-License-Identifier: GPL-2.0
#include "mapping.h"
#include "netns.h"
#include "proto.h"

void natty_conn_inside(const struct natty_conn *conn, union nf_inet_addr *addr)
{
	struct natty_endpoint ep;

	natty_conn_get_end(conn, natty_conn_is(conn, NATTY_CONN_INBOUND) ?
			   NATTY_END_NEW_DST : NATTY_END_ORIG_SRC, &ep);
	*addr = ep.addr;
}

/* Let go of what translated it: mappings, its share of a port, an address. */
static void release(struct natty_net *nn, struct natty_conn *conn)
{
	struct natty_table *table = natty_table_of(nn, conn->family);
	struct natty_endpoint ep;
	struct natty_conn *mapping;

	natty_conn_get_end(conn, NATTY_END_NEW_SRC, &ep);
	if (natty_conn_is(conn, NATTY_CONN_SHARED))
		natty_port_unshare(nn, conn->family, conn->proto, &ep.addr,
				   ntohs(ep.port));
	if (natty_conn_is(conn, NATTY_CONN_ADDR_USED))
		natty_port_addr_unuse(nn, conn->family, &ep.addr);
	if (conn->mapping != NATTY_CONN_NONE) {
		mapping = natty_table_at(table, conn->mapping);
		natty_mapping_remote(conn, &ep);
		natty_mapping_forbid(nn, mapping, &ep.addr);
		natty_mapping_put(nn, mapping);
	}
	if (conn->dst_mapping != NATTY_CONN_NONE)
		natty_mapping_put(nn, natty_table_at(table, conn->dst_mapping));
}

/* Nothing more is to come: both sides have closed it, or one has reset it. */
static bool is_finished(const struct natty_conn *conn)
{
	u8 state = READ_ONCE(conn->state);

	return conn->proto == IPPROTO_TCP && (state == NATTY_STATE_TIME_WAIT ||
					      state == NATTY_STATE_CLOSE);
}

static void mark_rest(struct natty_conn *mapping)
{
	if (!natty_conn_is(mapping, NATTY_CONN_RESTS) &&
	    !natty_conn_is(mapping, NATTY_CONN_STATIC))
		natty_conn_mark(mapping, NATTY_CONN_RESTS);
}

/* What still comes for this connection must not reach another host. */
static void let_ports_rest(struct natty_table *table, struct natty_conn *conn)
{
	if (is_finished(conn))
		return;
	if (natty_conn_is(conn, NATTY_CONN_MAPPING))
		mark_rest(conn);
	else if (conn->mapping != NATTY_CONN_NONE)
		mark_rest(natty_table_at(table, conn->mapping));
	if (conn->dst_mapping != NATTY_CONN_NONE)
		mark_rest(natty_table_at(table, conn->dst_mapping));
}

bool natty_conn_close(struct natty_net *nn, struct natty_conn *conn,
		      enum natty_counter why)
{
	struct natty_table *table = natty_table_of(nn, conn->family);
	union nf_inet_addr inside;
	bool embryo;

	if (natty_conn_mark(conn, NATTY_CONN_CLOSED))
		return false;
	embryo = natty_conn_unmark(conn, NATTY_CONN_UNCONFIRMED);
	if (!embryo)
		let_ports_rest(table, conn);
	natty_count(nn, why);
	percpu_counter_dec(&nn->conns);
	if (natty_conn_is(conn, NATTY_CONN_COUNTED)) {
		natty_conn_inside(conn, &inside);
		natty_host_uncharge(nn, conn->family, &inside, NATTY_HOST_CONNS);
	}
	if (!embryo)
		natty_event_conn_del(nn, conn);
	else if (natty_conn_is(conn, NATTY_CONN_DST))
		atomic_dec(&nn->embryos);
	if (natty_conn_stays(conn)) {
		natty_mapping_put(nn, conn);
		return true;
	}
	natty_table_unlink(table, conn);
	release(nn, conn);
	natty_conn_mark(conn, NATTY_CONN_DEAD);
	natty_arena_retire(&table->arena, conn);
	return true;
}

enum natty_counter natty_conn_room(struct natty_net *nn, u8 family,
				   const union nf_inet_addr *inside,
				   const struct natty_settings *set, u32 *flags)
{
	u32 limit = set->value[NATTY_SET_LIMIT_HOST_CONNECTIONS];
	u32 rate = set->value[NATTY_SET_LIMIT_HOST_RATE];
	int err;

	if (percpu_counter_compare(&nn->conns,
				   set->value[NATTY_SET_LIMIT_CONNECTIONS]) >= 0 &&
	    !natty_gc_evict(nn, family))
		return NATTY_DROP_LIMIT_CONNECTIONS;
	if (!limit && !rate)
		return NATTY_DROP_NONE;
	/* What others send to a host must not keep it from sending. */
	if (*flags & BIT(NATTY_CONN_INBOUND))
		rate = 0;
	err = natty_host_charge(nn, family, inside, NATTY_HOST_CONNS,
				limit ?: U32_MAX, rate);
	if (err == -EDQUOT)
		return NATTY_DROP_LIMIT_HOST_RATE;
	if (err)
		return err == -ENOMEM ? NATTY_DROP_NO_MEMORY :
					NATTY_DROP_LIMIT_HOST;
	*flags |= BIT(NATTY_CONN_COUNTED);
	return NATTY_DROP_NONE;
}

void natty_conn_unroom(struct natty_net *nn, u8 family,
		       const union nf_inet_addr *inside, u32 *flags)
{
	if (*flags & BIT(NATTY_CONN_COUNTED))
		natty_host_uncharge(nn, family, inside, NATTY_HOST_CONNS);
	*flags &= ~BIT(NATTY_CONN_COUNTED);
}

void natty_conn_confirm(struct natty_net *nn, struct natty_conn *conn,
			const struct natty_settings *set)
{
	if (!natty_conn_unmark(conn, NATTY_CONN_UNCONFIRMED))
		return;
	if (natty_conn_is(conn, NATTY_CONN_DST))
		atomic_dec(&nn->embryos);
	natty_conn_refresh(conn, natty_proto_timeout(conn, set));
	natty_event_conn_new(nn, conn);
}
