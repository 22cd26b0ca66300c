// SPDX-License-Identifier: GPL-2.0
/* From a staged configuration to the active one. */

#include <linux/jhash.h>
#include <linux/mm.h>

#include "commit.h"
#include "compat/extack.h"
#include "config.h"
#include "leaving.h"
#include "mapping.h"
#include "netns.h"

/* Most rules of equal hash that are compared before a rule counts as new. */
#define SAME_MAX 64

/* Of what natty_rule_same() compares enough to tell most rules apart. */
static u32 hash_rule(const struct natty_index *index,
		     const struct natty_rule *rule)
{
	u32 hash = jhash2(rule->src.all, 4, index->seed);

	hash = jhash2(rule->dst.all, 4, hash);
	hash = jhash2(rule->addr_min.all, 4, hash);
	hash = jhash(rule->iif, strlen(rule->iif), hash);
	hash = jhash(rule->oif, strlen(rule->oif), hash);
	hash = jhash_3words(rule->match << 16 | rule->invert << 8 | rule->proto,
			    rule->dport_min << 16 | rule->dport_max,
			    rule->mark, hash);
	return jhash_3words(rule->action, rule->src_len << 8 | rule->dst_len,
			    rule->port_min, hash);
}

static int index_rules(struct natty_index *index, struct natty_rule **rule,
		       unsigned int n)
{
	unsigned int i;
	int err;

	err = natty_index_init(index, n);
	for (i = 0; i < n && !err; i++)
		err = natty_index_add(index, hash_rule(index, rule[i]), i);
	if (err)
		natty_index_free(index);
	return err;
}

/**
 * struct reuse - rules of an active chain, to be found again
 * @rule: the rules
 * @n: how many
 * @next: place after the one found last; most often the next to be found
 * @taken: bitmap of those that were found
 * @index: by hash_rule()
 */
struct reuse {
	struct natty_rule **rule;
	unsigned int n;
	unsigned int next;
	unsigned long *taken;
	struct natty_index index;
};

static bool is_free_same(const struct reuse *reuse, unsigned int i,
			 const struct natty_rule *rule)
{
	return i < reuse->n && !test_bit(i, reuse->taken) &&
	       natty_rule_same(reuse->rule[i], rule);
}

/* The first rule that says the same and was not found yet, or NULL. */
static struct natty_rule *find_same(struct reuse *reuse,
				    const struct natty_rule *rule)
{
	u32 hash, cursor;
	int i, tries = SAME_MAX;

	i = reuse->next;
	if (!is_free_same(reuse, i, rule)) {
		hash = hash_rule(&reuse->index, rule);
		cursor = hash;
		do {
			i = natty_index_next(&reuse->index, hash, &cursor);
			if (i < 0 || !tries--)
				return NULL;
		} while (!is_free_same(reuse, i, rule));
	}
	__set_bit(i, reuse->taken);
	reuse->next = i + 1;
	return reuse->rule[i];
}

/* Put the old object in the place of a rule that says the same. */
static int reuse_rule(struct natty_config *config, struct natty_rule **place,
		      struct natty_rule *old)
{
	struct natty_rule *rule = *place;
	bool named = rule->pool && *rule->pool->name;

	/* The pool has other addresses now, so the object must be another. */
	if (named && rule->pool != old->pool) {
		rule->id = old->id;
		return natty_config_add_heir(config, old, rule);
	}
	natty_rule_get(old);
	*place = old;
	natty_rule_put(rule);
	return 0;
}

static int reuse_chain(struct natty_config *config, struct natty_config *old,
		       unsigned int chain)
{
	struct reuse reuse = {
		.rule = old->rule[chain],
		.n = old->nrules[chain],
	};
	unsigned int i;
	int err;

	if (!reuse.n || !config->nrules[chain])
		return 0;
	reuse.taken = kvcalloc(BITS_TO_LONGS(reuse.n), sizeof(long),
			       GFP_KERNEL);
	if (!reuse.taken)
		return -ENOMEM;
	err = index_rules(&reuse.index, reuse.rule, reuse.n);
	for (i = 0; i < config->nrules[chain] && !err; i++) {
		struct natty_rule **place = &config->rule[chain][i];
		struct natty_rule *same = find_same(&reuse, *place);

		if (same)
			err = reuse_rule(config, place, same);
	}
	natty_index_free(&reuse.index);
	kvfree(reuse.taken);
	return err;
}

static void number_rules(struct natty_config *config)
{
	unsigned int c, i;

	for (c = 0; c < NATTY_CHAINS; c++)
		for (i = 0; i < config->nrules[c]; i++) {
			if (config->rule[c][i]->id)
				continue;
			config->rule[c][i]->id = config->next_id++;
			if (!config->next_id)
				config->next_id = 1;
		}
}

