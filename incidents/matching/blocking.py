"""The matcher's door to PostgreSQL: the transactions that a report may mean, some hundreds at most.

Each branch has an index and a limit; what is close to the time and sum that are told comes first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import orjson

from incidents.findings import MONEY
from incidents.matching.claims import READ_IN, Claims, plain
from incidents.matching.model import Scene
from incidents.matching.payment import Payment
from incidents.matching.scenes import CLOCK_AHEAD, REPORTED_WITHIN

Connection: TypeAlias = asyncpg.Connection
Window: TypeAlias = tuple[datetime, datetime, datetime]
"""From, to, and the likeliest moment."""

ROUND_THE_CLOCK: Final = timedelta(days=1)
"""Customers mistake the day by one."""
WIDE: Final = timedelta(days=4)
"""A longer window is read from its end."""
EVERYWHERE_MAX: Final = timedelta(hours=40)
"""The longest window in which the whole fleet is looked through for a sum."""

ROOM: Final = timedelta(minutes=45)
"""How far beyond what is told a sum is looked for in the whole fleet."""
NARROW_ROOM: Final = timedelta(minutes=10)
"""And how far where that would be too much."""
LATELY: Final = timedelta(days=10)
"""Where no time is told, incidents so old are looked at."""

EACH: Final = 100
"""Candidates by one account or number."""
EACH_NEAR: Final = 4
"""Candidates by one account that differs by a slip."""
NEARBY: Final = 400
"""Candidates at the terminals that are named."""
AROUND: Final = 400
"""Candidates at the terminals that a place may mean."""
SUMS: Final = 240
"""Candidates by time and sum in the whole fleet."""
TROUBLES: Final = 160
"""Candidates by time and incident in the whole fleet."""
PLACES_MAX: Final = 50
NONE: Final = frozenset[str]()
SCANNED_MAX: Final = 6000
"""Transactions of the whole fleet that are looked through for a sum."""
TROUBLED_MAX: Final = 3000
"""Transactions with incidents that are looked through for a sum, the latest first."""

COLUMNS: Final = """
t.terminal, t.epoch, t.tx, t.started_at, t.ended_at, t.service, t.service_name, t.account_masked,
t.account_hash, t.accepted, t.returned, t.currency, t.payment, t.payment_amount, t.payment_fee,
t.payment_reference, t.receipt, t.receipt_number, t.fiscal::text as fiscal, t.judged::text as judged
"""

BY_ACCOUNT: Final = f"""
select {COLUMNS} from unnest($1::text[]) as named(hash), lateral (
  select * from transaction where account_hash = named.hash and started_at <= $2
  order by started_at desc limit $3
) t
"""  # noqa: S608 - built of the names above

BY_RECEIPT: Final = f"""
select {COLUMNS} from unnest($1::text[]) as named(number), lateral (
  select * from transaction
  where receipt_number is not null and ltrim(receipt_number, '0') = named.number
    and started_at <= $2
  order by started_at desc limit $3
) t
"""  # noqa: S608

BY_RECEIPT_AT: Final = f"""
select {COLUMNS} from transaction t
where receipt_number is not null and ltrim(receipt_number, '0') = any($1::text[])
  and terminal = any($2::text[]) and started_at <= $3
limit $4
"""  # noqa: S608

BY_REFERENCE: Final = f"""
select {COLUMNS} from unnest($1::text[]) as named(number), lateral (
  select * from transaction
  where payment_reference is not null and ltrim(payment_reference, '0') = named.number
    and started_at <= $2
  order by started_at desc limit $3
) t
"""  # noqa: S608

BY_FISCAL: Final = f"""
select {COLUMNS} from transaction t
where fiscal is not null and ltrim(fiscal ->> 'fp', '0') = any($1::text[])
limit $2
"""  # noqa: S608

# A sum or a moment that fits comes first, so that what the limit cuts off is least likely.
AT_TERMINALS: Final = f"""
select {COLUMNS} from unnest($1::text[]) as named(terminal),
  unnest($2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) as said(low, high, best),
  lateral (
    select * from transaction t
    where t.terminal = named.terminal and t.started_at between said.low and said.high
    order by (t.accepted = any($5::bigint[])) desc,
      abs(extract(epoch from t.started_at - said.best))
    limit $6
  ) t
limit $7
"""  # noqa: S608

LATEST_AT_TERMINALS: Final = f"""
select {COLUMNS} from unnest($1::text[]) as named(terminal),
  unnest($2::timestamptz[], $3::timestamptz[]) as said(low, high),
  lateral (
    select * from transaction t
    where t.terminal = named.terminal and t.started_at between said.low and said.high
    order by t.started_at desc limit $4
  ) t
