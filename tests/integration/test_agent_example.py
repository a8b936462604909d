import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from firmware_sim.hardware import Hardware
from firmware_sim.line import Bench
from firmware_sim.validator import State
from tests.integration.brokers import start_mosquitto
from tests.integration.test_agent_run import Program, Service, agent, wait, write_settings

pytestmark = pytest.mark.service
PAGE = Path(__file__).parents[2] / "docs/payment-program.md"


@contextlib.contextmanager
def kiosk(folder: Path, port: int, seed: int) -> Iterator[Hardware]:
    """Have a validator and a printer on ptys, and an agent.toml that names them."""
    bench = Bench()
    hardware = Hardware(bench, seed, speed=2.0, chance=Random(seed))
    bench.start()
    write_settings(folder, port)
    devices = (
        f'[[device]]\nkind = "ccnet"\nport = "{hardware.validator_port}"\n'
        f'[[device]]\nkind = "escpos"\nport = "{hardware.printer_port}"\n'
        f'profile = "{hardware.model}"\n'
    )
    with (folder / "agent.toml").open("a", encoding="utf-8") as file:
        file.write(devices)
    try:
        yield hardware
    finally:
        bench.stop()


def insert(hardware: Hardware, kopecks: int) -> None:
    """Offer a note until the validator takes it in."""
    wait(lambda: hardware.insert(kopecks), 20)


def example(folder: Path) -> list[str]:
    """Return the command that runs the page's example."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(code.splitlines()) <= 40
    (folder / "example.py").write_text(code, encoding="utf-8")
    return [sys.executable, str(folder / "example.py"), str(folder / "program.sock")]


def test_the_page_s_example_serves_a_customer(tmp_path: Path) -> None:
    """From a banknote on a serial line to a printed receipt, and all of it at the service."""
    with contextlib.closing(start_mosquitto()) as broker:
        service = Service(broker)
        with (
            kiosk(tmp_path, broker.port, seed=0) as hardware,
            agent(tmp_path),
            subprocess.Popen(example(tmp_path), stdout=subprocess.PIPE, text=True) as program,
        ):
            insert(hardware, 50_00)
            wait(lambda: hardware.cassette == 50_00)
            insert(hardware, 50_00)
            output, _ = program.communicate(timeout=60)
            assert program.returncode == 0
            assert "receipt printed" in output
            wait(lambda: service.events()[-1]["kind"] == "transaction_ended")
            ticket = hardware.take_ticket()
            assert ticket is not None
            assert "Paid 95.00" in ticket.text
        service.close()
    told = [each for each in service.events() if "tx" in each]
    assert [each["kind"] for each in told] == [
        "transaction_started", "cash_accepted", "cash_accepted", "payment_result",
        "receipt_result", "transaction_ended",
    ]  # fmt: skip
    assert told[4]["outcome"] == "printed"
    devices = {each["device"] for each in service.events() if each["kind"] == "device_changed"}
    assert devices == {"note_acceptor", "receipt_printer"}


@pytest.mark.parametrize("killed", [False, True])
def test_a_note_in_the_stacker_at_a_power_cut_is_counted_once(
    tmp_path: Path,
    killed: bool,  # noqa: FBT001 - pytest gives it
) -> None:
    """Power goes while a note is stacked, and the agent lives on or dies too: the cash is exact."""
    with contextlib.closing(start_mosquitto()) as broker:
        service = Service(broker)
        with kiosk(tmp_path, broker.port, seed=3) as hardware:
            with agent(tmp_path) as process:
                program = Program(tmp_path)
                event = {"kind": "transaction_started", "tx": "a", "service": "phone"}
                program.ask(do="record", event=event)
                program.ask(do="accept_cash", tx="a")
                insert(hardware, 100_00)
                assert hardware.power_off_when(State.STACKING, 10)
                if killed:
                    process.kill()
                time.sleep(0.5)
                program.close()
                if not killed:
                    hardware.power_on()
                    wait(lambda: cash(service), 30)
            hardware.power_on()
            with agent(tmp_path):
                wait(lambda: cash(service), 30)
                time.sleep(2)
                wait(lambda: (service.last("pulse") or {}).get("unacked") == 0)
        service.close()
        assert hardware.cassette == 100_00
        assert cash(service) == [("a", 100_00)]


def cash(service: Service) -> list[tuple[str, int]]:
    """Return the notes that the service has heard of."""
    events = service.events()
    return [(each["tx"], each["amount"]) for each in events if each["kind"] == "cash_accepted"]
