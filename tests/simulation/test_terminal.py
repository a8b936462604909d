import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from random import Random

import pytest

from agent.journal import Journal
from agent.shape import Entry
from agent.store import Change, Head, StoreFull
from tests.property.agent.agent_service_model import ServiceModel
from tests.simulation.broker import Broker
from tests.simulation.disk import Died, Disk, Fuse, History, Step
from tests.simulation.hostile import Hostile
from tests.simulation.loop import World
from tests.simulation.model_service import ModelService
from tests.simulation.terminal import Terminal
from tests.simulation.weather import Weather
from wire.events import KINDS, Fault
from wire.journal import mark_through

STORM = Weather(loss=0.2, duplicate=0.2, late=0.2, late_s_max=60.0)


class Town:
    """A broker, a service that goes by the contract, and terminals."""

    def __init__(self, seed: int, terminals: int = 1, *, per_hour: float = 0.0) -> None:
        self.world = World(datetime(2026, 1, 5, 6, tzinfo=UTC))
        self.lines: list[str] = []
        self.broker = Broker(self.world, seed=seed, story=self._told)
        self.service = ModelService(self.world, self.broker)
        self.terminals = [
            Terminal(
                self.world,
                self.broker,
                f"T-{number}",
                seed=seed,
                customers_per_hour=per_hour,
                story=self._told,
            )
            for number in range(1, terminals + 1)
        ]
        for each in self.terminals:
            each.start()

    @property
    def terminal(self) -> Terminal:
        """Return the first."""
        return self.terminals[0]

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.world.run_until(self.world.now + seconds)

    def write(self, count: int = 1) -> None:
        """Record some events without money."""
        for _ in range(count):
            at = self.terminal.at()
            self.terminal.record(Fault(at=at, component="c", severity="warning", code="x"))

    def drain(self) -> None:
        """Take back what lasts, and wait until everything is acknowledged."""
        self.broker.calm()
        for each in self.terminals:
            each.calm()
        for _ in range(60):
            self.run(60)
            if all(each.drained for each in self.terminals):
                return
        raise AssertionError("not drained: " + "\n".join(self.lines[-40:]))

    def copies(self, terminal: Terminal) -> ServiceModel:
        """Return what the service holds of a terminal."""
        return self.service.journals.get(terminal.number, ServiceModel())

    def _told(self, who: str, what: str) -> None:
        self.lines.append(f"{self.world.now:.2f} {who}: {what}")


def check(terminal: Terminal, copies: ServiceModel, *, whole: bool = True) -> None:
    """See that the copies are what the disks held; `whole`: of the present one, all of it."""
    histories = terminal.histories()
    for epoch, copy in copies.journals.items():
        assert any(_fits(each, epoch, copy.rows) for each in histories), f"epoch {epoch}"
    present = histories[-1]
    if whole:
        for epoch, written in present.chronicle.epochs.items():
            rows = copies.journals[epoch].rows if epoch in copies.journals else {}
            lost = {
                seq
                for first, row in rows.items()
                if row["kind"] == "journal_lost"
                for seq in range(first, row["through"] + 1)
            }
            for each in written:
                place = (epoch, each.seq)
                gone = present.chronicle.gone.get(place)
                assert each.seq in rows or place in present.chronicle.moved or gone, place
                assert each.seq not in lost or gone, place
    assert not [
        place
        for each in histories
        for place, gone in each.chronicle.gone.items()
        if gone.money and not gone.acknowledged
    ]


def _fits(history: History, epoch: int, rows: dict[int, dict[str, object]]) -> bool:
    written = history.chronicle.epochs.get(epoch, [])
    return all(
        row["kind"] == "journal_lost"
        or (seq <= len(written) and json.loads(written[seq - 1].event) == row)
        for seq, row in rows.items()
    )


def disk_with(count: int) -> tuple[Disk, Journal]:
    """Return a disk with a journal of so many events."""
    disk = Disk(clock=lambda: 0.0)
    journal = Journal(disk, at=1000)
    for number in range(count):
        journal.append([entry(number)])
    return disk, journal


def entry(number: int, *, money: bool = True) -> Entry:
    """Return an event."""
    return Entry(at=number, money=money, event=b'{"kind":"k","at":%d}' % number)


