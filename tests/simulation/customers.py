"""Who comes to a kiosk, one at a time, and what becomes of their stories.

A story ends early when the agent dies: what would have followed never happens. A payment program
that lives on still records the late results; a note on its way may be found in the cassette when
the agent is back. Nothing polls but a program that waits for its agent, for a few minutes.
"""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation.devices import Devices
from tests.simulation.stories import CURRENCY, Step, draw_chore, draw_story

if TYPE_CHECKING:
    from tests.simulation.terminal import Terminal

HOURS: Final = (
    *(0.2, 0.15, 0.15, 0.15, 0.2, 0.4),
    *(0.8, 1.3, 1.6, 1.3, 1.0, 1.2),
    *(1.7, 1.5, 1.2, 1.0, 1.3, 1.7),
    *(1.9, 1.8, 1.4, 1.0, 0.6, 0.3),
)
"""How many come in each hour of the day, in Moscow; about 1 on average."""
UTC_TO_LOCAL_H: Final = 3
CHORE_SHARE: Final = 0.08
"""For each customer so many who work on the kiosk, or faults of its program."""
TROUBLE_SHARE: Final = 0.15
"""For each customer so many devices that go bad."""
AGENT_RETRY_S: Final = 15.0
AGENT_RETRIES: Final = 12
"""How long a program waits for an agent that is dead or frozen before it gives the story up."""
FOUND_AFTER_S: Final = 240.0
"""When a note that was on its way is found, by an agent that is back by then."""


class Customers:
    """Who comes to one kiosk."""

    def __init__(self, terminal: "Terminal", *, per_hour: float) -> None:
        self.per_hour = per_hour
        self.served = 0
        self.turned_away = 0
        self.at_screen = False
        """Somebody is being served."""
        self.open = 0
        """Stories that are not over: late results may still come."""
        self.random = Random(f"{terminal.seed}:customers:{terminal.name}")
        self.devices = Devices(terminal, Random(f"{terminal.seed}:devices:{terminal.name}"))
        self._terminal = terminal
        self._begun = False
        self._stopped = False

    @property
    def idle(self) -> bool:
        """Say if nobody is there, and nothing is still to come of those who were."""
        return not self.open and self.devices.idle

    def begin(self) -> None:
        """Let them come from now on."""
        if not self._begun and self.per_hour:
            self._begun = True
            self._next()

    def stop(self) -> None:
        """Let nobody come any more; who is there is served."""
        self._stopped = True
        self.devices.stop()

    def _next(self) -> None:
        delay_s = self.random.expovariate(self.per_hour * max(HOURS) / 3600.0)
        self._terminal.world.after(delay_s, self._arrive)

    def _arrive(self) -> None:
        if self._stopped:
            return
        self._next()
        random, terminal = self.random, self._terminal
        hour = (terminal.world.utc().hour + UTC_TO_LOCAL_H) % 24
        if random.random() * max(HOURS) > HOURS[hour]:
            return
        if random.random() < TROUBLE_SHARE:
            self.devices.trouble()
        if self.at_screen or not terminal.sells:
            self.turned_away += 1
        elif random.random() < CHORE_SHARE:
            Visit(self, terminal, draw_chore(random))
        else:
            self.served += 1
            Visit(self, terminal, draw_story(random, self.served, self.devices))


class Visit:
    """One story under way."""

    def __init__(self, customers: Customers, terminal: "Terminal", steps: Sequence[Step]) -> None:
        self._customers, self._terminal, self._steps = customers, terminal, steps
        self._run, self._boots = terminal.runs, terminal.boots
        self._number = self._retries = 0
        self._crashed = False
        self._at_screen = customers.at_screen = True
        customers.open += 1
        self._go_on()

    def _go_on(self) -> None:
        if self._number >= len(self._steps):
            self._over()
            return
        step = self._steps[self._number]
        if step.late:
            self._leave()
        self._terminal.world.after(step.delay_s, self._take)

    def _take(self) -> None:
        terminal, step = self._terminal, self._steps[self._number]
        if terminal.boots != self._boots:
            self._cut_short(step)
            return
        if terminal.run is None or terminal.frozen:
            self._wait(step)
            return
        if terminal.runs != self._run:
            self._run, self._crashed = terminal.runs, True
            if step.note or self._customers.random.random() < 0.5:
                self._cut_short(step)
                return
        self._number += 1
        if not self._crashed or step.survives:
            done = step.do(terminal)
            if not done and step.if_refused == "leave":
                self._number = len(self._steps)
            elif not done and step.if_refused == "end":
                self._number = len(self._steps) - 1
        self._go_on()

    def _wait(self, step: Step) -> None:
        self._retries += 1
        if self._retries > AGENT_RETRIES:
            self._cut_short(step)
        else:
            self._terminal.world.after(AGENT_RETRY_S, self._take)

    def _cut_short(self, step: Step) -> None:
        """End here; a note that was on its way may be found later."""
        self._leave()
        if step.note and self._customers.random.random() < 0.4:
            self._terminal.world.after(FOUND_AFTER_S, lambda: self._found(step.note))
        else:
            self._over()

    def _found(self, worth: int) -> None:
        self._terminal.note(worth, CURRENCY, recovered=True)
        self._over()

    def _leave(self) -> None:
        if self._at_screen:
            self._at_screen = self._customers.at_screen = False

    def _over(self) -> None:
        self._leave()
        self._customers.open -= 1
