"""The service's processes: the real collector and the real fold, each on a node of its own.

Whoever dies is started again after a moment, as a supervisor does, with nothing but the database to
remember by. What a process would need from the world it gets from the models.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

import collector.app
import incidents.worker
from agent.journal import Journal
from agent.kiosk import Kiosk
from agent.uplink import Uplink
from collector.app import Collector, Pace
from collector.database import Connection
from collector.settings import CollectorSettings
from incidents.calendar import ANNOUNCED, Calendar
from incidents.settings import IncidentsSettings
from incidents.thresholds import Thresholds
from incidents.worker import Worker
from tests.simulation.broker import Broker
from tests.simulation.database import Database
from tests.simulation.loop import Node, World

ACCOUNT_KEY: Final = b"the key of this simulation's hashes"
RESTART_S: Final = 1.0
"""A supervisor starts what has died after this."""

Story = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The classes that a run is made of; a mutation brings a broken one."""

    collector: type[Collector] = Collector
    worker: type[Worker] = Worker
    journal: type[Journal] = Journal
    uplink: type[Uplink] = Uplink
    kiosk: type[Kiosk] = Kiosk


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the processes are told."""

    collectors: int = 2
    workers: int = 2
    poll_s: float = 5.0
    listening_s: float = 5.0
    connections: int = 2
    queue_mib: int = 4
    thresholds: Thresholds = field(default_factory=Thresholds)


async def _no_calendar(_connection: object) -> Calendar:
    """Import nothing: no law of the fold hangs on which days people work."""
    return ANNOUNCED


class Process:
    """One program of the service: started, killed, frozen, started again."""

    def __init__(self, name: str, world: World, *, story: Story) -> None:
        self.name = name
        self.node = Node(world, name)
        self.program: Collector | Worker | None = None
        """What runs on its node now."""
        self.clock_off = timedelta()
        """How far its machine's clock is off."""
        self.lives = 0
        self.troubles: list[str] = []
        """Deaths and errors that were its own fault."""
        self._world, self._story = world, story
        self._ended = False
        self._work: Callable[[Process], Coroutine[Any, Any, None]] | None = None

    def runs(self, work: "Callable[[Process], Coroutine[Any, Any, None]]") -> None:
        """Say what it does, and start it."""
        self._work = work
        self._start()

    def now(self) -> datetime:
        """Return its machine's time of day."""
        return self._world.utc() + self.clock_off

    def monotonic(self) -> float:
        """Return the time that only goes on."""
        return self._world.now

    def kill(self) -> None:
        """End it at once; it comes back."""
        if not self.node.dead:
            self._story(self.name, "is killed")
            self.node.kill()

    def end(self) -> None:
        """End it for good."""
        self._ended = True
        self.node.kill()

    def freeze(self, for_s: float) -> None:
        """Stop it for a while; a process killed meanwhile does not wake."""
        node = self.node
        if node.frozen or node.dead:
            return
        self._story(self.name, f"is frozen for {for_s:.0f} s")
        node.freeze()

        def thaw() -> None:
            if not node.dead:
                self._story(self.name, "goes on")
                node.thaw()

        self._world.after(for_s, thaw)

    def _start(self) -> None:
        if self._ended:
            return
        self.lives += 1
        self.node = Node(self._world, self.name)
        self.node.on_death(lambda: self._world.after(RESTART_S, self._start))
        if self.lives > 1:
            self._story(self.name, "is started again")
        assert self._work is not None
        self.node.start(self._live(self.node, self._work(self)))

    async def _live(self, node: Node, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            if not node.dead:
                self._fell(node, f"{type(error).__name__}: {error}")
        else:
            self._fell(node, "it ended by itself")

    def _fell(self, node: Node, why: str) -> None:
        self.troubles.append(why)
        self._story(self.name, f"falls: {why}")
        self._world.after(0.0, node.kill)


class Services:
    """All processes of the service."""

    def __init__(
        self,
        world: World,
        database: Database,
        broker: Broker,
        *,
        numbers: Numbers,
        parts: Parts,
        story: Story,
    ) -> None:
        self._database, self._broker = database, broker
        self._numbers, self._parts = numbers, parts
        self.collectors = [
            Process(f"collector-{number}", world, story=story)
            for number in range(1, numbers.collectors + 1)
        ]
        self.workers = [
            Process(f"fold-{number}", world, story=story)
            for number in range(1, numbers.workers + 1)
        ]

    @property
    def all(self) -> list[Process]:
        """Return every process."""
        return [*self.collectors, *self.workers]

    def start(self) -> None:
        """Start everything."""
        for each in self.collectors:
            each.runs(self._collect)
        for each in self.workers:
            each.runs(self._fold)

    async def _collect(self, process: Process) -> None:
        node = process.node

        async def connect(_dsn: str, name: str) -> Connection:
            return cast(Connection, await self._database.connect(node, name))

        settings = CollectorSettings(
            dsn="model",
            account_key=ACCOUNT_KEY,
            name=process.name,
            connections=self._numbers.connections,
            queue_mib=self._numbers.queue_mib,
        )
        doors = collector.app.Doors(
            now=process.now,
            monotonic=process.monotonic,
            broker=cast(Any, self._broker.for_service(node)),
            connect=connect,
        )
        process.program = program = self._parts.collector(
            settings,
            lambda: None,
            doors,
            Pace(edition_s=1.0, listening_s=self._numbers.listening_s),
        )
        await program.run(asyncio.Event())

    async def _fold(self, process: Process) -> None:
        node = process.node

        async def connect(_dsn: str) -> Connection:
            return cast(Connection, await self._database.connect(node, process.name))

        thresholds = self._numbers.thresholds
        settings = IncidentsSettings(
            dsn="model",
            poll_s=self._numbers.poll_s,
            **{name: getattr(thresholds, name) for name in thresholds.__dataclass_fields__},
        )
        doors = incidents.worker.Doors(
            now=process.now, monotonic=process.monotonic, connect=connect, calendar=_no_calendar
        )
        process.program = program = self._parts.worker(settings, doors=doors)
        await program.run()
