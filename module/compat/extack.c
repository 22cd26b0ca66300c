// SPDX-License-Identifier: GPL-2.0
#include "extack.h"

#ifdef NATTY_EXTACK_LEN

#include <linux/atomic.h>

/* So many refusals may be on their way to user space at a time. */
#define BUFFERS 64

char *natty_extack_buffer(void)
{
	static char buffer[BUFFERS][NATTY_EXTACK_LEN];
	static atomic_t next;

	return buffer[(unsigned int)atomic_inc_return(&next) % BUFFERS];
}

#endif
