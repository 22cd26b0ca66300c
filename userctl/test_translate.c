// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of translate that need no kernel: single rules, and input that nobody
 * prints, of which nothing may come that is not in the language. KTAP. Whole
 * rule sets are in selftests/translate.
 */
#include <stdlib.h>
#include <string.h>

#include "ktap.h"
#include "test_translate.h"

int usage(const struct command *command)
{
	(void)command;
	return EXIT_USAGE;
}

void translate(struct translation *tr, const char *input, size_t len)
{
	struct reader reader = { .translation = tr };
	char *text;

	memset(tr, 0, sizeof(*tr));
	text = arena_text(&tr->arena, input, len);
	reader.place.file = "input";
	if (text[strspn(text, " \t\r\n")] == '{')
		translate_nft(&reader, text, len);
	else
		translate_iptables(&reader, text, len);
	translate_flatten(tr);
}

bool parse(const char *text, struct statement *statement)
{
	char *line = strdup(text), *log = NULL;
	struct source source;
	size_t size;
	bool ok;

	if (!line)
		out_of_memory();
	source_file(&source, "statement");
	source.log = open_memstream(&log, &size);
	source.line = 1;
	ok = source_split(&source, line, strlen(line)) && source.count &&
	     config_statement(&source, statement);
	source_close(&source);
	fclose(source.log);
	if (!ok)
		printf("# %s\n# %s", text, log);
	free(log);
	free(line);
	return ok;
}

static void append(FILE *file, const char *text)
{
	fprintf(file, "\t%s\n", text);
}

/* Rules, and the lines that must come of them or be said of them. */
static void test_rules(const char *rules, const char *want)
{
	bool refused = want[1] == '!';
	struct translation tr;
	char *input, *got;
	size_t i, len;
	FILE *out;
	int size;

	size = asprintf(&input, "*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
			":POSTROUTING ACCEPT\n:A -\n%sCOMMIT\n", rules);
	out = open_memstream(&got, &len);
	if (size < 0 || !out)
		out_of_memory();
	translate(&tr, input, size);
	for (i = 0; i < tr.item_count; i++)
		if (tr.items[i].statement && !refused)
			append(out, tr.items[i].statement);
	for (i = 0; i < tr.refusal_count; i++)
		fprintf(out, "\t!%s\n", tr.refusals[i].what);
	if (!ftell(out))
		append(out, "");
	fclose(out);
	result(!strcmp(got, want), "%.*s", (int)strcspn(rules, "\n"), rules);
	if (strcmp(got, want))
		printf("#%s", got);
	arena_free(&tr.arena);
	free(input);
	free(got);
}

static void test_cases(const char *name)
{
	char rules[4096] = "", want[4096] = "", line[1024];
	FILE *file = fopen(name, "r");

	if (!file) {
		result(false, "%s can be read", name);
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		bool wanted = line[0] == '\t';

		if (line[0] == '#')
			continue;
		if (!wanted && want[0]) {
			test_rules(rules, want);
			rules[0] = '\0';
			want[0] = '\0';
		}
		strncat(wanted ? want : rules, line, sizeof(rules) - 1 -
			strlen(wanted ? want : rules));
	}
	test_rules(rules, want);
	fclose(file);
}

/* A linear congruential generator. */
static uint32_t seed = 1;

uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static size_t disorder_iptables(char *text, size_t size)
{
	static const char *const words[] = {
		"-s 10.0.0.1", "! -s 10.0.0.0/24", "-d 10.0.0.0/8", "-i eth0",
		"! -i eth0", "-o eth+", "! -o eth1", "-p tcp", "-p udp",
		"-m tcp --dport 80", "-m udp ! --sport 5:9", "-m comment",
		"-m multiport --ports 80,81:99,7", "-m multiport ! --dports 1",
		"--comment \"a \\\" b\"", "-m mark --mark 0x1/0xff",
		"-m mark ! --mark 0x2", "-m addrtype --dst-type LOCAL",
		"-m iprange --src-range 10.0.0.3-10.0.0.77", "-i +",
		"-m conntrack --ctstate NEW", "-m set --match-set x src", "!",
		"-s ::/0", "-m", "-s", "255.255.0.255", "--to-ports", "\"",
	};
	static const char *const targets[] = {
		"-j ACCEPT", "-j RETURN", "-j A", "-g B", "-j B", "-j LOG", "",
		"-j SNAT --to-source 10.0.0.1-10.0.0.9:1-2",
		"-j DNAT --to-destination 10.0.0.1:80", "-j REDIRECT",
		"-j DNAT --to-destination :80", "-j MASQUERADE --random",
		"-j MASQUERADE --to-ports 1-2", "-j NETMAP --to 10.0.0.0/24",
		"-j DNAT --to-destination [::1]:80", "-j SNAT --to-source [",
	};
	static const char *const chains[] = {
		"PREROUTING", "OUTPUT", "POSTROUTING", "INPUT", "A", "B", "C"
	};
	size_t len, i, j;

	len = sprintf(text, "*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
		      ":POSTROUTING ACCEPT\n:INPUT DROP\n:A -\n:B -\n");
	for (i = any(12); i && len + 400 < size; i--) {
		len += sprintf(text + len, "-A %s", ANY(chains));
		for (j = any(5); j; j--)
			len += sprintf(text + len, " %s",
				       words[any(ARRAY_SIZE(words) - (any(4) ? 7 : 0))]);
		len += sprintf(text + len, " %s\n",
			       ANY(targets));
	}
	return len + sprintf(text + len, "COMMIT\n");
}

