"""Writes facts into the journal; those about money wait in memory when it has no room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.effects import Effect
from agent.journal import Journal, JournalFull
from agent.shape import Entry, entry
from wire.events import Event

WAITING_MAX: Final = 256
"""Facts held in memory while the journal has no room; acceptance is off, so few can come."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    entry: Entry
    then: tuple[Effect, ...]


class Facts:
    """What has happened and cannot be refused, unlike a program's request."""

    def __init__(self, journal: Journal) -> None:
        """Write to this journal."""
        self._journal = journal
        self._waiting: list[_Waiting] = []
        self.unrecorded = 0
        """Facts without money that found no room; they never had a seq, so no seq is lost."""

    @property
    def waiting(self) -> int:
        """How many facts wait in memory for room."""
        return len(self._waiting)

    @property
    def short(self) -> bool:
        """Nothing may be sold: the journal has no room, or not even what is taken is written."""
        return self._journal.short or bool(self._waiting)

    def write(self, event: Event, *then: Effect) -> Sequence[Effect]:
        """Journal the fact and return the effects; without room, both wait if it is money."""
        shaped = entry(event)
        assert isinstance(shaped, Entry), "the agent's own events are small"
        if not self._waiting:
            try:
                self._journal.append([shaped])
            except JournalFull:
                pass
            else:
                return then
        if shaped.money and len(self._waiting) < WAITING_MAX:
            self._waiting.append(_Waiting(shaped, then))
            return ()
        self.unrecorded += 1
        return then

    def write_waiting(self) -> Sequence[Effect]:
        """Write what waits, in order, as far as there is room; return its effects."""
        effects: list[Effect] = []
        while self._waiting:
            try:
                self._journal.append([self._waiting[0].entry])
            except JournalFull:
                break
            effects += self._waiting.pop(0).then
        return effects
