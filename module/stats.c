// SPDX-License-Identifier: GPL-2.0
/* Counters of a network namespace, one set for each CPU. */
#include "netns.h"
#include "stats.h"

int natty_stats_init(struct natty_net *nn)
{
	nn->stats = alloc_percpu(struct natty_stats);
	return nn->stats ? 0 : -ENOMEM;
}

void natty_stats_exit(struct natty_net *nn)
{
	free_percpu(nn->stats);
	nn->stats = NULL;
}

u64 natty_stats_sum(const struct natty_net *nn, enum natty_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(nn->stats, cpu)->count[counter]);
	return sum;
}

const char *natty_stats_name(enum natty_counter counter)
{
	/* In the order of the enum; what is no drop has no name. */
	static const char * const names[NATTY_COUNT_MAX] = {
#define X(id, name) name,
		NULL,
		NATTY_DROPS(X)
		NATTY_COUNTERS(X)
#undef X
	};

	return counter < NATTY_COUNT_MAX ? names[counter] : NULL;
}
