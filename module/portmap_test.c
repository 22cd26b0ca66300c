// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/limits.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "portmap.h"

#define PORTS 65536

static struct rnd_state rnd;

static int portmap_test_init(struct kunit *test)
{
	u64 seed = get_random_u32();

	prandom_seed_state(&rnd, seed);
	kunit_info(test, "seed %llu\n", seed);
	test->priv = natty_portmap_alloc();
	return test->priv ? 0 : -ENOMEM;
}

static void portmap_test_exit(struct kunit *test)
{
	natty_portmap_free(test->priv);
}

static u32 draw(u32 n)
{
	return ((u64)prandom_u32_state(&rnd) * n) >> 32;
}

/* The slow truth for natty_portmap_next(). */
static int next_in(const unsigned long *shadow, unsigned int parity, u32 min,
		   u32 max)
{
	for (; min <= max; min++)
		if ((min & 1) == parity && !test_bit(min, shadow))
			return min;
	return -1;
}

static void expect_same_next(struct kunit *test, const unsigned long *shadow)
{
	const struct natty_portmap *map = test->priv;
	u32 min = draw(PORTS);
	u32 max = min + draw(PORTS - min);
	unsigned int parity = draw(2);

	KUNIT_ASSERT_EQ_MSG(test, natty_portmap_next(map, parity, min, max),
			    next_in(shadow, parity, min, max),
			    "parity %u, %u-%u", parity, min, max);
}

static void empty_map_gives_the_lowest_port(struct kunit *test)
{
	const struct natty_portmap *map = test->priv;

	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 0, 65535), 0);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 1, 0, 65535), 1);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 1023, 65535), 1024);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 1, 65535, 65535), 65535);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 65535, 65535), -1);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 65536, 65535), -1);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 7, 7), -1);
}

/* Ports come and go at random around several fill levels. */
static void agrees_with_a_plain_bitmap(struct kunit *test)
{
	static const u32 levels[] = { 5, 500, 900, 999, 1000, 100, 0 };
	struct natty_portmap *map = test->priv;
	unsigned long *shadow;
	unsigned int i, level;
	u32 used = 0;

	shadow = kunit_kzalloc(test, PORTS / 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, shadow);
	for (level = 0; level < ARRAY_SIZE(levels); level++) {
		u32 goal = levels[level] * PORTS / 1000;

		for (i = 0; i < 4 * PORTS; i++) {
			u16 port = draw(PORTS);
			bool taken = test_bit(port, shadow);

			KUNIT_ASSERT_EQ(test, natty_portmap_is_taken(map, port),
					taken);
			if (!taken && used < goal) {
				KUNIT_ASSERT_EQ(test,
						natty_portmap_take(map, port), 0);
				used++;
				__set_bit(port, shadow);
			} else if (taken && used >= goal) {
				KUNIT_ASSERT_TRUE(test,
						  natty_portmap_put(map, port));
				used--;
				__clear_bit(port, shadow);
			} else if (!taken) {
				KUNIT_ASSERT_FALSE(test,
						   natty_portmap_put(map, port));
			}
			if (!(i % 64))
				expect_same_next(test, shadow);
		}
		KUNIT_EXPECT_EQ(test, map->used, used);
	}
}

static void the_last_free_port_is_found(struct kunit *test)
{
	struct natty_portmap *map = test->priv;
	unsigned int i;
	int port;

	for (i = 0; i < PORTS; i++)
		KUNIT_ASSERT_EQ(test, natty_portmap_take(map, i), 0);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 0, 65535), -1);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 1, 0, 65535), -1);

	for (i = 0; i < PORTS; i++) {
		KUNIT_ASSERT_TRUE(test, natty_portmap_put(map, i));
		port = natty_portmap_next(map, i & 1, 0, 65535);
		KUNIT_ASSERT_EQ(test, port, i);
		KUNIT_ASSERT_EQ(test, natty_portmap_next(map, ~i & 1, 0, 65535), -1);
		KUNIT_ASSERT_EQ(test, natty_portmap_take(map, i), 0);
	}
}

