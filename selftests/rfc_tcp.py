#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What RFC 5382 and RFC 7857 ask of a NAT for TCP, one requirement a case.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12

selftests/requirements lists the ids with which the cases' names begin;
nat_tcp.py goes through the states of a connection one by one.
"""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conn, conns, masquerade, moved, setting, stats, userctl  # noqa: E402
from dialogue import Dialogue               # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, HOP, S, X, Lab           # noqa: E402

lab = Lab()
HOLD = 6                        # seconds, RFC 5382 REQ-4
UNREACH = {4: (3, 3), 6: (1, 4)}
QUOTED = {4: 576 - 28, 6: 1280 - 48}


def out(family, client, sport, server, dport=80):
    """A SYN of a client; returns its external port."""
    return outward(lab, "tcp", C[family][client], sport, S[family][server],
                   dport, back=False)[1]


def dialogue(*args, **kw):
    return Dialogue(lab, *args, **kw)


@each("rfc5382_req1 the mapping does not depend on the destination")
def mapping(family):
    masquerade(family)
    sport = port()
    used = {out(family, 0, sport, 0), out(family, 0, sport, 1, 443)}
    other = out(family, 1, sport, 2)        # the same port of another host
    used.add(out(family, 0, sport, 2))
    equal(len(used), 1, "external ports of C1")
    true(other not in used, "C2 has C1's external port %d" % other)


@each("rfc5382_req2 one end opens, both ends close")
def ordinary(family):
    for closer, other in ("cs", "sc"):
        d = dialogue(family).open()
        d.say(closer + " FIN ACK")
        d.say(other + " PSH ACK", payload=b"the rest")
        d.say(closer + " ACK")
        d.say(other + " FIN ACK")
        d.say(closer + " ACK")
        equal(d.state(), "time-wait", "state")


@each("rfc5382_req2 both ends open at once")
def at_once(family):
    d = dialogue(family)
    d.say("c SYN")
    d.say("s SYN")
    d.next["c"] -= 1
    d.say("c SYN ACK")
    d.next["s"] -= 1
    d.say("s SYN ACK")
    d.say("c ACK")
    d.say("s PSH ACK", payload=b"hello")
    equal(d.state(), "established", "state")


@each("rfc5382_req2 both ends open at once, the SYN-ACKs cross")
def at_once_crossing(family):
    d = dialogue(family)
    d.say("c SYN")
    d.say("s SYN")
    d.next["c"] -= 1
    first = d.segment("c", ["SYN", "ACK"])
    d.next["s"] -= 1
    second = d.segment("s", ["SYN", "ACK"])
    lab.expect("lan", first, pkt.xlate(first, src=d.outer, sport=d.outside))
    lab.expect("wan", second, pkt.xlate(second, dst=d.client, dport=d.sport))
    d.say("c PSH ACK", payload=b"hello")
    d.say("s PSH ACK", payload=b"hello")
    equal(d.state(), "established", "state")


@each("rfc5382_req2 the peer's SYN comes first, and again")
def peer_first(family):
    """Two hosts that know each other's external endpoint open at once."""
    masquerade(family)
    sport = port()
    outside = out(family, 0, sport, 0)
    c, s, far = C[family][0], S[family][1], port()
    early = pkt.tcp(s, X[family], far, outside, seq=5000)
    lab.nothing("wan", early)
    mine = pkt.tcp(c, s, sport, far, seq=300)
    lab.expect("lan", mine, pkt.xlate(mine, src=X[family], sport=outside))
    lab.expect("wan", early, pkt.xlate(early, dst=c, dport=sport))
    for side, raw, change in (
            ("lan", pkt.tcp(c, s, sport, far, pkt.SYN | pkt.ACK, 300, 5001),
             {"src": X[family], "sport": outside}),
            ("wan", pkt.tcp(s, X[family], far, outside, pkt.SYN | pkt.ACK, 5000, 301),
             {"dst": c, "dport": sport}),
            ("lan", pkt.tcp(c, s, sport, far, pkt.ACK, 301, 5001),
             {"src": X[family], "sport": outside})):
        lab.expect(side, raw, pkt.xlate(raw, **change))
    equal(conn("dst", s)["state"], "established", "state")


