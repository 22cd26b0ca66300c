/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_FRAGMENT_H
#define NATTY_FRAGMENT_H

#include <linux/skbuff.h>

#include "stats.h"

/**
 * natty_fragment_check() - is a packet a fragment that must not be?
 * @skb: in a netfilter hook before reassembly; headers may be pulled
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * RFC 1858, RFC 3128: a first fragment must hold the ports, of TCP also the
 * flags, and no later one may begin inside the TCP header. Reassembly would
 * hide such fragments from natty_packet_parse().
 *
 * Return: NATTY_DROP_NONE or NATTY_DROP_TINY_FRAGMENT.
 */
enum natty_counter natty_fragment_check(struct sk_buff *skb, u8 family);

/*
 * Does a fragment of that protocol, with @off bytes before it and @len in it,
 * hide something?
 */
bool natty_fragment_is_tiny(u8 proto, unsigned int off, unsigned int len);

#endif
