/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands rule, pool, forward and set have in common. */
#ifndef USERCTL_OBJECT_H
#define USERCTL_OBJECT_H

#include "config.h"
#include "userctl.h"

/* Have @parse read the words of @argv, and add the statement that they make. */
int object_add(const char *name, int argc, char **argv,
	       bool (*parse)(struct source *source,
			     struct statement *statement));

/* List the active statements of one kind, as the array @name. */
int object_list(enum statement_kind kind, const char *name,
		bool (*wanted)(const struct statement *statement,
			       const void *data),
		const void *data);

#endif
