/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_TXN_H
#define NATTY_TXN_H

#include <linux/list.h>
#include <linux/netlink.h>

struct natty_config;
struct natty_net;

/* Most transactions that may be open in a network namespace. */
#define NATTY_TXNS_MAX	16

/**
 * struct natty_txns - open transactions of a namespace
 * @list: of struct txn, under nn->lock
 * @n: how many, under nn->lock
 */
struct natty_txns {
	struct list_head list;
	unsigned int n;
};

void natty_txn_init(struct natty_net *nn);

/* Abandon all. */
void natty_txn_exit(struct natty_net *nn);

/*
 * All of the following are called in process context without nn->lock.
 * @portid names the socket.
 */

/* Open a transaction. 0, -EBUSY (has one), -ENOSPC (too many), -ENOMEM. */
int natty_txn_begin(struct natty_net *nn, u32 portid, bool fresh,
		    struct netlink_ext_ack *extack);

/**
 * natty_txn_commit() - close a transaction, applying it
 * @nn: network namespace
 * @portid: socket
 * @check: only find out whether that would be possible
 * @generation: gets that of the configuration afterwards
 * @extack: gets the reason of a failure
 *
 * Return: 0; or a negative error, and the transaction left no trace.
 */
int natty_txn_commit(struct natty_net *nn, u32 portid, bool check,
		     u32 *generation, struct netlink_ext_ack *extack);

/* Close a transaction without effect. 0 or -ENOENT. */
int natty_txn_abort(struct natty_net *nn, u32 portid,
		    struct netlink_ext_ack *extack);

/**
 * struct natty_edit - one statement under way
 * @nn: network namespace; its lock is held
 * @txn: transaction it belongs to, or NULL: it is one by itself
 * @config: what to change
 */
struct natty_edit {
	struct natty_net *nn;
	struct natty_txn *txn;
	struct natty_config *config;
};

/* Begin a statement. 0, or -ENOMEM and nothing to end. */
int natty_edit_begin(struct natty_edit *edit, struct natty_net *nn, u32 portid);

/*
 * End a statement of which @err came. Alone, it takes effect or is forgotten;
 * in a transaction, that can no longer be committed if it was refused.
 */
int natty_edit_end(struct natty_edit *edit, int err,
		   struct netlink_ext_ack *extack);

/* The socket is gone: abandon its transaction. */
void natty_txn_forget(struct natty_net *nn, u32 portid);

#endif
