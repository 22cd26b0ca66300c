# SPDX-License-Identifier: GPL-2.0
"""The source: SNAT, MASQUERADE and NETMAP in POSTROUTING."""
from scenario import counters, data, handshake, opens, scenario, talks

MASQ = "-A POSTROUTING -s <LAN> -o wan0 -j MASQUERADE"
SNAT = "-A POSTROUTING -s <LAN> -o wan0 -j SNAT --to-source "
PORTS = "-A POSTROUTING -s <LAN> -o wan0 -p udp -j SNAT --to-source "


def there_and_back(name, proto, src, dst):
    return [opens(name, proto, src, dst), data(name, "s"), data(name, "c"),
            data(name, "s", b"the last of it")]


for _proto in ("udp", "icmp"):
    scenario("masquerade: " + _proto, MASQ,
             there_and_back("a", _proto, "C1:5000", "S1:80"),
             there_and_back("b", _proto, "C1:5000", "S2:80"),
             there_and_back("c", _proto, "C2:5001", "S1:80"), data("a", "s"),
             counters())

scenario("masquerade: tcp", MASQ, handshake("a", "C1:5000", "S1:80"),
         talks("a", "c PSH ACK", "s ACK", "s PSH ACK", "c ACK", "c FIN ACK",
               "s ACK", "s FIN ACK", "c ACK"), counters())

for _proto in ("47", "50", "51", "99"):
    scenario("masquerade: protocol " + _proto, MASQ,
             there_and_back("a", _proto, "C1", "S1"),
             there_and_back("b", _proto, "C2", "S2"), data("a", "s"),
             families=(4,) if _proto == "51" else (4, 6))

scenario("masquerade: each way out has its own address",
         "-A POSTROUTING -s <LAN> -j MASQUERADE",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C1:5000", "D1:80"),
         there_and_back("c", "udp", "C1:5000", "FAR:80"),
         there_and_back("d", "udp", "C1:5000", "FAR2:80"), data("a", "s"))

scenario("masquerade: the address for the next hop", MASQ,
         there_and_back("a", "udp", "C1:5000", "FAR2:80"),
         there_and_back("b", "icmp", "C1:5", "HOP2"),
         there_and_back("c", "icmp", "C1:5", "HOP"))

scenario("masquerade: a range of ports",
         "-A POSTROUTING -s <LAN> -o wan0 -p udp -j MASQUERADE --to-ports 4000-19999",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S1:80"), data("a", "s"),
         ranges=[(4000, 19999)])

scenario("masquerade: a port in the range is kept",
         "-A POSTROUTING -s <LAN> -o wan0 -p udp -j MASQUERADE --to-ports 4000-19999",
         there_and_back("a", "udp", "C1:4007", "S1:80"),
         there_and_back("b", "udp", "C2:4007", "S2:80"), data("a", "s"))

for _option in ("--random", "--random-fully"):
    scenario("masquerade %s" % _option, MASQ + " " + _option,
             there_and_back("a", "udp", "C1:5000", "S1:80"),
             there_and_back("b", "icmp", "C1:5000", "S1"),
             handshake("c", "C1:5001", "S1:80"), talks("c", "s PSH ACK", "c ACK"))
    scenario("snat %s" % _option, SNAT + "<X2> " + _option,
             there_and_back("a", "udp", "C1:5000", "S1:80"),
             there_and_back("b", "udp", "C1:700", "S1:80"),
             there_and_back("c", "udp", "C1:80", "S1:80"))
    scenario("snat to ports %s" % _option, PORTS + "<X2:4000-19999> " + _option,
             there_and_back("a", "udp", "C1:25000", "S1:80"), ranges=[(4000, 19999)])

scenario("snat: one address", SNAT + "<X2>",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5001", "S1:80"),
         there_and_back("c", "icmp", "C1:77", "S1"),
         there_and_back("d", "99", "C3", "S1"), counters())

scenario("snat: an address that the router does not have", SNAT + "<GONE>",
         there_and_back("a", "udp", "C1:5000", "S1:80"), handshake("b", "C1:1", "S1:80"))

scenario("snat: a range of ports", PORTS + "<X2:4000-19999>",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S1:80"),
         there_and_back("c", "udp", "C1:5000", "S2:80"),
         there_and_back("d", "udp", "C1:700", "S1:80"), ranges=[(4000, 19999)])

