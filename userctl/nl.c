// SPDX-License-Identifier: GPL-2.0
/* The socket: requests, dumps, transactions, events, and what went wrong. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl.h"
#include "nl_msg.h"
#include "userctl.h"

#define BUFFER_SIZE	65536	/* the kernel makes no larger message */
#define BATCH_SIZE	32768	/* as much as one sendmsg() carries */
#define BATCH_COUNT	1024
#define SOCKET_BUFFER	(16 << 20)
#define LOAD_TRIES	10

#ifndef NETLINK_EXT_ACK
#define NETLINK_EXT_ACK	11
#endif

struct nl {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t group;
	uint32_t seq;		/* of the last request */
	struct nl_error error;
	char *request;		/* requests that can still be answered */
	size_t room;
	char *buffer;		/* BUFFER_SIZE */
};

/* What becomes of the messages of an answer. */
struct reply {
	void (*each)(const struct nlmsghdr *nlh, void *data);
	void *data;
	bool torn;		/* a dump that a change interrupted */
};

const struct nl_error *nl_error(const struct nl *nl)
{
	return &nl->error;
}

__attribute__((format(printf, 3, 4)))
static int fail(struct nl *nl, int code, const char *format, ...)
{
	va_list args;

	memset(&nl->error, 0, sizeof(nl->error));
	nl->error.code = code;
	va_start(args, format);
	vsnprintf(nl->error.message, sizeof(nl->error.message), format, args);
	va_end(args);
	return -1;
}

/* A sentence for errors that come without one. */
static const char *explain(int code)
{
	switch (code) {
	case EPERM:
	case EACCES:
		return "not permitted: this needs CAP_NET_ADMIN in the network namespace (try sudo)";
	case EOPNOTSUPP:
		return "the loaded module does not know this request: module and userctl differ in version";
	case EBUSY:
		return "the configuration was changed by someone else meanwhile";
	case ENOMEM:
	case ENOBUFS:
		return "the kernel is out of memory";
	default:
		return strerror(code);
	}
}

static struct nlmsghdr *start(struct nl *nl, char *at, uint8_t command,
			      uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = nl->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = NATTY_GENL_VERSION;
	return nlh;
}

/* The attributes of an extended acknowledgement of @request into @error. */
static void read_ack(const struct nlmsghdr *nlh, size_t offset,
		     const struct nlmsghdr *request, struct nl_error *error)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) <= offset)
		return;
	mnl_attr_for_each(attr, nlh, offset) {
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(error->message, sizeof(error->message),
				 "%.*s", mnl_attr_get_payload_len(attr),
				 mnl_attr_get_str(attr));
			break;
		case NLMSGERR_ATTR_OFFS:
			if (request && mnl_attr_get_payload_len(attr) >= 4)
				error->has_field = msg_field(request,
					mnl_attr_get_u32(attr), &error->field,
					&error->nth);
			break;
		}
	}
}

/* Read NLMSG_ERROR, or the NLMSG_DONE of a dump, both of which begin alike. */
static void read_error(const struct nlmsghdr *nlh,
		       const struct nlmsghdr *request, struct nl_error *error)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(int);

	memset(error, 0, sizeof(*error));
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(int))
		return;
	error->code = -answer->error;
	if (!error->code)
		return;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		offset = sizeof(*answer);
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED) &&
		    mnl_nlmsg_get_payload_len(nlh) >= offset)
			offset += mnl_nlmsg_get_payload_len(&answer->msg);
	}
	read_ack(nlh, offset, request, error);
	if (!error->message[0])
		snprintf(error->message, sizeof(error->message), "%s",
			 explain(error->code));
}

/*
 * Handle one message of the answer to @request. Returns 1 if it is the last,
 * 0 if more follow, -1 on an error.
 */
static int take_message(struct nl *nl, const struct nlmsghdr *nlh,
			const struct nlmsghdr *request, struct reply *reply)
{
	/* Late answers to what was sent before are nobody's any more. */
	if (nlh->nlmsg_seq != request->nlmsg_seq)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR && reply)
		reply->torn = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		read_error(nlh, request, &nl->error);
		return nl->error.code ? -1 : 1;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return 0;
	if (reply && reply->each)
		reply->each(nlh, reply->data);
	return 0;
}

