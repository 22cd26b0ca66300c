#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The router answers strangers, whatever it translates.

    C1 10.0.0.2 --- lan0 [router] wan0 --- S1, S2 198.51.100.10-11
    fd00:a::2         198.51.100.1         2001:db8:1::10-11

Its rules name no source, so that they match the router's own packets, too.
"""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply                       # noqa: E402
from flow import port                       # noqa: E402
from ktap import each, equal, true          # noqa: E402
from lab import C, POOL, S, X, Lab, listen  # noqa: E402

lab = Lab()
HIDDEN = {4: "10.0.0.9", 6: "fd00:a::9"}    # an inside address that somebody guessed


def serves(family):
    """Somebody outside talks with a TCP server of the router."""
    far = port()
    with listen(family, socket.SOCK_STREAM, (X[family], port())) as s:
        s.listen()
        dport = s.getsockname()[1]
        raw = pkt.tcp(S[family][0], X[family], far, dport, seq=100)
        got = lab.through("wan", raw, out="wan")
        seen = pkt.View(got)
        equal((seen.src, seen.sport, seen.flags, seen.ack),
              (X[family], dport, pkt.SYN | pkt.ACK, 101), "the SYN-ACK")
        raw = pkt.tcp(S[family][0], X[family], far, dport, pkt.ACK | pkt.PSH, 101,
                      seen.seq + 1, b"question")
        got = [pkt.View(p) for p in lab.swap("wan", raw)["wan"]]
        peer = s.accept()[0]
        equal(peer.recv(100), b"question", "what the server received")
        peer.send(b"told")
        got += [pkt.View(p) for p in lab.collect()["wan"]]
        equal({(p.src, p.sport) for p in got}, {(X[family], dport)}, "sources")
        equal([p.payload for p in got if p.payload], [b"told"], "what it answered")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    got = [pkt.View(p) for p in lab.collect()["wan"]]
    equal([(p.src, p.sport, p.flags & pkt.RST) for p in got],
          [(X[family], dport, pkt.RST)], "the reset")


@each("a rule for everything spares the router's answers")
def own_answers(family):
    for action in ("masquerade", "snat " + POOL[family][4]):
        apply("set tcp.unsolicited pass\nrule postrouting oif wan0 %s\n" % action)
        lab.through("lan", pkt.udp(C[family][0], S[family][0], port(), 80))
        serves(family)
        for raw, kinds in (
                (pkt.tcp(S[family][1], X[family], port(), port()), (pkt.TCP,)),
                (pkt.echo(S[family][1], X[family], port()), (0, 129)),
                (pkt.udp(S[family][1], X[family], port(), port()), (3, 1)),
                (pkt.udp(S[family][1], HIDDEN[family], port(), port(), ttl=1), (11, 3))):
            seen = pkt.View(lab.through("wan", raw, out="wan"))
            equal((seen.src, seen.dst), (X[family], S[family][1]), "ends of the answer")
            true((seen.type if seen.is_icmp else seen.proto) in kinds, "answer %s" % seen)
            equal(pkt.xlate(seen.raw, hops=0, inner={}) if seen.is_icmp and seen.type in
                  (3, 1, 11) else seen.raw, seen.raw, "its checksums")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
