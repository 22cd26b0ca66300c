/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_HOOK_H
#define NATTY_HOOK_H

struct natty_net;
struct nf_hook_state;
struct sk_buff;

/* Register the hooks of a namespace; packets may come at once. */
int natty_hook_register(struct natty_net *nn);

/* For every packet: what natty_shortcut leaves. */
unsigned int natty_hook_prerouting(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state);
unsigned int natty_hook_postrouting(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state);

/* Afterwards, and a grace period later, no packet is in a hook. */
void natty_hook_unregister(struct natty_net *nn);

#endif
