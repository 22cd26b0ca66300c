# SPDX-License-Identifier: GPL-2.0
"""What natty does in another way on purpose; each difference is asserted."""
import pkt
from protocols import dialogue, goes_on, partly_covered
from scenario import (data, differs, fills, handshake, opens, says, scenario, sends, talks)
from scenarios_source import MASQ, PORTS, SNAT

_LEAK = [{"where": "wan", "src": "C1", "dst": "S1"}]

for _name, _flags in (("reset", pkt.RST), ("fin", pkt.FIN | pkt.ACK),
                      ("syn-ack", pkt.SYN | pkt.ACK)):
    scenario("purpose: a stray %s stays inside" % _name, MASQ, differs(
        opens("a", "tcp", "C1:5000", "S1:80", flags=_flags, ack=1), "leak",
        iptables=_LEAK, natty=[]))
scenario("purpose: data out of the window is translated", MASQ,
         handshake("a", "C1:5000", "S1:80"), talks("a", "c PSH ACK", "s PSH ACK"),
         differs(says("a", "c PSH ACK", offset=0x40000000, payload=b"far"), "leak",
                 iptables=_LEAK, natty=[{"where": "wan", "src": "X", "dst": "S1"}]))
scenario("purpose: dccp that is covered in part", "-A PREROUTING -i wan0 -d <X> -p dccp "
         "-j DNAT --to-destination <C1>", dialogue("a", "dccp", "S1:6000", "X:80", 3),
         differs(goes_on("a", "s", partly_covered), "leak", iptables=[
             {"where": "wan", "src": "C1"}], natty=[{"where": "wan", "src": "X"}]))
scenario("purpose: udplite, of which conntrack computes wrong checksums", MASQ, differs(
    dialogue("a", "udplite", "C1:5000", "S1:80", 1)[0], "leak", iptables=_LEAK,
    natty=[{"where": "wan", "src": "X", "sport": 5000}]))
scenario("purpose: icmp of an unknown type stays inside", MASQ, differs(
    sends("lan", lambda play: pkt.icmp(play.addr("C1"), play.addr("S1"),
                                       40 if play.family == 4 else 150)),
    "leak", iptables=_LEAK, natty=[]))
scenario("purpose: an error about no flow stays inside", MASQ, differs(
    sends("lan", lambda play: pkt.error(
        play.addr("C1"), play.addr("S1"), "unreach", pkt.udp(
            play.addr("S1"), play.addr("C1"), 80, 5000))),
    "leak", iptables=_LEAK, natty=[]))
scenario("purpose: an answer to no ping stays inside", MASQ, differs(
    sends("lan", lambda play: pkt.echo(play.addr("C1"), play.addr("S1"), 7, answer=True)),
    "leak", iptables=_LEAK, natty=[]))
for _option in ("", " --random", " --random-fully", " --persistent"):
    scenario("purpose: no port is left" + _option, PORTS + "<X2:4000-4001>" + _option,
             opens("a", "udp", "C1:5000", "S1:80"), opens("b", "udp", "C2:5000", "S1:80"),
             differs(opens("c", "udp", "C3:5000", "S1:80"), "icmp", iptables=[],
                     natty=[{"where": "lan", "src": "R", "dst": "C3",
                             "type": {4: 3, 6: 1}, "code": {4: 1, 6: 3}}]),
             data("a", "s"), data("b", "s"), ranges=[(4000, 4001)])
    scenario("purpose: another address of the range has the port" + _option,
             PORTS + "<X2-X3:4000-4000>" + _option, opens("a", "udp", "C1:5000", "S1:80"),
             differs(opens("b", "udp", "C1:5001", "S1:80"), "search", iptables=[],
                     natty=[{"where": "wan", "dst": "S1"}]),
             data("a", "s"), ranges=[(4000, 4000)])
scenario("purpose: the only identifier is taken", "-A POSTROUTING -s <LAN> -o wan0 -p <ICMP> "
         "-j SNAT --to-source <X2:4000>", opens("a", "icmp", "C1:50", "S1"),
         opens("b", "icmp", "C1:50", "S2"),
         differs(opens("c", "icmp", "C2:50", "S1"), "icmp", iptables=[],
                 natty=[{"where": "lan", "src": "R", "dst": "C2",
                         "type": {4: 3, 6: 1}, "code": {4: 1, 6: 3}}]),
         data("a", "s"), data("b", "s"), ranges=[(4000, 4000)], families=(4,))
scenario("purpose: the last free port is found", "-A POSTROUTING -s <LAN> -o wan0 -p udp -j "
         "SNAT --to-source <X2:4000-6047>",
         differs(fills("udp", "C1", 20000, 2048, "S1:80"), "search",
                 iptables=[{"ports": lambda n: n < 2048}], natty=[{"ports": 2048}]),
         families=(4,))
scenario("purpose: an outsider's packet takes no port", MASQ,
         sends("wan", lambda play: pkt.udp(play.addr("S1"), play.addr("X"), 80, 5000)),
         differs(opens("a", "udp", "C1:5000", "S1:80"), "poison",
                 iptables=[{"src": "X", "sport": lambda p: p != 5000}],
                 natty=[{"src": "X", "sport": 5000}]), data("a", "s"))
for _family, _server in ((4, "S2"), (6, "S3")):
    # Both hosts hash to the same address of the range.
    scenario("purpose: a second flow of a protocol without ports, IPv%d" % _family,
             SNAT + "<X2-X3>", opens("a", "100", "C1", _server),
             differs(opens("b", "100", "C2", _server), "insert", iptables=[],
                     natty=[{"where": "wan", "dst": _server}]), families=(_family,))
