// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "netns.h"
#include "port.h"

#define PORTS 65536

static const union nf_inet_addr addr_v4 = { .ip = htonl(0xc6336401) };
static const union nf_inet_addr addr_v6 = {
	.ip6 = { htonl(0x20010db8), 0, 0, htonl(1) },
};

static int port_test_init(struct kunit *test)
{
	struct natty_net *nn;

	nn = kunit_kzalloc(test, sizeof(*nn), GFP_KERNEL);
	if (!nn)
		return -ENOMEM;
	nn->net = &init_net;
	test->priv = nn;
	return natty_port_init(nn);
}

static void port_test_exit(struct kunit *test)
{
	natty_port_exit(test->priv);
}

static struct natty_port_request udp_request(u16 want)
{
	return (struct natty_port_request){
		.family = NFPROTO_IPV4,
		.proto = IPPROTO_UDP,
		.addr = addr_v4,
		.want = want,
	};
}

static int own_udp(struct kunit *test, u16 port)
{
	return natty_port_take_exact(test->priv, NFPROTO_IPV4, IPPROTO_UDP,
				     &addr_v4, port);
}

static void disown_udp(struct kunit *test, u16 port)
{
	natty_port_put(test->priv, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, port);
}

static void wanted_port_is_given_if_free(struct kunit *test)
{
	struct natty_port_request req = udp_request(5000);

	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), 5000);
	KUNIT_EXPECT_NE(test, natty_port_take(test->priv, &req), 5000);

	/* Other protocols, addresses and families have spaces of their own. */
	req.proto = IPPROTO_TCP;
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), 5000);
	req.proto = IPPROTO_ICMP;
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), 5000);
	req.addr.ip ^= htonl(1);
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), 5000);
	req.family = NFPROTO_IPV6;
	req.proto = IPPROTO_UDP;
	req.addr = addr_v6;
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), 5000);

	req.proto = IPPROTO_GRE;
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), -EINVAL);
}

/* RFC 4787 REQ-3a, REQ-4: all ports of the band and parity, then the others. */
static void band_and_parity_are_kept(struct kunit *test)
{
	struct natty_port_request req = udp_request(501);
	unsigned int i;
	int port;

	req.parity = true;
	for (i = 0; i < 512; i++) {
		port = natty_port_take(test->priv, &req);
		KUNIT_ASSERT_GE(test, port, 1);
		KUNIT_ASSERT_LE(test, port, 1023);
		KUNIT_ASSERT_EQ(test, port & 1, 1);
	}
	for (i = 0; i < 511; i++) {
		port = natty_port_take(test->priv, &req);
		KUNIT_ASSERT_GE(test, port, 2);
		KUNIT_ASSERT_LE(test, port, 1022);
		KUNIT_ASSERT_EQ(test, port & 1, 0);
	}
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), -ENOSPC);

	req.want = 1024;
	for (i = 0; i < 1000; i++) {
		port = natty_port_take(test->priv, &req);
		KUNIT_ASSERT_GE(test, port, 1024);
		KUNIT_ASSERT_EQ(test, port & 1, 0);
	}
}

static void icmp_identifiers_have_no_bands(struct kunit *test)
{
	struct natty_port_request req = udp_request(3);
	unsigned int i;

	req.proto = IPPROTO_ICMP;
	for (i = 0; i < PORTS; i++)
		KUNIT_ASSERT_GE(test, natty_port_take(test->priv, &req), 0);
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, &req), -ENOSPC);
}

static void range_is_used_up_to_its_last_port(struct kunit *test)
{
	struct natty_port_request req = udp_request(80);
	unsigned int size, i;
	int port;

	for (size = 1; size < 300; size++) {
		DECLARE_BITMAP(seen, 300) = {};

		req.min = 40000 + size;
		req.max = req.min + size - 1;
		req.parity = size & 1;
		req.random = size & 2;
		for (i = 0; i < size; i++) {
			port = natty_port_take(test->priv, &req);
			KUNIT_ASSERT_GE(test, port, req.min);
			KUNIT_ASSERT_LE(test, port, req.max);
			KUNIT_ASSERT_FALSE(test, test_and_set_bit(port - req.min,
								  seen));
		}
		KUNIT_ASSERT_EQ(test, natty_port_take(test->priv, &req), -ENOSPC);
		for (i = 0; i < size; i++)
			disown_udp(test, req.min + i);
	}
}

