/* SPDX-License-Identifier: GPL-2.0 */
/* The model as JSON. Each json_*() returns a new reference. */
#ifndef USERCTL_PRINT_JSON_H
#define USERCTL_PRINT_JSON_H

#include <jansson.h>

#include "model.h"

json_t *json_setting(const struct setting *setting);
json_t *json_pool(const struct pool *pool);
json_t *json_rule(const struct rule *rule);
json_t *json_forward(const struct forward *forward);
json_t *json_conn(const struct conn *conn);
json_t *json_mapping(const struct mapping *mapping);
json_t *json_status(const struct status *status);
json_t *json_stats(const struct stat *stats, size_t count);
json_t *json_event(const struct event *event);

/* Write @value on standard output, on one line, and drop the reference. */
void json_print(json_t *value);

#endif
