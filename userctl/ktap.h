/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KTAP_H
#define KTAP_H

/* What a test program of the tool prints: KTAP, counted. Each has one file with it. */

#include <stdarg.h>
#include <stdio.h>

#include "userctl.h"

static unsigned int tests, failures;

/* One line of it. */
__printf(2, 3)
static void result(bool ok, const char *format, ...)
{
	va_list args;

	printf("%sok %u ", ok ? "" : "not ", ++tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	failures += !ok;
}

/* The last line; returns what main() does. */
static int result_end(void)
{
	printf("1..%u\n", tests);
	return failures != 0;
}

#endif
