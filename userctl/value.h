/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Single values of the configuration language, both ways.
 *
 * Each value_*() function reads a whole word. It returns NULL, or the reason
 * why the word is none, as the end of a sentence that begins with the word.
 */
#ifndef USERCTL_VALUE_H
#define USERCTL_VALUE_H

#include "model.h"

/* Enough for any value as text, "[v6]-[v6]:1-65535/65535" being the longest. */
#define VALUE_TEXT	128

/* A decimal number, or a hexadecimal one after 0x, of at most @max. */
const char *value_number(const char *text, uint32_t max, uint32_t *number);

/* A[-B], neither below @lowest. */
const char *value_ports(const char *text, uint16_t lowest,
			struct port_range *ports);

/* A[-B[/BASE]], what ports are translated to. */
const char *value_to_ports(const char *text, struct port_range *ports);

const char *value_addr(const char *text, struct addr *addr);

/* ADDR[/BITS], without bits set beyond the prefix. */
const char *value_prefix(const char *text, struct prefix *prefix);

/* ADDR[-ADDR]; v6 addresses may stand in brackets. */
const char *value_addr_range(const char *text, struct addr_range *range);

/*
 * ADDR[-ADDR][:PORT[-PORT[/BASE]]], ADDR in brackets if v6 and a port follows.
 */
const char *value_endpoints(const char *text, struct addr_range *range,
			    struct port_range *ports);

/* ADDR:PORT, an endpoint as a forward has them. */
const char *value_endpoint(const char *text, struct addr *addr,
			   uint16_t *port);

const char *value_proto(const char *text, uint8_t *proto);

/* V[/M] */
const char *value_mark(const char *text, uint32_t *mark, uint32_t *mask);

/* An interface name, perhaps with a trailing + for any rest. */
const char *value_iface(const char *text, char name[IFACE_MAX + 1]);

/* A pool's name, a key or a value. */
const char *value_word(const char *text, char word[WORD_MAX + 1]);

/* Decimal digits and a null byte. Return: where that is. */
char *text_number(char *text, uint64_t number);

/* The texts of values; each returns @text. */
char *text_addr(char text[VALUE_TEXT], const struct addr *addr);
char *text_prefix(char text[VALUE_TEXT], const struct prefix *prefix);
char *text_addr_range(char text[VALUE_TEXT], const struct addr_range *range);
char *text_ports(char text[VALUE_TEXT], const struct port_range *ports);
char *text_endpoints(char text[VALUE_TEXT], const struct addr_range *range,
		     const struct port_range *ports);
char *text_endpoint(char text[VALUE_TEXT], const struct addr *addr,
		    uint16_t port);
char *text_proto(char text[VALUE_TEXT], uint8_t proto);

#endif
