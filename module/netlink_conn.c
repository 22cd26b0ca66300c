// SPDX-License-Identifier: GPL-2.0
/* Requests about connections. */

#include "conn.h"
#include "netlink.h"
#include "rule.h"
#include "table.h"

/* Objects that are looked at between two chances to schedule. */
#define BATCH 1024

/* Reads the nest that selects connections; without one all are selected. */
static int get_filter(const struct nlattr *nest, struct natty_rule *filter,
		      struct netlink_ext_ack *extack)
{
	/* Filters have none of the attributes behind the last of theirs. */
	struct nlattr *tb[NATTY_A_RULE_MAX + 1] = {};
	int err;

	memset(filter, 0, sizeof(*filter));
	if (!nest)
		return 0;
	err = nla_parse_nested(tb, NATTY_A_RULE_INVERT, nest,
			       natty_filter_nl_policy, extack);
	return err ?: natty_nl_get_matches(tb, filter, extack);
}

/* Is it ruled out by its opener's address? Most are, and that is soon seen. */
static bool is_foreign(const struct natty_conn *conn,
		       const struct natty_rule *filter)
{
	return filter->match & ~filter->invert & NATTY_MATCH_SRC &&
	       (filter->family != conn->family ||
		!natty_addr_in_prefix(conn->family,
				      natty_conn_addr(conn, conn->family,
						      NATTY_END_ORIG_SRC),
				      &filter->src, filter->src_len));
}

/* Compares the packet that opened the connection. */
static bool is_selected(const struct natty_conn *conn,
			const struct natty_rule *filter)
{
	struct natty_tuple tuple;
	const struct natty_rule_key key = { .tuple = &tuple };

	if (!filter->match)
		return true;
	natty_conn_tuple(conn, NATTY_DIR_ORIG, &tuple);
	return natty_rule_matches(filter, &key);
}

