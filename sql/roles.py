"""The database's roles: each process may do what it does and nothing else.

The table `GRANTS` is the whole truth; a table that it does not name is nobody's but the owner's.
"""

from collections.abc import Mapping
from typing import Final

from psycopg import sql

from sql.connect import Connection, connected

COLLECTOR: Final = "kvitok_collector"
INCIDENTS: Final = "kvitok_incidents"
DESK: Final = "kvitok_desk"
GRAFANA: Final = "kvitok_grafana"
ROLES: Final = (COLLECTOR, INCIDENTS, DESK, GRAFANA)

READ: Final = "select"
ADD: Final = "select, insert"
CHANGE: Final = "select, insert, update"
ALL: Final = "select, insert, update, delete"

GRANTS: Final[dict[str, dict[str, str]]] = {
    "terminal": {COLLECTOR: CHANGE, INCIDENTS: READ, DESK: CHANGE},
    "journal": {COLLECTOR: CHANGE, INCIDENTS: READ, DESK: READ},
    "event": {COLLECTOR: ADD, INCIDENTS: READ, DESK: READ},
    "terminal_now": {COLLECTOR: CHANGE, INCIDENTS: READ, DESK: READ},
    "journal_clash": {COLLECTOR: CHANGE, INCIDENTS: READ, DESK: READ},
    "quarantine": {COLLECTOR: ADD, INCIDENTS: READ, DESK: READ},
    "refusal": {COLLECTOR: ALL, INCIDENTS: READ, DESK: READ},
    "listening": {COLLECTOR: CHANGE, INCIDENTS: READ, DESK: READ},
    # The desk locks a terminal's fold while it decides whether a case has to be opened.
    "fold": {INCIDENTS: ALL, DESK: "select, update (terminal)"},
    "fold_position": {INCIDENTS: ALL, DESK: READ},
    "device_now": {INCIDENTS: ALL, DESK: READ},
    "transaction": {INCIDENTS: ALL, DESK: READ},
    "incident": {INCIDENTS: ALL, DESK: "select, update"},
    # The desk opens and moves cases through functions of `incidents` in its own process.
    "support_case": {INCIDENTS: CHANGE, DESK: CHANGE},
    "case_history": {INCIDENTS: ADD, DESK: ADD},
    "report": {INCIDENTS: READ, DESK: CHANGE},
    "report_fact": {DESK: ALL},
    "report_match": {DESK: ALL},
    "report_candidate": {DESK: ALL},
    "api_token": {DESK: CHANGE},
    "calendar_day": {INCIDENTS: READ, DESK: READ},
    # The desk's programs: mail runs as the desk does.
    "mail_in": {DESK: ADD},
    "mail_place": {DESK: CHANGE},
    "mail_out": {DESK: CHANGE},
    "schema_migration": {COLLECTOR: READ, INCIDENTS: READ, DESK: READ},
}
"""Table → role → rights."""

SEQUENCES: Final[dict[str, tuple[str, ...]]] = {
    "support_case_number": (INCIDENTS, DESK),
    "mail_out_id_seq": (DESK,),
}
UPKEEP: Final = "keep_event_partitions(timestamptz, interval, interval, interval)"

EXISTING: Final = "select rolname from pg_roles where rolname = any(%s)"
LOCK: Final = "select pg_advisory_xact_lock(1263945042)"


def ensure_roles(dsn: str, passwords: Mapping[str, str]) -> None:
    """Make the roles log in with these passwords and hold exactly the rights of `GRANTS`.

    Safe to run again, and after every migration. A role without a password here keeps the one it
    has; a new one without a password cannot log in until it gets one.
    """
    with connected(dsn) as connection, connection.transaction():
        connection.execute(LOCK)
        _make(connection, passwords)
        _grant(connection)


def _make(connection: Connection, passwords: Mapping[str, str]) -> None:
    there = {row[0] for row in connection.execute(EXISTING, [list(ROLES)])}
    for role in ROLES:
        name = sql.Identifier(role)
        if role not in there:
            connection.execute(sql.SQL("create role {} login").format(name))
        if password := passwords.get(role):
            connection.execute(
                sql.SQL("alter role {} password {}").format(name, sql.Literal(password))
            )
    connection.execute(
        sql.SQL("alter role {} set default_transaction_read_only = on").format(
            sql.Identifier(GRAFANA)
        )
    )


def _grant(connection: Connection) -> None:
    everyone = sql.SQL(", ").join(sql.Identifier(role) for role in ROLES)
    for schema in ("public", "grafana"):
        revoke = sql.SQL("revoke all on all tables in schema {} from {}")
        connection.execute(revoke.format(sql.Identifier(schema), everyone))
    connection.execute(sql.SQL("grant usage on schema public to {}").format(everyone))
    for table, rights in GRANTS.items():
        for role, words in rights.items():
            connection.execute(
                sql.SQL("grant {} on public.{} to {}").format(
                    sql.SQL(words), sql.Identifier(table), sql.Identifier(role)
                )
            )
    for sequence, roles in SEQUENCES.items():
        for role in roles:
            connection.execute(
                sql.SQL("grant usage on sequence public.{} to {}").format(
                    sql.Identifier(sequence), sql.Identifier(role)
                )
            )
    collector, dashboards = sql.Identifier(COLLECTOR), sql.Identifier(GRAFANA)
    # By default everybody may run a function; a restored database has the default again.
    connection.execute(sql.SQL("revoke all on function {} from public").format(sql.SQL(UPKEEP)))
    for text, grantee in (
        (f"grant execute on function {UPKEEP} to {{}}", collector),
        ("grant usage on schema grafana to {}", dashboards),
        ("grant select on all tables in schema grafana to {}", dashboards),
    ):
        connection.execute(sql.SQL(text).format(grantee))
