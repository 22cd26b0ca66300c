#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Malformed packets are dropped and counted, or pass byte-exact; none leaks.

    C1 10.0.0.2 --- lan0 [router] wan0 --- S1 198.51.100.10
    fd00:a::2         198.51.100.1         2001:db8:1::10

Random input comes from fixed seeds; an input that ever failed becomes a case.
"""
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import masquerade, moved, stats    # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import true                       # noqa: E402
from lab import C, S, X, Lab                # noqa: E402

lab = Lab()


def case(name, **kw):
    return ktap.case("malformed " + name, **kw)


HEAD = {4: 20, 6: 40}
PORTED = (b"\x21", b"\x84", b"\x88")    # DCCP, SCTP, UDP-Lite: not by address


def healthy(family):
    """The NAT still works."""
    outward(lab, "udp", C[family][0], None, S[family][0])


def passes(raw, side="lan", **changes):
    """The packet comes out with these changes and no other."""
    got = lab.through(side, raw)
    seen = pkt.View(got)
    if side == "lan":
        changes = {"src": X[6 if seen.v6 else 4]}
        if seen.proto in (pkt.TCP, pkt.UDP):
            changes["sport"] = seen.sport
        elif seen.is_icmp and seen.type in (0, 8, 128, 129):
            changes["sport"] = seen.sport
    pkt.same(got, pkt.xlate(raw, **changes))


def drops(raw, reason=None, side="lan"):
    """Nothing comes out, and if the NAT saw the packet it counts it."""
    before = stats()
    lab.nothing(side, raw)
    now = moved(before)
    true(reason is None or any(reason in key for key in now),
         "not counted as %s: %r" % (reason, now))


def trimmed(raw):
    """A packet without what lies behind its end, as IP delivers it."""
    length = (int.from_bytes(raw[4:6], "big") + 40 if raw[0] >> 4 == 6
              else int.from_bytes(raw[2:4], "big"))
    return raw[:length]


def either(raw, side="lan"):
    """Dropped, or passed byte-exact. Returns whether it passed."""
    seen = lab.swap(side, raw)
    for out in seen["wan"]:
        v = pkt.View(out)
        true(v.src not in C[4] + C[6], "leak: %s\nsent %s" % (v, raw.hex()))
    out = seen["wan" if side == "lan" else "lan"]
    true(len(out) <= 1, "%d packets came out" % len(out))
    if not out:
        return False
    v = pkt.View(out[0])
    if v.is_icmp and v.type not in (0, 8, 128, 129):
        return True
    changes = {"src": v.src} if side == "lan" else {"dst": v.dst}
    if len(v.seg) >= 8 and v.proto in (pkt.TCP, pkt.UDP, pkt.ICMP, pkt.ICMP6):
        changes["sport" if side == "lan" or v.is_icmp else "dport"] = (
            v.sport if side == "lan" else v.dport)
    pkt.same(out[0], pkt.xlate(trimmed(raw), **changes), "sent %s" % raw.hex())
    return True


def syn(family, **kw):
    return pkt.tcp(C[family][0], S[family][0], port(), 80, **kw)


OPTIONS = {
    "an option of length 0": b"\x05\x00\x01\x01",
    "an option of length 1": b"\x05\x01\x01\x01",
    "an option beyond the header": b"\x02\x28\x05\xb4",
    "an option that ends with the header": b"\x01\x01\x01\x05",
    "an unknown kind": b"\xfd\x04\xab\xcd",
    "kinds 0 to 255 unknown": b"\xc8\x06abcd\xfe\x0212\x01",
    "the end, then more": b"\x00\x02\x04\x05\xb4\x01\x01\x01",
    "MSS of length 3": b"\x02\x03\x05\x01",
    "MSS of length 5": b"\x02\x05\x05\xb4\x00\x01\x01\x01",
    "MSS of 0": b"\x02\x04\x00\x00",
    "window scale of 255": b"\x03\x03\xff\x01",
    "SACK of odd length": b"\x05\x09" + b"abcdefg" + b"\x01\x01\x01",
    "nothing but NOP": b"\x01" * 40,
    "nothing but end": b"\x00" * 40,
    "forty bytes of 0xff": b"\xff" * 40,
}

for _family in (4, 6):
    for _name, _opts in OPTIONS.items():
        @case("SYN with %s ipv%d" % (_name, _family), family=_family, opts=_opts)
        def options(family, opts):
            masquerade(family)
            passes(syn(family, opts=opts))


def random_options(family):
    masquerade(family)
    rng = random.Random(64)
    for _ in range(64):
        passes(syn(family, opts=rng.randbytes(rng.randrange(1, 11) * 4)))


def offsets(family):
    """The data offset points into the header or past the segment's end."""
    masquerade(family)
    for doff in (0, 1, 4):
        drops(syn(family, doff=doff), "transport-header")
    for doff in (6, 15):
        drops(syn(family, doff=doff), "transport-header")
    passes(syn(family, doff=15, payload=b"\1" * 40))
    healthy(family)


