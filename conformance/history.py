"""What clients did and saw while a broker was killed again and again, and whether it holds together.

suites/kill9.py writes a History; `check` reads the file alone, so `python3 history.py FILE` judges a
kept one again. A line is a kind and its fields, separated by tabs:

    sent VALUE                               acked VALUE TOPIC PARTITION OFFSET
    failed VALUE ERROR                       read MEMBER TOPIC PARTITION OFFSET VALUE
    committed MEMBER TOPIC PARTITION OFFSET  asked  (the group's offsets are being asked for)
    stored TOPIC PARTITION OFFSET            created TOPIC
    kill CYCLE    ready CYCLE SECONDS        violation TEXT  (an error no client may ever see)
    listed TOPIC                             log TOPIC PARTITION OFFSET VALUE  (read at the end)

A value is WRITER/TOPIC/PARTITION/NUMBER, numbers rising per writer and partition. An offset of -1 in
`acked` means that the broker called the record a duplicate without saying where it lies.
"""

import sys
import threading
from collections import Counter, defaultdict


class History:
    """Appends lines in the order in which they became known; shared by all client threads."""

    def __init__(self, path):
        self.path = path
        self.counts = Counter()
        self.lock = threading.Lock()
        self.file = open(path, "w")

    def add(self, kind, *fields):
        line = "\t".join([kind, *map(str, fields)]) + "\n"
        with self.lock:
            self.file.write(line)
            self.counts[kind] += 1

    def close(self):
        self.file.close()


class Facts:
    """A history file, sorted by what the rules ask for."""

    def __init__(self, lines):
        self.sent, self.acked, self.failed = set(), {}, set()
        self.read, self.log = {}, defaultdict(list)
        self.created, self.listed = set(), set()
        self.findings = defaultdict(list)
        self.kills, self.ready_s, self.commits = 0, [], 0
        self.committed, self.floor, self.stored = {}, {}, {}
        for line in lines:
            kind, *fields = line.rstrip("\n").split("\t")
            getattr(self, "on_" + kind)(*fields)

    def on_sent(self, value):
        self.sent.add(value)

    def on_acked(self, value, topic, partition, offset):
        self.acked[value] = (topic, int(partition), int(offset))

    def on_failed(self, value, error):
        self.failed.add(value)

    def on_read(self, member, topic, partition, offset, value):
        place = (topic, int(partition), int(offset))
        if self.read.setdefault(place, value) != value:
            self.findings["read"].append(f"{place}: {self.read[place]}, later {value}")

    def on_committed(self, member, topic, partition, offset):
        self.commits += 1
        place = (topic, int(partition))
        self.committed[place] = max(self.committed.get(place, 0), int(offset))

    def on_asked(self):
        """Commits acknowledged from here on may or may not be in the answer."""
        self.floor = dict(self.committed)

    def on_stored(self, topic, partition, offset):
        place, offset = (topic, int(partition)), int(offset)
        floor = max(self.floor.get(place, 0), self.stored.get(place, 0))
        if offset < floor:
            self.findings["committed"].append(f"{place}: {offset} after {floor}")
        self.stored[place] = offset

    def on_created(self, topic):
        self.created.add(topic)

    def on_listed(self, topic):
        self.listed.add(topic)

    def on_kill(self, cycle):
        self.kills += 1

    def on_ready(self, cycle, seconds):
        self.ready_s.append(float(seconds))

    def on_violation(self, text):
        self.findings["violation"].append(text)

    def on_log(self, topic, partition, offset, value):
        self.log[topic, int(partition)].append((int(offset), value))


# ---- the rules: each yields what contradicts it


def nothing_lost(facts):
    """no acknowledged record is lost"""
    present = {value for records in facts.log.values() for _, value in records}
    return sorted(facts.acked.keys() - present)


def offsets_kept(facts):
    """every acknowledged record lies at the offset of its acknowledgement"""
    places = {(*place, offset): value for place, records in facts.log.items() for offset, value in records}
    for value, place in facts.acked.items():
        if place[2] >= 0 and places.get(place) != value:
            yield f"{value} was acknowledged at {place}, there is {places.get(place)}"


def nothing_twice(facts):
    """no record is there twice"""
    times = Counter(value for records in facts.log.values() for _, value in records)
    return [f"{value}: {count} times" for value, count in times.items() if count > 1]


def nothing_invented(facts):
    """every record was sent, and lies in the partition it was sent to"""
    for (topic, partition), records in facts.log.items():
        for offset, value in records:
            if value not in facts.sent or value.split("/")[1:3] != [topic, str(partition)]:
                yield f"{topic}/{partition} offset {offset}: {value}"


def contiguous(facts):
    """offsets start at 0 and have no gaps"""
    for place, records in facts.log.items():
        for expected, (offset, _) in enumerate(records):
            if offset != expected:
                yield f"{place}: {offset} where {expected} should be"
                break


def in_order(facts):
    """each writer's records are in the order in which they were sent"""
    for place, records in facts.log.items():
        last = {}
        for offset, value in records:
            writer, number = value.split("/")[0], int(value.rsplit("/", 1)[1])
            if number <= last.get(writer, -1):
                yield f"{place} offset {offset}: {value} after number {last[writer]}"
            last[writer] = number


def what_was_read_stays(facts):
    """what a consumer once read stays where it was"""
    yield from facts.findings["read"]
    final = {(*place, offset): value for place, records in facts.log.items() for offset, value in records}
    for place, value in facts.read.items():
        if final.get(place) != value:
            yield f"{place}: {value} was read, at the end there is {final.get(place)}"


def group_saw_all(facts):
    """the group read every record"""
    for place, records in facts.log.items():
        for offset, value in records:
            if (*place, offset) not in facts.read:
                yield f"{place} offset {offset}: {value}"


def commits_kept(facts):
    """committed offsets never go backwards"""
    yield from facts.findings["committed"]
    if not facts.stored:
        yield "the group's offsets were never asked for"


def topics_kept(facts):
    """every topic whose creation was acknowledged exists"""
    return sorted(facts.created - facts.listed)


def no_violation(facts):
    """no client saw an error that a broker must never give"""
    return facts.findings["violation"]


RULES = [
    nothing_lost,
    nothing_twice,
    in_order,
    contiguous,
    offsets_kept,
    nothing_invented,
    what_was_read_stays,
    group_saw_all,
    commits_kept,
    topics_kept,
    no_violation,
]


def check(path):
    """Prints the report; returns the number of broken rules."""
    with open(path) as lines:
        facts = Facts(lines)
    # A run that broke off never read the logs: only what was seen on the way can be judged.
    rules = RULES if facts.listed else [commits_kept, no_violation]
    broken = {rule: list(rule(facts)) for rule in rules}
    for rule, findings in broken.items():
        print(f"{'FAIL' if findings else 'ok  '} {rule.__doc__}")
        for finding in findings[:10]:
            print(f"       {finding}")
        if len(findings) > 10:
            print(f"       and {len(findings) - 10} more")
    print(totals(facts))
    return sum(1 for findings in broken.values() if findings)


def totals(facts):
    records = sum(map(len, facts.log.values()))
    ready = sorted(facts.ready_s) or [0]
    return (
        f"{facts.kills} kills, {len(facts.sent)} sent, {len(facts.acked)} acknowledged, "
        f"{len(facts.failed)} given up, {records} in {len(facts.log)} partitions, {facts.commits} commits, "
        f"ready again after {ready[len(ready) // 2]:.2f} s (median), {ready[-1]:.2f} s (longest)"
    )


if __name__ == "__main__":
    sys.exit(1 if check(sys.argv[1]) else 0)
