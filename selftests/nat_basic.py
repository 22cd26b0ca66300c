#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every action, chain and match, in both directions and both families.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4       10.0.0.1      198.51.100.1-6      2001:db8:1::10-12
"""
import os
import random
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, at, conn, conns, masquerade  # noqa: E402
from flow import PORTED, inward, listed, outward, port  # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, INSIDE, POOL, R, S, X, Lab, listen, run  # noqa: E402

lab = Lab()
FAMILIES = (4, 6)


@each("masquerade", PORTED + ("47", "99"))
def masquerade_case(family, proto):
    masquerade(family)
    sport = port()
    addr, outside = outward(lab, proto, C[family][0], sport, S[family][0])
    if proto not in PORTED:
        return
    entry = listed(proto, C[family][0], sport)
    equal(entry["orig"]["dst"], S[family][0], "orig.dst")
    equal(entry["reply"]["src"], S[family][0], "reply.src")
    equal(entry["reply"]["dst"], addr, "reply.dst")
    key = "id" if proto == "icmp" else "dport"
    equal(entry["reply"][key], outside, "reply." + key)


@each("masquerade port range", ("tcp", "udp"))
def masquerade_range(family, proto):
    masquerade(family, " :2000-2003")
    got = {outward(lab, proto, C[family][0], None, S[family][0],
                   ports=range(2000, 2004))[1] for _ in range(4)}
    equal(len(got), 4, "four hosts' ports in a range of four")


@each("masquerade random", ("tcp", "udp"))
def masquerade_random(family, proto):
    masquerade(family, " random")
    pairs = []
    for _ in range(6):
        sport = port()
        pairs.append((sport, outward(lab, proto, C[family][0], sport,
                                     S[family][0], back=False)[1]))
    true(any(a != b for a, b in pairs), "no port was changed: %r" % pairs)


@each("snat address", PORTED + ("47",))
def snat_address(family, proto):
    apply("rule postrouting oif wan0 src %s snat %s\n"
          % (INSIDE[family], POOL[family][1]))
    outward(lab, proto, C[family][0], None, S[family][0], ext=[POOL[family][1]])


@each("snat range", PORTED)
def snat_range(family, proto):
    pool = POOL[family][1:5]
    apply("rule postrouting oif wan0 src %s snat %s-%s\n"
          % (INSIDE[family], pool[0], pool[-1]))
    for client in C[family]:
        used = {outward(lab, proto, client, None, server, ext=pool)[0]
                for server in S[family]}
        equal(len(used), 1, "addresses of one client (paired pooling)")


@each("snat address and ports", ("tcp", "udp"))
def snat_ports(family, proto):
    apply("rule postrouting oif wan0 src %s snat %s\n"
          % (INSIDE[family], at(POOL[family][2], "3000-3009")))
    outward(lab, proto, C[family][0], None, S[family][0],
            ext=[POOL[family][2]], ports=range(3000, 3010))


@each("snat pool", PORTED)
def snat_pool(family, proto):
    pool = POOL[family]
    apply("pool isp %s-%s %s ports 1024-65535\n"
          "rule postrouting oif wan0 src %s snat pool isp persistent\n"
          % (pool[1], pool[2], pool[4], INSIDE[family]))
    for client in C[family]:
        outward(lab, proto, client, None, S[family][0],
                ext=[pool[1], pool[2], pool[4]], ports=range(1024, 65536))


@each("one client keeps its pool address in all protocols")
def paired(family):
    apply("pool isp %s-%s\nrule postrouting oif wan0 src %s snat pool isp\n"
          % (POOL[family][1], POOL[family][5], INSIDE[family]))
    for client in C[family]:
        used = {outward(lab, proto, client, None, S[family][0],
                        ext=POOL[family])[0] for proto in PORTED}
        equal(len(used), 1, "addresses of " + client)


@each("dnat address", PORTED + ("47",))
def dnat_address(family, proto):
    apply("rule prerouting iif wan0 dst %s dnat %s\n"
          % (POOL[family][3], C[family][1]))
    inward(lab, proto, S[family][0], None, POOL[family][3], 8080,
           to=[C[family][1]], ports=[8080])


@each("dnat port", ("tcp", "udp"))
def dnat_port(family, proto):
    apply("rule prerouting iif wan0 proto %s dst %s dport 8080 dnat %s\n"
          % (proto, X[family], at(C[family][0], 80)))
    inward(lab, proto, S[family][0], None, X[family], 8080,
           to=[C[family][0]], ports=[80])
    entry = conn("src", S[family][0])
    equal(entry["orig"]["dport"], 8080, "orig.dport")
    equal(entry["reply"]["src"], C[family][0], "reply.src")
    equal(entry["reply"]["sport"], 80, "reply.sport")


@each("dnat address range", ("tcp", "udp"))
def dnat_range(family, proto):
    apply("rule prerouting iif wan0 proto %s dst %s dnat %s-%s\n"
          % (proto, X[family], C[family][0], C[family][2]))
    for server in S[family]:
        inward(lab, proto, server, None, X[family], 8080, to=C[family],
               ports=[8080])


@each("dnat port range", ("tcp", "udp"))
def dnat_ports(family, proto):
    apply("rule prerouting iif wan0 proto %s dst %s dport 6000-6999 dnat %s\n"
          % (proto, X[family], at(C[family][0], "7000-7003")))
    for dport in (6000, 6500, 6999):
        inward(lab, proto, S[family][0], None, X[family], dport,
               to=[C[family][0]], ports=range(7000, 7004))


def served(family, dport, local, local_port):
    """A UDP exchange with a socket of the router, as S1 sees it."""
    with listen(family, socket.SOCK_DGRAM, ("", local_port)) as s:
        raw = pkt.udp(C[family][0], S[family][0], port(), dport, b"question")
        lab.nothing("lan", raw)
        data, peer = s.recvfrom(100)
        equal((data, peer[:2]), (b"question", (C[family][0], pkt.View(raw).sport)),
              "what the socket received")
        s.sendto(b"told", peer)
        got = lab.collect()
        equal(len(got["lan"]), 1, "answers on lan0")
        seen = pkt.View(got["lan"][0])
        equal((seen.src, seen.sport, seen.dst, seen.dport, seen.payload),
              (S[family][0], dport, C[family][0], pkt.View(raw).sport, b"told"),
              "the answer")
        equal(pkt.xlate(got["lan"][0], hops=0), got["lan"][0], "its checksums")
    entry = conn("src", C[family][0])
    equal((entry["reply"]["src"], entry["reply"]["sport"]),
          (local, local_port), "reply")


@each("redirect to a port")
def redirect_port(family):
    apply("rule prerouting iif lan0 proto udp dport 53 redirect :5353\n")
    served(family, 53, R[family], 5353)


@each("redirect keeps the port")
def redirect_plain(family):
    apply("rule prerouting iif lan0 proto udp dport 5300 redirect\n")
    served(family, 5300, R[family], 5300)


@each("redirect of a TCP connection")
def redirect_tcp(family):
    apply("rule prerouting iif lan0 proto tcp dport 80 redirect :8081\n")
    with listen(family, socket.SOCK_STREAM, ("", 8081)) as s:
        s.listen()
        syn = pkt.tcp(C[family][0], S[family][0], port(), 80)
        seen = pkt.View(lab.through("lan", syn, out="lan"))
        equal((seen.src, seen.sport, seen.flags),
              (S[family][0], 80, pkt.SYN | pkt.ACK), "the answer")
        equal(pkt.xlate(seen.raw, hops=0), seen.raw, "its checksums")


@each("redirect in output goes to loopback")
def redirect_output(family):
    apply("rule output proto udp dst %s dport 53 redirect :5353\n" % S[family][0])
    here = "::1" if family == 6 else "127.0.0.1"
    with listen(family, socket.SOCK_DGRAM, (here, 5353)) as server, \
            listen(family, socket.SOCK_DGRAM, ("", port())) as client:
        client.connect((S[family][0], 53))
        client.send(b"question")
        data, peer = server.recvfrom(100)
        equal(data, b"question", "question")
        server.sendto(b"told", peer)
        equal(client.recv(100), b"told", "answer")
    true(any(c["reply"]["src"] == here for c in conns()), "reply.src")


@each("dnat in output", ("udp", "tcp"))
def dnat_output(family, proto):
    apply("rule output proto %s dst %s dport 53 dnat %s\n"
          % (proto, S[family][0], at(S[family][1], 5300)))
    kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
    with listen(family, kind, ("", port())) as s:
        s.setblocking(False)
        s.connect_ex((S[family][0], 53))
        if proto == "udp":
            s.send(b"question")
        got = lab.collect()
        equal(len(got["wan"]), 1, "packets on wan0")
        seen = pkt.View(got["wan"][0])
        equal((seen.dst, seen.dport), (S[family][1], 5300), "destination")
        equal(pkt.xlate(seen.raw, hops=0), seen.raw, "its checksums")
        got = lab.swap("wan", pkt.answer(seen.raw))
        if proto == "udp":
            equal(s.recv(100), b"an answer", "answer")
            return
        equal(len(got["wan"]), 1, "packets on wan0")  # the handshake's end
        seen = pkt.View(got["wan"][0])
        equal((seen.dst, seen.dport, seen.flags),
              (S[family][1], 5300, pkt.ACK), "the third packet")


@each("dnat in output to the other side is routed again")
def dnat_output_reroute(family):
    apply("rule output proto udp dst %s dnat %s\n" % (S[family][0], C[family][0]))
    with listen(family, socket.SOCK_DGRAM, (X[family], port())) as s:
        s.connect((S[family][0], 53))
        s.send(b"question")
        got = lab.collect()
        equal((len(got["lan"]), len(got["wan"])), (1, 0), "packets out")
        equal(pkt.View(got["lan"][0]).dst, C[family][0], "destination")
        lab.nothing("lan", pkt.answer(got["lan"][0]))
        equal(s.recv(100), b"an answer", "answer")


@each("snat in input")
def snat_input(family):
    fake = "fd00:a::63" if family == 6 else "10.0.0.99"
    apply("rule input iif lan0 proto udp dport 7777 snat %s\n" % fake)
    with listen(family, socket.SOCK_DGRAM, ("", 7777)) as s:
        raw = pkt.udp(C[family][0], R[family], port(), 7777, b"question")
        lab.nothing("lan", raw)
        data, peer = s.recvfrom(100)
        equal((data, peer[0]), (b"question", fake), "what the socket received")
        s.sendto(b"told", peer)
        got = lab.collect()["lan"]
        equal(len(got), 1, "answers on lan0")
        seen = pkt.View(got[0])
        equal((seen.src, seen.sport, seen.dst, seen.dport),
              (R[family], 7777, C[family][0], pkt.View(raw).sport), "answer")
        equal(pkt.xlate(seen.raw, hops=0), seen.raw, "its checksums")


@each("snat of the router's own packets", ("udp", "tcp"))
def snat_own(family, proto):
    apply("rule postrouting oif wan0 snat %s\n" % POOL[family][4])
    kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
    with listen(family, kind, (X[family], port())) as s:
        s.setblocking(False)
        s.connect_ex((S[family][0], 53))
        if proto == "udp":
            s.send(b"question")
        got = lab.collect()["wan"]
        equal(len(got), 1, "packets on wan0")
        seen = pkt.View(got[0])
        equal(seen.src, POOL[family][4], "source")
        equal(pkt.xlate(seen.raw, hops=0), seen.raw, "its checksums")
        got = lab.swap("wan", pkt.answer(seen.raw))["wan"]
        if proto == "udp":
            equal(s.recv(100), b"an answer", "answer")
        else:
            equal([pkt.View(p).flags for p in got], [pkt.ACK], "third packet")


NET = {4: ("10.0.0.0/29", "203.0.113.64/29", "203.0.113.%d", 64),
       6: ("fd00:a::/61", "2001:db8:9::/61", "2001:db8:9::%x", 0)}


@each("netmap of sources", PORTED)
def netmap_source(family, proto):
    inside, outside, form, base = NET[family]
    apply("rule postrouting oif wan0 src %s netmap %s\n" % (inside, outside))
    for host, client in enumerate(C[family], 2):
        sport = port()
        got = outward(lab, proto, client, sport, S[family][0],
                      ext=[form % (base + host)])
        equal(got[1], sport, "port")


@each("netmap of destinations", PORTED)
def netmap_destination(family, proto):
    inside, outside, form, base = NET[family]
    apply("rule prerouting iif wan0 dst %s netmap %s\n" % (outside, inside))
    for host, client in enumerate(C[family], 2):
        inward(lab, proto, S[family][0], None, form % (base + host), 80,
               to=[client], ports=[80])


@each("static forward inwards", ("tcp", "udp"))
def forward_in(family, proto):
    apply("forward %s %s %s\n" % (proto, at(X[family], 2222),
                                  at(C[family][1], 22)))
    for server in S[family]:
        inward(lab, proto, server, None, X[family], 2222,
               to=[C[family][1]], ports=[22])


@each("static forward outwards", ("tcp", "udp"))
def forward_out(family, proto):
    apply("forward %s %s %s\nrule postrouting oif wan0 src %s snat %s\n"
          % (proto, at(X[family], 2222), at(C[family][1], 22),
             INSIDE[family], POOL[family][2]))
    outward(lab, proto, C[family][1], 22, S[family][0], ext=[X[family]],
            ports=[2222])
    outward(lab, proto, C[family][0], 22, S[family][0], ext=[POOL[family][2]])


@each("accept exempts", PORTED + ("47",))
def accept(family, proto):
    apply("rule postrouting oif wan0 src %s dst %s accept\n"
          "rule postrouting oif wan0 src %s masquerade\n"
          % (INSIDE[family], S[family][1], INSIDE[family]))
    sport = port()
    outward(lab, proto, C[family][0], sport, S[family][1], ext=[C[family][0]],
            ports=[sport])
    outward(lab, proto, C[family][0], None, S[family][0])


def chosen(family, match, hits, misses):
    """@match decides which of two addresses a source becomes."""
    apply("rule postrouting %s%s snat %s\nrule postrouting oif wan0 snat %s\n"
          % ("" if "oif" in match else "oif wan0 ", match, POOL[family][1],
             POOL[family][2]))
    for flows, n in ((hits, 1), (misses, 2)):
        for proto, src, sport, dst, dport in flows:
            outward(lab, proto, src, sport, dst, dport,
                    ext=[POOL[family][n]], back=False)


def match_cases(family):
    """(match, flows that it takes, flows that it does not)."""
    c, s = C[family], S[family]
    wide = "/128" if family == 6 else "/32"
    p, q, r = port(), port(), port()
    base = ("tcp", c[0], None, s[0], 80)
    return [
        ("src %s" % c[0], [base], [("tcp", c[1], None, s[0], 80)]),
        ("src %s%s" % (c[1], wide), [("udp", c[1], None, s[0], 80)], [base]),
        ("not src %s" % c[0], [("tcp", c[1], None, s[0], 80)], [base]),
        ("dst %s" % s[1], [("tcp", c[0], None, s[1], 80)], [base]),
        ("not dst %s" % s[1], [base], [("tcp", c[0], None, s[1], 80)]),
        ("proto tcp", [base], [("udp", c[0], None, s[0], 80)]),
        ("proto 17", [("udp", c[0], None, s[0], 80)], [base]),
        ("not proto tcp", [("icmp", c[0], None, s[0], 0)], [base]),
        ("proto udp dport 1000-1009",
         [("udp", c[0], None, s[0], 1000), ("udp", c[0], None, s[0], 1009)],
         [("udp", c[0], None, s[0], 999), ("udp", c[0], None, s[0], 1010),
          ("tcp", c[0], None, s[0], 1005)]),
        ("proto tcp not dport 443", [base], [("tcp", c[0], None, s[0], 443)]),
        ("proto udp sport %d-%d" % (p, p + 1), [("udp", c[2], p, s[0], 9)],
         [("udp", c[2], q, s[0], 9)]),
        ("proto udp not sport %d" % r, [("udp", c[2], None, s[0], 9)],
         [("udp", c[2], r, s[0], 9)]),
        ("src %s dst %s proto tcp dport 80" % (c[0], s[0]), [base],
         [("tcp", c[0], None, s[0], 81), ("tcp", c[0], None, s[1], 80)]),
    ]


for _family in FAMILIES:
    for _match, _hits, _misses in match_cases(_family):
        case("match %s ipv%d" % (_match, _family), family=_family,
             match=_match, hits=_hits, misses=_misses)(chosen)


@each("match of interfaces, wildcard and not")
def match_interfaces(family):
    here, there = C[family][0], C[family][1]
    to = POOL[family][3]
    for match, goes in (("iif wan0", here), ("iif wa+", here),
                        ("not iif lan0", here), ("iif wan", there),
                        ("iif lan+", there), ("not iif wan+", there)):
        apply("rule prerouting %s proto udp dst %s dnat %s\n"
              "rule prerouting iif wan0 proto udp dst %s dnat %s\n"
              % (match, to, here, to, there))
        inward(lab, "udp", S[family][0], None, to, 80, to=[goes])
    for match, ext in (("oif wan0", 1), ("oif wan+", 1), ("not oif lan+", 1),
                       ("oif lan0", 2), ("not oif wan0", 2)):
        chosen(family, match, *[[("udp", here, None, S[family][0], 9)] if n == ext
                                else [] for n in (1, 2)])


@each("match of marks")
def match_mark(family):
    apply("rule postrouting oif wan0 mark 0x10/0xf0 snat %s\n"
          "rule postrouting oif wan0 not mark 7 snat %s\n"
          "rule postrouting oif wan0 mark 7 snat %s\n"
          % (POOL[family][1], POOL[family][2], POOL[family][3]))
    for mark, want in ((0x10, 1), (0x1f, 1), (0x20, 2), (0, 2), (7, 3)):
        with listen(family, socket.SOCK_DGRAM, (X[family], port())) as s:
            s.setsockopt(socket.SOL_SOCKET, 36, mark)  # SO_MARK
            s.sendto(b"marked", (S[family][0], 9))
        got = lab.collect()["wan"]
        equal([pkt.View(p).src for p in got], [POOL[family][want]],
              "source of mark 0x%x" % mark)


@each("match of local destinations, which may come and go")
def match_local_dst(family):
    here, there = C[family][0], C[family][1]
    new = "198.51.100.66" if family == 4 else "2001:db8:1::66"
    apply("rule prerouting iif wan0 dst local proto udp dnat %s\n"
          "rule prerouting iif wan0 not dst local proto udp dnat %s\n" % (here, there))

    def goes(dst, to):
        inward(lab, "udp", S[family][0], None, dst, 80, to=[to])

    goes(X[family], here)
    goes(new, there)
    address = [new + ("/24" if family == 4 else "/64"), "dev", "wan0"]
    run(["ip", "addr", "add", *address] + ["nodad"] * (family == 6))
    try:
        goes(new, here)
    finally:
        run(["ip", "addr", "del", *address])
    goes(new, there)


@each("match of local sources, with a network")
def match_local_src(family):
    net = POOL[family][0].rsplit("1", 1)[0] + ("0/24" if family == 4 else "/64")
    apply("rule postrouting oif wan0 not src %s src local snat %s\n"
          "rule postrouting oif wan0 src %s src local snat %s\n"
          "rule postrouting oif wan0 not src local snat %s\n"
          % (net, POOL[family][3], net, POOL[family][1], POOL[family][2]))
    outward(lab, "udp", C[family][0], None, S[family][0], ext=[POOL[family][2]])
    for own, want in ((X[family], 1), (R[family], 3)):
        with listen(family, socket.SOCK_DGRAM, (own, port())) as s:
            s.sendto(b"own", (S[family][0], 9))
        equal([pkt.View(p).src for p in lab.collect()["wan"]], [POOL[family][want]],
              "source of what %s sends" % own)


@each("the first rule that matches wins")
def first_match(family):
    apply("rule postrouting oif wan0 src %s proto tcp snat %s\n"
          "rule postrouting oif wan0 src %s snat %s\n"
          "rule postrouting oif wan0 src %s proto udp snat %s\n"
          % (C[family][0], POOL[family][1], C[family][0], POOL[family][2],
             C[family][0], POOL[family][3]))
    outward(lab, "tcp", C[family][0], None, S[family][0], ext=[POOL[family][1]])
    outward(lab, "udp", C[family][0], None, S[family][0], ext=[POOL[family][2]])
    equal(sorted(c["rule"] for c in conns()),
          sorted({c["rule"] for c in conns()}), "rules of the two flows")


@each("source and destination of one flow are both translated")
def twice(family):
    apply("rule prerouting iif wan0 proto udp dst %s dport 99 dnat %s\n"
          "rule postrouting oif lan0 proto udp dport 100 snat %s\n"
          % (X[family], at(C[family][2], 100), R[family]))
    raw = pkt.udp(S[family][0], X[family], port(), 99)
    got = lab.through("wan", raw)
    seen = pkt.View(got)
    pkt.same(got, pkt.xlate(raw, src=R[family], sport=seen.sport,
                            dst=C[family][2], dport=100))
    reply = pkt.answer(got)
    lab.expect("lan", reply, pkt.xlate(reply, src=X[family], sport=99,
                                       dst=S[family][0],
                                       dport=pkt.View(raw).sport))


@case("rfc3022 a UDP checksum of zero stays zero")
def no_checksum():
    masquerade(4)
    outward(lab, "udp", nosum=True)


def zero_sum(src, sport, dst, dport):
    """A datagram whose checksum would be zero if it came from @src:@sport."""
    raw = pkt.udp(src, dst, sport, dport, b"\0\0\0\0")
    value = int.from_bytes(raw[-6:-4], "big")
    return value.to_bytes(2, "big") + b"\0\0"


@each("rfc3022 a computed UDP checksum of zero becomes 0xffff")
def zero_checksum(family):
    masquerade(family)
    sport = port()
    addr, outside = outward(lab, "udp", C[family][0], sport, S[family][0], 9)
    data = zero_sum(addr, outside, S[family][0], 9)
    raw = pkt.udp(C[family][0], S[family][0], sport, 9, data)
    want = pkt.xlate(raw, src=addr, sport=outside)
    equal(pkt.View(want).seg[6:8], b"\xff\xff", "the test's own packet")
    lab.expect("lan", raw, want)


@each("rfc3022 two hundred random packets", ("tcp", "udp", "icmp"))
def many(family, proto):
    masquerade(family)
    rng = random.Random(family)         # the same packets in every run
    known = {}
    for _ in range(200):
        client, sport = rng.choice(C[family]), rng.randrange(30000, 30010)
        raw = pkt.first(proto, client, sport, rng.choice(S[family]),
                        rng.randrange(1, 65536), payload=rng.randbytes(
                            rng.choice((0, 1, 17, 1000, 1400))))
        got = lab.through("lan", raw)
        seen = pkt.View(got)
        outside = known.setdefault((client, sport), seen.sport)
        pkt.same(got, pkt.xlate(raw, src=X[family], sport=outside))
    equal(len(set(known.values())), len(known), "external ports in use")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