/* RFC 6056: neither sequential nor from a small set. */
static void changed_port_is_unpredictable(struct kunit *test)
{
	struct natty_port_request req = udp_request(5000);
	unsigned int i, near = 0;
	int port, last;

	last = natty_port_take(test->priv, &req);
	for (i = 0; i < 1000; i++) {
		port = natty_port_take(test->priv, &req);
		near += abs(port - last) < 64;
		last = port;
	}
	KUNIT_EXPECT_LT(test, near, 30);

	near = 0;
	req.random = true;
	for (i = 0; i < 100; i++) {
		req.want = 6000 + i;
		near += natty_port_take(test->priv, &req) == req.want;
	}
	KUNIT_EXPECT_LT(test, near, 5);
}

static void owned_ports_are_not_shared(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct natty_port_request req = udp_request(5001);

	KUNIT_EXPECT_EQ(test, own_udp(test, 5000), 0);
	KUNIT_EXPECT_EQ(test, own_udp(test, 5000), -EBUSY);
	KUNIT_EXPECT_EQ(test, natty_port_share(nn, NFPROTO_IPV4, IPPROTO_UDP,
					       &addr_v4, 5000, false), -EBUSY);

	KUNIT_EXPECT_EQ(test, natty_port_take_shared(nn, &req), 5001);
	KUNIT_EXPECT_EQ(test, own_udp(test, 5001), -EBUSY);
	KUNIT_EXPECT_NE(test, natty_port_take(nn, &req), 5001);
	KUNIT_EXPECT_NE(test, natty_port_take_shared(nn, &req), 5001);
	KUNIT_EXPECT_EQ(test, natty_port_share(nn, NFPROTO_IPV4, IPPROTO_UDP,
					       &addr_v4, 5001, false), 0);

	natty_port_unshare(nn, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, 5001);
	KUNIT_EXPECT_EQ(test, own_udp(test, 5001), -EBUSY);
	natty_port_unshare(nn, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, 5001);
	KUNIT_EXPECT_EQ(test, own_udp(test, 5001), 0);
}

static void known_are_only_addresses_asked_for(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	union nf_inet_addr addr = {};
	unsigned int i;

	KUNIT_EXPECT_EQ(test, natty_port_addr_use(nn, NFPROTO_IPV6, &addr_v6), 0);
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, natty_port_addr_known(nn, NFPROTO_IPV6, &addr_v6));
	KUNIT_EXPECT_FALSE(test, natty_port_addr_known(nn, NFPROTO_IPV4, &addr_v6));
	rcu_read_unlock();

	for (i = 0; i < 20000; i++) {
		addr.ip = htonl(0x0a000000 + 2 * i);
		KUNIT_ASSERT_EQ(test, natty_port_addr_use(nn, NFPROTO_IPV4, &addr),
				0);
	}
	rcu_read_lock();
	for (i = 0; i < 40000; i++) {
		addr.ip = htonl(0x0a000000 + i);
		KUNIT_EXPECT_EQ(test, natty_port_addr_known(nn, NFPROTO_IPV4, &addr),
				!(i & 1));
	}
	rcu_read_unlock();
}

static bool is_known(struct natty_net *nn, u8 family, const union nf_inet_addr *addr)
{
	bool known;

	rcu_read_lock();
	known = natty_port_addr_known(nn, family, addr);
	rcu_read_unlock();
	return known;
}

static bool is_used(struct natty_net *nn, u8 family, const union nf_inet_addr *addr)
{
	bool used;

	rcu_read_lock();
	used = natty_port_addr_used(nn, family, addr);
	rcu_read_unlock();
	return used;
}

/* A configuration, by which alone it is known what is no longer translated to. */
static struct natty_config *configure(struct kunit *test)
{
	struct natty_net *nn = test->priv;
	struct natty_config *config;

	config = kunit_kzalloc(test, sizeof(*config), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, config);
	config->set.value[NATTY_SET_LIMIT_RESTING_PORTS] = 100;
	rcu_assign_pointer(nn->config, config);
	return config;
}