static bool chain_same(const struct natty_config *a,
		       const struct natty_config *b, unsigned int chain)
{
	return a->nrules[chain] == b->nrules[chain] &&
	       (!a->nrules[chain] ||
		!memcmp(a->rule[chain], b->rule[chain],
			a->nrules[chain] * sizeof(*a->rule[chain])));
}

/* Compile the chains that differ from the active ones. */
static int compile(struct natty_config *config, const struct natty_config *old)
{
	unsigned int chain;

	for (chain = 0; chain < NATTY_CHAINS; chain++) {
		if (chain_same(config, old, chain))
			continue;
		config->chain[chain] =
			natty_ruleset_compile(config->rule[chain],
					      config->nrules[chain]);
		if (!config->chain[chain])
			return -ENOMEM;
	}
	return 0;
}

/* Chains that were not compiled go over with their array and ruleset. */
static void take_chains(struct natty_config *config, struct natty_config *old)
{
	unsigned int chain, i;

	for (chain = 0; chain < NATTY_CHAINS; chain++) {
		if (config->chain[chain])
			continue;
		for (i = 0; i < config->nrules[chain]; i++)
			natty_rule_put(config->rule[chain][i]);
		kvfree(config->rule[chain]);
		config->rule[chain] = old->rule[chain];
		config->rule_room[chain] = old->rule_room[chain];
		config->chain[chain] = old->chain[chain];
		old->handed |= BIT(chain);
	}
}

static int prepare(struct natty_config *config, struct natty_config *old,
		   bool fresh)
{
	unsigned int chain;
	int err = 0;

	natty_config_settle(config);
	for (chain = 0; fresh && chain < NATTY_CHAINS && !err; chain++)
		err = reuse_chain(config, old, chain);
	if (err)
		return err;
	number_rules(config);
	return compile(config, old);
}

static bool has_work(const struct natty_config *config)
{
	unsigned int chain;

	for (chain = 0; chain < NATTY_CHAINS; chain++)
		if (config->nrules[chain])
			return true;
	return config->nforwards;
}

/**
 * struct turnover - how the forwards of two configurations differ
 * @old: active configuration
 * @new: staged one
 * @gone: bitmap of old forwards whose external endpoint is no longer used
 * @moved: bitmap of old forwards that lead elsewhere now
 * @added: bitmap of new forwards, those that moved included
 * @scratch: for natty_mapping_del_statics() of either
 */
struct turnover {
	struct natty_config *old;
	struct natty_config *new;
	unsigned long *gone;
	unsigned long *moved;
	unsigned long *added;
	u32 *scratch;
};

static unsigned long *alloc_bitmap(unsigned int n)
{
	return kvcalloc(BITS_TO_LONGS(n) + 1, sizeof(long), GFP_KERNEL);
}

static void turnover_free(struct turnover *turn)
{
	kvfree(turn->gone);
	kvfree(turn->moved);
	kvfree(turn->added);
	kvfree(turn->scratch);
}

static bool forwards_same(const struct natty_config *a,
			  const struct natty_config *b)
{
	return a->nforwards == b->nforwards &&
	       (!a->nforwards ||
		!memcmp(a->forward, b->forward,
			a->nforwards * sizeof(*a->forward)));
}

static int turnover_find(struct turnover *turn)
{
	struct natty_config *old = turn->old, *new = turn->new;
	unsigned int i;
	int j;

	turn->gone = alloc_bitmap(old->nforwards);
	turn->moved = alloc_bitmap(old->nforwards);
	turn->added = alloc_bitmap(new->nforwards);
	turn->scratch = kvmalloc_array(max(old->nforwards, new->nforwards) + 1,
				       sizeof(*turn->scratch), GFP_KERNEL);
	if (!turn->gone || !turn->moved || !turn->added || !turn->scratch)
		return -ENOMEM;
	if (forwards_same(old, new))
		return 0;
	bitmap_set(turn->added, 0, new->nforwards);
	for (i = 0; i < old->nforwards; i++) {
		const struct natty_forward *forward = &old->forward[i];

		j = natty_config_find_forward(new, forward);
		if (j == -ENOMEM)
			return j;
		if (j < 0)
			__set_bit(i, turn->gone);
		else if (!natty_endpoint_equal(forward->family,
					       &forward->inside,
					       &new->forward[j].inside))
			__set_bit(i, turn->moved);
		else
			__clear_bit(j, turn->added);
	}
	natty_index_free(&new->forward_index);
	return 0;
}

static void refuse_forward(const struct natty_forward *forward, int err,
			   struct netlink_ext_ack *extack)
{
	if (err == -EBUSY)
		NL_SET_ERR_MSG_FMT(extack,
				   "external port %u of forward is shared by connections",
				   ntohs(forward->ext.port));
	else if (err == -EEXIST)
		NL_SET_ERR_MSG_FMT(extack,
				   "internal port %u of forward has another mapping",
				   ntohs(forward->inside.port));
	else
		NL_SET_ERR_MSG_FMT(extack,
				   "no room for forward of external port %u",
				   ntohs(forward->ext.port));
}

