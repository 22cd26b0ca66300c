#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What people who ran other NATs complained of.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
    fd00:a::2-4       10.0.0.1      198.51.100.1-6      2001:db8:1::10-12

Many flows, hosts that take too much, two questions at once from one socket,
and an administrator who changes things meanwhile.
"""
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, at, conns, masquerade, moved, query, stats, userctl  # noqa: E402
from flow import inward, outward, port      # noqa: E402
from ktap import case, equal, true          # noqa: E402
from lab import C, INSIDE, POOL, S, X, Lab, run, sysctl  # noqa: E402

allowed_cpus = os.sched_getaffinity(0)      # Lab() keeps to one of them
lab = Lab()
FAMILIES = (4, 6)
MANY = 14000                # flows of one host: more than the table begins with


def each(name, ids, protos=("",)):
    def register(func):
        for family in FAMILIES:
            for proto in protos:
                kw = {"proto": proto} if proto else {}
                case(" ".join([ids, "ipv%d:" % family, name, proto]).rstrip(),
                     family=family, **kw)(func)
        return func
    return register


def queries(family, client, sports, server=0, dport=53):
    """A UDP packet from each port; cheap to make."""
    raw = bytearray(pkt.udp(C[family][client], S[family][server], 0, dport, b"",
                            nosum=family == 4))
    head = len(raw) - 8
    rest = int.from_bytes(raw[head + 6:head + 8], "big") if family == 6 else None
    for sport in sports:
        raw[head:head + 2] = sport.to_bytes(2, "big")
        if family == 6:     # one's complement arithmetic: minus the port
            total = (rest or 0xffff) + (0xffff ^ sport)
            total = (total & 0xffff) + (total >> 16)
            raw[head + 6:head + 8] = (total or 0xffff).to_bytes(2, "big")
        yield bytes(raw)


def flood(side, packets, batch=256):
    """Send; returns what came out on each side. Buffers never fill."""
    seen = {"lan": [], "wan": []}
    packets = list(packets)
    for i in range(0, len(packets), batch):
        for key, got in lab.swap(side, *packets[i:i + batch]).items():
            seen[key] += got
    return seen


def drops():
    return query("stats")["drops"]


def new_drops(before):
    return {k: v - before[k] for k, v in drops().items() if v != before[k]}


# Before the others: the table does not shrink again.
@each("a table that grows under traffic loses nothing",
      "users_resize users_hash_size")
def resize(family):
    masquerade(family)
    before, begin = drops(), stats()
    outside = {}
    for client in (0, 1):
        for raw in flood("lan", queries(family, client, range(2000, 2000 + MANY)))["wan"]:
            outside[client, pkt.View(raw).sport] = True
    equal(len(outside), 2 * MANY, "flows that came through")
    equal(new_drops(before), {}, "drops")
    true(moved(begin).get("table-resizes"), "the table did not grow")
    # C1 had its ports first, and keeps them.
    replies = [pkt.udp(S[family][0], X[family], 53, sport) for sport in
               range(2000, 2000 + MANY, 41)]
    got = flood("wan", replies)["lan"]
    equal([(pkt.View(p).dst, pkt.View(p).dport) for p in got],
          [(C[family][0], sport) for sport in range(2000, 2000 + MANY, 41)], "replies")


class KernelLog:
    """What the kernel logs about natty and its interfaces from now on."""

    def __init__(self):
        try:
            self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        except OSError as exc:
            raise ktap.Skip("no kernel log") from exc
        os.lseek(self.fd, 0, os.SEEK_END)

    def lines(self):
        found = []
        while True:
            try:
                text = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                break
            except BrokenPipeError:     # overrun: a storm if there ever was one
                raise ktap.Fail("the log was written faster than read") from None
            if re.search(r"natty(?!-guest)|lan0|wan0|nf_|martian", text):
                found.append(text.split("\n")[0])
        return found


@each("refused, filtered and malformed packets are counted, not logged",
      "users_log_storm")
def log_storm(family):
    apply("set limit.host-connections 8\nset icmp.exhausted silent\n"
          "rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])
    flow = outward(lab, "udp", C[family][0], 1999, S[family][0])
    log, before = KernelLog(), drops()
    flood("lan", queries(family, 0, range(2000, 4000)))
    stray = [pkt.udp(S[family][1], X[family], 53, flow[1]) for _ in range(2000)]
    flood("wan", stray)
    broken = bytearray(stray[0])
    broken[len(broken) - len("natty udp payload") - 4] ^= 0x40  # UDP length
    flood("wan", [bytes(broken)] * 2000)
    gone = new_drops(before)
    # Seven of them found room.
    equal(gone.get("limit-host"), 1993, "drops %r; limit-host" % gone)
    equal(gone.get("filtered"), 2000, "drops %r; filtered" % gone)
    equal(gone.get("transport-header"), 2000, "drops %r; transport-header" % gone)
    equal(log.lines(), [], "lines in the kernel's log")


def port_search():
    """Every port of a range, in random order. The cost is only told: a guest's
    system calls vary by more than a search takes, see the bench's pools."""
    count, batch, some = 16384, 64, 64
    apply("set icmp.exhausted silent\nset limit.connections 100000\n"
          "rule postrouting oif wan0 src %s snat %s\n" % (
              INSIDE[4], at(POOL[4][5], "1024-%d" % (1023 + count))))
    packets = list(queries(4, 0, range(20000, 20000 + count + some * batch)))
    used, spent = set(), []
    for i in range(0, len(packets), batch):
        begin = time.monotonic()
        seen = lab.swap("lan", *packets[i:i + batch])
        spent.append(time.monotonic() - begin)
        got = {p[20:22] for p in seen["wan"]}
        want = batch if i < count else 0
        equal(len(got), want, "new ports when %d of %d are taken" % (
            min(i, count), count))
        used |= got
    equal(len(used), count, "different ports")
    # What a batch costs when nothing else disturbs it: small ones have the chance.
    first, last, refused = min(spent[:some]), min(spent[-2 * some:-some]), min(spent[-some:])
    ktap.note("%.0f us a flow at first, %.0f with the last ports, %.0f refused" % tuple(
        1e6 * t / batch for t in (first, last, refused)))


