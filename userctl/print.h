/* SPDX-License-Identifier: GPL-2.0 */
/* The model as text and as JSON, on standard output unless told otherwise. */
#ifndef USERCTL_PRINT_H
#define USERCTL_PRINT_H

#include <stdio.h>

#include "model.h"

/* Statements as the parser reads them, without a newline. */
void print_setting(FILE *file, const struct setting *setting);
void print_pool(FILE *file, const struct pool *pool);
void print_rule(FILE *file, const struct rule *rule);
void print_forward(FILE *file, const struct forward *forward);

/*
 * A JSON object that holds one array, {"name": [...]}, whose items are written
 * as they come, so that its length does not matter. The same functions print
 * one line an item without --json.
 */
void list_begin(const char *name);
void list_setting(const struct setting *setting);
void list_statement(const struct statement *statement);
void list_conn(const struct conn *conn);
void list_mapping(const struct mapping *mapping);
void list_end(void);

/* Further arrays of the same object; after the first, before list_end(). */
void list_next(const char *name);

void show_status(const struct status *status);
void show_stats(const struct stat *stats, size_t count);

/* {"name": number}, or the number alone. */
void show_number(const char *name, uint64_t number);

/* One line each, flushed. */
void show_event(const struct event *event);
void show_lost(uint64_t count);

#endif
