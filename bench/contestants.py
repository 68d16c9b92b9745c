"""Starts and stops what is measured: the floor, Ottla, Apache Kafka. Used by `run`.

Every process dies with the one that started it, however that ends; its data goes with it.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ENV = HERE / ".env"
ROOT = HERE.parent
BUILT = ROOT / "target/bench/release"
READY_S = 60
PR_SET_PDEATHSIG = 1
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

# Both brokers get these; what only Kafka needs is in KRAFT.
COMMON = {
    "num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    # The topics of a load are deleted behind it; their room is wanted back within the run.
    "log.segment.delete.delay.ms": "1000",
}
KRAFT = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}


class ContestantError(Exception):
    """A contestant did not start, or ended by itself; the text holds the end of its log."""


class Contestant:
    """A process, its address and its folder. Use it in a `with` block."""

    def __init__(self, data):
        self.folder = pathlib.Path(data) / self.name
        self.folder.mkdir(parents=True)
        self.log = self.folder / "log"
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        """Returns the seconds from exec to the first good answer to ApiVersions."""
        command = [str(part) for part in self.command()]
        with open(self.log, "ab") as log:
            begin = time.monotonic()
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, preexec_fn=die_with_parent
            )
        while not self.is_ready():
            if self.process.poll() is not None:
                raise ContestantError(f"{self.name} ended with {self.process.returncode}\n{self.log_tail()}")
            if time.monotonic() - begin > READY_S:
                raise ContestantError(f"{self.name} was not ready after {READY_S} s\n{self.log_tail()}")
            time.sleep(0.001)
        return time.monotonic() - begin

    def is_ready(self):
        return serves_api_versions(self.address)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()

    def cpu_s(self):
        """User plus system time so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def rss_mb(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6

    def obituary(self):
        """How the process ended, if it did: the cause behind whatever error was seen first."""
        code = self.process.poll()
        return "" if code is None else f"; it ended with {code}: {self.log_tail()}"

    def log_tail(self):
        if not self.log.exists():
            return ""
        return " / ".join(self.log.read_text(errors="replace").splitlines()[-20:])


class Floor(Contestant):
    name = "floor"
    blocks = "written"

    def command(self):
        file_bytes = (1 if self.blocks == "written" else 8) << 30
        options = ["--file-bytes", file_bytes, "--blocks", self.blocks]
        return [BUILT / "floor", "--address", self.address, "--file", self.folder / "journal", *options]

    def is_ready(self):
        # It speaks one version of ApiVersions; that it listens is enough.
        return accepts(self.address)


class FloorOnNewBlocks(Floor):
    name = "floor-new"
    blocks = "allocated"


class Ottla(Contestant):
    name = "ottla"
    binary = pathlib.Path(os.environ.get("OTTLA_BIN") or ROOT / "target/release/ottla")

    def command(self):
        if not self.binary.exists():
            raise ContestantError(f"{self.binary} is missing: cargo build --release, or set OTTLA_BIN")
        config = self.folder / "server.properties"
        write_properties(
            config,
            {
                "listeners": f"PLAINTEXT://{self.address}",
                "log.dirs": self.folder / "data",
                "http.listener": f"127.0.0.1:{free_port()}",
                "durability": "sync",
                **COMMON,
            },
        )
        return [self.binary, "serve", "--config", config]


class Kafka(Contestant):
    name = "kafka"

    def __init__(self, data):
        super().__init__(data)
        # Kept over restarts: it is written into the metadata log.
        self.controller = f"127.0.0.1:{free_port()}"

    def command(self):
        config = self.folder / "server.properties"
        listeners = f"PLAINTEXT://{self.address},CONTROLLER://{self.controller}"
        write_properties(
            config,
            {
                "listeners": listeners,
                "advertised.listeners": listeners,
                "controller.quorum.bootstrap.servers": self.controller,
                "log.dirs": self.folder / "data",
                **KRAFT,
                **COMMON,
            },
        )
        format_args = ["format", "--standalone", "--ignore-formatted", "-t", "benchAAAAAAAAAAAAAAAAA", "-c", config]
        subprocess.run(java("kafka.tools.StorageTool", *format_args), check=True, capture_output=True)
        return java("kafka.Kafka", config, heap=["-Xms1g", "-Xmx1g"])


ALL = {kind.name: kind for kind in (Floor, FloorOnNewBlocks, Ottla, Kafka)}


def java(main_class, *args, heap=("-Xmx1g",)):
    """The command line that runs a class of Apache Kafka's jars."""
    quiet = f"-Dlog4j2.configurationFile={ROOT / 'conformance/log4j2.xml'}"
    return ["java", *heap, quiet, "-cp", (ENV / "classpath").read_text().strip(), main_class, *map(str, args)]


def install_kafka():
    """Apache Kafka and its tools from Maven Central, as one classpath; pinned where the conformance suites pin it."""
    pom = ROOT / "conformance/pom.xml"
    classpath = ENV / "classpath"
    if classpath.exists() and classpath.stat().st_mtime > pom.stat().st_mtime:
        return
    ENV.mkdir(exist_ok=True)
    goal = ["dependency:build-classpath", f"-Dmdep.outputFile={classpath}"]
    subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *goal], check=True, stdout=2)


def build_tools():
    """Driver and floor."""
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=HERE, check=True, stdout=2)


def write_properties(path, properties):
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))


def die_with_parent():
    """Runs in the child before exec; a thousand connections need more open files than the usual limit."""
    import resource

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=5)


def accepts(address):
    with contextlib.suppress(OSError), connect(address):
        return True
    return False


def ask(address, request):
    """One request by hand; the answer behind its correlation id, empty if there is none."""
    try:
        with connect(address) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            stream = connection.makefile("rb")
            length = stream.read(4)
            return stream.read(struct.unpack(">i", length)[0])[4:] if len(length) == 4 else b""
    except OSError:
        return b""


def serves_api_versions(address):
    """ApiVersions v0: no error, and Produce among the APIs."""
    answer = ask(address, struct.pack(">hhih", 18, 0, 1, -1))
    if len(answer) < 6:
        return False
    error, count = struct.unpack_from(">hi", answer)
    keys = {struct.unpack_from(">h", answer, 6 + 6 * index)[0] for index in range(count)}
    return error == 0 and 0 in keys


def partitions_with_leader(address, topic):
    """Metadata v0: how many partitions of the topic have a leader."""
    name = topic.encode()
    request = struct.pack(">hhihih", 3, 0, 1, -1, 1, len(name)) + name
    answer = ask(address, request)
    if len(answer) < 8:
        return 0
    at = 4
    for _ in range(struct.unpack_from(">i", answer)[0]):
        at += 4 + 2 + struct.unpack_from(">h", answer, at + 4)[0] + 4
    _, error, name_bytes = struct.unpack_from(">ihh", answer, at)
    at += 8 + name_bytes
    leaders = 0
    partitions = struct.unpack_from(">i", answer, at)[0] if error == 0 else 0
    at += 4
    for _ in range(partitions):
        partition_error, _, leader = struct.unpack_from(">hii", answer, at)
        at += 10
        leaders += partition_error == 0 and leader >= 0
        for _replicas_isr in range(2):
            at += 4 + 4 * struct.unpack_from(">i", answer, at)[0]
    return leaders
