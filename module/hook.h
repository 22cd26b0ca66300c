/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_HOOK_H
#define NATTY_HOOK_H

struct natty_net;

/* Register the hooks of a namespace; packets may come at once. */
int natty_hook_register(struct natty_net *nn);

/* Afterwards, and a grace period later, no packet is in a hook. */
void natty_hook_unregister(struct natty_net *nn);

#endif