static ssize_t receive(struct nl *nl, int flags)
{
	ssize_t len;

	do {
		len = recv(mnl_socket_get_fd(nl->socket), nl->buffer,
			   BUFFER_SIZE, flags);
	} while (len < 0 && errno == EINTR);
	return len;
}

/* Send @request, which asks for an acknowledgement or a dump, and wait. */
static int exchange(struct nl *nl, const struct nlmsghdr *request,
		    struct reply *reply)
{
	const struct nlmsghdr *nlh;
	ssize_t got;
	int len, done = 0;

	memset(&nl->error, 0, sizeof(nl->error));
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return fail(nl, errno, "cannot send to the kernel: %s",
			    strerror(errno));
	while (!done) {
		got = receive(nl, 0);
		if (got < 0)
			return fail(nl, errno,
				    "cannot receive from the kernel: %s",
				    strerror(errno));
		len = got;
		for (nlh = (void *)nl->buffer; mnl_nlmsg_ok(nlh, len) && !done;
		     nlh = mnl_nlmsg_next(nlh, &len))
			done = take_message(nl, nlh, request, reply);
	}
	return done < 0 ? -1 : 0;
}

/* A request with an acknowledgement, for the single buffer. */
static struct nlmsghdr *request(struct nl *nl, uint8_t command)
{
	return start(nl, nl->request, command, NLM_F_ACK);
}

static void read_group(const struct nlattr *nest, uint32_t *group)
{
	const struct nlattr *in, *attr;
	const char *name;
	uint32_t id;

	mnl_attr_for_each_nested(in, nest) {
		name = "";
		id = 0;
		mnl_attr_for_each_nested(attr, in) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
				name = mnl_attr_get_str(attr);
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				id = mnl_attr_get_u32(attr);
		}
		if (!strcmp(name, NATTY_MCGRP_EVENTS))
			*group = id;
	}
}

static void read_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	struct nl *nl = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			nl->family = mnl_attr_get_u16(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			read_group(attr, &nl->group);
	}
}

static int find_family(struct nl *nl)
{
	struct reply reply = { .each = read_family, .data = nl };
	struct nlmsghdr *nlh;

	nlh = request(nl, CTRL_CMD_GETFAMILY);
	nlh->nlmsg_type = GENL_ID_CTRL;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, NATTY_GENL_NAME);
	if (!exchange(nl, nlh, &reply) && nl->family)
		return 0;
	if (nl->error.code == ENOENT || !nl->error.code)
		fprintf(stderr,
			"userctl: the kernel module natty is not loaded: try modprobe natty, or insmod natty.ko\n");
	else
		fprintf(stderr, "userctl: %s\n", nl->error.message);
	return -1;
}

static void set_option(struct nl *nl, int level, int option, int value)
{
	/* All of them are refinements; userctl works without. */
	setsockopt(mnl_socket_get_fd(nl->socket), level, option, &value,
		   sizeof(value));
}

struct nl *nl_open(void)
{
	struct nl *nl = xrealloc(NULL, sizeof(*nl));

