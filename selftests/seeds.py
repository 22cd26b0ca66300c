#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Cases that an earlier NAT, mirage-nat, was tested with, and what its users met.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12

Names begin with seeds_nat (its own tests), seeds_met (what its users met) or
malformed (what it was fuzzed with). Every packet is compared byte for byte,
lib/pkt.py computes all checksums anew. Elsewhere, in more depth:

    errors, every type, protocol and length of quote    nat_icmp.py, rfc_icmp.py
    actions, chains, random packets, zero checksums     nat_basic.py
    fragments in any order                              frag.py
    TCP options, flags, lengths that lie, mutations     malformed.py
    FIN, RST and both ends opening at once              nat_tcp.py, rfc_tcp.py
    limits, a search of the last free port              exhaustion.py, nat_eim.py
    adding rules and forwards twice                     config.py

What differs from mirage-nat on purpose: a full table refuses new flows, nothing
that lives is evicted; IPv4 link-local addresses are translated as others are,
since hosts behind a router ask 169.254.169.254 for their metadata.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, at, conns, masquerade, moved, query, refused, stats, userctl  # noqa: E402
from dialogue import Dialogue               # noqa: E402
from flow import listed, outward, port      # noqa: E402
from ktap import case, equal, true          # noqa: E402
from lab import C, HOP, INSIDE, R, S, X, Lab, run  # noqa: E402

lab = Lab()
FAMILIES = (4, 6)
SIZE = {4: 20, 6: 40}


def each(group, name, protos=(None,)):
    def register(func):
        for family in FAMILIES:
            for proto in protos:
                kw = {"proto": proto} if proto else {}
                case("%s ipv%d: %s%s" % (group, family, name,
                                         ", " + proto if proto else ""),
                     family=family, **kw)(func)
        return func
    return register


@each("seeds_nat", "a given port, the TTL one less, the payload intact", ("udp", "tcp"))
def given_port(family, proto):
    apply("rule postrouting oif wan0 src %s snat %s\n"
          % (INSIDE[family], at(X[family], "4567-4567")))
    for payload in (b"", b"a", b"hi, I am the payload", bytes(range(256)) * 5):
        raw = pkt.first(proto, C[family][0], 1234, S[family][0], 80, payload=payload)
        lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=4567))


@each("seeds_nat", "both directions", ("udp", "tcp", "icmp"))
def directions(family, proto):
    masquerade(family)
    outward(lab, proto, C[family][0], None, S[family][0])


@each("seeds_nat", "the same packet again changes nothing", ("udp", "tcp", "icmp"))
def again(family, proto):
    masquerade(family)
    sport = port()
    raw = pkt.first(proto, C[family][0], sport, S[family][0], 80)
    got = lab.through("lan", raw)
    entry = listed(proto, C[family][0], sport)
    for _ in range(3):
        lab.expect("lan", raw, got)
    now = listed(proto, C[family][0], sport)
    equal((now["orig"], now["reply"]), (entry["orig"], entry["reply"]), "connection")
    equal(len(conns()), 1, "connections")


@each("seeds_nat", "half a match is an overlap", ("udp", "tcp"))
def overlap(family, proto):
    """The same external endpoint twice is refused; flows get another."""
    forward = "forward %s %s %s\n"
    first = forward % (proto, at(X[family], 2222), at(C[family][0], 22))
    refused(first + forward % (proto, at(X[family], 2222), at(C[family][1], 22)))
    masquerade(family, before=first)
    sport = 2222
    got = outward(lab, proto, C[family][1], sport, S[family][0])
    true(got[1] != 2222, "C2 got the external endpoint of C1's forward")
    # C1 itself has it in both directions.
    equal(outward(lab, proto, C[family][0], 22, S[family][0])[1], 2222,
          "external port of the forward")


