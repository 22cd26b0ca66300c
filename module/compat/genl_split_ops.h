/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct genl_split_ops, which netlink_gen.c is written in, for kernels before
 * 6.2. The build includes this file ahead of netlink.c and netlink_gen.c.
 */
#ifndef _NATTY_COMPAT_GENL_SPLIT_OPS_H
#define _NATTY_COMPAT_GENL_SPLIT_OPS_H

#include <linux/version.h>
#include <net/genetlink.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/* The fields of the real one that the generator uses. */
struct genl_split_ops {
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	int (*start)(struct netlink_callback *cb);
	int (*done)(struct netlink_callback *cb);
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd;
	u8 flags;
	u8 validate;
};

/**
 * natty_genl_ops_from_split() - merge split operations into plain ones
 * @ops: where to put them, with room for @n
 * @split: sorted by command, the do of one before its dump
 * @n: number of entries of @split
 *
 * Plain operations have one policy for both: that of the do, if there is one.
 *
 * Return: the number of entries of @ops.
 */
static inline unsigned int
natty_genl_ops_from_split(struct genl_ops *ops,
			  const struct genl_split_ops *split, unsigned int n)
{
	unsigned int i, count = 0;
	struct genl_ops *op;

	for (i = 0; i < n; i++) {
		if (i && split[i].cmd == split[i - 1].cmd) {
			op = &ops[count - 1];
		} else {
			op = &ops[count++];
			memset(op, 0, sizeof(*op));
			op->cmd = split[i].cmd;
			op->flags = split[i].flags &
				    (GENL_ADMIN_PERM | GENL_UNS_ADMIN_PERM);
		}
		if (split[i].doit)
			op->doit = split[i].doit;
		if (split[i].dumpit)
			op->dumpit = split[i].dumpit;
		if (split[i].start)
			op->start = split[i].start;
		if (split[i].done)
			op->done = split[i].done;
		if (!op->policy) {
			op->policy = split[i].policy;
			op->maxattr = split[i].maxattr;
		}
		op->validate |= split[i].validate;
	}
	return count;
}

/* Give a family its operations, once. */
static inline void natty_genl_set_ops(struct genl_family *family,
				      const struct genl_split_ops *split,
				      unsigned int n)
{
	static struct genl_ops ops[32];

	if (WARN_ON(n > ARRAY_SIZE(ops)))
		return;
	family->n_ops = natty_genl_ops_from_split(ops, split, n);
	family->ops = ops;
}

#else

static inline void natty_genl_set_ops(struct genl_family *family,
				      const struct genl_split_ops *split,
				      unsigned int n)
{
	family->split_ops = split;
	family->n_split_ops = n;
}

#endif /* LINUX_VERSION_CODE < 6.2 */

#endif /* _NATTY_COMPAT_GENL_SPLIT_OPS_H */
