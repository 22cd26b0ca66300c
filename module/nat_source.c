// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>

#include "compat/uninitialized.h"
#include "choice.h"
#include "mapping.h"
#include "nat.h"
#include "netns.h"

/* Most taken ports that one new flow tries to share. */
#define SHARES_MAX	4096

/* How long that holds after a flow has tried all of them in vain. */
#define SHARES_PAUSE	(HZ / 10)

static u32 mapping_flags(const struct natty_flow *flow,
			 const struct natty_rule *rule)
{
	u32 flags = BIT(NATTY_CONN_MAPPING);

	if (rule->action == NATTY_ACTION_MASQUERADE)
		flags |= BIT(NATTY_CONN_MASQUERADE);
	switch (natty_nat_filtering(flow, rule)) {
	case NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT:
		return flags | BIT(NATTY_CONN_FILTER_EIF);
	case NATTY_BEHAVIOUR_ADDRESS_AND_PORT_DEPENDENT:
		return flags | BIT(NATTY_CONN_FILTER_APDF);
	default:
		return flags;
	}
}

/* A mapping without a connection: what hairpins and paired mappings need. */
static int publish_mapping(const struct natty_flow *flow,
			   const struct natty_draft *draft,
			   struct natty_conn **mapping)
{
	struct natty_arena *arena = &flow->table->arena;
	struct natty_endpoint none = {}, remote = draft->new_dst;
	struct natty_conn *new;
	int err;

	new = natty_arena_alloc(arena);
	if (!new)
		return -ENOMEM;
	new->family = draft->orig.family;
	new->proto = draft->orig.proto;
	new->state = NATTY_STATE_NEW;
	new->rule = draft->rule->id;
	new->ifindex = draft->ifindex;
	natty_conn_set_end(new, NATTY_END_ORIG_SRC, &draft->orig.src);
	natty_conn_set_end(new, NATTY_END_ORIG_DST,
			   draft->flags & BIT(NATTY_CONN_ADDRESS) ? &remote : &none);
	natty_conn_set_end(new, NATTY_END_NEW_SRC, &draft->new_src);
	natty_conn_set_end(new, NATTY_END_NEW_DST, &none);
	atomic_set(&new->users, 1);
	err = natty_table_insert(flow->table, new,
				 draft->flags | BIT(NATTY_CONN_CLOSED));
	if (err) {
		natty_arena_discard(arena, new);
		return err;
	}
	percpu_counter_inc(&flow->nn->mappings);
	natty_count(flow->nn, NATTY_COUNT_MAPPING_NEW);
	*mapping = new;
	return 0;
}

/*
 * The forward of the packet's source, if it has one: it holds in both
 * directions, but on no other way out than the interface that has its address.
 */
static noinline struct natty_conn *get_forward(const struct natty_flow *flow,
					       const struct natty_realm *realm)
{
	const struct natty_realm forwards = { .forwards = true };
	const struct natty_tuple *t = &flow->pkt.tuple;
	const struct net_device *dev;
	struct natty_conn *mapping;
	struct natty_endpoint ep;

	mapping = natty_table_find_internal(flow->table, &forwards, t->proto,
					    &t->src);
	if (!mapping)
		return NULL;
	natty_conn_get_end(mapping, NATTY_END_NEW_SRC, &ep);
	dev = natty_nat_addr_dev(flow->nn->net, t->family, &ep.addr);
	if (dev && dev->ifindex != realm->ifindex)
		return NULL;
	return natty_mapping_get(mapping) ? mapping : NULL;
}

/* Find the mapping of the packet's source in a realm, and a reference to it. */
static struct natty_conn *get_mapping(const struct natty_flow *flow,
				      const struct natty_realm *realm)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	struct natty_conn *mapping;

	if (flow->vacant && !realm->remote)
		return NULL;
	if (flow->config->nforwards) {
		mapping = get_forward(flow, realm);
		if (mapping)
			return mapping;
	}
	mapping = natty_table_find_internal(flow->table, realm, t->proto, &t->src);
	return mapping && natty_mapping_get(mapping) ? mapping : NULL;
}

/* Find or make a mapping that is an object of its own. */
static enum natty_counter own_mapping(struct natty_flow *flow, struct natty_choice *c,
				      const struct natty_realm *realm,
				      struct natty_draft *draft,
				      struct natty_conn **mapping)
{
	enum natty_counter drop;
	int err, tries;

