# SPDX-License-Identifier: GPL-2.0
"""Matches of iptables' modules, of which translate makes natty's own."""
from scenario import (counters, data, listens, opens, replies, says_back, scenario, speaks)
from scenarios_match import IN, OUT
from scenarios_source import MASQ, there_and_back

_POST = (
    ("multiport, destinations", "-p udp -m multiport --dports 81,90:95"),
    ("not multiport, destinations", "-p udp -m multiport ! --dports 81,90:95"),
    ("multiport, sources", "-p udp -m multiport --sports 1,5002,7000:7001"),
    ("not multiport, sources", "-p udp -m multiport ! --sports 1,5002,7000:7001"),
    ("multiport, either", "-p udp -m multiport --ports 82,5002"),
    ("not multiport, either", "-p udp -m multiport ! --ports 82,5002"),
    ("multiport, tcp", "-p tcp -m multiport --dports 442:443 -m multiport --sports 7001"),
    ("source range", "-m iprange --src-range <C2-C3>"),
    ("not the source range", "-m iprange ! --src-range <C2-C3>"),
    ("destination range", "-m iprange --dst-range <S2-S3>"),
    ("not the destination range", "-m iprange ! --dst-range <S2-S3>"),
    ("both ranges", "-m iprange --src-range <C1-C2> --dst-range <S1-S1>"),
    ("state", "-m conntrack --ctstate NEW"), ("no such state", "-m state --state RELATED"),
    ("not the state", "-s <C1> -m conntrack ! --ctstate RELATED,ESTABLISHED"),
    ("comment", '-o wan0 -m comment --comment "to the outside, \\"really\\""'),
)
for _name, _match in _POST:
    scenario("postrouting: " + _name,
             "-A POSTROUTING %s -j SNAT --to-source <X3>" % _match, OUT, counters(total=True))

_PRE = (
    ("multiport, destinations", "-p udp -m multiport --dports 53,1000:2000"),
    ("not multiport, sources", "-p udp -m multiport ! --sports 6001,5000:5003"),
    ("multiport, either", "-p udp -m multiport --ports 6002,53"),
    ("source range", "-m iprange --src-range <S2-S3>"),
    ("not the destination range", "-m iprange ! --dst-range <X2-X6>"),
    ("local destination", "-m addrtype --dst-type LOCAL"),
    ("not a local destination", "-i wan0 -m addrtype ! --dst-type LOCAL"),
    ("local source", "-m addrtype --src-type LOCAL"),
    ("not a local source", "-p udp -m addrtype ! --src-type LOCAL"),
    ("local destination but one", "! -d <X2> -m addrtype --dst-type LOCAL"),
    ("comment", "-p udp -m comment --comment x"),
)
for _name, _match in _PRE:
    scenario("prerouting: " + _name,
             "-A PREROUTING %s -j DNAT --to-destination <D2>" % _match, IN,
             opens("through", "udp", "S1:6001", "C1:53"), counters(total=True))
scenario("icmp of any type", "-A POSTROUTING -o wan0 -p icmp -m icmp --icmp-type any -j SNAT "
         "--to-source <X3>", OUT, families=(4,))

# The same of what the router says itself: to others, and to itself.
_SPEAKS = [speaks("udp", 9000, "S1", 53), says_back(9000), speaks("udp", 9001, "S2", 53),
           says_back(9001), speaks("udp", 9000, "D1", 80), says_back(9000)]
for _name, _match in (
        ("destination address", "-d <S1>"), ("not the destination address", "! -d <S1>"),
        ("source address", "-s <X>"), ("not the source address", "! -s <X>"),
        ("interface out", "-o dmz0"), ("not the interface out", "! -o dmz0"),
        ("some interfaces out", "-o wan+"), ("not some interfaces out", "! -o wan+"),
        ("protocol", "-p udp"), ("not the protocol", "! -p tcp"),
        ("source port", "-p udp --sport 9001"), ("not the source port", "-p udp ! --sport 9001"),
        ("destination ports", "-p udp --dport 53:79"),
        ("not the destination ports", "-p udp ! --dport 53:79"),
        ("multiport", "-p udp -m multiport --ports 9001,80"),
        ("range", "-m iprange --dst-range <S2-S3>"),
        ("local source", "-m addrtype --src-type LOCAL"),
        ("not a local destination", "-m addrtype ! --dst-type LOCAL")):
    scenario("output: " + _name, "-A OUTPUT %s -j DNAT --to-destination <S3>" % _match,
             _SPEAKS, counters(total=True))
scenario("output: local destination", "-A OUTPUT -p udp -m addrtype --dst-type LOCAL -j DNAT "
         "--to-destination <S2>", listens("udp", 53), speaks("udp", 9000, "X", 53),
         says_back(9000), speaks("udp", 9001, "S1", 53), says_back(9001),
         speaks("udp", 9002, "R", 53), says_back(9002))
scenario("postrouting: local source", "-A POSTROUTING -o wan0 -m addrtype --src-type LOCAL "
         "-j SNAT --to-source <X3>", speaks("udp", 9000, "S1", 53), says_back(9000),
         there_and_back("a", "udp", "C1:5000", "S1:80"))
scenario("postrouting: not a local source", "-A POSTROUTING -o wan0 -m addrtype ! --src-type "
         "LOCAL -j SNAT --to-source <X3>", speaks("udp", 9000, "S1", 53), says_back(9000),
         there_and_back("a", "udp", "C1:5000", "S1:80"))
scenario("postrouting: not a local destination", MASQ + " -m addrtype ! --dst-type LOCAL",
         there_and_back("a", "udp", "C1:5000", "S1:80"))

for _name, _match in (
        ("source address", "-s <C1>"), ("not the source address", "! -s <C1>"),
        ("destination address", "-d <R>"), ("not the destination address", "! -d <R>"),
        ("interface in", "-i lan0"), ("not the interface in", "! -i wan0"),
        ("some interfaces in", "-i la+"), ("not some interfaces in", "! -i wa+"),
        ("protocol", "-s <LAN> -p udp"), ("not the protocol", "! -p tcp"),
        ("source port", "-p udp --sport 5001"), ("not the source ports", "-p udp ! --sport 5002:"),
        ("destination port", "-p udp --dport 53"),
        ("not the destination port", "-p udp ! --dport 53"),
        ("multiport", "-p udp -m multiport --dports 54:60"),
        ("range", "-m iprange --src-range <C2-C3>"),
        ("local destination", "-m addrtype --dst-type LOCAL"),
        ("not a local source", "-m addrtype ! --src-type LOCAL")):
    scenario("input: " + _name, "-A INPUT %s -j SNAT --to-source <N1>" % _match,
             listens("udp", 53), listens("udp", 54),
             opens("a", "udp", "C1:5001", "R:53"), replies("udp", 53), data("a", "c"),
             opens("b", "udp", "C2:5002", "X:54"), replies("udp", 54),
             opens("c", "udp", "S1:5003", "X:53"), replies("udp", 53), counters(total=True))
