"""The case of a customer whose payment is not found yet: opened, placed, merged, brought back.

Laws: a customer's report that is no automaton's is always in a case. A number that a customer may
have been told always leads to the case that goes on with the customer's report: by `merged_into`.
Each function works inside the caller's commit, which holds the locks of `incidents.matching.link`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from incidents.actions import HISTORY, MOVE_CASE, TOUCH, Word
from incidents.calendar import Due, zone
from incidents.cases import REPORT_MOVES, TRANSITIONS, CaseState, number_of
from incidents.store import Connection
from incidents.store_ledger import NEW_CASE, NUMBERS

JOINED: Final = "report_joined"
"""A report came into a case that nobody has placed, or that it says nothing new about."""
PLACED: Final = "placed"
UNPLACED: Final = "unplaced"
MERGED: Final = "merged"
PARTED: Final = "parted"
"""A merged case stands by itself again."""
PAYMENT_KINDS: Final = (
    "amount", "account", "terminal", "place", "receipt", "operation", "fiscal",
)  # fmt: skip
"""Kinds of facts that tell one payment from another; a time alone may be that of writing."""

LOCK_CASE: Final = "select number from support_case where number = $1 for update"
LEFT: Final = """
select c.number, c.state, c.due_at, c.terminal is null as unplaced,
  c.opened_by <> 'detector' and c.merged_into is null
    and not exists (select from incident i where i.case_number = c.number) as own
from support_case c where c.number = $1
"""
PLACE: Final = """
update support_case set terminal = $2, epoch = $3, tx = $4, topic = $5, touched = true,
  changed_at = $6
where number = $1
"""
DISPLACE: Final = """
update support_case set terminal = null, epoch = null, tx = null, touched = true, changed_at = $2
where number = $1
"""
MERGE: Final = """
update support_case set state = 'closed', merged_into = $2, terminal = null, epoch = null,
  tx = null, touched = true, changed_at = $3
where number = $1
"""
SOONER: Final = "update support_case set due_at = least(due_at, $2) where number = $1"
DUE: Final = "update support_case set due_at = $2 where number = $1"
OF_REPORTS: Final = """
select c.number from support_case c
where c.merged_into = $1 and exists (
  select from case_history h, unnest($2::text[]) as named
  where h.number = c.number and (h.text = named or starts_with(h.text, named || ':'))
)
order by c.number for update
"""
REDIRECT: Final = "update support_case set merged_into = $2 where number = any($1::text[])"
REVIVE: Final = """
update support_case set state = 'open', merged_into = null, touched = true, changed_at = $2
where number = $1
"""
GIVE_INCIDENTS: Final = """
update incident set case_number = $4
where terminal = $1 and epoch = $2 and subject = $3 and case_number is null
"""

Place = tuple[str, int | None, str | None]
"""Terminal, epoch, tx; the last two are None where nobody knows the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """A customer's case as it is opened; `place` None: nobody knows yet where it happened."""

    opened_by: str
    topic: str
    place: Place | None
    term: Due
    zone_name: str | None


@dataclass(frozen=True, slots=True)
class Left:
    """The case that a report comes from; `own`: it is of nothing but customers' words."""

    number: str
    state: CaseState
    due_at: datetime
    unplaced: bool
    own: bool


def named(report: int) -> str:
    """Return what a case's history calls a report; more may follow after a colon."""
    return f"report {report}"


async def open_case(connection: Connection, new: NewCase, word: Word) -> str:
    """Open a case with number and term; return the number."""
    count: int = await connection.fetchval(NUMBERS, 1)
    number = number_of(count, year=word.at.astimezone(zone(new.zone_name)).year)
    state: CaseState = "new"
    await connection.execute(
        NEW_CASE, number, new.topic, state, *(new.place or (None, None, None)), word.at,
        new.term.at, new.opened_by, True, word.at,
    )  # fmt: skip
    said = replace(word, text=f"due by {new.term.at:%Y-%m-%d}")
    await _say(connection, number, "opened", said)
    if new.term.guessed:
        years = ", ".join(str(year) for year in new.term.guessed)
        text = f"the transferred days of {years} are not announced"
        await _say(connection, number, "due_guessed", replace(word, text=text))
    return number


async def left_case(connection: Connection, number: str | None) -> Left | None:
    """Return the case that a report is in, locked."""
    # Who waits for a lock sees other tables as they were before: what decides is asked afterwards.
    await connection.execute(LOCK_CASE, number)
    row = await connection.fetchrow(LEFT, number)
    return None if row is None else Left(**row)


async def place(
    connection: Connection, number: str, there: Place, word: Word, *, topic: str
) -> None:
    """Give a case the terminal and transaction that were found; its number and term stay."""
    await connection.execute(PLACE, number, *there, topic, word.at)
    text = " ".join(str(each) for each in there if each is not None)
    await _say(connection, number, PLACED, replace(word, text=text))


async def displace(connection: Connection, number: str, word: Word) -> None:
    """Take a case's place away: its report was about something else."""
    await connection.execute(DISPLACE, number, word.at)
    await _say(connection, number, UNPLACED, replace(word, text=None))


async def merge(connection: Connection, left: Left, into: str, word: Word) -> None:
    """Close a case for another one that goes on with it, by the sooner of both terms."""
    await connection.execute(MERGE, left.number, into, word.at)
    await connection.execute(
        HISTORY, left.number, word.at, word.actor, MERGED, left.state, "closed", into, False
    )
    await connection.execute(SOONER, into, left.due_at)
    await _say(connection, into, MERGED, replace(word, text=left.number))


async def follow(connection: Connection, left: str, to: str, reports: Sequence[int]) -> None:
    """Let the numbers that these reports brought into a case lead to where they are now."""
    numbers = await _of_reports(connection, left, reports)
    await connection.execute(REDIRECT, [each for each in numbers if each != to], to)


async def bring_back(connection: Connection, left: str, report: int, word: Word) -> str | None:
    """Reopen, without a place, the case that a report brought into another; None: there is none."""
    numbers = await _of_reports(connection, left, [report])
    if not numbers:
        return None
    first, *others = numbers
    await connection.execute(REVIVE, first, word.at)
    await connection.execute(
        HISTORY, first, word.at, word.actor, PARTED, "closed", "open", left, False
    )
    await connection.execute(REDIRECT, others, first)
    return first


async def _of_reports(connection: Connection, left: str, reports: Sequence[int]) -> list[str]:
    rows = await connection.fetch(OF_REPORTS, left, [named(each) for each in reports])
    return [row["number"] for row in rows]


async def received(
    connection: Connection, case: tuple[str, CaseState], word: Word, term: datetime
) -> None:
    """Let a customer's message move a case that waited for it, or was settled."""
    number, state = case
    move = REPORT_MOVES.get(state)
    if move is None:
        return
    after = TRANSITIONS[state, move]
    await connection.execute(MOVE_CASE, number, after, word.at)
    await connection.execute(HISTORY, number, word.at, word.actor, move, state, after, None, False)
    if move == "reopen":
        await connection.execute(DUE, number, term)


async def note(connection: Connection, number: str, action: str, word: Word) -> None:
    """Write a line into a case's history; it never resolves by itself again."""
    await connection.execute(TOUCH, number, word.at)
    await _say(connection, number, action, word)


async def _say(connection: Connection, number: str, action: str, word: Word) -> None:
    await connection.execute(
        HISTORY, number, word.at, word.actor, action, None, None, word.text, word.public
    )
