// SPDX-License-Identifier: GPL-2.0
/* Requests about forwards. */

#include "config.h"
#include "netlink.h"
#include "txn.h"

/**
 * struct endpoint_attrs - the attributes of one end of a forward
 * @addr: attribute of its address
 * @port: attribute of its port
 */
struct endpoint_attrs {
	int addr;
	int port;
};

static const struct endpoint_attrs external = {
	.addr = NATTY_A_FORWARD_EXT_ADDR,
	.port = NATTY_A_FORWARD_EXT_PORT,
};

static const struct endpoint_attrs internal = {
	.addr = NATTY_A_FORWARD_INT_ADDR,
	.port = NATTY_A_FORWARD_INT_PORT,
};

static bool is_host(u8 family, const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return addr->ip && !ipv4_is_multicast(addr->ip) &&
		       !ipv4_is_loopback(addr->ip) && !ipv4_is_lbcast(addr->ip);
	return !ipv6_addr_any(&addr->in6) &&
	       !ipv6_addr_is_multicast(&addr->in6) &&
	       !ipv6_addr_loopback(&addr->in6);
}

static int get_proto(struct natty_forward *forward, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NATTY_A_FORWARD_PROTO];

	if (GENL_REQ_ATTR_CHECK(info, NATTY_A_FORWARD_PROTO)) {
		NL_SET_ERR_MSG(info->extack, "a forward needs a protocol");
		return -EINVAL;
	}
	forward->proto = nla_get_u8(attr);
	if (natty_proto_has_ports(forward->proto) &&
	    !natty_proto_is_icmp(forward->proto))
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(info->extack, attr, "protocol %u has no ports",
				forward->proto);
	return -EINVAL;
}

static int get_endpoint(struct natty_endpoint *ep, u8 *family,
			const struct endpoint_attrs *attrs,
			struct genl_info *info)
{
	const struct nlattr *addr = info->attrs[attrs->addr];
	int err;

	if (GENL_REQ_ATTR_CHECK(info, attrs->addr) ||
	    GENL_REQ_ATTR_CHECK(info, attrs->port)) {
		NL_SET_ERR_MSG(info->extack,
			       "a forward needs addresses and ports");
		return -EINVAL;
	}
	err = natty_nl_get_addr(addr, family, &ep->addr, info->extack);
	if (err)
		return err;
	ep->port = htons(nla_get_u16(info->attrs[attrs->port]));
	if (is_host(*family, &ep->addr))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, addr, "not the address of a host");
	return -EINVAL;
}

static int add_forward(struct natty_config *config, struct genl_info *info)
{
	struct natty_forward forward;
	int err;

	memset(&forward, 0, sizeof(forward));
	err = get_proto(&forward, info) ?:
	      get_endpoint(&forward.ext, &forward.family, &external, info) ?:
	      get_endpoint(&forward.inside, &forward.family, &internal, info) ?:
	      natty_config_add_forward(config, &forward);
	if (err == -EEXIST)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[external.addr],
				    "this external endpoint has a forward");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "too many forwards");
	return err;
}

int natty_nl_forward_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct natty_edit edit;
	int err;

	err = natty_edit_begin(&edit, natty_nl_net(skb), info->snd_portid);
	if (err)
		return err;
	err = add_forward(edit.config, info);
	return natty_edit_end(&edit, err, info->extack);
}

static int del_forward(struct natty_config *config, struct genl_info *info)
{
	struct natty_forward forward;
	int err;

	if (!info->attrs[NATTY_A_FORWARD_PROTO] && !info->attrs[external.addr] &&
	    !info->attrs[external.port]) {
		natty_config_del_forwards(config);
		return 0;
	}
	memset(&forward, 0, sizeof(forward));
	err = get_proto(&forward, info) ?:
	      get_endpoint(&forward.ext, &forward.family, &external, info) ?:
	      natty_config_del_forward(config, &forward);
	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[external.addr],
				    "this external endpoint has no forward");
	return err;
}

int natty_nl_forward_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct natty_edit edit;
	int err;

	err = natty_edit_begin(&edit, natty_nl_net(skb), info->snd_portid);
	if (err)
		return err;
	err = del_forward(edit.config, info);
	return natty_edit_end(&edit, err, info->extack);
}

static int put_endpoint(struct sk_buff *skb, u8 family,
			const struct natty_endpoint *ep,
			const struct endpoint_attrs *attrs)
{
	return natty_nl_put_addr(skb, attrs->addr, family, &ep->addr) ?:
	       nla_put_u16(skb, attrs->port, ntohs(ep->port));
}

static int put_forward(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct natty_forward *forward)
{
	void *hdr = natty_nl_dump_entry(skb, cb, NATTY_CMD_FORWARD_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u8(skb, NATTY_A_FORWARD_PROTO, forward->proto) ||
	    put_endpoint(skb, forward->family, &forward->ext, &external) ||
	    put_endpoint(skb, forward->family, &forward->inside, &internal)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Where a dump of forwards goes on. */
struct forward_cursor {
	u32 i;
};

int natty_nl_forward_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct forward_cursor *at = (struct forward_cursor *)cb->ctx;
	const struct natty_config *config;

	rcu_read_lock();
	config = rcu_dereference(natty_nl_net(skb)->config);
	cb->seq = config->generation;
	for (; at->i < config->nforwards; at->i++)
		if (put_forward(skb, cb, &config->forward[at->i]))
			break;
	rcu_read_unlock();
	return skb->len;
}
