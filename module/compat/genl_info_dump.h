/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_GENL_INFO_DUMP_H
#define NATTY_COMPAT_GENL_INFO_DUMP_H

#include <linux/version.h>
#include <net/genetlink.h>

/* Before 6.6 a dump has no struct genl_info. */
static inline struct nlattr **natty_genl_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

#endif
