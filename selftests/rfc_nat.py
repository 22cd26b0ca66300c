#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""RFC 4787, as far as nat_eim.py and frag.py do not show it.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4            198.51.100.1-6        2001:db8:1::10-12
"""
import os
import random
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, at, conns, masquerade, moved, setting, stats, userctl  # noqa: E402
from flow import listed, outward, port      # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, HOP, INSIDE, POOL, R, S, X, Lab, mac, run  # noqa: E402

lab = Lab()
FAMILIES = (4, 6)
UNREACH = {4: 3, 6: 1}


def host(family, number):
    """Any inside host, of which only what it sends is looked at."""
    return ("10.0.0.%d" if family == 4 else "fd00:a::%x") % number


def admits(family, outside, server, sport, inside, ext=None):
    """A packet from outside reaches C1's port."""
    raw = pkt.udp(S[family][server], ext or X[family], sport, outside)
    lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][0], dport=inside))


def rejects(family, outside, server, sport):
    before = stats()
    lab.nothing("wan", pkt.udp(S[family][server], X[family], sport, outside))
    true(moved(before).get("filtered"), "not counted as filtered")


@each("rfc4787_req2 rfc6888_req2 a host has one address of the pool")
def pairing(family):
    apply("pool isp %s-%s\nrule postrouting oif wan0 src %s snat pool isp\n"
          % (POOL[family][0], POOL[family][5], INSIDE[family]))
    used = {}
    for number in range(20, 60):
        for proto in ("tcp", "udp", "icmp"):
            packets = [pkt.first(proto, host(family, number), port(), server, dport)
                       for server in S[family] for dport in (80, 443)]
            seen = lab.swap("lan", *packets)["wan"]
            equal(len(seen), len(packets), "packets on wan0")
            used.setdefault(number, set()).update(pkt.View(p).src for p in seen)
    equal({len(addrs) for addrs in used.values()}, {1}, "addresses of a host")
    addrs = set.union(*used.values())
    true(addrs <= set(POOL[family]), "addresses %r" % addrs)
    # By chance two at most: once in 3 * 10^17 runs.
    true(len(addrs) > 2, "all hosts have %r" % addrs)


@each("rfc4787_req5 by default a mapping lives five minutes")
def default_timer(family):
    masquerade(family)
    for key in ("timeout.udp", "timeout.udp-replied"):
        true(int(setting(key)) >= 300, "%s is %s" % (key, setting(key)))
    equal(int(setting("timeout.udp-well-known")), 0, "timeout.udp-well-known")
    for dport in (80, 5060):
        for back in (False, True):
            sport = port()
            outward(lab, "udp", C[family][0], sport, S[family][0], dport, back=back)
            left = listed("udp", C[family][0], sport)["expires"]
            true(297 <= left <= 300, "port %d, answered %s: expires in %d s"
                 % (dport, back, left))


@each("rfc4787_req5 a mapping lives until its timer ends, and not longer")
def timer(family):
    masquerade(family, before="set timeout.udp 4\nset timeout.udp-replied 4\n")
    sport = port()
    outside = outward(lab, "udp", C[family][0], sport, S[family][0], back=False)[1]
    begin = time.monotonic()
    while time.monotonic() < begin + 2.8:
        time.sleep(0.1)
    admits(family, outside, 0, 80, sport)
    ktap.wait_until(lambda: not conns("src", C[family][0]), 12, "the mapping to end")
    equal(lab.swap("wan", pkt.udp(S[family][0], X[family], 80, outside))["lan"], [],
          "packets through a mapping that has ended")


