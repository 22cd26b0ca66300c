# SPDX-License-Identifier: GPL-2.0
"""One router in a network namespace of its own, and hosts made of bytes.

    C1..C3 10.0.0.2-4                               S1..S3 198.51.100.10-12
    fd00:a::2-4                                     2001:db8:1::10-12
        |                  +----------+                   |
       c0 ------------ lan0|  router  |wan0 ------------ s0
    (hosts' namespace)     +----------+         (hosts' namespace)
           10.0.0.1, fd00:a::1    198.51.100.1-6, 2001:db8:1::1-6

The test process lives in the router's namespace, so whatever it starts does
too. The far ends of both links lie in a second namespace that has no address
and no protocol of its own: packet sockets there send and see complete frames,
and nobody else answers. Neither namespace has a name: the kernel takes them
away with the process, however it ends.

Waiting is never for a while: after the packets under test an ARP probe goes
to either side of the router. Packets of one CPU are handled in order, so when
its reply is back everything that the packets caused has been seen, and what
has not come will not come.
"""
import ctypes
import fcntl
import os
import select
import socket
import struct
import time

import ktap
import pkt

CLONE_NEWNET = 0x40000000
ETH_IP, ETH_IP6, ETH_ARP = 0x0800, 0x86dd, 0x0806
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33

C = {4: ["10.0.0.2", "10.0.0.3", "10.0.0.4"],
     6: ["fd00:a::2", "fd00:a::3", "fd00:a::4"]}
S = {4: ["198.51.100.10", "198.51.100.11", "198.51.100.12"],
     6: ["2001:db8:1::10", "2001:db8:1::11", "2001:db8:1::12"]}
POOL = {4: ["198.51.100.%d" % n for n in range(1, 7)],
        6: ["2001:db8:1::%d" % n for n in range(1, 7)]}
X = {4: POOL[4][0], 6: POOL[6][0]}  # the router's outside
R = {4: "10.0.0.1", 6: "fd00:a::1"}  # the router's inside
INSIDE = {4: "10.0.0.0/24", 6: "fd00:a::/64"}
HOP = {4: "198.51.100.30", 6: "2001:db8:1::30"}  # a router on the path
OTHER = {"lan": "wan", "wan": "lan"}

# A plain dictionary: os.environ decodes every name at every start.
_ENV = dict(os.environ)

_libc = ctypes.CDLL(None, use_errno=True)


def unshare():
    if _libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare: are you root?")


def setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def run(argv, data=b"", ok=True):
    """Run a program; returns (exit code, stdout, stderr) as text.

    Written on os.fork alone: importing subprocess costs more than most
    test cases do under emulation.
    """
    outs = [os.memfd_create("out"), os.memfd_create("err")]
    stdin = os.memfd_create("in")
    os.write(stdin, data if isinstance(data, bytes) else data.encode())
    os.lseek(stdin, 0, os.SEEK_SET)
    pid = os.posix_spawnp(argv[0], argv, _ENV, file_actions=[
        (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, outs[0], 1),
        (os.POSIX_SPAWN_DUP2, outs[1], 2)])
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(stdin)
    texts = []
    for fd in outs:
        os.lseek(fd, 0, os.SEEK_SET)
        with os.fdopen(fd, "rb") as f:
            texts.append(f.read().decode(errors="replace"))
    if ok and code:
        raise ktap.Fail("%s: exit %d\n%s%s" % (" ".join(argv), code, *texts))
    return code, texts[0], texts[1]


def sysctl(path, value):
    try:
        with open("/proc/sys/net/" + path, "w") as f:
            f.write(str(value))
    except FileNotFoundError:  # a kernel built without it
        pass


def mac(addr):
    """The hardware address of the host that has the IP address."""
    raw = pkt.aton(addr)
    return struct.pack("!HHBB", 0x0200, 0, len(raw), raw[-1])


def _mac_text(addr):
    return ":".join("%02x" % b for b in mac(addr))


