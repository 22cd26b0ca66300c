#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What RFC 4787, 6888 and 7857 ask of addresses and ports that hosts share.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4       10.0.0.1      198.51.100.1-6      2001:db8:1::10-12

Limits of hosts, and what happens at them, are in exhaustion.py.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, at, moved, setting, stats, userctl  # noqa: E402
from flow import PORTED, outward, port      # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, INSIDE, POOL, S, X, Lab  # noqa: E402

lab = Lab()


def forget():
    """Ports that natty chose for the case before must not rest: this one may need them."""
    apply("set timeout.port-reuse 0\n")


def rule(family, action, before=""):
    forget()
    apply("%srule postrouting oif wan0 src %s %s\n" % (
        before, INSIDE[family], action))


def host(family, n):
    """Inside address number @n, beyond those of the lab's clients."""
    return "fd00:a::%x" % (0x1000 + n) if family == 6 else "10.0.0.%d" % (100 + n)


def send(family, proto, src, sport, server=0, dport=80):
    """One packet; returns its external (address, port), None if refused."""
    raw = pkt.first(proto, src, sport, S[family][server], dport)
    seen = lab.swap("lan", raw)["wan"]
    if not seen:
        return None
    v = pkt.View(seen[0])
    pkt.same(seen[0], pkt.xlate(raw, src=v.src, sport=v.sport), "on wan0")
    return v.src, v.sport


def no_port(family, proto, src, server=0, sport=None):
    before = stats()
    equal(send(family, proto, src, sport or port(), server), None, "a flow")
    equal(moved(before).get("no-port"), 1, "counted as no-port")


@each("rfc4787_req4 a clash keeps the parity", ("udp",))
def parity(family, proto):
    rule(family, "masquerade")
    equal(setting("port.parity"), "on", "port.parity")
    for odd in (0, 1) * 4:
        sport = port() + odd
        for client in (0, 1, 2):
            got = send(family, proto, C[family][client], sport)[1]
            equal(got % 2, odd, "parity of %d, from %d" % (got, sport))


@each("rfc4787_req4 the parity that is used up does not refuse a flow", ("udp",))
def parity_used_up(family, proto):
    rule(family, "snat " + at(X[family], "3000-3003"))
    got = [send(family, proto, C[family][0], 4000 + 2 * n)[1] for n in range(4)]
    equal([p % 2 for p in got], [0, 0, 1, 1], "parities of %r" % got)


@each("rfc4787_req4 parity may be switched off", ("udp",))
def parity_off(family, proto):
    rule(family, "masquerade", "set port.parity off\n")
    seen = set()
    for _ in range(24):         # all even by chance: once in 16 million runs
        sport = port()
        send(family, proto, C[family][0], sport)
        seen.add(send(family, proto, C[family][1], sport)[1] % 2)
    equal(seen, {0, 1}, "parities of changed ports")


@each("rfc4787_req2 rfc6888_req2 a host has one address in all protocols", ("all",))
def pooling(family, proto):
    pool = POOL[family]
    rule(family, "snat %s-%s" % (pool[0], pool[5]))
    used = {}
    for n in range(24):
        src = host(family, n)
        used[n] = {send(family, p, src, port(), server, dport)[0]
                   for p in PORTED for server, dport in ((0, 80), (1, 443))}
        equal(len(used[n]), 1, "addresses of a host, %r" % used[n])
    many = set().union(*used.values())
    true(len(many) >= 3, "24 hosts use %d of 6 addresses" % len(many))


@each("rfc6888_req3 a pool of several ranges, used to the last port", PORTED)
def ranges(family, proto):
    forget()
    pool = POOL[family]
    # Spilling: by chance more hosts may belong to an address than it has ports.
    apply("set pool.spill on\npool p %s %s-%s %s ports 3000-3001\n"
          "rule postrouting oif wan0 src %s snat pool p\n" % (
              pool[1], pool[3], pool[4], pool[5], INSIDE[family]))
    used = set()
    # Hosts of one flow each, as many as there are ports.
    for n in range(8):
        used.add(send(family, proto, host(family, n), port()))
    equal(used, {(a, p) for a in (pool[1], *pool[3:6]) for p in (3000, 3001)},
          "addresses and ports in use")
    no_port(family, proto, host(family, 9))


