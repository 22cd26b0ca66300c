// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the configuration language that need no kernel: text to model and
 * back, refusals word by word, and input that no sane person writes. KTAP.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "print.h"
#include "userctl.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned int tests, failures;

__attribute__((format(printf, 2, 3)))
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

static void print_statement(FILE *file, const struct statement *statement)
{
	switch (statement->kind) {
	case STATEMENT_SET:
		print_setting(file, &statement->setting);
		break;
	case STATEMENT_POOL:
		print_pool(file, &statement->pool);
		break;
	case STATEMENT_RULE:
		print_rule(file, &statement->rule);
		break;
	default:
		print_forward(file, &statement->forward);
	}
	fputc('\n', file);
}

/*
 * Parse @len bytes of @text as the file natty.conf. Returns what the model
 * prints, and what went wrong in *@errors, both to be freed.
 */
static char *reprint(const char *text, size_t len, char **errors)
{
	FILE *in = fmemopen((void *)text, len ? len : 1, "r");
	struct source source;
	struct config config;
	size_t size, log_size, i;
	char *printed = NULL;
	FILE *out;

	/* fmemopen() takes no empty buffer on every system. */
	if (in && !len)
		fgetc(in);
	source_file(&source, "natty.conf");
	source.log = open_memstream(errors, &log_size);
	out = open_memstream(&printed, &size);
	if (!in || !source.log || !out) {
		printf("Bail out! no memory stream\n");
		exit(1);
	}
	config_read(&source, in, &config);
	for (i = 0; i < config.count; i++)
		print_statement(out, &config.list[i]);
	fclose(in);
	fclose(out);
	fclose(source.log);
	config_free(&config);
	source_free(&source);
	return printed;
}

/* What is printed as it was read. */
static const char *const same[] = {
	"set profile rfc",
	"set timeout.tcp-established 7440",
	"set timeout.udp default",
	"set key with#hash",
	"pool isp 203.0.113.1-203.0.113.6 203.0.113.9 ports 1024-65000",
	"pool one 203.0.113.1",
	"pool six 2001:db8::1-2001:db8::ff",
	"pool one-port 203.0.113.1 ports 2000",
	"rule postrouting masquerade",
	"rule postrouting oif wan0 src 10.0.0.0/8 masquerade",
	"rule postrouting masquerade :1024-2000",
	"rule postrouting masquerade :1024 random",
	"rule postrouting oif wan0 src 10.9.0.0/16 snat pool isp persistent",
	"rule postrouting oif wan0 src 10.0.0.0/8 dst 192.0.2.0/24 accept",
	"rule prerouting iif lan0 proto udp dport 53 redirect :5353",
	"rule prerouting iif lan0 redirect",
	"rule postrouting oif wan0 src 10.1.1.0/24 netmap 198.51.100.0/24",
	"rule postrouting src 2001:db8:1::/48 netmap 2001:db8:2::/48",
	"rule postrouting oif ppp+ snat 203.0.113.1-203.0.113.4:1024-65535 random persistent",
	"rule postrouting src 2001:db8:1::/48 snat [2001:db8::1]-[2001:db8::9]:1024-2000",
	"rule postrouting snat 2001:db8::1-2001:db8::9",
	"rule prerouting proto tcp dnat [2001:db8::1]:80",
	"rule prerouting proto tcp dnat 2001:db8::1",
	"rule prerouting proto 99 dnat 10.0.0.5",
	"rule prerouting not iif lan+ not src 10.0.0.0/8 not dst 0.0.0.0/0 not proto tcp not sport 1-5 not dport 0-65535 not mark 0x10/0xff accept",
	"rule output mark 0x1 snat 10.0.0.1 mapping endpoint-independent filtering address-and-port-dependent",
	"rule input proto icmp accept",
	"rule postrouting src ::/0 masquerade mapping address-dependent",
	"rule postrouting iif src oif masquerade masquerade",
	"forward tcp 203.0.113.1:2222 10.0.0.7:22",
	"forward udp [2001:db8::1]:53 [fd00::1]:5353",
};

