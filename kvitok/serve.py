"""`kvitok serve`: all programs of the service, as children of one process.

Laws: standard output carries the ready line and nothing else; the line is printed when everything
works, not before; SIGTERM, SIGINT and SIGHUP end everything cleanly at any moment, the start
included; whoever dies is started again, and nobody outlives this process.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from collector.settings import CollectorSettings
from desk.settings import DeskSettings
from kvitok.database import bring_up
from kvitok.desk_probe import ask_desk
from kvitok.embedded import launch
from kvitok.embedded.folder import HOST, Children, Ports, held
from kvitok.embedded.nats import COLLECTOR_USER, TEST_USER, Nats
from kvitok.embedded.nats_log import NatsLog
from kvitok.embedded.postgres import Postgres
from kvitok.embedded.secrets import Secrets, keep, write_private
from kvitok.place import embedded_environment
from kvitok.settings import SettingsError, load
from kvitok.supervisor import Program, StartFailed, Supervisor

log = logging.getLogger("kvitok.serve")

READY_WITHIN_S: Final = 120.0
BROKER_HEARD_EVERY_S: Final = 1.0
SERVICES: Final = ("collector", "incidents", "desk", "mail")
COMMANDS: Final = {"mail": ("mail", "run")}
"""Of the programs whose command is not their name."""
CONFIGURATION: Final = """\
# Written at every start of `kvitok serve --embedded`; for other settings use the environment.
[database]
dsn = {owner}

[mqtt]
host = "{host}"
port = {mqtt_port}
user = {mqtt_user}
password = {mqtt_password}

[collector]
dsn = {collector}

[incidents]
dsn = {incidents}

[desk]
dsn = {desk}
host = "{host}"
port = {http_port}
metrics_dir = "metrics"

[mail]
drop = "mail/drop"
outbox = "mail/outbox"

[secrets]
account_key = "{account_key}"
report_key = "{report_key}"
"""


@dataclass(frozen=True)
class Embedded:
    """What the command line says of an embedded service; port 0 is any free one."""

    folder: Path
    mqtt_port: int
    http_port: int


def serve_embedded(wanted: Embedded) -> None:
    """Serve from a folder until told to stop.

    Raises:
        EmbeddedError, StartFailed: it cannot start; the text says why and what to do.
    """
    # Everything must be absolute: the programs are told paths, not where we stand.
    folder = wanted.folder.expanduser().absolute()
    with held(folder):
        asyncio.run(_until_signal(lambda: _embedded(folder, wanted)))


def serve_configured(config: Path) -> None:
    """Serve with the broker and database that the settings name, until told to stop.

    Raises:
        SettingsError, StartFailed: it cannot start; the text says why and what to do.
    """
    asyncio.run(_until_signal(lambda: _configured(config.absolute())))


async def _until_signal(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run the work and cancel it at the first signal; its own errors pass through."""
    task = asyncio.create_task(work())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, _told_to_stop, number, task)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _told_to_stop(number: signal.Signals, task: asyncio.Task[None]) -> None:
    # Once: a second signal (an impatient Ctrl-C, `timeout` to the whole group) would cut the
    # stopping short, and the database would not be shut down.
    if task.cancelling():
        log.info("%s: already stopping, a few seconds more", number.name)
        return
    log.info("%s: stopping", number.name)
    task.cancel()


async def _embedded(folder: Path, wanted: Embedded) -> None:
    secrets = keep(folder / "secrets.json")
    children = Children(folder)
    await asyncio.to_thread(children.end_left_overs)
    ports = Ports(folder)
    mqtt_port = ports.choose("mqtt", wanted.mqtt_port, "--mqtt-port")
    http_port = ports.choose("http", wanted.http_port, "--http-port")
    postgres = Postgres(folder, secrets.database_owner)
    nats = Nats(folder, mqtt_port, secrets.mqtt_test, secrets.mqtt_collector)
    config = folder / "kvitok.toml"
    write_private(config, _configuration(postgres, secrets, mqtt_port, http_port))
    supervisor = Supervisor(log.warning, children.remember)
    broker_log = NatsLog(nats.log)
    hearing = asyncio.create_task(_hear(broker_log))
    try:
        log.info("starting database and broker in %s", folder)
        await supervisor.start(
            Program(
                "database",
                postgres.command,
                stop_signal=signal.SIGINT,
                prepare=postgres.prepare,
                is_ready=postgres.is_ready,
            ),
            Program("broker", nats.command, prepare=nats.prepare, is_ready=nats.is_ready),
            within_s=READY_WITHIN_S,
        )
        await asyncio.to_thread(bring_up, postgres.dsn(), secrets, datetime.now(UTC))  # noqa: TID251 - a door
        await _start_services(
            supervisor,
            config,
            metrics=folder / "metrics",
            http=(HOST, http_port),
            environment=embedded_environment(os.environ),
        )
        _print_ready(mqtt_port, http_port, secrets)
        await asyncio.Event().wait()
    finally:
        await supervisor.stop(*SERVICES)
        await supervisor.stop("broker", "database")
        postgres.tidy()
        hearing.cancel()
        _tell(broker_log)
        log.info("stopped")


