#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Mapping, filtering and hairpinning in the terms of RFC 4787 and 5382.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4       10.0.0.1      198.51.100.1-6      2001:db8:1::10-12

C1 has sent from its port to S1; who may then send to what C1 has become?
"""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, masquerade, moved, query, stats, userctl  # noqa: E402
from flow import PORTED, outward, port      # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, INSIDE, POOL, S, X, Lab  # noqa: E402

lab = Lab()
FAMILIES = (4, 6)


def forward(family, proto, outside, inside):
    """The words of one to C1, behind the first."""
    where = "[%s]:%d" if family == 6 else "%s:%d"
    return (proto, where % (X[family], outside),
            where % (C[family][0], inside))


def out(family, proto, client, sport, server, dport=80):
    """One packet of a client; returns its external port."""
    return outward(lab, proto, C[family][client], sport, S[family][server],
                   dport, back=False)[1]


def admits(family, proto, outside, server, sport, inside, client=0):
    """A packet from outside must reach the client's port."""
    raw = pkt.first(proto, S[family][server], sport, X[family], outside)
    lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][client], dport=inside))


def rejects(family, proto, outside, server, sport, silent=True):
    """A packet from outside must reach nobody inside."""
    raw = pkt.first(proto, S[family][server], sport, X[family], outside)
    seen = lab.swap("wan", raw)
    equal([str(pkt.View(p)) for p in seen["lan"]], [], "packets on lan0")
    if silent:
        equal([str(pkt.View(p)) for p in seen["wan"]], [], "answers on wan0")


@each("rfc4787_req1 mapping is endpoint-independent", PORTED)
def mapping_independent(family, proto):
    masquerade(family)
    sport = port()
    used = {out(family, proto, 0, sport, 0), out(family, proto, 0, sport, 1, 443)}
    # Another host's clash on the same port must not change it.
    other = out(family, proto, 1, sport, 2)
    used.add(out(family, proto, 0, sport, 2))
    equal(len(used), 1, "external ports of C1")
    true(other not in used, "C2 shares C1's external port %d" % other)


@each("rfc4787_req3 ports are not overloaded", PORTED)
def no_overloading(family, proto):
    masquerade(family)
    sport = port()
    used = [out(family, proto, client, sport, server)
            for client, server in ((0, 0), (1, 2), (2, 1))]
    equal(len(set(used)), 3, "external ports of three hosts, %r" % used)


@each("rfc4787_req3a a clash keeps the port's range", ("tcp", "udp"))
def keeps_range(family, proto):
    masquerade(family)
    bands = ((500, range(1, 1024)), (600, range(1, 1024)), (2000, range(1024, 65536)))
    # C1 takes all of them first: what C2 is given by chance must not be one.
    for sport, _ in bands:
        equal(out(family, proto, 0, sport, 0), sport, "port without a clash")
    for sport, band in bands:
        got = out(family, proto, 1, sport, 0)
        true(got != sport and got in band, "port %d became %d" % (sport, got))


@each("rfc4787_req4 a clash keeps the parity", ("udp",))
def keeps_parity(family, proto):
    masquerade(family)
    for sport in (port(), port() + 1, port(), port() + 1, port(), port() + 1):
        out(family, proto, 0, sport, 0)
        for client in (1, 2):
            got = out(family, proto, client, sport, 0)
            equal(got % 2, sport % 2, "parity of port %d (from %d)" % (got, sport))


@each("parity may be switched off", ("udp",))
def no_parity(family, proto):
    masquerade(family, before="set port.parity off\n")
    seen = set()
    for _ in range(24):         # all even by chance: once in 16 million runs
        sport = port()
        out(family, proto, 0, sport, 0)
        seen.add(out(family, proto, 1, sport, 0) % 2)
    equal(seen, {0, 1}, "parities of changed ports")


@each("rfc6056 a changed port is unpredictable", ("udp",))
def unpredictable(family, proto):
    masquerade(family)
    got = []
    for _ in range(16):
        sport = port()
        out(family, proto, 0, sport, 0)
        got.append(out(family, proto, 1, sport, 0))
    steps = {b - a for a, b in zip(got, got[1:])}
    true(len(steps) > 8, "steps between ports: %r" % sorted(steps))
    true(min(got) >= 1024, "port below 1024")


