# SPDX-License-Identifier: GPL-2.0
"""The order of rules, chains of users, and rules that change under flows."""
from scenario import counters, data, handshake, opens, rules, scenario, talks
from scenarios_source import MASQ, SNAT, there_and_back

scenario("the first rule that matches wins", SNAT + "<X2>\n" + SNAT + "<X3>",
         there_and_back("a", "udp", "C1:5000", "S1:80"), counters())
scenario("accept in postrouting", "-A POSTROUTING -s <C1> -j ACCEPT\n" + MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S2:80"), counters())
scenario("accept of a network with an exception",
         "-A POSTROUTING -s <C1> -o wan0 -j SNAT --to-source <X2>\n"
         "-A POSTROUTING -s <LAN> -d <WANNET> -j ACCEPT\n" + MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5001", "S1:80"),
         there_and_back("c", "udp", "C2:5001", "FAR:80"))
scenario("return in postrouting", "-A POSTROUTING -s <C1> -j RETURN\n" + MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S2:80"))
scenario("a chain of the user's", ":out - [0:0]\n-A POSTROUTING -o wan0 -j out\n"
         "-A out -s <C1> -j SNAT --to-source <X2>\n-A out -s <C2> -j SNAT --to-source <X3>",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S1:80"),
         there_and_back("c", "udp", "C3:5000", "S1:80"))
scenario("return from a chain of the user's", ":out - [0:0]\n"
         "-A POSTROUTING -o wan0 -j out\n" + SNAT + "<X4>\n"
         "-A out -s <C1> -j RETURN\n-A out -s <LAN> -p udp -j SNAT --to-source <X3>",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S2:80"),
         there_and_back("c", "icmp", "C2:50", "S2"))
scenario("chains in chains", ":one - [0:0]\n:two - [0:0]\n"
         "-A POSTROUTING -o wan0 -j one\n-A POSTROUTING -o wan0 -j SNAT --to-source <X5>\n"
         "-A one -s <LAN> -j two\n-A one -s <C3> -j SNAT --to-source <X2>\n"
         "-A two -s <C1> -p udp -j SNAT --to-source <X3>\n-A two -s <C2> -j ACCEPT",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "udp", "C2:5000", "S2:80"),
         there_and_back("c", "udp", "C3:5000", "S3:80"),
         there_and_back("d", "icmp", "C1:50", "S1"))
scenario("goto", ":one - [0:0]\n:two - [0:0]\n-A POSTROUTING -o wan0 -j one\n"
         "-A POSTROUTING -o wan0 -j SNAT --to-source <X5>\n"
         "-A one -s <C1> -g two\n-A one -j SNAT --to-source <X2>\n"
         "-A two -p udp -j SNAT --to-source <X3>",
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         there_and_back("b", "icmp", "C1:50", "S1"),
         there_and_back("c", "udp", "C2:5000", "S3:80"))
scenario("a chain for two built-in ones", ":map - [0:0]\n"
         "-A PREROUTING -i wan0 -j map\n-A PREROUTING -i dmz0 -j map\n" + MASQ + "\n"
         "-A map -d <X> -p udp --dport 53 -j DNAT --to-destination <C1>",
         there_and_back("a", "udp", "S1:6000", "X:53"),
         there_and_back("b", "udp", "D1:6000", "X:53"),
         there_and_back("c", "udp", "C1:53", "S1:80"))
scenario("a comment", MASQ + ' -m comment --comment "with a word"',
         there_and_back("a", "udp", "C1:5000", "S1:80"))
scenario("accept in prerouting keeps a flow from later rules",
         "-A PREROUTING -i wan0 -s <S1> -j ACCEPT\n"
         "-A PREROUTING -i wan0 -d <X> -j DNAT --to-destination <C1>",
         opens("a", "udp", "S1:6000", "X:53"),
         there_and_back("b", "udp", "S2:6000", "X:53"))

scenario("a rule that goes leaves its flows", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"), handshake("t", "C1:1", "S1:80"),
         rules(MASQ.replace("wan0", "dmz0")), data("a", "c"), data("a", "s"),
         talks("t", "c PSH ACK", "s PSH ACK"), opens("b", "udp", "C1:5001", "S1:80"))
scenario("no rule at all leaves flows", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"),
         rules(""), data("a", "c"), data("a", "s"),
         opens("b", "udp", "C1:5001", "S1:80"))
scenario("another address leaves flows", SNAT + "<X2>",
         there_and_back("a", "udp", "C1:5000", "S1:80"), rules(SNAT + "<X3>"),
         data("a", "c"), data("a", "s"), there_and_back("b", "udp", "C2:5000", "S1:80"),
         there_and_back("c", "udp", "C1:5000", "S2:80"))
scenario("a flow that was not translated stays so", "-A POSTROUTING -s <C3> -o wan0 -j "
         "MASQUERADE", there_and_back("a", "udp", "C1:5000", "S1:80"), rules(MASQ),
         data("a", "c"), data("a", "s"), there_and_back("b", "udp", "C1:5001", "S1:80"))
scenario("a dnat rule that goes leaves its flows",
         "-A PREROUTING -i wan0 -d <X> -p udp -j DNAT --to-destination <C1>\n" + MASQ,
         there_and_back("a", "udp", "S1:6000", "X:53"), rules(MASQ), data("a", "c"),
         data("a", "s"), opens("b", "udp", "S1:6001", "X:53"))
scenario("a dnat rule that comes does not touch flows that are there",
         "-A PREROUTING -i dmz0 -d <X> -p udp -j DNAT --to-destination <C1>\n" + MASQ,
         there_and_back("a", "udp", "S1:6000", "C1:53"),
         rules("-A PREROUTING -i wan0 -d <C1> -p udp -j DNAT --to-destination <C2>"),
         data("a", "c"), data("a", "s"), opens("b", "udp", "S1:6001", "C1:53"))
