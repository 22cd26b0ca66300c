// SPDX-License-Identifier: GPL-2.0
/*
 * Do chains and the list that is made of them decide alike? Random rule sets,
 * and packets that go through the one as the kernel would have them, and
 * through the other.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "test_translate.h"

struct packet {
	const char *iface[2];	/* empty where the hook has none */
	struct addr addr[2];
	bool local[2];
	uint8_t proto;
	uint16_t port[2];
	uint32_t mark;
};

enum end {
	END_FALLEN,		/* out of the chain */
	END_ACCEPTED,
	END_TRANSLATED
};

static bool name_fits(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '+')
		return !strncmp(pattern, name, len - 1);
	return !strcmp(pattern, name);
}

static bool names_fit(const struct names *names, const char *name)
{
	size_t i;

	if (names->is && (!*name || !name_fits(names->is, name)))
		return false;
	for (i = 0; i < names->nots; i++)
		if (*name && name_fits(names->not[i], name))
			return false;
	return true;
}

static bool mark_fits(const struct marks *marks, uint32_t mark)
{
	size_t i;

	if ((mark ^ marks->is.value) & marks->is.mask)
		return false;
	for (i = 0; i < marks->nots; i++)
		if (!((mark ^ marks->not[i].value) & marks->not[i].mask))
			return false;
	return true;
}

static bool box_fits(const struct box *box, const struct packet *packet)
{
	unsigned int side;

	for (side = 0; side < 2; side++) {
		if (!names_fit(&box->iface[side], packet->iface[side]) ||
		    !set_has(box->addr[side], num_of_addr(&packet->addr[side])) ||
		    !set_has(box->port[side], num_of(packet->port[side])))
			return false;
		if (box->local[side] == (packet->local[side] ? LOCAL_NO : LOCAL_YES))
			return false;
	}
	return set_has(box->proto, num_of(packet->proto)) &&
	       mark_fits(&box->mark, packet->mark);
}

/* As the kernel goes through chains. */
static enum end walk(const struct tchain *chain, const struct packet *packet,
		     const struct step **by)
{
	enum end end;
	size_t i, j;

	for (i = 0; i < chain->count; i++) {
		const struct step *step = &chain->steps[i];

		for (j = 0; j < step->count; j++)
			if (box_fits(&step->boxes[j], packet))
				break;
		if (j == step->count)
			continue;
		*by = step;
		switch (step->verdict) {
		case VERDICT_NAT:
			return END_TRANSLATED;
		case VERDICT_ACCEPT:
			return END_ACCEPTED;
		case VERDICT_RETURN:
			return END_FALLEN;
		case VERDICT_GOTO:
			return walk(step->to, packet, by);
		case VERDICT_JUMP:
			end = walk(step->to, packet, by);
			if (end != END_FALLEN)
				return end;
			break;
		default:
			break;
		}
	}
	return END_FALLEN;
}

static bool in_prefix(const struct prefix *prefix, const struct addr *addr)
{
	struct span span = span_of_prefix(num_of_addr(&prefix->addr),
					  prefix->bits, prefix->addr.len * 8);

	return num_cmp(span.min, num_of_addr(addr)) <= 0 &&
	       num_cmp(num_of_addr(addr), span.max) <= 0;
}

static bool in_ports(const struct port_range *ports, uint16_t port)
{
	return ports->min <= port && port <= ports->max;
}

