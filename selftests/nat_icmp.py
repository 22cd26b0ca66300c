#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ICMP errors are translated inside and out, or dropped.

    C1 10.0.0.2 ---- lan0 [router] wan0 ---- S1..S3 198.51.100.10-12
    P 10.0.0.200             198.51.100.1       H 198.51.100.30
    fd00:a::2, fd00:a::c8    2001:db8:1::1      2001:db8:1::10-12, ::30

P and H are routers on the path that send errors about others' packets.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, masquerade, moved, query, stats, userctl  # noqa: E402
from flow import PORTED, listed, outward, port  # noqa: E402
from ktap import case, equal, true          # noqa: E402
from lab import C, HOP, INSIDE, POOL, R, S, X, Lab  # noqa: E402

lab = Lab()
FAMILIES = (4, 6)
PATH = {4: "10.0.0.200", 6: "fd00:a::c8"}   # a router on the inside
KINDS = ("unreach", "toobig", "time", "param")
SIZE = {4: 20, 6: 40}


def opened(family, proto, dst=None, **kw):
    """Open a flow of C1; returns (what C1 sent, what the server saw, port)."""
    sport = port()
    dst = dst or S[family][0]
    addr, outside = outward(lab, proto, C[family][0], sport, dst)
    raw = pkt.first(proto, C[family][0], sport, dst, 80, **kw)
    seen = lab.through("lan", raw)
    pkt.same(seen, pkt.xlate(raw, src=addr, sport=outside), "packet")
    return raw, seen, sport


def about(family, proto, kind, source, cut, mtu=0, **kw):
    """An error from outside about a packet of C1 must reach C1 restored."""
    masquerade(family)
    _, seen, sport = opened(family, proto, **kw)
    err = pkt.error(source, X[family], kind, seen, mtu=mtu, cut=cut)
    ports = {"sport": sport} if proto in PORTED else {}
    lab.expect("wan", err, pkt.xlate(
        err, dst=C[family][0], inner={"src": C[family][0], **ports}))


for _family in FAMILIES:
    for _proto in PORTED + ("47",):
        for _kind in KINDS:
            for _who, _source in (("server", S[_family][0]),
                                  ("router on the path", HOP[_family])):
                case("rfc5508_req4 %s from the %s about %s ipv%d" % (
                    _kind, _who, _proto, _family), family=_family,
                    proto=_proto, kind=_kind, source=_source, cut=None)(about)
    for _proto in PORTED:
        case("rfc5508_req4 a quote of 8 bytes of %s ipv%d" % (_proto, _family),
             family=_family, proto=_proto, kind="unreach",
             source=HOP[_family], cut=SIZE[_family] + 8)(about)
        case("a quote cut in the middle of %s ipv%d" % (_proto, _family),
             family=_family, proto=_proto, kind="time", source=HOP[_family],
             cut=SIZE[_family] + 13)(about)
    case("rfc5508_req4 next-hop MTU is kept ipv%d" % _family, family=_family, proto="udp",
         kind="toobig", source=HOP[_family], cut=None, mtu=1287)(about)

case("rfc5508_req3 options in the quoted header are skipped", family=4, proto="udp",
     kind="unreach", source=HOP[4], cut=28 + 4, opts=b"\x94\4\0\0")(about)
case("rfc3022 a quoted UDP checksum of zero stays zero", family=4, proto="udp",
     kind="unreach", source=HOP[4], cut=28, nosum=True)(about)


@case("rfc5508_req3 RFC 4884 extensions after the quote stay as they are")
def extensions():
    masquerade(4)
    _, seen, sport = opened(4, "udp")
    quote = seen + b"\0" * (128 - len(seen))
    more = b"\x20\0\0\0" + b"\0\x08\1\1\xde\xad\xbe\xef"
    err = pkt.icmp(HOP[4], X[4], 11, 0, b"\0\x20\0\0", quote + more)
    want = pkt.xlate(err, dst=C[4][0], inner={"src": C[4][0], "sport": sport})
    lab.expect("wan", err, want)
    equal(want[-12:], more, "extensions")


