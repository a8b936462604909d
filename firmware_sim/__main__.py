"""`python -m firmware_sim`: a fleet against any service's broker; `… devices`: devices alone."""

import argparse
import sys
from pathlib import Path
from urllib.parse import urlsplit

from firmware_sim import devices
from firmware_sim.app import SimSettings, run
from firmware_sim.fleet import Broker


def main() -> int:
    """Read the arguments and run; 0 if everything was acked."""
    if sys.argv[1:2] == ["devices"]:
        return devices_alone(sys.argv[2:])
    parser = argparse.ArgumentParser(
        prog="python -m firmware_sim",
        description="A fleet against the broker of any service.",
        epilog="`python -m firmware_sim devices`: a note acceptor and a printer alone.",
    )
    parser.add_argument(
        "--mqtt", required=True, metavar="URL", help="mqtt://user:password@host:port"
    )
    parser.add_argument("--terminals", type=int, default=20, help="light terminals")
    parser.add_argument("--full", type=int, default=0, help="full kiosks: real agent processes")
    parser.add_argument("--for", dest="for_s", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("sim"))
    parsed = parser.parse_args()
    settings = SimSettings(
        mqtt=broker(parsed.mqtt),
        folder=parsed.folder,
        seed=parsed.seed,
        full=parsed.full,
        light=parsed.terminals,
        for_s=parsed.for_s,
    )
    return 0 if run(settings, say) else 1


def devices_alone(arguments: list[str]) -> int:
    """Run a note acceptor and a receipt printer until a signal."""
    parser = argparse.ArgumentParser(
        prog="python -m firmware_sim devices",
        description="A note acceptor and a receipt printer on ptys, for `kvitok-agent` to drive.",
    )
    parser.add_argument("--printer", choices=devices.PRINTERS, default="custom-vkp80")
    parser.add_argument("--note", type=int, choices=devices.NOTES, default=100, metavar="RUBLES")
    parser.add_argument(
        "--every", type=float, default=0.0, metavar="SECONDS", help="insert one by itself"
    )
    parsed = parser.parse_args(arguments)
    devices.run(
        devices.DevicesSettings(model=parsed.printer, note=parsed.note, every_s=parsed.every), say
    )
    return 0


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - its purpose


def broker(url: str) -> Broker:
    """Return the broker that `mqtt://user:password@host:port` names."""
    parts = urlsplit(url)
    return Broker(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 1883,
        user=parts.username,
        password=parts.password,
    )


if __name__ == "__main__":
    sys.exit(main())