def filters(family, proto, expected, more="", before=""):
    """Who may send to C1's mapping: (other port of S1, S2)?"""
    masquerade(family, more, before)
    sport = port()
    outside = out(family, proto, 0, sport, 0, 80)
    for allowed, server, from_port in ((True, 0, 80), (expected[0], 0, port()),
                                       (expected[1], 1, 80)):
        if allowed:
            admits(family, proto, outside, server, from_port, sport)
        else:
            before = stats()
            rejects(family, proto, outside, server, from_port)
            true(any("filtered" in key for key in moved(before)),
                 "the drop is not counted as filtered: %r" % moved(before))


WORDS = {"endpoint-independent": (True, True), "address-dependent": (True, False),
         "address-and-port-dependent": (False, False)}

for _family in FAMILIES:
    for _proto in ("udp",):
        case("rfc4787_req8 default filtering is address-dependent ipv%d" % _family,
             family=_family, proto=_proto, expected=(True, False))(filters)
        for _word, _expected in WORDS.items():
            case("rule's filtering %s ipv%d" % (_word, _family), family=_family,
                 proto=_proto, expected=_expected,
                 more=" filtering " + _word)(filters)
            case("set filtering %s ipv%d" % (_word, _family), family=_family,
                 proto=_proto, expected=_expected,
                 before="set filtering %s\n" % _word)(filters)


def filters_tcp(family, word, expected):
    """A SYN from outside to a TCP mapping passes where the filter allows."""
    masquerade(family, " filtering " + word)
    sport = port()
    outside = out(family, "tcp", 0, sport, 0, 80)
    for allowed, server in ((expected[0], 0), (expected[1], 1)):
        if allowed:
            admits(family, "tcp", outside, server, port(), sport)
        else:
            rejects(family, "tcp", outside, server, port())


for _family in FAMILIES:
    for _word, _expected in WORDS.items():
        case("rfc5382_req3 tcp filtering %s ipv%d" % (_word, _family), family=_family,
             word=_word, expected=_expected)(filters_tcp)


MAPS = {"endpoint-independent": 1, "address-dependent": 2,
        "address-and-port-dependent": 4}


def maps(family, word, count, proto="udp"):
    """How many external ports four destinations give one inside port."""
    masquerade(family, " random mapping " + word)
    sport = port()
    used = {out(family, proto, 0, sport, server, dport)
            for server in (0, 1) for dport in (80, 443)}
    equal(len(used), count, "external ports, %r" % used)


for _family in FAMILIES:
    for _word, _count in MAPS.items():
        case("rule's mapping %s ipv%d" % (_word, _family), family=_family,
             word=_word, count=_count)(maps)


@each("a reply to a filtered-out sender opens the filter", ("udp",))
def opens_filter(family, proto):
    masquerade(family)
    sport = port()
    outside = out(family, proto, 0, sport, 0)
    rejects(family, proto, outside, 1, 80)
    equal(out(family, proto, 0, sport, 1), outside, "external port")
    admits(family, proto, outside, 1, 80, sport)


@each("what comes in by the mapping goes back through it", ("udp", "tcp"))
def inbound_reply(family, proto):
    masquerade(family, " filtering endpoint-independent")
    sport, far = port(), port()
    outside = out(family, proto, 0, sport, 0)
    raw = pkt.first(proto, S[family][2], far, X[family], outside)
    got = lab.through("wan", raw)
    pkt.same(got, pkt.xlate(raw, dst=C[family][0], dport=sport), "inbound packet")
    reply = pkt.answer(got)
    lab.expect("lan", reply, pkt.xlate(reply, src=X[family], sport=outside))


def hairpin(family, proto, sport, outside, far):
    """C2 sends to C1's mapping; returns C2's external port as C1 sees it."""
    raw = pkt.first(proto, C[family][1], far, X[family], outside)
    got = lab.through("lan", raw, out="lan")
    seen = pkt.View(got)
    equal(seen.src, X[family], "the source that C1 sees")
    want = pkt.xlate(raw, src=X[family], sport=seen.sport,
                     dst=C[family][0], dport=sport)
    pkt.same(got, want, "hairpinned packet")
    reply = pkt.answer(got)
    lab.expect("lan", reply, pkt.xlate(reply, src=X[family], sport=outside,
                                       dst=C[family][1], dport=far), out="lan")
    return seen.sport


