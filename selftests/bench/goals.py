# SPDX-License-Identifier: GPL-2.0
"""What each figure means and what it should be."""
import collections

# judged: by the ratio to nf_nat, by its growth over the smallest size or over
# what BESIDE names, by what it adds to plain forwarding (of instructions, as
# those of nf_nat vary with the seed of its hash), or by its value; worse: the
# share of what is recorded that a later run may be worse by before it counts,
# None if it is not recorded.
About = collections.namedtuple("About", "text unit judged goals worse")

# The ratios that a packet of a flow that exists should not exceed.
GOALS = {"1": 0.19, "1k": 0.17, "53k": 0.23, "509k": 0.29, "2m": 0.25}

TABLE = {
    "established": About(
        "a packet of a flow that exists, from inside", "ns", "ratio", GOALS,
        0.15),
    "first": About(
        "the first packet of a flow", "ns", "ratio",
        {"53k": 0.37, "509k": 0.27, "2m": 0.11}, 0.15),
    "refused": About("flows refused while ports were free", "flows", "value",
                     {"53k": 0, "509k": 0, "2m": 0}, None),
    "memory": About("bytes a flow, tables included", "bytes", "value",
                    {"2m": 100}, 0.1),
    "memory-slab": About("bytes a flow of slab", "bytes", "value", {}, None),
    "teardown": About("deleting all flows, for each", "ns each", "ratio", {},
                      0.4),
    "rules-first": About(
        "the first packet of a flow behind so many rules", "ns", "growth",
        {"10000": 1.2}, 0.2),
    "forwards-first": About(
        "the first packet of a flow beside so many forwards", "ns", "growth",
        {"60000": 1.2}, 0.2),
    "forwards-established": About(
        "a packet of a flow that exists beside so many forwards", "ns",
        "growth", {}, 0.2),
    "pool-first": About(
        "the first packet of a flow when so much of the pool is taken", "ns",
        "growth", {"90%": 1.2, "99%": 1.2, "99.9%": 1.2}, 0.4),
    "pool-refused": About("flows refused of those", "flows", "value",
                          {"90%": 0, "99%": 0, "99.9%": 0}, None),
    "roomy-first": About(
        "the first packet of a flow beside as many in a roomy pool", "ns",
        "value", {}, None),
    "roomy-refused": About("flows refused of those", "flows", "value",
                           {}, None),
    "dump": About("listing a million connections", "ms", "ratio",
                  {"1m": 0.333}, 0.3),
    "delete-host": About("deleting one host's of a million", "ms", "ratio",
                         {"1m": 0.01}, 0.4),
    "apply": About("loading 10 000 rules", "ms", "value", {"10k": 100}, 0.6),
    "tool-start": About("the start of a tool alone", "ms", "value", {}, None),
    "instructions": About("instructions a packet of a flow that exists",
                          "instructions", "added", {}, 0.15),
    "instructions-first": About("instructions of a flow's first packet",
                                "instructions", "added", {}, 0.03),
}

# What is compared with another part, size by size.
BESIDE = {"pool-first": "roomy-first"}

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
                 "value" if counted else "ratio",
                 GOALS if kind == "udp" and way in ("out", "reply") else {},
                 None if counted else 0.2)
