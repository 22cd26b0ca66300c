#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dnat that shifts ports: as far from the first of a range as from a base.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12
"""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, userctl       # noqa: E402
from flow import inward, port               # noqa: E402
from ktap import each, equal, true          # noqa: E402
from lab import C, S, X, Lab, listen        # noqa: E402

lab = Lab()


def shift(chain, dst, addr, ports):
    """A rule that sends everything to @dst to those ports of @addr."""
    where = "[%s]" % addr if pkt.is6(addr) else addr
    return "rule %s dst %s dnat %s:%s\n" % (chain, dst, where, ports)


# Of a shift of 5000-5010 to 1000-1010: its ends, the turn behind it, and below
# it, where the distance from 5000 is taken as a number of 16 bits.
SHIFTED = ((5000, 1000), (5010, 1010), (5004, 1004), (5011, 1000), (5023, 1001),
           (65535, 1002), (4999, 1008), (4990, 1010), (1, 1004))


@each("shifted ports of the same distance", ("tcp", "udp"))
def distance(family, proto):
    for profile in ("rfc", "iptables"):
        apply("set profile %s\n" % profile +
              shift("prerouting proto " + proto, X[family], C[family][0], "1000-1010/5000"))
        for dport, to in SHIFTED:
            inward(lab, proto, S[family][0], None, X[family], dport,
                   to=[C[family][0]], ports=[to])
        entry = conns("dport", "4999")
        equal([(c["reply"]["src"], c["reply"]["sport"]) for c in entry],
              [(C[family][0], 1008)], "where port 4999 leads to")


@each("shifted ports the next one where two would be the same", ("tcp", "udp"))
def clash(family, proto):
    apply(shift("prerouting proto " + proto, X[family], C[family][0], "1008-1010/5000"))
    sport = port()
    for dport, to in ((5002, 1010), (5005, 1008), (5000, 1009)):
        inward(lab, proto, S[family][0], sport, X[family], dport,
               to=[C[family][0]], ports=[to])
    # None is left: then it is the sender's port that must change.
    raw = pkt.first(proto, S[family][0], sport, X[family], 5001)
    seen = pkt.View(lab.through("wan", raw))
    equal((seen.src, seen.dst), (S[family][0], C[family][0]), "addresses")
    true(seen.dport in (1008, 1009, 1010) and seen.sport != sport,
         "ports %d and %d" % (seen.sport, seen.dport))
    reply = pkt.answer(seen.raw)
    lab.expect("lan", reply, pkt.xlate(reply, src=X[family], sport=5001, dport=sport))


@each("shifted ports another base is another rule", ("tcp", "udp"))
def other_base(family, proto):
    rule = shift("prerouting proto " + proto, X[family], C[family][0], "1000-1010/%d")
    apply(rule % 5000)
    sport = port()
    inward(lab, proto, S[family][0], sport, X[family], 5003, to=[C[family][0]], ports=[1003])
    userctl("apply", "-", data=rule % 5001)
    inward(lab, proto, S[family][0], None, X[family], 5003, to=[C[family][0]], ports=[1002])
    raw = pkt.first(proto, S[family][0], sport, X[family], 5003)
    lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][0], dport=1003))


@each("shifted ports in output", ("udp",))
def output(family, proto):
    apply(shift("output proto " + proto, S[family][0], S[family][1], "1000-1010/5000"))
    with listen(family, socket.SOCK_DGRAM, ("", port())) as s:
        for dport, to in SHIFTED:
            s.sendto(b"question", (S[family][0], dport))
            got = lab.collect()["wan"]
            equal([(pkt.View(p).dst, pkt.View(p).dport) for p in got],
                  [(S[family][1], to)], "destination of port %d" % dport)
            lab.swap("wan", pkt.answer(got[0]))
            equal(s.recvfrom(100)[1][:2], (S[family][0], dport), "who answers")
            userctl("conn", "flush")


@each("shifted ports none of what has no ports", ("icmp", "47"))
def portless(family, proto):
    apply(shift("prerouting", X[family], C[family][0], "1000-1010/5000"))
    inward(lab, proto, S[family][0], None, X[family], to=[C[family][0]])


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
