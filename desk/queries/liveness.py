"""Whether anything about a terminal has changed since a page was drawn."""

from typing import Final

from desk.queries.database import Database

READ_SIGNATURE: Final = """
select md5(concat_ws('|',
  (select string_agg(epoch || ':' || next_seq, ',' order by epoch) from journal
    where terminal = $1),
  (select changed_at from fold where terminal = $1),
  (select string_agg(id || ':' || coalesce(case_number, ''), ',' order by id) from incident
    where terminal = $1 and cleared_at is null)
))
"""


async def signature(database: Database, terminal: str) -> str:
    """Return a text that changes when the log, the transactions or the incidents do."""
    text = await database.fetchval(READ_SIGNATURE, terminal)
    assert isinstance(text, str)
    return text
