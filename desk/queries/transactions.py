"""Transactions as the fold left them, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from desk.queries.database import INTEGER_MAX, LIMIT_DEFAULT, Database, Page, Record, storable
from desk.times import ALWAYS, FOREVER, Moment


class TransactionKey(NamedTuple):
    """Where a transaction stands: its start, then epoch, the seq it began with, and its name."""

    started_at: datetime
    epoch: int
    first_seq: int
    terminal: str
    tx: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """One customer's attempt to pay; `payment` and `receipt` are outcomes, or None so far."""

    terminal: str
    epoch: int
    tx: str
    started_at: Moment
    ended_at: Moment | None
    end_cause: str | None
    service: str | None
    service_name: str | None
    account_masked: str | None
    accepted: int
    returned: int
    currency: str | None
    payment: str | None
    payment_amount: int | None
    payment_fee: int | None
    receipt: str | None
    receipt_cause: str | None
    receipt_number: str | None
    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFilter:
    """Which transactions: of a terminal, started in `since <= t < until`."""

    terminal: str | None = None
    since: datetime = ALWAYS
    until: datetime = FOREVER


# The seq of the event that began it, by which transactions of one instant are told apart.
_FIRST_SEQ: Final = (
    "coalesce((t.proof #>> '{started,0,1}')::bigint, (t.proof #>> '{cash,0,1}')::bigint, 0)"
)
_SELECT: Final = f"""
select t.terminal, t.epoch, t.tx, t.started_at, t.ended_at, t.end_cause, t.service,
  t.service_name, t.account_masked, t.accepted, t.returned, t.currency, t.payment,
  t.payment_amount, t.payment_fee, t.receipt, t.receipt_cause, t.receipt_number,
  array(
    select i.id from incident i
    where i.terminal = t.terminal and i.epoch = t.epoch and i.subject = t.tx
      and i.rule in ('no_receipt', 'payment_failed', 'payment_uncertain')
    order by i.id
  ) as incidents,
  {_FIRST_SEQ} as first_seq
from transaction t
where t.started_at >= $1 and t.started_at < $2 and t.started_at <= $3
  and (t.started_at, t.epoch, {_FIRST_SEQ}, t.terminal, t.tx) < ($3, $4, $5, $6, $7)
"""  # noqa: S608 - joined from constants
_ORDER: Final = """
order by t.started_at desc, t.epoch desc, first_seq desc, t.terminal desc, t.tx desc
limit $8
"""
READ_ALL: Final = f"{_SELECT} {_ORDER}"
READ_OF_TERMINAL: Final = f"{_SELECT} and t.terminal = $9 {_ORDER}"
READ_ONE: Final = f"{_SELECT} and t.terminal = $9 and t.epoch = $10 and t.tx = $11 {_ORDER}"

EPOCH_OF: Final = "select max(epoch) from transaction where terminal = $1 and tx = $2"

NEWEST: Final = TransactionKey(FOREVER, INTEGER_MAX, INTEGER_MAX, "", "")


async def read_transactions(
    database: Database,
    wanted: TransactionFilter,
    *,
    after: TransactionKey | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Transaction, TransactionKey]:
    """Return a page of transactions that begins after a key."""
    if not storable(wanted.terminal):
        return Page((), None)
    bounds = (wanted.since, wanted.until, *(after or NEWEST), limit + 1)
    records = (
        await database.fetch(READ_ALL, *bounds)
        if wanted.terminal is None
        else await database.fetch(READ_OF_TERMINAL, *bounds, wanted.terminal)
    )
    rows = tuple(_row(record) for record in records[:limit])
    return Page(rows, _key(records[limit - 1]) if len(records) > limit else None)


async def read_transaction(
    database: Database, *, terminal: str, epoch: int, tx: str
) -> Transaction | None:
    """Return one transaction, if the fold has seen it."""
    if not storable(terminal, tx):
        return None
    record = await database.fetchrow(READ_ONE, ALWAYS, FOREVER, *NEWEST, 1, terminal, epoch, tx)
    return None if record is None else _row(record)


def _key(record: Record) -> TransactionKey:
    return TransactionKey(*(record[name] for name in TransactionKey._fields))


def _row(record: Record) -> Transaction:
    fields = dict(record)
    del fields["first_seq"]
    fields["incidents"] = tuple(str(each) for each in fields["incidents"])
    return Transaction(**fields)


async def epoch_of(database: Database, *, terminal: str, tx: str) -> int | None:
    """Return the journal in which a terminal's transaction of this name is; of several the last."""
    if not storable(terminal, tx):
        return None
    epoch: int | None = await database.fetchval(EPOCH_OF, terminal, tx)
    return epoch
