"""How many automatic answers are good for anybody: caps that end a loop of two programs."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from desk.mailing.settings import MailSettings

SHORT: Final = timedelta(hours=3)
LONG: Final = timedelta(days=1)
ALL: Final = timedelta(minutes=1)
WAIT_MAX: Final = timedelta(days=3)
"""An answer that waited longer for its turn is not written any more."""


class Verdict(StrEnum):
    """What a new answer may do."""

    WRITE = "write"
    WAIT = "wait"
    """Everybody together has had enough for this minute; it comes later."""
    WITHHOLD = "withhold"
    """Its address has had enough; it never comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How many automatic answers were written lately."""

    address_short: int
    """To the address, within `SHORT`."""
    address_long: int
    """To the address, within `LONG`."""
    everybody: int
    """To everybody, within `ALL`."""


def verdict(answered: Answered, settings: MailSettings) -> Verdict:
    """Return what one more answer may do; the address's cap counts first."""
    if (
        answered.address_short >= settings.address_answers_max
        or answered.address_long >= settings.address_day_answers_max
    ):
        return Verdict.WITHHOLD
    return Verdict.WAIT if answered.everybody >= settings.minute_answers_max else Verdict.WRITE
