// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of one chain, prepared for lookup by tuple space search: rules
 * that look at the same things form a group, and the values that they want to
 * see there are the keys of the group's hash table. A lookup probes each group
 * once. What cannot be hashed (ranges, inverted matches, interface wildcards,
 * local addresses) is left to natty_rule_matches(), which has the last word about every rule.
 *
 * Destination port ranges that would make long chains are cut into aligned
 * blocks, each of which is an entry of its own whose key has the upper bits of
 * the port.
 */

#include <linux/hash.h>

#include "ruleset.h"

static void packet_values(const struct natty_ruleset *set,
			  const struct natty_rule_key *key, struct natty_values *v)
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

u32 natty_ruleset_hash(const struct natty_ruleset *set,
		       const struct natty_signature *sig, const struct natty_values *v)
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
				 (v->dport >> (16 - sig->dport_len)));
	if (exact & NATTY_MATCH_MARK)
		hash = mix(hash, v->mark & sig->mark_mask);
	return hash;
}

/* The chain of the group whose rules can match the packet, NATTY_NONE if none can. */
static u32 probe(const struct natty_ruleset *set, const struct natty_group *group,
		 u8 family, const struct natty_values *v)
{
	const struct natty_signature *sig = &group->sig;

	if (sig->family != NFPROTO_UNSPEC && sig->family != family)
		return NATTY_NONE;
	if (!group->slot)
		return group->head;
	if (sig->exact & NATTY_MATCH_IIF && !v->iif)
		return NATTY_NONE;
	if (sig->exact & NATTY_MATCH_OIF && !v->oif)
		return NATTY_NONE;
	return natty_group_slot(group, natty_ruleset_hash(set, sig, v))->head;
}

struct natty_rule *natty_ruleset_find(const struct natty_ruleset *set,
				      const struct natty_rule_key *key)
{
	u8 family = key->tuple->family;
	const struct natty_entry *entry;
	struct natty_values v;
	u32 best = NATTY_NONE;
	unsigned int g;
	u32 i;

	/* Where no group has a table nobody asks for them. */
	if (set->exact)
		packet_values(set, key, &v);
	for (g = 0; g < set->ngroups && set->group[g].first < best; g++) {
		i = probe(set, &set->group[g], family, &v);
		for (; i != NATTY_NONE; i = entry->next) {
			entry = &set->entry[i];
			if (entry->rule >= best)
				break;
			if (!natty_rule_matches(set->rule[entry->rule], key))
				continue;
			best = entry->rule;
			break;
		}
	}
	return best == NATTY_NONE ? NULL : set->rule[best];
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
