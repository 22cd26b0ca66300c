// SPDX-License-Identifier: GPL-2.0
/* Memory that is there, or the end of the program. */
#include <stdio.h>
#include <stdlib.h>

#include "userctl.h"

void out_of_memory(void)
{
	fprintf(stderr, "userctl: out of memory\n");
	exit(EXIT_REFUSED);
}

void *xrealloc(void *memory, size_t size)
{
	memory = realloc(memory, size);
	if (!memory)
		out_of_memory();
	return memory;
}
