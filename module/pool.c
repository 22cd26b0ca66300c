// SPDX-License-Identifier: GPL-2.0
/* External addresses by index. */

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "compat/extack.h"
#include "pool.h"

static int compare(u8 family, const union nf_inet_addr *a,
		   const union nf_inet_addr *b)
{
	if (family == NFPROTO_IPV6)
		return memcmp(&a->in6, &b->in6, sizeof(a->in6));
	if (a->ip == b->ip)
		return 0;
	return ntohl(a->ip) < ntohl(b->ip) ? -1 : 1;
}

/* The halves of an IPv6 address in host order. */
static void halves(const union nf_inet_addr *addr, u64 *high, u64 *low)
{
	*high = (u64)ntohl(addr->ip6[0]) << 32 | ntohl(addr->ip6[1]);
	*low = (u64)ntohl(addr->ip6[2]) << 32 | ntohl(addr->ip6[3]);
}

/* How far @addr is from @min, which is not above it; saturating. */
static u64 distance(u8 family, const union nf_inet_addr *min,
		    const union nf_inet_addr *addr)
{
	u64 high_min, low_min, high, low;

	if (family == NFPROTO_IPV4)
		return ntohl(addr->ip) - ntohl(min->ip);
	halves(min, &high_min, &low_min);
	halves(addr, &high, &low);
	if (low < low_min)
		high--;
	if (high != high_min)
		return U64_MAX;
	return low - low_min;
}

static u64 add_saturating(u64 a, u64 b)
{
	return a + b < a ? U64_MAX : a + b;
}

/* Is any address of the range outside of what can be an external one? */
static const char *unusable(u8 family, const struct natty_pool_range *range)
{
	u32 min, max;

	if (family == NFPROTO_IPV6) {
		if (range->max.in6.s6_addr[0] == 0xff)
			return "multicast";
		if (ipv6_addr_any(&range->min.in6))
			return "unspecified";
		if (ipv6_addr_loopback(&range->min.in6))
			return "loopback";
		return NULL;
	}
	min = ntohl(range->min.ip);
	max = ntohl(range->max.ip);
	if (!min)
		return "unspecified";
	if (min <= 0x7fffffff && max >= 0x7f000000)
		return "loopback";
	if (min <= 0xefffffff && max >= 0xe0000000)
		return "multicast";
	if (max == 0xffffffff)
		return "broadcast";
	return NULL;
}

static int compare_ranges_v4(const void *a, const void *b)
{
	return compare(NFPROTO_IPV4, &((const struct natty_pool_range *)a)->min,
		       &((const struct natty_pool_range *)b)->min);
}

static int compare_ranges_v6(const void *a, const void *b)
{
	return compare(NFPROTO_IPV6, &((const struct natty_pool_range *)a)->min,
		       &((const struct natty_pool_range *)b)->min);
}

static int check_overlap(u8 family, const struct natty_pool_range *range,
			 unsigned int nranges, struct netlink_ext_ack *extack)
{
	struct natty_pool_range *sorted;
	unsigned int i;
	int err = 0;

	sorted = kvmalloc_array(nranges, sizeof(*sorted), GFP_KERNEL);
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, range, nranges * sizeof(*sorted));
	sort(sorted, nranges, sizeof(*sorted),
	     family == NFPROTO_IPV6 ? compare_ranges_v6 : compare_ranges_v4, NULL);
	for (i = 1; i < nranges; i++) {
		if (compare(family, &sorted[i].min, &sorted[i - 1].max) > 0)
			continue;
		if (family == NFPROTO_IPV6)
			NL_SET_ERR_MSG_FMT(extack, "%pI6c is in two ranges",
					   &sorted[i].min.in6);
		else
			NL_SET_ERR_MSG_FMT(extack, "%pI4 is in two ranges",
					   &sorted[i].min.ip);
		err = -EINVAL;
		break;
	}
	kvfree(sorted);
	return err;
}

static int check_ranges(u8 family, const struct natty_pool_range *range,
			unsigned int nranges, struct netlink_ext_ack *extack)
{
	const char *what;
	unsigned int i;

	if (!nranges) {
		NL_SET_ERR_MSG(extack, "a pool needs an address");
		return -EINVAL;
	}
	for (i = 0; i < nranges; i++) {
		if (compare(family, &range[i].min, &range[i].max) > 0) {
			NL_SET_ERR_MSG(extack,
				       "address range: low end above high end");
			return -EINVAL;
		}
		what = unusable(family, &range[i]);
		if (what) {
			NL_SET_ERR_MSG_FMT(extack,
					   "address range: holds %s addresses",
					   what);
			return -EINVAL;
		}
	}
	if (nranges == 1)
		return 0;
	return check_overlap(family, range, nranges, extack);
}

