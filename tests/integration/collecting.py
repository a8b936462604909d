"""A collector as a process, and a hand-written terminal that speaks to it (paho)."""

import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.brokers import Broker
from tests.integration.postgres import killed_with_parent

ROOT = Path(__file__).parents[2]
KEY = b"0123456789abcdef0123456789abcdef"
_RUN = """
import sys
from pathlib import Path
from collector.app import run
from collector.settings import CollectorSettings, MqttSettings
dsn, port, name, key, share, user, password, *tls = sys.argv[1:]
files = dict(zip(("ca_file", "cert_file", "key_file"), map(Path, tls)))
mqtt = MqttSettings(
    port=int(port), user=user or None, password=password or None, tls=bool(tls), **files
)
settings = CollectorSettings(
    dsn=dsn, account_key=bytes.fromhex(key), mqtt=mqtt, name=name, share=share == "True"
)
run(settings, lambda: print("ready", flush=True))
"""


class CollectorProcess:
    """A collector of a test."""

    def __init__(  # noqa: PLR0913 - every one a setting, told by name
        self,
        dsn: str,
        broker: Broker,
        folder: Path,
        name: str = "collector",
        *,
        share: bool = True,
        login: str = ":",
        port: int = 0,
        tls: Sequence[Path] = (),
    ) -> None:
        """Start it; `tls` are the authority, our certificate and its key."""
        where = str(port or broker.port)
        self._arguments = [dsn, where, name, KEY.hex(), str(share), *login.split(":")]
        self._arguments += map(str, tls)
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it is subscribed."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _RUN, *self._arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                preexec_fn=killed_with_parent,  # noqa: PLW1509 - one call to prctl
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self.kill()
            raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """End it with kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it politely and return its exit status."""
        return self._end(signal.SIGTERM)

    def close(self) -> None:
        """End it politely, which must succeed."""
        assert self.stop() == 0, self.log.read_text()

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.send_signal(how)
        status = self._process.wait(15)
        self._process.stdout.close()
        return status


class Journal:
    """A journal as a terminal keeps it: events with their marks."""

    def __init__(self, epoch: int | None = None) -> None:
        self.epoch = epoch or time.time_ns() // 1_000_000
        self.marks = [str(self.epoch)]
        self.events: list[Any] = []

    def add(self, *events: Any) -> None:
        """Append events."""
        for event in events:
            data = json.dumps(event).encode()
            mark = hashlib.sha256(self.marks[-1].encode() + data).hexdigest()[:16]
            self.marks.append(mark)
            self.events.append(event)

    def faults(self, count: int) -> None:
        """Append so many plain events, each told by its code."""
        for _ in range(count):
            self.add(fault(f"n{len(self.events) + 1}"))

    def batch(self, first: int, last: int, **other: Any) -> dict[str, Any]:
        """Return the batch of the seqs first … last."""
        return {
            "epoch": self.epoch,
            "first": first,
            "prev": self.marks[first - 1],
            "last": self.marks[last],
            "events": self.events[first - 1 : last],
            **other,
        }

    def ack(self, following: int) -> dict[str, Any]:
        """Return the ack that says everything before `following` is stored."""
        return {"epoch": self.epoch, "next": following, "mark": self.marks[following - 1]}


def fault(code: str, **other: Any) -> dict[str, Any]:
    """Return a plain event that was just now."""
    at = time.time_ns() // 1_000_000
    kind = {"kind": "fault", "at": at, "component": "app", "severity": "warning", "code": code}
    return {**kind, **other}


class Terminal:
    """A terminal by hand: publishes what it is told to and keeps what comes on `ack`."""

    def __init__(self, broker: Broker, name: str | None = None) -> None:
        self.name = name or f"T-{uuid.uuid4().hex[:10]}"
        self.acks: queue.Queue[Any] = queue.Queue()
        subscribed: queue.Queue[int] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name)
        self._client.on_subscribe = lambda *_: subscribed.put(1)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic("ack"), 1)
        self._client.on_message = lambda _c, _u, message: self.acks.put(json.loads(message.payload))
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        subscribed.get(timeout=10)

    def _topic(self, channel: str) -> str:
        return f"kvitok/v1/{self.name}/{channel}"

    def publish(self, channel: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish bytes on a channel at QoS 1 and wait for the broker's answer."""
        self._client.publish(self._topic(channel), payload, qos=1, retain=retain).wait_for_publish(
            10
        )

    def send(self, batch: Any) -> Any:
        """Publish a batch (an object or bytes) and return the answer."""
        payload = batch if isinstance(batch, bytes) else json.dumps(batch).encode()
        self.publish("journal", payload)
        return self.acks.get(timeout=15)

    def send_until_acked(self, batch: dict[str, Any], following: int) -> None:
        """Send as the contract says, until everything before `following` is stored."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.publish("journal", json.dumps(batch).encode())
            try:
                ack = self.acks.get(timeout=1)
            except queue.Empty:
                continue
            if ack.get("epoch") == batch["epoch"] and ack["next"] >= following:
                return
        raise AssertionError("no ack")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def rows(dsn: str, query: str, *values: Any) -> Sequence[tuple[Any, ...]]:
    """Return what a query answers."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query.encode(), values).fetchall()


def stored(dsn: str, terminal: str) -> list[tuple[int, str]]:
    """Return seq and kind of a terminal's stored events, in order."""
    query = "select seq, kind from event where terminal = %s order by epoch, seq"
    return [(row[0], row[1]) for row in rows(dsn, query, terminal)]


def eventually(condition: Any, seconds: float = 10) -> Any:
    """Return the condition's first true value, or fail."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.05)
    return value
