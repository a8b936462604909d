"""By when a mail promises an answer: a day only where nobody has to guess it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from desk.mailing.compose import Term
from incidents.calendar import Calendar


def is_known(calendar: Calendar, due_at: datetime, *, now: datetime) -> bool:
    """Return whether the production calendar is known of every year until a case is due."""
    return all(calendar.knows(year) for year in range(now.year, due_at.year + 1))


def term(
    due_at: datetime, *, now: datetime, zone: ZoneInfo, is_guessed: bool, working_days: int
) -> Term:
    """Return the term of a case as its customer is told it.

    `is_guessed`: the production calendar of its days is not known, or was not when it was set. A
    term that is over is not promised again.
    """
    if due_at <= now:
        return Term()
    if is_guessed:
        return Term(working_days=working_days)
    return Term(day=due_at.astimezone(zone).date())
