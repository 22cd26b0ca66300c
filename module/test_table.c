// SPDX-License-Identifier: GPL-2.0
#include "test_packet.h"
#include "test_table.h"
#include "walk.h"

int test_net_init(struct kunit *test)
{
	struct natty_net *nn;
	int err;

	nn = kunit_kzalloc(test, sizeof(*nn), GFP_KERNEL);
	if (!nn)
		return -ENOMEM;
	err = natty_netns_setup(nn, &init_net);
	if (err)
		return err;
	err = natty_netns_tables_init(nn);
	if (err) {
		natty_netns_release(nn);
		return err;
	}
	test->priv = nn;
	return 0;
}

void test_net_exit(struct kunit *test)
{
	struct natty_net *nn = test->priv;

	/* Also where .init failed is .exit called. */
	if (!nn)
		return;
	synchronize_rcu();
	natty_netns_tables_exit(nn);
	natty_netns_release(nn);
}

struct natty_endpoint test_endpoint(u8 family, u32 addr, u16 port)
{
	return family == NFPROTO_IPV4 ? test_v4(addr, port) : test_v6(addr, port);
}

struct test_conn test_conn_plain(u8 family, u16 i)
{
	struct test_conn c = {
		.family = family,
		.proto = IPPROTO_UDP,
	};

	c.end[NATTY_END_ORIG_SRC] = test_endpoint(family, TEST_INTERNAL, i);
	c.end[NATTY_END_ORIG_DST] = test_endpoint(family, TEST_SERVER, 80);
	c.end[NATTY_END_NEW_SRC] = c.end[NATTY_END_ORIG_SRC];
	c.end[NATTY_END_NEW_DST] = c.end[NATTY_END_ORIG_DST];
	return c;
}

/* External ports differ from the internal ones, so that mixing them up shows. */
struct test_conn test_conn_carrier(u8 family, u16 i)
{
	struct test_conn c = test_conn_plain(family, i);

	c.flags = BIT(NATTY_CONN_SRC) | BIT(NATTY_CONN_MAPPING);
	c.rule = 1;
	c.ifindex = 2;
	c.end[NATTY_END_NEW_SRC] = test_endpoint(family, TEST_EXTERNAL, i ^ 0x5555);
	return c;
}

struct test_conn test_conn_dnat(u8 family, u16 i)
{
	struct test_conn c = {
		.family = family,
		.proto = IPPROTO_UDP,
		.flags = BIT(NATTY_CONN_DST),
		.rule = 1,
	};

	c.end[NATTY_END_ORIG_SRC] = test_endpoint(family, TEST_SERVER, i);
	c.end[NATTY_END_ORIG_DST] = test_endpoint(family, TEST_EXTERNAL, 8080);
	c.end[NATTY_END_NEW_SRC] = c.end[NATTY_END_ORIG_SRC];
	c.end[NATTY_END_NEW_DST] = test_endpoint(family, TEST_INTERNAL, 80);
	return c;
}

struct test_conn test_conn_both(u8 family, u16 i)
{
	struct test_conn c = test_conn_dnat(family, i);

	c.flags |= BIT(NATTY_CONN_SRC);
	c.end[NATTY_END_NEW_SRC] = test_endpoint(family, TEST_INNER, i ^ 0x5555);
	return c;
}

static struct natty_tuple make_tuple(const struct test_conn *c,
				     enum natty_end src, enum natty_end dst)
{
	return (struct natty_tuple){
		.family = c->family,
		.proto = c->proto,
		.src = c->end[src],
		.dst = c->end[dst],
	};
}

struct natty_tuple test_conn_tuple(const struct test_conn *c, enum natty_dir dir)
{
	if (dir == NATTY_DIR_ORIG)
		return make_tuple(c, NATTY_END_ORIG_SRC, NATTY_END_ORIG_DST);
	return make_tuple(c, NATTY_END_NEW_DST, NATTY_END_NEW_SRC);
}

struct natty_tuple test_conn_middle(const struct test_conn *c)
{
	return make_tuple(c, NATTY_END_ORIG_SRC, NATTY_END_NEW_DST);
}

struct natty_conn *test_conn_alloc(struct natty_net *nn,
				   const struct test_conn *c)
{
	struct natty_conn *conn;
	unsigned int i;

	local_bh_disable();
	conn = natty_arena_alloc(&natty_table_of(nn, c->family)->arena);
	local_bh_enable();
	if (!conn)
		return NULL;
	conn->family = c->family;
	conn->proto = c->proto;
	conn->state = NATTY_STATE_NEW;
	conn->expires = (u32)jiffies + 3600 * HZ;
	conn->rule = c->rule;
	conn->ifindex = c->ifindex;
	conn->dst_mapping = c->dst_mapping;
	for (i = 0; i < NATTY_ENDS; i++)
		natty_conn_set_end(conn, i, &c->end[i]);
	if (c->flags & (BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_FILTER)))
		atomic_set(&conn->users, 1);
	else
		conn->mapping = c->mapping;
	return conn;
}

int test_conn_insert(struct natty_net *nn, const struct test_conn *c,
		     struct natty_conn **conn)
{
	struct natty_table *table = natty_table_of(nn, c->family);
	struct natty_conn *new = test_conn_alloc(nn, c);
	int err;

	if (!new)
		return -ENOMEM;
	local_bh_disable();
	rcu_read_lock();
	err = natty_table_insert(table, new, c->flags);
	if (err)
		natty_arena_discard(&table->arena, new);
	else if (conn)
		*conn = new;
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

struct natty_conn *test_conn_add(struct kunit *test, const struct test_conn *c)
{
	struct natty_conn *conn = NULL;

	KUNIT_ASSERT_EQ(test, test_conn_insert(test->priv, c, &conn), 0);
	return conn;
}

void test_conn_remove(struct natty_net *nn, struct natty_conn *conn)
{
	struct natty_table *table = natty_table_of(nn, conn->family);

	rcu_read_lock();
	natty_conn_mark(conn, NATTY_CONN_CLOSED);
	natty_table_unlink(table, conn);
	natty_conn_mark(conn, NATTY_CONN_DEAD);
	natty_arena_retire(&table->arena, conn);
	rcu_read_unlock();
}

struct natty_conn *test_find(struct natty_net *nn, const struct natty_tuple *t,
			     bool inbound, enum natty_dir *dir)
{
	struct natty_conn *conn;

	rcu_read_lock();
	conn = natty_table_find(natty_table_of(nn, t->family), t, inbound, dir);
	rcu_read_unlock();
	return conn;
}

unsigned int test_count(struct natty_net *nn, u8 family)
{
	unsigned int n = 0;
	u32 cursor = 0;

	rcu_read_lock();
	while (natty_walk_next(natty_table_of(nn, family), &cursor))
		n++;
	rcu_read_unlock();
	return n;
}
