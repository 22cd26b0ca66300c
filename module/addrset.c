// SPDX-License-Identifier: GPL-2.0
/* Sets of addresses: what external addresses a configuration uses. */

#include <linux/mm.h>
#include <linux/sort.h>

#include "addrset.h"

/* Addresses are in network order, so that their bytes compare as they do. */
static int compare(u8 family, const union nf_inet_addr *a,
		   const union nf_inet_addr *b)
{
	return memcmp(a, b, family == NFPROTO_IPV4 ? 4 : 16);
}

int natty_addrset_add(struct natty_addrset *set, u8 family,
		      const union nf_inet_addr *min,
		      const union nf_inet_addr *max)
{
	unsigned int room = max_t(unsigned int, 16, set->room * 2);
	struct natty_span *span;

	if (set->n == set->room) {
		span = kvmalloc_array(room, sizeof(*span), GFP_KERNEL_ACCOUNT);
		if (!span)
			return -ENOMEM;
		if (set->n)
			memcpy(span, set->span, set->n * sizeof(*span));
		kvfree(set->span);
		set->span = span;
		set->room = room;
	}
	span = &set->span[set->n++];
	span->family = family;
	span->min = *min;
	span->max = *max;
	return 0;
}

int natty_addrset_add_pool(struct natty_addrset *set,
			   const struct natty_pool *pool)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < pool->nranges && !err; i++)
		err = natty_addrset_add(set, pool->family, &pool->range[i].min,
					&pool->range[i].max);
	return err;
}

static int compare_spans(const void *x, const void *y)
{
	const struct natty_span *a = x, *b = y;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return compare(a->family, &a->min, &b->min);
}

void natty_addrset_seal(struct natty_addrset *set)
{
	struct natty_span *last;
	unsigned int i;

	if (!set->n)
		return;
	sort(set->span, set->n, sizeof(*set->span), compare_spans, NULL);
	last = set->span;
	for (i = 1; i < set->n; i++) {
		const struct natty_span *span = &set->span[i];

		if (span->family == last->family &&
		    compare(span->family, &span->min, &last->max) <= 0) {
			if (compare(span->family, &span->max, &last->max) > 0)
				last->max = span->max;
		} else {
			*++last = *span;
		}
	}
	set->n = last - set->span + 1;
}

/* The range that contains the address, or NULL. */
static const struct natty_span *find(const struct natty_addrset *set, u8 family,
				     const union nf_inet_addr *addr)
{
	unsigned int low = 0, high = set->n;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;
		const struct natty_span *span = &set->span[middle];

		if (span->family < family ||
		    (span->family == family &&
		     compare(family, &span->max, addr) < 0))
			low = middle + 1;
		else if (span->family > family ||
			 compare(family, addr, &span->min) < 0)
			high = middle;
		else
			return span;
	}
	return NULL;
}

bool natty_addrset_contains(const struct natty_addrset *set, u8 family,
			    const union nf_inet_addr *addr)
{
	return find(set, family, addr);
}

bool natty_addrset_covers(const struct natty_addrset *set,
			  const struct natty_addrset *part)
{
	unsigned int i;

	for (i = 0; i < part->n; i++) {
		const struct natty_span *span = &part->span[i];
		const struct natty_span *over;

		over = find(set, span->family, &span->min);
		if (!over || compare(span->family, &span->max, &over->max) > 0)
			return false;
	}
	return true;
}

void natty_addrset_free(struct natty_addrset *set)
{
	kvfree(set->span);
	memset(set, 0, sizeof(*set));
}
