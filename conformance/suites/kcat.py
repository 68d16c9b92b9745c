"""kcat (librdkafka 2.0.2 of Debian): produce, consume, groups, metadata and offsets on the command line."""

import json
import subprocess
import time

import cases
from cases import case, equal, unique, until

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
PARTITIONS = 4


def kcat(*args, stdin="", expect=0):
    """Runs kcat to its end; returns stdout."""
    command = ["kcat", "-b", cases.BOOTSTRAP, *args]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    if done.returncode != expect:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def produce(topic, lines, *args):
    # One request in flight keeps the order when a new topic's first batch is retried.
    in_order = ["-X", "max.in.flight=1"]
    kcat("-P", "-t", topic, *in_order, *args, stdin="".join(f"{line}\n" for line in lines))


def consume(topic, *args):
    """Everything from the start to the end, as kcat's JSON envelopes."""
    return envelopes(kcat("-C", "-q", "-t", topic, "-o", "beginning", "-e", "-J", *args))


def envelopes(text):
    return [json.loads(line) for line in text.splitlines()]


def payloads(records):
    return [record["payload"] for record in records]


@case
def produce_creates_the_topic():
    topic = unique("kcat")
    produce(topic, ["first"])
    equal(payloads(consume(topic)), ["first"])
    [described] = json.loads(kcat("-L", "-J", "-t", topic))["topics"]
    equal(len(described["partitions"]), PARTITIONS, "num.partitions of an auto-created topic")


@case
def unknown_topic_is_not_created_by_consumers():
    topic = unique("kcat")
    kcat("-C", "-q", "-t", topic, "-e", expect=1)
    names = [t["topic"] for t in json.loads(kcat("-L", "-J"))["topics"]]
    equal(topic in names, False, "topic exists")


@case
def keys_headers_and_nulls():
    topic = unique("kcat")
    produce(topic, ["k1:v1"], "-p", "0", "-K:", "-H", "a=1", "-H", "a=2", "-H", "empty=", "-H", "null")
    produce(topic, ["k2:"], "-p", "0", "-K:", "-Z")
    produce(topic, [":v3"], "-p", "0", "-K:", "-Z")
    first, second, third = consume(topic, "-p", "0")
    equal((first["key"], first["payload"]), ("k1", "v1"))
    equal(first["headers"], ["a", "1", "a", "2", "empty", "", "null", None], "headers in order")
    equal((second["key"], second["payload"]), ("k2", None), "null value")
    equal((third["key"], third["payload"]), (None, "v3"), "null key")
    equal([r["offset"] for r in (first, second, third)], [0, 1, 2])


@case
def every_codec():
    for codec in CODECS:
        topic = unique(f"kcat-{codec}")
        lines = [f"{codec} line {n} " + "x" * (n % 300) for n in range(3000)]
        produce(topic, lines, "-p", "1", "-z", codec)
        records = consume(topic, "-p", "1")
        equal(payloads(records), lines, codec)
        equal([r["offset"] for r in records], list(range(len(lines))), codec)


@case
def every_acks_and_idempotence():
    topic = unique("kcat")
    for acks in ["0", "1", "all"]:
        produce(topic, [f"acks {acks}"], "-p", "0", "-X", f"acks={acks}")
        # acks=0 is not answered: wait until the record shows before the next is sent.
        until(lambda: f"acks {acks}" in payloads(consume(topic, "-p", "0")), f"acks={acks} readable")
    produce(topic, ["idempotent 1", "idempotent 2"], "-p", "0", "-X", "enable.idempotence=true")
    expected = ["acks 0", "acks 1", "acks all", "idempotent 1", "idempotent 2"]
    equal(payloads(consume(topic, "-p", "0")), expected)


@case
def records_up_to_the_limit():
    topic = unique("kcat")
    big = "b" * 900_000
    produce(topic, [big], "-p", "0")
    equal(payloads(consume(topic, "-p", "0")), [big])
    too_big = "c" * 1_200_000
    kcat("-P", "-t", topic, "-p", "0", "-X", "message.max.bytes=2000000", stdin=too_big, expect=1)
    equal(len(consume(topic, "-p", "0")), 1, "records after one too large")


@case
def below_the_floor_is_refused():
    """Produce v0-2 are advertised for librdkafka's sake and must still be refused."""
    topic = unique("kcat")
    produce(topic, ["kept"], "-p", "0")
    old = ["-X", "api.version.request=false", "-X", "broker.version.fallback=0.9.0", "-X", "message.timeout.ms=3000"]
    kcat("-P", "-t", topic, "-p", "0", *old, stdin="lost", expect=1)
    equal(payloads(consume(topic, "-p", "0")), ["kept"])


@case
def metadata_json():
    topic = unique("kcat")
    produce(topic, ["x"])
    metadata = json.loads(kcat("-L", "-J"))
    [broker] = metadata["brokers"]
    equal(broker["name"], cases.BOOTSTRAP)
    equal(metadata["controllerid"], broker["id"], "controller")
    [described] = [t for t in metadata["topics"] if t["topic"] == topic]
    for partition in described["partitions"]:
        equal(partition["leader"], broker["id"])
        equal(partition["replicas"], [{"id": broker["id"]}])
        equal(partition["isrs"], [{"id": broker["id"]}])
    equal([p["partition"] for p in described["partitions"]], list(range(PARTITIONS)))


