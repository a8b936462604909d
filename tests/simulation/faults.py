"""What goes wrong: a plan drawn from the seed, and how each kind of fault is done.

A seed turns on only some kinds (the others would hide what these do), each with a rate of its own
and a bound on how long or how far it goes. A plan is data: a fault can be left out and the rest
stays as it was, which is what shrinking rests on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation.database import Fate
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from tests.simulation.house import House
    from tests.simulation.services import Process
    from tests.simulation.terminal import Terminal

DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong once. `who` and `size` mean what the kind says."""

    at: float
    kind: str
    who: int
    size: float
    """Seconds, a count or milliseconds, drawn evenly in its logarithm within the kind's bounds."""

    def __str__(self) -> str:
        """Return it as a line of a plan."""
        return f"{self.at:10.3f} s  {self.kind} (who {self.who}, size {self.size:.4g})"


Apply = Callable[["House", Fault], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault: how often in a run (on average), how large, and how it is done."""

    rate: float
    least: float
    most: float
    apply: Apply
    in_seconds: bool = True
    """Whether the size is a time, which is then at most half of the run."""


def draw(seed: int, *, horizon_s: float) -> tuple[Fault, ...]:
    """Return the faults of a seed, in their order."""
    random = Random(f"{seed}:faults")
    share = random.choice((0.15, 0.3, 0.6))
    eager = random.choice((1.0, 1.0, 4.0))
    faults: list[Fault] = []
    for name, kind in KINDS.items():
        # Drawn for every kind, so that a new kind does not change what the others do.
        own = Random(f"{seed}:faults:{name}")
        if own.random() > share:
            continue
        most = min(kind.most, horizon_s / 2) if kind.in_seconds else kind.most
        every_s = horizon_s / (kind.rate * eager)
        at = own.expovariate(1 / every_s)
        while at < horizon_s:
            size = kind.least * (most / kind.least) ** own.random()
            faults.append(Fault(at=at, kind=name, who=own.randrange(1 << 16), size=size))
            at += own.expovariate(1 / every_s)
    return tuple(sorted(faults, key=lambda fault: (fault.at, fault.kind)))


def apply(house: "House", fault: Fault) -> None:
    """Do it."""
    KINDS[fault.kind].apply(house, fault)


# --- the service's processes


def _collector(house: "House", fault: Fault) -> "Process":
    some = house.services.collectors
    return some[fault.who % len(some)]


def _worker(house: "House", fault: Fault) -> "Process":
    some = house.services.workers
    return some[fault.who % len(some)]


def _any(house: "House", fault: Fault) -> "Process":
    some = house.services.all
    return some[fault.who % len(some)]


def _at_statement(fate: Fate) -> Apply:
    def apply(house: "House", fault: Fault) -> None:
        process = _any(house, fault)
        house.story(process.name, f"will meet {fate.name} at its statement {int(fault.size)}")
        house.fuse(process.name, int(fault.size), fate)

    return apply


# --- database and broker


def _stop_database(house: "House", fault: Fault) -> None:
    house.story("database", f"stops for {fault.size:.0f} s")
    house.database.stop()
    house.later(fault.size, house.start_database)


def _restore(house: "House", fault: Fault) -> None:
    backup = house.database.backup()
    house.story("database", f"backup taken, to be restored in {fault.size:.0f} s")

    def restore() -> None:
        house.story("database", f"restored from the backup of {fault.size:.0f} s ago")
        house.restore(backup)

    house.later(fault.size, restore)


def _storm(house: "House", fault: Fault) -> None:
    random = Random(fault.who)
    weather = Weather(
        loss=random.choice((0.0, 0.05, 0.3, 0.9)),
        duplicate=random.choice((0.0, 0.1, 0.4)),
        late=random.choice((0.0, 0.05, 0.3)),
        late_s_max=random.choice((1.0, 10.0, 120.0)),
        damage=random.choice((0.0, 0.02, 0.2)),
    )
    house.story("weather", f"{weather} for {fault.size:.0f} s")
    house.broker.weather = weather
    house.later(fault.size, lambda: house.clear_up(weather))


# --- terminals


def _terminal(house: "House", fault: Fault) -> "Terminal":
    return house.terminals[fault.who % len(house.terminals)]


def _clone(house: "House", fault: Fault) -> None:
    house.clone(_terminal(house, fault), lives_s=fault.size)


def _image(house: "House", fault: Fault) -> None:
    terminal = _terminal(house, fault)
    image = terminal.image()
    house.story(terminal.name, f"an image of the disk is taken, for {fault.size:.0f} s later")
    house.later(fault.size, lambda: terminal.restore_image(image))


def _over_a_fork(house: "House", fault: Fault) -> None:
    """Back the database up, let a terminal fork, and restore: the older epoch lacks its end."""
    backup, terminal = house.database.backup(), _terminal(house, fault)
    house.story("database", f"backup taken, to be restored in {fault.size:.0f} s, after a fork")

    def take_image() -> None:
        image = terminal.image()
        house.later(0.3 * fault.size, lambda: terminal.restore_image(image))

    # What is acknowledged between backup and image is what the restored database will lack.
    house.later(0.4 * fault.size, take_image)
    house.later(fault.size, lambda: house.restore(backup))


def _step(sign: int) -> Apply:
    def apply(house: "House", fault: Fault) -> None:
        _terminal(house, fault).step_clock(sign * int(fault.size))

    return apply


def _flat_battery(house: "House", fault: Fault) -> None:
    terminal = _terminal(house, fault)
    terminal.flat_battery()
    house.later(fault.size, terminal.correct_clock)


def _full_disk(house: "House", fault: Fault) -> None:
    terminal = _terminal(house, fault)
    terminal.fill_disk(fault.who % 3000)
    house.later(fault.size, terminal.empty_disk)


KINDS: Final[Mapping[str, Kind]] = {
    "collector_killed": Kind(rate=6, least=1, most=1, apply=lambda h, f: _collector(h, f).kill()),
    "collector_frozen": Kind(
        rate=3, least=1, most=400, apply=lambda h, f: _collector(h, f).freeze(f.size)
    ),
    "worker_killed": Kind(rate=6, least=1, most=1, apply=lambda h, f: _worker(h, f).kill()),
    "worker_frozen": Kind(
        rate=3, least=1, most=400, apply=lambda h, f: _worker(h, f).freeze(f.size)
    ),
    "died_before_statement": Kind(rate=10, least=1, most=60, apply=_at_statement(Fate.DIE_BEFORE)),
    "died_after_statement": Kind(rate=10, least=1, most=60, apply=_at_statement(Fate.DIE_AFTER)),
    "statement_failed": Kind(rate=10, least=1, most=60, apply=_at_statement(Fate.FAIL)),
    "answer_lost": Kind(rate=10, least=1, most=60, apply=_at_statement(Fate.LOSE_ANSWER)),
    "database_stopped": Kind(rate=2, least=0.1, most=120, apply=_stop_database),
    "database_restored": Kind(rate=2, least=1, most=2 * 86_400, apply=_restore),
    "restored_over_a_fork": Kind(rate=1, least=60, most=86_400, apply=_over_a_fork),
    "broker_restarted": Kind(
        rate=3, least=0.1, most=60, apply=lambda h, f: h.broker.restart(f.size)
    ),
    "lines_cut": Kind(rate=3, least=1, most=1, apply=lambda h, _: h.broker.cut_all()),
    "storm": Kind(rate=4, least=5, most=600, apply=_storm),
    "terminal_crashed": Kind(
        rate=12, least=1, most=20, apply=lambda h, f: _terminal(h, f).crash(at_write=int(f.size))
    ),
    "power_cut": Kind(rate=8, least=1, most=1, apply=lambda h, f: _terminal(h, f).power_cut()),
    "line_lost": Kind(
        rate=8, least=0.1, most=900, apply=lambda h, f: _terminal(h, f).lose_line(f.size)
    ),
    "terminal_frozen": Kind(
        rate=3, least=1, most=300, apply=lambda h, f: _terminal(h, f).freeze(f.size)
    ),
    "clock_ahead": Kind(rate=2, least=1_000, most=3 * YEAR_MS, apply=_step(+1), in_seconds=False),
    "clock_back": Kind(rate=2, least=1_000, most=3 * YEAR_MS, apply=_step(-1), in_seconds=False),
    "flat_battery": Kind(rate=1, least=1, most=3600, apply=_flat_battery),
    "disk_full": Kind(rate=2, least=1, most=1800, apply=_full_disk),
    "disk_replaced": Kind(
        rate=1, least=1, most=1, apply=lambda h, f: _terminal(h, f).replace_disk()
    ),
    "disk_cloned": Kind(rate=0.7, least=10, most=3600, apply=_clone),
    "image_restored": Kind(rate=0.7, least=1, most=5 * 86_400, apply=_image),
}
