// SPDX-License-Identifier: GPL-2.0
/* The table of commands, and what stands before one on the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userctl.h"

#ifndef VERSION
#define VERSION "0.1"
#endif

static const struct command commands[] = {
	{
		"apply", apply_run,
		"apply FILE|- [--dry-run]",
		"replace the configuration by that of a file",
		"Replaces the whole configuration atomically: if one line is refused, nothing\n"
		"changes. Sessions that the new configuration still allows survive. \"-\" reads\n"
		"standard input. --dry-run has the kernel check everything and changes nothing.\n"
		"natty.conf(5) describes the language.\n"
	}, {
		"save", save_run,
		"save",
		"print the active configuration as a file for apply",
		"\"userctl save | userctl apply -\" changes nothing.\n"
	}, {
		"status", status_run,
		"status",
		"show version, sizes and conflicts",
		"Warns if the kernel's own NAT is active in the same network namespace.\n"
	}, {
		"rule", rule_run,
		"rule add CHAIN [MATCH...] ACTION [OPTION...]\n"
		"rule insert CHAIN POSITION [MATCH...] ACTION [OPTION...]\n"
		"rule list [CHAIN]\n"
		"rule delete CHAIN POSITION\n"
		"rule delete id ID\n"
		"rule flush [CHAIN]",
		"add, list and delete rules",
		"CHAIN   prerouting | postrouting | output | input\n"
		"MATCH   [not] iif NAME | oif NAME | src PREFIX | dst PREFIX | src local |\n"
		"        dst local | proto PROTOCOL | sport PORT[-PORT] | dport PORT[-PORT] |\n"
		"        mark VALUE[/MASK]\n"
		"ACTION  accept | masquerade [:PORT[-PORT]] | snat ADDR[-ADDR][:PORT[-PORT]] |\n"
		"        snat pool NAME | dnat ADDR[-ADDR][:PORT[-PORT]] |\n"
		"        redirect [:PORT[-PORT]] | netmap PREFIX\n"
		"OPTION  random | persistent | mapping BEHAVIOUR | filtering BEHAVIOUR\n"
		"BEHAVIOUR  endpoint-independent | address-dependent |\n"
		"           address-and-port-dependent\n"
		"Positions count from 1 in each chain. The first rule that matches wins.\n"
	}, {
		"pool", pool_run,
		"pool add NAME ADDR[-ADDR]... [ports PORT-PORT]\n"
		"pool list\n"
		"pool delete NAME\n"
		"pool flush",
		"add, list and delete pools of addresses",
		"Adding a pool of a name that exists replaces it. A pool that a rule uses is not\n"
		"deleted.\n"
	}, {
		"forward", forward_run,
		"forward add PROTOCOL ADDR:PORT ADDR:PORT\n"
		"forward list\n"
		"forward delete PROTOCOL ADDR:PORT\n"
		"forward flush",
		"add, list and delete static forwards",
		"The first endpoint is the external one, the second the internal one. IPv6\n"
		"addresses stand in brackets: [2001:db8::1]:80.\n"
	}, {
		"set", set_run,
		"set KEY VALUE\n"
		"set KEY default",
		"change a setting",
		"\"userctl get\" lists the keys, their values and ranges.\n"
	}, {
		"get", get_run,
		"get [KEY]",
		"show settings",
		"Each line tells whether the value was set or is implied by the profile.\n"
	}, {
		"conn", conn_run,
		"conn list [FILTER...]\n"
		"conn count [FILTER...]\n"
		"conn delete FILTER...\n"
		"conn flush",
		"list, count and delete connections",
		"FILTER  [not] src PREFIX | dst PREFIX | proto PROTOCOL | sport PORT[-PORT] |\n"
		"        dport PORT[-PORT]\n"
		"Filters are compared, in the kernel, with the packet that opened the connection.\n"
	}, {
		"mapping", mapping_run,
		"mapping list",
		"list which external endpoint stands for which internal one",
		""
	}, {
		"stats", stats_run,
		"stats",
		"show counters, those of dropped packets among them",
		""
	}, {
		"monitor", monitor_run,
		"monitor [--count N]",
		"print connections as they begin and end",
		"Tells when events were lost. Ends after N events, or at an interrupt.\n"
	}, {
		"translate", translate_run,
		"translate [-4|-6] [--profile rfc] [FILE|-]...",
		"turn what iptables-save or nft print into a configuration",
		"Reads what iptables-save, ip6tables-save and \"nft -j list ruleset\" print, and\n"
		"writes a file for apply. What has no equivalent is told with its line, stands\n"
		"in the file as a comment, and makes the exit status 1.\n"
		"-4, -6         the family of files that do not say it\n"
		"--profile rfc  leave out \"set profile iptables\"\n"
	}
};

static void print_synopsis(FILE *file, const struct command *command)
{
	const char *line = command->synopsis;
	int len;

	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		fprintf(file, "%s userctl %s%.*s\n",
			line == command->synopsis ? "usage:" : "      ",
			json_output ? "--json " : "", len, line);
	}
}

int usage(const struct command *command)
{
	print_synopsis(stderr, command);
	return EXIT_USAGE;
}

static void print_help(FILE *file)
{
	size_t i;

	fprintf(file, "usage: userctl [--json] COMMAND [ARGUMENT...]\n\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(file, "  %-9s %s\n", commands[i].name,
			commands[i].summary);
	fprintf(file,
		"\n\"userctl COMMAND --help\" tells more about one of them; see also userctl(8)\n"
		"and natty.conf(5).\n");
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int run(const struct command *command, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (is_help(argv[i])) {
			print_synopsis(stdout, command);
			printf("\n%s", command->help);
			return EXIT_DONE;
		}
	}
	return command->run(command, argc, argv);
}

/* Long lists and thousands of errors shall not take a system call a word. */
static void set_buffers(void)
{
	static char out[65536];

	setlinebuf(stderr);
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, out, _IOFBF, sizeof(out));
}

/* Output that did not reach its file is a failure, too. */
static int close_output(int status)
{
	int error = ferror(stdout) ? EIO : 0;

	if (fflush(stdout))
		error = errno;
	if (!error)
		return status;
	/* A reader that has seen enough, as head has, is no failure. */
	if (error != EPIPE)
		fprintf(stderr, "userctl: cannot write: %s\n", strerror(error));
	return status ? status : EXIT_REFUSED;
}

/* Options before the command. Returns -1 to go on, or the exit status. */
static int take_option(const char *word)
{
	if (!strcmp(word, "--json")) {
		json_output = true;
		return -1;
	}
	if (is_help(word)) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(word, "--version")) {
		printf("userctl %s\n", VERSION);
		return EXIT_DONE;
	}
	fprintf(stderr, "userctl: no option %s\n", word);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *command;
	int i, status;

	set_buffers();
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		status = take_option(argv[i]);
		if (status >= 0)
			return close_output(status);
	}
	if (i == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	command = find_command(argv[i]);
	if (!command) {
		fprintf(stderr,
			"userctl: no command %s; userctl --help lists them\n",
			argv[i]);
		return EXIT_USAGE;
	}
	i++;
	return close_output(run(command, argc - i, argv + i));
}