/* Bring back the forwards that turnover_apply() took away. */
static void turnover_undo(struct natty_net *nn, struct turnover *turn,
			  unsigned int added)
{
	unsigned int i;

	natty_mapping_del_statics(nn, turn->new->forward, turn->added, added,
				  turn->scratch);
	for_each_set_bit(i, turn->moved, turn->old->nforwards)
		if (natty_mapping_add_static(nn, &turn->old->forward[i]))
			net_warn_ratelimited("natty: a forward could not be restored\n");
}

/*
 * Make the new mappings. An old one in the way goes first; the others stay
 * until the new configuration is active.
 */
static int turnover_apply(struct natty_net *nn, struct turnover *turn,
			  struct netlink_ext_ack *extack)
{
	const struct natty_config *new = turn->new;
	unsigned int i;
	int err;

	natty_mapping_del_statics(nn, turn->old->forward, turn->moved,
				  turn->old->nforwards, turn->scratch);
	for_each_set_bit(i, turn->added, new->nforwards) {
		err = natty_mapping_add_static(nn, &new->forward[i]);
		if (err) {
			refuse_forward(&new->forward[i], err, extack);
			turnover_undo(nn, turn, i);
			return err;
		}
		cond_resched();
	}
	return 0;
}

/*
 * Counts of the rules that other objects replaced. Packets that still see the
 * old configuration may add to the old ones: these few are lost.
 */
static void inherit(struct natty_config *config)
{
	unsigned int i;

	for (i = 0; i < config->nheirs; i++) {
		struct natty_heir *heir = &config->heir[i];

		this_cpu_add(*heir->to->flows, natty_rule_flows(heir->from));
		natty_rule_put(heir->from);
		natty_rule_put(heir->to);
	}
	kvfree(config->heir);
	config->heir = NULL;
	config->nheirs = 0;
	config->heir_room = 0;
}

static void publish(struct natty_net *nn, struct natty_config *config,
		    struct natty_config *old)
{
	take_chains(config, old);
	config->generation = old->generation + 1 ?: 1;
	rcu_assign_pointer(nn->config, config);
	inherit(config);
}

/* What translates to the same addresses as before takes over what says so. */
static int make_external(struct natty_config *config,
			 const struct natty_config *old)
{
	if (old->external && natty_leaving_pools_kept(old, config) &&
	    forwards_same(old, config)) {
		natty_external_get(old->external);
		config->external = old->external;
		return 0;
	}
	config->external = natty_external_new(config);
	return config->external ? 0 : -ENOMEM;
}

/* Make ready what the configuration needs beyond itself. */
static int enable(struct natty_net *nn, const struct natty_config *config,
		  struct netlink_ext_ack *extack)
{
	int err = 0;

	if (has_work(config))
		err = natty_netns_enable(nn, extack);
	if (!err && nn->enabled && natty_setting(config, NATTY_SET_ACCOUNTING))
		err = natty_arena_account(&nn->table[0].arena) ?:
		      natty_arena_account(&nn->table[1].arena);
	return err;
}

/* Replace an active configuration by a prepared one. */
static int replace(struct natty_net *nn, struct natty_config *config,
		   struct natty_config *old, struct netlink_ext_ack *extack)
{
	struct turnover turn = { .old = old, .new = config };
	struct natty_leaving leaving = {};
	int err;

	err = enable(nn, config, extack) ?: make_external(config, old);
	if (!err)
		err = turnover_find(&turn);
	if (!err && nn->enabled)
		err = natty_leaving_find(&leaving, old, config);
	if (!err)
		err = turnover_apply(nn, &turn, extack);
	if (!err) {
		publish(nn, config, old);
		natty_mapping_del_statics(nn, old->forward, turn.gone,
					  old->nforwards, turn.scratch);
		natty_leaving_close(&leaving, nn);
	}
	natty_leaving_free(&leaving);
	turnover_free(&turn);
	return err;
}

int natty_commit(struct natty_net *nn, struct natty_config *config, bool fresh,
		 struct netlink_ext_ack *extack)
{
	struct natty_config *old = natty_config_active(nn);
	int err;

	err = prepare(config, old, fresh);
	if (!err)
		err = replace(nn, config, old, extack);
	if (err)
		natty_config_free(config);
	else
		natty_config_retire(old);
	return err;
}

int natty_commit_check(struct natty_net *nn, struct natty_config *config,
		       bool fresh, struct netlink_ext_ack *extack)
{
	int err = prepare(config, natty_config_active(nn), fresh);

	if (err)
		NL_SET_ERR_MSG(extack, "out of memory");
	natty_config_free(config);
	return err;
}