@case("rfc5508_req3 a wrong transport checksum in the quote does not matter")
def wrong_quote():
    masquerade(4)
    _, seen, sport = opened(4, "udp")
    seen = seen[:26] + b"\x12\x34" + seen[28:]
    err = pkt.error(S[4][0], X[4], "unreach", seen)
    lab.expect("wan", err, pkt.xlate(
        err, dst=C[4][0], inner={"src": C[4][0], "sport": sport}))


def refused(name, raw, reason, side="wan"):
    """The packet goes nowhere and is counted under its reason."""
    before = stats()
    lab.nothing(side, raw)
    now = moved(before)
    true(any(reason in key for key in now),
         "%s: no counter %s among %r" % (name, reason, now))


@case("rfc5508_req3 a wrong ICMP checksum is dropped")
def wrong_checksum():
    masquerade(4)
    _, seen, _ = opened(4, "udp")
    err = pkt.error(S[4][0], X[4], "unreach", seen)
    refused("error", err[:22] + b"\xba\xad" + err[24:], "checksum")


@case("rfc5508_req3 a wrong checksum of the quoted IP header is dropped")
def wrong_inner():
    masquerade(4)
    _, seen, _ = opened(4, "udp")
    seen = seen[:10] + b"\xba\xad" + seen[12:]
    refused("error", pkt.error(S[4][0], X[4], "unreach", seen), "icmp-quote")


def without_mapping(family, kind):
    """What no flow explains reaches nobody inside."""
    apply("rule postrouting oif wan0 src %s snat %s\n" % (INSIDE[family], POOL[family][2]))
    outward(lab, "udp", C[family][0], None, S[family][0], ext=[POOL[family][2]])
    for about in (POOL[family][2], X[family], C[family][0]):
        fake = pkt.udp(about, S[family][0], port(), 80)
        for target in {about, X[family]} - {C[family][0]}:
            lab.nothing("wan", pkt.error(S[family][0], target, kind, fake))


for _family in FAMILIES:
    for _kind in KINDS:
        case("rfc5508_req4 %s without a mapping ipv%d" % (_kind, _family),
             family=_family, kind=_kind)(without_mapping)


def from_inside(family, proto, kind, source):
    """An inside host's error about the server's packet leaves as X's."""
    masquerade(family)
    _, seen, sport = opened(family, proto)
    reply = pkt.answer(seen)
    inner = lab.through("wan", reply)
    err = pkt.error(source, S[family][0], kind, inner)
    ports = {"dport": pkt.View(seen).sport} if proto in PORTED else {}
    lab.expect("lan", err, pkt.xlate(
        err, src=X[family], inner={"dst": X[family], **ports}))


for _family in FAMILIES:
    for _proto in PORTED:
        for _who, _source in (("client", C[_family][0]),
                              ("router inside", PATH[_family])):
            case("rfc5508_req5 error from the %s about %s ipv%d" % (_who, _proto, _family),
                 family=_family, proto=_proto, kind="unreach",
                 source=_source)(from_inside)


def about_dnat(family, proto):
    """Errors about a flow through a forward, in both directions."""
    apply("rule prerouting iif wan0 dst %s dnat %s\n"
          % (POOL[family][3], C[family][0]))
    src, dport = S[family][0], 8080
    raw = pkt.first(proto, src, port(), POOL[family][3], dport)
    seen = lab.through("wan", raw)
    err = pkt.error(C[family][0], src, "unreach", seen)
    lab.expect("lan", err, pkt.xlate(
        err, src=POOL[family][3], inner={"dst": POOL[family][3]}))
    reply = lab.through("lan", pkt.answer(seen))
    err = pkt.error(HOP[family], POOL[family][3], "time", reply)
    lab.expect("wan", err, pkt.xlate(
        err, dst=C[family][0], inner={"src": C[family][0]}))


for _family in FAMILIES:
    for _proto in PORTED:
        case("errors about dnat of %s ipv%d" % (_proto, _family),
             family=_family, proto=_proto)(about_dnat)


