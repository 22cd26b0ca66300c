# SPDX-License-Identifier: GPL-2.0
"""Protocols beside TCP, UDP and ICMP: with ports, and without."""
import struct

from protocols import DIALOGUES, dialogue
from scenario import counters, data, error, opens, scenario, sysctls, timers
from scenarios_source import MASQ, SNAT, there_and_back

_IN = "-A PREROUTING -i wan0 -d <X> "

# With its own check of checksums, conntrack takes all of UDP-Lite for damaged.
_CHECK = "netfilter/nf_conntrack_checksum"


def _scenario(name, rules, *steps, **kw):
    if "udplite" in name:
        steps = (sysctls(_CHECK, 0),) + steps + (sysctls(_CHECK, 1),)
    scenario("proto: " + name, rules, *steps, **kw)


for _proto in DIALOGUES:
    _p = "-p %s -m %s " % (_proto, _proto)
    if _proto == "udplite":     # iptables' SNAT and DNAT take no ports of it
        _p = "-p udplite -m multiport "
    _dport, _sport = ("--dports", "--sports") if "multi" in _p else ("--dport", "--sport")
    _scenario("masquerade of " + _proto, MASQ,
             dialogue("a", _proto, "C1:5000", "S1:80"),
             dialogue("b", _proto, "C2:5001", "S1:80"), error("a", "s", "unreach"),
             error("a", "s", "time", router="HOP"), error("b", "c", "unreach"), counters())
    _scenario("clash of ports of " + _proto, MASQ,
             dialogue("a", _proto, "C1:5000", "S1:80", 3),
             dialogue("b", _proto, "C2:5000", "S1:80", 3),
             dialogue("c", _proto, "C2:5000", "S2:80", 3))
    _scenario("snat of %s to a range of addresses" % _proto, SNAT + "<X2-X4>",
             [dialogue("%d%d" % (c, s), _proto, "C%d:5000" % c, "S%d:80" % s, 2)
              for c in (1, 2) for s in (1, 2, 3)])
    _scenario("dnat of %s, the port stays" % _proto,
             _IN + _p + _dport + " 80 -j DNAT --to-destination <C1>",
             dialogue("a", _proto, "S1:6000", "X:80"),
             dialogue("b", _proto, "S1:6000", "X:81", 2), error("a", "s", "unreach"))
    _scenario("netmap of " + _proto,
             "-A POSTROUTING -s <LAN29> -o wan0 -j NETMAP --to <MAP29>\n"
             "-A PREROUTING -i wan0 -d <MAP29> -j NETMAP --to <LAN29>",
             dialogue("a", _proto, "C1:5000", "S1:80", 3),
             dialogue("b", _proto, "S1:6000", "N7:80", 3))
    _scenario("redirect of %s, which nobody serves" % _proto,
             "-A PREROUTING -i lan0 %s%s 80 -j REDIRECT" % (_p, _dport),
             dialogue("a", _proto, "C1:5000", "S1:80", 1))
    for _name, _match in (
            ("source port", _sport + " 5001"), ("not the source port", "! %s 5001" % _sport),
            ("destination ports", _dport + " 80:81"),
            ("not the destination port", "! %s 80" % _dport)):
        _scenario("%s, %s" % (_proto, _name),
                 "-A POSTROUTING -o wan0 %s%s -j SNAT --to-source <X3>" % (_p, _match),
                 [dialogue("%d%d" % (c, d), _proto, "C%d:%d" % (c, 5000 + c), "S1:%d" % d, 1)
                  for c in (1, 2) for d in (80, 90)], counters(total=True))
    if _proto == "udplite":
        continue
    _scenario("snat of %s to ports" % _proto, "-A POSTROUTING -s <LAN> -o wan0 -p %s "
             "-j SNAT --to-source <X2:4000-19999>" % _proto,
             dialogue("a", _proto, "C1:5000", "S1:80"),
             dialogue("b", _proto, "C2:700", "S1:80", 3),
             dialogue("c", _proto, "C3:5000", "S1:80", 3), ranges=[(4000, 19999)])
    _scenario("masquerade of %s to one port" % _proto, "-A POSTROUTING -o wan0 -p %s "
             "-j MASQUERADE --to-ports 4000" % _proto,
             dialogue("a", _proto, "C1:5000", "S1:80"),
             dialogue("b", _proto, "C2:5000", "S2:80", 3), ranges=[(4000, 4000)])
    _scenario("dnat of %s to a port" % _proto,
             _IN + _p + "--dport 80 -j DNAT --to-destination <C1:8080>",
             dialogue("a", _proto, "S1:6000", "X:80"), error("a", "s", "unreach"),
             error("a", "c", "time", router="HOP"), counters())

_scenario("timeouts of udplite", MASQ,
         [[step, timers(2)] for step in dialogue("a", "udplite", "C1:5000", "S1:80")])

# GRE and ESP as tunnels send them; a number that nobody has.
_BODY = {"47": struct.pack("!HHI", 0x2000, 0x0800, 7) + b"of a tunnel",
         "50": struct.pack("!II", 0x1234, 1) + bytes(range(32)),
         "253": b"an experiment"}


def _flow(name, proto, src, dst):
    return [opens(name, proto, src, dst, _BODY[proto]), data(name, "s", _BODY[proto]),
            data(name, "c", _BODY[proto]), data(name, "s")]


for _proto in _BODY:
    scenario("proto: snat of protocol " + _proto, SNAT + "<X2>",
             _flow("a", _proto, "C1", "S1"), _flow("b", _proto, "C2", "S2"),
             error("a", "s", "unreach"), error("a", "s", "time", router="HOP"),
             timers(2) if _proto != "47" else counters())
    scenario("proto: snat of protocol %s to a range of addresses" % _proto, SNAT + "<X2-X5>",
             [_flow("%d%d" % (c, s), _proto, "C%d" % c, "S%d" % s)
              for c, s in ((1, 1), (1, 2), (1, 3))])
    scenario("proto: dnat of protocol " + _proto,
             _IN + "-p %s -j DNAT --to-destination <C2>" % _proto,
             _flow("a", _proto, "S1", "X"), _flow("b", _proto, "S2", "X"),
             error("a", "s", "unreach"), opens("c", "udp", "S1:1", "X:2"))
    scenario("proto: dnat and masquerade of protocol " + _proto,
             "-A PREROUTING -i lan0 -d <FAR> -p %s -j DNAT --to-destination <D1>\n"
             "-A POSTROUTING -o dmz0 -j MASQUERADE" % _proto, _flow("a", _proto, "C1", "FAR"))
    scenario("proto: not protocol " + _proto, "-A POSTROUTING -o wan0 ! -p %s -j SNAT "
             "--to-source <X3>" % _proto, _flow("a", _proto, "C1", "S1"),
             opens("b", "udp", "C1:5000", "S1:80"), opens("c", "51", "C1", "S1"),
             families=(4,))
scenario("proto: 253, netmap of the source",
         "-A POSTROUTING -s <LAN29> -o wan0 -j NETMAP --to <MAP29>",
         _flow("a", "253", "C1", "S1"), _flow("b", "253", "C2", "S1"))
