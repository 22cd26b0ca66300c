/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_CONN_H
#define NATTY_CONN_H

#include <linux/atomic.h>
#include <linux/jiffies.h>

#include <linux/natty.h>

#include "setting.h"
#include "stats.h"
#include "tuple.h"

struct natty_net;

/* Places in natty_conn.port[] and .addr4[], .addr6[]. */
enum natty_end {
	NATTY_END_ORIG_SRC,	/* source as the opener sends it */
	NATTY_END_ORIG_DST,	/* destination as the opener sends it */
	NATTY_END_NEW_SRC,	/* source as the answerer sees it */
	NATTY_END_NEW_DST,	/* destination as the answerer sees it */
	NATTY_ENDS
};

/*
 * Bits of natty_conn.flags. Those above the line are set before publication
 * and constant after it.
 */
enum natty_conn_bit {
	NATTY_CONN_SRC,		/* the source is translated */
	NATTY_CONN_DST,		/* the destination is translated */
	NATTY_CONN_INBOUND,	/* opened from outside through a mapping */
	NATTY_CONN_LOCAL,	/* opened by this host, destination translated */
	NATTY_CONN_MAPPING,	/* carries a mapping: in INTERNAL and EXTERNAL slots */
	NATTY_CONN_STATIC,	/* that mapping is a forward's */
	NATTY_CONN_ADDRESS,	/* that mapping is for one remote address only */
	NATTY_CONN_FILTER,	/* not a connection: a permission, see mapping.h */
	NATTY_CONN_SHARED,	/* shares its external port, owns none */
	NATTY_CONN_SOURCE,	/* its opener's later flows get its external end */
	NATTY_CONN_MASQUERADE,	/* external address is that of .ifindex */
	NATTY_CONN_COUNTED,	/* counts for its host's limit of connections */
	NATTY_CONN_PORT_COUNTED, /* its mapping counts for that of ports */
	NATTY_CONN_PAIRED,	/* its mapping counts for its host's pairing */
	NATTY_CONN_ADDR_USED,	/* uses its external address without a port of it */
	NATTY_CONN_FILTER_EIF,	/* mapping lets every remote endpoint in */
	NATTY_CONN_FILTER_APDF,	/* mapping lets only remote endpoints in; */
				/* neither: remote addresses */
	/* -------------------------------------------------------------- */
	NATTY_CONN_RESTS,	/* mapping: its port rests when it is gone */
	NATTY_CONN_LOCK,	/* bit lock of .state, .fin and .ack */
	NATTY_CONN_UNCONFIRMED,	/* first packet has not left yet */
	NATTY_CONN_REPLIED,	/* packets in both directions */
	NATTY_CONN_RESET,	/* a believable RST was seen, no data since */
	NATTY_CONN_CLOSED,	/* no connection (any more); may carry a mapping */
	NATTY_CONN_DEAD,	/* unlinked, waits for a grace period */
};

/**
 * struct natty_conn - one connection, with the mapping it carries
 * @port: ports or ICMP identifiers, by enum natty_end
 * @flags: atomic bits of enum natty_conn_bit
 * @expires: low word of the jiffies at which it ends; written by any packet,
 *	but only when it moves by a second or more
 * @users: with NATTY_CONN_MAPPING or _SOURCE: who needs what it says about the
 *	source: its own connection, others that use it, the forward
 * @mapping: without: index of the object that says how to translate the source,
 *	or NATTY_CONN_NONE
 * @dst_mapping: index of the object whose mapping translates the destination,
 *	or NATTY_CONN_NONE
 * @rule: id of the rule that decided, 0 for none
 * @ack: TCP: highest acknowledgment sent in each direction, behind the real
 *	one by at most NATTY_TCP_ACK_SLACK, or that which a SYN or FIN of the
 *	other direction calls for; 0 if unknown; under NATTY_CONN_LOCK; UDP: the
 *	first is when it was opened, in jiffies
 * @ifindex: interface through which the outside is reached, 0 if unknown; the
 *	arena links with it the objects that are no longer in use
 * @index: its place in the arena
 * @proto: IP protocol
 * @state: enum natty_state; written under NATTY_CONN_LOCK
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @fin: TCP: what is known of its end, see proto_tcp.c; under NATTY_CONN_LOCK
 * @addr4: addresses of an IPv4 connection, by enum natty_end
 * @addr6: addresses of an IPv6 connection, by enum natty_end
 *
 * Addresses, ports, @rule, @index, @proto and @family are constant
 * from publication until a grace period after unlinking, @ifindex until
 * unlinking. Memory of objects is
 * never returned while the namespace lives, so that a stale pointer always
 * points to some connection of the same family.
 *
 * An IPv4 object is one cache line, an IPv6 object two.
 */
