#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes of what a guest measured: medians, tables, JSON, the plot's data, and
the comparison with what was recorded. Exits 1 if a ratio became worse."""
import argparse
import collections
import json
import os
import statistics
import sys

import goals
import rig

# The ratio of a cost is natty's to that of BASE, both over plain forwarding
# if that was measured, too.
BASE, PLAIN, OURS = "nft", "plain", "natty"
WHO = ["plain", "nft", "flowtable", "iptables", "natty", "natty-accounting"]
# What plain forwarding costs, too.
COSTS = ("ns", "instructions")
# Judged by what has a column anyway.
SHOWN_ELSEWHERE = ("value", "added")
# Small ratios are mostly noise.
SLACK = 0.02


def read(path):
    """{(part, size): {who: median}}, in the order of measuring."""
    values = collections.OrderedDict()
    with open(path) as f:
        for line in f:
            if line.startswith("@{"):
                it = json.loads(line[1:])
                group = values.setdefault((it["part"], it["size"]),
                                          collections.OrderedDict())
                group.setdefault(it["who"], []).append(it["value"])
    return collections.OrderedDict(
        (key, {who: statistics.median(v) for who, v in group.items()})
        for key, group in values.items())


def plain_of(medians, part, size):
    """First packets are compared with plain forwarding of any packet."""
    if goals.of(part).unit not in COSTS:
        return None
    for other in (part, part.replace("first", "established"),
                  part.replace("-first", "")):
        cost = medians.get((other, size), {}).get(PLAIN)
        if cost is not None:
            return cost
    return None


def ratio_of(medians, part, size, who=OURS):
    """How a rival's cost stands to that of BASE; None: it cannot be told."""
    group = medians[part, size]
    plain = plain_of(medians, part, size) or 0
    if who not in group or BASE not in group or group[BASE] <= plain:
        return None
    return round((group[who] - plain) / (group[BASE] - plain), 3)


def growth_of(medians, part, size):
    """What scales is compared with its own smallest figure, or with a part
    that differs from it in one thing only."""
    group = medians[part, size]
    if part in goals.BESIDE:
        base = medians.get((goals.BESIDE[part], size), {})
    else:
        base = next(group for (other, _), group in medians.items()
                    if other == part)
    if OURS not in group or OURS not in base or group is base:
        return None
    return round(group[OURS] / base[OURS], 3)


def key_figure(medians, part, size):
    """The one number that this row is judged by, or None."""
    judged = goals.of(part).judged
    if judged == "ratio":
        return ratio_of(medians, part, size)
    if judged == "added":
        plain = plain_of(medians, part, size)
        ours = medians[part, size].get(OURS)
        return None if None in (plain, ours) else round(ours - plain, 1)
    if judged == "growth":
        return growth_of(medians, part, size)
    return medians[part, size].get(OURS)


def json_rows(medians):
    rows = []
    for (part, size), group in medians.items():
        plain = plain_of(medians, part, size)
        for who, value in group.items():
            row = {"part": part, "size": size, "who": who, "value": value,
                   "unit": goals.of(part).unit}
            if plain is not None and who != PLAIN:
                row["added"] = round(value - plain, 1)
                row["ratio"] = ratio_of(medians, part, size, who)
            rows.append(row)
    return rows


def tables(medians):
    parts = collections.OrderedDict()
    for part, size in medians:
        parts.setdefault(part, []).append(size)
    return "\n".join(one_table(medians, part, sizes)
                     for part, sizes in parts.items())


def one_table(medians, part, sizes):
    about = goals.of(part)
    whos = [who for who in WHO
            if any(who in medians[part, size] for size in sizes)]
    head = "%-12s" % "" + "".join("%17s" % who for who in whos)
    if about.unit in COSTS:
        head += "%9s" % "added"
    head += "%9s%9s" % ("" if about.judged in SHOWN_ELSEWHERE else about.judged,
                        "goal")
    lines = ["%s: %s" % (part, about.text), head.rstrip()]
    lines += [one_row(medians, part, size, whos) for size in sizes]
    return "\n".join(lines) + "\n"


def one_row(medians, part, size, whos):
    about = goals.of(part)
    group = medians[part, size]
    line = "%12s" % size + "".join(
        "%17s" % ("%.1f" % group[who] if who in group else "")
        for who in whos)
    plain = plain_of(medians, part, size)
    if about.unit in COSTS:
        known = plain is not None and OURS in group
        line += "%9s" % ("%.0f" % (group[OURS] - plain) if known else "")
    figure = key_figure(medians, part, size)
    shown = figure is not None and about.judged not in SHOWN_ELSEWHERE
    line += "%9s" % ("%.3f" % figure if shown else "")
    goal = about.goals.get(size)
    if goal is not None and figure is not None:
        line += "%9s%s" % ("%g" % goal, "" if figure <= goal else "  missed")
    return line.rstrip()


def compare(medians, path):
    """What became worse than what is recorded, as lines."""
    worse = []
    try:
        with open(path) as f:
            recorded = json.load(f)
    except FileNotFoundError:
        return worse
    for (part, size) in medians:
        figure = key_figure(medians, part, size)
        was = recorded.get(("%s %s" % (part, size)).strip())
        about = goals.of(part)
        if None in (figure, was, about.worse):
            continue
        slack = SLACK if about.judged == "ratio" else 0
        if figure > was * (1 + about.worse) + slack:
            worse.append("worse than recorded: %s %s: %g, was %g"
                         % (part, size, figure, was))
    return worse


def record(medians, path):
    recorded = {}
    if os.path.exists(path):
        with open(path) as f:
            recorded = json.load(f)
    for (part, size) in medians:
        figure = key_figure(medians, part, size)
        if figure is not None and goals.of(part).worse is not None:
            recorded[("%s %s" % (part, size)).strip()] = figure
    with open(path, "w") as f:
        json.dump(recorded, f, indent=1, sort_keys=True)
        f.write("\n")


def plot_data(medians, folder):
    """For each plot a file: flows, and the added cost of each rival."""
    for part in ("established", "first"):
        if not any(name == part for name, _ in medians):
            continue
        with open(os.path.join(folder, part + ".dat"), "w") as f:
            f.write("flows " + " ".join(WHO[1:]) + "\n")
            for size in rig.SIZES:
                group = medians.get((part, size))
                plain = group and plain_of(medians, part, size)
                if plain is None:
                    continue
                f.write("%d %s\n" % (rig.flows(size), " ".join(
                    "%.1f" % (group[who] - plain) if who in group else "NaN"
                    for who in WHO[1:])))


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("figures")
    parser.add_argument("out")
    parser.add_argument("--record", action="store_true")
    opts = parser.parse_args()
    medians = read(opts.figures)
    recorded = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            "recorded.json")
    write(opts.out, "results.json",
          json.dumps(json_rows(medians), indent=1) + "\n")
    text = tables(medians)
    write(opts.out, "table.txt", text)
    sys.stdout.write(text)
    plot_data(medians, opts.out)
    if opts.record:
        record(medians, recorded)
        return 0
    worse = compare(medians, recorded)
    for line in worse:
        print(line)
    return 1 if worse else 0


sys.dont_write_bytecode = True
sys.exit(main())
