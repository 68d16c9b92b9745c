"""kafka-python (pure Python): its own protocol code, also pinned to the versions of older brokers."""

import threading
import time

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.structs import OffsetAndMetadata

import cases
from cases import case, equal, unique, until

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
# What the client sends when told that it talks to a broker of that release.
PINNED = [(0, 11), (1, 0), (1, 1), (2, 0), (2, 1), (2, 3), (2, 5), (2, 8), (3, 0), (3, 5), (3, 9), (4, 0), (4, 3)]


def new_admin(**config):
    return KafkaAdminClient(bootstrap_servers=cases.BOOTSTRAP, **config)


def new_topic(partitions=4, admin=None, **configs):
    topic = unique("kp")
    options = {"num_partitions": partitions, "replication_factor": 1}
    options["configs"] = {key.replace("_", "."): value for key, value in configs.items()}
    client = admin or new_admin()
    client.create_topics({topic: options}, wait_for_metadata=True)
    if admin is None:
        client.close()
    return topic


def send(topic, records, **config):
    """Each record is the keyword arguments of one send(); returns the metadata of all."""
    producer = KafkaProducer(bootstrap_servers=cases.BOOTSTRAP, **config)
    futures = [producer.send(topic, **record) for record in records]
    producer.flush(timeout=60)
    metadata = [future.get(timeout=60) for future in futures]
    producer.close()
    return metadata


def read(topic, count, partition=0, **config):
    with KafkaConsumer(bootstrap_servers=cases.BOOTSTRAP, auto_offset_reset="earliest", **config) as consumer:
        consumer.assign([TopicPartition(topic, partition)])
        return drain(consumer, count)


def drain(consumer, count):
    records = []
    until(lambda: records.extend(poll(consumer)) or len(records) >= count, f"{count} records")
    return records


def poll(consumer):
    # kafka-python 3.0.12 forgets its assignment if a poll's time is over while SyncGroup is under way: it sends no heartbeat from
    # then on, and is without partitions until the broker expels it. So polls take longer than that does on a busy machine.
    return [record for batch in consumer.poll(timeout_ms=1000).values() for record in batch]


class Member(threading.Thread, ConsumerRebalanceListener):
    """A group member polling on its own thread, as kafka-python wants it."""

    def __init__(self, topic, group, **config):
        super().__init__(daemon=True)
        self.records, self.revoked, self.error = [], [], None
        self.stopping = threading.Event()
        self.consumer = KafkaConsumer(
            bootstrap_servers=cases.BOOTSTRAP,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=500,
            **config,
        )
        self.consumer.subscribe([topic], listener=self)
        self.owned = []
        self.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                self.records += poll(self.consumer)
                self.owned = sorted(p.partition for p in self.consumer.assignment())
                self.commit()
            self.consumer.close()
        except Exception as error:
            self.error = error

    def commit(self):
        try:
            self.consumer.commit()
        except (errors.CommitFailedError, errors.RebalanceInProgressError):
            pass  # A rebalance began; what was read is read again.

    def on_partitions_revoked(self, revoked):
        self.revoked += revoked

    def on_partitions_assigned(self, assigned):
        pass

    def leave(self):
        self.stopping.set()
        self.join(30)
        if self.error:
            raise self.error


def settle(members, counts):
    def settled():
        for member in members:
            if member.error:
                raise member.error
        return sorted(len(m.owned) for m in members) == sorted(counts)

    until(settled, f"assignment {counts}")
    partitions = sorted(p for m in members for p in m.owned)
    equal(partitions, list(range(sum(counts))), "each partition has one owner")


# ---- produce and consume


@case
def every_codec():
    topic = new_topic(len(CODECS))
    for partition, codec in enumerate(CODECS):
        values = [f"{codec} {n} ".encode() * (n % 40 + 1) for n in range(1500)]
        send(topic, [{"value": v, "partition": partition} for v in values], compression_type=codec, linger_ms=5)
        equal([r.value for r in read(topic, len(values), partition)], values, str(codec))