@each("rfc7857_req3 one port for many destinations, where a rule says so", PORTED)
def sharing(family, proto):
    option = " mapping address-and-port-dependent"
    rule(family, "snat %s%s" % (at(X[family], "3000"), option))
    flows = [(client, server, send(family, proto, C[family][client], 5000, server))
             for client, server in ((0, 0), (1, 1), (2, 2))]
    equal({f[2] for f in flows}, {(X[family], 3000)}, "external endpoints")
    # The same destination: nothing could tell the answers apart.
    no_port(family, proto, C[family][1], 0, 5000)
    for client, server, _ in flows:
        raw = pkt.answer(pkt.first(proto, X[family], 3000, S[family][server], 80))
        lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][client], dport=5000))
    # Without the option nothing is shared.
    rule(family, "snat " + at(X[family], "3001"))
    equal(send(family, proto, C[family][0], 5000), (X[family], 3001), "C1")
    no_port(family, proto, C[family][1], 1, 5000)


@each("rfc7857_req3 the last port that can be shared is found", ("udp", "tcp"))
def sharing_all(family, proto):
    """One destination takes ports of a large range until none is left."""
    rule(family, "snat %s mapping address-and-port-dependent" % at(
        X[family], "3000-8999"))
    for base in range(0, 6000, 500):
        seen = lab.swap("lan", *[
            pkt.first(proto, C[family][0], 10000 + base + n, S[family][0], 80)
            for n in range(500)])
        equal(len(seen["wan"]), 500, "flows that pass beyond %d" % base)
    no_port(family, proto, C[family][1])
    # The range is full for this destination only.
    equal(send(family, proto, C[family][1], 5000, 1), (X[family], 5000),
          "towards another server")
    for sport in (12345, 10001, 15999):
        userctl("conn", "delete", "src", C[family][0], "sport", str(sport))
        got = send(family, proto, C[family][2], port())
        true(got, "a port is free and not found")
        # What was tried in vain makes the search shorter for a moment.
        no_port(family, proto, C[family][2])
        time.sleep(0.15)


def small_pool(family, ports="7000-7001"):
    """Two addresses with few ports each; hosts by the address of their hash.

    Of no other case, as ports of those may rest.
    """
    forget()
    pool = POOL[family][3:5]
    text = "set port.parity off\nset timeout.port-reuse 0\npool p %s-%s%%s\n" \
           "rule postrouting oif wan0 src %s snat pool p\n" % (*pool, INSIDE[family])
    apply(text % "")
    homes = {addr: [] for addr in pool}
    for n in range(48):
        src = host(family, n)
        homes[send(family, "udp", src, port())[0]].append(src)
    first, second = sorted(homes, key=lambda addr: -len(homes[addr]))
    true(len(homes[first]) >= 5 and homes[second], "hashes of hosts: %r" % homes)
    apply(text % (" ports " + ports))
    return (first, homes[first]), (second, homes[second])


@each("users_free_ports rfc7857_req4 a host without a mapping gets what is free", PORTED)
def newcomer(family, proto):
    (full, hosts), (other, others) = small_pool(family)
    for n in (0, 1):
        equal(send(family, proto, hosts[n], port())[0], full, "address of host %d" % n)
    sport = port()
    raw = pkt.first(proto, hosts[2], sport, S[family][0], 80)
    out = lab.through("lan", raw)
    equal(pkt.View(out).src, other, "address of a host that finds its own one full")
    pkt.same(out, pkt.xlate(raw, src=other, sport=pkt.View(out).sport), "on wan0")
    # Those that have mappings have no other address, and it is as full for them.
    no_port(family, proto, hosts[0])
    equal(send(family, proto, hosts[2], sport, 1), (other, pkt.View(out).sport),
          "the same endpoint towards another server")
    equal(send(family, proto, others[0], port())[0], other, "a host of that address")
    no_port(family, proto, hosts[2])
    no_port(family, proto, hosts[3])
    userctl("conn", "delete", "src", others[0])
    equal(send(family, proto, hosts[2], port())[0], other, "its second port")


