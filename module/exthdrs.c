// SPDX-License-Identifier: GPL-2.0
/* The way through IPv6 extension headers. */
#include <net/ipv6.h>

#include "exthdrs.h"

/* In one packet; real ones have one or two. */
#define MAX_EXTHDRS 8

/* One header. Return: is it sound? */
static bool step(const struct sk_buff *skb, struct natty_exthdrs *chain)
{
	union {
		struct ipv6_opt_hdr opt;
		struct ipv6_rt_hdr rt;
		struct frag_hdr frag;
		u8 bytes[8];		/* every one has at least these */
	} buf, *h;
	unsigned int len = sizeof(buf);

	if (chain->off + len > chain->end)
		return false;
	h = skb_header_pointer(skb, chain->off, sizeof(buf), &buf);
	if (!h)
		return false;
	if (chain->proto == NEXTHDR_FRAGMENT) {
		u16 field = ntohs(h->frag.frag_off);

		/* With neither it is a whole packet (RFC 6946). */
		if (field & (IP6_OFFSET | IP6_MF))
			chain->fragmented = true;
		chain->frag_off = field & IP6_OFFSET;
	} else {
		if (chain->proto == NEXTHDR_ROUTING && h->rt.segments_left)
			chain->detour = true;
		len = ipv6_optlen(&h->opt);
	}
	chain->off += len;
	chain->proto = h->opt.nexthdr;
	return chain->off <= chain->end;
}

bool natty_exthdrs_walk(const struct sk_buff *skb, struct natty_exthdrs *chain)
{
	int i;

	for (i = 0; i <= MAX_EXTHDRS; i++) {
		switch (chain->proto) {
		case NEXTHDR_HOP:
		case NEXTHDR_ROUTING:
		case NEXTHDR_DEST:
		case NEXTHDR_FRAGMENT:
			if (i == MAX_EXTHDRS || !step(skb, chain))
				return false;
			/* What follows is data, not a header. */
			if (chain->frag_off)
				return true;
			break;
		default:
			return true;
		}
	}
	return false;
}
