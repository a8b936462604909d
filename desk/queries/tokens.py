"""API tokens in the database: who may ask, and since when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from desk.queries.database import Database
from desk.times import Moment
from desk.tokens import Bearer, new_token, same, token_hash

CREATE: Final = """
insert into api_token (name, hash, created_at) values ($1, $2, $3)
on conflict do nothing
returning id
"""
REVOKE: Final = """
update api_token set revoked_at = $2 where name = $1 and revoked_at is null returning id
"""
LIST: Final = (
    "select id, name, created_at, revoked_at from api_token order by created_at desc, id desc"
)
FIND: Final = "select id, name, hash from api_token where hash = $1 and revoked_at is null"
FIND_BY_ID: Final = "select id, name from api_token where id = $1 and revoked_at is null"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is listed: never the token itself."""

    id: str
    name: str
    created_at: Moment
    revoked_at: Moment | None


async def create_token(
    database: Database, name: str, *, now: datetime, token: str | None = None
) -> str | None:
    """Store a token (a new one unless it is given) and return it; None if the name is taken."""
    made = token or new_token()
    stored = await database.fetchval(CREATE, name, token_hash(made), now)
    return None if stored is None else made


async def revoke_token(database: Database, name: str, *, now: datetime) -> bool:
    """Revoke a token by its name; False if there is no such token in use."""
    return await database.fetchval(REVOKE, name, now) is not None


async def list_tokens(database: Database) -> tuple[TokenRow, ...]:
    """Return all tokens, newest first, revoked ones too."""
    records = await database.fetch(LIST)
    return tuple(
        TokenRow(str(each["id"]), each["name"], each["created_at"], each["revoked_at"])
        for each in records
    )


async def bearer_of(database: Database, digest: bytes) -> Bearer | None:
    """Return whose token has this hash; None if nobody's."""
    record = await database.fetchrow(FIND, digest)
    if record is None or not same(record["hash"], digest):
        return None
    return Bearer(record["id"], record["name"])


async def bearer_by_id(database: Database, bearer_id: int) -> Bearer | None:
    """Return the bearer whose token still holds."""
    record = await database.fetchrow(FIND_BY_ID, bearer_id)
    return None if record is None else Bearer(record["id"], record["name"])
