// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "external.h"
#include "nat.h"
#include "netns.h"

/* The addresses that netmap makes of others. */
static int add_network(struct natty_addrset *set, const struct natty_rule *rule)
{
	union nf_inet_addr min = {}, max;

	memset(&max, 0xff, sizeof(max));
	natty_nat_netmap(rule, rule->family, &min);
	natty_nat_netmap(rule, rule->family, &max);
	return natty_addrset_add(set, rule->family, &min, &max);
}

static int compare_pointers(const void *x, const void *y)
{
	const void *a = *(void * const *)x, *b = *(void * const *)y;

	return a == b ? 0 : a < b ? -1 : 1;
}

/* Many rules may use one large pool: look at it once. */
static int add_pools(struct natty_addrset *set, const struct natty_pool **pool,
		     unsigned int n)
{
	unsigned int i;
	int err = 0;

	sort(pool, n, sizeof(*pool), compare_pointers, NULL);
	for (i = 0; i < n && !err; i++)
		if (!i || pool[i] != pool[i - 1])
			err = natty_addrset_add_pool(set, pool[i]);
	return err;
}

/* What rules of a chain that translates sources have. */
static int add_chain(struct natty_external *external,
		     const struct natty_config *config, u8 chain)
{
	unsigned int i, npools = 0;
	const struct natty_pool **pool;
	int err = 0;

	if (!config->nrules[chain])
		return 0;
	pool = kvmalloc_array(config->nrules[chain], sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	for (i = 0; i < config->nrules[chain] && !err; i++) {
		const struct natty_rule *rule = config->rule[chain][i];

		if (rule->action == NATTY_ACTION_MASQUERADE)
			external->masquerades = true;
		else if (rule->action == NATTY_ACTION_NETMAP)
			err = add_network(&external->set, rule);
		else if (rule->pool && (!npools || rule->pool != pool[npools - 1]))
			pool[npools++] = rule->pool;
	}
	err = err ?: add_pools(&external->set, pool, npools);
	kvfree(pool);
	return err;
}

static int add_forwards(struct natty_addrset *set,
			const struct natty_config *config)
{
	const struct natty_forward *forward, *last = NULL;
	unsigned int i;
	int err = 0;

	for (i = 0; i < config->nforwards && !err; i++, last = forward) {
		forward = &config->forward[i];
		/* Mostly they are of a few addresses, one after the other. */
		if (last && last->family == forward->family &&
		    natty_addr_equal(forward->family, &last->ext.addr,
				     &forward->ext.addr))
			continue;
		err = natty_addrset_add(set, forward->family,
					&forward->ext.addr, &forward->ext.addr);
	}
	return err;
}

struct natty_external *natty_external_new(const struct natty_config *config)
{
	struct natty_external *external = kzalloc(sizeof(*external), GFP_KERNEL);

	if (!external)
		return NULL;
	kref_init(&external->ref);
	if (add_chain(external, config, NATTY_CHAIN_POSTROUTING) ||
	    add_chain(external, config, NATTY_CHAIN_INPUT) ||
	    add_forwards(&external->set, config)) {
		natty_external_put(external);
		return NULL;
	}
	natty_addrset_seal(&external->set);
	return external;
}

void natty_external_get(struct natty_external *external)
{
	kref_get(&external->ref);
}

static void release(struct kref *ref)
{
	struct natty_external *external = container_of(ref, struct natty_external,
						       ref);

	natty_addrset_free(&external->set);
	kfree(external);
}

void natty_external_put(struct natty_external *external)
{
	if (external)
		kref_put(&external->ref, release);
}

/* Is it the address of an interface that rules of postrouting are about? */
static bool may_masquerade(const struct natty_net *nn,
			   const struct natty_config *config, u8 family,
			   const union nf_inet_addr *addr)
{
	const struct net_device *dev = natty_nat_addr_dev(nn->net, family, addr);

	return dev && natty_config_gate(config, NATTY_CHAIN_POSTROUTING, dev);
}

bool natty_external_configured(const struct natty_net *nn,
			       const struct natty_config *config, u8 family,
			       const union nf_inet_addr *addr)
{
	const struct natty_external *external = config->external;

	/* The configuration of a namespace that never had one. */
	if (!external)
		return false;
	return natty_addrset_contains(&external->set, family, addr) ||
	       (external->masquerades && may_masquerade(nn, config, family, addr));
}

bool natty_external_is(const struct natty_net *nn,
		       const struct natty_config *config, u8 family,
		       const union nf_inet_addr *addr)
{
	return natty_external_configured(nn, config, family, addr) ||
	       natty_port_addr_used(nn, family, addr);
}
