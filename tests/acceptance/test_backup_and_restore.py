"""A backup under traffic, a restore, and the fleet that heals what is missing by itself."""

import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from firmware_sim.fleet import Broker, Fleet, Pace
from kvitok.api import Api
from kvitok.cli import status_of
from tests.acceptance.serving import Served, serving
from tests.acceptance.test_kill_everything import judge, kept_dsn
from tests.acceptance.test_serve_life import free_ports

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]


def kvitok(*arguments: str) -> str:
    """Run a command that succeeds and return what it says."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = status_of(list(arguments))
    assert status == 0, said.getvalue()
    return said.getvalue()


def test_a_fleet_heals_a_restored_service(tmp_path: Path) -> None:
    """Every event, incident and case is there once; no number that was told is another case's."""
    folder, backup = tmp_path / "data", tmp_path / "backup"
    ports = free_ports(2)
    options = ("--mqtt-port", str(ports[0]), "--http-port", str(ports[1]))
    # Device and silence rules have tests of their own: here every incident must be one of money.
    pace = Pace(mishaps=False, speed=10.0, pulse_interval_s=5.0, gap_s=(0.5, 3.0))
    told = Told()
    with contextlib.ExitStack() as stack:
        with serving(folder, *options) as served:
            fleet = stack.enter_context(living(served, tmp_path, pace))
            time.sleep(4.0)
            kvitok("db", "backup", str(backup), "--data", str(folder))
            had = events(folder)
            time.sleep(4.0)
            assert events(folder) > had
            told.hear(served)
            kvitok("token", "create", "since", "--data", str(folder))
        # The same backup twice: what was told between the two is not forgotten either.
        assert "case numbers go on" in kvitok("db", "restore", str(backup), "--data", str(folder))
        with serving(folder, *options) as again:
            assert again.ready == served.ready
            time.sleep(3.0)
            assert told.hear(again) > 0, "the run proves it"
        kvitok("db", "restore", str(backup), "--data", str(folder))
        with serving(folder, *options) as again:
            time.sleep(3.0)
            assert fleet.drain(90), fleet.progress()
            judge(fleet, Api(again.ready["http"], again.ready["token"]), folder)
            exact(fleet, folder)
            assert told.hear(again) > 0
            assert again.call("GET", "/readyz").status_code == 200
            assert "since" not in kvitok("token", "list", "--data", str(folder))
            assert kvitok("doctor", "--data", str(folder)).count("FAIL") == 0


class Told:
    """The case numbers that customers were told."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def hear(self, served: Served) -> int:
        """Learn the numbers of now, each as no other case's; return how many known are gone."""
        cases = {each["number"]: (each["terminal"], each["tx"]) for each in served.items("/cases")}
        for number, case in cases.items():
            assert self._known.setdefault(number, case) == case, number
        return len(self._known.keys() - cases.keys())


@contextlib.contextmanager
def living(served: Served, tmp_path: Path, pace: Pace) -> Iterator[Fleet]:
    """Have a fleet that goes on living while its service is away."""
    broker = Broker(
        port=served.mqtt_port,
        user=served.ready["mqtt_user"],
        password=served.ready["mqtt_password"],
    )
    fleet = Fleet(seed=23, full=0, light=25, mqtt=broker, folder=tmp_path / "fleet", pace=pace)
    fleet.start()
    try:
        yield fleet
    finally:
        fleet.stop()


def events(folder: Path) -> int:
    """Return how many events are stored."""
    with psycopg.connect(kept_dsn(folder)) as connection:
        row = connection.execute("select count(*) from event").fetchone()
    assert row is not None
    return int(row[0])


def exact(fleet: Fleet, folder: Path) -> None:
    """Hold every journal against its copy: the same next, the same mark."""
    query = "select next_seq, mark from journal where terminal = %s and epoch = %s"
    with psycopg.connect(kept_dsn(folder)) as connection:
        for each in fleet.residents:
            journal = each.terminal.journal
            found = connection.execute(query, [each.number, journal.epoch]).fetchone()
            assert found == (journal.next, journal.marks[-1]), each.number
