"""The marks of size and start: ready, idle memory, binary, restart after a kill, build. Used by `run`."""

import json
import os
import shutil
import subprocess
import time

from contestants import BUILT, ENV, ROOT, READY_S, ContestantError, Ottla, die_with_parent, partitions_with_leader
from marks import at_most

MARKS = (
    at_most("ready_ms", 100),
    at_most("idle_rss_mb", 20),
    at_most("binary_mb", 20),
    at_most("restart_ms", 1000),
    at_most("leaders_ms", 1000),
    at_most("build_s", 300),
    at_most("test_s", 720),
)
FIGURES = tuple(mark.figure for mark in MARKS)
IDLE_S = 3
RESTART_PARTITIONS = 1000
RESTART_BYTES = 2_000_000_000
REQUEST_RECORDS, RECORD_BYTES = 64, 1024


def start_and_idle(kind, data):
    """Exec to ready on an empty folder, then memory at rest."""
    contestant = kind(data)
    try:
        ready_s = contestant.start()
        time.sleep(IDLE_S)
        return {"ready_ms": ready_s * 1e3, "idle_rss_mb": contestant.rss_mb()}
    finally:
        contestant.__exit__()


def binary():
    """As `cargo build --release` leaves it; the profile strips it."""
    return {"binary_mb": Ottla.binary.stat().st_size / 1e6}


def restart(data):
    """Fill, kill -9, start again; then read all of it back."""
    with Ottla(data) as ottla:
        requests = RESTART_BYTES // (REQUEST_RECORDS * RECORD_BYTES)
        payload = ["--records", REQUEST_RECORDS, "--record-bytes", RECORD_BYTES]
        driver(ottla, "produce", "--create", "--requests", requests, *payload)
        ottla.kill()
        begin = time.monotonic()
        restart_s = ottla.start()
        while partitions_with_leader(ottla.address, "bench-restart") != RESTART_PARTITIONS:
            if time.monotonic() - begin > READY_S:
                raise ContestantError(f"leaders are missing {READY_S} s after the restart")
            time.sleep(0.001)
        leaders_s = time.monotonic() - begin
        read = driver(ottla, "fetch", "--passes", 1, "--check-crc")
        if read["records"] != requests * REQUEST_RECORDS:
            raise ContestantError(f"{read['records']} of {requests * REQUEST_RECORDS} records after the restart")
    return {"restart_ms": restart_s * 1e3, "leaders_ms": leaders_s * 1e3}


def driver(contestant, mode, *arguments):
    target = ["--address", contestant.address, "--pid", contestant.pid]
    topic = ["--topic", "bench-restart", "--partitions", RESTART_PARTITIONS]
    command = [BUILT / "driver", mode, *target, *topic, *arguments, "--json"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, preexec_fn=die_with_parent
    )
    if done.returncode != 0:
        raise ContestantError(f"driver {mode}: {done.stderr.strip()}{contestant.obituary()}")
    return json.loads(done.stdout)


def build():
    """From nothing, in a target folder of its own; the sources of the dependencies are there already."""
    subprocess.run(["cargo", "fetch", "--locked"], cwd=ROOT, check=True, stdout=2)
    target = ENV / "build"
    shutil.rmtree(target, ignore_errors=True)
    try:
        build_s = timed(target, "cargo", "build", "--release", "--locked")
        return {"build_s": build_s, "test_s": timed(target, "cargo", "test", "--workspace", "--locked")}
    finally:
        shutil.rmtree(target, ignore_errors=True)


def timed(target, *command):
    begin = time.monotonic()
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=2, timeout=3600)
    return time.monotonic() - begin