@each("rfc4787_req9 rfc4787_req9a hairpin shows the external source", ("udp", "tcp"))
def hairpin_case(family, proto):
    masquerade(family, " filtering endpoint-independent")
    sport, far = port(), port()
    outside = out(family, proto, 0, sport, 0)
    shown = hairpin(family, proto, sport, outside, far)
    # It is the port that C2 has towards everybody else.
    equal(out(family, proto, 1, far, 1), shown, "C2's external port")


@each("a forward to an endpoint that has a mapping", ("udp", "tcp"))
def forward_over_mapping(family, proto):
    masquerade(family)
    sport = port()
    had = out(family, proto, 0, sport, 0)
    outside = had + 1 if had < 60000 else had - 1
    userctl("forward", "add", *forward(family, proto, outside, sport))
    admits(family, proto, outside, 1, port(), sport)
    # What there was goes on as it is; what comes then is the forward's.
    equal(out(family, proto, 0, sport, 0), had, "port of the old flow")
    equal(out(family, proto, 0, sport, 2), outside, "port of a new flow")


@each("hairpin through a forward", ("udp", "tcp"))
def hairpin_forward(family, proto):
    masquerade(family, before="forward %s %s %s\n" %
               forward(family, proto, 2222, 22))
    hairpin(family, proto, 22, 2222, port())


@each("rfc4787_req9a a refused hairpin opens its sender's filter", ("udp",))
def punching(family, proto):
    masquerade(family)
    mine, theirs = port(), port()
    first = out(family, proto, 0, mine, 0)
    second = out(family, proto, 1, theirs, 0)
    raw = pkt.first(proto, C[family][1], theirs, X[family], first)
    equal(lab.swap("lan", raw), {"lan": [], "wan": []},
          "what C1's filter lets through")
    raw = pkt.first(proto, C[family][0], mine, X[family], second)
    lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=first,
                                     dst=C[family][1], dport=theirs), out="lan")


@each("rfc5508_req7 an error about a hairpinned packet", ("udp",))
def hairpin_error(family, proto):
    masquerade(family, " filtering endpoint-independent")
    sport, far = port(), port()
    outside = out(family, proto, 0, sport, 0)
    raw = pkt.first(proto, C[family][1], far, X[family], outside)
    got = lab.through("lan", raw, out="lan")
    err = pkt.error(C[family][0], X[family], "unreach", got)
    want = pkt.xlate(err, src=X[family], dst=C[family][1], inner={
        "src": C[family][1], "sport": far, "dst": X[family], "dport": outside})
    lab.expect("lan", err, want, out="lan")


@each("hairpin may be switched off", ("udp",))
def no_hairpin(family, proto):
    masquerade(family, " filtering endpoint-independent", "set hairpin off\n")
    sport = port()
    outside = out(family, proto, 0, sport, 0)
    raw = pkt.first(proto, C[family][1], port(), X[family], outside)
    for p in lab.swap("lan", raw)["lan"]:
        true(pkt.View(p).dst != C[family][0], "the packet reached C1")


@each("own_sockets the router's own ports are never given away", ("udp",))
def own_ports(family, proto):
    masquerade(family)
    af = socket.AF_INET6 if family == 6 else socket.AF_INET
    sport = port()
    with socket.socket(af, socket.SOCK_DGRAM) as own:
        own.bind((X[family], sport))
        own.settimeout(ktap.patience(1))
        got = out(family, proto, 0, sport, 0)
        true(got != sport, "C1 got the router's own port")
        raw = pkt.udp(S[family][1], X[family], port(), sport, b"to the router")
        lab.nothing("wan", raw)
        equal(own.recv(100), b"to the router", "what the router's socket got")


