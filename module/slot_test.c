// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/random.h>

#include "bucket.h"
#include "slot.h"

/*
 * Whatever a sender picks: without the key his endpoints spread over the chains
 * as random ones would, so that none comes near the bound of a chain.
 */

#define BITS	13
#define MANY	65536	/* eight for each chain */
#define KEYS	12

/* Of random endpoints the longest chain of all these has 22 to 25. */
#define LONGEST	(NATTY_WAYS * NATTY_CHAIN_MAX / 2)

/* The @n-th endpoint that somebody picks. */
struct pick {
	const char *name;
	void (*make)(u32 n, u32 *addr, u16 *port);
};

static void net_of_hosts(u32 n, u32 *addr, u16 *port)
{
	*addr = 0x0a000000 + n % 1021;
	*port = 10000 + n / 1021;
}

static void one_host(u32 n, u32 *addr, u16 *port)
{
	*addr = 0x0a000001;
	*port = n;
}

static void one_port(u32 n, u32 *addr, u16 *port)
{
	*addr = 0x0a000000 + n;
	*port = 53;
}

static void upper_bits(u32 n, u32 *addr, u16 *port)
{
	*addr = n << 16;
	*port = 53;
}

static void upper_bits_of_both(u32 n, u32 *addr, u16 *port)
{
	*addr = (n & 0xff) << 24;
	*port = n & 0xff00;
}

/* What one part gains the other loses: sums and differences stay. */
static void balanced(u32 n, u32 *addr, u16 *port)
{
	*addr = 0x0a000000 + n;
	*port = -n;
}

static void mirrored(u32 n, u32 *addr, u16 *port)
{
	*addr = 0x0a000000 ^ n;
	*port = n;
}

/* Without a key sixteen of them each would have the same product. */
static void equal_products(u32 n, u32 *addr, u16 *port)
{
	*addr = (n / 16 * 2 + 1) << n % 16;
	*port = 0x8000 >> n % 16;
}

static const struct pick picks[] = {
	{ "a net of hosts", net_of_hosts },
	{ "one host", one_host },
	{ "one port", one_port },
	{ "upper bits", upper_bits },
	{ "upper bits of both", upper_bits_of_both },
	{ "balanced", balanced },
	{ "mirrored", mirrored },
	{ "equal products", equal_products },
};

static unsigned int longest_of(struct kunit *test, const struct natty_table *table,
			       const struct pick *pick, u16 *chains)
{
	struct natty_endpoint ep = {};
	unsigned int longest = 0;
	u32 n, addr, hash;
	u16 port;

	memset(chains, 0, sizeof(*chains) << BITS);
	for (n = 0; n < MANY; n++) {
		pick->make(n, &addr, &port);
		if (table->family == NFPROTO_IPV4) {
			ep.addr.ip = htonl(addr);
		} else {
			ep.addr.ip6[0] = htonl(0x20010db8);
			ep.addr.ip6[3] = htonl(addr);
		}
		ep.port = htons(port);
		hash = natty_slot_endpoint(table, NATTY_SLOT_INTERNAL,
					   IPPROTO_UDP, &ep);
		longest = max_t(unsigned int, longest,
				++chains[hash >> (32 - BITS)]);
	}
	return longest;
}

static void no_choice_of_endpoints_makes_long_chains(struct kunit *test)
{
	struct natty_table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);
	u16 *chains = kunit_kmalloc(test, sizeof(*chains) << BITS, GFP_KERNEL);
	unsigned int i, key, longest;

	KUNIT_ASSERT_NOT_NULL(test, table);
	KUNIT_ASSERT_NOT_NULL(test, chains);
	for (key = 0; key < KEYS; key++) {
		get_random_bytes(&table->key, sizeof(table->key));
		table->family = key % 2 ? NFPROTO_IPV6 : NFPROTO_IPV4;
		for (i = 0; i < ARRAY_SIZE(picks); i++) {
			longest = longest_of(test, table, &picks[i], chains);
			KUNIT_EXPECT_LE_MSG(test, longest, LONGEST, "%s, %s, key %llx %llx",
					    picks[i].name, key % 2 ? "IPv6" : "IPv4",
					    (u64)table->key.key[0],
					    (u64)table->key.key[1]);
			cond_resched();
		}
	}
}

static void kinds_of_slots_and_protocols_differ(struct kunit *test)
{
	struct natty_table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);
	struct natty_endpoint ep = { .addr.ip = htonl(0x0a000001), .port = htons(53) };
	u32 hash[3];

	KUNIT_ASSERT_NOT_NULL(test, table);
	get_random_bytes(&table->key, sizeof(table->key));
	table->family = NFPROTO_IPV4;
	hash[0] = natty_slot_endpoint(table, NATTY_SLOT_INTERNAL, IPPROTO_UDP, &ep);
	hash[1] = natty_slot_endpoint(table, NATTY_SLOT_EXTERNAL, IPPROTO_UDP, &ep);
	hash[2] = natty_slot_endpoint(table, NATTY_SLOT_INTERNAL, IPPROTO_TCP, &ep);
	KUNIT_EXPECT_NE(test, hash[0], hash[1]);
	KUNIT_EXPECT_NE(test, hash[0], hash[2]);
	KUNIT_EXPECT_NE(test, hash[1], hash[2]);
}

static struct kunit_case slot_test_cases[] = {
	KUNIT_CASE(no_choice_of_endpoints_makes_long_chains),
	KUNIT_CASE(kinds_of_slots_and_protocols_differ),
	{}
};

static struct kunit_suite slot_test_suite = {
	.name = "natty_slot",
	.test_cases = slot_test_cases,
};

kunit_test_suite(slot_test_suite);
