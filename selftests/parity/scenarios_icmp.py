# SPDX-License-Identifier: GPL-2.0
"""ICMP: errors about flows, from both ends and routers between; queries."""
import pkt
from scenario import data, error, handshake, opens, scenario, sends, talks, timers
from scenarios_source import MASQ, SNAT, there_and_back

_ABOUT = {
    "udp": there_and_back("a", "udp", "C1:5000", "S1:80"),
    "tcp": handshake("a", "C1:5000", "S1:80") + talks("a", "c PSH ACK", "s PSH ACK"),
    "echo": there_and_back("a", "icmp", "C1:77", "S1"),
    "protocol 99": there_and_back("a", "99", "C1", "S1"),
}
for _name, _flow in _ABOUT.items():
    scenario("icmp: errors of the far end about " + _name, MASQ, _flow,
             [error("a", "s", kind, mtu=1400 if kind == "toobig" else 0)
              for kind in ("unreach", "toobig", "time", "param")], timers())
    scenario("icmp: errors of a router about %s" % _name, MASQ, _flow,
             [error("a", "s", kind, router="HOP", mtu=1300 if kind == "toobig" else 0)
              for kind in ("unreach", "toobig", "time")])
for _code in (0, 1, 2, 5, 9, 10, 13):
    scenario("icmp: unreachable, code %d" % _code, SNAT + "<X2>", _ABOUT["udp"],
             error("a", "s", "unreach", router="HOP", code=_code), families=(4,))
scenario("icmp: an error that quotes eight bytes", MASQ, _ABOUT["tcp"],
         error("a", "s", "unreach", router="HOP", cut=28), families=(4,))
scenario("icmp: errors about a port that was changed",
         "-A POSTROUTING -s <LAN> -o wan0 -p udp -j SNAT --to-source <X2:4000>",
         _ABOUT["udp"], error("a", "s", "unreach"), error("a", "s", "time", router="HOP"),
         data("a", "s"), ranges=[(4000, 4000)])
scenario("icmp: the inner host's errors about what it got",
         "-A PREROUTING -i wan0 -d <X> -p udp --dport 8080 -j DNAT --to-destination <C1:80>",
         there_and_back("a", "udp", "S1:6000", "X:8080"), error("a", "s", "unreach"),
         error("a", "s", "time"), error("a", "c", "unreach"), data("a", "s"))
scenario("icmp: the inner host's errors about answers", MASQ, _ABOUT["udp"],
         error("a", "c", "unreach"), error("a", "c", "toobig", mtu=1280), data("a", "s"))
scenario("icmp: errors do not refresh", MASQ, opens("a", "udp", "C1:5000", "S1:80"),
         error("a", "s", "unreach"), timers(), data("a", "s"), timers())
scenario("icmp: errors about a netmapped flow",
         "-A POSTROUTING -s <LAN29> -o wan0 -j NETMAP --to <MAP29>", _ABOUT["udp"],
         error("a", "s", "unreach"), error("a", "s", "time", router="HOP"))
scenario("icmp: errors about a redirected flow", "-A PREROUTING -i wan0 -d <X> -p udp "
         "--dport 53 -j DNAT --to-destination <D1:5353>\n-A POSTROUTING -o dmz0 -j MASQUERADE",
         there_and_back("a", "udp", "S1:6000", "X:53"), error("a", "s", "unreach"),
         error("a", "c", "unreach"))
scenario("icmp: the time of a packet ends in the router", MASQ,
         opens("a", "udp", "C1:5000", "S1:80", ttl=1),
         there_and_back("b", "udp", "C1:5001", "S1:80"), data("b", "s", ttl=1))
scenario("icmp: timestamp queries", MASQ,
         sends("lan", lambda play: pkt.icmp(play.addr("C1"), play.addr("S1"), 13, 0,
                                            b"\0\x4d\0\1", bytes(12))), families=(4,))
scenario("icmp: an error about no flow", MASQ,
         sends("wan", lambda play: pkt.error(
             play.addr("S1"), play.addr("X"), "unreach", pkt.udp(
                 play.addr("X"), play.addr("S1"), 5000, 80))))
