#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Fragments, in and out of order, both directions, both families.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12

The kernel puts fragments together before the NAT looks at them and cuts the
packet again behind it, so what counts is the datagram that arrives.
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import pkt                                  # noqa: E402
from ctl import apply                       # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import Fail, case, equal, main, true  # noqa: E402
from lab import C, INSIDE, OTHER, S, X, Lab  # noqa: E402

lab = Lab()
ORDERS = {"in order": lambda p: p, "reversed": lambda p: p[::-1],
          "last first": lambda p: p[-1:] + p[:-1],
          "shuffled": lambda p: random.Random(7).sample(p, len(p)),
          "one twice": lambda p: p[:2] + p[1:]}


def masquerade(family):
    apply("rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])


def datagram(proto, src, dst, sport, dport, size, seq=1010, ack=77001, **kw):
    data = random.Random(src + str(size)).randbytes(size)
    if proto == "udp":
        return pkt.udp(src, dst, sport, dport, data, df=False, **kw)
    if proto == "tcp":
        return pkt.tcp(src, dst, sport, dport, pkt.ACK | pkt.PSH, seq, ack,
                       data, df=False, **kw)
    return pkt.echo(src, dst, sport, payload=data, df=False, **kw)


def arrives(side, parts, want):
    """Fragments go in, the translated datagram must come out."""
    seen = lab.swap(side, *parts)
    got = pkt.reassemble(seen[OTHER[side]]) if seen[OTHER[side]] else None
    if got is None or seen[side]:
        raise Fail("sent %d fragments, got %s" % (
            len(parts), [str(pkt.View(p)) for s in seen for p in seen[s]]))
    pkt.same(got, want, "reassembled")
    for part in seen[OTHER[side]]:
        true(len(part) <= 1500, "a fragment of %d bytes" % len(part))


def both_ways(family, proto, order, size=4000, cut=1000):
    masquerade(family)
    c, s, sport = C[family][0], S[family][0], port()
    addr, outside = outward(lab, proto, c, sport, s)
    whole = datagram(proto, c, s, sport, 80, size)
    arrives("lan", ORDERS[order](pkt.fragment(whole, cut)),
            pkt.xlate(whole, src=addr, sport=outside))
    kw = {"answer": True} if proto == "icmp" else {}
    back = datagram(proto, s, addr, *((outside, 0) if kw else (80, outside)),
                    size, 77001, 1010 + size, **kw)
    arrives("wan", ORDERS[order](pkt.fragment(back, cut)),
            pkt.xlate(back, dst=c, dport=sport))


for _family in (4, 6):
    for _proto in ("udp", "tcp", "icmp"):
        for _order in ORDERS:
            if _order == "one twice" and _family == 6:
                continue        # RFC 5722: the kernel may drop overlaps
            case("%s %s ipv%d" % (_proto, _order, _family), family=_family,
                 proto=_proto, order=_order)(both_ways)
    case("many small fragments ipv%d" % _family, family=_family, proto="udp",
         order="shuffled", size=1400, cut=64)(both_ways)
    case("ping of 8000 bytes ipv%d" % _family, family=_family, proto="icmp",
         order="shuffled", size=8000, cut=1400)(both_ways)


def opens(family):
    """The first packet of a flow may come in fragments."""
    masquerade(family)
    whole = datagram("udp", C[family][0], S[family][0], port(), 80, 3000)
    seen = lab.swap("lan", *pkt.fragment(whole, 1400)[::-1])["wan"]
    got = pkt.reassemble(seen)
    true(got, "nothing whole came out")
    pkt.same(got, pkt.xlate(whole, src=X[family], sport=pkt.View(got).sport))


def incomplete(family):
    """Without its last, first or middle fragment nothing of it passes."""
    masquerade(family)
    for missing in range(4):
        parts = pkt.fragment(datagram("udp", C[family][0], S[family][0], port(),
                                      80, 4000), 1000)
        equal(len(parts), 5, "fragments")
        lab.nothing("lan", *(parts[:missing] + parts[missing + 1:]))
    outward(lab, "udp", C[family][0], None, S[family][0])


def same_id(family):
    """Two hosts use one identification at the same time."""
    masquerade(family)
    parts = []
    for client in C[family][:2]:
        whole = datagram("udp", client, S[family][0], port(), 80, 2500,
                         **({"ident": 4242} if family == 4 else {}))
        parts.append((whole, pkt.fragment(whole, 1200)))
    mixed = [p for pair in zip(*(p for _, p in parts)) for p in pair]
    seen = lab.swap("lan", *mixed)["wan"]
    for whole, _ in parts:
        sport = pkt.View(whole).sport
        mine = [p for p in seen if pkt.View(p).seg[8:] in whole or
                pkt.View(p).seg in whole]
        got = pkt.reassemble(mine)
        true(got, "the datagram of port %d did not arrive whole" % sport)
        pkt.same(got, pkt.xlate(whole, src=X[family], sport=pkt.View(got).sport))


def tiny(family):
    """A first fragment too short for its ports, and one at offset 8."""
    masquerade(family)
    whole = pkt.tcp(C[family][0], S[family][0], port(), 80, df=False,
                    payload=b"x" * 64)
    parts = pkt.fragment(whole, 8)
    # Alone it must go nowhere; all together they make a good packet or none.
    lab.nothing("lan", parts[0])
    seen = lab.swap("lan", *pkt.fragment(whole, 8))["wan"]
    if seen:
        got = pkt.reassemble(seen)
        true(got, "pieces came out: %s" % [str(pkt.View(p)) for p in seen])
        pkt.same(got, pkt.xlate(whole, src=X[family], sport=pkt.View(got).sport))
    # The second fragment overwrites the ports of the first (RFC 1858).
    first, second = pkt.fragment(whole, 24)[:2]
    lab.nothing("lan", first, pkt.fragment(whole, 8)[1], second)


def overlapping(family):
    """Fragments that overlap with other contents make no datagram."""
    masquerade(family)
    whole = datagram("udp", C[family][0], S[family][0], port(), 80, 3000)
    other = whole[:2000] + b"\xff" * (len(whole) - 2000)
    parts = pkt.fragment(whole, 1000)
    wrong = pkt.fragment(other, 1200)[1]
    if family == 6:             # the same identification
        wrong = wrong[:44] + parts[0][44:48] + wrong[48:]
    seen = lab.swap("lan", parts[0], wrong, *parts[1:])["wan"]
    equal([str(pkt.View(p)) for p in seen], [], "packets on wan0")
    outward(lab, "udp", C[family][0], None, S[family][0])


def flood(family):
    """Thousands of first fragments take no flow down and open none."""
    masquerade(family)
    sport = port()
    outward(lab, "udp", C[family][0], sport, S[family][0])
    whole = datagram("udp", C[family][1], S[family][0], port(), 80, 1400)
    for n in range(20):
        for _ in range(50):
            part = pkt.fragment(whole, 1200)[0]
            if family == 4:
                part = pkt.ip(C[4][1], S[4][0], 17, part[20:], df=False, more=True)
            lab.send("lan", part)
        equal(lab.collect(), {"lan": [], "wan": []}, "packets in round %d" % n)
    outward(lab, "udp", C[family][0], sport, S[family][0])


for _family in (4, 6):
    for _name, _func in (
            ("fragments open a flow", opens), ("incomplete datagrams", incomplete),
            ("two hosts with one identification", same_id),
            ("tiny first fragments", tiny), ("overlapping fragments", overlapping),
            ("a flood of first fragments", flood)):
        case("%s ipv%d" % (_name, _family), family=_family)(_func)


if __name__ == "__main__":
    main(setup=lab.collect)
