/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of the family natty, both ways. Only the nl files include this. */
#ifndef USERCTL_NL_MSG_H
#define USERCTL_NL_MSG_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "model.h"

/* Bytes that a request for @statement takes at most. */
size_t msg_statement_size(const struct statement *statement);

/* The command that creates what @statement tells. */
uint8_t msg_statement_command(const struct statement *statement);
void msg_put_statement(struct nlmsghdr *nlh,
		       const struct statement *statement);
void msg_put_filter(struct nlmsghdr *nlh, const struct filter *filter);
void msg_put_external(struct nlmsghdr *nlh, const struct forward *forward);

/*
 * Which word the attribute at @offset of the request @nlh came from. False if
 * that cannot be told.
 */
bool msg_field(const struct nlmsghdr *nlh, uint32_t offset, enum field *field,
	       unsigned int *nth);

/*
 * Read a message; what it lacks is zero. msg_get_pool() allocates ranges, and
 * the name in struct stat lies in the message.
 */
void msg_get_status(const struct nlmsghdr *nlh, struct status *status);
void msg_get_setting(const struct nlmsghdr *nlh, struct setting *setting);
void msg_get_pool(const struct nlmsghdr *nlh, struct pool *pool);
void msg_get_rule(const struct nlmsghdr *nlh, struct rule *rule);
void msg_get_forward(const struct nlmsghdr *nlh, struct forward *forward);
void msg_get_conn(const struct nlmsghdr *nlh, struct conn *conn,
		  uint64_t *seq);
void msg_get_mapping(const struct nlmsghdr *nlh, struct mapping *mapping);
void msg_get_stat(const struct nlmsghdr *nlh, struct stat *stat);
uint32_t msg_get_count(const struct nlmsghdr *nlh);

#endif