@case
def keys_headers_nulls_and_timestamps():
    topic = new_topic(1)
    stamp = 1_700_000_000_000
    headers = [("a", b"1"), ("a", b"2"), ("empty", b"")]
    sent = [
        {"key": b"k", "value": b"v", "headers": headers, "timestamp_ms": stamp},
        {"key": b"k", "value": None, "timestamp_ms": stamp + 1},
        {"key": None, "value": b"v", "timestamp_ms": stamp + 2},
        {"key": b"", "value": b"", "timestamp_ms": stamp + 3},
    ]
    metadata = send(topic, sent)
    got = read(topic, len(sent))
    equal([(r.key, r.value, r.timestamp) for r in got], [(s["key"], s["value"], s["timestamp_ms"]) for s in sent])
    equal([tuple(h) for h in got[0].headers], headers)
    equal([m.offset for m in metadata], [0, 1, 2, 3], "acknowledged offsets")


@case
def every_acks_with_and_without_idempotence():
    topic = new_topic(1)
    send(topic, [{"value": b"warm"}])
    for count, config in enumerate(
        [{"acks": 0}, {"acks": 1}, {"acks": "all"}, {"acks": "all", "enable_idempotence": True}], 1
    ):
        send(topic, [{"value": b"x"}] * 50, **{"enable_idempotence": False, **config})
        equal(len(read(topic, 1 + 50 * count)), 1 + 50 * count, str(config))


@case
def offsets_by_time():
    topic = new_topic(2)
    base = 1_700_000_000_000
    send(topic, [{"value": b"x", "partition": 0, "timestamp_ms": base + 1000 * n} for n in range(10)])
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    with KafkaConsumer(bootstrap_servers=cases.BOOTSTRAP) as consumer:
        equal(consumer.beginning_offsets([zero, one]), {zero: 0, one: 0})
        equal(consumer.end_offsets([zero, one]), {zero: 10, one: 0})
        found = consumer.offsets_for_times({zero: base + 4500, one: base})
        equal((found[zero].offset, found[zero].timestamp), (5, base + 5000))
        equal(found[one], None, "an empty partition")
        equal(consumer.offsets_for_times({zero: base + 60_000})[zero], None, "later than all")


@case
def read_committed_reads_plain_records():
    topic = new_topic(1)
    send(topic, [{"value": b"x"}] * 100)
    equal(len(read(topic, 100, isolation_level="read_committed")), 100)


@case
def seek_pause_and_small_fetches():
    topic = new_topic(1)
    send(topic, [{"value": str(n).encode() * 100} for n in range(300)])
    with KafkaConsumer(bootstrap_servers=cases.BOOTSTRAP, max_partition_fetch_bytes=1000) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 250)
        equal([r.offset for r in drain(consumer, 50)], list(range(250, 300)))
        consumer.pause(partition)
        consumer.seek_to_beginning(partition)
        equal(poll(consumer), [], "records while paused")
        consumer.resume(partition)
        equal([r.offset for r in drain(consumer, 300)][:300], list(range(300)))


# ---- groups


def join_and_leave(*assignors):
    topic, group = new_topic(6), unique("group")
    values = {str(n).encode() for n in range(600)}
    send(topic, [{"key": v, "value": v} for v in values])
    members = []
    config = {"partition_assignment_strategy": list(assignors)}
    for shares in ([6], [3, 3], [2, 2, 2]):
        members.append(Member(topic, group, **config))
        settle(members, shares)
    gone = []
    for shares in ([3, 3], [6]):
        gone.append(members.pop(0))
        gone[-1].leave()
        settle(members, shares)
    until(lambda: {r.value for m in members + gone for r in m.records} == values, "every record")
    members[0].leave()


@case
def eager_members_join_and_leave():
    join_and_leave(RangePartitionAssignor)
    join_and_leave(RoundRobinPartitionAssignor, RangePartitionAssignor)
    join_and_leave(StickyPartitionAssignor)


@case
def cooperative_members_join_and_leave():
    join_and_leave(CooperativeStickyAssignor)


@case
def static_member_returns_without_rebalance():
    topic, group = new_topic(4), unique("group")
    first = Member(topic, group, group_instance_id="one")
    second = Member(topic, group, group_instance_id="two")
    settle([first, second], [2, 2])
    held, seen = second.owned, len(first.revoked)
    second.leave()
    second = Member(topic, group, group_instance_id="two")
    settle([first, second], [2, 2])
    equal(second.owned, held, "the static member's partitions")
    equal(len(first.revoked), seen, "revocations of the other member")
    first.leave()
    second.leave()


