"""`scripts/chaos`: exit status 0 only if everything holds."""

import argparse
import json
import random
import signal
import sys
from pathlib import Path

from tests.chaos.run import Wanted, run
from tests.chaos.table import lines, report
from tests.chaos.telling import say


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos",
        description="Breaks a whole service on loopback by a seeded plan, then compares it, to "
        "the event, with what its terminals know.",
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="repeats a plan")
    parser.add_argument("--broker", choices=("nats", "mosquitto", "both"), default="both",
                        help="both: NATS for half of the time, then Mosquitto")  # fmt: skip
    parser.add_argument("--full", type=int, default=30, help="kiosks with a real agent")
    parser.add_argument("--light", type=int, default=300, help="terminals without one")
    parser.add_argument("--report", type=Path, default=None, metavar="FILE", help="as JSON")
    parser.add_argument("--data", type=Path, default=None, metavar="DIR", help="keep all there")
    options = parser.parse_args()
    # Ended from outside, it still takes its disks and processes with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    outcome = run(
        Wanted(
            seconds=options.minutes * 60,
            seed=random.randrange(10**6) if options.seed is None else options.seed,
            full=options.full,
            light=options.light,
            brokers=("nats", "mosquitto") if options.broker == "both" else (options.broker,),
            keep=options.data,
        )
    )
    for line in lines(outcome):
        say(line)
    if options.report is not None:
        text = json.dumps(report(outcome), indent=2, ensure_ascii=False)
        options.report.write_text(text + "\n", encoding="utf-8")
    say("everything holds" if outcome.holds else f"it does not hold; --seed {outcome.seed}")
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    sys.exit(main())
