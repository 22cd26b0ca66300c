// SPDX-License-Identifier: GPL-2.0
/* The state: status, connections, mappings, counters and events. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "nl_msg.h"
#include "nl_socket.h"

static void each_status(const struct nlmsghdr *nlh, void *data)
{
	msg_get_status(nlh, data);
}

int nl_status(struct nl *nl, struct status *status)
{
	struct reply reply = { .each = each_status, .data = status };

	return socket_exchange(nl, socket_request(nl, NATTY_CMD_STATUS_GET), &reply);
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
	int ret = socket_dump(nl, NATTY_CMD_CONN_GET, filter, &reply);

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
	int ret = socket_dump(nl, NATTY_CMD_MAPPING_GET, NULL, &reply);

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

	return socket_dump(nl, NATTY_CMD_STAT_GET, NULL, &reply);
}

static void each_count(const struct nlmsghdr *nlh, void *data)
{
	*(uint32_t *)data = msg_get_count(nlh);
}

static int count_conns(struct nl *nl, uint8_t command,
		       const struct filter *filter, uint32_t *count)
{
	struct reply reply = { .each = each_count, .data = count };
	struct nlmsghdr *nlh = socket_request(nl, command);

	*count = 0;
	if (filter)
		msg_put_filter(nlh, filter);
	return socket_exchange(nl, nlh, &reply);
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

/* Hand over what the socket holds. Returns 1 to go on, 0 to end, -1. */
static int take_events(struct nl *nl, bool (*each)(const struct event *event))
{
	ssize_t got = socket_receive(nl, MSG_DONTWAIT);
	const struct nlmsghdr *nlh;
	bool more = true;
	int len = got;

	if (got < 0 && errno == ENOBUFS)
		return each(NULL);
	if (got < 0 && errno != EAGAIN)
		return socket_fail(nl, errno, "cannot receive events: %s",
				   strerror(errno));
	for (nlh = (void *)nl->buffer; more && mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len))
		if (nlh->nlmsg_type == nl->family)
			more = take_event(nlh, each);
	return more;
}

int nl_monitor(struct nl *nl, bool (*each)(const struct event *event),
	       int stop)
{
	struct pollfd fds[] = {
		{ .fd = mnl_socket_get_fd(nl->socket), .events = POLLIN },
		{ .fd = stop, .events = POLLIN },
	};
	int more = 1;

	if (!nl->group)
		return socket_fail(nl, ENOENT,
				   "the loaded module has no events");
	if (mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP,
				  &nl->group, sizeof(nl->group)) < 0)
		return socket_fail(nl, errno, "%s", socket_explain(errno));
	while (more > 0 && !fds[1].revents) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			return socket_fail(nl, errno,
					   "cannot wait for events: %s",
					   strerror(errno));
		if (fds[0].revents)
			more = take_events(nl, each);
	}
	return more < 0 ? -1 : 0;
}
