// SPDX-License-Identifier: GPL-2.0
/* monitor: print events as they come. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "print.h"
#include "refuse.h"
#include "userctl.h"
#include "value.h"

static uint32_t wanted;		/* events until the end; 0: no end */
static uint32_t seen;
static uint64_t last;		/* number of the last event that had one */
static bool overflowed;

/* Tell how many events a gap in their numbers hides. */
static void tell_lost(const struct event *event)
{
	if (!event->seq)
		return;
	if (last && event->seq > last + 1) {
		show_lost(event->seq - last - 1);
		overflowed = false;
	}
	last = event->seq;
}

static bool each(const struct event *event)
{
	if (!event) {
		/* Events that came before are still to be read; then a gap. */
		overflowed = true;
		return true;
	}
	tell_lost(event);
	show_event(event);
	seen++;
	return (!wanted || seen < wanted) && !ferror(stdout);
}

/* A file descriptor that can be read once a signal tells to end, or -1. */
static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int monitor_run(const struct command *command, int argc, char **argv)
{
	struct nl *nl;
	int stop, ret;

	if (argc == 2 && !strcmp(argv[0], "--count")) {
		if (value_number(argv[1], UINT32_MAX, &wanted) || !wanted)
			return usage(command);
	} else if (argc) {
		return usage(command);
	}
	nl = nl_open();
	if (!nl)
		return EXIT_REFUSED;
	stop = catch_signals();
	ret = nl_monitor(nl, each, stop);
	if (ret)
		refuse(nl);
	/* No number came that would have told how many. */
	if (overflowed)
		show_lost(0);
	if (stop >= 0)
		close(stop);
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}