case("users_port_search users_free_ports every port of a range is found, and then none")(port_search)


def two_at_once(side, first, second):
    """Send two lists of packets from two CPUs at the same time, if there are two."""
    cpus = sorted(allowed_cpus)
    go, start = os.pipe()
    children = []
    for n, packets in enumerate((first, second)):
        pid = os.fork()
        if not pid:
            try:
                os.close(start)
                os.sched_setaffinity(0, {cpus[n % len(cpus)]})
                os.read(go, 1)          # returns when nobody can write any more
                for raw in packets:
                    lab.send(side, raw)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    os.close(go)
    os.close(start)
    for pid in children:
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "exit code of a sender")


def pairs(side, ask, count, where):
    """Both questions of each of @count sockets; returns {number: [packets]}."""
    before, seen = drops(), {}
    two_at_once(side, [ask(n, b"A") for n in range(count)],
                [ask(n, b"AAAA") for n in range(count)])

    def complete():
        for raw in lab.collect()[where]:
            text = pkt.View(raw).seg[8:]
            seen.setdefault(int(text.split()[1]), []).append(raw)
        return sum(map(len, seen.values())) == 2 * count

    try:
        ktap.wait_until(complete, 5, "both packets of every socket")
    except ktap.Fail as exc:
        lone = [n for n, got in seen.items() if len(got) != 2]
        raise ktap.Fail("%s; drops %r; of these %r" % (exc, new_drops(before), lone)) from exc
    equal(new_drops(before), {}, "drops")
    return seen


@each("A and AAAA at once from one socket", "users_parallel_dns")
def parallel_dns(family):
    masquerade(family, more=" random")
    seen = pairs("lan", lambda n, what: pkt.udp(
        C[family][0], S[family][0], 2000 + n, 53, b"%s %d" % (what, n)), 400, "wan")
    for n, got in seen.items():
        equal(len({pkt.View(p).sport for p in got}), 1, "external ports of socket %d" % n)
    equal(len({pkt.View(got[0]).sport for got in seen.values()}), 400, "external ports")
    equal(int(userctl("conn", "count")[1]), 400, "connections")


@each("the same through dnat to two servers", "users_parallel_dns")
def parallel_dnat(family):
    apply("rule prerouting iif wan0 proto udp dport 53 dnat %s-%s\n" % (
        C[family][0], C[family][1]))
    seen = pairs("wan", lambda n, what: pkt.udp(
        S[family][0], X[family], 2000 + n, 53, b"%s %d" % (what, n)), 400, "lan")
    for n, got in seen.items():
        equal(len({pkt.View(p).dst for p in got}), 1, "servers of socket %d" % n)
    equal(int(userctl("conn", "count")[1]), 400, "connections")


def timed(*words):
    begin = time.monotonic()
    userctl(*words)
    return time.monotonic() - begin