@each("rfc5382_req2 a connection opened from outside through the mapping")
def from_outside(family):
    masquerade(family, " filtering endpoint-independent")
    sport, far = port(), port()
    outside = out(family, 0, sport, 0)
    c, s = C[family][0], S[family][2]
    raw = pkt.tcp(s, X[family], far, outside, seq=9000)
    lab.expect("wan", raw, pkt.xlate(raw, dst=c, dport=sport))
    raw = pkt.tcp(c, s, sport, far, pkt.SYN | pkt.ACK, 70, 9001)
    lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=outside))
    raw = pkt.tcp(s, X[family], far, outside, pkt.ACK | pkt.PSH, 9001, 71, b"question")
    lab.expect("wan", raw, pkt.xlate(raw, dst=c, dport=sport))
    equal(conn("src", s)["state"], "established", "state")


FILTERS = {"endpoint-independent": (True, True), "address-dependent": (True, False),
           "address-and-port-dependent": (False, False)}


@each("rfc5382_req3 filtering is as configured, by default address-dependent")
def filtering(family):
    for word, expected in ((None, (True, False)), *FILTERS.items()):
        masquerade(family, " filtering " + word if word else "")
        sport = port()
        outside = out(family, 0, sport, 0, 80)
        for allowed, server in zip(expected, (0, 1)):
            raw = pkt.tcp(S[family][server], X[family], port(), outside)
            if allowed:
                lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][0], dport=sport))
            else:
                lab.nothing("wan", raw)


def answered(family, raw, packets):
    """Take the ICMP error about @raw, which must be right, from the packets."""
    for got in packets:
        v = pkt.View(got)
        if not v.is_icmp or v.dst != pkt.View(raw).src:
            continue
        if v.seg[8:8 + len(raw)] == raw[:QUOTED[family]]:
            equal((v.type, v.seg[1]), UNREACH[family], "type and code")
            equal(v.src, X[family], "source of the error")
            pkt.same(got, pkt.xlate(got, hops=0, inner={}), "checksums")
            packets.remove(got)
            return
    raise ktap.Fail("no error about %s among\n%s" % (
        pkt.View(raw), "\n".join(str(pkt.View(p)) for p in packets)))


def watch(seconds, start):
    """What comes out until @seconds after @start; none before HOLD is over."""
    got = []
    while time.monotonic() < start + seconds:
        time.sleep(0.2)
        seen = lab.collect()
        equal([str(pkt.View(p)) for p in seen["lan"]], [], "packets on lan0")
        if seen["wan"] and time.monotonic() < start + HOLD:
            raise ktap.Fail("after %.1f s: %s" % (
                time.monotonic() - start, pkt.View(seen["wan"][0])))
        got += seen["wan"]
    return got


@each("rfc5382_req4 an unsolicited SYN is answered after six seconds, or not at all")
def unsolicited(family):
    apply("rule postrouting oif wan0 masquerade\n")
    sport = port()
    outside = out(family, 0, sport, 0)
    s2, s3 = S[family][1:3]
    start = time.monotonic()
    before = stats()
    # To C1's mapping, whose filter refuses it; and again.
    refused = pkt.tcp(s2, X[family], port(), outside, opts=b"\2\4\5\xb4")
    lab.nothing("wan", refused, refused)
    # To a port of the router's address that nobody has.
    nobody = pkt.tcp(s2, X[family], port(), port())
    lab.nothing("wan", nobody)
    # To C1's mapping, and C1 opens that connection in the meantime.
    far = port()
    lab.nothing("wan", pkt.tcp(s3, X[family], far, outside))
    mine = pkt.tcp(C[family][0], s3, sport, far)
    lab.expect("lan", mine, pkt.xlate(mine, src=X[family], sport=outside))
    # The policy may be silence, from now on.
    userctl("set", "tcp.unsolicited", "silent")
    lab.nothing("wan", pkt.tcp(s2, X[family], port(), port()))
    now = moved(before)
    equal(now.get("unsolicited"), 2, "counted as unsolicited")
    equal(now.get("filtered"), 3, "counted as filtered")
    # A flood does not make a flood, and those before it are answered still.
    userctl("set", "tcp.unsolicited", "port-unreachable")
    lab.nothing("wan", *(pkt.tcp(s2, X[family], 1024 + n, 5) for n in range(400)))

    got = watch(HOLD + 1.5, start)
    answered(family, refused, got)
    answered(family, nobody, got)
    for err in got:             # the kernel limits their rate, too
        equal(pkt.View(err).inner.dport, 5, "destination port of a refused SYN")
    equal(moved(before).get("icmp-errors-sent"), 256, "answers")
    # And a namespace may end while some wait.
    lab.nothing("wan", *(pkt.tcp(s2, X[family], 1024 + n, 5) for n in range(9)))


