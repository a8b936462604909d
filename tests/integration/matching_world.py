"""Small worlds for the matcher: some terminals, a few hundred payments, and reports about them."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from incidents.matching.facts import read_facts
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.matcher import Asked, Match, match
from incidents.matching.passage import Origin, Passage

ZONE: Final = ZoneInfo("Europe/Moscow")
WRITTEN: Final = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)
STREETS: Final = ("Профсоюзная", "Гагарина", "Садовая", "Тверская", "Покровка", "Мясницкая",
                  "Лесная", "Сухонская", "Полярная", "Широкая")  # fmt: skip
SUMS: Final = (10000, 30000, 50000, 50000, 50000, 100000, 100000, 20000)

TERMINAL: Final = """
insert into terminal (terminal, registered, city, address, timezone)
values ($1, true, 'Москва', $2, $3)
"""
COLUMNS: Final = (
    "terminal", "epoch", "tx", "started_at", "ended_at", "end_cause", "service", "service_name",
    "account_masked", "account_hash", "accepted", "returned", "currency", "payment",
    "payment_amount", "payment_fee", "payment_reference", "receipt", "receipt_number", "fiscal",
    "proof", "judged",
)  # fmt: skip
INSERT: Final = f"""
insert into transaction ({", ".join(COLUMNS)})
values ({", ".join(f"${n}" for n in range(1, len(COLUMNS) + 1))})
"""  # noqa: S608 - built of the names above


def hash_of(digits: str) -> str:
    """Return a stand-in for the collector's keyed hash."""
    return hashlib.sha256(digits.encode()).hexdigest()[:32]


def at(text: str, zone: ZoneInfo = ZONE) -> datetime:
    """Return a wall time of November 2026: `22 14:05`."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2026-11-{day:>02} {clock}").replace(tzinfo=zone)


class World:
    """A database with a fleet and its payments."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._rows: list[Row] = []
        self._number = 0

    async def fill(self, *, terminals: int = 40, each: int = 60) -> None:
        """Make a fleet whose every terminal takes `each` payments in thirty days."""
        for number in range(terminals):
            await self.terminal(str(40100 + 7 * number), number)
        for number in range(terminals * each):
            started = WRITTEN - timedelta(minutes=17.3 * (number + 1))
            await self.pay(
                str(40100 + 7 * (number % terminals)), started, f"9{number:09d}",
                SUMS[number * 7 % len(SUMS)],
            )  # fmt: skip

    async def terminal(self, name: str, number: int, zone: str = "Europe/Moscow") -> None:
        """Make a terminal."""
        street = f"ул. {STREETS[number % len(STREETS)]}, {number + 1}"
        await self.connection.execute(TERMINAL, name, street, zone)
        self._rows.append(Row(name, city="Москва", address=street))

    async def pay(
        self, terminal: str, started_at: datetime, account: str | None, accepted: int, **other: Any
    ) -> str:
        """Insert a payment that went well, but for what is told; return its tx."""
        self._number += 1
        fee = accepted // 20
        values: dict[str, Any] = {
            "epoch": 1, "tx": f"x{self._number}", "ended_at": started_at + timedelta(minutes=2),
            "end_cause": "completed", "service": "mts", "service_name": "МТС",
            "account_masked": account and f"+7 {account[:3]} ***-**-{account[-2:]}",
            "account_hash": account and hash_of(account), "returned": 0, "currency": "RUB",
            "payment": "accepted", "payment_amount": accepted - fee, "payment_fee": fee,
            "payment_reference": f"88{self._number:06d}", "receipt": "printed",
            "receipt_number": f"{self._number:06d}", "fiscal": None, "judged": {},
        }  # fmt: skip
        values |= {"terminal": terminal, "started_at": started_at, "accepted": accepted, **other}
        values |= {"proof": "{}", "judged": orjson.dumps(values["judged"]).decode()}
        if values["fiscal"]:
            values["fiscal"] = orjson.dumps(values["fiscal"]).decode()
        await self.connection.execute(INSERT, *(values[name] for name in COLUMNS))
        return str(values["tx"])

    async def ask(
        self,
        text: str,
        *,
        suspended: bool = False,
        written_at: datetime = WRITTEN,
        quoting: str = "",
    ) -> Match:
        """Match a report, with what it quotes."""
        passages: Sequence[Passage] = [
            Passage(origin=origin, text=said, written_at=written_at)
            for origin, said in ((Origin.NEW, text), (Origin.QUOTED, quoting))
        ]
        facts = read_facts(passages, zone=ZONE, gazetteer=Gazetteer(self._rows))
        asked = Asked(
            facts=facts, received_at=written_at.astimezone(UTC), hash_of=hash_of,
            suspended=suspended,
        )  # fmt: skip
        return await match(self.connection, asked)
