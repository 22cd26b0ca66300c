#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What RFC 5597 asks of a NAT for DCCP.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12

Both sides of the NAT are built from scratch, checksum included, and compared
byte for byte. States bear the names of TCP's (natty.conf(5)).
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import conns, masquerade, setting, userctl  # noqa: E402
from flow import port                       # noqa: E402
from ktap import each, equal, true          # noqa: E402
from lab import C, HOP, S, X, Lab           # noqa: E402

lab = Lab()
SERVICE = b"nat1"
KINDS = {"REQUEST": pkt.REQUEST, "RESPONSE": pkt.RESPONSE, "DATA": pkt.DATA,
         "ACK": pkt.DACK, "DATAACK": pkt.DATAACK, "CLOSEREQ": pkt.CLOSEREQ,
         "CLOSE": pkt.CLOSE, "RESET": pkt.RESET, "SYNC": pkt.SYNC,
         "SYNCACK": pkt.SYNCACK, "LISTEN": pkt.LISTEN}
SILENT = (pkt.REQUEST, pkt.DATA, pkt.LISTEN)    # acknowledge nothing
SERVED = (pkt.REQUEST, pkt.RESPONSE, pkt.LISTEN)


class Flow:
    """One connection of C1 to a server, as either side of the NAT sees it."""

    def __init__(self, family, client=0, server=0, sport=None, far=None):
        self.family = family
        self.inside = (C[family][client], sport or port())
        self.outside = None
        self.far = (S[family][server], far or port())
        # The lower halves wrap soon.
        self.next = {"c": 0x1234fffffff0, "s": 0x9abc7ffffff0}
        self.ident = 0x4000

    def build(self, who, kind, end, hops=0, offset=0, **kw):
        """The packet with the client's endpoint as @end."""
        other = "s" if who == "c" else "c"
        if kind not in SILENT:
            kw.setdefault("ack", self.next[other] - 1)
        if kind in SERVED:
            kw.setdefault("service", SERVICE)
        kw.setdefault("seq", self.next[who] + offset)
        a, b = (end, self.far) if who == "c" else (self.far, end)
        ends = a[0], b[0], a[1], b[1]
        return pkt.dccp(*ends, kind, ttl=pkt.TTL - hops, ident=self.ident, **kw)

    def say(self, line, **kw):
        """Send a packet through the NAT; every byte must be right."""
        who, word = line.split()
        kind = KINDS[word]
        self.ident += 1
        if who == "c":
            got = lab.through("lan", self.build(who, kind, self.inside, **kw))
            if not self.outside:
                self.outside = (X[self.family], pkt.View(got).sport)
            want = self.build(who, kind, self.outside, 1, **kw)
        else:
            got = lab.through("wan", self.build(who, kind, self.outside, **kw))
            want = self.build(who, kind, self.inside, 1, **kw)
        pkt.same(got, want, line)
        self.next[who] += 1
        return got

    def entry(self):
        found = [c for c in conns("proto", "dccp") if self.inside in (
            (c["orig"]["src"], c["orig"]["sport"]),
            (c["reply"]["src"], c["reply"]["sport"]))]
        equal(len(found), 1, "listed connections")
        return found[0]

    def play(self, *steps):
        for line, state in steps:
            self.say(line)
            equal(self.entry()["state"], state, "state after " + line)

    def open(self):
        self.play(("c REQUEST", "syn-sent"), ("s RESPONSE", "syn-received"),
                  ("c ACK", "established"), ("s DATAACK", "established"))
        return self

    def expires(self, limit):
        left = self.entry()["expires"]
        true(limit - ktap.patience(3) <= left <= limit,
             "expires in %d s, expected about %d" % (left, limit))


@each("rfc5597 the mapping does not depend on the destination, nor is it shared")
def mapping(family):
    masquerade(family)
    flows = [Flow(family, sport=5000), Flow(family, server=1, sport=5000)]
    other = Flow(family, client=1, server=2, sport=5000)
    for f in (flows[0], flows[1], other):
        f.say("c REQUEST")
    equal(flows[0].outside, flows[1].outside, "external endpoints of C1's port")
    true(other.outside != flows[0].outside, "C2 shares C1's external port")
    last = Flow(family, server=2, sport=5000)
    last.say("c REQUEST")
    equal(last.outside, flows[0].outside, "C1's external endpoint")


