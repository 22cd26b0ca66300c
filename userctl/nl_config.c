// SPDX-License-Identifier: GPL-2.0
/* The configuration: transactions, statements by the batch, and reading it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nl_msg.h"
#include "nl_socket.h"
#include "userctl.h"

#define BATCH_COUNT	1024
#define LOAD_TRIES	10

int nl_txn_begin(struct nl *nl, bool replace)
{
	struct nlmsghdr *nlh = socket_request(nl, NATTY_CMD_TXN_BEGIN);

	if (replace)
		mnl_attr_put(nlh, NATTY_A_TXN_REPLACE, 0, NULL);
	return socket_exchange(nl, nlh, NULL);
}

int nl_txn_commit(struct nl *nl, bool dry_run)
{
	struct nlmsghdr *nlh = socket_request(nl, NATTY_CMD_TXN_COMMIT);

	if (dry_run)
		mnl_attr_put(nlh, NATTY_A_TXN_DRY_RUN, 0, NULL);
	return socket_exchange(nl, nlh, NULL);
}

/* Statements under way in one sendmsg(). */
struct batch {
	size_t first;		/* index of the first of them */
	size_t count;
	size_t len;
	uint32_t seq;		/* of the first of them */
	uint32_t at[BATCH_COUNT];
	void (*refused)(const struct nl_error *error, void *data);
	void *data;
	size_t errors;
};

static void take_refusal(struct nl *nl, struct batch *batch,
			 const struct nlmsghdr *nlh)
{
	uint32_t index = nlh->nlmsg_seq - batch->seq;
	struct nl_error error;

	if (nlh->nlmsg_type != NLMSG_ERROR || index >= batch->count)
		return;
	socket_read_error(nlh, (void *)(nl->request + batch->at[index]), &error);
	if (!error.code)
		return;
	error.index = batch->first + index;
	batch->errors++;
	batch->refused(&error, batch->data);
}

/* The kernel has answered by the time that sendmsg() returns. */
static int send_batch(struct nl *nl, struct batch *batch)
{
	const struct nlmsghdr *nlh;
	ssize_t got;
	int len;

	if (!batch->count)
		return 0;
	if (mnl_socket_sendto(nl->socket, nl->request, batch->len) < 0)
		return socket_fail(nl, errno, "cannot send to the kernel: %s",
			    strerror(errno));
	while ((got = socket_receive(nl, MSG_DONTWAIT)) >= 0) {
		len = got;
		for (nlh = (void *)nl->buffer; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			take_refusal(nl, batch, nlh);
	}
	batch->first += batch->count;
	batch->count = 0;
	batch->len = 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return socket_fail(nl, errno, "%s", errno == ENOBUFS ?
			   "too many errors to list" :
			   "cannot receive from the kernel");
}

static void add_to_batch(struct nl *nl, struct batch *batch,
			 const struct statement *statement)
{
	struct nlmsghdr *nlh;

	nlh = socket_start(nl, nl->request + batch->len,
			   msg_statement_command(statement), 0);
	msg_put_statement(nlh, statement);
	if (!batch->count)
		batch->seq = nlh->nlmsg_seq;
	batch->at[batch->count++] = batch->len;
	batch->len += MNL_ALIGN(nlh->nlmsg_len);
}

int nl_statements(struct nl *nl, const struct statement *const *list,
		  size_t count,
		  void (*refused)(const struct nl_error *error, void *data),
		  void *data)
{
	struct batch *batch = xrealloc(NULL, sizeof(*batch));
	size_t i, size;
	int ret = 0;

	memset(batch, 0, sizeof(*batch));
	batch->refused = refused;
	batch->data = data;
	nl->error.code = 0;
	for (i = 0; i < count && !ret; i++) {
		size = msg_statement_size(list[i]);
		if (batch->count == BATCH_COUNT ||
		    batch->len + size > BATCH_SIZE)
			ret = send_batch(nl, batch);
		if (batch->len + size > nl->room) {
			nl->room = batch->len + size;
			nl->request = xrealloc(nl->request, nl->room);
		}
		add_to_batch(nl, batch, list[i]);
	}
	if (!ret)
		ret = send_batch(nl, batch);
	if (!ret && batch->errors)
		ret = -1;
	free(batch);
	return ret;
}

int nl_statement(struct nl *nl, const struct statement *statement)
{
	size_t size = msg_statement_size(statement);
	struct nlmsghdr *nlh;

	if (size > nl->room) {
		nl->room = size;
		nl->request = xrealloc(nl->request, nl->room);
	}
	nlh = socket_request(nl, msg_statement_command(statement));
	msg_put_statement(nlh, statement);
	return socket_exchange(nl, nlh, NULL);
}

int nl_rule_delete(struct nl *nl, const uint32_t *id,
		   const enum natty_chain *chain, const uint32_t *position)
{
	struct nlmsghdr *nlh = socket_request(nl, NATTY_CMD_RULE_DEL);

	if (id)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_ID, *id);
	if (chain)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_CHAIN, *chain);
	if (position)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_POSITION, *position);
	return socket_exchange(nl, nlh, NULL);
}

