# SPDX-License-Identifier: GPL-2.0
"""One of the two routers that are compared: its namespaces, rules and events.

    C1..C3 10.0.0.2-4 ------- lan0 [router] wan0 ------- S1..S3 198.51.100.10-12
    fd00:a::2-4                     |                    2001:db8:1::10-12
                                  dmz0                   HOP .30: the way to FAR
                          D1, D2 172.16.0.2-3
                          fd00:d::2-3

Both routers have the same addresses, each in namespaces of its own. Every
packet that leaves a router is seen by a packet socket at the far end of the
link, every one that it sends to itself by one on its loopback.
"""
import errno
import os
import re
import socket
import struct

import ktap
import lab
import pkt
from ctl import query, userctl
from lab import C, HOP, POOL, R, S, Lab, run, setns, sysctl

D = {4: ["172.16.0.2", "172.16.0.3"], 6: ["fd00:d::2", "fd00:d::3"]}
DMZ = {4: "172.16.0.1", 6: "fd00:d::1"}
HOP2 = {4: "203.0.113.254", 6: "2001:db8:2::fe"}
FAR = {4: "192.0.2.77", 6: "2001:db8:77::77"}
LINKS = (("lan", "lan0", "c0"), ("wan", "wan0", "s0"), ("dmz", "dmz0", "d0"))
SIDES = tuple(link[0] for link in LINKS)
DMZ_MAC = b"\x02\0\0\0\0\xa3"

# What World.mark() does, for translate, which asks who sets the marks of prerouting.
EARLY_MARKS = "*raw\n-A PREROUTING -i lan0 -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n"

# Every address that scenarios name.
NAMES = {}
for _f in (4, 6):
    NAMES[_f] = {
        "R": R[_f], "X": POOL[_f][0], "DMZ": DMZ[_f], "HOP": HOP[_f],
        "HOP2": HOP2[_f], "FAR": FAR[_f], "LO": ("127.0.0.1", "::1")[_f == 6],
        "FAR2": ("192.0.2.78", "2001:db8:77::78")[_f == 6],
        "X0": ("203.0.113.1", "2001:db8:2::1")[_f == 6],
        "GONE": ("203.0.113.99", "2001:db8:3::99")[_f == 6],
        "GONE32": ("203.0.113.99/32", "2001:db8:3::99/128")[_f == 6],
        "DMZLEN": (DMZ[4] + "/24", DMZ[6] + "/64")[_f == 6],
        "XLEN": (POOL[4][0] + "/24", POOL[6][0] + "/64")[_f == 6],
        "D1MAC": ":".join("%02x" % b for b in lab.mac(D[_f][0])),
        "N1": ("10.9.0.2", "fd00:9::2")[_f == 6],
        "N7": ("203.0.113.66", "2001:db8:9::2")[_f == 6],
        "LAN": ("10.0.0.0/24", "fd00:a::/64")[_f == 6],
        "LAN29": ("10.0.0.0/29", "fd00:a::/125")[_f == 6],
        "WANNET": ("198.51.100.0/24", "2001:db8:1::/64")[_f == 6],
        "DMZNET": ("172.16.0.0/24", "fd00:d::/64")[_f == 6],
        "FARNET": ("192.0.2.0/24", "2001:db8:77::/64")[_f == 6],
        "MAP29": ("203.0.113.64/29", "2001:db8:9::/125")[_f == 6],
        "HALF": ("10.0.0.2/31", "fd00:a::2/127")[_f == 6],
        "ICMP": ("icmp", "ipv6-icmp")[_f == 6],
    }
    for _name, _hosts in (("C", C), ("S", S), ("D", D)):
        for _i, _addr in enumerate(_hosts[_f], 1):
            NAMES[_f]["%s%d" % (_name, _i)] = _addr
    for _i, _addr in enumerate(POOL[_f], 1):
        NAMES[_f]["X%d" % _i] = _addr


def side_of(name):
    """The side on which the host of that name lives."""
    return {"C": "lan", "D": "dmz"}.get(name[0], "wan")


def expand(text, family):
    """Put addresses for <NAME>, <NAME:PORTS>, <NAME-NAME> and both."""
    def put(match):
        first, last, ports = match.groups()
        one, two = (NAMES[family][n] if n else None for n in (first, last))
        if not ports:
            return one + ("-" + two if two else "")
        if family == 4:
            return one + ("-" + two if two else "") + ":" + ports
        if not two:
            return "[%s]:%s" % (one, ports)
        return "[%s-%s]:%s" % (one, two, ports)
    return re.sub(r"<([A-Z]+\d*(?:MAC)?)(?:-([A-Z]+\d*))?(?::([\d/-]+))?>", put, text)