@pytest.mark.parametrize(("step", "there"), [("before", 3), ("after", 4), ("torn", 3)])
def test_the_chronicle_knows_what_a_dying_write_left(step: Step, there: int) -> None:
    """Whatever the writer was told, which is nothing."""
    disk, journal = disk_with(3)
    disk.fuse = Fuse(1, step)
    with pytest.raises(Died):
        journal.append([entry(3)])
    disk.lose_power(Random(1))
    assert len(disk.chronicle.epochs[1000]) == there
    again = Journal(disk, at=5000)
    assert (again.epoch, again.next) == (1000, there + 1)
    events = [each.event for each in disk.chronicle.epochs[1000]]
    assert again.mark(there) == mark_through("1000", events)


def test_a_power_cut_leaves_a_prefix_of_what_was_not_flushed() -> None:
    """Any prefix, and never an event less."""
    left: Counter[int] = Counter()
    for seed in range(60):
        disk, journal = disk_with(5)
        for following in (2, 3, 4):
            journal.acknowledged(following)
        disk.lose_power(Random(seed))
        head = disk.head()
        assert head is not None
        assert head.next == 6
        left[head.acked] += 1
    assert set(left) == {1, 2, 3, 4}


def test_a_full_disk_takes_nothing_until_there_is_room() -> None:
    """Not even a word of what is acknowledged, but for the reserve."""
    disk, journal = disk_with(3)
    disk.capacity = disk.size
    head = disk.head()
    assert isinstance(head, Head)
    with pytest.raises(StoreFull):
        disk.write(Change(head=head), durable=False)
    assert disk.release_reserve()
    journal.append([entry(3)])
    assert not disk.restore_reserve()
    disk.capacity = None
    assert disk.restore_reserve()


def test_an_image_remembers_what_it_held_and_no_more() -> None:
    """A copy of the disk goes its own way."""
    disk, journal = disk_with(2)
    image = disk.copy()
    journal.append([entry(2)])
    Journal(image, at=9).append([entry(7), entry(8)])
    assert [each.seq for each in disk.chronicle.epochs[1000]] == [1, 2, 3]
    assert [each.seq for each in image.chronicle.epochs[1000]] == [1, 2, 3, 4]
    assert disk.chronicle.epochs[1000][2] != image.chronicle.epochs[1000][2]


def test_a_quiet_terminal_brings_everything_and_pulses() -> None:
    """And says that it is there."""
    town = Town(1)
    town.run(10)
    town.write(20)
    town.run(600)
    assert town.terminal.drained
    check(town.terminal, town.copies(town.terminal))
    (copy,) = town.copies(town.terminal).journals.values()
    assert copy.next == 24  # agent_started, two devices
    assert 10 <= town.service.pulses <= 15
    assert [json.loads(each[1])["online"] for each in town.service.presence] == [True]


def test_a_clock_that_is_moved_is_journaled_before_anything_else() -> None:
    """As the real watch does, within a second."""
    town = Town(1)
    town.run(10)
    town.terminal.step_clock(-86_400_000)
    town.run(2)
    town.write()
    kinds = _kinds(town.terminal)
    assert kinds[-2:] == ["clock_stepped", "fault"]


def test_a_flat_battery_begins_at_1970_and_an_empty_disk_then_has_a_small_epoch() -> None:
    """What the real agent does: the service takes it all the same."""
    town = Town(1)
    town.run(10)
    town.terminal.flat_battery()
    town.terminal.replace_disk()
    town.run(400)
    assert town.terminal.run is not None
    assert town.terminal.run.journal.epoch < 400_000
    town.drain()
    check(town.terminal, town.copies(town.terminal))


def test_an_image_put_back_forks_and_everything_since_arrives() -> None:
    """The old epoch's copy keeps what only it has."""
    town = Town(1)
    town.run(10)
    town.write(3)
    image = town.terminal.image()
    town.write(3)
    town.run(60)
    town.terminal.restore_image(image)
    town.run(300)
    town.write(2)
    town.drain()
    assert town.terminal.forks == 1
    assert len(town.copies(town.terminal).journals) == 2
    check(town.terminal, town.copies(town.terminal))


def test_clones_throw_each_other_out_and_both_histories_arrive() -> None:
    """One of the two forks."""
    town = Town(1)
    town.run(10)
    town.write(3)
    town.run(10)
    other = town.terminal.clone()
    other.switch_on()
    town.run(20)
    town.write(3)
    town.run(200)
    other.switch_off()
    town.run(300)
    town.drain()
    assert town.terminal.forks + other.forks >= 1
    copies = town.copies(town.terminal)
    written = {
        each.event
        for who in (town.terminal, other)
        for history in who.histories()
        for rows in history.chronicle.epochs.values()
        for each in rows
    }
    stored = [row for copy in copies.journals.values() for row in copy.rows.values()]
    assert all(row in [json.loads(each) for each in written] for row in stored)


