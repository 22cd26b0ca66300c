#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""RFC 5508, as far as nat_icmp.py does not show it.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12

Queries and how long they live, messages that are too old to pass, and what
the router itself says.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, masquerade, moved, setting, stats  # noqa: E402
from flow import listed, outward, port      # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, HOP, INSIDE, POOL, S, X, Lab, sysctl  # noqa: E402

lab = Lab()
FAMILIES = (4, 6)
UNREACH = {4: 3, 6: 1}
QUENCH, TIMESTAMP, INFO, MASK = 4, 13, 15, 17


def counted(before, name, times=1):
    equal(moved(before).get(name, 0), times, "counted as " + name)


@each("rfc5508_req2 a query lives a minute")
def default_timer(family):
    masquerade(family)
    true(setting("timeout.icmp") in (60, "60"), "timeout.icmp is %r" % setting("timeout.icmp"))
    ident = port()
    outward(lab, "icmp", C[family][0], ident, S[family][0])
    true(listed("icmp", C[family][0], ident)["expires"] >= 57, "a query expires in %d s"
         % listed("icmp", C[family][0], ident)["expires"])


@each("rfc5508_req2 the timer is configurable, answers pass until it ends")
def timer(family):
    masquerade(family, before="set timeout.icmp 4\n")
    ident = port()
    addr, outside = outward(lab, "icmp", C[family][0], ident, S[family][0], back=False)
    begin = time.monotonic()
    reply = pkt.echo(S[family][0], addr, outside, answer=True)
    while time.monotonic() < begin + 2.8:
        time.sleep(0.1)
    # An answer late in the query's life; it begins anew.
    lab.expect("wan", reply, pkt.xlate(reply, dst=C[family][0], dport=ident))
    ktap.wait_until(lambda: not conns("src", C[family][0]), 12, "the query to expire")
    lab.nothing("wan", reply)


@each("rfc5508_req3 checksums of errors")
def checksums(family):
    """Wrong outer and inner ones are dropped, a wrong quoted UDP one is not."""
    masquerade(family)
    sport, c, s = port(), C[family][0], S[family][0]
    addr, outside = outward(lab, "udp", c, sport, s)
    sent = pkt.udp(addr, s, outside, 80)
    l4 = 20 if family == 4 else 40
    err = pkt.error(HOP[family], addr, "unreach", sent)
    before = stats()
    lab.nothing("wan", err[:l4 + 2] + b"\xba\xad" + err[l4 + 4:])
    counted(before, "checksum")
    if family == 4:
        before = stats()
        lab.nothing("wan", pkt.error(HOP[4], addr, "unreach",
                                     sent[:10] + b"\xba\xad" + sent[12:]))
        counted(before, "icmp-quote")
    wrong = sent[:l4 + 6] + b"\x12\x34" + sent[l4 + 8:]
    err = pkt.error(HOP[family], addr, "unreach", wrong)
    lab.expect("wan", err, pkt.xlate(err, dst=c, inner={"src": c, "sport": sport}))


def query(kind, src, dst, ident, data=b""):
    return pkt.icmp(src, dst, kind, 0, ident.to_bytes(2, "big") + b"\0\1", data)


def no_room(family, word, code):
    """Two identifiers for three queries: the third is told."""
    where = "[%s]:%s" if family == 6 else "%s:%s"
    apply("%srule postrouting oif wan0 src %s snat %s\n" % (
        word and "set icmp.exhausted %s\n" % word, INSIDE[family],
        where % (POOL[family][2], "3000-3001")))
    ids = [port(), port()]
    used = [outward(lab, "icmp", C[family][n], ids[n], S[family][0],
                    ext=[POOL[family][2]], ports=(3000, 3001))[1] for n in (0, 1)]
    equal(sorted(used), [3000, 3001], "identifiers in use")
    raw = pkt.echo(C[family][2], S[family][1], port())
    before = stats()
    seen = lab.swap("lan", raw)
    equal(seen["wan"], [], "packets on wan0")
    counted(before, "no-port")
    if code is None:
        equal(seen["lan"], [], "answers")
    else:
        equal([(pkt.View(p).type, pkt.View(p).seg[1]) for p in seen["lan"]],
              [(UNREACH[family], code)], "type and code of the answer")
        v = pkt.View(seen["lan"][0])
        equal(v.dst, C[family][2], "whom it tells")
        pkt.same(v.seg[8:8 + len(raw)], pkt.xlate(raw), "its quote")
    # Those that exist do not suffer.
    for n in (0, 1):
        equal(outward(lab, "icmp", C[family][n], ids[n], S[family][0],
                      ext=[POOL[family][2]])[1], used[n], "identifier")


for _family in FAMILIES:
    for _word, _code in (("", {4: 1, 6: 3}), ("host-unreachable", {4: 1, 6: 3}),
                         ("admin-prohibited", {4: 13, 6: 1}), ("silent", {})):
        case("rfc5508_req8 no room for a query, %s ipv%d" % (_word or "default", _family),
             family=_family, word=_word, code=_code.get(_family))(no_room)


def out_of(family, kind, must):
    """What C1 sends of that type."""
    masquerade(family)
    raw = query(kind, C[family][0], S[family][0], port(), b"\0" * 12)
    before = stats()
    seen = lab.swap("lan", raw)
    if must == "pass":
        got = seen["wan"][0]
        pkt.same(got, pkt.xlate(raw, src=X[family], sport=pkt.View(got).sport))
        return
    equal(seen, {"lan": [], "wan": []}, "packets")
    counted(before, "icmp-type")


case("rfc5508_req10b timestamp queries pass", family=4, kind=TIMESTAMP,
     must="pass")(out_of)
