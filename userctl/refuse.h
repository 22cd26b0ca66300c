/* SPDX-License-Identifier: GPL-2.0 */
/* Telling people what the kernel refused. */
#ifndef USERCTL_REFUSE_H
#define USERCTL_REFUSE_H

#include "config.h"
#include "nl.h"

/*
 * Note in @source why @statement was refused, at the word that is to blame, if
 * it is known. @statement may be NULL.
 */
void refuse_statement(struct source *source, const struct statement *statement,
		      const struct nl_error *error);

/* The same for a filter. */
void refuse_filter(struct source *source, const struct filter *filter,
		   const struct nl_error *error);

/* Print what went wrong otherwise; returns EXIT_REFUSED. */
int refuse(const struct nl *nl);

#endif
