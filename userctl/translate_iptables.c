// SPDX-License-Identifier: GPL-2.0
/* Rule sets as iptables-save and ip6tables-save print them. */
#include <arpa/inet.h>
#include <string.h>

#include "translate_iptables.h"
#include "value.h"

/* The table whose lines are being read. */
struct table {
	struct reader *reader;
	char name[32];		/* empty outside of tables */
	bool nat;
	unsigned int families;	/* of the table */
	unsigned int header;	/* as the last comment said; 0: it did not */
	struct tchain **chains;
	size_t chain_count;
};

static struct arena *arena_of(const struct table *table)
{
	return &table->reader->translation->arena;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void add_word(struct table *table, struct ipt_line *line, char *text,
		     unsigned int column, bool quoted)
{
	line->words = arena_grow(arena_of(table), line->words, line->count,
				 sizeof(*line->words));
	line->words[line->count++] = (struct ipt_word){ text, column, quoted };
}

/*
 * Words between blanks, or between quotation marks, in which a backslash
 * keeps the next byte from being special. The line is changed.
 */
static void split(struct table *table, struct ipt_line *line, char *text)
{
	const char *from = text;
	char *to = text;

	while (true) {
		bool quoted = false, quotes = false;
		unsigned int column;
		char *start;

		from += strspn(from, " \t\r");
		if (!*from)
			return;
		column = from - text + 1;
		start = to;
		for (; *from && (quoted || !strchr(" \t\r", *from)); from++) {
			if (*from == '"') {
				quoted = !quoted;
				quotes = true;
			} else {
				if (*from == '\\' && quoted && from[1])
					from++;
				*to++ = *from;
			}
		}
		if (*from)
			from++;
		*to++ = '\0';
		add_word(table, line, start, column, quotes);
	}
}

/* Is there an address of IPv6 in the rules up to COMMIT? */
static bool has_ipv6(const char *text)
{
	while (*text && !begins(text, "COMMIT")) {
		size_t len = strcspn(text, " \t\r\n[]/-");
		struct addr addr;
		char word[VALUE_TEXT];

		if (len && len < sizeof(word)) {
			memcpy(word, text, len);
			word[len] = '\0';
			if (strchr(word, ':') && !value_addr(word, &addr))
				return true;
		}
		text += len + !!text[len];
	}
	return false;
}

static bool has_ipv4(const char *text)
{
	while (*text && !begins(text, "COMMIT")) {
		size_t len = strcspn(text, " \t\r\n/-:");
		char word[VALUE_TEXT];
		struct addr addr;

		if (len && len < sizeof(word)) {
			memcpy(word, text, len);
			word[len] = '\0';
			if (!value_addr(word, &addr) && addr.len == 4)
				return true;
		}
		text += len + !!text[len];
	}
	return false;
}

/* The text does not always say for which family it is. */
static void find_family(struct table *table, const char *rest)
{
	struct reader *reader = table->reader;

	table->families = table->header;
	if (!table->families)
		table->families = reader->families;
	if (!table->families && has_ipv6(rest))
		table->families = FAMILY_6;
	if (!table->families && has_ipv4(rest))
		table->families = FAMILY_4;
	if (table->families)
		return;
	table->families = FAMILY_4;
	translate_comment(reader->translation,
			  arena_printf(arena_of(table),
				       "%s:%u: nothing says which family this is for: taken for IPv4",
				       reader->place.file, reader->place.line));
}

static void begin_table(struct table *table, const char *name,
			const char *rest)
{
	struct reader *reader = table->reader;

	snprintf(table->name, sizeof(table->name), "%s", name);
	table->nat = !strcmp(name, "nat");
	table->chains = NULL;
	table->chain_count = 0;
	if (table->nat)
		find_family(table, rest);
	else
		translate_comment(reader->translation,
				  arena_printf(arena_of(table),
					       "%s:%u: table %s is left as it is: natty only translates addresses",
					       reader->place.file,
					       reader->place.line,
					       table->name));
}

static int hook_of(const char *name)
{
	static const char *const names[] = {
		[NATTY_CHAIN_PREROUTING] = "PREROUTING",
		[NATTY_CHAIN_POSTROUTING] = "POSTROUTING",
		[NATTY_CHAIN_OUTPUT] = "OUTPUT",
		[NATTY_CHAIN_INPUT] = "INPUT",
		NULL
	};

	return name_find(names, name);
}

static struct tchain *find_chain(const struct table *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->chain_count; i++)
		if (!strcmp(table->chains[i]->name, name))
			return table->chains[i];
	return NULL;
}

/* ":CHAIN POLICY [packets:bytes]" */
static void read_chain(struct table *table, struct ipt_line *line)
{
	struct reader *reader = table->reader;
	const char *name = line->words[0].text + 1;
	const char *policy = line->count > 1 ? line->words[1].text : "";
	struct tchain *chain;
	int hook;

	if (find_chain(table, name)) {
		translate_problem(reader->translation, &reader->place,
				  "chain %s: it is there already", name);
		return;
	}
	chain = tchain_new(reader, name);
	table->chains = arena_grow(arena_of(table), table->chains,
				   table->chain_count, sizeof(*table->chains));
	table->chains[table->chain_count++] = chain;
	hook = hook_of(name);
	/* The priorities of the kernel, which nft has as numbers. */
	if (hook >= 0)
		translate_base(reader->translation, hook, chain,
			       table->families,
			       hook == NATTY_CHAIN_PREROUTING ||
			       hook == NATTY_CHAIN_OUTPUT ? -100 : 100);
	if (strcmp(policy, hook >= 0 ? "ACCEPT" : "-"))
		translate_problem(reader->translation, &reader->place,
				  "policy %s: chains of natty end with accept",
				  policy);
}

