// SPDX-License-Identifier: GPL-2.0
/* A configuration: making, changing and releasing one. */

#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "config.h"
#include "netns.h"
#include "txn.h"

/* Releases retired configurations. */
static struct workqueue_struct *retire_wq;

int natty_config_setup(void)
{
	retire_wq = alloc_workqueue("natty-config", WQ_UNBOUND, 0);
	return retire_wq ? 0 : -ENOMEM;
}

void natty_config_teardown(void)
{
	rcu_barrier();	/* queues the work of every retired configuration */
	destroy_workqueue(retire_wq);
}

struct natty_config *natty_config_active(struct natty_net *nn)
{
	return rcu_dereference_protected(nn->config,
					 lockdep_is_held(&nn->lock));
}

struct natty_config *natty_config_blank(const struct natty_config *base)
{
	struct natty_config *config = kvzalloc(sizeof(*config),
					       GFP_KERNEL_ACCOUNT);

	if (!config)
		return NULL;
	config->generation = base->generation;
	config->next_id = base->next_id;
	natty_settings_init(&config->set);
	return config;
}

/* A copy of an array with room for one more. */
static void *copy_array(const void *array, unsigned int n, size_t size,
			unsigned int *room)
{
	void *copy = kvmalloc_array(n + 1, size, GFP_KERNEL_ACCOUNT);

	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, array, n * size);
	*room = n + 1;
	return copy;
}

static int clone_rules(struct natty_config *config,
		       const struct natty_config *base, unsigned int chain)
{
	unsigned int i, n = base->nrules[chain];

	config->rule[chain] = copy_array(base->rule[chain], n,
					 sizeof(*config->rule[chain]),
					 &config->rule_room[chain]);
	if (!config->rule[chain])
		return -ENOMEM;
	config->nrules[chain] = n;
	for (i = 0; i < n; i++)
		natty_rule_get(config->rule[chain][i]);
	return 0;
}

static int clone_pools(struct natty_config *config,
		       const struct natty_config *base)
{
	unsigned int i;

	config->pool = copy_array(base->pool, base->npools,
				  sizeof(*config->pool), &config->pool_room);
	if (!config->pool)
		return -ENOMEM;
	config->npools = base->npools;
	for (i = 0; i < config->npools; i++)
		natty_pool_get(config->pool[i]);
	return 0;
}

static int clone_forwards(struct natty_config *config,
			  const struct natty_config *base)
{
	config->forward = copy_array(base->forward, base->nforwards,
				     sizeof(*config->forward),
				     &config->forward_room);
	if (!config->forward)
		return -ENOMEM;
	config->nforwards = base->nforwards;
	return 0;
}

struct natty_config *natty_config_clone(const struct natty_config *base)
{
	struct natty_config *config = natty_config_blank(base);
	unsigned int chain;
	int err;

	if (!config)
		return NULL;
	config->set = base->set;
	err = clone_pools(config, base) ?: clone_forwards(config, base);
	for (chain = 0; chain < NATTY_CHAINS && !err; chain++)
		err = clone_rules(config, base, chain);
	if (err) {
		natty_config_free(config);
		return NULL;
	}
	return config;
}

static void free_chain(struct natty_config *config, unsigned int chain)
{
	unsigned int i;

	if (config->handed & BIT(chain))
		return;
	if (config->chain[chain])
		natty_ruleset_free(config->chain[chain]);
	for (i = 0; i < config->nrules[chain]; i++)
		natty_rule_put(config->rule[chain][i]);
	kvfree(config->rule[chain]);
}

void natty_config_free(struct natty_config *config)
{
	unsigned int i;

	for (i = 0; i < NATTY_CHAINS; i++)
		free_chain(config, i);
	for (i = 0; i < config->npools; i++)
		natty_pool_put(config->pool[i]);
	for (i = 0; i < config->nheirs; i++) {
		natty_rule_put(config->heir[i].from);
		natty_rule_put(config->heir[i].to);
	}
	natty_external_put(config->external);
	kvfree(config->pool);
	kvfree(config->forward);
	kvfree(config->heir);
	natty_index_free(&config->pool_index);
	natty_index_free(&config->forward_index);
	kvfree(config);
}

