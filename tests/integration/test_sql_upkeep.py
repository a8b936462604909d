from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sql.connect import connected
from sql.partitions import keep_partitions
from sql.roles import GRANTS, ROLES, ensure_roles

pytestmark = pytest.mark.service

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADD = "insert into event values ('T1', 1, %s, 'fault', now(), %s, '{}')"
ADD_BODY = "insert into event values ('T1', 1, %s, 'fault', now(), %s, %s)"
TABLES = """
select relname from pg_class join pg_namespace n on n.oid = relnamespace
where nspname = 'public' and relkind in ('r', 'p') and not relispartition
"""


def _add(database: str, *received: datetime) -> None:
    with connected(database) as connection:
        for seq, at in enumerate(received, 1):
            connection.execute(ADD, [seq, at])


def _where(database: str) -> list[str]:
    with connected(database) as connection:
        return [
            row[0]
            for row in connection.execute("select tableoid::regclass::text from event order by seq")
        ]


def test_partitions_are_made_ahead_once(database: str) -> None:
    """Upkeep covers four weeks from today; run again at once, it has nothing to do."""
    kept = keep_partitions(database, NOW, step_days=7, keep_days=400)
    assert (kept.made, kept.dropped) == (5, 0)
    assert keep_partitions(database, NOW, step_days=7, keep_days=400).made == 0
    assert keep_partitions(database, NOW + timedelta(days=1), step_days=1, keep_days=400).made == 0
    _add(database, NOW, NOW + timedelta(days=27))
    assert _where(database) == ["event_20261123", "event_20261214"]


def test_rows_of_the_default_partition_move_home(database: str) -> None:
    """What fell into the default partition while upkeep was away is moved, and nothing is lost."""
    _add(database, NOW - timedelta(days=9), NOW, NOW + timedelta(days=1))
    assert _where(database) == ["event_default"] * 3
    keep_partitions(database, NOW, step_days=7, keep_days=400)
    assert _where(database) == ["event_20261114", "event_20261121", "event_20261121"]


def test_old_partitions_are_dropped(database: str) -> None:
    """A partition goes when its last day is older than the time to keep, never sooner."""
    keep_partitions(database, NOW, step_days=1, keep_days=30)
    _add(database, NOW, NOW + timedelta(days=1))
    later = NOW + timedelta(days=31, hours=-12)
    assert keep_partitions(database, later, step_days=1, keep_days=30).dropped == 1
    assert _where(database) == ["event_20261124"]


def test_a_clock_far_ahead_costs_one_partition(database: str) -> None:
    """Our clock may be wrong by years: one upkeep drops the oldest partition and no more."""
    keep_partitions(database, NOW, step_days=7, keep_days=400)
    _add(database, NOW, NOW + timedelta(days=8), NOW + timedelta(days=27))
    wrong = NOW + timedelta(days=3650)
    assert keep_partitions(database, wrong, step_days=7, keep_days=30).dropped == 1
    assert _where(database) == ["event_20261130", "event_20261214"]
    week = NOW + timedelta(days=7)
    assert keep_partitions(database, week, step_days=7, keep_days=400).made == 1
    _add(database, week + timedelta(days=27))
    assert "event_default" not in _where(database)


def test_rows_received_by_a_clock_far_behind_are_kept(database: str) -> None:
    """Received "in 1970", they are not old: only what its terminal's clock calls old goes."""
    with connected(database) as connection:
        for seq, at in enumerate((NOW, NOW - timedelta(days=500)), 1):
            body = f'{{"at": {int(at.timestamp() * 1000)}}}'
            connection.execute(ADD_BODY, [seq, datetime(1970, 1, 2, tzinfo=UTC), body])
    assert keep_partitions(database, NOW, step_days=7, keep_days=400).made == 5
    with connected(database) as connection:
        assert connection.execute("select seq from event").fetchall() == [(1,)]


def test_upkeep_by_several_at_once(database: str) -> None:
    """Upkeep by several collectors at once makes each partition once."""
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda _: keep_partitions(database, NOW, step_days=7, keep_days=9).made, range(4)
            )
        )
    assert sorted(made) == [0, 0, 0, 5]


def _as(database: str, role: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(database.replace("postgres@", f"{role}@"), autocommit=True)


def _may(database: str, role: str, statement: str) -> bool:
    with _as(database, role) as connection:
        try:
            connection.execute(statement.encode())
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
            return False
        return True


def test_every_table_is_granted_or_named(database: str) -> None:
    """A new table without a line in the table of grants is noticed."""
    with connected(database) as connection:
        assert {row[0] for row in connection.execute(TABLES)} == set(GRANTS)


def test_roles_may_do_their_work_only(database: str) -> None:
    """Each role reaches its own tables and changes no event; to run it again is safe."""
    for _ in range(2):
        ensure_roles(database, dict.fromkeys(ROLES, "secret"))
    upkeep = "select * from keep_event_partitions(now(), '7 days', '28 days', '90 days')"
    assert _may(database, "kvitok_collector", upkeep)
    assert not _may(database, "kvitok_desk", upkeep)
    assert not _may(database, "kvitok_collector", "select * from support_case")
    assert not _may(database, "kvitok_incidents", "select * from api_token")
    assert _may(database, "kvitok_desk", "select * from event")
    assert _may(database, "kvitok_desk", "select from fold where terminal = 'T1' for update")
    assert not _may(database, "kvitok_desk", "update fold set state = '{}'")
    for role in ROLES:
        assert not _may(database, role, "update event set seq = 1")
        assert not _may(database, role, "delete from event")
        assert not _may(database, role, "create table mine ()")


def test_grafana_sees_views_without_personal_data(database: str) -> None:
    """The dashboards' role reads every view of its schema, no table, and no account."""
    ensure_roles(database, {})
    with connected(database) as connection:
        columns = connection.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'grafana'"
        ).fetchall()
    assert columns
    for view in {name for name, _ in columns}:
        assert _may(database, "kvitok_grafana", f"table grafana.{view}")
    words = ("account", "hash", "body", "content", "technician", "person", "address", "fiscal")
    assert not [column for _, column in columns if any(word in column for word in words)]
    for table in GRANTS:
        assert not _may(database, "kvitok_grafana", f"table public.{table}")