	for (tries = 0; tries < 3; tries++) {
		*mapping = get_mapping(flow, realm);
		if (*mapping)
			return NATTY_DROP_NONE;
		drop = natty_choice_take(flow, c, draft);
		if (drop)
			return drop;
		err = publish_mapping(flow, draft, mapping);
		if (!err)
			return NATTY_DROP_NONE;
		natty_choice_put(flow, draft);
		if (err != -EEXIST)
			return natty_nat_drop(err);
		flow->vacant = false;
	}
	return NATTY_DROP_CLASH;
}

enum natty_counter natty_nat_outside(struct natty_flow *flow,
				     struct natty_rule *rule,
				     const struct net_device *oif,
				     struct natty_conn **mapping)
{
	struct natty_realm realm = {
		.rule = rule->id,
		.ifindex = oif->ifindex,
	};
	struct natty_draft draft;
	enum natty_counter drop;
	struct natty_choice c;

	drop = natty_choice_init(&c, flow, rule, oif);
	if (drop)
		return drop;
	natty_draft_init(&draft, flow);
	draft.rule = rule;
	draft.ifindex = oif->ifindex;
	draft.flags = mapping_flags(flow, rule);
	return own_mapping(flow, &c, &realm, &draft, mapping);
}

/* The mapping exists: one more connection of it. */
static enum natty_counter join_mapping(struct natty_flow *flow,
				       struct natty_draft *draft,
				       struct natty_conn **conn)
{
	natty_conn_get_end(draft->mapping, NATTY_END_NEW_SRC, &draft->new_src);
	draft->flags |= BIT(NATTY_CONN_SRC);
	return natty_nat_drop(natty_nat_publish(flow, draft, conn));
}

/*
 * Endpoint-independent: the endpoint's mapping, or a new one, which the
 * connection carries if its destination is untouched.
 */
static enum natty_counter map_endpoint(struct natty_flow *flow, struct natty_choice *c,
				       struct natty_draft *draft,
				       struct natty_conn **conn)
{
	struct natty_realm realm = {
		.rule = c->rule->id,
		.ifindex = draft->ifindex,
	};
	enum natty_counter drop;
	u32 flags = draft->flags;
	int err;

	if (natty_nat_mapping(flow, c->rule) == NATTY_BEHAVIOUR_ADDRESS_DEPENDENT)
		realm.remote = &draft->new_dst.addr;
	draft->mapping = get_mapping(flow, &realm);
	if (draft->mapping)
		return join_mapping(flow, draft, conn);

	draft->flags |= mapping_flags(flow, c->rule);
	if (realm.remote || draft->flags & BIT(NATTY_CONN_DST)) {
		if (realm.remote)
			draft->flags |= BIT(NATTY_CONN_ADDRESS);
		draft->flags &= ~(BIT(NATTY_CONN_DST) | BIT(NATTY_CONN_COUNTED) |
				  BIT(NATTY_CONN_LOCAL));
		drop = own_mapping(flow, c, &realm, draft, &draft->mapping);
		draft->flags = flags;
		return drop ?: join_mapping(flow, draft, conn);
	}
	drop = natty_choice_take(flow, c, draft);
	if (drop)
		return drop;
	draft->flags |= BIT(NATTY_CONN_SRC);
	err = natty_nat_publish(flow, draft, conn);
	if (err)
		natty_choice_put(flow, draft);
	draft->flags = flags;
	return natty_nat_drop(err);
}

/* -EALREADY: another CPU made this connection; -EEXIST: only its answers clash. */
static int tell_clash(const struct natty_flow *flow,
		      const struct natty_draft *draft)
{
	enum natty_dir dir;

	return natty_table_find(flow->table, &draft->orig, false, &dir) ?
	       -EALREADY : -EEXIST;
}

/*
 * Must later flows of this source be able to find this one? Not if they would
 * come to the same by themselves.
 */
static u32 sticky_flags(const struct natty_choice *c, const struct natty_draft *draft)
{
	if (!c->sticky || draft->mapping || draft->flags & BIT(NATTY_CONN_DST) ||
	    (c->naddrs == 1 && draft->new_src.port == draft->orig.src.port))
		return 0;
	return BIT(NATTY_CONN_SOURCE) | BIT(NATTY_CONN_FILTER_APDF);
}

static int publish_sticky(struct natty_flow *flow, const struct natty_choice *c,
			  struct natty_draft *draft, struct natty_conn **conn)
{
	u32 flags = draft->flags;
	int err;

