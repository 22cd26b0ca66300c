/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_CRC32C_H
#define NATTY_COMPAT_CRC32C_H

#include <linux/crc32.h>
#include <linux/version.h>

/* Before 6.14 crc32c() lives in a module of its own; this part of it does not. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define crc32c(crc, data, len)	__crc32c_le(crc, data, len)
#endif

#endif
