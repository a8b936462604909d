"""What could not be read, newest first."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from desk.accounts import shown
from desk.queries.database import (
    INTEGER_MAX,
    LIMIT_DEFAULT,
    Database,
    Page,
    Record,
    json_value,
    storable,
)
from desk.times import FOREVER, Moment


class QuarantineKey(NamedTuple):
    """Where a row stands: when it was received, then its id."""

    received_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An unreadable event, as JSON text with accounts masked, and why it is here."""

    id: str
    terminal: str
    epoch: int
    seq: int
    received_at: Moment
    reason: str
    body: str

    @property
    def key(self) -> QuarantineKey:
        """Return where this row stands."""
        return QuarantineKey(self.received_at, int(self.id))


_COLUMNS: Final = "select id, terminal, epoch, seq, received_at, reason, body from quarantine"
_WHERE: Final = "where received_at <= $1 and (received_at, id) < ($1, $2)"
_ORDER: Final = "order by received_at desc, id desc limit $3"

READ_ALL: Final = f"{_COLUMNS} {_WHERE} {_ORDER}"
READ_OF_TERMINAL: Final = f"{_COLUMNS} {_WHERE} and terminal = $4 {_ORDER}"

NEWEST: Final = QuarantineKey(FOREVER, INTEGER_MAX)


async def read_quarantine(
    database: Database,
    *,
    terminal: str | None = None,
    after: QuarantineKey | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Quarantined, QuarantineKey]:
    """Return a page of unreadable events that begins after a key."""
    if not storable(terminal):
        return Page((), None)
    bounds = (*(after or NEWEST), limit + 1)
    records = (
        await database.fetch(READ_ALL, *bounds)
        if terminal is None
        else await database.fetch(READ_OF_TERMINAL, *bounds, terminal)
    )
    rows = tuple(_row(record) for record in records[:limit])
    return Page(rows, rows[-1].key if len(records) > limit else None)


def _row(record: Record) -> Quarantined:
    fields = dict(record)
    fields["id"] = str(fields["id"])
    fields["body"] = _masked(fields["body"])
    return Quarantined(**fields)


def _masked(body: str) -> str:
    # The hash of an account never leaves; everything else stays as it was kept.
    try:
        value = json_value(body)
        masked = shown(value)
        if masked == value:
            return body
        return json.dumps(masked, ensure_ascii=True, separators=(",", ":"))
    except RecursionError:
        return _TOO_DEEP
    except ValueError:
        return body


_TOO_DEEP: Final = '"(too deep to show)"'
