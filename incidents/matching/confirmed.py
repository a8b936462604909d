"""What links that people made show: how often each level holds of a right payment."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import asyncpg

Level = tuple[str, str]
"""A fact and the level at which it holds, as in the weights."""

CONFIRMED: Final = """
select c.evidence from report r
join report_candidate c on c.report = r.id
  and (c.terminal, c.epoch, c.tx) = (r.terminal, r.epoch, r.tx)
where r.attached_by = 'person'
"""


async def confirmed_levels(connection: asyncpg.Connection) -> tuple[int, Counter[Level]]:
    """Return how many links people made, and how often each level held of their payments.

    A payment that was no candidate has no evidence stored, and is not counted.
    """
    rows = await connection.fetch(CONFIRMED)
    counts = Counter(level for row in rows for level in levels_of(_evidence(row["evidence"])))
    return len(rows), counts


def levels_of(evidence: list[Mapping[str, Any]]) -> Iterator[Level]:
    """Yield the levels of stored evidence; `exact: 3min` is the level 3min of exact times."""
    for each in evidence:
        fact, _, level = str(each["level"]).rpartition(": ")
        yield (fact or str(each["fact"])), level


def _evidence(stored: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - JSON, as text or not
    found: list[Mapping[str, Any]] = json.loads(stored) if isinstance(stored, str) else stored
    return found
