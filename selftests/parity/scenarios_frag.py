# SPDX-License-Identifier: GPL-2.0
"""Fragments: put together, translated, cut again."""
from scenario import data, opens, scenario
from scenarios_source import MASQ, there_and_back

_BIG = bytes(range(256)) * 11


def _cut(name, who, **kw):
    return data(name, who, _BIG, cut=1400, df=False, **kw)


def _cut6(name, who, **kw):
    return data(name, who, _BIG, cut=1400, **kw)


for _proto in ("udp", "icmp"):
    for _family, _make in ((4, _cut), (6, _cut6)):
        for _word, _order in (("in order", (0, 1, 2)), ("reversed", (2, 1, 0)),
                              ("shuffled", (1, 2, 0))):
            scenario("fragments: %s, %s, IPv%d" % (_proto, _word, _family), MASQ,
                     there_and_back("a", _proto, "C1:5000", "S1:80"),
                     _make("a", "c", order=_order), _make("a", "s", order=_order),
                     families=(_family,))
scenario("fragments: the first packet of a flow", MASQ,
         opens("a", "udp", "C1:5000", "S1:80"), _cut("a", "c"), _cut("a", "s"),
         families=(4,))
scenario("fragments: one is missing", MASQ, there_and_back("a", "udp", "C1:5000", "S1:80"),
         _cut("a", "c", order=(0, 2)), data("a", "s"), families=(4,))
scenario("fragments: dnat", "-A PREROUTING -i wan0 -d <X> -p udp -j DNAT "
         "--to-destination <C1>", there_and_back("a", "udp", "S1:6000", "X:53"),
         _cut("a", "c"), _cut("a", "s"), families=(4,))
