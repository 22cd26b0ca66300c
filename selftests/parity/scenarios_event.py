# SPDX-License-Identifier: GPL-2.0
"""Addresses and links that go or get another name; a table that is emptied."""
from scenario import (counters, data, event, flows, flushes, handshake, listens, opens,
                      replies, rules, scenario, talks)
from scenarios_source import MASQ, PORTS, SNAT, there_and_back

_FLOWS = (there_and_back("a", "udp", "C1:5000", "S1:80") + handshake("t", "C1:1", "S1:80")
          + there_and_back("d", "udp", "C1:5000", "D1:80")
          + there_and_back("f", "udp", "C1:5000", "FAR2:80"))
_WAYS = "-A POSTROUTING -s <LAN> -j MASQUERADE"

scenario("masquerade: the address goes, its flows end", _WAYS, _FLOWS, flows(4),
         event("addr del <X>/24 dev wan0", "addr add <GONE>/32 dev dmz0"), flows(2),
         data("d", "c"), data("d", "s"), data("f", "c"), data("f", "s"),
         event("addr del <GONE>/32 dev dmz0"), spoils=True, families=(4,))
scenario("masquerade: one of two addresses goes, its flows end", MASQ,
         event("addr add <GONE32> dev wan0"), there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("f", "udp", "C1:5001", "FAR:80"), handshake("t", "C1:1", "FAR:80"),
         flows(3), event("addr del <GONE32> dev wan0", "addr add <GONE32> dev dmz0"), flows(1),
         data("a", "c"), data("a", "s"), data("f", "s"), talks("t", "s PSH ACK"),
         event("addr del <GONE32> dev dmz0"), data("f", "c"), families=(6,))
scenario("masquerade: another address follows", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"), handshake("t", "C1:1", "S1:80"),
         flows(2), event("addr del <XLEN> dev wan0"), flows(0), data("a", "c"),
         there_and_back("b", "udp", "C2:5000", "S1:80"), flows(2), spoils=True)
scenario("masquerade: the link goes down, its flows end", _WAYS, _FLOWS, flows(4),
         event("link set wan0 down"), flows(1), data("d", "c"), data("d", "s"),
         event("link set wan0 up"), spoils=True)
scenario("masquerade: another link goes down", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"), flows(1),
         event("link set dmz0 down"), flows(1), data("a", "c"), data("a", "s"),
         event("link set dmz0 up"), data("a", "c"), spoils=True)
scenario("masquerade: the link is deleted, its flows end", _WAYS, _FLOWS, flows(4),
         event("link del dmz0"), flows(3), data("a", "c"), data("a", "s"),
         talks("t", "c PSH ACK", "s PSH ACK"), spoils=True)

scenario("snat: the address goes, its flows stay", SNAT + "<GONE>",
         event("addr add <GONE32> dev wan0"), there_and_back("a", "udp", "C1:5000", "S1:80"),
         handshake("t", "C1:1", "S1:80"), there_and_back("p", "99", "C1", "S1"), flows(3),
         event("addr del <GONE32> dev wan0"), flows(3), data("a", "s"), data("a", "c"),
         talks("t", "s PSH ACK", "c PSH ACK"), data("p", "s"),
         there_and_back("b", "udp", "C2:5000", "S1:80"),
         event("addr add <GONE32> dev dmz0"), data("a", "s"), data("b", "c"),
         event("addr del <GONE32> dev dmz0"), flows(4))
scenario("dnat: the address goes, its flows stay",
         "-A PREROUTING -i wan0 -d <GONE> -j DNAT --to-destination <C1>",
         event("addr add <GONE32> dev wan0"), there_and_back("a", "udp", "S1:6000", "GONE:80"),
         handshake("t", "S1:6000", "GONE:80"), event("addr del <GONE32> dev wan0"), flows(2),
         data("a", "c"), data("a", "s"), talks("t", "c PSH ACK", "s PSH ACK"),
         opens("b", "udp", "S2:6000", "GONE:80"))

# A link that was down has neither its addresses of IPv6 nor its neighbours.
_BACK = ("addr replace <DMZLEN> dev %s", "neigh replace <D1> lladdr <D1MAC> dev %s nud permanent")
scenario("snat: the link goes down, its flows stay",
         "-A POSTROUTING -o dmz0 -j SNAT --to-source <X3>",
         there_and_back("d", "udp", "C1:5000", "D1:80"), handshake("t", "C1:1", "D1:80"),
         event("link set dmz0 down"), flows(2), event("link set dmz0 up"),
         event(*[command % "dmz0" for command in _BACK]), flows(2), data("d", "c"),
         data("d", "s"), talks("t", "s PSH ACK", "c PSH ACK"), spoils=True)
