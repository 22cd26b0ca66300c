// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the configuration language that need no kernel: from text over the
 * model to netlink and all the way back, refusals word by word, and input that
 * no sane person writes. KTAP.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "ktap.h"
#include "nl_msg.h"
#include "print.h"
#include "userctl.h"
#include "value.h"

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

/* What the kernel would be told of @statement, read as if it came from there. */
static void print_message(FILE *file, const struct statement *statement)
{
	static char buffer[65536];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct statement back = { .kind = statement->kind };

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	msg_put_statement(nlh, statement);
	switch (back.kind) {
	case STATEMENT_SET:
		msg_get_setting(nlh, &back.setting);
		break;
	case STATEMENT_POOL:
		msg_get_pool(nlh, &back.pool);
		break;
	case STATEMENT_RULE:
		msg_get_rule(nlh, &back.rule);
		break;
	default:
		msg_get_forward(nlh, &back.forward);
	}
	print_statement(file, &back);
	statement_free(&back);
	if (nlh->nlmsg_len > msg_statement_size(statement))
		fprintf(file, "message of %u bytes\n", nlh->nlmsg_len);
}

/*
 * Parse @len bytes of @text as the file natty.conf. Returns what the model
 * prints, once it went through netlink, and what went wrong in *@errors, both to be freed.
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
		print_message(out, &config.list[i]);
	fclose(in);
	fclose(out);
	config_free(&config);
	source_close(&source);
	fclose(source.log);
	return printed;
}

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

/* One line of the file of cases, and what is said of it if it is refused. */
static void test_case(const char *text, const char *error)
{
	size_t len = strlen(text);
	char *printed, *errors;
	bool ok;

	printed = reprint(text, len, &errors);
	if (error)
		ok = says(errors, error) && !printed[0];
	else
		ok = !errors[0] && !strncmp(printed, text, len) &&
		     !strcmp(printed + len, "\n");
	describe(ok, error ? "refused" : "same", text);
	if (!ok)
		printf("# %s# %s# %s\n", printed, errors, error ? error : "");
	free(printed);
	free(errors);
}

/* A line without its newline, or NULL at the end of the file. */
static char *next_line(FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	len = getline(&line, &room, file);
	if (len < 0) {
		free(line);
		return NULL;
	}
	if (len && line[len - 1] == '\n')
		line[len - 1] = '\0';
	return line;
}

static void test_cases(const char *name)
{
	FILE *file = fopen(name, "r");
	char *line, *next;

	if (!file) {
		result(false, "%s can be read", name);
		return;
	}
	for (line = next_line(file); line; line = next) {
		next = next_line(file);
		if (line[0] != '#' && next && next[0] == '\t') {
			test_case(line, next + 1);
			free(next);
			next = next_line(file);
		} else if (line[0] != '#') {
			test_case(line, NULL);
		}
		free(line);
	}
	fclose(file);
}

static void test_canonical(void)
{
	char *printed, *errors;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		printed = reprint(other[i].text, strlen(other[i].text),
				  &errors);
		describe(!errors[0] && !strcmp(printed, other[i].printed),
			 "canonical", other[i].text);
		free(printed);
		free(errors);
	}
}

/* Pools are the only statements that the kernel could not tell apart. */
static void test_pools(void)
{
	static const char twice[] = "pool b 10.0.0.1\npool a 10.0.0.1\n"
				    "pool b 10.0.0.2\n";
	char *printed, *errors;

	printed = reprint(twice, strlen(twice), &errors);
	result(!strcmp(errors, "natty.conf:3:6: pool b: line 1 defines it already\n"),
	       "a pool is defined once");
	free(printed);
	free(errors);
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

	printed = reprint("set \xff \xc3\xa4 c\n", 11, &errors);
	result(!strcmp(errors, "natty.conf:1:10: c: one word too many\n"),
	       "bytes beyond ASCII are text");
	free(printed);
	free(errors);

	printed = reprint("\xff\xc3\xa4\xed", 4, &errors);
	result(!strncmp(errors, "natty.conf:1:1: statement ?\xc3\xa4?:", 31),
	       "what is no UTF-8 is printed as question marks");
	free(printed);
	free(errors);

	printed = reprint("set a\0b c\n", 10, &errors);
	result(!strcmp(errors, "natty.conf:1:6: byte 0x00: not text\n"),
	       "a zero byte is refused");
	free(printed);
	free(errors);
}

