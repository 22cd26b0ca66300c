// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of one chain, prepared for lookup by tuple space search: rules
 * that look at the same things form a group, and the values that they want to
 * see there are the keys of the group's hash table. A lookup probes each group
 * once. What cannot be hashed (ranges, inverted matches, interface wildcards)
 * is left to natty_rule_matches(), which has the last word about every rule.
 */

#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "gate.h"
#include "rule.h"

/* No rule, no group. */
#define NONE U32_MAX

/**
 * struct signature - what the rules of a group look at
 * @exact: NATTY_MATCH_* whose value is part of the key
 * @mark_mask: which bits of the mark are
 * @family: NFPROTO_UNSPEC if the rules hold for both families
 * @src_len: prefix length, 0 if the source address is not part of the key
 * @dst_len: likewise
 */
struct signature {
	u32 exact;
	u32 mark_mask;
	u8 family;
	u8 src_len;
	u8 dst_len;
};

/**
 * struct slot - rules of a group whose keys have the same hash
 * @hash: of the key
 * @head: first of them, NONE if the slot is free
 */
struct slot {
	u32 hash;
	u32 head;
};

/**
 * struct group - rules with the same signature
 * @sig: the signature
 * @first: lowest index of its rules
 * @mask: size of @slot - 1
 * @slot: open addressing; NULL if all rules of the group are in one chain that
 *	begins with @first
 */
struct group {
	struct signature sig;
	u32 first;
	u32 mask;
	struct slot *slot;
};

/* The values at which signatures look, of a rule or of a packet. */
struct values {
	const union nf_inet_addr *src;
	const union nf_inet_addr *dst;
	u32 iif;
	u32 oif;
	u32 mark;
	u16 sport;
	u16 dport;
	u8 proto;
};

/**
 * struct natty_ruleset - the rules of one chain
 * @seed: of all hashes
 * @exact: what goes into the key of any group that has a table
 * @ngroups: number of groups
 * @group: ordered by their first rule
 * @rule: all rules in order
 * @next: index of the next rule with the same hash in the same group
 * @slots: memory of the groups' hash tables
 * @gate: the interfaces that rules name
 *
 * All but what @gate remembers is constant.
 */
struct natty_ruleset {
	u32 seed;
	u32 exact;
	u32 ngroups;
	struct group *group;
	struct natty_rule **rule;
	u32 *next;
	struct slot *slots;
	struct natty_gate gate;
};

/* ---- Signatures and keys ---- */

static void rule_signature(const struct natty_rule *rule, struct signature *sig)
{
	u32 exact = rule->match & ~rule->invert;

	if (exact & NATTY_MATCH_IIF && natty_gate_is_wildcard(rule->iif))
		exact &= ~NATTY_MATCH_IIF;
	if (exact & NATTY_MATCH_OIF && natty_gate_is_wildcard(rule->oif))
		exact &= ~NATTY_MATCH_OIF;
	if (!rule->src_len)
		exact &= ~NATTY_MATCH_SRC;
	if (!rule->dst_len)
		exact &= ~NATTY_MATCH_DST;
	if (rule->sport_min != rule->sport_max)
		exact &= ~NATTY_MATCH_SPORT;
	if (rule->dport_min != rule->dport_max)
		exact &= ~NATTY_MATCH_DPORT;
	if (!rule->mark_mask)
		exact &= ~NATTY_MATCH_MARK;

	memset(sig, 0, sizeof(*sig));
	sig->exact = exact;
	sig->family = rule->family;
	if (exact & NATTY_MATCH_SRC)
		sig->src_len = rule->src_len;
	if (exact & NATTY_MATCH_DST)
		sig->dst_len = rule->dst_len;
	if (exact & NATTY_MATCH_MARK)
		sig->mark_mask = rule->mark_mask;
}

static void rule_values(const struct natty_ruleset *set,
			const struct natty_rule *rule, u32 exact,
			struct values *v)
{
	v->src = &rule->src;
	v->dst = &rule->dst;
	v->iif = 0;
	v->oif = 0;
	if (exact & NATTY_MATCH_IIF)
		v->iif = natty_gate_number(&set->gate, rule->iif);
	if (exact & NATTY_MATCH_OIF)
		v->oif = natty_gate_number(&set->gate, rule->oif);
	v->mark = rule->mark;
	v->sport = rule->sport_min;
	v->dport = rule->dport_min;
	v->proto = rule->proto;
}

static void packet_values(const struct natty_ruleset *set,
			  const struct natty_rule_key *key, struct values *v)
{
	const struct natty_tuple *t = key->tuple;
	u32 exact = set->exact;

	v->src = &t->src.addr;
	v->dst = &t->dst.addr;
	v->iif = 0;
	v->oif = 0;
	if (exact & NATTY_MATCH_IIF)
		v->iif = natty_gate_device(&set->gate, key->iif);
	if (exact & NATTY_MATCH_OIF)
		v->oif = natty_gate_device(&set->gate, key->oif);
	v->mark = key->mark;
	v->sport = ntohs(t->src.port);
	v->dport = ntohs(t->dst.port);
	v->proto = t->proto;
}

