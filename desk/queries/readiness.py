"""Whether the database is there and as new as this version."""

from typing import Final

from desk.queries.database import Database
from sql.migrate import migrations

READ_LANDED: Final = "select coalesce(max(number), 0) from schema_migration"
EXISTS: Final = "select to_regclass('schema_migration') is not null"


async def why_not_ready(database: Database) -> str | None:
    """Return what is missing; None when the desk can answer."""
    wanted = len(migrations())
    landed = await database.fetchval(READ_LANDED) if await database.fetchval(EXISTS) else 0
    if landed < wanted:
        return f"the database has {landed} of {wanted} migrations: run `kvitok db migrate`"
    return None