scenario("snat: one port", PORTS + "<X2:4000>",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S2:80"), ranges=[(4000, 4000)])

for _option in ("", " --random", " --random-fully", " --persistent"):
    scenario("snat: as many ports as flows%s" % _option, PORTS + "<X2:4000-4003>" + _option,
             [there_and_back("%d" % n, "udp", "C%d:500%d" % (n % 3 + 1, n), "S1:80")
              for n in range(4)], data("0", "s"), data("3", "s"), ranges=[(4000, 4003)])
scenario("snat: one port, random", PORTS + "<X2:4000-4000> --random",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S2:80"), ranges=[(4000, 4000)])

_MANY = [opens("%s%d%d" % (c, n, d), "udp", "C%s:%d" % (c, 5000 + n), "S%d:80" % d)
         for c in "123" for n in (0, 1) for d in (1, 2, 3)]

scenario("snat: a range of addresses", SNAT + "<X2-X4>", _MANY, data("111", "s"),
         data("312", "s"))
scenario("snat: a range of addresses, persistent", SNAT + "<X2-X5> --persistent",
         _MANY, data("111", "s"), data("312", "s"))
scenario("snat: ranges of addresses and ports", PORTS + "<X2-X6:4000-19999>", _MANY[::2],
         data("101", "s"), data("303", "s"), ranges=[(4000, 19999)])
scenario("snat: a range of addresses, protocols without ports", SNAT + "<X2-X4>",
         there_and_back("a", "99", "C1", "S1"), there_and_back("b", "99", "C1", "S2"),
         there_and_back("c", "99", "C2", "S3"), there_and_back("d", "47", "C2", "S3"))

for _port in (1, 80, 400, 511, 512, 600, 1000, 1023, 1024, 40000, 65535):
    scenario("clash on port %d" % _port, MASQ,
             there_and_back("a", "udp", "C1:%d" % _port, "S1:80"),
             there_and_back("b", "udp", "C2:%d" % _port, "S1:80"), data("a", "s"))
scenario("clash of tcp", MASQ, handshake("a", "C1:5000", "S1:80"),
         handshake("b", "C2:5000", "S1:80"), talks("a", "s PSH ACK"),
         talks("b", "s PSH ACK"))
for _id in (0, 77, 511, 600, 1024, 65535):
    scenario("clash of echo identifiers, %d" % _id, MASQ,
             there_and_back("a", "icmp", "C1:%d" % _id, "S1"),
             there_and_back("b", "icmp", "C2:%d" % _id, "S1"), data("a", "s"), data("b", "s"))
for _name, _action in (("snat", "SNAT --to-source <X2:4000-19999>"),
                       ("masquerade", "MASQUERADE --to-ports 4000-19999")):
    for _option in ("", " --random-fully"):
        scenario("%s: a range of identifiers%s" % (_name, _option),
                 "-A POSTROUTING -o wan0 -p <ICMP> -j %s%s" % (_action, _option),
                 there_and_back("a", "icmp", "C1:5000", "S1"),
                 there_and_back("b", "icmp", "C2:5000", "S1"),
                 there_and_back("c", "icmp", "C3:77", "S2"), data("a", "s"),
                 ranges=[(4000, 19999)], families=(4,))
scenario("no clash: other destinations", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S2:80"),
         there_and_back("c", "udp", "C3:5000", "S1:81"), data("a", "s"), data("b", "s"))
scenario("after a clash the host keeps its other port", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S1:80"),
         there_and_back("c", "udp", "C2:5000", "S2:80"),
         there_and_back("d", "udp", "C2:5000", "S3:80"), data("a", "s"))
scenario("clash with a flow that is not translated",
         MASQ.replace("<LAN>", "<C1>"),
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S1:80"), data("a", "s"))

scenario("netmap of the source", "-A POSTROUTING -s <LAN29> -o wan0 -j NETMAP --to <MAP29>",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "icmp", "C2:5000", "S1"),
         there_and_back("c", "99", "C3", "S1"), handshake("d", "C2:5000", "S1:80"),
         counters())
scenario("netmap both ways", "-A PREROUTING -d <MAP29> -i wan0 -j NETMAP --to <LAN29>\n"
         "-A POSTROUTING -s <LAN29> -o wan0 -j NETMAP --to <MAP29>",
         there_and_back("a", "udp", "S1:6000", "N7:7"),
         there_and_back("b", "icmp", "S1:60", "N7"),
         there_and_back("c", "udp", "C1:5000", "S1:80"))
scenario("what no rule names is left alone", MASQ.replace("wan0", "ppp0"),
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "99", "C1", "S1"), handshake("c", "C1:5000", "S1:80"),
         counters())
