"""confluent-kafka (librdkafka 2.16): producer, consumer groups of all kinds, and the admin client."""

import functools
import time
import warnings

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    ConsumerGroupState,
    ElectionType,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka import ConsumerGroupTopicPartitions as GroupOffsets
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

import cases
from cases import case, equal, unique, until


@functools.cache
def admin():
    # One for all: a client that is collected while its futures are open fails them.
    return AdminClient({"bootstrap.servers": cases.BOOTSTRAP})


def results(futures):
    """Waits for an admin call's futures; raises the first error."""
    return {name: future.result(30) for name, future in futures.items()}


def error_of(future):
    try:
        future.result(30)
    except KafkaException as error:
        return error.args[0].code()
    return None


def new_topic(prefix="ck", partitions=4, **config):
    topic = unique(prefix)
    config = {key.replace("_", "."): value for key, value in config.items()}
    results(admin().create_topics([NewTopic(topic, partitions, 1, config=config)]))
    until(lambda: topic in admin().list_topics(timeout=30).topics, "the new topic in the metadata")
    return topic


def send(topic, messages, **config):
    """Each message is the keyword arguments of one produce(); returns the delivered messages."""
    config = {key.replace("_", "."): value for key, value in config.items()}
    # A new topic's first batches may be retried; without idempotence they could overtake each other.
    defaults = {"bootstrap.servers": cases.BOOTSTRAP, "linger.ms": 5, "enable.idempotence": True}
    producer = Producer({**defaults, **config})
    delivered, failures = [], []
    report = lambda error, message: (failures if error else delivered).append(error or message)
    for message in messages:
        producer.produce(topic, on_delivery=report, **message)
        producer.poll(0)
    equal(producer.flush(60), 0, "messages left after flush")
    equal(failures, [], "delivery errors")
    return delivered


