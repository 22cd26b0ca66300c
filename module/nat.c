// SPDX-License-Identifier: GPL-2.0
#include <linux/inetdevice.h>
#include <net/addrconf.h>

#include "mapping.h"
#include "nat.h"
#include "netns.h"
#include "proto.h"

void natty_draft_drop(struct natty_draft *draft, struct natty_net *nn)
{
	if (draft->mapping)
		natty_mapping_put(nn, draft->mapping);
	if (draft->dst_mapping)
		natty_mapping_put(nn, draft->dst_mapping);
	draft->mapping = NULL;
	draft->dst_mapping = NULL;
}

static void fill(struct natty_conn *conn, const struct natty_draft *draft)
{
	conn->family = draft->orig.family;
	conn->proto = draft->orig.proto;
	conn->rule = draft->rule ? draft->rule->id : 0;
	conn->ifindex = draft->ifindex;
	if (conn->proto == IPPROTO_UDP)
		conn->ack[0] = (u32)jiffies;
	natty_conn_set_end(conn, NATTY_END_ORIG_SRC, &draft->orig.src);
	natty_conn_set_end(conn, NATTY_END_ORIG_DST, &draft->orig.dst);
	natty_conn_set_end(conn, NATTY_END_NEW_SRC, &draft->new_src);
	natty_conn_set_end(conn, NATTY_END_NEW_DST, &draft->new_dst);
	if (draft->flags & (BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_SOURCE)))
		atomic_set(&conn->users, 1);
	else if (draft->mapping)
		conn->mapping = draft->mapping->index;
	if (draft->dst_mapping)
		conn->dst_mapping = draft->dst_mapping->index;
	atomic_set(&conn->flags, draft->flags | BIT(NATTY_CONN_CLOSED) |
				 BIT(NATTY_CONN_DEAD));
}

static void count_flow(struct natty_net *nn, const struct natty_draft *draft)
{
	percpu_counter_inc(&nn->conns);
	natty_count(nn, NATTY_COUNT_CONN_NEW);
	natty_count(nn, draft->flags & NATTY_CONN_BOTH ?
		    NATTY_COUNT_TRANSLATED : NATTY_COUNT_UNTRANSLATED);
	if (draft->rule)
		this_cpu_inc(*draft->rule->flows);
	if (draft->flags & BIT(NATTY_CONN_MAPPING)) {
		percpu_counter_inc(&nn->mappings);
		natty_count(nn, NATTY_COUNT_MAPPING_NEW);
	}
	if (!(draft->flags & BIT(NATTY_CONN_DST)))
		return;
	if (draft->flags & BIT(NATTY_CONN_UNCONFIRMED))
		atomic_inc(&nn->embryos);
	if (!READ_ONCE(nn->destinations))
		WRITE_ONCE(nn->destinations, true);
}

/*
 * Is the flow that of the connection which carries the mapping? It stands by
 * the mapping's endpoints, so among tuples nothing would tell: another CPU
 * made it after this one had looked for the flow.
 */
static bool is_carried(const struct natty_draft *draft)
{
	const struct natty_conn *its = draft->mapping;
	const struct natty_tuple *t = &draft->orig;

	return its && natty_conn_alive(its) && its->proto == t->proto &&
	       natty_conn_end_is(its, NATTY_END_ORIG_SRC, &t->src) &&
	       natty_conn_end_is(its, NATTY_END_ORIG_DST, &t->dst);
}

int natty_nat_publish(const struct natty_flow *flow,
		      const struct natty_draft *draft, struct natty_conn **conn)
{
	const struct natty_settings *set = &flow->config->set;
	struct natty_arena *arena = &flow->table->arena;
	struct natty_endpoint remote;
	struct natty_conn *new;
	int err;

	if (is_carried(draft))
		return -EEXIST;
	new = natty_arena_alloc(arena);
	if (!new)
		return -ENOMEM;
	fill(new, draft);
	if (natty_proto_open(&flow->pkt, set, &new->state)) {
		natty_arena_discard(arena, new);
		return -EINVAL;
	}
	new->expires = (u32)jiffies + HZ * natty_proto_timeout(new, set);
	if (draft->mapping) {
		natty_mapping_remote(new, &remote);
		err = natty_mapping_permit(flow->nn, draft->mapping, &remote.addr);
		if (err)
			goto discard;
	}
	err = natty_table_insert(flow->table, new, draft->flags);
	if (err)
		goto forbid;
	count_flow(flow->nn, draft);
	if (!(draft->flags & BIT(NATTY_CONN_UNCONFIRMED)))
		natty_event_conn_new(flow->nn, new);
	*conn = new;
	return 0;

forbid:
	if (draft->mapping)
		natty_mapping_forbid(flow->nn, draft->mapping, &remote.addr);
discard:
	natty_arena_discard(arena, new);
	return err;
}

enum natty_counter natty_nat_why(int err)
{
	switch (err) {
	case -ENOSPC:
		return NATTY_DROP_LIMIT_CHAIN;
	case -EEXIST:
	case -EALREADY:
		return NATTY_DROP_CLASH;
	case -EINVAL:
		return NATTY_DROP_TCP_STATE;
	default:
		return NATTY_DROP_NO_MEMORY;
	}
}

void natty_nat_netmap(const struct natty_rule *rule, u8 family,
		      union nf_inet_addr *addr)
{
	unsigned int words = family == NFPROTO_IPV4 ? 1 : 4, i;
	int bits = rule->addr_len;
	__be32 mask;

	for (i = 0; i < words; i++, bits -= 32) {
		mask = bits <= 0 ? 0 : bits >= 32 ? ~(__be32)0 :
		       htonl(~0U << (32 - bits));
		addr->all[i] = (addr->all[i] & ~(__force u32)mask) |
			       (rule->addr_min.all[i] & (__force u32)mask);
	}
}

const struct net_device *natty_nat_addr_dev(struct net *net, u8 family,
					    const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return __ip_dev_find(net, addr->ip, false);
	return ipv6_dev_find(net, &addr->in6, NULL);
}
