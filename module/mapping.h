/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_MAPPING_H
#define NATTY_MAPPING_H

#include "config.h"
#include "table.h"

/*
 * A mapping binds an internal endpoint to an external one for all destinations
 * (RFC 4787 REQ-1). The first connection of an internal endpoint carries it in
 * its own object; later ones refer to that object by index. When the
 * connection closes, the object stays as long as others use the mapping. A
 * forward is such an object without a connection.
 *
 * Which remote addresses the mapping lets in (REQ-8) is answered by the
 * carrier's own connection and by permissions: small objects found by mapping
 * and remote address, counted by the connections that need them.
 */

/* Need the mapping; false if it just went away. Under RCU. */
bool natty_mapping_get(struct natty_conn *mapping);

/* Need it no longer; the last one removes it and frees its port. */
void natty_mapping_put(struct natty_net *nn, struct natty_conn *mapping);

/* May a packet from @remote open a flow through the mapping? Under RCU. */
bool natty_mapping_admits(struct natty_net *nn, const struct natty_conn *mapping,
			  const struct natty_endpoint *remote);

/*
 * Whom a connection opens the mapping of its source to: its other end as it is
 * known outside, of a hairpin the external endpoint it was sent to.
 */
static inline void natty_mapping_remote(const struct natty_conn *conn,
					struct natty_endpoint *remote)
{
	natty_conn_get_end(conn, conn->dst_mapping == NATTY_CONN_NONE ?
			   NATTY_END_NEW_DST : NATTY_END_ORIG_DST, remote);
}

/*
 * Admit a remote address until natty_mapping_forbid() is called as often.
 * Softirqs disabled. 0, -ENOMEM or -ENOSPC.
 */
int natty_mapping_permit(struct natty_net *nn, struct natty_conn *mapping,
			 const union nf_inet_addr *remote);
void natty_mapping_forbid(struct natty_net *nn, struct natty_conn *mapping,
			  const union nf_inet_addr *remote);

/**
 * natty_mapping_add_static() - make the mapping of a forward
 * @nn: enabled; process context, @nn->lock held
 * @forward: what to map
 *
 * A dynamic mapping that has the external port loses it, with its connections.
 *
 * Return: 0, -ENOMEM, -ENOSPC, or -EBUSY if connections keep sharing the port.
 */
int natty_mapping_add_static(struct natty_net *nn,
			     const struct natty_forward *forward);

/**
 * natty_mapping_del_statics() - remove the mappings of forwards
 * @nn: enabled; process context, @nn->lock held
 * @forward: array
 * @which: bitmap of those to remove
 * @n: size of both
 * @scratch: room for @n numbers
 *
 * The connections that use them end. Costs one grace period and one walk of
 * the tables, however many they are.
 */
void natty_mapping_del_statics(struct natty_net *nn,
			       const struct natty_forward *forward,
			       const unsigned long *which, unsigned int n,
			       u32 *scratch);

/*
 * Close every connection whose external address is @addr, of those only that
 * masquerade behind interface @ifindex if that is not 0; with @addr NULL all that
 * masquerade behind @ifindex (0: any). Process context.
 */
void natty_mapping_flush_addr(struct natty_net *nn, u8 family,
			      const union nf_inet_addr *addr, u32 ifindex);

#endif
