"""The processes of a service on loopback: each its own, kept running, killed and frozen at will.

Between them and what they need stand proxies: fleet to broker, service to broker, programs to
database. One thread starts whoever died again; it outlives all its children, who end with it.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Final, Literal
from urllib.parse import quote

import psutil

from firmware_sim.session import Broker
from kvitok.database import bring_up
from kvitok.desk_probe import ask_desk
from kvitok.embedded import launch
from kvitok.embedded.nats import COLLECTOR_USER, TEST_USER, Nats
from kvitok.embedded.postgres import OWNER, PORT, Postgres, binary, is_root
from kvitok.embedded.secrets import keep, write_private
from sql.roles import COLLECTOR, DESK, INCIDENTS
from tests.chaos.proxy import Proxies, Proxy
from tests.chaos.schedule import SERVICES
from tests.integration.brokers import mosquitto_program
from tests.integration.postgres import free_port

BrokerName = Literal["nats", "mosquitto"]
HOLD_S: Final = 3.0
READY_S_MAX: Final = 60.0
_AGAIN_S: Final = 0.5
_LOOK_S: Final = 0.1
_HOST: Final = "127.0.0.1"

_SETTINGS: Final = """\
[collector]
dsn = {collector}
[mqtt]
port = {mqtt_port}
user = {user}
password = {password}
[incidents]
dsn = {incidents}
hold_s = {hold_s}
# Silence is judged by other tests: here every fault makes somebody silent for a while.
silent_intervals = 100000
[desk]
dsn = {desk}
port = {http_port}
[secrets]
account_key = "{account_key}"
report_key = "{report_key}"
"""

_MOSQUITTO: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 100000
max_inflight_messages 0
user root
"""


class NotReady(Exception):  # noqa: N818 - says what is
    """Something did not come up; the text says what, and where to look."""


@dataclass(slots=True)
class Kept:
    """One process: `wanted` says if it is to run, whoever killed it."""

    name: str
    command: Callable[[], list[str]]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    died_at: float = -1e9

    @property
    def runs(self) -> bool:
        """Say if it lives."""
        return self.process is not None and self.process.poll() is None


