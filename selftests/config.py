#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The configuration language and userctl's commands.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12

A file is applied as a whole or not at all, sessions outlive it, refusals name
line, column and word, and every command says by its exit code what it did.
"""
import json
import os
import re
import select
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, query, refused, setting, stats, userctl  # noqa: E402
from flow import outward, port              # noqa: E402
from ktap import case, equal, true          # noqa: E402
from lab import C, POOL, S, Lab, run        # noqa: E402

lab = Lab()

EVERYTHING = """\
# a comment, an empty line and odd blanks

set profile rfc
set timeout.tcp-established 7500
   set\ttimeout.udp 301   # a comment behind a statement
pool isp 198.51.100.1-198.51.100.3 198.51.100.5 ports 1024-65535
pool six 2001:db8:1::1-2001:db8:1::3
rule postrouting oif wan0 src 10.9.0.0/16 snat pool isp persistent
rule postrouting oif wan0 src 10.0.0.0/8 dst 192.0.2.0/24 accept
rule postrouting oif wan0 src 10.0.0.0/8 masquerade
rule postrouting oif wan0 src 10.0.0.0/8 masquerade :2000-2999 random
rule postrouting oif wan+ not src 10.0.0.0/8 proto tcp snat 198.51.100.4:3000-3999
rule postrouting oif wan0 src 10.1.1.0/24 netmap 203.0.113.0/24
rule postrouting oif wan0 src fd00:a::/64 snat pool six
rule postrouting oif wan0 src fd00:b::/64 masquerade mapping address-dependent filtering endpoint-independent
rule postrouting oif wan0 mark 0x10/0xf0 snat 198.51.100.1-198.51.100.3 persistent
rule prerouting iif wan0 proto tcp dst 198.51.100.1 dport 8080 dnat 10.0.0.5:80
rule prerouting iif wan0 proto udp dst 198.51.100.1 dport 9000-9010 dnat 10.0.0.5-10.0.0.9:7000-7010
rule prerouting iif wan0 proto tcp dst 2001:db8:1::1 dport 8080 dnat [fd00:a::2]:80
rule prerouting iif wan0 proto tcp dport 5000-5010 dnat 10.0.0.5-10.0.0.9:1000-1010/5000 persistent
rule prerouting iif wan0 proto udp dport 5000-5010 dnat [fd00:a::2]:1000-1010/5000
rule prerouting iif lan0 proto udp not dport 1-52 redirect :5353
rule prerouting iif wan0 proto 47 dst 198.51.100.2 dnat 10.0.0.4
rule prerouting iif wan0 not dst 198.51.100.9 dst local proto tcp dport 81 dnat 10.0.0.5
rule output proto udp dst 192.0.2.53 dport 53 dnat 198.51.100.53:5353
rule output proto tcp dport 80 redirect :3128
rule input iif lan0 proto udp sport 68 snat 10.0.0.99
forward tcp 198.51.100.1:2222 10.0.0.7:22
forward udp [2001:db8:1::1]:53 [fd00:a::7]:5353
"""


def save():
    return userctl("save")[1]


@case("save prints what apply takes, and applying it changes nothing")
def identity():
    apply(EVERYTHING)
    first = save()
    before = query("status")["generation"]
    userctl("apply", "-", data=first)
    equal(save(), first, "the second save")
    true(before != 0, "generation 0")
    for word in ("persistent", "random", "mapping address-dependent", "not src",
                 "0x10/0xf0", "[fd00:a::2]:80", "set timeout.udp 301", "wan+",
                 "[fd00:a::2]:1000-1010/5000", ":1000-1010/5000 persistent",
                 "198.51.100.5", "netmap 203.0.113.0/24", "accept"):
        true(word in first, "%r is not in\n%s" % (word, first))
    equal([r["ports"] for r in query("rule", "list")["rules"] if r.get("dport") ==
           {"min": 5000, "max": 5010}], [{"min": 1000, "max": 1010, "base": 5000}] * 2,
          "shifted ports as JSON")
    statements = [line for line in EVERYTHING.splitlines()
                  if line.split("#")[0].strip()]
    equal(len(first.split("\n")) >= len(statements), True, "statements saved")
    rules = [line for line in first.splitlines() if line.startswith("rule post")]
    equal([r.split()[-1] for r in rules][:3], ["persistent", "accept", "masquerade"],
          "order of the rules")


@case("an empty configuration")
def empty():
    apply(EVERYTHING)
    userctl("apply", "-", data="")
    status = query("status")
    equal((status["rules"], status["pools"], status["forwards"]), (0, 0, 0), "counts")
    equal(setting("timeout.udp"), 300, "timeout.udp")
    equal(setting("profile"), "rfc", "profile")
    equal(save(), save(), "save")
    userctl("apply", "-", data=save())


@case("a file by name, and dry-run")
def dry_run():
    apply(EVERYTHING)
    before = save()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write("rule postrouting oif wan0 masquerade\n")
        f.flush()
        userctl("apply", f.name, "--dry-run")
        userctl("apply", "--dry-run", f.name)
        equal(save(), before, "the configuration after a dry run")
        f.write("rule postrouting oif wan0 dport 9-8 masquerade\n")
        f.flush()
        for dry in ((), ("--dry-run",)):
            code, _, err = userctl("apply", f.name, *dry, ok=False)
            equal(code, 1, "exit code")
            true("%s:2:33: " % f.name in err, "no place in %r" % err)
        equal(save(), before, "the configuration after a refusal")
        userctl("apply", "--dry-run", "-", ok=True, data="")
    equal(userctl("apply", "/nonexistent/natty.conf", ok=False)[0], 1, "exit code")


# What is wrong, and the word that the message must point at.
REFUSALS = (
    ("frobnicate", "frobnicate"),
    ("rule nowhere masquerade", "nowhere"),
    ("rule postrouting oif wan0 src 10.0.0.0/33 masquerade", "10.0.0.0/33"),
    ("rule postrouting oif wan0 src 10.0.0.300 masquerade", "10.0.0.300"),
    ("rule postrouting oif wan0 src 10.0.0.1/8 masquerade", "10.0.0.1/8"),
    ("rule postrouting proto tcp dport 9000-80 masquerade", "9000-80"),
    ("rule postrouting proto tcp dport 70000 masquerade", "70000"),
    ("rule postrouting proto tcp dport -1 masquerade", "-1"),
    ("rule postrouting proto nonsense masquerade", "nonsense"),
    ("rule postrouting proto 256 masquerade", "256"),
    ("rule postrouting mark 0x1ffffffff masquerade", "0x1ffffffff"),
    ("rule postrouting oif averyveryverylongname masquerade",
     "averyveryverylongname"),
    ("rule postrouting oif wan0 masquerade :0-70000", ":0-70000"),
    ("rule postrouting oif wan0 masquerade :9-8", ":9-8"),
    ("rule postrouting oif wan0 masquerade nonsense", "nonsense"),
    ("rule postrouting oif wan0 masquerade mapping sideways", "sideways"),
    ("rule postrouting oif wan0 masquerade random random", "random"),
    ("rule postrouting oif wan0 snat pool nosuch", "nosuch"),
    ("rule postrouting oif wan0 snat 198.51.100.9-198.51.100.1",
     "198.51.100.9-198.51.100.1"),
    ("rule postrouting oif wan0 snat 198.51.100.1-2001:db8::1",
     "198.51.100.1-2001:db8::1"),
    ("rule postrouting src 10.0.0.0/8 snat 2001:db8::1", "2001:db8::1"),
    ("rule postrouting src 10.0.0.0/8 dst 2001:db8::/32 masquerade", "2001:db8::/32"),
    ("rule postrouting src 10.0.0.0/8 src 10.1.0.0/16 masquerade", "src"),
    ("rule postrouting oif wan0 dnat 10.0.0.2", "dnat"),
    ("rule prerouting iif wan0 masquerade", "masquerade"),
    ("rule prerouting iif wan0 snat 10.0.0.2", "snat"),
    ("rule postrouting oif wan0 redirect :80", "redirect"),
    ("rule postrouting not masquerade", "masquerade"),
    ("rule postrouting masquerade oif wan0", "oif"),
    ("rule prerouting iif wan0 dnat 10.0.0.2:99999", "10.0.0.2:99999"),
    ("rule prerouting iif wan0 dnat fd00::1:80:", "fd00::1:80:"),
    ("rule prerouting dnat 10.0.0.2:1000/5000", "10.0.0.2:1000/5000"),
    ("rule prerouting dnat 10.0.0.2:1000-1010/0", "10.0.0.2:1000-1010/0"),
    ("rule prerouting dnat 10.0.0.2:1000-1010/65536", "10.0.0.2:1000-1010/65536"),
    ("rule prerouting dnat [fd00::2]:1000-1010/http", "[fd00::2]:1000-1010/http"),
    ("rule prerouting dnat 10.0.0.2/5000", "10.0.0.2/5000"),
    ("rule prerouting dnat 10.0.0.2:1000-1010/5000 random", "random"),
    ("rule prerouting redirect :1000-1010/5000", ":1000-1010/5000"),
    ("rule postrouting masquerade :1000-1010/5000", ":1000-1010/5000"),
    ("rule postrouting snat 198.51.100.1:1000-1010/5000", "198.51.100.1:1000-1010/5000"),
    ("pool a 198.51.100.1 ports 1000-1010/5000", "1000-1010/5000"),
    ("rule prerouting proto 47 dnat 10.0.0.2:1000-1010/5000", "10.0.0.2:1000-1010/5000"),
    ("pool a", None),
    ("pool a 198.51.100.1-198.51.100.6 198.51.100.3", "198.51.100.3"),
    ("pool a 198.51.100.1 2001:db8::1", "2001:db8::1"),
    ("pool a 198.51.100.1 ports 9-8", "9-8"),
    ("forward icmp 198.51.100.1:22 10.0.0.7:22", "icmp"),
    ("forward tcp 198.51.100.1:22 10.0.0.7", "10.0.0.7"),
    ("forward tcp 198.51.100.1:0 10.0.0.7:22", "198.51.100.1:0"),
    ("forward tcp 198.51.100.1:22 [fd00::1]:22", "[fd00::1]:22"),
    ("forward tcp 198.51.100.1:22 10.0.0.7:22 more", "more"),
    ("set", None),
    ("set timeout.nonsense 5", "timeout.nonsense"),
    ("set timeout.udp 0", "0"),
    ("set timeout.udp soon", "soon"),
    ("set timeout.udp 99999999999999999999", "99999999999999999999"),
    ("set profile fast", "fast"),
    ("set accounting perhaps", "perhaps"),
    ("rule postrouting oif wan0", None),
    ("rule", None),
)


def refusal(line, word):
    """Refused as the third line of a file that is fine but for it."""
    before = save()
    good = "rule postrouting oif wan0 src 10.77.0.0/16 masquerade\n"
    text = refused("# comment\n%s  %s\n%s" % (good, line, good))
    equal(save(), before, "the configuration")
    match = re.search(r":3:(\d+): (.*)", text)
    true(match, "no line and column in %r" % text)
    if word:
        at = [m.start() + 3 for m in re.finditer(
            r"(?<!\S)" + re.escape(word) + r"(?!\S)", line)]
        true(int(match[1]) in at, "column %s, expected %s in %r" % (
            match[1], at, text))
        true(word.lstrip(":") in match[2], "%r does not name %r" % (text, word))
    true(len(match[2].split()) >= 3, "no reason in %r" % text)


for _line, _word in REFUSALS:
    case("refused: " + _line, line=_line, word=_word)(refusal)


@case("duplicates are refused")
def duplicates():
    before = save()
    for line in ("pool a 198.51.100.1\n", "forward tcp 198.51.100.1:5 10.0.0.7:22\n"):
        text = refused(line + line)
        true(re.search(r":2:\d+: ", text), "no place in %r" % text)
        equal(save(), before, "the configuration")


@case("several errors are all told, in the order of their lines")
def several():
    text = refused("set timeout.udp soon\nrule x masquerade\n"
                   "rule postrouting dport 9-8 masquerade\n")
    equal(re.findall(r":(\d+):\d+: ", text), ["1", "2", "3"], "lines in %r" % text)


@case("what is no text is refused")
def binary():
    before = save()
    for data in (b"\0\1\2\3", b"rule \xff\xfe masquerade\n", b"\x1b[31mrule\n",
                 b"x" * 100000, b"rule " * 20000, b"pool a" + b" 1.2.3.4" * 9 + b"\n"):
        code, _, err = userctl("apply", "-", data=data, ok=False)
        equal(code, 1, "exit code for %r" % data[:20])
        true("\x1b" not in err, "control characters in the message")
    equal(save(), before, "the configuration")


@case("a thousand rules, in order")
def many_rules():
    lines = ["rule postrouting oif wan0 src 10.%d.%d.0/24 snat 198.51.100.%d" % (
        n // 250, n % 250, 1 + n % 6) for n in range(1000)]
    userctl("apply", "-", data="\n".join(lines) + "\n")
    equal(save().splitlines()[-1000:], lines, "rules")
    equal(query("status")["rules"], 1000, "rules in status")
    userctl("apply", "-", data="")


MASQUERADE = "rule postrouting oif wan0 src 10.0.0.0/24 masquerade\n"


@case("sessions outlive a new configuration")
def sessions():
    apply(MASQUERADE)
    flows = []
    for proto in ("tcp", "udp", "icmp"):
        sport = port()
        flows.append((proto, sport, *outward(lab, proto, sport=sport)))
    before = sorted(str(c["orig"]) for c in conns())
    userctl("apply", "-", data=save())
    more = "set timeout.udp 400\nrule postrouting oif wan0 src 10.9.0.0/16 accept\n"
    userctl("apply", "-", data=more + MASQUERADE)
    equal(sorted(str(c["orig"]) for c in conns()), before, "connections")
    for proto, sport, addr, outside in flows:
        raw = pkt.first(proto, S[4][0], 80, addr, outside) if proto == "udp" else (
            pkt.echo(S[4][0], addr, outside, answer=True) if proto == "icmp" else
            pkt.tcp(S[4][0], addr, 80, outside, pkt.ACK, 77001, 1010))
        lab.expect("wan", raw, pkt.xlate(raw, dst=C[4][0], dport=sport))


@case("new rules decide new flows, old flows keep what they have")
def new_rules():
    apply(MASQUERADE)
    sport = port()
    outside = outward(lab, "udp", sport=sport)
    userctl("apply", "-", data="rule postrouting oif wan0 src 10.0.0.0/24 snat %s\n%s"
            % (POOL[4][2], MASQUERADE))
    equal(outward(lab, "udp", sport=sport), outside, "the old flow's address and port")
    outward(lab, "udp", C[4][1], ext=[POOL[4][2]])


@case("rule add, insert, list, delete and flush")
def rule_commands():
    userctl("apply", "-", data="")
    add = "rule add postrouting oif wan0 src 10.0.%d.0/24 masquerade"
    for n in (1, 3):
        userctl(*(add % n).split())
    userctl(*"rule insert postrouting 2 oif wan0 src 10.0.2.0/24 accept".split())
    userctl(*"rule add prerouting iif wan0 proto tcp dport 80 dnat 10.0.0.2".split())
    rules = query("rule", "list", "postrouting")["rules"]
    equal([r["src"] for r in rules], ["10.0.%d.0/24" % n for n in (1, 2, 3)], "order")
    equal([r["position"] for r in rules], [1, 2, 3], "positions")
    equal(len({r["id"] for r in query("rule", "list")["rules"]}), 4, "ids")
    userctl("rule", "delete", "postrouting", "1")
    userctl("rule", "delete", "id", str(rules[2]["id"]))
    left = query("rule", "list", "postrouting")["rules"]
    equal([(r["src"], r["position"], r["id"]) for r in left],
          [("10.0.2.0/24", 1, rules[1]["id"])], "what is left")
    userctl("rule", "flush", "postrouting")
    equal(len(query("rule", "list")["rules"]), 1, "rules after a flush of one chain")
    userctl("rule", "flush")
    equal(query("rule", "list")["rules"], [], "rules after a flush")
    for words in ("rule delete postrouting 7", "rule delete id 99999",
                  "rule add postrouting oif wan0 snat pool nosuch",
                  "rule insert postrouting 9 masquerade"):
        code, _, err = userctl(*words.split(), ok=False)
        equal(code, 1, "exit code of " + words)
        true(len(err.split()) > 3, "message of %s: %r" % (words, err))


@case("pools and forwards by command")
def pool_commands():
    userctl("apply", "-", data="")
    userctl(*"pool add isp 198.51.100.1-198.51.100.3 198.51.100.5".split())
    userctl(*"rule add postrouting oif wan0 snat pool isp".split())
    code, _, err = userctl("pool", "delete", "isp", ok=False)
    equal(code, 1, "exit code of deleting a pool in use (%r)" % err)
    userctl(*"pool add isp 198.51.100.6 ports 2000-3000".split())
    outward(lab, "udp", ext=[POOL[4][5]], ports=range(2000, 3001))
    userctl("rule", "flush")
    userctl("pool", "delete", "isp")
    equal(query("pool", "list")["pools"], [], "pools")
    userctl(*"forward add tcp 198.51.100.1:2222 10.0.0.2:22".split())
    equal(len(query("forward", "list")["forwards"]), 1, "forwards")
    equal(userctl("forward", "delete", "tcp", "198.51.100.1:1", ok=False)[0], 1,
          "exit code of deleting what is not there")
    userctl("forward", "delete", "tcp", "198.51.100.1:2222")
    equal(query("forward", "list")["forwards"], [], "forwards")


@case("set and get")
def settings():
    userctl("apply", "-", data="")
    userctl("set", "timeout.udp", "77")
    equal(setting("timeout.udp"), 77, "timeout.udp")
    true("set timeout.udp 77" in save(), "not saved")
    userctl("set", "profile", "iptables")
    equal(setting("timeout.udp"), 77, "an explicit value under another profile")
    equal(setting("timeout.tcp-established"), 432000, "what the profile implies")
    userctl("set", "timeout.udp", "default")
    equal(setting("timeout.udp"), 30, "timeout.udp restored")
    userctl("set", "profile", "rfc")
    equal(setting("timeout.udp"), 300, "timeout.udp of rfc")
    keys = [s["key"] for s in query("get")["settings"]]
    true("timeout.icmp" in keys and len(keys) == len(set(keys)), "keys: %r" % keys)
    equal(userctl("get", "nonsense", ok=False)[0], 1, "exit code")
    equal(userctl("set", "timeout.udp", "never", ok=False)[0], 1, "exit code")
    # It wins wherever it stands in the file.
    userctl("apply", "-", data="set timeout.udp 55\nset profile iptables\n")
    equal(setting("timeout.udp"), 55, "timeout.udp before its profile")
    userctl("apply", "-", data="")


@case("filters of conn list, count and delete")
def filters():
    apply(MASQUERADE)
    ports = {}
    for client in C[4]:
        for proto in ("udp", "tcp"):
            ports[client, proto] = port()
            outward(lab, proto, client, ports[client, proto], S[4][0], 53)
    one = ports[C[4][1], "udp"]
    for words, count in (("", 6), ("src 10.0.0.3", 2), ("not src 10.0.0.3", 4),
                         ("src 10.0.0.2/31", 4), ("proto udp", 3), ("dport 53", 6),
                         ("dport 54", 0), ("sport %d" % one, 1),
                         ("sport %d-%d proto udp" % (one, one + 1), 1),
                         ("src 10.0.0.4 not proto tcp", 1), ("dst 10.0.0.3", 0),
                         ("dst %s" % S[4][0], 6), ("src fd00:a::2", 0)):
        equal(len(conns(*words.split())), count, "conn list " + words)
        text = userctl("conn", "count", *words.split())[1]
        equal(int(re.search(r"\d+", text)[0]), count, "conn count " + words)
    lines = userctl("conn", "list", "proto", "tcp")[1].splitlines()
    equal(len(lines), 3, "lines of conn list")
    true("src=10.0.0.2" in "".join(lines), "the manner of conntrack: %r" % lines)
    userctl("conn", "delete", "src", "10.0.0.3")
    equal(len(conns()), 4, "connections after delete")
    equal(conns("src", "10.0.0.3"), [], "connections of the deleted host")
    userctl("conn", "flush")
    equal(conns(), [], "connections after flush")


@case("a dump neither repeats nor skips what lives throughout")
def dump():
    apply(MASQUERADE)
    count = 500 if ktap.SLOW else 3000
    for n in range(count):
        lab.send("lan", pkt.udp(C[4][n % 2], S[4][n % 3], 10000 + n, 53))
        if n % 100 == 99:
            lab.collect()
    stay = {(c["orig"]["src"], c["orig"]["sport"]) for c in conns()}
    equal(len(stay), count, "connections")
    pid = os.fork()
    if not pid:                 # others come and go meanwhile
        n = 0
        while True:
            lab.send("lan", pkt.udp(C[4][2], S[4][0], 20000 + n % 30000, 53))
            n += 1
            if n % 200 == 0:
                userctl("conn", "delete", "src", C[4][2])
    try:
        for _ in range(10):
            seen = [(c["orig"]["src"], c["orig"]["sport"]) for c in conns()]
            seen = [key for key in seen if key[0] != C[4][2]]
            equal(len(seen), len(set(seen)), "entries listed once")
            equal(set(seen) == stay, True, "all of them listed")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    lab.collect()
    userctl("conn", "flush")


def monitored(words, act, count):
    """The lines that userctl monitor prints while act() runs."""
    reader, writer = os.pipe()
    pid = os.posix_spawnp("userctl", ["userctl", *words], os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, writer, 1)])
    os.close(writer)
    text = b""
    try:
        # It listens from some moment on: offer events until it tells one.
        while not text:
            outward(lab, "udp", C[4][2], back=False)
            if select.select([reader], [], [], 0.1)[0]:
                text = os.read(reader, 65536)
        act()
        while text.count(b"\n") < count:
            true(select.select([reader], [], [], ktap.patience(5))[0],
                 "no more events after %r" % text)
            text += os.read(reader, 65536)
    finally:
        os.kill(pid, signal.SIGINT)
        os.waitpid(pid, 0)
        os.close(reader)
    return text.decode().splitlines()


@case("monitor tells of new and closed connections")
def monitor():
    apply(MASQUERADE)

    def act():
        outward(lab, "udp", C[4][0], 33333)
        userctl("conn", "delete", "src", C[4][0])

    mine = [e for e in map(json.loads, monitored(["--json", "monitor"], act, 3))
            if e.get("connection", {}).get("orig", {}).get("src") == C[4][0]]
    equal([(e["event"], e["connection"]["orig"]["sport"]) for e in mine],
          [("new", 33333), ("end", 33333)], "events")
    true(mine[1]["seq"] > mine[0]["seq"], "numbers of the events")
    lines = monitored(["monitor"], act, 3)
    equal(len([x for x in lines if "33333" in x]), 2, "lines about it in %r" % lines)


@case("counters of rules and stats")
def counters():
    apply(MASQUERADE)
    before = stats()
    old = query("rule", "list")["rules"][0]["flows"]
    for _ in range(3):
        outward(lab, "udp")
    equal([r["flows"] - old for r in query("rule", "list")["rules"]], [3], "its flows")
    equal(stats()["conn-new"] - before["conn-new"], 3, "conn-new")
    true(set(query("stats")["drops"]) <= set(stats()), "drops among the counters")


@case("accounting counts packets and bytes")
def accounting():
    apply("set accounting on\n" + MASQUERADE)
    sport = port()
    outward(lab, "udp", sport=sport)
    entry = conns("sport", str(sport))[0]
    equal((entry["orig"]["packets"], entry["reply"]["packets"]), (2, 1), "packets")
    equal(entry["orig"]["bytes"], 2 * 45, "bytes")


@case("limits per host and altogether")
def limits():
    apply("set limit.host-connections 10\n" + MASQUERADE)
    for _ in range(10):
        outward(lab, "udp", back=False)
    before = stats()
    seen = lab.swap("lan", pkt.udp(C[4][0], S[4][0], port(), 53))
    equal(seen["wan"], [], "packets of the eleventh flow")
    true(stats()["limit-host"] > before["limit-host"], "not counted as limit-host")
    outward(lab, "udp", C[4][1])
    userctl("set", "limit.host-connections", "default")


COMMANDS = ("apply", "save", "status", "rule", "pool", "forward", "set", "get",
            "conn", "mapping", "stats", "monitor")


@case("help and usage")
def usage():
    equal(userctl("--help")[0], 0, "exit code of --help")
    for command in COMMANDS:
        out = userctl(command, "--help")[1]
        true("userctl " + command in out, "help of %s: %r" % (command, out))
        true(command in userctl("--help")[1], command + " is not in --help")
    for words in ("", "nonsense", "--nonsense", "rule", "rule nonsense", "apply",
                  "conn", "set timeout.udp", "save more"):
        code, _, err = userctl(*words.split(), ok=False)
        equal(code, 2, "exit code of userctl %s (said %r)" % (words, err))
        true(err.strip(), "userctl %s says nothing" % words)


@case("every list is JSON on request")
def as_json():
    apply(EVERYTHING)
    outward(lab, "tcp", back=False)
    for words in ("status", "rule list", "pool list", "forward list", "get", "stats",
                  "conn list", "conn count", "mapping list", "get timeout.udp"):
        query(*words.split())
    userctl("apply", "-", data="")


def as_nobody(*argv, data=""):
    """Run a command without any privilege, from where nobody may read."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        path = shutil.copy(shutil.which("userctl"), folder)
        os.chmod(path, 0o755)
        return run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                    *[path if word == "userctl" else word for word in argv]],
                   data, ok=False)


