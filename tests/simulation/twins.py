"""One play on two stages: the model chooses and writes down what happens, PostgreSQL follows."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from itertools import zip_longest
from random import Random
from typing import Any, Final

import asyncpg

from tests.simulation.database import Database
from tests.simulation.loop import Node, World
from tests.simulation.tables import SHAPES, Shape
from tests.simulation.twin_actors import Actor
from tests.simulation.twin_work import AT, TERMINALS, Drawer, Work

STEP_S: Final = 0.1
BLOCKED_S: Final = 0.06
"""Who is blocked for so long stays so: circles are found before."""
DEADLOCK_S: Final = 0.02
CHANNELS: Final = ("kvitok_journal", "kvitok_pulse")

_OF_THE_CLOCK: Final = {"moved_at", "changed_at"}
"""Columns that hold `now()` (of a case: a time that is given)."""
_ANY_ORDER: Final = {"body", "pulse"}
"""Columns of type jsonb whose text the model keeps as it was sent."""

_PERSON: Final = {
    "touch": "update support_case set touched = true where number = $1",
    "resolve": "update support_case set touched = true, state = 'resolved' where number = $1",
    "report": "insert into report (channel, received_at, status, content, case_number)"
    " values ('form', $2, 'attached', '', $1)",
    "clear": "update incident set cleared_at = $2 where id = $1",
    "register": "insert into terminal (terminal, registered, timezone, opens, closes)"
    " values ($1, true, 'Asia/Omsk', $2, $3) on conflict (terminal) do update"
    " set registered = true, timezone = 'Asia/Omsk', opens = $2, closes = $3",
}
"""What people and imports do between two statements."""


@dataclass
class Play:
    """What happened on the model, to be done again."""

    works: list[list[Work]] = field(default_factory=list)
    steps: list[tuple[str, Any]] = field(default_factory=list)
    places: list[list[str]] = field(default_factory=list)
    """Where each actor stood after each step."""
    results: list[list[object]] = field(default_factory=list)
    answers: list[list[object]] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)


class ModelStage:
    """Plays on the model, and draws what happens."""

    def __init__(self, seed: int, *, actors: int, works: int) -> None:
        self._random = Random(seed)
        self._world = World(AT)
        self._database = Database(
            self._world, random=Random(seed), idle_s_max=1e9, deadlock_s=DEADLOCK_S
        )
        self._left = [works] * actors
        self._drawer = Drawer(self._random, self._database)
        self.play = Play(works=[[] for _ in range(actors)])
        self._node = Node(self._world, "node")
        self._actors = [Actor(number, self._connect, self._draw) for number in range(actors)]

    def run(self) -> Play:
        """Play until everybody is done."""
        self._node.start(self._listen())
        self._settle()
        for actor in self._actors:
            self._node.start(actor.live())
        self._settle()
        play, random = self.play, self._random
        last = self._actors[0]
        while ready := [actor for actor in self._actors if actor.gate is not None]:
            fate = random.random()
            if (rival := self._rival()) is not None:
                rival.connection.session.close()
                play.steps.append(("kill", rival.number))
            elif fate < 0.02 and len(self._actors) > 1:
                actor = random.choice([each for each in self._actors if not each.is_done])
                actor.connection.session.close()
                play.steps.append(("kill", actor.number))
            elif fate < 0.10 and (done := self._person()) is not None:
                play.steps.append(("person", done))
            else:
                last = last if last in ready and random.random() < 0.4 else random.choice(ready)
                play.steps.append(("let", last.number))
                last.let()
            self._settle()
            play.places.append([actor.place for actor in self._actors])
        assert all(actor.is_done for actor in self._actors)
        assert self._node.troubles == []
        assert not self._database.heap.locks
        play.results = [actor.results for actor in self._actors]
        play.answers = [actor.answers for actor in self._actors]
        play.tables = {
            shape.name: _comparable(shape, self._database.committed(shape.name).values())
            for shape in SHAPES
        }
        return play

    def _rival(self) -> Actor | None:
        """Return who waits for the same commit as another, but not for the same row.

        Which of them goes on first is chance with PostgreSQL; at one row they stand in a queue.
        """
        places: dict[int, Any] = {}
        for actor in self._actors:
            if actor.connection is not None:
                holder, place = actor.connection.session.waits
                if holder is None:
                    continue
                if id(holder) in places and None in (place, places[id(holder)]):
                    return actor
                if places.setdefault(id(holder), place) != place:
                    return actor
        return None

    async def _listen(self) -> None:
        connection = await self._connect()
        for channel in CHANNELS:
            await connection.add_listener(channel, _teller(self.play.told))

    async def _connect(self) -> Any:
        return await self._database.connect(self._node, "actor")

    def _draw(self, number: int) -> Work | None:
        if not self._left[number]:
            return None
        self._left[number] -= 1
        work = self._drawer.draw()
        self.play.works[number].append(work)
        return work

    def _settle(self) -> None:
        self._world.run_until(self._world.now + STEP_S)

    def _person(self) -> tuple[str, list[Any]] | None:
        """Do something that another program does, if its rows are free; return what."""
        random, database = self._random, self._database
        cases = sorted(database.committed("support_case"))
        action = random.choice(tuple(_PERSON))
        done = False
        arguments: list[Any] = []
        if action == "register":
            hours = (time(9), time(21)) if random.random() < 0.5 else (None, None)
            arguments = [random.choice(TERMINALS), *hours]
            values = dict(zip(("terminal", "opens", "closes"), arguments, strict=True))
            done = database.write("terminal", registered=True, timezone="Asia/Omsk", **values)
        elif action == "clear":
            rows = database.committed("incident").values()
            some = [row["id"] for row in rows if row["rule"] == "identity_clash"]
            if some:
                arguments = [random.choice(some), self._world.utc()]
                done = database.write("incident", id=arguments[0], cleared_at=arguments[1])
        elif cases:
            number = random.choice(cases)
            arguments = [number, self._world.utc()] if action == "report" else [number]
            done = self._work_on(action, number)
        return (action, arguments) if done else None

    def _work_on(self, action: str, number: str) -> bool:
        database = self._database
        if action == "touch":
            return database.write("support_case", number=number, touched=True)
        if action == "resolve":
            return database.write("support_case", number=number, touched=True, state="resolved")
        if ("support_case", number) in database.heap.locks:
            return False  # its foreign key would wait
        values = {"status": "attached", "content": b"", "case_number": number}
        return database.write("report", channel="form", received_at=self._world.utc(), **values)


class RealStage:
    """Follows a play on PostgreSQL."""

    def __init__(self, dsn: str, play: Play) -> None:
        self._dsn, self._play = dsn, play
        self._works = [list(reversed(works)) for works in play.works]
        self._actors = [
            Actor(number, self._connect, self._next) for number in range(len(self._works))
        ]
        self._admin: Any = None
        self._connections: list[Any] = []
        self._stuck: set[int] = set()
        self._ended = 0
        self.told: list[tuple[str, str]] = []

    async def run(self) -> None:
        """Play, and see that everybody stands where the model said, gets and leaves the same."""
        try:
            self._admin, listener = await self._connect(), await self._connect()
            for channel in CHANNELS:
                await listener.add_listener(channel, _teller(self.told))
            async with asyncio.TaskGroup() as group:
                for actor in self._actors:
                    group.create_task(actor.live())
                await self._follow()
            await self._compare()
            await listener.fetch("select 1")
            await asyncio.sleep(0)
            for one, other in zip_longest(self._play.told, self.told):
                assert one == other, f"told {one}, really {other}"
        finally:
            for connection in self._connections:
                connection.terminate()

    async def _follow(self) -> None:
        await self._settle()
        steps = zip(self._play.steps, self._play.places, strict=True)
        for number, (step, expected) in enumerate(steps):
            await self._do(*step)
            await self._settle()
            places = [actor.place for actor in self._actors]
            assert places == expected, f"after step {number}, {step}: {expected}, really {places}"

    async def _compare(self) -> None:
        for actor, ours in zip(self._actors, self._play.results, strict=True):
            for number, (one, other) in enumerate(zip(ours, actor.results, strict=True)):
                assert one == other, f"actor {actor.number}, work {number}: {one}, really {other}"
        for actor, ours in zip(self._actors, self._play.answers, strict=True):
            for number, (one, other) in enumerate(zip(ours, actor.answers, strict=True)):
                assert one == other, f"actor {actor.number}, answer {number}: {one}, really {other}"
        for shape in SHAPES:
            columns = ", ".join(shape.columns)
            rows = await self._admin.fetch(f"select {columns} from {shape.name}")  # noqa: S608
            theirs = _comparable(shape, [dict(row) for row in rows])
            _same(shape.name, self._play.tables[shape.name], theirs)

    async def _connect(self) -> Any:
        timeout = f"{DEADLOCK_S * 1000:.0f}ms"
        settings = {"deadlock_timeout": timeout, "timezone": "UTC", "jit": "off"}
        connection = await asyncpg.connect(self._dsn, server_settings=settings)
        self._connections.append(connection)
        return connection

    def _next(self, number: int) -> Work | None:
        works = self._works[number]
        return works.pop() if works else None

    async def _do(self, step: str, what: Any) -> None:
        if step == "let":
            self._actors[what].let()
        elif step == "person":
            action, arguments = what
            await self._admin.execute(_PERSON[action], *arguments, timeout=5)
        else:
            connection = self._actors[what].connection
            self._stuck = set()
            pid = connection.get_server_pid()
            await self._admin.execute("select pg_terminate_backend($1, 5000)", pid)
            while not connection.is_closed():  # noqa: ASYNC110 - asyncpg tells nobody
                await asyncio.sleep(0.001)

    async def _settle(self) -> None:
        """Wait until everybody is at a gate, done, or blocked for good."""
        loop = asyncio.get_running_loop()
        blocked_since: dict[int, float] = {}
        quick_until = loop.time() + 0.02
        while moving := [each for each in self._actors if each.gate is None and not each.is_done]:
            # Locks are given back where some work ends; else who was blocked still is.
            ended = sum(len(actor.results) for actor in self._actors)
            if self._ended != ended:
                self._ended, self._stuck = ended, set()
            if not {actor.number for actor in moving} - self._stuck:
                return
            if loop.time() < quick_until:
                await asyncio.sleep(0.0002)
                continue
            blocked = await self._blocked(moving)
            now = loop.time()
            for number in [each for each in blocked_since if each not in blocked]:
                del blocked_since[number]
            for number in blocked:
                blocked_since.setdefault(number, now)
            since = [blocked_since.get(actor.number, now) for actor in moving]
            if now - max(since) > BLOCKED_S:
                self._stuck = blocked
                return
            await asyncio.sleep(0.005)
        self._stuck = set()

    async def _blocked(self, actors: list[Actor]) -> set[int]:
        pids = {
            actor.connection.get_server_pid(): actor.number
            for actor in actors
            if actor.connection is not None and not actor.connection.is_closed()
        }
        rows = await self._admin.fetch(
            "select pid from unnest($1::int[]) as pid where pg_blocking_pids(pid) <> '{}'",
            list(pids),
        )
        return {pids[row["pid"]] for row in rows}


def _teller(told: list[tuple[str, str]]) -> Callable[[Any, int, str, object], None]:
    def tell(_connection: object, _pid: int, channel: str, payload: object) -> None:
        told.append((channel, ",".join(sorted(str(payload).split(",")))))

    return tell


def _same(name: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    for one, other in zip(ours, theirs, strict=False):
        different = {key: (one[key], other[key]) for key in one if one[key] != other[key]}
        assert not different, f"{name} of {one}: the model's, PostgreSQL's"
    assert len(ours) == len(theirs), name


def _comparable(shape: Shape, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Return rows in one order, without what only the clock knows."""
    found = []
    for row in rows:
        plain = dict(row)
        for column, value in row.items():
            if column in _OF_THE_CLOCK and shape.name != "support_case":
                plain[column] = isinstance(value, datetime)
            elif column in _ANY_ORDER and shape.name != "quarantine" and value:
                plain[column] = json.loads(value, parse_float=Decimal)
        found.append(plain)
    found.sort(key=lambda plain: str([shape.key(plain), list(plain.values())]))
    return found
