// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "bucket.h"
#include "test_packet.h"

/* Entries that one chain holds at most. */
#define CHAIN_ENTRIES (NATTY_WAYS * NATTY_CHAIN_MAX)

/* Chains of the small table: 16, with 20 spare buckets. */
#define SMALL_BITS 4

static struct natty_buckets *buckets;
static struct natty_buckets *larger;

/* Entry number i was added with that hash. */
static u32 *hashes;
static unsigned int asked;

static int bucket_test_init(struct kunit *test)
{
	larger = NULL;
	hashes = NULL;
	asked = 0;
	buckets = natty_buckets_alloc(SMALL_BITS);
	return buckets ? 0 : -ENOMEM;
}

static void bucket_test_exit(struct kunit *test)
{
	natty_buckets_free(buckets);
	natty_buckets_free(larger);
	kvfree(hashes);
}

/* A hash of that chain, whatever the number of chains up to 2^16. */
static u32 hash_in(const struct natty_buckets *b, u32 chain, u16 tag)
{
	return chain << (32 - b->bits) | tag;
}

static bool add(struct natty_buckets *b, u32 hash, u32 index)
{
	bool done;

	local_bh_disable();
	natty_bucket_lock(natty_bucket_of(b, hash));
	done = natty_bucket_add(b, hash, index, true);
	natty_bucket_unlock(natty_bucket_of(b, hash));
	local_bh_enable();
	return done;
}

static bool remove(struct natty_buckets *b, u32 hash, u32 index)
{
	bool done;

	local_bh_disable();
	natty_bucket_lock(natty_bucket_of(b, hash));
	done = natty_bucket_remove(b, hash, index);
	natty_bucket_unlock(natty_bucket_of(b, hash));
	local_bh_enable();
	return done;
}

/* How often a reader comes across an entry. */
static unsigned int seen(struct natty_buckets *b, u32 hash, u32 index)
{
	const struct natty_bucket *bucket = natty_bucket_of(b, hash);
	unsigned int n = 0;
	u64 ways;

	for (; bucket; bucket = natty_bucket_next(b, bucket))
		for (ways = natty_bucket_match(bucket, (u16)hash); ways;
		     ways &= ways - 1)
			n += bucket->index[natty_bucket_way(__ffs64(ways))] ==
			     index;
	return n;
}

static unsigned int chain_length(struct natty_buckets *b, u32 hash)
{
	const struct natty_bucket *bucket = natty_bucket_of(b, hash);
	unsigned int n = 0;

	for (; bucket; bucket = natty_bucket_next(b, bucket))
		n++;
	return n;
}

static unsigned int count_entries(struct natty_buckets *b)
{
	u64 all = (1ULL << b->bits) + b->spare, i;
	unsigned int n = 0, way;

	for (i = 0; i < all; i++)
		for (way = 0; way < NATTY_WAYS; way++)
			n += b->bucket[i].index[way] != NATTY_BUCKET_FREE;
	return n;
}

static void entries_are_found_until_they_are_removed(struct kunit *test)
{
	u32 hash[100], state = 1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hash); i++) {
		hash[i] = test_random(&state);
		KUNIT_ASSERT_EQ(test, seen(buckets, hash[i], i + 1), 0);
		KUNIT_ASSERT_TRUE(test, add(buckets, hash[i], i + 1));
	}
	for (i = 0; i < ARRAY_SIZE(hash); i++)
		KUNIT_ASSERT_EQ(test, seen(buckets, hash[i], i + 1), 1);
	for (i = 0; i < ARRAY_SIZE(hash); i += 2)
		KUNIT_ASSERT_TRUE(test, remove(buckets, hash[i], i + 1));

	for (i = 0; i < ARRAY_SIZE(hash); i++)
		KUNIT_ASSERT_EQ(test, seen(buckets, hash[i], i + 1), i % 2);
	KUNIT_EXPECT_FALSE(test, remove(buckets, hash[0], 1));
}

/* An object may stand twice in a chain, when the hashes of its ends agree. */
static void equal_entries_are_removed_one_at_a_time(struct kunit *test)
{
	const u32 hash = hash_in(buckets, 3, 0x1234);
	unsigned int left;

	for (left = 0; left < 3; left++)
		KUNIT_ASSERT_TRUE(test, add(buckets, hash, 7));
	for (; left; left--) {
		KUNIT_EXPECT_EQ(test, seen(buckets, hash, 7), left);
		KUNIT_EXPECT_TRUE(test, remove(buckets, hash, 7));
	}
	KUNIT_EXPECT_EQ(test, seen(buckets, hash, 7), 0);
	KUNIT_EXPECT_FALSE(test, remove(buckets, hash, 7));
}

