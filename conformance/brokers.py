"""Starts, kills and stops the broker under test: Ottla, Apache Kafka, or one that already runs.

Used by `run` (one fresh broker per client suite) and by whoever kills brokers: suites/kill9.py and
examples/nycflights. A broker keeps its port and its data folder over all its restarts.
"""

import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ENV = HERE / ".env"
READY_S = 60

# Both brokers get these; what only Kafka needs is in KRAFT.
COMMON = {
    "num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    # Ottla's own: two brokers at once must not want the same port.
    "http.listener": "",
}
KRAFT = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A restarted node must not wait out the session of the killed one.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}


class BrokerError(Exception):
    """The broker did not start, or ended by itself; the text holds the end of its log."""


def open_broker(spec, properties=None):
    """`spec` is ottla, kafka or HOST:PORT. Use the result in a `with` block."""
    if spec == "ottla":
        return Ottla(properties or {})
    if spec == "kafka":
        return Kafka(properties or {})
    if ":" in spec:
        return Running(spec)
    raise SystemExit(f"--broker {spec}: expected ottla, kafka or HOST:PORT")


class Running:
    """A broker somebody else started; it can be talked to, not killed."""

    killable = False

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def __enter__(self):
        if not answers_metadata(self.bootstrap):
            raise BrokerError(f"no broker answers at {self.bootstrap}")
        return self

    def __exit__(self, *_):
        pass


class Broker:
    """A broker process of ours, its data in a temporary folder that goes away with it."""

    killable = True

    def __init__(self, properties):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="conformance-"))
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.config = self.folder / "server.properties"
        self.log = self.folder / "broker.log"
        self.process = None
        self.write_config(properties)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Returns the seconds from exec until Metadata names a broker."""
        self.spawn()
        return self.wait_ready()

    def spawn(self):
        self.spawned = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)

    def wait_ready(self):
        while not answers_metadata(self.bootstrap):
            if self.process.poll() is not None:
                raise BrokerError(f"the broker ended with {self.process.returncode}\n{self.log_tail()}")
            if time.monotonic() - self.spawned > READY_S:
                raise BrokerError(f"the broker was not ready after {READY_S} s\n{self.log_tail()}")
            time.sleep(0.01)
        return time.monotonic() - self.spawned

    def kill(self):
        """kill -9. Tells a crash of the broker's own from ours."""
        if self.process.poll() is not None:
            code = self.process.returncode
            raise BrokerError(f"the broker had ended by itself with {code}\n{self.log_tail()}")
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise BrokerError(f"the broker did not stop within 60 s of SIGTERM\n{self.log_tail()}") from None

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-40:])

    def write_properties(self, properties):
        lines = [f"{key}={value}\n" for key, value in properties.items()]
        self.config.write_text("".join(lines))


class Ottla(Broker):
    name = "ottla"

    def write_config(self, properties):
        self.write_properties(
            {
                "listeners": f"PLAINTEXT://{self.bootstrap}",
                "log.dirs": self.folder / "data",
                **COMMON,
                **properties,
            }
        )

    def command(self):
        binary = os.environ.get("OTTLA_BIN") or HERE.parent / "target/release/ottla"
        if not pathlib.Path(binary).exists():
            raise BrokerError(f"{binary} is missing: cargo build --release, or set OTTLA_BIN")
        return [binary, "serve", "--config", self.config]


class Kafka(Broker):
    name = "kafka"

    def write_config(self, properties):
        controller = f"127.0.0.1:{free_port()}"
        listeners = f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}"
        self.write_properties(
            {
                "node.id": "1",
                "listeners": listeners,
                "advertised.listeners": listeners,
                "controller.quorum.bootstrap.servers": controller,
                "log.dirs": self.folder / "data",
                **KRAFT,
                **COMMON,
                **properties,
            }
        )

    def command(self):
        if not (self.folder / "data").exists():
            format_args = ["format", "--standalone", "-t", "conformanceAAAAAAAAAAA", "-c", self.config]
            subprocess.run(java("kafka.tools.StorageTool", *format_args), check=True, capture_output=True)
        return java("kafka.Kafka", self.config, heap_mb=768)


def java(main_class, *args, heap_mb=256):
    """The command line that runs a class of Apache Kafka's jars."""
    classpath = ENV / "classpath"
    if not classpath.exists():
        raise BrokerError("Apache Kafka's jars are missing: conformance/run install kafka")
    return [
        "java",
        f"-Xmx{heap_mb}m",
        # Short runs: the first compiler tier starts faster and leaves CPU to the broker.
        "-XX:TieredStopAtLevel=1" if heap_mb <= 256 else "-XX:+TieredCompilation",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
        "-cp",
        classpath.read_text().strip(),
        main_class,
        *map(str, args),
    ]


def free_port():
    """A free port below the kernel's ephemeral range.

    While a killed broker is down, its port must not be handed to a reconnecting client as source
    port: the client would connect to itself and the broker could not bind again.
    """
    for _ in range(1000):
        port = random.randint(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise BrokerError("no free port between 15000 and 32000")


def answers_metadata(bootstrap):
    """One Metadata v0 request by hand: true once the broker lists at least one broker."""
    host, port = bootstrap.rsplit(":", 1)
    # Header v1 (key 3, version 0, correlation 1, null client id), then an empty topic array.
    request = struct.pack(">hhihi", 3, 0, 1, -1, 0)
    try:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.makefile("rb").read(12)
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] >= 1
