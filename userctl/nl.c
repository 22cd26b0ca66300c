// SPDX-License-Identifier: GPL-2.0
/* The socket: requests, their answers, and what went wrong. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl_msg.h"
#include "nl_socket.h"
#include "userctl.h"

#define SOCKET_BUFFER	(16 << 20)

#ifndef NETLINK_EXT_ACK
#define NETLINK_EXT_ACK	11
#endif

const struct nl_error *nl_error(const struct nl *nl)
{
	return &nl->error;
}

int socket_fail(struct nl *nl, int code, const char *format, ...)
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
const char *socket_explain(int code)
{
	switch (code) {
	case EPERM:
	case EACCES:
		return "not permitted: CAP_NET_ADMIN is needed here (try sudo)";
	case EOPNOTSUPP:
		return "module and userctl differ in version: it does not know this";
	case EBUSY:
		return "the configuration was changed by someone else meanwhile";
	case ENOMEM:
	case ENOBUFS:
		return "the kernel is out of memory";
	default:
		return strerror(code);
	}
}

struct nlmsghdr *socket_start(struct nl *nl, char *at, uint8_t command,
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

/* The attributes of an extended acknowledgment of @request into @error. */
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
				error->has_field =
					msg_field(request,
						  mnl_attr_get_u32(attr),
						  &error->field, &error->nth);
			break;
		}
	}
}

/* Read NLMSG_ERROR, or the NLMSG_DONE of a dump, both of which begin alike. */
void socket_read_error(const struct nlmsghdr *nlh,
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
			 socket_explain(error->code));
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
		socket_read_error(nlh, request, &nl->error);
		return nl->error.code ? -1 : 1;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return 0;
	if (reply && reply->each)
		reply->each(nlh, reply->data);
	return 0;
}

ssize_t socket_receive(struct nl *nl, int flags)
{
	ssize_t len;

	do {
		len = recv(mnl_socket_get_fd(nl->socket), nl->buffer,
			   BUFFER_SIZE, flags);
	} while (len < 0 && errno == EINTR);
	return len;
}

/* Send @request, which asks for an acknowledgment or a dump, and wait. */
int socket_exchange(struct nl *nl, const struct nlmsghdr *request,
		    struct reply *reply)
{
	const struct nlmsghdr *nlh;
	ssize_t got;
	int len, done = 0;

	memset(&nl->error, 0, sizeof(nl->error));
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return socket_fail(nl, errno, "cannot send to the kernel: %s",
			    strerror(errno));
	while (!done) {
		got = socket_receive(nl, 0);
		if (got < 0)
			return socket_fail(nl, errno,
				    "cannot receive from the kernel: %s",
				    strerror(errno));
		len = got;
		for (nlh = (void *)nl->buffer; mnl_nlmsg_ok(nlh, len) && !done;
		     nlh = mnl_nlmsg_next(nlh, &len))
			done = take_message(nl, nlh, request, reply);
	}
	return done < 0 ? -1 : 0;
}

/* A request with an acknowledgment, for the single buffer. */
struct nlmsghdr *socket_request(struct nl *nl, uint8_t command)
{
	return socket_start(nl, nl->request, command, NLM_F_ACK);
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

	nlh = socket_request(nl, CTRL_CMD_GETFAMILY);
	nlh->nlmsg_type = GENL_ID_CTRL;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, NATTY_GENL_NAME);
	if (!socket_exchange(nl, nlh, &reply) && nl->family)
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

int socket_dump(struct nl *nl, uint8_t command, const struct filter *filter,
		struct reply *reply)
{
	struct nlmsghdr *nlh = socket_start(nl, nl->request, command, NLM_F_DUMP);

	if (filter)
		msg_put_filter(nlh, filter);
	return socket_exchange(nl, nlh, reply);
}