struct natty_conn {
	__be16 port[NATTY_ENDS];
	atomic_t flags;
	u32 expires;
	union {
		atomic_t users;
		u32 mapping;
	};
	u32 dst_mapping;
	u32 rule;
	u32 ack[2];
	u32 ifindex;
	u32 index;
	u8 proto;
	u8 state;
	u8 family;
	u8 fin;
	union {
		__be32 addr4[NATTY_ENDS];
		struct in6_addr addr6[NATTY_ENDS];
	};
};

#define NATTY_CONN_BOTH		(BIT(NATTY_CONN_SRC) | BIT(NATTY_CONN_DST))

#define NATTY_CONN_SHIFT_V4	6	/* log2 of an object's size */
#define NATTY_CONN_SHIFT_V6	7
#define NATTY_CONN_NONE		0	/* index 0 is never given out */

/* How far .ack may stay behind before a packet writes it. */
#define NATTY_TCP_ACK_SLACK	16384

struct natty_counts {
	u64 packets[2];
	u64 bytes[2];
};

static inline bool natty_conn_is(const struct natty_conn *conn,
				 enum natty_conn_bit bit)
{
	return atomic_read(&conn->flags) & BIT(bit);
}

/* Set a bit; was it set before? A full barrier if it was not. */
static inline bool natty_conn_mark(struct natty_conn *conn,
				   enum natty_conn_bit bit)
{
	return atomic_fetch_or(BIT(bit), &conn->flags) & BIT(bit);
}

/* Clear a bit; was it set before? */
static inline bool natty_conn_unmark(struct natty_conn *conn,
				     enum natty_conn_bit bit)
{
	return atomic_fetch_andnot(BIT(bit), &conn->flags) & BIT(bit);
}

/* Softirqs are disabled; so is preemption then, also where softirqs are threads. */
static inline void natty_conn_lock(struct natty_conn *conn)
{
	preempt_disable();
	while (atomic_fetch_or_acquire(BIT(NATTY_CONN_LOCK), &conn->flags) &
	       BIT(NATTY_CONN_LOCK))
		cpu_relax();
}

static inline void natty_conn_unlock(struct natty_conn *conn)
{
	atomic_fetch_andnot_release(BIT(NATTY_CONN_LOCK), &conn->flags);
	preempt_enable();
}

/* The address of an end; of an IPv4 connection only the first word is there. */
static __always_inline const union nf_inet_addr *
natty_conn_addr(const struct natty_conn *conn, u8 family, enum natty_end end)
{
	return family == NFPROTO_IPV4 ? (const void *)&conn->addr4[end] :
					(const void *)&conn->addr6[end];
}

static inline void natty_conn_get_end(const struct natty_conn *conn,
				      enum natty_end end,
				      struct natty_endpoint *ep)
{
	ep->port = conn->port[end];
	if (conn->family == NFPROTO_IPV4)
		ep->addr.ip = conn->addr4[end];
	else
		ep->addr.in6 = conn->addr6[end];
}

static inline void natty_conn_set_end(struct natty_conn *conn,
				      enum natty_end end,
				      const struct natty_endpoint *ep)
{
	conn->port[end] = ep->port;
	if (conn->family == NFPROTO_IPV4)
		conn->addr4[end] = ep->addr.ip;
	else
		conn->addr6[end] = ep->addr.in6;
}

static inline bool natty_conn_end_is(const struct natty_conn *conn,
				     enum natty_end end,
				     const struct natty_endpoint *ep)
{
	if (conn->port[end] != ep->port)
		return false;
	if (conn->family == NFPROTO_IPV4)
		return conn->addr4[end] == ep->addr.ip;
	return ipv6_addr_equal(&conn->addr6[end], &ep->addr.in6);
}

/* The flow as the sender of direction @dir puts it on the wire. */
static inline void natty_conn_tuple(const struct natty_conn *conn,
				    enum natty_dir dir, struct natty_tuple *t)
{
	bool orig = dir == NATTY_DIR_ORIG;

	t->family = conn->family;
	t->proto = conn->proto;
	natty_conn_get_end(conn, orig ? NATTY_END_ORIG_SRC : NATTY_END_NEW_DST,
			   &t->src);
	natty_conn_get_end(conn, orig ? NATTY_END_ORIG_DST : NATTY_END_NEW_SRC,
			   &t->dst);
}

static inline bool natty_conn_expired(const struct natty_conn *conn)
{
	return (s32)(READ_ONCE(conn->expires) - (u32)jiffies) <= 0;
}

