// SPDX-License-Identifier: GPL-2.0
/* translate: the configuration that does what iptables or nft did. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "translate.h"
#include "userctl.h"

struct tchain *tchain_new(struct reader *reader, const char *name)
{
	struct translation *tr = reader->translation;
	struct tchain *chain = arena_alloc(&tr->arena, sizeof(*chain));

	chain->name = name;
	chain->place = reader->place;
	tr->chains = arena_grow(&tr->arena, tr->chains, tr->chain_count,
				sizeof(*tr->chains));
	tr->chains[tr->chain_count++] = chain;
	return chain;
}

struct step *tchain_add(struct reader *reader, struct tchain *chain)
{
	struct step *step;

	chain->steps = arena_grow(&reader->translation->arena, chain->steps,
				  chain->count, sizeof(*chain->steps));
	step = &chain->steps[chain->count++];
	step->place = reader->place;
	step->nat.mapping = -1;
	step->nat.filtering = -1;
	return step;
}

void translate_base(struct translation *translation, enum natty_chain hook,
		    struct tchain *chain, unsigned int families, long priority)
{
	size_t n = translation->base_count[hook];
	struct base *bases = arena_grow(&translation->arena,
					translation->bases[hook], n,
					sizeof(*bases));

	bases[n] = (struct base){ chain, families, priority, n };
	translation->bases[hook] = bases;
	translation->base_count[hook]++;
}

static void add_problem(struct translation *tr, const struct place *place,
			const char *what)
{
	tr->refusals = arena_grow(&tr->arena, tr->refusals, tr->refusal_count,
				  sizeof(*tr->refusals));
	tr->refusals[tr->refusal_count++] = (struct refusal){ *place, what };
}

void translate_problem(struct translation *translation,
		       const struct place *place, const char *format, ...)
{
	struct arena *arena = &translation->arena;
	const char *what;
	va_list args;

	va_start(args, format);
	what = arena_vprintf(arena, format, args);
	va_end(args);
	add_problem(translation, place, what);
	translate_comment(translation,
			  arena_printf(arena, "%s  # %s",
				       translate_quote(translation, place),
				       what));
}

void translate_refuse(struct translation *translation, struct step *step,
		      const struct place *place, const char *format, ...)
{
	struct arena *arena = &translation->arena;
	const char *what;
	va_list args;

	va_start(args, format);
	what = arena_vprintf(arena, format, args);
	va_end(args);
	add_problem(translation, place, what);
	step->problem = step->problem ?
		arena_printf(arena, "%s; %s", step->problem, what) : what;
}

static void add_item(struct translation *tr, const char *statement,
		     const char *comment)
{
	tr->items = arena_grow(&tr->arena, tr->items, tr->item_count,
			       sizeof(*tr->items));
	tr->items[tr->item_count++] = (struct item){ statement, comment };
}

void translate_comment(struct translation *translation, const char *text)
{
	add_item(translation, NULL, text);
}

void translate_statement(struct translation *translation,
			 const struct rule *rule, const char *comment)
{
	char *text, *copy;
	FILE *file;
	size_t len;

	file = open_memstream(&text, &len);
	if (!file)
		out_of_memory();
	print_rule(file, rule);
	if (fclose(file))
		out_of_memory();
	copy = arena_text(&translation->arena, text, len);
	free(text);
	add_item(translation, copy, comment);
}

void translate_marks(struct translation *translation, unsigned int families,
		     bool early)
{
	if (early)
		translation->early_marks |= families;
	else
		translation->late_marks |= families;
}

bool translate_possible(enum natty_action action, enum natty_chain hook)
{
	bool source = hook == NATTY_CHAIN_POSTROUTING ||
		      hook == NATTY_CHAIN_INPUT;

	switch (action) {
	case NATTY_ACTION_MASQUERADE:
		return hook == NATTY_CHAIN_POSTROUTING;
	case NATTY_ACTION_SNAT:
		return source;
	case NATTY_ACTION_DNAT:
	case NATTY_ACTION_REDIRECT:
		return !source;
	default:
		return true;
	}
}

/* The whole of @file, with a zero behind it. */
static char *read_file(struct arena *arena, FILE *file, size_t *len)
{
	char *text = NULL, *copy;
	size_t room = 0, n = 0;

	while (!feof(file) && !ferror(file)) {
		if (room - n < 2) {
			room = room ? room * 2 : 65536;
			text = xrealloc(text, room);
		}
		n += fread(text + n, 1, room - n - 1, file);
	}
	copy = arena_text(arena, text ? text : "", n);
	free(text);
	*len = n;
	return copy;
}

static bool is_json(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '{';
}

static bool translate_file(struct reader *reader, const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "re") : stdin;
	size_t len;
	char *text;
	bool bad;

	if (!file) {
		fprintf(stderr, "%s: cannot open: %s\n", name, strerror(errno));
		return false;
	}
	reader->place.file = file == stdin ? "<stdin>" : name;
	text = read_file(&reader->translation->arena, file, &len);
	bad = ferror(file);
	if (bad)
		fprintf(stderr, "%s: cannot read: %s\n", name, strerror(errno));
	if (file != stdin)
		fclose(file);
	if (bad)
		return false;
	if (is_json(text))
		translate_nft(reader, text, len);
	else
		translate_iptables(reader, text, len);
	return true;
}

struct options {
	const char *profile;
	unsigned int families;
	int files;
};

/* Take options out of @argv, which then begins with the files. */
static bool take_options(struct options *options, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-' || !word[1])
			argv[options->files++] = argv[i];
		else if (!strcmp(word, "--profile") && i + 1 < argc)
			options->profile = argv[++i];
		else if (!strcmp(word, "-4") || !strcmp(word, "-6"))
			options->families = word[1] == '4' ? FAMILY_4 : FAMILY_6;
		else
			return false;
	}
	return !strcmp(options->profile, "iptables") ||
	       !strcmp(options->profile, "rfc");
}

int translate_run(const struct command *command, int argc, char **argv)
{
	struct options options = { .profile = "iptables" };
	struct translation translation = { 0 };
	struct reader reader = { .translation = &translation };
	bool ok = true;
	int i;

	if (!take_options(&options, argc, argv))
		return usage(command);
	/* What the kernel's NAT did is what the other profile does by itself. */
	if (!strcmp(options.profile, "iptables"))
		add_item(&translation, "set profile iptables", NULL);
	reader.families = options.families;
	if (!options.files)
		ok = translate_file(&reader, "-");
	for (i = 0; i < options.files && ok; i++)
		ok = translate_file(&reader, argv[i]);
	if (ok) {
		translate_flatten(&translation);
		translate_print(&translation);
		ok = !translation.refusal_count;
	}
	arena_free(&translation.arena);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}
