"""Terminals: found by number or place, with health, devices and open incidents; made known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final, NamedTuple

from desk.devices import DeviceRow, devices_now
from desk.queries.database import LIMIT_DEFAULT, Database, Page, Record, json_value, storable
from desk.registration import COLUMNS, TIMEZONE_DEFAULT, Registration
from desk.times import Moment
from incidents.health import Health, health


class TerminalKey(NamedTuple):
    """Where a terminal stands in a list: how well its number fits, then the number."""

    rank: int
    terminal: str


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """The terminal's present journal, and the seq wanted next."""

    epoch: int
    next: int


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal and how it is now."""

    terminal: str
    registered: bool
    name: str | None
    country: str | None
    city: str | None
    address: str | None
    metro: str | None
    place: str | None
    lat: float | None
    lon: float | None
    timezone: str
    region: str | None
    technician: str | None
    opens: str | None
    closes: str | None
    health: Health
    devices: tuple[DeviceRow, ...]
    open_incidents: tuple[str, ...]
    online: bool | None
    last_heard_at: Moment | None
    last_pulse_at: Moment | None
    journal: JournalPlace | None


LIST: Final = """
select terminal, 0 as rank from terminal where terminal > $1 order by terminal limit $2
"""
FIND: Final = """
select terminal, rank
from (
  select terminal, search,
    case when lower(terminal) = $2 then 0 when starts_with(lower(terminal), $2) then 1 else 2 end
      as rank
  from terminal
) as ranked
where not exists (select from unnest($1::text[]) as word where strpos(search, word) = 0)
  and (rank, terminal) > ($3, $4)
order by rank, terminal
limit $5
"""
READ: Final = """
select t.terminal, t.registered, t.name, t.country, t.city, t.address, t.metro, t.place, t.lat,
  t.lon, t.timezone, t.region, t.technician, t.opens, t.closes,
  n.heard_at, n.online, n.pulse_at, n.pulse_received_at, n.pulse::text as pulse,
  j.epoch, j.next_seq,
  coalesce((
    select json_agg(json_build_object('id', i.id, 'rule', i.rule)
      order by i.opened_at desc, i.id desc)
    from incident i where i.terminal = t.terminal and i.cleared_at is null
  ), '[]')::text as incidents
from terminal t
left join terminal_now n on n.terminal = t.terminal
left join lateral (
  select epoch, next_seq from journal where terminal = t.terminal order by epoch desc limit 1
) j on true
where t.terminal = any ($1::text[])
"""
READ_DEVICES: Final = """
select terminal, device, status, paper, storage, since
from device_now where terminal = any ($1::text[])
"""
IS_KNOWN: Final = "select exists (select from terminal where terminal = $1)"
ZONES: Final = "select terminal, timezone from terminal where terminal = any ($1::text[])"
REGISTER: Final = """
with before as (select registered from terminal where terminal = $1)
insert into terminal as t (registered, changed_at, terminal, name, country, city, address, metro,
  place, lat, lon, timezone, region, technician, opens, closes)
values (true, $15, $1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, $17), $11, $12, $13, $14)
on conflict (terminal) do update set registered = true, changed_at = $15,
  name = case when 'name' = any ($16) then $2 else t.name end,
  country = case when 'country' = any ($16) then $3 else t.country end,
  city = case when 'city' = any ($16) then $4 else t.city end,
  address = case when 'address' = any ($16) then $5 else t.address end,
  metro = case when 'metro' = any ($16) then $6 else t.metro end,
  place = case when 'place' = any ($16) then $7 else t.place end,
  lat = case when 'lat' = any ($16) then $8 else t.lat end,
  lon = case when 'lon' = any ($16) then $9 else t.lon end,
  timezone = case when 'timezone' = any ($16) then coalesce($10, $17) else t.timezone end,
  region = case when 'region' = any ($16) then $11 else t.region end,
  technician = case when 'technician' = any ($16) then $12 else t.technician end,
  opens = case when 'opens' = any ($16) then $13 else t.opens end,
  closes = case when 'closes' = any ($16) then $14 else t.closes end