limit $5
"""  # noqa: S608

BY_SUM: Final = f"""
select {COLUMNS} from unnest($1::timestamptz[], $2::timestamptz[], $3::timestamptz[])
    as said(low, high, best),
  lateral (
    select * from transaction t
    where t.started_at between said.low and said.high
      and (t.accepted = any($4::bigint[]) or t.payment_amount = any($4::bigint[])
        or right(t.account_masked, 2) = any($5::text[]))
    order by (t.accepted = any($4::bigint[]) and right(t.account_masked, 2) = any($5::text[]))
      desc nulls last, abs(extract(epoch from t.started_at - said.best))
    limit $6
  ) t
"""  # noqa: S608

# Few transactions have incidents, and an index of their own.
TROUBLED: Final = f"""
select {COLUMNS} from unnest($1::timestamptz[], $2::timestamptz[], $3::timestamptz[])
    as said(low, high, best),
  lateral (
    select * from (
      select * from transaction
      where judged::text <> '{{}}' and started_at between said.low and said.high
      order by started_at desc limit $8
    ) latest
    where accepted = any($4::bigint[]) or payment_amount = any($4::bigint[])
      or right(account_masked, 2) = any($5::text[]) or $7
    order by (accepted = any($4::bigint[])) desc, abs(extract(epoch from started_at - said.best))
    limit $6
  ) t
