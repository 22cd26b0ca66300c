#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""External ports and the router's own sockets keep out of each other's way.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4       10.0.0.1      198.51.100.1-6      2001:db8:1::10-12

Sockets that listen, are bound or connected, to one address or to all, of IPv4,
IPv6 or both, while ports run out.
"""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, moved, stats         # noqa: E402
from flow import port                       # noqa: E402
from ktap import each, equal, true          # noqa: E402
from lab import C, INSIDE, S, X, Lab        # noqa: E402

lab = Lab()
TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def own(family, proto, number, addr=None, dual=False):
    """A socket of the router; a TCP one listens."""
    af = socket.AF_INET6 if family == 6 or dual else socket.AF_INET
    s = socket.socket(af, TYPES[proto])
    if af == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
    s.bind((addr or ("::" if af == socket.AF_INET6 else "0.0.0.0"), number))
    if proto == "tcp":
        s.listen()
    s.settimeout(ktap.patience(2))
    return s


# What a socket is bound to, and how.
KINDS = {"one address": lambda family: {"addr": X[family]},
         "all addresses": lambda family: {},
         "both families": lambda family: {"dual": True}}


def end_at_once(sock):
    """Closing it is to cause one packet at most, and none later."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def rule(family, ports="", more=""):
    apply("%srule postrouting oif wan0 src %s masquerade%s\n" % (
        more, INSIDE[family], " :" + ports if ports else ""))


def send(family, proto, client, sport, server=0):
    """One packet; its external port, None if it was refused."""
    raw = pkt.first(proto, C[family][client], sport, S[family][server], 80)
    # The router's own packets, some sent again, have another hop limit.
    seen = [p for p in lab.swap("lan", raw)["wan"] if pkt.View(p).ttl < pkt.TTL]
    if not seen:
        return None
    pkt.same(seen[0], pkt.xlate(raw, src=X[family], sport=pkt.View(seen[0]).sport))
    return pkt.View(seen[0]).sport


def reaches(family, proto, sock, number, server=2):
    """A packet from outside reaches the socket, and nobody inside."""
    raw = pkt.first(proto, S[family][server], port(), X[family], number)
    seen = lab.swap("wan", raw)
    equal(seen["lan"], [], "what comes to the inside")
    if proto == "udp":
        equal(sock.recv(100), b"natty udp payload", "what the socket gets")
        return
    answers = [pkt.View(p) for p in seen["wan"]]
    true(answers and answers[0].flags == pkt.SYN | pkt.ACK,
         "no SYN-ACK but %s" % [str(a) for a in answers])


@each("own_sockets a port with a socket is not given away", ("tcp", "udp"))
def not_given(family, proto):
    for what, kind in KINDS.items():
        rule(family, more="set timeout.port-reuse 0\n")
        number = port()
        with own(family, proto, number, **kind(family)) as sock:
            for client in (0, 1):
                got = send(family, proto, client, number)
                true(got and got != number,
                     "bound to %s: C%d got %r" % (what, client + 1, got))
            reaches(family, proto, sock, number)


@each("own_sockets nor shared, where ports are shared", ("tcp", "udp"))
def not_shared(family, proto):
    for more in ("set mapping address-and-port-dependent\n",):
        rule(family, more=more)
        number = port()
        with own(family, proto, number) as sock:
            got = send(family, proto, 0, number)
            true(got and got != number, "C1 got %r" % got)
            reaches(family, proto, sock, number)


@each("own_sockets sockets of the other family are no hindrance", ("tcp", "udp"))
def other_family(family, proto):
    rule(family)
    number = port()
    with own(10 - family, proto, number, X[10 - family]):
        equal(send(family, proto, 0, number), number, "external port")


@each("own_sockets flows get all ports but those with sockets, which are opened meanwhile",
      ("tcp", "udp"))
