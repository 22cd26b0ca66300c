# SPDX-License-Identifier: GPL-2.0
"""The destination: DNAT, REDIRECT and NETMAP in PREROUTING; hairpins."""
from scenario import (counters, data, handshake, listens, opens, scenario, says,
                      talks, timers)
from scenarios_source import MASQ, there_and_back

TO = "-A PREROUTING -d <X> -i wan0 "

for _proto in ("tcp", "udp"):
    scenario("dnat: %s, address and port" % _proto,
             TO + "-p %s --dport 8080 -j DNAT --to-destination <C1:80>" % _proto,
             *(handshake("a", "S1:6000", "X:8080") + talks("a", "s PSH ACK", "c ACK")
               if _proto == "tcp" else there_and_back("a", "udp", "S1:6000", "X:8080")),
             counters())
scenario("dnat: every protocol", TO + "-j DNAT --to-destination <C2>",
         there_and_back("a", "udp", "S1:6000", "X:53"),
         there_and_back("b", "icmp", "S1:60", "X"), there_and_back("c", "47", "S1", "X"),
         there_and_back("d", "99", "S1", "X"), handshake("e", "S2:6000", "X:22"))
scenario("dnat: the port stays where none is named",
         TO + "-p udp -j DNAT --to-destination <C1>",
         there_and_back("a", "udp", "S1:6000", "X:1"),
         there_and_back("b", "udp", "S1:6000", "X:65535"))
scenario("dnat: a range of addresses", TO + "-j DNAT --to-destination <C1-C3>",
         [there_and_back("%d%d" % (s, p), "udp", "S%d:%d" % (s, p), "X:80")
          for s in (1, 2, 3) for p in (6000, 6001)])
scenario("dnat: a range of addresses, persistent",
         "-A PREROUTING -i wan0 -j DNAT --to-destination <C1-C3> --persistent",
         [there_and_back("%d%d" % (s, x), "udp", "S%d:6000" % s, "X%d:80" % x)
          for s in (1, 2, 3) for x in (1, 2)])
scenario("dnat: a range of addresses, random",
         TO + "-j DNAT --to-destination <C1-C3> --random",
         [there_and_back("%d" % s, "udp", "S%d:6000" % s, "X:80") for s in (1, 2, 3)])
scenario("dnat: a range of ports", TO +
         "-p udp --dport 8080 -j DNAT --to-destination <C1:4000-19999>",
         there_and_back("a", "udp", "S1:6000", "X:8080"),
         there_and_back("b", "udp", "S2:6000", "X:8080"), ranges=[(4000, 19999)])
scenario("dnat: a port in the range is kept", TO +
         "-p udp -j DNAT --to-destination <C1:4000-19999>",
         there_and_back("a", "udp", "S1:6000", "X:4005"),
         there_and_back("b", "udp", "S2:6000", "X:4005"))
scenario("dnat: a range of ports, random", TO +
         "-p udp -j DNAT --to-destination <C1:4000-19999> --random",
         there_and_back("a", "udp", "S1:6000", "X:9000"), ranges=[(4000, 19999)])
for _proto in ("tcp", "udp"):
    scenario("dnat: %s, shifted ports" % _proto,
             TO + "-p %s --dport 5000:5010 -j DNAT --to-destination <C1:1000-1010/5000>" % _proto,
             [handshake(str(p), "S1:6000", "X:%d" % p) if _proto == "tcp" else
              there_and_back(str(p), _proto, "S1:6000", "X:%d" % p)
              for p in (5000, 5004, 5010, 4999, 5011)], counters())
scenario("dnat: shifted ports above the range, and random is not heard", TO +
         "-p udp -j DNAT --to-destination <C1:1000-1010/5000> --random",
         [there_and_back(str(p), "udp", "S1:6000", "X:%d" % p)
          for p in (5011, 5023, 5005, 65535)])
scenario("dnat: shifted ports below the base", TO +
         "-p udp -j DNAT --to-destination :1000-1010/5000", listens("udp", 1008),
         [opens(str(p), "udp", "S1:6000", "X:%d" % p) for p in (4999, 4990, 1)])
scenario("dnat: shifted ports of which two are the same", TO +
         "-p udp -j DNAT --to-destination <C1:1000-1002/5000>",
         [there_and_back(str(p), "udp", "S1:6000", "X:%d" % p)
          for p in (5000, 5001, 5003, 5006)],
         there_and_back("b", "udp", "S2:6000", "X:5003"), data("5000", "s"))
scenario("dnat: to another interface", TO +
         "-p udp --dport 53 -j DNAT --to-destination <D1>",
         there_and_back("a", "udp", "S1:6000", "X:53"))
scenario("dnat: back out where it came from", TO +
         "-p udp --dport 53 -j DNAT --to-destination <S2>",
         opens("a", "udp", "S1:6000", "X:53"), data("a", "s"))
scenario("dnat and masquerade of one flow", TO +
         "-p udp --dport 53 -j DNAT --to-destination <S2:5353>\n"
         "-A POSTROUTING -o wan0 -j MASQUERADE",
         there_and_back("a", "udp", "S1:6000", "X:53"),
         there_and_back("b", "udp", "S3:6000", "X:53"), data("a", "s"), counters())
