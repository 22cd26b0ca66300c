// SPDX-License-Identifier: GPL-2.0
/* Preparing the rules of a chain for lookup. */

#include <linux/bitmap.h>
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "ruleset.h"

/* With more port ranges than these in a group they are cut into blocks. */
#define RANGES_MAX 16

/**
 * struct piece - an entry to be
 * @rule: index of the rule
 * @group: number of the group
 * @dport: a port of the block, if the rule's range is cut
 */
struct piece {
	u32 rule;
	u32 group;
	u16 dport;
};

/**
 * struct draft - what compilation needs and lookup does not
 * @n: number of rules
 * @npieces: number of @piece
 * @piece: in the order of the rules
 * @count: how many of them each group has
 * @index: group number + 1 by hash of the signature
 * @mask: size of @index - 1
 * @cut: which rules have their port range cut, NULL if none has
 */
struct draft {
	unsigned int n;
	unsigned int npieces;
	struct piece *piece;
	u32 *count;
	u32 *index;
	u32 mask;
	unsigned long *cut;
};

static void rule_signature(const struct natty_rule *rule, struct natty_signature *sig)
{
	u32 exact = rule->match & ~rule->invert & ~NATTY_MATCH_LOCAL;

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
	if (exact & NATTY_MATCH_DPORT)
		sig->dport_len = 16;
	if (exact & NATTY_MATCH_MARK)
		sig->mark_mask = rule->mark_mask;
}

static void rule_values(const struct natty_ruleset *set,
			const struct natty_rule *rule, u32 exact,
			struct natty_values *v)
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

static void free_draft(struct draft *d)
{
	kvfree(d->piece);
	kvfree(d->count);
	kvfree(d->index);
}

/* Begin anew, with room for so many pieces and groups. */
static int make_room(struct natty_ruleset *set, struct draft *d,
		     unsigned int room)
{
	free_draft(d);
	kvfree(set->group);
	set->ngroups = 0;
	d->npieces = 0;
	d->mask = roundup_pow_of_two(2 * room) - 1;
	d->piece = kvmalloc_array(room, sizeof(*d->piece), GFP_KERNEL);
	d->count = kvcalloc(room, sizeof(*d->count), GFP_KERNEL);
	d->index = kvcalloc(d->mask + 1, sizeof(*d->index), GFP_KERNEL);
	set->group = kvcalloc(room, sizeof(*set->group), GFP_KERNEL);
	return d->piece && d->count && d->index && set->group ? 0 : -ENOMEM;
}

/* The number of the group with that signature, made if there is none yet. */
static u32 get_group(struct natty_ruleset *set, struct draft *d,
		     const struct natty_signature *sig)
{
	u32 h = jhash(sig, sizeof(*sig), set->seed) & d->mask;
	u32 g;

	for (; (g = d->index[h]); h = (h + 1) & d->mask)
		if (!memcmp(&set->group[g - 1].sig, sig, sizeof(*sig)))
			return g - 1;
	g = set->ngroups++;
	d->index[h] = g + 1;
	set->group[g].sig = *sig;
	return g;
}

static void add_piece(struct natty_ruleset *set, struct draft *d, u32 rule,
		      const struct natty_signature *sig, u16 dport)
{
	u32 g = get_group(set, d, sig);

	d->piece[d->npieces++] = (struct piece){
		.rule = rule,
		.group = g,
		.dport = dport,
	};
	d->count[g]++;
}

static bool is_range(const struct natty_rule *rule)
{
	return rule->match & ~rule->invert & NATTY_MATCH_DPORT &&
	       rule->dport_min < rule->dport_max;
}

/* Log2 of the largest aligned block that begins at @min and ends by @max. */
static unsigned int block_order(u32 min, u32 max)
{
	unsigned int order = min ? __ffs(min) : 16;

	return min_t(unsigned int, order, ilog2(max - min + 1));
}

/* The blocks of a port range: no more than 30. */
static unsigned int count_blocks(const struct natty_rule *rule)
{
	unsigned int n = 0;
	u32 port;

	for (port = rule->dport_min; port <= rule->dport_max; n++)
		port += 1U << block_order(port, rule->dport_max);
	return n;
}

static void add_blocks(struct natty_ruleset *set, struct draft *d, u32 rule,
		       struct natty_signature *sig)
{
	u32 port = set->rule[rule]->dport_min, max = set->rule[rule]->dport_max;
	unsigned int order;

	for (; port <= max; port += 1U << order) {
		order = block_order(port, max);
		sig->dport_len = 16 - order;
		sig->exact |= NATTY_MATCH_DPORT;
		add_piece(set, d, rule, sig, port);
	}
}

