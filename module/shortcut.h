/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_SHORTCUT_H
#define NATTY_SHORTCUT_H

#include <linux/skbuff.h>

struct nf_hook_state;

/*
 * The way of most packets: a plain TCP segment or UDP datagram of a connection
 * that exists, carries its own mapping, has its source translated and nothing
 * to remember. Whatever else is left to natty_flow, which knows all cases and
 * comes to the same result for these. A shortcut that is not taken changes
 * nothing.
 */

/**
 * natty_shortcut_in4() - before routing
 * @priv: struct natty_net
 * @skb: whole packet that came in by a device; under RCU
 * @state: of the hook
 *
 * Translates an answer. Leaves to natty_shortcut_out4() what it found, or else
 * where to look. Other packets go on to natty_hook_prerouting().
 *
 * Return: verdict.
 */
unsigned int natty_shortcut_in4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);
unsigned int natty_shortcut_in6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);

/* After routing; other packets go on to natty_hook_postrouting(). */
unsigned int natty_shortcut_out4(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state);
unsigned int natty_shortcut_out6(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state);

#endif