@each("own_sockets the router's own connections keep their ports apart", ("udp",))
def own_flows(family, proto):
    """A mapping exists first, then the router itself sends from its port."""
    masquerade(family)
    af = socket.AF_INET6 if family == 6 else socket.AF_INET
    sport = port()
    outside = out(family, proto, 0, sport, 0)
    with socket.socket(af, socket.SOCK_DGRAM) as own:
        own.bind((X[family], outside))
        own.settimeout(ktap.patience(1))
        own.sendto(b"mine", (S[family][0], 80))
        for p in lab.collect()["wan"]:
            true(pkt.View(p).sport != outside,
                 "the router sends as C1's mapping to the same server")
    admits(family, proto, outside, 0, 80, sport)


@each("iptables profile is symmetric", ("udp", "tcp"))
def symmetric(family, proto):
    apply("set profile iptables\nrule postrouting oif wan0 src %s masquerade\n"
          % INSIDE[family])
    sport = port()
    # Ports are shared where the destinations differ ...
    equal(out(family, proto, 0, sport, 0), sport, "C1's port")
    equal(out(family, proto, 1, sport, 1), sport, "C2's port to another server")
    # ... and change where they do not.
    got = out(family, proto, 2, sport, 0)
    true(got != sport, "C3's port to the same server clashes")
    # The connection's peer alone may send.
    rejects(family, proto, sport, 2, 80, silent=False)
    rejects(family, proto, sport, 0, 81, silent=False)
    raw = pkt.first(proto, S[family][1], 80, X[family], sport)
    if proto == "udp":
        lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][1], dport=sport))


@each("iptables profile does not hairpin", ("udp",))
def symmetric_hairpin(family, proto):
    apply("set profile iptables\nrule postrouting oif wan0 src %s masquerade\n"
          % INSIDE[family])
    sport = port()
    out(family, proto, 0, sport, 0)
    raw = pkt.first(proto, C[family][1], port(), X[family], sport)
    for p in lab.swap("lan", raw)["lan"]:
        true(pkt.View(p).dst != C[family][0], "the packet reached C1")


@each("poisoned_port an outsider's early packet poisons no port", ("udp",))
def poison(family, proto):
    masquerade(family)
    sport = port()
    rejects(family, proto, sport, 0, 80, silent=False)
    equal(out(family, proto, 0, sport, 0), sport, "external port")
    admits(family, proto, sport, 0, 80, sport)


@each("mappings are listed", ("udp", "tcp"))
def listed_mapping(family, proto):
    masquerade(family)
    sport = port()
    outside = out(family, proto, 0, sport, 0)
    out(family, proto, 0, sport, 1)
    found = query("mapping", "list")
    found = found.get("mappings", found) if isinstance(found, dict) else found
    text = str([m for m in found if C[family][0] in str(m) and str(sport) in str(m)])
    true(X[family] in text and str(outside) in text, "not listed in %r" % found)
    equal(len(conns("src", C[family][0], "sport", str(sport))), 2,
          "connections of one mapping")


@each("a deleted mapping's traffic is refused", ("udp",))
def deleted(family, proto):
    masquerade(family)
    sport = port()
    outside = out(family, proto, 0, sport, 0)
    userctl("conn", "delete", "src", C[family][0], "sport", str(sport))
    equal(conns("src", C[family][0], "sport", str(sport)), [], "connections")
    rejects(family, proto, outside, 0, 80, silent=False)


@each("the last port of a range is found, then the range is used up", ("udp", "tcp"))
def exhausted(family, proto):
    where = "[%s]:%s" if family == 6 else "%s:%s"
    apply("rule postrouting oif wan0 src %s snat %s\n" % (
        INSIDE[family], where % (POOL[family][2], "3000-3003")))
    used = [outward(lab, proto, C[family][n % 3], None, S[family][0],
                    ext=[POOL[family][2]], ports=range(3000, 3004))[1]
            for n in range(4)]
    equal(len(set(used)), 4, "ports in use")
    before = stats()
    raw = pkt.first(proto, C[family][0], port(), S[family][1], 80)
    seen = lab.swap("lan", raw)
    equal(seen["wan"], [], "packets on wan0")
    true(any("no-port" in key for key in moved(before)), "not counted as no-port")
    equal([pkt.View(p).type for p in seen["lan"]], [1 if family == 6 else 3],
          "ICMP unreachable to the client")
    quote = pkt.View(seen["lan"][0]).seg[8:8 + len(raw)]
    pkt.same(quote, pkt.xlate(raw)[:len(quote)], "its quote")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