/*
 * A key is only looked up among those that the configuration gave, so that
 * nobody can make chains grow: mixing may be cheap.
 */
static u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * GOLDEN_RATIO_64;
	return hash ^ hash >> 32;
}

static u64 mix_prefix(u64 hash, u8 family, const union nf_inet_addr *addr, u8 len)
{
	struct in6_addr prefix;

	if (family == NFPROTO_IPV4)
		return mix(hash, ntohl(addr->ip) >> (32 - len));
	ipv6_addr_prefix(&prefix, &addr->in6, len);
	hash = mix(hash, (u64)ntohl(prefix.s6_addr32[0]) << 32 |
			 ntohl(prefix.s6_addr32[1]));
	return mix(hash, (u64)ntohl(prefix.s6_addr32[2]) << 32 |
			 ntohl(prefix.s6_addr32[3]));
}

/* The hash of the values at which the signature looks. */
static u32 hash_values(const struct natty_ruleset *set,
		       const struct signature *sig, const struct values *v)
{
	u32 exact = sig->exact;
	u64 hash = set->seed;

	if (exact & NATTY_MATCH_SRC)
		hash = mix_prefix(hash, sig->family, v->src, sig->src_len);
	if (exact & NATTY_MATCH_DST)
		hash = mix_prefix(hash, sig->family, v->dst, sig->dst_len);
	if (exact & (NATTY_MATCH_IIF | NATTY_MATCH_OIF))
		hash = mix(hash, (exact & NATTY_MATCH_IIF ? (u64)v->iif << 32 : 0) |
				 (exact & NATTY_MATCH_OIF ? v->oif : 0));
	if (exact & (NATTY_MATCH_PROTO | NATTY_MATCH_SPORT | NATTY_MATCH_DPORT))
		hash = mix(hash, (exact & NATTY_MATCH_PROTO ? (u64)v->proto << 32 : 0) |
				 (exact & NATTY_MATCH_SPORT ? (u32)v->sport << 16 : 0) |
				 (exact & NATTY_MATCH_DPORT ? v->dport : 0));
	if (exact & NATTY_MATCH_MARK)
		hash = mix(hash, v->mark & sig->mark_mask);
	return hash;
}

/* ---- Compilation ---- */

/*
 * Find or make the group of each rule. @group_of gets the group of each rule,
 * @count the number of rules of each group; both have room for @n.
 */
static int collect_groups(struct natty_ruleset *set, unsigned int n,
			  u32 *group_of, u32 *count)
{
	u32 mask = roundup_pow_of_two(2 * n) - 1;
	struct signature sig;
	unsigned int i;
	u32 *index, h, g;

	/* Group number + 1 by hash of the signature. */
	index = kvcalloc(mask + 1, sizeof(*index), GFP_KERNEL);
	if (!index)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		rule_signature(set->rule[i], &sig);
		h = jhash(&sig, sizeof(sig), set->seed) & mask;
		for (; (g = index[h]); h = (h + 1) & mask)
			if (!memcmp(&set->group[g - 1].sig, &sig, sizeof(sig)))
				break;
		if (!g) {
			g = ++set->ngroups;
			index[h] = g;
			set->group[g - 1].sig = sig;
		}
		group_of[i] = g - 1;
		count[g - 1]++;
	}
	kvfree(index);
	return 0;
}

/* A group with one rule, or whose rules have all the same key, needs no table. */
static u32 slots_needed(const struct group *group, u32 count)
{
	if (count == 1 || !group->sig.exact)
		return 0;
	return roundup_pow_of_two(2 * count);
}

static int alloc_slots(struct natty_ruleset *set, const u32 *count)
{
	size_t total = 0, i, size;
	unsigned int g;

	for (g = 0; g < set->ngroups; g++)
		total += slots_needed(&set->group[g], count[g]);
	if (!total)
		return 0;
	set->slots = kvmalloc_array(total, sizeof(*set->slots),
				    GFP_KERNEL_ACCOUNT);
	if (!set->slots)
		return -ENOMEM;
	for (i = 0; i < total; i++)
		set->slots[i].head = NONE;

	total = 0;
	for (g = 0; g < set->ngroups; g++) {
		size = slots_needed(&set->group[g], count[g]);
		if (!size)
			continue;
		set->group[g].slot = set->slots + total;
		set->group[g].mask = size - 1;
		set->exact |= set->group[g].sig.exact;
		total += size;
	}
	return 0;
}

