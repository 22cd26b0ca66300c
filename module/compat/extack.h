/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_EXTACK_H
#define NATTY_COMPAT_EXTACK_H

#include <linux/netlink.h>

/*
 * Before 6.3 struct netlink_ext_ack has no room for a formatted message. It is
 * then printed into the next of a ring of static buffers, which lives long
 * enough for netlink_ack() to copy it.
 */
#ifndef NL_SET_ERR_MSG_FMT

#define NATTY_EXTACK_LEN 80

char *natty_extack_buffer(void);

#define NL_SET_ERR_MSG_FMT(extack, fmt, args...) do {			\
	struct netlink_ext_ack *__extack = (extack);			\
									\
	if (__extack) {							\
		char *__buf = natty_extack_buffer();			\
									\
		scnprintf(__buf, NATTY_EXTACK_LEN, fmt, ##args);	\
		__extack->_msg = __buf;					\
	}								\
} while (0)

#define NL_SET_ERR_MSG_ATTR_FMT(extack, attr, fmt, args...) do {	\
	NL_SET_ERR_MSG_FMT((extack), fmt, ##args);			\
	NL_SET_BAD_ATTR((extack), (attr));				\
} while (0)

#endif

#endif
