// SPDX-License-Identifier: GPL-2.0
/* The matches of rules and filters, from and to netlink attributes. */

#include <linux/ctype.h>

#include "netlink.h"
#include "rule.h"

/* The network part of an address must be all of it. */
static bool has_host_bits(u8 family, const union nf_inet_addr *addr, u8 len)
{
	struct in6_addr net;

	if (family == NFPROTO_IPV4)
		return len < 32 && ntohl(addr->ip) & (U32_MAX >> len);
	ipv6_addr_prefix(&net, &addr->in6, len);
	return !ipv6_addr_equal(&net, &addr->in6);
}

int natty_nl_get_prefix(const struct nlattr *attr,
			const struct nlattr *len_attr, u8 *family,
			union nf_inet_addr *addr, u8 *len,
			struct netlink_ext_ack *extack)
{
	u8 max;
	int err;

	err = natty_nl_get_addr(attr, family, addr, extack);
	if (err)
		return err;
	max = *family == NFPROTO_IPV4 ? 32 : 128;
	*len = len_attr ? nla_get_u8(len_attr) : max;
	if (*len > max) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, len_attr,
					"prefix length %u is above %u",
					*len, max);
		return -EINVAL;
	}
	if (!has_host_bits(*family, addr, *len))
		return 0;
	if (*family == NFPROTO_IPV4)
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"host bits set in %pI4/%u",
					&addr->ip, *len);
	else
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"host bits set in %pI6c/%u",
					&addr->in6, *len);
	return -EINVAL;
}

int natty_nl_get_ports(const struct nlattr *min_attr,
		       const struct nlattr *max_attr, u16 *min, u16 *max,
		       struct netlink_ext_ack *extack)
{
	*min = nla_get_u16(min_attr);
	*max = max_attr ? nla_get_u16(max_attr) : *min;
	if (*min <= *max)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, max_attr,
				"port range %u-%u: low end above high end",
				*min, *max);
	return -EINVAL;
}

/* Does an attribute stand without the one that it belongs to? */
static int check_alone(struct nlattr **tb, int attr, int of,
		       struct netlink_ext_ack *extack)
{
	if (!tb[attr] || tb[of])
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[attr],
			    "prefix length or end of range without its beginning");
	return -EINVAL;
}

static int get_addresses(struct nlattr **tb, struct natty_rule *rule,
			 struct netlink_ext_ack *extack)
{
	int err;

	err = check_alone(tb, NATTY_A_RULE_SRC_LEN, NATTY_A_RULE_SRC, extack) ?:
	      check_alone(tb, NATTY_A_RULE_DST_LEN, NATTY_A_RULE_DST, extack);
	if (!err && tb[NATTY_A_RULE_SRC]) {
		rule->match |= NATTY_MATCH_SRC;
		err = natty_nl_get_prefix(tb[NATTY_A_RULE_SRC],
					  tb[NATTY_A_RULE_SRC_LEN],
					  &rule->family, &rule->src,
					  &rule->src_len, extack);
	}
	if (!err && tb[NATTY_A_RULE_DST]) {
		rule->match |= NATTY_MATCH_DST;
		err = natty_nl_get_prefix(tb[NATTY_A_RULE_DST],
					  tb[NATTY_A_RULE_DST_LEN],
					  &rule->family, &rule->dst,
					  &rule->dst_len, extack);
	}
	return err;
}

static int get_match_ports(struct nlattr **tb, struct natty_rule *rule,
			   struct netlink_ext_ack *extack)
{
	int err;

	err = check_alone(tb, NATTY_A_RULE_SPORT_MAX, NATTY_A_RULE_SPORT_MIN,
			  extack) ?:
	      check_alone(tb, NATTY_A_RULE_DPORT_MAX, NATTY_A_RULE_DPORT_MIN,
			  extack);
	if (!err && tb[NATTY_A_RULE_SPORT_MIN]) {
		rule->match |= NATTY_MATCH_SPORT;
		err = natty_nl_get_ports(tb[NATTY_A_RULE_SPORT_MIN],
					 tb[NATTY_A_RULE_SPORT_MAX],
					 &rule->sport_min, &rule->sport_max,
					 extack);
	}
	if (!err && tb[NATTY_A_RULE_DPORT_MIN]) {
		rule->match |= NATTY_MATCH_DPORT;
		err = natty_nl_get_ports(tb[NATTY_A_RULE_DPORT_MIN],
					 tb[NATTY_A_RULE_DPORT_MAX],
					 &rule->dport_min, &rule->dport_max,
					 extack);
	}
	return err;
}

static int get_proto(struct nlattr **tb, struct natty_rule *rule,
		     struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = tb[NATTY_A_RULE_PROTO];

	if (!attr)
		return 0;
	rule->match |= NATTY_MATCH_PROTO;
	rule->proto = nla_get_u8(attr);
	switch (rule->proto) {
	case NEXTHDR_HOP:
	case NEXTHDR_ROUTING:
	case NEXTHDR_FRAGMENT:
	case NEXTHDR_DEST:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an extension header is not a protocol");
		return -EINVAL;
	}
	return 0;
}

static int get_ifname(const struct nlattr *attr, char *name,
		      struct netlink_ext_ack *extack)
{
	const char *at;

	strscpy(name, nla_data(attr), IFNAMSIZ);
	for (at = name; *at; at++)
		if (*at == '/' || isspace(*at))
			break;
	if (at != name && !*at)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "no interface has such a name");
	return -EINVAL;
}

