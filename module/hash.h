/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_HASH_H
#define NATTY_HASH_H

#include <linux/siphash.h>
#include <linux/types.h>

/*
 * The keyed hashes of the connection table. Every packet pays for one, and
 * HSipHash alone would be a third of what an established packet costs; so where
 * 64 bits are multiplied at once it is multiplications. Senders cannot see a
 * hash, a chain has a bound, and a flow that finds its chain full is refused and
 * counted: whoever found collisions nevertheless would lock out a few flows, not
 * slow down the rest.
 */
#ifdef CONFIG_64BIT
/*
 * Of two 32-bit words; @key is secret. A product of keyed words, as in UMAC's NH,
 * and then the upper half of a product with a secret odd number: both are
 * universal, so that any two inputs collide for a 2^-31st of all keys, also if
 * somebody has chosen them. The shift between them is for the regular inputs of
 * real life, which would spread less evenly than random ones without it.
 */
static __always_inline u32 natty_hash32(const hsiphash_key_t *key, u32 a, u32 b)
{
	u64 product = (u64)(u32)(a + key->key[0]) *
		      (u32)(b + (key->key[0] >> 32));

	product ^= product >> 32;
	return product * (key->key[1] | 1) >> 32;
}
#else
static inline u32 natty_hash32(const hsiphash_key_t *key, u32 a, u32 b)
{
	return hsiphash_2u32(a, b, key);
}
#endif

/* User-Mode Linux has such integers, but does not say so. */
#if defined(CONFIG_ARCH_SUPPORTS_INT128) || \
	(defined(CONFIG_UML) && defined(CONFIG_64BIT))
static __always_inline u64 natty_hash_fold(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

/* Of two 64-bit words, two products whose halves are folded. */
static __always_inline u64 natty_hash(const hsiphash_key_t *key, u64 a, u64 b)
{
	u64 hash = natty_hash_fold(a ^ key->key[0], b ^ key->key[1]);

	/* Any odd constant with bits all over; this one is that of hash_64(). */
	return natty_hash_fold(hash ^ key->key[1], 0x61C8864680B583EBULL);
}
#else
static inline u64 natty_hash(const hsiphash_key_t *key, u64 a, u64 b)
{
	return hsiphash_4u32(a, a >> 32, b, b >> 32, key);
}
#endif

#endif