static void retire(struct work_struct *work)
{
	natty_config_free(container_of(to_rcu_work(work), struct natty_config,
				       work));
}

void natty_config_retire(struct natty_config *config)
{
	INIT_RCU_WORK(&config->work, retire);
	queue_rcu_work(retire_wq, &config->work);
}

int natty_config_init(struct natty_net *nn)
{
	struct natty_config *config;
	unsigned int chain;

	config = kvzalloc(sizeof(*config), GFP_KERNEL_ACCOUNT);
	if (!config)
		return -ENOMEM;
	config->generation = 1;
	config->next_id = 1;
	natty_settings_init(&config->set);
	for (chain = 0; chain < NATTY_CHAINS; chain++) {
		config->chain[chain] = natty_ruleset_compile(NULL, 0);
		if (!config->chain[chain]) {
			natty_config_free(config);
			return -ENOMEM;
		}
	}
	natty_txn_init(nn);
	RCU_INIT_POINTER(nn->config, config);
	return 0;
}

void natty_config_exit(struct natty_net *nn)
{
	struct natty_config *config = rcu_dereference_protected(nn->config, 1);

	natty_txn_exit(nn);
	RCU_INIT_POINTER(nn->config, NULL);
	natty_config_free(config);
}

/**
 * make_room() - let an array have room for one more
 * @array: NULL, or from kvmalloc(); released if a larger one is returned
 * @room: number of elements it has room for; follows
 * @n: how many there are
 * @size: of an element
 *
 * Return: the array, or ERR_PTR(-ENOSPC, -ENOMEM) and nothing changed.
 */
static void *make_room(void *array, unsigned int *room, unsigned int n,
		       size_t size)
{
	unsigned int want = max(16U, *room * 2);
	void *larger;

	if (n < *room)
		return array;
	if (n >= NATTY_CONFIG_ENTRIES_MAX)
		return ERR_PTR(-ENOSPC);
	larger = kvmalloc_array(want, size, GFP_KERNEL_ACCOUNT);
	if (!larger)
		return ERR_PTR(-ENOMEM);
	if (n)
		memcpy(larger, array, n * size);
	kvfree(array);
	*room = want;
	return larger;
}

int natty_config_add_rule(struct natty_config *config, struct natty_rule *rule,
			  u32 position)
{
	u8 chain = rule->chain;
	unsigned int n = config->nrules[chain];
	struct natty_rule **rules;

	if (!position)
		position = n + 1;
	if (position > n + 1)
		return -ERANGE;
	rules = make_room(config->rule[chain], &config->rule_room[chain], n,
			  sizeof(*rules));
	if (IS_ERR(rules))
		return PTR_ERR(rules);
	config->rule[chain] = rules;
	rules += position - 1;
	memmove(rules + 1, rules, (n - (position - 1)) * sizeof(*rules));
	*rules = rule;
	config->nrules[chain]++;
	return 0;
}

bool natty_config_find_rule(const struct natty_config *config, u32 id,
			    u8 *chain, u32 *position)
{
	unsigned int c, i;

	for (c = 0; c < NATTY_CHAINS; c++)
		for (i = 0; i < config->nrules[c]; i++)
			if (config->rule[c][i]->id == id) {
				*chain = c;
				*position = i + 1;
				return true;
			}
	return false;
}

void natty_config_del_rules(struct natty_config *config, u8 chain, u32 position,
			    unsigned int n)
{
	struct natty_rule **rules = config->rule[chain] + position - 1;
	unsigned int i, after;

	for (i = 0; i < n; i++)
		natty_rule_put(rules[i]);
	after = config->nrules[chain] - (position - 1) - n;
	if (after)
		memmove(rules, rules + n, after * sizeof(*rules));
	config->nrules[chain] -= n;
}

int natty_config_add_heir(struct natty_config *config, struct natty_rule *from,
			  struct natty_rule *to)
{
	struct natty_heir *heir;