@each("one host of many is deleted, the others stay", "users_delete_host")
def delete_host(family):
    masquerade(family)
    command = "conn", "delete", "src", C[family][1]
    flood("lan", queries(family, 0, range(2000, 2000 + MANY)))
    flood("lan", queries(family, 1, range(30000, 30010)))
    equal(re.findall(r"\d+", userctl(*command)[1]), ["10"], "deleted connections")
    equal(conns("src", C[family][1]), [], "connections of the host")
    equal(int(userctl("conn", "count")[1]), MANY, "connections of the other")
    # In turn, as the machine may be busy with other things now and then.
    spent = [(timed(*command), timed("conn", "list")) for _ in range(9)]
    delete, whole = (min(column) for column in zip(*spent))
    ktap.note("to look for a host takes %.1f ms, to list all %.1f ms" % (
        1e3 * delete, 1e3 * whole))


def alive(family, flow):
    """Packets of the flow pass in both directions, or in none."""
    proto, client, sport, addr, outside = flow
    inside, server = C[family][client], S[family][0]
    if proto == "tcp":
        go = pkt.tcp(inside, server, sport, 80, pkt.ACK, 1010, 77002)
        come = pkt.tcp(server, addr, 80, outside, pkt.ACK, 77001, 1010)
    else:
        go = pkt.udp(inside, server, sport, 80)
        come = pkt.udp(server, addr, 80, outside)
    got = [pkt.View(p) for p in lab.swap("wan", come)["lan"]]
    if not got:
        return False
    equal([(v.dst, v.dport) for v in got], [(inside, sport)], "who got it")
    lab.expect("lan", go, pkt.xlate(go, src=addr, sport=outside))
    return True


def opened(family, client, ext, proto="udp"):
    sport = port()
    return (proto, client, sport, *outward(lab, proto, C[family][client], sport,
                                           S[family][0], ext=ext))


@each("an edited pool ends no session but those of addresses that are gone",
      "users_pool_edit")
def pool_edit(family):
    pool = POOL[family]
    spans = ["%s-%s" % (a, b) for a, b in ((pool[1], pool[2]), (pool[1], pool[5]))]
    apply("pool isp %s\nrule postrouting oif wan0 src %s snat pool isp\n" % (
        spans[0], INSIDE[family]))
    flows = [opened(family, n, pool[1:3], proto)
             for n in range(3) for proto in ("udp", "tcp")]
    equal([alive(family, f) for f in flows], [True] * 6, "flows at first")
    userctl("pool", "add", "isp", spans[1])
    equal([alive(family, f) for f in flows], [True] * 6, "flows in the larger pool")
    gone = flows[0][3]
    userctl("pool", "add", "isp", *[a for a in pool[1:4] if a != gone])
    equal([alive(family, f) for f in flows], [f[3] != gone for f in flows],
          "flows in the smaller pool, without %s: %r" % (gone, flows))
    opened(family, 0, [a for a in pool[1:4] if a != gone])


def set_outside(family, addrs):
    """Exactly these addresses on wan0; of IPv6 the last one added is preferred."""
    sysctl("ipv4/conf/wan0/promote_secondaries", 1)
    have = [a.split("/")[0] for a in run(
        ["ip", "-o", "-%d" % family, "addr", "show", "dev", "wan0", "scope", "global"])[1].split()
            if re.match(r"[0-9a-f.:]+/\d+$", a)]
    rest = ("/24", "dev wan0") if family == 4 else ("/64", "dev wan0 nodad")
    lines = ["addr add %s%s %s" % (a, *rest) for a in (
        addrs if family == 4 else addrs[::-1]) if a not in have]
    lines += ["addr del %s%s dev wan0" % (a, rest[0]) for a in have if a not in addrs]
    run(["ip", "-batch", "-"], "\n".join(lines) + "\n")


def restore_outside(family):
    """In their order, as it decides which of them masquerades."""
    # Without any address the interface would forget its neighbours.
    spare = "192.0.2.1" if family == 4 else "2001:db8:2::1"
    set_outside(family, [spare])
    set_outside(family, [spare] + POOL[family])
    set_outside(family, POOL[family])
    lab.probed = X[4]
    # What waits for an address that was nowhere fails now, not in a later case.
    run(["ip", "-%d" % family, "neigh", "flush", "dev", "wan0", "nud", "incomplete"], ok=False)


# Addresses that the router translates to and does not have; later a host does.
MOVED = {4: ["198.51.100.%d" % n for n in (40, 41)],
         6: ["2001:db8:1::%x" % n for n in (0x40, 0x41)]}


