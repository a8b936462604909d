"""What the command line does to the database itself: bring an embedded one up."""

from datetime import datetime
from typing import Final

from desk.tokens import token_hash
from kvitok.embedded.secrets import Secrets
from sql.connect import connected
from sql.migrate import migrate
from sql.roles import COLLECTOR, DESK, GRAFANA, INCIDENTS, ensure_roles

SERVE_TOKEN: Final = "kvitok serve"  # noqa: S105 - a name

STORE: Final = """
insert into api_token (name, hash, created_at) values (%s, %s, %s)
on conflict (name) do update set hash = excluded.hash, revoked_at = null
"""


def bring_up(dsn: str, secrets: Secrets, now: datetime) -> None:
    """Make an embedded database ready for its programs; safe to repeat at every start."""
    migrate(dsn)
    passwords = {
        COLLECTOR: secrets.database_collector,
        INCIDENTS: secrets.database_incidents,
        DESK: secrets.database_desk,
        GRAFANA: secrets.database_grafana,
    }
    ensure_roles(dsn, passwords)
    with connected(dsn) as connection:
        connection.execute(STORE, (SERVE_TOKEN, token_hash(secrets.token), now))
