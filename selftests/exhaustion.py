#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What happens when ports, places or a host's share are used up.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4       10.0.0.1      198.51.100.1-6      2001:db8:1::10-12

A new flow is refused, told so and counted; a flow that lives never suffers.
"""
import json
import os
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, at, conns, moved, stats, userctl  # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, INSIDE, POOL, S, X, Lab, sysctl  # noqa: E402

lab = Lab()
PORTS = range(3000, 3002)


def small(family, before="", ports=PORTS):
    """A rule with a small range of ports, which do not rest between cases."""
    apply("%srule postrouting oif wan0 src %s snat %s\n" % (
        before, INSIDE[family],
        at(X[family], "%d-%d" % (ports[0], ports[-1]))))


def opens(family, client=0, sport=None, server=0, dport=80, proto="udp"):
    """A flow opens; returns (internal port, external port)."""
    sport = sport or port()
    return sport, outward(lab, proto, C[family][client], sport,
                          S[family][server], dport, back=False)[1]


def lives(family, flow, client=0, server=0, dport=80):
    """Packets of an open flow pass both ways, by the port that it had."""
    sport, outside = flow
    raw = pkt.udp(C[family][client], S[family][server], sport, dport)
    lab.expect("lan", raw, pkt.xlate(raw, src=X[family], sport=outside))
    raw = pkt.udp(S[family][server], X[family], dport, outside)
    lab.expect("wan", raw, pkt.xlate(raw, dst=C[family][client], dport=sport))


def refused(family, client=0, server=0, dport=80, counter="limit-host",
            answers=1):
    """A new flow is refused; returns the ICMP errors that tell so."""
    before = stats()
    raw = pkt.udp(C[family][client], S[family][server], port(), dport)
    seen = lab.swap("lan", raw)
    equal(seen["wan"], [], "packets on wan0")
    equal(moved(before).get(counter), 1, "counted as " + counter)
    equal(len(seen["lan"]), answers, "answers to the sender")
    return [pkt.View(p) for p in seen["lan"]]


# Type and code by the word of icmp.exhausted; RFC 5508 REQ-8, RFC 6888 REQ-11.
ANSWERS = {"host-unreachable": {4: (3, 1), 6: (1, 3)},
           "admin-prohibited": {4: (3, 13), 6: (1, 1)},
           "silent": {4: None, 6: None}}


def answer(family, word, hairpin=False):
    small(family, "set icmp.exhausted %s\n" % word)
    flows = [opens(family), opens(family, 1)]
    want = ANSWERS[word][family]
    raw = pkt.udp(C[family][2], S[family][0], port(), 80)
    if hairpin:
        raw = pkt.udp(C[family][2], X[family], port(), flows[0][1])
    seen = lab.swap("lan", raw)
    equal(seen["wan"], [], "packets on wan0")
    got = [pkt.View(p) for p in seen["lan"]]
    equal([(v.type, v.seg[1]) for v in got], [want] if want else [], "answers")
    if want:
        quote = got[0].seg[8:]
        # Before it was routed, a packet has one hop more to go.
        hops = 0 if hairpin else 1
        pkt.same(quote, pkt.xlate(raw, hops=hops)[:len(quote)], "the quote")
        equal(got[0].dst, C[family][2], "who hears of it")
    for n, flow in enumerate(flows):
        lives(family, flow, n)


for _family in (4, 6):
    for _word in ANSWERS:
        _ids = "rfc6888_req11 " if _word == "host-unreachable" else \
            "rfc5508_req8 " if _word == "admin-prohibited" else ""
        case("%sipv%d: icmp.exhausted %s" % (_ids, _family, _word),
             family=_family, word=_word)(answer)
    case("rfc6888_req11 ipv%d: a hairpin for which no port is left" % _family,
         family=_family, word="host-unreachable", hairpin=True)(answer)


@each("answers are limited in rate")
def answers_limited(family):
    small(family)
    flows = [opens(family), opens(family, 1)]
    path = "ipv6/icmp/ratelimit" if family == 6 else "ipv4/icmp_ratelimit"
    sysctl(path, 1000)
    try:
        # All destinations share one more limit, which others may have used up.
        ktap.wait_until(lambda: lab.swap("lan", pkt.udp(
            C[family][2], S[family][0], port(), 80))["lan"], 10, "an answer")
        before = stats()
        seen = lab.swap("lan", *[
            pkt.udp(C[family][2], S[family][0], port(), 80) for _ in range(100)])
    finally:
        sysctl(path, 0)
    equal(seen["wan"], [], "packets on wan0")
    equal(moved(before)["no-port"], 100, "refused flows")
    true(len(seen["lan"]) <= 20, "%d answers to 100 flows" % len(seen["lan"]))
    for n, flow in enumerate(flows):
        lives(family, flow, n)


class Monitor:
    """userctl monitor in the background; read() waits for the next event."""

    def __init__(self):
        self.fd, out = os.pipe()
        os.set_blocking(self.fd, False)
        self.rest = b""
        self.pid = os.posix_spawnp(
            "userctl", ["userctl", "--json", "monitor"], os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
        os.close(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read(self, seconds):
        """The events that come within that time."""
        events = []
        while select.select([self.fd], [], [], seconds)[0]:
            got = os.read(self.fd, 65536)
            if not got:
                break
            *lines, self.rest = (self.rest + got).split(b"\n")
            events += [json.loads(line) for line in lines]
            seconds = 0
        return events

    def limits(self, enough, act=None):
        """The limit events until enough() of them, acting again and again."""
        found = []

        def come():
            if act:
                act()
            found.extend(e for e in self.read(0.1) if e["event"] == "limit")
            return enough(found)

        ktap.wait_until(come, 10, "a limit event")
        return found


@each("rfc6888_req11 an event tells what is used up, not every refusal")
def event(family):
    small(family, "set limit.host-connections 1\n")
    flow = opens(family)
    opens(family, 1)
    begin = time.monotonic()
    with Monitor() as monitor:
        def refuse():
            refused(family, 2, counter="no-port")
            refused(family, 0)

        found = monitor.limits(lambda es: len({e["name"] for e in es}) == 2,
                               refuse)
        # At once again: a second has not passed, so nothing more is told.
        told = stats()
        for _ in range(20):
            refused(family, 2, counter="no-port")
        found += [e for e in monitor.read(0.2) if e["event"] == "limit"]
    equal({e["name"] for e in found}, {"no-port", "limit-host"}, "what is told")
    for e in found:
        true(e["value"] >= 1, "an event tells of %d refusals" % e["value"])
    seconds = time.monotonic() - begin
    true(len(found) <= 2 * (seconds + 1), "%d events in %d s" % (
        len(found), seconds))
    equal(moved(told)["no-port"], 20, "refused flows")
    lives(family, flow)


@each("rfc6888_req5 a host's connections are limited, others are not concerned")
def host_connections(family):
    small(family, "set limit.host-connections 3\n", range(3000, 3010))
    flows = [opens(family) for _ in range(3)]
    refused(family)
    other = opens(family, 1)
    # Old and new flows of one mapping are connections, too.
    refused(family, server=1)
    for flow in flows:
        lives(family, flow)
    lives(family, other, 1)
    userctl("conn", "delete", "src", C[family][0], "sport", str(flows[0][0]))
    lives(family, opens(family))


@each("rfc6888_req4 a host's ports are limited, the flows of one port are not")
def host_ports(family):
    small(family, "set limit.host-ports 2\n", range(3000, 3010))
    flows = [opens(family) for _ in range(2)]
    refused(family)
    for server in (1, 2):
        equal(opens(family, 0, flows[0][0], server)[1], flows[0][1],
              "external port towards another server")
    lives(family, opens(family, 1), 1)
    for flow in flows:
        lives(family, flow)
    userctl("conn", "delete", "src", C[family][0], "sport", str(flows[0][0]))
    lives(family, opens(family))


@each("rfc6888_req4 rfc6888_req5 a host's new flows are limited in rate")
def host_rate(family):
    """Ten at once, then ten a second; what is open does not count."""
    small(family, "set limit.host-rate 10\n", range(3000, 3500))
    flow = opens(family)
    before = stats()
    seen = lab.swap("lan", *[
        pkt.udp(C[family][0], S[family][0], port(), 80) for _ in range(100)])
    passed = len(seen["wan"])
    # As many as credit allows, and what a slow machine's time adds to that.
    true(9 <= passed <= 60, "%d of 100 new flows pass" % passed)
    equal(moved(before).get("limit-host-rate"), 100 - passed, "refused flows")
    # The kernel's own limit of all answers holds for IPv6 here.
    true(seen["lan"], "no answer to a refused flow")
    for _ in range(30):
        lives(family, flow)
    lives(family, opens(family, 1), 1)
    ktap.wait_until(lambda: lab.swap("lan", pkt.udp(
        C[family][0], S[family][0], port(), 80))["wan"], 5, "new credit")


@each("flows from outside do not use up a host's rate")
def host_rate_inbound(family):
    small(family, "set limit.host-rate 2\nset filtering endpoint-independent\n",
          range(3000, 3500))
    sport, outside = opens(family)
    seen = lab.swap("wan", *[
        pkt.udp(S[family][1], X[family], port(), outside) for _ in range(20)])
    equal(len(seen["lan"]), 20, "flows from outside that pass")
    opens(family)


@each("one pool's end is not another's")
def pools(family):
    a, b = POOL[family][1:3]
    apply("pool a %s ports 3000-3001\n"
          "pool b %s ports 3000-3001\n"
          "rule postrouting oif wan0 src %s snat pool a\n"
          "rule postrouting oif wan0 src %s snat pool b\n" % (
              a, b, C[family][0], INSIDE[family]))
    for client, ext in ((0, a), (1, b)):
        for _ in range(2):
            outward(lab, "udp", C[family][client], None, S[family][0],
                    ext=[ext], ports=PORTS)
        refused(family, client, counter="no-port")
        if not client:
            outward(lab, "tcp", C[family][client], None, S[family][0],
                    ext=[ext], ports=PORTS)


@each("rfc6888_req11 the namespace's connections are limited, none is evicted")
def namespace(family):
    small(family, "set limit.connections 16\n", range(3000, 3100))
    flows = [opens(family, n % 2) for n in range(16)]
    for _ in range(80):
        refused(family, 2, counter="limit-connections")
    for n, flow in enumerate(flows):
        lives(family, flow, n % 2)
    equal(len(conns()), 16, "connections")
    equal(userctl("conn", "count")[1].strip(), "16", "counted connections")
    userctl("conn", "delete", "src", C[family][0], "sport", str(flows[0][0]))
    lives(family, opens(family, 2), 2)


@each("what a firewall may yet refuse cannot fill the table")
def embryos(family):
    """Connections whose first packet never leaves make room first."""
    where = at(C[family][0], "9")
    apply("set limit.connections 16\n"
          "rule prerouting iif wan0 proto udp dport 7777 dnat %s\n"
          "rule postrouting oif wan0 src %s masquerade\n" % (
              where, INSIDE[family]))
    flow = opens(family, 1)
    # No route, no neighbour needed: a hop limit of 1 ends them here.
    for _ in range(40):
        lab.swap("wan", pkt.udp(S[family][0], X[family], port(), 7777, ttl=1))
    true(len(conns()) <= 3, "%d connections" % len(conns()))
    lives(family, flow, 1)
    for _ in range(8):
        opens(family, 1)


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