@each("rfc4787_req2 rfc6888_req2 a host that has another address keeps to it", ("all",))
def pairing(family, proto):
    (full, hosts), (other, _) = small_pool(family)
    me, sports = hosts[2], [port(), port()]
    for n in (0, 1):
        equal(send(family, "udp", hosts[n], port())[0], full, "address of host %d" % n)
    equal(send(family, "udp", me, sports[0])[0], other, "udp")
    # Of the other protocols its first address has ports.
    equal(send(family, "tcp", me, sports[1])[0], other, "tcp")
    equal(send(family, "icmp", me, port())[0], other, "icmp")
    equal(send(family, "47", me, 0)[0], other, "a protocol without ports")
    for n in (0, 1):
        equal(send(family, "tcp", hosts[n], port())[0], full, "tcp of host %d" % n)
    userctl("conn", "delete", "src", me, "sport", str(sports[0]))
    equal(send(family, "tcp", me, port())[0], other, "tcp while others live")
    userctl("conn", "delete", "src", hosts[0])
    userctl("conn", "delete", "src", me)
    equal(send(family, "tcp", me, port())[0], full, "its own address, which has room")
    # As it has a mapping there it gets no other, where that is full for udp.
    equal(send(family, "udp", hosts[3], port())[0], full, "the port that was free")
    no_port(family, "udp", me)


@each("users_free_ports a host whose mappings are gone is a new one", ("udp",))
def newcomer_again(family, proto):
    (full, hosts), (other, _) = small_pool(family)
    for n in (0, 1):
        send(family, proto, hosts[n], port())
    equal(send(family, proto, hosts[2], port())[0], other, "a new host")
    no_port(family, proto, hosts[0])
    userctl("conn", "delete", "src", hosts[0])
    equal(send(family, proto, hosts[3], port())[0], full, "the port that was free")
    got = ktap.wait_until(lambda: send(family, proto, hosts[0], port()), 5, "a port")
    equal(got[0], other, "its address")
    # Both go: what is free again is their own address.
    for n in (0, 1, 2, 3):
        userctl("conn", "delete", "src", hosts[n])
    for n in (0, 2):
        equal(send(family, proto, hosts[n], port())[0], full, "address of host %d" % n)


@each("users_free_ports so it is where a host has hundreds of ports", ("udp", "tcp"))
def newcomer_among_many(family, proto):
    (full, hosts), (other, _) = small_pool(family, "8000-8499")
    for base in (0, 250):
        seen = lab.swap("lan", *[pkt.first(proto, hosts[0], 10000 + base + n, S[family][0], 80)
                                 for n in range(250)])
        equal({pkt.View(p).src for p in seen["wan"]}, {full}, "addresses")
        equal(len(seen["wan"]), 250, "flows that pass")
    no_port(family, proto, hosts[0])
    for n in (1, 2, 3):
        equal(send(family, proto, hosts[n], port())[0], other, "address of host %d" % n)
    no_port(family, proto, hosts[0])


@case("rfc6864 rfc7857_req10 ipv4: identifications of hosts that share an address")
def idents():
    """C1 and C2 use the same ones, towards one server."""
    rule(4, "masquerade")
    flows = [(client, port()) for client in (0, 1)]
    seen = []
    for n in range(200):
        for client, sport in flows:
            raw = pkt.udp(C[4][client], S[4][0], sport, 80, ident=n, df=False)
            got = lab.through("lan", raw)
            pkt.same(got, pkt.xlate(raw, src=X[4], sport=pkt.View(got).sport))
            seen.append(pkt.View(got).ident)
    equal(len(set(seen)), len(seen), "identifications of 400 packets")
    # Also in other protocols, and towards an unknown flow's first packet.
    for client in (0, 1):
        for raw in (pkt.tcp(C[4][client], S[4][0], port(), 80, ident=7, df=False),
                    pkt.icmp(C[4][client], S[4][0], 8, 0, bytes([0, 5, 0, 1]),
                             ident=7, df=False)):
            seen.append(pkt.View(lab.through("lan", raw)).ident)
    equal(len(set(seen)), len(seen), "identifications in three protocols")


