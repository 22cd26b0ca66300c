/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_HANDOVER_H
#define NATTY_HANDOVER_H

#include "conn.h"

struct sk_buff;

/**
 * struct natty_handover - what the last packet's first hook found
 * @skb: that packet; only compared, never followed
 * @conn: its connection, or NULL if it was not looked for
 * @hash: without @conn: of its internal endpoint, as a hint where to look
 * @dir: with @conn: enum natty_dir, the way it travels
 * @done: with @conn: there is nothing left to translate
 *
 * Written and read by the packet path of one CPU with softirqs disabled. A
 * packet that reaches its second hook elsewhere or later finds another skb
 * here, or one that was freed and reused: so the reader checks that the packet
 * is one of @conn, whose memory always is some connection.
 */
struct natty_handover {
	const struct sk_buff *skb;
	struct natty_conn *conn;
	u32 hash;
	u8 dir;
	bool done;
};

#endif