static int get_ifnames(struct nlattr **tb, struct natty_rule *rule,
		       struct netlink_ext_ack *extack)
{
	int err = 0;

	if (tb[NATTY_A_RULE_IIF]) {
		rule->match |= NATTY_MATCH_IIF;
		err = get_ifname(tb[NATTY_A_RULE_IIF], rule->iif, extack);
	}
	if (!err && tb[NATTY_A_RULE_OIF]) {
		rule->match |= NATTY_MATCH_OIF;
		err = get_ifname(tb[NATTY_A_RULE_OIF], rule->oif, extack);
	}
	return err;
}

static int get_mark(struct nlattr **tb, struct natty_rule *rule,
		    struct netlink_ext_ack *extack)
{
	const struct nlattr *mask = tb[NATTY_A_RULE_MARK_MASK];

	if (!tb[NATTY_A_RULE_MARK]) {
		if (!mask)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, mask, "mask without a mark");
		return -EINVAL;
	}
	rule->match |= NATTY_MATCH_MARK;
	rule->mark = nla_get_u32(tb[NATTY_A_RULE_MARK]);
	rule->mark_mask = mask ? nla_get_u32(mask) : U32_MAX;
	if (!(rule->mark & ~rule->mark_mask))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[NATTY_A_RULE_MARK],
			    "mark has bits that its mask does not have");
	return -EINVAL;
}

static int get_local(const struct nlattr *attr, struct natty_rule *rule,
		     struct netlink_ext_ack *extack)
{
	u32 local = nla_get_u32(attr);

	rule->match |= local;
	if (!(local & ~NATTY_MATCH_LOCAL))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "only src and dst can be local");
	return -EINVAL;
}

int natty_nl_get_matches(struct nlattr **tb, struct natty_rule *rule,
			 struct netlink_ext_ack *extack)
{
	const struct nlattr *invert = tb[NATTY_A_RULE_INVERT];
	int err;

	err = get_ifnames(tb, rule, extack) ?: get_addresses(tb, rule, extack) ?:
	      get_proto(tb, rule, extack) ?: get_match_ports(tb, rule, extack) ?:
	      get_mark(tb, rule, extack);
	if (!err && tb[NATTY_A_RULE_LOCAL])
		err = get_local(tb[NATTY_A_RULE_LOCAL], rule, extack);
	if (err || !invert)
		return err;
	rule->invert = nla_get_u32(invert);
	if (!(rule->invert & ~rule->match))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, invert, "inverts a match that is not given");
	return -EINVAL;
}

static int put_addresses(struct sk_buff *skb, const struct natty_rule *rule)
{
	if (rule->match & NATTY_MATCH_SRC &&
	    (natty_nl_put_addr(skb, NATTY_A_RULE_SRC, rule->family,
			       &rule->src) ||
	     nla_put_u8(skb, NATTY_A_RULE_SRC_LEN, rule->src_len)))
		return -EMSGSIZE;
	if (rule->match & NATTY_MATCH_DST &&
	    (natty_nl_put_addr(skb, NATTY_A_RULE_DST, rule->family,
			       &rule->dst) ||
	     nla_put_u8(skb, NATTY_A_RULE_DST_LEN, rule->dst_len)))
		return -EMSGSIZE;
	return 0;
}

static int put_ports(struct sk_buff *skb, const struct natty_rule *rule)
{
	if (rule->match & NATTY_MATCH_SPORT &&
	    (nla_put_u16(skb, NATTY_A_RULE_SPORT_MIN, rule->sport_min) ||
	     nla_put_u16(skb, NATTY_A_RULE_SPORT_MAX, rule->sport_max)))
		return -EMSGSIZE;
	if (rule->match & NATTY_MATCH_DPORT &&
	    (nla_put_u16(skb, NATTY_A_RULE_DPORT_MIN, rule->dport_min) ||
	     nla_put_u16(skb, NATTY_A_RULE_DPORT_MAX, rule->dport_max)))
		return -EMSGSIZE;
	return 0;
}

int natty_nl_put_matches(struct sk_buff *skb, const struct natty_rule *rule)
{
	if (rule->match & NATTY_MATCH_IIF &&
	    nla_put_string(skb, NATTY_A_RULE_IIF, rule->iif))
		return -EMSGSIZE;
	if (rule->match & NATTY_MATCH_OIF &&
	    nla_put_string(skb, NATTY_A_RULE_OIF, rule->oif))
		return -EMSGSIZE;
	if (rule->match & NATTY_MATCH_PROTO &&
	    nla_put_u8(skb, NATTY_A_RULE_PROTO, rule->proto))
		return -EMSGSIZE;
	if (rule->match & NATTY_MATCH_MARK &&
	    (nla_put_u32(skb, NATTY_A_RULE_MARK, rule->mark) ||
	     nla_put_u32(skb, NATTY_A_RULE_MARK_MASK, rule->mark_mask)))
		return -EMSGSIZE;
	if (rule->match & NATTY_MATCH_LOCAL &&
	    nla_put_u32(skb, NATTY_A_RULE_LOCAL, rule->match & NATTY_MATCH_LOCAL))
		return -EMSGSIZE;
	if (rule->invert &&
	    nla_put_u32(skb, NATTY_A_RULE_INVERT, rule->invert))
		return -EMSGSIZE;
	return put_addresses(skb, rule) ?: put_ports(skb, rule);
}
