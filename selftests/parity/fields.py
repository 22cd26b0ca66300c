# SPDX-License-Identifier: GPL-2.0
"""A packet as a list of fields that two routers' packets are compared by.

Only what is random by nature gets a name in place of its value, the same name
for the same value as long as a scenario runs:

    ports and ICMP identifiers that no sender chose  "1024-65535 #1": the range
        that the rule or the port's kind permits, and the how manieth of it
    IP identification of packets the router made      "router's"
    initial sequence numbers of the router's stack    "isn #1 + 1"

Of a checksum the residue is taken: what it is off by from the bytes that are
there. It is 0 for a right one, and what a cut quote lacks, before and after
translation, leaves the same residue.
"""
import struct

import pkt

BANDS = ((0, 0), (1, 511), (512, 1023), (1024, 65535))
IDENTIFIERS = ((0, 65535),)
MADE = (64, 255)    # hop limits that stacks begin with; those of hosts are pkt.TTL
SPAN = 1 << 20  # sequence numbers that one connection of a scenario uses
PORTED = {6: "tcp", 17: "udp", 132: "sctp", 33: "dccp", 136: "udplite"}


class Names:
    """What values of one scenario mean, for one router."""

    def __init__(self, ranges=()):
        self.ranges = tuple(ranges)
        self.known = set()      # ports that the scenario chose
        self.idents = set()     # IP identifications of packets sent
        self.seqs = []          # initial sequence numbers of packets sent
        self.isns = []          # of packets that the router made
        self.given = {}

    def learn(self, raw):
        """A packet that a host sends: what it says is no accident."""
        v = pkt.View(raw)
        if hasattr(v, "ident"):
            self.idents.add(v.ident)
        if v.proto == pkt.TCP and len(v.seg) >= 20 and v.flags & pkt.SYN:
            self.seqs.append(v.seq)

    def port(self, value, addr="", bands=BANDS):
        if value in self.known:
            return value
        forced = [r for r in self.ranges if r[0] <= value <= r[1]]
        low, high = (forced or [b for b in bands if b[0] <= value <= b[1]])[0]
        key = "%d-%d" % (low, high)
        mine = self.given.setdefault(key, [])
        if (addr, value) not in mine:
            mine.append((addr, value))
        return "%s #%d" % (key, mine.index((addr, value)) + 1)

    def ident(self, value, ttl):
        """@ttl tells what a stack made, even if its number is a sent one's."""
        return value if value in self.idents and ttl not in MADE else "router's"

    def seq(self, value, begins=False):
        if begins and not any((value - s) % 2**32 < SPAN for s in self.seqs):
            if value not in self.isns:
                self.isns.append(value)
        off = [(value - base + SPAN) % 2**32 - SPAN for base in self.isns]
        near = min(range(len(off)), key=lambda n: abs(off[n]), default=None)
        if near is not None and abs(off[near]) < SPAN:
            return "isn #%d %+d" % (near + 1, off[near])
        return value


def _residue(data, at):
    """What the checksum at offset @at is off by; data includes it."""
    value = pkt.csum(data)
    return 0 if value in (0, 0xffff) else value


def _pseudo(v, proto, length):
    if v.v6:
        return v.raw[8:40] + struct.pack("!IHBB", length, 0, 0, proto)
    return v.raw[12:20] + struct.pack("!BBH", 0, proto, length)


def _l4_length(v):
    """The transport segment's length as the packet claims it (quotes are cut)."""
    if v.v6:
        return struct.unpack("!H", v.raw[4:6])[0] + 40 - v.l4
    return struct.unpack("!H", v.raw[2:4])[0] - v.l4


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return ~crc & 0xffffffff


def _ip(v, names):
    raw = v.raw
    f = {"src": v.src, "dst": v.dst, "proto": v.proto, "ttl": v.ttl,
         "tos": v.tos, "length": len(raw)}
    if v.v6:
        f["flow"] = struct.unpack("!I", raw[:4])[0] & 0xfffff
        f["payload-length"] = struct.unpack("!H", raw[4:6])[0]
        f["headers"] = raw[40:v.l4].hex()
        if raw[6] == 44:
            f["headers"], f["frag"] = "fragment", v.frag
            f["ip-id"] = names.ident(v.ident, v.ttl)
        return f
    f["claimed-length"] = struct.unpack("!H", raw[2:4])[0]
    f["ip-id"] = names.ident(v.ident, v.ttl)
    f["frag"] = v.frag
    f["options"] = raw[20:v.l4].hex()
    f["ip-sum"] = _residue(raw[:v.l4], 10)
    return f