@case("seeds_nat ipv4: broadcast and loopback are not translated")
def unroutable4():
    apply("rule postrouting oif wan0 masquerade\n")
    before = stats()
    for proto in ("udp", "tcp", "icmp"):
        for src, dst in (("10.0.0.2", "255.255.255.255"), ("10.0.0.2", "127.0.0.1"),
                         ("127.0.0.1", S[4][0]), ("10.0.0.2", "198.51.100.255"),
                         ("0.0.0.0", S[4][0]), ("255.255.255.255", S[4][0]),
                         ("10.0.0.2", "224.0.0.5"), ("224.0.0.5", S[4][0])):
            seen = lab.swap("lan", pkt.first(proto, src, port(), dst, 80))
            equal([str(pkt.View(p)) for p in seen["wan"]], [], "to wan0")
    equal(moved(before).get("conn-new"), None, "new connections")
    # A link-local address does not show outside either.
    raw = pkt.udp("169.254.1.1", S[4][0], 5000, 80)
    lab.expect("lan", raw, pkt.xlate(raw, src=X[4]))


@case("seeds_nat ipv6: loopback and link-local are not translated")
def unroutable6():
    apply("rule postrouting oif wan0 masquerade\n")
    before = stats()
    for proto in ("udp", "tcp", "icmp"):
        for src, dst in (("fe80::2", S[6][0]), ("fd00:a::2", "fe80::9"),
                         ("::1", S[6][0]), ("fd00:a::2", "::1"), ("::", S[6][0]),
                         ("fd00:a::2", "ff02::1"), ("ff02::1", S[6][0])):
            seen = lab.swap("lan", pkt.first(proto, src, port(), dst, 80))
            mine = [p for p in seen["wan"] if not pkt.View(p).is_icmp or
                    pkt.View(p).type in (128, 129)]
            equal([str(pkt.View(p)) for p in mine], [], "to wan0")
    equal(moved(before).get("flows-translated"), None, "translated flows")


@each("seeds_nat", "ping 5 becomes 81, its sequence stays")
def ping(family):
    apply("rule postrouting oif wan0 proto %s src %s snat %s\n" % (
        "icmp" if family == 4 else "icmpv6", INSIDE[family], at(X[family], "81-81")))
    for seq in (0, 1, 2, 65535):
        raw = pkt.echo(C[family][0], S[family][0], 5, seq)
        lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=81))
        back = pkt.echo(S[family][0], X[family], 81, seq, answer=True)
        lab.expect("wan", back, pkt.xlate(back, dst=C[family][0], dport=5))


@case("seeds_nat ipv4: queries of types 8, 13 and 15, answers 0, 14 and 16")
def queries():
    masquerade(4, before="set profile iptables\n")
    for kind, reply in ((8, 0), (13, 14), (15, 16)):
        ident = port()
        rest = ident.to_bytes(2, "big") + b"\0\7"
        body = bytes(12) if kind == 13 else b""
        raw = pkt.icmp(C[4][0], S[4][0], kind, 0, rest, body)
        got = lab.through("lan", raw)
        outside = pkt.View(got).sport
        pkt.same(got, pkt.xlate(raw, src=X[4], sport=outside))
        rest = outside.to_bytes(2, "big") + b"\0\7"
        back = pkt.icmp(S[4][0], X[4], reply, 0, rest, body)
        lab.expect("wan", back, pkt.xlate(back, dst=C[4][0], dport=ident))


ERRORS = {4: ((3, 0), (3, 1), (3, 3), (3, 4), (4, 0), (5, 1), (11, 0), (11, 1), (12, 0)),
          6: ((1, 0), (1, 4), (2, 0), (3, 0), (3, 1), (4, 0))}


@each("seeds_nat", "errors whole and with quotes of 8 bytes, from server and path",
      ("udp", "tcp", "icmp"))
def errors(family, proto):
    masquerade(family, before="set profile iptables\n")
    sport = port()
    addr, outside = outward(lab, proto, C[family][0], sport, S[family][0])
    raw = pkt.first(proto, C[family][0], sport, S[family][0], 80, payload=b"some payload")
    seen = pkt.xlate(raw, src=addr, sport=outside)
    for kind, code in ERRORS[family]:
        for source in (S[family][0], HOP[family]):
            for cut in (None, SIZE[family] + 8, SIZE[family] + 20):
                err = pkt.icmp(source, addr, kind, code, b"\0\0\5\x14", seen[:cut])
                lab.expect("wan", err, pkt.xlate(err, dst=C[family][0], inner={
                    "src": C[family][0], "sport": sport}))


