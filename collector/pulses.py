"""How terminals are now: what pulses and presence say between two commits, joined (pure).

Laws. The current boot is that of the newest presence or pulse; an offline of another boot is
ignored (contract, section 4). What the broker kept for us (retained) is news about presence, but no
sign of life. A pulse with something unacknowledged is answered with the cursor of its epoch, at
most once in 5 s a terminal; so is one whose `next` is not where the copy stands, or a terminal that
sells nothing would never learn that the service was restored from a backup.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wire.journal import Epoch
from wire.limits import PULSE_ANSWER_INTERVAL_S
from wire.topics import TerminalId

TERMINALS_MAX: Final = 200_000
"""Terminals with news between two commits; above it news of others waits for their next pulse."""
HEARD_EVERY_S: Final = 10.0
"""A journal is a sign of life, but not one worth a write each time; with a shorter pulse interval
it is one each interval, so that nobody is silent who speaks."""


@dataclass(slots=True)
class News:
    """What one terminal said since the last commit; None: nothing."""

    heard_at: datetime | None = None
    pulse: str | None = None
    pulse_at: datetime | None = None
    pulse_received_at: datetime | None = None
    boot: str | None = None
    """The current boot, where a pulse or an online presence named it."""
    online: bool | None = None
    offline_boot: str | None = None
    """`online` is False only if this is, or becomes, the stored boot."""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A pulse wants the cursor of its journal; with `unless`, only if it stands elsewhere."""

    terminal: TerminalId
    epoch: Epoch
    unless: int | None = None


class Bulletin:
    """Collects news until it is taken for a commit."""

    def __init__(self) -> None:
        self._news: dict[TerminalId, News] = {}
        self._heard: dict[TerminalId, datetime] = {}
        self._hasty: dict[TerminalId, int] = {}
        """Intervals that are shorter than `HEARD_EVERY_S`."""

    def heard(self, terminal: TerminalId, at: datetime) -> None:
        """Note a sign of life that is no pulse."""
        last = self._heard.get(terminal)
        every_s = self._hasty.get(terminal, HEARD_EVERY_S)
        if last is None or (at - last).total_seconds() >= every_s:
            self._alive(terminal, at)

    def pulse(
        self,
        terminal: TerminalId,
        boot: str,
        body: str,
        *,
        at: datetime,
        received_at: datetime,
        interval_s: int | None = None,
    ) -> None:
        """Note a pulse; `at` is its rule time."""
        news = self._alive(terminal, received_at)
        if news is None:
            return
        if interval_s is not None and interval_s < HEARD_EVERY_S:
            self._hasty[terminal] = interval_s
        else:
            self._hasty.pop(terminal, None)
        news.pulse, news.pulse_at, news.pulse_received_at = body, at, received_at
        if boot not in {news.boot, news.offline_boot}:
            # Another run of the agent, as far as we know: whether it is new, the stored boot says.
            news.online, news.offline_boot, news.changed_at = None, None, received_at
        news.boot = boot

    def presence(
        self, terminal: TerminalId, boot: str, *, online: bool, retained: bool, at: datetime
    ) -> None:
        """Note a presence message."""
        news = self._alive(terminal, at) if online and not retained else self._of(terminal)
        if news is None:
            return
        if online:
            news.boot, news.online, news.offline_boot, news.changed_at = boot, True, None, at
        elif news.boot in {None, boot}:
            news.online, news.changed_at = False, at
            news.offline_boot = boot

    def take(self) -> dict[TerminalId, News]:
        """Return the news and begin anew."""
        news, self._news = self._news, {}
        return news

    def _alive(self, terminal: TerminalId, at: datetime) -> News | None:
        news = self._of(terminal)
        if news is not None:
            news.heard_at = at
            if len(self._heard) >= TERMINALS_MAX:
                self._heard.clear()
                self._hasty.clear()
            self._heard[terminal] = at
        return news

    def _of(self, terminal: TerminalId) -> News | None:
        news = self._news.get(terminal)
        if news is None and len(self._news) < TERMINALS_MAX:
            news = self._news[terminal] = News()
        return news


class Questions:
    """Pulses that want the cursor of their journal, each terminal at most once in 5 s."""

    def __init__(self) -> None:
        self._answered: OrderedDict[TerminalId, float] = OrderedDict()
        self._asked: dict[TerminalId, Question] = {}

    def ask(
        self, terminal: TerminalId, epoch: Epoch, instant: float, *, unless: int | None = None
    ) -> None:
        """Note the question, unless the terminal was answered just now or too many ask.

        With `unless` the answer is only given if the cursor stands elsewhere: a terminal that has
        everything acknowledged learns from it that the service was restored from a backup.
        """
        while self._answered:
            oldest, answered = next(iter(self._answered.items()))
            if instant - answered < PULSE_ANSWER_INTERVAL_S:
                break
            del self._answered[oldest]
        if terminal in self._answered or len(self._asked) >= TERMINALS_MAX:
            return
        asked = self._asked.get(terminal)
        if unless is None:
            self._answers(terminal, instant)
        elif asked is not None and asked.unless is None:
            return
        self._asked[terminal] = Question(terminal, epoch, unless)

    def answered(self, terminals: Iterable[TerminalId], instant: float) -> None:
        """Note that these were told their cursor."""
        for terminal in terminals:
            self._answers(terminal, instant)

    def take(self) -> list[Question]:
        """Return the questions and begin anew."""
        asked, self._asked = self._asked, {}
        return list(asked.values())

    def _answers(self, terminal: TerminalId, instant: float) -> None:
        if terminal not in self._answered and len(self._answered) < TERMINALS_MAX:
            self._answered[terminal] = instant
