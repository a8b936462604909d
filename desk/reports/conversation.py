"""Which case a report belongs to before its payment is known: by what it answers, by its sender.

Law: a report comes only into a case that its own customer has written to. What a letter answers
(`desk/mail/thread.py`) counts first. A letter that answers nothing joins a case of the last days if
it tells of no payment, or of the very payment that was told before; else it gets a case of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from desk.mail.letter import Letter, OwnAddresses
from desk.mail.thread import (
    MessageIds,
    Thread,
    Trace,
    answered,
    find_thread,
    speaks_for_itself,
    traces,
    vouched,
)
from desk.mailing.arrivals import message_key
from desk.queries.conversation import (
    Asked,
    OwnCase,
    Standing,
    facts_of_letters,
    homes_of,
    known_cases,
    read_standing,
)
from desk.queries.report_keeping import read_sealed
from desk.reports.content import Received
from desk.reports.masking import customer_keys, stored_facts
from desk.reports.together import is_same_payment, tells_a_payment
from desk.reports.understanding import Read, named_terminals, unpacked
from desk.state import Desk
from incidents.matching.passage import Fact

RECENT: Final = timedelta(days=7)
"""How long a letter that answers nothing may still mean what its sender wrote before."""


class SealBroken(Exception):  # noqa: N818 - says what is
    """A report was sealed with another key, or changed."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A report, its seal opened, as it was read."""

    id: int
    received: Received
    read: Read

    @property
    def facts(self) -> Sequence[Fact]:
        """Return what it says, as the matcher wants it."""
        return self.read.facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where a report belongs, what else its customer wrote of it, and what that was decided on."""

    asked: Asked
    standing: Standing
    thread: Thread | None
    home: OwnCase | None
    letters: tuple[Opened, ...] = ()
    """The other letters of an unplaced home."""
    follows_sender: bool
    """It joins any open case of its sender's: it tells of no payment itself."""

    @property
    def customers(self) -> frozenset[str]:
        """Return the keys of the report's customer."""
        return self.asked.customers

    @property
    def answers(self) -> bool:
        """Return whether it answers something in its home, which it has not joined before."""
        joined = self.thread is not None and self.thread.joined
        return joined and self.home is not None and self.standing.case is None

    def holds(self, now: Standing) -> bool:
        """Return whether what it was decided on is still so."""
        before = self.standing
        if (before.case, before.attached_by, before.held) != (now.case, now.attached_by, now.held):
            return False
        if self.home is not None:
            there = now.of(self.home.number)
            return there is not None and there.place == self.home.place
        # Two letters that tell of no payment, at once, belong to one case.
        numbers = [[each.number for each in _waiting(one)] for one in (before, now)]
        return not self.follows_sender or numbers[0] == numbers[1]

    @property
    def hint(self) -> str | None:
        """Return the case that it names, and must not join by itself."""
        return self.thread.case if self.thread is not None and not self.thread.joined else None


async def open_report(desk: Desk, report: int, *, where: Sequence[str] = ()) -> Opened | None:
    """Read a report; None if there is none.

    Raises:
        SealBroken: its content cannot be opened.
    """
    row = await read_sealed(desk.database, report)
    if row is None:
        return None
    raw = desk.seal.open(row["content"])
    if raw is None:
        raise SealBroken
    packed = None if row["reading"] is None else desk.seal.open(row["reading"])
    received = Received(
        channel=row["channel"], at=row["received_at"], reported_at=row["reported_at"]
    )
    before = None if packed is None else unpacked(packed)
    read = await desk.reader.read(desk.database, raw, received, before, where=where)
    if row["released_by"] is not None:
        read = replace(read, content=replace(read.content, suspicion=None))
    return Opened(report, received, read)


async def make_plan(desk: Desk, it: Opened) -> Plan | None:
    """Return where a report belongs; None if it is gone. Nothing is written."""
    thread = await _thread(desk, it)
    customers = _customers(desk, it, thread)
    joined = thread is not None and thread.joined
    asked = Asked(
        report=it.id,
        customers=customers,
        since=it.received.at - RECENT,
        named=thread.case if thread is not None and joined else None,
    )
    standing = await read_standing(desk.database, asked)
    if standing is None:
        return None
    here = standing.case or asked.named
    home = standing.of(here)
    letters: tuple[Opened, ...] = ()
    if home is None and it.read.content.suspicion is None and proves_sender(it):
        home, letters = await _same_sender(desk, it, standing)
    elif home is not None:
        letters = await _letters(desk, home, it, joined=joined)
    return Plan(
        asked=asked, standing=standing, thread=thread, home=home, letters=letters,
        follows_sender=proves_sender(it) and not tells_a_payment(it.facts),
    )  # fmt: skip


