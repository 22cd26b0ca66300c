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


def timed(function, *args):
    """Seconds that a call takes."""
    start = time.monotonic()
    function(*args)
    return time.monotonic() - start


def make_room():
    """The table of nf_conntrack is one for all namespaces."""
    lab.run(["modprobe", "nf_conntrack_netlink"])
    rig.write("/proc/sys/net/" + NETFILTER + "max", 1 << 22)
    rig.write("/sys/module/nf_conntrack/parameters/hashsize", BUCKETS)


class Plain:
    """Forwarding and nothing else."""

    name = "plain"
    tracks = False
    # The part that tells what a nearly full pool is compared with.
    roomy = None

    def setup(self, family=4, pool=None):
        pass

    def flush(self):
        pass

    def timed_flush(self):
        return timed(self.flush)

    def fixed(self, flows):
        """Bytes a flow of what was there before the first flow."""
        return 0

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

    def fixed(self, flows):
        return 8 * BUCKETS / flows

    def count(self):
        return int(read("/proc/sys/net/" + NETFILTER + "count"))


def others(number):
    """Sources that no packet has."""
    return [rig.ip4("100.64.0.0", n) for n in range(number)]


class Nft(Conntrack):
    name = "nft"
    flowtable = ""
    linear = True
    dump = ["conntrack", "-L"]
    delete = ["conntrack", "-D", "-s"]

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


    def rules_text(self, number):
        """What loads so many rules, and they; the last is for everybody."""
        text = "".join('oifname "wan*" ip saddr %s snat to 203.0.113.1\n' % src
                       for src in others(number - 1))
        return ["nft", "-f", "-"], """
            flush ruleset
            table ip nat {
                chain post {
                    type nat hook postrouting priority 100
                    %s
                    oifname "wan*" ip saddr %s snat to %s-%s
                }
            }
            """ % (text, rig.INSIDE[4], *rig.POOL[4])

    def many_rules(self, number):
        lab.run(*self.rules_text(number))
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
    linear = False
    roomy = "roomy"
    dump = ["userctl", "conn", "list"]
    delete = ["userctl", "conn", "delete", "src"]

    def config(self, family, pool):
        low, high = pool or rig.POOL[family]
        return ("set limit.connections 4194304\nset timeout.udp 3600\n"
                "set timeout.udp-replied 3600\nset pool.spill on\n" +
                self.settings +
                "pool ours %s-%s\n"
                "rule postrouting oif wan+ src %s snat pool ours\n"
                % (low, high, rig.INSIDE[family]))

    def setup(self, family=4, pool=None):
        self.apply(self.config(family, pool))

    def rules_text(self, number):
        text = "".join("rule postrouting oif wan+ src %s snat pool ours\n" % src
                       for src in others(number - 1))
        return ["userctl", "apply", "-"], text + self.config(4, None)

    def many_rules(self, number):
        lab.run(*self.rules_text(number))

    def many_forwards(self, number):
        self.apply(self.config(4, None) + "".join(
            "forward udp %s:%d %s:80\n" % (
                rig.ip4("192.0.2.1", n // 60000), 1024 + n % 60000,
                rig.ip4("10.200.0.0", n)) for n in range(number)))

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
