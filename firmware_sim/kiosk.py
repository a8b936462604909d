"""A full kiosk: the real agent in a process of its own, firmware on ptys, a program with customers.

One thread lives the kiosk's life: it serves customers, breaks things, mends them, starts the agent
again, and tells the truth about all of it.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final

from firmware_sim.agent_process import AGENT, AgentProcess
from firmware_sim.clock import monotonic, sleep, unix_ms
from firmware_sim.customer_plan import GOOD, PLANS, TROUBLES, Plan, deck
from firmware_sim.door import AgentGone, AgentRefused, Door
from firmware_sim.hardware import Hardware
from firmware_sim.line import Bench
from firmware_sim.pace import Pace
from firmware_sim.places import Place
from firmware_sim.printer import Printer
from firmware_sim.program import PaymentProgram, PowerCut, Visit
from firmware_sim.services import wish
from firmware_sim.session import Broker
from firmware_sim.truth import Expected, Injected, Truth

_START_S: Final = 30.0
_LAG_S: Final = 2.5
"""How much later than the metal the agent may know that a device is bad or good."""
_SILENT_LAG_S: Final = 10.0
_LONG_HOLD_S_MAX: Final = 20.0
_SHORT_S_MAX: Final = 6.0
_OFF_S: Final = 1.5
_SOCKET_CHARACTERS_MAX: Final = 100
_SETTLE_S: Final = 2.0
_AFTERMATH_S: Final = 5.0
"""How long after a disturbance notes and receipts may still be on their way."""

_CONFIG: Final = """\
terminal = "{terminal}"

[journal]
path = "journal.db"

[mqtt]
host = "{host}"
port = {port}
reconnect_s_max = 10
{login}
[program]
socket = "{socket}"

[pulse]
interval_s = {pulse_s}

[[device]]
kind = "ccnet"
port = "{validator}"

