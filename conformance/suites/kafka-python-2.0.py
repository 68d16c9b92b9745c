"""kafka-python 2.0.2 of 2020, still widely installed: Fetch v4, JoinGroup v2, Metadata v1, magic 2."""

import sys

import brokers

# Before the venv's 3.x, which shares the module name.
sys.path.insert(0, str(brokers.ENV / "kafka-python-2.0"))

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic

import cases
from cases import case, equal, unique, until


def new_topic(admin, partitions=2):
    topic = unique("kp2")
    admin.create_topics([NewTopic(topic, partitions, 1)])
    return topic


def drain(consumer, count):
    records = []

    def enough():
        for batch in consumer.poll(timeout_ms=200).values():
            records.extend(batch)
        return len(records) >= count

    until(enough, f"{count} records")
    return records


@case
def produce_and_consume_every_codec():
    admin = KafkaAdminClient(bootstrap_servers=cases.BOOTSTRAP)
    for codec in [None, "gzip", "snappy", "lz4"]:
        topic = new_topic(admin, 1)
        producer = KafkaProducer(bootstrap_servers=cases.BOOTSTRAP, compression_type=codec, acks="all", linger_ms=5)
        sent = [(b"k", f"{codec} {n}".encode()) for n in range(1000)] + [(b"k", None)]
        for key, value in sent:
            producer.send(topic, key=key, value=value, headers=[("h", b"1")])
        producer.flush(60)
        producer.close()
        consumer = KafkaConsumer(topic, bootstrap_servers=cases.BOOTSTRAP, auto_offset_reset="earliest")
        got = drain(consumer, len(sent))
        consumer.close()
        equal([(r.key, r.value) for r in got], sent, str(codec))
        equal(got[0].headers, [("h", b"1")])
    admin.close()


@case
def a_group_commits_and_resumes():
    admin = KafkaAdminClient(bootstrap_servers=cases.BOOTSTRAP)
    topic, group = new_topic(admin), unique("group")
    producer = KafkaProducer(bootstrap_servers=cases.BOOTSTRAP)
    settings = {"group_id": group, "auto_offset_reset": "earliest", "enable_auto_commit": False}
    for life in range(2):
        for n in range(100):
            producer.send(topic, f"{life}-{n}".encode(), partition=n % 2)
        producer.flush(60)
        consumer = KafkaConsumer(topic, bootstrap_servers=cases.BOOTSTRAP, **settings)
        values = sorted(r.value.decode() for r in drain(consumer, 100))
        equal(values, sorted(f"{life}-{n}" for n in range(100)))
        consumer.commit()
        partition = TopicPartition(topic, 0)
        equal(consumer.committed(partition), 50 * (life + 1))
        equal(consumer.end_offsets([partition]), {partition: 50 * (life + 1)})
        equal(consumer.offsets_for_times({partition: 0})[partition].offset, 0)
        consumer.close()
    equal(group in [name for name, _ in admin.list_consumer_groups()], True, "listed")
    [described] = admin.describe_consumer_groups([group])
    equal(described.state, "Empty")
    offsets = admin.list_consumer_group_offsets(group)
    equal({p.partition: o.offset for p, o in offsets.items()}, {0: 100, 1: 100})
    producer.close()
    admin.close()


@case
def topics_and_configs():
    admin = KafkaAdminClient(bootstrap_servers=cases.BOOTSTRAP)
    topic = new_topic(admin)
    resource = lambda configs=None: ConfigResource(ConfigResourceType.TOPIC, topic, configs)
    admin.alter_configs([resource({"retention.ms": "3600000"})])

    def retention():
        [answer] = admin.describe_configs([resource()])
        [(_, _, _, _, entries)] = answer.resources
        return next(entry[1] for entry in entries if entry[0] == "retention.ms")

    until(lambda: retention() == "3600000", "the config")
    admin.create_partitions({topic: NewPartitions(4)})
    until(lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 4, "four partitions")
    admin.delete_topics([topic])
    until(lambda: topic not in admin.list_topics(), "the topic to go")
    admin.close()


if __name__ == "__main__":
    cases.main()
