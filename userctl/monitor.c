// SPDX-License-Identifier: GPL-2.0
/* monitor: print events as they come. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "print.h"
#include "refuse.h"
#include "userctl.h"
#include "value.h"

static volatile sig_atomic_t stop;
static uint32_t wanted;		/* events until the end; 0: no end */
static uint32_t seen;
static uint64_t last;		/* number of the last event that had one */
static bool overflowed;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

/* Tell how many events a gap in their numbers hides. */
static void tell_lost(const struct event *event)
{
	if (!event->seq)
		return;
	if (last && event->seq > last + 1)
		show_lost(event->seq - last - 1);
	else if (overflowed)
		show_lost(0);
	overflowed = false;
	last = event->seq;
}

static bool each(const struct event *event)
{
	if (!event) {
		/* The next number tells how many. */
		overflowed = true;
		return true;
	}
	tell_lost(event);
	show_event(event);
	seen++;
	return (!wanted || seen < wanted) && !ferror(stdout);
}

/* Signals are blocked except while waiting, so that none is missed. */
static void catch_signals(sigset_t *before)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, before);
}

int monitor_run(const struct command *command, int argc, char **argv)
{
	sigset_t before;
	struct nl *nl;
	int ret;

	if (argc == 2 && !strcmp(argv[0], "--count")) {
		if (value_number(argv[1], UINT32_MAX, &wanted) || !wanted)
			return usage(command);
	} else if (argc) {
		return usage(command);
	}
	nl = nl_open();
	if (!nl)
		return EXIT_REFUSED;
	catch_signals(&before);
	ret = nl_monitor(nl, each, &before, &stop);
	if (ret)
		refuse(nl);
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}
