// SPDX-License-Identifier: GPL-2.0
/* One rule: its lifetime, and whether it matches. */

#include <linux/percpu.h>
#include <linux/slab.h>

#include "ifaddr.h"
#include "pool.h"
#include "rule.h"

struct natty_rule *natty_rule_alloc(void)
{
	struct natty_rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL_ACCOUNT);

	if (!rule)
		return NULL;
	rule->flows = alloc_percpu_gfp(u64, GFP_KERNEL_ACCOUNT);
	if (!rule->flows) {
		kfree(rule);
		return NULL;
	}
	kref_init(&rule->ref);
	rule->mapping = NATTY_BEHAVIOUR_DEFAULT;
	rule->filtering = NATTY_BEHAVIOUR_DEFAULT;
	return rule;
}

static void release(struct kref *ref)
{
	struct natty_rule *rule = container_of(ref, struct natty_rule, ref);

	if (rule->pool)
		natty_pool_put(rule->pool);
	free_percpu(rule->flows);
	kfree(rule);
}

void natty_rule_get(struct natty_rule *rule)
{
	kref_get(&rule->ref);
}

void natty_rule_put(struct natty_rule *rule)
{
	kref_put(&rule->ref, release);
}

static bool pools_same(const struct natty_pool *a, const struct natty_pool *b)
{
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	/* A rule says the name of a pool, not what the pool contains. */
	if (*a->name)
		return !strcmp(a->name, b->name);
	return natty_pool_same(a, b);
}

static bool matches_same(const struct natty_rule *a, const struct natty_rule *b)
{
	return a->family == b->family && a->match == b->match &&
	       a->invert == b->invert && !strcmp(a->iif, b->iif) &&
	       !strcmp(a->oif, b->oif) &&
	       !memcmp(&a->src, &b->src, sizeof(a->src)) &&
	       !memcmp(&a->dst, &b->dst, sizeof(a->dst)) &&
	       a->src_len == b->src_len && a->dst_len == b->dst_len &&
	       a->proto == b->proto && a->sport_min == b->sport_min &&
	       a->sport_max == b->sport_max && a->dport_min == b->dport_min &&
	       a->dport_max == b->dport_max && a->mark == b->mark &&
	       a->mark_mask == b->mark_mask;
}

bool natty_rule_same(const struct natty_rule *a, const struct natty_rule *b)
{
	return a->chain == b->chain && a->action == b->action &&
	       matches_same(a, b) &&
	       !memcmp(&a->addr_min, &b->addr_min, sizeof(a->addr_min)) &&
	       !memcmp(&a->addr_max, &b->addr_max, sizeof(a->addr_max)) &&
	       a->addr_len == b->addr_len && a->port_min == b->port_min &&
	       a->port_max == b->port_max && a->port_base == b->port_base &&
	       a->options == b->options && a->mapping == b->mapping &&
	       a->filtering == b->filtering &&
	       pools_same(a->pool, b->pool);
}

bool natty_rule_names_device(const char *pattern, const struct net_device *dev)
{
	size_t len;

	if (!dev)
		return false;
	len = strnlen(pattern, IFNAMSIZ);
	if (len && pattern[len - 1] == '+')
		return !strncmp(pattern, dev->name, len - 1);
	return !strncmp(pattern, dev->name, IFNAMSIZ);
}

static bool port_in(u8 proto, __be16 port, u16 min, u16 max)
{
	if (!natty_proto_has_ports(proto) || natty_proto_is_icmp(proto))
		return false;
	return ntohs(port) >= min && ntohs(port) <= max;
}

/* Which of the rule's matches, disregarding inversion, hold for the key? */
static u32 holding(const struct natty_rule *rule,
		   const struct natty_rule_key *key)
{
	const struct natty_tuple *t = key->tuple;
	u32 match = rule->match;
	u32 held = 0;

	if (match & NATTY_MATCH_IIF && natty_rule_names_device(rule->iif, key->iif))
		held |= NATTY_MATCH_IIF;
	if (match & NATTY_MATCH_OIF && natty_rule_names_device(rule->oif, key->oif))
		held |= NATTY_MATCH_OIF;
	if (match & NATTY_MATCH_SRC &&
	    natty_addr_in_prefix(t->family, &t->src.addr, &rule->src,
				 rule->src_len))
		held |= NATTY_MATCH_SRC;
	if (match & NATTY_MATCH_DST &&
	    natty_addr_in_prefix(t->family, &t->dst.addr, &rule->dst,
				 rule->dst_len))
		held |= NATTY_MATCH_DST;
	if (match & NATTY_MATCH_PROTO && t->proto == rule->proto)
		held |= NATTY_MATCH_PROTO;
	if (match & NATTY_MATCH_SPORT &&
	    port_in(t->proto, t->src.port, rule->sport_min, rule->sport_max))
		held |= NATTY_MATCH_SPORT;
	if (match & NATTY_MATCH_DPORT &&
	    port_in(t->proto, t->dst.port, rule->dport_min, rule->dport_max))
		held |= NATTY_MATCH_DPORT;
	if (match & NATTY_MATCH_MARK &&
	    !((key->mark ^ rule->mark) & rule->mark_mask))
		held |= NATTY_MATCH_MARK;
	return held;
}

static bool local_holds(const struct natty_rule *rule,
			const struct natty_rule_key *key, u32 match,
			const union nf_inet_addr *addr)
{
	bool local;

	if (!(rule->match & match))
		return true;
	local = key->net && natty_ifaddr_is_local(key->net, key->tuple->family, addr);
	return local == !(rule->invert & match);
}

bool natty_rule_matches(const struct natty_rule *rule,
			const struct natty_rule_key *key)
{
	u32 match = rule->match & ~NATTY_MATCH_LOCAL;

	if (rule->family != NFPROTO_UNSPEC && rule->family != key->tuple->family)
		return false;
	if ((holding(rule, key) ^ (rule->invert & match)) != match)
		return false;
	if (match == rule->match)
		return true;
	return local_holds(rule, key, NATTY_MATCH_SRC_LOCAL, &key->tuple->src.addr) &&
	       local_holds(rule, key, NATTY_MATCH_DST_LOCAL, &key->tuple->dst.addr);
}

u16 natty_rule_shift(const struct natty_rule *rule, u16 port, u16 nth)
{
	u16 distance = port - rule->port_base + nth;

	return rule->port_min + distance % (rule->port_max - rule->port_min + 1);
}
