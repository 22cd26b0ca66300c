# SPDX-License-Identifier: GPL-2.0
"""Packets of protocols that have ports but are neither TCP nor UDP, as steps.

A dialogue is a list of functions that make a packet each, given source,
destination and both ports, with the end that sends it before: ("c", make).
"""
import struct

import pkt
from scenario import Flow, arrive, endpoint
from world import side_of

_TAG = {"c": 0x2222, "s": 0x1111}   # of SCTP: each end sends what the other chose


def begins(name, proto, src, dst, make):
    """The first packet of flow @name: "C1:5000" to "S1:80"."""
    def step(play):
        (a, sport), (b, dport) = endpoint(src), endpoint(dst)
        play.names.known |= {sport, dport}
        flow = Flow(proto, side_of(a), play.addr(a), sport, play.addr(b), dport)
        play.flows[name] = flow
        play.send(flow.c["side"], make(play.addr(a), play.addr(b), sport, dport))
        play.gather()
        arrive(play, flow, "c")
    return step


def goes_on(name, who, make):
    """A later one, from the end @who."""
    def step(play):
        flow = play.flows[name]
        end = flow.c if who == "c" else flow.s
        if end is None:
            return
        (src, sport), (dst, dport) = end["me"], end["peer"]
        play.send(end["side"], make(src, dst, sport, dport))
        play.gather()
        arrive(play, flow, who)
    return step


def dialogue(name, proto, src, dst, count=None):
    """All of a protocol's packets between two ends, or the first @count."""
    first, *rest = DIALOGUES[proto][:count]
    return [begins(name, proto, src, dst, first[1])] + [
        goes_on(name, who, make) for who, make in rest]


def _chunk(kind, body, flags=0):
    return struct.pack("!BBH", kind, flags, 4 + len(body)) + body + b"\0" * (-len(body) % 4)


def _sctp(who, *chunks, tag=None):
    def make(src, dst, sport, dport):
        return pkt.sctp(src, dst, sport, dport, _TAG[who] if tag is None else tag,
                        b"".join(chunks))
    return who, make


def _init(kind, tag, *params):
    return _chunk(kind, struct.pack("!IIHHI", tag, 0x10000, 4, 4, 100) + b"".join(params))


def _dccp(who, kind, seq, ack=None, **kw):
    def make(src, dst, sport, dport):
        return pkt.dccp(src, dst, sport, dport, kind, seq, ack, **kw)
    return who, make


def partly_covered(src, dst, sport, dport):
    """An answer of DCCP, of which the checksum covers two words."""
    return pkt.dccp(src, dst, sport, dport, pkt.DATAACK, 5001, 1001,
                    payload=b"an answer, not all of it covered", coverage=3)


def _udplite(who, payload, coverage=0):
    """@coverage: bytes that the checksum covers, 0 for all."""
    def make(src, dst, sport, dport):
        seg = struct.pack("!HHHH", sport, dport, coverage, 0) + payload
        covered = seg[:coverage or len(seg)]
        value = pkt.csum(pkt.pseudo(src, dst, 136, len(seg)) + covered) or 0xffff
        return pkt.ip(src, dst, 136, seg[:6] + struct.pack("!H", value) + seg[8:])
    return who, make


DIALOGUES = {
    "sctp": [
        _sctp("c", _init(1, _TAG["s"]), tag=0),
        _sctp("s", _init(2, _TAG["c"], struct.pack("!HH", 7, 12), b"a cookie")),
        _sctp("c", _chunk(10, b"a cookie")), _sctp("s", _chunk(11, b"")),
        _sctp("c", _chunk(0, struct.pack("!IHHI", 100, 0, 0, 0) + b"data", 3)),
        _sctp("s", _chunk(3, struct.pack("!IIHH", 100, 0x10000, 0, 0)),
              _chunk(0, struct.pack("!IHHI", 100, 0, 0, 0) + b"answer", 3)),
        _sctp("c", _chunk(4, struct.pack("!HH", 1, 8) + b"beat")),
        _sctp("s", _chunk(5, struct.pack("!HH", 1, 8) + b"beat")),
        _sctp("c", _chunk(7, struct.pack("!I", 100))), _sctp("s", _chunk(8, b"")),
        _sctp("c", _chunk(14, b""))],
    "dccp": [
        _dccp("c", pkt.REQUEST, 1000, service=b"test"),
        _dccp("s", pkt.RESPONSE, 5000, 1000, service=b"test"),
        _dccp("c", pkt.DACK, 1001, 5000),
        _dccp("c", pkt.DATAACK, 1002, 5000, payload=b"data"),
        _dccp("s", pkt.DATAACK, 5001, 1002, payload=b"an answer"),
        _dccp("c", pkt.CLOSE, 1003, 5001), _dccp("s", pkt.RESET, 5002, 1003)],
    "udplite": [
        _udplite("c", b"a question"), _udplite("s", b"an answer"),
        _udplite("c", b"covered, and what is not covered", 16),
        _udplite("s", b"only the header is covered", 8)],
}