static void colliding_entries_are_told_apart(struct kunit *test)
{
	const u32 hash = hash_in(buckets, 3, 0x1234);

	KUNIT_ASSERT_TRUE(test, add(buckets, hash, 7));
	KUNIT_ASSERT_TRUE(test, add(buckets, hash, 8));
	KUNIT_ASSERT_TRUE(test, add(buckets, hash ^ 1, 7));

	KUNIT_EXPECT_FALSE(test, remove(buckets, hash ^ 1, 8));
	KUNIT_EXPECT_TRUE(test, remove(buckets, hash, 7));

	KUNIT_EXPECT_EQ(test, seen(buckets, hash, 7), 0);
	KUNIT_EXPECT_EQ(test, seen(buckets, hash, 8), 1);
	KUNIT_EXPECT_EQ(test, seen(buckets, hash ^ 1, 7), 1);
}

/* Thousands of equal hashes are what an attacker with the key would send. */
static void flood_of_one_chain_is_refused(struct kunit *test)
{
	const u32 hash = hash_in(buckets, 5, 0xffff);
	const u32 other = hash_in(buckets, 6, 0xffff);
	unsigned int i, n = 0;

	KUNIT_ASSERT_TRUE(test, add(buckets, other, 1));
	for (i = 1; i <= 5000; i++)
		n += add(buckets, hash, i);

	KUNIT_EXPECT_EQ(test, n, CHAIN_ENTRIES);
	KUNIT_EXPECT_EQ(test, chain_length(buckets, hash), NATTY_CHAIN_MAX);
	for (i = 1; i <= CHAIN_ENTRIES; i++)
		KUNIT_ASSERT_EQ(test, seen(buckets, hash, i), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&buckets->used), NATTY_CHAIN_MAX - 1);
	/* Nobody else is hit. */
	KUNIT_EXPECT_EQ(test, seen(buckets, other, 1), 1);
	KUNIT_EXPECT_TRUE(test, add(buckets, other, 2));
	/* Where one goes, another fits. */
	KUNIT_EXPECT_TRUE(test, remove(buckets, hash, CHAIN_ENTRIES / 2));
	KUNIT_EXPECT_TRUE(test, add(buckets, hash, 5000));
	KUNIT_EXPECT_FALSE(test, add(buckets, hash, 5001));
	KUNIT_EXPECT_EQ(test, chain_length(buckets, hash), NATTY_CHAIN_MAX);
}

static void flood_of_all_chains_ends_with_the_spare_buckets(struct kunit *test)
{
	const unsigned int room = ((1 << SMALL_BITS) + buckets->spare) * NATTY_WAYS;
	unsigned int chain, i, n = 0;

	for (chain = 0; chain < 1 << SMALL_BITS; chain++)
		for (i = 0; i < 2 * CHAIN_ENTRIES; i++)
			n += add(buckets, hash_in(buckets, chain, i), 1 + i);

	KUNIT_EXPECT_EQ(test, n, room);
	KUNIT_EXPECT_EQ(test, count_entries(buckets), room);
	/* Refusals use nothing up. */
	KUNIT_EXPECT_EQ(test, atomic_read(&buckets->used), buckets->spare);
	KUNIT_EXPECT_EQ(test, chain_length(buckets, hash_in(buckets, 15, 0)), 1);
	/* The table works as before. */
	KUNIT_EXPECT_TRUE(test, remove(buckets, hash_in(buckets, 15, 3), 4));
	KUNIT_EXPECT_TRUE(test, add(buckets, hash_in(buckets, 15, 9), 99));
	KUNIT_EXPECT_EQ(test, seen(buckets, hash_in(buckets, 15, 9), 99), 1);
}

static void memory_counts_spare_buckets(struct kunit *test)
{
	KUNIT_EXPECT_GE(test, natty_buckets_memory(buckets),
			64 * ((1 << SMALL_BITS) + buckets->spare));
	KUNIT_EXPECT_LT(test, natty_buckets_memory(buckets),
			64 * ((1 << SMALL_BITS) + buckets->spare + 2));
}

/* Entries have indices from 1. Object i has the hashes of entries 2i and 2i+1. */
static u32 hash_of(const void *arg, u32 chain, u16 tag, u32 index,
		   unsigned int nth)
{
	const struct natty_buckets *b = arg;
	unsigned int i;

	asked++;
	for (i = 2 * index; i < 2 * index + 2; i++)
		if (hashes[i] >> (32 - b->bits) == chain &&
		    (u16)hashes[i] == tag && !--nth)
			return hashes[i];
	return ~hash_in(b, chain, tag);
}

/* Double the table; how many entries found no room. */
static unsigned int move_all(struct kunit *test)
{
	unsigned int lost = 0;
	u32 i;

	larger = natty_buckets_alloc(buckets->bits + 1);
	KUNIT_ASSERT_NOT_NULL(test, larger);
	for (i = 0; i < 1U << buckets->bits; i++) {
		local_bh_disable();
		lost += natty_buckets_move(buckets, larger, i, hash_of, buckets);
		local_bh_enable();
	}
	return lost;
}

