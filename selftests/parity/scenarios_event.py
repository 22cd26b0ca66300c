# SPDX-License-Identifier: GPL-2.0
"""Addresses and links that go, routes that change."""
from scenario import data, event, flows, handshake, opens, scenario, talks
from scenarios_source import MASQ, SNAT, there_and_back

_FLOWS = (there_and_back("a", "udp", "C1:5000", "S1:80") + handshake("t", "C1:1", "S1:80")
          + there_and_back("d", "udp", "C1:5000", "D1:80")
          + there_and_back("f", "udp", "C1:5000", "FAR2:80"))
_WAYS = "-A POSTROUTING -s <LAN> -j MASQUERADE"

scenario("masquerade: the address goes, its flows end", _WAYS, _FLOWS, flows(4),
         event("addr del <X>/24 dev wan0", "addr add <GONE>/32 dev dmz0"), flows(2),
         data("d", "c"), data("d", "s"), data("f", "c"), data("f", "s"),
         event("addr del <GONE>/32 dev dmz0"), spoils=True, families=(4,))
scenario("masquerade: the link goes down, its flows end", _WAYS, _FLOWS, flows(4),
         event("link set wan0 down"), flows(1), data("d", "c"), data("d", "s"),
         event("link set wan0 up"), spoils=True)
scenario("masquerade: another link goes down", MASQ,
         there_and_back("a", "udp", "C1:5000", "S1:80"), flows(1),
         event("link set dmz0 down"), flows(1), data("a", "c"), data("a", "s"),
         event("link set dmz0 up"), data("a", "c"), spoils=True)