class moved_inside:
    """Hosts on lan0 have the addresses: what is not dropped goes there."""

    def __init__(self, *addrs):
        lines = []
        for addr in addrs:
            lines += ["route %%s %s/%d dev lan0" % (addr, 128 if pkt.is6(addr) else 32),
                      "neigh %%s %s lladdr 02:00:00:00:00:77 dev lan0 nud permanent" % addr]
        self.lines = "\n".join(lines) + "\n"

    def __enter__(self):
        run(["ip", "-batch", "-"], self.lines.replace("%s", "replace"))

    def __exit__(self, *unused):
        run(["ip", "-batch", "-"], self.lines.replace("%s", "del"))


def stray(family, addr, proto):
    """A packet from outside that belongs to nothing; does the new host get it?"""
    raw = pkt.first(proto, S[family][1], port(), addr, port())
    before = drops()
    seen = lab.swap("wan", raw)
    equal(seen["wan"], [], "packets on wan0")
    if not seen["lan"]:
        equal(new_drops(before), {"filtered": 1}, "drops")
        return False
    equal(len(seen["lan"]), 1, "packets on lan0")
    pkt.same(seen["lan"][0], pkt.xlate(raw), "what the new host gets")
    return True


def strays(family, addr, want):
    for proto in ("udp", "tcp", "icmp"):
        equal(stray(family, addr, proto), want, "%s to %s passes" % (proto, addr))


# What a SYN is answered with six seconds later belongs to no case.
SILENT = "set tcp.unsolicited silent\n"


def snat_to(family, addr, before=""):
    return "%srule postrouting oif wan0 src %s snat %s\n" % (
        before + SILENT, INSIDE[family], addr)


@each("an address that is no longer translated to goes to the host that has it",
      "users_wan_change")
def moved_pool(family):
    """Flows end with their pool; the ports that they had rest meanwhile."""
    addrs = MOVED[family]
    pool = "pool isp %s-%s\n" % tuple(addrs)
    apply(snat_to(family, "pool isp", pool))
    with moved_inside(*addrs):
        ext = opened(family, 0, addrs)[3]
        other = addrs[ext == addrs[0]]
        for proto in ("tcp", "icmp"):
            opened(family, 0, [ext], proto)
        strays(family, ext, False)
        # The rule is gone, the pool is not: nothing translates to it any more.
        userctl("apply", "-", data=pool + SILENT)
        equal(len(conns("src", C[family][0])), 3, "connections without a rule")
        strays(family, ext, False)
        userctl("conn", "delete", "src", C[family][0])
        strays(family, ext, True)
        userctl("apply", "-", data=snat_to(family, "pool isp", pool))
        equal(opened(family, 0, addrs)[3], ext, "the host's address again")
        strays(family, ext, False)
        userctl("apply", "-", data=snat_to(family, other))
        equal(conns("src", C[family][0]), [], "connections of an address that is gone")
        strays(family, ext, True)
        # What the new host sends and gets is not translated.
        raw = pkt.first("udp", ext, port(), S[family][0], 80)
        lab.expect("lan", raw, pkt.xlate(raw))
        back = pkt.answer(raw)
        lab.expect("wan", back, pkt.xlate(back))


@each("an address that flows still use stays external, whatever the rules say",
      "users_wan_change")
def moved_living(family):
    """As with iptables, where they outlive their rule."""
    addr = MOVED[family][0]
    for rule, proto in ((snat_to(family, addr), "udp"),
                        (snat_to(family, addr), "47"),
                        ("rule postrouting oif wan0 src %s netmap %s/%d\n" % (
                            INSIDE[family], addr, 128 if family == 6 else 32), "tcp"),
                        ("forward udp %s %s\n" % (at(addr, 7000),
                                                  at(C[family][0], 7000)), "")):
        apply("set profile iptables\n" + rule)
        with moved_inside(addr):
            if proto:
                raw = pkt.first(proto, C[family][0], port(), S[family][0], 80)
                out = lab.through("lan", raw)
                equal(pkt.View(out).src, addr, "source")
                userctl("apply", "-", data="set profile iptables\n")
            strays(family, addr, False)
            if proto:
                back = lab.through("wan", pkt.answer(out))
                equal(pkt.View(back).dst, C[family][0], "whom the answer reaches")
                userctl("conn", "delete", "src", C[family][0])
            else:
                userctl("apply", "-", data="set profile iptables\n")
            strays(family, addr, True)


@each("an address that masqueraded, and is another host's now", "users_wan_change")
def moved_masquerade(family):
    masquerade(family, before=SILENT)
    addr = X[family]
    for proto in ("udp", "tcp"):
        opened(family, 0, [addr], proto)
    try:
        lab.probed = POOL[4][1]
        set_outside(family, POOL[family][1:])
        ktap.wait_until(lambda: not conns("src", C[family][0]), 5, "the old flows to end")
        with moved_inside(addr):
            strays(family, addr, True)
        opened(family, 0, POOL[family][1:2])
    finally:
        restore_outside(family)