@each("seeds_nat", "redirect there and back", ("udp", "tcp"))
def redirect(family, proto):
    """Both ends change: C1 to the router means C2, who sees the router."""
    apply("rule prerouting iif lan0 proto %s dst %s dport 53 dnat %s\n"
          "rule postrouting oif lan0 dst %s snat %s\n" % (
              proto, R[family], at(C[family][1], 5300), C[family][1], R[family]))
    c1, c2, r, sport = C[family][0], C[family][1], R[family], port()
    raw = pkt.first(proto, c1, sport, r, 53)
    got = lab.through("lan", raw, out="lan")
    shown = pkt.View(got).sport
    pkt.same(got, pkt.xlate(raw, src=r, sport=shown, dst=c2, dport=5300))
    back = pkt.answer(got)
    lab.expect("lan", back, pkt.xlate(back, src=r, sport=53, dst=c1, dport=sport),
               out="lan")


@each("seeds_nat", "three hundred random connections")
def many(family):
    masquerade(family)
    rng = random.Random(family)
    for _ in range(300):
        proto = rng.choice(("udp", "tcp", "icmp"))
        dport = rng.randrange(1, 65536)
        raw = pkt.first(proto, rng.choice(C[family]), rng.randrange(1, 65536),
                        rng.choice(S[family]), dport,
                        payload=rng.randbytes(rng.randrange(64)))
        seen, v = lab.through("lan", raw), pkt.View(raw)
        outside = pkt.View(seen).sport
        pkt.same(seen, pkt.xlate(raw, src=X[family], sport=outside))
        back = pkt.answer(seen)
        lab.expect("wan", back, pkt.xlate(back, dst=v.src, dport=v.sport))


def mappings(family, client):
    return [m for m in query("mapping", "list")["mappings"]
            if C[family][client] in str(m)]


@each("seeds_nat", "all connections of a host are removed, its ports are free")
def removal(family):
    masquerade(family)
    mine = [(proto, port()) for proto in ("udp", "tcp", "icmp") for _ in range(5)]
    for proto, sport in mine:
        outward(lab, proto, C[family][0], sport, S[family][0])
    other = port()
    outward(lab, "udp", C[family][1], other, S[family][0])
    equal(len(mappings(family, 0)), 15, "mappings of C1")
    userctl("conn", "delete", "src", C[family][0])
    equal(conns("src", C[family][0]), [], "connections of C1")
    equal(mappings(family, 0), [], "mappings of C1")
    for proto, sport in mine:
        back = pkt.answer(pkt.first(proto, X[family], sport, S[family][0], 80))
        equal(lab.swap("wan", back)["lan"], [], "what gets in by a port that is free")
    equal(len(mappings(family, 1)), 1, "mappings of C2")
    for proto, sport in mine:
        equal(outward(lab, proto, C[family][0], sport, S[family][0])[1], sport,
              "port of C1 once more")
    state = query("status")
    true(userctl("status")[1].strip(), "no summary")
    userctl("conn", "flush")                    # reset
    true(query("status") != state, "the summary does not show it")
    equal((conns(), query("mapping", "list")["mappings"]), ([], []), "what is left")


@each("seeds_nat", "packets of 1472, 1500 and 4432 bytes, with and without DF")
def large(family):
    masquerade(family)
    for proto in ("udp", "icmp"):
        sport = port()
        _, outside = outward(lab, proto, C[family][0], sport, S[family][0])
        for size in (1472, 1500, 4432):
            for df in (True, False):
                data = random.Random(size).randbytes(size - SIZE[family] - 8)
                raw = pkt.first(proto, C[family][0], sport, S[family][0], 80,
                                payload=data, df=df)
                equal(len(raw), size, "size")
                want = pkt.xlate(raw, src=X[family], sport=outside)
                if size <= 1500:
                    lab.expect("lan", raw, want)
                elif not df:
                    seen = lab.swap("lan", *pkt.fragment(raw, 1400))["wan"]
                    got = pkt.reassemble(seen)
                    true(got, "%d pieces do not fit" % len(seen))
                    pkt.same(got, want)