@each("rfc4787_req5 shorter only for well-known destinations")
def well_known(family):
    masquerade(family, before="set timeout.udp-well-known 20\n")
    for dport, want in ((53, 20), (1023, 20), (1024, 300), (5060, 300)):
        sport = port()
        outward(lab, "udp", C[family][0], sport, S[family][0], dport)
        left = listed("udp", C[family][0], sport)["expires"]
        true(want - 3 <= left <= want, "port %d expires in %d s" % (dport, left))
    # What comes in through the same mapping is of no well-known service.
    sport = port()
    outside = outward(lab, "udp", C[family][0], sport, S[family][0], 53)[1]
    admits(family, outside, 0, port(), sport)
    left = max(c["expires"] for c in conns("dst", X[family]))
    true(297 <= left <= 300, "an inbound flow expires in %d s" % left)


def refreshes(family, inbound):
    """A packet of the given direction sets the timer back."""
    masquerade(family)
    sport, c, s = port(), C[family][0], S[family][0]
    outside = outward(lab, "udp", c, sport, s)[1]
    first = listed("udp", c, sport)["expires"]
    ktap.wait_until(lambda: listed("udp", c, sport)["expires"] <= first - 2, 5,
                    "the timer to run")
    if inbound:
        admits(family, outside, 0, 80, sport)
    else:
        raw = pkt.udp(c, s, sport, 80)
        lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=outside))
    left = listed("udp", c, sport)["expires"]
    true(left >= first - 1, "expires in %d s, at first in %d s" % (left, first))


for _family in FAMILIES:
    case("rfc4787_req6 what goes out refreshes ipv%d" % _family, family=_family,
         inbound=False)(refreshes)
    case("rfc4787_req6a what comes in refreshes ipv%d" % _family, family=_family,
         inbound=True)(refreshes)


OVERLAP = {4: ("10.0.0.100", "10.0.0.0/24", "172.31.7.0/24", "172.31.7.%d"),
           6: ("fd00:a::64", "fd00:a::/64", "fd00:b::/64", "fd00:b::%x")}


def overlap_batch(family, verb):
    """The outside learns an address of the inside's own network."""
    addr, net = OVERLAP[family][:2]
    ip = "-6" if family == 6 else "-4"
    lines = ["addr %s %s dev wan0%s" % (
        verb, addr + net[net.index("/"):], " nodad" if family == 6 and verb == "add" else "")]
    for c in C[family]:
        lines.append("neigh %s %s lladdr %s dev wan0 nud permanent" % (
            verb, c, ":".join("%02x" % b for b in mac(c))))
    run(["ip", ip, "-batch", "-"], "\n".join(lines) + "\n")
    for table, dev, side in ((70, "wan0", "lan0"), (71, "lan0", "wan0")):
        run(["ip", ip, "route", verb, net, "dev", dev, "table", str(table)], ok=verb == "add")
        run(["ip", ip, "rule", verb, "iif", side, "pref", str(table), "lookup",
             str(table)])


@each("rfc4787_req7 the same network on both sides")
def overlap(family):
    """Every inside host reaches every outside host, its own number included."""
    addr, net, alias, alias_host = OVERLAP[family]
    apply("rule postrouting oif wan0 src %s masquerade\n"
          "rule prerouting iif lan0 dst %s netmap %s\n" % (net, alias, net))
    overlap_batch(family, "add")
    try:
        for client in C[family]:
            for number, server in zip((2, 3, 4), C[family]):
                sport, far = port(), alias_host % number
                raw = pkt.udp(client, far, sport, 80)
                got = lab.through("lan", raw)
                outside = pkt.View(got).sport
                pkt.same(got, pkt.xlate(raw, src=addr, sport=outside, dst=server))
                reply = pkt.answer(got)
                lab.expect("wan", reply, pkt.xlate(
                    reply, src=far, dst=client, dport=sport))
        # An outside host that has the number of one inside is no hairpin.
        sport = port()
        raw = pkt.udp(C[family][0], alias_host % 3, sport, 80)
        outside = pkt.View(lab.through("lan", raw)).sport
        raw = pkt.udp(C[family][1], addr, port(), outside)
        got = lab.through("wan", raw)
        equal((pkt.View(got).dst, pkt.View(got).dport), (C[family][0], sport),
              "where another port of that host gets to")
        lab.nothing("wan", pkt.udp(C[family][2], addr, port(), outside))
    finally:
        overlap_batch(family, "del")
    # With the address its flows are gone, with the next one there are others.
    ktap.wait_until(lambda: not conns("proto", "udp"), 5, "the flows to end")
    apply("rule postrouting oif wan0 src %s masquerade\n" % net)
    equal(outward(lab, "udp", C[family][0], None, S[family][0])[0], X[family], "address")


