// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "compat/kernel.h"
#include "ifaddr.h"
#include "netlink.h"
#include "netns.h"
#include "version.h"

static int __init natty_init(void)
{
	int err;

	err = natty_netns_init();
	if (err)
		return err;
	err = natty_ifaddr_init();
	if (err)
		goto netns;
	err = natty_netlink_init();
	if (err)
		goto ifaddr;
	return 0;

ifaddr:
	natty_ifaddr_exit();
netns:
	natty_netns_exit();
	return err;
}

static void __exit natty_exit(void)
{
	natty_netlink_exit();
	natty_ifaddr_exit();
	natty_netns_exit();
}

module_init(natty_init);
module_exit(natty_exit);
MODULE_DESCRIPTION("Network address translation with its own connection table");
MODULE_VERSION(NATTY_VERSION);
MODULE_ALIAS_GENL_FAMILY(NATTY_GENL_NAME);
MODULE_LICENSE("GPL");