@each("rfc5382_req4 the router's own sockets answer at once")
def own_socket(family):
    masquerade(family)
    out(family, 0, port(), 0)
    af = socket.AF_INET6 if family == 6 else socket.AF_INET
    with socket.socket(af, socket.SOCK_STREAM) as s:
        s.bind((X[family], port()))
        s.listen()
        raw = pkt.tcp(S[family][0], X[family], port(), s.getsockname()[1])
        got = pkt.View(lab.through("wan", raw, out="wan"))
        equal((got.flags, got.ack), (pkt.SYN | pkt.ACK, 1001), "the answer")
        lab.collect()
        raw = pkt.tcp(S[family][0], X[family], pkt.View(raw).sport, got.sport,
                      pkt.RST | pkt.ACK, 1001, got.seq + 1)
        lab.nothing("wan", raw)
    lab.collect()


@each("rfc5382_req4 with tcp.unsolicited pass the router's stack answers")
def passes(family):
    masquerade(family, before="set tcp.unsolicited pass\n")
    out(family, 0, port(), 0)
    raw = pkt.tcp(S[family][0], X[family], port(), port())
    got = pkt.View(lab.through("wan", raw, out="wan"))
    equal(got.flags, pkt.RST | pkt.ACK, "flags of the answer")
    userctl("apply", "-", data="set profile iptables\n")
    equal(setting("tcp.unsolicited"), "pass", "tcp.unsolicited in profile iptables")


@case("rfc5382_req5 ipv4: defaults are 7440 and 240 seconds")
def defaults():
    userctl("apply", "-", data="")
    for key, least in (("established", 7440), ("transitory", 240), ("syn-sent", 240),
                       ("syn-received", 240), ("fin-wait", 7440),
                       ("close-wait", 7440), ("last-ack", 240), ("time-wait", 240),
                       ("close", 240)):
        equal(int(setting("timeout.tcp-" + key)), least, "timeout.tcp-" + key)


@each("rfc5382_req5 each phase of a connection has its time")
def phases(family):
    d = dialogue(family)
    for line, limit in (("c SYN", 240), ("s SYN ACK", 240), ("c ACK", 7440),
                        ("c PSH ACK", 7440), ("c FIN ACK", 7440), ("s ACK", 7440),
                        ("s PSH ACK", 7440), ("s FIN ACK", 240), ("c ACK", 240)):
        d.say(line)
        d.expires(limit)


def gone(d):
    """The connection is no longer listed, and nothing gets in by it."""
    found = [c for c in conns("src", d.client) if c["orig"]["sport"] == d.sport]
    equal(found, [], "connections after the timer")
    raw = pkt.tcp(d.server, d.outer, 80, d.outside, pkt.ACK, d.next["s"], d.next["c"])
    equal(lab.swap("wan", raw)["lan"], [], "what still gets in")


@case("rfc5382_req5 ipv6: a half-open download outlives the closing timer")
def half_open():
    d = dialogue(6, before="".join("set timeout.tcp-%s 2\n" % key for key in (
        "transitory", "last-ack", "time-wait", "close"))).open()
    d.say("c FIN ACK")
    d.say("s ACK")
    time.sleep(2.4)
    d.say("s PSH ACK", payload=b"the download")
    d.say("c ACK")
    d.say("s FIN ACK")
    d.say("c ACK")
    time.sleep(2.4)
    gone(d)


@case("rfc5382_req5 ipv4: an idle connection ends when the shortened timer does")
def idle():
    d = dialogue(4, before="set timeout.tcp-established 3\n").open()
    for who in "sc":
        time.sleep(1.6)
        d.say(who + " PSH ACK", payload=b"in time")
    time.sleep(3.4)
    gone(d)


