"""The real PostgreSQL of the integration tests."""

from tests.integration.postgres import _template, database, postgres_server

__all__ = ["_template", "database", "postgres_server"]
