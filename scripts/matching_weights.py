"""Estimates the matcher's weights anew: `.venv/bin/python scripts/matching_weights.py OUT.json`.

How often a level holds of the right transaction (m) is counted over labelled mails of the training
families, how often of any other (u) over random pairs of mail and transaction; both begin with the
standard weights as so many pseudo-mails (a Dirichlet prior). Nothing is fitted to unlabelled mails.
With `--confirmed DSN` the links that people made in a real database are counted into m as well.
Compare before you propose it: `scripts/bench matching --split calibration --weights OUT.json`.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))
from desk.reports.content import Received
from desk.reports.understanding import Reader
from incidents.matching.blocking import candidates
from incidents.matching.claims import claims_of
from incidents.matching.confirmed import Level, confirmed_levels, levels_of
from incidents.matching.levels import Evidence, Judge, alike_of
from incidents.matching.model import STANDARD
from incidents.matching.payment import Payment
from incidents.matching.scenes import scene
from sql.migrate import migrate
from tests.integration.postgres import PostgresServer
from tests.matching.judging import OWN
from tests.matching.mails import Mail, mails
from tests.matching.payments import Payment as Paid
from tests.matching.worlds import World, hash_of, world, write

PRIOR_MAILS: Final = 60
"""What the standard weights count for in each m; and so many pairs in each u."""
PRIOR_PAIRS: Final = 3000
PAIRS: Final = 40
"""Random transactions a mail."""
COUNTED: Final = ("terminal", "account", "amount", "receipt", "operation", "exact", "around",
                  "part_of_day", "day", "age", "symptom", "service")  # fmt: skip
"""Facts whose levels exclude one another; only of these m is estimated."""
FREQUENT: Final = ("exact", "around", "part_of_day", "day", "age", "symptom", "service")
"""Facts whose u is no measure taken at each match."""


def main() -> int:
    """Estimate, write the file, print what moved."""
    read = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    read.add_argument("out", type=Path)
    read.add_argument("--mails", type=int, default=1500)
    read.add_argument("--seed", type=int, action="append", help="of a world; may be repeated")
    read.add_argument("--confirmed", metavar="DSN", help="a database whose people made links")
    read.add_argument("--version", default="candidate")
    asked = read.parse_args()
    right, other = Counter[Level](), Counter[Level]()
    server = PostgresServer()
    try:
        for seed in asked.seed or [5]:
            _count(server, seed, asked.mails, (right, other))
    finally:
        server.close()
    if asked.confirmed:
        links, levels = asyncio.run(_confirmed(asked.confirmed))
        print(f"{links} links that people made")
        right.update(levels)
    text = (files("incidents.matching") / f"weights-{STANDARD.version}.json").read_text("utf-8")
    weights = json.loads(text)
    _estimate(weights["levels"], right, other)
    weights["version"] = asked.version
    asked.out.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    return 0


async def _confirmed(dsn: str) -> tuple[int, Counter[Level]]:
    connection = await asyncpg.connect(dsn)
    try:
        return await confirmed_levels(connection)
    finally:
        await connection.close()


def _count(
    server: PostgresServer, seed: int, count: int, levels: tuple[Counter[Level], Counter[Level]]
) -> None:
    """Add what one world's training mails show, of the right payments and of others."""
    made = world(terminals=400, transactions=60_000, seed=seed)
    letters = [mail for mail in mails(made, count * 4, seed) if mail.split == "train"]
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database weights_{seed}".encode())
    dsn = server.dsn(f"weights_{seed}")
    migrate(dsn)
    write(dsn, made.places, made.payments)
    for whole, some in zip(levels, asyncio.run(_counts(dsn, made, letters, seed)), strict=True):
        whole.update(some)


async def _counts(
    dsn: str, made: World, letters: list[Mail], seed: int
) -> tuple[Counter[Level], Counter[Level]]:
    connection = await asyncpg.connect(dsn)
    reader = Reader(own=OWN)
    chance = Random(f"{seed}:pairs")  # noqa: S311 - a seeded sample, no secret
    right, other = Counter[Level](), Counter[Level]()
    for number, mail in enumerate(letters, start=1):
        if not mail.right:
            continue
        received = Received(channel="mail", at=mail.received_at.astimezone(UTC), reported_at=None)
        read = await reader.read(connection, mail.raw, received, None)
        claims = claims_of(read.facts, received_at=received.at, hash_of=hash_of)
        seen, zones = await scene(connection, received.at)
        found, _ = await candidates(connection, claims, seen, zones)
        judge = Judge(claims, STANDARD, seen, alike_of(claims, found))
        true = [each for each in found if each.key in mail.right]
        true = true or [payment_of(made.by_key[key]) for key in mail.right]
        best = max(true, key=lambda each: sum(one.bits for one in judge.evidence(each)))
        right.update(_levels(judge.evidence(best)))
        for paid in chance.sample(list(made.payments), PAIRS):
            if paid.key not in mail.right and paid.started_at < received.at:
                other.update(_levels(judge.evidence(payment_of(paid))))
        if number % 100 == 0:
            print(f"\r{number} of {len(letters)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    await connection.close()
    return right, other


def payment_of(paid: Paid) -> Payment:
    """Return a payment of the made-up world as the matcher sees it."""
    return Payment(
        terminal=paid.place.terminal, epoch=paid.epoch, tx=paid.tx, started_at=paid.started_at,
        ended_at=paid.ended_at, service=paid.service, service_name=paid.service_name,
        account_masked=None, account_hash=hash_of(paid.account), accepted=paid.inserted,
        returned=paid.returned, currency="RUB" if paid.notes else None, payment=paid.outcome,
        payment_amount=paid.credited, payment_fee=paid.fee, payment_reference=paid.reference,
        receipt=paid.receipt, receipt_number=paid.receipt_number,
        fiscal=paid.fiscal and dict(zip(("fn", "fd", "fp"), paid.fiscal, strict=True)),
        incidents=frozenset({paid.rule} if paid.rule else ()),
        zone=ZoneInfo(paid.place.timezone),
    )  # fmt: skip


def _levels(evidence: tuple[Evidence, ...]) -> Iterator[Level]:
    return levels_of([each._asdict() for each in evidence])


def _estimate(
    levels: dict[str, dict[str, Any]], right: Mapping[Level, int], other: Mapping[Level, int]
) -> None:
    """Move the weights towards what was counted, and print what moved."""
    for fact in COUNTED:
        names = [name for name in levels[fact] if not (fact == "day" and name == "same_day")]
        seen = sum(right.get((fact, name), 0) for name in names)
        pairs = sum(other.get((fact, name), 0) for name in names)
        whole = sum(levels[fact][name][0] for name in names)
        for name in names:
            m, u = levels[fact][name]
            new_m = (right.get((fact, name), 0) + PRIOR_MAILS * m / whole) / (seen + PRIOR_MAILS)
            new_u = u
            if fact in FREQUENT and pairs:
                new_u = (other.get((fact, name), 0) + PRIOR_PAIRS * u) / (pairs + PRIOR_PAIRS)
            levels[fact][name] = [float(f"{new_m:.3g}"), float(f"{new_u:.3g}")]
            print(f"{fact:12} {name:10} m {m:.3g} → {new_m:.3g} ({seen})   u {u:.3g} → {new_u:.3g}")
    levels["day"]["same_day"] = levels["day"]["same"]


if __name__ == "__main__":
    sys.exit(main())
