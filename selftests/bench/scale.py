# SPDX-License-Identifier: GPL-2.0
"""Whether a new flow costs more when there is much configuration, or hardly a
port left."""
import rig

HOSTS = 1000
REPEATS = 5


def host(base, n):
    return rig.ip4(base, n)


def best_first(rival, gen, flows):
    """New flows from an empty table, again and again."""
    costs = []
    for _ in range(REPEATS):
        rival.flush()
        costs.append(gen.send(HOSTS, 53, flows))
    rival.flush()
    return min(costs)


def rules(rival, _size, report):
    """All rules but the last look at another source."""
    for number in (1, 100, 10000):
        with rig.Rig() as r:
            rival.many_rules(number)
            gen = rig.Pktgen(r)
            # Walking all rules is slow: so few flows tell as much.
            flows = 200 if rival.linear and number > 1000 else 20000
            report("rules-first", str(number), best_first(rival, gen, flows))


def forwards(rival, _size, report):
    """Flows of hosts that no forward is for."""
    for number in (1, 10000, 60000):
        with rig.Rig() as r:
            rival.many_forwards(number)
            gen = rig.Pktgen(r)
            report("forwards-first", str(number),
                   best_first(rival, gen, 20000))
            gen.send(HOSTS, 53, 53000)
            report("forwards-established", str(number), min(
                gen.send(HOSTS, 53, 400000) for _ in range(3)))
            rival.flush()


ADDRESSES = 8
CAPACITY = ADDRESSES * (65536 - 1024)
LEVELS = (1, 90, 99, 99.9)
BURSTS = 5


def pools(rival, _size, report):
    """New flows when so much of a pool is taken. What a large table costs is
    told by as many flows in a pool that has five times the addresses."""
    fill_pool(rival, ("203.0.113.1", host("203.0.113.0", ADDRESSES)),
              "pool", report)
    if rival.roomy:
        fill_pool(rival, None, rival.roomy, report)


def fill_pool(rival, pool, part, report):
    with rig.Rig() as r:
        rival.setup(pool=pool)
        gen = rig.Pktgen(r)
        taken = 0
        for n, level in enumerate(LEVELS):
            want = int(CAPACITY * level / 100) - taken
            taken += fill(r, gen, want, 10000 + n * 2000)
            # As many as there are ports, if they are few.
            tried = min(400, (CAPACITY - int(CAPACITY * level / 100)) // BURSTS)
            before = r.forwarded()
            # Other ports than those of the fill, from the same hosts.
            cost = min(gen.send(HOSTS, 997, tried, 40000 + n * 2000 + i * 20)
                       for i in range(BURSTS))
            came = r.forwarded() - before
            report(part + "-first", "%g%%" % level, cost)
            report(part + "-refused", "%g%%" % level, BURSTS * tried - came)
            taken += came
        rival.flush()


def fill(r, gen, want, port):
    """Take ports; some rivals refuse many, and are asked once only."""
    before = r.forwarded()
    gen.send(HOSTS, 997, want, port)
    return r.forwarded() - before
