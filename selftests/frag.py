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
from ctl import masquerade, moved, stats    # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import Fail, case, equal, main, true  # noqa: E402
from lab import C, OTHER, S, X, Lab         # noqa: E402

lab = Lab()
ORDERS = {"in order": lambda p: p, "reversed": lambda p: p[::-1],
          "last first": lambda p: p[-1:] + p[:-1],
          "shuffled": lambda p: random.Random(7).sample(p, len(p)),
          "one twice": lambda p: p[:2] + p[1:]}


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
            case("rfc4787_req14 %s %s ipv%d" % (_proto, _order, _family), family=_family,
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


def dropped_tiny(family, count, *parts):
    """Fragments that must go nowhere, @count of them for what they are."""
    before = stats()
    lab.nothing("lan", *parts)
    equal(moved(before).get("tiny-fragment", 0), count, "tiny fragments counted")


def segment(family):
    """A small TCP segment of a live connection, and where it goes."""
    sport = port()
    addr, outside = outward(lab, "tcp", C[family][0], sport, S[family][0])
    whole = datagram("tcp", C[family][0], S[family][0], sport, 80, 64)
    return whole, pkt.xlate(whole, src=addr, sport=outside)


def tiny(family):
    """First fragments without the flags, others that reach into the header."""
    masquerade(family)
    whole, want = segment(family)
    first, second = pkt.fragment(whole, 8)[:2]
    dropped_tiny(family, 2, first, second)
    # Hidden among good ones, they would write over the flags.
    parts = pkt.fragment(whole, 24)
    if family == 6:             # the same identification
        second = second[:44] + parts[0][44:48] + second[48:]
    before = stats()
    arrives("lan", [parts[0], second, *parts[1:]], want)
    equal(moved(before).get("tiny-fragment"), 1, "tiny fragments counted")
    # The shortest that holds all that matters; of IPv6 the kernel wants all.
    whole, want = segment(family)
    arrives("lan", pkt.fragment(whole, 16 if family == 4 else 24), want)


def tiny_udp(family):
    """UDP's ports lie in the first eight bytes: no fragment can hide them."""
    masquerade(family)
    whole = datagram("udp", C[family][0], S[family][0], port(), 80, 64)
    parts = pkt.fragment(whole, 8)
    seen = lab.swap("lan", *parts)["wan"]
    got = pkt.reassemble(seen)
    true(got, "nothing whole came out")
    pkt.same(got, pkt.xlate(whole, src=X[family], sport=pkt.View(got).sport))


def tiny_headers(family):
    """A first fragment that ends within the IPv6 headers (RFC 7112)."""
    masquerade(family)
    c, s = C[family][0], S[family][0]
    options = bytes([17, 1, 1, 12]) + b"\0" * 12       # 16 bytes, then UDP
    body = options + pkt.udp(c, s, port(), 80)[40:]
    dropped_tiny(family, 1, pkt.ip(c, s, 44, b"\x3c\0\0\1\0\0\0\7" + body[:8]))


@case("tiny fragments where they are not checked")
def tiny_off():
    """What can be put together goes on."""
    masquerade(4, before="set fragment.check off\n")
    whole, want = segment(4)
    arrives("lan", pkt.fragment(whole, 8), want)


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
            ("rfc1858 tiny fragments", tiny), ("rfc1858 tiny fragments of UDP", tiny_udp),
            ("overlapping fragments", overlapping),
            ("rfc4787_req14 a flood of first fragments", flood)):
        case("%s ipv%d" % (_name, _family), family=_family)(_func)
case("rfc1858 a first fragment without all IPv6 headers", family=6)(tiny_headers)


if __name__ == "__main__":
    main(setup=lab.collect)
