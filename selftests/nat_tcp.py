#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The TCP state machine, as userctl shows it after every segment.

    C1 10.0.0.2 --- lan0 [router] wan0 --- S1 198.51.100.10
    fd00:a::2         198.51.100.1         2001:db8:1::10

lib/dialogue.py says how a dialogue is written.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import ktap                                 # noqa: E402
import pkt                                  # noqa: E402
from ctl import apply, conns, setting, userctl  # noqa: E402
from dialogue import Dialogue               # noqa: E402
from flow import port                       # noqa: E402
from ktap import case, each, equal, true    # noqa: E402
from lab import C, INSIDE, S, X, Lab        # noqa: E402

lab = Lab()


def dialogue(*args, **kw):
    return Dialogue(lab, *args, **kw)


@each("handshake, data and the established timer")
def handshake(family):
    d = dialogue(family)
    d.say("c SYN")
    equal(d.state(), "syn-sent", "state")
    d.expires(240)
    d.say("s SYN ACK")
    equal(d.state(), "syn-received", "state")
    d.expires(240)
    d.say("c ACK")
    d.expires(7440)
    for _ in range(20):
        d.say("c PSH ACK", payload=b"x" * 1000)
        d.say("s ACK")
        d.say("s PSH ACK", payload=b"y" * 1000)
        d.say("c ACK")
    d.expires(7440)


@each("the client closes first")
def client_first(family):
    d = dialogue(family).open()
    d.play(("c FIN ACK", "fin-wait"))
    d.expires(7440)
    d.play(("s ACK", "close-wait"))
    d.expires(7440)
    d.play(("s FIN ACK", "last-ack"))
    d.expires(240)
    d.play(("c ACK", "time-wait"))
    d.expires(240)


@each("the server closes first")
def server_first(family):
    d = dialogue(family).open()
    d.play(("s FIN ACK", "fin-wait"), ("c ACK", "close-wait"),
           ("c FIN ACK", "last-ack"), ("s ACK", "time-wait"))
    d.expires(240)


@each("both close at once")
def both_close(family):
    d = dialogue(family).open()
    crossing = d.segment("s", ["FIN", "ACK"])   # sent before C's FIN arrives
    d.next["s"] -= 1
    d.say("c FIN ACK")
    d.next["s"] += 1
    lab.expect("wan", crossing, pkt.xlate(crossing, dst=d.client, dport=d.sport))
    equal(d.state(), "last-ack", "state after two FINs")
    d.say("c ACK")
    d.say("s ACK")
    equal(d.state(), "time-wait", "state after two ACKs")


@each("half close: the other side sends on")
def half_close(family):
    d = dialogue(family).open()
    d.play(("c FIN ACK", "fin-wait"), ("s ACK", "close-wait"))
    for _ in range(5):
        d.say("s PSH ACK", payload=b"z" * 1200)
        d.say("c ACK")
    equal(d.state(), "close-wait", "state while the server sends")
    d.play(("s FIN ACK", "last-ack"), ("c ACK", "time-wait"))


@case("FIN with data, lost and sent again")
def fin_again():
    d = dialogue().open()
    d.say("c FIN PSH ACK", payload=b"last words")
    d.next["c"] -= 11
    d.say("c FIN PSH ACK", payload=b"last words")
    equal(d.state(), "fin-wait", "state after the same FIN again")


@each("simultaneous open")
def simultaneous(family):
    d = dialogue(family)
    d.play(("c SYN", "syn-sent"))
    raw = d.segment("s", ["SYN"])
    lab.expect("wan", raw, pkt.xlate(raw, dst=d.client, dport=d.sport))
    equal(d.state(), "syn-received", "state after both SYNs")
    d.next["c"] -= 1
    d.say("c SYN ACK")
    d.next["s"] -= 1
    d.say("s SYN ACK")
    d.say("c ACK")
    equal(d.state(), "established", "state")
    d.say("s PSH ACK", payload=b"data")
    d.expires(7440)


@each("an RST in the window ends the connection")
def reset(family):
    for who in "cs":
        d = dialogue(family).open()
        d.say(who + " RST ACK")
        equal(d.state(), "close", "state after RST of " + who)
        d.expires(240)


@each("an RST with a wrong sequence number is not believed")
def wrong_reset(family):
    d = dialogue(family).open()
    for offset in (-0x10000000, 0x10000000, 0x7fffffff):
        raw = d.segment("s", ["RST"], offset=offset)
        lab.swap("wan", raw)
        equal(d.state(), "established", "state after RST at %+d" % offset)
    d.expires(7440)
    d.say("c PSH ACK", payload=b"still here")
    d.say("s PSH ACK", payload=b"so am I")
    equal(d.state(), "established", "state")


@each("an RST refuses a SYN")
def refused_syn(family):
    d = dialogue(family)
    d.play(("c SYN", "syn-sent"))
    d.say("s RST ACK")
    equal(d.state(), "close", "state")


