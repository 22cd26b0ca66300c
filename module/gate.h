/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_GATE_H
#define NATTY_GATE_H

#include <linux/atomic.h>
#include <linux/netdevice.h>

struct natty_rule;
struct natty_gate_name;

/* Interfaces with a lower index are remembered. */
#define NATTY_GATE_REMEMBERED 256

/* With more wildcards and inverted matches than these, every interface passes. */
#define NATTY_GATE_PATTERNS 64

/* Which interface of a packet is meant. */
enum natty_gate_side {
	NATTY_GATE_IIF,
	NATTY_GATE_OIF,
	NATTY_GATE_SIDES
};

/**
 * struct natty_gate - the interfaces that the rules of a chain name
 * @name: hash table of exact names; an interface's number is its index + 1
 * @mask: size of @name - 1
 * @seed: of the hash
 * @open: whether rules exist that match any interface
 * @npatterns: number of @pattern
 * @pattern: rules whose interface match is inverted or a wildcard
 * @epoch: the only valid one of @passes
 * @passes: by interface index, epoch << 1 | whether a rule can match; written
 *	by any reader, each entry at once
 *
 * All but @epoch and @passes is constant once built.
 */
struct natty_gate {
	struct natty_gate_name *name;
	u32 mask;
	u32 seed;
	bool open[NATTY_GATE_SIDES];
	u8 npatterns[NATTY_GATE_SIDES];
	struct natty_rule *pattern[NATTY_GATE_SIDES][NATTY_GATE_PATTERNS];
	atomic_t epoch;
	u32 passes[NATTY_GATE_REMEMBERED];
};

/* Make a zeroed gate the one of no rules. */
void natty_gate_init(struct natty_gate *gate);

/* Let pass what the @n rules name; once, after natty_gate_init(). 0 or -ENOMEM. */
int natty_gate_build(struct natty_gate *gate, struct natty_rule **rules,
		     unsigned int n);
void natty_gate_exit(struct natty_gate *gate);

bool natty_gate_is_wildcard(const char *name);

/* The number of an exact name, 0 if no rule names it. */
u32 natty_gate_number(const struct natty_gate *gate, const char *name);

/* The number of a device, 0 if no rule names it exactly or it is NULL. */
u32 natty_gate_device(const struct natty_gate *gate,
		      const struct net_device *dev);

/* See natty_ruleset_gate() and natty_ruleset_forget(). */
bool natty_gate_passes(struct natty_gate *gate, u8 chain,
		       const struct net_device *dev);
void natty_gate_forget(struct natty_gate *gate);

#endif
