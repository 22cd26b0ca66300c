/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_SHORTCUT_H
#define NATTY_SHORTCUT_H

#include <linux/skbuff.h>

struct natty_net;
struct nf_hook_state;

/*
 * The way of most packets: a plain TCP segment or UDP datagram of a connection
 * that exists, carries its own mapping, has its source translated and nothing
 * to remember. Whatever else is left to natty_flow, which knows all cases and
 * comes to the same result for these. A shortcut that is not taken changes
 * nothing.
 */

/**
 * natty_shortcut_in() - before routing
 * @nn: network namespace
 * @skb: whole packet that came in by a device; under RCU, softirqs disabled
 * @state: of the hook
 *
 * Translates an answer. Leaves to natty_shortcut_out() what it found, or else
 * where to look.
 *
 * Return: true if the packet may go on.
 */
bool natty_shortcut_in(struct natty_net *nn, struct sk_buff *skb,
		       const struct nf_hook_state *state);

/*
 * After routing. The same holds for the packet. Return: true if there is nothing
 * left to translate and it may leave.
 */
bool natty_shortcut_out(struct natty_net *nn, struct sk_buff *skb,
			const struct nf_hook_state *state);

#endif
