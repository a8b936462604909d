"""`kvitok demo`: the whole service with a small simulated fleet, watched by a person or judged.

Laws: everything runs as a customer would run it (`serve --embedded`, the JSON API); what was
injected is known to the fleet alone, what was found is asked of the API alone, and only a run in
which both agree ends with status 0. Hold times are shortened, so that a minute shows them all.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from firmware_sim.fleet import Broker, Fleet, Pace, Progress
from firmware_sim.truth import Verdict
from kvitok.api import Api
from kvitok.embedded import launch
from kvitok.place import settings_of
from kvitok.verdict import Judgement, Money, compared, found_of, money_of, told
from kvitok.watch import Counts, Watch

PACE: Final = Pace(hold_s=3.0, silence_grace_s=10.0, pulse_interval_s=3.0)
"""How the fleet lives, and the thresholds that the service runs with meanwhile."""

SHORTENED: Final = {
    "KVITOK_INCIDENTS_HOLD_S": str(PACE.hold_s),
    "KVITOK_INCIDENTS_GRACE_S": str(PACE.silence_grace_s),
}
READY_WITHIN_S: Final = 150.0
DRAIN_S: Final = 120.0
SETTLE_S: Final = 60.0
SUMMARY_EVERY_S: Final = 1.0
LINE_EVERY_S: Final = 10.0
"""On a screen the line stays in place; in a log each is a new one."""
FULL_SHARE: Final = 0.4


class DemoFailed(Exception):  # noqa: N818 - says what is, like every error of ours
    """The demo cannot run; the text says why and where to look."""


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    seconds: float | None
    report: Path | None
    terminals: int
    full: int | None
    seed: int | None
    data: Path | None


def run(wanted: Wanted) -> int:
    """Run the demo and return its exit status."""
    with _folder(wanted.data) as folder:
        seed = wanted.seed if wanted.seed is not None else secrets.randbelow(10**6)
        full = _full(wanted)
        say(f"starting broker, database, collector, incidents and desk in {folder}")
        with _service(folder) as ready:
            fleet = Fleet(
                seed=seed,
                full=full,
                light=wanted.terminals - full,
                mqtt=_broker(ready),
                folder=folder / "fleet",
                pace=PACE,
            )
            return _judged(wanted, folder, fleet, ready)


def _judged(wanted: Wanted, folder: Path, fleet: Fleet, ready: dict[str, Any]) -> int:
    """Let the fleet live in front of the service and say what came of it."""
    api = Api(ready["http"], ready["token"])
    began = time.monotonic()
    timings: dict[str, float] = {}
    _import(fleet.csv, folder)
    _introduce(wanted, fleet, ready)
    with contextlib.ExitStack() as stack:
        watch = stack.enter_context(Watch(settings_of(folder, None)))
        fleet.start()
        stack.callback(fleet.stop)
        stopped = _live(wanted.seconds, fleet, watch)
        timings["lived_s"] = round(time.monotonic() - began, 1)
        if wanted.seconds is None:
            say("stopping")
            return 0
        if stopped:
            say("stopped before its time: nothing was judged")
            return 130
        say("time is over: no more faults; letting everything arrive")
        drained = fleet.drain(DRAIN_S)
        timings["drained_s"] = round(time.monotonic() - began, 1)
        verdict, money, incidents = _settled(fleet, api)
        counts = watch.counts()
        timings["settled_s"] = round(time.monotonic() - began, 1)
        progress = fleet.progress()
    judged = Judgement(
        verdict=verdict,
        money=money,
        drained=drained,
        unacked=progress.unacked,
        crashes=progress.crashes,
    )
    report = {
        "holds": judged.holds,
        "drained": drained,
        "timings": timings,
        "fleet": asdict(progress),
        "service": asdict(counts),
        "money": asdict(money),
        **_report(fleet, verdict, incidents),
    }
    if wanted.report is not None:
        wanted.report.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
        say(f"report: {wanted.report}")
    for line in told(judged):
        say(line)
    return 0 if judged.holds else 1


def _settled(fleet: Fleet, api: Api) -> tuple[Verdict, Money, list[dict[str, Any]]]:
    """Ask what was found until it is what must be, or until waiting longer proves nothing."""
    ends = time.monotonic() + SETTLE_S
    # What is made up would show late too: never judge before every hold time has passed.
    time.sleep(2 * PACE.hold_s)
    while True:
        incidents = api.all("/incidents")
        verdict = fleet.truth.verdict(found_of(incidents))
        money = money_of(fleet.truth.accepted(), api.all("/transactions"))
        if (verdict.holds and not money.differs) or time.monotonic() > ends:
            return verdict, money, incidents
        time.sleep(1.0)


def _report(fleet: Fleet, verdict: Verdict, incidents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return both sides, injected and found, as JSON types."""
    return {
        "shortened": {
            "why": "so that a short run shows holds and silence; docs/settings.md has the defaults",
            **SHORTENED,
            "pulse_interval_s": PACE.pulse_interval_s,
        },
        "confirmed": verdict.confirmed,
        "missed": [asdict(each) for each in verdict.missed],
        "unexpected": [asdict(each) for each in verdict.made_up],
        "duplicated": [asdict(each) for each in verdict.duplicated],
        "injected": {**fleet.truth.report(), "expected": compared(fleet.truth.expected, incidents)},
        "found": incidents,
    }