def new_consumer(group=None, **config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    return Consumer(
        {
            "bootstrap.servers": cases.BOOTSTRAP,
            "group.id": group or unique("group"),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 10_000,
            "heartbeat.interval.ms": 500,
            **config,
        }
    )


def read(topic, count, partition=0, offset=OFFSET_BEGINNING, **config):
    """`count` messages of one partition, without a group."""
    consumer = new_consumer(**config)
    consumer.assign([TopicPartition(topic, partition, offset)])
    messages = drain([consumer], count)
    consumer.close()
    return messages


def drain(consumers, count, deadline_s=60):
    """Polls the consumers in turn until they returned `count` messages."""
    messages = []
    until(lambda: messages.extend(poll(consumers)) or len(messages) >= count, f"{count} messages", deadline_s)
    return messages


def poll(consumers):
    """One short poll of each; also what lets librdkafka run their rebalances."""
    batch = [message for consumer in consumers for message in consumer.consume(500, 0.05)]
    for message in batch:
        if message.error():
            raise KafkaException(message.error())
    return batch


def owned(consumer):
    return sorted(p.partition for p in consumer.assignment())


def settle(consumers, counts, deadline_s=60):
    """Polls until the consumers own this many partitions each, in any order; returns what came in."""
    messages = []

    def settled():
        messages.extend(poll(consumers))
        return sorted(len(owned(c)) for c in consumers) == sorted(counts)

    until(settled, f"assignment {counts}", deadline_s)
    return messages


# ---- produce and consume


@case
def every_codec():
    topic = new_topic()
    for partition, codec in enumerate(["gzip", "snappy", "lz4", "zstd"]):
        values = [f"{codec} {n} ".encode() * (n % 50) for n in range(2000)]
        send(topic, [{"value": v, "partition": partition} for v in values], compression_type=codec)
        equal([m.value() for m in read(topic, len(values), partition)], values, codec)
    plain = [f"plain {n}".encode() for n in range(500)]
    send(topic, [{"value": v, "partition": 0} for v in plain])
    equal([m.value() for m in read(topic, 500, 0, 2000)], plain, "plain after gzip")


@case
def every_acks():
    topic = new_topic(partitions=3)
    # Nobody would tell if a new topic refused a record sent with acks=0.
    send(topic, [{"value": b"warm", "partition": n} for n in range(3)])
    for partition, acks in enumerate(["0", "1", "all"]):
        send(topic, [{"value": acks.encode(), "partition": partition}] * 10, acks=acks, enable_idempotence=False)
        equal([m.value() for m in read(topic, 11, partition)][1:], [acks.encode()] * 10, f"acks={acks}")


@case
def keys_headers_and_nulls():
    topic = new_topic(partitions=1)
    headers = [("a", b"1"), ("a", b"2"), ("empty", b""), ("null", None), ("é", "ü".encode())]
    sent = [
        {"key": b"k", "value": b"v", "headers": headers},
        {"key": b"k", "value": None},
        {"key": None, "value": b"v"},
        {"key": None, "value": None},
        {"key": b"", "value": b""},
    ]
    send(topic, sent)
    got = read(topic, len(sent))
    equal([(m.key(), m.value()) for m in got], [(s["key"], s["value"]) for s in sent])
    equal(got[0].headers(), headers)
    equal([m.offset() for m in got], list(range(5)))


@case
def create_time_and_log_append_time():
    stamp = int(time.time() * 1000) - 3_600_000
    topic = new_topic(partitions=1)
    send(topic, [{"value": b"x", "timestamp": stamp}])
    equal(read(topic, 1)[0].timestamp(), (TIMESTAMP_CREATE_TIME, stamp))

    topic = new_topic(partitions=1, message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    delivered = send(topic, [{"value": b"x", "timestamp": stamp}])
    kind, appended = read(topic, 1)[0].timestamp()
    equal(kind, TIMESTAMP_LOG_APPEND_TIME)
    assert before - 5 <= appended <= time.time() * 1000 + 5, appended
    equal(delivered[0].timestamp(), (kind, appended), "timestamp in the acknowledgement")


@case
def idempotent_producer_keeps_order():
    topic = new_topic()
    values = [{"value": str(n).encode(), "partition": n % 4} for n in range(20_000)]
    delivered = send(topic, values, batch_num_messages=100)
    for partition in range(4):
        expected = [str(n).encode() for n in range(partition, 20_000, 4)]
        got = read(topic, 5000, partition)
        equal([m.value() for m in got], expected, f"partition {partition}")
        offsets = {m.value(): m.offset() for m in delivered if m.partition() == partition}
        equal({m.value(): m.offset() for m in got}, offsets, "acknowledged offsets")


@case
def same_key_same_partition_in_order():
    topic = new_topic(partitions=8)
    send(topic, [{"key": f"k{n % 50}".encode(), "value": str(n).encode()} for n in range(5000)])
    consumer = new_consumer()
    consumer.subscribe([topic])
    by_key = {}
    for message in drain([consumer], 5000):
        by_key.setdefault(message.key(), []).append((message.partition(), int(message.value())))
    consumer.close()
    for key, seen in by_key.items():
        equal(len({partition for partition, _ in seen}), 1, f"partitions of {key}")
        equal([n for _, n in seen], sorted(n for _, n in seen), f"order of {key}")
    equal(len(by_key), 50)


@case
def refusals_are_clear():
    topic = new_topic(partitions=1, max_message_bytes="1000")
    errors = []
    producer = Producer({"bootstrap.servers": cases.BOOTSTRAP})
    on_delivery = lambda error, _: errors.append(error and error.code())
    producer.produce(topic, b"x" * 2000, on_delivery=on_delivery)
    producer.flush(30)
    equal(errors, [KafkaError.MSG_SIZE_TOO_LARGE])

    strict = new_consumer(auto_offset_reset="error")
    strict.assign([TopicPartition(topic, 0, 1000)])
    try:
        drain([strict], 1)
    except KafkaException as error:
        equal(error.args[0].code(), KafkaError._AUTO_OFFSET_RESET)
    else:
        raise AssertionError("an offset out of range was read")
    strict.close()


@case
def watermarks_and_times():
    topic = new_topic(partitions=1)
    base = 1_700_000_000_000
    send(topic, [{"value": b"x", "timestamp": base + 1000 * n} for n in range(10)])
    consumer = new_consumer()
    partition = TopicPartition(topic, 0)
    equal(consumer.get_watermark_offsets(partition, timeout=30), (0, 10))
    for after, offset in {-1: 0, 0: 0, 1: 1, 8500: 9, 9000: 9, 9001: -1}.items():
        [found] = consumer.offsets_for_times([TopicPartition(topic, 0, base + after)], timeout=30)
        # librdkafka says -1, "end", for "no such record".
        equal(found.offset, offset, f"time {after}")
    consumer.close()

    specs = {OffsetSpec.earliest(): 0, OffsetSpec.latest(): 10, OffsetSpec.max_timestamp(): 9}
    for spec, offset in specs.items():
        [future] = admin().list_offsets({partition: spec}).values()
        equal(future.result(30).offset, offset, str(spec))


@case
def read_committed_reads_plain_records():
    topic = new_topic(partitions=1)
    send(topic, [{"value": str(n).encode()} for n in range(100)])
    equal(len(read(topic, 100, isolation_level="read_committed")), 100)


# ---- groups


def join_and_leave(strategy):
    topic, group = new_topic(partitions=6), unique("group")
    members = [new_consumer(group, partition_assignment_strategy=strategy) for _ in range(3)]
    values = {str(n).encode() for n in range(600)}
    send(topic, [{"key": v, "value": v} for v in values])

    seen = []
    for count, shares in enumerate([[6], [3, 3], [2, 2, 2]], 1):
        members[count - 1].subscribe([topic])
        seen += settle(members[:count], shares)
        commit_all(members[:count])
    for count, shares in [(2, [3, 3]), (1, [6])]:
        members[count].close()
        seen += settle(members[:count], shares)
    until(lambda: seen.extend(poll(members[:1])) or {m.value() for m in seen} == values, "every record")
    members[0].close()


def commit_all(consumers):
    for consumer in consumers:
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as error:
            # Nothing consumed since the last commit, or a rebalance has just begun.
            if error.args[0].code() not in (KafkaError._NO_OFFSET, KafkaError.REBALANCE_IN_PROGRESS):
                raise


@case
def eager_members_join_and_leave():
    join_and_leave("range")
    join_and_leave("roundrobin")


@case
def cooperative_members_join_and_leave():
    join_and_leave("cooperative-sticky")


@case
def cooperative_rebalance_revokes_only_what_moves():
    topic, group = new_topic(partitions=4), unique("group")
    revoked = []
    first, second = (new_consumer(group, partition_assignment_strategy="cooperative-sticky") for _ in range(2))
    first.subscribe([topic], on_revoke=lambda _, partitions: revoked.extend(partitions))
    settle([first], [4])
    second.subscribe([topic])
    settle([first, second], [2, 2])
    equal(len(revoked), 2, "partitions revoked")
    for consumer in (first, second):
        consumer.close()


@case
def static_member_returns_without_rebalance():
    topic, group = new_topic(partitions=4), unique("group")
    rebalances = []
    first = new_consumer(group, group_instance_id="one", session_timeout_ms=30_000)
    first.subscribe([topic], on_revoke=lambda *_: rebalances.append("revoked"))
    second = new_consumer(group, group_instance_id="two", session_timeout_ms=30_000)
    second.subscribe([topic])
    settle([first, second], [2, 2])
    rebalances.clear()
    held = owned(second)
    second.close()

    second = new_consumer(group, group_instance_id="two", session_timeout_ms=30_000)
    second.subscribe([topic])
    settle([first, second], [2, 2])
    equal(owned(second), held, "the static member's partitions")
    equal(rebalances, [], "rebalances seen by the other member")

    twin = new_consumer(group, group_instance_id="two", session_timeout_ms=30_000)
    twin.subscribe([topic])
    fenced = []

    def second_is_fenced():
        poll([first, twin])
        message = second.poll(0.05)
        if message is not None and message.error():
            fenced.append(message.error().code())
        return fenced

    until(second_is_fenced, "the older holder of the instance id to be fenced")
    equal(fenced[0] in (KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL), True, f"{fenced}")
    for consumer in (first, second, twin):
        consumer.close()


@case
def offsets_are_committed_with_metadata():
    topic, group = new_topic(partitions=2), unique("group")
    send(topic, [{"value": b"x", "partition": 0}] * 10)
    consumer = new_consumer(group)
    consumer.subscribe([topic])
    drain([consumer], 10)
    consumer.commit(offsets=[TopicPartition(topic, 0, 7, metadata="seven")], asynchronous=False)
    consumer.close()

    again = new_consumer(group)
    zero, one = again.committed([TopicPartition(topic, 0), TopicPartition(topic, 1)], timeout=30)
    equal((zero.offset, zero.metadata), (7, "seven"))
    equal(one.offset < 0, True, "no commit on partition 1")
    again.subscribe([topic])
    equal([m.offset() for m in drain([again], 3)], [7, 8, 9], "resumes at the commit")
    again.close()


@case
def regex_subscription_finds_new_topics():
    prefix = unique("regex")
    consumer = new_consumer(topic_metadata_refresh_interval_ms=500)
    consumer.subscribe([f"^{prefix}.*"])
    for name in ("a", "b"):
        results(admin().create_topics([NewTopic(f"{prefix}-{name}", 1, 1)]))
        settle([consumer], [1 if name == "a" else 2])
    consumer.close()


@case
def groups_are_listed_and_described():
    topic, group = new_topic(partitions=4), unique("group")
    send(topic, [{"value": b"x", "partition": n} for n in range(4)])
    members = [new_consumer(group, client_id=f"client-{n}") for n in range(2)]
    for member in members:
        member.subscribe([topic])
    settle(members, [2, 2])
    commit_all(members)

    listed = admin().list_consumer_groups().result(30).valid
    [entry] = [g for g in listed if g.group_id == group]
    equal((entry.state, entry.is_simple_consumer_group), (ConsumerGroupState.STABLE, False))
    described = results(admin().describe_consumer_groups([group]))[group]
    equal(described.state, ConsumerGroupState.STABLE)
    equal(described.partition_assignor, "range")
    equal(sorted(m.client_id for m in described.members), ["client-0", "client-1"])
    assigned = [p.partition for m in described.members for p in m.assignment.topic_partitions]
    equal(sorted(assigned), [0, 1, 2, 3])
    for member in members:
        member.close()

    described = results(admin().describe_consumer_groups([group]))[group]
    equal((described.state, described.members), (ConsumerGroupState.EMPTY, []))
    moved = GroupOffsets(group, [TopicPartition(topic, 0, 0)])
    results(admin().alter_consumer_group_offsets([moved]))
    offsets = results(admin().list_consumer_group_offsets([GroupOffsets(group)]))[group]
    equal([p.offset for p in offsets.topic_partitions if p.partition == 0], [0], "altered offset")
    gone = results(admin().describe_consumer_groups([unique("never")]))
    equal([g.state for g in gone.values()], [ConsumerGroupState.DEAD], "unknown group")


# ---- admin


@case
def topics_are_created_described_and_deleted():
    topic = new_topic(partitions=3, retention_ms="3600000")
    client = admin()
    described = results(client.describe_topics(TopicCollection([topic])))[topic]
    equal((described.name, len(described.partitions), described.is_internal), (topic, 3, False))
    equal([p.leader.id for p in described.partitions], [described.partitions[0].leader.id] * 3)
    count = lambda: len(client.list_topics(topic, timeout=30).topics[topic].partitions)
    equal(count(), 3)
    results(client.create_partitions([NewPartitions(topic, 5)]))
    until(lambda: count() == 5, "five partitions")
    [fewer] = client.create_partitions([NewPartitions(topic, 2)]).values()
    equal(error_of(fewer), KafkaError.INVALID_PARTITIONS)

    send(topic, [{"value": b"old"}] * 20)
    results(client.delete_topics([topic]))
    until(lambda: topic not in client.list_topics(timeout=30).topics, "the topic to go")
    # The same name again is a new topic: offsets start at 0, nothing of the old is left.
    until(lambda: error_of(client.create_topics([NewTopic(topic, 1, 1)])[topic]) is None, "the name to be free")
    send(topic, [{"value": b"new"}])
    equal([(m.offset(), m.value()) for m in read(topic, 1)], [(0, b"new")])


@case
def bad_topics_are_refused():
    taken = new_topic()
    create = lambda *args, **kw: error_of(admin().create_topics([NewTopic(*args, **kw)], **{})[args[0]])
    equal(create(taken, 1, 1), KafkaError.TOPIC_ALREADY_EXISTS)
    equal(create(unique("ck"), 1, 7), KafkaError.INVALID_REPLICATION_FACTOR)
    equal(create("not a name!", 1, 1), KafkaError.TOPIC_EXCEPTION)
    equal(create(unique("ck"), 1, 1, config={"no.such.config": "1"}), KafkaError.INVALID_CONFIG)
    equal(create(unique("ck"), 1, 1, config={"retention.ms": "soon"}), KafkaError.INVALID_CONFIG)
    missing = unique("ck")
    equal(error_of(admin().delete_topics([missing])[missing]), KafkaError.UNKNOWN_TOPIC_OR_PART)

    dry = unique("ck")
    results(admin().create_topics([NewTopic(dry, 1, 1)], validate_only=True))
    equal(dry in admin().list_topics(timeout=30).topics, False, "validate_only created the topic")


@case
def topic_configs_are_read_and_changed():
    topic, client = new_topic(retention_ms="3600000"), admin()

    def configs():
        [future] = client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
        return future.result(30)

    until(lambda: configs()["retention.ms"].value == "3600000", "the topic's own value")
    equal((configs()["retention.ms"].is_default, configs()["cleanup.policy"].is_default), (False, True))
    equal(configs()["cleanup.policy"].value, "delete")

    change = lambda name, op, value=None: results(
        client.incremental_alter_configs(
            [
                ConfigResource(
                    ResourceType.TOPIC,
                    topic,
                    incremental_configs=[ConfigEntry(name, value, incremental_operation=op)],
                )
            ]
        )
    )
    change("max.message.bytes", AlterConfigOpType.SET, "2000000")
    change("cleanup.policy", AlterConfigOpType.APPEND, "compact")
    until(lambda: configs()["max.message.bytes"].value == "2000000", "SET")
    equal(configs()["cleanup.policy"].value, "delete,compact", "APPEND")
    equal(configs()["retention.ms"].value, "3600000", "others keep their value")
    change("cleanup.policy", AlterConfigOpType.SUBTRACT, "delete")
    until(lambda: configs()["cleanup.policy"].value == "compact", "SUBTRACT")
    change("retention.ms", AlterConfigOpType.DELETE)
    until(lambda: configs()["retention.ms"].is_default, "DELETE")

    # The old call replaces everything that was set.
    warnings.simplefilter("ignore", DeprecationWarning)
    whole = ConfigResource(ResourceType.TOPIC, topic, set_config={"segment.bytes": "16777216"})
    results(client.alter_configs([whole]))
    until(lambda: configs()["segment.bytes"].value == "16777216", "AlterConfigs")
    equal(configs()["max.message.bytes"].is_default, True, "AlterConfigs resets the rest")


@case
def the_cluster_is_described():
    cluster = admin().describe_cluster().result(30)
    [node] = cluster.nodes
    equal(f"{node.host}:{node.port}", cases.BOOTSTRAP)
    equal(cluster.controller.id, node.id)
    assert cluster.cluster_id, "no cluster id"
    [future] = admin().describe_configs([ConfigResource(ResourceType.BROKER, str(node.id))]).values()
    configs = future.result(30)
    equal(configs["num.partitions"].value, "4")
    equal(configs["num.partitions"].is_read_only, True)


@case
def records_offsets_and_groups_are_deleted():
    topic, group = new_topic(partitions=1), unique("group")
    send(topic, [{"value": str(n)} for n in range(5)])
    delete = lambda offset: admin().delete_records([TopicPartition(topic, 0, offset)])
    equal([deleted.low_watermark for deleted in results(delete(3)).values()], [3])
    equal(error_of(*delete(9).values()), KafkaError.OFFSET_OUT_OF_RANGE)
    consumer = new_consumer(group)
    consumer.subscribe([topic])
    equal([message.value() for message in drain([consumer], 2)], [b"3", b"4"], "what is left")
    commit_all([consumer])
    equal(error_of(admin().delete_consumer_groups([group])[group]), KafkaError.NON_EMPTY_GROUP)
    consumer.close()
    results(admin().delete_consumer_groups([group]))
    equal(error_of(admin().delete_consumer_groups([group])[group]), KafkaError.GROUP_ID_NOT_FOUND)


@case
def no_election_is_needed():
    topic = new_topic(partitions=1)
    for kind in (ElectionType.PREFERRED, ElectionType.UNCLEAN):
        asked = admin().elect_leaders(kind, [TopicPartition(topic, 0), TopicPartition(topic, 7)]).result(30)
        codes = {at.partition: error.code() for at, error in asked.items()}
        equal(codes, {0: KafkaError.ELECTION_NOT_NEEDED, 7: KafkaError.UNKNOWN_TOPIC_OR_PART})


if __name__ == "__main__":
    cases.main()