@case("rfc6864 rfc7857_req10 ipv4: what may not be fragmented keeps its identification")
def idents_atomic():
    rule(4, "masquerade")
    sport = port()
    for n in (0, 1, 7, 7, 0xffff):
        raw = pkt.udp(C[4][0], S[4][0], sport, 80, ident=n, df=True)
        equal(pkt.View(lab.through("lan", raw)).ident, n, "identification")


@case("rfc6864 rfc7857_req10 ipv4: fragments of a packet have one identification")
def idents_fragments():
    rule(4, "masquerade")
    sports = [port(), port()]
    seen = []
    for sport, client in zip(sports, (0, 1)):
        whole = pkt.udp(C[4][client], S[4][0], sport, 80, bytes(3000),
                        ident=99, df=False)
        parts = lab.swap("lan", *pkt.fragment(whole, 1480))["wan"]
        true(len(parts) > 1, "%d packets" % len(parts))
        equal(len({pkt.View(p).ident for p in parts}), 1, "identifications")
        seen.append(pkt.View(parts[0]).ident)
        pkt.same(pkt.reassemble(parts), pkt.xlate(
            whole, src=X[4], sport=pkt.View(parts[0]).sport), "the whole")
    true(seen[0] != seen[1], "two hosts' packets have one identification")


@case("identifications stay as they are where they are not to be unique")
def idents_off():
    for before in ("set ip.unique-id off\n", "set profile iptables\n"):
        rule(4, "masquerade", before)
        for n in (3, 3, 9):
            raw = pkt.udp(C[4][0], S[4][0], port(), 80, ident=n, df=False)
            equal(pkt.View(lab.through("lan", raw)).ident, n, "identification")


@each("rfc7857_req9 rfc6056 a changed port is unpredictable", ("udp", "tcp"))
def unpredictable(family, proto):
    rule(family, "masquerade", "set port.parity off\n")
    sport, got = port(), []
    send(family, proto, C[family][0], sport)
    for n in range(140):
        got.append(send(family, proto, host(family, n), sport)[1])
    equal(len(set(got)), 140, "changed ports")
    true(min(got) >= 1024, "port %d" % min(got))
    # Even over the range: no quarter of it has less than half of its share.
    for low in range(1024, 65536, 16128):
        n = len([p for p in got if low <= p < low + 16128])
        true(n >= 15, "%d of 140 ports from %d on" % (n, low))
    steps = {b - a for a, b in zip(got, got[1:])}
    true(len(steps) > 130, "%d different steps" % len(steps))


@each("rfc6888_req6 a destination is exempted from translation", PORTED)
def exempted(family, proto):
    forget()
    apply("rule postrouting oif wan0 src %s dst %s accept\n"
          "rule postrouting oif wan0 src %s masquerade\n" % (
              INSIDE[family], S[family][1], INSIDE[family]))
    sport = port()
    raw = pkt.first(proto, C[family][0], sport, S[family][1], 80)
    lab.expect("lan", raw, pkt.xlate(raw))
    reply = pkt.answer(raw)
    lab.expect("wan", reply, pkt.xlate(reply))
    equal(send(family, proto, C[family][0], sport, 0)[0], X[family],
          "the source towards others")


def delete(family, client, sport):
    userctl("conn", "delete", "src", C[family][client], "sport", str(sport))


