/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_GC_H
#define NATTY_GC_H

#include <linux/workqueue.h>

struct natty_net;

/**
 * struct natty_gc - expiry of a namespace
 * @work: walks the arenas, a budget at a time
 * @cursor: where it goes on in each table
 * @step: how many times @work ran
 * @evict: where natty_gc_evict() goes on; a hint, races are harmless
 */
struct natty_gc {
	struct delayed_work work;
	u32 cursor[2];
	u32 step;
	u32 evict;
};

void natty_gc_start(struct natty_net *nn);
void natty_gc_stop(struct natty_net *nn);

/*
 * Make room in a full namespace: close something expired or unconfirmed among
 * the next few objects. Softirq. Return: true if a place became free.
 */
bool natty_gc_evict(struct natty_net *nn, u8 family);

#endif