static size_t disorder_nft(char *text, size_t size)
{
	static const char *const values[] = {
		"\"A\"", "\"10.0.0.1\"", "80", "null", "{}", "[]", "\"@s\"",
		"{\"set\": [\"eth0\", \"eth*\"]}", "{\"range\": [1, 5]}",
		"{\"range\": [\"10.0.0.1\", \"10.0.0.7\"]}", "-1", "\"tcp\"",
		"{\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}}", "1.5",
		"{\"concat\": [80, \"10.0.0.1\"]}", "true", "\"new\"",
		"{\"set\": [[80, {\"jump\": {\"target\": \"A\"}}]]}",
		"{\"map\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"data\": \"@s\"}}",
		"{\"meta\": {\"key\": \"mark\"}}",
		"{\"set\": [80, {\"elem\": {\"val\": 81}}]}",
	};
	static const char *const lefts[] = {
		"{\"meta\": {\"key\": \"iifname\"}}", "{\"meta\": {\"key\": \"mark\"}}",
		"{\"meta\": {\"key\": \"l4proto\"}}", "{\"meta\": {\"key\": \"nfproto\"}}",
		"{\"payload\": {\"protocol\": \"ip\", \"field\": \"saddr\"}}",
		"{\"payload\": {\"protocol\": \"tcp\", \"field\": \"dport\"}}",
		"{\"payload\": {\"protocol\": \"th\", \"field\": \"sport\"}}",
		"{\"fib\": {\"result\": \"type\", \"flags\": \"daddr\"}}",
		"{\"ct\": {\"key\": \"state\"}}", "{\"&\": [{\"meta\": {\"key\": \"mark\"}}, 255]}",
		"{\"concat\": [{\"meta\": {\"key\": \"mark\"}}, {\"meta\": {\"key\": \"mark\"}}]}",
	};
	static const char *const ops[] = { "==", "!=", "in", "<", ">=", "x" };
	static const char *const verbs[] = {
		"accept", "return", "drop", "jump", "goto", "snat", "dnat",
		"masquerade", "redirect", "vmap", "fullcone", "counter", "xt",
	};
	static const char *const keys[] = {
		"addr", "port", "flags", "target", "key", "data", "type_flags"
	};
	static const char table[] = "\"family\": \"inet\", \"table\": \"t\"";
	char chain[100], set[100];
	size_t len, i, j;

	sprintf(chain, "{\"chain\": {%s, \"name\": \"A\"}}", table);
	sprintf(set, "{\"set\": {%s, \"name\": \"s\", \"elem\": [80, 81]}}", table);
	len = sprintf(text, "{\"nftables\": [%s, %s, {\"chain\": {%s, \"name\": \"p\",",
		      chain, set, table);
	len += sprintf(text + len, "\"type\": \"nat\", \"hook\": \"%s\", \"policy\": \"accept\"}}",
		       any(2) ? "prerouting" : "postrouting");
	for (i = any(8); i && len + 2000 < size; i--) {
		len += sprintf(text + len, ",{\"rule\": {%s, \"chain\": \"%s\", \"expr\": [",
			       table, any(2) ? "p" : "A");
		for (j = any(4); j; j--) {
			len += sprintf(text + len, "{\"match\": {\"op\": \"%s\",", ANY(ops));
			len += sprintf(text + len, "\"left\": %s, \"right\": %s}},",
				       ANY(lefts), ANY(values));
		}
		len += sprintf(text + len, "{\"%s\": ", ANY(verbs));
		if (any(4))
			len += sprintf(text + len, "{\"%s\": %s, \"%s\": %s}}]}}",
				       ANY(keys), ANY(values), ANY(keys),
				       ANY(values));
		else
			len += sprintf(text + len, "%s}]}}", ANY(values));
	}
	return len + sprintf(text + len, "]}");
}

/* Whatever comes in: what comes out is in the language. */
static void test_disorder(const char *what,
			  size_t (*make)(char *text, size_t size))
{
	unsigned int i, statements = 0, problems = 0, bad = 0;
	static char text[32768];
	struct statement statement;
	struct translation tr;
	size_t len, j;

	for (i = 0; i < 10000 && !bad; i++) {
		len = make(text, sizeof(text));
		for (j = any(8) ? 0 : any(6); j; j--)
			text[any(len)] = any(256);
		translate(&tr, text, len);
		for (j = 0; j < tr.item_count; j++) {
			if (!tr.items[j].statement)
				continue;
			statements++;
			bad += !parse(tr.items[j].statement, &statement);
		}
		problems += tr.refusal_count;
		arena_free(&tr.arena);
	}
	result(!bad && statements > 1000 && problems > 1000,
	       "%s: %u inputs, %u statements, %u refusals", what, i, statements,
	       problems);
}

int main(int argc, char **argv)
{
	unsigned int bad, packets;

	printf("KTAP version 1\n");
	test_cases(argc > 1 ? argv[1] : "test_translate.txt");
	test_disorder("disorder of iptables", disorder_iptables);
	test_disorder("disorder of nft", disorder_nft);
	bad = compare(10000, &packets);
	result(!bad && packets > 100000, "as the chains did: %u packets", packets);
	return result_end();
}
