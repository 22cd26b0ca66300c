# SPDX-License-Identifier: GPL-2.0
"""What a packet costs: of flows that exist, and the first of a flow."""
import rig

# A pass is long enough to measure and covers all flows.
PASS = 400000
PASSES = 3


def established(world, rival, size, report):
    """First packets and then others of UDP flows, from inside."""
    hosts, ports = rig.SIZES[size]
    flows = hosts * ports
    with rig.Rig() as r:
        rival.setup()
        gen = rig.Pktgen(r)
        if not rival.tracks:
            gen.send(hosts, ports, max(flows, PASS // 4))
        elif flows >= 50000:
            report("first", size, gen.send(hosts, ports, flows))
        else:
            gen.send(hosts, ports, flows)
            few_first(rival, gen, size, report)
        # A rival that follows flows may find some of them refused.
        before = r.forwarded()
        gen.send(hosts, ports, flows)
        refused = flows - (r.forwarded() - before)
        count = max(flows, PASS)
        cost = min(gen.send(hosts, ports, count) for _ in range(PASSES))
        report("established", size, cost)
        if refused:
            report("refused", size, refused)
        if rival.tracks:
            report("entries", size, rival.count())
            rival.flush()


def few_first(rival, gen, size, report):
    """So few flows are over before they can be timed: open them often."""
    hosts, ports = rig.SIZES[size]
    if hosts * ports < 1000:
        return
    costs = []
    for _ in range(15):
        rival.flush()
        costs.append(gen.send(hosts, ports, hosts * ports))
    report("first", size, sorted(costs)[len(costs) // 2])
