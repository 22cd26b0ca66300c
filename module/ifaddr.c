// SPDX-License-Identifier: GPL-2.0
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/route.h>

#include "ifaddr.h"
#include "mapping.h"
#include "netns.h"

/* An IPv6 address went, in a context that must not sleep. */
struct gone {
	struct work_struct work;
	struct net *net;
	netns_tracker tracker;
	union nf_inet_addr addr;
	u32 ifindex;
};

static struct workqueue_struct *wq;

bool natty_ifaddr_is_local(struct net *net, u8 family, const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return inet_addr_type(net, addr->ip) == RTN_LOCAL;
	return ipv6_chk_addr(net, &addr->in6, NULL, 0);
}

/* With nf_nat an address takes with it what masquerades, and nothing else. */
static void flush_addr(struct net *net, u8 family, const union nf_inet_addr *addr,
		       u32 ifindex)
{
	struct natty_net *nn = natty_pernet(net);

	if (!READ_ONCE(nn->enabled))
		return;
	rcu_read_lock();
	if (natty_setting(rcu_dereference(nn->config), NATTY_SET_PROFILE) !=
	    NATTY_PROFILE_IPTABLES)
		ifindex = 0;
	rcu_read_unlock();
	natty_mapping_flush_addr(nn, family, addr, ifindex);
}

static void flush_dev(const struct net_device *dev)
{
	struct natty_net *nn = natty_pernet(dev_net(dev));

	if (!READ_ONCE(nn->enabled))
		return;
	natty_mapping_flush_addr(nn, NFPROTO_IPV4, NULL, dev->ifindex);
	natty_mapping_flush_addr(nn, NFPROTO_IPV6, NULL, dev->ifindex);
}

/* Rules name interfaces: what was remembered by index may be wrong now. */
static void forget_name(const struct net_device *dev)
{
	struct natty_net *nn = natty_pernet(dev_net(dev));
	struct natty_config *config;
	u8 chain;

	rcu_read_lock();
	config = rcu_dereference(nn->config);
	for (chain = 0; chain < NATTY_CHAINS; chain++)
		natty_ruleset_forget(config->chain[chain]);
	rcu_read_unlock();
}

static int dev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	switch (event) {
	case NETDEV_DOWN:
		flush_dev(dev);
		break;
	case NETDEV_REGISTER:
	case NETDEV_UNREGISTER:
	case NETDEV_CHANGENAME:
		forget_name(dev);
		break;
	}
	return NOTIFY_DONE;
}

static int inet_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;
	union nf_inet_addr addr = { .ip = ifa->ifa_local };

	if (event == NETDEV_DOWN)
		flush_addr(dev_net(ifa->ifa_dev->dev), NFPROTO_IPV4, &addr,
			   ifa->ifa_dev->dev->ifindex);
	return NOTIFY_DONE;
}

static void gone_work(struct work_struct *work)
{
	struct gone *gone = container_of(work, struct gone, work);

	flush_addr(gone->net, NFPROTO_IPV6, &gone->addr, gone->ifindex);
	put_net_track(gone->net, &gone->tracker);
	kfree(gone);
}

static int inet6_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct inet6_ifaddr *ifa = ptr;
	struct net *net = dev_net(ifa->idev->dev);
	struct gone *gone;

	if (event != NETDEV_DOWN || !READ_ONCE(natty_pernet(net)->enabled))
		return NOTIFY_DONE;
	/* A namespace that goes takes its flows with it. */
	if (!maybe_get_net(net))
		return NOTIFY_DONE;
	gone = kzalloc(sizeof(*gone), GFP_ATOMIC);
	if (!gone) {
		put_net(net);
		return NOTIFY_DONE;
	}
	INIT_WORK(&gone->work, gone_work);
	gone->net = net;
	netns_tracker_alloc(net, &gone->tracker, GFP_ATOMIC);
	gone->addr.in6 = ifa->addr;
	gone->ifindex = ifa->idev->dev->ifindex;
	queue_work(wq, &gone->work);
	return NOTIFY_DONE;
}

static struct notifier_block dev_notifier = { .notifier_call = dev_event };
static struct notifier_block inet_notifier = { .notifier_call = inet_event };
static struct notifier_block inet6_notifier = { .notifier_call = inet6_event };

int natty_ifaddr_init(void)
{
	int err;

	wq = alloc_workqueue("natty", WQ_UNBOUND, 0);
	if (!wq)
		return -ENOMEM;
	err = register_netdevice_notifier(&dev_notifier);
	if (err)
		goto free_wq;
	err = register_inetaddr_notifier(&inet_notifier);
	if (err)
		goto unregister_dev;
	err = register_inet6addr_notifier(&inet6_notifier);
	if (err)
		goto unregister_inet;
	return 0;

unregister_inet:
	unregister_inetaddr_notifier(&inet_notifier);
unregister_dev:
	unregister_netdevice_notifier(&dev_notifier);
free_wq:
	destroy_workqueue(wq);
	return err;
}

void natty_ifaddr_exit(void)
{
	unregister_inet6addr_notifier(&inet6_notifier);
	unregister_inetaddr_notifier(&inet_notifier);
	unregister_netdevice_notifier(&dev_notifier);
	destroy_workqueue(wq);
}