	draft->flags |= sticky_flags(c, draft);
	err = natty_nat_publish(flow, draft, conn);
	draft->flags = flags;
	return err;
}

/* Publish with a port that is shared with other destinations' connections. */
static int publish_shared(struct natty_flow *flow, const struct natty_choice *c,
			  struct natty_draft *draft, u16 port,
			  struct natty_conn **conn)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	int err;

	draft->new_src.port = htons(port);
	err = publish_sticky(flow, c, draft, conn);
	if (err)
		natty_port_unshare(flow->nn, t->family, t->proto,
				   &draft->new_src.addr, port);
	return err == -EEXIST ? tell_clash(flow, draft) : err;
}

static int try_share(struct natty_flow *flow, const struct natty_choice *c,
		     struct natty_draft *draft, u16 port, struct natty_conn **conn)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	int err;

	/* A socket of the router may have its port on another address, too. */
	err = natty_port_share(flow->nn, t->family, t->proto, &draft->new_src.addr,
			       port, !flow->iif && port == ntohs(t->src.port));
	return err ?: publish_shared(flow, c, draft, port, conn);
}

static void default_band(struct natty_port_request *req)
{
	if (req->min || req->max)
		return;
	req->min = 1024;
	req->max = 65535;
	if (natty_proto_is_icmp(req->proto)) {
		req->min = 0;
	} else if (req->want < 512) {
		req->min = 1;
		req->max = 511;
	} else if (req->want < 1024) {
		req->min = 600;
		req->max = 1023;
	}
}

/* Does some connection have the answers that would come to this port? */
static bool is_answered(const struct natty_flow *flow,
			const struct natty_draft *draft, u16 port)
{
	struct natty_tuple reply = {
		.family = draft->orig.family,
		.proto = draft->orig.proto,
		.src = draft->new_dst,
		.dst = draft->new_src,
	};
	enum natty_dir dir;

	reply.dst.port = htons(port);
	return natty_table_find(flow->table, &reply, true, &dir);
}

/*
 * Any port that is in use, for other destinations. All are tried, but where
 * that was in vain a moment ago only some: one look at each is little, yet a
 * flood of flows for which there is none must not stop the others.
 */
static int share_any(struct natty_flow *flow, struct natty_choice *c,
		     struct natty_draft *draft, struct natty_conn **conn)
{
	const struct natty_port_request *req = &c->req;
	u32 range = req->max - req->min + 1, n = range, at, i;
	unsigned long last = READ_ONCE(flow->nn->crowded);
	int err;

	if (last && time_before(jiffies, last + SHARES_PAUSE))
		n = min_t(u32, range, SHARES_MAX);
	at = reciprocal_scale(get_random_u32(), range);
	for (i = 0; i < n; i++, at = at + 1 == range ? 0 : at + 1) {
		if (is_answered(flow, draft, req->min + at))
			continue;
		err = try_share(flow, c, draft, req->min + at, conn);
		if (err != -EEXIST && err != -EBUSY)
			return err;
	}
	if (n > SHARES_MAX)
		WRITE_ONCE(flow->nn->crowded, jiffies ?: 1);
	return -EEXIST;
}

/* The internal port if it can be had, any unused one, any that can be shared. */
static int share_port(struct natty_flow *flow, struct natty_choice *c,
		      struct natty_draft *draft, struct natty_conn **conn)
{
	struct natty_port_request *req = &c->req;
	int port, err;

	draft->new_src.addr = req->addr;
	if (!req->random && (!req->max || (req->want >= req->min &&
					   req->want <= req->max))) {
		err = try_share(flow, c, draft, req->want, conn);
		if (err != -EEXIST && err != -EBUSY)
			return err;
	}
	default_band(req);
	port = natty_port_take_shared(flow->nn, req);
	if (port >= 0)
		return publish_shared(flow, c, draft, port, conn);
	if (port != -ENOSPC)
		return port;
	return share_any(flow, c, draft, conn);
}

/* Does the rule permit the external endpoint that another connection has? */
static bool is_permitted(const struct natty_conn *other, const void *arg)
{
	const struct natty_choice *c = arg;
	const struct natty_port_request *req = &c->req;
	struct natty_endpoint ep;
	u16 port;

	natty_conn_get_end(other, NATTY_END_NEW_SRC, &ep);
	port = ntohs(ep.port);
	if (natty_proto_has_ports(req->proto) && req->max &&
	    (port < req->min || port > req->max))
		return false;
	if (c->rule->action == NATTY_ACTION_MASQUERADE)
		return natty_addr_equal(req->family, &ep.addr, &req->addr);
	return natty_pool_contains(c->rule->pool, req->family, &ep.addr);
}

