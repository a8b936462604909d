"""kill -9 of the whole process tree under traffic: each event, incident and case exactly once."""

import json
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from firmware_sim.fleet import Broker, Fleet, Pace
from kvitok.api import Api
from kvitok.verdict import MONEY_RULES, found_of
from tests.acceptance.killing import kill_tree, log_of, start
from tests.acceptance.test_serve_life import free_ports

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

TWICE = """
select count(*) from (select 1 from event group by terminal, epoch, seq having count(*) > 1) twice
"""
HOLES = """
select count(*) from journal j
where j.next_seq - 1 <> (select count(*) from event e
  where e.terminal = j.terminal and e.epoch = j.epoch)
"""
CASES_TWICE = """
select count(*) from (
  select 1 from support_case where tx is not null group by terminal, epoch, tx having count(*) > 1
) twice
"""


def ready_line(process: subprocess.Popen[str], log: Path) -> dict[str, Any]:
    """Return what a started service says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, log.read_text("utf-8")[-3000:]
    ready: dict[str, Any] = json.loads(line)
    return ready


def test_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    """Three power cuts while a fleet works; afterwards the truth and the database agree."""
    folder, log = tmp_path / "data", log_of(tmp_path / "data")
    ports = free_ports(2)
    options = ("--mqtt-port", str(ports[0]), "--http-port", str(ports[1]))
    process = start(folder, *options, log=log)
    ready = ready_line(process, log)
    broker = Broker(port=ports[0], user=ready["mqtt_user"], password=ready["mqtt_password"])
    # Device and silence rules have tests of their own: here every incident must be one of money.
    pace = Pace(mishaps=False, speed=10.0, pulse_interval_s=30.0, gap_s=(0.5, 3.0))
    fleet = Fleet(seed=11, full=0, light=25, mqtt=broker, folder=tmp_path / "fleet", pace=pace)
    fleet.start()
    try:
        for cut_after_s in (3.0, 1.5, 4.0):
            time.sleep(cut_after_s)
            kill_tree(process)
            process = start(folder, *options, log=log)
            assert ready_line(process, log) == ready
        time.sleep(2.0)
        assert fleet.drain(90), fleet.progress()
        api = Api(ready["http"], ready["token"])
        judge(fleet, api, folder)
    finally:
        fleet.stop()
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0


def judge(fleet: Fleet, api: Api, folder: Path) -> None:
    """Hold the fleet's truth against the service, once all has been folded."""
    ends = time.monotonic() + 30
    verdict = fleet.truth.verdict(found_of(api.all("/incidents")))
    while not verdict.holds and time.monotonic() < ends:
        time.sleep(0.5)
        verdict = fleet.truth.verdict(found_of(api.all("/incidents")))
    assert verdict.holds, verdict
    assert verdict.confirmed > 10, "the run was long enough to mean something"
    incidents = api.all("/incidents")
    money = Counter((each["terminal"], each["subject"]) for each in incidents
                    if each["rule"] in MONEY_RULES)  # fmt: skip
    cases = Counter((each["terminal"], each["tx"]) for each in api.all("/cases"))
    assert set(cases) == set(money)
    assert set(cases.values()) == {1}
    with psycopg.connect(kept_dsn(folder)) as connection:
        for query in (TWICE, HOLES, CASES_TWICE):
            assert connection.execute(query).fetchone() == (0,), query


def kept_dsn(folder: Path) -> str:
    """Return the address of a service's database, as its owner has it."""
    from kvitok.place import settings_of
    from kvitok.settings import DatabaseSettings

    return settings_of(folder, None).section(DatabaseSettings).dsn
