/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_STATS_H
#define NATTY_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

/*
 * Every counter of a network namespace, once: X(identifier, name). The names
 * go to user space as they stand, so kernel and tool cannot differ.
 */
#define NATTY_COUNTERS(X)						\
	X(CONN_NEW, "conn-new")						\
	X(CONN_DEL, "conn-del")						\
	X(CONN_EXPIRED, "conn-expired")					\
	X(CONN_EVICTED, "conn-evicted")					\
	X(MAPPING_NEW, "mapping-new")					\
	X(MAPPING_DEL, "mapping-del")					\
	X(HAIRPIN, "hairpin")						\
	X(TRANSLATED, "flows-translated")				\
	X(UNTRANSLATED, "flows-untranslated")				\
	X(ICMP_ERROR, "icmp-errors-translated")				\
	X(ICMP_SENT, "icmp-errors-sent")				\
	X(TABLE_RESIZE, "table-resizes")				\
	X(EVENT_LOST, "events-lost")

/* Why a packet was dropped. The order is not part of the contract. */
#define NATTY_DROPS(X)							\
	X(IP_HEADER, "ip-header")		/* lies about a length */ \
	X(TRANSPORT_HEADER, "transport-header")	/* short, or lies */	\
	X(TINY_FRAGMENT, "tiny-fragment")	/* RFC 1858 */		\
	X(FRAGMENT, "fragment")			/* not reassembled */	\
	X(CHECKSUM, "checksum")			/* of an ICMP message */ \
	X(ICMP_TYPE, "icmp-type")		/* not translatable */	\
	X(ICMP_QUOTE, "icmp-quote")		/* malformed inside */	\
	X(ICMP_UNRELATED, "icmp-unrelated")	/* error about no flow */ \
	X(TCP_FLAGS, "tcp-flags")		/* impossible set */	\
	X(TCP_STATE, "tcp-state")		/* opens no flow */	\
	X(FILTERED, "filtered")			/* mapping's filter */	\
	X(UNSOLICITED, "unsolicited")		/* opening, to no mapping */ \
	X(PROTOCOL, "protocol")			/* cannot be shared */	\
	X(NO_ADDRESS, "no-address")		/* none to masquerade with */ \
	X(NO_PORT, "no-port")			/* range is used up */	\
	X(LIMIT_CONNECTIONS, "limit-connections")			\
	X(LIMIT_HOST, "limit-host")					\
	X(LIMIT_HOST_RATE, "limit-host-rate")				\
	X(LIMIT_CHAIN, "limit-chain")		/* hash chain bound */	\
	X(NO_MEMORY, "no-memory")					\
	X(CLASH, "clash")			/* tuple already in use */ \
	X(REROUTE, "reroute")			/* no way to new address */ \
	X(DYING, "dying")			/* flow just removed */

enum natty_counter {
	NATTY_DROP_NONE,	/* not dropped: counts nothing */
#define X(id, name) NATTY_DROP_##id,
	NATTY_DROPS(X)
#undef X
	NATTY_DROP_END,
	NATTY_COUNT_BEFORE_FIRST = NATTY_DROP_END - 1,
#define X(id, name) NATTY_COUNT_##id,
	NATTY_COUNTERS(X)
#undef X
	NATTY_COUNT_MAX
};

struct natty_stats {
	u64 count[NATTY_COUNT_MAX];
};

struct natty_net;

int natty_stats_init(struct natty_net *nn);
void natty_stats_exit(struct natty_net *nn);

/* Sum over all CPUs. Process context or softirq. */
u64 natty_stats_sum(const struct natty_net *nn, enum natty_counter counter);

/* Name of a counter, or NULL for NATTY_DROP_NONE. */
const char *natty_stats_name(enum natty_counter counter);

static inline bool natty_stats_is_drop(enum natty_counter counter)
{
	return counter > NATTY_DROP_NONE && counter < NATTY_DROP_END;
}

#endif
