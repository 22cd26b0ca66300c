# SPDX-License-Identifier: GPL-2.0
"""A router in a network namespace, and the generator of its packets.

     generators' namespace          router's namespace
    g0 (pktgen, blast) ---veth--- lan0            wan0 (dummy, swallows)
    g1 (blast)         ---veth--- wan1            lan1 (dummy, swallows)

Packets from inside come by lan0 and end in wan0; answers come by wan1 and end
in lan1. What leaves by a dummy is counted there, so every figure is of packets
that are known to have been forwarded. Neighbours are permanent: nobody
resolves anything.

A rig is new for each measurement, as nothing of the last rival may be left in
the path: registered hooks cost time even if their chains are empty.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lab  # noqa: E402

INSIDE = {4: "10.0.0.0/8", 6: "fd00::/32"}
REMOTE = {4: "198.51.100.10", 6: "2001:db8:1::10"}
OUTSIDE = {4: "198.51.100.0/24", 6: "2001:db8:1::/64"}
# Whoever translates does so to these 40 addresses.
POOL = {4: ("203.0.113.1", "203.0.113.40"),
        6: ("2001:db8:2::1", "2001:db8:2::28")}
POOLS = {4: "203.0.113.0/24", 6: "2001:db8:2::/64"}
SWALLOW = "02:00:00:00:00:99"
ROUTER = "02:00:00:00:00:a1"
PG = "/proc/net/pktgen/"

# Hosts and ports are without a common divisor, so that both cycling gives
# every pair of them.
SIZES = {"1": (1, 1), "1k": (1000, 1), "53k": (1000, 53),
         "509k": (1000, 509), "2m": (2000, 997)}
FIRST_PORT = 10000


def flows(size):
    hosts, ports = SIZES[size]
    return hosts * ports


def write(path, *lines):
    """Every line is a command of its own and wants its own write."""
    for line in lines:
        with open(path, "w") as f:
            f.write(str(line) + "\n")


def ip4(base, n):
    a, b, c, d = map(int, base.split("."))
    n += a << 24 | b << 16 | c << 8 | d
    return "%d.%d.%d.%d" % (n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255)


class Rig:
    """Enter with `with`: the thread is in the router's namespace then."""

    def __enter__(self):
        self.origin = os.open("/proc/self/ns/net", os.O_RDONLY)
        lab.unshare()
        self.generator = os.open("/proc/self/ns/net", os.O_RDONLY)
        for name in ("all", "default"):
            lab.sysctl("ipv6/conf/%s/disable_ipv6" % name, 1)
        lab.unshare()
        self.router = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._sysctls()
        lab.run(["ip", "-batch", "-"], self._links())
        lab.setns(self.generator)
        lab.run(["ip", "-batch", "-"],
                "link set lo up\nlink set g0 up\nlink set g1 up\n")
        lab.setns(self.router)
        return self

    def __exit__(self, *_):
        lab.setns(self.origin)
        for fd in (self.generator, self.router, self.origin):
            os.close(fd)

    @staticmethod
    def _sysctls():
        for name in ("all", "default"):
            lab.sysctl("ipv4/conf/%s/rp_filter" % name, 0)
            lab.sysctl("ipv4/conf/%s/send_redirects" % name, 0)
            lab.sysctl("ipv4/conf/%s/forwarding" % name, 1)
            lab.sysctl("ipv6/conf/%s/forwarding" % name, 1)
            lab.sysctl("ipv6/conf/%s/accept_dad" % name, 0)
            lab.sysctl("ipv6/conf/%s/router_solicitations" % name, 0)
            lab.sysctl("ipv6/conf/%s/addr_gen_mode" % name, 1)

    def _links(self):
        far = "/proc/%d/fd/%d" % (os.getpid(), self.generator)
        lines = ["link set lo up"]
        for near, end in (("lan0", "g0"), ("wan1", "g1")):
            lines.append("link add %s address %s type veth peer name %s "
                         "netns %s" % (near, ROUTER, end, far))
        lines += ["link add wan0 type dummy", "link add lan1 type dummy"]
        lines += ["link set %s up" % dev
                  for dev in ("lan0", "wan0", "lan1", "wan1")]
        for family, via in ((4, "10.255.0.9"), (6, "fd00:ff::9")):
            inside = "10.255.0.1/24" if family == 4 else "fd00:ff::1/64"
            outside = "198.51.100.1/24" if family == 4 else \
                "2001:db8:1::1/64"
            nodad = " nodad" if family == 6 else ""
            lines += ["addr add %s dev lan1%s" % (inside, nodad),
                      "addr add %s dev wan0%s" % (outside, nodad),
                      "neigh add %s lladdr %s dev lan1 nud permanent"
                      % (via, SWALLOW),
                      "neigh add %s lladdr %s dev wan0 nud permanent"
                      % (REMOTE[family], SWALLOW),
                      "route add %s via %s dev lan1" % (INSIDE[family], via)]
        return "\n".join(lines) + "\n"

    @staticmethod
    def forwarded(dev="wan0"):
        """How many packets have left by a dummy."""
        with open("/proc/self/net/dev") as f:
            for line in f:
                name, _, rest = line.partition(":")
                if name.strip() == dev:
                    return int(rest.split()[9])
        raise RuntimeError("no " + dev)


class Pktgen:
    """The kernel's packet generator, on g0 of a rig."""

    def __init__(self, rig):
        self.rig = rig
        self._there()
        try:
            write(PG + "kpktgend_0", "rem_device_all", "add_device g0")
        finally:
            lab.setns(rig.router)

    def _there(self):
        lab.setns(self.rig.generator)

    def send(self, hosts, ports, count, port=FIRST_PORT, host=2):
        """Send @count packets; returns nanoseconds for each."""
        self._there()
        try:
            write(PG + "g0", "count %d" % count, "clone_skb 0", "pkt_size 60",
                  "delay 0", "dst_mac " + ROUTER,
                  "dst_min " + REMOTE[4], "dst_max " + REMOTE[4],
                  "src_min " + ip4("10.0.0.0", host),
                  "src_max " + ip4("10.0.0.0", host + hosts - 1),
                  "udp_src_min %d" % port,
                  # The last port is left out, unless it is the only one.
                  "udp_src_max %d" % (port + ports if ports > 1 else port),
                  "udp_dst_min 9", "udp_dst_max 9")
            write(PG + "pgctrl", "start")
            with open(PG + "g0") as f:
                text = f.read()
        finally:
            lab.setns(self.rig.router)
        found = re.search(r"OK: (\d+)\(c(\d+)\+d(\d+)\) usec, (\d+)", text)
        if not found or int(found[4]) != count:
            raise RuntimeError("pktgen: " + text[-300:])
        return int(found[1]) * 1000 / count
