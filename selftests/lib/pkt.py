# SPDX-License-Identifier: GPL-2.0
"""Packets as bytes: build them, look into them, say how a NAT changes them.

Checksums are always computed from scratch, never adjusted, so that what is
expected does not share an error with the code under test. Addresses are
text; a colon makes them IPv6. Every function takes and returns the whole
packet, beginning with the IP header.
"""
import socket
import struct

import ktap

ICMP, TCP, UDP, DCCP, ICMP6, SCTP = 1, 6, 17, 33, 58, 132
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32

# Defaults that no forwarding router touches: DSCP and ECN bits set, so that
# a translator that clears them is seen.
TOS = 0x4a
FLOW = 0x5beef
TTL = 61

_next_id = [0x1234]


def set_ident(value):
    """Begin the IP identifications of packets anew, to send the same again."""
    _next_id[0] = value


def csum(data):
    """The Internet checksum of RFC 1071, ready to be stored."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def is6(addr):
    return ":" in addr


def aton(addr):
    family = socket.AF_INET6 if is6(addr) else socket.AF_INET
    return socket.inet_pton(family, addr)


def ntoa(raw):
    family = socket.AF_INET6 if len(raw) == 16 else socket.AF_INET
    return socket.inet_ntop(family, raw)


def pseudo(src, dst, proto, length):
    if is6(src):
        return aton(src) + aton(dst) + struct.pack("!IHBB", length, 0, 0, proto)
    return aton(src) + aton(dst) + struct.pack("!BBH", 0, proto, length)


def ip(src, dst, proto, payload, ttl=TTL, tos=TOS, ident=None, df=True,
       evil=False, frag=0, more=False, opts=b"", flow=FLOW):
    """An IP header of the addresses' family before the payload."""
    if is6(src):
        head = struct.pack("!IHBB", 6 << 28 | tos << 20 | flow,
                           len(payload), proto, ttl)
        return head + aton(src) + aton(dst) + payload
    if ident is None:
        _next_id[0] = ident = _next_id[0] * 5 + 7 & 0xffff
    field = evil << 15 | df << 14 | more << 13 | frag // 8
    head = struct.pack("!BBHHHBBH", 0x45 + len(opts) // 4, tos,
                       20 + len(opts) + len(payload), ident, field,
                       ttl, proto, 0) + aton(src) + aton(dst) + opts
    return head[:10] + struct.pack("!H", csum(head)) + head[12:] + payload


def _l4(src, dst, proto, seg, where, zero_ok=True):
    """Fill in the checksum at offset @where of a transport segment."""
    value = csum(pseudo(src, dst, proto, len(seg)) + seg)
    if not value and not zero_ok:
        value = 0xffff
    return seg[:where] + struct.pack("!H", value) + seg[where + 2:]


def udp(src, dst, sport, dport, payload=b"natty udp payload", nosum=False, **kw):
    seg = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    if not nosum:
        seg = _l4(src, dst, UDP, seg, 6, zero_ok=False)
    return ip(src, dst, UDP, seg, **kw)


def tcp(src, dst, sport, dport, flags=SYN, seq=1000, ack=0, payload=b"",
        opts=b"", win=0xfaf0, urg=0, doff=None, **kw):
    doff = 5 + (len(opts) + 3) // 4 if doff is None else doff
    seg = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff,
                      ack & 0xffffffff, doff << 4, flags, win, 0, urg)
    seg += opts + b"\0" * (-len(opts) % 4) + payload
    return ip(src, dst, TCP, _l4(src, dst, TCP, seg, 16), **kw)


REQUEST, RESPONSE, DATA, DACK, DATAACK, CLOSEREQ, CLOSE, RESET, SYNC, SYNCACK, LISTEN = range(11)


