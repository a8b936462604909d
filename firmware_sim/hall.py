"""Many light terminals on a few MQTT sessions, all driven by one thread."""

from threading import Thread
from typing import Final

from firmware_sim.clock import monotonic, unix_ms
from firmware_sim.light import Publish
from firmware_sim.resident import Resident
from firmware_sim.session import Arrival, Arrived, Broker, Connected, Session
from wire.topics import TerminalId

_TERMINALS_A_SESSION: Final = 250
_TICK_S: Final = 0.02
_TERMINALS_A_TICK: Final = 100
"""A tick is longer for more terminals, so that their number costs time and not cores."""


class _Desk:
    """A session and who is on it."""

    def __init__(self, broker: Broker, name: str, residents: list[Resident]) -> None:
        self.residents = {resident.number: resident for resident in residents}
        self.session = Session(broker, name, list(self.residents))
        self.connected = False

    def take(self, arrival: Arrival) -> None:
        now, at = monotonic(), unix_ms()
        if isinstance(arrival, Arrived):
            resident = self.residents.get(arrival.terminal)
            if resident:
                self.send(resident.number, resident.answered(arrival.payload, now, at))
            return
        self.connected = isinstance(arrival, Connected)
        for resident in self.residents.values():
            if self.connected:
                self.send(resident.number, resident.connected(now, at))
            else:
                resident.disconnected()

    def tick(self) -> None:
        now, at = monotonic(), unix_ms()
        for resident in self.residents.values():
            self.send(resident.number, resident.elapsed(now, at))

    def send(self, terminal: TerminalId, messages: list[Publish]) -> None:
        for message in messages:
            self.session.publish(terminal, message)


class Hall:
    """Light terminals living; `stopping` residents come to an end by themselves."""

    def __init__(self, broker: Broker, name: str, residents: list[Resident]) -> None:
        self.residents = residents
        self._desks = [
            _Desk(broker, f"{name}-{start}", residents[start : start + _TERMINALS_A_SESSION])
            for start in range(0, len(residents), _TERMINALS_A_SESSION)
        ]
        self._running = False
        self._thread = Thread(target=self._run, name="light-hall", daemon=True)

    @property
    def connected(self) -> int:
        """How many terminals are on a session that is up."""
        return sum(len(desk.residents) for desk in self._desks if desk.connected)

    def start(self) -> None:
        """Connect, and let them live."""
        self._running = True
        for desk in self._desks:
            desk.session.start()
        self._thread.start()

    def stop(self) -> None:
        """Let every terminal say goodbye, and disconnect."""
        self._running = False
        if self._thread.is_alive():
            self._thread.join()
        for desk in self._desks:
            for resident in desk.residents.values():
                if not resident.silent:
                    desk.send(resident.number, resident.terminal.goodbye())
            desk.session.stop()

    def _run(self) -> None:
        tick = _TICK_S * max(1.0, len(self.residents) / _TERMINALS_A_TICK)
        while self._running:
            ends = monotonic() + tick
            for desk in self._desks:
                for arrival in desk.session.arrivals(max(0.001, tick / len(self._desks))):
                    desk.take(arrival)
            if monotonic() >= ends - 0.001:
                for desk in self._desks:
                    desk.tick()
