// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <net/checksum.h>

#include "ident.h"
#include "netns.h"

int natty_ident_init(struct natty_net *nn)
{
	nn->idents = kvmalloc(sizeof(*nn->idents), GFP_KERNEL_ACCOUNT);
	if (!nn->idents)
		return -ENOMEM;
	/* Nobody is to learn from one destination's what others are sent. */
	get_random_bytes(nn->idents, sizeof(*nn->idents));
	return 0;
}

void natty_ident_exit(struct natty_net *nn)
{
	kvfree(nn->idents);
	nn->idents = NULL;
}

void natty_ident_change(struct natty_net *nn, struct sk_buff *skb)
{
	const struct natty_config *config = rcu_dereference(nn->config);
	/* What is yet to be segmented uses as many, one after the other. */
	u16 n = max_t(u16, skb_shinfo(skb)->gso_segs, 1);
	struct iphdr *iph = ip_hdr(skb);
	__be16 id;
	u32 slot;

	if (!natty_setting(config, NATTY_SET_IP_UNIQUE_ID))
		return;
	slot = hash_32((__force u32)iph->daddr, NATTY_IDENT_SHIFT);
	id = htons((u16)atomic_fetch_add(n, &nn->idents->next[slot]));
	csum_replace2(&iph->check, iph->id, id);
	iph->id = id;
}
