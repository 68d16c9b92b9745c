"""kill -9 under load, again and again: idempotent producers, acks=all, a group that commits.

Every cycle waits for progress since the last start (acknowledgements and a commit), kills the broker,
starts it on the same port and folder, and asks for the group's offsets. A fifth of the starts are
killed as well, at a random moment. history.py judges what the clients did and saw.
"""

import argparse
import pathlib
import random
import sys
import tempfile
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import brokers
import history as checker

TOPICS = ["kill9-a", "kill9-b", "kill9-c"]
PARTITIONS = 3
PLACES = [(topic, partition) for topic in TOPICS for partition in range(PARTITIONS)]
GROUP = "kill9-group"
BURST = 20
AHEAD_MAX = 2000
DEADLINE_S = 90
NEW_TOPIC_EVERY = 10
# Reconnect at once: the broker is away for a moment, and the load must be back before the next kill.
PATIENT = {"reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 200, "log_level": 0}
WRITERS = {
    "plain": {},
    "lz4": {"compression.type": "lz4", "linger.ms": 20},
}


def main():
    args = parse()
    random.seed(args.seed)
    print(f"{args.cycles} cycles, seed {args.seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kill9-"))
    history = checker.History(folder / "history.tsv")
    try:
        with brokers.open_broker(args.broker) as broker:
            if not broker.killable:
                raise SystemExit("kill9 needs a broker of its own: --broker ottla or kafka")
            Run(broker, history).whole(args.cycles)
    except (brokers.BrokerError, Stuck) as error:
        history.add("violation", str(error).replace("\n", " | ").replace("\t", " "))
        print(error)
    history.close()
    failed = checker.check(history.path)
    if failed or args.keep:
        print(f"history: {history.path}")
    else:
        history.path.unlink()
        folder.rmdir()
    print(f"{len(checker.RULES) - failed} passed, {failed} failed")
    return 1 if failed else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="ottla")
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the history file of a run that passed")
    return parser.parse_args()


class Stuck(Exception):
    """The clients made no progress in time."""


class Run:
    """One broker, its clients, and the cycles."""

    def __init__(self, broker, history):
        self.broker, self.history = broker, history
        self.common = {"bootstrap.servers": broker.bootstrap, **PATIENT}
        self.admin = AdminClient(self.common)
        # Never joins: it asks for the group's offsets, and reads the logs at the end.
        quiet = {"group.id": GROUP, "enable.auto.commit": False, "auto.offset.reset": "error"}
        self.auditor = Consumer(self.common | quiet)

    def whole(self, cycles):
        for topic in TOPICS:
            self.create(topic)
        # The group starts from committed zeros; then a reset of offsets can only be a loss.
        zeros = [TopicPartition(*place, 0) for place in PLACES]
        self.wait(lambda: settled(self.auditor.commit, offsets=zeros, asynchronous=False), "the first commit")
        self.writers = [Writer(name, self.common | extra, self.history) for name, extra in WRITERS.items()]
        self.readers = [Reader(f"member-{n}", self.common, self.history) for n in range(2)]
        try:
            for cycle in range(1, cycles + 1):
                self.cycle(cycle)
            self.finish()
        finally:
            for client in self.writers + self.readers:
                client.stopping.set()

    def cycle(self, cycle):
        acks = self.history.counts["acked"] + random.randint(50, 1500)
        commits = self.history.counts["committed"]
        self.wait(
            lambda: self.history.counts["acked"] >= acks and self.history.counts["committed"] > commits,
            f"acknowledgements and a commit in cycle {cycle}",
        )
        if cycle % NEW_TOPIC_EVERY == 0:
            self.create(f"kill9-extra-{cycle}")
        self.history.add("kill", cycle)
        self.broker.kill()
        self.broker.spawn()
        if random.random() < 0.2:
            time.sleep(random.uniform(0, 0.3))
            self.history.add("kill", cycle)
            self.broker.kill()
            self.broker.spawn()
        seconds = self.broker.wait_ready()
        self.history.add("ready", cycle, f"{seconds:.3f}")
        self.ask_offsets()
        if cycle % 10 == 0:
            counts = self.history.counts
            print(f"cycle {cycle}: {counts['acked']} acknowledged, ready after {seconds:.2f} s", flush=True)

    def finish(self):
        """Lets everything in flight end, then reads every partition from its start."""
        for writer in self.writers:
            writer.stopping.set()
        for writer in self.writers:
            writer.join(DEADLINE_S)
        ends = self.read_logs()
        self.wait(lambda: self.ask_offsets() == ends, "the group at the end of every partition")
        for reader in self.readers:
            reader.stopping.set()
            reader.join(DEADLINE_S)
        for topic in self.admin.list_topics(timeout=30).topics:
            self.history.add("listed", topic)

    def create(self, topic):
        """A creation whose answer was lost may have happened: that it exists already is as good."""

        def created():
            future = self.admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic]
            try:
                future.result(DEADLINE_S)
                return True
            except KafkaException as error:
                return error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS

        self.wait(created, f"topic {topic}")
        self.history.add("created", topic)

    def ask_offsets(self):
        """The group's committed offsets, as a client of its own sees them."""
        self.history.add("asked")
        places = [TopicPartition(*place) for place in PLACES]
        answer = self.wait(lambda: settled(self.auditor.committed, places, timeout=10), "the group's offsets")
        stored = {(p.topic, p.partition): max(p.offset, 0) for p in answer}
        for place, offset in stored.items():
            self.history.add("stored", *place, offset)
        return stored

    def read_logs(self):
        """Reads what there is, into the history; returns the end offset of each partition."""
        ends = {}
        for topic, partition in PLACES:
            place = TopicPartition(topic, partition, 0)
            first, end = self.auditor.get_watermark_offsets(place, timeout=30)
            if first != 0:
                self.history.add("violation", f"{topic}/{partition} starts at {first}")
            ends[topic, partition] = end
            self.auditor.assign([place])
            seen = []
            self.wait(lambda: self.read_some(seen) or len(seen) >= end, f"{topic}/{partition} read to {end}")
        self.auditor.unassign()
        return ends

    def read_some(self, seen):
        for message in self.auditor.consume(1000, 0.5):
            if message.error():
                raise Stuck(f"the log could not be read: {message.error()}")
            seen.append(message)
            value = message.value().decode()
            self.history.add("log", message.topic(), message.partition(), message.offset(), value)

    def wait(self, condition, what):
        end = time.monotonic() + DEADLINE_S
        while True:
            result = condition()
            if result:
                return result
            if time.monotonic() > end:
                raise Stuck(f"{what}: not so after {DEADLINE_S} s\n{self.broker.log_tail()}")
            time.sleep(0.005)


