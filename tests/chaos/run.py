"""One run: start everything, break it by plan, let it heal, judge."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_sim.fleet import FIRST_NUMBER, Fleet, Pace
from kvitok.api import Api
from tests.chaos.faults import Disks, Faults
from tests.chaos.house import HOLD_S, BrokerName, House
from tests.chaos.judge import Found, judge
from tests.chaos.recovery import Recovery
from tests.chaos.schedule import Fault, plan
from tests.chaos.table import Outcome
from tests.chaos.telling import Telling, say

PACE: Final = Pace(
    hold_s=HOLD_S,
    silence_grace_s=1e9,
    pulse_interval_s=5.0,
    gap_s=(2.0, 8.0),
    # What leaves its truth in the journal alone: a restored service must find all of it again.
    # Clones, restored disks and forgeries leave theirs in what the service saw.
    light_mishaps=frozenset(
        {"lost_range", "repeats", "garbage", "bad_events", "wrong_clock", "blip", "long_fault"}
    ),
)
DRAIN_S: Final = 180.0
SETTLE_S: Final = 60.0
_AGENT: Final = (str(Path(__file__).with_name("skewed_agent.py")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    seconds: float
    seed: int
    full: int
    light: int
    brokers: tuple[BrokerName, ...]
    keep: Path | None = None
    """Keep all files there."""


@dataclass(slots=True)
class _Action:
    at_s: float
    what: str
    fault: Fault | None = None


def run(wanted: Wanted) -> Outcome:
    """Run and judge."""
    with Telling() as telling, _folder(wanted.keep) as folder:
        faults_planned = plan(
            seed=wanted.seed, seconds=wanted.seconds, full=wanted.full, light=wanted.light
        )
        disks = Disks()
        with contextlib.ExitStack() as stack:
            say(f"starting database, {wanted.brokers[0]}, collectors, fold workers, desk; {folder}")
            house = House(folder, wanted.brokers[0])
            stack.callback(house.close)
            house.start()
            stack.callback(disks.unmount)
            _mount(disks, folder / "fleet", faults_planned)
            fleet = _fleet(wanted, folder / "fleet", house)
            recovery = Recovery(house, fleet)
            recovery.start()
            stack.callback(recovery.stop)
            say(
                f"{wanted.full} full kiosks, {wanted.light} light terminals, "
                f"{len(faults_planned)} faults in {wanted.seconds:.0f} s; --seed {wanted.seed}"
            )
            fleet.start()
            stopping = stack.enter_context(_stopped(fleet))
            faults = Faults(house, fleet, disks)
            parts = _Parts(house, fleet, faults, recovery, stopping, telling)
            return _lived(wanted, parts, faults_planned)


@dataclass(slots=True)
class _Parts:
    house: House
    fleet: Fleet
    faults: Faults
    recovery: Recovery
    stopping: contextlib.ExitStack
    telling: Telling


def _lived(wanted: Wanted, parts: _Parts, faults_planned: list[Fault]) -> Outcome:
    _break(wanted, parts, faults_planned)
    say("time is over: no more faults; letting everything arrive")
    began = time.monotonic()
    drained = _drain(parts)
    drained_s = round(time.monotonic() - began, 1) if drained else None
    time.sleep(2 * HOLD_S)
    found = _ask(parts)
    parts.telling.what = lambda: "stopping the fleet, then comparing"
    parts.recovery.stop()
    parts.stopping.close()
    judgement = judge(parts.fleet, parts.faults, parts.house.dsn, found)
    return Outcome(
        seed=wanted.seed,
        brokers=wanted.brokers,
        terminals=(wanted.full, wanted.light),
        restores=parts.faults.restored,
        waits=parts.recovery.waits,
        drained_s=drained_s,
        judgement=judgement,
    )


def _break(wanted: Wanted, parts: _Parts, faults_planned: list[Fault]) -> None:
    """Do what is planned, each at its time, and say how it goes."""
    actions = sorted(_actions(wanted, faults_planned), key=lambda each: each.at_s)
    began, under_way = time.monotonic(), dict[Fault, None]()

    def what() -> str:
        names = ", ".join(f"{each.kind} {each.target}" for each in list(under_way)) or "nothing"
        return f"{_standing(parts)} · {names}"

    parts.telling.what = what
    while actions or time.monotonic() - began < wanted.seconds:
        now = time.monotonic() - began
        if not actions or actions[0].at_s > now:
            time.sleep(0.05)
            continue
        action = actions.pop(0)
        fault = action.fault
        if action.what == "other broker":
            parts.house.other_broker(wanted.brokers[1])
            say(f"the broker is {wanted.brokers[1]} now")
        elif action.what == "backup":
            parts.faults.backup()
        elif fault is not None and action.what == "begin":
            under_way[fault] = None
            parts.faults.begin(fault)
            # What took long to begin still lasts as long as it was to.
            ends = time.monotonic() - began + fault.lasts_s
            actions.append(_Action(ends, "end", fault))
            actions.sort(key=lambda each: each.at_s)
        elif fault is not None:
            parts.faults.end(fault)
            under_way.pop(fault)
            parts.recovery.ended(fault, parts.faults.terminal(fault))


def _actions(wanted: Wanted, faults_planned: list[Fault]) -> Iterator[_Action]:
    for fault in faults_planned:
        if fault.backup_s is not None:
            yield _Action(fault.backup_s, "backup", fault)
        yield _Action(fault.at_s, "begin", fault)
    if len(wanted.brokers) > 1:
        yield _Action(wanted.seconds / 2, "other broker")


def _drain(parts: _Parts) -> bool:
    """Wait until all is acked, stored and folded; False if that took too long."""
    parts.fleet.stop_faults()
    parts.telling.what = lambda: f"{_standing(parts)} · draining"
    ends = time.monotonic() + DRAIN_S
    while time.monotonic() < ends:
        if parts.fleet.drain(0.0) and parts.recovery.settled:
            return True
        time.sleep(0.3)
    return False


def _ask(parts: _Parts) -> Found:
    """Ask for what was found, until the fold has nothing more to say."""
    api = Api(*parts.house.api)
    ends, before = time.monotonic() + SETTLE_S, -1
    while True:
        incidents = api.all("/incidents")
        if len(incidents) == before or time.monotonic() > ends:
            return Found(incidents, api.all("/cases"), api.all("/transactions"))
        before = len(incidents)
        time.sleep(1.5)


def _standing(parts: _Parts) -> str:
    counts = parts.recovery.counts
    return (
        f"{parts.fleet.progress()} · {counts.events} events stored, {counts.behind} behind, "
        f"{counts.incidents} incidents"
    )


def _mount(disks: Disks, fleet: Path, faults_planned: list[Fault]) -> None:
    """Give those kiosks a disk of their own whose disk will be full."""
    for kiosk in {each.target for each in faults_planned if each.kind == "disk_full"}:
        disks.mount(fleet / str(FIRST_NUMBER + int(kiosk.partition(":")[2])))


def _fleet(wanted: Wanted, folder: Path, house: House) -> Fleet:
    return Fleet(
        seed=wanted.seed, full=wanted.full, light=wanted.light, mqtt=house.mqtt,
        folder=folder, pace=PACE, agent=_AGENT,
    )  # fmt: skip


@contextlib.contextmanager
def _stopped(fleet: Fleet) -> Iterator[contextlib.ExitStack]:
    """Stop the fleet once: where the judge needs that, or else at the end."""
    with contextlib.ExitStack() as stack:
        stack.callback(fleet.stop)
        yield stack


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True)
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="kvitok-chaos-", ignore_cleanup_errors=True) as made:
        yield Path(made)