/* The address of an ICMP flow's asking side has its identifier as port. */
static int put_tuple(struct sk_buff *skb, int type,
		     const struct natty_conn *conn, enum natty_dir dir)
{
	const struct natty_endpoint *asking;
	struct natty_tuple t;
	struct nlattr *nest;

	natty_conn_tuple(conn, dir, &t);
	nest = nla_nest_start(skb, type);
	if (!nest ||
	    natty_nl_put_addr(skb, NATTY_A_TUPLE_SRC, t.family, &t.src.addr) ||
	    natty_nl_put_addr(skb, NATTY_A_TUPLE_DST, t.family, &t.dst.addr))
		return -EMSGSIZE;
	if (natty_proto_is_icmp(t.proto)) {
		asking = dir == NATTY_DIR_ORIG ? &t.src : &t.dst;
		if (nla_put_u16(skb, NATTY_A_TUPLE_ID, ntohs(asking->port)))
			return -EMSGSIZE;
	} else if (natty_proto_has_ports(t.proto)) {
		if (nla_put_u16(skb, NATTY_A_TUPLE_SPORT, ntohs(t.src.port)) ||
		    nla_put_u16(skb, NATTY_A_TUPLE_DPORT, ntohs(t.dst.port)))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static u32 get_flags(const struct natty_conn *conn)
{
	u32 flags = 0;

	if (natty_conn_is(conn, NATTY_CONN_INBOUND))
		flags |= NATTY_CONN_FLAG_INBOUND;
	if (natty_conn_is(conn, NATTY_CONN_REPLIED))
		flags |= NATTY_CONN_FLAG_REPLIED;
	if (natty_conn_is(conn, NATTY_CONN_UNCONFIRMED))
		flags |= NATTY_CONN_FLAG_UNCONFIRMED;
	if (natty_conn_is(conn, NATTY_CONN_SRC))
		flags |= NATTY_CONN_FLAG_SOURCE;
	if (natty_conn_is(conn, NATTY_CONN_DST))
		flags |= NATTY_CONN_FLAG_DESTINATION;
	return flags;
}

int natty_nl_put_conn(struct sk_buff *skb, const struct natty_conn *conn)
{
	if (nla_put_u8(skb, NATTY_A_CONN_PROTO, conn->proto) ||
	    nla_put_u32(skb, NATTY_A_CONN_STATE, READ_ONCE(conn->state)) ||
	    nla_put_u32(skb, NATTY_A_CONN_FLAGS, get_flags(conn)) ||
	    put_tuple(skb, NATTY_A_CONN_ORIG, conn, NATTY_DIR_ORIG) ||
	    put_tuple(skb, NATTY_A_CONN_REPLY, conn, NATTY_DIR_REPLY))
		return -EMSGSIZE;
	if (conn->rule && nla_put_u32(skb, NATTY_A_CONN_RULE, conn->rule))
		return -EMSGSIZE;
	return 0;
}

int natty_nl_put_counts(struct sk_buff *skb, struct natty_net *nn,
			const struct natty_conn *conn)
{
	const struct natty_counts *counts;
	struct natty_arena *arena;

	if (!natty_setting(rcu_dereference(nn->config), NATTY_SET_ACCOUNTING))
		return 0;
	arena = &natty_table_of(nn, conn->family)->arena;
	counts = natty_arena_counts(arena, conn->index);
	if (!counts)
		return 0;
	if (natty_nl_put_u64(skb, NATTY_A_CONN_ORIG_PACKETS,
			     READ_ONCE(counts->packets[NATTY_DIR_ORIG])) ||
	    natty_nl_put_u64(skb, NATTY_A_CONN_ORIG_BYTES,
			     READ_ONCE(counts->bytes[NATTY_DIR_ORIG])) ||
	    natty_nl_put_u64(skb, NATTY_A_CONN_REPLY_PACKETS,
			     READ_ONCE(counts->packets[NATTY_DIR_REPLY])) ||
	    natty_nl_put_u64(skb, NATTY_A_CONN_REPLY_BYTES,
			     READ_ONCE(counts->bytes[NATTY_DIR_REPLY])))
		return -EMSGSIZE;
	return 0;
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct natty_conn *conn)
{
	void *hdr = natty_nl_dump_entry(skb, cb, NATTY_CMD_CONN_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (natty_nl_put_conn(skb, conn) ||
	    natty_nl_put_counts(skb, natty_nl_net(skb), conn) ||
	    nla_put_u32(skb, NATTY_A_CONN_EXPIRES,
			natty_conn_expires_in(conn))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Connections whose first packet is still under way are nobody's business. */
static bool is_listed(const struct natty_conn *conn,
		      const struct natty_rule *filter)
{
	return natty_conn_alive(conn) &&
	       !natty_conn_is(conn, NATTY_CONN_UNCONFIRMED) &&
	       is_selected(conn, filter);
}

/* Where a dump of connections goes on. */
struct conn_cursor {
	u32 table;
	u32 at;
};

/*
 * Dump up to BATCH objects of a table under one RCU read lock. 1: there may be
 * more, 0: end of the table, -EMSGSIZE: no room, goes on with the same object.
 */
static int dump_batch(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct natty_table *table, u32 *at,
		      const struct natty_rule *filter)
{
	const struct natty_conn *conn;
	unsigned int n;
	u32 before;
	int err = 1;

	rcu_read_lock();
	for (n = 0; n < BATCH; n++) {
		before = *at;
		conn = natty_table_next(table, at);
		if (!conn) {
			err = 0;
			break;
		}
		if (!is_listed(conn, filter))
			continue;
		if (put_entry(skb, cb, conn)) {
			*at = before;
			err = -EMSGSIZE;
			break;
		}
	}
	rcu_read_unlock();
	return err;
}

int natty_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct conn_cursor *cursor = (struct conn_cursor *)cb->ctx;
	struct nlattr **attrs = natty_genl_dump_attrs(cb);
	struct natty_net *nn = natty_nl_net(skb);
	struct natty_rule filter;
	int err;

	err = get_filter(attrs ? attrs[NATTY_A_CONN_FILTER] : NULL, &filter,
			 cb->extack);
	if (err)
		return err;
	if (!natty_nl_is_enabled(nn))
		return 0;
	while (cursor->table < ARRAY_SIZE(nn->table)) {
		err = dump_batch(skb, cb, &nn->table[cursor->table],
				 &cursor->at, &filter);
		if (err < 0)
			break;
		if (!err) {
			cursor->table++;
			cursor->at = 0;
		}
		cond_resched();
	}
	return skb->len;
}

/* Count, and close if @close, the connections of a table. */
static u32 walk(struct natty_net *nn, struct natty_table *table,
		const struct natty_rule *filter, bool close)
{
	struct natty_conn *conn;
	u32 cursor = 0, count = 0;
	unsigned int n;

	do {
		rcu_read_lock();
		for (n = 0; n < BATCH; n++) {
			conn = natty_table_next(table, &cursor);
			if (!conn)
				break;
			if (is_foreign(conn, filter))
				continue;
			if (!close)
				count += is_listed(conn, filter);
			else if (natty_conn_open(conn) &&
				 is_selected(conn, filter))
				count += natty_conn_close(nn, conn,
							  NATTY_COUNT_CONN_DEL);
		}
		rcu_read_unlock();
		cond_resched();
	} while (conn);
	return count;
}

static int count(struct sk_buff *skb, struct genl_info *info, bool close)
{
	struct natty_net *nn = natty_nl_net(skb);
	struct natty_rule filter;
	struct sk_buff *msg;
	u32 sum = 0;
	void *hdr;
	int err, i;

	err = get_filter(info->attrs[NATTY_A_CONN_FILTER], &filter,
			 info->extack);
	if (err)
		return err;
	msg = natty_nl_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	for (i = 0; natty_nl_is_enabled(nn) && i < ARRAY_SIZE(nn->table); i++)
		sum += walk(nn, &nn->table[i], &filter, close);
	if (close && !info->attrs[NATTY_A_CONN_FILTER])
		natty_syn_flush(nn);
	err = nla_put_u32(msg, NATTY_A_CONN_COUNT, sum);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

int natty_nl_conn_count_doit(struct sk_buff *skb, struct genl_info *info)
{
	return count(skb, info, false);
}

int natty_nl_conn_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return count(skb, info, true);
}
