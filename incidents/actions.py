"""What a person does to incidents and cases: for the desk and the command line.

Each function is one commit on the caller's connection and writes the case's history. What is not
allowed is an answer (`Refused`), not an exception.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from incidents.cases import TRANSITIONS, CaseState, Move, moves
from incidents.findings import CLEARED_BY_PERSON
from incidents.store import Connection
from incidents.thresholds import Thresholds

CLEAR: Final = """
update incident set cleared_at = greatest($2, opened_at)
where id = $1 and cleared_at is null and rule = any($3::text[])
returning case_number
"""
INCIDENT: Final = "select rule, cleared_at from incident where id = $1"
CASE: Final = "select state, merged_into from support_case where number = $1 for update"
MOVE_CASE: Final = """
update support_case set state = $2, touched = true, changed_at = $3 where number = $1
"""
TOUCH: Final = "update support_case set touched = true, changed_at = $2 where number = $1"
HISTORY: Final = """
insert into case_history (number, at, actor, action, state_from, state_to, text, public)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was done: `reason` for programs, `text` for people."""

    reason: str
    text: str


async def clear_incident(
    connection: Connection, incident: int, *, actor: str, now: datetime
) -> Refused | None:
    """Clear an incident that only a person can clear (`journal_gap`, `identity_clash`)."""
    async with connection.transaction():
        cleared = await connection.fetchrow(CLEAR, incident, now, sorted(CLEARED_BY_PERSON))
        if cleared is not None:
            if cleared["case_number"] is not None:
                await connection.execute(TOUCH, cleared["case_number"], now)
                await connection.execute(
                    HISTORY,
                    cleared["case_number"],
                    now,
                    actor,
                    "incident_cleared",
                    None,
                    None,
                    str(incident),
                    False,
                )
            return None
        row = await connection.fetchrow(INCIDENT, incident)
    if row is None:
        return Refused("unknown", f"there is no incident {incident}")
    if row["cleared_at"] is not None:
        return Refused("cleared", f"incident {incident} is cleared already")
    return Refused("clears_itself", f"{row['rule']} clears when the journal shows it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Who says what and when; `public`: the customer may read it."""

    actor: str
    at: datetime
    text: str | None = None
    public: bool = False
    due_working_days: int = Thresholds().due_working_days
    """A case that this word opens, or opens again, is due at the end of this working day."""


async def move_case(
    connection: Connection, number: str, move: Move, word: Word
) -> CaseState | Refused:
    """Make a move of a case's life; it never resolves by itself again. Returns the state after."""
    actor, now, text, public = word.actor, word.at, word.text, word.public
    async with connection.transaction():
        row = await connection.fetchrow(CASE, number)
        if row is None:
            return Refused("unknown", f"there is no case {number}")
        if row["merged_into"] is not None:
            return Refused("merged", f"{number} goes on as {row['merged_into']}")
        before: CaseState = row["state"]
        after = TRANSITIONS.get((before, move))
        if after is None:
            allowed = ", ".join(moves(before))
            return Refused("not_allowed", f"{number} is {before}: {move} is not one of {allowed}")
        await connection.execute(MOVE_CASE, number, after, now)
        await connection.execute(HISTORY, number, now, actor, move, before, after, text, public)
    return after


async def comment_case(connection: Connection, number: str, word: Word) -> Refused | None:
    """Write a comment into a case's history: internal, or public for the customer too."""
    async with connection.transaction():
        if await connection.fetchval(CASE, number) is None:
            return Refused("unknown", f"there is no case {number}")
        await connection.execute(TOUCH, number, word.at)
        await connection.execute(
            HISTORY, number, word.at, word.actor, "comment", None, None, word.text, word.public
        )
    return None
