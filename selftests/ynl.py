#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The kernel tree's own Python netlink client reads and writes natty's state.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12

It knows nothing but uapi/natty.yaml, so it tells whether the specification is
what the module speaks. YNL_DIR names the folder tools/net/ynl of a kernel tree.
"""
import copy
import errno
import glob
import os
import pwd
import select
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, query, stats, userctl  # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import case, equal, true          # noqa: E402
from lab import C, S, X, Lab                # noqa: E402

SPEC = os.path.join(os.path.dirname(HERE), "uapi", "natty.yaml")
MASQUERADE = "rule postrouting oif wan0 src 10.0.0.0/24 masquerade\n"


def client_folder():
    """Where the client lies: YNL_DIR, or a kernel tree that is at hand."""
    places = [os.environ.get("YNL_DIR", "")]
    # Where the test bench unpacks one; a guest's HOME need not be the user's.
    home = pwd.getpwuid(os.getuid()).pw_dir
    places += glob.glob(home + "/.cache/natty/ynl-*/tools/net/ynl")
    places += glob.glob("/usr/src/linux*/tools/net/ynl")
    for place in places:
        if place and (os.path.isdir(place + "/lib") or os.path.isdir(place + "/pyynl")):
            return place
    ktap.skip_all("no tools/net/ynl; YNL_DIR may name it")
    return None


def load():
    """The client's class and its error."""
    folder = client_folder()
    sys.path.insert(0, folder)
    try:
        if os.path.isdir(os.path.join(folder, "pyynl")):
            from pyynl.lib import NlError, YnlFamily
        else:
            from lib import NlError, YnlFamily
    except ImportError as exc:
        ktap.skip_all("the client in %s: %s" % (folder, exc))
    return YnlFamily, NlError


def read_once():
    """Parsing the specification takes long: in C, and once."""
    import yaml

    parsed = {}

    def safe_load(stream):
        text = stream.read()
        if text not in parsed:
            parsed[text] = yaml.load(text, Loader=getattr(
                yaml, "CSafeLoader", yaml.SafeLoader))
        return copy.deepcopy(parsed[text])
    yaml.safe_load = safe_load


YnlFamily, NlError = load()
read_once()
if not os.path.exists(SPEC):
    ktap.skip_all("no " + SPEC)
lab = Lab()


def family():
    return YnlFamily(SPEC, schema="")


def refused(code, func, *args):
    try:
        func(*args)
    except NlError as exc:
        equal(exc.error, code, "error of %r" % (args,))
        return exc.nl_msg.extack or {}
    raise ktap.Fail("not refused: %r" % (args,))


@case("status")
def status():
    apply(MASQUERADE)
    ynl, tool = family().do("status-get", {}), query("status")
    for key in ("version", "profile", "generation", "rules", "pools", "forwards"):
        equal(ynl[key], tool[key], key)
    equal(ynl["rules"], 1, "rules")


@case("connections")
def connections():
    apply(MASQUERADE)
    wanted = {}
    for proto in ("udp", "tcp", "icmp"):
        sport = port()
        wanted[proto] = (sport, *outward(lab, proto, sport=sport))
    seen = family().dump("conn-get", {})
    equal(len(seen), len(conns()), "connections")
    number = {17: "udp", 6: "tcp", 1: "icmp"}
    for entry in seen:
        sport, addr, outside = wanted[number[entry["proto"]]]
        orig, reply = entry["orig"], entry["reply"]
        equal((orig["src"], orig["dst"]), (pkt.aton(C[4][0]), pkt.aton(S[4][0])), "orig")
        equal((reply["src"], reply["dst"]), (pkt.aton(S[4][0]), pkt.aton(addr)), "reply")
        equal(orig.get("sport", orig.get("id")), sport, "inside port")
        equal(reply.get("dport", reply.get("id")), outside, "outside port")
        true("source" in entry["flags"] and "replied" in entry["flags"], "flags")
        true(entry["expires"] > 0, "expires")
    equal({e["state"] for e in seen}, {"replied", "established"}, "states")


@case("a filtered dump, count and delete")
def filtered():
    apply(MASQUERADE)
    for client in C[4]:
        outward(lab, "udp", client)
    ynl = family()
    one = {"filter": {"src": pkt.aton(C[4][1])}}
    equal(len(ynl.dump("conn-get", one)), 1, "connections of C2")
    equal(ynl.do("conn-count", {})["count"], 3, "count")
    equal(ynl.do("conn-count", {"filter": {"proto": 6}})["count"], 0, "count of TCP")
    equal(ynl.do("conn-del", one)["count"], 1, "deleted")
    equal(len(conns()), 2, "connections that are left")


