/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_RULESET_H
#define NATTY_RULESET_H

#include "gate.h"
#include "rule.h"

/* Private to ruleset.c, which looks up, and ruleset_compile.c. */

/* No rule, no entry. */
#define NATTY_NONE U32_MAX

/**
 * struct natty_signature - what the rules of a group look at
 * @exact: NATTY_MATCH_* whose value is part of the key
 * @mark_mask: which bits of the mark are
 * @family: NFPROTO_UNSPEC if the rules hold for both families
 * @src_len: prefix length, 0 if the source address is not part of the key
 * @dst_len: likewise
 * @dport_len: upper bits of the destination port that are part of the key
 */
struct natty_signature {
	u32 exact;
	u32 mark_mask;
	u8 family;
	u8 src_len;
	u8 dst_len;
	u8 dport_len;
};

/**
 * struct natty_entry - a rule in a group
 * @rule: its index
 * @next: next entry of the same chain, of the same or a later rule, or NATTY_NONE
 */
struct natty_entry {
	u32 rule;
	u32 next;
};

/**
 * struct natty_slot - entries of a group whose keys have the same hash
 * @hash: of the key
 * @head: of their chain, NATTY_NONE if the slot is free
 */
struct natty_slot {
	u32 hash;
	u32 head;
};

/**
 * struct natty_group - rules with the same signature
 * @sig: the signature
 * @first: lowest index of its rules
 * @head: of the only chain, if there is no table
 * @mask: size of @slot - 1
 * @slot: hash table, open addressing; NULL if all entries are in one chain
 */
struct natty_group {
	struct natty_signature sig;
	u32 first;
	union {
		u32 head;
		u32 mask;
	};
	struct natty_slot *slot;
};

/* The values at which signatures look, of a rule or of a packet. */
struct natty_values {
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
 * @entry: the rules in their groups
 * @slots: memory of the groups' hash tables
 * @gate: the interfaces that rules name
 *
 * All but what @gate remembers is constant.
 */
struct natty_ruleset {
	u32 seed;
	u32 exact;
	u32 ngroups;
	struct natty_group *group;
	struct natty_rule **rule;
	struct natty_entry *entry;
	struct natty_slot *slots;
	struct natty_gate gate;
};

/* The slot of the hash, or the free one that is for it. */
static inline struct natty_slot *natty_group_slot(const struct natty_group *group, u32 hash)
{
	u32 i = hash;

	/* At least half of the slots are free. */
	for (;; i++) {
		struct natty_slot *slot = &group->slot[i & group->mask];

		if (slot->head == NATTY_NONE || slot->hash == hash)
			return slot;
	}
}

/* The hash of the values at which the signature looks. */
u32 natty_ruleset_hash(const struct natty_ruleset *set,
		       const struct natty_signature *sig,
		       const struct natty_values *v);

#endif