SIP = ("REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK7\r\n"
       "Contact: <sip:me@%s:5060>\r\nContent-Length: 0\r\n\r\n")


@each("rfc4787_req10 SIP, TFTP and DNS payloads stay as they are")
def no_gateway(family):
    masquerade(family)
    c, s = C[family][0], S[family][0]
    for dport, data in ((5060, SIP % (c, c)), (69, "\0\1" + "file\0octet\0"),
                        (53, "\0\7\1\0\0\1\0\0\0\0\0\0\4host\0\0\1\0\1"),
                        (10080, "Amanda 2.6 REQ HANDLE 000 SEQ 1 %s\n" % c)):
        data = data.encode()
        raw = pkt.udp(c, s, dport, dport, data)
        lab.expect("lan", raw, pkt.xlate(raw, src=X[family]))
        reply = pkt.udp(s, X[family], dport, dport, data.replace(c.encode(), X[family].encode()))
        lab.expect("wan", reply, pkt.xlate(reply, dst=c))
    # What such a gateway would have opened is closed.
    equal(lab.swap("wan", pkt.udp(S[family][1], X[family], 5060, 6000))["lan"], [],
          "packets to a port that only a payload names")


class Load:
    """Many hosts on few ports; who has which external port?"""

    def __init__(self, family, ext):
        self.family, self.ext = family, ext
        self.known = {}

    def send(self, endpoints, server):
        """A packet of each (host, port); returns those that did not get out."""
        packets = {}
        for number, sport in endpoints:
            tag = b"%d %d" % (number, sport)
            packets[tag] = pkt.udp(host(self.family, number), S[self.family][server],
                                   sport, 1024 + number, tag)
        for p in lab.swap("lan", *packets.values())["wan"]:
            v = pkt.View(p)
            equal(v.src, self.ext, "external address")
            key = tuple(int(n) for n in packets_tag(v).split())
            self.know(key, v.sport)
            del packets[packets_tag(v)]
        return [tuple(int(n) for n in tag.split()) for tag in packets]

    def know(self, key, outside):
        """One external port for an endpoint, and no other endpoint has it."""
        equal(self.known.setdefault(key, outside), outside,
              "external port of %s:%d" % (host(self.family, key[0]), key[1]))
        others = [k for k, used in self.known.items() if used == outside and k != key]
        equal(others, [], "who else has port %d" % outside)


def packets_tag(view):
    return bytes(view.payload)


@each("rfc4787_req11 behaviour does not change under load and by clashes")
def load(family):
    """64 ports for 100 endpoints, all of them with the same few ports."""
    ext = POOL[family][3]
    # Answers to hosts that are not there would wait for them in the kernel, and
    # take up the room for other cases' answers.
    apply("set icmp.exhausted silent\nrule postrouting oif wan0 src %s snat %s\n"
          % (INSIDE[family], at(ext, "3000-3063")))
    rng = random.Random(family)
    endpoints = [(number, sport) for number in range(2, 27) for sport in (3000, 3001, 3002, 7)]
    rng.shuffle(endpoints)
    crowd = Load(family, ext)
    refused = crowd.send(endpoints, 0)
    # Those with an even port may only have the 32 even ones, and so on.
    equal((len(crowd.known), len(refused)), (64, 36), "(mapped, refused)")
    for server in (1, 2, 0):
        rng.shuffle(endpoints)
        late = crowd.send(endpoints, server)
        equal(sorted(late), sorted(refused), "who is refused")
        equal(len(crowd.known), 64, "mappings in use")
    # Filters do not open in need, nor do they close.
    number, sport = next(key for key in crowd.known if key[0] == 2)
    outside = crowd.known[number, sport]
    raw = pkt.udp(S[family][0], ext, 9, outside)
    equal(len(conns("src", host(family, number), "sport", str(sport))), 3, "connections")
    stranger = pkt.udp(HOP[family], ext, 9, outside)
    before = stats()
    lab.nothing("wan", stranger)
    equal(moved(before).get("filtered"), 1, "counted as filtered")
    lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][0], dport=sport))
    # A place that becomes free goes to one who waits, whoever that is.
    userctl("conn", "delete", "src", host(family, number), "sport", str(sport))
    userctl("conn", "delete", "dst", ext)
    gone = crowd.known.pop((number, sport))
    late = crowd.send([e for e in refused if e != (number, sport)], 0)
    equal(len(late), 35, "who is refused afterwards")
    equal(sorted(crowd.known.values()), list(range(3000, 3064)), "ports in use")
    true(gone in crowd.known.values(), "port %d" % gone)