/* As another flow of the same source. Return: -EEXIST if there is no such way. */
static int map_alike(struct natty_flow *flow, const struct natty_choice *c,
		     struct natty_draft *draft, struct natty_conn **conn)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	struct natty_conn *other;
	int err;

	if (!c->sticky)
		return -EEXIST;
	other = natty_table_find_source(flow->table, t->proto, &t->src, is_permitted, c);
	if (!other || !natty_mapping_get(other))
		return -EEXIST;
	draft->mapping = other;
	natty_conn_get_end(other, NATTY_END_NEW_SRC, &draft->new_src);
	if (draft->flags & BIT(NATTY_CONN_SHARED))
		err = try_share(flow, c, draft, ntohs(draft->new_src.port), conn);
	else
		err = natty_nat_publish(flow, draft, conn);
	if (!err)
		return 0;
	draft->mapping = NULL;
	natty_mapping_put(flow->nn, other);
	return err == -EBUSY ? -EEXIST : err;
}

/* Address-and-port-dependent: each connection has a binding of its own. */
static enum natty_counter map_connection(struct natty_flow *flow,
					 struct natty_choice *c,
					 struct natty_draft *draft,
					 struct natty_conn **conn)
{
	u32 flags = draft->flags;
	int err;
	u64 i;

	draft->flags |= BIT(NATTY_CONN_SRC) | BIT(NATTY_CONN_SHARED);
	if (c->rule->action == NATTY_ACTION_MASQUERADE)
		draft->flags |= BIT(NATTY_CONN_MASQUERADE);
	err = map_alike(flow, c, draft, conn);
	for (i = 0; i < c->naddrs && err == -EEXIST; i++) {
		natty_choice_addr(c, i);
		err = share_port(flow, c, draft, conn);
	}
	draft->flags = flags;
	return err == -EEXIST ? NATTY_DROP_NO_PORT : natty_nat_drop(err);
}

/* Protocols without ports: an address whose resulting tuple is unique. */
static enum natty_counter map_addr(struct natty_flow *flow, struct natty_choice *c,
				   struct natty_draft *draft,
				   struct natty_conn **conn)
{
	u32 flags = draft->flags;
	int err;
	u64 i;

	draft->flags |= BIT(NATTY_CONN_SRC);
	if (c->rule->action == NATTY_ACTION_MASQUERADE)
		draft->flags |= BIT(NATTY_CONN_MASQUERADE);
	err = map_alike(flow, c, draft, conn);
	draft->flags |= BIT(NATTY_CONN_ADDR_USED);
	for (i = 0; i < c->naddrs && err == -EEXIST; i++) {
		natty_choice_addr(c, i);
		draft->new_src.addr = c->req.addr;
		err = natty_port_addr_use(flow->nn, c->req.family, &c->req.addr);
		if (err)
			break;
		err = publish_sticky(flow, c, draft, conn);
		if (err)
			natty_port_addr_unuse(flow->nn, c->req.family,
					      &c->req.addr);
	}
	draft->flags = flags;
	return err == -EEXIST ? NATTY_DROP_PROTOCOL : natty_nat_drop(err);
}

static enum natty_counter map_network(struct natty_flow *flow,
				      const struct natty_rule *rule,
				      struct natty_draft *draft,
				      struct natty_conn **conn)
{
	u8 family = draft->orig.family;
	int err;

	natty_nat_netmap(rule, family, &draft->new_src.addr);
	draft->flags |= BIT(NATTY_CONN_SRC) | BIT(NATTY_CONN_ADDR_USED);
	err = natty_port_addr_use(flow->nn, family, &draft->new_src.addr);
	if (err)
		return NATTY_DROP_NO_MEMORY;
	err = natty_nat_publish(flow, draft, conn);
	if (err)
		natty_port_addr_unuse(flow->nn, family, &draft->new_src.addr);
	return natty_nat_drop(err);
}

/*
 * The router's own packet that already has the address it would get: it keeps
 * its port, which the port map knows from the socket, unless a mapping has it.
 */
static bool is_own(const struct natty_flow *flow, struct natty_choice *c)
{
	const struct natty_tuple *t = &flow->pkt.tuple;

	natty_choice_addr(c, 0);
	return !c->req.random &&
	       natty_addr_equal(t->family, &t->src.addr, &c->req.addr) &&
	       (!c->req.max || (c->req.want >= c->req.min &&
				c->req.want <= c->req.max)) &&
	       !natty_table_find_external(flow->table, t->proto, &t->src);
}