@each("rfc6888_req8 a port rests before another host gets it", ("udp", "icmp"))
def rests(family, proto):
    rule(family, "masquerade")
    equal(setting("timeout.port-reuse"), 120, "timeout.port-reuse")
    sport = port()
    equal(send(family, proto, C[family][0], sport)[1], sport, "C1's port")
    key = "sport" if proto != "icmp" else "src"
    userctl("conn", "delete", *(("src", C[family][0]) if key == "src" else
                                ("src", C[family][0], "sport", str(sport))))
    true(send(family, proto, C[family][1], sport)[1] != sport,
         "C2 has C1's port at once")
    # What still comes for C1 reaches nobody.
    raw = pkt.answer(pkt.first(proto, X[family], sport, S[family][0], 80))
    equal(lab.swap("wan", raw)["lan"], [], "what C1's server sends")
    # Its own host may have it.
    equal(send(family, proto, C[family][0], sport)[1], sport, "C1's port again")


@each("rfc6888_req8 a port is free after its rest, and not before", ("udp",))
def rests_out(family, proto):
    rule(family, "snat " + at(X[family], "3000-3001"),
         "set timeout.port-reuse 3\n")
    flows = [port(), port()]
    for sport in flows:
        true(send(family, proto, C[family][0], sport), "a port for C1")
        delete(family, 0, sport)
    no_port(family, proto, C[family][1])
    got = ktap.wait_until(lambda: send(family, proto, C[family][1], port()), 20,
                          "the end of the rest")
    true(got[1] in (3000, 3001), "port %d" % got[1])


@each("rfc6888_req8 tcp that was seen closing leaves its port at once", ("tcp",))
def rests_tcp(family, proto):
    rule(family, "masquerade")
    for reset in (False, True):
        sport = port()
        outward(lab, "tcp", C[family][0], sport, S[family][0])
        ends = ((C[family][0], sport, S[family][0], 80),
                (S[family][0], 80, X[family], sport))
        say = []
        if reset:
            say = [("lan", pkt.RST | pkt.ACK, 1010, 77001)]
        else:
            say = [("lan", pkt.FIN | pkt.ACK, 1010, 77001),
                   ("wan", pkt.FIN | pkt.ACK, 77001, 1011),
                   ("lan", pkt.ACK, 1011, 77002)]
        for side, flags, seq, ack in say:
            src, sp, dst, dp = ends[side == "wan"]
            raw = pkt.tcp(src, dst, sp, dp, flags, seq, ack)
            seen = lab.swap(side, raw)
            equal(len(seen["wan" if side == "lan" else "lan"]), 1, "passes")
        delete(family, 0, sport)
        equal(send(family, "tcp", C[family][1], sport)[1], sport, "C2's port")
        delete(family, 1, sport)
        # C2's connection was not closed: its port rests.
        true(send(family, "tcp", C[family][2], sport)[1] != sport,
             "C3 has C2's port at once")


@each("rfc6888_req8 as many ports rest as configured, the others do not", ("udp",))
def rests_few(family, proto):
    rule(family, "masquerade", "set limit.resting-ports 2\n"
         "set timeout.port-reuse 60\n")
    flows = [port() for _ in range(6)]
    for sport in flows:
        equal(send(family, proto, C[family][0], sport)[1], sport, "C1's port")
    delete(family, 0, "%d-%d" % (flows[0], flows[-1]))
    kept = [p for p in flows
            if send(family, proto, C[family][1], p)[1] != p]
    true(len(kept) <= 2, "%d ports rest" % len(kept))


@each("rfc6888_req8 rests may be switched off", ("udp",))
def rests_off(family, proto):
    for before in ("set timeout.port-reuse 0\n", "set profile iptables\n"):
        rule(family, "masquerade", before)
        sport = port()
        equal(send(family, proto, C[family][0], sport)[1], sport, "C1's port")
        delete(family, 0, sport)
        equal(send(family, proto, C[family][1], sport)[1], sport, "C2's port")


@each("rfc6888_req8 a forward may have a port that rests", ("udp",))
def rests_forward(family, proto):
    rule(family, "masquerade")
    sport = port()
    equal(send(family, proto, C[family][0], sport)[1], sport, "C1's port")
    delete(family, 0, sport)
    userctl("forward", "add", proto, at(X[family], sport), at(C[family][1], 7))
    raw = pkt.udp(S[family][0], X[family], 99, sport)
    lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][1], dport=7))


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