@case
def offsets_are_committed_with_metadata():
    topic, group = new_topic(1), unique("group")
    send(topic, [{"value": b"x"}] * 10)
    partition = TopicPartition(topic, 0)
    config = {"bootstrap_servers": cases.BOOTSTRAP, "group_id": group, "enable_auto_commit": False}
    with KafkaConsumer(**config) as consumer:
        consumer.assign([partition])
        consumer.commit({partition: OffsetAndMetadata(7, "seven", -1)})
    with KafkaConsumer(**config) as consumer:
        consumer.assign([partition])
        equal(consumer.committed(partition), 7)
        stored = consumer.committed(partition, metadata=True)
        equal((stored.offset, stored.metadata), (7, "seven"))
        equal([r.offset for r in drain(consumer, 3)], [7, 8, 9], "resumes at the commit")


@case
def groups_are_listed_and_described():
    topic, group = new_topic(4), unique("group")
    send(topic, [{"value": b"x", "partition": n} for n in range(4)])
    members = [Member(topic, group, client_id=f"client-{n}") for n in range(2)]
    settle(members, [2, 2])
    until(lambda: sum(len(m.records) for m in members) == 4, "the records")
    admin = new_admin()
    [listed] = [g for g in admin.list_groups() if g["group_id"] == group]
    equal(listed["protocol_type"], "consumer")
    described = admin.describe_groups([group])[group]
    equal(described["group_state"], "Stable")
    equal(sorted(m["client_id"] for m in described["members"]), ["client-0", "client-1"])
    for member in members:
        member.leave()
    equal(admin.describe_groups([group])[group]["group_state"], "Empty")
    offsets = admin.list_group_offsets({group: None})[group]
    equal({p.partition: o.offset for p, o in offsets.items()}, {n: 1 for n in range(4)}, "committed offsets")
    admin.close()


# ---- admin


@case
def topics_are_created_described_and_deleted():
    admin = new_admin()
    topic = new_topic(3, admin)
    [described] = admin.describe_topics([topic])
    equal(len(described["partitions"]), 3)
    equal({p["error_code"] for p in described["partitions"]}, {0})
    paged = admin.describe_topic_partitions([topic], response_partition_limit=2)
    equal(topic in str(paged), True, "DescribeTopicPartitions")
    admin.create_partitions({topic: 5})
    until(lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 5, "five partitions")
    try:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
        raise AssertionError("a topic was created twice")
    except errors.TopicAlreadyExistsError:
        pass
    admin.delete_topics([topic])
    until(lambda: topic not in admin.list_topics(), "the topic to go")
    admin.close()


@case
def topic_configs_are_read_and_changed():
    admin = new_admin()
    topic = new_topic(1, admin, retention_ms="3600000")
    resource = lambda configs=None: ConfigResource(ConfigResourceType.TOPIC, topic, configs)

    def configs():
        every = admin.describe_configs([resource()], config_filter="all")
        return {name: entry["value"] for name, entry in every["topic"][topic].items()}

    equal((configs()["retention.ms"], configs()["cleanup.policy"]), ("3600000", "delete"))
    admin.alter_configs([resource({"max.message.bytes": "2000000"})])
    until(lambda: configs()["max.message.bytes"] == "2000000", "IncrementalAlterConfigs")
    equal(configs()["retention.ms"], "3600000", "others keep their value")
    admin.reset_configs([resource({"retention.ms": None})])
    until(lambda: configs()["retention.ms"] == "604800000", "the default again")
    admin.alter_configs([resource({"segment.bytes": "16777216"})], incremental=False)
    until(lambda: configs()["segment.bytes"] == "16777216", "AlterConfigs")
    admin.close()


@case
def the_cluster_is_described():
    admin = new_admin()
    cluster = admin.describe_cluster()
    [broker] = cluster["brokers"]
    equal(f"{broker['host']}:{broker['port']}", cases.BOOTSTRAP)
    equal(cluster["controller_id"], broker["broker_id"])
    admin.close()


def refused(error, call, *args):
    try:
        call(*args)
    except error:
        return
    raise AssertionError(f"{args} was not refused with {error.__name__}")


@case
def records_offsets_and_groups_are_deleted():
    admin = new_admin()
    topic, group = new_topic(1, admin), unique("group")
    first = TopicPartition(topic, 0)
    send(topic, [{"value": b"x"} for _ in range(5)])
    equal(admin.delete_records({first: 3})[first]["low_watermark"], 3)
    refused(errors.OffsetOutOfRangeError, admin.delete_records, {first: 99})
    member = Member(topic, group)
    settle([member], [1])
    until(lambda: len(member.records) == 2, "what is left")
    outcome = admin.delete_group_offsets(group, [first])
    equal(outcome[first].__name__, "GroupSubscribedToTopicError")
    equal(admin.delete_groups([group]), {group: "NonEmptyGroupError"})
    member.leave()
    equal(admin.delete_group_offsets(group, [first])[first].__name__, "NoError")
    equal(admin.list_group_offsets({group: None})[group], {}, "committed offsets")
    equal(admin.delete_groups([group, "none"]), {group: "OK", "none": "GroupIdNotFoundError"})
    admin.close()