KINDS = {4: [(3, c) for c in range(16)] + [(11, 0), (11, 1), (12, 0), (5, 1)],
         6: [(1, c) for c in range(7)] + [(2, 0), (3, 0), (3, 1), (4, 0), (4, 1)]}


def errors(family, kinds, sources):
    """Errors reach C1, and its mapping works on as if nothing had been."""
    masquerade(family)
    c, sport = C[family][0], port()
    addr, outside = outward(lab, "udp", c, sport, S[family][0])
    sent = pkt.udp(addr, S[family][0], outside, 80)
    for source in sources:
        for kind, code in kinds:
            rest = (1400).to_bytes(4, "big") if kind in (2, 3) else b"\0\0\0\0"
            err = pkt.icmp(source, addr, kind, code, rest, sent)
            lab.expect("wan", err, pkt.xlate(
                err, dst=c, inner={"src": c, "sport": sport}))
            admits(family, outside, 0, 80, sport)
    equal(outward(lab, "udp", c, sport, S[family][1])[1], outside, "external port")


for _family in FAMILIES:
    case("rfc4787_req12 no ICMP error ends a mapping ipv%d" % _family, family=_family,
         kinds=KINDS[_family], sources=(S[_family][0],))(errors)
    case("rfc4787_req12a errors pass whoever sends them ipv%d" % _family, family=_family,
         kinds=KINDS[_family][:2], sources=(S[_family][2], HOP[_family]))(errors)
    case("rfc4787_req12b every destination unreachable passes ipv%d" % _family,
         family=_family, sources=(HOP[_family],),
         kinds=[k for k in KINDS[_family] if k[0] == UNREACH[_family]])(errors)


def set_mtu(dev, mtu):
    run(["ip", "link", "set", dev, "mtu", str(mtu)])


def too_big(family, whole, side, out, quoted):
    """The packet is answered with its own first bytes and the MTU."""
    seen = lab.swap(side, whole)
    equal([str(pkt.View(p)) for p in seen[out]], [], "packets on " + out)
    equal(len(seen[side]), 1, "answers")
    v = pkt.View(seen[side][0])
    equal((v.type, v.seg[1]), ((3, 4) if family == 4 else (2, 0)), "type and code")
    equal(int.from_bytes(v.seg[4:8], "big"), 1300, "MTU")
    equal(v.dst, pkt.View(whole).src, "whom it tells")
    pkt.same(v.seg[8:], quoted[:len(v.seg) - 8], "its quote")
    equal(pkt.xlate(seen[side][0], hops=0), seen[side][0], "checksums")
    return v.src