@case("reading and writing need CAP_NET_ADMIN")
def privilege():
    apply(MASQUERADE)
    before = save()
    for words in ("status", "save", "conn list", "stats", "mapping list", "rule flush",
                  "set timeout.udp 9", "conn flush", "monitor --count 1"):
        code, out, err = as_nobody("userctl", *words.split())
        equal(code, 1, "exit code of %s without privilege (%r)" % (words, out + err))
        true(err.strip(), words + " says nothing")
    code, _, _ = as_nobody("userctl", "apply", "-", data="")
    equal(code, 1, "exit code of apply without privilege")
    equal(save(), before, "the configuration")


@case("an unprivileged user namespace rules its own network namespace")
def user_namespace():
    if as_nobody("unshare", "-Urn", "true")[0]:
        raise ktap.Skip("no unprivileged user namespaces")
    apply(MASQUERADE)
    before = save()
    code, out, err = as_nobody(
        "unshare", "-Urn", "sh", "-c", "exec 2>&1; $0 apply - && $0 save && "
        "$0 status && $0 conn list && $0 rule flush", "userctl",
        data="rule postrouting oif eth7 masquerade\n")
    equal(code, 0, "exit code in its own network namespace (%r)" % (out + err))
    true("eth7" in out and "wan0" not in out, "what it sees: %r" % out)
    # Root of a user namespace is nobody in the network namespace of others.
    for words in ("save", "conn list", "rule flush"):
        code, out, err = as_nobody("unshare", "-Ur", "userctl", *words.split())
        equal(code, 1, "exit code of %s from within (%r)" % (words, out + err))
    equal(save(), before, "the configuration")


@case("two configurations at once: one of them, whole")
def race():
    texts = ["".join("rule postrouting oif wan%d src 10.%d.%d.0/24 masquerade\n" % (
        which, which, n) for n in range(40)) for which in (1, 2)]
    pids = []
    for text in texts:
        pid = os.fork()
        if not pid:
            for _ in range(10):
                userctl("apply", "-", data=text, ok=False)
            os._exit(0)
        pids.append(pid)
    for _ in range(10):
        seen = {line.split()[3] for line in save().splitlines() if "rule" in line}
        true(len(seen) <= 1, "a mixture of two configurations: %r" % seen)
    for pid in pids:
        os.waitpid(pid, 0)
    true(save().endswith(texts[0]) or save().endswith(texts[1]), "not one of the two")
    userctl("apply", "-", data="")


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
