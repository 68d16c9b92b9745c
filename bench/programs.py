"""Apache Kafka's own client programs as loads, with their marks. Used by `run`."""

import re
import subprocess
import time
from dataclasses import dataclass

from contestants import ContestantError, die_with_parent, java
from marks import at_least, at_most

BUDGET_S = 300
TOOLS = "org.apache.kafka.tools."
PRODUCER = ("--command-property", "acks=all", "linger.ms=5", "batch.size=65536")
FIGURES = ("records_per_s", "cpu_s_per_million", "cpu_s_per_gb")


@dataclass(frozen=True)
class Part:
    """What one program shows: title, columns, marks."""

    title: str
    figures: tuple
    marks: tuple


PARTS = {
    "produce-100B": Part(
        "ProducerPerformance, 100 B, acks=all, linger.ms=5, batch.size=65536, 4 partitions",
        FIGURES,
        (at_least("records_per_s", 1.0, "kafka"), at_most("cpu_s_per_million", 1 / 3, "kafka")),
    ),
    "produce-1KB": Part(
        "ProducerPerformance, 1 KB, the same",
        FIGURES,
        (at_least("records_per_s", 1.0, "kafka"), at_most("cpu_s_per_gb", 1 / 3, "kafka")),
    ),
    "consume-100B": Part(
        "ConsumerPerformance, 100 B",
        FIGURES,
        (at_least("records_per_s", 1.0, "kafka"), at_most("cpu_s_per_million", 1.0, "kafka")),
    ),
    "consume-1KB": Part(
        "ConsumerPerformance, 1 KB",
        FIGURES,
        (at_least("records_per_s", 1.0, "kafka"), at_most("cpu_s_per_gb", 1.0, "kafka")),
    ),
    "end-to-end": Part(
        "EndToEndLatency, 100 B, acks=all",
        ("average_ms", "p50_ms", "p99_ms"),
        (at_most("average_ms", 1.0, "kafka"), at_most("p99_ms", 1.0, "kafka")),
    ),
}
# Records of a turn; the brokers' CPU is counted in ticks of 10 ms, so a turn must last.
RECORDS = {"100B": 5_000_000, "1KB": 1_000_000}
RECORD_BYTES = {"100B": 100, "1KB": 1000}
CONSUME_PASSES = 2
END_TO_END_RECORDS = 5000


def turn(contestant, round_number, scale):
    """All programs against one contestant: yields (name of the part, figures)."""
    for size, records in RECORDS.items():
        topic = f"bench-{size}-{round_number}"
        records = int(records * scale)
        create_topic(contestant, topic, 4)
        yield f"produce-{size}", produce(contestant, topic, records, RECORD_BYTES[size])
        yield f"consume-{size}", consume(contestant, topic, records, RECORD_BYTES[size])
        delete_topic(contestant, topic)
    topic = f"bench-latency-{round_number}"
    create_topic(contestant, topic, 1)
    yield "end-to-end", end_to_end(contestant, topic, int(END_TO_END_RECORDS * scale))
    delete_topic(contestant, topic)


def produce(contestant, topic, records, record_bytes):
    arguments = ["--topic", topic, "--num-records", records, "--record-size", record_bytes, "--throughput", -1]
    before_s = contestant.cpu_s()
    output = tool(contestant, "ProducerPerformance", *arguments, *PRODUCER)
    cpu_s = contestant.cpu_s() - before_s
    summary = output.strip().splitlines()[-1]
    found = re.search(rf"^{records} records sent, ([0-9.]+) records/sec", summary)
    if not found:
        raise ContestantError(f"{contestant.name}: ProducerPerformance said: {summary}")
    return {"records_per_s": float(found[1]), **cpu_figures(cpu_s, records, record_bytes)}


def consume(contestant, topic, records, record_bytes):
    """Several passes, each in a new group: a single one is short for the clock of /proc."""
    rates = []
    before_s = contestant.cpu_s()
    for number in range(CONSUME_PASSES):
        group = f"{topic}-{time.monotonic_ns()}-{number}"
        output = tool(contestant, "ConsumerPerformance", "--topic", topic, "--num-records", records, "--group", group)
        # start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, ...
        fields = output.strip().splitlines()[-1].split(", ")
        if len(fields) < 10 or int(fields[4]) < records:
            raise ContestantError(f"{contestant.name}: ConsumerPerformance said: {output.strip()}")
        rates.append(float(fields[9]))
    cpu_s = contestant.cpu_s() - before_s
    rate = sum(rates) / len(rates)
    return {"records_per_s": rate, **cpu_figures(cpu_s, records * CONSUME_PASSES, record_bytes)}


def end_to_end(contestant, topic, records):
    arguments = ["--topic", topic, "--num-records", records, "--producer-acks", "all", "--record-size", 100]
    output = tool(contestant, "EndToEndLatency", *arguments)
    average = re.search(r"Avg latency: ([0-9.]+) ms", output)
    percentiles = re.search(r"50th = ([0-9.]+), 99th = ([0-9.]+)", output)
    if not average or not percentiles:
        raise ContestantError(f"{contestant.name}: EndToEndLatency said: {output.strip()[-300:]}")
    figures = (average[1], percentiles[1], percentiles[2])
    return dict(zip(("average_ms", "p50_ms", "p99_ms"), map(float, figures)))


def cpu_figures(cpu_s, records, record_bytes):
    return {"cpu_s_per_million": cpu_s * 1e6 / records, "cpu_s_per_gb": cpu_s * 1e9 / (records * record_bytes)}


def create_topic(contestant, topic, partitions):
    tool(contestant, "TopicCommand", "--create", "--topic", topic, "--partitions", partitions)


def delete_topic(contestant, topic):
    tool(contestant, "TopicCommand", "--delete", "--topic", topic)


def tool(contestant, name, *arguments):
    """The output of one of Kafka's programs."""
    command = java(TOOLS + name, "--bootstrap-server", contestant.address, *arguments)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=BUDGET_S, preexec_fn=die_with_parent
        )
    except subprocess.TimeoutExpired:
        raise ContestantError(f"{contestant.name}: {name} took over {BUDGET_S} s") from None
    if done.returncode != 0:
        said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise ContestantError(f"{contestant.name}: {name} ended with {done.returncode}: {said}{contestant.obituary()}")
    return done.stdout
