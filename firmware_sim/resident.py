"""One light terminal's whole life: its history, its customers, its mishaps, as one generator.

A life yields seconds to wait, or a message to publish beside the terminal's own. It runs on the
time it is given; the same seed gives the same life.
"""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Final

from firmware_sim import story as stories
from firmware_sim.light import LightTerminal, MemoryJournal, Publish
from firmware_sim.pace import Pace
from firmware_sim.truth import Truth
from wire.events import AgentStarted, ClockStepped, Event
from wire.topics import Channel, TerminalId
from wire.vocabulary import Device

_SENT_KEPT: Final = 8
AGENT: Final = "light/1"

Life = Iterator["float | Publish"]


class Resident:
    """A light terminal with a life; one thread drives it."""

    def __init__(self, number: TerminalId, *, seed: int, pace: Pace, truth: Truth, at: int) -> None:
        self.number = number
        self.chance = Random(f"{seed}:{number}")
        self.pace = pace
        self.truth = truth
        self.stopping = False
        self.now = 0.0
        self.at = at
        self.transactions = 0
        self.sent: deque[Publish] = deque(maxlen=_SENT_KEPT)
        """The newest journal messages, to be sent once more."""
        self.heard_at = at
        """When the service last heard of it, if it hears everything (Unix ms)."""
        self.silent = False
        self.healthy: list[Device] = ["receipt_printer", "note_acceptor"]
        """Devices that have not been bad yet: each is once, so that no incident reopens."""
        self.terminal = self.new_terminal(MemoryJournal(at))
        self.twins: list[LightTerminal] = []
        """Others with the same number: clones of its disk."""
        self._skew_ms = 0
        self._step_ms = 0
        self._life: Life | None = None
        self._wake_at = 0.0
        self._connected = False

    def step_clock(self, step_ms: int) -> None:
        """Move the terminal's clock; any thread may say so, the next `elapsed` does it."""
        self._step_ms += step_ms

    def begin(self, life: Life) -> None:
        """Take up this life; it starts at the first `elapsed`."""
        self._life = life

    @property
    def over(self) -> bool:
        """Say that the life has ended and all is acked."""
        return self._life is None and (self.terminal.settled or self.silent)

    @property
    def unacked(self) -> int:
        """How many events the service has not said to hold."""
        return sum(each.unacked for each in (self.terminal, *self.twins))

    def new_terminal(self, journal: MemoryJournal) -> LightTerminal:
        """Return an uplink over a journal, under a new boot."""
        return LightTerminal(
            journal,
            boot=f"{self.chance.getrandbits(64):016x}",
            chance=Random(self.chance.getrandbits(32)),
            pulse_interval_s=self.pace.pulse_interval_s,
        )

    def connected(self, now: float, at: int) -> list[Publish]:
        """Take the line: every uplink on it says who it is."""
        self.now, self.at, self._connected = now, at + self._skew_ms, True
        uplinks = () if self.silent else (self.terminal, *self.twins)
        return self._kept([m for each in uplinks for m in each.connected(now, self.at)])

    def disconnected(self) -> None:
        """Take the loss of the line."""
        self._connected = False
        for each in (self.terminal, *self.twins):
            each.disconnected()

    def reconnect(self) -> list[Publish]:
        """Connect the present uplink, if there is a line."""
        return self.terminal.connected(self.now, self.at) if self._connected else []

    def answered(self, payload: bytes, now: float, at: int) -> list[Publish]:
        """Take an ack: every uplink of this number sees it."""
        self.now, self.at = now, at + self._skew_ms
        uplinks = (self.terminal, *self.twins)
        return self._kept([m for each in uplinks for m in each.answered(payload, now, self.at)])

    def elapsed(self, now: float, at: int) -> list[Publish]:
        """Live until now, and let the uplinks send."""
        step, self._step_ms = self._step_ms, 0
        self._skew_ms += step
        self.now, self.at = now, at + self._skew_ms
        if step:
            self.terminal.record(ClockStepped(at=self.at, step_ms=step))
        out = self._live()
        for each in (self.terminal, *self.twins):
            out.extend(each.elapsed(now, self.at))
        return self._kept(out)

    def wait(self, seconds: float) -> float:
        """Return a duration of life, at the fleet's speed."""
        return seconds / self.pace.speed

    def play(self, name: str, shift_ms: int = 0) -> Life:
        """Play one transaction, and tell the truth about it when it is over."""
        self.transactions += 1
        tx = f"{self.number}-{self.transactions:05d}-{self.chance.getrandbits(20):05x}"
        told = list[Event]()
        for step in stories.story(name, tx, self.chance, AGENT).steps:
            yield self.wait(step.delay_s)
            told.append(step.event(self.at + shift_ms))
            self.terminal.record(told[-1])
        course = stories.course(self.number, name, tx, told)
        if course:
            self.truth.transaction(course)

    def remember(self, name: str, at: int) -> int:
        """Write one transaction of the past that began at a time; returns when it was over."""
        self.transactions += 1
        tx = f"{self.number}-{self.transactions:05d}-{self.chance.getrandbits(20):05x}"
        told = list[Event]()
        for step in stories.story(name, tx, self.chance, AGENT).steps:
            at += round(step.delay_s * 1000)
            told.append(step.event(at))
            self.terminal.record(told[-1])
        course = stories.course(self.number, name, tx, told)
        if course:
            self.truth.transaction(course)
        return at

    def power_on(self, at: int) -> None:
        """Write the first event of a run."""
        self.terminal.record(AgentStarted(at=at, agent=AGENT, cause="power_on"))

    def _live(self) -> list[Publish]:
        out = list[Publish]()
        while self._life is not None and self.now >= self._wake_at:
            try:
                step = next(self._life)
            except StopIteration:
                self._life = None
                break
            if isinstance(step, Publish):
                out.append(step)
            else:
                self._wake_at = self.now + step
        return out

    def _kept(self, messages: list[Publish]) -> list[Publish]:
        if messages:
            self.heard_at = self.at
        self.sent.extend(m for m in messages if m.channel is Channel.JOURNAL)
        return messages
