"""One life of the agent's process: what `agent.app.Agent` joins, on a model of its doors.

Laws. Nothing here decides what the agent decides. A crash takes all of it; whatever was to come to
it then comes to nobody. A frozen one does nothing, and then everything that it was sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from agent.clock import ClockWatch
from agent.devices.machine import Instant, Output
from agent.effects import Answer, Client, Effect, PulseNow
from agent.journal import Journal
from agent.kiosk import Equipment, Kiosk
from agent.patience import Patience
from agent.pulse import Position, Pulsing
from agent.requests import Asked, Request
from agent.transactions import last_transaction
from agent.uplink import Forked, Outcome, Uplink
from tests.simulation.lines import KEEP_ALIVE_S, Session
from wire.codec import encode
from wire.pulse import Presence
from wire.topics import Channel, topic
from wire.vocabulary import StartCause

if TYPE_CHECKING:
    from tests.simulation.terminal import Terminal

UPKEEP_S: Final = 1800.0
"""The agent looks every 10 s; nothing is gained by that while there is room and no clock moves."""
UPKEEP_SHORT_S: Final = 15.0
"""How often while there is no room, or something was dropped."""
TAIL_EVENTS: Final = 200
RECONNECT_S_MAX: Final = 120.0
DISK_FREE_MB: Final = 5120
HELD_MAX: Final = 100
"""Messages that a frozen process finds when it wakes; a socket holds no more."""
PROGRAM: Final = Client(1)
"""The payment program's connection."""


