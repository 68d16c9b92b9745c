"""Installs what the suites need, through ordinary package clients, into conformance/.env.

Used by `run` and examples/nycflights/run. Each step is skipped while its pinned list is unchanged.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ENV = HERE / ".env"
PYTHON = ENV / "python/bin/python"


def python():
    """confluent-kafka, kafka-python and the flights data from PyPI, in a venv."""
    if not PYTHON.exists():
        call(sys.executable, "-m", "venv", ENV / "python")
    call(PYTHON, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt")


def kafka_python_2():
    """A kafka-python of 2020 beside the venv's; both are the module `kafka`."""
    target = ENV / "kafka-python-2.0"
    call(PYTHON, "-m", "pip", "install", "--quiet", "--upgrade", "--target", target, "kafka-python==2.0.2")


def node():
    """kafkajs and codecs from npm, in conformance/node_modules."""
    call("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=HERE)


def kafka():
    """Apache Kafka and its tools from Maven Central, as one classpath."""
    output = f"-Dmdep.outputFile={ENV / 'classpath'}"
    call("mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:build-classpath", output)


def kcat():
    """kcat from Debian; only root can install it."""
    if shutil.which("kcat"):
        return
    if os.geteuid() != 0:
        raise SystemExit("kcat is missing: apt-get install kcat")
    call("apt-get", "install", "-y", "-q", "kcat")


STEPS = {"python": python, "kafka-python-2.0": kafka_python_2, "node": node, "kafka": kafka, "kcat": kcat}
# The file whose change makes a step run again; kcat is the system's.
PINS = {
    "python": "requirements.txt",
    "kafka-python-2.0": "install.py",
    "node": "package-lock.json",
    "kafka": "pom.xml",
}


def ensure(*names):
    for name in names:
        stamp = ENV / f"{name}.installed"
        pins = HERE / PINS[name] if name in PINS else None
        digest = hashlib.sha256(pins.read_bytes()).hexdigest() if pins else ""
        if pins and stamp.exists() and stamp.read_text() == digest:
            continue
        ENV.mkdir(exist_ok=True)
        STEPS[name]()
        stamp.write_text(digest)


def call(*command, cwd=None):
    subprocess.run([str(part) for part in command], check=True, cwd=cwd)