def _is_later_fragment(v):
    return v.frag & (0xfff8 if v.v6 else 0x1fff)


def _is_fragment(v):
    return v.frag & (0xfff9 if v.v6 else 0x3fff)


def _sum(v, at, whole=True):
    """The residue of the transport checksum; None where it is not there."""
    if len(v.seg) < at + 2 or _is_fragment(v):
        return None
    if v.proto == 17 and v.seg[at:at + 2] == b"\0\0":
        return "none"
    pseudo = b"" if v.proto == 1 else _pseudo(v, v.proto, _l4_length(v))
    return _residue(pseudo + v.seg, at)


def _both_ports(v, names):
    return {"sport": names.port(v.sport, v.src), "dport": names.port(v.dport, v.dst)}


def _icmp_id(v, names):
    """An identifier belongs to whoever asks."""
    asks = v.type in ((128,) if v.v6 else (8, 13, 15, 17))
    return names.port(v.sport, v.src if asks else v.dst, IDENTIFIERS)


def _tcp(v, names):
    seg = v.seg
    f = _both_ports(v, names)
    if len(seg) < 20:
        f["rest"] = seg[4:].hex()
        f["seq"] = names.seq(struct.unpack("!I", seg[4:8])[0])
        f["rest"] = seg[8:].hex()
        return f
    syn = v.flags & pkt.SYN
    f.update({"seq": names.seq(v.seq, syn), "ack": names.seq(v.ack) if
              v.flags & pkt.ACK else v.ack, "offset": seg[12], "flags": v.flags,
              "window": seg[14:16].hex(), "urgent": seg[18:20].hex(),
              "rest": seg[20:].hex(), "sum": _sum(v, 16)})
    return f


def _ports(v, names):
    f = _both_ports(v, names)
    seg = v.seg
    if v.proto == 17:
        f.update({"udp-length": seg[4:6].hex(), "sum": _sum(v, 6),
                  "rest": seg[8:].hex()})
    elif v.proto == 136:
        cover = struct.unpack("!H", seg[4:6])[0] or len(seg)
        f.update({"coverage": seg[4:6].hex(), "rest": seg[8:].hex(), "sum":
                  _residue(_pseudo(v, 136, len(seg)) + seg[:cover], 6)})
    elif v.proto == 132:
        good = struct.pack("<I", crc32c(seg[:8] + b"\0\0\0\0" + seg[12:]))
        f.update({"tag": seg[4:8].hex(), "rest": seg[12:].hex(),
                  "sum": "good" if seg[8:12] == good else "wrong"})
    else:
        f.update({"sum": _sum(v, 6), "rest": (seg[4:6] + seg[8:]).hex()})
    return f


def _icmp(v, names, depth):
    seg = v.seg
    f = {"type": seg[0], "code": seg[1], "sum": _sum(v, 2)}
    queries = (128, 129) if v.v6 else (0, 8, 13, 14, 15, 16, 17, 18)
    errors = (1, 2, 3, 4) if v.v6 else (3, 4, 5, 11, 12)
    if seg[0] in queries and len(seg) >= 8:
        f["id"] = _icmp_id(v, names)
        f["rest"] = seg[6:].hex()
    elif seg[0] in errors and not depth and len(seg) >= 28:
        f["about"] = seg[4:8].hex()
        for key, value in fields(seg[8:], names, 1).items():
            f["quote." + key] = value
    else:
        f["rest"] = seg[4:].hex()
    return f


def fields(raw, names, depth=0):
    """The fields of an IP packet, {name: value}."""
    v = pkt.View(raw)
    f = _ip(v, names)
    if _is_later_fragment(v) or len(v.seg) < 8:
        f["rest"] = v.seg.hex()
    elif v.proto == 6:
        f.update(_tcp(v, names))
    elif v.proto in PORTED:
        f.update(_ports(v, names))
    elif v.is_icmp:
        f.update(_icmp(v, names, depth))
    else:
        f["rest"] = v.seg.hex()
    return f


def brief(f):
    """A packet's fields in one line."""
    text = "%s > %s proto %s" % (f.get("src"), f.get("dst"), f.get("proto"))
    for key in ("sport", "dport", "id", "type", "code", "flags", "frag", "sum",
                "ttl", "length"):
        if key in f:
            text += " %s %s" % (key, f[key])
    quote = ["%s %s" % (k[6:], f[k]) for k in (
        "quote.src", "quote.dst", "quote.sport", "quote.dport", "quote.sum")
        if k in f]
    return text + (" quoting " + " ".join(quote) if quote else "")
