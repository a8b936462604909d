"""Fixtures that every integration test may use."""

from tests.integration.authority import guarded
from tests.integration.brokers import mosquitto, nats
from tests.integration.mailboxes import _dovecot, dovecot
from tests.integration.postgres import _template, database, empty_database, postgres_server

__all__ = [
    "_dovecot",
    "_template",
    "database",
    "dovecot",
    "empty_database",
    "guarded",
    "mosquitto",
    "nats",
    "postgres_server",
]