@case("rules, pools, forwards, settings, mappings and counters")
def lists():
    apply("set timeout.udp 77\npool isp %s\n%sforward tcp %s:22 %s:2222\n"
          % (X[4], MASQUERADE, X[4], C[4][0]))
    outward(lab, "udp")
    ynl = family()
    rule = ynl.dump("rule-get", {})[0]
    equal((rule["chain"], rule["action"], rule["oif"], rule["src-len"], rule["flows"] > 0),
          ("postrouting", "masquerade", "wan0", 24, True), "rule")
    equal(ynl.dump("pool-get", {})[0]["name"], "isp", "pool")
    equal(ynl.dump("forward-get", {})[0]["int-port"], 2222, "forward")
    found = ynl.do("setting-get", {"key": "timeout.udp"})
    equal((found["value"], found.get("explicit")), ("77", True), "setting")
    true(len(ynl.dump("setting-get", {})) > 15, "settings")
    equal(len([m for m in ynl.dump("mapping-get", {}) if "static" not in m]), 1, "mappings")
    counters = {s["name"]: s["value"] for s in ynl.dump("stat-get", {})}
    equal(set(counters), set(stats()), "names of the counters")


@case("a transaction")
def transaction():
    userctl("apply", "-", data="")
    ynl = family()
    ynl.do("txn-begin", {"replace": True})
    ynl.do("rule-new", {"chain": "postrouting", "oif": "wan0", "action": "masquerade"})
    equal(query("status")["rules"], 0, "rules before the commit")
    ynl.do("txn-commit", {})
    equal(query("status")["rules"], 1, "rules after the commit")
    ynl.do("txn-begin", {"replace": True})
    ynl.do("txn-abort", {})
    equal(query("status")["rules"], 1, "rules after an abort")
    left = family()
    left.do("txn-begin", {"replace": True})
    left.sock.close()
    equal(query("status")["rules"], 1, "rules after a closed socket")


@case("two transactions: the second to commit is refused")
def conflict():
    userctl("apply", "-", data="")
    one, other = family(), family()
    for ynl, oif in ((one, "wan0"), (other, "wan1")):
        ynl.do("txn-begin", {"replace": True})
        ynl.do("rule-new", {"chain": "postrouting", "oif": oif, "action": "masquerade"})
    one.do("txn-commit", {})
    refused(errno.EBUSY, other.do, "txn-commit", {})
    equal([r["oif"] for r in query("rule", "list")["rules"]], ["wan0"], "rules")


WRONG = (
    ("rule-new", {"action": "masquerade"}, "chain"),
    ("rule-new", {"chain": "postrouting"}, "action"),
    ("rule-new", {"chain": "prerouting", "action": "masquerade"}, "action"),
    ("rule-new", {"chain": "postrouting", "action": "masquerade", "src": b"\1\2\3"}, "src"),
    ("rule-new", {"chain": "postrouting", "action": "masquerade", "src": b"\n\0\0\0",
                  "src-len": 33}, "src-len"),
    ("rule-new", {"chain": "postrouting", "action": "masquerade", "src": b"\n\0\0\1",
                  "src-len": 8}, "src"),
    ("rule-new", {"chain": "postrouting", "action": "snat"}, None),
    ("rule-new", {"chain": "postrouting", "action": "snat", "pool": "nosuch"}, "pool"),
    ("rule-new", {"chain": "postrouting", "action": "masquerade", "proto": 6,
                  "dport-min": 9, "dport-max": 8}, "dport-max"),
    ("rule-new", {"chain": "prerouting", "action": "dnat", "addr-min": b"\n\0\0\1",
                  "port-min": 9, "port-base": 8}, "port-base"),
    ("pool-new", {"name": "p"}, None),
    ("setting-set", {"key": "nonsense", "value": "1"}, "key"),
    ("setting-set", {"key": "timeout.udp", "value": "soon"}, "value"),
)


@case("refusals carry a message and the offending attribute")
def extack():
    userctl("apply", "-", data="")
    ynl = family()
    for op, vals, attr in WRONG:
        told = refused_any(ynl, op, vals)
        true(told.get("msg"), "%s %r: no message in %r" % (op, vals, told))
        named = "%s %s" % (told.get("bad-attr"), told.get("miss-type"))
        if attr:
            true(attr in named, "%s %r: %r does not name %s" % (op, vals, told, attr))
    equal(query("status")["rules"], 0, "rules")


def refused_any(ynl, op, vals):
    try:
        ynl.do(op, vals)
    except NlError as exc:
        return exc.nl_msg.extack or {}
    raise ktap.Fail("not refused: %s %r" % (op, vals))


@case("events")
def events():
    apply(MASQUERADE)
    ynl = family()
    ynl.ntf_subscribe("events")
    sport = port()
    outward(lab, "udp", sport=sport)
    userctl("conn", "delete", "src", C[4][0])
    names = []
    deadline = 20
    while len(names) < 2 and deadline:
        select.select([ynl.sock], [], [], ktap.patience(0.2))
        if hasattr(ynl, "async_msg_queue") and isinstance(ynl.async_msg_queue, list):
            ynl.check_ntf()
            names = [(m["name"], m["msg"]["orig"]["sport"]) for m in ynl.async_msg_queue]
        else:
            names += [(m["name"], m["msg"]["orig"]["sport"]) for m in ynl.poll_ntf(0.1)]
        deadline -= 1
    equal(names, [("conn-new-ntf", sport), ("conn-del-ntf", sport)], "events")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