@each("seeds_nat", "too big for the way out")
def too_big(family):
    """With DF an error about the packet as its sender knows it, else pieces."""
    run(["ip", "link", "set", "wan0", "mtu", "1300"])
    try:
        masquerade(family)
        sport = port()
        _, outside = outward(lab, "udp", C[family][0], sport, S[family][0])
        raw = pkt.udp(C[family][0], S[family][0], sport, 80, b"x" * 1372)
        got = pkt.View(lab.through("lan", raw, out="lan"))
        equal((got.src, got.dst), (R[family], C[family][0]), "ends of the error")
        equal((got.type, got.seg[4:8]), ({4: 3, 6: 2}[family], b"\0\0\5\x14"),
              "type and MTU")
        equal(got.seg[8:8 + 500], raw[:500], "the quoted packet")
        if family == 4:
            raw = pkt.udp(C[4][0], S[4][0], sport, 80, b"y" * 1372, df=False)
            whole = pkt.reassemble(lab.swap("lan", raw)["wan"])
            true(whole, "the pieces do not fit")
            pkt.same(whole, pkt.xlate(raw, src=X[4], sport=outside))
    finally:
        run(["ip", "link", "set", "wan0", "mtu", "1500"])


@each("seeds_met", "the table is bounded, and what is in it stays")
def bounded(family):
    masquerade(family, before="set limit.connections 16\n")
    sports = [port() for _ in range(16)]
    for sport in sports:
        outward(lab, "udp", C[family][0], sport, S[family][0])
    for _ in range(100):
        seen = lab.swap("lan", pkt.udp(C[family][1], S[family][0], port(), 80))
        equal([str(pkt.View(p)) for p in seen["wan"]], [], "packets of further flows")
    equal(len(conns()), 16, "connections")
    # Both halves of each are still there.
    for sport in sports:
        outward(lab, "udp", C[family][0], sport, S[family][0])
    userctl("conn", "delete", "sport", str(sports[0]), "proto", "udp")
    outward(lab, "udp", C[family][1], None, S[family][0])


@each("seeds_met", "no port left is told at once, without a search that never ends")
def used_up(family):
    masquerade(family, " :3000-3001")
    for _ in range(2):
        outward(lab, "udp", C[family][0], None, S[family][0])
    start = time.monotonic()
    before = stats()
    for _ in range(50):
        seen = lab.swap("lan", pkt.udp(C[family][0], S[family][0], port(), 80))
        equal(seen["wan"], [], "packets on wan0")
    true(time.monotonic() - start < ktap.patience(5), "50 packets took %.1f s"
         % (time.monotonic() - start))
    equal(moved(before).get("no-port"), 50, "counted as no-port")


@each("seeds_met", "a truncated quote still finds the path's MTU", ("tcp", "udp"))
def pmtu(family, proto):
    masquerade(family)
    sport = port()
    addr, outside = outward(lab, proto, C[family][0], sport, S[family][0])
    seen = pkt.xlate(pkt.first(proto, C[family][0], sport, S[family][0], 80,
                               payload=b"x" * 1400), src=addr, sport=outside)
    for mtu in (1280, 1400, 1492):
        err = pkt.error(HOP[family], addr, "toobig", seen, mtu, SIZE[family] + 8)
        want = pkt.xlate(err, dst=C[family][0], inner={
            "src": C[family][0], "sport": sport})
        lab.expect("wan", err, want)
        equal(want[SIZE[family] + 4:SIZE[family] + 8], mtu.to_bytes(4, "big"), "MTU")