static void make_hashes(struct kunit *test, unsigned int n)
{
	u32 state = 7;
	unsigned int i;

	hashes = kvmalloc_array(n, sizeof(*hashes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hashes);
	for (i = 0; i < n; i++)
		hashes[i] = test_random(&state);
}

/* After a move: entries 2.. with their hashes stand in @larger, none before it. */
static void expect_moved(struct kunit *test, unsigned int n)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, count_entries(buckets), 0);
	KUNIT_EXPECT_EQ(test, count_entries(larger), n - 2);
	for (i = 2; i < n; i++)
		KUNIT_ASSERT_GE(test, seen(larger, hashes[i], i / 2), 1);
}

/* Too few bits are known of an entry: its object is asked. */
static void small_table_is_moved(struct kunit *test)
{
	const unsigned int n = 200;
	unsigned int i;

	make_hashes(test, n);
	/* Same chain and tag, but of different chains afterwards; and equal ones. */
	hashes[11] = hashes[10] ^ BIT(31 - SMALL_BITS);
	hashes[12] = hashes[10];
	hashes[21] = hashes[20];
	for (i = 2; i < n; i++)
		KUNIT_ASSERT_TRUE(test, add(buckets, hashes[i], i / 2));

	KUNIT_EXPECT_EQ(test, move_all(test), 0);

	expect_moved(test, n);
	KUNIT_EXPECT_EQ(test, seen(larger, hashes[10], 5), 1);
	KUNIT_EXPECT_EQ(test, seen(larger, hashes[11], 5), 1);
	KUNIT_EXPECT_EQ(test, seen(larger, hashes[20], 10), 2);
	KUNIT_EXPECT_EQ(test, asked, n - 2);
}

/* Chain and tag hold all that the move needs. */
static void large_table_is_moved_without_its_objects(struct kunit *test)
{
	const unsigned int n = 30000;
	unsigned int bits, i;

	make_hashes(test, n);
	for (i = 1000; i < 1070; i++)
		hashes[i] = hashes[999];
	for (bits = 16; bits <= 17; bits++) {
		natty_buckets_free(buckets);
		buckets = natty_buckets_alloc(bits);
		KUNIT_ASSERT_NOT_NULL(test, buckets);
		for (i = 2; i < n; i++)
			KUNIT_ASSERT_TRUE(test, add(buckets, hashes[i], i / 2));

		KUNIT_EXPECT_EQ(test, move_all(test), 0);

		expect_moved(test, n);
		KUNIT_EXPECT_EQ(test, asked, 0);
		natty_buckets_free(larger);
		larger = NULL;
	}
}

/* What came to the new buckets meanwhile may have filled a chain of them. */
static void entries_without_room_are_told(struct kunit *test)
{
	u32 other;
	unsigned int i;

	make_hashes(test, 4);
	other = hashes[2] ^ BIT(31 - SMALL_BITS);
	KUNIT_ASSERT_TRUE(test, add(buckets, hashes[2], 1));
	larger = natty_buckets_alloc(SMALL_BITS + 1);
	KUNIT_ASSERT_NOT_NULL(test, larger);
	for (i = 0; i < CHAIN_ENTRIES; i++)
		KUNIT_ASSERT_TRUE(test, add(larger, hashes[2], 9));

	local_bh_disable();
	i = natty_buckets_move(buckets, larger, hashes[2] >> (32 - SMALL_BITS),
			       hash_of, buckets);
	local_bh_enable();

	KUNIT_EXPECT_EQ(test, i, 1);
	KUNIT_EXPECT_EQ(test, count_entries(buckets), 0);
	KUNIT_EXPECT_EQ(test, count_entries(larger), CHAIN_ENTRIES);
	KUNIT_EXPECT_EQ(test, seen(larger, other, 1), 0);
}

static struct kunit_case bucket_test_cases[] = {
	KUNIT_CASE(entries_are_found_until_they_are_removed),
	KUNIT_CASE(equal_entries_are_removed_one_at_a_time),
	KUNIT_CASE(colliding_entries_are_told_apart),
	KUNIT_CASE(flood_of_one_chain_is_refused),
	KUNIT_CASE(flood_of_all_chains_ends_with_the_spare_buckets),
	KUNIT_CASE(memory_counts_spare_buckets),
	KUNIT_CASE(small_table_is_moved),
	KUNIT_CASE(large_table_is_moved_without_its_objects),
	KUNIT_CASE(entries_without_room_are_told),
	{}
};

static struct kunit_suite bucket_test_suite = {
	.name = "natty_bucket",
	.init = bucket_test_init,
	.exit = bucket_test_exit,
	.test_cases = bucket_test_cases,
};

kunit_test_suite(bucket_test_suite);
