/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_UNALIGNED_H
#define NATTY_COMPAT_UNALIGNED_H

#include <linux/version.h>

/* It moved in 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#endif