def settled(call, *args, **kw):
    """The partitions a call on offsets answers, or None if any of them failed."""
    try:
        partitions = call(*args, **kw)
    except KafkaException:
        return None
    return None if any(p.error for p in partitions) else partitions


class Writer(threading.Thread):
    """An idempotent producer that numbers what it sends to each partition."""

    def __init__(self, name, config, history):
        super().__init__(name=name, daemon=True)
        self.history = history
        self.stopping = threading.Event()
        self.next = dict.fromkeys(PLACES, 0)
        defaults = {"enable.idempotence": True, "acks": "all", "linger.ms": 2, "retry.backoff.ms": 20}
        self.producer = Producer({**config, **defaults, "error_cb": self.on_error, "delivery.timeout.ms": 300_000})
        self.start()

    def run(self):
        while not self.stopping.is_set():
            # The pace: some thousand records a second, and not far ahead of the broker.
            self.stopping.wait(0.01)
            self.producer.poll(0)
            if len(self.producer) < AHEAD_MAX:
                for place in random.choices(PLACES, k=BURST):
                    self.send(place)
        self.producer.flush(DEADLINE_S)

    def send(self, place):
        topic, partition = place
        value = f"{self.name}/{topic}/{partition}/{self.next[place]}"
        self.next[place] += 1
        self.history.add("sent", value)
        self.producer.produce(topic, value.encode(), partition=partition, on_delivery=self.on_delivery)

    def on_delivery(self, error, message):
        value = message.value().decode()
        if error:
            self.history.add("failed", value, error.name())
        else:
            offset = message.offset()
            place = (message.topic(), message.partition(), offset if offset is not None and offset >= 0 else -1)
            self.history.add("acked", value, *place)

    def on_error(self, error):
        if error.fatal():
            self.history.add("violation", f"producer {self.name}: {error.name()}: {error.str()}")


class Reader(threading.Thread):
    """A group member that commits what it has read."""

    def __init__(self, name, config, history):
        super().__init__(name=name, daemon=True)
        self.history = history
        self.stopping = threading.Event()
        group = {"group.id": GROUP, "enable.auto.commit": False, "auto.offset.reset": "error"}
        timing = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 300, "fetch.wait.max.ms": 100}
        self.consumer = Consumer({**config, **group, **timing, "retry.backoff.ms": 20})
        self.consumer.subscribe(TOPICS)
        self.start()

    def run(self):
        while not self.stopping.is_set():
            read = [self.note(message) for message in self.consumer.consume(500, 0.1)]
            if any(read):
                self.commit()
        self.consumer.close()

    def note(self, message):
        error = message.error()
        if error is None:
            place = (message.topic(), message.partition(), message.offset())
            self.history.add("read", self.name, *place, message.value().decode())
            return True
        # The rest is the broker being away. These two say that something committed or read is gone.
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE) or error.fatal():
            self.history.add("violation", f"consumer {self.name}: {error.name()}: {error.str()}")
        return False

    def commit(self):
        try:
            for done in self.consumer.commit(asynchronous=False):
                if done.error is None:
                    self.history.add("committed", self.name, done.topic, done.partition, done.offset)
        except KafkaException:
            pass  # The broker was away, or a rebalance has begun: the next commit includes this one.


if __name__ == "__main__":
    sys.exit(main())
