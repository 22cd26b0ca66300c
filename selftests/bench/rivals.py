# SPDX-License-Identifier: GPL-2.0
"""Those that are compared, each set up in the router's namespace of a rig.

All translate the same flows to the same 40 addresses; each has room enough
for its largest table before the first packet comes.
"""
import re
import time

import lab
import rig

NETFILTER = "netfilter/nf_conntrack_"
BUCKETS = 1 << 21


def read(path):
    with open(path) as f:
        return f.read()


def make_room():
    """The table of nf_conntrack is one for all namespaces."""
    lab.run(["modprobe", "nf_conntrack_netlink"])
    rig.write("/proc/sys/net/" + NETFILTER + "max", 1 << 22)
    rig.write("/sys/module/nf_conntrack/parameters/hashsize", BUCKETS)


class Plain:
    """Forwarding and nothing else."""

    name = "plain"
    tracks = False

    def setup(self, family=4, pool=None):
        pass

    def flush(self):
        pass

    def count(self):
        return None


class Conntrack(Plain):
    """What all that lean on nf_conntrack share."""

    tracks = True

    @staticmethod
    def patience():
        for name in ("udp_timeout", "udp_timeout_stream"):
            lab.sysctl(NETFILTER + name, 3600)

    def flush(self):
        lab.run(["conntrack", "-F"])

    def count(self):
        return int(read("/proc/sys/net/" + NETFILTER + "count"))


class Nft(Conntrack):
    name = "nft"
    flowtable = ""

    def setup(self, family=4, pool=None):
        low, high = pool or rig.POOL[family]
        kind = "ip" if family == 4 else "ip6"
        lab.run(["nft", "-f", "-"], """
            table %s nat {
                %s
                chain post {
                    type nat hook postrouting priority 100
                    oifname "wan*" %s saddr %s snat to %s-%s
                }
            }
            """ % (kind, self.flowtable, kind, rig.INSIDE[family], low, high))
        self.patience()


class Flowtable(Nft):
    name = "flowtable"
    flowtable = """
                flowtable fast {
                    hook ingress priority 0
                    devices = { lan0, wan0 }
                }
                chain forward {
                    type filter hook forward priority 0
                    ip protocol { tcp, udp } flow add @fast
                }
    """


class Iptables(Conntrack):
    name = "iptables"

    def setup(self, family=4, pool=None):
        low, high = pool or rig.POOL[family]
        tool = "iptables-legacy" if family == 4 else "ip6tables-legacy"
        lab.run([tool, "-w", "-t", "nat", "-A", "POSTROUTING", "-o", "wan+",
                 "-s", rig.INSIDE[family], "-j", "SNAT", "--to-source",
                 low + "-" + high])
        self.patience()


class Natty(Plain):
    name = "natty"
    tracks = True
    settings = ""

    def config(self, family, pool):
        low, high = pool or rig.POOL[family]
        return ("set limit.connections 4194304\nset timeout.udp 3600\n"
                "set timeout.udp-replied 3600\n" + self.settings +
                "pool ours %s-%s\n"
                "rule postrouting oif wan+ src %s snat pool ours\n"
                % (low, high, rig.INSIDE[family]))

    def setup(self, family=4, pool=None):
        self.apply(self.config(family, pool))

    @staticmethod
    def apply(text):
        lab.run(["userctl", "apply", "-"], text)

    def flush(self):
        lab.run(["userctl", "conn", "flush"])

    def count(self):
        text = lab.run(["userctl", "conn", "count"])[1]
        return int(re.search(r"\d+", text)[0])


class NattyIptables(Natty):
    """With the behaviour of iptables: a binding for each connection."""

    name = "natty-iptables"
    settings = "set profile iptables\n"


class NattyAccounting(Natty):
    name = "natty-accounting"
    settings = "set accounting on\n"


RIVALS = {kind.name: kind for kind in (
    Plain, Nft, Flowtable, Iptables, Natty, NattyIptables, NattyAccounting)}


def timed(function, *args):
    """Seconds that a call takes."""
    start = time.monotonic()
    function(*args)
    return time.monotonic() - start