@case
def offset_queries():
    topic = unique("kcat")
    produce(topic, ["a", "b", "c"], "-p", "2")
    times = [r["ts"] for r in consume(topic, "-p", "2")]
    past, future = times[0] - 10_000, times[-1] + 10_000
    for asked, offset in {-2: 0, -1: 3, past: 0, times[0]: 0, future: -1}.items():
        answer = kcat("-Q", "-t", f"{topic}:2:{asked}")
        equal(answer.strip(), f"{topic} [2] offset {offset}", f"offset for {asked}")
    as_json = json.loads(kcat("-Q", "-J", "-t", f"{topic}:2:-1"))
    equal(as_json[topic]["2"]["offset"], 3, "as JSON")


@case
def consume_by_timestamp():
    topic = unique("kcat")
    for batch in range(3):
        produce(topic, [f"{batch}-{n}" for n in range(5)], "-p", "0")
        spaced = consume(topic, "-p", "0")[-1]["ts"]
        # Batches need distinct timestamps: wait for the clock's next milliseconds.
        until(lambda: time.time() * 1000 > spaced + 5, "the clock to move")
    records = consume(topic, "-p", "0")
    start, end = records[5]["ts"], records[10]["ts"]
    window = ["-C", "-q", "-t", topic, "-p", "0", "-J", "-e", "-o", f"s@{start}", "-o", f"e@{end}"]
    equal(payloads(envelopes(kcat(*window))), [f"1-{n}" for n in range(5)])


@case
def consume_ranges():
    topic = unique("kcat")
    produce(topic, range(100), "-p", "3")
    tail = kcat("-C", "-q", "-t", topic, "-p", "3", "-o", "-7", "-e")
    equal(tail.split(), [str(n) for n in range(93, 100)], "last seven")
    middle = kcat("-C", "-q", "-t", topic, "-p", "3", "-o", "40", "-c", "5")
    equal(middle.split(), ["40", "41", "42", "43", "44"], "five from offset 40")


@case
def a_waiting_consumer_is_woken():
    topic = unique("kcat")
    produce(topic, ["before"], "-p", "0")
    # Were the parked fetch not completed by the append, the record would take five seconds.
    wait = ["-X", "fetch.wait.max.ms=5000"]
    with Kcat("-C", "-u", "-t", topic, "-p", "0", "-o", "end", *wait) as consumer:
        until(lambda: "Reached end of topic" in consumer.stderr(), "the consumer at the end")
        begin = time.monotonic()
        produce(topic, ["after"], "-p", "0")
        until(lambda: "after" in consumer.stdout(), "the record", 20)
        assert time.monotonic() - begin < 3, "the fetch waited for its time out"


@case
def a_group_commits_and_resumes():
    topic, group = unique("kcat"), unique("group")
    read = ["-G", group, "-q", "-e", "-X", "auto.offset.reset=earliest", topic]
    produce(topic, [f"first {n}" for n in range(200)])
    equal(sorted(kcat(*read).splitlines()), sorted(f"first {n}" for n in range(200)))
    produce(topic, [f"second {n}" for n in range(100)])
    equal(sorted(kcat(*read).splitlines()), sorted(f"second {n}" for n in range(100)))


@case
def two_members_share_a_group():
    topic, group = unique("kcat"), unique("group")
    produce(topic, ["warm"], "-p", "0")
    read = ["-G", group, "-u", "-X", "auto.offset.reset=earliest", topic]
    with Kcat(*read) as first:
        until(lambda: len(first.assigned()) == PARTITIONS, "the first member owns all")
        with Kcat(*read) as second:
            until(lambda: len(first.assigned()) == 2 and len(second.assigned()) == 2, "two each")
            equal(sorted(first.assigned() + second.assigned()), [0, 1, 2, 3], "assignment")
            lines = [f"shared {n}" for n in range(400)]
            produce(topic, lines)
            seen = lambda: sorted((first.stdout() + second.stdout()).splitlines())
            until(lambda: len(seen()) >= len(lines) + 1, "all records read")
            equal(seen(), sorted(lines + ["warm"]), "each record once")
        until(lambda: len(first.assigned()) == PARTITIONS, "the first member owns all again")


@case
def a_killed_member_is_missed():
    """No LeaveGroup: only the session timeout tells."""
    topic, group = unique("kcat"), unique("group")
    produce(topic, ["warm"], "-p", "0")
    session = ["-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=500"]
    read = ["-G", group, "-u", *session, topic]
    with Kcat(*read) as first, Kcat(*read) as second:
        until(lambda: len(first.assigned()) == 2 and len(second.assigned()) == 2, "two each")
        second.kill()
        until(lambda: len(first.assigned()) == PARTITIONS, "the survivor owns all", 20)


class Kcat(cases.Process):
    """A kcat that keeps running."""

    def __init__(self, *args):
        super().__init__(["kcat", "-b", cases.BOOTSTRAP, *args])

    def assigned(self):
        """Partitions of the last `Group G rebalanced (memberid M): assigned: t [0], t [1]`."""
        changes = [line for line in self.stderr().splitlines() if "rebalanced" in line]
        if not changes or "assigned: " not in changes[-1]:
            return []
        return [int(part.split("]")[0]) for part in changes[-1].split("[")[1:]]


if __name__ == "__main__":
    cases.main()
