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

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig  # noqa: E402
import control  # noqa: E402
import lab  # noqa: E402
import packets  # noqa: E402
import scale  # noqa: E402
from rivals import RIVALS, make_room  # noqa: E402

ALL = list(rig.SIZES)
# Slow or close to another one: their largest size once is enough.
ONCE = ("flowtable", "iptables", "natty-accounting")
# name: (what measures it, for which sizes, for whom, what it tells)
PARTS = {
    "established": (packets.established, ALL,
                    "plain nft flowtable iptables natty natty-accounting",
                    "packets of UDP flows from inside; first packets, memory "
                    "and teardown of the same flows"),
    "directions": (packets.directions, ["1", "53k", "509k", "2m"],
                   "plain nft natty", "UDP flows outwards, answers, both"),
    "shuffled": (packets.shuffled, ["509k"], "plain nft natty",
                 "the same, flows met in another order than they came"),
    "tcp": (packets.tcp, ["53k", "509k"], "plain nft natty",
            "TCP connections, opened by handshakes"),
    "ipv6": (packets.ipv6, ["53k", "509k"], "plain nft natty", "UDP over IPv6"),
    "rules": (scale.rules, [""], "nft natty",
              "first packets behind 1, 100, 10 000 rules"),
    "forwards": (scale.forwards, [""], "natty",
                 "packets beside 1, 10 000, 60 000 forwards"),
    "pools": (scale.pools, [""], "nft natty",
              "first packets when a pool is nearly full"),
    "instructions": (packets.instructions, ["1", "53k"],
                     "plain nft natty", "instructions a packet; only where "
                     "the clock counts them"),
    "control": (control.control, [""], "nft natty",
                "dump and delete of 1 M connections, apply of 10 000 rules"),
}


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("blast", help="the module natty_blast.ko")
    parser.add_argument("--only", default=",".join(
        name for name in PARTS if name != "instructions"))
    parser.add_argument("--sizes")
    parser.add_argument("--who")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=24)
    parser.add_argument("--profile")
    opts = parser.parse_args()
    if opts.only == "help":
        for name, (_, sizes, who, text) in PARTS.items():
            print("%-12s %s\n%12s (%s; %s)" % (
                name, text, "", ",".join(sizes) or "one size",
                who.replace(" ", ",")))
        sys.exit(0)
    # These come with those.
    also = {"first": "established", "memory": "established",
            "teardown": "established"}
    opts.only = list(dict.fromkeys(
        also.get(name, name) for name in opts.only.split(",")))
    return opts


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
        count = hosts * ports
        if opts.profile != "first":
            count = max(count, 1000000)
        while not os.path.exists(job + "/profile-end"):
            if opts.profile == "first":
                rival.flush()
            print("@ %s %s %.0f ns" % (opts.who, opts.sizes,
                                       gen.send(hosts, ports, count)))


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


def one_part(number, name, opts):
    measure, sizes, whose, _ = PARTS[name]
    for size in sizes:
        if size and opts.sizes and size not in opts.sizes.split(","):
            continue
        for who in whose.split():
            if opts.who and who not in opts.who.split(","):
                continue
            if number and size == "2m" and who in ONCE:
                continue
            measure(RIVALS[who](), size, reporter(number, who))


def rounds(opts):
    """What was measured once is measured again while there is time."""
    start, took = time.monotonic(), {}
    for number in range(opts.rounds):
        for name in opts.only:
            begin = time.monotonic()
            if number and begin - start + took[name] > opts.minutes * 60:
                print("round %d: no time for %s" % (number + 1, name))
                continue
            one_part(number, name, opts)
            took[name] = time.monotonic() - begin
            print("round %d: %s took %d s" % (number + 1, name, took[name]),
                  flush=True)


def reporter(number, who):
    def report(part, size, value):
        print("@" + json.dumps({"round": number, "who": who, "part": part,
                                "size": size, "value": round(value, 2)}),
              flush=True)
    return report


def main():
    opts = options()
    if opts.only != ["instructions"]:
        warm_memory()
    lab.run(["modprobe", "pktgen"])
    make_room()
    if opts.profile:
        profile(opts)
        return
    rounds(opts)


main()
