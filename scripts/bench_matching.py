"""How well reports find their transactions: `scripts/bench matching [--mails N] [--seed S]`.

Builds a made-up world in a PostgreSQL of its own, takes each mail the way that the service does,
and prints coverage, precision and recall by class. `--transactions 1000000` for speed; `--hand` for
the mails written by hand (`--set NAME`: those in `tests/matching/NAME`); `--split NAME` for one
split; `--reserve` for the families held back for one blind run; `--misses` lists what went wrong.
The exit status is 1 below a precision of 0.99 or a recall@3 of 0.90 on the held mails.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))
from incidents.matching.model import STANDARD, Model, parse
from sql.migrate import migrate
from tests.integration.postgres import PostgresServer
from tests.matching.hand import BY_HAND, hand_mails, hand_world
from tests.matching.judging import Judged, judge
from tests.matching.mails import Mail, digest, mails
from tests.matching.payments import payments
from tests.matching.tally import failures, misses, report
from tests.matching.worlds import World, world, write

TERMINALS = 400
TRANSACTIONS = 60_000
HELD_IN_MEMORY = 60_000
"""Mails are about these; more transactions are written, and forgotten."""


def main() -> int:
    """Run the bench and return the exit status."""
    read = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    read.add_argument("--mails", type=int, default=2000)
    read.add_argument("--seed", type=int, default=1)
    read.add_argument("--transactions", type=int, default=TRANSACTIONS)
    read.add_argument("--terminals", type=int, default=TERMINALS)
    read.add_argument("--split", action="append")
    read.add_argument("--hand", action="store_true")
    read.add_argument("--set", default=BY_HAND, help="whose mails by hand: a folder's name")
    read.add_argument(
        "--reserve",
        action="store_true",
        help="the generated families that were held back for one blind run",
    )
    read.add_argument("--misses", action="store_true")
    read.add_argument("--weights", type=Path, help="a file of weights instead of the standard ones")
    asked = read.parse_args()
    model = parse(asked.weights.read_text(encoding="utf-8")) if asked.weights else STANDARD
    if asked.hand:
        made = hand_world(asked.set, others=min(asked.transactions, 20_000), seed=asked.seed)
        letters = list(hand_mails(asked.set))
    else:
        held = min(asked.transactions, HELD_IN_MEMORY)
        made = world(terminals=asked.terminals, transactions=held, seed=asked.seed)
        letters = list(mails(made, asked.mails, asked.seed, reserved=asked.reserve))
    if asked.split:
        letters = [mail for mail in letters if mail.split in asked.split]
    print(
        f"seed {asked.seed}: {len(letters)} mails, set {digest(letters)}, weights {model.version}"
    )
    judged = _run(
        made, letters, more=asked.transactions - len(made.payments), seed=asked.seed, model=model
    )
    print("\n".join(report(judged)))
    if asked.misses:
        print("\n".join(misses(judged)))
    broken = [] if asked.split or asked.hand or asked.reserve else failures(judged)
    for each in broken:
        print(f"FAILED: {each}")
    return 1 if broken else 0


def _run(
    made: World, letters: Sequence[Mail], *, more: int, seed: int, model: Model
) -> list[Judged]:
    server = PostgresServer()
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("create database bench")
        dsn = server.dsn("bench")
        migrate(dsn)
        print(f"writing {len(made.payments) + max(0, more)} transactions", file=sys.stderr)
        write(dsn, made.places, made.payments)
        if more > 0:
            write(dsn, [], payments(made.places, more, seed + 1, prefix="more-"))
        return asyncio.run(_judge(dsn, letters, model))
    finally:
        server.close()


async def _judge(dsn: str, letters: Sequence[Mail], model: Model) -> list[Judged]:
    connection = await asyncpg.connect(dsn)

    def tell(done: int) -> None:
        if done % 100 == 0 or done == len(letters):
            print(f"\r{done} of {len(letters)}", end="", file=sys.stderr, flush=True)

    judged = await judge(connection, letters, model=model, tell=tell)
    print(file=sys.stderr)
    await connection.close()
    return judged


if __name__ == "__main__":
    sys.exit(main())