static void addresses_are_forgotten_when_unused(struct kunit *test)
{
	struct natty_net *nn = test->priv;

	KUNIT_ASSERT_EQ(test, own_udp(test, 9), 0);
	KUNIT_ASSERT_EQ(test, natty_port_addr_use(nn, NFPROTO_IPV6, &addr_v6), 0);
	KUNIT_ASSERT_EQ(test, natty_port_addr_use(nn, NFPROTO_IPV6, &addr_v6), 0);
	/* Without a configuration nobody knows. */
	natty_port_addr_unuse(nn, NFPROTO_IPV6, &addr_v6);
	natty_port_sweep(nn);
	configure(test);
	natty_port_sweep(nn);
	KUNIT_EXPECT_TRUE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
	KUNIT_EXPECT_TRUE(test, is_used(nn, NFPROTO_IPV4, &addr_v4));
	KUNIT_EXPECT_TRUE(test, is_known(nn, NFPROTO_IPV6, &addr_v6));
	KUNIT_EXPECT_TRUE(test, is_used(nn, NFPROTO_IPV6, &addr_v6));

	disown_udp(test, 9);
	natty_port_addr_unuse(nn, NFPROTO_IPV6, &addr_v6);
	KUNIT_EXPECT_TRUE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
	KUNIT_EXPECT_FALSE(test, is_used(nn, NFPROTO_IPV4, &addr_v4));
	KUNIT_EXPECT_FALSE(test, is_used(nn, NFPROTO_IPV6, &addr_v6));
	natty_port_sweep(nn);
	KUNIT_EXPECT_FALSE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
	KUNIT_EXPECT_FALSE(test, is_known(nn, NFPROTO_IPV6, &addr_v6));
	KUNIT_EXPECT_EQ(test, natty_port_memory(nn), 0);

	KUNIT_EXPECT_EQ(test, own_udp(test, 9), 0);
	KUNIT_EXPECT_TRUE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
}

static void configured_addresses_stay(struct kunit *test)
{
	struct natty_external external = {};
	struct natty_net *nn = test->priv;

	KUNIT_ASSERT_EQ(test, natty_addrset_add(&external.set, NFPROTO_IPV4,
						&addr_v4, &addr_v4), 0);
	natty_addrset_seal(&external.set);
	configure(test)->external = &external;
	KUNIT_ASSERT_EQ(test, own_udp(test, 9), 0);
	disown_udp(test, 9);
	KUNIT_ASSERT_EQ(test, natty_port_addr_use(nn, NFPROTO_IPV6, &addr_v6), 0);
	natty_port_addr_unuse(nn, NFPROTO_IPV6, &addr_v6);
	natty_port_sweep(nn);
	KUNIT_EXPECT_TRUE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
	KUNIT_EXPECT_FALSE(test, is_known(nn, NFPROTO_IPV6, &addr_v6));

	configure(test);
	natty_port_sweep(nn);
	KUNIT_EXPECT_FALSE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
	natty_addrset_free(&external.set);
}

static void resting_ports_keep_an_address_unused(struct kunit *test)
{
	struct natty_net *nn = test->priv;

	configure(test);
	KUNIT_ASSERT_EQ(test, own_udp(test, 9), 0);
	natty_port_rest(nn, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, 9, 1, 1);
	KUNIT_EXPECT_FALSE(test, is_used(nn, NFPROTO_IPV4, &addr_v4));
	natty_port_sweep(nn);
	KUNIT_EXPECT_TRUE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
	msleep(2100);
	natty_port_sweep(nn);
	KUNIT_EXPECT_FALSE(test, is_known(nn, NFPROTO_IPV4, &addr_v4));
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->ports.resting), 0);
	KUNIT_EXPECT_EQ(test, natty_port_memory(nn), 0);
}

/* Twice: what the first search finds out spares the second its own. */
static void expect_full(struct kunit *test, const struct natty_port_request *req)
{
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, req), -ENOSPC);
	KUNIT_EXPECT_EQ(test, natty_port_take(test->priv, req), -ENOSPC);
}

