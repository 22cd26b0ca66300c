#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Nothing untranslated leaves a NAT interface.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4             198.51.100.1         2001:db8:1::10-12

Whatever an inside host sends is translated, or dropped and counted; only an
accept rule lets it pass with its own address.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, masquerade, query, userctl  # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import case, equal, true          # noqa: E402
from lab import C, INSIDE, S, X, Lab        # noqa: E402

lab = Lab()
FAMILIES = (4, 6)
HIDDEN = set(C[4] + C[6])


class Tally:
    """Packets that did not come out, to be found among the counted drops."""

    def __init__(self):
        self.silent = 0
        self.before = query("stats")["drops"]

    def check(self, *reasons):
        now = query("stats")["drops"]
        moved = {k: v - self.before[k] for k, v in now.items() if v != self.before[k]}
        true(sum(moved.values()) >= self.silent, "%d packets did not come out, "
             "counted are %r" % (self.silent, moved))
        for reason in reasons:
            true(reason in moved, "not counted as %s: %r" % (reason, moved))


def is_error(v):
    return v.is_icmp and v.type in ((1, 2, 3, 4) if v.v6 else (3, 4, 5, 11, 12))


def sealed(tally, raw, side="lan", must=None):
    """Send; no inside address may show up on wan0. Returns what did.

    @must: "pass" or "drop" where only one of the two is right.
    """
    seen = lab.swap(side, raw)["wan"]
    for out in seen:
        v = pkt.View(out)
        true(v.src not in HIDDEN, "leak: %s" % v)
        # What an error quotes must not tell either; what a query carries is data.
        for hidden in HIDDEN if is_error(v) else ():
            true(pkt.aton(hidden) not in out, "%s inside of %s" % (hidden, v))
    if must == "pass":
        equal(len(seen), 1, "packets on wan0 for %s" % pkt.View(raw))
    if must == "drop":
        equal([str(pkt.View(p)) for p in seen], [], "packets on wan0")
    tally.silent += not seen
    return seen


STRAY = {"SYN ACK": pkt.SYN | pkt.ACK, "RST": pkt.RST, "RST ACK": pkt.RST | pkt.ACK,
         "FIN ACK": pkt.FIN | pkt.ACK, "ACK": pkt.ACK, "PSH ACK": pkt.PSH | pkt.ACK,
         "FIN": pkt.FIN, "URG": pkt.URG, "nothing": 0}


def stray(family, value, loose, must=None):
    """A segment that belongs to no connection."""
    tally = Tally()
    masquerade(family, before="set tcp.loose %s\n" % loose)
    sealed(tally, pkt.tcp(C[family][0], S[family][0], port(), 80, value, 7, 9), must=must)
    tally.check()


for _family in FAMILIES:
    for _name, _value in STRAY.items():
        case("leak_untranslated stray %s, tcp.loose off ipv%d" % (_name, _family), family=_family,
             value=_value, loose="off", must="drop")(stray)
        case("leak_untranslated stray %s, tcp.loose on ipv%d" % (_name, _family), family=_family,
             value=_value, loose="on")(stray)


def after_close(family):
    """Segments behind an RST, a flush and a FIN."""
    tally = Tally()
    masquerade(family, before="set tcp.loose off\n")
    sport = port()
    c, s = C[family][0], S[family][0]
    outward(lab, "tcp", c, sport, s)
    sealed(tally, pkt.tcp(c, s, sport, 80, pkt.RST | pkt.ACK, 1001, 77001))
    for flags in (pkt.ACK, pkt.PSH | pkt.ACK, pkt.FIN | pkt.ACK, pkt.RST):
        sealed(tally, pkt.tcp(c, s, sport, 80, flags, 1001, 77001))
    sport = port()
    outward(lab, "tcp", c, sport, s)
    userctl("conn", "flush")
    for flags in (pkt.ACK, pkt.PSH | pkt.ACK, pkt.FIN | pkt.ACK, pkt.RST):
        sealed(tally, pkt.tcp(c, s, sport, 80, flags, 1001, 77001), must="drop")
    tally.check()


def window(family):
    """Data far outside of the window of a live connection."""
    tally = Tally()
    masquerade(family)
    sport = port()
    c, s = C[family][0], S[family][0]
    outward(lab, "tcp", c, sport, s)
    for seq in (0, 0x40000000, 0x80000000, 0xffffffff):
        for flags in (pkt.ACK, pkt.PSH | pkt.ACK, pkt.RST, pkt.FIN | pkt.ACK,
                      pkt.SYN, pkt.SYN | pkt.ACK):
            sealed(tally, pkt.tcp(c, s, sport, 80, flags, seq, seq ^ 0x5a5a5a5a, b"x" * 99))
    tally.check()


