"""Measures the agent on this machine against its targets, with a TLS connection to a real broker.

    .venv/bin/python scripts/bench_agent.py [--seconds 20]

Needs Mosquitto and the `dev` extra. Prints one table; exit status 1 if a target is missed.
"""

import argparse
import contextlib
import datetime as dt
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

RSS_MB_MAX = 30.0
IDLE_CPU_PERCENT_MAX = 1.0
READY_S_MAX = 0.5
EVENTS_PIPELINED = 2_000
EVENTS_IN_TURN = 500
MIB = 1024 * 1024
# An installed agent has its byte code beside it; compiling at each start would be measured too.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure, and what it should be."""

    what: str
    value: str
    target: str
    good: bool


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to watch it idle")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="kvitok-bench-") as name:
        folder = Path(name)
        make_certificate(folder)
        with mosquitto(folder) as port:
            write_settings(folder, port)
            measures = measure(folder, seconds)
    width = max(len(each.what) for each in measures)
    for each in measures:
        mark = "ok" if each.good else "MISSED"
        print(f"{each.what:<{width}}  {each.value:>16}  {each.target:>14}  {mark}")
    return 0 if all(each.good for each in measures) else 1


def measure(folder: Path, seconds: float) -> list[Measure]:
    """Run the agent and take all figures."""
    starts = [start_once(folder) for _ in range(4)][1:]
    with running(folder) as (agent, _):
        wait_online(folder)
        time.sleep(2)
        process = psutil.Process(agent.pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(seconds)
        idle = (sum(process.cpu_times()[:2]) - before) / seconds * 100
        idle_rss = process.memory_info().rss / MIB
        flushes = disk_flushes(folder)
        in_turn = record(folder, EVENTS_IN_TURN, pipelined=False)
        pipelined = record(folder, EVENTS_PIPELINED, pipelined=True)
        busy_rss = process.memory_info().rss / MIB
    ready, ready_cpu = sorted(starts)[1]
    return [
        Measure(
            "resident, TLS, idle", f"{idle_rss:.1f} MiB", f"<= {RSS_MB_MAX:.0f} MiB",
            idle_rss <= RSS_MB_MAX,
        ),
        Measure(
            "resident after the events below", f"{busy_rss:.1f} MiB", f"<= {RSS_MB_MAX:.0f} MiB",
            busy_rss <= RSS_MB_MAX,
        ),
        Measure(
            f"CPU idle over {seconds:.0f} s", f"{idle:.2f} %", f"< {IDLE_CPU_PERCENT_MAX:.0f} %",
            idle < IDLE_CPU_PERCENT_MAX,
        ),
        Measure(
            "start to first answer, median of 3", f"{ready:.3f} s", f"< {READY_S_MAX} s",
            ready < READY_S_MAX,
        ),
        Measure("CPU until then", f"{ready_cpu:.2f} s", "-", True),
        Measure("the disk's own fdatasync, 4 KiB", f"{flushes:.0f} /s", "-", True),
        Measure("durable events, one at a time", f"{in_turn:.0f} /s", "-", True),
        Measure("durable events, pipelined", f"{pipelined:.0f} /s", "-", True),
    ]  # fmt: skip


def record(folder: Path, count: int, *, pipelined: bool) -> float:
    """Record money events over the program's door; return how many a second became durable."""
    event = {"kind": "cash_returned", "tx": "bench", "amount": 100, "currency": "RUB"}
    line = json.dumps({"do": "record", "event": event}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "program.sock"))
        answers = client.makefile("rb")
        began = time.monotonic()
        if pipelined:
            client.sendall(line * count)
        for _ in range(count):
            if not pipelined:
                client.sendall(line)
            assert json.loads(answers.readline())["ok"]
        return count / (time.monotonic() - began)


def disk_flushes(folder: Path) -> float:
    """Return how many writes of 4 KiB this disk makes durable in a second, one after the other."""
    with (folder / "flushes").open("wb") as file:
        began = time.monotonic()
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        return 200 / (time.monotonic() - began)


def start_once(folder: Path) -> tuple[float, float]:
    """Return the seconds from starting the process to its first answer, and those of CPU."""
    with running(folder) as (agent, seconds):
        return seconds, sum(psutil.Process(agent.pid).cpu_times()[:2])


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run the agent; yield it with the seconds that it took to answer."""
    began = time.monotonic()
    command = [sys.executable, "-m", "agent", "run", "--config", str(folder / "agent.toml")]
    with (
        (folder / "agent.log").open("ab") as log,
        subprocess.Popen(command, stderr=log, env=ENVIRONMENT) as agent,  # noqa: S603 - the program under test
    ):
        try:
            while ask(folder) is None:
                assert agent.poll() is None, (folder / "agent.log").read_text("utf-8")
                time.sleep(0.005)
            yield agent, time.monotonic() - began
        finally:
            agent.terminate()
            agent.wait(timeout=10)


def ask(folder: Path) -> dict[str, object] | None:
    """Return the agent's status, None while nobody answers."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(folder / "program.sock"))
        except OSError:
            return None
        client.sendall(b'{"do":"status"}\n')
        found = json.loads(client.makefile("rb").readline())
        return found if isinstance(found, dict) else None


def wait_online(folder: Path) -> None:
    """Wait until the agent is connected."""
    until = time.monotonic() + 15
    while (ask(folder) or {}).get("connection") != "online":
        assert time.monotonic() < until, (folder / "agent.log").read_text("utf-8")
        time.sleep(0.05)


def write_settings(folder: Path, port: int) -> None:
    """Write an agent.toml that connects by TLS."""
    (folder / "agent.toml").write_text(
        'terminal = "BENCH"\n[journal]\npath = "journal.db"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\ntls = true\nca_file = "certificate.pem"\n'
        '[program]\nsocket = "program.sock"\n',
        encoding="utf-8",
    )


def make_certificate(folder: Path) -> None:
    """Write a key and a certificate for loopback, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kvitok bench")])
    today = dt.datetime.now(tz=dt.UTC)  # noqa: TID251 - a script may look
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Run Mosquitto with TLS on a free port of loopback; yield the port."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"certfile {folder}/certificate.pem\nkeyfile {folder}/key.pem\n",
        encoding="utf-8",
    )
    with (
        (folder / "mosquitto.log").open("wb") as log,
        subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stderr=log) as broker,  # noqa: S603
    ):
        try:
            yield port
        finally:
            broker.terminate()


if __name__ == "__main__":
    sys.exit(main())