class House:
    """Database, broker, two collectors, two fold workers, the desk."""

    def __init__(self, folder: Path, broker: BrokerName) -> None:
        self.folder = folder
        self.broker_name: BrokerName = broker
        self.secrets = keep(folder / "secrets.json")
        (folder / "logs").mkdir()
        self._lock = RLock()
        self._ending = Event()
        self.postgres = Postgres(folder, self.secrets.database_owner)
        self._broker_port, self.http_port = free_port(), free_port()
        self._nats = Nats(
            folder, self._broker_port, self.secrets.mqtt_test, self.secrets.mqtt_collector
        )
        self._proxies = Proxies()
        door = folder / "pg"
        door.mkdir()
        fleet, service = free_port(), free_port()
        socket = f".s.PGSQL.{PORT}"
        self.paths: dict[str, Proxy] = {
            "fleet-broker": self._proxies.open((_HOST, fleet), (_HOST, self._broker_port)),
            "service-broker": self._proxies.open((_HOST, service), (_HOST, self._broker_port)),
            "service-database": self._proxies.open(
                door / socket, self.postgres.socket_folder / socket
            ),
        }
        self.mqtt = Broker(port=fleet, user=TEST_USER, password=self.secrets.mqtt_test)
        self._settings = folder / "kvitok.toml"
        write_private(self._settings, self._toml(service, door))
        self.kept: dict[str, Kept] = {
            "database": self._kept("database", self.postgres.command, self.postgres.prepare),
            "broker": self._kept("broker", self._broker_command, self._broker_prepare),
            **{name: self._service(name) for name in SERVICES},
        }
        for name in SERVICES:
            self.kept[name].wanted = False
        self._thread = Thread(target=self._watch, name="chaos-house", daemon=True)

    @property
    def api(self) -> tuple[str, str]:
        """The address of the desk, and a token for it."""
        return f"http://{_HOST}:{self.http_port}", self.secrets.token

    @property
    def dsn(self) -> str:
        """The database, past the proxy."""
        return self.postgres.dsn()

    def start(self) -> None:
        """Start everything and return when the desk is ready."""
        self._thread.start()
        self.await_ready("database")
        self.await_ready("broker")
        bring_up(self.dsn, self.secrets, datetime.now(UTC))
        for name in SERVICES:
            self.kept[name].wanted = True
        self.await_ready("desk")

    def close(self) -> None:
        """End everything that was started."""
        for name in (*reversed(SERVICES), "broker", "database"):
            self.thaw(name)
            self.stop(name, signal.SIGINT if name == "database" else signal.SIGTERM)
        self._ending.set()
        self._thread.join(10)
        self.postgres.tidy()
        self._proxies.close()

    def pids(self, name: str) -> list[int]:
        """Return the process ids of a program, its own first."""
        process = self.kept[name].process
        if process is None or process.poll() is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            below = psutil.Process(process.pid).children(recursive=True)
            return [process.pid, *(each.pid for each in below)]
        return []

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program and everything below it."""
        for pid in self.pids(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def thaw(self, name: str) -> None:
        """Let a frozen program go on."""
        self.send(name, signal.SIGCONT)

    def stop(self, name: str, how: signal.Signals) -> None:
        """End a program by a signal, and let nobody start it again."""
        with self._lock:
            kept = self.kept[name]
            kept.wanted = False
        if kept.process is None:
            return
        if how is signal.SIGKILL:
            self.send(name, how)
        elif kept.runs:
            kept.process.send_signal(how)
        try:
            kept.process.wait(20)
        except subprocess.TimeoutExpired:
            self.send(name, signal.SIGKILL)
            kept.process.wait(10)

    def want(self, name: str) -> None:
        """Have a program started again."""
        with self._lock:
            self.kept[name].wanted = True
            self.kept[name].died_at = -1e9

    def await_ready(self, name: str) -> None:
        """Wait until a program works.

        Raises:
            NotReady: it does not.
        """
        ends = time.monotonic() + READY_S_MAX
        while not self.is_ready(name):
            if time.monotonic() > ends:
                raise NotReady(f"{name} does not work; see {self.kept[name].log}")
            time.sleep(0.1)

    def is_ready(self, name: str) -> bool:
        """Say if a program works, as far as that can be asked."""
        if not self.kept[name].runs:
            return False
        if name == "database":
            return self.postgres.is_ready()
        if name == "broker":
            return self._nats.is_ready()
        return ask_desk(_HOST, self.http_port).ready if name == "desk" else True

    def forget_broker(self) -> None:
        """Take away all that the broker keeps; it must not run."""
        shutil.rmtree(self.folder / "nats", ignore_errors=True)

    def other_broker(self, name: BrokerName) -> None:
        """Put another broker in the place of this one, on the same port; it knows nothing."""
        self.send("broker", signal.SIGCONT)
        self.stop("broker", signal.SIGTERM)
        self.broker_name = name
        self.forget_broker()
        self.want("broker")
        self.await_ready("broker")

    def backup(self) -> None:
        """Take a base backup, in the place of the one before."""
        target = self.folder / "backup"
        shutil.rmtree(target, ignore_errors=True)
        command = [
            str(binary("pg_basebackup")), "-D", str(target), "-h", str(self.postgres.socket_folder),
            "-p", str(PORT), "-U", OWNER, "-X", "stream", "--checkpoint=fast", "--no-sync",
        ]  # fmt: skip
        environment = {**os.environ, "PGPASSWORD": self.secrets.database_owner}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise NotReady(f"pg_basebackup: {done.stderr.strip()}")

    def restore(self) -> None:
        """Put the backup in the place of the database, which must not run."""
        shutil.rmtree(self.postgres.data)
        shutil.copytree(self.folder / "backup", self.postgres.data)
        if is_root():
            for each in (self.postgres.data, *self.postgres.data.rglob("*")):
                shutil.chown(each, launch.NOBODY)
        self.postgres.data.chmod(0o700)

    def _watch(self) -> None:
        while not self._ending.wait(_LOOK_S):
            for kept in self.kept.values():
                with self._lock:
                    self._keep(kept)

    def _keep(self, kept: Kept) -> None:
        now = time.monotonic()
        if not kept.wanted or kept.runs:
            return
        if kept.process is not None and kept.died_at < 0:
            kept.died_at = now
        if now < kept.died_at + _AGAIN_S:
            return
        kept.prepare()
        with kept.log.open("ab") as log:
            kept.process = subprocess.Popen(
                kept.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **kept.environment},
                process_group=0,
            )
        kept.died_at = -1e9

    def _kept(
        self,
        name: str,
        command: Callable[[], list[str]],
        prepare: Callable[[], None] = lambda: None,
    ) -> Kept:
        return Kept(name, command, self.folder / "logs" / f"{name}.log", prepare=prepare)

    def _service(self, name: str) -> Kept:
        program = [sys.executable, "-m", "kvitok", name.partition("-")[0], "--config"]
        command = launch.command(
            [*program, str(self._settings)], parent=os.getpid(), stop=signal.SIGKILL
        )
        kept = self._kept(name, lambda: command)
        # A program that fails tells the log where.
        kept.environment = {"KVITOK_DEBUG": "1"}
        if name.startswith("collector"):
            kept.environment["KVITOK_COLLECTOR_NAME"] = name
        return kept

    def _broker_prepare(self) -> None:
        self._nats.prepare()
        config = self.folder / "mosquitto.conf"
        config.write_text(_MOSQUITTO.format(port=self._broker_port), encoding="utf-8")

    def _broker_command(self) -> list[str]:
        if self.broker_name == "nats":
            return self._nats.command()
        program = [str(mosquitto_program()), "-c", str(self.folder / "mosquitto.conf")]
        return launch.command(program, parent=os.getpid(), stop=signal.SIGTERM)

    def _toml(self, mqtt_port: int, door: Path) -> str:
        def through(user: str, password: str) -> str:
            direct = self.postgres.dsn(user, password)
            there = direct.replace(_quoted(self.postgres.socket_folder), _quoted(door))
            assert there != direct
            return json.dumps(there)

        secrets = self.secrets
        return _SETTINGS.format(
            collector=through(COLLECTOR, secrets.database_collector),
            incidents=through(INCIDENTS, secrets.database_incidents),
            desk=through(DESK, secrets.database_desk),
            mqtt_port=mqtt_port,
            http_port=self.http_port,
            user=json.dumps(COLLECTOR_USER),
            password=json.dumps(secrets.mqtt_collector),
            hold_s=HOLD_S,
            account_key=secrets.account_key,
            report_key=secrets.report_key,
        )


def _quoted(path: Path) -> str:
    return quote(str(path), safe="")
