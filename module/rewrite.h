/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_REWRITE_H
#define NATTY_REWRITE_H

#include "packet.h"

/**
 * natty_rewrite() - change one side of a packet
 * @pkt: parsed packet; its tuple follows the change
 * @manip: which side
 * @to: address and port, or ICMP identifier, that this side gets
 *
 * A plain packet gets the endpoint as its source or destination. An ICMP error
 * gets the address as its own source or destination, and the endpoint as the
 * opposite side of the packet that it quotes (RFC 5508 REQ-4, REQ-5, REQ-7).
 * Checksums are updated incrementally: a zero UDP checksum stays zero, a
 * computed zero becomes 0xffff (RFC 3022 4.1), CHECKSUM_PARTIAL and
 * CHECKSUM_COMPLETE stay right, GSO packets stay whole.
 *
 * Return: true, or false if the packet could not be made writable; it is then
 * unchanged or must be dropped.
 */
bool natty_rewrite(struct natty_packet *pkt, enum natty_manip manip,
		   const struct natty_endpoint *to);

#endif
