#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs inside the guest: measures, and prints one JSON object a figure.

Rounds go around all rivals, so that what disturbs the machine for a while
disturbs all of them. What is printed is (round, rival, part, size, value);
the host makes medians of it.
"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import rig  # noqa: E402
import lab  # noqa: E402
import packets  # noqa: E402
from rivals import RIVALS, make_room  # noqa: E402


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="established,first")
    parser.add_argument("--sizes", default="1,1k,53k,509k,2m")
    parser.add_argument("--who", default="plain,nft,natty")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile")
    return parser.parse_args()


def warm_memory():
    """Touch all memory once: its first use is the host's cost, not ours."""
    lab.run(["mount", "-t", "tmpfs", "-o", "size=85%", "tmpfs", "/mnt"])
    try:
        with open("/mnt/fill", "wb", buffering=0) as f:
            block = bytes(1 << 20)
            while f.write(block) == len(block):
                pass
    except OSError:
        pass
    lab.run(["umount", "/mnt"])


def profile(opts):
    """Keep the path busy for those who look at it from outside."""
    rival = RIVALS[opts.who]()
    hosts, ports = rig.SIZES[opts.sizes]
    job = os.environ["NATTY_JOB"]
    with rig.Rig() as r:
        rival.setup()
        gen = rig.Pktgen(r)
        gen.send(hosts, ports, hosts * ports)
        with open("/proc/kallsyms") as f, open(job + "/kallsyms", "w") as to:
            to.write(f.read())
        rig.write(job + "/profile-" + opts.who, "")
        while not os.path.exists(job + "/profile-end"):
            if opts.profile == "first":
                rival.flush()
            cost = gen.send(hosts, ports, max(hosts * ports, 1000000)
                            if opts.profile != "first" else hosts * ports)
            print("@ %s %s %.0f ns" % (opts.who, opts.sizes, cost))


def main():
    opts = options()
    warm_memory()
    lab.run(["modprobe", "pktgen"])
    make_room()
    if opts.profile:
        profile(opts)
        return
    for number in range(opts.rounds):
        for size in opts.sizes.split(","):
            for who in opts.who.split(","):
                def report(part, size, value):
                    print("@" + json.dumps({
                        "round": number, "who": who, "part": part,
                        "size": size, "value": round(value, 2)}), flush=True)
                packets.established(None, RIVALS[who](), size, report)


main()
