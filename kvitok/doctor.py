"""`kvitok doctor`: is everything there, and does it work; each line says what to do when not."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

import typer

from collector.settings import CollectorSettings, MqttSettings
from desk.mailing.settings import MailSettings
from desk.mailing.state import can_send
from desk.settings import DeskSettings
from incidents.calendar import Calendar
from kvitok import mail_health
from kvitok.commands import now
from kvitok.desk_probe import ask_desk
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
FOLDED_WITHIN_S: Final = 60.0

CALENDAR_AHEAD: Final = timedelta(days=60)
"""Next year's days are announced in autumn; a case of late December needs them."""

VERSION: Final = """
select current_setting('server_version'), datctype from pg_database
where datname = current_database()
"""
LISTENING: Final = "select max(until) from listening"
FOLDING: Final = """
select count(*) from pg_stat_activity
where application_name = 'kvitok incidents' and datname = current_database()
"""
UNFOLDED: Final = """
with behind as (
  select j.terminal, j.epoch, j.moved_at, coalesce(p.next_seq, 1) as next_seq,
    coalesce(p.received_at, '-infinity') as received_at, count(*) over () as terminals
  from journal j left join fold_position p using (terminal, epoch)
  where j.next_seq > coalesce(p.next_seq, 1)
  order by j.moved_at limit 1000
)
select max(b.terminals), min(coalesce(oldest.received_at, b.moved_at))
from behind b left join lateral (
  select e.received_at from event e
  where e.terminal = b.terminal and e.epoch = b.epoch and e.seq >= b.next_seq
    and e.received_at >= b.received_at - interval '1 day'
  order by e.seq limit 1
) oldest on true
"""
"""The age of what is not folded: a journal that moves on keeps its cursor young, its rows not."""
CLOCK: Final = "select clock_timestamp()"
IMPORTED: Final = "select day, working from calendar_day"
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
    mail = settings.section(MailSettings)
    desk = (settings.one(DeskSettings, "host"), settings.one(DeskSettings, "port"))
    findings = []
    for finding in itertools.chain(_database(dsn, mail), [_desk(*desk)], _broker(mqtt)):
        findings.append(finding)
        if not json:
            typer.echo(f"{finding.grade.value:<4}  {finding.what}: {finding.text}")
    if json:
        as_json(list[Finding], findings)
    if any(finding.grade is Grade.FAIL for finding in findings):
        raise typer.Exit(1)


def _database(dsn: str, mail: MailSettings) -> Iterator[Finding]:
    """Look at the database; without it there is nothing more to see there."""
    try:
        with connected(dsn) as connection:
            yield _fitness(connection)
            yield _migrations(dsn)
            for name, look in _LOOKS.items():
                yield _looked(name, look, connection)
            yield _looked("mail", partial(_mail, mail), connection)
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


def _incidents(connection: Connection) -> Finding:
    what = "incidents"
    row = connection.execute(UNFOLDED).fetchone()
    journals, since = row or (None, None)
    waits_s = (now() - since).total_seconds() if since else 0.0
    folding = connection.execute(FOLDING).fetchone()
    if not folding or not folding[0]:
        text = "does not run, nothing new is found: start it (`kvitok serve`)"
        return Finding(Grade.FAIL, what, text)
    if waits_s > FOLDED_WITHIN_S:
        text = (
            f"{journals} journals have events that are not folded, the oldest for "
            f"{waits_s:.0f} s: see its log; when it only has too much to do, run a second one"
        )
        return Finding(Grade.FAIL, what, text)
    return Finding(Grade.OK, what, f"folds, {waits_s:.0f} s behind at most")


def _mail(settings: MailSettings, connection: Connection) -> Finding:
    fetches = bool(settings.imap_host) or settings.drop is not None
    seen = mail_health.look(connection, now(), sends=can_send(settings), fetches=fetches)
    grades = {True: Grade.OK, False: Grade.FAIL, None: Grade.WARN}
    return Finding(grades[seen.is_good], "mail", seen.text)


def _desk(host: str, port: int) -> Finding:
    where = f"{host}:{port}"
    said = ask_desk(host, port)
    if said.ready:
        return Finding(Grade.OK, "desk", f"{where} is ready")
    if said.why is not None:
        return Finding(Grade.FAIL, "desk", f"{where} says: {said.why}")
    text = f"nobody answers at {where}: start it (`kvitok serve`), or see its log"
    return Finding(Grade.FAIL, "desk", text)


def _calendar(connection: Connection) -> Finding:
    return calendar_known(Calendar(dict(connection.execute(IMPORTED).fetchall())), now().date())


def calendar_known(calendar: Calendar, today: date) -> Finding:
    """Return whether the calendar is known far enough ahead of this day."""
    what, last = "calendar", calendar.last_known(today.year)
    todo = "import them (`kvitok calendar import`), or new cases name no day to customers"
    if last is None:
        text = f"the transferred days of {today.year} are not known: {todo}"
        return Finding(Grade.WARN, what, text)
    if today + CALENDAR_AHEAD > date(last, 12, 31):
        text = f"the transferred days of {last + 1} are not known: {todo}"
        return Finding(Grade.WARN, what, text)
    return Finding(Grade.OK, what, f"known until {last}-12-31")


_LOOKS: Final[dict[str, Callable[[Connection], Finding]]] = {
    "partitions": _partitions,
    "clock": _clock,
    "collector": _collector,
    "incidents": _incidents,
    "calendar": _calendar,
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