class AgentParts(Protocol):
    """The classes that the agent is made of; a mutation brings a broken one."""

    @property
    def journal(self) -> type[Journal]:
        """What keeps the log."""
        ...

    @property
    def uplink(self) -> type[Uplink]:
        """What brings it to the service."""
        ...

    @property
    def kiosk(self) -> type[Kiosk]:
        """What makes events of what happens."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RealParts:
    """The real ones; `replace` any."""

    journal: type[Journal] = Journal
    uplink: type[Uplink] = Uplink
    kiosk: type[Kiosk] = Kiosk


REAL: Final = RealParts()


class Run:
    """The process, from its start to its death."""

    def __init__(self, terminal: "Terminal", boot: str) -> None:
        at, now = terminal.at(), terminal.now()
        self.boot = boot
        parts = terminal.parts
        self.journal = parts.journal(terminal.disk, at=at, limits=terminal.limits)
        self.uplink = parts.uplink(self.journal, terminal.random)
        self.pulsing = Pulsing(boot=boot, interval_s=terminal.pulse_interval_s, now=now)
        self.kiosk = parts.kiosk(
            self.journal,
            Equipment(acceptor=True, printer=False),
            ClockWatch(at=at, now=now),
            last=last_transaction(self.journal.since(self.journal.next - TAIL_EVENTS)),
        )
        self.session: Session | None = None
        self._terminal = terminal
        self._upkeep_at = now
        self._sent_next = self.journal.next
        self._online = False
        self._patience = Patience(most_s=RECONNECT_S_MAX, random=terminal.random)
        self._told: list[str] = []
        """Why it was disconnected, each reason once a run."""
        self._held: list[Callable[[], None]] = []
        self._topics = {each: topic(terminal.number, each) for each in Channel}

    @property
    def online(self) -> bool:
        """Say if it believes itself connected."""
        return self._online

    def begin(self, cause: StartCause) -> None:
        """Journal the start, and connect."""
        self._do(self.kiosk.started(cause, at=self._terminal.at()))
        self.connect()

    def due_at(self) -> float:
        """Return when `turn` is due."""
        soonest: float = self._upkeep_at
        deadline = self.uplink.deadline()
        if deadline is not None and deadline < soonest:
            soonest = deadline
        if self._online and self.pulsing.deadline() < soonest:
            soonest = self.pulsing.deadline()
        return soonest

    def turn(self) -> None:
        """Do what is due, in the order of the agent's main loop."""
        held, self._held = self._held, []
        for each in held:
            each()
        now = self._terminal.now()
        self._send(self.uplink.elapsed(now))
        if now >= self._upkeep_at:
            self._look(now)
        if self._online and now >= self.pulsing.deadline():
            self._pulse(now)

    def hold(self, action: Callable[[], None]) -> None:
        """Keep something for when the process goes on."""
        if len(self._held) < HELD_MAX:
            self._held.append(action)

    def look_soon(self) -> None:
        """Have the next look at clocks and room within a second."""
        soon = self._terminal.now() + self._terminal.random.random()
        self._upkeep_at = Instant(min(self._upkeep_at, soon))

    # --- what happens at the kiosk

    def asked(self, what: Request) -> bool:
        """Have the payment program ask; say if the answer was yes."""
        effects = self.kiosk.asked(
            PROGRAM, Asked(what), at=self._terminal.at(), now=self._terminal.now()
        )
        self._do(effects)
        return any(isinstance(each, Answer) and each.message.get("ok") is True for each in effects)

    def device(self, output: Output) -> None:
        """Have a device's machine say something."""
        self._do(self.kiosk.device(output, at=self._terminal.at(), now=self._terminal.now()))

    # --- the line, as agent/mqtt.py keeps it

    def connect(self) -> None:
        """Try to connect, now and ever more slowly."""
        terminal = self._terminal
        will = encode(Presence(online=False, boot=self.boot))
        session = None
        if terminal.reaches_broker:
            session = terminal.broker.connect(
                terminal.number,
                will=(self._topics[Channel.PRESENCE], will),
                on_message=self._message,
                on_down=self.session_down,
            )
        if session is None:
            self._again()
            return
        self.session = session
        self._patience.connected(terminal.now())
        session.subscribe(self._topics[Channel.ACK])
        session.subscribe(self._topics[Channel.COMMAND])
        self._presence(session, online=True)
        self._online = True
        self._pulse(terminal.now())
        self._send(self.uplink.connected(terminal.now()))

    def session_down(self, session: Session, why: str) -> None:
        """Learn that a connection is over."""
        terminal = self._terminal
        if terminal.run is not self or self.session is not session:
            return
        if terminal.frozen:
            self.hold(partial(self.session_down, session, why))
            return
        if why not in self._told:  # clones throw each other out for ever
            self._told.append(why)
            terminal.story(terminal.name, f"is disconnected: {why}")
        self.session, self._online = None, False
        self.uplink.disconnected()
        self._again()

    def line_lost(self) -> None:
        """Have the line go dead; the process learns of it by its keep-alive."""
        session = self.session
        if session is not None:
            session.lose()
            terminal = self._terminal
            delay_s = terminal.random.uniform(0.0, KEEP_ALIVE_S)
            terminal.world.after(delay_s, partial(self.session_down, session, "no answer"))

    def died(self, *, power: bool) -> None:
        """Leave the line as it is left: reset by the system, or simply dead."""
        if self.session is not None:
            if power:
                self.session.lose()
            else:
                self.session.reset()

    def stopped(self) -> None:
        """Say that the terminal goes offline, and hang up."""
        if self.session is not None:
            self._presence(self.session, online=False)
            self.session.disconnect()

    def _presence(self, session: Session, *, online: bool) -> None:
        payload = encode(Presence(online=online, boot=self.boot))
        session.publish(self._topics[Channel.PRESENCE], payload, qos=1, retain=True)

    def _again(self) -> None:
        terminal = self._terminal
        wait_s = self._patience.wait_s(terminal.now())
        terminal.world.after(wait_s, lambda: terminal.live(self, self.connect))

    def _message(self, where: str, payload: bytes) -> None:
        terminal = self._terminal
        if terminal.run is not self or where != self._topics[Channel.ACK]:
            return
        terminal.live(self, partial(self._ack, payload))

    def _ack(self, payload: bytes) -> None:
        terminal, journal = self._terminal, self.journal
        epoch, acked = journal.epoch, journal.acked
        outcomes = self.uplink.received(payload, now=terminal.now(), at=terminal.at())
        if terminal.on_ack is not None and journal.epoch == epoch and journal.acked != acked:
            terminal.on_ack(terminal, epoch, journal.acked)
        self._send(outcomes)

    # --- what goes out

    def _do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, PulseNow):
                self.pulsing.hasten(self._terminal.now())
        if self.journal.next != self._sent_next:
            self._sent_next = self.journal.next
            self._send(self.uplink.appended(self._terminal.now()))
        if self.kiosk.suspended is not None:
            soon = Instant(self._terminal.now() + UPKEEP_SHORT_S)
            self._upkeep_at = min(self._upkeep_at, soon)

    def _send(self, outcomes: Sequence[Outcome]) -> None:
        terminal = self._terminal
        for outcome in outcomes:
            if isinstance(outcome, Forked):
                terminal.forks += 1
                terminal.story(terminal.name, f"forks: {outcome.old} goes on as {outcome.new}")
                self._do(self.kiosk.forked(outcome.old, at=terminal.at()))
            elif self.session is not None:
                self.session.publish(self._topics[Channel.JOURNAL], outcome.payload, qos=1)

    def _pulse(self, now: Instant) -> None:
        journal = self.journal
        pulse = self.pulsing.build(
            Position(epoch=journal.epoch, next=journal.next, unacked=self.uplink.unacked),
            self.kiosk.devices.values(),
            at=self._terminal.at(),
            now=now,
            disk_free_mb=DISK_FREE_MB,
        )
        if self.session is not None:
            self.session.publish(self._topics[Channel.PULSE], encode(pulse))

    def _look(self, now: Instant) -> None:
        size = self.journal.size
        self._upkeep_at = Instant(now + UPKEEP_S)
        self.journal.upkeep(self._terminal.now())
        if self.journal.size != size or self.journal.short:
            self._upkeep_at = Instant(now + UPKEEP_SHORT_S)
        self._do(self.kiosk.elapsed(at=self._terminal.at(), now=now))
