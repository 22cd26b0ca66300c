# SPDX-License-Identifier: GPL-2.0
"""Every match that natty's grammar has, in every chain that permits it."""
from scenario import listens, mark, opens, replies, says_back, scenario, speaks
from scenarios_source import there_and_back

# Packets of many kinds; whatever matches must leave translated in both worlds.
OUT = [opens("u%d%d" % (c, s), "udp", "C%d:%d" % (c, 5000 + c), "S%d:%d" % (s, 80 + s))
        for c in (1, 2) for s in (1, 2)]
OUT += [opens("t%d" % c, "tcp", "C%d:%d" % (c, 7000 + c), "S1:443") for c in (1, 2)]
OUT += [opens("i%d" % c, "icmp", "C%d:%d" % (c, 70 + c), "S1") for c in (1, 2)]
OUT += [opens("g%d" % c, "47", "C%d" % c, "S%d" % c) for c in (1, 2)]
OUT += [opens("d%d" % c, "udp", "C%d:%d" % (c, 5000 + c), "D1:80") for c in (1, 2)]
IN = [opens("u%d%d" % (s, p), "udp", "S%d:%d" % (s, 6000 + s), "X%d:%d" % (s, p))
       for s in (1, 2) for p in (53, 80, 1000)]
IN += [opens("t", "tcp", "S1:6001", "X:443"), opens("i", "icmp", "S1:60", "X"),
        opens("g", "47", "S1", "X"), opens("l", "udp", "C3:5003", "X:53"),
        opens("d", "udp", "D1:5004", "X:53")]

_POST = (
    ("source address", "-s <C1>"), ("not the source address", "! -s <C1> -s <LAN>"),
    ("source network", "-s <LAN>"), ("not the source network", "! -s <LAN>"),
    ("half a network", "-s <HALF>"),
    ("destination address", "-d <S2>"), ("not the destination address", "! -d <S2>"),
    ("destination network", "-d <WANNET>"), ("not the destination network", "! -d <WANNET>"),
    ("interface out", "-o dmz0"), ("not the interface out", "! -o wan0"),
    ("some interfaces out", "-o wa+"), ("not some interfaces out", "! -o wa+"),
    ("protocol udp", "-p udp"), ("not protocol udp", "! -p udp"),
    ("protocol by number", "-p 47"), ("protocol tcp", "-p tcp"), ("protocol icmp", "-p <ICMP>"),
    ("source port", "-p udp -m udp --sport 5001"),
    ("not the source port", "-p udp -m udp ! --sport 5001"),
    ("source ports", "-p udp -m udp --sport 5002:65535"),
    ("destination port", "-p udp -m udp --dport 82"),
    ("not the destination port", "-p udp -m udp ! --dport 82"),
    ("destination ports", "-p tcp -m tcp --dport 400:500"),
    ("many at once", "-s <C1> -d <S1> -o wan0 -p udp -m udp --sport 5001 --dport 81"),
)
for _name, _match in _POST:
    if _match.count("-s ") == 2:
        _match = "! -s <C1>"
    scenario("postrouting: " + _name,
             "-A POSTROUTING %s -j SNAT --to-source <X3>" % _match, OUT)

_PRE = (
    ("source address", "-s <S2>"), ("not the source address", "! -s <S2>"),
    ("destination address", "-d <X2>"), ("not the destination address", "! -d <X2>"),
    ("interface in", "-i wan0"), ("not the interface in", "! -i wan0"),
    ("some interfaces in", "-i +"), ("protocol", "-p udp"), ("not the protocol", "! -p udp"),
    ("source port", "-p udp -m udp --sport 6002"),
    ("destination ports", "-p udp -m udp --dport 53:80"),
    ("not the destination ports", "-p udp -m udp ! --dport 53:80"),
)
for _name, _match in _PRE:
    scenario("prerouting: " + _name,
             "-A PREROUTING %s -j DNAT --to-destination <D2>" % _match, IN)

for _name, _match in (("mark", "0x7"), ("mark under a mask", "0x3/0x7"),
                      ("mark 0", "0x0")):
    for _not in ("", "! "):
        scenario("postrouting: %s%s" % ("not " if _not else "", _name),
                 "-A POSTROUTING -o wan0 -m mark %s--mark %s -j SNAT --to-source <X3>"
                 % (_not, _match),
                 mark(7), there_and_back("a", "udp", "C1:5000", "S1:80"),
                 mark(11), there_and_back("b", "udp", "C1:5001", "S1:80"),
                 mark(0), there_and_back("c", "udp", "C1:5002", "S1:80"))
for _name, _match in (("mark", "0x7"), ("not the mark", "! 0x7"), ("mark under a mask", "0x3/0x7"),
                      ("not the mark under a mask", "! 0x3/0x7"), ("mark 0", "0x0")):
    scenario("prerouting: " + _name, "-A PREROUTING -i lan0 -p udp -m mark %s--mark %s -j DNAT "
             "--to-destination <D1:5353>" % ("! " * _match.count("!"), _match.split()[-1]),
             mark(7), there_and_back("a", "udp", "C1:5000", "S1:53"),
             mark(11), there_and_back("b", "udp", "C1:5001", "S1:53"),
             mark(0), there_and_back("c", "udp", "C1:5002", "S1:53"))

# Behind routing mangle has its say; the last one that sets a mark wins.
for _chain in ("PREROUTING", "FORWARD", "POSTROUTING"):
    scenario("postrouting: a mark of mangle's " + _chain,
             "-A POSTROUTING -o wan0 -m mark --mark 0x7 -j SNAT --to-source <X3>\n"
             "-A POSTROUTING -o wan0 -m mark ! --mark 0x8/0xc -j SNAT --to-source <X4>",
             [[mark(n, "mangle", _chain), there_and_back("m%d" % n, "udp", "C1:500%d" % n, "S1:80")]
              for n in (7, 11, 2)], mark(0), there_and_back("z", "udp", "C1:5009", "S1:80"))
for _table in ("raw", "mangle"):
    scenario("output: a mark of " + _table,
             "-A OUTPUT -p udp -m mark --mark 0x7 -j DNAT --to-destination <S2:5353>\n"
             "-A OUTPUT -m mark ! --mark 0x0/0x8 -j DNAT --to-destination <S3>",
             [[mark(n, _table, "OUTPUT"), speaks("udp", 9000 + n, "S1", 53), says_back(9000 + n)]
              for n in (7, 11, 2)])
for _chain in ("PREROUTING", "INPUT"):
    scenario("input: a mark of mangle's " + _chain,
             "-A INPUT -p udp -m mark --mark 0x7 -j SNAT --to-source <N1>\n"
             "-A INPUT -m mark ! --mark 0x0/0x8 -j SNAT --to-source <N1>", listens("udp", 53),
             [[mark(n, "mangle", _chain), opens("m%d" % n, "udp", "C1:500%d" % n, "R:53"),
               replies("udp", 53)] for n in (7, 11, 2)])
