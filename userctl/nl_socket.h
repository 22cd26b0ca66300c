/* SPDX-License-Identifier: GPL-2.0 */
/* What the nl files share of the socket. */
#ifndef USERCTL_NL_SOCKET_H
#define USERCTL_NL_SOCKET_H

#include <libmnl/libmnl.h>

#include "nl.h"
#include "userctl.h"

#define BUFFER_SIZE	65536	/* the kernel makes no larger message */
#define BATCH_SIZE	32768	/* as much as one sendmsg() carries */

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

/* Note what went wrong, a sentence without a full stop. Returns -1. */
__printf(3, 4)
int socket_fail(struct nl *nl, int code, const char *format, ...);

/* A sentence for errors that come without one. */
const char *socket_explain(int code);

/* Begin a message at @at, with the next sequence number. */
struct nlmsghdr *socket_start(struct nl *nl, char *at, uint8_t command,
			      uint16_t flags);

/* Begin a request that is acknowledged, at the start of the buffer. */
struct nlmsghdr *socket_request(struct nl *nl, uint8_t command);

/* Send @request, which asks for an acknowledgment or a dump, and wait. */
int socket_exchange(struct nl *nl, const struct nlmsghdr *request,
		    struct reply *reply);

/* Have a whole table answered; @filter may be NULL. */
int socket_dump(struct nl *nl, uint8_t command, const struct filter *filter,
		struct reply *reply);

/* Receive into the buffer, whatever signals come. */
ssize_t socket_receive(struct nl *nl, int flags);

/* Read NLMSG_ERROR, or the NLMSG_DONE of a dump, both of which begin alike. */
void socket_read_error(const struct nlmsghdr *nlh,
		       const struct nlmsghdr *request,
		       struct nl_error *error);

#endif
