#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""How much more two processors forward than one: for a guest that has two.

    selftests/vm/run -p -k qemu-6.1 -t 900 -- python3 selftests/bench/cores.py

Each processor has a generator, a link into the router and flows of its own; all
packets leave by one interface, which takes no lock. What plain forwarding gains
by the second processor is what there is to gain.
"""
import os
import re
import statistics

import rig
import lab
from rivals import RIVALS, make_room

HOSTS, PORTS = 1000, 53     # of each processor
PACKETS = 100000
ROUNDS = 3
WHO = ("plain", "nft", "natty")
LINKS = ("g0", "g2")


class TwoLinks(rig.Rig):
    """The rig of all benches with one more way in."""

    def _links(self):
        far = "/proc/%d/fd/%d" % (os.getpid(), self.generator)
        return super()._links() + (
            "link add lan2 address %s type veth peer name g2 netns %s\n"
            "link set lan2 up\n" % (rig.ROUTER, far))

    def __enter__(self):
        super().__enter__()
        lab.setns(self.generator)
        try:
            lab.run(["ip", "link", "set", "g2", "up"])
            for cpu, dev in enumerate(LINKS):
                rig.write(rig.PG + "kpktgend_%d" % cpu, "rem_device_all",
                          "add_device " + dev)
        finally:
            lab.setns(self.router)
        return self

    def send(self, cpus, count):
        """@count packets from each of so many; returns packets a second."""
        before = self.forwarded()
        lab.setns(self.generator)
        try:
            for cpu, dev in enumerate(LINKS):
                rig.write(rig.PG + "kpktgend_%d" % cpu, "rem_device_all")
                if cpu < cpus:
                    rig.write(rig.PG + "kpktgend_%d" % cpu, "add_device " + dev)
                    first = rig.ip4("10.0.0.0", (cpu << 20) + 2)
                    rig.write(rig.PG + dev, "count %d" % count, "clone_skb 0",
                              "pkt_size 60", "delay 0", "dst_mac " + rig.ROUTER,
                              "dst_min " + rig.REMOTE[4],
                              "dst_max " + rig.REMOTE[4], "src_min " + first,
                              "src_max " + rig.ip4(first, HOSTS - 1),
                              "udp_src_min %d" % rig.FIRST_PORT,
                              "udp_src_max %d" % (rig.FIRST_PORT + PORTS),
                              "udp_dst_min 9", "udp_dst_max 9")
            rig.write(rig.PG + "pgctrl", "start")
            rate = sum(self._rate(dev, count) for dev in LINKS[:cpus])
        finally:
            lab.setns(self.router)
        lost = cpus * count - (self.forwarded() - before)
        # The queue of a busy processor is finite.
        if lost > cpus * count / 100:
            raise RuntimeError("%d of %d packets are lost" % (lost, cpus * count))
        return rate

    @staticmethod
    def _rate(dev, count):
        with open(rig.PG + dev) as f:
            text = f.read()
        return count * 1e6 / int(re.search(r"OK: (\d+)\(", text)[1])


def gains(who):
    """(of established flows, of first packets): two processors over one."""
    rival = RIVALS[who]()
    flows = HOSTS * PORTS
    with TwoLinks() as r:
        rival.setup()
        first = [r.send(1, flows)]
        rival.flush()
        first.append(r.send(2, flows))
        known = [r.send(cpus, PACKETS) for cpus in (1, 2)]
        rival.flush()
    return known[1] / known[0], first[1] / first[0]


def main():
    lab.run(["modprobe", "pktgen"])
    make_room()
    found = {who: [] for who in WHO}
    for _ in range(ROUNDS):
        for who in WHO:
            found[who].append(gains(who))
    print("%-8s %12s %16s" % ("", "established", "first packets"))
    for who in WHO:
        print("%-8s %12.2f %16.2f" % (who, *(
            statistics.median(column) for column in zip(*found[who]))))


main()