returning coalesce((select registered from before), false) as was_registered
"""

FIRST: Final = TerminalKey(-1, "")
_WORDS_MAX: Final = 8


async def find_terminals(
    database: Database,
    query: str,
    *,
    after: TerminalKey | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Terminal, TerminalKey]:
    """Return terminals whose number, name or place has every word of the query, best first."""
    wanted = search_words(query)
    if not storable(query):
        return Page((), None)
    rank, terminal = after or FIRST
    records = (
        await database.fetch(FIND, wanted, wanted[0], rank, terminal, limit + 1)
        if wanted
        else await database.fetch(LIST, terminal, limit + 1)
    )
    keys = [TerminalKey(record["rank"], record["terminal"]) for record in records[:limit]]
    rows = await _read(database, [key.terminal for key in keys])
    return Page(rows, keys[-1] if len(records) > limit else None)


async def read_terminal(database: Database, terminal: str) -> Terminal | None:
    """Return one terminal, registered or not."""
    if not storable(terminal):
        return None
    rows = await _read(database, [terminal])
    return rows[0] if rows else None


async def is_known(database: Database, terminal: str) -> bool:
    """Tell whether such a terminal was ever heard or registered."""
    return storable(terminal) and bool(await database.fetchval(IS_KNOWN, terminal))


async def zones_of(database: Database, terminals: Sequence[str]) -> dict[str, str]:
    """Return the timezone of each of these terminals."""
    records = await database.fetch(ZONES, list(set(terminals)))
    return {record["terminal"]: record["timezone"] for record in records}


async def register_terminal(
    database: Database, registration: Registration, *, now: datetime
) -> bool:
    """Make a terminal known, or change what is known; True if it was not registered before."""
    values = [getattr(registration, name) for name in COLUMNS]
    was = await database.fetchval(
        REGISTER, *values, now, list(registration.given), TIMEZONE_DEFAULT
    )
    return not was


def search_words(query: str) -> list[str]:
    """Return the words of a search as the `search` column has them."""
    folded = query.lower().replace("ё", "е").split()
    words = [word.strip(".,;:№#«»\"'()") for word in folded]
    return [word for word in words if word][:_WORDS_MAX]


async def _read(database: Database, terminals: Sequence[str]) -> tuple[Terminal, ...]:
    if not terminals:
        return ()
    recorded: dict[str, list[DeviceRow]] = {}
    for record in await database.fetch(READ_DEVICES, terminals):
        fields = dict(record)
        recorded.setdefault(fields.pop("terminal"), []).append(DeviceRow(**fields))
    records = {record["terminal"]: record for record in await database.fetch(READ, terminals)}
    return tuple(
        _row(records[terminal], recorded.get(terminal, ()))
        for terminal in terminals
        if terminal in records
    )


def _row(record: Record, recorded: Sequence[DeviceRow]) -> Terminal:
    pulse: dict[str, Any] | None = json_value(record["pulse"])
    incidents = json_value(record["incidents"])
    devices = devices_now(recorded, pulse, record["pulse_at"])
    return Terminal(
        **{name: record[name] for name in (*COLUMNS[:12], "registered", "online")},
        opens=_clock(record["opens"]),
        closes=_clock(record["closes"]),
        health=health(
            (incident["rule"] for incident in incidents),
            heard_at=record["heard_at"],
            devices=((row.device, row.status, row.paper, row.storage) for row in devices),
        ),
        devices=devices,
        open_incidents=tuple(str(incident["id"]) for incident in incidents),
        last_heard_at=record["heard_at"],
        last_pulse_at=record["pulse_at"],
        journal=None
        if record["epoch"] is None
        else JournalPlace(epoch=record["epoch"], next=record["next_seq"]),
    )


def _clock(value: time | None) -> str | None:
    return None if value is None else f"{value:%H:%M}"
