#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""SCTP: ports are translated as those of UDP, and the CRC stays right.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12

The CRC covers no addresses: it is as it was where the port is.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, masquerade, setting, userctl  # noqa: E402
from flow import port                       # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, HOP, S, X, Lab           # noqa: E402

lab = Lab()
INIT = b"\1\0\0\x14\x12\x34\x56\x78\0\1\0\0\0\1\0\1\0\0\0\1"
INIT_ACK = b"\2\0\0\x1c\x9a\xbc\xde\xf0\0\1\0\0\0\1\0\1\0\0\0\1\0\7\0\x08cook"
COOKIE = b"\x0a\0\0\x08cook"
DATA = b"\0\3\0\x18\0\0\0\1\0\0\0\0\0\0\0\0some data"


def carry(side, ends, new, tag, chunks, **kw):
    """A packet between @ends must come out between @new; None: any port."""
    ident = port()
    got = lab.through(side, pkt.sctp(*ends, tag, chunks, ident=ident, **kw))
    v = pkt.View(got)
    new = [v.sport if e is None else e for e in new]
    pkt.same(got, pkt.sctp(*new, tag, chunks, ident=ident, ttl=pkt.TTL - 1, **kw))
    return v.sport


def associate(family, client, sport, dst, dport):
    """Open an association; returns its external port."""
    c, x, s = C[family][client], X[family], S[family][dst]
    out = carry("lan", (c, s, sport, dport), (x, s, None, dport), 0, INIT)
    for side, tag, chunks in (("wan", 0x12345678, INIT_ACK), ("lan", 0x9abcdef0, COOKIE),
                              ("wan", 0x12345678, b"\x0b\0\0\4"),
                              ("lan", 0x9abcdef0, DATA), ("wan", 0x12345678, DATA)):
        if side == "lan":
            carry(side, (c, s, sport, dport), (x, s, out, dport), tag, chunks)
        else:
            carry(side, (s, x, dport, out), (s, c, dport, sport), tag, chunks)
    return out


@each("sctp an association keeps its port, and its CRC, where it can")
def keeps(family):
    masquerade(family)
    sport = port()
    equal(associate(family, 0, sport, 0, 36412), sport, "external port")
    found = conns("proto", "sctp")
    equal(len(found), 1, "connections")
    true(590 <= found[0]["expires"] <= 600, "expires in %d s" % found[0]["expires"])


@each("sctp two hosts with the same port get two, with new CRCs")
def clash(family):
    masquerade(family)
    sport = port()
    used = {associate(family, client, sport, 0, 36412) for client in (0, 1, 2)}
    equal(len(used), 3, "external ports, %r" % used)


@each("sctp the mapping does not depend on the destination")
def independent(family):
    masquerade(family, " random")
    sport = port()
    used = {associate(family, 0, sport, server, 80) for server in (0, 1, 2)}
    equal(len(used), 1, "external ports, %r" % used)


@each("sctp packets of all sizes")
def sizes(family):
    masquerade(family, " random")
    sport = port()
    c, x, s = C[family][0], X[family], S[family][0]
    out = carry("lan", (c, s, sport, 80), (x, s, None, 80), 0, INIT)
    for size in (0, 4, 8, 240, 244, 248, 252, 256, 260, 508, 512, 516, 1024, 1400):
        data = bytes(n * 7 & 255 for n in range(size))
        carry("lan", (c, s, sport, 80), (x, s, out, 80), 1, data)
        carry("wan", (s, x, 80, out), (s, c, 80, sport), 2, data)


@each("sctp a wrong CRC stays as wrong as it was")
def wrong(family):
    masquerade(family, " random")
    sport = port()
    c, x, s = C[family][0], X[family], S[family][0]
    carry("lan", (c, s, sport, 80), (x, s, None, 80), 0, INIT, bad=0x00400100)


@each("sctp a forward to another port")
def forward(family):
    where = "[%s]:%d" if family == 6 else "%s:%d"
    apply("forward sctp %s %s\n" % (where % (X[family], 2905),
                                    where % (C[family][1], 1905)))
    c, x, s, far = C[family][1], X[family], S[family][2], port()
    carry("wan", (s, x, far, 2905), (s, c, far, 1905), 0, INIT)
    carry("lan", (c, s, 1905, far), (x, s, 2905, far), 0x12345678, INIT_ACK)


@each("sctp errors about an association, quoted whole or in part")
def errors(family):
    masquerade(family, " random")
    sport = port()
    c, x, s = C[family][0], X[family], S[family][0]
    out = associate(family, 0, sport, 0, 80)
    outer = pkt.sctp(x, s, out, 80, 5, DATA, ident=3)
    inner = pkt.sctp(c, s, sport, 80, 5, DATA, ident=3)
    size = 40 if family == 6 else 20
    for source in (s, HOP[family]):
        for cut in (None, size + 8, size + 12):
            err = pkt.error(source, x, "unreach", outer, cut=cut, ident=4)
            lab.expect("wan", err, pkt.error(source, c, "unreach", inner, cut=cut,
                                             ident=4, ttl=pkt.TTL - 1))


@each("sctp a header cut short is dropped")
def short(family):
    masquerade(family)
    raw = pkt.sctp(C[family][0], S[family][0], port(), 80, 0, INIT)
    at = 40 if family == 6 else 20
    for size in (0, 1, 4, 8, 11):
        lab.nothing("lan", pkt.ip(C[family][0], S[family][0], 132, raw[at:at + size]))


@case("sctp ipv4: the timers of both profiles")
def timers():
    userctl("apply", "-", data="set profile iptables\n")
    equal(int(setting("timeout.sctp")), 210, "timeout.sctp")
    equal(int(setting("timeout.dccp-open")), 43200, "timeout.dccp-open")
    userctl("apply", "-", data="")
    equal(int(setting("timeout.sctp")), 600, "timeout.sctp")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
