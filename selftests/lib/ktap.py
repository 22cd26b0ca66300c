# SPDX-License-Identifier: GPL-2.0
"""KTAP version 1 for test programs: register cases, run them, print, exit.

A program registers functions with @case and ends with ktap.main(). Words on
its command line select the cases whose names contain one of them.
"""
import os
import sys
import time

PASS, FAIL, SKIP = 0, 1, 4  # kselftest's exit codes

SLOW = os.environ.get("NATTY_SLOW", "0") not in ("", "0")
_cases = []


class Skip(Exception):
    """The machine lacks something; the reason goes after # SKIP."""


class Fail(AssertionError):
    """An expectation that did not hold; each line becomes a diagnostic."""


def case(name, **kwargs):
    """Register a function as the case @name; kwargs are passed to it."""
    def register(func):
        _cases.append((name, func, kwargs))
        return func
    return register


def each(name, protos=None):
    """Register it once for each family, and for each of @protos if there are any."""
    def register(func):
        for family in (4, 6):
            for proto in protos or (None,):
                kwargs = {"family": family, **({"proto": proto} if proto else {})}
                words = [name, "ipv%d" % family, proto or ""]
                case(" ".join(words).rstrip(), **kwargs)(func)
        return func
    return register


def note(text):
    for line in str(text).splitlines():
        print("# " + line)


def patience(seconds):
    """A limit for waiting: generous where the machine is emulated."""
    return seconds * 8 if SLOW else seconds


def wait_until(predicate, seconds, what):
    """Poll until predicate() is true; its value is returned."""
    deadline = time.monotonic() + patience(seconds)
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Fail("waited in vain for " + what)
        time.sleep(0.05)


def equal(got, want, what):
    if got != want:
        raise Fail("%s: %r, expected %r" % (what, got, want))


def true(value, what):
    if not value:
        raise Fail(what)


def _diagnose(exc):
    """Print an unexpected exception with the lines that led to it."""
    import traceback  # slow to import, seldom needed

    note("".join(traceback.format_exception(exc)))


def _where(exc):
    """The test's own lines that led to a failed expectation."""
    tb, lines = exc.__traceback__, []
    while tb:
        name = tb.tb_frame.f_code.co_filename
        if "/lib/" not in name:
            lines.append("%s:%d" % (os.path.basename(name), tb.tb_lineno))
        tb = tb.tb_next
    return " ".join(lines)


def _run_one(number, name, func, kwargs, setup):
    try:
        if setup:
            setup()
        func(**kwargs)
        print("ok %d %s" % (number, name))
        return PASS
    except Skip as exc:
        print("ok %d %s # SKIP %s" % (number, name, exc))
        return SKIP
    except Fail as exc:
        note("at " + _where(exc))
        note(exc)
    except Exception as exc:  # a crash of the test is a failure
        _diagnose(exc)
    print("not ok %d %s" % (number, name))
    return FAIL


def skip_all(reason):
    print("KTAP version 1\n1..0 # SKIP " + reason)
    sys.exit(SKIP)


def main(setup=None):
    """Run the selected cases, each after setup(), and exit."""
    words = sys.argv[1:]
    chosen = [c for c in _cases
              if not words or any(w in c[0] for w in words)]
    sys.stdout.reconfigure(line_buffering=True)
    print("KTAP version 1\n1..%d" % len(chosen))
    results = [_run_one(i, name, func, kwargs, setup)
               for i, (name, func, kwargs) in enumerate(chosen, 1)]
    if FAIL in results:
        sys.exit(FAIL)
    sys.exit(SKIP if results and set(results) == {SKIP} else PASS)
