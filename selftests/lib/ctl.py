# SPDX-License-Identifier: GPL-2.0
"""userctl as the tests use it."""
import json

import ktap
from lab import INSIDE, run


def userctl(*args, data="", ok=True):
    """Run userctl; returns (exit code, stdout, stderr)."""
    return run(["userctl", *args], data, ok)


def query(*args):
    """The parsed output of userctl --json ..."""
    text = userctl("--json", *args)[1]
    try:
        return json.loads(text)
    except ValueError as exc:
        raise ktap.Fail("userctl --json %s: %s in %r" % (
            " ".join(args), exc, text[:300])) from exc


def apply(config):
    """Replace the configuration and forget every connection."""
    userctl("apply", "-", data=config)
    userctl("conn", "flush")


def masquerade(family, more="", before=""):
    """Apply that for the hosts inside; @more: words of the rule, @before: lines."""
    apply("%srule postrouting oif wan0 src %s masquerade%s\n"
          % (before, INSIDE[family], more))


def at(addr, ports):
    """ADDR:PORTS as the configuration spells it."""
    return ("[%s]:%s" if ":" in addr else "%s:%s") % (addr, ports)


def refused(config):
    """Apply what must be refused; returns the message."""
    code, _, err = userctl("apply", "-", data=config, ok=False)
    ktap.equal(code, 1, "exit code for %r (said %r)" % (config, err))
    ktap.true(err.strip(), "no message for %r" % config)
    return err


def conns(*words):
    return query("conn", "list", *words)["connections"]


def conn(*words):
    """The one connection that the words select."""
    found = conns(*words)
    if len(found) != 1:
        raise ktap.Fail("conn list %s: %d connections: %r" % (
            " ".join(words), len(found), found))
    return found[0]


def state(*words):
    """The state of the one connection, spelt with dashes."""
    return conn(*words)["state"].lower().replace("_", "-")


def stats():
    """Every counter: {name: number}."""
    return query("stats")["stats"]


def moved(before):
    """The counters that have changed since stats() gave @before."""
    return {k: v - before.get(k, 0) for k, v in stats().items()
            if v != before.get(k, 0)}


def setting(key):
    """The value of a setting."""
    found = query("get", key)["settings"]
    ktap.equal([s["key"] for s in found], [key], "userctl get " + key)
    return found[0]["value"]
