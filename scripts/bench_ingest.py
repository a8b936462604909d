"""Measure the collector on real servers: publish → committed → folded → acked.

    scripts/bench ingest [--broker mosquitto|nats] [--seconds 8] [--without-fold] [--profile FILE]

All of it shares this machine: broker, database (synchronous commits on), collector, the fold, and
the load, which is a process of its own that only sends what was made before.
"""

import argparse
import asyncio
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import psutil
import psycopg

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scripts import load_packets  # noqa: E402 - the checkout first
from sql.migrate import migrate  # noqa: E402
from tests.integration.brokers import Broker, mosquitto_program, nats_program  # noqa: E402
from tests.integration.postgres import PostgresServer  # noqa: E402

KEY: Final = "30" * 32
TERMINALS: Final = 1000
STEADY_EVENTS_S: Final = 10_000
AIM_EVENTS_S: Final = 40_000
AIM_P99_MS: Final = 100
AHEAD_EVENTS_S: Final = 60_000
"""No run is expected to be faster: so many batches are made before."""

COLLECTOR: Final = """
import sys
from collector.app import run
from collector.settings import CollectorSettings, MqttSettings
mqtt = MqttSettings(port=int(sys.argv[2]))
settings = CollectorSettings(dsn=sys.argv[1], account_key=bytes.fromhex(sys.argv[3]), mqtt=mqtt)
go = lambda: run(settings, lambda: print("ready", flush=True))
if len(sys.argv) > 4:
    import cProfile
    cProfile.run("go()", sys.argv[4])
else:
    go()
"""
FOLD: Final = """
import sys
from incidents.app import run
from incidents.settings import IncidentsSettings
run(IncidentsSettings(dsn=sys.argv[1]))
"""
FOLDED: Final = """
select coalesce(sum(f.next_seq), 0) from fold_position f
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the generator sends; a rate of 0 is as fast as answers come."""

    port: int
    batch: int
    seconds: float
    rate: int
    epoch: int


@dataclass(slots=True)
class Sent:
    """What one run of the generator saw."""

    events: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)


def sale(tx: int, at: int) -> list[bytes]:
    """Return the six events of one payment that went well."""
    base = f'"at":{at},"tx":"tx-{tx:06}"'
    money = '"currency":"RUB"'
    bodies = (
        f'"transaction_started",{base},"service":"mts","service_name":"МТС","account":"916{tx:07}"',
        f'"cash_accepted",{base},"amount":50000,{money},"media":"note"',
        f'"cash_accepted",{base},"amount":10000,{money},"media":"note"',
        f'"payment_result",{base},"outcome":"accepted","amount":58000,"fee":2000,{money}',
        f'"receipt_result",{base},"outcome":"printed","number":"{tx}"',
        f'"transaction_ended",{base},"cause":"completed"',
    )
    return [f'{{"kind":{each}}}'.encode() for each in bodies]


