// SPDX-License-Identifier: GPL-2.0
/* What translate prints: the configuration, and what is missing in it. */
#include <stdlib.h>
#include <string.h>

#include "print_json.h"
#include "translate.h"

#define QUOTE_MAX	300	/* bytes of a foreign line that are repeated */

static const char *quote(struct arena *arena, const char *text)
{
	return arena_printf(arena, "%.*s%s", QUOTE_MAX, text,
			    strlen(text) > QUOTE_MAX ? "..." : "");
}

const char *translate_quote(struct translation *translation,
			    const struct place *place)
{
	struct arena *arena = &translation->arena;
	const char *text = quote(arena, place->text ? place->text : "");

	if (place->line)
		return arena_printf(arena, "line %u: %s", place->line, text);
	return arena_printf(arena, "%s%s%s", place->name ? place->name : "",
			    text[0] ? ": " : "", text);
}

/* Bytes that would end a comment, or that a terminal takes for more. */
static void print_clean(FILE *file, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text,
		      file);
}

static void print_items(const struct translation *tr)
{
	size_t i;

	for (i = 0; i < tr->item_count; i++) {
		const struct item *item = &tr->items[i];

		if (item->statement)
			fputs(item->statement, stdout);
		if (item->comment) {
			fputs(item->statement ? "  # " : "# ", stdout);
			print_clean(stdout, item->comment);
		}
		putchar('\n');
	}
}

static int by_place(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return one->column < other->column ? -1 : one->column > other->column;
}

static void print_problems(struct translation *tr)
{
	size_t i;

	for (i = 0; i < tr->refusal_count; i++) {
		const struct place *place = &tr->refusals[i].place;

		fprintf(stderr, "%s:", place->file);
		if (place->line)
			fprintf(stderr, "%u:", place->line);
		if (place->column)
			fprintf(stderr, "%u:", place->column);
		if (place->name)
			fprintf(stderr, " %s:", place->name);
		fputc(' ', stderr);
		print_clean(stderr, tr->refusals[i].what);
		fputc('\n', stderr);
		if (place->text) {
			fputc('\t', stderr);
			print_clean(stderr, quote(&tr->arena, place->text));
			fputc('\n', stderr);
		}
	}
}

static json_t *json_text(const char *text)
{
	json_t *value = json_string(text);

	/* Bytes that are no text in UTF-8 cannot be told. */
	return value ? value : json_null();
}

static void set_some(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, json_text(text));
}

static json_t *json_refusal(const struct refusal *refusal)
{
	const struct place *place = &refusal->place;
	json_t *object = json_object();

	json_object_set_new(object, "file", json_text(place->file));
	if (place->line)
		json_object_set_new(object, "line", json_integer(place->line));
	if (place->column)
		json_object_set_new(object, "column",
				    json_integer(place->column));
	set_some(object, "name", place->name);
	set_some(object, "text", place->text);
	set_some(object, "reason", refusal->what);
	return object;
}

/* The configuration as an array of its lines. */
static void print_json(const struct translation *tr)
{
	json_t *object = json_object(), *lines = json_array();
	json_t *refusals = json_array(), *line;
	size_t i;

	for (i = 0; i < tr->item_count; i++) {
		line = json_object();
		set_some(line, "statement", tr->items[i].statement);
		set_some(line, "comment", tr->items[i].comment);
		json_array_append_new(lines, line);
	}
	for (i = 0; i < tr->refusal_count; i++)
		json_array_append_new(refusals, json_refusal(&tr->refusals[i]));
	json_object_set_new(object, "configuration", lines);
	json_object_set_new(object, "refused", refusals);
	json_print(object);
	putchar('\n');
}

void translate_print(struct translation *translation)
{
	if (translation->refusal_count)
		qsort(translation->refusals, translation->refusal_count,
		      sizeof(*translation->refusals), by_place);
	if (json_output) {
		print_json(translation);
		return;
	}
	print_items(translation);
	print_problems(translation);
}
