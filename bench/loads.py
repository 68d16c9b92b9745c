"""The loads by the raw driver, with their marks. Used by `run`."""

import json
import subprocess
from dataclasses import dataclass

from contestants import BUILT, ContestantError, die_with_parent
from marks import at_least, at_most

THROUGHPUT = ("mb_per_s", "records_per_s", "cpu_s_per_gb", "p50_ms", "p99_ms", "rss_peak_mb")
REQUESTS = ("requests_per_s", "cpu_us_per_request", "p50_ms", "p99_ms", "rss_peak_mb")
# Apache Kafka with a topic that syncs before it acknowledges.
KAFKA_SYNCED = "kafka-synced"
MANY = "--connections 100 --partitions 1000 --records 1 --record-bytes 200"


@dataclass(frozen=True)
class Load:
    title: str
    arguments: str
    figures: tuple
    marks: tuple
    produces: bool = True


LOADS = {
    "64x1KB": Load(
        "4 connections x 4 in flight, 64 x 1 KB a request",
        "produce --records 64 --record-bytes 1024",
        THROUGHPUT,
        (
            at_least("mb_per_s", 0.65, "floor"),
            at_least("mb_per_s", 1.0, "kafka"),
            at_most("cpu_s_per_gb", 1.5, "floor"),
        ),
    ),
    "600x100B": Load(
        "4 connections x 4 in flight, 600 x 100 B a request",
        "produce --records 600 --record-bytes 100",
        THROUGHPUT,
        (at_least("records_per_s", 1.0, "kafka"),),
    ),
    "1000x1KB": Load(
        "4 connections x 4 in flight, 1 000 x 1 KB a request",
        "produce --records 1000 --record-bytes 1024",
        THROUGHPUT,
        (at_least("mb_per_s", 0.65, "floor"), at_most("cpu_s_per_gb", 1.6, "floor")),
    ),
    "fetch": Load(
        "Fetch of 1 KB records from cache, 4 connections, 1 MB an answer",
        "fetch --records 64 --record-bytes 1024 --fill-mb 1000",
        THROUGHPUT,
        (at_least("mb_per_s", 0.9, "kafka"), at_most("cpu_s_per_gb", 1.0, "kafka")),
        produces=False,
    ),
    "100conn-1": Load(
        "100 connections, 1 000 partitions, 1 x 200 B a request, one in flight",
        f"produce {MANY} --in-flight 1",
        REQUESTS,
        (
            at_least("requests_per_s", 0.75, "floor"),
            at_most("cpu_us_per_request", 1.6, "floor"),
            at_most("p99_ms", 2.0, "floor"),
        ),
    ),
    "100conn-10": Load(
        "100 connections, 1 000 partitions, 1 x 200 B a request, ten in flight",
        f"produce {MANY} --in-flight 10",
        REQUESTS,
        (at_least("requests_per_s", 0.5, "floor"),),
    ),
    "1conn": Load(
        "One connection, one in flight, 1 x 200 B a request",
        "produce --connections 1 --partitions 1 --records 1 --record-bytes 200 --in-flight 1",
        REQUESTS,
        (at_most("p50_ms", 1.3, "floor"),),
    ),
    "idle": Load(
        "1 000 connections, 1 000 partitions, one request a second each",
        "idle --connections 1000 --partitions 1000",
        REQUESTS,
        (),
    ),
}


def command(load, address, pid, seconds, topic_config=()):
    """The driver's command line for a load."""
    configs = [part for config in topic_config for part in ("--topic-config", config)]
    target = ["--address", address, "--pid", str(pid), "--seconds", str(seconds)]
    return [str(BUILT / "driver"), *load.arguments.split(), *target, *configs]


def run(load, contestant, seconds, topic_config=()):
    """One turn: {figure: value}."""
    arguments = [*command(load, contestant.address, contestant.pid, seconds, topic_config), "--json"]
    budget_s = 180 + 3 * seconds
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=budget_s, preexec_fn=die_with_parent
        )
    except subprocess.TimeoutExpired:
        raise ContestantError(f"{contestant.name}: over {budget_s:.0f} s") from None
    if done.returncode != 0:
        raise ContestantError(f"{contestant.name}: {done.stderr.strip()}{contestant.obituary()}")
    report = json.loads(done.stdout)
    figures = {key: report[key] for key in ("mb_per_s", "records_per_s", "requests_per_s")}
    figures |= {f"{key}_ms": value for key, value in report["latency_ms"].items()}
    figures |= {key: report["broker"][key] for key in ("cpu_s_per_gb", "cpu_us_per_request", "rss_peak_mb")}
    return figures
