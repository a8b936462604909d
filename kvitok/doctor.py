"""`kvitok doctor`: is everything there, and does it work; each line says what to do when not."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import typer

from collector.settings import CollectorSettings, MqttSettings
from kvitok.commands import now
from kvitok.place import Config, Data, settings_of
from kvitok.probe import BrokerAway, Delivery, deliveries
from kvitok.settings import DatabaseSettings
from kvitok.show import AsJson, as_json
from sql.checks import DatabaseUnfit, check_database
from sql.connect import Connection, DatabaseUnreachable, connected
from sql.migrate import status

CLOCK_APART_S: Final = 5.0
AHEAD_MIN: Final = timedelta(days=7)
LISTENING_FRESH_S: Final = 20.0

VERSION: Final = """
select current_setting('server_version'), datctype from pg_database
where datname = current_database()
"""
LISTENING: Final = "select max(until) from listening"
CLOCK: Final = "select clock_timestamp()"
PARTITIONED_TO: Final = """
select max((regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]
  ::timestamptz)
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = to_regclass('event')
"""


class Grade(StrEnum):
    """How a thing is."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's."""

    grade: Grade
    what: str
    text: str


def doctor(*, json: AsJson = False, data: Data = None, config: Config = None) -> None:
    """Look at everything the service needs; exit status 1 when something fails."""
    settings = settings_of(data, config)
    dsn = settings.section(DatabaseSettings).dsn
    mqtt = settings.section(CollectorSettings).mqtt
    findings = []
    for finding in (*_database(dsn), *_broker(mqtt)):
        findings.append(finding)
        if not json:
            typer.echo(f"{finding.grade.value:<4}  {finding.what}: {finding.text}")
    if json:
        as_json(list[Finding], findings)
    if any(finding.grade is Grade.FAIL for finding in findings):
        raise typer.Exit(1)


def _database(dsn: str) -> Iterator[Finding]:
    """Look at the database; without it there is nothing more to see there."""
    try:
        with connected(dsn) as connection:
            yield _fitness(connection)
            yield _migrations(dsn)
            for name, look in _LOOKS.items():
                yield _looked(name, look, connection)
    except DatabaseUnreachable as error:
        yield Finding(Grade.FAIL, "database", str(error))


def _fitness(connection: Connection) -> Finding:
    row = connection.execute(VERSION).fetchone()
    assert row is not None
    try:
        check_database(connection)
    except DatabaseUnfit as error:
        return Finding(Grade.FAIL, "database", str(error))
    return Finding(Grade.OK, "database", f"PostgreSQL {row[0]}, LC_CTYPE {row[1]}")


def _migrations(dsn: str) -> Finding:
    rows = status(dsn)
    missing = [each.name for each in rows if each.landed_at is None]
    if missing:
        text = f"not landed: {', '.join(missing)}; run `kvitok db migrate`"
        return Finding(Grade.FAIL, "migrations", text)
    return Finding(Grade.OK, "migrations", f"all {len(rows)} have landed")


def _looked(name: str, look: Callable[[Connection], Finding], connection: Connection) -> Finding:
    import psycopg  # noqa: PLC0415 - only its error

    try:
        return look(connection)
    except psycopg.Error as error:
        return Finding(Grade.FAIL, name, f"{error}".strip().splitlines()[0])


def _partitions(connection: Connection) -> Finding:
    row = connection.execute(PARTITIONED_TO).fetchone()
    until: datetime | None = row[0] if row else None
    if until is None or until < now() + AHEAD_MIN:
        text = "not made a week ahead: is the collector running? Or run `kvitok db partitions`"
        return Finding(Grade.WARN, "partitions", text)
    return Finding(Grade.OK, "partitions", f"made until {until:%Y-%m-%d}")


def _clock(connection: Connection) -> Finding:
    before = now()
    row = connection.execute(CLOCK).fetchone()
    assert row is not None
    apart = abs((row[0] - before).total_seconds())
    if apart > CLOCK_APART_S:
        text = f"{apart:.0f} s from the database's: let both machines keep time (chrony, ntp)"
        return Finding(Grade.FAIL, "clock", text)
    return Finding(Grade.OK, "clock", f"within {max(apart, 0.1):.1f} s of the database's")


def _collector(connection: Connection) -> Finding:
    row = connection.execute(LISTENING).fetchone()
    until: datetime | None = row[0] if row else None
    if until is None:
        return Finding(Grade.FAIL, "collector", "never listened: start it (`kvitok serve`)")
    age = (now() - until).total_seconds()
    if age > LISTENING_FRESH_S:
        text = f"has not listened for {age:.0f} s: start it, or see its log"
        return Finding(Grade.FAIL, "collector", text)
    return Finding(Grade.OK, "collector", "listens")


_LOOKS: Final[dict[str, Callable[[Connection], Finding]]] = {
    "partitions": _partitions,
    "clock": _clock,
    "collector": _collector,
}


def _broker(mqtt: MqttSettings) -> Iterator[Finding]:
    """Look at the broker: does it take us, and what does it deliver."""
    where = f"{mqtt.host}:{mqtt.port}"
    try:
        found = deliveries(mqtt, uuid.uuid4().hex[:8])
    except BrokerAway as error:
        yield Finding(Grade.FAIL, "broker", str(error))
        return
    if found.plain is not Delivery.DELIVERED:
        text = (
            f"{where} takes our messages and delivers nothing ({found.plain.value}): does its "
            "access list let this user read and write kvitok/probe/#?"
        )
        yield Finding(Grade.FAIL, "broker", text)
    else:
        yield Finding(Grade.OK, "broker", f"{where} delivers")
    if found.shared is Delivery.DELIVERED:
        yield Finding(Grade.OK, "shared subscriptions", "delivered: several collectors share work")
    else:
        text = (
            f"{found.shared.value}: run one collector on this broker "
            "(or [collector] share = false on each)"
        )
        yield Finding(Grade.WARN, "shared subscriptions", text)
