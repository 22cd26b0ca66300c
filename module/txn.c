// SPDX-License-Identifier: GPL-2.0
/* Transactions: configurations that sockets are staging. */

#include <linux/slab.h>

#include "commit.h"
#include "config.h"
#include "netns.h"
#include "txn.h"

/**
 * struct natty_txn - an open transaction
 * @node: in natty_txns.list
 * @portid: socket that opened it
 * @fresh: it began with an empty configuration
 * @refused: one of its statements was refused
 * @config: what it stages
 *
 * Everything under nn->lock.
 */
struct natty_txn {
	struct list_head node;
	u32 portid;
	bool fresh;
	bool refused;
	struct natty_config *config;
};

void natty_txn_init(struct natty_net *nn)
{
	INIT_LIST_HEAD(&nn->txns.list);
	nn->txns.n = 0;
}

static struct natty_txn *find(struct natty_net *nn, u32 portid)
{
	struct natty_txn *txn;

	lockdep_assert_held(&nn->lock);
	list_for_each_entry(txn, &nn->txns.list, node)
		if (txn->portid == portid)
			return txn;
	return NULL;
}

/* Take a transaction out; what it staged is the caller's. */
static struct natty_config *close(struct natty_net *nn, struct natty_txn *txn)
{
	struct natty_config *config = txn->config;

	list_del(&txn->node);
	nn->txns.n--;
	kfree(txn);
	return config;
}

void natty_txn_exit(struct natty_net *nn)
{
	struct natty_txn *txn, *next;

	mutex_lock(&nn->lock);
	list_for_each_entry_safe(txn, next, &nn->txns.list, node)
		natty_config_free(close(nn, txn));
	mutex_unlock(&nn->lock);
}

static int open(struct natty_net *nn, u32 portid, bool fresh)
{
	struct natty_config *active = natty_config_active(nn);
	struct natty_txn *txn;

	txn = kzalloc(sizeof(*txn), GFP_KERNEL_ACCOUNT);
	if (!txn)
		return -ENOMEM;
	txn->portid = portid;
	txn->fresh = fresh;
	txn->config = fresh ? natty_config_blank(active) :
			      natty_config_clone(active);
	if (!txn->config) {
		kfree(txn);
		return -ENOMEM;
	}
	list_add(&txn->node, &nn->txns.list);
	nn->txns.n++;
	return 0;
}

int natty_txn_begin(struct natty_net *nn, u32 portid, bool fresh,
		    struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&nn->lock);
	if (find(nn, portid)) {
		NL_SET_ERR_MSG(extack, "this socket has a transaction open");
		err = -EBUSY;
	} else if (nn->txns.n >= NATTY_TXNS_MAX) {
		NL_SET_ERR_MSG(extack, "too many open transactions");
		err = -ENOSPC;
	} else {
		err = open(nn, portid, fresh);
	}
	mutex_unlock(&nn->lock);
	return err;
}

static int commit(struct natty_net *nn, struct natty_txn *txn, bool check,
		  struct netlink_ext_ack *extack)
{
	u32 active = natty_config_active(nn)->generation;
	bool fresh = txn->fresh, refused = txn->refused;
	struct natty_config *config = close(nn, txn);

	if (refused) {
		NL_SET_ERR_MSG(extack,
			       "a statement of the transaction was refused");
		natty_config_free(config);
		return -ECANCELED;
	}
	if (config->generation != active) {
		NL_SET_ERR_MSG(extack,
			       "the configuration changed meanwhile");
		natty_config_free(config);
		return -EBUSY;
	}
	if (check)
		return natty_commit_check(nn, config, fresh, extack);
	return natty_commit(nn, config, fresh, extack);
}

int natty_txn_commit(struct natty_net *nn, u32 portid, bool check,
		     u32 *generation, struct netlink_ext_ack *extack)
{
	struct natty_txn *txn;
	int err;

	mutex_lock(&nn->lock);
	txn = find(nn, portid);
	if (txn) {
		err = commit(nn, txn, check, extack);
		*generation = natty_config_active(nn)->generation;
	} else {
		NL_SET_ERR_MSG(extack, "this socket has no transaction open");
		err = -ENOENT;
	}
	mutex_unlock(&nn->lock);
	return err;
}

int natty_txn_abort(struct natty_net *nn, u32 portid,
		    struct netlink_ext_ack *extack)
{
	struct natty_txn *txn;

	mutex_lock(&nn->lock);
	txn = find(nn, portid);
	if (txn)
		natty_config_free(close(nn, txn));
	mutex_unlock(&nn->lock);
	if (txn)
		return 0;
	NL_SET_ERR_MSG(extack, "this socket has no transaction open");
	return -ENOENT;
}

void natty_txn_forget(struct natty_net *nn, u32 portid)
{
	natty_txn_abort(nn, portid, NULL);
}

int natty_edit_begin(struct natty_edit *edit, struct natty_net *nn, u32 portid)
{
	mutex_lock(&nn->lock);
	edit->nn = nn;
	edit->txn = find(nn, portid);
	if (edit->txn)
		edit->config = edit->txn->config;
	else
		edit->config = natty_config_clone(natty_config_active(nn));
	if (edit->config)
		return 0;
	mutex_unlock(&nn->lock);
	return -ENOMEM;
}

int natty_edit_end(struct natty_edit *edit, int err,
		   struct netlink_ext_ack *extack)
{
	struct natty_net *nn = edit->nn;

	if (edit->txn)
		edit->txn->refused |= err != 0;
	else if (err)
		natty_config_free(edit->config);
	else
		err = natty_commit(nn, edit->config, false, extack);
	mutex_unlock(&nn->lock);
	return err;
}