static u32 sweep(struct natty_portmap *map, u32 now)
{
	u32 n, all = 0;

	while ((n = natty_portmap_sweep(map, now, 0, 65535)))
		all += n;
	return all;
}

/* So that a lock is not held for long. */
static void one_leaf_is_swept_at_a_time(struct kunit *test)
{
	struct natty_portmap *map = test->priv;
	const u32 now = 1000;
	u32 i, n;

	for (i = 0; i < PORTS; i++) {
		KUNIT_ASSERT_EQ(test, natty_portmap_take(map, i), 0);
		KUNIT_ASSERT_EQ(test, natty_portmap_rest(map, i, now, 1), 0);
	}
	KUNIT_EXPECT_EQ(test, natty_portmap_sweep(map, now - 1, 0, 65535), 0);
	n = natty_portmap_sweep(map, now, 5000, 5000);
	KUNIT_EXPECT_EQ(test, n, 1024);
	KUNIT_EXPECT_FALSE(test, natty_portmap_is_taken(map, 5000));
	KUNIT_EXPECT_TRUE(test, natty_portmap_is_taken(map, 1));
	KUNIT_EXPECT_EQ(test, natty_portmap_sweep(map, now, 5000, 5000), 0);
	for (i = 0; i < PORTS / 1024 - 1; i++)
		KUNIT_EXPECT_EQ(test, natty_portmap_sweep(map, now, 0, 65535), 1024);
	KUNIT_EXPECT_EQ(test, natty_portmap_sweep(map, now, 0, 65535), 0);
	KUNIT_EXPECT_EQ(test, map->resting, 0);
	KUNIT_EXPECT_EQ(test, map->used, 0);
}

static void resting_ports_are_taken_until_they_wake(struct kunit *test)
{
	struct natty_portmap *map = test->priv;
	const u32 now = 0x2fff0;	/* the 16 bits that are kept wrap soon */
	u32 memory, i;

	KUNIT_ASSERT_EQ(test, natty_portmap_take(map, 1), 0);
	memory = map->memory;
	for (i = 4000; i < 4100; i++) {
		KUNIT_ASSERT_EQ(test, natty_portmap_take(map, i), 0);
		KUNIT_ASSERT_EQ(test, natty_portmap_rest(map, i, now + i - 3990,
							 i & 7), 0);
		KUNIT_EXPECT_TRUE(test, natty_portmap_rests(map, i));
	}
	KUNIT_EXPECT_EQ(test, map->resting, 100);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 4000, 4099), -1);
	KUNIT_EXPECT_EQ(test, natty_portmap_find_rest(map, 0, 65535, 3), 4003);
	KUNIT_EXPECT_EQ(test, natty_portmap_find_rest(map, 4100, 65535, 3), -1);

	/* The last owner may have it, nobody may have nobody's. */
	KUNIT_EXPECT_FALSE(test, natty_portmap_wake(map, 4003, now, 4));
	KUNIT_EXPECT_FALSE(test, natty_portmap_wake(map, 4000, now, 0));
	KUNIT_EXPECT_FALSE(test, natty_portmap_wake(map, 1, now, 1));
	KUNIT_EXPECT_TRUE(test, natty_portmap_wake(map, 4003, now, 3));
	KUNIT_EXPECT_FALSE(test, natty_portmap_is_taken(map, 4003));
	KUNIT_EXPECT_TRUE(test, natty_portmap_wake(map, 4001, now + 11, 0));

	KUNIT_EXPECT_EQ(test, sweep(map, now + 9), 0);
	KUNIT_EXPECT_EQ(test, sweep(map, now + 12), 2);
	KUNIT_EXPECT_EQ(test, sweep(map, now + 12), 0);
	KUNIT_EXPECT_EQ(test, natty_portmap_next(map, 0, 4000, 4099), 4000);
	KUNIT_EXPECT_EQ(test, sweep(map, now + 200), 96);
	KUNIT_EXPECT_EQ(test, map->resting, 0);
	KUNIT_EXPECT_EQ(test, map->used, 1);
	KUNIT_EXPECT_EQ(test, map->memory, memory + 2 * sizeof(*map->leaf[0]));
}

