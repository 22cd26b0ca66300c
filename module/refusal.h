/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_REFUSAL_H
#define NATTY_REFUSAL_H

#include "flow.h"

/**
 * natty_refuse() - drop the packet of a flow that could not be opened
 * @flow: the packet, in any hook
 * @why: the reason, is counted
 * @answer: the sender is to hear of it
 *
 * Where ports or room are lacking (RFC 6888 REQ-11, RFC 5508 REQ-8), listeners
 * get an event, and the sender the ICMP error that icmp.exhausted names, as
 * often as the kernel's own limits of ICMP errors permit. Nothing that exists
 * makes room.
 *
 * Return: NF_DROP.
 */
unsigned int natty_refuse(struct natty_flow *flow, enum natty_counter why,
			  bool answer);

#endif