def batches(load: Load, count: int) -> list[list[bytes]]:
    """Return each terminal's packets in order; marks need not be true ones."""
    at = time.time_ns() // 1_000_000
    sales = [event for tx in range(count * load.batch // 6 + 1) for event in sale(tx, at)]
    plans: list[list[bytes]] = []
    texts = [
        b",".join(sales[number * load.batch : (number + 1) * load.batch]) for number in range(count)
    ]
    for terminal in range(TERMINALS):
        plan = []
        for number, text in enumerate(texts):
            first = number * load.batch + 1
            prev = f"{number:016x}" if number else str(load.epoch)
            head = (
                f'{{"epoch":{load.epoch},"first":{first},"prev":"{prev}","last":"{number + 1:016x}"'
            )
            payload = head.encode() + b',"events":[' + text + b"]}"
            plan.append(load_packets.publish(f"kvitok/v1/B-{terminal:05}/journal", payload))
        plans.append(plan)
    return plans


class Generator(asyncio.Protocol):
    """Sends each terminal's next batch when the one before is acknowledged."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.sent = Sent()
        wanted = load.rate or AHEAD_EVENTS_S
        self.plans = batches(load, max(1, int(wanted * load.seconds / TERMINALS / load.batch)))
        self.place = [0] * TERMINALS
        self.owed: list[deque[float]] = [deque() for _ in range(TERMINALS)]
        """Per terminal, when each batch without an ack was due; the first is in flight."""
        self.ready = asyncio.get_running_loop().create_future()
        self.stopped = False
        self.unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(load_packets.CONNECT)

    def data_received(self, data: bytes) -> None:
        """Take acks."""
        packets, self.unread = load_packets.read(self.unread + data)
        for kind, body in packets:
            if kind == load_packets.CONNACK:
                self.transport.write(load_packets.subscribe("kvitok/v1/+/ack"))
            elif kind == load_packets.SUBACK:
                self.ready.set_result(None)
            elif kind == load_packets.PUBLISH:
                end = 2 + int.from_bytes(body[:2], "big")
                self.acked(int(body[14:19]), json.loads(body[end:]))

    def acked(self, terminal: int, ack: dict[str, Any]) -> None:
        """Count an ack of the batch in flight, and send the next one."""
        if ack["next"] != self.place[terminal] * self.load.batch + 1:
            return
        owed, now = self.owed[terminal], time.perf_counter()
        self.sent.latencies_ms.append((now - owed.popleft()) * 1000)
        self.sent.events += self.load.batch
        if owed:
            self.send(terminal)
        elif not self.load.rate and not self.stopped:
            self.owe(terminal, now)

    def owe(self, terminal: int, due: float) -> None:
        """Send a batch of the terminal now, or once the one in flight is acknowledged."""
        self.owed[terminal].append(due)
        if len(self.owed[terminal]) == 1:
            self.send(terminal)

    def send(self, terminal: int) -> None:
        """Send the terminal's next batch."""
        plan, place = self.plans[terminal], self.place[terminal]
        if place < len(plan):
            self.place[terminal] += 1
            self.transport.write(plan[place])

    async def run(self) -> Sent:
        """Send for the time, wait for what is in flight, and tell."""
        await self.ready
        began = time.perf_counter()
        if self.load.rate:
            await self.pace(began)
        else:
            for terminal in range(TERMINALS):
                self.owe(terminal, time.perf_counter())
            await asyncio.sleep(self.load.seconds)
        self.stopped = True
        self.sent.seconds = time.perf_counter() - began
        events = self.sent.events
        await asyncio.sleep(1)
        self.sent.events = self.sent.events if self.load.rate else events
        return self.sent

    async def pace(self, began: float) -> None:
        """Send at the load's rate; a batch is due at its time, however late it is sent."""
        number, step = 0, self.load.batch / self.load.rate
        while (now := time.perf_counter()) < began + self.load.seconds:
            while began + number * step <= now:
                self.owe(number % TERMINALS, began + number * step)
                number += 1
            await asyncio.sleep(0.001)


async def generate(load: Load) -> None:
    """Be the generator process."""
    loop = asyncio.get_running_loop()
    _, generator = await loop.create_connection(lambda: Generator(load), "127.0.0.1", load.port)
    print("made", flush=True)
    sys.stdin.readline()
    sent = await generator.run()
    latencies = sorted(sent.latencies_ms)
    cuts = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    told = {"events": sent.events, "seconds": sent.seconds, "p50": cuts[49], "p99": cuts[98]}
    print(json.dumps(told), flush=True)


class Machine:
    """Servers and programs of one measurement; everything ends with it."""

    def __init__(self, broker: str, *, fold: bool, profile: str | None) -> None:
        self.postgres = PostgresServer(durable=True)
        self.dsn = self.postgres.dsn()
        migrate(self.dsn)
        program = mosquitto_program() if broker == "mosquitto" else nats_program()
        self.broker = Broker(broker, str(program))
        self.logs = Path(tempfile.mkdtemp(prefix="kvitok-bench-"))
        extra = [profile] if profile else []
        self.collector = self.start(
            COLLECTOR, "collector", self.dsn, str(self.broker.port), KEY, *extra
        )
        assert self.collector.stdout is not None
        assert self.collector.stdout.readline() == b"ready\n", (self.logs / "collector").read_text()
        self.fold = self.start(FOLD, "fold", self.dsn) if fold else None
        self.runs = 0

    def start(self, code: str, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program of ours."""
        return subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=(self.logs / name).open("wb"),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def measure(self, batch: int, seconds: float, rate: int) -> dict[str, Any]:
        """Run the generator once and return what it saw, with the processor time of each part."""
        self.runs += 1
        epoch = 1763860000000 + self.runs
        arguments = [self.broker.port, batch, seconds, rate, epoch]
        generator = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, __file__, "--generate", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert generator.stdout is not None
        assert generator.stdin is not None
        generator.stdout.readline()
        before, began = self.spent(), time.perf_counter()
        generator.stdin.write("go\n")
        generator.stdin.flush()
        told: dict[str, Any] = json.loads(generator.stdout.readline())
        generator.wait()
        took = time.perf_counter() - began
        told["cores"] = {
            name: (spent - before[name]) / took for name, spent in self.spent().items()
        }
        told["took"] = took
        told["folded_s"] = self.folded(batch) if self.fold else None
        return told

    def spent(self) -> dict[str, float]:
        """Return the processor seconds of each part."""
        parts = {"broker": self.broker.pid, "collector": self.collector.pid}
        if self.fold:
            parts["fold"] = self.fold.pid
        found = {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in parts.items()}
        server = psutil.Process(self.postgres.pid)
        found["postgres"] = sum(
            sum(each.cpu_times()[:2]) for each in [server, *server.children()] if each.is_running()
        )
        return found

    def folded(self, _batch: int) -> float:
        """Wait until the fold has caught up and return how long that took."""
        began = time.perf_counter()
        behind = "select sum(next_seq) from journal"
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            while time.perf_counter() - began < 60:  # noqa: PLR2004 - then it will not come
                stored, folded = (
                    connection.execute(query.encode()).fetchone() for query in (behind, FOLDED)
                )
                if stored == folded:
                    return time.perf_counter() - began
                time.sleep(0.02)
        return float("nan")

    def close(self) -> None:
        """End everything."""
        for each in (self.collector, self.fold):
            if each is not None:
                each.send_signal(signal.SIGTERM)
                each.wait(20)
        self.broker.close()
        self.postgres.close()
        shutil.rmtree(self.logs)


def plain_copy(seconds: float) -> float:
    """Return the rows/s of a bare COPY of such events into the same table, on one connection."""
    server = PostgresServer(durable=True)
    migrate(server.dsn())
    at = time.time_ns() // 1_000_000
    bodies = [event.decode() for tx in range(334) for event in sale(tx, at)]
    rows = 0
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(
            "select keep_event_partitions(now(), interval '7 days', '28 days', '90 days')"
        )
        chunks = list(_chunks(bodies))
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            with connection.cursor().copy("copy event from stdin") as copy:
                copy.write(chunks[rows // len(bodies) % len(chunks)])
            rows += len(bodies)
        took = time.perf_counter() - began
    server.close()
    return rows / took


def _chunks(bodies: list[str]) -> Iterator[str]:
    for terminal in range(200):
        text = io.StringIO()
        for seq, body in enumerate(bodies):
            text.write(f"B-{terminal:05}\t1\t{seq}\tfault\tnow\tnow\t{body}\n")
        yield text.getvalue()


def show(name: str, told: dict[str, Any], aim: Callable[[dict[str, Any]], str]) -> None:
    """Print one line of the table."""
    cores = " ".join(f"{part} {value:.2f}" for part, value in told["cores"].items())
    per_event = sum(told["cores"].values()) * told["took"] / max(1, told["events"]) * 1e6
    fold = "" if told["folded_s"] is None else f" folded {told['folded_s']:.2f} s later;"
    rate = told["events"] / told["seconds"]
    print(
        f"{name:<34} {rate:>8,.0f} events/s  p50 {told['p50']:>6.1f} ms  p99 {told['p99']:>6.1f} ms"
        f"  {aim(told)}\n{'':<36}{fold} cores: {cores}; {per_event:.0f} µs of processor an event",
        flush=True,
    )


def _rate_aim(told: dict[str, Any]) -> str:
    held = told["events"] / told["seconds"] >= AIM_EVENTS_S
    return f"{'holds' if held else 'MISSES'} {AIM_EVENTS_S:,}/s"


def _latency_aim(told: dict[str, Any]) -> str:
    return f"{'holds' if told['p99'] < AIM_P99_MS else 'MISSES'} p99 < {AIM_P99_MS} ms"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=["mosquitto", "nats"], action="append")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--without-fold", action="store_true")
    parser.add_argument("--profile", help="write the collector's profile (cProfile) to this file")
    parser.add_argument("--generate", nargs=5, type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.generate:
        port, batch, seconds, rate, epoch = options.generate
        asyncio.run(generate(Load(int(port), int(batch), seconds, int(rate), int(epoch))))
        return
    there = [
        name
        for name, program in (("mosquitto", mosquitto_program()), ("nats", nats_program()))
        if program
    ]
    if not options.profile:
        print(
            f"plain COPY, one connection          {plain_copy(options.seconds / 2):>8,.0f} rows/s"
        )
    for broker in options.broker or there:
        machine = Machine(broker, fold=not options.without_fold, profile=options.profile)
        try:
            show(f"{broker}, batches of 20", machine.measure(20, options.seconds, 0), _rate_aim)
            show(f"{broker}, batches of 1", machine.measure(1, options.seconds, 0), lambda _: "")
            for batch in (20, 1):
                told = machine.measure(batch, options.seconds, STEADY_EVENTS_S)
                show(f"{broker}, batches of {batch}, steady load", told, _latency_aim)
        finally:
            machine.close()


if __name__ == "__main__":
    main()
