/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talking to the module: the model goes in, the model comes out.
 *
 * Functions return 0, or -1 with the reason in the struct nl_error of the
 * socket, or in the one given to a callback.
 */
#ifndef USERCTL_NL_H
#define USERCTL_NL_H

#include "config.h"
#include "model.h"

struct nl;

struct nl_error {
	int code;		/* errno */
	char message[256];	/* a sentence without a full stop */
	size_t index;		/* of the statement, where there are several */
	bool has_field;
	enum field field;	/* which word it is about */
	unsigned int nth;	/* which of several such words, from 0 */
};

/* Print why not and return NULL, if there is no module to talk to. */
struct nl *nl_open(void);
void nl_close(struct nl *nl);
const struct nl_error *nl_error(const struct nl *nl);

/*
 * A commit ends the transaction in any case; closing the socket abandons it.
 * EBUSY: the configuration changed since it began.
 */
int nl_txn_begin(struct nl *nl, bool replace);
int nl_txn_commit(struct nl *nl, bool dry_run);

/*
 * Send statements without waiting for each. @refused is called for every one
 * that the kernel refuses, in any order. Fails if there is one, or if they
 * could not be sent.
 */
int nl_statements(struct nl *nl, const struct statement *const *list,
		  size_t count,
		  void (*refused)(const struct nl_error *error, void *data),
		  void *data);

/* Send one statement and wait for the answer. */
int nl_statement(struct nl *nl, const struct statement *statement);

/* By id; or by chain and position; or all of a chain; or, without, all. */
int nl_rule_delete(struct nl *nl, const uint32_t *id,
		   const enum natty_chain *chain, const uint32_t *position);

/* NULL: all of them. */
int nl_pool_delete(struct nl *nl, const char *name);
int nl_forward_delete(struct nl *nl, const struct forward *forward);

int nl_status(struct nl *nl, struct status *status);
int nl_setting(struct nl *nl, const char *key, struct setting *setting);

/*
 * Append the active configuration's statements of @kinds, a mask of
 * 1 << enum statement_kind, in that order and all of one generation.
 */
int nl_load(struct nl *nl, unsigned int kinds, struct config *config);

/*
 * Walk a table. What a callback is given does not outlive the call. A walk
 * that the kernel reports as torn counts as done, *@torn being set.
 */
int nl_conns(struct nl *nl, const struct filter *filter,
	     void (*each)(const struct conn *conn), bool *torn);
int nl_mappings(struct nl *nl, void (*each)(const struct mapping *mapping),
		bool *torn);
int nl_stats(struct nl *nl, void (*each)(const struct stat *stat, void *data),
	     void *data);

/* Count, or delete, the connections that match. */
int nl_conn_count(struct nl *nl, const struct filter *filter,
		  uint32_t *count);
int nl_conn_delete(struct nl *nl, const struct filter *filter,
		   uint32_t *count);

/*
 * Wait for events and hand them over until a callback returns false or @stop,
 * a file descriptor, can be read. @event is NULL where the socket overflowed
 * and events were lost.
 */
int nl_monitor(struct nl *nl, bool (*each)(const struct event *event),
	       int stop);

#endif