FLAGS = {"no flag": 0, "all flags": 0x3f, "SYN FIN": 3, "SYN RST": 6,
         "FIN RST": 5, "FIN alone": 1, "SYN FIN PSH URG": 0x2b}


def flags(family, value):
    """Impossible sets of flags open no connection that leaks."""
    masquerade(family)
    either(syn(family, flags=value))
    # In the middle of a connection they may not harm it either.
    sport = port()
    outward(lab, "tcp", C[family][0], sport, S[family][0])
    either(pkt.tcp(C[family][0], S[family][0], sport, 80, value, 5, 6))
    healthy(family)


def short(family, proto, lengths, reason):
    """A transport header that ends early."""
    masquerade(family)
    whole = pkt.first(proto, C[family][0], port(), S[family][0], 80)
    whole = whole[HEAD[family]:]
    number = pkt.View(pkt.first(proto, C[family][0], 9, S[family][0], 80)).proto
    for length in lengths:
        drops(pkt.ip(C[family][0], S[family][0], number, whole[:length]), reason)
    healthy(family)


def udp_length(family):
    masquerade(family)
    for length in (0, 1, 7, 26, 1000, 65535):
        raw = pkt.udp(C[family][0], S[family][0], port(), 80)
        at = HEAD[family] + 4
        raw = raw[:at] + struct.pack("!H", length) + raw[at + 2:]
        if length:
            drops(raw, "transport-header")
        else:                   # a jumbogram, in IPv6
            either(raw)
    raw = pkt.udp(C[family][0], S[family][0], port(), 80, b"0123456789" * 4)
    either(raw[:at] + struct.pack("!H", 20) + raw[at + 2:])
    healthy(family)


def lie(raw, at, value):
    """Change a byte of an IPv4 header and make its checksum right again."""
    raw = raw[:at] + value + raw[at + len(value):]
    head = max((raw[0] & 15) * 4, 20)
    zero = raw[:10] + b"\0\0" + raw[12:]
    return raw[:10] + struct.pack("!H", pkt.csum(zero[:head])) + raw[12:]


@case("IPv4 header length that lies")
def header_length():
    masquerade(4)
    for ihl in (0, 1, 4, 15):
        drops(lie(pkt.udp(C[4][0], S[4][0], port(), 80), 0, bytes([0x40 | ihl])))
    either(lie(pkt.udp(C[4][0], S[4][0], port(), 80), 0, b"\x46"))
    healthy(4)


@case("IPv4 total length that lies")
def total_length():
    masquerade(4)
    for length in (0, 19, 20 + 7, 1000, 65535):
        raw = pkt.udp(C[4][0], S[4][0], port(), 80)
        drops(lie(raw, 2, struct.pack("!H", length)))
    raw = pkt.udp(C[4][0], S[4][0], port(), 80)
    passes_cut = lab.swap("lan", raw + b"\0" * 18)["wan"]   # padding of a link
    true(len(passes_cut) == 1 and len(passes_cut[0]) == len(raw),
         "padding did not come off")
    healthy(4)