@each("rfc4787_req13 too big for the link outside")
def big_outward(family):
    masquerade(family)
    c, s, sport = C[family][0], S[family][0], port()
    addr, outside = outward(lab, "udp", c, sport, s)
    data = random.Random(9).randbytes(1372)
    set_mtu("wan0", 1300)
    try:
        whole = pkt.udp(c, s, sport, 80, data)
        equal(too_big(family, whole, "lan", "wan", whole), R[family], "who says so")
        if family == 4:
            whole = pkt.udp(c, s, sport, 80, data, df=False)
            parts = lab.swap("lan", whole)["wan"]
            true(len(parts) > 1 and max(len(p) for p in parts) <= 1300, "fragments")
            pkt.same(pkt.reassemble(parts), pkt.xlate(whole, src=addr, sport=outside))
    finally:
        set_mtu("wan0", 1500)


@each("rfc4787_req13 too big for the link inside")
def big_inward(family):
    """The answer names outside addresses only."""
    masquerade(family)
    c, s, sport = C[family][0], S[family][0], port()
    addr, outside = outward(lab, "udp", c, sport, s)
    data = random.Random(9).randbytes(1372)
    set_mtu("lan0", 1300)
    try:
        whole = pkt.udp(s, addr, 80, outside, data)
        equal(too_big(family, whole, "wan", "lan", whole), X[family], "who says so")
        if family == 4:
            whole = pkt.udp(s, addr, 80, outside, data, df=False)
            parts = lab.swap("wan", whole)["lan"]
            true(len(parts) > 1 and max(len(p) for p in parts) <= 1300, "fragments")
            pkt.same(pkt.reassemble(parts), pkt.xlate(whole, dst=c, dport=sport))
    finally:
        set_mtu("lan0", 1500)


@each("rfc4787_req9a the hole of a refused hairpin lasts as long as a mapping")
def hole(family):
    masquerade(family, before="set timeout.unconfirmed 1\n")
    mine, theirs = port(), port()
    first = outward(lab, "udp", C[family][0], mine, S[family][0])[1]
    second = outward(lab, "udp", C[family][1], theirs, S[family][0])[1]
    raw = pkt.udp(C[family][1], X[family], theirs, first)
    for _ in range(2):
        equal(lab.swap("lan", raw), {"lan": [], "wan": []}, "what C1's filter lets through")
    # Longer than what a connection has whose packets get nowhere.
    begin = time.monotonic()
    while time.monotonic() < begin + 2.5:
        time.sleep(0.1)
    rejects(family, second, 1, 80)
    raw = pkt.udp(C[family][0], X[family], mine, second)
    lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=first,
                                     dst=C[family][1], dport=theirs), out="lan")


@each("rfc7857_req3 a rule may share ports where destinations differ")
def shares(family):
    """One port, which two hosts have towards different servers."""
    ext = POOL[family][3]
    apply("rule postrouting oif wan0 src %s snat %s mapping address-and-port-dependent\n"
          % (INSIDE[family], at(ext, "3000-3000")))
    sport = port()
    for proto in ("udp", "tcp"):
        for n in (0, 1):
            outward(lab, proto, C[family][n], sport, S[family][n], ext=[ext], ports=[3000])
        # Both have it still; nobody gets it for a destination that is taken.
        outward(lab, proto, C[family][0], sport, S[family][2], ext=[ext], ports=[3000])
        before = stats()
        equal(lab.swap("lan", pkt.first(proto, C[family][2], sport, S[family][0], 80))["wan"],
              [], "packets on wan0")
        equal(moved(before).get("no-port"), 1, "counted as no-port")
        raw = pkt.first(proto, C[family][0], sport, S[family][0], 80)
        lab.expect("lan", raw, pkt.xlate(raw, src=ext, sport=3000))


