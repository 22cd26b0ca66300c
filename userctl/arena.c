// SPDX-License-Identifier: GPL-2.0
/* Memory that is given back all at once. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

struct arena_block {
	struct arena_block *next;
	max_align_t memory[];
};

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block;

	if (size > SIZE_MAX - sizeof(*block))
		out_of_memory();
	block = xrealloc(NULL, sizeof(*block) + size);
	memset(block->memory, 0, size);
	block->next = arena->blocks;
	arena->blocks = block;
	return block->memory;
}

void *arena_grow(struct arena *arena, void *list, size_t count, size_t size)
{
	void *grown;

	if (count & (count - 1))
		return list;
	grown = arena_alloc(arena, (count ? count * 2 : 1) * size);
	if (count)
		memcpy(grown, list, count * size);
	return grown;
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	char *text, *copy;
	int len;

	len = vasprintf(&text, format, args);
	if (len < 0)
		out_of_memory();
	copy = arena_text(arena, text, len);
	free(text);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void arena_free(struct arena *arena)
{
	struct arena_block *block;

	while (arena->blocks) {
		block = arena->blocks;
		arena->blocks = block->next;
		free(block);
	}
}