/* What is printed in another form than it was read. */
static const struct {
	const char *text, *printed;
} other[] = {
	{ "", "" },
	{ "# nothing\n \t \r\n   # nothing either", "" },
	{ "set profile rfc", "set profile rfc\n" },
	{ " \t set  profile\trfc \r\n\n", "set profile rfc\n" },
	{ "rule postrouting masquerade # all of it",
	  "rule postrouting masquerade\n" },
	{ "rule prerouting iif wan0 proto tcp dst 203.0.113.1 dport 8080 dnat 10.0.0.5:80",
	  "rule prerouting iif wan0 dst 203.0.113.1 proto tcp dport 8080 dnat 10.0.0.5:80\n" },
	{ "rule postrouting mark 16/255 proto 6 masquerade",
	  "rule postrouting proto tcp mark 0x10/0xff masquerade\n" },
	{ "rule postrouting src 10.0.0.1/32 sport 7-7 masquerade persistent random",
	  "rule postrouting src 10.0.0.1 sport 7 masquerade random persistent\n" },
	{ "rule postrouting snat 10.0.0.1-10.0.0.1:5-5",
	  "rule postrouting snat 10.0.0.1:5\n" },
	{ "rule postrouting snat [2001:DB8:0::1]",
	  "rule postrouting snat 2001:db8::1\n" },
	{ "forward 132 203.0.113.1:1 10.0.0.7:1",
	  "forward sctp 203.0.113.1:1 10.0.0.7:1\n" },
};