class World(Lab):
    """A router with its links; what both kinds have in common."""

    name = "?"

    def __init__(self):
        self.stack = []
        super().__init__()
        self.socks["lo"] = self._loopback()
        self.sockets = {}
        self.marked, self.peers = {}, {}
        self.family = 4

    def _sysctls(self):
        super()._sysctls()
        sysctl("ipv4/tcp_timestamps", 0)
        sysctl("ipv4/ip_nonlocal_bind", 0)
        sysctl("ipv4/tcp_syn_retries", 6)
        sysctl("ipv6/auto_flowlabels", 0)
        for name in ("all", "default"):
            sysctl("ipv4/conf/%s/promote_secondaries" % name, 1)

    def _links(self):
        far = "/proc/%d/fd/%d" % (os.getpid(), self.hosts)
        # Of IPv6 addresses the last one added comes first.
        outside = ([a + "/24" for a in POOL[4]] + [NAMES[4]["X0"] + "/24"] +
                   [NAMES[6]["X0"] + "/64"] + [a + "/64" for a in POOL[6][::-1]])
        here = {"lan0": [R[4] + "/24", R[6] + "/64"], "wan0": outside,
                "dmz0": [DMZ[4] + "/24", DMZ[6] + "/64"]}
        near = {"lan0": C[4] + C[6], "dmz0": D[4] + D[6],
                "wan0": S[4] + S[6] + [HOP[4], HOP[6], HOP2[4], HOP2[6]]}
        macs = dict(lab.ROUTER_MAC, dmz=DMZ_MAC)
        lines = ["link set lo up"]
        for side, dev, end in LINKS:
            lines += ["link add %s address %s type veth peer name %s netns %s" % (
                dev, ":".join("%02x" % b for b in macs[side]), end, far),
                "link set %s up" % dev]
            lines += ["addr add %s dev %s%s" % (a, dev, " nodad" if ":" in a else "")
                      for a in here[dev]]
            lines += ["neigh add %s lladdr %s dev %s nud permanent" % (
                a, ":".join("%02x" % b for b in lab.mac(a)), dev)
                for a in near[dev]]
        lines += ["route add default via " + HOP[4], "route add ::/0 via "
                  + HOP[6], "route add 192.0.2.78 via " + HOP2[4],
                  "route add 2001:db8:77::78 via " + HOP2[6]]
        return "\n".join(lines) + "\n"

    def _await_carrier(self):
        self._no_offload(b"dmz0")
        self.socks["dmz"] = self._socket("d0")
        super()._await_carrier()

    def _loopback(self):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.setsockopt(263, lab.PACKET_IGNORE_OUTGOING, 1)
        s.bind(("lo", 3))
        return s

    def _probe(self, side):
        if side != "dmz":
            return super()._probe(side)
        keep, self.probed = self.probed, DMZ[4]
        try:
            return super()._probe(side)
        finally:
            self.probed = keep

    def _check_frame(self, side, frame):
        """The packet with the neighbour it was sent to before it."""
        raw = frame[14:]
        if raw[0] >> 4 == 4:
            raw = raw[:struct.unpack("!H", raw[2:4])[0]]
        return frame[:6], raw

    def send(self, side, raw, dst_mac=None):
        super().send(side, raw, dst_mac or DMZ_MAC if side == "dmz" else dst_mac)

    probed = NAMES[4]["X0"]     # scenarios take away other addresses

    def enter(self):
        setns(self.router)

    def collect(self):
        """What has come out since: [(side, neighbour, packet)]."""
        lo = self.socks.pop("lo")
        down = [s for s in SIDES if s in self.socks and s in self.stack]
        asleep = {s: self.socks.pop(s) for s in down}
        try:
            seen = self._collect()
        finally:
            self.socks.update(asleep)
            self.socks["lo"] = lo
        out = [(side, mac, raw) for side in SIDES if side in seen
               for mac, raw in seen[side]]
        while True:
            try:
                frame = lo.recv(70000, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return out
            mac, raw = self._check_frame("lo", frame)
            # Seconds later the router tells itself that a neighbour is not there.
            seen = pkt.View(raw)
            if (seen.proto, *seen.seg[:2]) not in ((1, 3, 1), (58, 1, 3)):
                out.append(("lo", mac, raw))

    def _collect(self):
        import select
        import time
        waiting = {side: self._probe(side) for side in self.socks}
        seen = {side: [] for side in self.socks}
        deadline = time.monotonic() + ktap.patience(5)
        while waiting:
            left = deadline - time.monotonic()
            socks = [self.socks[s] for s in waiting]
            if left < 0 or not select.select(socks, [], [], left)[0]:
                raise ktap.Fail("%s: the router does not answer on %s" % (
                    self.name, " and ".join(waiting)))
            for side in list(waiting):
                if self._drain(side, waiting[side], seen[side]):
                    del waiting[side]
        return seen

    def ip(self, *commands):
        """Router-side events, as ip(8) takes them."""
        for command in commands:
            words = expand(command, self.family).split()
            run(["ip", "-%d" % self.family] + words)
            if words[:2] == ["link", "set"] and words[-1] in ("up", "down"):
                side = words[2][:3]
                if words[-1] == "down":
                    self.stack.append(side)
                else:
                    self.stack.remove(side)
                    self._await_carrier_again(side)
            elif words[:2] == ["link", "del"]:
                self.stack.append(words[2][:3])

    def _await_carrier_again(self, side):
        def answers():
            probe = self._probe(side)
            import select
            select.select([self.socks[side]], [], [], 0.01)
            return self._drain(side, probe, [])
        ktap.wait_until(answers, 5, "carrier on " + side)

    def mark(self, value, table="raw", chain="PREROUTING"):
        """Packets have that mark behind the chain; those from the LAN, where it can tell."""
        wanted = (value, table, chain) if value else None
        had = self.marked.get(self.family)
        if wanted == had:
            return
        self.marked[self.family] = wanted
        tool = ("iptables-legacy", "ip6tables-legacy")[self.family == 6]
        if had:
            run([tool, "-t", had[1], "-F"])
        if wanted:
            come = ["-i", "lan0"] if chain in ("PREROUTING", "FORWARD", "INPUT") else []
            run([tool, "-t", table, "-A", chain] + come +
                ["-j", "MARK", "--set-mark", str(value)])

    @staticmethod
    def _resets(s):
        """Closed it sends an RST and is gone, so that no FIN comes later."""
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close_sockets(self):
        for s in self.sockets.values():
            s.close()
        self.sockets = {}

    def listen(self, proto, port, addr=None):
        """A socket of the router's own."""
        kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
        s = socket.socket((socket.AF_INET, socket.AF_INET6)[self.family == 6], kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setblocking(False)
        if proto == "tcp":
            self._resets(s)
        s.bind((addr or ("0.0.0.0", "::")[self.family == 6], port))
        self.sockets[proto, port] = s
        return s

    def heard(self):
        """What the router's sockets got: (protocol, port, peer, port, data)."""
        out = []
        for (proto, port), s in sorted(self.sockets.items()):
            while True:
                try:
                    if proto == "udp":
                        data, peer = s.recvfrom(65536)
                        self.peers[proto, port] = peer
                    else:
                        conn, peer = s.accept()
                        self._resets(conn)
                        self.sockets["tcp-accepted", peer[1]] = conn
                        data = b""
                except OSError as exc:
                    if exc.errno not in (errno.EAGAIN, errno.EINVAL,
                                         errno.EOPNOTSUPP):
                        out.append((proto, port, errno.errorcode[exc.errno], 0, b""))
                        if exc.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH,
                                         errno.EACCES, errno.EPROTO):
                            continue
                    break
                out.append((proto, port, peer[0], peer[1], data))
        return out


class Iptables(World):
    """The kernel's own: xtables' nat table over nf_conntrack."""

    name = "iptables"
    TIMEOUT = {
        "tcp-established": "tcp_timeout_established",
        "tcp-transitory": "tcp_timeout_unacknowledged",
        "tcp-syn-sent": "tcp_timeout_syn_sent",
        "tcp-syn-received": "tcp_timeout_syn_recv",
        "tcp-fin-wait": "tcp_timeout_fin_wait",
        "tcp-close-wait": "tcp_timeout_close_wait",
        "tcp-last-ack": "tcp_timeout_last_ack",
        "tcp-time-wait": "tcp_timeout_time_wait",
        "tcp-close": "tcp_timeout_close",
        "udp": "udp_timeout", "udp-replied": "udp_timeout_stream",
        "icmp": "icmp_timeout", "icmp6": "icmpv6_timeout",
        "other": "generic_timeout",
    }

    def __init__(self):
        super().__init__()
        self.saved, self.scaled = {}, {}
        # Tracking stays on whatever becomes of the nat table's rules.
        for tool in ("iptables-legacy", "ip6tables-legacy"):
            run([tool, "-t", "filter", "-A", "FORWARD", "-m", "conntrack",
                 "--ctstate", "NEW"])

    def rules(self, text):
        tool = ("iptables-legacy-restore", "ip6tables-legacy-restore")
        code, _, err = run([tool[self.family == 6]], text, ok=False)
        if code:
            raise ktap.Fail("%s: %s\n%s" % (tool[self.family == 6], err, text))

    def flush(self):
        """Forget every connection: ctnetlink's IPCTNL_MSG_CT_DELETE."""
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as s:
            for family in (socket.AF_INET, socket.AF_INET6):
                s.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0,
                                   family, 0, 0))
                s.recv(4096)

    def timeouts(self, values):
        if values == self.scaled:
            return
        self.scaled = values
        base = "/proc/sys/net/netfilter/nf_conntrack_"
        for key, path in self.TIMEOUT.items():
            if key not in self.saved:
                with open(base + path) as f:
                    self.saved[key] = f.read()
            wanted = values.get(key.replace("icmp6", "icmp"))
            with open(base + path, "w") as f:
                f.write(self.saved[key] if wanted is None else str(wanted))

    def entries(self):
        """[(protocol, client, port or id, state, seconds left, translated)]"""
        out = []
        with open("/proc/net/nf_conntrack") as f:
            for line in f:
                words = line.split()
                kv = [w.split("=", 1) for w in words if "=" in w]
                half = [i for i, (k, _) in enumerate(kv) if k == "src"][1]
                orig, back = dict(kv[:half]), dict(kv[half:])
                same = (orig["src"], orig["dst"]) == (back["dst"], back["src"]) and (
                    "sport" not in orig or (orig["sport"], orig["dport"]) ==
                    (back["dport"], back["sport"]))
                if "id" in orig:
                    same = same and orig["id"] == back["id"]
                state = words[5] if words[2] == "tcp" else ""
                state = state.replace("SYN_RECV", "SYN_RECEIVED")
                out.append((int(words[3]), pkt.ntoa(pkt.aton(orig["src"])),
                            int(orig.get("sport", orig.get("id", 0))),
                            state.lower().replace("_", "-"), int(words[4]),
                            not same))
        return out

    def counters(self):
        tool = ("iptables-legacy-save", "ip6tables-legacy-save")
        text = run([tool[self.family == 6], "-c", "-t", "nat"])[1]
        return [int(n) for n in re.findall(r"^\[(\d+):\d+\] -A", text, re.M)]


