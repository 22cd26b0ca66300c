#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""natty and the kernel's own iptables, packet by packet.

Each scenario of parity/scenarios_*.py runs in two worlds at once: in one
iptables-legacy or ip6tables-legacy translates, in the other natty with profile
iptables and the same rules. All that comes out of both is compared field by
field, see parity/fields.py; a difference that is there on purpose is named,
and must be there, exactly. The table of all results is printed at the end.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "parity")]

import ktap                                 # noqa: E402
from lab import run                         # noqa: E402
from scenario import REASONS, SCENARIOS, play  # noqa: E402
from world import Iptables, Natty           # noqa: E402

# What fields.py makes of such a port, against a number.
BY_CHANCE = re.compile(r"port: (iptables '(1-511|512-1023) #\d+', natty \d"
                       r"|iptables \d+, natty '(1-511|512-1023) #)")

_worlds = []
_table = []


def worlds():
    """Both routers; anew after a scenario that failed half-way."""
    if not _worlds:
        _worlds[:] = [Iptables(), Natty()]
    return _worlds


def play_fairly(one, family):
    """A random port below 1024 is one that a host chose once in some 500 times,
    and then looks chosen: if that makes a difference there is none next time."""
    try:
        return play(worlds(), one, family)
    except AssertionError as difference:
        if not BY_CHANCE.search(str(difference)):
            raise
        ktap.note("%s\nonce more: it may have been by chance" % difference)
        _worlds.clear()
    return play(worlds(), one, family)


def case(one, family):
    row = [one.name, family, "fails"]
    _table.append(row)
    try:
        reasons = play_fairly(one, family)
    except BaseException:
        _worlds.clear()
        raise
    if one.spoils:
        _worlds.clear()
    row[2] = "; ".join(REASONS[r] for r in sorted(set(reasons)))


def table():
    """One line a scenario, and what they come to."""
    print("#\n# scenario, family, result")
    for name, family, result in _table:
        if result and result != "fails":
            result = "different on purpose: " + result
        print("# %-56s IPv%d  %s" % (name, family, result or "same"))
    count = [sum(1 for row in _table if kind(row[2])) for kind in (
        lambda r: not r, lambda r: r and r != "fails", lambda r: r == "fails")]
    print("# %d scenarios in %d runs: %d same, %d different on purpose, %d fail" % (
        len({row[0] for row in _table}), len(_table), *count))


def main():
    for name in sorted(os.listdir(os.path.join(HERE, "parity"))):
        if name.startswith("scenarios_") and name.endswith(".py"):
            __import__(name[:-3])
    for tool in ("iptables-legacy", "ip6tables-legacy"):
        if run(["sh", "-c", tool + " -t nat -L -n"], ok=False)[0]:
            ktap.skip_all(tool + " has no nat table here")
    for one in SCENARIOS:
        for family in one.families:
            ktap.case("%s ipv%d" % (one.name, family), one=one, family=family)(case)
    try:
        ktap.main()
    finally:
        table()


if __name__ == "__main__":
    main()
