"""What the mail program asks each second costs the same however long the history is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from desk.queries.mail_out import COUNT_OWED, DUE, RESOLVED, STANDING, TAKE_OWED
from tests.integration.mail_world import MailWorld

pytestmark = [pytest.mark.service, pytest.mark.anyio]

FILL: Final = """
insert into support_case (number, topic, state, opened_at, due_at, opened_by, changed_at)
select 'K-2026-' || lpad(n::text, 6, '0'), 'report', 'closed', now(), now(), 'mail', now()
from generate_series(1, 20000) n;
insert into report (channel, received_at, status, content, case_number, answer)
select 'mail', now() - n * interval '3 min', 'attached', '', 'K-2026-' || lpad(n::text, 6, '0'),
  'written'
from generate_series(1, 20000) n;
insert into case_history (number, at, actor, action)
select 'K-2026-' || lpad((n % 20000 + 1)::text, 6, '0'), now() - n * interval '20 s',
  case when n % 9 = 0 then 'anna' else 'detector' end, 'resolve'
from generate_series(180000, 1, -1) n;
insert into mail_out (kind, case_number, number, report, history, customer, content, state,
  created_at, due_at)
select 'resolution', h.number, h.id, r.id, h.id, 'c', '', 'sent', h.at, h.at
from case_history h join report r on r.case_number = h.number where h.actor = 'anna';
analyze;
"""
WHOLE: Final = {"case_history_pkey", "report_pkey", "mail_out_pkey", None}
"""Indexes that are read from end to end where a query only orders by them; None: the table."""
SCANS: Final = {"Seq Scan", "Index Scan", "Index Only Scan"}
GROWING: Final = {"case_history", "report", "mail_out", "support_case"}


def read_whole(node: dict[str, Any]) -> list[str]:
    """Return what a plan reads from end to end."""
    scans = node["Node Type"] in SCANS and "Index Cond" not in node
    found = [node["Relation Name"]] if scans and node.get("Index Name") in WHOLE else []
    found = [each for each in found if each in GROWING]
    return found + [each for inner in node.get("Plans", ()) for each in read_whole(inner)]


async def test_what_is_asked_each_second_reads_no_table_from_end_to_end(world: MailWorld) -> None:
    """Months of history, thousands of ends that have been told."""
    await world.connection.execute(FILL)
    now = datetime.now(UTC)
    for query, *values in (
        (RESOLVED, now - timedelta(days=3), []),
        (TAKE_OWED, []),
        (COUNT_OWED,),
        (DUE, now, []),
        (STANDING,),
    ):
        rows = await world.connection.fetchval(f"explain (format json) {query}", *values)
        assert read_whole(json.loads(rows)[0]["Plan"]) == [], query
