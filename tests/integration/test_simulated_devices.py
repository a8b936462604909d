"""`python -m firmware_sim devices`: what an author of a payment program works against."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.brokers import start_mosquitto
from tests.integration.test_agent_example import example
from tests.integration.test_agent_run import Service, agent, wait, write_settings

pytestmark = pytest.mark.service


def test_devices_alone_serve_the_page_s_example(tmp_path: Path) -> None:
    """The printed fragment is enough for an agent; notes are typed in; the receipt is shown."""
    heard = tmp_path / "heard"
    command = [sys.executable, "-m", "firmware_sim", "devices", "--printer", "epson"]
    with (
        contextlib.closing(start_mosquitto()) as broker,
        contextlib.closing(Service(broker)),
        heard.open("w") as out,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, text=True) as devices,
    ):

        def says(pattern: str) -> bool:
            return re.search(pattern, heard.read_text("utf-8"), re.DOTALL) is not None

        def type_in(line: str) -> None:
            assert devices.stdin is not None
            devices.stdin.write(f"{line}\n")
            devices.stdin.flush()

        def insert(line: str, told: str) -> None:
            before = heard.read_text("utf-8").count(told)
            type_in(line)
            wait(lambda: heard.read_text("utf-8").count(told) > before, 2)

        try:
            wait(lambda: says(r"Ctrl-C: end"))
            fragment = re.search(r"\[\[device\]\].*epson\"\n", heard.read_text("utf-8"), re.DOTALL)
            assert fragment is not None
            insert("50", "the slot is closed")
            write_settings(tmp_path, broker.port)
            with (tmp_path / "agent.toml").open("a", encoding="utf-8") as file:
                file.write(fragment[0])
            with (
                agent(tmp_path),
                subprocess.Popen(example(tmp_path), stdout=subprocess.PIPE, text=True) as program,
            ):
                for _ in range(40):
                    type_in("")
                    with contextlib.suppress(AssertionError):
                        wait(lambda: says(r"note of 100: is in the cassette"), 1)
                        break
                output, _ = program.communicate(timeout=60)
                assert "receipt printed" in output
                wait(lambda: says(r"printed:\n(  \| .*\n)*  \| Paid 95.00, fee 5.00\n"))
        finally:
            devices.terminate()
        assert devices.wait(10) == 0
