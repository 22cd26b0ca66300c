#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Beside a stateful firewall: nf_conntrack sees inside addresses only.

    C1..C3 10.0.0.2-4 --- lan0 [ nft + natty ] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4               198.51.100.1              2001:db8:1::10-12

The rule set lets in what belongs to a connection and what a case names, by
inside addresses. Were natty's place among the hooks wrong, answers would be
new or invalid to it and be dropped.
"""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, at, conns, query     # noqa: E402
from flow import PORTED, inward, outward, port  # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, HOP, INSIDE, POOL, R, S, X, Lab, run  # noqa: E402

lab = Lab()
L3 = {4: "ip", 6: "ip6"}


def nft(text):
    code, _, err = run(["nft", "-f", "-"], text, ok=False)
    if code:
        raise ktap.Fail("nft: %s\n%s" % (err, text))


def firewall(*let_in):
    """Established and related pass; new only from inside and as named."""
    nft("flush ruleset\n"
        "table inet fw {\n"
        "  chain forward {\n"
        "    type filter hook forward priority 0; policy drop;\n"
        "    ct state established,related accept\n"
        "    ct state invalid drop\n"
        "    iifname lan0 oifname wan0 ct state new accept\n"
        "    %s\n"
        "  }\n"
        "  chain input {\n"
        "    type filter hook input priority 0; policy drop;\n"
        "    ct state established,related accept\n"
        "    %s\n"
        "  }\n"
        "}\n" % ("\n    ".join(r[8:] for r in let_in if r.startswith("forward ")),
                 "\n    ".join(r[6:] for r in let_in if r.startswith("input "))))


@each("masquerade", PORTED + ("99",))
def masquerade(family, proto):
    firewall()
    apply("rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])
    for client in C[family][:1 if proto == "99" else 2]:
        outward(lab, proto, client, None, S[family][0])
    # Uninvited packets do not get in, whatever the NAT thinks.
    raw = pkt.first("udp", S[family][2], port(), C[family][0], 7)
    equal(lab.swap("wan", raw)["lan"], [], "new packets from outside")


@each("snat with another port", ("tcp", "udp"))
def snat(family, proto):
    firewall()
    apply("rule postrouting oif wan0 src %s snat %s\n"
          % (INSIDE[family], at(POOL[family][1], "3000-3009")))
    for client in C[family]:
        outward(lab, proto, client, None, S[family][0], ext=[POOL[family][1]],
                ports=range(3000, 3010))


@each("netmap", PORTED)
def netmap(family, proto):
    inside, outside, first = (
        ("10.0.0.0/29", "203.0.113.64/29", "203.0.113.66") if family == 4 else
        ("fd00:a::/64", "2001:db8:9::/64", "2001:db8:9::2"))
    firewall("forward iifname wan0 %s daddr %s accept" % (L3[family], inside))
    apply("rule postrouting oif wan0 src %s netmap %s\n"
          "rule prerouting iif wan0 dst %s netmap %s\n"
          % (inside, outside, outside, inside))
    outward(lab, proto, C[family][0], None, S[family][0], ext=[first])
    inward(lab, proto, S[family][1], None, first, 80, to=[C[family][0]])


@each("dnat", ("tcp", "udp"))
def dnat(family, proto):
    firewall("forward iifname wan0 %s daddr %s %s dport 80 accept"
             % (L3[family], C[family][0], proto))
    apply("rule prerouting iif wan0 proto %s dst %s dport 8080 dnat %s\n"
          % (proto, X[family], at(C[family][0], 80)))
    inward(lab, proto, S[family][0], None, X[family], 8080, to=[C[family][0]],
           ports=[80])


@each("forward", ("tcp", "udp"))
def forward(family, proto):
    firewall("forward iifname wan0 %s daddr %s %s dport 22 accept"
             % (L3[family], C[family][1], proto))
    apply("forward %s %s %s\n" % (proto, at(X[family], 2222),
                                  at(C[family][1], 22)))
    inward(lab, proto, S[family][0], None, X[family], 2222, to=[C[family][1]],
           ports=[22])


@each("inbound through a mapping needs the firewall's leave", ("udp",))
def mapping(family, proto):
    apply("rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])
    for let_in, count in ((), 0), (("forward iifname wan0 %s daddr %s accept"
                                    % (L3[family], C[family][0]),), 1):
        firewall(*let_in)
        sport = port()
        outside = outward(lab, proto, C[family][0], sport, S[family][0])[1]
        raw = pkt.first(proto, S[family][0], port(), X[family], outside)
        seen = lab.swap("wan", raw)["lan"]
        equal(len(seen), count, "packets on lan0")
        if seen:
            pkt.same(seen[0], pkt.xlate(raw, dst=C[family][0], dport=sport))
            reply = pkt.answer(seen[0])
            lab.expect("lan", reply, pkt.xlate(reply, src=X[family], sport=outside))


@each("hairpin", ("udp", "tcp"))
def hairpin(family, proto):
    firewall("forward iifname lan0 oifname lan0 %s daddr %s accept"
             % (L3[family], C[family][0]))
    apply("rule postrouting oif wan0 src %s masquerade filtering "
          "endpoint-independent\n" % INSIDE[family])
    sport, far = port(), port()
    outside = outward(lab, proto, C[family][0], sport, S[family][0], back=False)[1]
    raw = pkt.first(proto, C[family][1], far, X[family], outside)
    got = lab.through("lan", raw, out="lan")
    seen = pkt.View(got)
    pkt.same(got, pkt.xlate(raw, src=X[family], sport=seen.sport,
                            dst=C[family][0], dport=sport))
    reply = pkt.answer(got)
    lab.expect("lan", reply, pkt.xlate(reply, src=X[family], sport=outside,
                                       dst=C[family][1], dport=far), out="lan")


def local_socket(family, at):
    s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET,
                      socket.SOCK_DGRAM)
    s.settimeout(ktap.patience(2))
    s.bind(at)
    return s


@each("redirect", ("udp",))
def redirect(family, proto):
    firewall("input iifname lan0 %s dport 5353 accept" % proto)
    apply("rule prerouting iif lan0 proto udp dport 53 redirect :5353\n")
    with local_socket(family, ("", 5353)) as s:
        raw = pkt.udp(C[family][0], S[family][0], port(), 53, b"question")
        lab.nothing("lan", raw)
        data, peer = s.recvfrom(100)
        equal(data, b"question", "question")
        s.sendto(b"told", peer)
        seen = [pkt.View(p) for p in lab.collect()["lan"]]
        equal([(v.src, v.sport) for v in seen], [(S[family][0], 53)], "answer")


@each("dnat in output and snat of the router's own", ("udp",))
def output(family, proto):
    firewall()
    apply("rule output proto %s dst %s dport 53 dnat %s\n"
          "rule postrouting oif wan0 snat %s\n"
          % (proto, S[family][0], at(S[family][1], 5300), POOL[family][3]))
    with local_socket(family, (X[family], port())) as s:
        s.connect((S[family][0], 53))
        s.send(b"question")
        seen = [pkt.View(p) for p in lab.collect()["wan"]]
        equal([(v.src, v.dst, v.dport) for v in seen],
              [(POOL[family][3], S[family][1], 5300)], "question")
        lab.nothing("wan", pkt.answer(seen[0].raw))
        equal(s.recv(100), b"an answer", "answer")


@each("snat in input", ("udp",))
def snat_input(family, proto):
    fake = "fd00:a::63" if family == 6 else "10.0.0.99"
    firewall("input iifname lan0 %s dport 7777 accept" % proto)
    apply("rule input iif lan0 proto udp dport 7777 snat %s\n" % fake)
    with local_socket(family, ("", 7777)) as s:
        raw = pkt.udp(C[family][0], R[family], port(), 7777, b"question")
        lab.nothing("lan", raw)
        data, peer = s.recvfrom(100)
        equal((data, peer[0]), (b"question", fake), "what the socket received")
        s.sendto(b"told", peer)
        seen = [pkt.View(p) for p in lab.collect()["lan"]]
        equal([(v.src, v.dst) for v in seen], [(R[family], C[family][0])], "answer")


@each("errors are related", PORTED)
def errors(family, proto):
    firewall()
    apply("rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])
    sport = port()
    addr, outside = outward(lab, proto, C[family][0], sport, S[family][0])
    raw = pkt.first(proto, C[family][0], sport, S[family][0], 80)
    seen = pkt.xlate(raw, src=addr, sport=outside)
    for source in (S[family][0], HOP[family]):
        for kind in ("unreach", "toobig", "time"):
            err = pkt.error(source, addr, kind, seen, mtu=1400)
            lab.expect("wan", err, pkt.xlate(err, dst=C[family][0], inner={
                "src": C[family][0], "sport": sport}))
    reply = lab.through("wan", pkt.answer(seen))
    err = pkt.error(C[family][0], S[family][0], "unreach", reply)
    lab.expect("lan", err, pkt.xlate(err, src=addr, inner={
        "dst": addr, "dport": outside}))


HOOKS = (("raw", "prerouting", -300), ("mangled", "prerouting", -150),
         ("passing", "forward", 0), ("leaving", "postrouting", -150),
         ("left", "postrouting", 300))


def watch(family, pairs):
    """Count, at each hook, packets of the (source, destination) pairs."""
    l3 = L3[family]
    text = ["flush ruleset", "table %s watch {" % l3]
    for hook, where, priority in HOOKS:
        text += ["chain %s {" % hook, "type filter hook %s priority %d;"
                 % (where, priority)]
        text += ['%s saddr %s %s daddr %s counter comment "%s_%s"'
                 % (l3, src, l3, dst, hook, name)
                 for name, (src, dst) in pairs.items()]
        text.append("}")
    # It also makes conntrack look at every packet.
    text += ["chain tracked {", "type filter hook forward priority 10;",
             "ct state new,established,related accept", "drop", "}", "}"]
    nft("\n".join(text) + "\n")


def counted(family):
    """{(hook, name): packets} for every counter that is not 0."""
    found = {}
    for line in run(["nft", "list", "table", L3[family], "watch"])[1].splitlines():
        words = line.split()
        if "comment" in words and words[words.index("packets") + 1] != "0":
            name = tuple(words[words.index("comment") + 1].strip('"').split("_"))
            found[name] = int(words[words.index("packets") + 1])
    return found


@each("what the hooks see of masquerade", ("udp", "tcp"))
def hooks_snat(family, proto):
    c, s, x = C[family][0], S[family][0], X[family]
    watch(family, {"cs": (c, s), "xs": (x, s), "sx": (s, x), "sc": (s, c)})
    apply("rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])
    outward(lab, proto, c, None, s)     # two packets out, one back
    equal(counted(family), {
        ("raw", "cs"): 2, ("mangled", "cs"): 2, ("passing", "cs"): 2,
        ("leaving", "cs"): 2, ("left", "xs"): 2,
        ("raw", "sx"): 1, ("mangled", "sc"): 1, ("passing", "sc"): 1,
        ("leaving", "sc"): 1, ("left", "sc"): 1}, "packets at the hooks")


@each("what the hooks see of dnat", ("udp", "tcp"))
def hooks_dnat(family, proto):
    c, s, x = C[family][0], S[family][0], POOL[family][3]
    watch(family, {"cs": (c, s), "xs": (x, s), "sx": (s, x), "sc": (s, c)})
    apply("rule prerouting iif wan0 dst %s dnat %s\n" % (x, c))
    inward(lab, proto, s, None, x, 80, to=[c])  # two packets in, one back
    seen = counted(family)
    # Before the first packet is translated, conntrack and mangle may see
    # either address, as with iptables: only what the filter sees is promised.
    seen.pop(("mangled", "sx"), None)
    seen.pop(("mangled", "sc"), None)
    equal(seen, {
        ("raw", "sx"): 2, ("passing", "sc"): 2, ("leaving", "sc"): 2,
        ("left", "sc"): 2, ("raw", "cs"): 1, ("mangled", "cs"): 1,
        ("passing", "cs"): 1, ("leaving", "cs"): 1, ("left", "xs"): 1},
        "packets at the hooks")


@each("what the firewall drops makes no connection", ("udp", "tcp"))
def dropped(family, proto):
    nft("flush ruleset\ntable inet fw {\nchain f {\n"
        "type filter hook forward priority 0; policy drop;\n"
        "ct state established accept\n}\n}\n")
    apply("set timeout.unconfirmed 1\n"
          "rule postrouting oif wan0 src %s masquerade\n"
          "rule prerouting iif wan0 dst %s dnat %s\n"
          % (INSIDE[family], POOL[family][3], C[family][0]))
    lab.nothing("lan", pkt.first(proto, C[family][0], port(), S[family][0], 80))
    equal(conns(), [], "connections of a dropped packet")
    lab.nothing("wan", pkt.first(proto, S[family][0], port(), POOL[family][3], 80))
    deadline = time.monotonic() + ktap.patience(5)
    while conns() and time.monotonic() < deadline:
        time.sleep(0.2)
    equal(conns(), [], "connections after timeout.unconfirmed")


def flagged(name):
    return query("status")[name]


@case("conntrack and nf_nat are reported by status")
def conflict():
    nft("flush ruleset\n")
    true(not flagged("nf_nat"), "nf_nat reported without cause")
    nft("table ip n {\nchain p {\ntype nat hook postrouting priority 100;\n"
        "masquerade\n}\n}\n")
    true(flagged("nf_nat"), "nf_nat is not reported: %r" % query("status"))
    true(flagged("conntrack"), "conntrack is not reported: %r" % query("status"))
    nft("flush ruleset\n")
    ktap.wait_until(lambda: not flagged("nf_nat"), 5, "nf_nat to be gone")


def main():
    try:
        code, _, err = run(["nft", "add table inet probe"], ok=False)
        if not code:
            code, _, err = run(["nft", "add chain inet probe c { type filter hook "
                                "forward priority 0; }; add rule inet probe c "
                                "ct state new accept"], ok=False)
    except FileNotFoundError:
        ktap.skip_all("no nft")
    if code:
        ktap.skip_all("nft: " + (err.splitlines() or ["refused"])[0])
    nft("flush ruleset\n")
    ktap.main(setup=lab.collect)


if __name__ == "__main__":
    main()