class Natty(World):
    name = "natty"

    def __init__(self):
        super().__init__()
        self.settings = ""

    def rules(self, text):
        """The same, by way of userctl translate."""
        if "--mark" in text:
            text = text.replace("*nat", EARLY_MARKS + "*nat", 1)
        code, config, err = userctl("translate", "-", data=text, ok=False)
        if code:
            raise ktap.Fail("userctl translate: exit %d\n%s%s" % (code, err, text))
        config += self.settings
        code, _, err = userctl("apply", "-", data=config, ok=False)
        if code:
            raise ktap.Fail("userctl apply: %s\n%s" % (err, config))

    def flush(self):
        userctl("conn", "flush")

    def timeouts(self, values):
        self.settings = "".join("set timeout.%s %s\n" % item
                                for item in values.items())

    def entries(self):
        number = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "sctp": 132,
                  "dccp": 33, "udplite": 136, "gre": 47, "esp": 50, "ah": 51}
        out = []
        for c in query("conn", "list")["connections"]:
            o, proto = c["orig"], c["proto"]
            out.append((number.get(proto) or int(proto), o["src"],
                        o.get("sport", o.get("id", 0)),
                        c["state"].lower().replace("_", "-")
                        if proto == "tcp" else "", c["expires"], is_changed(c)))
        return out

    def counters(self):
        return [r["flows"] for r in query("rule", "list")["rules"]]


def is_changed(conn):
    """Does natty's connection, as it is listed, translate anything?"""
    o, r = conn["orig"], conn["reply"]
    return (o["src"], o["dst"], o.get("sport"), o.get("dport"), o.get("id")) != (
        r["dst"], r["src"], r.get("dport"), r.get("sport"), r.get("id"))