async def _configured(config: Path) -> None:
    settings = load(config)
    collector, desk = settings.section(CollectorSettings), settings.section(DeskSettings)
    if desk.port == 0:
        raise SettingsError(f"{config}: [desk] port: name one, `serve` must know where to ask")
    supervisor = Supervisor(log.warning)
    try:
        await _start_services(
            supervisor,
            config,
            metrics=desk.metrics_dir,
            http=(desk.host, desk.port),
            environment=dict(os.environ),
        )
        line = {
            "ready": True,
            "mqtt": f"mqtt://{collector.mqtt.host}:{collector.mqtt.port}",
            "http": f"http://{desk.host}:{desk.port}",
        }
        print(json.dumps(line), flush=True)  # noqa: T201 - the ready line
        await asyncio.Event().wait()
    finally:
        await supervisor.stop(*SERVICES)
        log.info("stopped")


async def _hear(broker_log: NatsLog) -> None:
    """Pass on what the broker says that a person should hear."""
    while True:
        _tell(broker_log)
        await asyncio.sleep(BROKER_HEARD_EVERY_S)


def _tell(broker_log: NatsLog) -> None:
    try:
        for text in broker_log.news():
            log.warning("broker: %s", text)
    except OSError as error:
        log.warning("cannot read %s: %s", broker_log.path, error.strerror)


def _configuration(postgres: Postgres, secrets: Secrets, mqtt_port: int, http_port: int) -> str:
    """Return the settings file of an embedded service."""
    return CONFIGURATION.format(
        owner=json.dumps(postgres.dsn()),
        collector=json.dumps(postgres.dsn("kvitok_collector", secrets.database_collector)),
        incidents=json.dumps(postgres.dsn("kvitok_incidents", secrets.database_incidents)),
        desk=json.dumps(postgres.dsn("kvitok_desk", secrets.database_desk)),
        host=HOST,
        mqtt_port=mqtt_port,
        http_port=http_port,
        mqtt_user=json.dumps(COLLECTOR_USER),
        mqtt_password=json.dumps(secrets.mqtt_collector),
        account_key=secrets.account_key,
        report_key=secrets.report_key,
    )


async def _start_services(
    supervisor: Supervisor,
    config: Path,
    *,
    metrics: Path | None,
    http: tuple[str, int],
    environment: dict[str, str],
) -> None:
    """Start the programs that do the work and return when they all do."""
    if metrics is not None:
        _empty(metrics)
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    log.info("starting %s", ", ".join(SERVICES))
    programs = [
        Program(
            name,
            partial(_command, name, config),
            # A program that fails tells the log where.
            environment={**environment, "KVITOK_DEBUG": "1"},
            is_ready=_DeskReady(*http) if name == "desk" else None,
        )
        for name in SERVICES
    ]
    await supervisor.start(*programs, within_s=READY_WITHIN_S)


def _command(name: str, config: Path) -> list[str]:
    program = [
        sys.executable,
        "-m",
        "kvitok",
        *COMMANDS.get(name, (name,)),
        "--config",
        str(config),
    ]
    return launch.command(program, parent=os.getpid(), stop=signal.SIGTERM)


def _empty(folder: Path) -> None:
    """Make the folder of the metrics and forget those of processes that are gone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.glob("*.db"):
        old.unlink(missing_ok=True)


class _DeskReady:
    """Asks the desk whether it is ready; why it is not goes to the log, each reason once."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._told: set[str] = set()

    def __call__(self) -> bool:
        said = ask_desk(self._host, self._port)
        if said.why is not None and said.why not in self._told:
            self._told.add(said.why)
            log.warning("the desk waits: %s", said.why)
        return said.ready


def _print_ready(mqtt_port: int, http_port: int, secrets: Secrets) -> None:
    line = {
        "ready": True,
        "mqtt": f"mqtt://{HOST}:{mqtt_port}",
        "http": f"http://{HOST}:{http_port}",
        "token": secrets.token,
        "mqtt_user": TEST_USER,
        "mqtt_password": secrets.mqtt_test,
    }
    print(json.dumps(line), flush=True)  # noqa: T201 - the ready line


__all__ = ["Embedded", "StartFailed", "serve_configured", "serve_embedded"]
