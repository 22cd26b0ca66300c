// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/random.h>

#include "change.h"
#include "ident.h"
#include "netns.h"

/* Identifications that a CPU takes at once: so few that they stay unique long. */
#define BATCH 64

int natty_ident_init(struct natty_net *nn)
{
	nn->idents = kvmalloc(sizeof(*nn->idents), GFP_KERNEL_ACCOUNT);
	if (!nn->idents)
		return -ENOMEM;
	/* Nobody is to learn from one destination's what others are sent. */
	get_random_bytes(nn->idents->next, sizeof(nn->idents->next));
	nn->idents->batch = __alloc_percpu(sizeof(struct natty_ident_batch) <<
					   NATTY_IDENT_SHIFT,
					   __alignof__(struct natty_ident_batch));
	if (nn->idents->batch)
		return 0;
	kvfree(nn->idents);
	nn->idents = NULL;
	return -ENOMEM;
}

void natty_ident_exit(struct natty_net *nn)
{
	if (!nn->idents)
		return;
	free_percpu(nn->idents->batch);
	kvfree(nn->idents);
	nn->idents = NULL;
}

/* The first of @n successive ones. */
static u16 take(struct natty_idents *idents, u32 slot, u16 n)
{
	struct natty_ident_batch *batch = this_cpu_ptr(idents->batch) + slot;
	u16 first;

	if (batch->left < n) {
		batch->left = max_t(u16, n, BATCH);
		batch->next = atomic_fetch_add(batch->left, &idents->next[slot]);
	}
	first = batch->next;
	batch->next += n;
	batch->left -= n;
	return first;
}

__wsum natty_ident_change(struct natty_net *nn, struct sk_buff *skb)
{
	const struct natty_config *config = rcu_dereference(nn->config);
	/* What is yet to be segmented uses as many, one after the other. */
	u16 n = max_t(u16, skb_shinfo(skb)->gso_segs, 1);
	struct iphdr *iph = ip_hdr(skb);
	__wsum change;
	__be16 id;
	u32 slot;

	if (!natty_setting(config, NATTY_SET_IP_UNIQUE_ID))
		return 0;
	slot = hash_32((__force u32)iph->daddr, NATTY_IDENT_SHIFT);
	id = htons(take(nn->idents, slot, n));
	change = natty_difference16(iph->id, id);
	iph->id = id;
	return change;
}
