"""`kvitok-agent`: run, status, self-test."""

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent import VERSION
from agent.lazy import load_when_used
from agent.settings import AgentSettings, SettingsWrong, load_settings

EXIT_WRONG = 2
"""Settings or arguments are wrong."""
EXIT_NOT_RUNNING = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; return the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        settings = load_settings(parsed.config)
    except SettingsWrong as wrong:
        sys.stderr.write(f"kvitok-agent: {wrong}\n")
        return EXIT_WRONG
    if parsed.command == "run":
        return _run(settings, verbose=parsed.verbose)
    if parsed.command == "status":
        return _status(settings, as_json=parsed.json)
    return _self_test(settings)


def _run(settings: AgentSettings, *, verbose: bool) -> int:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # Imported late: `status` must not pay for paho.
    load_when_used("urllib.request")
    from agent.app import run  # noqa: PLC0415
    from agent.program import DoorBusy  # noqa: PLC0415

    try:
        run(settings)
    except (SettingsWrong, DoorBusy) as wrong:
        sys.stderr.write(f"kvitok-agent: {wrong}\n")
        return EXIT_WRONG
    return 0


def _status(settings: AgentSettings, *, as_json: bool) -> int:
    from agent.asking import NotRunning, ask_status  # noqa: PLC0415 - `run` has no need of it

    try:
        found = ask_status(settings.program)
    except NotRunning as not_running:
        sys.stderr.write(f"kvitok-agent: {not_running}\n")
        return EXIT_NOT_RUNNING
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        return 0
    sys.stdout.writelines(f"{line}\n" for line in status_lines(found))
    return 0


def status_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a person at the kiosk wants to know, line by line."""
    yield f"terminal {found['terminal']}, agent {found['agent']}"
    yield f"connection {found['connection']} ({found['broker']})"
    yield (
        f"journal epoch {found['epoch']}, next {found['next']}, acked {found['acked']},"
        f" unacked {found['unacked']}, {found['journal_bytes']} bytes"
    )
    yield f"sales {'suspended: ' + found['suspended'] if found['suspended'] else 'allowed'}"
    yield f"payment programs {found['programs']}"
    for device in found["devices"]:
        rest = " ".join(f"{name} {each}" for name, each in device.items() if name != "device")
        yield f"{device['device']} {rest}"


def _self_test(settings: AgentSettings) -> int:
    from agent.asking import NotRunning, ask_status  # noqa: PLC0415 - as above
    from agent.self_test import self_test  # noqa: PLC0415 - as above

    try:
        ask_status(settings.program)
        agent_runs = True
    except NotRunning:
        agent_runs = False
    logging.disable(logging.WARNING)  # The findings say it.
    good = True
    for finding in self_test(settings, agent_runs=agent_runs):
        good = good and finding.good
        sys.stdout.write(f"{'OK  ' if finding.good else 'FAIL'} {finding.what}: {finding.text}\n")
        sys.stdout.flush()
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kvitok-agent", description="Watches the devices and the money of one terminal."
    )
    parser.add_argument("--version", action="version", version=f"kvitok-agent {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run until told to stop")
    run.add_argument("--verbose", action="store_true", help="log more")
    status = commands.add_parser("status", help="say how the running agent is")
    status.add_argument("--json", action="store_true", help="one JSON object")
    test = commands.add_parser("self-test", help="check everything that the agent needs")
    for each in (run, status, test):
        each.add_argument("--config", type=Path, default=Path("agent.toml"), help="agent.toml")
    return parser