static enum natty_counter map_source(struct natty_flow *flow,
				     const struct natty_rule *rule,
				     struct natty_draft *draft,
				     struct natty_conn **conn)
{
	struct natty_choice c __uninitialized;
	enum natty_counter drop;
	int err;

	if (rule->action == NATTY_ACTION_NETMAP)
		return map_network(flow, rule, draft, conn);
	drop = natty_choice_init(&c, flow, rule, flow->oif ?: flow->iif);
	if (drop)
		return drop;
	if (!flow->iif && is_own(flow, &c)) {
		err = natty_nat_publish(flow, draft, conn);
		if (err != -EEXIST)
			return natty_nat_drop(err);
	}
	if (!natty_proto_has_ports(draft->orig.proto))
		return map_addr(flow, &c, draft, conn);
	if (natty_nat_mapping(flow, rule) ==
	    NATTY_BEHAVIOUR_ADDRESS_AND_PORT_DEPENDENT)
		return map_connection(flow, &c, draft, conn);
	return map_endpoint(flow, &c, draft, conn);
}

/* Is the packet's source an external endpoint that another host has? */
static bool is_taken(const struct natty_flow *flow)
{
	const struct natty_tuple *t = &flow->pkt.tuple;

	return natty_proto_has_ports(t->proto) &&
	       natty_port_addr_known(flow->nn, t->family, &t->src.addr) &&
	       natty_table_find_external(flow->table, t->proto, &t->src);
}

/*
 * Nothing says to translate, so the flow stays as it is; unless answers to it
 * would be taken for another host's: then this host's port must change.
 */
static enum natty_counter pass_source(struct natty_flow *flow,
				      struct natty_draft *draft,
				      struct natty_conn **conn)
{
	const struct natty_tuple *t = &flow->pkt.tuple;
	struct natty_choice c = {};
	int err = -EEXIST;

	if (!is_taken(flow)) {
		err = natty_nat_publish(flow, draft, conn);
		if (err == -EEXIST)
			err = tell_clash(flow, draft);
	}
	if (err != -EEXIST || !natty_proto_has_ports(t->proto) || !flow->oif)
		return natty_nat_drop(err);
	c.req.family = t->family;
	c.req.proto = t->proto;
	c.req.addr = t->src.addr;
	c.req.random = true;
	c.req.want = ntohs(t->src.port);
	draft->flags |= BIT(NATTY_CONN_SRC) | BIT(NATTY_CONN_SHARED);
	err = share_port(flow, &c, draft, conn);
	draft->flags &= ~(BIT(NATTY_CONN_SRC) | BIT(NATTY_CONN_SHARED));
	return natty_nat_drop(err);
}

enum natty_counter natty_nat_source(struct natty_flow *flow,
				    struct natty_rule *rule,
				    struct natty_draft *draft,
				    struct natty_conn **conn)
{
	const union nf_inet_addr *inside = &draft->orig.src.addr;
	enum natty_counter drop;
	enum natty_dir dir;
	int tries;

	drop = natty_conn_room(flow->nn, draft->orig.family, inside,
			       &flow->config->set, &draft->flags);
	if (drop) {
		natty_draft_drop(draft, flow->nn);
		return drop;
	}
	draft->rule = rule ?: draft->rule;
	if (flow->oif)
		draft->ifindex = flow->oif->ifindex;
	for (tries = 0; tries < 3; tries++) {
		drop = rule && rule->action != NATTY_ACTION_ACCEPT ?
		       map_source(flow, rule, draft, conn) :
		       pass_source(flow, draft, conn);
		if (!drop)
			return drop;
		if (draft->mapping) {
			natty_mapping_put(flow->nn, draft->mapping);
			draft->mapping = NULL;
		}
		if (drop != NATTY_DROP_CLASH)
			break;
		/* Another CPU was first: its decision is as good. */
		flow->vacant = false;
		*conn = natty_table_find(flow->table, &draft->orig, false, &dir);
		if (*conn && dir == NATTY_DIR_ORIG) {
			drop = NATTY_DROP_NONE;
			break;
		}
	}
	natty_draft_drop(draft, flow->nn);
	natty_conn_unroom(flow->nn, draft->orig.family, inside, &draft->flags);
	return drop;
}
