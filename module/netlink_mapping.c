// SPDX-License-Identifier: GPL-2.0
/* Requests about mappings. */

#include "conn.h"
#include "netlink.h"
#include "table.h"
#include "walk.h"

static u32 get_filtering(const struct natty_conn *conn)
{
	if (natty_conn_is(conn, NATTY_CONN_FILTER_EIF))
		return NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT;
	if (natty_conn_is(conn, NATTY_CONN_FILTER_APDF))
		return NATTY_BEHAVIOUR_ADDRESS_AND_PORT_DEPENDENT;
	return NATTY_BEHAVIOUR_ADDRESS_DEPENDENT;
}

static int put_endpoint(struct sk_buff *skb, const struct natty_conn *conn,
			enum natty_end end, int addr, int port)
{
	struct natty_endpoint ep;

	natty_conn_get_end(conn, end, &ep);
	return natty_nl_put_addr(skb, addr, conn->family, &ep.addr) ?:
	       nla_put_u16(skb, port, ntohs(ep.port));
}

/* The forward that made a mapping counts as a user but is no connection. */
static int put_use(struct sk_buff *skb, const struct natty_conn *conn)
{
	bool is_static = natty_conn_is(conn, NATTY_CONN_STATIC);
	int users = atomic_read(&conn->users) - is_static;

	if (nla_put_u32(skb, NATTY_A_MAPPING_CONNECTIONS, max(users, 0)))
		return -EMSGSIZE;
	if (is_static)
		return nla_put_flag(skb, NATTY_A_MAPPING_STATIC);
	return nla_put_u32(skb, NATTY_A_MAPPING_EXPIRES,
			   natty_conn_expires_in(conn));
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct natty_conn *conn)
{
	void *hdr = natty_nl_dump_entry(skb, cb, NATTY_CMD_MAPPING_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u8(skb, NATTY_A_MAPPING_PROTO, conn->proto) ||
	    put_endpoint(skb, conn, NATTY_END_ORIG_SRC,
			 NATTY_A_MAPPING_INT_ADDR, NATTY_A_MAPPING_INT_PORT) ||
	    put_endpoint(skb, conn, NATTY_END_NEW_SRC,
			 NATTY_A_MAPPING_EXT_ADDR, NATTY_A_MAPPING_EXT_PORT) ||
	    put_use(skb, conn) ||
	    nla_put_u32(skb, NATTY_A_MAPPING_FILTERING, get_filtering(conn))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* A dump of mappings, and the message that is filled. */
struct dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

static int dump_one(struct natty_net *nn, struct natty_conn *conn, void *arg)
{
	const struct dump *dump = arg;

	return natty_conn_maps(conn) ? put_entry(dump->skb, dump->cb, conn) : 0;
}

int natty_nl_mapping_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct dump dump = { .skb = skb, .cb = cb };
	struct natty_net *nn = natty_nl_net(skb);

	if (natty_nl_is_enabled(nn))
		natty_walk_all(nn, (void *)cb->ctx, dump_one, &dump);
	return skb->len;
}
