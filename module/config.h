/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_CONFIG_H
#define NATTY_CONFIG_H

#include <linux/workqueue.h>

#include "external.h"
#include "index.h"
#include "pool.h"
#include "rule.h"
#include "setting.h"

struct natty_net;

/* Most rules of a chain, most pools, most forwards of a configuration. */
#define NATTY_CONFIG_ENTRIES_MAX	1048576U

/**
 * struct natty_forward - a static mapping
 * @family: of both endpoints
 * @proto: TCP, UDP, SCTP, DCCP or UDP-Lite; 0 only in a staged configuration:
 *	the forward was deleted
 * @ext: external endpoint, the key together with @proto
 * @inside: internal endpoint
 */
struct natty_forward {
	u8 family;
	u8 proto;
	struct natty_endpoint ext;
	struct natty_endpoint inside;
};

/**
 * struct natty_heir - a rule that takes the place of another object
 * @from: rule of an active configuration, or heir itself; referenced
 * @to: says the same, but uses another pool; referenced
 */
struct natty_heir {
	struct natty_rule *from;
	struct natty_rule *to;
};

/**
 * struct natty_config - a configuration
 * @work: for its release
 * @generation: changes with every commit, never 0; of a staged configuration
 *	that of the active one from which it was made
 * @set: settings
 * @rule: rules of each chain in order, with a reference each
 * @nrules: how many
 * @chain: compiled from them by the commit
 * @pool: named pools, with a reference each
 * @npools: how many
 * @forward: static mappings
 * @nforwards: how many; of a staged configuration with @nholes deleted ones
 * @external: to which addresses it translates, made by the commit
 * @next_id: id of the next new rule
 * @rule_room: how many rules @rule has room for
 * @pool_room: how many pools @pool has room for
 * @forward_room: how many forwards @forward has room for
 * @nholes: how many forwards are deleted
 * @pool_index: places of pools by name, made when first needed; under nn->lock
 * @forward_index: places of forwards by @proto and @ext, likewise
 * @heir: rules that inherit the counter of another when this is committed
 * @nheirs: how many
 * @heir_room: how many @heir has room for
 * @handed: chains (bits) whose rules and ruleset the next configuration took
 *	over; written at its commit under nn->lock, not read by packets
 *
 * A staged configuration belongs to one transaction and is changed freely; an
 * active one is constant.
 */
struct natty_config {
	/* What every packet reads. */
	struct natty_ruleset *chain[NATTY_CHAINS];
	unsigned int nrules[NATTY_CHAINS];
	struct natty_settings set;

	struct rcu_work work;
	u32 generation;
	struct natty_rule **rule[NATTY_CHAINS];
	struct natty_pool **pool;
	unsigned int npools;
	struct natty_forward *forward;
	unsigned int nforwards;
	struct natty_external *external;

	u32 next_id;
	unsigned int rule_room[NATTY_CHAINS];
	unsigned int pool_room;
	unsigned int forward_room;
	unsigned int nholes;
	struct natty_index pool_index;
	struct natty_index forward_index;
	struct natty_heir *heir;
	unsigned int nheirs;
	unsigned int heir_room;
	u8 handed;
};

/* What a release of configurations needs, for the module. 0 or -ENOMEM. */
int natty_config_setup(void);

/* Waits for all releases; nothing is committed any more. */
void natty_config_teardown(void);

/* The empty configuration of profile rfc for a new namespace. 0 or -ENOMEM. */
int natty_config_init(struct natty_net *nn);

/* Releases the active configuration; nobody reads it any more. */
void natty_config_exit(struct natty_net *nn);

/* The active configuration; nn->lock is held. */
struct natty_config *natty_config_active(struct natty_net *nn);

/*
 * A configuration to be staged: equal to @base, or empty with all settings at
 * their defaults. NULL: out of memory.
 */
struct natty_config *natty_config_clone(const struct natty_config *base);
struct natty_config *natty_config_blank(const struct natty_config *base);

/* Release one that nobody can see; or that was active, after a grace period. */
void natty_config_free(struct natty_config *config);
void natty_config_retire(struct natty_config *config);

/*
 * Statements. They change a staged configuration, which after -ENOMEM is good
 * for nothing but natty_config_free(). All sleep. The caller gives the reason
 * of a refusal to user space.
 */

/**
 * natty_config_add_rule() - add a rule to its chain
 * @config: staged
 * @rule: complete; its reference is taken over on success
 * @position: 1 is first, 0 stands for the end
 *
 * Return: 0, -ERANGE (position beyond the end), -ENOSPC, -ENOMEM.
 */
int natty_config_add_rule(struct natty_config *config, struct natty_rule *rule,
			  u32 position);

/* Find a rule by id. False: there is none. */
bool natty_config_find_rule(const struct natty_config *config, u32 id,
			    u8 *chain, u32 *position);

/* Delete @n rules from @position (1 is first) on; they exist. */
void natty_config_del_rules(struct natty_config *config, u8 chain, u32 position,
			    unsigned int n);

/* The pool of that name, no new reference; NULL, or ERR_PTR(-ENOMEM). */
struct natty_pool *natty_config_find_pool(struct natty_config *config,
					  const char *name);

/**
 * natty_config_set_pool() - add a pool or replace the one of its name
 * @config: staged
 * @pool: its reference is taken over on success
 *
 * Rules that use the old one use the new one.
 *
 * Return: 0, -EINVAL (the old one is used and of the other family), -ENOSPC,
 * -ENOMEM.
 */
int natty_config_set_pool(struct natty_config *config, struct natty_pool *pool);

/* Is a pool (NULL: any named pool) used by a rule? */
bool natty_config_uses_pool(const struct natty_config *config,
			    const struct natty_pool *pool);

/* Delete one that stands in it (NULL: all); no rule uses it. */
void natty_config_del_pool(struct natty_config *config,
			   const struct natty_pool *pool);

/* 0, -EEXIST (protocol and external endpoint are taken), -ENOSPC, -ENOMEM. */
int natty_config_add_forward(struct natty_config *config,
			     const struct natty_forward *forward);

/* By protocol and external endpoint. 0, -ENOENT, -ENOMEM. */
int natty_config_del_forward(struct natty_config *config,
			     const struct natty_forward *forward);
void natty_config_del_forwards(struct natty_config *config);

/* Place of the forward with this protocol and external endpoint; -1, -ENOMEM. */
int natty_config_find_forward(struct natty_config *config,
			      const struct natty_forward *key);

/* Let go of the holes and indices that staging needed. */
void natty_config_settle(struct natty_config *config);

/* Note that @to inherits the counter of @from. 0 or -ENOMEM. */
int natty_config_add_heir(struct natty_config *config, struct natty_rule *from,
			  struct natty_rule *to);

/* How many flows a rule decided, over all CPUs. */
u64 natty_rule_flows(const struct natty_rule *rule);

/* Can a rule of the chain concern a packet that passes this device? */
static inline bool natty_config_gate(const struct natty_config *config, u8 chain,
				     const struct net_device *dev)
{
	return config->nrules[chain] &&
	       natty_ruleset_gate(config->chain[chain], chain, dev);
}

static inline u32 natty_setting(const struct natty_config *config,
				enum natty_setting id)
{
	return config->set.value[id];
}

#endif
