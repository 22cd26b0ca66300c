# SPDX-License-Identifier: GPL-2.0
"""Whole flows through the router, every packet compared byte for byte."""
import ktap
import pkt
from ctl import conns
from lab import C, S, X

PORTED = ("tcp", "udp", "icmp")
_port = [20000]


def port():
    """A port that no case has used: mappings of others stay out of the way."""
    _port[0] += 2
    return _port[0]


def family(addr):
    return 6 if pkt.is6(addr) else 4


def _next(proto, src, sport, dst, dport, reply):
    """The second packet that the opener sends, after the answer."""
    if proto != "tcp":
        return pkt.first(proto, src, sport, dst, dport)
    seen = pkt.View(reply)
    return pkt.tcp(src, dst, sport, dport, pkt.ACK | pkt.PSH, seen.ack,
                   seen.seq + 1, b"some data", opts=b"\1\1\x08\x0a12345678")


def outward(lab, proto, src=C[4][0], sport=None, dst=S[4][0], dport=80,
            ext=None, ports=None, back=True, **kw):
    """Open a flow from the inside; returns its external (address, port).

    @ext: the addresses that its source may become; @ports: its ports. Then
    an answer and a second packet go through, to prove both directions.
    """
    sport = port() if sport is None else sport
    ext = ext or [X[family(src)]]
    raw = pkt.first(proto, src, sport, dst, dport, **kw)
    got = lab.through("lan", raw)
    seen = pkt.View(got)
    ktap.true(seen.src in ext, "source %s, expected one of %s" % (seen.src, ext))
    outside = seen.sport if proto in PORTED else None
    if proto in PORTED and ports:
        ktap.true(outside in ports, "port %d, expected %s" % (outside, ports))
    pkt.same(got, pkt.xlate(raw, src=seen.src, sport=outside))
    if not back:
        return seen.src, outside
    reply = pkt.answer(got)
    home = {"dport": sport} if proto in PORTED else {}
    lab.expect("wan", reply, pkt.xlate(reply, dst=src, **home))
    more = _next(proto, src, sport, dst, dport, reply)
    lab.expect("lan", more, pkt.xlate(more, src=seen.src, sport=outside))
    return seen.src, outside


def inward(lab, proto, src=S[4][0], sport=None, dst=X[4], dport=80,
           to=(C[4][0],), ports=None):
    """Open a flow from the outside; returns where it went: (address, port)."""
    sport = port() if sport is None else sport
    raw = pkt.first(proto, src, sport, dst, dport)
    got = lab.through("wan", raw)
    seen = pkt.View(got)
    ktap.true(seen.dst in to, "went to %s, expected %s" % (seen.dst, to))
    inside = seen.dport if proto in ("tcp", "udp") else None
    if inside and ports:
        ktap.true(inside in ports, "port %d, expected %s" % (inside, ports))
    pkt.same(got, pkt.xlate(raw, dst=seen.dst, dport=inside))
    reply = pkt.answer(got)
    back = {"sport": dport} if inside else {}
    lab.expect("lan", reply, pkt.xlate(reply, src=dst, **back))
    more = _next(proto, src, sport, dst, dport, reply)
    lab.expect("wan", more, pkt.xlate(more, dst=seen.dst, dport=inside))
    return seen.dst, inside


def listed(proto, src, sport):
    """The listed connection that the inside endpoint opened."""
    key = "id" if proto.startswith("icmp") else "sport"
    found = [c for c in conns("src", src)
             if c["orig"].get(key) == sport and c["proto"].startswith(proto)]
    if len(found) != 1:
        raise ktap.Fail("%d connections of %s port %d are listed" % (
            len(found), src, sport))
    return found[0]
