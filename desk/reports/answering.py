"""Whether a report's sender gets an automatic answer; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Answer = Literal["none", "owed", "withheld"]

AGE_MAX: Final = timedelta(days=2)
"""An answer "we have received it" after that is no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What decides whether a report is answered."""

    address: str | None
    """Where its customer can be reached."""
    is_staff: bool
    is_vouched: bool
    """Nothing says that somebody else wrote it."""
    wrote_before: bool
    """The customer has a report in the same case already, and its number."""
    received_at: datetime


def answer_to(sender: Sender, now: datetime) -> Answer:
    """Return what is owed to a sender whose report a person wrote.

    `none`: there is nobody to write to, or nothing new to say; `withheld`: we had better not.
    """
    if sender.wrote_before or "@" not in (sender.address or ""):
        return "none"
    late = now - sender.received_at >= AGE_MAX
    return "withheld" if sender.is_staff or not sender.is_vouched or late else "owed"