/* They have no line and no column. */
static void test_argv(void)
{
	char words[4][12] = { "postrouting", "dport", "9-8", "masquerade" };
	char *argv[ARRAY_SIZE(words)];
	struct statement statement = { 0 };
	struct source source;
	char *errors;
	size_t size, i;
	bool ok;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		argv[i] = words[i];
	source_argv(&source, "rule add", argv, ARRAY_SIZE(argv));
	source.log = open_memstream(&errors, &size);
	ok = config_rule(&source, &statement);
	source_close(&source);
	fclose(source.log);
	result(!ok && !strcmp(errors, "rule add: port range 9-8: low end above high end\n"),
	       "errors of the command line name the command");
	free(errors);
}

/* Which word does the attribute at @offset of the message come from? */
static bool field_is(const struct nlmsghdr *nlh, const void *at,
		     enum field want, unsigned int want_nth)
{
	uint32_t offset = (const char *)at - (const char *)nlh;
	enum field field;
	unsigned int nth;

	return msg_field(nlh, offset, &field, &nth) && field == want &&
	       nth == want_nth;
}

/* Errors about a range inside of a pool. */
static void test_nested_field(void)
{
	char buffer[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;
	struct nlattr *first, *second;

	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = NATTY_CMD_POOL_NEW;
	mnl_attr_put_strz(nlh, NATTY_A_POOL_NAME, "isp");
	first = mnl_attr_nest_start(nlh, NATTY_A_POOL_RANGE);
	mnl_attr_put_u32(nlh, NATTY_A_RANGE_ADDR_MIN, 1);
	mnl_attr_nest_end(nlh, first);
	second = mnl_attr_nest_start(nlh, NATTY_A_POOL_RANGE);
	mnl_attr_put_u32(nlh, NATTY_A_RANGE_ADDR_MIN, 1);
	mnl_attr_nest_end(nlh, second);
	mnl_attr_put_u16(nlh, NATTY_A_POOL_PORT_MIN, 1);
	result(field_is(nlh, buffer + 20, FIELD_NAME, 0) &&
	       field_is(nlh, first, FIELD_RANGE, 0) &&
	       field_is(nlh, second, FIELD_RANGE, 1) &&
	       field_is(nlh, mnl_attr_get_payload(second), FIELD_RANGE, 1) &&
	       field_is(nlh, mnl_nlmsg_get_payload_tail(nlh) - 8,
			FIELD_PORTS, 0),
	       "words of a pool's attributes");
}

/* Errors about a match of a filter. */
static void test_filter_field(void)
{
	struct filter filter = { .match = { .has_proto = true } };
	char buffer[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = NATTY_CMD_CONN_GET;
	value_prefix("10.0.0.0/8", &filter.match.src);
	msg_put_filter(nlh, &filter);
	result(field_is(nlh, buffer + 24, FIELD_SRC, 0) &&
	       field_is(nlh, buffer + 32, FIELD_SRC, 0) &&
	       field_is(nlh, buffer + 40, FIELD_PROTO, 0) &&
	       !field_is(nlh, buffer + 20, FIELD_SRC, 0) &&
	       !field_is(nlh, buffer + 400, FIELD_SRC, 0),
	       "words of a filter's attributes");
}

static void test_filter(const char *match, const char *value,
			const char *want)
{
	char *argv[2];
	struct filter filter;
	struct source source;
	char *errors;
	size_t size;
	bool ok;

	argv[0] = (char *)match;
	argv[1] = (char *)value;
	source_argv(&source, "conn list", argv, ARRAY_SIZE(argv));
	source.log = open_memstream(&errors, &size);
	ok = config_filter(&source, &filter);
	source_close(&source);
	fclose(source.log);
	result(ok == !want && (!want || strstr(errors, want)),
	       "filter %s %s", match, value);
	free(errors);
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
		"/", "#", "[::1]-[::2]:5-6", "10.0.0.1:1-2/3", "1.1.1.1:", ":", "4294967296",
	};
	unsigned int i, n = any(12);
	size_t len = 0;

	line[0] = '\0';
	for (i = 0; i < n; i++) {
		const char *word = words[any(ARRAY_SIZE(words))];

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

int main(int argc, char **argv)
{
	printf("KTAP version 1\n");
	test_cases(argc > 1 ? argv[1] : "test_config.txt");
	test_canonical();
	test_many_errors();
	test_pools();
	test_bytes();
	test_argv();
	test_nested_field();
	test_filter_field();
	test_filter("src", "10.0.0.0/8", NULL);
	test_filter("dport", "80-90", NULL);
	test_filter("iif", "eth0", "conn list: iif: connections keep no interface");
	test_filter("dst", "local", "local: connections are selected by addresses");
	test_filter("mark", "1", "conn list: mark: connections keep no interface and no mark");
	test_filter("state", "new", "state: not one of src, dst, proto, sport and dport");
	test_disorder();
	return result_end();
}
