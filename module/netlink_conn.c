// SPDX-License-Identifier: GPL-2.0
/* Requests about connections. */

#include "conn.h"
#include "netlink.h"
#include "rule.h"
#include "table.h"
#include "walk.h"

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
static __always_inline bool is_foreign(const struct natty_conn *conn,
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
	counts = natty_arena_counts_get(arena, conn->index);
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
	return !is_foreign(conn, filter) && natty_conn_alive(conn) &&
	       !natty_conn_is(conn, NATTY_CONN_UNCONFIRMED) &&
	       is_selected(conn, filter);
}

/* A dump of connections, and the message that is filled. */
struct dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct natty_rule filter;
};

static int dump_one(struct natty_net *nn, struct natty_conn *conn, void *arg)
{
	const struct dump *dump = arg;

	if (!is_listed(conn, &dump->filter))
		return 0;
	return put_entry(dump->skb, dump->cb, conn);
}

int natty_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = natty_genl_dump_attrs(cb);
	struct dump dump = { .skb = skb, .cb = cb };
	struct natty_net *nn = natty_nl_net(skb);
	int err;

	err = get_filter(attrs ? attrs[NATTY_A_CONN_FILTER] : NULL, &dump.filter,
			 cb->extack);
	if (err)
		return err;
	if (natty_nl_is_enabled(nn))
		natty_walk_all(nn, (void *)cb->ctx, dump_one, &dump);
	return skb->len;
}

/* How many connections are selected. */
struct tally {
	struct natty_rule filter;
	u32 sum;
};

static int count_one(struct natty_net *nn, struct natty_conn *conn, void *arg)
{
	struct tally *tally = arg;

	tally->sum += is_listed(conn, &tally->filter);
	return 0;
}

static int close_one(struct natty_net *nn, struct natty_conn *conn, void *arg)
{
	struct tally *tally = arg;

	if (!is_foreign(conn, &tally->filter) && natty_conn_open(conn) &&
	    is_selected(conn, &tally->filter))
		tally->sum += natty_conn_close(nn, conn, NATTY_COUNT_CONN_DEL);
	return 0;
}

static int count(struct sk_buff *skb, struct genl_info *info, bool close)
{
	struct natty_net *nn = natty_nl_net(skb);
	struct natty_walk walk = {};
	struct tally tally = {};
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = get_filter(info->attrs[NATTY_A_CONN_FILTER], &tally.filter,
			 info->extack);
	if (err)
		return err;
	msg = natty_nl_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	if (natty_nl_is_enabled(nn) && close)
		natty_walk_all(nn, &walk, close_one, &tally);
	else if (natty_nl_is_enabled(nn))
		natty_walk_all(nn, &walk, count_one, &tally);
	if (close && !info->attrs[NATTY_A_CONN_FILTER])
		natty_syn_flush(nn);
	err = nla_put_u32(msg, NATTY_A_CONN_COUNT, tally.sum);
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
