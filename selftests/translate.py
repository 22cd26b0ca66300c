#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""userctl translate: rule sets of iptables and nft as natty's configuration.

translate/NAME.save is what iptables-save prints of other programs' rules, NAME.json
the same of nft -j, and NAME.nft what nft reads; NAME.conf is what must become of
it, and NAME.err what must be said of the rest. Real iptables and nft load them
and print them back, and packets go through what came out.

    C1..C3 10.0.0.2-4 --- lan0 [router] wan0 --- S1..S3 198.51.100.10-12
"""
import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import query, userctl              # noqa: E402
from flow import inward, outward            # noqa: E402
from ktap import case, equal, true          # noqa: E402
from lab import C, POOL, S, Lab, run        # noqa: E402

lab = Lab()
os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "translate"))


def text(name):
    """A file, empty if there is none."""
    try:
        with open(name) as f:
            return f.read()
    except FileNotFoundError:
        return ""


def translate(*names, data=""):
    """What becomes of files: (configuration, what has no equivalent)."""
    code, out, err = userctl("translate", *names, data=data, ok=False)
    equal(code, 1 if err else 0, "exit code of %s, which said %r" % (names, err))
    return out, err


def differ(got, want, what):
    """Fail with the first line that differs."""
    got, want = got.splitlines(), want.splitlines()
    for i, line in enumerate(want):
        if i >= len(got) or got[i] != line:
            raise ktap.Fail("%s, line %d: %r\n expected %r" % (
                what, i + 1, got[i] if i < len(got) else None, line))
    equal(len(got), len(want), "lines of " + what)


def given(file):
    """A rule set is translated as it should be, and natty takes the result."""
    stem = file.rsplit(".", 1)[0]
    out, err = translate(file)
    differ(out, text(stem + ".conf"), "configuration")
    differ(err, text(stem + ".err"), "standard error")
    userctl("apply", "--dry-run", "-", data=out)


for _name in sorted(glob.glob("*.save") + glob.glob("*.json")):
    case("translated: " + _name, file=_name)(given)


def printed_json(file):
    """nft loads the file, prints it as JSON, and natty takes the translation."""
    code, out, err = run(["unshare", "-n", "sh", "-c", "nft -f - && nft -j list ruleset"],
                         text(file), ok=False)
    equal(code, 0, "exit code of nft (%s)" % err)
    out, err = translate(data=out)
    differ(out, text(file[:-3] + "conf"), "configuration")
    equal(err, "", "standard error")
    userctl("apply", "--dry-run", "-", data=out)


for _name in sorted(glob.glob("*.nft")):
    case("printed by nft: " + _name, file=_name)(printed_json)


def rules(out):
    """The statements of a configuration, which are all that natty reads."""
    return [line for line in out.splitlines() if not line.startswith("#")]


def printed_back(file, prefix):
    """iptables loads the file, and what it then prints means the same."""
    want = rules(translate(file)[0])
    family = "ip6tables" if "ip6tables-save" in text(file) else "iptables"
    tool = "%s-%s" % (family, prefix)
    code, out, err = run(["unshare", "-n", "sh", "-c", "%s-restore && %s-save -c" % (tool, tool)],
                         text(file), ok=False)
    equal(code, 0, "exit code of %s (%s)" % (tool, err))
    true(out.count("-A ") >= text(file).count("-A "), "%s printed %r" % (tool, out))
    got, _ = translate(data=out)
    differ("\n".join(rules(got)), "\n".join(want), "what %s printed" % tool)


# What iptables would not load either.
UNLOADED = ("refused.save",)

for _name in sorted(glob.glob("*.save")):
    for _prefix in ("legacy", "nft"):
        if _name not in UNLOADED:
            case("printed back by %s: %s" % (_prefix, _name),
                 file=_name, prefix=_prefix)(printed_back)


def use(*names):
    """natty with the configuration that files become."""
    userctl("apply", "-", data=translate(*names)[0])
    userctl("conn", "flush")


@case("packets: targets of IPv4")
def packets4():
    use("plain4.save", "plain6.save")
    inward(lab, "tcp", dport=8080, to=[C[4][0]], ports=[80])
    inward(lab, "udp", dst=POOL[4][1], dport=53, to=C[4][1:], ports=[53])
    inward(lab, "udp", dst=POOL[4][1], dport=5005, to=C[4][1:], ports=[5005])
    inward(lab, "udp", dport=6002, to=[C[4][2]], ports=[7002])
    # The router may answer for a port of its own that is closed.
    seen = lab.swap("wan", pkt.udp(S[4][0], POOL[4][1], 999, 5011))
    equal([str(pkt.View(p)) for p in seen["lan"]], [], "packets on lan0")
    outward(lab, "udp", ext=[POOL[4][0]], ports=range(1024, 2001))
    outward(lab, "tcp", sport=1023, ports=range(1024, 65536))
    outward(lab, "icmp")
    raw = pkt.tcp("10.1.1.77", S[4][0], 700, 80)
    lab.expect("lan", raw, pkt.xlate(raw, src="198.51.100.77"))


@case("packets: targets of IPv6")
def packets6():
    use("plain4.save", "plain6.save")
    inward(lab, "tcp", src=S[6][0], dst=POOL[6][0], dport=8080, to=[C[6][0]], ports=[80])
    inward(lab, "udp", src=S[6][0], dst=POOL[6][0], dport=5003, to=C[6],
           ports=range(5000, 5011))
    inward(lab, "tcp", src=S[6][0], dst=POOL[6][0], dport=6003, to=[C[6][2]], ports=[7003])
    outward(lab, "tcp", src=C[6][0], dst=S[6][0], dport=443, ext=POOL[6])
    outward(lab, "udp", src=C[6][0], dst=S[6][0], ext=POOL[6][:1])


def use_as(name, **names):
    """The same with other names and addresses, those of this lab."""
    data = text(name)
    for old, new in names.items():
        data = data.replace(*new.split()) if " " in new else data.replace(old, new)
    userctl("apply", "-", data=translate(data=data)[0])
    userctl("conn", "flush")


@case("packets: firewalld's chains")
def firewalld():
    use("firewalld.save")
    inward(lab, "tcp", dport=8080, to=[C[4][0]], ports=[80])
    outward(lab, "udp", C[4][2], dst=S[4][1])
    outward(lab, "udp", C[4][0], dst=S[4][2])
    # It returns to the hook, which goes on, so masquerading is next.
    outward(lab, "udp", C[4][2], dst=S[4][2])


@case("packets: nft's maps, sets and chains")
def nft_rules():
    code, out, _ = run(["unshare", "-n", "sh", "-c", "nft -f nft.nft && nft -j list ruleset"])
    userctl("apply", "-", data=translate(data=out)[0])
    inward(lab, "tcp", dport=7002, to=[C[4][1]], ports=[7002])
    inward(lab, "tcp", dst=POOL[4][2], dport=9001, to=[C[4][1]], ports=[22])
    inward(lab, "udp", dst=POOL[4][3], dport=4500, to=[C[4][2]], ports=[4500])
    inward(lab, "tcp", src=S[6][0], dst=POOL[6][0], dport=8080, to=[C[6][0]], ports=[80])
    raw = pkt.udp("10.0.0.130", S[4][0], 700, 80)
    lab.expect("lan", raw, pkt.xlate(raw, src=POOL[4][1]))
    raw = pkt.tcp("10.0.0.130", S[4][0], 700, 2000)
    lab.expect("lan", raw, pkt.xlate(raw))
    raw = pkt.tcp("10.0.0.130", S[4][0], 700, 1023)
    lab.expect("lan", raw, pkt.xlate(raw, src=POOL[4][2]))
    outward(lab, "udp", C[4][0], ports=range(1024, 2001))
    outward(lab, "udp", C[6][0], dst=S[6][0])


@case("two files of both families, standard input, and options")
def command():
    both, _ = translate("plain4.save", "plain6.save")
    joined, _ = translate(data=text("plain4.save") + text("plain6.save"))
    differ("\n".join(rules(joined)), "\n".join(rules(both)), "one stream")
    true("src 0.0.0.0/0" in both and "src ::/0" in both, "a family is missing")
    rfc, _ = translate("--profile", "rfc", "plain6.save")
    equal(rfc, text("plain6.conf").split("\n", 1)[1], "without the profile")
    bare = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o a -j MASQUERADE\nCOMMIT\n"
    true("taken for IPv4" in translate(data=bare)[0], "the family was guessed")
    true("src ::/0 masquerade" in translate("-6", data=bare)[0], "-6 is not heard")
    for words in (["--profile", "none"], ["--profile"], ["-7"]):
        equal(userctl("translate", *words, ok=False)[0], 2, "exit code of %r" % words)
    equal(userctl("translate", "/nonexistent", ok=False)[0], 1, "exit code of no file")
    for data, what in (("{", "no JSON"), ("{}", "not what nft"), ("hello", "neither"),
                       ("*nat\n:A - [0:0]\n", "COMMIT is missing")):
        true(what in translate(data=data)[1], "%r in %r" % (what, translate(data=data)))


@case("as JSON")
def as_json():
    told = query("translate", "docker.save")
    equal([line["statement"] for line in told["configuration"]],
          rules(text("docker.conf")), "statements")
    equal(told["refused"], [], "refusals")
    code, out, err = userctl("--json", "translate", "refused.save", ok=False)
    equal((code, err), (1, ""), "exit code and standard error")
    first = [r for r in json.loads(out)["refused"] if r.get("line") == 11]
    equal([(r["file"], r["column"], r["reason"].split(":")[-1]) for r in first],
          [("refused.save", 15, " natty has no match for it")], "a refusal")


@case("packets: Docker")
def docker():
    use_as("docker.save", docker0="lan0", lan="172.17.0.0/16 10.0.0.0/24",
           one="172.17.0. 10.0.0.", two="172.18.0.2 10.0.0.4")
    inward(lab, "tcp", dport=8080, to=[C[4][0]], ports=[80])
    inward(lab, "tcp", dst=POOL[4][4], dport=9005, to=[C[4][2]], ports=[9005])
    lab.nothing("wan", pkt.tcp(S[4][0], "198.51.100.77", 999, 8080))
    outward(lab, "udp")
    outward(lab, "icmp")
    # Its own port, from inside: the rule for docker0 returns.
    seen = lab.swap("lan", pkt.tcp(C[4][1], POOL[4][0], 999, 8080))
    equal([(pkt.View(p).src, pkt.View(p).flags) for p in seen["lan"]],
          [(POOL[4][0], pkt.RST | pkt.ACK)], "answer of the router's own port")


@case("packets: libvirt")
def libvirt():
    use_as("libvirt.save", net="192.168.122. 10.0.0.")
    outward(lab, "tcp", sport=1000, ports=range(1024, 65536))
    outward(lab, "udp", sport=1001, ports=range(1024, 65536))
    outward(lab, "icmp")


@case("packets: miniupnpd")
def miniupnpd():
    use("miniupnpd.save")
    inward(lab, "tcp", dport=51413, to=[C[4][0]], ports=[51413])
    inward(lab, "udp", src=S[4][1], dport=6881, to=[C[4][1]], ports=[6882])
    lab.nothing("wan", pkt.udp(S[4][0], "198.51.100.77", 999, 6881))
    outward(lab, "udp", C[4][1], sport=6882, ports=[6881])


ktap.main()