@each("rfc5597 a connection from Request to Reset")
def whole(family):
    masquerade(family)
    f = Flow(family)
    f.say("c REQUEST")
    f.expires(240)
    f.say("s RESPONSE")
    f.expires(240)
    f.say("c ACK")
    f.expires(7440)
    for size in (0, 1, 2, 3, 999, 1200):
        f.say("c DATA", payload=b"\xa5" * size)
        f.say("s DATAACK", payload=b"\x5a" * size)
        f.say("c DATA", payload=b"\xa5" * size, short=True)
        f.say("s ACK", short=True)
    f.play(("c SYNC", "established"), ("s SYNCACK", "established"),
           ("s CLOSEREQ", "last-ack"))
    f.expires(240)
    f.play(("c CLOSE", "last-ack"), ("s RESET", "time-wait"))
    f.expires(240)
    f.open()                                # the ports are used again


@each("rfc5597 partial checksum coverage stays as it is")
def coverage(family):
    masquerade(family)
    f = Flow(family).open()
    for cover in range(16):
        f.say("c DATA", payload=bytes(range(60)), coverage=cover)
        f.say("s DATAACK", payload=bytes(range(60, 120)), coverage=cover)


@each("rfc5597 a wrong checksum is passed on as wrong as it was")
def wrong(family):
    masquerade(family)
    f = Flow(family)
    at = 40 + 6 if family == 6 else 20 + 6
    f.say("c REQUEST")
    raw = f.build("c", pkt.DATA, f.inside, payload=b"data")
    bad = raw[:at] + bytes([raw[at] ^ 0x40]) + raw[at + 1:]
    got = lab.through("lan", bad)
    want = f.build("c", pkt.DATA, f.outside, 1, payload=b"data")
    true(got[at:at + 2] != want[at:at + 2], "the checksum became right")
    pkt.same(got[:at] + got[at + 2:], want[:at] + want[at + 2:])


@each("rfc5597 the service code decides nothing")
def services(family):
    masquerade(family)
    f = Flow(family)
    f.say("c REQUEST", service=b"\0\0\0\0")
    first = f.outside
    other = Flow(family, server=1, sport=f.inside[1])
    other.say("c REQUEST", service=b"\xff\xff\xff\xfe")
    equal(other.outside, first, "external endpoint")


@each("rfc5597 a server inside opens its filter with a Listen")
def listen(family):
    masquerade(family)
    f = Flow(family)
    f.play(("c LISTEN", "syn-sent"), ("s REQUEST", "syn-sent"),
           ("c RESPONSE", "syn-received"), ("s ACK", "established"),
           ("c DATA", "established"))
    f.expires(7440)


@each("rfc5597 a Listen from outside is answered after six seconds, or not at all")
def unsolicited(family):
    masquerade(family)
    f = Flow(family)
    f.say("c REQUEST")
    start = time.monotonic()
    lost, met = (Flow(family, server=1, sport=f.inside[1]) for _ in "ab")
    for g in (lost, met):
        g.outside = f.outside
        lab.nothing("wan", g.build("s", pkt.LISTEN, f.outside))
    met.say("c REQUEST")
    seen = []
    while time.monotonic() < start + 7.5:
        time.sleep(0.2)
        got = lab.collect()["wan"]
        true(not got or time.monotonic() >= start + 6, "an answer after %.1f s"
             % (time.monotonic() - start))
        seen += got
    equal([pkt.View(p).type for p in seen], [3 if family == 4 else 1], "answers")
    raw = lost.build("s", pkt.LISTEN, f.outside)
    equal(seen[0][-len(raw):], raw, "the quoted packet")


@each("rfc5597 filtering is by address")
def filtering(family):
    masquerade(family)
    f = Flow(family).open()
    for server, passes in ((0, True), (1, False)):
        g = Flow(family, server=server, sport=f.inside[1])
        g.outside = f.outside
        if passes:
            g.say("s REQUEST")
        else:
            lab.nothing("wan", g.build("s", pkt.REQUEST, f.outside))