static const struct {
	const char *text, *error;
} refused[] = {
	{ "natty on", "1:1: statement natty: neither set, pool, rule nor forward" },
	{ "\n\nrule", "3:5: a chain is missing" },
	{ "rule up masquerade", "1:6: chain up: neither prerouting, postrouting, output nor input" },
	{ "rule postrouting", "1:17: an action is missing: accept, masquerade, snat, dnat, redirect or netmap" },
	{ "rule postrouting oif", "1:21: an interface name is missing" },
	{ "rule postrouting oif wan0/1 masquerade", "1:22: interface wan0/1: no interface can have this name" },
	{ "rule postrouting oif abcdefghijklmnop masquerade", "1:22: interface abcdefghijklmnop: an interface name has at most 15 bytes" },
	{ "rule postrouting via wan0 masquerade", "1:18: via: neither a match nor an action" },
	{ "rule postrouting not masquerade", "1:22: masquerade: no match, so not cannot precede it" },
	{ "rule postrouting not", "1:21: a match is missing after not" },
	{ "rule postrouting src 10.0.0.1 src 10.0.0.2 masquerade", "1:31: src: given twice" },
	{ "rule postrouting src 10.0.0.1/8 masquerade", "1:22: network 10.0.0.1/8: has bits set beyond its prefix length" },
	{ "rule postrouting src 10.0.0.0/33 masquerade", "1:22: network 10.0.0.0/33: the prefix length is a number from 0 to 32" },
	{ "rule postrouting src ::/129 masquerade", "1:22: network ::/129: the prefix length is a number from 0 to 128" },
	{ "rule postrouting src 10.0.0.0/ masquerade", "1:22: network 10.0.0.0/: the prefix length is a number from 0 to 32" },
	{ "rule postrouting src 10.0.0.300 masquerade", "1:22: address 10.0.0.300: not an IPv4 or IPv6 address" },
	{ "rule postrouting src 010.0.0.1 masquerade", "1:22: address 010.0.0.1: not an IPv4 or IPv6 address" },
	{ "rule postrouting proto smtp masquerade", "1:24: protocol smtp: neither a protocol's name nor a number up to 255" },
	{ "rule postrouting proto 256 masquerade", "1:24: protocol 256: neither a protocol's name nor a number up to 255" },
	{ "rule postrouting dport 9000-80 masquerade", "1:24: port range 9000-80: low end above high end" },
	{ "rule postrouting dport 65536 masquerade", "1:24: port 65536: the highest port is 65535" },
	{ "rule postrouting dport -5 masquerade", "1:24: port range -5: a port number is missing" },
	{ "rule postrouting dport +5 masquerade", "1:24: port +5: not a port number" },
	{ "rule postrouting dport 0x50 masquerade", "1:24: port 0x50: not a port number" },
	{ "rule postrouting dport 99999999999999999999999 masquerade", "1:24: port 99999999999999999999999: the highest port is 65535" },
	{ "rule postrouting mark x masquerade", "1:23: mark x: the mark is a number of 32 bits, as in 0x10" },
	{ "rule postrouting mark 4294967296 masquerade", "1:23: mark 4294967296: the mark is a number of 32 bits, as in 0x10" },
	{ "rule postrouting mark 1/ masquerade", "1:23: mark 1/: the mask is a number of 32 bits, as in 0x10/0xff" },
	{ "rule postrouting mark 0x100/0xff masquerade", "1:23: mark 0x100/0xff: has bits set beyond its mask" },
	{ "rule postrouting masquerade :0", "1:29: port 0: the lowest port is 1" },
	{ "rule postrouting masquerade :", "1:29: port : a port number is missing" },
	{ "rule postrouting masquerade src 10.0.0.1", "1:29: src: matches stand before the action" },
	{ "rule postrouting masquerade fast", "1:29: fast: not an option of a rule" },
	{ "rule postrouting masquerade random random", "1:36: random: given twice" },
	{ "rule postrouting masquerade mapping", "1:36: a behaviour is missing" },
	{ "rule postrouting masquerade mapping cone", "1:37: mapping cone: neither endpoint-independent, address-dependent nor address-and-port-dependent" },
	{ "rule postrouting snat", "1:22: an address is missing" },
	{ "rule postrouting snat pool", "1:27: the name of a pool is missing" },
	{ "rule postrouting snat 10.0.0.9-10.0.0.1", "1:23: range 10.0.0.9-10.0.0.1: low end above high end" },
	{ "rule postrouting snat 10.0.0.9-::1", "1:23: range 10.0.0.9-::1: an IPv4 and an IPv6 address make no range" },
	{ "rule postrouting snat 10.0.0.9:9-8", "1:23: range 10.0.0.9:9-8: low end above high end" },
	{ "rule postrouting snat [10.0.0.9]:9", "1:23: address [10.0.0.9]:9: only IPv6 addresses stand in brackets" },
	{ "rule postrouting snat [2001:db8::1]80", "1:23: address [2001:db8::1]80: not an IPv4 or IPv6 address" },
	{ "rule postrouting netmap 10.0.0.0/33", "1:25: network 10.0.0.0/33: the prefix length is a number from 0 to 32" },
	{ "pool", "1:5: the name of a pool is missing" },
	{ "pool isp", "1:9: an address or a range is missing" },
	{ "pool isp ports 1-2", "1:10: an address or a range is missing" },
	{ "pool isp 203.0.113.9 ports", "1:27: a port is missing" },
	{ "pool isp 203.0.113.9 ports 1-2 3", "1:32: 3: one word too many" },
	{ "pool isp 203.0.113.9 203.0.113.0/29", "1:22: address 203.0.113.0/29: not an IPv4 or IPv6 address" },
	{ "pool abcdefghijklmnopqrstuvwxyz0123456 10.0.0.1", "1:6: pool abcdefghijklmnopqrstuvwxyz0123456: longer than 31 bytes" },
	{ "forward tcp 203.0.113.1 10.0.0.7:22", "1:13: endpoint 203.0.113.1: a port is missing, as in 192.0.2.1:80" },
	{ "forward tcp 2001:db8::1:80 10.0.0.7:22", "1:13: endpoint 2001:db8::1:80: a port is missing, as in [2001:db8::1]:80" },
	{ "forward tcp 203.0.113.1:1-2 10.0.0.7:22", "1:13: endpoint 203.0.113.1:1-2: a single address and port is wanted, not a range" },
	{ "forward tcp 203.0.113.1:1", "1:26: the internal address and port is missing" },
	{ "set", "1:4: a key is missing" },
	{ "set profile", "1:12: a value is missing" },
	{ "set profile rfc now", "1:17: now: one word too many" },
	{ "set profile default now", "1:21: now: one word too many" },
	{ "set profile rfc\nset pro\033file rfc", "2:8: byte 0x1b: not text" },
};

