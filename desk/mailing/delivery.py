"""What comes of handing a mail over, whatever the door is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from desk.mailing.outgoing import Outgoing


class Outcome(StrEnum):
    """What came of it."""

    SENT = "sent"
    """It was taken: it is somebody else's from now on."""
    DEFERRED = "deferred"
    """It was not taken now (4xx); nobody has it."""
    UNCERTAIN = "uncertain"
    """It was handed over and nobody said that it was taken; it goes again under its Message-ID."""
    FAILED = "failed"
    """It will never be taken (5xx)."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The outcome, and its reason: a code, never a text, for servers' texts hold addresses."""

    outcome: Outcome
    reason: str | None = None


class ServerAway(Exception):  # noqa: N818 - says what is
    """Nothing can be handed over now, whatever the mail; `reason` says why, without an address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Door(Protocol):
    """Where mail leaves: an SMTP server or a folder."""

    async def deliver(self, mail: Outgoing) -> Delivered:
        """Hand one mail over.

        Raises:
            ServerAway: it was not even tried; the mail is as it was.
        """

    async def rest(self) -> None:
        """Nothing is due for now: let go of what is held open."""