ROUTER_MAC = {"lan": b"\x02\0\0\0\0\xa1", "wan": b"\x02\0\0\0\0\xa2"}


def listen(family, kind, at):
    """A socket of the router, bound to an address and port."""
    s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, kind)
    s.settimeout(ktap.patience(2))
    if kind == socket.SOCK_STREAM:      # closing must leave nothing to resend
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.bind(at)
    return s


class Lab:
    """The router, its two links and the packet sockets at their ends."""

    def __init__(self):
        # Order of packets is the order of one CPU's queue.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.serial = 0
        unshare()
        self.hosts = os.open("/proc/self/ns/net", os.O_RDONLY)
        sysctl("ipv6/conf/all/disable_ipv6", 1)
        sysctl("ipv6/conf/default/disable_ipv6", 1)
        unshare()
        self.router = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._sysctls()
        run(["ip", "-batch", "-"], self._links())
        # A packet socket sees locally made packets as they are handed to
        # the driver: with checksum offload they would be unfinished.
        for name in (b"lan0", b"wan0"):
            self._no_offload(name)
        self.socks = {"lan": self._socket("c0"), "wan": self._socket("s0")}
        self._await_carrier()

    def _await_carrier(self):
        """A link that has just come up loses packets for a moment."""
        deadline = time.monotonic() + ktap.patience(5)
        for side, sock in self.socks.items():
            while True:
                probe = self._probe(side)
                select.select([sock], [], [], 0.01)
                if self._drain(side, probe, []):
                    break
                if time.monotonic() > deadline:
                    raise RuntimeError("no carrier on " + side)

    def _sysctls(self):
        for name in ("all", "default"):
            sysctl("ipv4/conf/%s/rp_filter" % name, 0)
            sysctl("ipv4/conf/%s/send_redirects" % name, 0)
            sysctl("ipv4/conf/%s/forwarding" % name, 1)
            sysctl("ipv6/conf/%s/forwarding" % name, 1)
            sysctl("ipv6/conf/%s/accept_dad" % name, 0)
            sysctl("ipv6/conf/%s/addr_gen_mode" % name, 1)
            sysctl("ipv6/conf/%s/router_solicitations" % name, 0)
        sysctl("ipv4/icmp_ratelimit", 0)
        sysctl("ipv6/icmp/ratelimit", 0)
        sysctl("ipv4/ip_local_reserved_ports", "40000-40999")

    def _links(self):
        """The commands for ip -batch that make links and addresses."""
        far = "/proc/%d/fd/%d" % (os.getpid(), self.hosts)
        lines = ["link set lo up"]
        for dev, end, side in (("lan0", "c0", "lan"), ("wan0", "s0", "wan")):
            hw = ":".join("%02x" % b for b in ROUTER_MAC[side])
            lines.append("link add %s address %s type veth peer name %s "
                         "netns %s" % (dev, hw, end, far))
            lines.append("link set %s up" % dev)
        # Of IPv6 addresses the last one added is preferred as a source.
        outside = [a + "/24" for a in POOL[4]] + [a + "/64" for a in POOL[6][::-1]]
        for dev, addrs in (("lan0", [R[4] + "/24", R[6] + "/64"]), ("wan0", outside)):
            lines += ["addr add %s dev %s%s" % (
                a, dev, " nodad" if ":" in a else "") for a in addrs]
        for dev, hosts in (("lan0", C), ("wan0", S)):
            near = HOP if dev == "wan0" else {4: "10.0.0.200", 6: "fd00:a::c8"}
            for family in (4, 6):
                lines += ["neigh add %s lladdr %s dev %s nud permanent"
                          % (a, _mac_text(a), dev)
                          for a in hosts[family] + [near[family]]]
        return "\n".join(lines) + "\n"

    def _no_offload(self, name):
        value = ctypes.create_string_buffer(struct.pack("=II", 0x17, 0), 8)
        request = struct.pack("16sP16x", name, ctypes.addressof(value))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, 0x8946, request)

    def _socket(self, name):
        setns(self.hosts)
        try:
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            s.setsockopt(263, PACKET_IGNORE_OUTGOING, 1)
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
            run(["ip", "link", "set", name, "up", "mtu", "9000"])
            s.bind((name, 3))  # ETH_P_ALL
            return s
        finally:
            setns(self.router)

    def send(self, side, raw, dst_mac=None):
        """Put one IP packet on the wire of a side, towards the router."""
        kind = ETH_IP6 if raw[:1] and raw[0] >> 4 == 6 else ETH_IP
        self.socks[side].send((dst_mac or ROUTER_MAC[side]) +
                              b"\x02\0\0\0\1\0" + struct.pack("!H", kind) + raw)

    def _probe(self, side):
        """An ARP probe (no sender address, so no neighbour is learnt)."""
        self.serial += 1
        me = b"\x02\x5e" + struct.pack("!I", self.serial)
        target = R[4] if side == "lan" else self.probed
        arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, me,
                          b"\0\0\0\0", b"\0" * 6, pkt.aton(target))
        self.socks[side].send(b"\xff" * 6 + me +
                              struct.pack("!H", ETH_ARP) + arp)
        return me

    probed = X[4]

    def collect(self):
        """All IP packets that have come out: {"lan": [...], "wan": [...]}."""
        waiting = {side: self._probe(side) for side in self.socks}
        seen = {"lan": [], "wan": []}
        deadline = time.monotonic() + ktap.patience(5)
        while waiting:
            left = deadline - time.monotonic()
            socks = [self.socks[s] for s in waiting]
            if left < 0 or not select.select(socks, [], [], left)[0]:
                raise ktap.Fail("the router does not answer on "
                                + " and ".join(waiting))
            for side in list(waiting):
                if self._drain(side, waiting[side], seen[side]):
                    del waiting[side]
        return seen

    def _drain(self, side, probe, seen):
        """Read what there is; true once the probe has been answered."""
        while True:
            try:
                frame = self.socks[side].recv(70000, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            kind = struct.unpack("!H", frame[12:14])[0]
            if kind == ETH_ARP and frame[:6] == probe:
                return True
            if kind == ETH_IP or kind == ETH_IP6 and frame[38] != 0xff:
                seen.append(self._check_frame(side, frame))

    def _check_frame(self, side, frame):
        """The IP packet of a frame that must go to its destination."""
        raw = frame[14:]
        if raw[0] >> 4 == 4:  # veth pads nothing, others may
            raw = raw[:struct.unpack("!H", raw[2:4])[0]]
        dst = pkt.View(raw).dst
        hosts = C if side == "lan" else S
        if dst in hosts[4] + hosts[6] and frame[:6] != mac(dst):
            raise ktap.Fail("a packet to %s went to another neighbour" % dst)
        return raw

    def swap(self, side, *packets):
        """Send packets, return what they caused on both sides."""
        for raw in packets:
            self.send(side, raw)
        return self.collect()

    def through(self, side, raw, out=None):
        """Send a packet; exactly one must come out, at the other side."""
        out = out or OTHER[side]
        seen = self.swap(side, raw)
        if len(seen[out]) != 1 or seen[OTHER[out]]:
            raise ktap.Fail("sent on %s: %s\n%s" % (
                side, pkt.View(raw), _listing(seen)))
        return seen[out][0]

    def expect(self, side, raw, want, out=None):
        """Send a packet; exactly @want must come out at the other side."""
        text = pkt.differ(self.through(side, raw, out), want)
        if text:
            raise ktap.Fail("sent on %s: %s\n%s" % (
                side, pkt.View(raw), text))

    def nothing(self, side, *packets):
        """Send packets that must cause no packet on either side."""
        seen = self.swap(side, *packets)
        if seen["lan"] or seen["wan"]:
            raise ktap.Fail("sent on %s: %s\n%s" % (
                side, pkt.View(packets[0]), _listing(seen)))


def _listing(seen):
    return "\n".join(
        ["got on %s: %s" % (side, pkt.View(raw))
         for side in seen for raw in seen[side]] or ["nothing came out"])
