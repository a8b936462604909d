"""Raw mails about a world that came through MQTT find what the matcher's own bench finds.

The whole of it: `MAILED=whole`. The texts speak of November 2026 and cannot move; a service takes
event times of the last 365 days as they are.
"""

import asyncio
import logging
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from tests.acceptance.foreign import JsonObject as Row
from tests.acceptance.paid_journals import OTHER, PLAIN, Hand, one_by_one, send_journals
from tests.acceptance.serving import Served, serving
from tests.integration.postgres import _template, database, postgres_server
from tests.matching.hand import hand_mails, hand_payments, hand_places
from tests.matching.judging import Judged, judge
from tests.matching.mails import Mail, mails
from tests.matching.payments import EPOCH, payments
from tests.matching.worlds import World, fleet, write

__all__ = ["_template", "database", "postgres_server"]

LOG: Final = logging.getLogger(__name__)
WHOLE = os.environ.get("MAILED") == "whole"
UNTIL = datetime(2027, 10, 20, tzinfo=UTC)
pytestmark = [
    pytest.mark.service,
    pytest.mark.timeout(900 if WHOLE else 240),
    pytest.mark.skipif(datetime.now(UTC) > UNTIL, reason="its events are a year old"),
]
OTHERS = 3_000 if WHOLE else 400
TERMINALS = 60 if WHOLE else 12
COLUMNS = ("terminal", "city", "address", "metro", "place", "timezone")
SERVERS_OWN = (b"Received:", b"Message-ID:", b"To:")
ROUNDING = 0.1 if WHOLE else 0.02
"""Probabilities may differ so much: of a larger world both only estimate how large it is."""


@pytest.fixture(scope="module")
def made() -> World:
    """Return the small world among other payments, as terminals can have served it."""
    places = hand_places()
    everywhere = [*places, *fleet(TERMINALS, 1)]
    mine = list(hand_payments(places).values())
    kept = one_by_one(mine)
    assert len(kept) == len(mine)
    free = {one.key for one in one_by_one([*mine, *payments(everywhere, OTHERS, 1)])}
    others = [one for one in payments(everywhere, OTHERS, 1) if one.key in free]
    return World(everywhere, one_by_one([*mine, *others]))


@pytest.fixture(scope="module")
def letters(made: World) -> list[Mail]:
    """Return the mails written by hand; some of them in the short run."""
    found = list(hand_mails())
    return [*found, *mails(made, 300, 77)] if WHOLE else found[::2]


@pytest.fixture(
    scope="module", params=[OTHER, PLAIN] if WHOLE else [OTHER], ids=lambda hand: hand.name
)
def hand(request: pytest.FixtureRequest) -> Hand:
    """Return how the payment program fills its fields."""
    found: Hand = request.param
    return found


@pytest.fixture(scope="module")
def post(
    hand: Hand, made: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Mail], Row]]:
    """Return what posts a mail to a service that has taken the journals, then the fleet."""
    folder: Path = tmp_path_factory.mktemp("mailed") / "data"
    with serving(folder) as served:
        begun = time.monotonic()
        acked = send_journals(served, made.payments, hand)
        served.until(
            lambda: len(served.items("/transactions", limit=1000)) >= len(made.payments),
            within_s=60,
            what="all transactions folded",
        )
        LOG.info("%d events folded in %.1f s", acked, time.monotonic() - begun)
        for place in made.places:
            row = {name: getattr(place, name) for name in COLUMNS if getattr(place, name)}
            assert served.call("POST", "/api/v1/terminals", json=row).status_code in {200, 201}
        yield lambda mail: _post(served, mail.raw if hand is PLAIN else _bare(mail.raw))


def test_mails_find_the_same(
    post: Callable[[Mail], Row], made: World, letters: list[Mail], database: str
) -> None:
    """What is attached, and how probable each candidate is, are the bench's own, mail by mail."""
    write(database, made.places, made.payments)
    seconds: list[float] = []
    differ: list[str] = []
    attached = 0
    for wanted in asyncio.run(_judged(database, letters)):
        begun = time.monotonic()
        row = post(wanted.mail)
        seconds.append(time.monotonic() - begun)
        differ += _differences(row, wanted)
        attached += wanted.attached is not None
    slow = statistics.quantiles(seconds, n=20)
    LOG.info("%d mails: p50 %.3f s, p95 %.3f s", len(letters), slow[9], slow[18])
    assert not differ, "\n".join(differ)
    assert attached > len(letters) / 2


async def _judged(dsn: str, letters: Sequence[Mail]) -> list[Judged]:
    connection = await asyncpg.connect(dsn)
    try:
        return await judge(connection, letters)
    finally:
        await connection.close()


def _bare(raw: bytes) -> bytes:
    """Return a mail without what only mail servers need."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(SERVERS_OWN)]
    return b"\r\n".join(lines) + gap + body


def _post(served: Served, raw: bytes) -> Row:
    answer = served.call(
        "POST", "/api/v1/reports", content=raw, headers={"Content-Type": "message/rfc822"}
    )
    assert answer.status_code == 201, answer.text
    row: Row = served.get(f"/reports/{answer.json()['id']}")
    return row


def _differences(row: Row, wanted: Judged) -> Iterator[str]:
    attached = row["attached"] and (row["attached"]["terminal"], EPOCH, row["attached"]["tx"])
    status = "suspended" if wanted.suspicion else wanted.match.decision.status
    name = wanted.mail.name
    if attached != wanted.attached:
        yield f"{name}: attached {attached}, not {wanted.attached}"
    if row["status"] != status:
        yield f"{name}: {row['status']} ({row['why']}), not {status}"
    found = {(each["terminal"], each["tx"]): each["probability"] for each in row["candidates"]}
    best = {(each.terminal, each.tx): each.probability for each in wanted.match.candidates}
    for key in sorted(found.keys() | best.keys()):
        if abs(found.get(key, 0.0) - best.get(key, 0.0)) > ROUNDING:
            yield f"{name}: {key} {found.get(key)}, not {best.get(key)}"