@each("rfc5382_req6 FTP's PORT and PASV pass unchanged")
def ftp(family):
    d = dialogue(family, dport=21)
    d.play(("c SYN", "syn-sent"), ("s SYN ACK", "syn-received"), ("c ACK", "established"))
    d.say("c PSH ACK", payload=b"PORT 10,0,0,2,78,52\r\n")
    d.say("c PSH ACK", payload=b"EPRT |1|10.0.0.2|20020|\r\n")
    d.say("s PSH ACK", payload=b"227 Entering Passive Mode (198,51,100,10,78,53).\r\n")
    equal(len(conns()), 1, "connections")


@each("rfc5382_req7 two hosts never share an external port")
def no_overloading(family):
    masquerade(family)
    sport = port()
    used = [out(family, client, sport, server)
            for client, server in ((0, 0), (1, 2), (2, 1))]
    equal(len(set(used)), 3, "external ports of three hosts, %r" % used)


@each("rfc5382_req8 hosts inside meet by their external endpoints")
def hairpin(family):
    masquerade(family, " filtering endpoint-independent")
    sport, far = port(), port()
    outside = out(family, 0, sport, 0)
    c1, c2 = C[family][:2]
    raw = pkt.tcp(c2, X[family], far, outside, seq=40)
    got = lab.through("lan", raw, out="lan")
    shown = pkt.View(got).sport
    pkt.same(got, pkt.xlate(raw, src=X[family], sport=shown, dst=c1, dport=sport))
    raw = pkt.tcp(c1, X[family], sport, shown, pkt.SYN | pkt.ACK, 50, 41)
    lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=outside, dst=c2,
                                     dport=far), out="lan")
    for flags, seq, data in ((pkt.ACK, 41, b""), (pkt.ACK | pkt.PSH, 41, b"hello"),
                             (pkt.ACK | pkt.FIN, 46, b"")):
        raw = pkt.tcp(c2, X[family], far, outside, flags, seq, 51, data)
        lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=shown, dst=c1,
                                         dport=sport), out="lan")
    equal(out(family, 1, far, 1), shown, "the port that C2 has for others")


@each("rfc5382_req9 destination unreachable is translated, whatever its code")
def unreachable(family):
    d = dialogue(family).open()
    quote = pkt.xlate(d.segment("c", ["PSH", "ACK"], payload=b"lost"),
                      src=d.outer, sport=d.outside)
    kinds = [(3, code) for code in range(16)] if family == 4 else \
        [(1, code) for code in range(8)] + [(2, 0)]
    for kind, code in kinds:
        for source in (S[family][0], HOP[family]):
            err = pkt.icmp(source, d.outer, kind, code, b"\0\0\5\x08", quote)
            lab.expect("wan", err, pkt.xlate(err, dst=d.client, inner={
                "src": d.client, "sport": d.sport}))


@each("rfc5382_req10 no ICMP message ends a connection")
def survives(family):
    d = dialogue(family)
    steps = ("c SYN", "s SYN ACK", "c ACK", "c FIN ACK")
    for line, state in zip(steps, ("syn-sent", "syn-received", "established", "fin-wait")):
        d.say(line)
        quote = pkt.xlate(d.segment("c", ["ACK"], offset=-1), src=d.outer,
                          sport=d.outside)
        for name in ("unreach", "toobig", "time", "param"):
            err = pkt.error(S[family][0], d.outer, name, quote, mtu=1280)
            lab.expect("wan", err, pkt.xlate(err, dst=d.client, inner={
                "src": d.client, "sport": d.sport}))
        equal(d.state(), state, "state after errors")
    d.say("s ACK")
    d.say("s PSH ACK", payload=b"still there")


@each("rfc7857_req2 a reset in the window leaves the mapping for 240 s")
def reset(family):
    for who, other in ("cs", "sc"):
        d = dialogue(family).open()
        d.say(who + " RST ACK")
        equal(d.state(), "close", "state after the reset")
        d.expires(240)
        # Data shows that its receiver did not believe it.
        d.say(other + " PSH ACK", payload=b"did you say something?")
        equal(d.state(), "established", "state after data")
        d.expires(7440)