def test_a_full_disk_stops_sales_and_takes_no_money_away() -> None:
    """Until there is room again."""
    town = Town(1, per_hour=120.0)
    town.run(1800)
    town.terminal.lose_line(3600)
    town.terminal.fill_disk(2000)
    town.run(3000)
    sold = [town.terminal.sells]
    town.terminal.empty_disk()
    town.run(60)
    sold.append(town.terminal.sells)
    assert sold == [False, True]
    town.drain()
    check(town.terminal, town.copies(town.terminal))


def test_a_frozen_terminal_hears_of_everything_when_it_wakes() -> None:
    """And nothing before."""
    town = Town(1)
    town.run(10)
    town.terminal.freeze(200)
    town.write(3)
    at_freeze = len(_kinds(town.terminal))
    town.run(199)
    assert len(_kinds(town.terminal)) == at_freeze
    town.drain()
    check(town.terminal, town.copies(town.terminal))


def test_customers_do_everything_that_the_contract_knows() -> None:
    """Every kind that a kiosk writes occurs, and each event is one of its kind."""
    town = Town(1, 2, per_hour=90.0)
    town.run(16_000)
    town.drain()
    kinds = Counter(kind for each in town.terminals for kind in _kinds(each))
    assert set(kinds) == set(KINDS) - {"unreadable", "clock_stepped"}
    for each in town.terminals:
        check(each, town.copies(each))


def test_one_seed_gives_one_run() -> None:
    """To the byte."""
    runs = [_stormy(4) for _ in range(2)]
    assert runs[0].lines == runs[1].lines
    assert _events(runs[0]) == _events(runs[1])


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_copies_are_what_the_disks_held(seed: int) -> None:
    """Storms, crashes at any write, power cuts, full disks, forks, lost lines."""
    town = _stormy(seed)
    for each in town.terminals:
        check(each, town.copies(each))


def test_a_hostile_terminal_comes_to_nobody_else() -> None:
    """Whatever it does, others are served; what it sends stays under its number."""
    town = Town(1, 2, per_hour=30.0)
    hostile = [Hostile(town.world, town.broker, f"H-{n}", seed=n) for n in (1, 2)]
    for each in hostile:
        each.start()
    town.run(3600)
    for each in hostile:
        each.stop()
    town.drain()
    assert min(each.sent for each in hostile) > 300
    assert town.service.foreign > 500
    assert town.broker.foreign
    assert not town.service.node.troubles
    for terminal in town.terminals:
        check(terminal, town.copies(terminal))


def _stormy(seed: int) -> Town:
    """Return a town that has seen bad days."""
    random = Random(seed)
    town = Town(seed, 2, per_hour=60.0)
    images: dict[Terminal, Disk] = {}
    town.run(300)
    for _ in range(25):
        who = random.choice(town.terminals)
        doings: list[Callable[[], object]] = [
            partial(who.crash, at_write=random.randint(1, 30)),
            partial(who.crash, at_write=random.randint(1, 30)),
            who.crash,
            who.power_cut,
            partial(who.lose_line, random.uniform(1, 900)),
            partial(who.freeze, random.uniform(1, 300)),
            partial(who.fill_disk, random.randrange(5000), for_s=600),
            partial(who.step_clock, random.randrange(-(10**10), 10**10)),
            partial(images.__setitem__, who, who.image()),
            partial(who.restore_image, images.get(who) or who.image()),
            who.flat_battery,
            who.correct_clock,
            town.broker.cut_all,
            partial(town.broker.restart, random.uniform(0.1, 100)),
            partial(setattr, town.broker, "weather", STORM),
            town.broker.calm,
        ]
        random.choice(doings)()
        town.run(random.expovariate(1 / 200))
    town.drain()
    return town


def _events(town: Town) -> list[bytes]:
    return [
        each.event
        for terminal in town.terminals
        for history in terminal.histories()
        for rows in history.chronicle.epochs.values()
        for each in rows
    ]


def _kinds(terminal: Terminal) -> list[str]:
    return [
        json.loads(each.event)["kind"]
        for rows in terminal.histories()[-1].chronicle.epochs.values()
        for each in rows
    ]