def run_out(family, proto):
    """A range of 16 ports; sockets come and go while it is used up."""
    rule(family, "3000-3015", "set timeout.port-reuse 0\n")
    socks = {n: own(family, proto, n, dual=n % 2 == 0) for n in (3000, 3005, 3010)}
    used = set()
    try:
        for n in range(13):
            used.add(send(family, proto, n % 3, port()))
            if n == 6:
                # From now on the router needs one more; no flow may have it.
                free = [p for p in range(3000, 3016)
                        if p not in used and p not in socks][0]
                socks[free] = own(family, proto, free)
        before = stats()
        equal(used - {None}, set(range(3000, 3016)) - set(socks), "ports in use")
        equal(send(family, proto, 0, port()), None, "one flow more")
        true(moved(before).get("no-port"), "not counted as no-port")
        for number, sock in socks.items():
            reaches(family, proto, sock, number)
        number, sock = socks.popitem()
        sock.close()
        got = ktap.wait_until(lambda: send(family, proto, 0, port()), 20,
                              "the port of a closed socket")
        equal(got, number, "the port that is free now")
    finally:
        for sock in socks.values():
            sock.close()


@each("own_sockets a socket bound to a mapping's port takes nothing of its flows",
      ("tcp", "udp"))
def bound_later(family, proto):
    rule(family)
    number = port()
    equal(send(family, proto, 0, number), number, "external port")
    for what, kind in KINDS.items():
        with own(family, proto, number, **kind(family)) as sock:
            # The mapping's own flow goes on.
            raw = pkt.answer(pkt.first(proto, X[family], number, S[family][0], 80))
            inside = lab.swap("wan", raw)["lan"]
            equal(len(inside), 1, "packets that come inside")
            pkt.same(inside[0], pkt.xlate(raw, dst=C[family][0], dport=number))
            equal(send(family, proto, 0, number), number, "port with %s" % what)
            # Who is not the mapping's business is the socket's.
            reaches(family, proto, sock, number)
    equal(send(family, proto, 0, number, 1), number, "towards another server")


@each("own_sockets a connection of the router from a mapping's port changes its port",
      ("tcp", "udp"))
def connects_later(family, proto):
    rule(family)
    number = port()
    equal(send(family, proto, 0, number), number, "external port")
    af = socket.AF_INET6 if family == 6 else socket.AF_INET
    with socket.socket(af, TYPES[proto]) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((X[family], number))
        end_at_once(sock)
        sock.setblocking(False)
        sock.connect_ex((S[family][0], 80))
        if proto == "udp":
            sock.send(b"mine")
        seen = [pkt.View(p) for p in lab.collect()["wan"]
                if pkt.View(p).dst == S[family][0]]
        true(seen, "the router sends nothing")
        for v in seen:
            true(v.sport != number, "the router sends as C1's mapping")
        # Its answer comes to it, that to the mapping to C1.
        reply = pkt.answer(seen[0].raw)
        equal(lab.swap("wan", reply)["lan"], [], "what comes inside")
        if proto == "udp":
            equal(sock.recv(100), b"an answer", "what the socket gets")
        else:
            sock.setblocking(True)
            equal(sock.getpeername()[0], S[family][0], "the peer")
    lab.collect()
    raw = pkt.answer(pkt.first(proto, X[family], number, S[family][0], 80))
    lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][0], dport=number))


@each("own_sockets a connection's port is not given away while it lives", ("tcp",))
def connected(family, proto):
    """Also one that was opened before there was any rule."""
    apply("")
    number = port()
    af = socket.AF_INET6 if family == 6 else socket.AF_INET
    with socket.socket(af, TYPES[proto]) as sock:
        sock.bind((X[family], number))
        end_at_once(sock)
        sock.setblocking(False)
        sock.connect_ex((S[family][0], 80))
        syn = [p for p in lab.collect()["wan"]
               if pkt.View(p).dst == S[family][0]][0]
        lab.swap("wan", pkt.answer(syn))
        for more in ("", "set mapping address-and-port-dependent\n"):
            rule(family, more=more)
            got = send(family, proto, 0, number)
            true(got and got != number, "C1 got %r" % got)
    lab.collect()


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