static bool says(const char *errors, const char *error)
{
	static const char file[] = "natty.conf:";
	size_t len = strlen(error);

	return !strncmp(errors, file, sizeof(file) - 1) &&
	       !strncmp(errors + sizeof(file) - 1, error, len) &&
	       !strcmp(errors + sizeof(file) - 1 + len, "\n");
}

/* A description without the newlines that would break the test's own line. */
static void describe(bool ok, const char *what, const char *text)
{
	char line[80];
	size_t i;

	for (i = 0; text[i] && i < sizeof(line) - 1; i++)
		line[i] = (unsigned char)text[i] < ' ' || text[i] == '#' ?
			  ' ' : text[i];
	line[i] = '\0';
	result(ok, "%s: %s", what, line);
}

static void test_texts(void)
{
	char *printed, *errors;
	size_t i, len;

	for (i = 0; i < COUNT(same); i++) {
		len = strlen(same[i]);
		printed = reprint(same[i], len, &errors);
		describe(!errors[0] && !strncmp(printed, same[i], len) &&
			 !strcmp(printed + len, "\n"), "same", same[i]);
		free(printed);
		free(errors);
	}
	for (i = 0; i < COUNT(other); i++) {
		printed = reprint(other[i].text, strlen(other[i].text),
				  &errors);
		describe(!errors[0] && !strcmp(printed, other[i].printed),
			 "canonical", other[i].text);
		free(printed);
		free(errors);
	}
}

static void test_refusals(void)
{
	char *printed, *errors;
	bool ok;
	size_t i;

	for (i = 0; i < COUNT(refused); i++) {
		printed = reprint(refused[i].text, strlen(refused[i].text),
				  &errors);
		ok = says(errors, refused[i].error);
		describe(ok, "refused", refused[i].text);
		if (!ok)
			printf("# got  %s# want natty.conf:%s\n", errors,
			       refused[i].error);
		free(printed);
		free(errors);
	}
}

/* All errors of a file are told, up to a limit. */
static void test_many_errors(void)
{
	static const char bad[] = "set\nset profile rfc\nrule x\n";
	char *printed, *errors, *text;
	size_t i;

	printed = reprint(bad, strlen(bad), &errors);
	result(strstr(errors, "natty.conf:1:4:") &&
	       strstr(errors, "natty.conf:3:6:") &&
	       !strcmp(printed, "set profile rfc\n"), "every error is told");
	free(printed);
	free(errors);

	text = xrealloc(NULL, 100 * 4 + 1);
	for (i = 0; i < 100; i++)
		strcpy(text + i * 4, "set\n");
	printed = reprint(text, strlen(text), &errors);
	result(strstr(errors, "natty.conf:20:4:") &&
	       !strstr(errors, "natty.conf:21:4:") &&
	       strstr(errors, "natty.conf: giving up after 20 errors\n"),
	       "after 20 errors a file is given up");
	free(printed);
	free(errors);
	free(text);
}

static void test_bytes(void)
{
	char *printed, *errors;

	printed = reprint("set a\0b c\n", 10, &errors);
	result(!strcmp(errors, "natty.conf:1:6: byte 0x00: not text\n"),
	       "a zero byte is refused");
	free(printed);
	free(errors);
}

