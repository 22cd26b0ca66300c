// SPDX-License-Identifier: GPL-2.0
/* The words of the language, by the numbers of the uapi header. */
#include <string.h>

#include "model.h"

const char *const chain_names[] = {
	[NATTY_CHAIN_PREROUTING] = "prerouting",
	[NATTY_CHAIN_POSTROUTING] = "postrouting",
	[NATTY_CHAIN_OUTPUT] = "output",
	[NATTY_CHAIN_INPUT] = "input",
	NULL
};

const char *const action_names[] = {
	[NATTY_ACTION_ACCEPT] = "accept",
	[NATTY_ACTION_MASQUERADE] = "masquerade",
	[NATTY_ACTION_SNAT] = "snat",
	[NATTY_ACTION_DNAT] = "dnat",
	[NATTY_ACTION_REDIRECT] = "redirect",
	[NATTY_ACTION_NETMAP] = "netmap",
	NULL
};

const char *const behaviour_names[] = {
	[NATTY_BEHAVIOUR_ENDPOINT_INDEPENDENT] = "endpoint-independent",
	[NATTY_BEHAVIOUR_ADDRESS_DEPENDENT] = "address-dependent",
	[NATTY_BEHAVIOUR_ADDRESS_AND_PORT_DEPENDENT] =
		"address-and-port-dependent",
	NULL
};

/* By bit number, as are the next two tables of flags. */
const char *const option_names[] = { "random", "persistent", NULL };

const char *const match_names[] = {
	"iif", "oif", "src", "dst", "proto", "sport", "dport", "mark",
	/* Two words each. */
	"src local", "dst local", NULL
};

const char *const conn_flag_names[] = {
	"inbound", "replied", "unconfirmed", "source", "destination", NULL
};

const char *const state_names[] = {
	[NATTY_STATE_NEW] = "new",
	[NATTY_STATE_REPLIED] = "replied",
	[NATTY_STATE_SYN_SENT] = "syn-sent",
	[NATTY_STATE_SYN_RECEIVED] = "syn-received",
	[NATTY_STATE_ESTABLISHED] = "established",
	[NATTY_STATE_FIN_WAIT] = "fin-wait",
	[NATTY_STATE_CLOSE_WAIT] = "close-wait",
	[NATTY_STATE_LAST_ACK] = "last-ack",
	[NATTY_STATE_TIME_WAIT] = "time-wait",
	[NATTY_STATE_CLOSE] = "close",
	NULL
};

int name_find(const char *const *names, const char *word)
{
	int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(names[i], word))
			return i;
	return -1;
}

const char *name_of(const char *const *names, unsigned int number)
{
	unsigned int i;

	for (i = 0; names[i]; i++)
		if (i == number)
			return names[i];
	return "?";
}
