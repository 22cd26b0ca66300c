// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>
#include <linux/slab.h>

#include "ident.h"

#define COUNTERS BIT(NATTY_IDENT_SHIFT)

/* Identifications that a CPU takes at once: so few that they stay unique long. */
#define BATCH 64

int natty_ident_init(struct natty_idents *idents)
{
	idents->batch = __alloc_percpu(COUNTERS * sizeof(*idents->batch),
				       __alignof__(*idents->batch));
	idents->next = kmalloc_array(COUNTERS, sizeof(*idents->next),
				     GFP_KERNEL_ACCOUNT);
	if (!idents->batch || !idents->next) {
		natty_ident_exit(idents);
		return -ENOMEM;
	}
	/* Nobody is to learn from one destination's what others are sent. */
	get_random_bytes(idents->next, COUNTERS * sizeof(*idents->next));
	return 0;
}

void natty_ident_exit(struct natty_idents *idents)
{
	free_percpu(idents->batch);
	kfree(idents->next);
	*idents = (struct natty_idents){};
}

__wsum natty_ident_renew(struct natty_idents *idents, const struct sk_buff *skb,
			 struct iphdr *iph)
{
	u32 *batch = natty_ident_batch(idents, iph->daddr);
	u16 left = *batch, first = *batch >> 16;
	u16 n = natty_ident_need(skb);

	if (!natty_ident_matters(iph))
		return 0;
	if (left < n) {
		left = max_t(u16, n, BATCH);
		first = atomic_fetch_add(left, &idents->next[natty_ident_slot(iph->daddr)]);
	}
	*batch = (u32)(u16)(first + n) << 16 | (u16)(left - n);
	return natty_ident_set(iph, first);
}