	memset(nl, 0, sizeof(*nl));
	nl->room = BATCH_SIZE + BUFFER_SIZE;
	nl->request = xrealloc(NULL, nl->room);
	nl->buffer = xrealloc(NULL, BUFFER_SIZE);
	nl->socket = mnl_socket_open(NETLINK_GENERIC);
	if (!nl->socket ||
	    mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		fprintf(stderr, "userctl: cannot open a netlink socket: %s\n",
			strerror(errno));
		nl_close(nl);
		return NULL;
	}
	set_option(nl, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	set_option(nl, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	/* Room for the errors of a whole batch, and for bursts of events. */
	set_option(nl, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	set_option(nl, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
	/* Pools of thousands of ranges make long messages. */
	set_option(nl, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	set_option(nl, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
	if (find_family(nl)) {
		nl_close(nl);
		return NULL;
	}
	return nl;
}

void nl_close(struct nl *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	free(nl->request);
	free(nl->buffer);
	free(nl);
}

int nl_txn_begin(struct nl *nl, bool replace)
{
	struct nlmsghdr *nlh = request(nl, NATTY_CMD_TXN_BEGIN);

	if (replace)
		mnl_attr_put(nlh, NATTY_A_TXN_REPLACE, 0, NULL);
	return exchange(nl, nlh, NULL);
}

int nl_txn_commit(struct nl *nl, bool dry_run)
{
	struct nlmsghdr *nlh = request(nl, NATTY_CMD_TXN_COMMIT);

	if (dry_run)
		mnl_attr_put(nlh, NATTY_A_TXN_DRY_RUN, 0, NULL);
	return exchange(nl, nlh, NULL);
}

int nl_txn_abort(struct nl *nl)
{
	return exchange(nl, request(nl, NATTY_CMD_TXN_ABORT), NULL);
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
	read_error(nlh, (void *)(nl->request + batch->at[index]), &error);
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
		return fail(nl, errno, "cannot send to the kernel: %s",
			    strerror(errno));
	while ((got = receive(nl, MSG_DONTWAIT)) >= 0) {
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
	return fail(nl, errno, errno == ENOBUFS ?
		    "too many errors to list" : "cannot receive from the kernel");
}

static void add_to_batch(struct nl *nl, struct batch *batch,
			 const struct statement *statement)
{
	struct nlmsghdr *nlh;

	nlh = start(nl, nl->request + batch->len,
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
	nlh = request(nl, msg_statement_command(statement));
	msg_put_statement(nlh, statement);
	return exchange(nl, nlh, NULL);
}

int nl_rule_delete(struct nl *nl, const uint32_t *id,
		   const enum natty_chain *chain, const uint32_t *position)
{
	struct nlmsghdr *nlh = request(nl, NATTY_CMD_RULE_DEL);

	if (id)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_ID, *id);
	if (chain)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_CHAIN, *chain);
	if (position)
		mnl_attr_put_u32(nlh, NATTY_A_RULE_POSITION, *position);
	return exchange(nl, nlh, NULL);
}

int nl_pool_delete(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh = request(nl, NATTY_CMD_POOL_DEL);

	if (name)
		mnl_attr_put_strz(nlh, NATTY_A_POOL_NAME, name);
	return exchange(nl, nlh, NULL);
}

int nl_forward_delete(struct nl *nl, const struct forward *forward)
{
	struct nlmsghdr *nlh = request(nl, NATTY_CMD_FORWARD_DEL);

	if (forward)
		msg_put_external(nlh, forward);
	return exchange(nl, nlh, NULL);
}

static void each_status(const struct nlmsghdr *nlh, void *data)
{
	msg_get_status(nlh, data);
}

int nl_status(struct nl *nl, struct status *status)
{
	struct reply reply = { .each = each_status, .data = status };

	return exchange(nl, request(nl, NATTY_CMD_STATUS_GET), &reply);
}

static void each_setting(const struct nlmsghdr *nlh, void *data)
{
	msg_get_setting(nlh, data);
}

int nl_setting(struct nl *nl, const char *key, struct setting *setting)
{
	struct reply reply = { .each = each_setting, .data = setting };
	struct nlmsghdr *nlh = request(nl, NATTY_CMD_SETTING_GET);

	mnl_attr_put_strz(nlh, NATTY_A_SETTING_KEY, key);
	return exchange(nl, nlh, &reply);
}

static int dump(struct nl *nl, uint8_t command, const struct filter *filter,
		struct reply *reply)
{
	struct nlmsghdr *nlh = start(nl, nl->request, command, NLM_F_DUMP);

	if (filter)
		msg_put_filter(nlh, filter);
	return exchange(nl, nlh, reply);
}

static void each_statement(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct config *config = data;
	struct statement *statement;

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
		    dump(nl, commands[kind], NULL, &reply))
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
	return fail(nl, EAGAIN, "the configuration keeps changing while it is read");
}

static void each_conn(const struct nlmsghdr *nlh, void *data)
{
	void (**each)(const struct conn *conn) = data;
	struct conn conn;

	msg_get_conn(nlh, &conn, NULL);
	(*each)(&conn);
}

int nl_conns(struct nl *nl, const struct filter *filter,
	     void (*each)(const struct conn *conn), bool *torn)
{
	struct reply reply = { .each = each_conn, .data = &each };
	int ret = dump(nl, NATTY_CMD_CONN_GET, filter, &reply);

	*torn = reply.torn;
	return ret;
}

static void each_mapping(const struct nlmsghdr *nlh, void *data)
{
	void (**each)(const struct mapping *mapping) = data;
	struct mapping mapping;

	msg_get_mapping(nlh, &mapping);
	(*each)(&mapping);
}

int nl_mappings(struct nl *nl, void (*each)(const struct mapping *mapping),
		bool *torn)
{
	struct reply reply = { .each = each_mapping, .data = &each };
	int ret = dump(nl, NATTY_CMD_MAPPING_GET, NULL, &reply);

	*torn = reply.torn;
	return ret;
}

struct stat_walk {
	void (*each)(const struct stat *stat, void *data);
	void *data;
};

static void each_stat(const struct nlmsghdr *nlh, void *data)
{
	struct stat_walk *walk = data;
	struct stat stat;

	msg_get_stat(nlh, &stat);
	walk->each(&stat, walk->data);
}

int nl_stats(struct nl *nl, void (*each)(const struct stat *stat, void *data),
	     void *data)
{
	struct stat_walk walk = { each, data };
	struct reply reply = { .each = each_stat, .data = &walk };

	return dump(nl, NATTY_CMD_STAT_GET, NULL, &reply);
}

static void each_count(const struct nlmsghdr *nlh, void *data)
{
	*(uint32_t *)data = msg_get_count(nlh);
}

static int count_conns(struct nl *nl, uint8_t command,
		       const struct filter *filter, uint32_t *count)
{
	struct reply reply = { .each = each_count, .data = count };
	struct nlmsghdr *nlh = request(nl, command);

	*count = 0;
	if (filter)
		msg_put_filter(nlh, filter);
	return exchange(nl, nlh, &reply);
}

int nl_conn_count(struct nl *nl, const struct filter *filter, uint32_t *count)
{
	return count_conns(nl, NATTY_CMD_CONN_COUNT, filter, count);
}

int nl_conn_delete(struct nl *nl, const struct filter *filter,
		   uint32_t *count)
{
	return count_conns(nl, NATTY_CMD_CONN_DEL, filter, count);
}

/* Returns whether to go on. */
static bool take_event(const struct nlmsghdr *nlh,
		       bool (*each)(const struct event *event))
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct event event = { 0 };

	switch (genl->cmd) {
	case NATTY_CMD_CONN_NEW_NTF:
		event.kind = EVENT_NEW;
		msg_get_conn(nlh, &event.conn, &event.seq);
		break;
	case NATTY_CMD_CONN_DEL_NTF:
		event.kind = EVENT_END;
		msg_get_conn(nlh, &event.conn, &event.seq);
		break;
	case NATTY_CMD_LIMIT_NTF:
		event.kind = EVENT_LIMIT;
		msg_get_stat(nlh, &event.stat);
		break;
	default:
		return true;
	}
	return each(&event);
}

int nl_monitor(struct nl *nl, bool (*each)(const struct event *event),
	       const sigset_t *signals, const volatile sig_atomic_t *stop)
{
	struct pollfd poll = {
		.fd = mnl_socket_get_fd(nl->socket),
		.events = POLLIN,
	};
	const struct nlmsghdr *nlh;
	bool more = true;
	ssize_t got;
	int len;

	if (!nl->group)
		return fail(nl, ENOENT, "the loaded module has no events");
	if (mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP,
				  &nl->group, sizeof(nl->group)) < 0)
		return fail(nl, errno, "%s", explain(errno));
	while (more && !*stop) {
		if (ppoll(&poll, 1, NULL, signals) < 0) {
			if (errno == EINTR)
				continue;
			return fail(nl, errno, "cannot wait for events: %s",
				    strerror(errno));
		}
		got = receive(nl, MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS)
			more = each(NULL);
		else if (got < 0 && errno != EAGAIN)
			return fail(nl, errno, "cannot receive events: %s",
				    strerror(errno));
		len = got < 0 ? 0 : got;
		for (nlh = (void *)nl->buffer; more && mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			if (nlh->nlmsg_type == nl->family)
				more = take_event(nlh, each);
	}
	return 0;
}
