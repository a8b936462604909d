"""A kiosk: a machine with a disk, a clock, power and a line; the real agent runs on it.

Laws. A process dies at any moment or at any write, and all but the disk dies with it; it comes back
by itself after a while. The terminal has a clock of its own, which faults move. There is one timer,
for the soonest thing that is due. Every method may be called in every state.

The truth, for checkers: `histories()` says for every disk that ever was in this terminal what it
held durably, what a fork carried on, what was dropped and how that stood then:

* a row stored under (epoch, seq) is the event that some history has there (or `unreadable` for it,
  or a declared loss): ask the histories of all terminals that had this number;
* of the `present` history of a drained terminal, every event of the head's epoch is stored, but
  for those in `gone` (declared by a `journal_lost`), and nothing in `gone` is unacknowledged money;
* an older epoch's event that is in `moved` is in the epoch named there, too; one that is in
  neither was acknowledged: it is stored, unless the service was restored since;
* a history that is not `present` owes nothing beyond what it was acked (`head.acked`).
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

from agent.devices.machine import Instant, NoteStacked, Output
from agent.journal import Limits
from agent.requests import AcceptCash, Record, Request, StopCash
from agent.store import StoreFull
from tests.simulation.agent_run import REAL, AgentParts, Run
from tests.simulation.broker import Broker, Story, silent
from tests.simulation.customers import Customers
from tests.simulation.disk import Died, Disk, Fuse, History, Step
from tests.simulation.lines import KEEP_ALIVE_S
from tests.simulation.loop import Timer, World
from tests.simulation.wallclock import WallClock
from wire.events import Event
from wire.topics import TerminalId
from wire.vocabulary import StartCause

STORE_RETRY_S: Final = 5.0
STEPS: Final[tuple[Step, ...]] = ("before", "after", "torn")


class Terminal:
    """One kiosk under a number; a clone is another under the same number."""

    def __init__(  # noqa: PLR0913 - by keyword, all but its place in the world
        self,
        world: World,
        broker: Broker,
        number: str,
        *,
        seed: int,
        pulse_interval_s: int = 60,
        customers_per_hour: float = 0.0,
        limits: Limits | None = None,
        parts: AgentParts = REAL,
        story: Story = silent,
    ) -> None:
        self.world, self.broker, self.number = world, broker, TerminalId(number)
        self.name, self.pulse_interval_s, self.seed = number, pulse_interval_s, seed
        self.limits, self.parts, self.story = limits or Limits(), parts, story
        self.random = Random(f"{seed}:terminal:{number}")
        self.disk = Disk(clock=lambda: world.now)
        self.clock = WallClock(world)
        self.run: Run | None = None
        """The living process, None between two."""
        self.runs = 0
        """Lives begun: who sees it changed knows that the agent died meanwhile."""
        self.boots = 1
        """Of the machine: who sees it changed knows that every program on it died meanwhile."""
        self.forks = 0
        self.on_ack: Callable[[Terminal, int, int], None] | None = None
        """Told of epoch and `next` when the agent has taken an ack that moves it."""
        self.customers = Customers(self, per_hour=customers_per_hour)
        self._past: list[History] = []
        self._clones = 0
        self._switched_on = False
        self._timer: Timer | None = None
        self._line_up_at = 0.0
        self._thaw_at = 0.0

    def start(self) -> None:
        """Switch it on for the first time; customers come from now on."""
        self.switch_on()
        self.customers.begin()

    def switch_on(self) -> None:
        """Give it power."""
        if not self._switched_on:
            self._switched_on = True
            self.story(self.name, "is switched on")
            self.world.after(self.random.uniform(0.0, 5.0), self._start)

    def switch_off(self) -> None:
        """Take its power until it is switched on again."""
        if self._switched_on:
            self._switched_on = False
            self.story(self.name, "is switched off")
            if self.run is not None:
                self._fall(power=True, back_after_s=None)

    # --- the truth

    def histories(self) -> list[History]:
        """Return what every disk held that ever was in this terminal, the present one last."""
        return [*self._past, self._history(present=True)]

    @property
    def drained(self) -> bool:
        """Say if it runs, is connected, and has everything acknowledged; nobody is served."""
        run = self.run
        if run is None or self.frozen or run.kiosk.waiting:
            return False
        return run.online and run.uplink.unacked == 0 and self.customers.idle

    @property
    def sells(self) -> bool:
        """Say if a customer finds it at work."""
        run = self.run
        return run is not None and not self.frozen and run.kiosk.suspended is None

    @property
    def frozen(self) -> bool:
        """Say if its process stands still."""
        return self.world.now < self._thaw_at

    @property
    def reaches_broker(self) -> bool:
        """Say if packets get through."""
        return self.world.now >= self._line_up_at

    # --- its clocks

    def at(self) -> int:
        """Return its wall clock, Unix ms."""
        return self.clock.at()

    def now(self) -> Instant:
        """Return its monotonic clock."""
        return Instant(self.world.now)

    # --- what happens at it

    def record(self, event: Event) -> bool:
        """Have the payment program record an event; False if it was refused, or nobody heard it.

        False says nothing about the disk: an agent that dies after the write has not answered.
        """
        return self._asked(Record(event))

    def accept_cash(self, tx: str) -> bool:
        """Take notes for a transaction."""
        return self._asked(AcceptCash(tx))

    def stop_cash(self) -> bool:
        """Take no more notes."""
        return self._asked(StopCash())

    def note(self, amount: int, currency: str, *, recovered: bool = False) -> bool:
        """Stack a note: the money is taken, whatever comes of it."""
        return self.device(NoteStacked(amount=amount, currency=currency, recovered=recovered))

    def device(self, output: Output) -> bool:
        """Have a device's machine say something; False if nobody heard it to its end."""
        run = self.run
        if run is None or self.frozen:
            return False
        self.live(run, partial(run.device, output))
        return self.run is run

    # --- what goes wrong with it

    def crash(
        self,
        *,
        at_write: int | None = None,
        step: Step | None = None,
        back_after_s: float | None = None,
    ) -> None:
        """Kill the agent now, or at its so many-th write from now on."""
        if at_write is not None:
            drawn: Step = self.random.choice(STEPS) if step is None else step
            power = drawn == "torn" or self.random.random() < 0.5
            self.story(self.name, f"will die {drawn} write {at_write}{', with the power' * power}")
            self.disk.fuse = Fuse(at_write, drawn, power)
        elif self.run is not None:
            self.story(self.name, "the agent is killed")
            self._fall(power=False, back_after_s=back_after_s)

    def power_cut(self, *, back_after_s: float | None = None) -> None:
        """Take the power from the machine; it comes back."""
        if self.run is not None:
            self.story(self.name, "loses power")
            self._fall(power=True, back_after_s=back_after_s)

    def step_clock(self, step_ms: int) -> None:
        """Move the wall clock; the agent sees it within a second."""
        self.story(self.name, f"its clock is moved by {step_ms} ms")
        self.clock.offset_ms += step_ms
        self._look_soon()

    def correct_clock(self) -> None:
        """Set the wall clock right."""
        if self.clock.offset_ms:
            self.step_clock(-self.clock.offset_ms)

    def flat_battery(self) -> None:
        """Cut the power, and have the clock begin at 1970."""
        self.power_cut()
        self.story(self.name, "its clock begins at 1970")
        self.clock.begin_anew(self.random)

    def image(self) -> Disk:
        """Return a copy of the disk as it is."""
        return self.disk.copy()

    def restore_image(self, image: Disk) -> None:
        """Put an older copy in the disk's place."""
        self.story(self.name, "an old image of its disk is put back")
        self._other_disk(image.copy())

    def replace_disk(self) -> None:
        """Put an empty disk in its place."""
        self.story(self.name, "gets an empty disk")
        self._other_disk(Disk(clock=lambda: self.world.now))

    def clone(self) -> "Terminal":
        """Return another terminal under this number, with a copy of the disk, switched off."""
        self._clones += 1
        other = Terminal(
            self.world,
            self.broker,
            self.number,
            seed=self.seed,
            pulse_interval_s=self.pulse_interval_s,
            customers_per_hour=self.customers.per_hour,
            limits=self.limits,
            parts=self.parts,
            story=self.story,
        )
        other.name = f"{self.name}'{self._clones}"
        self.story(self.name, f"its disk is cloned: {other.name} is the other")
        other.random = Random(f"{self.seed}:terminal:{other.name}")
        other.disk, other.boots = self.disk.copy(), -1
        other.clock.offset_ms = self.clock.offset_ms
        other.customers = Customers(other, per_hour=self.customers.per_hour)
        return other

    def fill_disk(self, leaving: int = 0, *, for_s: float | None = None) -> None:
        """Have other programs take the disk but for so many bytes, for a while or until told."""
        self.story(self.name, f"its disk is full but for {leaving} bytes")
        self.disk.capacity = self.disk.size + leaving
        self._look_soon()
        if for_s is not None:
            self.world.after(for_s, self.empty_disk)

    def empty_disk(self) -> None:
        """Have other programs give it all back."""
        if self.disk.capacity is not None:
            self.story(self.name, "its disk has room again")
            self.disk.capacity = None
            self._look_soon()

    def lose_line(self, for_s: float) -> None:
        """Have no way to the broker for a while; either end learns of it by its keep-alive."""
        self.story(self.name, f"its line is dead for {for_s:.1f} s")
        self._line_up_at = max(self._line_up_at, self.world.now + for_s)
        if self.run is not None:
            self.run.line_lost()

    def freeze(self, for_s: float) -> None:
        """Stop the process for a while; the world goes on."""
        run = self.run
        if run is None:
            return
        self.story(self.name, f"is frozen for {for_s:.1f} s")
        self._thaw_at = max(self._thaw_at, self.world.now + for_s)
        self.world.at(self._thaw_at, self._thaw)
        if run.session is not None and self._thaw_at - self.world.now > KEEP_ALIVE_S * 1.5:
            run.line_lost()

    def calm(self) -> None:
        """End what lasts (fuse, dead line, full disk, wrong clock, freeze); no more customers."""
        self.customers.stop()
        self.disk.fuse = None
        self._line_up_at = 0.0
        self.empty_disk()
        self.correct_clock()
        if self.frozen:
            self._thaw_at = self.world.now
            self._thaw()

    # --- lives

    def live(self, run: Run, action: Callable[[], None]) -> None:
        """Let a living process do something, which it may die of."""
        if self.run is not run:
            return
        if self.frozen:
            run.hold(action)
            return
        try:
            action()
        except Died as died:
            self._die(died)
        self._set_timer()

    def _asked(self, what: Request) -> bool:
        run = self.run
        if run is None or self.frozen:
            return False
        try:
            answered = run.asked(what)
        except Died as died:
            self._die(died)
            return False
        self._set_timer()
        return answered

    def _die(self, died: Died) -> None:
        self.story(self.name, f"dies at a write{', with the power' * died.power}")
        self._fall(power=died.power, back_after_s=None)

    def _fall(self, *, power: bool, back_after_s: float | None) -> None:
        run, self.run = self.run, None
        self._thaw_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if run is not None:
            run.died(power=power)
        if power:
            self.boots += 1
            self.disk.lose_power(self.random)
        least, most = (20.0, 180.0) if power else (1.0, 30.0)
        drawn_s = self.random.uniform(least, most)
        self.world.after(drawn_s if back_after_s is None else back_after_s, self._start)

    def _start(self) -> None:
        if self.run is not None or not self._switched_on:
            return
        try:
            run = Run(self, f"{self.random.getrandbits(128):032x}")
        except StoreFull:  # the supervisor tries again
            self.world.after(STORE_RETRY_S, self._start)
            return
        except Died as died:
            self._die(died)
            return
        self.run = run
        self.runs += 1
        journal = run.journal
        self.story(self.name, f"starts: epoch {journal.epoch}, next {journal.next}")
        before, self.disk.ran_in = self.disk.ran_in, self.boots
        cause: StartCause = "restart" if before == self.boots else "power_on"
        if before is None:
            cause = "unknown"
        self.live(run, partial(run.begin, cause))
        self.customers.devices.agent_started()

    def _set_timer(self) -> None:
        run, timer = self.run, self._timer
        if run is None:
            return
        when = run.due_at()
        if timer is not None:
            # A timer that comes too early costs less than one that is called off at each event.
            if timer.when <= when:
                return
            timer.cancel()
        self._timer = self.world.at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        run = self.run
        if run is not None and not self.frozen:
            self.live(run, run.turn)

    def _thaw(self) -> None:
        if self.run is not None and not self.frozen:
            self.story(self.name, "goes on")
            self.live(self.run, self.run.turn)

    def _look_soon(self) -> None:
        if self.run is not None:
            self.run.look_soon()
            if not self.frozen:
                self._set_timer()

    def _other_disk(self, disk: Disk) -> None:
        if self.run is not None:
            self._fall(power=True, back_after_s=None)
        self._past.append(self._history(present=False))
        self.disk = disk

    def _history(self, *, present: bool) -> History:
        name = f"{self.name}/{len(self._past) + 1}"
        return History(name, present, self.disk.head(), self.disk.chronicle)
