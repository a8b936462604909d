"""`python -m firmware_sim`: a fleet against the broker of any service."""

import argparse
import sys
from pathlib import Path
from urllib.parse import urlsplit

from firmware_sim.app import SimSettings, run
from firmware_sim.fleet import Broker


def main() -> int:
    """Read the arguments and run; 0 if everything was acked."""
    parser = argparse.ArgumentParser(prog="kvitok sim", description=__doc__)
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
    return 0 if run(settings, lambda line: print(line, flush=True)) else 1  # noqa: T201


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