"""  # noqa: S608

ZONES: Final = "select terminal, timezone from terminal where terminal = any($1::text[])"


async def candidates(
    connection: Connection, claims: Claims, seen: Scene, zones: Sequence[str]
) -> tuple[list[Payment], frozenset[str]]:
    """Return the transactions that a report may mean, and which of the named terminals exist."""
    said = {name.text for name in claims.terminals}
    named = await _zones(connection, said | claims.near_terminals)
    stated = sorted(said & named.keys()) or sorted(named)[:PLACES_MAX]
    rows: dict[tuple[str, int, str], asyncpg.Record] = {}
    numbered = await _by_numbers(connection, claims, stated)
    some = numbered + await _by_where(connection, claims, stated, zones)
    if not (stated or _is_then(numbered, claims, zones)):
        some += await _by_sum(connection, claims, seen, zones)
    rows.update(((row["terminal"], row["epoch"], row["tx"]), row) for row in some)
    missing = {row["terminal"] for row in rows.values()} - named.keys()
    named |= await _zones(connection, missing)
    found = [_payment(row, named) for _, row in sorted(rows.items())]
    return found, frozenset(said & named.keys())


def _reported(claims: Claims) -> tuple[datetime, datetime]:
    return claims.received_at - REPORTED_WITHIN, claims.received_at + CLOCK_AHEAD


async def _zones(connection: Connection, terminals: Iterable[str]) -> dict[str, ZoneInfo]:
    wanted = sorted(terminals)
    if not wanted:
        return {}
    return {row[0]: _zone(row[1]) for row in await connection.fetch(ZONES, wanted)}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return READ_IN


async def _by_numbers(
    connection: Connection, claims: Claims, stated: Sequence[str]
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = []
    _, until = _reported(claims)
    accounts = (*claims.paid, *claims.intended, *claims.contacts)
    if accounts:
        hashes = sorted({each.hash for each in accounts})
        rows += await connection.fetch(BY_ACCOUNT, hashes, until, EACH)
        near = sorted(frozenset[str]().union(*(each.near for each in accounts[:2])) - set(hashes))
        rows += await connection.fetch(BY_ACCOUNT, near, until, EACH_NEAR)
    numbers = sorted({plain(name.text) for name in claims.numbers} - {""})
    if numbers:
        rows += await connection.fetch(BY_REFERENCE, numbers, until, EACH)
        if stated:
            rows += await connection.fetch(BY_RECEIPT_AT, numbers, stated, until, EACH)
        else:
            rows += await connection.fetch(BY_RECEIPT, numbers, until, EACH)
    if claims.fiscal:
        signs = [plain(each.fp) for each in claims.fiscal]
        rows += await connection.fetch(BY_FISCAL, signs, EACH)
    return rows


def _is_then(numbered: Sequence[asyncpg.Record], claims: Claims, zones: Sequence[str]) -> bool:
    """Tell whether the account that is named was paid at the time that is told."""
    windows = list(windows_of(claims, zones, room=ROOM))
    named = {each.hash for each in claims.paid}
    return any(
        row["account_hash"] in named
        and any(low <= row["started_at"] <= high for low, high, _ in windows)
        for row in numbered
    )


async def _by_where(
    connection: Connection, claims: Claims, stated: Sequence[str], zones: Sequence[str]
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = []
    weights: dict[str, float] = {}
    for place in claims.places:
        weights |= place.weights
    likeliest = sorted(weights, key=lambda terminal: (-weights[terminal], terminal))
    places = [each for each in likeliest if each not in stated][:PLACES_MAX]
    for terminals, most in ((list(stated), NEARBY), (places, AROUND)):
        if terminals:
            rows += await _at_terminals(connection, claims, zones, terminals=terminals, most=most)
    return rows


async def _at_terminals(
    connection: Connection,
    claims: Claims,
    zones: Sequence[str],
    *,
    terminals: Sequence[str],
    most: int,
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = []
    sums = [amount.minor for amount in claims.amounts]
    windows = list(windows_of(claims, zones, room=ROUND_THE_CLOCK))
    each = max(10, most // (len(terminals) * max(1, len(windows))))
    narrow = [window for window in windows if window[1] - window[0] <= WIDE]
    if narrow:
        rows += await connection.fetch(
            AT_TERMINALS, terminals, *zip(*narrow, strict=True), sums, each, 2 * most
        )
    wide = [window[:2] for window in windows if window[1] - window[0] > WIDE]
    if not windows:
        wide = [_reported(claims)]
    if wide:
        rows += await connection.fetch(
            LATEST_AT_TERMINALS, terminals, *zip(*wide, strict=True), each, 2 * most
        )
    return rows


async def _by_sum(
    connection: Connection, claims: Claims, seen: Scene, zones: Sequence[str]
) -> list[asyncpg.Record]:
    sums = [amount.minor for amount in claims.amounts if amount.role != "fee"]
    tails = [tail.digits[-2:] for tail in claims.tails]
    told = [
        window
        for window in windows_of(claims, zones, room=ROOM)
        if window[1] - window[0] <= EVERYWHERE_MAX
    ]
    rows: list[asyncpg.Record] = []
    scanned = _scanned(told, claims, seen, zones)
    if scanned and (sums or tails):
        each = SUMS // len(scanned)
        rows += await connection.fetch(BY_SUM, *zip(*scanned, strict=True), sums, tails, each)
    first, last = _reported(claims)
    around = told or ([] if claims.times else [(max(first, last - LATELY), last, last)])
    everything = bool(told and claims.symptoms)
    if around and (sums or tails or everything):
        each = TROUBLES // len(around)
        named = (sums, tails, each, everything, TROUBLED_MAX // len(around))
        rows += await connection.fetch(TROUBLED, *zip(*around, strict=True), *named)
    return rows


def _scanned(
    told: Sequence[Window], claims: Claims, seen: Scene, zones: Sequence[str]
) -> list[Window]:
    """Return the windows in which the whole fleet is looked through: none where it is too much."""
    apart = [
        window
        for zone in dict.fromkeys((*zones, READ_IN.key))
        for window in windows_of(claims, [zone], room=NARROW_ROOM, only=True)
        if window[1] - window[0] <= EVERYWHERE_MAX
    ]
    for windows in (list(told), apart):
        long = sum(((high - low) for low, high, _ in windows), timedelta(0))
        if seen.transactions * (long / timedelta(days=max(seen.days, 1 / 24))) <= SCANNED_MAX:
            return windows
    return []


def windows_of(
    claims: Claims, zones: Sequence[str], *, room: timedelta, only: bool = False
) -> Iterator[Window]:
    """Yield from, to and best of each reading of the times, wide enough for every zone.

    The usual zone is one of them, unless `only` those that are named are.
    """
    first, last = _reported(claims)
    known = {_zone(name) for name in zones} | ({READ_IN} if not only else set())
    for time in claims.times[:3]:
        for _, said in time.readings[:3]:
            starts = [said.low.replace(tzinfo=zone).astimezone(UTC) for zone in known]
            ends = [said.high.replace(tzinfo=zone).astimezone(UTC) for zone in known]
            low, high = max(min(starts) - room, first), min(max(ends) + room, last)
            if low < high:
                yield low, high, said.best.replace(tzinfo=READ_IN).astimezone(UTC)


def _payment(row: asyncpg.Record, zones: Mapping[str, ZoneInfo]) -> Payment:
    values: dict[str, Any] = dict(row)
    judged, fiscal = values.pop("judged"), values.pop("fiscal")
    return Payment(
        **values,
        zone=zones.get(values["terminal"], READ_IN),
        incidents=NONE if judged == "{}" else frozenset(orjson.loads(judged)) & MONEY,
        fiscal=None if fiscal is None else _texts(orjson.loads(fiscal)),
    )


def _texts(fiscal: object) -> dict[str, str]:
    return {key: str(each) for key, each in fiscal.items()} if isinstance(fiscal, dict) else {}
