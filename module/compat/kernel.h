/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_KERNEL_H
#define NATTY_COMPAT_KERNEL_H

#include <linux/kconfig.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "natty needs Linux 6.1 or later"
#endif
#if !IS_ENABLED(CONFIG_NETFILTER)
#error "natty needs a kernel with CONFIG_NETFILTER"
#endif
#if !IS_ENABLED(CONFIG_INET) || !IS_ENABLED(CONFIG_IPV6)
#error "natty needs a kernel with CONFIG_INET and CONFIG_IPV6"
#endif
#if !IS_ENABLED(CONFIG_NF_DEFRAG_IPV4) || !IS_ENABLED(CONFIG_NF_DEFRAG_IPV6)
#error "natty needs a kernel with CONFIG_NF_DEFRAG_IPV4 and _IPV6 (CONFIG_NF_CONNTRACK)"
#endif
#if !IS_ENABLED(CONFIG_NET_NS)
#error "natty needs a kernel with CONFIG_NET_NS"
#endif

#endif
