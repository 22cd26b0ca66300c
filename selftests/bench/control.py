# SPDX-License-Identifier: GPL-2.0
"""What the tools take: milliseconds, their start included."""
import subprocess
import time

import rig

# Hosts and ports of a million connections.
MILLION = (1000, 1009)
RULES = 10000


def milliseconds(argv, data=None):
    start = time.monotonic()
    done = subprocess.run(argv, input=data, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False)
    took = (time.monotonic() - start) * 1000
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(argv), done.stderr[-500:]))
    return took


def control(rival, _size, report):
    with rig.Rig() as r:
        rival.setup()
        gen = rig.Pktgen(r)
        gen.send(*MILLION, MILLION[0] * MILLION[1])
        report("dump", "1m", milliseconds(rival.dump))
        report("delete-host", "1m", min(
            milliseconds(rival.delete + ["10.0.0.%d" % host])
            for host in (5, 77, 203)))
        rival.flush()
    with rig.Rig():
        argv, text = rival.rules_text(RULES)
        report("apply", "%dk" % (RULES // 1000), min(
            milliseconds(argv, text) for _ in range(3)))
        report("tool-start", "", min(
            milliseconds([argv[0], "--version"]) for _ in range(5)))