def dccp(src, dst, sport, dport, kind, seq, ack=None, service=None, payload=b"",
         coverage=0, short=False, **kw):
    """A DCCP packet; @coverage as in its header, 1 for the header alone."""
    head = struct.pack("!BBH", 0, 0, seq & 0xffff) if short else \
        struct.pack("!BBHI", 0, 0, seq >> 32, seq & 0xffffffff)
    if ack is not None:
        head += struct.pack("!I", ack & 0xffffff) if short else struct.pack("!Q", ack)
    if service is not None:
        head += service
    elif kind == RESET:
        head += b"\2\0\0\0"
    first = kind << 1 | (not short)
    seg = struct.pack("!HHBBH", sport, dport, (8 + len(head)) // 4, 0x30 | coverage, 0)
    if short:
        head = bytes([first, seq >> 16 & 0xff]) + head[2:]
    else:
        head = bytes([first]) + head[1:]
    head = seg + head
    covered = head + (payload[:(coverage - 1) * 4] if coverage else payload)
    value = csum(pseudo(src, dst, DCCP, len(head) + len(payload)) + covered)
    return ip(src, dst, DCCP, head[:6] + struct.pack("!H", value) + head[8:] + payload, **kw)


def _crc32c_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
        yield n


_CRC32C = list(_crc32c_table())


def crc32c(data):
    value = 0xffffffff
    for byte in data:
        value = _CRC32C[(value ^ byte) & 255] ^ value >> 8
    return value ^ 0xffffffff


def sctp(src, dst, sport, dport, tag, chunks, bad=0, **kw):
    """An SCTP packet; @bad is what its checksum is wrong by."""
    head = struct.pack("!HHI", sport, dport, tag)
    value = crc32c(head + b"\0\0\0\0" + chunks) ^ bad
    return ip(src, dst, SCTP, head + struct.pack("<I", value) + chunks, **kw)


def icmp(src, dst, kind, code=0, rest=b"\0\0\0\0", payload=b"", **kw):
    """Any ICMP message of the addresses' family with a right checksum."""
    seg = struct.pack("!BBH", kind, code, 0) + rest + payload
    if is6(src):
        return ip(src, dst, ICMP6, _l4(src, dst, ICMP6, seg, 2), **kw)
    seg = seg[:2] + struct.pack("!H", csum(seg)) + seg[4:]
    return ip(src, dst, ICMP, seg, **kw)


def echo(src, dst, ident, seq=1, answer=False, payload=b"natty ping" * 3, **kw):
    kind = (129 if answer else 128) if is6(src) else (0 if answer else 8)
    return icmp(src, dst, kind, 0, struct.pack("!HH", ident, seq), payload, **kw)


def error(src, dst, name, quote, mtu=0, cut=None, **kw):
    """An ICMP error about the packet @quote: "unreach", "toobig", "time"."""
    kind, code = {"unreach": (3, 3), "toobig": (3, 4), "time": (11, 0),
                  "param": (12, 0)}[name]
    if is6(src):
        kind, code = {"unreach": (1, 4), "toobig": (2, 0), "time": (3, 0),
                      "param": (4, 0)}[name]
    return icmp(src, dst, kind, code, struct.pack("!I", mtu), quote[:cut], **kw)


def first(proto, src, sport, dst, dport, **kw):
    """The packet that opens a flow of the protocol; ICMP's port is its id."""
    if proto == "tcp":
        return tcp(src, dst, sport, dport, **kw)
    if proto == "udp":
        return udp(src, dst, sport, dport, **kw)
    if proto == "icmp":
        return echo(src, dst, sport, **kw)
    return ip(src, dst, int(proto), b"\0\0\x08\0opaque payload", **kw)


class View:
    """A packet's fields, read from its bytes without trusting them."""

    def __init__(self, raw):
        self.raw = raw
        self.v6 = raw[0] >> 4 == 6
        self.frag = 0
        if self.v6:
            self.src, self.dst = ntoa(raw[8:24]), ntoa(raw[24:40])
            self.ttl, self.tos = raw[7], (raw[0] << 4 | raw[1] >> 4) & 0xff
            self._extensions(raw)
        else:
            self.src, self.dst = ntoa(raw[12:16]), ntoa(raw[16:20])
            self.ttl, self.tos = raw[8], raw[1]
            self.proto, self.l4 = raw[9], (raw[0] & 15) * 4
            self.ident, self.frag = struct.unpack("!HH", raw[4:8])
        self.seg = raw[self.l4:]

    def _extensions(self, raw):
        self.proto, self.l4 = raw[6], 40
        while self.proto in (0, 43, 44, 60) and len(raw) >= self.l4 + 8:
            size = 8 if self.proto == 44 else 8 + raw[self.l4 + 1] * 8
            if self.proto == 44:
                self.frag, self.ident = struct.unpack(
                    "!HI", raw[self.l4 + 2:self.l4 + 8])
            self.proto = raw[self.l4]
            self.l4 += size

    def _half(self, offset):
        return struct.unpack("!H", self.seg[offset:offset + 2])[0]

    @property
    def is_icmp(self):
        return self.proto in (ICMP, ICMP6)

    @property
    def sport(self):
        return self._half(4) if self.is_icmp else self._half(0)

    @property
    def dport(self):
        return self._half(4) if self.is_icmp else self._half(2)

    @property
    def type(self):
        return self.seg[0]

    @property
    def flags(self):
        return self.seg[13]

    @property
    def seq(self):
        return struct.unpack("!I", self.seg[4:8])[0]

    @property
    def ack(self):
        return struct.unpack("!I", self.seg[8:12])[0]

    @property
    def payload(self):
        return self.seg[(self.seg[12] >> 4) * 4 if self.proto == TCP else 8:]

    @property
    def inner(self):
        """The packet quoted by an ICMP error."""
        return View(self.seg[8:])

    def __str__(self):
        text = "%s > %s proto %d ttl %d tos 0x%02x" % (
            self.src, self.dst, self.proto, self.ttl, self.tos)
        if self.proto in (TCP, UDP) and len(self.seg) >= 4:
            text += " ports %d > %d" % (self.sport, self.dport)
            if self.proto == TCP and len(self.seg) >= 14:
                text += " flags 0x%02x" % self.flags
        elif self.is_icmp and len(self.seg) >= 8:
            text += " type %d code %d id %d" % (
                self.type, self.seg[1], self.sport)
        return text + " length %d" % len(self.raw)


def answer(raw, **kw):
    """What a server says to a packet that opens a flow."""
    v = View(raw)
    if v.proto == TCP:
        return tcp(v.dst, v.src, v.dport, v.sport, SYN | ACK, 77000,
                   v.seq + 1, **kw)
    if v.proto == UDP:
        return udp(v.dst, v.src, v.dport, v.sport, b"an answer", **kw)
    if v.is_icmp:
        return echo(v.dst, v.src, v.sport, v._half(6), True, v.seg[8:], **kw)
    return ip(v.dst, v.src, v.proto, b"\0\0\x08\0an answer", **kw)


_CSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMP6: 2}


