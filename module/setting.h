/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_SETTING_H
#define NATTY_SETTING_H

#include <linux/bitmap.h>
#include <linux/netlink.h>
#include <linux/types.h>

/*
 * Every key of the configuration's set statement, once:
 * X(identifier, key, kind, min, max, rfc, iptables), where the last two are
 * what the profiles imply. Kinds: seconds and number are decimal; the others
 * are words, see setting.c. Sources: RFC 4787 REQ-5, RFC 5382 REQ-5,
 * RFC 5508 REQ-2, RFC 5597 REQ-5, RFC 7857 section 2; for iptables nf_conntrack's defaults.
 */
#define NATTY_SETTINGS(X)						\
	X(PROFILE, "profile", profile, 0, 1, 0, 1)			\
	X(TCP_ESTABLISHED, "timeout.tcp-established", seconds, 1, 1000000, 7440, 432000) \
	X(TCP_TRANSITORY, "timeout.tcp-transitory", seconds, 1, 1000000, 240, 120) \
	X(TCP_SYN_SENT, "timeout.tcp-syn-sent", seconds, 1, 1000000, 240, 120) \
	X(TCP_SYN_RECEIVED, "timeout.tcp-syn-received", seconds, 1, 1000000, 240, 60) \
	X(TCP_FIN_WAIT, "timeout.tcp-fin-wait", seconds, 1, 1000000, 7440, 120) \
	X(TCP_CLOSE_WAIT, "timeout.tcp-close-wait", seconds, 1, 1000000, 7440, 60) \
	X(TCP_LAST_ACK, "timeout.tcp-last-ack", seconds, 1, 1000000, 240, 30) \
	X(TCP_TIME_WAIT, "timeout.tcp-time-wait", seconds, 1, 1000000, 240, 120) \
	X(TCP_CLOSE, "timeout.tcp-close", seconds, 1, 1000000, 240, 10)	\
	X(UDP, "timeout.udp", seconds, 1, 1000000, 300, 30)		\
	X(UDP_REPLIED, "timeout.udp-replied", seconds, 1, 1000000, 300, 120) \
	X(UDP_WELL_KNOWN, "timeout.udp-well-known", seconds, 0, 1000000, 0, 0) \
	X(ICMP, "timeout.icmp", seconds, 1, 1000000, 60, 30)		\
	X(DCCP_OPEN, "timeout.dccp-open", seconds, 1, 1000000, 7440, 43200) \
	X(DCCP_TRANSITORY, "timeout.dccp-transitory", seconds, 1, 1000000, 240, 240) \
	X(SCTP, "timeout.sctp", seconds, 1, 1000000, 600, 210)		\
	X(GRE, "timeout.gre", seconds, 1, 1000000, 600, 30)		\
	X(GRE_REPLIED, "timeout.gre-replied", seconds, 1, 1000000, 600, 180) \
	X(OTHER, "timeout.other", seconds, 1, 1000000, 600, 600)	\
	X(UNCONFIRMED, "timeout.unconfirmed", seconds, 1, 60, 10, 10)	\
	X(PORT_REUSE, "timeout.port-reuse", seconds, 0, 7200, 120, 0)	\
	X(LIMIT_CONNECTIONS, "limit.connections", number, 16, 16777216, 262144, 262144) \
	X(LIMIT_HOST_CONNECTIONS, "limit.host-connections", number, 0, 16777216, 0, 0) \
	X(LIMIT_HOST_PORTS, "limit.host-ports", number, 0, 65535, 0, 0)	\
	X(LIMIT_HOST_RATE, "limit.host-rate", number, 0, 1000000, 0, 0)	\
	X(LIMIT_RESTING_PORTS, "limit.resting-ports", number, 0, 16777216, 1048576, 1048576) \
	X(MAPPING, "mapping", behaviour, 0, 2, 0, 2)			\
	X(FILTERING, "filtering", behaviour, 0, 2, 1, 2)		\
	X(HAIRPIN, "hairpin", onoff, 0, 1, 1, 0)			\
	X(POOL_SPILL, "pool.spill", onoff, 0, 1, 0, 1)			\
	X(PORT_PARITY, "port.parity", onoff, 0, 1, 1, 0)		\
	X(IP_UNIQUE_ID, "ip.unique-id", onoff, 0, 1, 1, 0)		\
	X(TCP_LOOSE, "tcp.loose", onoff, 0, 1, 1, 1)			\
	X(FRAGMENT_CHECK, "fragment.check", onoff, 0, 1, 1, 0)		\
	X(TCP_UNSOLICITED, "tcp.unsolicited", unsolicited, 0, 2, 0, 2)	\
	X(ACCOUNTING, "accounting", onoff, 0, 1, 0, 0)			\
	X(ICMP_OBSOLETE, "icmp.obsolete", onoff, 0, 1, 0, 1)		\
	X(ICMP_EXHAUSTED, "icmp.exhausted", exhausted, 0, 2, 0, 0)

enum natty_setting {
#define X(id, key, kind, min, max, rfc, iptables) NATTY_SET_##id,
	NATTY_SETTINGS(X)
#undef X
	NATTY_SET_MAX
};

/* Values of NATTY_SET_PROFILE. */
enum { NATTY_PROFILE_RFC, NATTY_PROFILE_IPTABLES };

/* Values of NATTY_SET_ICMP_EXHAUSTED: host-unreachable, admin-prohibited, silent. */
enum {
	NATTY_EXHAUSTED_HOST_UNREACHABLE,
	NATTY_EXHAUSTED_ADMIN_PROHIBITED,
	NATTY_EXHAUSTED_SILENT,
};

/* Values of NATTY_SET_TCP_UNSOLICITED: port-unreachable, silent, pass. */
enum {
	NATTY_UNSOLICITED_PORT_UNREACHABLE,
	NATTY_UNSOLICITED_SILENT,
	NATTY_UNSOLICITED_PASS,
};

/**
 * struct natty_settings - the values of all keys
 * @value: what is in force: the explicit value or the profile's
 * @explicit: which keys were set explicitly
 */
struct natty_settings {
	u32 value[NATTY_SET_MAX];
	DECLARE_BITMAP(explicit, NATTY_SET_MAX);
};

/* Every key at the default of profile rfc. */
void natty_settings_init(struct natty_settings *set);

/* The setting of that key, or -ENOENT. */
int natty_setting_find(const char *key);

const char *natty_setting_key(enum natty_setting id);

/**
 * natty_setting_set() - set a key from its text
 * @set: changed only on success
 * @id: the key
 * @value: text of the value, or NULL to restore what the profile implies
 * @extack: gets the reason with the permitted range or words, may be NULL
 *
 * Setting the profile gives all keys that were not set explicitly the values
 * which that profile implies.
 *
 * Return: 0 or -EINVAL, -ERANGE.
 */
int natty_setting_set(struct natty_settings *set, enum natty_setting id,
		      const char *value, struct netlink_ext_ack *extack);

/* The text of a value as natty_setting_set() takes it. */
void natty_setting_print(const struct natty_settings *set, enum natty_setting id,
			 char *buf, size_t size);

/* What values the key takes, for a person: "1-1000000 seconds", "off|on". */
void natty_setting_print_range(enum natty_setting id, char *buf, size_t size);

#endif