/* They have no line and no column. */
static void test_argv(void)
{
	char *argv[] = { "postrouting", "dport", "9-8", "masquerade" };
	struct statement statement = { 0 };
	struct source source;
	char *errors;
	size_t size;
	bool ok;

	source_argv(&source, "rule add", argv, COUNT(argv));
	source.log = open_memstream(&errors, &size);
	ok = config_rule(&source, &statement);
	fclose(source.log);
	result(!ok && !strcmp(errors, "rule add: port range 9-8: low end above high end\n"),
	       "errors of the command line name the command");
	free(errors);
	source_free(&source);
}

static void test_filter(const char *match, const char *value,
			const char *want)
{
	char *argv[] = { (char *)match, (char *)value };
	struct filter filter;
	struct source source;
	char *errors;
	size_t size;
	bool ok;

	source_argv(&source, "conn list", argv, COUNT(argv));
	source.log = open_memstream(&errors, &size);
	ok = config_filter(&source, &filter);
	fclose(source.log);
	result(ok == !want && (!want || strstr(errors, want)),
	       "filter %s %s", match, value);
	free(errors);
	source_free(&source);
}

/* Reproducible disorder: a linear congruential generator. */
static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* A line of words that occur in the language, some of them damaged. */
static void garble(char *line, size_t size)
{
	static const char *const words[] = {
		"set", "pool", "rule", "forward", "prerouting", "postrouting",
		"not", "iif", "oif", "src", "dst", "proto", "sport", "dport",
		"mark", "accept", "masquerade", "snat", "dnat", "redirect",
		"netmap", "pool", "ports", "random", "persistent", "mapping",
		"filtering", "endpoint-independent", "address-dependent",
		"eth0", "10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9:1-2",
		"[::1]:80", "::1", "2001:db8::/32", ":80", ":1-65535", "80",
		"1-2", "tcp", "17", "0x10/0xff", "", "-", "[", "]:", "[]:1",
		"/", "#", "[::1]-[::2]:5-6", "1.1.1.1:", ":", "4294967296",
	};
	unsigned int i, n = any(12);
	size_t len = 0;

	line[0] = '\0';
	for (i = 0; i < n; i++) {
		const char *word = words[any(COUNT(words))];

		/* Half of the lines begin as a statement does. */
		if (!i && any(2))
			word = words[any(4)];
		if (len + strlen(word) + 2 > size)
			break;
		len += sprintf(line + len, "%s%s", i ? " " : "", word);
	}
	for (i = any(4); len && i; i--)
		if (!any(2))
			line[any(len)] = any(256);
}

static void test_disorder(void)
{
	unsigned int i, good = 0, bad = 0;
	char *printed, *again, *errors;
	char line[512];

	for (i = 0; i < 200000 && !bad; i++) {
		garble(line, sizeof(line));
		printed = reprint(line, strlen(line), &errors);
		if (!errors[0]) {
			free(errors);
			again = reprint(printed, strlen(printed), &errors);
			good += printed[0] != '\0';
			bad += errors[0] || strcmp(printed, again);
			if (bad)
				printf("# %s# %s# %s", printed, again, errors);
			free(again);
		}
		free(printed);
		free(errors);
	}
	result(!bad && good > 50, "disorder: %u lines, %u of them statements",
	       i, good);
}

int main(void)
{
	printf("KTAP version 1\n");
	test_texts();
	test_refusals();
	test_many_errors();
	test_bytes();
	test_argv();
	test_filter("src", "10.0.0.0/8", NULL);
	test_filter("dport", "80-90", NULL);
	test_filter("iif", "eth0", "conn list: iif: connections do not keep it");
	test_filter("mark", "1", "conn list: mark: connections do not keep it");
	test_filter("state", "new", "state: not one of src, dst, proto, sport and dport");
	test_disorder();
	printf("1..%u\n", tests);
	return failures != 0;
}
