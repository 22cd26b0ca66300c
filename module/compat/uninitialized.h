/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_COMPAT_UNINITIALIZED_H
#define NATTY_COMPAT_UNINITIALIZED_H

#include <linux/compiler.h>

/*
 * Says that a variable on the stack need not be cleared where kernels do so
 * (CONFIG_INIT_STACK_ALL_ZERO), because all of it that is read is set. For what
 * is large and needed for many packets only. Kernels do not all have it.
 */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized	__attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

#endif
