"""The few lines of test runner that the Python client suites share.

A suite registers functions with `@case`, waits with `until`, and ends with `main()`, which prints a
line per case and `N passed, N failed`.
"""

import argparse
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback

CASES = []
CASE_DEADLINE_S = 120
BOOTSTRAP = ""

_run = f"{os.getpid()}-{int(time.time())}"
_numbers = itertools.count(1)


class Deadline(Exception):
    """A condition did not come true in time."""


def case(function):
    CASES.append(function)
    return function


def unique(prefix):
    """A topic or group name nobody used before, also on a broker that outlives this run."""
    return f"{prefix}-{_run}-{next(_numbers)}"


def until(condition, what, deadline_s=60):
    """Calls `condition` until it returns something true, and returns that."""
    end = time.monotonic() + deadline_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Deadline(f"{what}: not so after {deadline_s} s")
        time.sleep(0.02)


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what}: expected {shorten(expected)}, got {shorten(actual)}")


class Process:
    """A client that keeps running; its output is read from files as it grows."""

    def __init__(self, command):
        self.files = [tempfile.NamedTemporaryFile("w+"), tempfile.NamedTemporaryFile("w+")]
        out, err = self.files
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.terminate()

    def terminate(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stdout(self):
        return pathlib.Path(self.files[0].name).read_text()

    def stderr(self):
        return pathlib.Path(self.files[1].name).read_text()


def shorten(value):
    text = repr(value)
    return text if len(text) < 400 else text[:400] + "..."


def main():
    global BOOTSTRAP
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    args = parser.parse_args()
    BOOTSTRAP = args.bootstrap
    signal.signal(signal.SIGALRM, on_alarm)

    failed = 0
    chosen = [c for c in CASES if args.only in c.__name__]
    for function in chosen:
        begin = time.monotonic()
        signal.alarm(CASE_DEADLINE_S)
        try:
            function()
            verdict = "ok  "
        except Exception as error:
            failed += 1
            verdict = "FAIL"
            explain(error)
        finally:
            signal.alarm(0)
        print(f"{verdict} {function.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.stdout.flush()
    # Client libraries may keep threads alive after a failed case; the verdict is out.
    os._exit(1 if failed or not chosen else 0)


def explain(error):
    """The suite's own lines that led to the error; a client library's are of no help here."""
    for frame in traceback.extract_tb(error.__traceback__):
        if "suites" in frame.filename:
            print(f"  {frame.name}, line {frame.lineno}: {frame.line}")
    print(f"  {type(error).__name__}: {error}")


def on_alarm(*_):
    raise Deadline(f"the case took more than {CASE_DEADLINE_S} s")
