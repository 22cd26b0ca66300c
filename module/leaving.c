// SPDX-License-Identifier: GPL-2.0
#include "leaving.h"
#include "netns.h"
#include "walk.h"

/* External addresses of pools, and of rules that give theirs themselves. */
static int collect_pools(struct natty_addrset *set,
			 const struct natty_config *config)
{
	const struct natty_pool *pool;
	unsigned int c, i;
	int err = 0;

	for (i = 0; i < config->npools && !err; i++)
		err = natty_addrset_add_pool(set, config->pool[i]);
	for (c = 0; c < NATTY_CHAINS; c++)
		for (i = 0; i < config->nrules[c] && !err; i++) {
			pool = config->rule[c][i]->pool;
			if (pool && !*pool->name)
				err = natty_addrset_add_pool(set, pool);
		}
	return err;
}

/* All external addresses that a configuration may be using. */
static int collect_used(struct natty_addrset *set,
			const struct natty_config *config)
{
	const struct natty_forward *forward;
	unsigned int i;
	int err;

	err = collect_pools(set, config);
	for (i = 0; i < config->nforwards && !err; i++) {
		forward = &config->forward[i];
		err = natty_addrset_add(set, forward->family,
					&forward->ext.addr, &forward->ext.addr);
	}
	return err;
}

static bool uses_gone(const struct natty_conn *conn,
		      const struct natty_addrset *before,
		      const struct natty_addrset *after)
{
	struct natty_endpoint ext;

	if (!natty_conn_open(conn) || natty_conn_is(conn, NATTY_CONN_MASQUERADE))
		return false;
	if (natty_conn_is(conn, NATTY_CONN_SRC))
		natty_conn_get_end(conn, NATTY_END_NEW_SRC, &ext);
	else if (natty_conn_is(conn, NATTY_CONN_INBOUND))
		natty_conn_get_end(conn, NATTY_END_ORIG_DST, &ext);
	else
		return false;
	return natty_addrset_contains(before, conn->family, &ext.addr) &&
	       !natty_addrset_contains(after, conn->family, &ext.addr);
}

/* Close a connection whose external address is gone. */
static int close_gone(struct natty_net *nn, struct natty_conn *conn, void *arg)
{
	const struct natty_leaving *leaving = arg;

	if (uses_gone(conn, &leaving->before, &leaving->after))
		natty_conn_close(nn, conn, NATTY_COUNT_CONN_DEL);
	return 0;
}

bool natty_leaving_pools_kept(const struct natty_config *old,
			      const struct natty_config *new)
{
	unsigned int chain;

	for (chain = 0; chain < NATTY_CHAINS; chain++)
		if (new->chain[chain])
			return false;
	return old->npools == new->npools &&
	       (!old->npools || !memcmp(old->pool, new->pool,
					old->npools * sizeof(*old->pool)));
}

int natty_leaving_find(struct natty_leaving *leaving,
		       const struct natty_config *old,
		       const struct natty_config *new)
{
	int err;

	/* With nf_nat a flow keeps its translation, whatever becomes of the rule. */
	if (natty_leaving_pools_kept(old, new) ||
	    natty_setting(new, NATTY_SET_PROFILE) == NATTY_PROFILE_IPTABLES)
		return 0;
	err = collect_pools(&leaving->before, old) ?:
	      collect_used(&leaving->after, new);
	if (err)
		return err;
	natty_addrset_seal(&leaving->before);
	natty_addrset_seal(&leaving->after);
	leaving->any = !natty_addrset_covers(&leaving->after, &leaving->before);
	return 0;
}

void natty_leaving_close(struct natty_leaving *leaving, struct natty_net *nn)
{
	struct natty_walk walk = {};

	if (!leaving->any)
		return;
	/* Packets that see the old configuration may still open connections. */
	synchronize_rcu();
	natty_walk_all(nn, &walk, close_gone, leaving);
}

void natty_leaving_free(struct natty_leaving *leaving)
{
	natty_addrset_free(&leaving->before);
	natty_addrset_free(&leaving->after);
}