	heir = make_room(config->heir, &config->heir_room, config->nheirs,
			 sizeof(*heir));
	if (IS_ERR(heir))
		return PTR_ERR(heir);
	config->heir = heir;
	natty_rule_get(from);
	natty_rule_get(to);
	heir[config->nheirs++] = (struct natty_heir){ from, to };
	return 0;
}

static u32 hash_name(const struct natty_index *index, const char *name)
{
	return jhash(name, strlen(name), index->seed);
}

static int index_pools(struct natty_config *config)
{
	struct natty_index *index = &config->pool_index;
	unsigned int i;
	int err;

	if (index->slot)
		return 0;
	err = natty_index_init(index, config->npools);
	for (i = 0; i < config->npools && !err; i++)
		err = natty_index_add(index,
				      hash_name(index, config->pool[i]->name),
				      i);
	if (err)
		natty_index_free(index);
	return err;
}

/* Place of the pool of that name, -ENOENT or -ENOMEM. */
static int place_pool(struct natty_config *config, const char *name)
{
	struct natty_index *index = &config->pool_index;
	u32 hash, cursor;
	int i;

	if (index_pools(config))
		return -ENOMEM;
	hash = hash_name(index, name);
	cursor = hash;
	while ((i = natty_index_next(index, hash, &cursor)) >= 0)
		if (!strcmp(config->pool[i]->name, name))
			return i;
	return -ENOENT;
}

struct natty_pool *natty_config_find_pool(struct natty_config *config,
					  const char *name)
{
	int i = place_pool(config, name);

	if (i == -ENOMEM)
		return ERR_PTR(i);
	return i < 0 ? NULL : config->pool[i];
}

/* A copy of a rule that uses another pool. */
static struct natty_rule *rule_with_pool(const struct natty_rule *rule,
					 struct natty_pool *pool)
{
	struct natty_rule *copy = natty_rule_alloc();
	u64 __percpu *flows;

	if (!copy)
		return NULL;
	flows = copy->flows;
	*copy = *rule;
	kref_init(&copy->ref);
	copy->flows = flows;
	natty_pool_get(pool);
	copy->pool = pool;
	return copy;
}

/* Let a rule in a configuration use another pool. */
static int change_pool(struct natty_config *config, struct natty_rule **place,
		       struct natty_pool *pool)
{
	struct natty_rule *copy = rule_with_pool(*place, pool);

	if (!copy || natty_config_add_heir(config, *place, copy)) {
		if (copy)
			natty_rule_put(copy);
		return -ENOMEM;
	}
	natty_rule_put(*place);
	*place = copy;
	return 0;
}

/* Let all rules that use pool @from use pool @to. */
static int change_pools(struct natty_config *config,
			const struct natty_pool *from, struct natty_pool *to)
{
	unsigned int c, i;
	int err;

	if (from->family != to->family && natty_config_uses_pool(config, from))
		return -EINVAL;
	for (c = 0; c < NATTY_CHAINS; c++)
		for (i = 0; i < config->nrules[c]; i++) {
			if (config->rule[c][i]->pool != from)
				continue;
			err = change_pool(config, &config->rule[c][i], to);
			if (err)
				return err;
		}
	return 0;
}

int natty_config_set_pool(struct natty_config *config, struct natty_pool *pool)
{
	int err, i = place_pool(config, pool->name);
	struct natty_index *index = &config->pool_index;
	struct natty_pool **pools;

	if (i == -ENOMEM)
		return i;
	if (i >= 0) {
		err = change_pools(config, config->pool[i], pool);
		if (err)
			return err;
		natty_pool_put(config->pool[i]);
		config->pool[i] = pool;
		return 0;
	}
	pools = make_room(config->pool, &config->pool_room, config->npools,
			  sizeof(*pools));
	if (IS_ERR(pools))
		return PTR_ERR(pools);
	config->pool = pools;
	err = natty_index_add(index, hash_name(index, pool->name),
			      config->npools);
	if (!err)
		pools[config->npools++] = pool;
	return err;
}

