"""A thousand light terminals at once: each connects with some transactions and wants them acked.

The measure of a service under the first minute after an outage. All run on a few MQTT sessions in
the calling thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from firmware_sim import story as stories
from firmware_sim.clock import monotonic, unix_ms
from firmware_sim.light import LightTerminal, MemoryJournal, Publish
from firmware_sim.session import Arrived, Broker, Connected, Disconnected, Session
from firmware_sim.truth import Course
from wire.events import Event
from wire.topics import TerminalId

_LOOK_S: Final = 0.05
_TICK_S: Final = 0.5
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstResult:
    """What a burst came to."""

    terminals: int
    events: int
    events_acked: int
    terminals_acked: int
    seconds: float
    courses: tuple[Course, ...]
    """The true course of every transaction sent."""

    @property
    def complete(self) -> bool:
        """Say if every event was acked."""
        return self.events == self.events_acked


def burst(  # noqa: PLR0913 - one keyword a knob
    broker: Broker,
    *,
    terminals: int = 1_000,
    transactions: int = 3,
    sessions: int = 4,
    seed: int = 1,
    timeout_s: float = 120.0,
    plots: tuple[str, ...] = ("good",),
) -> BurstResult:
    """Send it all at once and wait for the acks, at most so long."""
    courses = list[Course]()
    names = [TerminalId(f"burst-{seed}-{index:05d}") for index in range(terminals)]
    chosen = [plots[count % len(plots)] for count in range(transactions)]
    fleet = {name: _terminal(name, seed, chosen, courses) for name in names}
    parts = [
        _Part(broker, f"burst-{seed}-{part}", {name: fleet[name] for name in names[part::sessions]})
        for part in range(sessions)
    ]
    began = monotonic()
    for part in parts:
        part.session.start()
    _run(parts, began + timeout_s)
    seconds = monotonic() - began
    for part in parts:
        part.session.stop()
    events = sum(each.journal.next - 1 for each in fleet.values())
    return BurstResult(
        terminals=terminals,
        events=events,
        events_acked=events - sum(each.unacked for each in fleet.values()),
        terminals_acked=sum(each.settled for each in fleet.values()),
        seconds=seconds,
        courses=tuple(courses),
    )


def _terminal(
    number: TerminalId, seed: int, plots: Sequence[str], courses: list[Course]
) -> LightTerminal:
    """Return a terminal with one transaction for each plot in its journal; append their courses."""
    chance = Random(f"{seed}:{number}")
    at = unix_ms() - _MINUTE_MS * len(plots)
    terminal = LightTerminal(
        MemoryJournal(at), boot=f"{chance.getrandbits(64):016x}", chance=chance
    )
    for count, name in enumerate(plots, start=1):
        told = list[Event]()
        tx = f"{number}-{count}"
        for step in stories.story(name, tx, chance).steps:
            at += round(step.delay_s * 1000)
            told.append(step.event(at))
            terminal.record(told[-1])
        course = stories.course(number, name, tx, told)
        if course:
            courses.append(course)
    return terminal


class _Part:
    """A session and its terminals."""

    def __init__(
        self, broker: Broker, name: str, terminals: dict[TerminalId, LightTerminal]
    ) -> None:
        self.terminals = terminals
        self.session = Session(broker, name, list(terminals))

    @property
    def settled(self) -> bool:
        return all(each.settled for each in self.terminals.values())

    def hear(self, wait_s: float) -> None:
        for arrival in self.session.arrivals(wait_s):
            now, at = monotonic(), unix_ms()
            match arrival:
                case Arrived(number, payload):
                    self.send(number, self.terminals[number].answered(payload, now, at))
                case Connected():
                    for number, terminal in self.terminals.items():
                        self.send(number, terminal.connected(now, at))
                case Disconnected():
                    for terminal in self.terminals.values():
                        terminal.disconnected()

    def tick(self) -> None:
        for number, terminal in self.terminals.items():
            self.send(number, terminal.elapsed(monotonic(), unix_ms()))

    def send(self, number: TerminalId, messages: list[Publish]) -> None:
        for message in messages:
            self.session.publish(number, message)


def _run(parts: list[_Part], ends: float) -> None:
    tick_at = 0.0
    while monotonic() < ends and not all(part.settled for part in parts):
        for part in parts:
            part.hear(_LOOK_S / len(parts))
        if monotonic() >= tick_at:
            tick_at = monotonic() + _TICK_S
            for part in parts:
                part.tick()