[[device]]
kind = "escpos"
port = "{printer}"
profile = "{model}"
"""


class Kiosk:
    """One full kiosk of a fleet."""

    def __init__(  # noqa: PLR0913 - what a fleet gives to each of its kiosks
        self,
        place: Place,
        index: int,
        *,
        bench: Bench,
        broker: Broker,
        folder: Path,
        truth: Truth,
        pace: Pace,
        agent: tuple[str, ...] = AGENT,
    ) -> None:
        self.terminal = place.terminal
        self.truth = truth
        self.pace = pace
        self.stopping = False
        self.crashes: list[str] = []
        """Every time the agent went away and nobody had killed it."""
        self.interrupted: set[str] = set()
        """Transactions that were under way while somebody outside disturbed the agent: nobody but
        its journal can say how they stood."""
        self._disturbed_until = -1.0
        self._killed: int | None = None
        self._chance = Random(f"{truth.seed}:{place.terminal}")
        self.hardware = Hardware(bench, index, speed=pace.speed, chance=self._chance)
        self.program = PaymentProgram(place, self.hardware, chance=self._chance, speed=pace.speed)
        self.program.kill_agent = self._kill_agent
        self._socket = _socket_path(folder)
        self._deck = deck(self._chance, index, self.hardware.model)
        self._visits = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._write_config(folder / "agent.toml", broker)
        self._agent = AgentProcess(folder / "agent.toml", folder / "agent.log", agent)
        self.folder = folder
        self._ending = False
        self._unacked: int | None = None
        self._long_before: frozenset[str] = frozenset()
        self._idle = False
        self._thread = Thread(target=self._run, name=f"kiosk-{self.terminal}", daemon=True)

    @property
    def over(self) -> bool:
        """Say that the last customer has gone, nobody else is let in, and all is acked."""
        return self._idle and self._unacked == 0

    @property
    def unacked(self) -> int:
        """How many events the agent has not seen acked, as far as is known."""
        return self._unacked or 0

    @property
    def connected(self) -> bool:
        """Say that its agent runs."""
        return self._agent.running

    @property
    def pid(self) -> int | None:
        """The process id of its agent."""
        return self._agent.pid if self._agent.running else None

    def disturb(self, seconds: float) -> None:
        """Take note that somebody outside kills, freezes or starves the agent for so long."""
        self._disturbed_until = max(self._disturbed_until, monotonic() + seconds + _AFTERMATH_S)

    def kill(self) -> None:
        """Kill the agent from outside; the kiosk notices when it next needs it."""
        self.disturb(0.0)
        self._killed = self._agent.pid
        self._agent.kill()

    def start(self) -> None:
        """Switch it on."""
        self._thread.start()

    def stop(self) -> None:
        """End the agent politely."""
        self.stopping = self._ending = True
        if self._thread.is_alive():
            self._thread.join()

    def _write_config(self, path: Path, broker: Broker) -> None:
        login = f'user = "{broker.user}"\npassword = "{broker.password}"\n' if broker.user else ""
        path.write_text(
            _CONFIG.format(
                terminal=self.terminal,
                host=broker.host,
                port=broker.port,
                login=login,
                socket=self._socket,
                pulse_s=max(1, round(self.pace.pulse_interval_s)),
                validator=self.hardware.validator_port,
                printer=self.hardware.printer_port,
                model=self.hardware.model,
            ),
            encoding="utf-8",
        )
        path.chmod(0o600)

    def _run(self) -> None:
        try:
            self._guarded(self._start_agent)
            while not self.stopping:
                self._guarded(self._live_once)
            # What was just put right must be seen and journaled before it can be acked.
            sleep(_SETTLE_S)
            self._idle = True
            while not self._ending:
                self._guarded(self._look)
        finally:
            self._agent.end()
            if self.program.door is not None:
                self.program.door.close()

    def _guarded(self, do: Callable[[], None]) -> None:
        """Do it; if the agent goes away by itself, note that and start it again."""
        try:
            do()
        except (AgentGone, AgentRefused) as gone:
            self._gone(f"{self.terminal}: {gone} (exit {self._agent.returncode})")
            sleep(0.5)
            self._kill_agent_again()

    def _gone(self, why: str) -> None:
        if not self._is_disturbed_since(monotonic()):
            self.crashes.append(why)

    def _is_disturbed_since(self, moment: float) -> bool:
        return self._disturbed_until >= moment or (
            self._killed is not None and self._killed == self._agent.pid
        )

    def _kill_agent_again(self) -> None:
        disturbed = self._is_disturbed_since(monotonic())
        try:
            self._kill_agent()
        except (AgentGone, AgentRefused) as gone:
            self._gone(f"{self.terminal}: {gone}")
        else:
            if disturbed:
                # Its start may find a note that was on its way; nobody is served meanwhile.
                self.disturb(0.0)
                sleep(_AFTERMATH_S)
                self.hardware.touch(_mend)
                self.program.told_cash = self.hardware.cassette

    def _look(self) -> None:
        assert self.program.door is not None, "the agent has been started"
        self._unacked = self.program.door.ask({"do": "status"})["unacked"]
        sleep(0.3)

    def _start_agent(self) -> None:
        self._agent.start()
        self.program.door = Door(self._socket, patience_s=_START_S)

    def _kill_agent(self) -> None:
        """Kill the agent and start the next one."""
        if self.program.door is not None:
            self.program.door.close()
        self._agent.kill()
        self._start_agent()

    def _live_once(self) -> None:
        sleep(self._chance.uniform(*self.pace.gap_s))
        if self.stopping:
            return
        faulty = self.pace.mishaps and self._visits % 2 == 1
        self._visits += 1
        if not faulty:
            self._visit("good", GOOD)
            return
        name = self._deck.pop(0)
        self._deck.append(name)
        if name in TROUBLES:
            self._deck.remove(name)
            self._trouble(name)
        else:
            self._visit(name, PLANS[name])

    def _visit(self, name: str, plan: Plan) -> None:
        visit = Visit(
            tx=f"{self.terminal}-{unix_ms():x}-{self._chance.randrange(10**4):04d}",
            name=name,
            plan=plan,
            wish=wish(self._chance),
            cassette_before=self.hardware.cassette,
        )
        began, began_at = unix_ms(), monotonic()
        try:
            self.program.serve(visit)
        except PowerCut:
            self._reboot()
        finally:
            if self._is_disturbed_since(began_at):
                self.interrupted.add(visit.tx)
            else:
                self.truth.transaction(self.program.course(visit))
            if visit.doubtful:
                self._may_be_asked_after(visit)
            if plan != GOOD:
                self.truth.fault(Injected(terminal=self.terminal, fault=name, at=began))
        if plan.breaks:
            self._mend_printer(name)

    def _may_be_asked_after(self, visit: Visit) -> None:
        self.truth.device_expectations.append(
            Expected(
                rule="no_receipt", terminal=self.terminal, tx=visit.tx, must=False, why="doubtful"
            )
        )

    def _reboot(self) -> None:
        """Come back after a power cut; a note that was on its way is where it belongs."""
        if self.program.door is not None:
            self.program.door.close()
        self._agent.kill()
        sleep(_OFF_S)
        self.hardware.power_on()
        self._start_agent()
        # The credit of a note found in the stacker comes after initialization.
        self.program.await_cash(self.hardware.cassette)

    def _mend_printer(self, name: str) -> None:
        """Leave the printer as it is for a while, then have a technician come."""
        cause = self.hardware.printer_cause()
        began, long = monotonic(), cause is not None and self._may_be_long("receipt_printer")
        broke_at = self.hardware.printer.broke_at or began
        if long:
            self._visit(f"{name}_still", GOOD)
        self._wait(began, self._duration(long=long))
        self.hardware.touch(_mend)
        lasted = monotonic() - broke_at
        # A printer that says nothing is believed to be offline only after a while.
        lag_s = _LAG_S if cause else _SILENT_LAG_S
        self._expect("printer_unavailable", "receipt_printer", cause, lasted, lag_s=lag_s)
        # Good for longer than it was bad, so that two faults never look like one.
        self._wait(monotonic(), 2.0 if not long else _LAG_S + 2 * self.pace.hold_s)

    def _trouble(self, name: str) -> None:
        trouble, began, at = TROUBLES[name], monotonic(), unix_ms()
        self.hardware.trouble(trouble.state)
        self._wait(began, self._duration(long=self._may_be_long("note_acceptor")))
        self.hardware.fix()
        if name == "cassette_removed":
            self.program.collected(f"{self.terminal}-{at:x}")
        self.truth.fault(Injected(terminal=self.terminal, fault=name, at=at, until=unix_ms()))
        lasted = monotonic() - began
        self._expect("acceptor_unavailable", "note_acceptor", trouble.cause, lasted)

    def _may_be_long(self, device: str) -> bool:
        """Let each device be bad for long once: a second time would reopen the same incident."""
        if device in self._long_before or self.pace.hold_s > _LONG_HOLD_S_MAX or self.stopping:
            return False
        self._long_before |= {device}
        return True

    def _duration(self, *, long: bool) -> float:
        if long:
            return 1.6 * self.pace.hold_s + 2 * _LAG_S
        return min(0.2 * self.pace.hold_s, _SHORT_S_MAX)

    def _wait(self, began: float, seconds: float) -> None:
        while monotonic() - began < seconds:
            sleep(0.1)

    def _expect(
        self, rule: str, device: str, cause: str | None, lasted_s: float, *, lag_s: float = _LAG_S
    ) -> None:
        surely = self.pace.must_hold(lasted_s - lag_s) is True
        surely_not = self.pace.must_hold(lasted_s + _LAG_S) is None
        if not surely_not:
            self.truth.device_expectations.append(
                Expected(
                    rule=rule,
                    terminal=self.terminal,
                    device=device,
                    cause=cause,
                    must=surely,
                    why="device_fault",
                )
            )


def _socket_path(folder: Path) -> Path:
    """Return where the local door is: the system allows only short paths for it."""
    path = folder / "door"
    if len(str(path)) <= _SOCKET_CHARACTERS_MAX:
        return path
    return Path(tempfile.mkdtemp(prefix="kvitok-sim-")) / "door"


def _mend(printer: Printer) -> None:
    if printer.condition.paper_end:
        printer.load()
    printer.repair()
    if not printer.powered:
        printer.power_on()
