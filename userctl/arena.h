/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that is given back all at once. */
#ifndef USERCTL_ARENA_H
#define USERCTL_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "userctl.h"

struct arena {
	struct arena_block *blocks;	/* NULL in an empty one */
};

/* @size bytes, all zero, that live as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size);

/*
 * Room in the list @list, of @count items of @size bytes, for one more: the
 * list, or a copy of it that is twice as long. Lists grow at powers of two.
 */
void *arena_grow(struct arena *arena, void *list, size_t count, size_t size);

/* The first @len bytes of @text as a string. */
char *arena_text(struct arena *arena, const char *text, size_t len);

__printf(2, 3)
char *arena_printf(struct arena *arena, const char *format, ...);
__printf(2, 0)
char *arena_vprintf(struct arena *arena, const char *format, va_list args);

void arena_free(struct arena *arena);

#endif
