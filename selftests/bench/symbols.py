# SPDX-License-Identifier: GPL-2.0
"""Counts samples by symbol: symbols.py KALLSYMS ADDRESSES SHOWN."""
import bisect
import collections
import sys


def main():
    symbols = []
    with open(sys.argv[1]) as f:
        for line in f:
            words = line.split()
            if words[1] in "tTwW":
                symbols.append((int(words[0], 16),
                                " ".join(words[2:])))
    symbols.sort()
    starts = [s[0] for s in symbols]
    hits = collections.Counter()
    with open(sys.argv[2]) as f:
        for line in f:
            if line.strip():
                at = int(line, 16)
                n = bisect.bisect_right(starts, at) - 1
                # The kernel's own symbols are below the host's.
                hits[symbols[n][1] if n >= 0 and at - starts[n] < 1 << 16
                     else "(host)"] += 1
    total = sum(hits.values()) or 1
    modules = collections.Counter()
    for name, n in hits.items():
        modules[name.partition("[")[2].rstrip("]") or "kernel"] += n
    print("  ".join("%s %.1f%%" % (name, 100 * n / total)
                    for name, n in modules.most_common()))
    for name, n in hits.most_common(int(sys.argv[3])):
        print("%6.2f%%  %s" % (100 * n / total, name))


main()
