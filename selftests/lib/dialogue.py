# SPDX-License-Identifier: GPL-2.0
"""TCP connections as dialogues, every segment compared byte for byte.

A dialogue is written as segments: "c SYN" from the client, "s SYN ACK" from
the server, each with what the connection's state must be after it.
"""
import ktap
import pkt
from ctl import apply
from flow import listed, port
from ktap import equal, true
from lab import C, INSIDE, S, X

FLAG = {"FIN": pkt.FIN, "SYN": pkt.SYN, "RST": pkt.RST, "ACK": pkt.ACK,
        "PSH": pkt.PSH, "URG": pkt.URG}
OPTS = b"\2\4\5\xb4\1\3\3\7\4\2\1\1"        # MSS, window scale 7, SACK permitted


class Dialogue:
    """One connection: both ends' sequence numbers and the NAT between."""

    def __init__(self, lab, family=4, more="", before="", dport=80):
        """C1 to S1 behind a rule masquerade, @more at its end, @before it."""
        apply("%srule postrouting oif wan0 src %s masquerade%s\n"
              % (before, INSIDE[family], more))
        self.lab, self.dport = lab, dport
        self.client, self.server = C[family][0], S[family][0]
        self.outer = X[family]
        self.sport, self.outside = port(), None
        self.next = {"c": 0x7ffffff0, "s": 0xfffffff0}  # both wrap soon

    def segment(self, who, words, offset=0, payload=b"", **kw):
        """The bytes that one end sends; @offset shifts its sequence number."""
        flags = 0
        for word in words:
            flags |= FLAG[word]
        other = "s" if who == "c" else "c"
        seq = self.next[who] + offset
        ack = self.next[other] if flags & pkt.ACK else 0
        if flags & pkt.SYN:
            kw.setdefault("opts", OPTS)
        if not offset and not flags & pkt.RST:
            self.next[who] += len(payload) + bool(flags & (pkt.SYN | pkt.FIN))
        if who == "c":
            return pkt.tcp(self.client, self.server, self.sport, self.dport, flags, seq,
                           ack, payload, **kw)
        return pkt.tcp(self.server, self.outer, self.dport, self.outside or self.sport,
                       flags, seq, ack, payload, **kw)

    def say(self, line, **kw):
        """Send one segment through the NAT and check every byte of it."""
        who, *words = line.split()
        raw = self.segment(who, words, **kw)
        if who == "c":
            got = self.lab.through("lan", raw)
            self.outside = self.outside or pkt.View(got).sport
            pkt.same(got, pkt.xlate(raw, src=self.outer, sport=self.outside), line)
        else:
            self.lab.expect("wan", raw, pkt.xlate(raw, dst=self.client,
                                                  dport=self.sport))

    def entry(self):
        return listed("tcp", self.client, self.sport)

    def state(self):
        return self.entry()["state"]

    def play(self, *steps):
        """Each step: (segment, state after it)."""
        for line, state in steps:
            self.say(line)
            equal(self.state(), state, "state after " + line)

    def open(self):
        self.play(("c SYN", "syn-sent"), ("s SYN ACK", "syn-received"),
                  ("c ACK", "established"))
        self.say("c PSH ACK", payload=b"request")
        self.say("s PSH ACK", payload=b"response")
        self.say("c ACK")
        equal(self.state(), "established", "state after data")
        return self

    def expires(self, limit):
        """The time left must be the limit, less the moments of this test."""
        left = self.entry()["expires"]
        true(limit - ktap.patience(3) <= left <= limit,
             "expires in %d s, expected about %d" % (left, limit))
