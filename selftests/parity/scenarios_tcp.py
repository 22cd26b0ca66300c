# SPDX-License-Identifier: GPL-2.0
"""TCP in all its orders, with states and timers after each part."""
from scenario import handshake, opens, says, scenario, sleeps, talks, timers
from scenarios_source import MASQ

_OPEN = handshake("a", "C1:5000", "S1:80") + talks("a", "c PSH ACK", "s ACK", "s PSH ACK",
                                                   "c ACK")

scenario("tcp: handshake", MASQ, opens("a", "tcp", "C1:5000", "S1:80"), timers(2),
         says("a", "s SYN ACK"), timers(2), says("a", "c ACK"), timers(2),
         talks("a", "c PSH ACK", "s ACK"), timers(2))
scenario("tcp: the client closes first", MASQ, _OPEN, says("a", "c FIN ACK"), timers(2),
         says("a", "s ACK"), timers(2), says("a", "s FIN ACK"), timers(2),
         says("a", "c ACK"), timers(2))
scenario("tcp: the server closes first", MASQ, _OPEN, says("a", "s FIN ACK"), timers(2),
         says("a", "c ACK"), timers(2), says("a", "c FIN ACK"), timers(2),
         says("a", "s ACK"), timers(2))
scenario("tcp: half closed, the server goes on", MASQ, _OPEN,
         talks("a", "c FIN ACK", "s ACK", "s PSH ACK", "c ACK", "s PSH ACK", "c ACK"),
         timers(2), talks("a", "s FIN ACK", "c ACK"), timers(2))
scenario("tcp: reset by the client", MASQ, _OPEN, says("a", "c RST ACK"), timers(2))
scenario("tcp: reset by the server", MASQ, _OPEN, says("a", "s RST ACK"), timers(2),
         says("a", "c ACK"))
scenario("tcp: syn again", MASQ, opens("a", "tcp", "C1:5000", "S1:80"),
         says("a", "c SYN", rewind=1), timers(2), says("a", "s SYN ACK"),
         says("a", "s SYN ACK", rewind=1), says("a", "c ACK"), timers(2))
scenario("tcp: syn in time-wait", MASQ, _OPEN,
         talks("a", "c FIN ACK", "s ACK", "s FIN ACK", "c ACK"), timers(2),
         says("a", "c SYN", rewind=-100000), timers(2), says("a", "s SYN ACK"),
         says("a", "c ACK"), timers(2))
scenario("tcp: picked up in the middle", MASQ,
         opens("a", "tcp", "C1:5000", "S1:80", flags=16, ack=77000),
         talks("a", "s ACK", "c PSH ACK", "s PSH ACK"))
scenario("tcp: simultaneous open", MASQ, opens("a", "tcp", "C1:5000", "S1:80"),
         says("a", "s SYN"), says("a", "c SYN ACK", rewind=1),
         says("a", "s SYN ACK", rewind=1), says("a", "c ACK"), says("a", "s PSH ACK"))
scenario("tcp: dnat, all of a connection", "-A PREROUTING -i wan0 -d <X> -p tcp --dport 80 "
         "-j DNAT --to-destination <C1:8080>", handshake("a", "S1:6000", "X:80"), timers(2),
         talks("a", "c PSH ACK", "s ACK", "s PSH ACK", "c ACK", "c FIN ACK", "s FIN ACK",
               "c ACK"), timers(2))
scenario("timeout: established ends", MASQ, _OPEN, sleeps(2.5), says("a", "s PSH ACK"),
         says("a", "c PSH ACK"), timeouts={"tcp-established": 1})
scenario("timeout: time-wait ends", MASQ, _OPEN,
         talks("a", "c FIN ACK", "s ACK", "s FIN ACK", "c ACK"), sleeps(2.5),
         says("a", "s ACK"), timeouts={"tcp-time-wait": 1})
