/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_HASH_H
#define NATTY_HASH_H

#include <linux/siphash.h>
#include <linux/types.h>

/*
 * The keyed hash of the connection table. Every packet pays for one, and
 * HSipHash alone would be a third of what an established packet costs; so on
 * machines that multiply 64 bits it is two multiplications whose halves are
 * folded, the first with 128 secret bits. Senders cannot see a hash, a chain
 * has a bound, and a flow that finds its chain full is refused and counted:
 * whoever found collisions nevertheless would lock out a few flows, not slow
 * down the rest.
 */
/* User-Mode Linux can, but does not say so. */
#if defined(CONFIG_ARCH_SUPPORTS_INT128) || \
	(defined(CONFIG_UML) && defined(CONFIG_64BIT))
static __always_inline u64 natty_hash_fold(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

/* Of two words; @key is secret. All bits of the result are as good. */
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