/* Seconds until it expires, 0 if it has. */
static inline u32 natty_conn_expires_in(const struct natty_conn *conn)
{
	s32 left = (s32)(READ_ONCE(conn->expires) - (u32)jiffies);

	return left > 0 ? (u32)left / HZ : 0;
}

/*
 * Opener's packets between the hooks: their destination is translated, their
 * source is not yet. The inverse is how answers look there.
 */
static inline void natty_conn_middle(const struct natty_conn *conn,
				     struct natty_tuple *t)
{
	t->family = conn->family;
	t->proto = conn->proto;
	natty_conn_get_end(conn, NATTY_END_ORIG_SRC, &t->src);
	natty_conn_get_end(conn, NATTY_END_NEW_DST, &t->dst);
}

/* Is there a connection in this object (rather than only a mapping)? */
static inline bool natty_conn_open(const struct natty_conn *conn)
{
	return !((u32)atomic_read(&conn->flags) &
		 (BIT(NATTY_CONN_CLOSED) | BIT(NATTY_CONN_DEAD) |
		  BIT(NATTY_CONN_FILTER)));
}

static inline bool natty_conn_alive(const struct natty_conn *conn)
{
	return natty_conn_open(conn) && !natty_conn_expired(conn);
}

/* May others need this object after its connection has ended? Then .users holds. */
static inline bool natty_conn_stays(const struct natty_conn *conn)
{
	return (u32)atomic_read(&conn->flags) &
	       (BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_SOURCE));
}

/* Is there a mapping in this object? */
static inline bool natty_conn_maps(const struct natty_conn *conn)
{
	return ((u32)atomic_read(&conn->flags) &
		(BIT(NATTY_CONN_MAPPING) | BIT(NATTY_CONN_DEAD))) ==
	       BIT(NATTY_CONN_MAPPING);
}

/*
 * Move the end of a connection, at least a second from now; writes only if that
 * moves by a second. Return: false and nothing done if it has expired before.
 */
static __always_inline bool natty_conn_touch(struct natty_conn *conn, u32 seconds)
{
	u32 expires = (u32)jiffies + seconds * HZ;
	u32 later = expires - READ_ONCE(conn->expires);

	/* What would have expired by now is further away. */
	if (likely(later + (HZ - 1) < 2 * HZ - 1))
		return true;
	if (natty_conn_expired(conn))
		return false;
	WRITE_ONCE(conn->expires, expires);
	return true;
}

/* The same even if it has expired. */
static inline void natty_conn_refresh(struct natty_conn *conn, u32 seconds)
{
	if (!natty_conn_touch(conn, seconds))
		WRITE_ONCE(conn->expires, (u32)jiffies + seconds * HZ);
}

/**
 * natty_conn_close() - end a connection
 * @nn: network namespace
 * @conn: an open connection; under RCU
 * @why: NATTY_COUNT_CONN_DEL, _EXPIRED or _EVICTED, is counted
 *
 * Unlinks it, frees its port unless others use the mapping, tells listeners.
 * Memory is reused after a grace period. Any context but hard interrupts.
 *
 * Return: false if it was closed already, by whomever.
 */
bool natty_conn_close(struct natty_net *nn, struct natty_conn *conn,
		      enum natty_counter why);

/**
 * natty_conn_room() - may the namespace and a host have one more connection?
 * @nn: network namespace
 * @family: of the connection
 * @inside: address of the internal host
 * @set: settings
 * @flags: of the connection to be; gets NATTY_CONN_COUNTED if the host's
 *	connections are counted
 *
 * Evicts what is expired or unconfirmed before it refuses. Softirqs disabled.
 *
 * Return: NATTY_DROP_NONE, NATTY_DROP_LIMIT_CONNECTIONS, _LIMIT_HOST,
 * _LIMIT_HOST_RATE or _NO_MEMORY.
 */
enum natty_counter natty_conn_room(struct natty_net *nn, u8 family,
				   const union nf_inet_addr *inside,
				   const struct natty_settings *set, u32 *flags);

/* Take back what natty_conn_room() counted, for a connection not made. */
void natty_conn_unroom(struct natty_net *nn, u8 family,
		       const union nf_inet_addr *inside, u32 *flags);

/**
 * natty_conn_confirm() - the first packet of a connection has got through
 * @nn: network namespace
 * @conn: open connection, under RCU
 * @set: settings
 *
 * Gives it its proper timeout and tells listeners; harmless if repeated.
 */
void natty_conn_confirm(struct natty_net *nn, struct natty_conn *conn,
			const struct natty_settings *set);

/* The address of the host that the connection belongs to, for its limits. */
void natty_conn_inside(const struct natty_conn *conn, union nf_inet_addr *addr);

#endif
