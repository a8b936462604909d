"""The law of the note: each note is told exactly once, whatever the line loses or repeats.

What the validator guarantees (CCNET Rev 2.4.3, sections 2.5 and 5): it repeats an answer until we
acknowledge it, and it remembers a note through a power cut (12, then 81). So one note may be
reported to us any number of times, and two notes may be reported with equal bytes.

What tells a repetition from a new note is that **a note cannot jump**. Between two notes in the
cassette something must be seen of the second one: it is accepted, it is held, it is stacked, or we
order it. This module keeps one thing, where the note now is (`Place`):

1. 81 counts if something has been seen of a note since the last verdict (81 or 82); then nothing
   has been seen any more. Otherwise it repeats what is told already, and is only acknowledged;
   but if it names another bill type it repeats nothing (the validator held back old answers
   that we did not acknowledge, while the next note passed), and counts.
2. So does 82.
3. What is told is told before it is acknowledged: the machine puts `NoteStacked` before the ACK,
   and the caller has it on disk when the ACK leaves. No crash of ours loses a note.
4. STACK is told (`StackOrdered`) before it is sent. A caller that keeps that on disk until the
   verdict knows after a crash whether the 81 that it meets is new, and gives it back as `Memory`:
   the open order, or "settled" (the first 81 is then a repetition). With "unknown", the default,
   the first 81 counts: the customer's money first.
5. A ready validator holds no note. If it is ready and gave no verdict (it forgot, or it is a
   firmware that says 81 only once), then: seen stacking after our order, it is stacked; ordered
   back, it is returned; ordered into the cassette and never seen to move there, or powered down
   on the way, nobody can say: `NoteUnaccounted`, for a person.
6. A note once ordered into the cassette is never ordered back, and the other way round.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, Literal

from agent.devices.ccnet.bill_table import Note
from agent.devices.ccnet.states import FAULTY, POWERED_UP, READY, Poll
from agent.devices.machine import (
    NoteEscrowed,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    Output,
    StackOrdered,
)

Memory = StackOrdered | Literal["settled", "unknown"]
"""What the caller's disk says of the last run's order: still open, none open, or nothing."""


class Place(Enum):
    """Where the note now is, as far as we have seen."""

    NOWHERE = auto()
    """Every note has had its verdict."""
    INSIDE = auto()
    """Something of a note has been seen, or nothing is known yet."""
    TO_CASSETTE = auto()
    """Ordered into the cassette."""
    STACKING = auto()
    """Ordered into the cassette and seen on its way."""
    TO_CUSTOMER = auto()
    """Ordered back, or seen on its way back."""


_BOUND_IN: Final = frozenset({Place.TO_CASSETTE, Place.STACKING})


class Passage:
    """Follows the one note that can be inside the validator."""

    def __init__(self, memory: Memory) -> None:
        self.place = Place.NOWHERE if memory == "settled" else Place.INSIDE
        self._note: Note | None = None
        self._verdict: tuple[Poll, Note | None] | None = None
        # What a former run ordered, or what came over a power cut, is told as recovered.
        self._recovered = True
        if isinstance(memory, StackOrdered):
            self.place, self._note = Place.TO_CASSETTE, Note(memory.amount, memory.currency)

    def ordered_in(self) -> bool:
        """Return whether the note has been told to go into the cassette."""
        return self.place in _BOUND_IN

    def worth_known(self) -> bool:
        """Return whether the note's worth is known without the bill table."""
        return self._note is not None or self.place is Place.NOWHERE

    def escrowed(self, note: Note | None, *, stack: bool) -> tuple[Sequence[Output], bool]:
        """Note that the validator holds a note; return what to tell and whether to stack it."""
        told: list[Output] = []
        if self.place is Place.TO_CUSTOMER:
            return told, False
        if not self.ordered_in():
            self._note, self._recovered = note, False
            self.place = Place.TO_CASSETTE if stack and note is not None else Place.TO_CUSTOMER
            if note is not None:
                told.append(NoteEscrowed(amount=note.amount, currency=note.currency))
            if note is not None and self.ordered_in():
                told.append(StackOrdered(amount=note.amount, currency=note.currency))
        return told, self.ordered_in()

    def stacked(self, note: Note | None) -> Sequence[Output]:
        """Take 81: the note is in the cassette."""
        if self._repeats(Poll.STACKED, note):
            return ()
        return (self._stacked(note or self._note),)

    def returned(self, note: Note | None) -> Sequence[Output]:
        """Take 82: the note is with the customer again."""
        if self._repeats(Poll.RETURNED, note):
            return ()
        return self._returned(note or self._note)

    def _repeats(self, verdict: Poll, note: Note | None) -> bool:
        told, self._verdict = self._verdict, (verdict, note)
        return self.place is Place.NOWHERE and told in {None, self._verdict}

    def seen(self, state: int) -> Sequence[Output]:
        """Take any other state of the validator."""
        if state in READY:
            return self._ready()
        if state in POWERED_UP or state in FAULTY or state == Poll.INITIALIZE:
            return self._interrupted(state)
        if state == Poll.STACKING:
            if self.ordered_in():
                self.place = Place.STACKING
            elif self.place is Place.NOWHERE:
                self._enters()
        elif state == Poll.RETURNING or (state == Poll.REJECTING and self.ordered_in()):
            self.place = Place.TO_CUSTOMER
        elif state == Poll.ACCEPTING and self.place is Place.NOWHERE:
            self._enters()
        return ()

    def _enters(self) -> None:
        self.place, self._note, self._recovered = Place.INSIDE, None, False

    def _interrupted(self, state: int) -> Sequence[Output]:
        self._recovered = True
        if state == Poll.POWER_UP_BILL_IN_STACKER:
            if self.place is not Place.NOWHERE:
                self.place = Place.STACKING
        elif state == Poll.POWER_UP_BILL_IN_VALIDATOR:
            if self.place is not Place.NOWHERE:
                self.place = Place.TO_CUSTOMER  # RESET gives it back
        elif self.place is Place.STACKING and state != Poll.INITIALIZE:
            self.place = Place.TO_CASSETTE  # on its way no longer: nobody can say (5)
        return ()

    def _ready(self) -> Sequence[Output]:
        note = self._note
        # The verdict may still come, late: then it is a repetition of this.
        if self.place is Place.STACKING and note is not None:
            self._recovered, self._verdict = True, (Poll.STACKED, note)
            return (self._stacked(note),)
        if self.place is Place.TO_CUSTOMER:
            self._verdict = (Poll.RETURNED, note)
            return self._returned(note)
        told = self.ordered_in()
        self._settle()
        if not told:
            return ()
        if note is None:
            return (NoteUnaccounted(),)
        return (NoteUnaccounted(amount=note.amount, currency=note.currency),)

    def _stacked(self, note: Note | None) -> Output:
        recovered = self._recovered
        self._settle()
        if note is None:
            return NoteUnaccounted()
        return NoteStacked(amount=note.amount, currency=note.currency, recovered=recovered)

    def _returned(self, note: Note | None) -> Sequence[Output]:
        self._settle()
        if note is None:
            return ()
        return (NoteReturned(amount=note.amount, currency=note.currency),)

    def _settle(self) -> None:
        self.place, self._note, self._recovered = Place.NOWHERE, None, False
