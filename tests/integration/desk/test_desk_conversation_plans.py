"""A letter finds its case among many thousand reports without reading them all."""

import json
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest

from desk.queries import conversation as asked
from desk.queries.report_keeping import TAKE_UP
from incidents.matching import link, unplaced
from tests.integration.desk.test_desk_plans import fastest_ms, whole_tables
from tests.integration.desk_world import NOW

pytestmark = [pytest.mark.anyio, pytest.mark.service]

FILL: Final = """
set synchronous_commit = off;
insert into support_case (number, topic, state, opened_at, due_at, opened_by, changed_at,
  merged_into)
select 'K-2026-' || lpad(n::text, 6, '0'), 'report', 'new', at, at, 'mail', at,
  case when n % 5 = 0 then 'K-2026-' || lpad((n - 1)::text, 6, '0') end
from generate_series(1, 40000) n,
  lateral (select timestamptz '2026-11-23 09:30Z' - n * interval '5 min' as at) t;
insert into case_history (number, at, actor, action, text)
select number, opened_at, 'detector', 'report_joined', 'report 1' from support_case;
insert into report (channel, received_at, status, content, case_number, customers, tried_at)
select 'mail', opened_at, 'needs_facts', '', coalesce(merged_into, number), array[md5(number)],
  opened_at
from support_case;
insert into report_fact (report, number, kind, value, text, begins, ends, confidence, origin)
select id, 1, 'amount', '{"minor": 1}', '', 0, 0, 1, 'new' from report;
insert into mail_in (source, digest, message_id, received_at, report)
select 'api', sha256(id::text::bytea), sha256(id::text::bytea), received_at, id from report;
insert into mail_out (kind, case_number, number, report, customer, content, created_at, due_at)
select 'answer', case_number, row_number() over (partition by case_number), id, customers[1], '',
  received_at, received_at from report;
analyze;
"""
TABLES: Final = {"support_case", "case_history", "report", "report_fact", "mail_in", "mail_out"}


async def test_a_letter_finds_its_case_fast(database: str) -> None:
    """Every look-up goes by an index; the most costly takes less than 20 ms."""
    connection = await asyncpg.connect(database)
    await connection.execute(FILL)
    number, since = "K-2026-000123", NOW - timedelta(days=7)
    who = [await connection.fetchval("select md5($1)", number)]
    kinds = list(unplaced.PAYMENT_KINDS)
    wanted: tuple[tuple[Any, ...], ...] = (
        (asked.KNOWN_IDS, [b"x", b"y"], 1, who),
        (asked.HOMES, [number, "K-2026-000125"], who, 1),
        (asked.OWN_CASES, number, who, 1, since, 10, kinds),
        (asked.OWN_CASES, None, who, 1, since, 10, kinds),
        (asked.LETTER_FACTS, [1, 2]),
        (asked.WROTE_BEFORE, 123, who),
        (link.TOGETHER, number, 1, who, kinds),
        (link.REPORTS_LEFT, number, [1]),
        (unplaced.OF_REPORTS, number, ["report 1"]),
        (TAKE_UP, NOW, timedelta(days=7), timedelta(minutes=4)),
    )
    for query, *args in wanted:
        text = await connection.fetchval(f"explain (format json) {query}", *args)
        read = set(whole_tables(json.loads(text)[0]["Plan"]))
        assert not read & TABLES, (query, read)

        async def once(query: str = query, args: list[Any] = args) -> None:
            await connection.fetch(query, *args)

        assert await fastest_ms(once) < 20, query
    await connection.close()
