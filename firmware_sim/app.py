"""Drives a fleet against any service and says what it is doing: `kvitok sim`."""

import json
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from firmware_sim.clock import monotonic
from firmware_sim.fleet import Broker, Fleet, Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class SimSettings:
    """What a run needs; `for_s` of 0 means until a signal."""

    mqtt: Broker
    folder: Path
    seed: int = 1
    full: int = 0
    light: int = 20
    for_s: float = 0.0
    drain_s: float = 60.0
    pace: Pace = field(default_factory=Pace)


def run(settings: SimSettings, say: Callable[[str], None]) -> bool:
    """Run until the time is over or SIGINT or SIGTERM comes; True if everything was acked.

    Leaves `fleet.csv` and `truth.json` in the folder.
    """
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    fleet = Fleet(
        seed=settings.seed,
        full=settings.full,
        light=settings.light,
        mqtt=settings.mqtt,
        folder=settings.folder,
        pace=settings.pace,
    )
    say(f"seed {settings.seed}; terminals are listed in {fleet.csv}")
    fleet.start()
    ends = monotonic() + settings.for_s if settings.for_s else float("inf")
    while not over.wait(2.0) and monotonic() < ends:
        say(str(fleet.progress()))
    say("no new customers and faults; waiting until all is acked")
    settled = fleet.drain(settings.drain_s)
    say(str(fleet.progress()))
    truth = settings.folder / "truth.json"
    truth.write_text(json.dumps(fleet.truth.report(), ensure_ascii=False, indent=1), "utf-8")
    fleet.stop()
    say(f"the truth is in {truth}")
    return settled