@case("rfc7857_req2 ipv4: data just before the reset's time is up")
def reset_scaled():
    d = dialogue(4, before="set timeout.tcp-close 3\n").open()
    d.say("s RST ACK")
    time.sleep(1.6)
    d.say("c ACK")                          # not data: no life sign
    true(d.entry()["expires"] <= 1, "a bare ACK refreshed the connection")
    d.say("c PSH ACK", payload=b"at 239 s, so to speak")
    d.expires(7440)
    d.say("c RST ACK")
    time.sleep(3.4)
    gone(d)


@each("rfc7857_req2 a reset with a wrong sequence number is not believed")
def forged(family):
    d = dialogue(family).open()
    for offset in (-0x10000000, -1000000, 0x10000000, 0x7fffffff):
        for flags in (["RST"], ["RST", "ACK"]):
            lab.swap("wan", d.segment("s", flags, offset=offset))
            equal(d.state(), "established", "state after RST at %+d" % offset)
    d.expires(7440)
    d.say("c PSH ACK", payload=b"still here")
    d.say("s PSH ACK", payload=b"so am I")
    # Nor one from somebody else.
    lab.swap("wan", pkt.tcp(S[family][1], d.outer, 80, d.outside, pkt.RST,
                            d.next["s"]))
    equal(d.state(), "established", "state")


@each("rfc7857_req2 a reset that refuses a SYN acknowledges it")
def refused(family):
    d = dialogue(family)
    d.say("c SYN")
    for ack in (0, 0x1000, d.next["c"] + 0x100000):
        lab.swap("wan", pkt.tcp(d.server, d.outer, 80, d.outside,
                                pkt.RST | pkt.ACK, 0, ack))
        equal(d.state(), "syn-sent", "state after RST that acknowledges %d" % ack)
    d.next["s"] = 0
    d.say("s RST ACK")
    equal(d.state(), "close", "state")


def left(*words):
    """Seconds until the one connection that the words select ends."""
    return conn(*words)["expires"]


@each("rfc7857_req7 what the filter refuses does not refresh")
def refused_packets(family):
    d = dialogue(family, before="set timeout.tcp-established 100\n").open()
    time.sleep(1.2)
    before = d.entry()["expires"]
    for flags in (pkt.SYN, pkt.ACK, pkt.SYN | pkt.ACK, pkt.RST):
        raw = pkt.tcp(S[family][1], d.outer, 80, d.outside, flags, 7, 9)
        equal(lab.swap("wan", raw)["lan"], [], "packets on lan0")
    true(d.entry()["expires"] <= before, "refused packets refreshed")


@each("rfc7857_req7 ICMP errors do not refresh, in either direction")
def errors(family):
    d = dialogue(family, before="set timeout.tcp-established 100\n").open()
    time.sleep(1.2)
    before = d.entry()["expires"]
    mine = d.segment("c", ["ACK"])
    quote = pkt.xlate(mine, src=d.outer, sport=d.outside)
    err = pkt.error(S[family][0], d.outer, "unreach", quote)
    lab.through("wan", err)
    reply = d.segment("s", ["ACK"])
    quote = pkt.xlate(reply, dst=d.client, dport=d.sport)
    err = pkt.error(d.client, d.server, "unreach", quote)
    lab.expect("lan", err, pkt.xlate(err, src=d.outer, inner={
        "dst": d.outer, "dport": d.outside}))
    true(d.entry()["expires"] <= before, "ICMP errors refreshed")


@each("rfc7857_req7 resets that refuse what comes in do not refresh")
def resets(family):
    masquerade(family, " filtering endpoint-independent",
               "set timeout.tcp-syn-sent 6\nset timeout.tcp-close 6\n")
    sport, far = port(), port()
    outside = out(family, 0, sport, 0)
    userctl("conn", "delete", "dst", S[family][0])
    equal(conns(), [], "connections")
    outside = out(family, 0, sport, 0)
    c, s = C[family][0], S[family][2]
    knock = pkt.tcp(s, X[family], far, outside, seq=9000)
    lab.expect("wan", knock, pkt.xlate(knock, dst=c, dport=sport))
    for _ in range(2):
        time.sleep(1.1)
        before = left("src", s)
        raw = pkt.tcp(c, s, sport, far, pkt.RST | pkt.ACK, 0, 9001)
        lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=outside))
        true(left("src", s) <= before, "a reset refreshed: %d s after %d s"
             % (left("src", s), before))
    equal(conn("src", s)["state"], "close", "state")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