static void full_range_is_so_until_a_port_comes_back(struct kunit *test)
{
	const union nf_inet_addr host = { .ip = htonl(0x0a000002) };
	struct natty_port_request req = udp_request(80), other;
	struct natty_net *nn = test->priv;
	unsigned int i;

	configure(test);
	req.min = 40000;
	req.max = 40015;
	for (i = 0; i < 16; i++)
		KUNIT_ASSERT_GE(test, natty_port_take(nn, &req), 0);
	expect_full(test, &req);

	/* Not for other ranges and protocols. */
	other = req;
	other.max++;
	KUNIT_EXPECT_EQ(test, natty_port_take(nn, &other), 40016);
	expect_full(test, &other);
	other = req;
	other.proto = IPPROTO_TCP;
	KUNIT_EXPECT_GE(test, natty_port_take(nn, &other), 0);
	expect_full(test, &req);

	disown_udp(test, 40007);
	KUNIT_EXPECT_EQ(test, natty_port_take(nn, &req), 40007);
	expect_full(test, &req);

	/* A port that rests is for its last owner at once, then for others. */
	natty_port_rest(nn, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, 40005,
			natty_port_tag(nn, NFPROTO_IPV4, &host), 100);
	expect_full(test, &req);
	other = req;
	other.host = &host;
	KUNIT_EXPECT_EQ(test, natty_port_take(nn, &other), 40005);
	expect_full(test, &other);
	natty_port_rest(nn, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, 40009, 0, 1);
	expect_full(test, &req);
	msleep(2100);
	KUNIT_EXPECT_EQ(test, natty_port_take(nn, &req), 40009);
	expect_full(test, &req);
}

static void full_range_may_be_shared_and_left(struct kunit *test)
{
	struct natty_port_request req = udp_request(80);
	struct natty_net *nn = test->priv;

	req.min = 40000;
	req.max = 40000;
	KUNIT_EXPECT_EQ(test, natty_port_take_shared(nn, &req), 40000);
	expect_full(test, &req);
	KUNIT_EXPECT_EQ(test, natty_port_share(nn, NFPROTO_IPV4, IPPROTO_UDP,
					       &addr_v4, 40000, true), 0);
	natty_port_unshare(nn, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, 40000);
	expect_full(test, &req);
	natty_port_unshare(nn, NFPROTO_IPV4, IPPROTO_UDP, &addr_v4, 40000);
	KUNIT_EXPECT_EQ(test, natty_port_take(nn, &req), 40000);
}

/* Random users against a plain bitmap; in the end nothing is left. */
static void ports_have_one_user(struct kunit *test)
{
	struct natty_port_request req = udp_request(0);
	unsigned long *owned;
	unsigned int i;
	u64 memory;
	int port;

	owned = kunit_kzalloc(test, PORTS / 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, owned);
	KUNIT_ASSERT_EQ(test, own_udp(test, 9), 0);
	memory = natty_port_memory(test->priv);
	for (i = 0; i < 60000; i++) {
		u16 victim = get_random_u16();

		req.want = get_random_u16();
		req.parity = i & 1;
		req.random = i & 2;
		port = natty_port_take(test->priv, &req);
		if (port >= 0)
			KUNIT_ASSERT_FALSE(test, port == 9 ||
					   test_and_set_bit(port, owned));
		else
			KUNIT_ASSERT_EQ(test, port, -ENOSPC);
		if (test_and_clear_bit(victim, owned))
			disown_udp(test, victim);
	}
	for_each_set_bit(i, owned, PORTS)
		disown_udp(test, i);
	disown_udp(test, 9);
	KUNIT_EXPECT_LE(test, natty_port_memory(test->priv), memory);
}

/**
 * struct port_user - a thread that takes and puts ports
 * @nn: network namespace
 * @owned: bit of each port that any thread owns
 * @ready: threads that have begun
 * @clashes: ports that were given while they were owned
 * @failed: calls that failed otherwise
 */
struct port_user {
	struct natty_net *nn;
	unsigned long *owned;
	atomic_t ready;
	atomic_t clashes;
	atomic_t failed;
};