@case("IPv6 payload length that lies")
def payload_length():
    masquerade(6)
    for length in (7, 1000, 65535):
        raw = pkt.udp(C[6][0], S[6][0], port(), 80)
        drops(raw[:4] + struct.pack("!H", length) + raw[6:])
    healthy(6)


@case("wrong IP versions")
def versions():
    masquerade(4)
    raw = pkt.udp(C[4][0], S[4][0], port(), 80)
    for first in (0x05, 0x55, 0xf5):
        drops(lie(raw, 0, bytes([first])))
    drops(raw[:1])
    drops(b"\x60" + b"\0" * 39)
    healthy(4)


@case("the evil bit is kept and is no fragment")
def evil():
    masquerade(4)
    for proto in ("tcp", "udp", "icmp"):
        passes(pkt.first(proto, C[4][0], port(), S[4][0], 80, evil=True))
        passes(pkt.first(proto, C[4][0], port(), S[4][0], 80, evil=True, df=False))


@case("IPv4 options are kept")
def ip_options():
    masquerade(4)
    for opts in (b"\x94\4\0\0", b"\1\1\1\0", b"\x01" * 40,
                 b"\x5e\x08abcdef"):
        for proto in ("tcp", "udp", "icmp"):
            passes(pkt.first(proto, C[4][0], port(), S[4][0], 80, opts=opts))
    for opts in (b"\x94\0\0\0", b"\x94\1\0\0", b"\x94\x28\0\0", b"\x07\x04\x04\0"):
        either(pkt.udp(C[4][0], S[4][0], port(), 80, opts=opts))
    healthy(4)


def extension(number, body):
    """A datagram of C1 with one IPv6 extension header before it."""
    inner = pkt.udp(C[6][0], S[6][0], port(), 80)
    return pkt.ip(C[6][0], S[6][0], number, bytes([17]) + body + inner[40:])


@case("IPv6 extension headers are kept")
def extensions():
    masquerade(6)
    for number in (0, 60):
        passes(extension(number, b"\0\1\4\0\0\0\0"))
        passes(extension(number, b"\1\x1e\x0c" + b"\0" * 12))


@case("IPv6 extension headers that lie")
def bad_extensions():
    masquerade(6)
    for number in (0, 43, 44, 60):
        for body in (b"\xff\1\4\0\0\0\0", b"\0\1\xff\0\0\0\0", b"\0\xc2\4\0\0\0\0"):
            either(extension(number, body))
        for size in (0, 1, 7):
            either(pkt.ip(C[6][0], S[6][0], number, b"\x11\0\1\4\0\0\0"[:size]))
    # Sixty headers in a row, and no next header at all.
    chain = b"\x3c\0\1\4\0\0\0\0" * 60 + b"\x11\0\1\4\0\0\0\0"
    udp = pkt.udp(C[6][0], S[6][0], port(), 80)[40:]
    either(pkt.ip(C[6][0], S[6][0], 60, chain + udp))
    either(pkt.ip(C[6][0], S[6][0], 59, b"nothing"))
    healthy(6)


def inbound(family):
    """Malformed answers to a good mapping."""
    masquerade(family)
    for proto in ("tcp", "udp", "icmp"):
        sport = port()
        addr, outside = outward(lab, proto, C[family][0], sport, S[family][0])
        whole = pkt.first(proto, S[family][0], 80, addr, outside)
        number, head = pkt.View(whole).proto, HEAD[family]
        for length in (0, 1, 3, 4, 5, 6, 7):
            cut = pkt.ip(S[family][0], addr, number, whole[head:head + length])
            true(not lab.swap("wan", cut)["lan"],
                 "%d bytes of %s came through" % (length, proto))
    for opts in OPTIONS.values():
        sport = port()
        addr, outside = outward(lab, "tcp", C[family][0], sport, S[family][0],
                                back=False)
        raw = pkt.tcp(S[family][0], addr, 80, outside, pkt.SYN | pkt.ACK, 5, 1001,
                      opts=opts)
        lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][0], dport=sport))
    healthy(family)


