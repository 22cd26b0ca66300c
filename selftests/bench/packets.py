# SPDX-License-Identifier: GPL-2.0
"""What a packet costs: of flows that exist, and the first of a flow."""
import blast
import rig

# A pass is long enough to measure and covers all flows.
PASS = 400000


def passes(flows):
    """The fastest of a few passes counts; long ones are steady enough."""
    return 3 if flows < 1000000 else 2


def available():
    """Bytes of free memory, and of slab."""
    found = {}
    with open("/proc/meminfo") as f:
        for line in f:
            name, value = line.split()[:2]
            found[name] = int(value) * 1024
    return found["MemAvailable:"], found["Slab:"]


def established(rival, size, report):
    """First packets and then others of UDP flows, from inside, as pktgen
    makes them; memory and teardown are those of these flows."""
    hosts, ports = rig.SIZES[size]
    flows = hosts * ports
    with rig.Rig() as r:
        rival.setup()
        gen = rig.Pktgen(r)
        if not rival.tracks:
            gen.send(hosts, ports, max(flows, PASS // 4))
        elif flows >= 50000:
            first(rival, r, gen, size, report)
        else:
            few_first(rival, gen, size, report)
        count = max(flows, PASS)
        cost = min(gen.send(hosts, ports, count) for _ in range(passes(flows)))
        report("established", size, cost)
        if rival.tracks:
            took = rival.timed_flush()
            if flows >= 500000:
                report("teardown", size, took * 1e9 / flows)


def first(rival, r, gen, size, report):
    hosts, ports = rig.SIZES[size]
    flows = hosts * ports
    memory, slab = available()
    before = r.forwarded()
    report("first", size, gen.send(hosts, ports, flows))
    report("refused", size, flows - (r.forwarded() - before))
    left, more = available()
    if flows >= 500000:
        report("memory", size, (memory - left) / flows + rival.fixed(flows))
        report("memory-slab", size, (more - slab) / flows)


def few_first(rival, gen, size, report):
    """So few flows are over before they can be timed: open them often."""
    hosts, ports = rig.SIZES[size]
    if hosts * ports < 1000:
        gen.send(hosts, ports, 1)
        return
    costs = []
    for _ in range(15):
        rival.flush()
        costs.append(gen.send(hosts, ports, hosts * ports))
    report("first", size, sorted(costs)[len(costs) // 2])


def directions(rival, size, report, family=4, proto="udp", shuffled=False):
    """The two directions apart and together, of flows that answer."""
    hosts, ports = rig.SIZES[size]
    kind = "%s%s" % (proto, "" if family == 4 else "6")
    kind += "-shuffled" if shuffled else ""
    with rig.Rig():
        rival.setup(family)
        gen = blast.Blast(family, proto, hosts, ports, shuffled)
        if gen.flows >= 50000 and not shuffled and (family, proto) != (4, "udp"):
            report(kind + "-first", size, gen.send("first", gen.flows))
        opened = gen.open()
        if opened < gen.flows:
            report(kind + "-refused", size, gen.flows - opened)
        count = max(gen.flows, PASS)
        for what in ("out", "reply", "both"):
            cost = min(gen.send(what, count)
                       for _ in range(passes(gen.flows)))
            report("%s-%s" % (kind, what), size,
                   cost / 2 if what == "both" else cost)
            # What was refused has no answers; all others must come through.
            if gen.lost > 2 * (gen.flows - opened) * (count // gen.flows + 1):
                report("%s-%s-lost" % (kind, what), size, gen.lost)
        rival.flush()


def instructions(rival, size, report):
    """Where the clock goes by instructions, few packets tell all."""
    hosts, ports = rig.SIZES[size]
    flows = hosts * ports
    with rig.Rig() as r:
        rival.setup()
        gen = rig.Pktgen(r)
        cost = gen.send(hosts, ports, flows)
        if flows >= 1000:
            report("instructions-first", size, cost)
        # What the kernel does beside, now and then, counts as well.
        report("instructions", size,
               min(gen.send(hosts, ports, 20000) for _ in range(3)))


def shuffled(rival, size, report):
    directions(rival, size, report, shuffled=True)


def tcp(rival, size, report):
    directions(rival, size, report, proto="tcp")


def ipv6(rival, size, report):
    directions(rival, size, report, family=6)
