// SPDX-License-Identifier: GPL-2.0
/* Which interfaces the rules of a chain name. */

#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>

#include "gate.h"
#include "rule.h"

/**
 * struct natty_gate_name - an interface that rules name exactly
 * @name: empty if the slot is free
 * @sides: bit (1 << enum natty_gate_side): which matches name it
 */
struct natty_gate_name {
	char name[IFNAMSIZ];
	u8 sides;
};

static const u32 side_match[NATTY_GATE_SIDES] = {
	[NATTY_GATE_IIF] = NATTY_MATCH_IIF,
	[NATTY_GATE_OIF] = NATTY_MATCH_OIF,
};

static const char *rule_device(const struct natty_rule *rule,
			       enum natty_gate_side side)
{
	return side == NATTY_GATE_IIF ? rule->iif : rule->oif;
}

bool natty_gate_is_wildcard(const char *name)
{
	size_t len = strnlen(name, IFNAMSIZ);

	return len && name[len - 1] == '+';
}

/* Only names of the configuration are inserted: it need not resist attacks. */
static u32 hash_name(const struct natty_gate *gate, const char *name)
{
	u32 hash = gate->seed;
	unsigned int i;

	for (i = 0; i < IFNAMSIZ && name[i]; i++)
		hash = (hash ^ name[i]) * GOLDEN_RATIO_32;
	return hash ^ hash >> 16;
}

/* The slot of the name, or the free one where it would be. */
static struct natty_gate_name *find_slot(const struct natty_gate *gate,
					 const char *name)
{
	u32 i = hash_name(gate, name);

	/* At least half of the slots are free. */
	for (;; i++) {
		struct natty_gate_name *slot = &gate->name[i & gate->mask];

		if (!*slot->name || !strncmp(slot->name, name, IFNAMSIZ))
			return slot;
	}
}

u32 natty_gate_number(const struct natty_gate *gate, const char *name)
{
	const struct natty_gate_name *slot = find_slot(gate, name);

	return *slot->name ? slot - gate->name + 1 : 0;
}

u32 natty_gate_device(const struct natty_gate *gate,
		      const struct net_device *dev)
{
	return dev ? natty_gate_number(gate, dev->name) : 0;
}

void natty_gate_init(struct natty_gate *gate)
{
	atomic_set(&gate->epoch, 1);
	gate->seed = get_random_u32();
}

void natty_gate_exit(struct natty_gate *gate)
{
	kvfree(gate->name);
}

static void add_name(struct natty_gate *gate, const char *name,
		     enum natty_gate_side side)
{
	struct natty_gate_name *slot = find_slot(gate, name);

	if (!*slot->name)
		strscpy(slot->name, name, IFNAMSIZ);
	slot->sides |= BIT(side);
}

static void add_pattern(struct natty_gate *gate, struct natty_rule *rule,
			enum natty_gate_side side)
{
	unsigned int i;

	for (i = 0; i < gate->npatterns[side]; i++) {
		const struct natty_rule *other = gate->pattern[side][i];

		if (!((rule->invert ^ other->invert) & side_match[side]) &&
		    !strncmp(rule_device(rule, side), rule_device(other, side),
			     IFNAMSIZ))
			return;
	}
	if (i == NATTY_GATE_PATTERNS) {
		gate->open[side] = true;
		return;
	}
	gate->pattern[side][i] = rule;
	gate->npatterns[side]++;
}

static void add_rule(struct natty_gate *gate, struct natty_rule *rule,
		     enum natty_gate_side side)
{
	const char *name = rule_device(rule, side);

	if (!(rule->match & side_match[side]))
		gate->open[side] = true;
	else if (rule->invert & side_match[side] || natty_gate_is_wildcard(name))
		add_pattern(gate, rule, side);
	else
		add_name(gate, name, side);
}

int natty_gate_build(struct natty_gate *gate, struct natty_rule **rules,
		     unsigned int n)
{
	unsigned int names = 0, i;
	u32 size;

	for (i = 0; i < n; i++)
		names += !!(rules[i]->match & NATTY_MATCH_IIF) +
			 !!(rules[i]->match & NATTY_MATCH_OIF);
	size = roundup_pow_of_two(2 * names + 1);
	gate->name = kvcalloc(size, sizeof(*gate->name), GFP_KERNEL_ACCOUNT);
	if (!gate->name)
		return -ENOMEM;
	gate->mask = size - 1;
	for (i = 0; i < n; i++) {
		add_rule(gate, rules[i], NATTY_GATE_IIF);
		add_rule(gate, rules[i], NATTY_GATE_OIF);
	}
	return 0;
}

static bool compute(const struct natty_gate *gate, enum natty_gate_side side,
		    const struct net_device *dev)
{
	unsigned int i;

	if (gate->open[side])
		return true;
	if (!gate->name)
		return false;
	if (find_slot(gate, dev->name)->sides & BIT(side))
		return true;
	for (i = 0; i < gate->npatterns[side]; i++) {
		const struct natty_rule *rule = gate->pattern[side][i];
		bool inverted = rule->invert & side_match[side];

		if (natty_rule_names_device(rule_device(rule, side), dev) !=
		    inverted)
			return true;
	}
	return false;
}

bool natty_gate_passes(struct natty_gate *gate, u8 chain,
		       const struct net_device *dev)
{
	enum natty_gate_side side = NATTY_GATE_OIF;
	u32 index = dev->ifindex;
	u32 epoch, entry;
	bool pass;

	/* Before the name is read: a result from an old name has an old epoch. */
	epoch = atomic_read_acquire(&gate->epoch);
	if (likely(index < NATTY_GATE_REMEMBERED)) {
		entry = READ_ONCE(gate->passes[index]);
		if (likely(entry >> 1 == epoch))
			return entry & 1;
	}
	if (chain == NATTY_CHAIN_PREROUTING || chain == NATTY_CHAIN_INPUT)
		side = NATTY_GATE_IIF;
	pass = compute(gate, side, dev);
	if (index < NATTY_GATE_REMEMBERED)
		WRITE_ONCE(gate->passes[index], epoch << 1 | pass);
	return pass;
}

void natty_gate_forget(struct natty_gate *gate)
{
	/* After the new name was written. */
	atomic_inc_return_release(&gate->epoch);
}
