// SPDX-License-Identifier: GPL-2.0
/* Rule sets as "nft -j list ruleset" prints them. */
#include "translate.h"

void translate_nft(struct reader *reader, char *text, size_t len)
{
	(void)text;
	(void)len;
	translate_problem(reader->translation, &reader->place, "rule sets of nft are not read yet");
}
