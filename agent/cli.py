"""`kvitok-agent`: run, status, self-test."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from agent import VERSION
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
    return 0


def _run(settings: AgentSettings, *, verbose: bool) -> int:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # Imported late: `status` must not pay for paho.
    from agent.app import run  # noqa: PLC0415
    from agent.program import DoorBusy  # noqa: PLC0415

    try:
        run(settings)
    except (SettingsWrong, DoorBusy) as wrong:
        sys.stderr.write(f"kvitok-agent: {wrong}\n")
        return EXIT_WRONG
    return 0


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
