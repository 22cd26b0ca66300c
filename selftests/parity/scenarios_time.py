# SPDX-License-Identifier: GPL-2.0
"""Timers of protocols without connections, as set and as they run out."""
from scenario import data, opens, scenario, sleeps, timers
from scenarios_source import MASQ, there_and_back

for _proto, _src in (("udp", "C1:5000"), ("icmp", "C1:77"), ("99", "C1"), ("50", "C1")):
    scenario("timeout: what %s begins with" % _proto, MASQ,
             opens("a", _proto, _src, "S1:80" if _proto == "udp" else "S1"), timers(2),
             data("a", "s"), timers(2), data("a", "c"), timers(2))
scenario("timeout: udp without an answer", MASQ, opens("a", "udp", "C1:5000", "S1:80"),
         sleeps(2.5), data("a", "s"), timeouts={"udp": 1, "udp-replied": 8})
scenario("timeout: udp with an answer", MASQ, there_and_back("a", "udp", "C1:5000", "S1:80"),
         sleeps(2.5), data("a", "s"), timeouts={"udp": 1, "udp-replied": 60})
scenario("timeout: udp that goes on", MASQ, there_and_back("a", "udp", "C1:5000", "S1:80"),
         sleeps(2.5), data("a", "c"), timers(2), data("a", "s"), timers(2))
scenario("timeout: a late answer", MASQ, opens("a", "udp", "C1:5000", "S1:80"), sleeps(2.5),
         data("a", "s"), timers(2), data("a", "s"), timers(2))
scenario("timeout: echo", MASQ, there_and_back("a", "icmp", "C1:5000", "S1"),
         sleeps(2.5), data("a", "s"), timeouts={"icmp": 1})
scenario("timeout: the port is free again", MASQ, opens("a", "udp", "C1:5000", "S1:80"),
         sleeps(2.5), there_and_back("b", "udp", "C2:5000", "S1:80"),
         timeouts={"udp": 1, "udp-replied": 1})
