"""A terminal as it is made known: the columns of the import file, checked once, here."""

import re
from datetime import time
from functools import cache
from typing import Annotated, Final, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

COLUMNS: Final = (
    "terminal",
    "name",
    "country",
    "city",
    "address",
    "metro",
    "place",
    "lat",
    "lon",
    "timezone",
    "region",
    "technician",
    "opens",
    "closes",
)
"""The header of `kvitok terminal import`, and the keys of `POST /terminals` (contract, 6)."""

TIMEZONE_DEFAULT: Final = "Europe/Moscow"

_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?|24:00")


def _blank_is_none(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


def _degrees(value: object) -> object:
    if isinstance(value, bool):  # which pydantic would take for 0 or 1
        raise ValueError("a number of degrees")  # noqa: TRY004 - pydantic asks for this one
    return _blank_is_none(value)


def _clock(value: object) -> object:
    if isinstance(value, time):
        return value
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a time of day is written HH:MM")
    # PostgreSQL knows 24:00, Python does not: a shop that closes at midnight closes at 00:00.
    return time(int(match[1]), int(match[2])) if match[1] else time(0)


def _zone(value: object) -> object:
    if not isinstance(value, str) or value not in _zones():
        raise ValueError("a timezone is an IANA name such as Europe/Moscow")
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


# No control characters: they have no place on a page, and PostgreSQL cannot hold NUL.
_Text = Annotated[
    str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$"), Field(strict=True)
]
Text = Annotated[_Text | None, BeforeValidator(_blank_is_none)]
Clock = Annotated[Annotated[time, BeforeValidator(_clock)] | None, BeforeValidator(_blank_is_none)]
Zone = Annotated[Annotated[str, BeforeValidator(_zone)] | None, BeforeValidator(_blank_is_none)]
Latitude = Annotated[Annotated[float, Field(ge=-90, le=90)] | None, BeforeValidator(_degrees)]
Longitude = Annotated[Annotated[float, Field(ge=-180, le=180)] | None, BeforeValidator(_degrees)]


class Registration(BaseModel):
    """One terminal to be made known; what is not given stays as it was, null or "" clears it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    terminal: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    name: Text = None
    country: Text = None
    city: Text = None
    address: Text = None
    metro: Text = None
    place: Text = None
    lat: Latitude = None
    lon: Longitude = None
    timezone: Zone = None
    region: Text = None
    technician: Text = None
    opens: Clock = None
    closes: Clock = None

    @classmethod
    def of(cls, columns: dict[str, object]) -> Self:
        """Check one row; raises pydantic's ValidationError, which names each bad column."""
        return cls.model_validate(columns)

    @property
    def given(self) -> tuple[str, ...]:
        """Return the columns that the row had."""
        return tuple(name for name in COLUMNS if name in self.model_fields_set)