bool natty_config_uses_pool(const struct natty_config *config,
			    const struct natty_pool *pool)
{
	const struct natty_pool *used;
	unsigned int c, i;

	for (c = 0; c < NATTY_CHAINS; c++)
		for (i = 0; i < config->nrules[c]; i++) {
			used = config->rule[c][i]->pool;
			if (used && (pool ? used == pool : !!*used->name))
				return true;
		}
	return false;
}

void natty_config_del_pool(struct natty_config *config,
			   const struct natty_pool *pool)
{
	unsigned int i, kept = 0;

	for (i = 0; i < config->npools; i++) {
		if (!pool || config->pool[i] == pool)
			natty_pool_put(config->pool[i]);
		else
			config->pool[kept++] = config->pool[i];
	}
	config->npools = kept;
	/* Places have changed: the next search makes a new one. */
	natty_index_free(&config->pool_index);
}

static u32 hash_forward(const struct natty_index *index,
			const struct natty_forward *forward)
{
	u32 first = forward->proto << 16 | (__force u16)forward->ext.port;

	if (forward->family == NFPROTO_IPV4)
		return jhash_2words(first, (__force u32)forward->ext.addr.ip,
				    index->seed);
	return jhash2(forward->ext.addr.all, 4, index->seed ^ first);
}

static int index_forwards(struct natty_config *config)
{
	struct natty_index *index = &config->forward_index;
	unsigned int i;
	int err;

	if (index->slot)
		return 0;
	err = natty_index_init(index, config->nforwards);
	for (i = 0; i < config->nforwards && !err; i++)
		err = natty_index_add(index,
				      hash_forward(index, &config->forward[i]),
				      i);
	if (err)
		natty_index_free(index);
	return err;
}

int natty_config_find_forward(struct natty_config *config,
			      const struct natty_forward *key)
{
	struct natty_index *index = &config->forward_index;
	u32 hash, cursor;
	int i;

	if (index_forwards(config))
		return -ENOMEM;
	hash = hash_forward(index, key);
	cursor = hash;
	while ((i = natty_index_next(index, hash, &cursor)) >= 0) {
		const struct natty_forward *forward = &config->forward[i];

		if (forward->proto == key->proto &&
		    forward->family == key->family &&
		    natty_endpoint_equal(key->family, &forward->ext, &key->ext))
			return i;
	}
	return -1;
}

int natty_config_add_forward(struct natty_config *config,
			     const struct natty_forward *forward)
{
	int err, i = natty_config_find_forward(config, forward);
	struct natty_index *index = &config->forward_index;
	struct natty_forward *array;

	if (i != -1)
		return i < 0 ? i : -EEXIST;
	array = make_room(config->forward, &config->forward_room,
			  config->nforwards, sizeof(*array));
	if (IS_ERR(array))
		return PTR_ERR(array);
	config->forward = array;
	err = natty_index_add(index, hash_forward(index, forward),
			      config->nforwards);
	if (!err)
		array[config->nforwards++] = *forward;
	return err;
}

int natty_config_del_forward(struct natty_config *config,
			     const struct natty_forward *forward)
{
	int i = natty_config_find_forward(config, forward);

	if (i < 0)
		return i == -1 ? -ENOENT : i;
	config->forward[i].proto = 0;
	config->nholes++;
	return 0;
}

void natty_config_del_forwards(struct natty_config *config)
{
	config->nforwards = 0;
	config->nholes = 0;
	natty_index_free(&config->forward_index);
}

void natty_config_settle(struct natty_config *config)
{
	unsigned int i, kept = 0;

	natty_index_free(&config->pool_index);
	natty_index_free(&config->forward_index);
	if (!config->nholes)
		return;
	for (i = 0; i < config->nforwards; i++)
		if (config->forward[i].proto)
			config->forward[kept++] = config->forward[i];
	config->nforwards = kept;
	config->nholes = 0;
}

u64 natty_rule_flows(const struct natty_rule *rule)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(rule->flows, cpu));
	return sum;
}