def own_error(family):
    """The router's own time-exceeded shows the client its own packet."""
    masquerade(family)
    raw = pkt.udp(C[family][0], S[family][0], port(), 33434, ttl=1)
    seen = pkt.View(lab.through("lan", raw, out="lan"))
    equal((seen.src, seen.dst, seen.type),
          (R[family], C[family][0], 3 if family == 6 else 11), "the error")
    equal(seen.seg[8:8 + len(raw)], raw, "the quoted packet")
    # From outside: a reply that dies at the router names X, not the client.
    _, out, _ = opened(family, "udp")
    reply = pkt.udp(S[family][0], X[family], 80, pkt.View(out).sport, ttl=1)
    seen = pkt.View(lab.through("wan", reply, out="wan"))
    equal((seen.src, seen.dst, seen.type),
          (X[family], S[family][0], 3 if family == 6 else 11), "the error")
    equal(seen.inner.dst, X[family], "the quoted destination")
    equal(seen.inner.dport, pkt.View(out).sport, "the quoted port")


def keeps(family, proto):
    """An error neither refreshes a session nor ends it."""
    key = {"udp": "udp-replied", "icmp": "icmp", "tcp": "tcp-syn-received"}[proto]
    apply("set timeout.%s 100\nset timeout.%s 100\n"
          "rule postrouting oif wan0 src %s masquerade\n"
          % (key, "udp" if proto == "udp" else key, INSIDE[family]))
    _, seen, sport = opened(family, proto)
    start = listed(proto, C[family][0], sport)["expires"]
    time.sleep(2.1)
    err = pkt.error(HOP[family], X[family], "unreach", seen)
    lab.through("wan", err)
    after = listed(proto, C[family][0], sport)["expires"]
    true(after <= start - 2, "expires in %d s, before the error in %d s" % (after, start))
    reply = pkt.answer(seen)
    lab.expect("wan", reply, pkt.xlate(reply, dst=C[family][0], dport=sport))


for _family in FAMILIES:
    case("rfc5508_req10 the router's own errors show each side its own packet ipv%d"
         % _family, family=_family)(own_error)
    case("rfc5508_req6 an error does not refresh icmp ipv%d" % _family,
         family=_family, proto="icmp")(keeps)
case("an error does not refresh udp", family=4, proto="udp")(keeps)
case("an error does not refresh tcp", family=4, proto="tcp")(keeps)


@case("errors are counted")
def counted():
    masquerade(4)
    before = query("stats")
    _, seen, _ = opened(4, "udp")
    lab.through("wan", pkt.error(HOP[4], X[4], "time", seen))
    true(before != query("stats"), "no counter moved")


def query_types(kind, reply):
    """Timestamp queries are translated by their identifier, as echo is."""
    masquerade(4)
    sport = port()
    body = b"\0\1" + b"\0\0\0\0" * (3 if kind == 13 else 1)
    raw = pkt.icmp(C[4][0], S[4][0], kind, 0,
                   sport.to_bytes(2, "big") + body[:2], body[2:])
    got = lab.through("lan", raw)
    outside = pkt.View(got).sport
    pkt.same(got, pkt.xlate(raw, src=X[4], sport=outside), "query")
    back = pkt.icmp(S[4][0], X[4], reply, 0,
                    outside.to_bytes(2, "big") + body[:2], body[2:])
    lab.expect("wan", back, pkt.xlate(back, dst=C[4][0], dport=sport))


case("rfc5508_req10b timestamp query", kind=13, reply=14)(query_types)


def echo_identity(family):
    """RFC 5508 REQ-1: the identifier is mapped whatever the destination."""
    masquerade(family)
    ident = port()
    ids = {outward(lab, "icmp", C[family][0], ident, server)[1]
           for server in S[family]}
    equal(len(ids), 1, "external identifiers of one query identifier")
    other = outward(lab, "icmp", C[family][1], ident, S[family][0])[1]
    true(other not in ids, "two hosts share identifier %d" % other)


for _family in FAMILIES:
    case("rfc5508_req1 echo identifiers are endpoint-independent ipv%d" % _family,
         family=_family)(echo_identity)


@case("an unsolicited echo reply is dropped")
def unsolicited():
    masquerade(4)
    lab.nothing("wan", pkt.echo(S[4][0], X[4], port(), answer=True))
    equal(conns(), [], "connections")


@case("the router answers echo to its own address")
def own_echo():
    masquerade(4)
    raw = pkt.echo(S[4][0], X[4], port())
    got = lab.through("wan", raw, out="wan")
    equal(pkt.View(got).type, 0, "type")
    equal(pkt.xlate(got, hops=0), got, "checksums")
    userctl("conn", "flush")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
