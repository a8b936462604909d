"""A small fleet as the collector and the fold would leave it, and a desk over it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import httpx

from desk.database import pool
from desk.queries.tokens import create_token
from desk.settings import DeskSettings
from desk.site import make_site
from desk.state import Clocks, Desk

NOW: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
EPOCH: Final = 1763860000000
KEY: Final = b"a key of the tests, 32 bytes...."
ACCOUNT: Final = {"masked": "+7 916 ***-**-67", "hash": "0" * 31 + "a"}


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime = NOW
    passed_s: float = 0.0

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self.passed_s += seconds


@dataclass
class World:
    """The desk under test: a client with a token, the database behind, and the clock."""

    client: httpx.AsyncClient
    connection: Any
    clock: Clock
    token: str
    app: Any
    seqs: dict[tuple[str, int], int] = field(default_factory=dict)

    async def terminal(self, terminal: str, **columns: object) -> None:
        """Add a terminal; heard just now unless `heard_at` says otherwise."""
        heard_at = columns.pop("heard_at", NOW)
        names = ["terminal", *columns]
        places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        await self.connection.execute(
            f"insert into terminal ({', '.join(names)}) values ({places})",  # noqa: S608
            terminal,
            *columns.values(),
        )
        if heard_at is not None:
            await self.connection.execute(
                "insert into terminal_now (terminal, heard_at, online) values ($1, $2, true)",
                terminal,
                heard_at,
            )

    async def pulse(self, terminal: str, heard_at: datetime, **pulse: object) -> None:
        """Keep a pulse as the collector does."""
        await self.connection.execute(
            """
            update terminal_now set pulse = $2::jsonb, pulse_at = $3, pulse_received_at = $3,
              heard_at = $3 where terminal = $1
            """,
            terminal,
            json.dumps(pulse),
            heard_at,
        )

    async def event(
        self,
        terminal: str,
        kind: str,
        at: datetime,
        /,
        *,
        epoch: int = EPOCH,
        late: timedelta = timedelta(),
        **body: object,
    ) -> int:
        """Add the next event of a journal and return its seq."""
        seq = self.seqs.get((terminal, epoch), 0) + 1
        self.seqs[terminal, epoch] = seq
        event = {"kind": kind, "at": int(at.timestamp() * 1000), **body}
        await self.connection.execute(
            """
            insert into event (terminal, epoch, seq, kind, at, received_at, body)
            values ($1, $2, $3, $4, $5, $6, $7::jsonb)
            """,
            terminal, epoch, seq, kind, at, at + late, json.dumps(event, ensure_ascii=False),
        )  # fmt: skip
        await self.connection.execute(
            """
            insert into journal (terminal, epoch, next_seq, mark) values ($1, $2, $3, '00')
            on conflict (terminal, epoch) do update set next_seq = $3, moved_at = now()
            """,
            terminal, epoch, seq + 1,
        )  # fmt: skip
        return seq

    async def transaction(self, terminal: str, tx: str, started_at: datetime, **more: Any) -> None:
        """Add a transaction as the fold leaves it."""
        proof = {"started": [[EPOCH, more.pop("first_seq", 1)]]}
        values: dict[str, Any] = {
            "service": "mts", "service_name": "МТС", "account_masked": ACCOUNT["masked"],
            "account_hash": ACCOUNT["hash"], "accepted": 50000, "currency": "RUB",
            "payment": "accepted", "payment_amount": 48500, "payment_fee": 1500,
            "receipt": "printed", "receipt_number": "4471",
            "ended_at": started_at + timedelta(minutes=1), "end_cause": "completed",
            "epoch": EPOCH,
        } | more  # fmt: skip
        names = ["terminal", "tx", "started_at", *values]
        places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        await self.connection.execute(
            f"insert into transaction ({', '.join(names)}, proof) "  # noqa: S608
            f"values ({places}, '{json.dumps(proof)}')",
            terminal, tx, started_at, *values.values(),
        )  # fmt: skip

    async def incident(self, terminal: str, rule: str, opened_at: datetime, **more: Any) -> str:
        """Add an incident and return its id."""
        values: dict[str, Any] = {
            "severity": "warning",
            "detected_at": opened_at + timedelta(seconds=2),
            "proof": json.dumps([{"epoch": EPOCH, "seq": 1}]),
        } | more
        names = ["terminal", "rule", "opened_at", *values]
        places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        return str(
            await self.connection.fetchval(
                f"insert into incident ({', '.join(names)}) "  # noqa: S608
                f"values ({places}) returning id",
                terminal, rule, opened_at, *values.values(),
            )
        )  # fmt: skip

    async def case(self, number: str, terminal: str, opened_at: datetime, **more: Any) -> None:
        """Add a case with the first line of its history."""
        values: dict[str, Any] = {
            "topic": "no_receipt", "state": "new", "opened_by": "detector",
            "due_at": opened_at + timedelta(days=7), "changed_at": opened_at,
        } | more  # fmt: skip
        names = ["number", "terminal", "opened_at", *values]
        places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        await self.connection.execute(
            f"insert into support_case ({', '.join(names)}) values ({places})",  # noqa: S608
            number, terminal, opened_at, *values.values(),
        )  # fmt: skip
        await self.connection.execute(
            """
            insert into case_history (number, at, actor, action, state_to)
            values ($1, $2, 'detector', 'opened', 'new')
            """,
            number,
            opened_at,
        )

    async def get(self, path: str, status: int = 200) -> Any:
        """Ask the API and return the JSON, having seen the status."""
        answer = await self.client.get(f"/api/v1{path}")
        assert answer.status_code == status, answer.text
        return answer.json()


@asynccontextmanager
async def desk_over(dsn: str, **settings: Any) -> AsyncIterator[World]:
    """Yield a desk over a fresh database, with a token."""
    clock = Clock()
    async with pool(dsn, connections_max=4) as database:
        desk = Desk(
            DeskSettings(dsn=dsn, report_key=KEY, account_key=KEY, **settings),
            database,
            Clocks(now=lambda: clock.now, monotonic_s=lambda: clock.passed_s),
        )
        token = await create_token(database, "tests", now=clock.now)
        assert token is not None
        connection = await asyncpg.connect(dsn)
        app = make_site(desk)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://desk.test",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            yield World(client, connection, clock, token, app)
        await connection.close()
