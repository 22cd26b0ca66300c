// SPDX-License-Identifier: GPL-2.0
/* The words of a rule as iptables-save prints it. */
#include <stdlib.h>
#include <string.h>

#include "translate_iptables.h"

static struct arena *arena_of(const struct ipt_line *line)
{
	return &line->reader->translation->arena;
}

/* Does the word at @at begin another option of iptables itself? */
static bool is_general(const struct ipt_line *line, size_t at)
{
	static const char *const words[] = {
		"-m", "--match", "-j", "--jump", "-g", "--goto", "-s", "-d",
		"-i", "-o", "-p", "-f", "-c", "!", NULL
	};

	return !line->words[at].quoted &&
	       name_find(words, line->words[at].text) >= 0;
}

/* The words [@from, line->at), and what is wrong with them. */
static void refuse(struct ipt_line *line, size_t from, const char *why)
{
	struct place place = line->reader->place;
	char *words = NULL;
	size_t i, len;
	FILE *file;

	file = open_memstream(&words, &len);
	if (!file)
		out_of_memory();
	for (i = from; i < line->at && i < line->count; i++)
		fprintf(file, "%s%s", i > from ? " " : "", line->words[i].text);
	if (fclose(file))
		out_of_memory();
	place.column = from < line->count ? line->words[from].column : 0;
	translate_refuse(line->reader->translation, line->step, &place,
			 "%.200s%s: %s", words, len > 200 ? "..." : "", why);
	free(words);
}

/* What cannot be understood, with everything that may belong to it. */
static void refuse_option(struct ipt_line *line, size_t from, const char *why)
{
	while (line->at < line->count && !is_general(line, line->at) &&
	       (line->at == from ||
		line->words[line->at].quoted || line->words[line->at].text[0] != '-'))
		line->at++;
	refuse(line, from, why);
}

static void take_match(struct ipt_line *line, size_t from)
{
	const char *name = line->at < line->count ?
			   line->words[line->at].text : "";

	line->at++;
	line->module = name;
	if (name_find(ipt_modules, name) >= 0)
		return;
	/* All up to the next match or target is its own. */
	while (line->at < line->count &&
	       (!is_general(line, line->at) ||
		!strcmp(line->words[line->at].text, "!"))) {
		/* An inverted option of another one has its sign before it. */
		if (!strcmp(line->words[line->at].text, "!") &&
		    line->at + 1 < line->count && is_general(line, line->at + 1))
			break;
		line->at++;
	}
	refuse(line, from, "natty has no match for it");
}

static struct tchain *find_chain(const struct ipt_line *line, const char *name)
{
	size_t i;

	for (i = 0; i < line->chain_count; i++)
		if (!strcmp(line->chains[i]->name, name))
			return line->chains[i];
	return NULL;
}

static void take_target(struct ipt_line *line, size_t from, bool jump)
{
	struct step *step = line->step;
	const char *name = line->at < line->count ?
			   line->words[line->at].text : "";

	line->at++;
	line->module = name;
	if (jump && !strcmp(name, "ACCEPT")) {
		step->verdict = VERDICT_ACCEPT;
		return;
	}
	if (jump && !strcmp(name, "RETURN")) {
		step->verdict = VERDICT_RETURN;
		return;
	}
	step->to = find_chain(line, name);
	if (step->to) {
		step->verdict = jump ? VERDICT_JUMP : VERDICT_GOTO;
		return;
	}
	if (jump && ipt_target(step, name))
		return;
	line->at = line->count;
	refuse(line, from, jump ? "natty has no such action" :
				  "there is no such chain");
}

static void take_word(struct ipt_line *line)
{
	size_t from = line->at;
	const struct ipt_option *option;
	const char *why, *word;

	line->invert = !strcmp(line->words[from].text, "!") &&
		       from + 1 < line->count;
	line->at += line->invert;
	word = line->words[line->at++].text;
	if (!strcmp(word, "-m") || !strcmp(word, "--match")) {
		take_match(line, from);
		return;
	}
	if (!strcmp(word, "-j") || !strcmp(word, "--jump") ||
	    !strcmp(word, "-g") || !strcmp(word, "--goto")) {
		take_target(line, from, strchr(word, 'j'));
		return;
	}
	option = ipt_option(line, word);
	if (!option || (option->flag && line->invert)) {
		refuse_option(line, from, "natty has no equivalent");
		return;
	}
	if (!option->flag && line->at == line->count) {
		refuse(line, from, "its value is missing");
		return;
	}
	why = option->take(line, option->flag ? NULL :
			   arena_text(arena_of(line),
				      line->words[line->at].text,
				      strlen(line->words[line->at].text)),
			   option->which);
	line->at += !option->flag;
	if (why)
		refuse(line, from, why);
}

/* An action without what it needs is none that iptables would print. */
static const char *check_action(struct ipt_line *line)
{
	struct rule *rule = &line->step->nat;

	if (line->step->verdict != VERDICT_NAT)
		return NULL;
	if (rule->action == NATTY_ACTION_MASQUERADE && rule->to.min.len)
		rule->action = NATTY_ACTION_SNAT;
	if (rule->action == NATTY_ACTION_NETMAP)
		return rule->net.addr.len ? NULL : "it does not say to what";
	if ((rule->action == NATTY_ACTION_SNAT ||
	     rule->action == NATTY_ACTION_DNAT) && !rule->to.min.len &&
	    !rule->ports.set)
		return "it does not say to what";
	/* One address is persistent. */
	if (rule->action == NATTY_ACTION_MASQUERADE ||
	    rule->action == NATTY_ACTION_REDIRECT)
		rule->options &= ~NATTY_OPTION_PERSISTENT;
	/* Nor does the kernel ask chance where a base decides. */
	if (rule->ports.base)
		rule->options &= ~NATTY_OPTION_RANDOM;
	return NULL;
}

void ipt_rule(struct ipt_line *line)
{
	struct box *all = arena_alloc(arena_of(line), sizeof(*all));
	const char *why;

	all->families = line->families;
	line->boxes.list = all;
	line->boxes.count = 1;
	while (line->at < line->count)
		take_word(line);
	why = line->step->problem ? NULL : check_action(line);
	if (why)
		translate_refuse(line->reader->translation, line->step,
				 &line->reader->place, "-j %s: %s",
				 line->module, why);
	line->step->boxes = line->boxes.list;
	line->step->count = line->boxes.count;
}