static int use_ports(void *data)
{
	struct natty_port_request req = udp_request(0);
	struct port_user *user = data;
	int port[16], i, k;

	/* Few ports, so that the threads meet. */
	req.min = 5000;
	req.max = 5039;
	atomic_inc(&user->ready);
	for (i = 0; atomic_read(&user->ready) < 2 && i < 1000; i++)
		usleep_range(100, 200);
	for (i = 0; i < 500; i++) {
		for (k = 0; k < ARRAY_SIZE(port); k++) {
			req.want = 5000 + i % 40;
			port[k] = natty_port_take(user->nn, &req);
			if (port[k] < 0)
				atomic_inc(&user->failed);
			else if (test_and_set_bit(port[k], user->owned))
				atomic_inc(&user->clashes);
		}
		for (k = 0; k < ARRAY_SIZE(port); k++) {
			if (port[k] < 0)
				continue;
			clear_bit(port[k], user->owned);
			natty_port_put(user->nn, req.family, req.proto, &req.addr,
				       port[k]);
		}
		cond_resched();
	}
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static void run_two_threads(struct kunit *test, bool sweep)
{
	struct task_struct *thread[2];
	struct port_user user = { .nn = test->priv };
	unsigned int i;

	user.owned = kunit_kzalloc(test, PORTS / 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, user.owned);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = kthread_run(use_ports, &user, "natty-test/%u", i);
	/* A thread that is stopped before it ran never runs. */
	for (i = 0; i < 10000 && atomic_read(&user.ready) < 2; i++)
		usleep_range(1000, 2000);
	for (i = 0; sweep && i < 2000; i++) {
		natty_port_sweep(test->priv);
		usleep_range(10, 20);
	}
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		if (!IS_ERR(thread[i]))
			kthread_stop(thread[i]);

	KUNIT_EXPECT_EQ(test, atomic_read(&user.ready), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&user.clashes), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&user.failed), 0);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(user.owned, PORTS));
}

static void two_threads_never_get_the_same_port(struct kunit *test)
{
	run_two_threads(test, false);
}

/* The address goes whenever neither thread has a port of it. */
static void two_threads_meet_a_sweeper(struct kunit *test)
{
	configure(test);
	run_two_threads(test, true);
	natty_port_sweep(test->priv);
	KUNIT_EXPECT_EQ(test, natty_port_memory(test->priv), 0);
}

/* For people who compare; nothing is expected of the figures. */
static void cost_by_fill_level(struct kunit *test)
{
	static const u32 permille[] = { 10, 500, 900, 990, 999 };
	struct natty_port_request req = udp_request(5000);
	unsigned int i, level;
	u32 used = 0;
	u64 start;

	req.parity = true;
	for (level = 0; level < ARRAY_SIZE(permille); level++) {
		for (; used < permille[level] * (PORTS - 1024) / 1000; used++)
			natty_port_take(test->priv, &req);
		start = ktime_get_ns();
		for (i = 0; i < 10000; i++)
			disown_udp(test, natty_port_take(test->priv, &req));
		kunit_info(test, "take and put at %u/1000: %llu ns\n",
			   permille[level], div_u64(ktime_get_ns() - start, 10000));
		cond_resched();
	}
}

static struct kunit_case port_test_cases[] = {
	KUNIT_CASE(wanted_port_is_given_if_free),
	KUNIT_CASE(band_and_parity_are_kept),
	KUNIT_CASE(icmp_identifiers_have_no_bands),
	KUNIT_CASE(range_is_used_up_to_its_last_port),
	KUNIT_CASE(changed_port_is_unpredictable),
	KUNIT_CASE(owned_ports_are_not_shared),
	KUNIT_CASE(known_are_only_addresses_asked_for),
	KUNIT_CASE(addresses_are_forgotten_when_unused),
	KUNIT_CASE(configured_addresses_stay),
	KUNIT_CASE(resting_ports_keep_an_address_unused),
	KUNIT_CASE(full_range_is_so_until_a_port_comes_back),
	KUNIT_CASE(full_range_may_be_shared_and_left),
	KUNIT_CASE(ports_have_one_user),
	KUNIT_CASE(two_threads_never_get_the_same_port),
	KUNIT_CASE(two_threads_meet_a_sweeper),
	KUNIT_CASE(cost_by_fill_level),
	{}
};

static struct kunit_suite natty_port_suite = {
	.name = "natty_port",
	.init = port_test_init,
	.exit = port_test_exit,
	.test_cases = port_test_cases,
};

kunit_test_suite(natty_port_suite);
