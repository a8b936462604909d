"""Work for the model of PostgreSQL and the real one: the product's functions, drawn from a seed.

Few terminals, journals, transactions and moments, so that what two do at once is often the same.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from collector.now import Edition, publish_edition
from collector.pulses import News, Question
from collector.reading import Readable, read_batch, unix_ms
from collector.refusals import KeptRefusal
from collector.store import Arrival, store
from incidents import watch
from incidents.commit import NOTHING_ELSE, Run, commit
from incidents.thresholds import Thresholds
from tests.simulation.database import Database
from wire.journal import Epoch
from wire.topics import TerminalId

AT: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)
KEY: Final = b"0123456789abcdef0123456789abcdef"
TERMINALS: Final = tuple(TerminalId(name) for name in ("t1", "t2", "t3"))
EPOCHS: Final = (unix_ms(AT) - 5000, unix_ms(AT) - 1000)
NUMBERS: Final = Thresholds(
    hold_s=1.0,
    reopen_window_s=20.0,
    grace_s=1.0,
    silent_intervals=1,
    pulse_interval_s=5,
    provisional_case_s=5.0,
)
_ODD_NUMBERS: Final = "[1e16, 1.50, -0.0, -0.5, 1E+2, 12345678901234567890123, 2.5e-3]"


@dataclass(frozen=True, slots=True)
class StoreWork:
    """What a journal queue does."""

    arrivals: list[Arrival]
    strangers: set[str]

    async def run(self, connection: Any) -> object:
        """Return what was stored."""
        async with connection.transaction():
            return await store(connection, self.arrivals, self.strangers)


@dataclass(frozen=True, slots=True)
class PublishWork:
    """What becomes of news."""

    edition: Edition
    strangers: set[str]

    async def run(self, connection: Any) -> object:
        """Return the answers."""
        async with connection.transaction():
            return await publish_edition(connection, self.edition, self.strangers)


@dataclass(frozen=True, slots=True)
class FoldWork:
    """What a worker does: look what there is to do, and do it."""

    now: datetime
    names: tuple[str, ...]
    is_look: bool
    events_most: int

    async def run(self, connection: Any) -> object:
        """Return what was found and what the commit did."""
        errands = dict.fromkeys(self.names, NOTHING_ELSE)
        seen: list[object] = []
        since: datetime | None = AT
        if self.is_look:
            since = await watch.listening_since(
                connection, self.now, started_at=AT, numbers=NUMBERS
            )
            for found in (
                (await watch.behind(connection, self.now))[0],
                await watch.ripe(connection),
                await watch.quiet(connection, self.now, since, NUMBERS),
                await watch.overdue(connection, self.now, NUMBERS),
                await watch.clashes(connection, NUMBERS),
            ):
                seen.append(found)
                for name, errand in sorted(found.items()):
                    errands[name] = errands.get(name, NOTHING_ELSE).joined(errand)
        run = Run(
            numbers=NUMBERS, now=self.now, listening_since=since, events_most=self.events_most
        )
        outcome = await commit(connection, errands, run)
        return since, seen, outcome


Work: TypeAlias = StoreWork | PublishWork | FoldWork


class Drawer:
    """Draws the next work, looking at what is committed so that some of it fits."""

    def __init__(self, random: Random, database: Database) -> None:
        self._random = random
        self._database = database
        self._now = AT
        self._weights = {kind: weight for kind, (weight, _) in _EVENTS.items()}
        if random.random() < 0.4:  # a life of broken devices, with few customers
            self._weights |= {"device_changed": 40, "agent_started": 0, "clock_stepped": 0}

    def draw(self) -> Work:
        """Return the next work."""
        random = self._random
        jumps = (0.05, 0.5, 1.0, 4.0, 9.0, 45.0)
        self._now += timedelta(seconds=random.choices(jumps, (4, 4, 3, 3, 3, 1))[0])
        self._now += timedelta(microseconds=random.randrange(3000))
        kind = random.choices(("store", "publish", "fold"), (4, 3, 5))[0]
        if kind == "store":
            return self._store()
        if kind == "publish":
            return self._publish()
        is_look = random.random() < 0.6
        names = random.sample(TERMINALS, 0 if is_look else random.randint(1, 3))
        return FoldWork(
            self._now, tuple(names), is_look, random.choices((1, 5, 1000), (1, 1, 4))[0]
        )

    # --- journals

    def _store(self) -> StoreWork:
        names = self._some()
        strangers = {str(name) for name in names if self._random.random() < 0.3}
        return StoreWork([self._arrival(name) for name in names], strangers)

    def _some(self) -> list[TerminalId]:
        return self._random.sample(TERMINALS, self._random.randint(1, 3))

    def _arrival(self, name: TerminalId) -> Arrival:
        random = self._random
        epoch = random.choices(EPOCHS, (1, 3))[0]
        row = self._database.committed("journal").get((name, epoch))
        following, mark = (1, str(epoch)) if row is None else (row["next_seq"], row["mark"])
        head: dict[str, Any] = {"epoch": epoch, "first": following, "prev": mark}
        events = [self._event() for _ in range(random.randint(1, 5))]
        match random.choices(("fits", "hole", "before", "fork", "lost"), (12, 1, 2, 1, 1))[0]:
            case "hole":
                head["first"] += 2
            case "before":
                head["first"] = max(1, following - random.randint(1, 4))
            case "fork":
                head["prev"] = "beef"
            case "lost":
                head["first"] += random.randint(1, 3)
                head["lost_from"] = following
                events = events[: random.randint(0, 2)]
        head["last"] = f"{random.randrange(16**6):x}" if events else mark
        words = json.dumps(head)[:-1] + f', "events": [{", ".join(events)}]}}'
        payload = words.encode()
        readable = read_batch(payload, self._now, KEY)
        assert isinstance(readable, Readable), readable
        return Arrival(name, self._now, readable, payload)

    def _event(self) -> str:
        random = self._random
        late = random.choices((0, 2, 7, 3_000_000), (12, 4, 2, 1))[0]
        at = unix_ms(self._now) - late * 1000
        kind = random.choices(tuple(self._weights), tuple(self._weights.values()))[0]
        if kind == "new_kind":
            return f'{{"kind": "new_kind", "at": {at}, "odd": {_ODD_NUMBERS}, "x": "\\u00e9"}}'
        fields = _EVENTS[kind][1](random)
        return json.dumps({"kind": kind, "at": at, **fields})

    # --- news

    def _publish(self) -> PublishWork:
        random, names = self._random, self._some()
        refusals = [self._refusal() for _ in range(random.choice((0, 0, 1, 3)))]
        if random.random() < 0.05:
            refusals = [self._refusal(number) for number in range(60)]
        strangers = {str(name) for name in names if random.random() < 0.5}
        by_digest = {(each.terminal, each.digest): each for each in refusals}
        edition = Edition(
            news={name: self._news(name) for name in names},
            questions=[
                Question(name, Epoch(random.choice(EPOCHS)), random.choice((None, None, 4)))
                for name in self._some()
            ],
            refusals=list(by_digest.values()),
            listening=self._listening() if random.random() < 0.4 else None,
            notify=random.random() < 0.5,
        )
        return PublishWork(edition, strangers)

    def _listening(self) -> tuple[str, datetime, datetime, timedelta]:
        since = self._now - timedelta(seconds=self._random.choice((1, 30, 300)))
        gap = timedelta(seconds=self._random.choice((15, 600)))
        return self._random.choice(("c1", "c2")), since, self._now, gap

    def _refusal(self, number: int | None = None) -> KeptRefusal:
        digest = str(self._random.randrange(4) if number is None else number)
        at = self._now + timedelta(microseconds=number or 0)
        name = self._random.choice(TERMINALS) if number is None else TERMINALS[0]
        return KeptRefusal(name, digest, "pulse", "not_json", 3, at, at, 2)

    def _news(self, name: TerminalId) -> News:
        random = self._random
        at = self._now - timedelta(seconds=random.choice((0, 0, 1, 30, 100)))
        news = News(boot=random.choice((None, "b1", "b2")))
        news.online = random.choice((None, True, False))
        if news.online is False:
            news.offline_boot = news.boot or random.choice(("b1", "b2"))
        if news.online is not None or random.random() < 0.5:
            news.changed_at = at
        if random.random() < 0.7:
            news.heard_at = at
        if random.random() < 0.6:
            news.pulse, news.pulse_at, news.pulse_received_at = self._pulse(name, at), at, at
        return news

    def _pulse(self, name: TerminalId, at: datetime) -> str:
        random = self._random
        epoch = random.choices(EPOCHS, (1, 5))[0]
        row = self._database.committed("journal").get((name, epoch))
        pulse: dict[str, Any] = {"at": unix_ms(at), "epoch": epoch, "boot": "b1"}
        pulse["next"] = 1 if row is None else row["next_seq"]
        pulse["unacked"] = random.choices((0, 2), (6, 1))[0]
        if random.random() < 0.7:
            pulse["interval_s"] = random.choice((1, 5, 20))
        return json.dumps(pulse)


def _tx(random: Random) -> dict[str, Any]:
    return {"tx": random.choice("ab")}


def _cash(random: Random) -> dict[str, Any]:
    return {**_tx(random), "amount": random.choice((100, 5000)), "currency": "RUB"}


def _payment(random: Random) -> dict[str, Any]:
    outcome = random.choice(("accepted", "declined", "failed", "unknown"))
    return {**_cash(random), "outcome": outcome, "fee": 1, "reference": "r"}


def _receipt(random: Random) -> dict[str, Any]:
    fields = {**_tx(random), "outcome": random.choice(("printed", "failed", "refused", "unknown"))}
    if fields["outcome"] == "failed":
        fields["cause"] = "paper_out"
    elif random.random() < 0.5:
        fields["fiscal"] = {"fn": "1", "fd": "2", "fp": "3"}
    return fields


def _device(random: Random) -> dict[str, Any]:
    status = random.choice(("online", "hardware_error", "offline"))
    fields = {"device": random.choice(("receipt_printer", "note_acceptor")), "status": status}
    if status != "online":
        fields["cause"] = random.choice(("hardware", "paper_jammed"))
    return fields


def _started(random: Random) -> dict[str, Any]:
    return {**_tx(random), "service": "phone", "account": "+79161234567"}


def _ended(random: Random) -> dict[str, Any]:
    return {**_tx(random), "cause": random.choice(("completed", "timed_out"))}


_EVENTS: Final[Mapping[str, tuple[int, Callable[[Random], dict[str, Any]]]]] = {
    "transaction_started": (3, _started),
    "cash_accepted": (8, lambda random: {**_cash(random), "media": "note"}),
    "cash_returned": (1, _cash),
    "payment_result": (3, _payment),
    "receipt_result": (3, _receipt),
    "transaction_ended": (2, _ended),
    "device_changed": (5, _device),
    "agent_started": (1, lambda _random: {"agent": "1", "cause": "restart"}),
    "clock_stepped": (1, lambda random: {"step_ms": random.choice((-5000, 5000))}),
    "fault": (1, lambda _random: {"component": "x", "severity": 7, "code": "y"}),
    "new_kind": (1, lambda _random: {}),
}
