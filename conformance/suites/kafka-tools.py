"""Apache Kafka 4.3.1's own command-line tools: the Java clients and admin as operators use them."""

import json
import subprocess
import tempfile

import brokers
import cases
from cases import case, equal, unique, until

TOOLS = "org.apache.kafka.tools."
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def command(tool, *args):
    main_class = tool if tool.startswith("kafka.") else TOOLS + tool
    return brokers.java(main_class, *args)


def run(tool, *args, stdin="", expect=0):
    """Runs a tool that takes --bootstrap-server to its end; returns its stdout."""
    where = ["--bootstrap-server", cases.BOOTSTRAP]
    # This one wants its verb first.
    line = command(tool, args[0], *where, *args[1:]) if tool == "ClusterTool" else command(tool, *where, *args)
    done = subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=100)
    if done.returncode != expect:
        raise AssertionError(f"{tool} {args}: exit {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return done.stdout


def topics(*args, **kw):
    return run("TopicCommand", *args, **kw)


def new_topic(partitions=4, *args):
    topic = unique("tools")
    topics("--create", "--topic", topic, "--partitions", partitions, "--replication-factor", 1, *args)
    return topic


def describe(topic):
    """The tab-separated `Key: value` pairs of TopicCommand's lines: the topic's, then each partition's."""
    lines = topics("--describe", "--topic", topic).splitlines()
    pairs = [[field.partition(":") for field in line.split("\t")] for line in lines]
    return [{key.strip(): value.strip() for key, _, value in line} for line in pairs]


def produce(topic, lines, *args):
    text = "".join(f"{line}\n" for line in lines)
    run("ConsoleProducer", "--topic", topic, *args, stdin=text)


def consume(topic, count, *args):
    read = ["--topic", topic, "--max-messages", count, "--timeout-ms", 60_000]
    return run("consumer.ConsoleConsumer", *read, *args).splitlines()


def table(text):
    """Rows of a tool's table as dicts; the header starts with GROUP."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    start = next(n for n, row in enumerate(rows) if row[0] == "GROUP")
    return [dict(zip(rows[start], row)) for row in rows[start + 1 :]]


# ---- topics and configs


@case
def topics_from_creation_to_deletion():
    topic = new_topic(3, "--config", "retention.ms=3600000")
    head, *partitions = describe(topic)
    equal((head["Topic"], head["PartitionCount"], head["ReplicationFactor"]), (topic, "3", "1"))
    equal("retention.ms=3600000" in head["Configs"], True, head["Configs"])
    equal([(p["Partition"], p["Leader"]) for p in partitions], [(str(n), partitions[0]["Leader"]) for n in range(3)])
    equal({(p["Replicas"], p["Isr"]) for p in partitions}, {(partitions[0]["Leader"],) * 2})

    topics("--alter", "--topic", topic, "--partitions", 5)
    equal(describe(topic)[0]["PartitionCount"], "5")
    equal(topic in topics("--list").split(), True, "listed")
    topics("--create", "--topic", topic, expect=1)
    topics("--create", "--topic", topic, "--if-not-exists")
    topics("--delete", "--topic", topic)
    until(lambda: topic not in topics("--list").split(), "the topic to go")


@case
def topic_configs():
    topic = new_topic(1)
    entity = ["--entity-type", "topics", "--entity-name", topic]
    configs = lambda *args, **kw: run("kafka.admin.ConfigCommand", *entity, *args, **kw)
    configs("--alter", "--add-config", "max.message.bytes=2000000,cleanup.policy=[compact,delete]")
    until(lambda: "max.message.bytes=2000000" in configs("--describe"), "the config to show")
    equal("cleanup.policy=compact,delete" in configs("--describe"), True, "a list value")
    configs("--alter", "--delete-config", "max.message.bytes")
    until(lambda: "max.message.bytes" not in configs("--describe"), "the config to go")
    every = configs("--describe", "--all")
    for name in ["max.message.bytes=1048588", "retention.ms=604800000", "min.insync.replicas=1"]:
        equal(name in every, True, name)
    configs("--alter", "--add-config", "no.such.config=1", expect=1)


@case
def broker_configs_and_api_versions():
    answer = run("BrokerApiVersionsCommand")
    for api in ["Produce(0)", "Fetch(1)", "JoinGroup(11)", "DescribeTopicPartitions(75)"]:
        equal(api in answer, True, api)
    broker = answer.split("(id: ")[1].split(" ")[0]
    every = run("kafka.admin.ConfigCommand", "--entity-type", "brokers", "--entity-name", broker, "--describe", "--all")
    equal("num.partitions=4" in every, True, "num.partitions")


@case
def client_metrics_subscriptions():
    name = unique("metrics")
    ask = lambda *args, **kw: run("ClientMetricsCommand", *args, **kw)
    ask("--alter", "--name", name, "--metrics", "org.apache.kafka.", "--interval", 60000, "--match", "client_id=a.*")
    until(lambda: name in ask("--list").split(), "the subscription to be listed")
    shown = ask("--describe", "--name", name)
    for option in ["interval.ms=60000", "match=client_id=a.*", "metrics=org.apache.kafka."]:
        equal(option in shown, True, option)
    entity = ["--entity-type", "client-metrics", "--entity-name", name]
    equal("interval.ms=60000" in run("kafka.admin.ConfigCommand", *entity, "--describe"), True, "as configs")
    equal(name in run("kafka.admin.ConfigCommand", *entity[:2], "--describe"), True, "as one of all")
    ask("--alter", "--name", name, "--interval", 5, expect=1)
    ask("--alter", "--name", name, "--match", "colour=red", expect=1)
    ask("--delete", "--name", name)
    until(lambda: name not in ask("--list").split(), "the subscription to go")


# ---- the cluster


@case
def log_dirs():
    topic = new_topic(2)
    produce(topic, range(10))
    lines = run("LogDirsCommand", "--describe", "--topic-list", topic).splitlines()
    [broker] = json.loads(next(line for line in lines if line.startswith("{")))["brokers"]
    [folder] = broker["logDirs"]
    equal(folder["error"], None)
    partitions = {p["partition"]: p for p in folder["partitions"]}
    equal(sorted(partitions), [f"{topic}-0", f"{topic}-1"])
    equal(sum(p["size"] for p in partitions.values()) > 0, True, "bytes")
    equal({(p["offsetLag"], p["isFuture"]) for p in partitions.values()}, {(0, False)})


@case
def cluster_id_and_membership():
    equal("Cluster ID: " in run("ClusterTool", "cluster-id"), True, "the id")
    equal("127.0.0.1" in run("ClusterTool", "list-endpoints"), True, "the endpoint")
    run("ClusterTool", "unregister", "--id", 77, expect=1)


@case
def leader_election():
    topic = new_topic(2)
    election = lambda kind, *args: run("LeaderElectionCommand", "--election-type", kind, *args)
    for kind in ["preferred", "unclean"]:
        answer = election(kind, "--topic", topic, "--partition", 0)
        equal(f"Valid replica already elected for partitions {topic}-0" in answer, True, answer)
        election(kind, "--all-topic-partitions")


@case
def partition_reassignment():
    topic = new_topic(2)
    node = int(describe(topic)[1]["Leader"])

    def reassign(verb, replicas, expect=0, **more):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            partition = {"topic": topic, "partition": 0, "replicas": replicas, **more}
            json.dump({"version": 1, "partitions": [partition]}, file)
            file.flush()
            args = ["--reassignment-json-file", file.name, verb, "--preserve-throttles"]
            args = args[:3] if verb == "--execute" else args
            return run("reassign.ReassignPartitionsCommand", *args, expect=expect)

    equal("Successfully started partition reassignment" in reassign("--execute", [node]), True, "execute")
    equal("is completed" in reassign("--verify", [node]), True, "verify")
    lines = run("LogDirsCommand", "--describe", "--topic-list", topic).splitlines()
    [folder] = json.loads(next(line for line in lines if line.startswith("{")))["brokers"][0]["logDirs"]
    moved = reassign("--execute", [node], log_dirs=[folder["logDir"]])
    equal("Successfully started moving log directory" in moved, True, moved)
    reassign("--execute", [node], log_dirs=["/nowhere"], expect=1)
    reassign("--execute", [node, node + 1], expect=1)
    reassign("--execute", [node, node], expect=1)
    equal("None of the specified partition reassignments are active" in reassign("--cancel", [node]), True, "cancel")
    equal("No partition reassignments found" in run("reassign.ReassignPartitionsCommand", "--list"), True, "list")


@case
def features():
    ask = lambda *args, **kw: run("FeatureCommand", *args, **kw)
    lines = [line.split() for line in ask("describe").splitlines()]
    [row] = [line for line in lines if line[1] == "metadata.version"]
    equal(row[row.index("FinalizedVersionLevel:") + 1], "4.3-IV0")
    equal("was upgraded to 30" in ask("upgrade", "--feature", "metadata.version=30"), True, "to what it is")
    ask("upgrade", "--feature", "metadata.version=31", expect=1)
    ask("downgrade", "--feature", "metadata.version=29", expect=1)
    ask("upgrade", "--feature", "no.such.feature=1", expect=1)


@case
def metadata_quorum():
    lines = run("MetadataQuorumCommand", "describe", "--status").splitlines()
    status = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
    equal((status["MaxFollowerLag"], status["CurrentObservers"]), ("0", "[]"))
    [voter] = json.loads(status["CurrentVoters"])
    equal(str(voter["id"]), status["LeaderId"])
    _, *rows = run("MetadataQuorumCommand", "describe", "--replication").splitlines()
    [row] = [row.split() for row in rows if row.strip()]
    equal((row[0], row[3], row[-1]), (status["LeaderId"], "0", "Leader"))


@case
def active_producers():
    topic = new_topic(1)
    produce(topic, range(10))
    text = run("TransactionsCommand", "describe-producers", "--topic", topic, "--partition", 0)
    [heads, row] = [line.split() for line in text.splitlines() if line.strip()]
    found = dict(zip(heads, row))
    equal((found["ProducerEpoch"], found["CurrentTransactionStartOffset"]), ("0", "None"))


# ---- console producer and consumer


@case
def console_round_trip():
    topic = new_topic(1)
    reader = ["parse.key", "parse.headers"]
    shown = ["print.key", "print.headers", "print.offset", "print.partition"]
    reader_args = [part for name in reader for part in ("--reader-property", f"{name}=true")]
    shown_args = [part for name in shown for part in ("--formatter-property", f"{name}=true")]
    produce(topic, ["h1:a,h2:b\tk1\tv1", "h1:c\tk2\tv2"], *reader_args)
    lines = consume(topic, 2, "--from-beginning", *shown_args)
    equal(
        [line.split("\t") for line in lines],
        [["Partition:0", "Offset:0", "h1:a,h2:b", "k1", "v1"], ["Partition:0", "Offset:1", "h1:c", "k2", "v2"]],
    )


@case
def console_codecs():
    topic = new_topic(1)
    expected = []
    for codec in CODECS:
        lines = [f"{codec} {n}" for n in range(500)]
        produce(topic, lines, "--compression-codec", codec)
        expected += lines
    equal(consume(topic, len(expected), "--from-beginning"), expected)
    equal(consume(topic, 3, "--partition", 0, "--offset", 501), [f"gzip {n}" for n in (1, 2, 3)])
    equal(len(consume(topic, len(expected), "--from-beginning", "--isolation-level", "read_committed")), len(expected))


@case
def commits_are_readable_in_the_offsets_topic():
    topic, group = new_topic(1), unique("group")
    produce(topic, range(5))
    consume(topic, 5, "--group", group, "--from-beginning")
    decode = ["--formatter", TOOLS + "consumer.OffsetsMessageFormatter", "--from-beginning", "--timeout-ms", 5000]
    # The formatter writes JSON objects without anything between them.
    text = run("consumer.ConsoleConsumer", "--topic", "__consumer_offsets", *decode)
    entries = json.loads("[" + text.replace("}{", "},{") + "]")
    entries = [entry for entry in entries if entry["key"]["data"]["group"] == group]
    commits = [e["value"]["data"]["offset"] for e in entries if e["key"]["data"]["topic"] == topic and e["value"]]
    equal(commits[-1:], [5], "the last commit")


@case
def get_offsets():
    topic = new_topic(2)
    produce(topic, range(10))
    ask = lambda *args: dict(
        line.rsplit(":", 1) for line in run("GetOffsetShell", "--topic", topic, *args).splitlines()
    )
    total = lambda answer: sum(int(offset or 0) for offset in answer.values())
    equal(total(ask()), 10, "latest")
    equal(total(ask("--time", "earliest")), 0, "earliest")
    equal(total(ask("--time", "max-timestamp")) > 0, True, "max-timestamp")
    equal(total(ask("--time", 0)), 0, "first after 1970")
    equal(sorted(ask("--partitions", "1")), [f"{topic}:1"], "one partition")


@case
def delete_records():
    topic = new_topic(1)
    produce(topic, range(10))

    def delete(offset):
        """What the tool says of the partition; it tells refusals in its output alone."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            partition = {"topic": topic, "partition": 0, "offset": offset}
            json.dump({"partitions": [partition], "version": 1}, file)
            file.flush()
            return run("DeleteRecordsCommand", "--offset-json-file", file.name)

    equal("low_watermark: 4" in delete(4), True, "up to an offset")
    equal(consume(topic, 6, "--from-beginning"), [str(n) for n in range(4, 10)])
    equal("OffsetOutOfRangeException" in delete(11), True, "beyond the end")
    equal("low_watermark: 10" in delete(-1), True, "everything")
    equal(run("GetOffsetShell", "--topic", topic, "--time", "earliest").strip(), f"{topic}:0:10")
    compacted = ["--entity-type", "topics", "--entity-name", topic, "--add-config", "cleanup.policy=compact"]
    run("kafka.admin.ConfigCommand", "--alter", *compacted)
    until(lambda: "PolicyViolationException" in delete(-1), "compaction alone to keep every key")


# ---- groups


@case
def groups_from_listing_to_reset():
    topic, group = new_topic(4), unique("group")
    produce(topic, range(40))
    groups = lambda *args, **kw: run("consumer.group.ConsumerGroupCommand", *args, **kw)
    with verifiable_consumer(topic, group) as member:
        until(lambda: member.count() == 40 and member.committed() == 40, "40 records read and committed")
        equal(group in groups("--list").split(), True, "listed")
        rows = table(groups("--describe", "--group", group))
        equal({row["PARTITION"] for row in rows}, {"0", "1", "2", "3"})
        equal(sum(int(row["LOG-END-OFFSET"]) for row in rows), 40)
        # A partition without records has no commit.
        equal({row["LAG"] for row in rows} - {"-"}, {"0"})
        [state] = table(groups("--describe", "--group", group, "--state"))
        equal("Stable" in state.values(), True, f"{state}")
        [row] = table(groups("--describe", "--group", group, "--members"))
        equal(row["#PARTITIONS"], "4")
    groups("--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute")
    rows = table(groups("--describe", "--group", group))
    equal(sum(int(row["LAG"]) for row in rows), 40, "lag after the reset")


@case
def groups_and_their_offsets_are_deleted():
    topic, other, group = new_topic(1), new_topic(1), unique("group")
    groups = lambda *args, **kw: run("consumer.group.ConsumerGroupCommand", *args, **kw)
    for name in (topic, other):
        produce(name, range(3))
        consume(name, 3, "--group", group, "--from-beginning")
    of = lambda name: ["--delete-offsets", "--group", group, "--topic", name]
    with verifiable_consumer(topic, group) as member:
        until(lambda: member.owned() == 1, "an owner")
        equal("GroupSubscribedToTopic" in groups(*of(topic)).replace(" ", ""), True, "subscribed")
        equal("GroupNotEmptyException" in groups("--delete", "--group", group), True, "not empty")
        # Both topics' offsets are there, the member's own after its first commit at the latest.
        groups(*of(other))
        equal({row["TOPIC"] for row in table(groups("--describe", "--group", group))}, {topic})
    until(lambda: "GroupNotEmptyException" not in groups("--delete", "--group", group), "the member to leave")
    until(lambda: group not in groups("--list").split(), "the group to go")
    equal("GroupIdNotFoundException" in groups("--delete", "--group", group), True, "gone")


class VerifiableConsumer(cases.Process):
    """Prints one JSON line per event: assigned, revoked, records, commits."""

    def events(self, name):
        lines = [line for line in self.stdout().splitlines() if line.startswith("{") and line.endswith("}")]
        return [event for event in map(json.loads, lines) if event["name"] == name]

    def count(self):
        return sum(event["count"] for event in self.events("records_consumed"))

    def committed(self):
        """Sum of the newest committed offset per partition."""
        newest = {}
        for event in self.events("offsets_committed"):
            if event["success"]:
                newest.update({p["partition"]: p["offset"] for p in event["offsets"]})
        return sum(newest.values())

    def values(self):
        return [event["value"] for event in self.events("record_data")]

    def owned(self):
        """The size of the current assignment, whichever protocol reports it."""
        changes = [e for n in ("partitions_assigned", "partitions_revoked") for e in self.events(n)]
        owned = set()
        for event in sorted(changes, key=lambda e: e["timestamp"]):
            partitions = {p["partition"] for p in event["partitions"]}
            owned = owned | partitions if event["name"] == "partitions_assigned" else owned - partitions
        return len(owned)


def verifiable_consumer(topic, group, *args):
    common = ["--topic", topic, "--group-id", group, "--reset-policy", "earliest", "--verbose"]
    where = ["--bootstrap-server", cases.BOOTSTRAP]
    return VerifiableConsumer(command("VerifiableConsumer", *where, *common, *args))


@case
def verifiable_producer_and_consumers():
    """Two members and one that joins and leaves, while the producer prints every acknowledgement."""
    topic, group = new_topic(4), unique("group")
    strategy = ["--assignment-strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"]
    with verifiable_consumer(topic, group, *strategy) as one, verifiable_consumer(topic, group, *strategy) as two:
        until(lambda: (one.owned(), two.owned()) == (2, 2), "two each")
        sent = run("VerifiableProducer", "--topic", topic, "--max-messages", 5000, "--throughput", 2500, "--acks", -1)
        acks = [json.loads(line) for line in sent.splitlines() if line.startswith("{")]
        acked = [a["value"] for a in acks if a["name"] == "producer_send_success"]
        equal(len(acked), 5000, "acknowledged")
        until(lambda: one.count() + two.count() >= 5000, "every record")
        equal(sorted(one.values() + two.values()), sorted(acked), "each once")
        two.terminate()
        until(lambda: one.owned() == 4, "the last member owns all")


@case
def static_verifiable_consumers():
    topic, group = new_topic(4), unique("group")
    with verifiable_consumer(topic, group, "--group-instance-id", "a") as one:
        with verifiable_consumer(topic, group, "--group-instance-id", "b") as two:
            until(lambda: (one.owned(), two.owned()) == (2, 2), "two each")
            before = len(one.events("partitions_revoked"))
            two.kill()
        with verifiable_consumer(topic, group, "--group-instance-id", "b") as two:
            until(lambda: two.owned() == 2, "the same member with a new process")
            equal(len(one.events("partitions_revoked")), before, "rebalances of the other")


# ---- performance tools: here they must work; bench/ measures


@case
def producer_and_consumer_performance():
    for codec in CODECS:
        topic, count = new_topic(4), 50_000
        options = ["acks=all", "linger.ms=5", "batch.size=65536", f"compression.type={codec}"]
        load = ["--num-records", count, "--record-size", 100, "--throughput", -1]
        sent = run("ProducerPerformance", "--topic", topic, *load, "--command-property", *options)
        equal(f"{count} records sent" in sent, True, sent)
        options = ["--num-records", count, "--hide-header", "--timeout", 60_000]
        read = run("ConsumerPerformance", "--topic", topic, *options)
        fields = [field.strip() for field in read.splitlines()[-1].split(",")]
        equal(int(fields[4]), count, f"records consumed, {codec}")


@case
def end_to_end_latency():
    options = ["--topic", new_topic(1), "--num-records", 500, "--producer-acks", "all", "--record-size", 100]
    report = run("EndToEndLatency", *options)
    equal("Percentiles" in report, True, report)


if __name__ == "__main__":
    cases.main()