def quotes(family):
    """Errors that quote nonsense about a good mapping."""
    masquerade(family)
    sport = port()
    outward(lab, "udp", C[family][0], sport, S[family][0])
    good = pkt.udp(X[family], S[family][0], sport, 80)
    rng = random.Random(family)
    for cut in list(range(0, HEAD[family] + 8)):
        err = pkt.error(S[family][0], X[family], "unreach", good, cut=cut)
        true(not lab.swap("wan", err)["lan"],
             "a quote of %d bytes came through" % cut)
    for _ in range(200):
        quote = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            quote[rng.randrange(len(quote))] = rng.randrange(256)
        err = pkt.error(S[family][0], X[family], rng.choice(
            ("unreach", "time", "param")), bytes(quote), cut=rng.randrange(80))
        either(err, "wan")
    # An error about an error, and one that quotes itself without end.
    err = good
    for _ in range(8):
        err = pkt.error(S[family][0], X[family], "unreach", err)
        if err != good:
            either(err, "wan")
    healthy(family)


def mutated(family, proto, side):
    """Valid packets with a few bytes changed, IP header included."""
    masquerade(family)
    rng = random.Random("%d%s%s" % (family, proto, side))
    client, server = C[family][0], S[family][0]
    addr, outside = outward(lab, proto, client, port(), server)
    for _ in range(150 if ktap.SLOW else 600):
        if side == "lan":
            raw = bytearray(pkt.first(proto, client, port(), server, 80))
        else:
            raw = bytearray(pkt.first(proto, server, 80, addr, outside or 0))
        first = 0 if rng.random() < 0.3 else HEAD[family]
        for _ in range(rng.randrange(1, 5)):
            raw[rng.randrange(first, len(raw))] = rng.randrange(256)
        raw = bytes(raw[:rng.randrange(1, len(raw) + 1)]
                    if rng.random() < 0.2 else raw)
        # Other sources than C1's are no business of the rule.
        where = slice(12, 20) if family == 4 else slice(8, 40)
        source = pkt.aton(client if side == "lan" else server)
        target = pkt.aton(server if side == "lan" else addr)
        if len(raw) >= where.stop:
            raw = raw[:where.start] + source + target + raw[where.stop:]
        if family == 4 and len(raw) >= 20:
            raw = lie(raw, 12, source)
        if raw[9 if family == 4 else 6:][:1] not in PORTED:
            either(raw, side)
    healthy(family)


for _family in (4, 6):
    for _name, _func, _kw in (
            ("SYN with random option blocks", random_options, {}),
            ("TCP data offset", offsets, {}),
            ("UDP length", udp_length, {}),
            ("short TCP header", short, {"proto": "tcp", "lengths": (0, 1, 4, 8, 19),
                                         "reason": "transport-header"}),
            ("short UDP header", short, {"proto": "udp", "lengths": (0, 1, 4, 7),
                                         "reason": "transport-header"}),
            ("short ICMP header", short, {"proto": "icmp", "lengths": (0, 1, 4, 7),
                                          "reason": "transport-header"}),
            ("malformed answers", inbound, {}), ("malformed quotes", quotes, {})):
        case("%s ipv%d" % (_name, _family), family=_family, **_kw)(_func)
    for _name, _value in FLAGS.items():
        case("TCP with %s ipv%d" % (_name, _family), family=_family,
             value=_value)(flags)
    for _proto in ("tcp", "udp", "icmp", "47"):
        for _side in ("lan", "wan"):
            case("mutated %s from %s ipv%d" % (_proto, _side, _family),
                 family=_family, proto=_proto, side=_side)(mutated)


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
