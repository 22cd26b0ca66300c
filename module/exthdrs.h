/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_EXTHDRS_H
#define NATTY_EXTHDRS_H

#include <linux/skbuff.h>

/**
 * struct natty_exthdrs - a chain of IPv6 extension headers
 * @off: in: of the first extension header; out: of the upper-layer header
 * @end: in: where the packet ends
 * @proto: in: type of the first header; out: of the upper-layer header
 * @detour: out: a routing header leads elsewhere before the destination
 * @fragmented: out: a fragment header says that this is not a whole packet
 * @frag_off: out: bytes of the whole packet that are before this fragment
 *
 * What is only out begins as 0.
 */
struct natty_exthdrs {
	unsigned int off;
	unsigned int end;
	u8 proto;
	bool detour;
	bool fragmented;
	unsigned int frag_off;
};

/**
 * natty_exthdrs_walk() - follow IPv6 extension headers
 * @skb: the packet; nothing is pulled
 * @chain: where to begin
 *
 * Encryption and authentication headers count as upper-layer headers, as does
 * what follows a fragment header with an offset. Looks at no more headers
 * than real packets have.
 *
 * Return: true, or false if no upper-layer header was reached.
 */
bool natty_exthdrs_walk(const struct sk_buff *skb, struct natty_exthdrs *chain);

#endif