/* Cut the ranges of groups that have many of them. */
static int cut_ranges(struct natty_ruleset *set, struct draft *d)
{
	unsigned int i, ranges = 0, room = d->n;
	struct natty_signature sig;

	for (i = 0; i < d->n; i++)
		ranges += is_range(set->rule[i]);
	if (ranges <= RANGES_MAX)
		return 0;
	d->cut = bitmap_zalloc(d->n, GFP_KERNEL);
	if (!d->cut)
		return -ENOMEM;
	for (i = 0; i < d->n; i++) {
		if (!is_range(set->rule[i]))
			continue;
		rule_signature(set->rule[i], &sig);
		add_piece(set, d, i, &sig, 0);
	}
	for (i = 0; i < d->npieces; i++) {
		if (d->count[d->piece[i].group] <= RANGES_MAX)
			continue;
		__set_bit(d->piece[i].rule, d->cut);
		room += count_blocks(set->rule[d->piece[i].rule]) - 1;
	}
	return make_room(set, d, room);
}

static void collect_pieces(struct natty_ruleset *set, struct draft *d)
{
	struct natty_signature sig;
	unsigned int i;

	for (i = 0; i < d->n; i++) {
		rule_signature(set->rule[i], &sig);
		if (d->cut && test_bit(i, d->cut))
			add_blocks(set, d, i, &sig);
		else
			add_piece(set, d, i, &sig, set->rule[i]->dport_min);
	}
}

/* A group with one entry, or where all have the same key, needs no table. */
static u32 slots_needed(const struct natty_group *group, u32 count)
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
	if (total) {
		set->slots = kvmalloc_array(total, sizeof(*set->slots),
					    GFP_KERNEL_ACCOUNT);
		if (!set->slots)
			return -ENOMEM;
	}
	for (i = 0; i < total; i++)
		set->slots[i].head = NATTY_NONE;

	total = 0;
	for (g = 0; g < set->ngroups; g++) {
		size = slots_needed(&set->group[g], count[g]);
		set->group[g].head = NATTY_NONE;
		if (!size)
			continue;
		set->group[g].slot = set->slots + total;
		set->group[g].mask = size - 1;
		set->exact |= set->group[g].sig.exact;
		total += size;
	}
	return 0;
}

/* Put an entry before those of its group and hash. */
static void insert_entry(struct natty_ruleset *set, const struct piece *piece,
			 u32 i)
{
	struct natty_group *group = &set->group[piece->group];
	struct natty_values v;
	u32 *head = &group->head;
	struct natty_slot *slot;
	u32 hash;

	group->first = piece->rule;
	if (group->slot) {
		rule_values(set, set->rule[piece->rule], group->sig.exact, &v);
		v.dport = piece->dport;
		hash = natty_ruleset_hash(set, &group->sig, &v);
		slot = natty_group_slot(group, hash);
		slot->hash = hash;
		head = &slot->head;
	}
	set->entry[i].rule = piece->rule;
	set->entry[i].next = *head;
	*head = i;
}

static int build(struct natty_ruleset *set, struct draft *d)
{
	unsigned int i;
	int err;

	err = natty_gate_build(&set->gate, set->rule, d->n);
	if (!err)
		err = make_room(set, d, d->n);
	if (!err)
		err = cut_ranges(set, d);
	if (err)
		return err;
	collect_pieces(set, d);
	set->entry = kvmalloc_array(d->npieces, sizeof(*set->entry),
				    GFP_KERNEL_ACCOUNT);
	if (!set->entry)
		return -ENOMEM;
	err = alloc_slots(set, d->count);
	if (err)
		return err;
	/* Backwards, so that every chain is in the order of the rules. */
	for (i = d->npieces; i-- > 0;)
		insert_entry(set, &d->piece[i], i);
	return 0;
}

/* Give back the memory of the groups that were not needed. */
static void trim_groups(struct natty_ruleset *set)
{
	struct natty_group *group;

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
	struct draft draft = { .n = n };
	struct natty_ruleset *set;
	int err;

	set = kvzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	natty_gate_init(&set->gate);
	set->seed = get_random_u32();
	if (!n)
		return set;

	set->rule = kvmalloc_array(n, sizeof(*set->rule), GFP_KERNEL_ACCOUNT);
	if (!set->rule)
		goto fail;
	memcpy(set->rule, rules, n * sizeof(*rules));
	err = build(set, &draft);
	free_draft(&draft);
	bitmap_free(draft.cut);
	if (err)
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
	kvfree(set->entry);
	kvfree(set->rule);
	kvfree(set);
}