@each("a SYN in time-wait opens the connection again")
def reopen(family):
    d = dialogue(family).open()
    d.play(("c FIN ACK", "fin-wait"), ("s ACK", "close-wait"),
           ("s FIN ACK", "last-ack"), ("c ACK", "time-wait"))
    d.next["c"] += 100000
    d.next["s"] = 5000
    d.open()
    d.expires(7440)


@each("a SYN after an RST opens the connection again")
def reopen_reset(family):
    d = dialogue(family).open()
    d.say("c RST ACK")
    d.next["c"] += 100000
    d.next["s"] = 5000
    d.open()


@case("a SYN sent again does not change the state")
def syn_again():
    d = dialogue()
    d.play(("c SYN", "syn-sent"))
    d.next["c"] -= 1
    d.play(("c SYN", "syn-sent"), ("s SYN ACK", "syn-received"))
    d.next["s"] -= 1
    d.play(("s SYN ACK", "syn-received"), ("c ACK", "established"))


@case("a stray SYN leaves an established connection alone")
def stray_syn():
    d = dialogue().open()
    raw = d.segment("c", ["SYN"], offset=-0x20000000)
    lab.swap("lan", raw)
    equal(d.state(), "established", "state after the SYN")
    d.say("c PSH ACK", payload=b"on we go")
    d.say("s ACK")


@case("an outsider's SYN does not reset the timer of a connection")
def outside_syn():
    d = dialogue(more=" filtering address-and-port-dependent").open()
    raw = pkt.tcp(S[4][1], X[4], 80, d.outside)
    equal(lab.swap("wan", raw)["lan"], [], "packets on lan0")
    equal(d.state(), "established", "state")


def expiry(family, key, steps):
    """The connection is gone when the shortened timer has run out."""
    before = "set timeout.tcp-%s 2\n" % key
    if key == "established":
        before += "set timeout.tcp-transitory 60\n"
    d = dialogue(family, before=before)
    for line in steps:
        d.say(line)
    outside = d.outside
    left = d.entry()["expires"]
    true(left <= 2, "%s expires in %d s, expected 2" % (d.state(), left))
    time.sleep(3.2)
    found = [c for c in conns("src", d.client) if c["orig"]["sport"] == d.sport]
    equal(found, [], "connections after the timer")
    raw = pkt.tcp(d.server, d.outer, 80, outside, pkt.ACK, d.next["s"], d.next["c"])
    equal(lab.swap("wan", raw)["lan"], [], "what still gets in")


OPEN = ["c SYN", "s SYN ACK", "c ACK"]
for _key, _steps in (
        ("syn-sent", OPEN[:1]), ("syn-received", OPEN[:2]), ("established", OPEN),
        ("fin-wait", OPEN + ["c FIN ACK"]),
        ("close-wait", OPEN + ["c FIN ACK", "s ACK"]),
        ("last-ack", OPEN + ["c FIN ACK", "s ACK", "s FIN ACK"]),
        ("time-wait", OPEN + ["c FIN ACK", "s ACK", "s FIN ACK", "c ACK"]),
        ("close", OPEN + ["c RST ACK"])):
    case("timeout.tcp-%s runs out" % _key, family=6 if len(_steps) % 2 else 4,
         key=_key, steps=_steps)(expiry)


@case("a packet refreshes the established timer")
def refresh():
    d = dialogue(before="set timeout.tcp-established 4\n").open()
    for who in "cs" * 2:
        time.sleep(1.5)
        d.say(who + " PSH ACK", payload=b"alive")
        true(d.entry()["expires"] >= 3, "expires in %d s after data of %s"
             % (d.entry()["expires"], who))
    equal(d.state(), "established", "state")


@case("defaults as RFC 5382 and RFC 7857 ask for")
def defaults():
    userctl("apply", "-", data="")
    for key, least in (("tcp-established", 7440), ("tcp-transitory", 240),
                       ("tcp-syn-sent", 240), ("tcp-fin-wait", 7440),
                       ("tcp-close", 240), ("udp", 300), ("icmp", 60)):
        equal(setting("timeout." + key), least, "timeout." + key)


@case("the iptables profile's timers")
def iptables_timers():
    userctl("apply", "-", data="set profile iptables\n")
    for key, value in (("syn-sent", 120), ("syn-received", 60),
                       ("established", 432000), ("fin-wait", 120),
                       ("close-wait", 60), ("last-ack", 30), ("time-wait", 120),
                       ("close", 10)):
        equal(setting("timeout.tcp-" + key), value, "timeout.tcp-" + key)
    userctl("apply", "-", data="")


@each("mid-stream pickup is a setting")
def pickup(family):
    for word, passes in (("on", True), ("off", False)):
        apply("set tcp.loose %s\nrule postrouting oif wan0 src %s masquerade\n"
              % (word, INSIDE[family]))
        raw = pkt.tcp(C[family][0], S[family][0], port(), 80, pkt.ACK, 99, 77)
        seen = lab.swap("lan", raw)["wan"]
        equal(len(seen), passes, "packets on wan0 with tcp.loose " + word)
        if passes:
            v = pkt.View(seen[0])
            pkt.same(seen[0], pkt.xlate(raw, src=X[family], sport=v.sport))


if __name__ == "__main__":
    ktap.main(setup=lab.collect)
