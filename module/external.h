/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_EXTERNAL_H
#define NATTY_EXTERNAL_H

#include <linux/kref.h>

#include "addrset.h"

struct natty_config;
struct natty_net;

/*
 * Which addresses are external ones: what comes from outside to one of them and
 * belongs to no mapping is not routed on. An address is external while the
 * configuration translates sources to it, and while a connection or mapping
 * has it; ports that rest do not make it one.
 */

/**
 * struct natty_external - to which addresses a configuration translates
 * @ref: held by every configuration that has these; those that readers under
 *	RCU see give theirs up after a grace period
 * @set: of pools that rules use, of rules and forwards, sealed
 * @masquerades: some rule masquerades: addresses of its interfaces belong to it
 *
 * Constant after creation.
 */
struct natty_external {
	struct kref ref;
	struct natty_addrset set;
	bool masquerades;
};

/* Those of a configuration whose rules, pools and forwards are settled, or NULL. */
struct natty_external *natty_external_new(const struct natty_config *config);
void natty_external_get(struct natty_external *external);
void natty_external_put(struct natty_external *external);

/* Does the configuration translate to the address? Under RCU. */
bool natty_external_configured(const struct natty_net *nn,
			       const struct natty_config *config, u8 family,
			       const union nf_inet_addr *addr);

/* Is it an external address now? Under RCU; may lock the address for a moment. */
bool natty_external_is(const struct natty_net *nn,
		       const struct natty_config *config, u8 family,
		       const union nf_inet_addr *addr);

#endif
