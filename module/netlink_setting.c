// SPDX-License-Identifier: GPL-2.0
/* Requests about settings. */

#include "config.h"
#include "netlink.h"
#include "txn.h"

/* Longest text of a value, and of what values a key takes. */
#define VALUE_SIZE 32
#define RANGE_SIZE 80

/* The setting that a request names, or a negative error. */
static int find_key(struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NATTY_A_SETTING_KEY];
	int id;

	if (GENL_REQ_ATTR_CHECK(info, NATTY_A_SETTING_KEY)) {
		NL_SET_ERR_MSG(info->extack, "a setting needs a key");
		return -EINVAL;
	}
	id = natty_setting_find(nla_data(attr));
	if (id < 0)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, attr,
					"there is no setting %s",
					(const char *)nla_data(attr));
	return id;
}

static int set(struct natty_config *config, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NATTY_A_SETTING_VALUE];
	int err, id = find_key(info);

	if (id < 0)
		return id;
	err = natty_setting_set(&config->set, id, attr ? nla_data(attr) : NULL,
				info->extack);
	if (err)
		NL_SET_BAD_ATTR(info->extack, attr);
	return err;
}

int natty_nl_setting_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct natty_edit edit;
	int err;

	err = natty_edit_begin(&edit, natty_nl_net(skb), info->snd_portid);
	if (err)
		return err;
	err = set(edit.config, info);
	return natty_edit_end(&edit, err, info->extack);
}

static int put_setting(struct sk_buff *skb, const struct natty_settings *set,
		       enum natty_setting id)
{
	char value[VALUE_SIZE], range[RANGE_SIZE];

	natty_setting_print(set, id, value, sizeof(value));
	natty_setting_print_range(id, range, sizeof(range));
	if (nla_put_string(skb, NATTY_A_SETTING_KEY, natty_setting_key(id)) ||
	    nla_put_string(skb, NATTY_A_SETTING_VALUE, value) ||
	    nla_put_string(skb, NATTY_A_SETTING_RANGE, range))
		return -EMSGSIZE;
	if (test_bit(id, set->explicit) &&
	    nla_put_flag(skb, NATTY_A_SETTING_EXPLICIT))
		return -EMSGSIZE;
	return 0;
}

int natty_nl_setting_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err, id = find_key(info);
	struct sk_buff *msg;
	void *hdr;

	if (id < 0)
		return id;
	msg = natty_nl_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rcu_read_lock();
	err = put_setting(msg, &rcu_dereference(natty_nl_net(skb)->config)->set,
			  id);
	rcu_read_unlock();
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* Where a dump of settings goes on. */
struct setting_cursor {
	u32 id;
};

int natty_nl_setting_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct setting_cursor *at = (struct setting_cursor *)cb->ctx;
	const struct natty_config *config;
	void *hdr;

	rcu_read_lock();
	config = rcu_dereference(natty_nl_net(skb)->config);
	cb->seq = config->generation;
	for (; at->id < NATTY_SET_MAX; at->id++) {
		hdr = natty_nl_dump_entry(skb, cb, NATTY_CMD_SETTING_GET);
		if (!hdr)
			break;
		if (put_setting(skb, &config->set, at->id)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	rcu_read_unlock();
	return skb->len;
}