/* "-A CHAIN ..." */
static void read_rule(struct table *table, struct ipt_line *line)
{
	struct reader *reader = table->reader;
	struct tchain *chain;

	chain = line->count > 1 ? find_chain(table, line->words[1].text) : NULL;
	if (!chain) {
		translate_problem(reader->translation, &reader->place,
				  "%s: there is no such chain",
				  line->count > 1 ? line->words[1].text : "-A");
		return;
	}
	line->at = 2;
	line->families = table->families;
	line->chains = table->chains;
	line->chain_count = table->chain_count;
	line->step = tchain_add(reader, chain);
	ipt_rule(line);
}

/* Counters of the form "[packets:bytes]", before a rule. */
static size_t counters(const char *text)
{
	size_t len = strspn(text, "[0123456789:");

	return text[0] == '[' && text[len] == ']' ? len + 1 : 0;
}

/* Does the target, the word at @at, give packets a mark? */
static bool is_marking(const struct ipt_line *line, size_t at)
{
	static const char *const targets[] = { "MARK", "HMARK", NULL };
	static const char *const options[] = {
		"--restore-mark", "--map-mark", "--tproxy-mark", NULL
	};
	size_t i;

	if (name_find(targets, line->words[at].text) >= 0)
		return true;
	for (i = at + 1; i < line->count; i++)
		if (name_find(options, line->words[i].text) >= 0)
			return true;
	return false;
}

/* A rule of a table before nat: all that matters is whether it sets a mark. */
static void read_beside(struct table *table, char *text)
{
	static const char *const elsewhere[] = {
		"INPUT", "FORWARD", "OUTPUT", "POSTROUTING", NULL
	};
	struct ipt_line line = { .reader = table->reader };
	bool early = !strcmp(table->name, "raw");
	unsigned int families = table->header ?: table->reader->families;
	size_t i;

	if (!early && strcmp(table->name, "mangle"))
		return;
	memset(text, ' ', counters(text));
	split(table, &line, text);
	if (line.count < 2 || strcmp(line.words[0].text, "-A") ||
	    name_find(elsewhere, line.words[1].text) >= 0)
		return;
	for (i = 2; i + 1 < line.count; i++)
		if (!line.words[i].quoted && !strcmp(line.words[i].text, "-j") &&
		    is_marking(&line, i + 1))
			translate_marks(table->reader->translation,
					families ?: FAMILY_BOTH, early);
}

static void read_header(struct table *table, const char *text)
{
	/* Of the two names one is the end of the other. */
	if (strstr(text, "ip6tables-save"))
		table->header = FAMILY_6;
	else if (strstr(text, "iptables-save"))
		table->header = FAMILY_4;
}

static void read_in_table(struct table *table, char *text)
{
	struct ipt_line line = { .reader = table->reader };
	size_t skip = counters(text);

	memset(text, ' ', skip);
	split(table, &line, text);
	if (!line.count)
		return;
	if (line.words[0].text[0] == ':')
		read_chain(table, &line);
	else if (!strcmp(line.words[0].text, "-A"))
		read_rule(table, &line);
	else
		translate_problem(table->reader->translation,
				  &table->reader->place,
				  "%s: not of the form that iptables-save prints",
				  line.words[0].text);
}

static void read_line(struct table *table, char *text, const char *rest)
{
	struct reader *reader = table->reader;

	text += strspn(text, " \t\r");
	reader->place.text = arena_text(arena_of(table), text, strlen(text));
	if (text[0] == '#') {
		read_header(table, text);
	} else if (text[0] == '*') {
		text[strcspn(text, " \t\r")] = '\0';
		begin_table(table, text + 1, rest);
	} else if (begins(text, "COMMIT")) {
		table->name[0] = '\0';
		table->nat = false;
	} else if (table->nat) {
		read_in_table(table, text);
	} else if (table->name[0]) {
		read_beside(table, text);
	} else if (text[0]) {
		translate_problem(reader->translation, &reader->place,
				  "neither a table of iptables-save nor the JSON of nft");
	}
}

void translate_iptables(struct reader *reader, char *text, size_t len)
{
	struct table table = { .reader = reader };
	char *end = text + len;

	reader->place.line = 0;
	reader->place.name = NULL;
	while (text < end) {
		char *next = memchr(text, '\n', end - text);

		if (!next)
			next = end;
		/* Behind the text is a zero, too. */
		*next = '\0';
		reader->place.number++;
		reader->place.line++;
		/* A zero within would hide what stands behind it. */
		if (strlen(text) < (size_t)(next - text))
			translate_problem(reader->translation, &reader->place,
					  "byte 0x00: not text");
		read_line(&table, text, next < end ? next + 1 : next);
		text = next + 1;
	}
	if (table.name[0])
		translate_problem(reader->translation, &reader->place,
				  "table %s: COMMIT is missing, the file is cut",
				  table.name);
}