def fill(family, spill):
    """Two addresses of two ports; three flows of a host want one of them."""
    pool = POOL[family][3:5]
    apply("%spool isp %s-%s ports 5000-5001\nset port.parity off\n"
          "set timeout.port-reuse 0\n"
          "rule postrouting oif wan0 src %s snat pool isp\n"
          % (spill and "set pool.spill on\n", pool[0], pool[1], INSIDE[family]))
    used = [outward(lab, "udp", C[family][0], None, S[family][n], ext=pool,
                    ports=(5000, 5001)) for n in (0, 1)]
    equal(len({addr for addr, _ in used}), 1, "addresses of the host")
    raw = pkt.udp(C[family][0], S[family][2], port(), 80)
    before = stats()
    seen = lab.swap("lan", raw)["wan"]
    if spill:
        equal([pkt.View(p).src for p in seen],
              [addr for addr in pool if addr != used[0][0]], "the third flow's address")
        return
    equal(seen, [], "packets on wan0")
    equal(moved(before).get("no-port"), 1, "counted as no-port")
    # The other address is empty: it is there for others.
    lucky = set()
    for number in range(100, 120):
        lucky |= {pkt.View(p).src for p in lab.swap("lan", pkt.udp(
            host(family, number), S[family][0], port(), 80))["wan"]}
        lab.collect()
    equal(lucky, set(pool) - {used[0][0]}, "addresses that others get")


for _family in FAMILIES:
    case("rfc7857_req4 a host whose address is full gets no other ipv%d" % _family,
         family=_family, spill="")(fill)
    case("pool.spill gives it another one ipv%d" % _family, family=_family,
         spill="on")(fill)


def bound(family, proto, number, everywhere=False):
    """A socket of the router on that port."""
    s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET,
                      socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("" if everywhere else X[family], number))
    if proto == "tcp":
        s.listen(1)
    return s


def sockets(family, proto):
    """Sockets are opened while the ports of a range run out."""
    masquerade(family, before="set port.parity off\n", more=" :3000-3007")
    used = []

    def more(count):
        used.extend(outward(lab, proto, C[family][len(used) % 3], None, S[family][0],
                            ports=range(3000, 3008))[1] for _ in range(count))

    with bound(family, proto, 3001), bound(family, proto, 3004, True):
        more(2)
        free = next(p for p in (3000, 3002, 3003) if p not in used)
        with bound(family, proto, free):
            more(3)
            equal(len(set(used)), 5, "ports in use")
            true(not {3001, 3004, free} & set(used), "ports %r" % used)
            before = stats()
            raw = pkt.first(proto, C[family][0], port(), S[family][1], 80)
            equal(lab.swap("lan", raw)["wan"], [], "packets on wan0")
            equal(moved(before).get("no-port"), 1, "counted as no-port")
        # One that is closed is there again before long.
        seen = ktap.wait_until(lambda: lab.swap("lan", raw)["wan"], 10, "the port")
        equal(pkt.View(seen[0]).sport, free, "the port that became free")
    # A socket that comes later leaves those alone that have the port.
    sport = port()
    apply("rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])
    outside = outward(lab, proto, C[family][0], sport, S[family][0])[1]
    with bound(family, proto, outside):
        outward(lab, proto, C[family][0], sport, S[family][1])
        raw = pkt.first(proto, S[family][0], 80, X[family], outside)
        if proto == "udp":
            lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][0], dport=sport))


for _family in FAMILIES:
    for _proto in ("udp", "tcp"):
        case("own_sockets keep their ports while others run out ipv%d %s" % (
            _family, _proto), family=_family, proto=_proto)(sockets)


@each("poisoned_port what comes early spoils no port, whatever it is")
def poison(family):
    """Of every protocol, by the hundred, from the very server."""
    masquerade(family, before="set tcp.unsolicited silent\n")
    # Something has gone out already.
    outward(lab, "udp", C[family][2], None, S[family][2])
    userctl("conn", "flush")
    ports = [port() for _ in range(100)]
    for proto in ("udp", "tcp", "icmp"):
        lab.swap("wan", *[pkt.first(proto, S[family][0], 80, X[family], p) for p in ports])
    equal(conns(), [], "connections")
    for proto in ("udp", "tcp", "icmp"):
        for p in ports[:20]:
            equal(outward(lab, proto, C[family][0], p, S[family][0])[1], p,
                  "external port or identifier of " + proto)


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