TYPES = {4: (0, 1, 2, 4, 5, 6, 7, 9, 10, 14, 16, 18, 19, 30, 40, 42, 253, 255),
         6: (5, 100, 101, 127, 129, 138, 139, 140, 144, 147, 151, 160, 200, 255)}


def icmp_types(family):
    """Every kind of ICMP message but queries and errors about flows."""
    tally = Tally()
    masquerade(family)
    for kind in TYPES[family]:
        for body in (b"", b"\0" * 8, pkt.udp(C[family][0], S[family][0], 5, 6)):
            sealed(tally, pkt.icmp(C[family][0], S[family][0], kind, 0,
                            port().to_bytes(2, "big") + b"\0\1", body))
    tally.check()


def icmp_errors(family):
    """Errors of inside hosts about packets that no flow explains."""
    tally = Tally()
    masquerade(family)
    strange = pkt.udp(S[family][0], C[family][0], 53, port())
    for name in ("unreach", "toobig", "time", "param"):
        for source in C[family][:2]:
            sealed(tally, pkt.error(source, S[family][0], name, strange), must="drop")
            sealed(tally, pkt.error(source, S[family][1], name, strange), must="drop")
    tally.check()


def protocols(family):
    """All protocol numbers, from two hosts to one server."""
    tally = Tally()
    masquerade(family)
    # Not those that IPv6 takes for extension headers, nor what has ports.
    skip = {0, 1, 6, 17, 43, 44, 50, 51, 58, 59, 60, 103, 135, 139, 140}
    for number in set(range(256)) - skip:
        if ktap.SLOW and number % 5:
            continue
        for client in C[family][:2]:
            raw = pkt.ip(client, S[family][0], number, b"\0\7\0\x09" + b"\0" * 28)
            sealed(tally, raw)
    tally.check()


def by_address(family):
    """A protocol without ports has room for one host a peer and address."""
    tally = Tally()
    masquerade(family)
    raw = pkt.ip(C[family][0], S[family][0], 99, b"first come")
    got = sealed(tally, raw, must="pass")
    pkt.same(got[0], pkt.xlate(raw, src=X[family]))
    raw = pkt.ip(C[family][1], S[family][0], 99, b"second")
    sealed(tally, raw, must="drop")
    tally.check("protocol")
    # The first keeps its flow, the second may talk to another peer.
    back = pkt.ip(S[family][0], X[family], 99, b"an answer")
    lab.expect("wan", back, pkt.xlate(back, dst=C[family][0]))
    sealed(tally, pkt.ip(C[family][1], S[family][1], 99, b"second"), must="pass")
    tally.check()


def refused_filter(family):
    """A server reaches an inside address by its own number, host answers."""
    tally = Tally()
    masquerade(family)
    for proto in ("udp", "tcp", "icmp"):
        raw = pkt.first(proto, S[family][0], port(), C[family][0], 4000)
        for got in lab.swap("wan", raw)["lan"]:
            sealed(tally, pkt.answer(got))
    tally.check()


def exempted(family):
    """An accept rule is the only way out with an inside address."""
    tally = Tally()
    apply("rule postrouting oif wan0 src %s dst %s accept\n"
          "rule postrouting oif wan0 src %s masquerade\n"
          % (INSIDE[family], S[family][1], INSIDE[family]))
    for proto in ("tcp", "udp", "icmp", "99"):
        raw = pkt.first(proto, C[family][0], port(), S[family][1], 80)
        lab.expect("lan", raw, pkt.xlate(raw))
        sealed(tally, pkt.first(proto, C[family][0], port(), S[family][0], 80), must="pass")
    raw = pkt.icmp(C[family][0], S[family][1], 253, 0, b"abcd")
    lab.expect("lan", raw, pkt.xlate(raw))
    tally.check()


def broadcast(family):
    """Packets to everybody do not take an inside address outside."""
    masquerade(family)
    for target in (("255.255.255.255", "198.51.100.255", "224.0.0.251")
                   if family == 4 else ("ff02::1", "ff0e::42")):
        before = lab.swap("lan", pkt.udp(C[family][0], target, port(), 5353))["wan"]
        for out in before:
            true(pkt.View(out).src not in HIDDEN, "leak: %s" % pkt.View(out))


for _family in FAMILIES:
    for _name, _func in (
            ("segments after the end of a connection", after_close),
            ("data out of the window", window),
            ("every other ICMP type", icmp_types),
            ("ICMP errors about no flow", icmp_errors),
            ("every protocol number", protocols),
            ("a protocol without ports", by_address),
            ("answers to direct packets", refused_filter),
            ("accept rules", exempted),
            ("broadcast and multicast", broadcast)):
        case("leak_untranslated %s ipv%d" % (_name, _family), family=_family)(_func)


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