int nl_pool_delete(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh = socket_request(nl, NATTY_CMD_POOL_DEL);

	if (name)
		mnl_attr_put_strz(nlh, NATTY_A_POOL_NAME, name);
	return socket_exchange(nl, nlh, NULL);
}

int nl_forward_delete(struct nl *nl, const struct forward *forward)
{
	struct nlmsghdr *nlh = socket_request(nl, NATTY_CMD_FORWARD_DEL);

	if (forward)
		msg_put_external(nlh, forward);
	return socket_exchange(nl, nlh, NULL);
}

static void each_setting(const struct nlmsghdr *nlh, void *data)
{
	msg_get_setting(nlh, data);
}

int nl_setting(struct nl *nl, const char *key, struct setting *setting)
{
	struct reply reply = { .each = each_setting, .data = setting };
	struct nlmsghdr *nlh = socket_request(nl, NATTY_CMD_SETTING_GET);

	mnl_attr_put_strz(nlh, NATTY_A_SETTING_KEY, key);
	return socket_exchange(nl, nlh, &reply);
}

static void pool_append(struct pool *pool, const struct pool *more)
{
	pool->ranges = xrealloc(pool->ranges, (pool->count + more->count + 1) *
				sizeof(*pool->ranges));
	memcpy(pool->ranges + pool->count, more->ranges,
	       more->count * sizeof(*pool->ranges));
	pool->count += more->count;
}

/* The ranges of a pool may come in several messages, one after the other. */
static bool goes_on(const struct nlmsghdr *nlh, uint8_t command,
		    struct config *config)
{
	struct statement *last;
	struct pool pool;
	bool same;

	if (command != NATTY_CMD_POOL_GET || !config->count)
		return false;
	last = &config->list[config->count - 1];
	if (last->kind != STATEMENT_POOL)
		return false;
	msg_get_pool(nlh, &pool);
	same = !strcmp(pool.name, last->pool.name);
	if (same)
		pool_append(&last->pool, &pool);
	free(pool.ranges);
	return same;
}

static void each_statement(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct config *config = data;
	struct statement *statement;

	if (goes_on(nlh, genl->cmd, config))
		return;
	statement = config_add(config);
	switch (genl->cmd) {
	case NATTY_CMD_SETTING_GET:
	case NATTY_CMD_SETTING_SET:
		statement->kind = STATEMENT_SET;
		msg_get_setting(nlh, &statement->setting);
		break;
	case NATTY_CMD_POOL_GET:
	case NATTY_CMD_POOL_NEW:
		statement->kind = STATEMENT_POOL;
		msg_get_pool(nlh, &statement->pool);
		break;
	case NATTY_CMD_RULE_GET:
	case NATTY_CMD_RULE_NEW:
		statement->kind = STATEMENT_RULE;
		msg_get_rule(nlh, &statement->rule);
		break;
	default:
		statement->kind = STATEMENT_FORWARD;
		msg_get_forward(nlh, &statement->forward);
	}
}

static int load_once(struct nl *nl, unsigned int kinds, struct config *config,
		     bool *torn)
{
	static const uint8_t commands[STATEMENT_KINDS] = {
		[STATEMENT_SET] = NATTY_CMD_SETTING_GET,
		[STATEMENT_POOL] = NATTY_CMD_POOL_GET,
		[STATEMENT_RULE] = NATTY_CMD_RULE_GET,
		[STATEMENT_FORWARD] = NATTY_CMD_FORWARD_GET,
	};
	struct reply reply = { .each = each_statement, .data = config };
	struct status before, after;
	unsigned int kind;

	*torn = false;
	if (nl_status(nl, &before))
		return -1;
	for (kind = 0; kind < STATEMENT_KINDS; kind++)
		if (kinds & 1U << kind &&
		    socket_dump(nl, commands[kind], NULL, &reply))
			return -1;
	if (nl_status(nl, &after))
		return -1;
	*torn = reply.torn || before.generation != after.generation;
	return 0;
}

int nl_load(struct nl *nl, unsigned int kinds, struct config *config)
{
	bool torn = true;
	int i;

	for (i = 0; i < LOAD_TRIES; i++) {
		memset(config, 0, sizeof(*config));
		if (load_once(nl, kinds, config, &torn)) {
			config_free(config);
			return -1;
		}
		if (!torn)
			return 0;
		config_free(config);
	}
	return socket_fail(nl, EAGAIN, "the configuration keeps changing while it is read");
}