def _live(seconds: float | None, fleet: Fleet, watch: Watch) -> bool:
    """Show how it goes until the time is over (False) or Ctrl-C (True)."""
    ends = None if seconds is None else time.monotonic() + seconds
    try:
        while ends is None or time.monotonic() < ends:
            pause = SUMMARY_EVERY_S if sys.stdout.isatty() else LINE_EVERY_S
            left = pause if ends is None else ends - time.monotonic()
            time.sleep(max(0.0, min(pause, left)))
            summary(fleet.progress(), watch.counts())
    except KeyboardInterrupt:
        return True
    finally:
        summary_ends()
    return False


def _introduce(wanted: Wanted, fleet: Fleet, ready: dict[str, Any]) -> None:
    say(
        f"{len(fleet.terminals)} simulated terminals, {_full(wanted)} of them full kiosks; "
        f"--seed {fleet.truth.seed} repeats their faults"
    )
    say(
        f"shortened for the demo: a device is bad for {PACE.hold_s:g} s before it is an incident, "
        f"a terminal is silent after {3 * PACE.pulse_interval_s:g} s"
    )
    say(f"staff page: {ready['http']}/login?token={ready['token']}")
    if wanted.seconds is None:
        say("Ctrl-C ends it")


def _full(wanted: Wanted) -> int:
    if wanted.full is not None:
        return min(wanted.full, wanted.terminals)
    return round(wanted.terminals * FULL_SHARE)


def _broker(ready: dict[str, Any]) -> Broker:
    host, _, port = ready["mqtt"].removeprefix("mqtt://").partition(":")
    return Broker(
        host=host, port=int(port), user=ready["mqtt_user"], password=ready["mqtt_password"]
    )


def _import(csv: Path, folder: Path) -> None:
    from kvitok.commands import terminal_import  # noqa: PLC0415 - as a person would do it

    terminal_import(csv, data=folder)


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder that was named, or one that is gone afterwards."""
    if given is not None:
        yield given.expanduser().absolute()
        return
    with tempfile.TemporaryDirectory(prefix="kvitok-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextlib.contextmanager
def _service(folder: Path) -> Iterator[dict[str, Any]]:
    """Run `kvitok serve --embedded` and yield what its ready line says."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs = folder / "demo.log"
    serve = [sys.executable, "-m", "kvitok", "serve", "--embedded", "--data", str(folder)]
    command = launch.command(serve, parent=os.getpid(), stop=signal.SIGTERM)
    with logs.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **SHORTENED},
            process_group=0,
        )
    try:
        yield _ready_line(process, logs)
    finally:
        process.terminate()
        process.wait()


def _ready_line(process: "subprocess.Popen[bytes]", logs: Path) -> dict[str, Any]:
    """Return the ready line, or raise with the end of the log."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        tail = "\n".join(logs.read_text(errors="replace").splitlines()[-15:])
        raise DemoFailed(f"the service did not start; the end of its log ({logs}):\n{tail}")
    ready: dict[str, Any] = json.loads(line)
    return ready


def say(text: str) -> None:
    """Tell the person who watches."""
    print(f"demo: {text}", flush=True)  # noqa: T201 - that is its purpose


def summary(fleet: Progress, service: Counts) -> None:
    """Show how both sides stand: in place on a screen, a line each in a log."""
    if sys.stdout.isatty():
        # A line that wraps cannot be written over.
        most = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{fitted(fleet, service, most)}", end="", flush=True)  # noqa: T201
    else:
        say(f"{fleet} · {service}")


def fitted(fleet: Progress, service: Counts, most: int) -> str:
    """Return both sides in a line of so many columns: in short words, cut off, if need be."""
    long, short = f"{fleet} · {service}", f"{fleet.short} · {service.short}"
    if len(long) <= most:
        return long
    return short if len(short) <= most else f"{short[: most - 1]}…"


def summary_ends() -> None:
    """Leave the summary's line."""
    if sys.stdout.isatty():
        print(flush=True)  # noqa: T201
