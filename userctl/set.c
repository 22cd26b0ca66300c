// SPDX-License-Identifier: GPL-2.0
/* Sets of the values that a field of a packet may have. */
#include <string.h>

#include "set.h"

struct num num_of(uint64_t lo)
{
	return (struct num){ 0, lo };
}

struct num num_of_addr(const struct addr *addr)
{
	struct num num = { 0, 0 };
	unsigned int i;

	for (i = 0; i < addr->len; i++) {
		num.hi = num.hi << 8 | num.lo >> 56;
		num.lo = num.lo << 8 | addr->bytes[i];
	}
	return num;
}

struct addr addr_of_num(struct num num, uint8_t len)
{
	struct addr addr = { .len = len };
	unsigned int i;

	for (i = len; i-- > 0;) {
		addr.bytes[i] = num.lo;
		num.lo = num.lo >> 8 | num.hi << 56;
		num.hi >>= 8;
	}
	return addr;
}

int num_cmp(struct num a, struct num b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

static struct num num_next(struct num num)
{
	num.lo++;
	num.hi += !num.lo;
	return num;
}

static struct num num_previous(struct num num)
{
	num.hi -= !num.lo;
	num.lo--;
	return num;
}

/* The number whose @bits lowest bits are set. */
static struct num num_ones(unsigned int bits)
{
	if (bits >= 128)
		return (struct num){ UINT64_MAX, UINT64_MAX };
	if (bits >= 64)
		return (struct num){ (1ULL << (bits - 64)) - 1, UINT64_MAX };
	return (struct num){ 0, (1ULL << bits) - 1 };
}

struct span span_of_prefix(struct num num, unsigned int bits,
			   unsigned int width)
{
	struct num rest = num_ones(width - bits);

	return (struct span){
		{ num.hi & ~rest.hi, num.lo & ~rest.lo },
		{ num.hi | rest.hi, num.lo | rest.lo },
	};
}

struct set set_of_span(struct arena *arena, struct span span)
{
	struct span *list = arena_alloc(arena, sizeof(*list));

	*list = span;
	return (struct set){ true, list, 1 };
}

struct set set_of_prefix(struct arena *arena, const struct prefix *prefix)
{
	return set_of_span(arena, span_of_prefix(num_of_addr(&prefix->addr),
						 prefix->bits,
						 prefix->addr.len * 8));
}

static struct num lower(struct num a, struct num b)
{
	return num_cmp(a, b) < 0 ? a : b;
}

static struct num higher(struct num a, struct num b)
{
	return num_cmp(a, b) > 0 ? a : b;
}

struct set set_and(struct arena *arena, struct set a, struct set b)
{
	struct set both = { .some = true };
	size_t i = 0, j = 0;
	struct span *list;

	if (!a.some)
		return b;
	if (!b.some)
		return a;
	list = arena_alloc(arena, (a.count + b.count) * sizeof(*list));
	both.list = list;
	while (i < a.count && j < b.count) {
		struct span span = {
			higher(a.list[i].min, b.list[j].min),
			lower(a.list[i].max, b.list[j].max),
		};

		if (num_cmp(span.min, span.max) <= 0)
			list[both.count++] = span;
		if (num_cmp(a.list[i].max, b.list[j].max) < 0)
			i++;
		else
			j++;
	}
	return both;
}

/* Whether @span begins within the one before or just behind it. */
static bool touches(struct span before, struct span span)
{
	struct num next = num_next(before.max);

	/* Behind the last number comes 0. */
	return num_cmp(span.min, before.max) <= 0 ||
	       (num_cmp(next, before.max) > 0 && !num_cmp(span.min, next));
}

struct set set_or(struct arena *arena, struct set a, struct set b)
{
	struct set any = { .some = true };
	size_t i = 0, j = 0;
	struct span *list;

	if (!a.some || !b.some)
		return (struct set){ 0 };
	list = arena_alloc(arena, (a.count + b.count) * sizeof(*list));
	any.list = list;
	while (i < a.count || j < b.count) {
		bool first = j == b.count ||
			     (i < a.count && num_cmp(a.list[i].min,
						     b.list[j].min) < 0);
		struct span span = first ? a.list[i++] : b.list[j++];
		struct span *last = any.count ? &list[any.count - 1] : NULL;

		if (last && touches(*last, span))
			last->max = higher(last->max, span.max);
		else
			list[any.count++] = span;
	}
	return any;
}

struct set set_not(struct arena *arena, struct set set, unsigned int width)
{
	struct num end = num_ones(width), from = { 0, 0 };
	struct set other = { .some = true };
	struct span *list;
	size_t i;

	if (!set.some)
		return other;
	list = arena_alloc(arena, (set.count + 1) * sizeof(*list));
	other.list = list;
	for (i = 0; i < set.count; i++) {
		if (num_cmp(from, set.list[i].min) < 0)
			list[other.count++] = (struct span){
				from, num_previous(set.list[i].min)
			};
		if (!num_cmp(set.list[i].max, end))
			return other;
		from = num_next(set.list[i].max);
	}
	list[other.count++] = (struct span){ from, end };
	return other;
}

bool set_is_empty(struct set set)
{
	return set.some && !set.count;
}

bool set_has(struct set set, struct num num)
{
	size_t i;

	for (i = 0; i < set.count; i++)
		if (num_cmp(set.list[i].min, num) <= 0 &&
		    num_cmp(num, set.list[i].max) <= 0)
			return true;
	return !set.some;
}

bool set_is_single(struct set set)
{
	return set.some && set.count == 1 &&
	       !num_cmp(set.list[0].min, set.list[0].max);
}

/* The largest network that begins at @from and ends at @to or before. */
static unsigned int prefix_bits(struct num from, struct num to,
				unsigned int width)
{
	unsigned int bits = width;
	struct span span;

	for (; bits; bits--) {
		span = span_of_prefix(from, bits - 1, width);
		if (num_cmp(span.min, from) || num_cmp(span.max, to) > 0)
			break;
	}
	return bits;
}

size_t set_prefixes(struct set set, uint8_t len, struct prefix *list,
		    size_t max)
{
	unsigned int width = len * 8;
	size_t i, n = 0;

	for (i = 0; i < set.count; i++) {
		struct num from = set.list[i].min, to = set.list[i].max;

		while (n < max) {
			unsigned int bits = prefix_bits(from, to, width);
			struct span span = span_of_prefix(from, bits, width);

			list[n++] = (struct prefix){ addr_of_num(from, len), bits };
			if (!num_cmp(span.max, to))
				break;
			from = num_next(span.max);
			if (n == max)
				return max + 1;
		}
		if (n == max && i + 1 < set.count)
			return max + 1;
	}
	return n;
}
