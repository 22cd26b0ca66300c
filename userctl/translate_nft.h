/* SPDX-License-Identifier: GPL-2.0 */
/* The JSON of nft: between its objects and the statements of a rule. */
#ifndef USERCTL_TRANSLATE_NFT_H
#define USERCTL_TRANSLATE_NFT_H

#include <jansson.h>

#include "translate.h"

struct nft_chain {
	const char *family, *table, *name;
	unsigned int families;
	struct tchain *chain;
	const char *hook;	/* empty: none */
	json_int_t priority;
	bool used;		/* a nat hook leads here */
	bool read;		/* its rules were looked at */
};

struct nft {
	struct reader *reader;
	json_t *objects;	/* the array */
	struct nft_chain *chains;
	size_t count;
};

/* A rule while its statements are looked at. */
struct nft_rule {
	struct nft *nft;
	const struct nft_chain *chain;
	struct step *step;
	struct boxes boxes;
	const char *comment;
};

/* A copy of a text, which lives as long as the translation. */
const char *nft_keep(struct nft *nft, const char *text);

/* The text of a value, which lives as long as the translation. */
const char *nft_text(struct nft *nft, const json_t *value);

/* A set or map of the table of the rule, by "@NAME". */
json_t *nft_set(const struct nft_rule *rule, const char *name, const char *kind);

/* The chain of the same table that a verdict names, which is used then. */
struct nft_chain *nft_find_chain(const struct nft *nft, const char *family,
				 const char *table, const char *name);

/* The values that @value stands for, one by one: those of a set, or itself. */
size_t nft_count(const json_t *value);
const json_t *nft_element(const json_t *value, size_t i);

/*
 * The packets for which @left is @right, or in it, or not. Returns NULL, or
 * why natty cannot say it.
 */
const char *nft_match(const struct nft_rule *rule, const json_t *left,
		      const char *op, const json_t *right, struct boxes *boxes);

/* The range of numbers, of @width bits, or of addresses, in a value. */
const char *nft_addr_span(const json_t *value, struct span *span, uint8_t *len);
const char *nft_span(const json_t *value, uint64_t max, struct span *span);

/* The statements of @object, which is a rule of @chain. */
void nft_rule(struct nft *nft, const struct nft_chain *chain, json_t *object);

#endif
