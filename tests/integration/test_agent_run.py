import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.journal import Journal
from agent.shape import Entry
from agent.store_sqlite import SqliteStore
from tests.integration.brokers import Broker, start_mosquitto, start_nats
from tests.integration.postgres import free_port
from tests.property.agent.agent_service_model import ServiceModel
from wire.codec import read

ROOT = Path(__file__).parents[2]
TERMINAL = "T1"
pytestmark = pytest.mark.service


class Service:
    """The model of the service, at a real broker; `deaf` takes nothing in."""

    def __init__(self, broker: Broker) -> None:
        """Connect and listen."""
        self.model = ServiceModel()
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.deaf = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.on_message = self._take
        self._client.on_connect = self._subscribe
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, channel: str, value: object) -> None:
        """Publish to the terminal."""
        self._client.publish(f"kvitok/v1/{TERMINAL}/{channel}", json.dumps(value), qos=1)

    def last(self, channel: str) -> dict[str, Any] | None:
        """Return what was heard last on a channel."""
        found = [value for where, value in self.heard if where == channel]
        return found[-1] if found else None

    def events(self) -> list[dict[str, Any]]:
        """Return the events stored."""
        return self.model.events()

    def _subscribe(self, client: paho.Client, *_: object) -> None:
        client.subscribe(f"kvitok/v1/{TERMINAL}/+", qos=1)

    def _take(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        channel = message.topic.rsplit("/", 1)[1]
        value = read(bytes(message.payload))
        assert isinstance(value, dict)
        self.heard.append((channel, value))
        if self.deaf:
            return
        if channel == "journal":
            self.send("ack", self.model.take(bytes(message.payload)))
        if channel == "pulse" and value["unacked"]:
            self.send("ack", self.model.ack(value["epoch"]))


class Program:
    """A payment program."""

    def __init__(self, folder: Path) -> None:
        """Connect and say hello."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(str(folder / "program.sock"))
        self._file = self._socket.makefile("rb")
        assert self.ask(do="hello", program="test 1") == {"ok": True}
        assert self.read()["told"] == "welcome"

    def ask(self, **request: object) -> dict[str, Any]:
        """Send a request and return the next line."""
        return self.raw(json.dumps(request).encode())

    def raw(self, line: bytes) -> dict[str, Any]:
        """Send a line and return the next one."""
        self._socket.sendall(line + b"\n")
        return self.read()

    def read(self) -> dict[str, Any]:
        """Return the next line."""
        value = json.loads(self._file.readline())
        assert isinstance(value, dict)
        return value

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


def wait(what: Callable[[], object], seconds: float = 15) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.02)


def write_settings(folder: Path, port: int, extra: str = "") -> None:
    """Write an agent.toml for a broker on loopback."""
    (folder / "agent.toml").write_text(
        f'terminal = "{TERMINAL}"\n[journal]\npath = "journal.db"\nreserve_mib = 1\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\nreconnect_s_max = 1\n{extra}'
        '[program]\nsocket = "program.sock"\n[pulse]\ninterval_s = 2\n',
        encoding="utf-8",
    )


@contextlib.contextmanager
def agent(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the agent until its door is open; end it at the end."""
    command = [sys.executable, "-m", "agent", "run", "--config", str(folder / "agent.toml")]
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(command, cwd=ROOT, stderr=log) as process,
    ):
        try:
            wait(lambda: is_open(folder) or process.poll() is not None)
            assert process.poll() is None, (folder / "log").read_text()
            yield process
        finally:
            process.terminate()
            process.wait(10)


