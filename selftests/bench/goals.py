# SPDX-License-Identifier: GPL-2.0
"""What each figure means and what it should be."""
import collections

# judged: by the ratio to nf_nat, by its growth over the smallest size, or by
# its value; kept: recorded, for later runs to be compared with.
About = collections.namedtuple("About", "text unit judged goals kept")

TABLE = {
    "established": About(
        "a packet of a flow that exists, from inside", "ns", "ratio",
        {"1": 0.19, "1k": 0.17, "53k": 0.23, "509k": 0.29, "2m": 0.25}, True),
    "first": About(
        "the first packet of a flow", "ns", "ratio",
        {"53k": 0.37, "509k": 0.27, "2m": 0.11}, True),
    "refused": About("flows refused while ports were free", "flows", "value",
                     {"53k": 0, "509k": 0, "2m": 0}, False),
    "memory": About("bytes a flow, tables included", "bytes", "value",
                    {"2m": 100}, True),
    "memory-slab": About("bytes a flow of slab", "bytes", "value", {}, False),
    "teardown": About("deleting all flows, for each", "ns each", "ratio", {},
                      True),
    "rules-first": About(
        "the first packet of a flow behind so many rules", "ns", "growth",
        {"10000": 1.2}, True),
    "forwards-first": About(
        "the first packet of a flow beside so many forwards", "ns", "growth",
        {"60000": 1.2}, True),
    "forwards-established": About(
        "a packet of a flow that exists beside so many forwards", "ns",
        "growth", {}, True),
    "pool-first": About(
        "the first packet of a flow when so much of the pool is taken", "ns",
        "growth", {"99.9%": 1.2}, True),
    "pool-refused": About("flows refused of those", "flows", "value",
                          {"90%": 0, "99%": 0, "99.9%": 0}, False),
    "dump": About("listing a million connections", "ms", "ratio",
                  {"1m": 0.333}, True),
    "delete-host": About("deleting one host's of a million", "ms", "ratio",
                         {"1m": 0.01}, True),
    "apply": About("loading 10 000 rules", "ms", "value", {"10k": 100}, True),
    "tool-start": About("the start of a tool alone", "ms", "value", {}, False),
    "instructions": About("instructions a packet of a flow that exists",
                          "instructions", "ratio", {}, True),
    "instructions-first": About("instructions of a flow's first packet",
                                "instructions", "ratio", {}, True),
}

KINDS = {"udp": "UDP", "udp6": "UDP over IPv6", "tcp": "TCP",
         "udp-shuffled": "UDP, in another order than flows came"}
WAYS = {"out": "from inside", "reply": "from outside", "first": "first ones",
        "both": "both ways in turn", "refused": "flows refused",
        "lost": "packets lost"}


def of(part):
    """What is known of a part; directions have composed names."""
    if part in TABLE:
        return TABLE[part]
    kind, _, way = part.rpartition("-")
    if way == "lost":
        kind = kind.rpartition("-")[0]
    counted = way in ("refused", "lost")
    return About("%s, %s" % (KINDS.get(kind, kind), WAYS.get(way, way)),
                 "flows" if counted else "ns",
                 "value" if counted else "ratio", {}, not counted)