@each("seeds_met", "a later fragment's data is no header")
def later(family):
    """Its first bytes look like ports of a connection that exists."""
    masquerade(family)
    sport = port()
    _, outside = outward(lab, "udp", C[family][0], sport, S[family][0])
    fake = pkt.udp(C[family][0], S[family][0], sport, 80, b"z" * 32)[SIZE[family]:]
    whole = pkt.udp(C[family][0], S[family][0], sport, 80, b"q" * 40 + fake * 3, df=False)
    parts = pkt.fragment(whole, 48)
    for part in parts[1:]:
        lab.nothing("lan", part)
    whole = pkt.udp(C[family][0], S[family][0], sport, 80, b"q" * 40 + fake * 3, df=False)
    got = pkt.reassemble(lab.swap("lan", *pkt.fragment(whole, 48)[::-1])["wan"])
    true(got, "the datagram did not arrive whole")
    pkt.same(got, pkt.xlate(whole, src=X[family], sport=outside))


@each("seeds_met", "empty payloads", ("udp", "tcp", "icmp"))
def empty(family, proto):
    masquerade(family)
    raw = pkt.first(proto, C[family][0], port(), S[family][0], 80, payload=b"")
    got = lab.through("lan", raw)
    pkt.same(got, pkt.xlate(raw, src=X[family], sport=pkt.View(got).sport))
    kw = {"answer": True} if proto == "icmp" else {}
    back = pkt.first(proto, S[family][0], pkt.View(got).sport if kw else 80, X[family],
                     pkt.View(got).sport, payload=b"", **kw)
    lab.expect("wan", back, pkt.xlate(back, dst=C[family][0],
                                      dport=pkt.View(raw).sport))


@each("seeds_met", "ten thousand connections are removed at once")
def mass(family):
    masquerade(family)
    total = 2000 if ktap.SLOW else 10000
    for n in range(total):
        lab.send("lan", pkt.udp(C[family][0], S[family][n % 3], 2000 + n, 80))
        if n % 500 == 499:
            lab.collect()
    equal(query("conn", "count")["count"], total, "connections")
    start = time.monotonic()
    userctl("conn", "delete", "src", C[family][0])
    true(time.monotonic() - start < ktap.patience(10), "removal took too long")
    equal(query("conn", "count")["count"], 0, "connections")
    outward(lab, "udp", C[family][0], 2000, S[family][0])


def logged():
    """Lines in the kernel's log."""
    fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    count = 0
    try:
        while True:
            try:
                os.read(fd, 8192)
            except BrokenPipeError:         # overwritten meanwhile
                continue
            count += 1
    except BlockingIOError:
        return count
    finally:
        os.close(fd)


@case("seeds_met ipv4: refused packets write nothing to the log")
def quiet():
    masquerade(4, " :3000-3000")
    outward(lab, "udp")
    before, drops = logged(), stats()
    for _ in range(100):
        lab.send("lan", pkt.udp(C[4][0], S[4][0], port(), 80))
        lab.send("lan", pkt.tcp(C[4][0], S[4][0], port(), 80, pkt.SYN | pkt.FIN))
        lab.send("lan", pkt.udp(C[4][0], S[4][0], port(), 80)[:25])
        lab.send("wan", pkt.udp(S[4][1], X[4], 7, 3000))
        lab.send("wan", pkt.error(S[4][1], X[4], "unreach", b"E" + bytes(60)))
    lab.collect()
    now = moved(drops)
    for reason in ("no-port", "tcp-flags", "filtered", "icmp-quote"):
        true(now.get(reason, 0) >= 100, "not dropped as %s: %r" % (reason, now))
    equal(logged(), before, "lines in the kernel's log")


@each("seeds_met", "changed ports cannot be predicted", ("tcp", "udp"))
def unpredictable(family, proto):
    masquerade(family)
    got = []
    for _ in range(12):
        sport = port()
        outward(lab, proto, C[family][0], sport, S[family][0], back=False)
        got.append(outward(lab, proto, C[family][1], sport, S[family][0],
                           back=False)[1])
    steps = {b - a for a, b in zip(got, got[1:])}
    true(len(steps) > 8, "ports %r" % got)