static void shared_ports_are_counted(struct kunit *test)
{
	struct natty_portmap *map = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, natty_portmap_take(map, 4001), 0);
	for (i = 1; i <= 70000; i++) {
		KUNIT_ASSERT_EQ(test, natty_portmap_share(map, 4000), 0);
		KUNIT_ASSERT_EQ(test, natty_portmap_shares(map, 4000), i);
	}
	KUNIT_EXPECT_EQ(test, map->used, 2);
	KUNIT_EXPECT_EQ(test, natty_portmap_shares(map, 4001), 0);

	for (i = 70000; i > 0; i--) {
		KUNIT_ASSERT_TRUE(test, natty_portmap_is_taken(map, 4000));
		KUNIT_ASSERT_TRUE(test, natty_portmap_put(map, 4000));
	}
	KUNIT_EXPECT_FALSE(test, natty_portmap_is_taken(map, 4000));
	KUNIT_EXPECT_FALSE(test, natty_portmap_put(map, 4000));
	KUNIT_EXPECT_TRUE(test, natty_portmap_is_taken(map, 4001));
}

static void an_empty_map_is_small(struct kunit *test)
{
	struct natty_portmap *map = test->priv;
	unsigned int i;

	for (i = 0; i < PORTS; i += 512)
		KUNIT_ASSERT_EQ(test, natty_portmap_share(map, i), 0);
	KUNIT_EXPECT_GT(test, map->memory, PORTS);
	for (i = 0; i < PORTS; i += 512)
		KUNIT_ASSERT_TRUE(test, natty_portmap_put(map, i));
	KUNIT_EXPECT_EQ(test, map->used, 0);
	KUNIT_EXPECT_EQ(test, map->memory, 0);
}

/* Not those that are shared or rest. */
static void owned_ports_are_listed(struct kunit *test)
{
	static const u16 owned[] = { 0, 1, 127, 128, 1023, 1024, 5000, 40001, 65535 };
	struct natty_portmap *map = test->priv;
	u32 from = 0;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, natty_portmap_next_owned(map, 0), -1);
	KUNIT_ASSERT_EQ(test, natty_portmap_share(map, 126), 0);
	KUNIT_ASSERT_EQ(test, natty_portmap_take(map, 4999), 0);
	KUNIT_ASSERT_EQ(test, natty_portmap_rest(map, 4999, 100, 1), 0);
	for (i = 0; i < ARRAY_SIZE(owned); i++)
		KUNIT_ASSERT_EQ(test, natty_portmap_take(map, owned[i]), 0);
	for (i = 0; i < ARRAY_SIZE(owned); i++) {
		KUNIT_EXPECT_EQ(test, natty_portmap_next_owned(map, from), owned[i]);
		from = owned[i] + 1;
	}
	KUNIT_EXPECT_EQ(test, natty_portmap_next_owned(map, 40002), 65535);
	KUNIT_EXPECT_TRUE(test, natty_portmap_put(map, 65535));
	KUNIT_EXPECT_EQ(test, natty_portmap_next_owned(map, 40002), -1);
}

static struct kunit_case portmap_test_cases[] = {
	KUNIT_CASE(empty_map_gives_the_lowest_port),
	KUNIT_CASE(agrees_with_a_plain_bitmap),
	KUNIT_CASE(the_last_free_port_is_found),
	KUNIT_CASE(resting_ports_are_taken_until_they_wake),
	KUNIT_CASE(one_leaf_is_swept_at_a_time),
	KUNIT_CASE(shared_ports_are_counted),
	KUNIT_CASE(an_empty_map_is_small),
	KUNIT_CASE(owned_ports_are_listed),
	{}
};

static struct kunit_suite natty_portmap_suite = {
	.name = "natty_portmap",
	.init = portmap_test_init,
	.exit = portmap_test_exit,
	.test_cases = portmap_test_cases,
};

kunit_test_suite(natty_portmap_suite);
