"""Customers' reports and cases as the desk leaves them, and a mail program over them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any, Final

import asyncpg

from desk.database import pool
from desk.mailing.out import Postman, door_of
from desk.mailing.outgoing import Outgoing, unpacked
from desk.mailing.owed import one_round
from desk.mailing.put_off import PutOff
from desk.mailing.settings import MailSettings
from desk.mailing.state import Mailing
from desk.settings import DeskSettings
from desk.state import Clocks
from tests.integration.desk_world import Clock

NOW: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DUE: Final = datetime(2026, 11, 30, 20, 59, 59, 999000, tzinfo=UTC)
KEY: Final = b"a key of the tests, 32 bytes...."
OURS: Final = "support@kvitok.example"

LETTER: Final = """\
From: {sender}
To: support@kvitok.example
Subject: Не пришли деньги 89161234567
Date: Mon, 23 Nov 2026 09:00:00 +0000
Message-ID: <{name}@mail.example>
{headers}MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Здравствуйте! Вчера положил 777 рублей на 89161234567 через терминал 10042, чек 4471, деньги
не дошли.
{text}
"""


def letter(
    sender: str = "Ivan <ivan@customer.example>",
    *,
    text: str = "",
    headers: str = "",
    name: str = "a",
) -> bytes:
    """Return a customer's mail."""
    return LETTER.format(sender=sender, text=text, headers=headers, name=name).encode()


def settings_for(dsn: str, **mail: Any) -> tuple[MailSettings, DeskSettings]:
    """Return the settings of a mail program and of its desk."""
    desk = DeskSettings(
        dsn=dsn, report_key=KEY, account_key=KEY, mailboxes=OURS,
        staff_domains="staff.kvitok.example",
    )  # fmt: skip
    return MailSettings(**({"sender": OURS} | mail)), desk


@dataclass
class MailWorld:
    """The mail program under test, step by step, and the database behind."""

    mailing: Mailing
    connection: Any
    clock: Clock
    reports: PutOff = field(default_factory=PutOff)
    resolved: PutOff = field(default_factory=PutOff)
    cases: int = 0

    async def case(
        self, *, state: str = "open", due_at: datetime = DUE, terminal: str | None = None
    ) -> str:
        """Add a case and return its number."""
        self.cases += 1
        number = f"K-2026-{self.cases:06d}"
        await self.connection.execute(
            "insert into support_case (number, topic, state, terminal, opened_at, due_at, "
            "opened_by, touched, changed_at) "
            "values ($1, 'report', $2, $3, $4, $5, 'mail', true, $4)",
            number, state, terminal, self.clock.now, due_at,
        )  # fmt: skip
        return number

    async def report(
        self,
        raw: bytes,
        *,
        case: str | None = None,
        channel: str = "mail",
        status: str = "needs_facts",
        ask: tuple[str, ...] = ("receipt", "terminal"),
        answer: str = "owed",
    ) -> int:
        """Add a report as the desk leaves it and return its id."""
        case = case or await self.case()
        number: int = await self.connection.fetchval(
            "insert into report (channel, received_at, status, content, case_number, answer, "
            "tried_at) values ($1, $2, $3, $4, $5, $6, $2) returning id",
            channel, self.clock.now, status, self.mailing.seal.seal(raw), case, answer,
        )  # fmt: skip
        await self.connection.execute(
            "insert into report_match (report, none_probability, terminals, decision, model, at) "
            "values ($1, 1, '[]', $2::jsonb, 'm', $3)",
            number, json.dumps({"ask": ask}), self.clock.now,
        )  # fmt: skip
        return number

    async def move(
        self,
        case: str,
        action: str,
        *,
        state: str,
        text: str | None = None,
        public: bool = False,
        actor: str = "anna",
    ) -> int:
        """Move a case as a person does and return the line of its history."""
        await self.connection.execute(
            "update support_case set state = $2 where number = $1", case, state
        )
        number: int = await self.connection.fetchval(
            "insert into case_history (number, at, actor, action, state_to, text, public) "
            "values ($1, $2, $3, $4, $5, $6, $7) returning id",
            case, self.clock.now, actor, action, state, text, public,
        )  # fmt: skip
        return number

    async def comment(self, case: str, text: str, *, public: bool) -> None:
        """Write a comment into a case."""
        await self.connection.execute(
            "insert into case_history (number, at, actor, action, text, public) "
            "values ($1, $2, 'anna', 'comment', $3, $4)",
            case, self.clock.now, text, public,
        )  # fmt: skip

    async def write(self) -> None:
        """Write what is owed."""
        await one_round(self.mailing, self.reports, self.resolved)

    async def send(self) -> None:
        """Send what is due, once."""
        await Postman(self.mailing, door_of(self.mailing)).round()

    async def answer(self, report: int) -> str:
        """Return whether a report's answer is owed, written, withheld or none."""
        answer: str = await self.connection.fetchval(
            "select answer from report where id = $1", report
        )
        return answer

    async def outgoing(self) -> list[Outgoing]:
        """Return every mail written, the first first."""
        rows = await self.connection.fetch("select content from mail_out order by id")
        return [unpacked(self.mailing.seal.open(row["content"]) or b"") for row in rows]

    async def mails(self) -> list[EmailMessage]:
        """Return every mail written, parsed."""
        return [parsed(each.mail.encode()) for each in await self.outgoing()]

    async def states(self) -> list[tuple[str, int, str | None]]:
        """Return (state, tries, error) of every mail."""
        rows = await self.connection.fetch("select state, tries, error from mail_out order by id")
        return [(row["state"], row["tries"], row["error"]) for row in rows]

    async def history(self, case: str) -> list[tuple[str, str | None]]:
        """Return (action, text) of what our mail wrote into a case."""
        rows = await self.connection.fetch(
            "select action, text from case_history where number = $1 and action like 'mail%' "
            "order by id", case,
        )  # fmt: skip
        return [(row["action"], row["text"]) for row in rows]


def parsed(raw: bytes) -> EmailMessage:
    """Return a mail as a mail program reads it."""
    mail = message_from_bytes(raw, policy=modern)
    assert isinstance(mail, EmailMessage)
    return mail


def body(mail: EmailMessage) -> str:
    """Return the text of a mail."""
    text = mail.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


@asynccontextmanager
async def mail_over(dsn: str, **mail: Any) -> AsyncIterator[MailWorld]:
    """Yield a mail program over a database; its outbox is a folder unless there is a server."""
    clock = Clock(now=NOW)
    settings, desk = settings_for(dsn, **mail)
    async with pool(dsn, connections_max=4) as database:
        connection = await asyncpg.connect(dsn)
        clocks = Clocks(now=lambda: clock.now, monotonic_s=lambda: clock.passed_s)
        yield MailWorld(Mailing(settings, desk, database, clocks), connection, clock)
        await connection.close()


def files(folder: Path) -> dict[str, EmailMessage]:
    """Return the mails of an outbox by their file names."""
    return {path.name: parsed(path.read_bytes()) for path in folder.glob("*.eml")}