@each("seeds_met", "TOS, ECN, URG and every other bit stay")
def bits(family):
    masquerade(family)
    c, s, sport = C[family][0], S[family][0], port()
    _, outside = outward(lab, "tcp", c, sport, s)
    for tos in list(range(0, 256, 5)) + [255]:
        raw = pkt.tcp(c, s, sport, 80, pkt.ACK | pkt.URG | 0xc0, 1001, 77001,
                      b"urgent", urg=tos + 1, tos=tos, win=tos, ttl=2 + tos % 250,
                      **({} if family == 4 else {"flow": tos << 12}))
        lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=outside))
        raw = pkt.tcp(s, X[family], 80, outside, pkt.ACK | pkt.PSH | 0xc0, 77001, 1001,
                      b"x", tos=tos)
        lab.expect("wan", raw, pkt.xlate(raw, dst=c, dport=sport))
    # The reserved bits of the TCP header, beside its length.
    raw = pkt.tcp(c, s, sport, 80, pkt.ACK, 1001, 77001, b"reserved")
    at12 = SIZE[family] + 12
    raw = raw[:at12] + b"\x5f" + raw[at12 + 1:]
    raw = pkt.resum(raw)
    lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=outside))


@case("seeds_met ipv4: DF, the evil bit and the identification stay")
def df():
    masquerade(4)
    sport = port()
    outward(lab, "udp", C[4][0], sport)
    for ident in (1, 0x1234, 65535):
        for flag in ({"df": True}, {"df": True, "evil": True}):
            raw = pkt.udp(C[4][0], S[4][0], sport, 80, ident=ident, **flag)
            lab.expect("lan", raw, pkt.xlate(raw, src=X[4], sport=sport))


@each("malformed", "segments with 64 random bytes for options")
def blocks(family):
    masquerade(family)
    rng = random.Random(4096 + family)
    for _ in range(100):
        block = rng.randbytes(64)
        raw = pkt.tcp(C[family][0], S[family][0], port(), 80, opts=block[:40],
                      payload=block[40:])
        got = lab.through("lan", raw)
        pkt.same(got, pkt.xlate(raw, src=X[family], sport=pkt.View(got).sport))


def dialogue(family):
    return Dialogue(lab, family).open()


@each("malformed", "FINs in any order, the mapping lives until the close completes")
def fins(family):
    for first, second in ("cs", "sc"):
        d = dialogue(family)
        d.say(first + " FIN ACK")
        d.say(second + " ACK")
        d.say(second + " PSH ACK", payload=b"more")
        d.say(first + " ACK")
        d.say(second + " FIN ACK")
        d.say(first + " ACK")
        equal(d.state(), "time-wait", "state")
        # The last ACK may be lost: the FIN comes again.
        d.next[second] -= 1
        d.say(second + " FIN ACK")
        d.say(first + " ACK")
        equal(len(mappings(family, 0)), 1, "mappings")


@each("malformed", "both FINs at once")
def crossing(family):
    d = dialogue(family)
    early = d.segment("s", ["FIN", "ACK"])
    d.next["s"] -= 1
    d.say("c FIN ACK")
    d.next["s"] += 1
    lab.expect("wan", early, pkt.xlate(early, dst=d.client, dport=d.sport))
    d.say("c ACK")
    d.say("s ACK")
    equal(d.state(), "time-wait", "state")


@each("malformed", "data after a FIN, after both, and after a reset")
def after(family):
    d = dialogue(family)
    d.say("c FIN ACK")
    d.say("c PSH ACK", payload=b"one's own FIN")
    d.say("s PSH ACK", payload=b"the other's FIN")
    d.say("s FIN ACK")
    d.say("s PSH ACK", payload=b"both")
    d.say("c RST")
    d.say("s PSH ACK", payload=b"a reset")
    equal(len(conns("src", d.client)), 1, "connections")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