def _patch(raw, at, value):
    return raw[:at] + value + raw[at + len(value):]


def _set_addresses(raw, v, src, dst, ttl):
    a, b = (8, 24) if v.v6 else (12, 16)
    raw = _patch(_patch(raw, a, aton(src)), b, aton(dst))
    raw = _patch(raw, 7 if v.v6 else 8, bytes([ttl]))
    if not v.v6:
        head = _patch(raw[:v.l4], 10, b"\0\0")
        raw = _patch(raw, 10, struct.pack("!H", csum(head)))
    return raw


def xlate(raw, src=None, dst=None, sport=None, dport=None, hops=1, inner=None):
    """The packet as a NAT must emit it; what is not named stays as it is.

    @inner is a dictionary of changes to the packet that an ICMP error quotes.
    """
    v = View(raw)
    src, dst = src or v.src, dst or v.dst
    raw = _set_addresses(raw, v, src, dst, v.ttl - hops)
    seg = raw[v.l4:]
    if v.frag & (0x1fff if not v.v6 else 0xfff8) or v.proto not in _CSUM_AT:
        return raw
    if v.is_icmp:
        if sport is not None or dport is not None:
            new = sport if sport is not None else dport
            seg = _patch(seg, 4, struct.pack("!H", new))
    else:
        seg = _patch(seg, 0, struct.pack("!H", v.sport if sport is None else sport))
        seg = _patch(seg, 2, struct.pack("!H", v.dport if dport is None else dport))
    if inner is not None:
        seg = seg[:8] + requote(seg[8:], **inner)
    if len(seg) < _CSUM_AT[v.proto] + 2:
        return raw
    if inner is None and _resum(v.seg, v.proto, v.src, v.dst) != v.seg:
        return raw[:v.l4] + _keep_error(v, seg, src, dst)
    return raw[:v.l4] + _resum(seg, v.proto, src, dst)


def _keep_error(v, seg, src, dst):
    """A checksum that was wrong stays wrong by as much."""
    at = _CSUM_AT[v.proto]
    if v.proto == UDP and seg[6:8] == b"\0\0":
        return seg
    before, after = (_patch(s[:8], at, b"\0\0") if at < 8 else s[:8]
                     for s in (v.seg, seg))
    if v.proto != ICMP:
        before, after = aton(v.src) + aton(v.dst) + before, aton(src) + aton(dst) + after
    value = _adjust(int.from_bytes(seg[at:at + 2], "big"), before, after)
    if v.proto == UDP and not value:
        value = 0xffff
    return _patch(seg, at, struct.pack("!H", value))


def resum(raw):
    """The packet with a right transport checksum."""
    v = View(raw)
    return raw[:v.l4] + _resum(v.seg, v.proto, v.src, v.dst)


def _resum(seg, proto, src, dst):
    """The segment with the checksum that its new surroundings ask for."""
    at = _CSUM_AT[proto]
    if proto == UDP and seg[6:8] == b"\0\0":
        return seg  # the sender asked for none
    seg = _patch(seg, at, b"\0\0")
    if proto == ICMP:
        return _patch(seg, at, struct.pack("!H", csum(seg)))
    return _l4(src, dst, proto, seg, at, zero_ok=proto != UDP)