scenario("dnat: two outer addresses, one inner, one client port",
         "-A PREROUTING -d <X2> -i wan0 -j DNAT --to-destination <C1>\n" + TO +
         "-j DNAT --to-destination <C1>",
         there_and_back("a", "udp", "S1:6000", "X2:53"),
         there_and_back("b", "udp", "S1:6000", "X:53"), data("a", "s"), data("b", "s"))
scenario("dnat: what the host inside opens is not translated", TO +
         "-j DNAT --to-destination <C1>",
         there_and_back("a", "udp", "C1:53", "S1:6000"),
         there_and_back("b", "udp", "S1:6001", "X:53"))
scenario("dnat: accept goes before", TO + "-p udp --dport 53 -j ACCEPT\n" + TO +
         "-j DNAT --to-destination <C1>", listens("udp", 53),
         opens("a", "udp", "S1:6000", "X:53"),
         there_and_back("b", "udp", "S1:6000", "X:54"), counters())
scenario("dnat to the router itself", TO +
         "-p udp --dport 53 -j DNAT --to-destination <R:5353>", listens("udp", 5353),
         opens("a", "udp", "S1:6000", "X:53"), data("a", "c"))
scenario("dnat out by the default route", TO + "-j DNAT --to-destination <N1>",
         opens("a", "udp", "S1:6000", "X:53"), opens("b", "tcp", "S1:6000", "X:53"))

for _proto in ("udp", "tcp"):
    scenario("redirect: " + _proto,
             "-A PREROUTING -i lan0 -p %s --dport 53 -j REDIRECT --to-ports 5353" % _proto,
             listens(_proto, 5353), opens("a", _proto, "C1:5000", "S1:53"),
             says("a", "c ACK") if _proto == "tcp" else data("a", "c"),
             opens("b", _proto, "C2:5000", "S2:53"), timers(), counters())
scenario("redirect: the port stays", "-A PREROUTING -i lan0 -p udp -j REDIRECT",
         listens("udp", 53), opens("a", "udp", "C1:5000", "S1:53"),
         opens("b", "udp", "C1:5000", "X:53"), opens("c", "udp", "C1:5001", "S1:54"))
scenario("redirect: the incoming interface's first address",
         "-A PREROUTING -i wan0 -p udp -j REDIRECT --to-ports 5353",
         listens("udp", 5353), opens("a", "udp", "S1:6000", "X4:53"),
         opens("b", "udp", "S1:6000", "X2:53"), opens("c", "icmp", "S1:6000", "X2"))
scenario("redirect: a range of ports",
         "-A PREROUTING -i lan0 -p udp --dport 53 -j REDIRECT --to-ports 4000-4001",
         listens("udp", 4000), listens("udp", 4001),
         opens("a", "udp", "C1:5000", "S1:4000"), opens("b", "udp", "C1:5000", "S1:4001"))
scenario("redirect: ping", "-A PREROUTING -i lan0 -j REDIRECT",
         opens("a", "icmp", "C1:5000", "S1"), opens("b", "icmp", "C2:5000", "S1"),
         opens("c", "99", "C2", "S1"))

scenario("netmap of the destination",
         "-A PREROUTING -d <MAP29> -i wan0 -j NETMAP --to <LAN29>",
         there_and_back("a", "udp", "S1:6000", "N7:7"), handshake("b", "S1:6000", "N7:80"),
         there_and_back("c", "icmp", "S1:60", "N7"), there_and_back("d", "99", "S1", "N7"))

scenario("hairpin without a rule for it", MASQ + "\n-A PREROUTING -d <X> -i wan0 -p udp "
         "--dport 8080 -j DNAT --to-destination <C1:80>",
         opens("a", "udp", "C2:5000", "X:8080"))
scenario("hairpin: dnat only", "-A PREROUTING -d <X> -p udp --dport 8080 -j DNAT "
         "--to-destination <C1:80>\n" + MASQ, opens("a", "udp", "C2:5000", "X:8080"),
         data("a", "s"))
scenario("hairpin: dnat and snat", "-A PREROUTING -d <X> -p udp --dport 8080 -j DNAT "
         "--to-destination <C1:80>\n"
         "-A POSTROUTING -s <LAN> -d <LAN> -o lan0 -j MASQUERADE\n" + MASQ,
         there_and_back("a", "udp", "C2:5000", "X:8080"),
         there_and_back("b", "udp", "C3:5000", "X:8080"),
         there_and_back("c", "udp", "S1:6000", "X:8080"), data("a", "s"))
scenario("hairpin: to a port that a flow of another host has", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         opens("b", "udp", "C2:5000", "X:5000"), data("a", "s"))
scenario("hairpin: tcp", "-A PREROUTING -d <X> -p tcp --dport 8080 -j DNAT "
         "--to-destination <C1:80>\n"
         "-A POSTROUTING -s <LAN> -d <C1> -o lan0 -j SNAT --to-source <X>",
         handshake("a", "C2:5000", "X:8080"), talks("a", "c PSH ACK", "s PSH ACK"))