static int check_ports(u16 min, u16 max, struct netlink_ext_ack *extack)
{
	if (min > max) {
		NL_SET_ERR_MSG_FMT(extack,
				   "port range %u-%u: low end above high end",
				   min, max);
		return -EINVAL;
	}
	if (max && !min) {
		NL_SET_ERR_MSG_FMT(extack, "port range %u-%u: 0 is no port", min,
				   max);
		return -EINVAL;
	}
	return 0;
}

struct natty_pool *natty_pool_new(const char *name, u8 family,
				  const struct natty_pool_range *range,
				  unsigned int nranges, u16 port_min,
				  u16 port_max, struct netlink_ext_ack *extack)
{
	struct natty_pool *pool;
	unsigned int i;
	u64 size;
	int err;

	err = check_ranges(family, range, nranges, extack);
	if (!err)
		err = check_ports(port_min, port_max, extack);
	if (err)
		return ERR_PTR(err);

	pool = kvzalloc(struct_size(pool, range, nranges), GFP_KERNEL_ACCOUNT);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	kref_init(&pool->ref);
	strscpy(pool->name, name, sizeof(pool->name));
	pool->family = family;
	pool->port_min = port_min;
	pool->port_max = port_max;
	pool->ports_given = port_max;
	pool->nranges = nranges;
	for (i = 0; i < nranges; i++) {
		pool->range[i] = range[i];
		pool->range[i].before = pool->size;
		size = distance(family, &range[i].min, &range[i].max);
		pool->size = add_saturating(pool->size, size);
		pool->size = add_saturating(pool->size, 1);
	}
	return pool;
}

static void release(struct kref *ref)
{
	kvfree(container_of(ref, struct natty_pool, ref));
}

void natty_pool_get(struct natty_pool *pool)
{
	kref_get(&pool->ref);
}

void natty_pool_put(struct natty_pool *pool)
{
	kref_put(&pool->ref, release);
}

/* The range that holds address number @i: the last that begins at or before it. */
static const struct natty_pool_range *find_range(const struct natty_pool *pool,
						 u64 i)
{
	unsigned int low = 0, high = pool->nranges - 1;

	while (low < high) {
		unsigned int middle = (low + high + 1) / 2;

		if (pool->range[middle].before <= i)
			low = middle;
		else
			high = middle - 1;
	}
	return &pool->range[low];
}

void natty_pool_addr(const struct natty_pool *pool, u64 i,
		     union nf_inet_addr *addr)
{
	const struct natty_pool_range *range = find_range(pool, i);
	u64 high, low;

	memset(addr, 0, sizeof(*addr));
	i -= range->before;
	if (pool->family == NFPROTO_IPV4) {
		addr->ip = htonl(ntohl(range->min.ip) + (u32)i);
		return;
	}
	halves(&range->min, &high, &low);
	low += i;
	high += low < i;
	addr->ip6[0] = htonl(high >> 32);
	addr->ip6[1] = htonl((u32)high);
	addr->ip6[2] = htonl(low >> 32);
	addr->ip6[3] = htonl((u32)low);
}

bool natty_pool_contains(const struct natty_pool *pool, u8 family,
			 const union nf_inet_addr *addr)
{
	unsigned int i;

	if (family != pool->family)
		return false;
	for (i = 0; i < pool->nranges; i++)
		if (compare(family, &pool->range[i].min, addr) <= 0 &&
		    compare(family, addr, &pool->range[i].max) <= 0)
			return true;
	return false;
}

bool natty_pool_same(const struct natty_pool *a, const struct natty_pool *b)
{
	unsigned int i;

	if (a == b)
		return true;
	if (strcmp(a->name, b->name) || a->family != b->family ||
	    a->port_min != b->port_min || a->port_max != b->port_max ||
	    a->nranges != b->nranges)
		return false;
	for (i = 0; i < a->nranges; i++)
		if (compare(a->family, &a->range[i].min, &b->range[i].min) ||
		    compare(a->family, &a->range[i].max, &b->range[i].max))
			return false;
	return true;
}