@case
def a_cluster_of_one_answers_for_all():
    admin = new_admin()
    topic = new_topic(2, admin)
    first, node = TopicPartition(topic, 0), admin.describe_cluster()["controller_id"]
    send(topic, [{"value": b"x", "partition": 0} for _ in range(5)])

    [broker] = admin.describe_log_dirs({topic: [0]})
    [folder] = broker["log_dirs"]
    [described] = folder["topics"][0]["partitions"]
    equal((described["partition_index"], described["partition_size"] > 0, described["offset_lag"]), (0, True, 0))
    equal(0 < folder["usable_bytes"] <= folder["total_bytes"], True, "bytes of the volume")
    move = lambda path: [error.__name__ for error in admin.alter_replica_log_dirs({(topic, 0, node): path}).values()]
    equal(move(folder["log_dir"]), ["NoError"])
    equal(move("/nowhere"), ["LogDirNotFoundError"])

    [elected] = admin.elect_leaders(0, {topic: [0]}).replica_election_results
    equal([one.error_code for one in elected.partition_result], [errors.ElectionNotNeededError.errno])
    reassign = lambda replicas: admin.alter_partition_reassignments({first: replicas})[first]
    equal(reassign([node]), None)
    equal(reassign([node + 1]).__name__, "InvalidReplicationAssignmentError")
    equal(reassign(None).__name__, "NoReassignmentInProgressError")
    equal(admin.list_partition_reassignments(), {})

    [quorum] = admin.describe_metadata_quorum()["topics"][0]["partitions"]
    [voter] = quorum["current_voters"]
    equal((voter["replica_id"], voter["log_end_offset"]), (quorum["leader_id"], quorum["high_watermark"]))
    equal(admin.describe_features()["metadata.version"]["finalized"], (30, 30))
    [producer] = admin.describe_producers([first])[first].active_producers
    equal((producer.last_sequence, producer.coordinator_epoch), (4, -1))
    equal(topic in admin.list_config_resources()["topic"], True, "listed")
    admin.close()


# ---- old protocol versions


def speaks(version):
    """One life of a client that takes the broker for release `version`."""
    pinned = {"api_version": version}
    admin = new_admin(**pinned)
    topic, group = new_topic(2, admin), unique("group")
    equal(topic in admin.list_topics(), True, "listed")

    codecs = [None, "gzip", "snappy", "lz4"] + (["zstd"] if version >= (2, 1) else [])
    for codec in codecs:
        records = [{"value": str(n).encode(), "key": b"k", "headers": [("h", b"1")]} for n in range(20)]
        send(topic, records, compression_type=codec, **pinned)
    total = 20 * len(codecs)

    members = [Member(topic, group, **pinned) for _ in range(2)]
    settle(members, [1, 1])
    until(lambda: sum(len(m.records) for m in members) >= total, "the records")
    [read_all] = [m.records for m in members if m.records]
    equal([int(r.value) for r in read_all], list(range(20)) * len(codecs))
    equal([list(map(tuple, r.headers)) for r in read_all[:1]], [[("h", b"1")]])
    equal(admin.describe_groups([group])[group]["group_state"], "Stable")
    for member in members:
        member.leave()

    with KafkaConsumer(bootstrap_servers=cases.BOOTSTRAP, group_id=group, **pinned) as consumer:
        both = [TopicPartition(topic, 0), TopicPartition(topic, 1)]
        equal(sum(consumer.committed(p) or 0 for p in both), total, "committed")
        equal(sum(consumer.end_offsets(both).values()), total, "end offsets")
        long_ago = consumer.offsets_for_times({p: int(time.time() * 1000) - 3_600_000 for p in both})
        equal({found.offset for found in long_ago.values() if found}, {0}, "by time")
    admin.delete_topics([topic])
    admin.close()


def pin(version):
    def body():
        speaks(version)

    body.__name__ = "speaks_as_to_" + "_".join(map(str, version))
    return case(body)


for each in PINNED:
    pin(each)


if __name__ == "__main__":
    cases.main()
