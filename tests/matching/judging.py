"""Takes each mail the way that the service takes it, and notes what became of it and how fast."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg

from desk.mail.letter import OwnAddresses
from desk.reports.content import Received
from desk.reports.understanding import Reader
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.matcher import Asked, Match, match
from incidents.matching.model import STANDARD, Model
from incidents.matching.passage import Fact
from tests.matching.mails import Mail
from tests.matching.payments import Key
from tests.matching.worlds import hash_of

OWN: Final = OwnAddresses(
    mailboxes=frozenset({"konsultant@kvitok.example"}),
    domains=frozenset({"staff.kvitok.example", "kvitok.example"}),
    hosts=frozenset({"mx.kvitok.example"}),
)
MOSCOW: Final = ZoneInfo("Europe/Moscow")
_IDENTIFYING: Final = frozenset(
    {"account", "tail", "terminal", "place", "receipt", "operation", "fiscal"}
)
_TERMINALS: Final = (
    "select terminal, name, country, city, address, metro, place, region from terminal"
    " order by terminal"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A mail, what was found for it, and how long each part took."""

    mail: Mail
    facts: tuple[Fact, ...]
    match: Match
    suspicion: str | None
    seconds: float
    with_files: bool
    match_seconds: float

    @property
    def attached(self) -> Key | None:
        """Return the transaction that it was attached to by itself."""
        made = self.match.decision
        if made.status != "attached" or made.terminal is None or made.tx is None:
            return None
        return made.terminal, made.epoch or 0, made.tx

    @property
    def attached_terminal(self) -> str | None:
        """Return the terminal that it was attached to, with a transaction or without."""
        made = self.match.decision
        return made.terminal if made.status == "attached" else None

    @property
    def matchable(self) -> bool:
        """Return whether a payment is right, and the mail names anything that tells it apart."""
        if self.mail.split == "by_hand":
            return bool(self.mail.right)
        return bool(self.mail.right) and any(kind in _IDENTIFYING for kind, _ in self.mail.said)

    def rank(self) -> int | None:
        """Return the place of the first right candidate, from 1."""
        for number, each in enumerate(self.match.candidates, start=1):
            if (each.terminal, each.epoch, each.tx) in self.mail.right:
                return number
        return None

    def terminal_right(self) -> bool:
        """Return whether the likeliest terminal is the right one."""
        first = self.match.terminals[0][0] if self.match.terminals else None
        return first in {key[0] for key in self.mail.right}


async def gazetteer(connection: asyncpg.Connection) -> Gazetteer:
    """Return the addresses of the fleet in the database."""
    return Gazetteer([Row(*row) for row in await connection.fetch(_TERMINALS)])


async def judge(
    connection: asyncpg.Connection,
    made: Iterable[Mail],
    *,
    model: Model = STANDARD,
    tell: Callable[[int], None] = lambda _: None,
) -> list[Judged]:
    """Return what becomes of each mail; `tell` hears how many are done."""
    reader = Reader(own=OWN)
    await reader.warm(connection)
    judged = []
    for number, mail in enumerate(made, start=1):
        judged.append(await _one(connection, mail, reader, model))
        tell(number)
    return judged


async def _one(connection: asyncpg.Connection, mail: Mail, reader: Reader, model: Model) -> Judged:
    received = Received(channel="mail", at=mail.received_at.astimezone(UTC), reported_at=None)
    begun = time.perf_counter()
    read = await reader.read(connection, mail.raw, received, None)
    match_begun = time.perf_counter()
    asked = Asked(
        facts=read.facts, received_at=received.at, hash_of=hash_of,
        suspended=read.content.suspicion is not None,
    )  # fmt: skip
    result = await match(connection, asked, model)
    ended = time.perf_counter()
    return Judged(
        mail=mail, facts=tuple(read.facts), match=result, suspicion=read.content.suspicion,
        seconds=ended - begun, with_files=bool(read.reading.files),
        match_seconds=ended - match_begun,
    )  # fmt: skip


def found_right(judged: Judged, kind: str, value: object) -> str:
    """Return `right`, `wrong` or `missed` for a fact that the renderer put in."""
    told = [
        fact.value for fact in judged.facts if fact.kind == ("account" if kind == "tail" else kind)
    ]
    if not told:
        return "missed"
    return "right" if any(_same(kind, value, each) for each in told) else "wrong"


def _same(kind: str, wanted: Any, told: Any) -> bool:  # noqa: PLR0911 - a row a fact
    match kind:
        case "amount":
            return bool(told["minor"] == wanted)
        case "account":
            return bool(_bare(str(told["digits"])) == _bare(str(wanted)))
        case "tail":
            return str(told["digits"]).endswith(str(wanted))
        case "contact":
            return _bare(str(told)) == _bare(str(wanted))
        case "place":
            return wanted in told["terminals"]
        case "fiscal":
            return bool(told["fp"] == wanted)
        case "paid_at":
            return _holds(told, *wanted)
        case _:
            return str(told).lstrip("0") == str(wanted).lstrip("0")


_SLACK: Final = timedelta(minutes=3)


def _bare(digits: str) -> str:
    digits = "".join(each for each in digits if each.isdigit())
    return digits[1:] if len(digits) == 11 and digits[0] in "78" else digits


def _holds(told: dict[str, Any], moment: datetime, how: str) -> bool:
    """Return whether an interval holds the moment, by the wall clock of where it was paid."""
    wall = moment.replace(tzinfo=MOSCOW)
    spans = [told, *told.get("alternatives", ())]
    for each in spans:
        low, high = (datetime.fromisoformat(each[key]) for key in ("from", "to"))
        if how == "day":
            low, high = low.astimezone(MOSCOW), high.astimezone(MOSCOW)
            if low.date() <= wall.date() <= high.date():
                return True
        elif low - _SLACK <= wall <= high + _SLACK:
            return True
    return False