def _adjust(old, before, after):
    """RFC 1624 on a checksum whose data is not at hand (a cut quote)."""
    total = ~old & 0xffff
    for part, invert in ((before, True), (after, False)):
        for half in struct.unpack("!%dH" % (len(part) // 2), part):
            total += ~half & 0xffff if invert else half
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def requote(raw, src=None, dst=None, sport=None, dport=None):
    """The quoted packet with its addresses and ports put back, TTL kept.

    The quote may end after eight bytes of the transport header, so its
    transport checksum can only be adjusted, and only where it is quoted.
    """
    v = View(raw)
    new = _set_addresses(raw, v, src or v.src, dst or v.dst, v.ttl)
    seg = v.seg
    if v.proto not in _CSUM_AT or len(seg) < 8:
        return new
    if v.is_icmp:
        port = sport if sport is not None else dport
        seg = _patch(seg, 4, struct.pack("!H", v.sport if port is None else port))
    else:
        seg = _patch(seg, 0, struct.pack("!H", v.sport if sport is None else sport))
        seg = _patch(seg, 2, struct.pack("!H", v.dport if dport is None else dport))
    at = _CSUM_AT[v.proto]
    if len(seg) >= at + 2 and not (v.proto == UDP and seg[6:8] == b"\0\0"):
        pseudo = slice(8, 40) if v.v6 else slice(12, 20)
        before = (b"" if v.proto == ICMP else raw[pseudo]) + v.seg[:8]
        after = (b"" if v.proto == ICMP else new[pseudo]) + seg[:8]
        if at < 8:
            before = _patch(before, len(before) - 8 + at, b"\0\0")
            after = _patch(after, len(after) - 8 + at, b"\0\0")
        old = struct.unpack("!H", v.seg[at:at + 2])[0]
        value = _adjust(old, before, after)
        if v.proto == UDP and not value:
            value = 0xffff
        seg = _patch(seg, at, struct.pack("!H", value))
    return new[:v.l4] + seg


def fragment(raw, size):
    """Cut an IP packet into fragments of at most @size payload bytes."""
    v = View(raw)
    if not v.v6:
        return [ip(v.src, v.dst, v.proto, v.seg[at:at + size], v.ttl, v.tos,
                   v.ident, df=False, frag=at, more=at + size < len(v.seg))
                for at in range(0, len(v.seg), size)]
    _next_id[0] = ident = _next_id[0] * 5 + 7 & 0xffff
    return [ip(v.src, v.dst, 44, struct.pack(
            "!BBHI", v.proto, 0, at | (at + size < len(v.seg)), ident)
        + v.seg[at:at + size], v.ttl, v.tos)
        for at in range(0, len(v.seg), size)]


def reassemble(parts):
    """Put fragments together; None if some byte is missing or doubled."""
    views = [View(p) for p in parts]
    if len({(v.src, v.dst, v.ident, v.proto) for v in views}) != 1:
        return None
    data, last = b"", False
    mask = 0xfff8 if views[0].v6 else 0x1fff
    scale, more = (1, 1) if views[0].v6 else (8, 0x2000)
    for v in sorted(views, key=lambda v: v.frag & mask):
        if (v.frag & mask) * scale != len(data):
            return None
        data += v.seg
        last = not v.frag & more
    if not last:
        return None
    v = views[0]
    kw = {} if v.v6 else {"ident": v.ident, "df": bool(v.frag & 0x4000)}
    return ip(v.src, v.dst, v.proto, data, v.ttl, v.tos, **kw)


def _same_ident(got, want):
    """@want with the identification of @got, if either may be fragmented.

    The translator chooses it then; rfc_cgn.py looks at how.
    """
    if len(got) < 20 or len(want) < 20 or got[0] >> 4 != 4 or \
            want[0] >> 4 != 4 or (got[6] | want[6]) & 0x40:
        return want
    size = (want[0] & 15) * 4
    head = want[:4] + got[4:6] + want[6:10] + b"\0\0" + want[12:size]
    return head[:10] + struct.pack("!H", csum(head)) + head[12:] + want[size:]


def differ(got, want):
    """A sentence on how two packets differ, None if they do not."""
    want = _same_ident(got, want)
    if got == want:
        return None
    at = [i for i in range(min(len(got), len(want))) if got[i] != want[i]]
    where = "bytes %s" % at[:12] if at else "length"
    return "%s differ\n   got %s\n       %s\n  want %s\n       %s" % (
        where, View(got), got[:96].hex(), View(want), want[:96].hex())


def same(got, want, what="packet"):
    """Fail unless two packets are equal byte for byte."""
    text = differ(got, want)
    if text:
        raise ktap.Fail(what + ": " + text)