/* As natty(5) says that a rule matches. */
static bool rule_fits(const struct rule *rule, const struct packet *packet)
{
	const struct {
		bool given, holds;
		uint32_t match;
	} matches[] = {
		{ rule->iif[0], name_fits(rule->iif, packet->iface[0]),
		  NATTY_MATCH_IIF },
		{ rule->oif[0], name_fits(rule->oif, packet->iface[1]),
		  NATTY_MATCH_OIF },
		{ rule->src.addr.len, in_prefix(&rule->src, &packet->addr[0]),
		  NATTY_MATCH_SRC },
		{ rule->dst.addr.len, in_prefix(&rule->dst, &packet->addr[1]),
		  NATTY_MATCH_DST },
		{ rule->has_proto, rule->proto == packet->proto,
		  NATTY_MATCH_PROTO },
		{ rule->sport.set, in_ports(&rule->sport, packet->port[0]),
		  NATTY_MATCH_SPORT },
		{ rule->dport.set, in_ports(&rule->dport, packet->port[1]),
		  NATTY_MATCH_DPORT },
		{ rule->has_mark,
		  !((rule->mark ^ packet->mark) & rule->mark_mask),
		  NATTY_MATCH_MARK },
		{ rule->local & NATTY_MATCH_SRC_LOCAL, packet->local[0],
		  NATTY_MATCH_SRC_LOCAL },
		{ rule->local & NATTY_MATCH_DST_LOCAL, packet->local[1],
		  NATTY_MATCH_DST_LOCAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(matches); i++)
		if (matches[i].given &&
		    matches[i].holds == !!(rule->invert & matches[i].match))
			return false;
	return true;
}

static void random_packet(struct packet *packet, enum natty_chain hook)
{
	static const char *const names[] = { "eth0", "eth1", "ppp0" };
	static const char *const addrs[] = {
		"10.0.0.1", "10.0.0.2", "10.0.1.1", "192.0.2.1", "127.0.0.1"
	};
	static const uint8_t protos[] = { 6, 17, 1 };
	static const uint16_t ports[] = { 0, 79, 80, 81, 443, 65535 };
	unsigned int side;

	for (side = 0; side < 2; side++) {
		packet->addr[side].len = 4;
		inet_pton(AF_INET, ANY(addrs), packet->addr[side].bytes);
		packet->local[side] = any(2);
		packet->port[side] = ANY(ports);
		packet->iface[side] = ANY(names);
	}
	if (hook == NATTY_CHAIN_OUTPUT)
		packet->iface[SIDE_IN] = "";
	else if (hook != NATTY_CHAIN_POSTROUTING)
		packet->iface[SIDE_OUT] = "";
	packet->proto = ANY(protos);
	packet->mark = any(4);
}

/* A rule set whose rules all have an equivalent, for the most part. */
static size_t random_rules(char *text)
{
	static const char *const words[] = {
		"-s 10.0.0.0/24", "! -s 10.0.0.1", "-d 10.0.0.0/30",
		"! -d 10.0.0.0/31", "-i eth0", "! -i eth0", "-o eth+",
		"! -o eth1", "-m mark --mark 1", "-m mark ! --mark 2/2",
		"! -i eth1", "! -o ppp+", "-m mark ! --mark 1",
		"-m addrtype --dst-type LOCAL", "-m addrtype ! --src-type LOCAL",
		"-p tcp -m tcp --dport 80", "-p udp -m udp ! --sport 80:81",
		"-p tcp -m multiport --ports 80,443", "-p udp", "! -p tcp",
		"-p tcp -m multiport ! --dports 79,81",
		"-m iprange --src-range 10.0.0.1-10.0.0.2",
	};
	static const char *const targets[] = {
		"-j RETURN", "-j ACCEPT", "-j A", "-j B", "-g A", "-g B",
		"-j DNAT --to-destination 10.9.9.%u",
	};
	static const char *const chains[] = { "PREROUTING", "OUTPUT", "A", "B" };
	size_t len, i, j;

	len = sprintf(text, "*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:A -\n:B -\n");
	for (i = 2 + any(12); i; i--) {
		unsigned int chain = any(ARRAY_SIZE(chains));
		unsigned int target;

		len += sprintf(text + len, "-A %s", chains[chain]);
		for (j = any(3); j; j--)
			len += sprintf(text + len, " %s", ANY(words));
		/* A calls B only, and B nobody. */
		do {
			target = any(ARRAY_SIZE(targets));
		} while (chain >= 2 && target >= 2 && target <= 5 &&
			 !(chain == 2 && (target == 3 || target == 5)));
		len += sprintf(text + len, " ");
		len += sprintf(text + len, targets[target], (unsigned int)i);
		len += sprintf(text + len, "\n");
	}
	return len + sprintf(text + len, "COMMIT\n");
}

/* The action that the list has for a packet, or NULL. */
static const struct rule *look_up(const struct rule *rules, size_t count,
				  enum natty_chain hook,
				  const struct packet *packet)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rules[i].chain == hook && rule_fits(&rules[i], packet))
			return rules[i].action == NATTY_ACTION_ACCEPT ? NULL :
								       &rules[i];
	return NULL;
}

/* Packets at both hooks; false, and what it was, if one is treated otherwise. */
static bool same(const struct translation *tr, const struct rule *rules,
		 size_t count)
{
	struct packet packet;
	unsigned int i;

	for (i = 0; i < 60; i++) {
		enum natty_chain hook = i % 2 ? NATTY_CHAIN_PREROUTING :
						NATTY_CHAIN_OUTPUT;
		const struct step *by = NULL;
		const struct rule *rule;
		bool translated;

		random_packet(&packet, hook);
		translated = walk(tr->bases[hook][0].chain, &packet, &by) ==
			     END_TRANSLATED;
		rule = look_up(rules, count, hook, &packet);
		if (translated == !rule ||
		    (rule && memcmp(&rule->to, &by->nat.to, sizeof(rule->to)))) {
			printf("# %s %s>%s proto %u ports %u>%u mark %u: %s\n",
			       name_of(chain_names, hook), packet.iface[0],
			       packet.iface[1], packet.proto, packet.port[0],
			       packet.port[1], packet.mark,
			       translated ? by->place.text : "untranslated");
			return false;
		}
	}
	return true;
}

unsigned int compare(unsigned int inputs, unsigned int *packets)
{
	struct translation tr;
	struct rule *rules;
	unsigned int i, bad = 0;
	char text[8192];
	size_t j, count;

	*packets = 0;
	for (i = 0; i < inputs; i++) {
		translate(&tr, text, random_rules(text));
		rules = xrealloc(NULL, (tr.item_count + 1) * sizeof(*rules));
		for (j = 0, count = 0; j < tr.item_count; j++) {
			struct statement statement;

			if (!tr.items[j].statement)
				continue;
			if (parse(tr.items[j].statement, &statement))
				rules[count++] = statement.rule;
		}
		/* Rules that have no equivalent are told, and not compared. */
		if (!tr.refusal_count) {
			*packets += 60;
			if (!same(&tr, rules, count)) {
				printf("# %s", text);
				bad++;
			}
		}
		free(rules);
		arena_free(&tr.arena);
	}
	return bad;
}
