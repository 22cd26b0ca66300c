# SPDX-License-Identifier: GPL-2.0
"""The router's own traffic: OUTPUT, INPUT, and sockets beside flows."""
from scenario import (data, handshake, listens, opens, replies, says, says_back, scenario,
                      speaks, sysctls, talks)
from scenarios_source import MASQ, there_and_back

_OUT = "-A OUTPUT -d <S1> -p udp --dport 53 -j "

scenario("local: dnat in output", _OUT + "DNAT --to-destination <S2:5353>",
         speaks("udp", 9000, "S1", 53), says_back(9000), speaks("udp", 9000, "S3", 53),
         says_back(9000))
scenario("local: dnat in output, another way out", _OUT + "DNAT --to-destination <D1:5353>",
         speaks("udp", 9000, "S1", 53), says_back(9000))
scenario("local: dnat in output, where forged sources are looked for",
         _OUT + "DNAT --to-destination <D1:5353>", sysctls("ipv4/conf/all/rp_filter", 1),
         speaks("udp", 9000, "S1", 53), says_back(9000),
         sysctls("ipv4/conf/all/rp_filter", 0), families=(4,))
# As Docker publishes ports: whom the router asks by its own address is another.
for _proto in ("udp", "tcp"):
    scenario("local: dnat of the router's own address, " + _proto,
             "-A OUTPUT -p %s -m addrtype --dst-type LOCAL -m %s --dport 53 -j DNAT "
             "--to-destination <D1:5353>\n-A POSTROUTING -o wan0 -j MASQUERADE" % (
                 _proto, _proto), speaks(_proto, 9000, "X", 53),
             says(9000, "s SYN ACK") if _proto == "tcp" else says_back(9000),
             speaks(_proto, 9001, "R", 53),
             says(9001, "s SYN ACK") if _proto == "tcp" else says_back(9001),
             speaks("udp", 9002, "S1", 53), says_back(9002))
scenario("local: dnat in output with masquerade", _OUT + "DNAT --to-destination <D1:5353>\n"
         "-A POSTROUTING -o dmz0 -j MASQUERADE", speaks("udp", 9000, "S1", 53),
         says_back(9000))
scenario("local: redirect in output", _OUT + "REDIRECT --to-ports 5353",
         listens("udp", 5353), speaks("udp", 9000, "S1", 53), replies("udp", 5353))
scenario("local: redirect in output, a random port",
         _OUT + "REDIRECT --to-ports 5353-5353 --random", listens("udp", 5353),
         speaks("udp", 9000, "S1", 53), replies("udp", 5353), ranges=[(5353, 5353)])
scenario("local: redirect in output, the port stays", _OUT + "REDIRECT", listens("udp", 53),
         speaks("udp", 9000, "S1", 53), replies("udp", 53))
scenario("local: netmap in output", "-A OUTPUT -d <MAP29> -j NETMAP --to <LAN29>",
         speaks("udp", 9000, "N7", 53), says_back(9000))
scenario("local: accept in output", "-A OUTPUT -d <S1> -j ACCEPT\n" +
         _OUT + "DNAT --to-destination <S2>", speaks("udp", 9000, "S1", 53),
         says_back(9000))
scenario("local: tcp, dnat in output", "-A OUTPUT -d <S1> -p tcp --dport 80 -j DNAT "
         "--to-destination <S2:8080>", speaks("tcp", 9000, "S1", 80),
         says(9000, "s SYN ACK"))
scenario("local: snat in input", "-A INPUT -s <LAN> -p udp -j SNAT --to-source <N1>",
         listens("udp", 53), opens("a", "udp", "C1:5000", "R:53"), replies("udp", 53),
         opens("b", "udp", "C2:5000", "R:53"), replies("udp", 53), replies("udp", 53))
scenario("local: accept in input", "-A INPUT -s <C1> -j ACCEPT\n"
         "-A INPUT -s <LAN> -p udp -j SNAT --to-source <N1>",
         listens("udp", 53), opens("a", "udp", "C1:5000", "R:53"), replies("udp", 53),
         opens("b", "udp", "C2:5000", "R:53"), replies("udp", 53))
scenario("local: masquerade of the router's own packets",
         "-A POSTROUTING -o wan0 -j MASQUERADE", speaks("udp", 9000, "S1", 53),
         says_back(9000), there_and_back("a", "udp", "C1:5000", "S1:53"))
scenario("local: snat of the router's own packets",
         "-A POSTROUTING -o wan0 -j SNAT --to-source <X3>", speaks("udp", 9000, "S1", 53),
         says_back(9000))
scenario("local: a flow has the port of a socket", "-A POSTROUTING -o wan0 -j MASQUERADE",
         there_and_back("a", "udp", "C1:9000", "S1:53"), speaks("udp", 9000, "S1", 53),
         says_back(9000), data("a", "s"))
scenario("local: what comes to the router stays there", MASQ, listens("udp", 53),
         opens("a", "udp", "S1:6000", "X:53"), replies("udp", 53),
         opens("b", "udp", "S1:6000", "X:54"), opens("c", "tcp", "S1:6000", "X:54"),
         opens("d", "icmp", "S1:60", "X"))
scenario("local: redirect, and the answer", "-A PREROUTING -i lan0 -p udp --dport 53 -j "
         "REDIRECT --to-ports 5353", listens("udp", 5353),
         opens("a", "udp", "C1:5000", "S1:53"), replies("udp", 5353))
scenario("local: netmap in input", "-A INPUT -s <LAN29> -p udp -j NETMAP --to <MAP29>",
         listens("udp", 53), opens("a", "udp", "C1:5000", "R:53"), replies("udp", 53),
         opens("b", "udp", "C2:5000", "R:53"), replies("udp", 53), data("a", "c"),
         replies("udp", 53))
scenario("local: snat in input, to ports",
         "-A INPUT -s <LAN> -p udp -j SNAT --to-source <N1:4000-19999>", listens("udp", 53),
         opens("a", "udp", "C1:5000", "R:53"), replies("udp", 53),
         opens("b", "udp", "C2:5000", "R:53"), replies("udp", 53), ranges=[(4000, 19999)])
scenario("local: snat in input, one port for two", "-A INPUT -s <LAN> -j SNAT --to-source <N1>",
         listens("udp", 53), opens("a", "udp", "C1:5000", "R:53"), replies("udp", 53),
         opens("b", "udp", "C2:5000", "R:53"), replies("udp", 53),
         opens("c", "tcp", "C1:5000", "R:54"), opens("d", "icmp", "C1:50", "R"))
# The way out would give the answers another source, were they new flows.
for _name, _rule in (("masquerade", "-o dmz0 -j MASQUERADE"), ("snat", "-j SNAT --to-source <X3>"),
                     ("snat to that address", "-o dmz0 -j SNAT --to-source <X>")):
    scenario("local: an address of another link is asked, " + _name, "-A POSTROUTING " + _rule,
             listens("udp", 53, "X"), listens("tcp", 55), opens("a", "udp", "D1:6000", "X:53"),
             replies("udp", 53), opens("b", "udp", "D1:6000", "X:54"),
             opens("c", "tcp", "D1:6000", "X:54"), opens("d", "icmp", "D1:60", "X"),
             opens("e", "99", "D1", "X"), handshake("f", "D1:6000", "X:55"),
             talks("f", "c PSH ACK"), there_and_back("g", "udp", "C1:5000", "D1:80"),
             opens("h", "udp", "D1:6002", "X:53"), replies("udp", 53), data("h", "c"))