def proves_sender(it: Opened) -> bool:
    """Return whether its sender's address is more than what anybody can type into a form."""
    letter = it.read.content.letter
    return it.received.channel != "form" if letter is None else speaks_for_itself(letter)


def is_vouched(it: Opened, own: OwnAddresses) -> bool:
    """Return whether a report may be taken for its sender's: nothing says that it is forged."""
    letter = it.read.content.letter
    return letter is None or vouched(letter, own)


def _customers(desk: Desk, it: Opened, thread: Thread | None) -> frozenset[str]:
    """Return the customer's keys; of a mail that is forged there are none."""
    proved = thread is not None and thread.joined and thread.trace is Trace.SIGNED_ID
    if not (proved or is_vouched(it, desk.reader.own)):
        return frozenset()
    return customer_keys(it.read.content.customer, it.facts, desk.settings.account_key)


async def _thread(desk: Desk, it: Opened) -> Thread | None:
    letter = it.read.content.letter
    if letter is None or it.read.content.suspicion is not None:
        return None
    sender = _sender(letter, desk.settings.account_key)
    ids = {message_key(desk.seal, each): each for each in answered(letter)}
    known = await known_cases(desk.database, ids, it.id, sender)
    named = list(traces(letter, MessageIds(desk.settings.report_key, ""), known=known))
    homes = await homes_of(desk.database, {case for case, _ in named}, it.id, sender)
    return find_thread(letter, desk.reader.own, named, homes)


def _sender(letter: Letter, key: bytes) -> frozenset[str]:
    return customer_keys(letter.sender.address, (), key)


async def _same_sender(
    desk: Desk, it: Opened, standing: Standing
) -> tuple[OwnCase | None, tuple[Opened, ...]]:
    """Return the case of a letter that answers nothing, if it means what was told before."""
    waiting = _waiting(standing)
    if waiting and not tells_a_payment(it.facts):
        return waiting[0], await _letters(desk, waiting[0], it)
    unplaced = [each for each in waiting if each.terminal is None]
    kept = await facts_of_letters(desk.database, [id_ for each in unplaced for id_ in each.letters])
    told = stored_facts(it.read.shown, desk.settings.account_key)
    alike = (
        each for each in unplaced
        if any(is_same_payment(told, kept.get(id_, ())) for id_ in each.letters)
    )  # fmt: skip
    # A letter that told of no payment is what the next one explains.
    silent = (
        each for each in unplaced
        if each.letters and not any(tells_a_payment(kept.get(id_, ())) for id_ in each.letters)
    )  # fmt: skip
    home = next(alike, None) or next(silent, None)
    return home, () if home is None else await _letters(desk, home, it)


def _waiting(standing: Standing) -> list[OwnCase]:
    """Return the cases that a letter which answers nothing may mean."""
    waiting = [each for each in standing.cases if not each.over and each.merged_into is None]
    # What nobody has placed yet comes first: that is what its customer asks about.
    return sorted(waiting, key=lambda each: each.terminal is not None)


async def _letters(
    desk: Desk, home: OwnCase, it: Opened, *, joined: bool = False
) -> tuple[Opened, ...]:
    """Return the letters to read a letter with, each by its own date: those of an unplaced home.

    A letter that neither tells of a payment nor answers anything is read alone.
    """
    if home.terminal is not None:
        return ()
    if not (joined or home.answered or tells_a_payment(it.facts)):
        return ()
    found = [each for id_ in home.letters if (each := await open_report(desk, id_))]
    named = [terminals for each in (it, *found) if (terminals := named_terminals(each.facts))]
    if not named:
        return tuple(found)
    # A letter that names no terminal was written by the clock of the one that another names.
    again = [
        each
        if named_terminals(each.facts)
        else await open_report(desk, each.id, where=named[0]) or each
        for each in found
    ]
    return tuple(again)
