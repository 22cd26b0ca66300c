// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <net/addrconf.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>

#include "port.h"

#define LOOPBACK 0x7f000001

static struct socket *sock;

static int socket_test_init(struct kunit *test)
{
	sock = NULL;
	return 0;
}

static void socket_test_exit(struct kunit *test)
{
	if (sock)
		sock_release(sock);
}

/* Bind a socket to an address and any port; the port. */
static u16 bind_v4(struct kunit *test, int type, u32 addr)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(addr),
	};
	int err;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_INET, type, 0, &sock),
			0);
	err = sock->ops->bind(sock, (void *)&sin, sizeof(sin));
	if (err == -EADDRNOTAVAIL)
		kunit_skip(test, "loopback is down");
	KUNIT_ASSERT_EQ(test, err, 0);
	return inet_sk(sock->sk)->inet_num;
}

static bool is_local(u8 proto, u32 addr, u16 port)
{
	union nf_inet_addr a = { .ip = htonl(addr) };

	return natty_port_is_local(&init_net, NFPROTO_IPV4, proto, &a, port);
}

static void udp_socket_on_one_address(struct kunit *test)
{
	u16 port = bind_v4(test, SOCK_DGRAM, LOOPBACK);

	KUNIT_EXPECT_TRUE(test, is_local(IPPROTO_UDP, LOOPBACK, port));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_UDP, LOOPBACK, port ^ 1));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_UDP, LOOPBACK + 1, port));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_TCP, LOOPBACK, port));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_SCTP, LOOPBACK, port));
}

/* An address of nobody is not received by a socket on any address. */
static void sockets_on_any_address(struct kunit *test)
{
	u16 port = bind_v4(test, SOCK_DGRAM, INADDR_ANY);

	KUNIT_EXPECT_TRUE(test, is_local(IPPROTO_UDP, LOOPBACK, port));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_UDP, 0xc6336401, port));
	sock_release(sock);
	sock = NULL;
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_UDP, LOOPBACK, port));

	port = bind_v4(test, SOCK_STREAM, INADDR_ANY);
	KUNIT_EXPECT_TRUE(test, is_local(IPPROTO_TCP, LOOPBACK, port));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_TCP, 0xc6336401, port));
}

static void tcp_socket_bound_then_listening(struct kunit *test)
{
	u16 port = bind_v4(test, SOCK_STREAM, LOOPBACK);

	KUNIT_EXPECT_TRUE(test, is_local(IPPROTO_TCP, LOOPBACK, port));
	KUNIT_ASSERT_EQ(test, sock->ops->listen(sock, 1), 0);
	KUNIT_EXPECT_TRUE(test, is_local(IPPROTO_TCP, LOOPBACK, port));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_TCP, LOOPBACK + 1, port));
	KUNIT_EXPECT_FALSE(test, is_local(IPPROTO_TCP, LOOPBACK, port ^ 1));
}

/* A dual-stack socket receives both families. */
static void ipv6_socket_on_any_address(struct kunit *test)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	union nf_inet_addr loopback = { .in6 = IN6ADDR_LOOPBACK_INIT };
	u16 port;

	if (sock_create_kern(&init_net, AF_INET6, SOCK_DGRAM, 0, &sock))
		kunit_skip(test, "no IPv6");
	KUNIT_ASSERT_EQ(test, sock->ops->bind(sock, (void *)&sin6, sizeof(sin6)),
			0);
	port = inet_sk(sock->sk)->inet_num;

	KUNIT_EXPECT_TRUE(test, is_local(IPPROTO_UDP, LOOPBACK, port));
	KUNIT_EXPECT_EQ(test, natty_port_is_local(&init_net, NFPROTO_IPV6,
						  IPPROTO_UDP, &loopback, port),
			ipv6_chk_addr(&init_net, &loopback.in6, NULL, 0));
}

static struct kunit_case socket_test_cases[] = {
	KUNIT_CASE(udp_socket_on_one_address),
	KUNIT_CASE(sockets_on_any_address),
	KUNIT_CASE(tcp_socket_bound_then_listening),
	KUNIT_CASE(ipv6_socket_on_any_address),
	{}
};

static struct kunit_suite natty_socket_suite = {
	.name = "natty_socket",
	.init = socket_test_init,
	.exit = socket_test_exit,
	.test_cases = socket_test_cases,
};

kunit_test_suite(natty_socket_suite);