case("rfc5508_req10c information queries do not pass", family=4, kind=INFO,
     must="drop")(out_of)
case("rfc5508_req10c nor do answers to them", family=4, kind=INFO + 1,
     must="drop")(out_of)
case("address mask queries do not pass", family=4, kind=MASK, must="drop")(out_of)
case("nor do answers to them", family=4, kind=MASK + 1, must="drop")(out_of)
case("rfc5508_req11 type 40 does not pass", family=4, kind=40, must="drop")(out_of)
case("rfc5508_req11 type 200 does not pass ipv6", family=6, kind=200, must="drop")(out_of)
case("rfc5508_req11 a node information query does not pass ipv6", family=6, kind=139,
     must="drop")(out_of)


@case("rfc5508_req10c source quench does not pass, either way")
def quench():
    masquerade(4)
    sport = port()
    addr, outside = outward(lab, "udp", C[4][0], sport, S[4][0])
    before = stats()
    sent = pkt.udp(addr, S[4][0], outside, 80)
    lab.nothing("wan", pkt.icmp(HOP[4], addr, QUENCH, 0, payload=sent))
    got = pkt.udp(S[4][0], C[4][0], 80, sport)
    lab.nothing("lan", pkt.icmp(C[4][0], S[4][0], QUENCH, 0, payload=got))
    counted(before, "icmp-type", 2)


@case("rfc5508_req10c a query of one type does not open the way for another")
def borrowed():
    """The identifier of a ping, in both directions."""
    masquerade(4)
    ident = port()
    addr, outside = outward(lab, "icmp", C[4][0], ident, S[4][0])
    before = stats()
    lab.nothing("lan", query(INFO, C[4][0], S[4][0], ident))
    lab.nothing("wan", query(INFO + 1, S[4][0], addr, outside))
    counted(before, "icmp-type", 2)


@case("icmp.obsolete lets them pass, as iptables does")
def obsolete():
    for before in ("set icmp.obsolete on\n", "set profile iptables\n"):
        masquerade(4, before=before)
        for kind in (INFO, MASK):
            ident = port()
            raw = query(kind, C[4][0], S[4][0], ident, b"\0" * 4)
            got = lab.through("lan", raw)
            pkt.same(got, pkt.xlate(raw, src=X[4], sport=pkt.View(got).sport))
            reply = query(kind + 1, S[4][0], X[4], pkt.View(got).sport, b"\0" * 4)
            lab.expect("wan", reply, pkt.xlate(reply, dst=C[4][0], dport=ident))
        sport = port()
        addr, outside = outward(lab, "udp", C[4][0], sport, S[4][0])
        err = pkt.icmp(HOP[4], addr, QUENCH, 0,
                       payload=pkt.udp(addr, S[4][0], outside, 80))
        lab.expect("wan", err, pkt.xlate(
            err, dst=C[4][0], inner={"src": C[4][0], "sport": sport}))


@each("rfc5508_req10 unreachable, time exceeded and echo pass")
def must_pass(family):
    masquerade(family)
    sport, c = port(), C[family][0]
    addr, outside = outward(lab, "udp", c, sport, S[family][0])
    outward(lab, "icmp", c, None, S[family][0])
    sent = pkt.udp(addr, S[family][0], outside, 80)
    codes = {4: {3: range(16), 11: range(2)}, 6: {1: range(7), 3: range(2)}}[family]
    for kind, values in codes.items():
        for code in values:
            err = pkt.icmp(HOP[family], addr, kind, code, payload=sent)
            lab.expect("wan", err, pkt.xlate(
                err, dst=c, inner={"src": c, "sport": sport}))


def exhaust(family):
    where = "[%s]:%s" if family == 6 else "%s:%s"
    apply("rule postrouting oif wan0 src %s snat %s\n" % (
        INSIDE[family], where % (POOL[family][2], "3000-3000")))
    outward(lab, "udp", C[family][0], None, S[family][0], ext=[POOL[family][2]])


@each("rfc5508_req10 no answer to what must not be answered")
def unanswered(family):
    """RFC 1812 4.3.2.7, RFC 4443 2.4: errors, groups, no single host."""
    exhaust(family)
    c, s = C[family][1], S[family][1]
    refused = pkt.udp(c, s, port(), 80)
    equal(len(lab.swap("lan", refused)["lan"]), 1, "answers to a packet")
    about = pkt.udp(s, c, 80, port())
    lab.nothing("lan", pkt.error(c, s, "unreach", about))
    group, nobody = {4: ("224.0.1.1", "0.0.0.0"), 6: ("ff0e::1", "::")}[family]
    lab.nothing("lan", pkt.udp(c, group, port(), 80))
    lab.nothing("lan", pkt.udp(nobody, s, port(), 80))
    lab.nothing("lan", pkt.udp(group, s, port(), 80))


@each("rfc5508_req10 answers are limited in rate")
def limited(family):
    """Two hundred refused packets in one moment are answered a few times."""
    exhaust(family)
    limits = {4: ("ipv4/icmp_ratelimit", 1000), 6: ("ipv6/icmp/ratelimit", 1000)}
    sysctl(*limits[family])
    # An error that went out while there was no limit leaves the host without credit for one interval.
    time.sleep(1.1)
    try:
        seen = lab.swap("lan", *[pkt.udp(C[family][2], S[family][2], port(), 80)
                                 for _ in range(200)])
    finally:
        sysctl(limits[family][0], 0)
    true(1 <= len(seen["lan"]) <= 40, "%d answers" % len(seen["lan"]))
    equal(seen["wan"], [], "packets on wan0")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
