"""Times as the API writes and reads them: RFC 3339, UTC, milliseconds."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import PlainSerializer, WithJsonSchema

ALWAYS: Final = datetime(1, 1, 2, tzinfo=UTC)
FOREVER: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""Bounds that stand for "no bound", so that one statement serves with and without them."""


def rfc3339(moment: datetime) -> str:
    """Return `2026-11-23T04:52:00.000Z`."""
    plain = moment.astimezone(UTC)
    return f"{plain:%Y-%m-%dT%H:%M:%S}.{plain.microsecond // 1000:03d}Z"


Moment = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-23T04:52:00.000Z"]}
    ),
]
"""A datetime that goes out as RFC 3339 UTC with milliseconds."""


def read(text: str) -> datetime | None:
    """Return the aware UTC moment that an RFC 3339 text names; None if it names none."""
    moment = read_bound(text)
    return moment if moment not in {ALWAYS, FOREVER} else None


def read_bound(text: str) -> datetime | None:
    """Return the moment that a text names, or the bound that it lies beyond; None if no moment."""
    # A "+" that a client forgot to escape arrives as a space; "t" and "z" may be small.
    candidate = text.strip().upper()
    if "T" in candidate:
        candidate = candidate.replace(" ", "+")
    try:
        moment = datetime.fromisoformat(candidate)
        if moment.tzinfo is None:
            return None
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(moment, ALWAYS), FOREVER)