scenario("a link gets another name", "-A POSTROUTING -o dmz0 -j SNAT --to-source <X3>\n"
         "-A POSTROUTING -o dmz+ -j SNAT --to-source <X4>\n"
         "-A PREROUTING -i dmz9 -d <X> -p udp -j DNAT --to-destination <C3>",
         there_and_back("d", "udp", "C1:5000", "D1:80"),
         opens("i", "udp", "D1:6000", "X:53"),
         event("link set dmz0 down", "link set dmz0 name dmz9", "link set dmz9 up",
               *[command % "dmz9" for command in _BACK]),
         data("d", "c"), data("d", "s"), there_and_back("e", "udp", "C2:5000", "D1:80"),
         there_and_back("j", "udp", "D1:6001", "X:53"), counters(),
         event("link set dmz9 down", "link set dmz9 name dmz0", "link set dmz0 up",
               *[command % "dmz0" for command in _BACK]),
         data("e", "c"), data("j", "s"), there_and_back("f", "udp", "C3:5000", "D1:80"),
         counters(), spoils=True)

scenario("flush: udp", MASQ, there_and_back("a", "udp", "C1:5000", "S1:80"), flushes(), flows(0),
         data("a", "c"), data("a", "s"),
         there_and_back("b", "udp", "C2:5000", "S2:80"))
scenario("flush: tcp goes on, the inside first", MASQ, handshake("t", "C1:5000", "S1:80"),
         flushes(), talks("t", "c PSH ACK", "s PSH ACK", "c ACK"), flows(1))
scenario("flush: tcp goes on, the outside first", MASQ, handshake("t", "C1:5000", "S1:80"),
         flushes(), talks("t", "s PSH ACK", "c PSH ACK"))
scenario("flush: an outer port is another one afterwards", PORTS + "<X2:4000-19999>",
         there_and_back("a", "udp", "C1:5000", "S1:80"), flushes(), data("a", "s"),
         opens("b", "udp", "C1:5000", "S2:80"), data("b", "s"), ranges=[(4000, 19999)])
scenario("flush: dnat", "-A PREROUTING -i wan0 -d <X> -j DNAT --to-destination <C1>",
         there_and_back("a", "udp", "S1:6000", "X:53"), handshake("t", "S1:6000", "X:80"),
         flushes(), data("a", "c"), data("a", "s"), talks("t", "c PSH ACK", "s PSH ACK"),
         flows(2))
scenario("flush: redirect", "-A PREROUTING -i lan0 -p udp -j REDIRECT --to-ports 5353",
         listens("udp", 5353), opens("a", "udp", "C1:5000", "S1:53"), flushes(),
         data("a", "c"), replies("udp", 5353))
scenario("flush: echo and protocols without ports", MASQ,
         there_and_back("i", "icmp", "C1:50", "S1"), there_and_back("p", "99", "C1", "S1"),
         flushes(), data("i", "s"), data("i", "c"), data("i", "s"), data("p", "c"), data("p", "s"))

scenario("a redirect that goes leaves its flows",
         "-A PREROUTING -i lan0 -p udp --dport 53 -j REDIRECT --to-ports 5353",
         listens("udp", 5353), opens("a", "udp", "C1:5000", "S1:53"), replies("udp", 5353),
         rules(MASQ), data("a", "c"), replies("udp", 5353),
         there_and_back("b", "udp", "C1:5001", "S1:53"))
scenario("a netmap that becomes another leaves its flows",
         "-A POSTROUTING -s <LAN29> -o wan0 -j NETMAP --to <MAP29>",
         there_and_back("a", "udp", "C1:5000", "S1:80"), handshake("t", "C2:1", "S1:80"),
         rules(SNAT + "<X2>"), data("a", "c"), data("a", "s"),
         talks("t", "c PSH ACK", "s PSH ACK"), there_and_back("b", "udp", "C1:5001", "S1:80"))
scenario("rules that become others under dnat and masquerade of one flow",
         "-A PREROUTING -i wan0 -d <X> -p tcp --dport 80 -j DNAT --to-destination <D1:8080>\n"
         "-A POSTROUTING -o dmz0 -j MASQUERADE", handshake("t", "S1:6000", "X:80"),
         rules("-A PREROUTING -i wan0 -d <X> -p tcp -j DNAT --to-destination <C1>"),
         talks("t", "c PSH ACK", "s PSH ACK"), handshake("u", "S1:6001", "X:80"), rules(""),
         talks("t", "s PSH ACK", "c ACK"), talks("u", "s PSH ACK", "c ACK"), flows(2))