# Late errors about addresses that were gone come during what follows.
@each("a new address outside ends the flows of the old one, and only those",
      "users_wan_change")
def wan_change(family):
    """Addresses X and POOL[1]; X goes, POOL[1] is what there is then."""
    pool = POOL[family]
    rules = "forward udp %s %s\nrule postrouting oif wan0 src %s snat %s\n" % (
        at(pool[2], 7000), at(C[family][2], 7000), C[family][1], pool[1])
    masquerade(family, before=rules)
    try:
        stale = [opened(family, 0, [X[family]], proto) for proto in ("udp", "tcp")]
        kept = [opened(family, 1, [pool[1]], proto) for proto in ("udp", "tcp")]
        inward(lab, "udp", S[family][0], dst=pool[2], dport=7000, to=[C[family][2]])
        lab.probed = POOL[4][1]
        set_outside(family, pool[1:])
        ktap.wait_until(lambda: not conns("src", C[family][0]), 5, "the old flows to end")
        equal([alive(family, f) for f in stale], [False, False], "flows of the old address")
        equal([alive(family, f) for f in kept], [True, True], "flows of another address")
        equal(len(conns("dst", pool[2])), 1, "connections of the forward")
        # A phone that registers again does so from the port that it had.
        sport = stale[0][2]
        outward(lab, "udp", C[family][0], sport, S[family][0], ext=pool[1:2])
    finally:
        restore_outside(family)


def own_socket(family, proto, addr, sport):
    kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
    own = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, kind)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind((addr, sport))
    if proto == "tcp":
        own.listen()
    return own


def reaches(family, proto, own, addr, sport):
    """What comes from outside to the router's port goes to its socket."""
    if proto == "udp":
        own.settimeout(ktap.patience(1))
        lab.nothing("wan", pkt.udp(S[family][1], addr, port(), sport, b"to the router"))
        equal(own.recv(100), b"to the router", "what the socket got")
    else:
        seen = lab.swap("wan", pkt.tcp(S[family][1], addr, port(), sport))
        equal(seen["lan"], [], "packets on lan0")
        equal([pkt.View(p).flags for p in seen["wan"]], [pkt.SYN | pkt.ACK], "answers")


@each("sockets that open while ports run out keep theirs", "own_sockets", ("udp", "tcp"))
def own_sockets(family, proto):
    """Eight ports, six hosts' worth of flows, and three sockets of the router."""
    ports, addr = range(3000, 3008), POOL[family][4]
    apply("set icmp.exhausted silent\nrule postrouting oif wan0 src %s snat %s\n" % (
        INSIDE[family], at(addr, "3000-3007")))

    def flow():
        return outward(lab, proto, C[family][0], None, S[family][0], ext=[addr], ports=ports,
                       back=False)[1]

    with own_socket(family, proto, addr, 3001) as one:
        used = {flow(), flow()}
        free = min(set(ports) - used - {3001})
        with own_socket(family, proto, "", free) as two:
            used |= {flow() for _ in range(4)}
            equal(used, set(ports) - {3001, free}, "ports of the hosts")
            before = stats()
            equal(lab.swap("lan", pkt.first(proto, C[family][0], port(), S[family][0], 80)),
                  {"lan": [], "wan": []}, "packets when no port is left")
            equal(moved(before).get("no-port"), 1, "flows without a port")
            reaches(family, proto, one, addr, 3001)
            reaches(family, proto, two, addr, free)
        # What the router gives up is there for the hosts, after a moment.
        raw = pkt.first(proto, C[family][0], port(), S[family][0], 80)

        def came():     # beside SYN-ACKs that the router sends again
            return [v.sport for v in map(pkt.View, lab.swap("lan", raw)["wan"])
                    if v.dst == S[family][0]]

        equal(ktap.wait_until(came, 10, "the last port"), [free], "the last port")


@each("a host that opens thousands of flows leaves the others theirs", "users_starving")
def starving(family):
    apply("set limit.connections 400\nset limit.host-connections 100\n"
          "set icmp.exhausted silent\n"
          "rule postrouting oif wan0 src %s masquerade\n" % INSIDE[family])
    first = opened(family, 0, [X[family]])
    flood("lan", queries(family, 0, range(2000, 2000 + 5000)))
    for client in (1, 2):
        for _ in range(50):
            true(alive(family, opened(family, client, [X[family]])), "flow of another host")
    true(alive(family, first), "the greedy host's first flow")
    equal(int(userctl("conn", "count", "src", C[family][0])[1]), 100, "the greedy host's flows")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
