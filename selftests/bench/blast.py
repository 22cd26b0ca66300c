# SPDX-License-Identifier: GPL-2.0
"""The generator of blast/, which knows answers, TCP and IPv6."""
import math
import os
import sys

import lab
import rig

PROC = "/proc/natty_blast"
NUMBER = {"udp": 17, "tcp": 6}


def load():
    if not os.path.exists(PROC):
        lab.run(["insmod", sys.argv[1]])


class Blast:
    """Flows of one kind. The packets start in the namespace of the caller."""

    def __init__(self, family, proto, hosts, ports, shuffled=False):
        load()
        self.flows = hosts * ports
        # Far steps, so that what lies side by side is not met in that order.
        step = 1
        if shuffled and self.flows > 1:
            step = int(self.flows * 0.381) | 1
            while math.gcd(step, self.flows) > 1:
                step += 2
        self._do("flows %d %d %d %d %d"
                 % (family, NUMBER[proto], hosts, ports, step))

    @staticmethod
    def _do(command):
        # One write is one command: no buffering may cut it.
        fd = os.open(PROC, os.O_RDWR)
        try:
            os.write(fd, command.encode())
            return os.read(fd, 100).decode().strip()
        finally:
            os.close(fd)

    def open(self):
        """Make all flows, to where packets flow in both directions; returns
        how many came through."""
        return int(self._do("open"))

    def send(self, what, count):
        """Nanoseconds for each packet of first, out or reply, and for each
        pair of them if both."""
        before = rig.Rig.forwarded("wan0"), rig.Rig.forwarded("lan1")
        cost = int(self._do("send %s %d" % (what, count))) / count
        gone = (rig.Rig.forwarded("wan0") - before[0],
                rig.Rig.forwarded("lan1") - before[1])
        self.lost = (count if what != "reply" else 0) - gone[0] + \
            (count if what in ("reply", "both") else 0) - gone[1]
        return cost
