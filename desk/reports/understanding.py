"""From a report's sealed content to its facts: read in a thread, its files by programs apart."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import orjson

from desk.mail.attachments import FileReading, read_files
from desk.mail.letter import OwnAddresses
from desk.queries.database import Database
from desk.reports.content import Content, Received, by_clock, joined, read_content
from desk.reports.fleet import Fleet, KnownFleet
from incidents.matching.claims import READ_IN
from incidents.matching.facts import read_facts
from incidents.matching.passage import Fact, Origin, Passage

AT_ONCE_MAX: Final = 4
"""Reports read at the same time; the others wait. Each may have files with a program of its own."""
_PLACE_MIN: Final = 0.3
"""A place that names a terminal less surely says nothing of the clock there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNote:
    """What was found in a file, as staff see it: how many codes, or why nothing."""

    name: str
    kind: str
    codes: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of a report; kept sealed, for it is the customer's own words."""

    text: str
    subject: str
    sender: str
    file_texts: tuple[str, ...] = ()
    files: tuple[FileNote, ...] = ()

    def packed(self) -> bytes:
        """Return it as bytes to seal."""
        return orjson.dumps(self)


def unpacked(content: bytes) -> Reading:
    """Return what `packed` made bytes of."""
    told = orjson.loads(content)
    told["file_texts"] = tuple(told["file_texts"])
    told["files"] = tuple(FileNote(**each) for each in told["files"])
    return Reading(**told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A report with its facts, nothing masked: never stored, never logged."""

    content: Content
    facts: list[Fact]
    """As the matcher wants them: times by one clock, wherever the terminal stands."""
    shown: list[Fact]
    """Times as they were."""
    reading: Reading


@dataclass(slots=True)
class Reader:
    """Reads reports, a few at a time."""

    own: OwnAddresses
    fleet: KnownFleet = field(default_factory=KnownFleet)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_MAX))

    async def warm(self, database: Database) -> None:
        """Load what the first report would wait for: the fleet's addresses, the dictionaries."""
        fleet = await self.fleet.get(database)
        now = datetime(2026, 1, 1, 12, tzinfo=READ_IN)
        said = Passage(origin=Origin.NEW, text="Терминал не выдал чек", written_at=now)
        await asyncio.to_thread(read_facts, [said], zone=READ_IN, gazetteer=fleet.gazetteer)

    async def read(
        self,
        database: Database,
        raw: bytes,
        received: Received,
        before: Reading | None,
        *,
        where: Sequence[str] = (),
    ) -> Read:
        """Return what a report says; its files are opened once in its life (`before`).

        `where` are terminals whose clock counts if it names none itself.
        """
        async with self._room:
            fleet = await self.fleet.get(database)
            files = await self._files(raw, received) if before is None else before
            how = (files, tuple(where))
            return await asyncio.to_thread(self._read, raw, received, fleet, how)

    async def _files(self, raw: bytes, received: Received) -> Reading:
        plain = await asyncio.to_thread(read_content, raw, received, own=self.own, zone=READ_IN)
        found = await read_files(plain.files)
        return Reading(
            text="",
            subject="",
            sender="",
            file_texts=tuple(text for each in found for text in each.texts),
            files=tuple(_note(each) for each in found),
        )

    def _read(
        self, raw: bytes, received: Received, fleet: Fleet, how: tuple[Reading, Sequence[str]]
    ) -> Read:
        """Read by the clock that the matcher counts by, and, to be shown, by the clock there."""
        files, where = how
        content, facts = self._facts(raw, received, fleet, (files, READ_IN))
        zone = fleet.zone_of(named_terminals(facts) or where)
        shown = facts
        if zone != READ_IN:
            shown = self._facts(raw, received, fleet, (files, zone))[1]
            facts = [by_clock(fact, zone, READ_IN) for fact in shown]
        reading = replace(files, text=content.text, subject=content.subject, sender=content.sender)
        return Read(content=content, facts=facts, shown=shown, reading=reading)

    def _facts(
        self, raw: bytes, received: Received, fleet: Fleet, how: tuple[Reading, ZoneInfo]
    ) -> tuple[Content, list[Fact]]:
        files, zone = how
        content = read_content(raw, received, own=self.own, zone=zone, file_texts=files.file_texts)
        read = read_facts(content.passages, zone=zone, gazetteer=fleet.gazetteer)
        return content, joined(content.fields, read, fleet.gazetteer.fleet)


def named_terminals(facts: Sequence[Fact]) -> list[str]:
    """Return the terminals that the facts name, by number or by a place that is sure enough."""
    named = [str(fact.value) for fact in facts if fact.kind == "terminal"]
    if named:
        return named
    return [
        terminal
        for fact in facts
        if fact.kind == "place" and isinstance(fact.value, dict)
        for terminal, weight in fact.value["terminals"].items()
        if weight >= _PLACE_MIN
    ]


def _note(reading: FileReading) -> FileNote:
    return FileNote(
        name=reading.name, kind=reading.kind, codes=len(reading.codes), reason=reading.reason
    )