@each("rfc5597 timers are 124 and 4 minutes, as configured")
def timers(family):
    userctl("apply", "-", data="")
    equal(int(setting("timeout.dccp-open")), 124 * 60, "timeout.dccp-open")
    equal(int(setting("timeout.dccp-transitory")), 4 * 60, "timeout.dccp-transitory")
    masquerade(family, before="set timeout.dccp-open 3\nset timeout.dccp-transitory 30\n")
    f = Flow(family).open()
    time.sleep(1.6)
    f.say("c DATA")
    time.sleep(1.6)
    equal(f.entry()["state"], "established", "state")
    time.sleep(1.8)
    equal(conns("proto", "dccp"), [], "connections after the timer")


@each("rfc5597 a Reset must be the connection's own, and data brings it back")
def reset(family):
    masquerade(family)
    f = Flow(family).open()
    for offset in (-0x1000000, -1000, 0x200000, 0x70000000):
        f.say("s RESET", offset=offset)
        f.next["s"] -= 1
        equal(f.entry()["state"], "established", "state after RESET at %+d" % offset)
    f.expires(7440)
    f.play(("s RESET", "close"))
    f.expires(240)
    f.play(("c ACK", "close"), ("c DATA", "established"))
    f.expires(7440)
    f.play(("c RESET", "close"))


@each("rfc5597 a Reset refuses a Request that it acknowledges")
def refused(family):
    masquerade(family)
    f = Flow(family)
    f.play(("c REQUEST", "syn-sent"), ("c REQUEST", "syn-sent"))
    f.say("s RESET", ack=0x123400000000, seq=0)
    equal(f.entry()["state"], "syn-sent", "state after a stranger's RESET")
    f.say("s RESET", seq=0)
    equal(f.entry()["state"], "close", "state")


@each("rfc5597 ICMP errors are translated and end nothing")
def errors(family):
    masquerade(family)
    f = Flow(family).open()
    f.ident += 1
    mine = f.build("c", pkt.DATA, f.inside, 1, payload=b"lost")
    outer = f.build("c", pkt.DATA, f.outside, 1, payload=b"lost")
    size = 40 if family == 6 else 20
    for name in ("unreach", "toobig", "time", "param"):
        for source in (f.far[0], HOP[family]):
            for cut in (None, size + 8):
                err = pkt.error(source, f.outside[0], name, outer, 1300, cut, ident=7)
                want = pkt.error(source, f.inside[0], name, mine, 1300, cut, ident=7,
                                 ttl=pkt.TTL - 1)
                lab.expect("wan", err, want)
    equal(f.entry()["state"], "established", "state")


@each("rfc5597 hosts inside meet by their external endpoints")
def hairpin(family):
    masquerade(family, " filtering endpoint-independent")
    f = Flow(family).open()
    far = port()
    ends = (C[family][1], X[family], far, f.outside[1])
    raw = pkt.dccp(*ends, pkt.REQUEST, 77, service=SERVICE, ident=9)
    got = lab.through("lan", raw, out="lan")
    shown = pkt.View(got).sport
    pkt.same(got, pkt.dccp(X[family], f.inside[0], shown, f.inside[1], pkt.REQUEST, 77,
                           service=SERVICE, ident=9, ttl=pkt.TTL - 1))
    raw = pkt.dccp(f.inside[0], X[family], f.inside[1], shown, pkt.RESPONSE, 88, 77,
                   SERVICE, ident=10)
    lab.expect("lan", raw, pkt.dccp(
        X[family], C[family][1], f.outside[1], far, pkt.RESPONSE, 88, 77, SERVICE,
        ident=10, ttl=pkt.TTL - 1), out="lan")


@each("rfc5597 headers that lie are dropped")
def malformed(family):
    masquerade(family)
    f = Flow(family)
    raw = f.build("c", pkt.REQUEST, f.inside, payload=b"12345678")
    at = 40 if family == 6 else 20
    for where, values in ((4, (0, 1, 2, 3, 40, 255)),      # data offset
                          (5, (0x34, 0x3f))):              # coverage
        for value in values:
            lab.nothing("lan", raw[:at + where] + bytes([value]) + raw[at + where + 1:])
    for size in (0, 4, 8, 11, 12, 15):
        lab.nothing("lan", pkt.ip(f.inside[0], f.far[0], 33, raw[at:at + size]))
    for kind in (pkt.RESPONSE, pkt.CLOSE, pkt.RESET, pkt.SYNC, 11, 15):
        lab.nothing("lan", f.build("c", kind, f.inside))
    f.open()


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
