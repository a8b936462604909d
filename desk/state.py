"""What the desk's program is joined from, and who it believes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from desk.mail.letter import OwnAddresses
from desk.queries.database import Database
from desk.queries.tokens import bearer_by_id, bearer_of
from desk.reports.understanding import Reader
from desk.sealing import Seal, Sessions
from desk.settings import DeskSettings
from desk.tokens import Bearer, Believed, token_hash
from desk.visitors import Visitors
from incidents.actions import Word
from incidents.matching.scenes import Scenes

_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks: `now` for facts, `monotonic_s` for waiting."""

    now: Callable[[], datetime]
    monotonic_s: Callable[[], float]


@dataclass(slots=True)
class Desk:
    """Everything that a call needs: passed in, never looked up."""

    settings: DeskSettings
    database: Database
    clocks: Clocks
    seal: Seal = field(init=False)
    sessions: Sessions = field(init=False)
    reader: Reader = field(init=False)
    scenes: Scenes = field(init=False)
    visitors: Visitors = field(default_factory=Visitors)
    _believed: Believed = field(init=False)
    _believed_sessions: Believed = field(init=False)

    def __post_init__(self) -> None:
        self.seal = Seal(self.settings.report_key)
        self.sessions = Sessions(
            self.settings.report_key, hold_s=self.settings.session_hours * _HOUR_S
        )
        self.reader = Reader(own_addresses(self.settings))
        self.scenes = Scenes(self.clocks.monotonic_s)
        self._believed = Believed(self.settings.token_believe_s)
        # Apart from the tokens: nobody may send a text that reads like a session's key.
        self._believed_sessions = Believed(self.settings.token_believe_s)

    def now(self) -> datetime:
        """Return the moment, aware, UTC."""
        return self.clocks.now()

    def word(self, actor: str, text: str | None = None) -> Word:
        """Return a word of now, in this house's terms."""
        days = self.settings.due_working_days
        return Word(actor=actor, at=self.now(), text=text, due_working_days=days)

    async def bearer_of(self, token: str) -> Bearer | None:
        """Return whose token this is; None if nobody's, or revoked."""
        digest = token_hash(token)
        believed = self._believed.get(digest, self.clocks.monotonic_s())
        if believed is not None:
            return believed
        known = await bearer_of(self.database, digest)
        if known is not None:
            self._believed.put(digest, known, self.clocks.monotonic_s())
        return known

    def session_of(self, bearer: Bearer) -> str:
        """Return a new session's cookie."""
        return self.sessions.issue(bearer.id, int(self.now().timestamp()))

    async def bearer_of_session(self, cookie: str) -> Bearer | None:
        """Return whose session this is; None if it is over or its token was revoked."""
        bearer_id = self.sessions.bearer_id(cookie, int(self.now().timestamp()))
        if bearer_id is None:
            return None
        digest = bearer_id.to_bytes(8)
        believed = self._believed_sessions.get(digest, self.clocks.monotonic_s())
        if believed is not None:
            return believed
        known = await bearer_by_id(self.database, bearer_id)
        if known is not None:
            self._believed_sessions.put(digest, known, self.clocks.monotonic_s())
        return known


def own_addresses(settings: DeskSettings) -> OwnAddresses:
    """Return who we are among the addresses of a mail."""

    def names(text: str) -> frozenset[str]:
        return frozenset(text.lower().split())

    return OwnAddresses(
        mailboxes=names(settings.mailboxes),
        domains=names(settings.staff_domains),
        hosts=names(settings.mail_hosts),
    )
