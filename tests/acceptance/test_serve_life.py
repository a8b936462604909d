"""`kvitok serve --embedded` as contract section 6 has it: ready, ended, started again."""

import contextlib
import io
import ipaddress
import json
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from kvitok.cli import status_of
from tests.acceptance.killing import Served, children_of, log_of, serving, start

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit status."""

    status: int
    out: str
    error: str


def kvitok(*arguments: str) -> Ran:
    """Run one command of the command line, in this process: a start takes a second."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        status = status_of(list(arguments))
    return Ran(status, out.getvalue(), error.getvalue())


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """Started again on the same folder: same ports, token and data; nothing beyond loopback."""
    folder = tmp_path / "data"
    mqtt_port, http_port = free_ports(2)
    options = ("--mqtt-port", str(mqtt_port), "--http-port", str(http_port))
    with serving(folder, *options) as served:
        first = served.ready
        assert first["ready"] is True
        assert first["mqtt"] == f"mqtt://127.0.0.1:{mqtt_port}"
        assert first["http"] == f"http://127.0.0.1:{http_port}"
        assert set(first) == {"ready", "mqtt", "http", "token", "mqtt_user", "mqtt_password"}
        assert served.call("GET", "/readyz").status_code == 200
        assert served.call("POST", "/api/v1/terminals", json={"terminal": "T1"}).status_code == 201
        assert listens_beyond_loopback(served.process) == []
        assert "another kvitok serve" in second_service(folder)
        assert f"port {mqtt_port} on 127.0.0.1 is in use" in taken_port(tmp_path, mqtt_port)
        the_command_line_works(folder, tmp_path)
    with serving(folder, *options) as served:
        assert served.ready == first
        assert served.get("/terminals/T1")["registered"] is True
        assert served.get("/terminals/F1")["address"] == "Тверская, 1"
    secret = [path for path in folder.iterdir() if path.is_file() and path.stat().st_mode & 0o077]
    assert secret == [], "what is in the folder is for its owner only"


def listens_beyond_loopback(process: subprocess.Popen[str]) -> list[object]:
    """Return every address on which the service listens that is not this machine's own."""
    everyone = [psutil.Process(process.pid), *children_of(process)]
    assert len(everyone) >= 7, "serve, broker, database, collector, incidents, desk, mail"
    return [
        (each.name(), found.laddr)
        for each in everyone
        for found in each.net_connections("inet")
        if found.status == psutil.CONN_LISTEN or found.type == socket.SOCK_DGRAM
        if len(found.laddr) and not ipaddress.ip_address(found.laddr.ip).is_loopback
    ]


def second_service(folder: Path) -> str:
    """Return what a second service on the same folder says before it ends with status 1."""
    result = kvitok("serve", "--embedded", "--data", str(folder))
    assert (result.status, result.out) == (1, "")
    return result.error


def taken_port(tmp_path: Path, port: int) -> str:
    """Return what a service says that is to listen where another does."""
    folder = str(tmp_path / "other")
    result = kvitok("serve", "--embedded", "--data", folder, "--mqtt-port", str(port))
    assert (result.status, result.out) == (1, "")
    return result.error


def the_command_line_works(folder: Path, tmp_path: Path) -> None:
    """Terminals are imported and found, tokens made and revoked, the doctor content."""
    data = ("--data", str(folder))
    csv = tmp_path / "fleet.csv"
    csv.write_text('terminal,city,address\nF1,Москва,"Тверская, 1"\nF2,Тверь,\n', "utf-8")
    assert kvitok("terminal", "import", str(csv), *data).out == (
        "2 terminals imported: 2 new, 0 known before\n"
    )
    csv.write_text("terminal,city\nF3,Москва\nF 4,Тверь\n", "utf-8")
    refused = kvitok("terminal", "import", str(csv), *data)
    assert refused.status == 1
    assert "nothing was imported\n  line 3: terminal 'F 4'" in refused.error
    listed = json.loads(kvitok("terminal", "list", "--json", *data).out)
    assert [each["terminal"] for each in listed] == ["F1", "F2", "T1"]
    assert "Тверская, 1" in kvitok("terminal", "show", "F1", *data).out
    assert kvitok("terminal", "show", "F3", *data).status == 1
    assert kvitok("terminal", "log", "F1", *data).out == "nothing in the log\n"
    assert kvitok("incident", "list", "--json", *data).out == "[]\n"
    assert kvitok("incident", "list", *data).out == "no incidents\n"
    assert kvitok("case", "list", "--json", *data).out == "[]\n"
    assert kvitok("token", "create", "tests", *data).out.startswith("kvt_")
    assert kvitok("token", "revoke", "tests", *data).status == 0
    assert kvitok("db", "status", *data).status == 0
    assert kvitok("db", "partitions", *data).status == 0
    doctor = kvitok("doctor", *data)
    assert doctor.status == 0, doctor.out
    for what in ("broker", "incidents", "desk"):
        assert f"OK    {what}" in doctor.out, what
    assert "WARN  shared subscriptions" in doctor.out


@pytest.mark.parametrize("after_s", [0.0, 0.4, 1.0, 2.0, 3.5])
def test_it_can_be_stopped_at_any_moment(tmp_path: Path, after_s: float) -> None:
    """SIGTERM while it starts: exit status 0, and nothing is left running."""
    folder = tmp_path / "data"
    process = start(folder, log=log_of(folder))
    # Before Python runs our code a signal ends it as it ends any program.
    deadline = time.monotonic() + 30
    while not (folder / "lock").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(after_s)
    everyone = children_of(process)
    process.send_signal(signal.SIGTERM if after_s else signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert psutil.wait_procs(everyone, timeout=5)[1] == []


def test_a_program_that_dies_comes_back(tmp_path: Path) -> None:
    """Broker, database and each of the four programs: killed alone, and all is well again."""
    folder = tmp_path / "data"
    with serving(folder) as served:
        known = json.loads((folder / "processes.json").read_text("utf-8"))
        assert set(known) == {"database", "broker", "collector", "incidents", "desk", "mail"}
        for name in known:
            pid = _pid(folder, name)
            psutil.Process(pid).kill()
            served.until(
                partial(_is_another, folder, name, pid), within_s=30, what=f"{name} started again"
            )
        served.until(lambda: _is_ready(served), within_s=30, what="ready again")
        served.until(
            lambda: kvitok("doctor", "--data", str(folder)).status == 0, within_s=30, what="health"
        )


def _is_another(folder: Path, name: str, pid: int) -> bool:
    return _pid(folder, name) != pid


def _pid(folder: Path, name: str) -> int:
    return int(json.loads((folder / "processes.json").read_text("utf-8"))[name][0])


def _is_ready(served: Served) -> bool:
    try:
        return served.call("GET", "/readyz").status_code == 200
    except httpx.HTTPError:
        return False