/* The slot of the hash, or the free one where it would be. */
static struct slot *find_slot(const struct group *group, u32 hash)
{
	u32 i = hash;

	/* At least half of the slots are free. */
	for (;; i++) {
		struct slot *slot = &group->slot[i & group->mask];

		if (slot->head == NONE || slot->hash == hash)
			return slot;
	}
}

/* Put a rule before those of its group and hash. */
static void insert_rule(struct natty_ruleset *set, struct group *group, u32 i)
{
	struct values v;
	struct slot *slot;
	u32 hash;

	if (!group->slot) {
		set->next[i] = group->first;
		group->first = i;
		return;
	}
	group->first = i;
	rule_values(set, set->rule[i], group->sig.exact, &v);
	hash = hash_values(set, &group->sig, &v);
	slot = find_slot(group, hash);
	slot->hash = hash;
	set->next[i] = slot->head;
	slot->head = i;
}

static int build(struct natty_ruleset *set, unsigned int n)
{
	u32 *group_of, *count;
	unsigned int i;
	int err;

	group_of = kvcalloc(n, 2 * sizeof(*group_of), GFP_KERNEL);
	if (!group_of)
		return -ENOMEM;
	count = group_of + n;
	err = natty_gate_build(&set->gate, set->rule, n);
	if (!err)
		err = collect_groups(set, n, group_of, count);
	if (!err)
		err = alloc_slots(set, count);
	if (err)
		goto out;

	for (i = 0; i < set->ngroups; i++)
		set->group[i].first = NONE;
	/* Backwards, so that every chain is in the order of the rules. */
	for (i = n; i-- > 0;)
		insert_rule(set, &set->group[group_of[i]], i);
out:
	kvfree(group_of);
	return err;
}

/* Give back the memory of the groups that were not needed. */
static void trim_groups(struct natty_ruleset *set)
{
	struct group *group;

	group = kvmalloc_array(set->ngroups, sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group)
		return;
	memcpy(group, set->group, set->ngroups * sizeof(*group));
	kvfree(set->group);
	set->group = group;
}

struct natty_ruleset *natty_ruleset_compile(struct natty_rule **rules,
					    unsigned int n)
{
	struct natty_ruleset *set;

	set = kvzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	natty_gate_init(&set->gate);
	set->seed = get_random_u32();
	if (!n)
		return set;

	set->rule = kvmalloc_array(n, sizeof(*set->rule), GFP_KERNEL_ACCOUNT);
	set->next = kvmalloc_array(n, sizeof(*set->next), GFP_KERNEL_ACCOUNT);
	set->group = kvcalloc(n, sizeof(*set->group), GFP_KERNEL);
	if (!set->rule || !set->next || !set->group)
		goto fail;
	memcpy(set->rule, rules, n * sizeof(*rules));
	if (build(set, n))
		goto fail;
	trim_groups(set);
	return set;

fail:
	natty_ruleset_free(set);
	return NULL;
}

void natty_ruleset_free(struct natty_ruleset *set)
{
	if (!set)
		return;
	natty_gate_exit(&set->gate);
	kvfree(set->slots);
	kvfree(set->group);
	kvfree(set->next);
	kvfree(set->rule);
	kvfree(set);
}

/* ---- Lookup ---- */

/* The first rule of the group that can match the packet, NONE if none can. */
static u32 probe(const struct natty_ruleset *set, const struct group *group,
		 u8 family, const struct values *v)
{
	const struct signature *sig = &group->sig;

	if (sig->family != NFPROTO_UNSPEC && sig->family != family)
		return NONE;
	if (!group->slot)
		return group->first;
	if (sig->exact & NATTY_MATCH_IIF && !v->iif)
		return NONE;
	if (sig->exact & NATTY_MATCH_OIF && !v->oif)
		return NONE;
	return find_slot(group, hash_values(set, sig, v))->head;
}

struct natty_rule *natty_ruleset_find(const struct natty_ruleset *set,
				      const struct natty_rule_key *key)
{
	u8 family = key->tuple->family;
	struct values v;
	u32 best = NONE;
	unsigned int g;
	u32 i;

	packet_values(set, key, &v);
	for (g = 0; g < set->ngroups && set->group[g].first < best; g++) {
		i = probe(set, &set->group[g], family, &v);
		for (; i < best; i = set->next[i]) {
			if (!natty_rule_matches(set->rule[i], key))
				continue;
			best = i;
			break;
		}
	}
	return best == NONE ? NULL : set->rule[best];
}

bool natty_ruleset_gate(struct natty_ruleset *set, u8 chain,
			const struct net_device *dev)
{
	return natty_gate_passes(&set->gate, chain, dev);
}

void natty_ruleset_forget(struct natty_ruleset *set)
{
	natty_gate_forget(&set->gate);
}
