/* SPDX-License-Identifier: GPL-2.0 */
#ifndef USERCTL_TEST_TRANSLATE_H
#define USERCTL_TEST_TRANSLATE_H

#include "config.h"
#include "translate.h"

/* Reproducible disorder: a number below @below. */
uint32_t any(uint32_t below);

/* One of a list. */
#define ANY(list) ((list)[any(ARRAY_SIZE(list))])

/* Read @input, which is not changed. */
void translate(struct translation *tr, const char *input, size_t len);

/* The statement of a line that came out; false if it is not in the language. */
bool parse(const char *text, struct statement *statement);

/*
 * How many of @inputs random rule sets do with some packet what their
 * translation does not; *@packets is how many packets were compared.
 */
unsigned int compare(unsigned int inputs, unsigned int *packets);

#endif