def is_open(folder: Path) -> bool:
    """Say if somebody listens at the program's door."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(folder / "program.sock")) == 0


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a kvitok-agent command."""
    return subprocess.run(
        [sys.executable, "-m", "agent", *words, "--config", str(folder / "agent.toml")],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("starter", [start_mosquitto, start_nats])
def test_a_transaction_is_copied_exactly(starter: Callable[[], Broker], tmp_path: Path) -> None:
    """Presence, pulse, journal, an order refused, a polite goodbye: over each broker."""
    with contextlib.closing(starter()) as broker:
        service = Service(broker)
        write_settings(tmp_path, broker.port)
        with agent(tmp_path) as process:
            program = Program(tmp_path)
            event = {"kind": "transaction_started", "tx": "a", "service": "phone"}
            assert program.ask(do="record", event=event, ref="r")["seq"] == 2
            event = {"kind": "transaction_ended", "tx": "a", "cause": "cancelled"}
            assert program.ask(do="record", event=event)["ok"]
            wait(lambda: len(service.events()) == 3)
            wait(lambda: (service.last("pulse") or {}).get("unacked") == 0)
            service.send("command", {"id": "c1", "order": "reboot", "signature": ""})
            wait(lambda: service.last("reply"))
            assert (service.last("reply") or {})["outcome"] == "refused"
            program.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        wait(lambda: (service.last("presence") or {}).get("online") is False)
        kinds = [each["kind"] for each in service.events()]
        assert kinds == ["agent_started", "transaction_started", "transaction_ended"]
        service.close()


def test_nothing_is_lost_when_agent_and_broker_are_killed(tmp_path: Path) -> None:
    """Agent killed in traffic, broker gone and back, service deaf: each event once, in order."""
    said, model = 0, ServiceModel()
    with contextlib.closing(start_mosquitto()) as broker:
        write_settings(tmp_path, broker.port)
        for turn in range(4):
            service = Service(broker)
            service.model, service.deaf = model, turn == 1
            with agent(tmp_path) as process:
                program = Program(tmp_path)
                for number in range(50):
                    event = {"kind": "fault", "component": "c", "severity": "warning",
                             "code": str(turn * 50 + number)}  # fmt: skip
                    assert program.ask(do="record", event=event)["ok"]
                    said += 1
                process.kill()
                program.close()
            service.close()
            broker.stop()
            broker.start()
        service = Service(broker)
        service.model = model
        with agent(tmp_path):
            wait(lambda: (service.last("pulse") or {}).get("unacked") == 0, 30)
        service.close()
    codes = [each["code"] for each in model.events() if each["kind"] == "fault"]
    assert codes == [str(number) for number in range(said)]
    assert [each["kind"] for each in model.events()].count("agent_started") == 5
    assert len(model.journals) == 1


def test_a_hostile_program_gets_named_errors_and_cannot_fill_memory(tmp_path: Path) -> None:
    """Bad lines are answered, endless ones skipped, too many connections turned away."""
    write_settings(tmp_path, free_port())
    with agent(tmp_path) as process:
        program = Program(tmp_path)
        for line, word in (
            (b"nonsense", "bad_json"),
            (b"\xff\xfe", "bad_json"),
            (b'{"do":"record","event":5}', "bad_type"),
            (b'{"do":"fly"}', "unknown_do"),
            (b"x" * 200_000, "too_long"),
            (b'{"do":"accept_cash","tx":"a"}', "no_acceptor"),
            (b'{"do":"print_receipt","tx":"a","text":"t"}', "no_printer"),
        ):
            assert program.raw(line)["error"] == word
        more = [socket.socket(socket.AF_UNIX) for _ in range(12)]
        for each in more:
            each.connect(str(tmp_path / "program.sock"))
        time.sleep(0.2)
        for each in more:
            each.close()
        assert program.ask(do="status", ref=1)["ref"] == 1
        assert process.poll() is None
        program.close()


def test_status_and_self_test_say_what_is_wrong(tmp_path: Path) -> None:
    """Exit status and words, with the agent running and without, with a broker and without."""
    with contextlib.closing(start_mosquitto()) as broker:
        write_settings(tmp_path, broker.port)
        assert command(tmp_path, "status").returncode == 3
        good = command(tmp_path, "self-test")
        assert (good.returncode, good.stdout.count("OK  ")) == (0, 3)
        with agent(tmp_path):
            found = json.loads(command(tmp_path, "status", "--json").stdout)
            assert (found["terminal"], found["next"]) == (TERMINAL, 2)
            assert "journal epoch" in command(tmp_path, "status").stdout
            assert "see status" in command(tmp_path, "self-test").stdout
    bad = command(tmp_path, "self-test")
    assert bad.returncode == 1
    assert "FAIL broker" in bad.stdout
    (tmp_path / "agent.toml").write_text('terminal = "a b"\n', encoding="utf-8")
    wrong = command(tmp_path, "run")
    assert wrong.returncode == 2
    assert "terminal must be the printed number" in wrong.stderr


def test_folders_that_cannot_be_had_are_named(tmp_path: Path) -> None:
    """The journal's folder and the door's: what is wrong, and no traceback."""
    write_settings(tmp_path, 1)
    file = tmp_path / "agent.toml"
    text = file.read_text("utf-8")
    # A file stands where a folder should: no user, root neither, can make one there.
    bad = text.replace('"journal.db"', '"agent.toml/journal.db"')
    bad = bad.replace('"program.sock"', '"agent.toml/program.sock"')
    assert bad.count("agent.toml/") == 2
    file.write_text(bad, encoding="utf-8")
    found = command(tmp_path, "self-test")
    assert "FAIL journal: " in found.stdout
    assert "FAIL payment program's door: " in found.stdout
    ran = command(tmp_path, "run")
    assert ran.returncode == 2
    assert "[journal] path: " in ran.stderr
    assert "give the agent's user this folder" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_password_of_the_broker_is_needed_and_not_shown(tmp_path: Path) -> None:
    """With the wrong password the agent says that it is refused; with the right one it is in."""
    passwords = tmp_path / "passwords"
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), TERMINAL, "se-cret"],
                       check=True)  # fmt: skip
    if not passwords.exists():
        pytest.skip("mosquitto_passwd is not installed")
    os.chmod(passwords, 0o600)  # noqa: PTH101 - one word
    with contextlib.closing(start_mosquitto()) as broker:
        broker.stop()
        config = broker.folder / "broker.conf"
        text = config.read_text().replace("allow_anonymous true", "allow_anonymous false")
        config.write_text(f"{text}password_file {passwords}\n")
        broker.start()
        for password, good in (("mis-taken", False), ("se-cret", True)):
            (tmp_path / "secret").write_text(password + "\n", encoding="utf-8")
            extra = 'password_file = "secret"\n'  # Without a user, the terminal's number is it.
            write_settings(tmp_path, broker.port, extra)
            found = command(tmp_path, "self-test")
            assert found.returncode == (0 if good else 1), found.stdout
            assert password not in found.stdout + found.stderr


def test_a_journal_found_damaged_while_running_is_replaced_in_flight(tmp_path: Path) -> None:
    """Pages ruined in the middle: the agent goes on under a new epoch and says what happened."""
    store = SqliteStore(tmp_path / "journal.db", reserve_bytes=0)
    journal = Journal(store, at=1_000)
    body = b'{"kind":"fault","at":1,"component":"c","severity":"warning","code":"x"}'
    for _ in range(20):
        journal.append([Entry(at=1, money=False, event=body)] * 100)
    store.close()
    with (tmp_path / "journal.db").open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xee" * 4096 * 20)
    with contextlib.closing(start_mosquitto()) as broker:
        service = Service(broker)
        write_settings(tmp_path, broker.port)
        with agent(tmp_path):
            wait(lambda: any(each.get("code") == "damaged" for each in service.events()))
            wait(lambda: (service.last("pulse") or {}).get("unacked") == 0)
        service.close()
    assert list(tmp_path.glob("journal.db.damaged-*"))
    epochs = sorted(service.model.journals)
    assert epochs[-1] > 1_000
    assert (tmp_path / "log").read_text().count("is damaged") == 1
