/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_TEST_TABLE_H
#define NATTY_TEST_TABLE_H

/*
 * A namespace for unit tests that has tables, ports and counters, but neither
 * hooks nor configuration, and the kinds of objects that stand in a table.
 */
#include <kunit/test.h>

#include "netns.h"

/* An external and an internal address, a server's and another internal one. */
#define TEST_EXTERNAL	0xcb007101	/* 203.0.113.1 */
#define TEST_INTERNAL	0x0a000002	/* 10.0.0.2 */
#define TEST_SERVER	0xc633640a	/* 198.51.100.10 */
#define TEST_INNER	0x0a000063	/* 10.0.0.99 */

/* For a suite's .init and .exit; test->priv is a struct natty_net. */
int test_net_init(struct kunit *test);
void test_net_exit(struct kunit *test);

/**
 * struct test_conn - an object to be made
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: IP protocol
 * @end: by enum natty_end
 * @flags: that it gets in the table
 * @rule: id of a rule
 * @ifindex: way out
 * @mapping: index of the mapping of its source
 * @dst_mapping: index of the mapping of its destination, or of the permission
 */
struct test_conn {
	u8 family;
	u8 proto;
	struct natty_endpoint end[NATTY_ENDS];
	u32 flags;
	u32 rule;
	u32 ifindex;
	u32 mapping;
	u32 dst_mapping;
};

/* An IPv4 address, or the IPv6 one that ends like it, and a port. */
struct natty_endpoint test_endpoint(u8 family, u32 addr, u16 port);

/*
 * UDP connection number @i from INTERNAL to SERVER:80: untranslated, or with
 * the source mapped to EXTERNAL. Different numbers have different ports.
 */
struct test_conn test_conn_plain(u8 family, u16 i);
struct test_conn test_conn_carrier(u8 family, u16 i);

/* From SERVER to EXTERNAL, translated to INTERNAL; and with a new source too. */
struct test_conn test_conn_dnat(u8 family, u16 i);
struct test_conn test_conn_both(u8 family, u16 i);

/* The flow in a direction, and between destination and source translation. */
struct natty_tuple test_conn_tuple(const struct test_conn *c, enum natty_dir dir);
struct natty_tuple test_conn_middle(const struct test_conn *c);

/* A complete object that nobody can find yet, or NULL. */
struct natty_conn *test_conn_alloc(struct natty_net *nn,
				   const struct test_conn *c);

/* Make the object and insert it. 0 or an error; @conn may be NULL. */
int test_conn_insert(struct natty_net *nn, const struct test_conn *c,
		     struct natty_conn **conn);

/* Insert an object that must fit. */
struct natty_conn *test_conn_add(struct kunit *test, const struct test_conn *c);

/* Take an object out of the table, whatever else it is used for. */
void test_conn_remove(struct natty_net *nn, struct natty_conn *conn);

/* What natty_table_find() says; *@dir is set if that is not NULL. */
struct natty_conn *test_find(struct natty_net *nn, const struct natty_tuple *t,
			     bool inbound, enum natty_dir *dir);

/* How many objects a walk over the family's table yields. */
unsigned int test_count(struct natty_net *nn, u8 family);

#endif
