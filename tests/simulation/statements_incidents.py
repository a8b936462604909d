"""What each SQL statement of the fold and its watch means, written again in Python.

Each function takes the open commit and the statement's arguments; one that may have to wait for
another's commit is a generator. None: no rows. The ledger's are in `statements_ledger`.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from incidents import store, watch
from tests.simulation.pending import Pending, Waits
from tests.simulation.records import Record, records_of, records_with
from tests.simulation.statements_ledger import STATEMENTS as OF_LEDGER
from tests.simulation.tables import SHAPES, Row, jsonb, rows_of

_SHAPES: Final = {shape.name: shape for shape in SHAPES}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1)
_NOWHERE: Final[Row] = dict.fromkeys(_SHAPES["terminal_now"].columns)

_TAKEN: Final = records_of("terminal state heard_at pulse pulse_at pulse_received_at")
_STRETCH: Final = records_of("terminal epoch next_seq until_seq received_at")
_EVENT: Final = records_of("terminal epoch seq kind at received body")
_TRANSACTION: Final = records_with((*_SHAPES["transaction"].columns, "proof_text", "fiscal_text"))
_TERMINAL: Final = records_of("terminal")
_BEHIND: Final = records_of("terminal since")
_LISTENING: Final = records_of("collectors since")
_QUIET: Final = records_of("terminal heard_at interval_s timezone opens closes")
_CLASH: Final = records_of("terminal epoch evidence seq first_at previous_at last_at cleared_at")


def milliseconds(moment: datetime) -> int:
    """Return (date_part('epoch', moment) * 1000)::bigint, which rounds."""
    return round((moment - _EPOCH) // _MICROSECOND / 1_000_000 * 1000)


def take(pending: Pending, names: Sequence[str]) -> Waits[list[Record]]:
    """Lock the folds that nobody else holds."""
    taken = []
    for name in sorted(set(names)):
        if pending.row("fold", name) is None or not pending.is_free("fold", name):
            continue
        row = yield from pending.lock("fold", name)
        assert row is not None
        now = pending.row("terminal_now", name) or _NOWHERE
        values = [now[each] for each in ("heard_at", "pulse", "pulse_at", "pulse_received_at")]
        taken.append(_TAKEN((name, row["state"], *values)))
    return taken


def begin_folds(pending: Pending, names: Sequence[str]) -> Waits[None]:
    """Begin folds that are not known."""
    for name in sorted(name for name in names if pending.row("fold", name) is None):
        values = {"terminal": name, "state": "{}", "changed_at": pending.now}
        yield from pending.insert("fold", _SHAPES["fold"].row(values))


def positions(pending: Pending, names: Sequence[str]) -> list[Record]:
    """Return what is stored and not folded."""
    found = []
    for name in sorted(set(names)):
        journals = pending.under("journal", "terminal", name)
        for journal in sorted(journals, key=lambda row: row["epoch"]):
            position = pending.row("fold_position", (name, journal["epoch"]))
            following = 1 if position is None else position["next_seq"]
            if journal["next_seq"] > following:
                received = None if position is None else position["received_at"]
                span = (following, journal["next_seq"], received)
                found.append(_STRETCH((name, journal["epoch"], *span)))
    return found


def events(  # noqa: PLR0913, PLR0917 - the statement's arguments
    pending: Pending,
    names: Sequence[str],
    epochs: Sequence[int],
    nexts: Sequence[int],
    untils: Sequence[int],
    receiveds: Sequence[datetime],
    most: int,
) -> list[Record]:
    """Return the first rows of each stretch that were received late enough."""
    found = []
    stretches = zip(names, epochs, nexts, untils, receiveds, strict=True)
    for name, epoch, following, until, received in stretches:
        earliest = received - _HOUR
        rows = (
            row
            for row in pending.events(name, epoch, following, until)
            if row["received_at"] >= earliest
        )
        found += [_event(row) for row in islice(rows, most)]
    return found


def _event(row: Row) -> Record:
    at, received = milliseconds(row["at"]), milliseconds(row["received_at"])
    return _EVENT(
        (row["terminal"], row["epoch"], row["seq"], row["kind"], at, received, row["body"])
    )


def transactions(
    pending: Pending, names: Sequence[str], epochs: Sequence[int], txs: Sequence[str]
) -> list[Record]:
    """Return the rows that exist under these keys."""
    found = (pending.row("transaction", key) for key in zip(names, epochs, txs, strict=True))
    return [
        _TRANSACTION((*row.values(), row["proof"], row["fiscal"]))
        for row in found
        if row is not None
    ]


def states(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Write states."""
    for name, state, ripe_at, pulse_received_at in zip(*columns, strict=True):
        if pending.row("fold", name) is None:
            continue
        row = yield from pending.lock("fold", name)
        if row is None:
            continue
        seen = row["pulse_received_at"] if pulse_received_at is None else pulse_received_at
        changed = {
            **row,
            "state": state,
            "ripe_at": ripe_at,
            "pulse_received_at": seen,
            "changed_at": pending.now,
        }
        yield from pending.write("fold", name, changed)


def _replace(_known: Row, new: Row) -> Row:
    return new


def move(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Move the folded positions."""
    shape = _SHAPES["fold_position"]
    yield from pending.upsert(shape.name, rows_of(shape, shape.columns, *columns), _replace)


def devices(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Write devices."""
    shape = _SHAPES["device_now"]
    yield from pending.upsert(shape.name, rows_of(shape, shape.columns, *columns), _replace)


def upsert_transactions(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Write transactions; all their columns but the time they began."""
    shape = _SHAPES["transaction"]
    rows = [
        {**row, "fiscal": jsonb(row["fiscal"]), "proof": jsonb(row["proof"])}
        for row in rows_of(shape, shape.columns, *columns)
    ]

    def change(known: Row, new: Row) -> Row:
        return {**new, "started_at": known["started_at"]}

    yield from pending.upsert(shape.name, rows, change)


# --- the watch


def behind(pending: Pending) -> list[Record]:
    """Return the terminals with rows that are not folded, and since when."""
    found: dict[str, datetime] = {}
    for journal in pending.all("journal"):
        key = (journal["terminal"], journal["epoch"])
        position = pending.row("fold_position", key)
        if journal["next_seq"] > (1 if position is None else position["next_seq"]):
            since = found.get(key[0], journal["moved_at"])
            found[key[0]] = min(since, journal["moved_at"])
    return [_BEHIND(each) for each in found.items()]


def ripe(pending: Pending) -> list[Record]:
    """Return the terminals whose newer pulse may prove something."""
    found = []
    for fold in pending.all("fold"):
        if fold["ripe_at"] is None:
            continue
        now = pending.row("terminal_now", fold["terminal"])
        if now is None or now["pulse_at"] is None or fold["ripe_at"] > now["pulse_at"]:
            continue
        if now["pulse_received_at"] != fold["pulse_received_at"]:
            found.append(_TERMINAL((fold["terminal"],)))
    return found


def read_listening(pending: Pending, fresh: datetime) -> list[Record]:
    """Return how many collectors there ever were, and since when the fresh ones listen."""
    rows = list(pending.all("listening"))
    since = min((row["since"] for row in rows if row["until"] >= fresh), default=None)
    return [_LISTENING((len(rows), since))]


def _open(pending: Pending, terminal: str, rule: str) -> Iterable[Row]:
    return [
        row
        for row in pending.under("incident", "terminal", terminal)
        if row["rule"] == rule and row["cleared_at"] is None
    ]


def quiet(  # noqa: PLR0917 - the statement's arguments
    pending: Pending, shortest: datetime, now: datetime, intervals: int, usual_s: int
) -> list[Record]:
    """Return the terminals that have missed their pulses and are not called silent yet."""
    found = []
    for row in pending.all("terminal_now"):
        if row["heard_at"] >= shortest:
            continue
        interval_s = _interval_s(row["pulse"], usual_s)
        if row["heard_at"] >= now - timedelta(seconds=intervals * interval_s):
            continue
        if _open(pending, row["terminal"], "terminal_silent"):
            continue
        known = pending.row("terminal", row["terminal"]) or {}
        hours = [known.get(each) for each in ("timezone", "opens", "closes")]
        found.append(_QUIET((row["terminal"], row["heard_at"], interval_s, *hours)))
    return found


def _interval_s(pulse: str | None, usual_s: int) -> int:
    value: object = None if pulse is None else json.loads(pulse).get("interval_s")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value)
    return usual_s


def heard_again(pending: Pending) -> list[Record]:
    """Return the silent terminals that have spoken since."""
    found = []
    for incident in pending.all("incident"):
        if incident["rule"] != "terminal_silent" or incident["cleared_at"] is not None:
            continue
        now = pending.row("terminal_now", incident["terminal"])
        if now is not None and _cut(now["heard_at"]) > incident["opened_at"]:
            found.append(_TERMINAL((incident["terminal"],)))
    return found


def _cut(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def overdue(pending: Pending, before: datetime) -> list[Record]:
    """Return the terminals with a provisional incident that waits for a case."""
    names = dict.fromkeys(
        row["terminal"]
        for row in pending.all("incident")
        if row["provisional"]
        and row["cleared_at"] is None
        and row["case_number"] is None
        and row["detected_at"] <= before
    )
    return [_TERMINAL((name,)) for name in names]


def clashes(pending: Pending) -> list[Record]:
    """Return what speaks for two journals where no incident is open, with the last one's end."""
    found = []
    for row in pending.all("journal_clash"):
        name = row["terminal"]
        if _open(pending, name, "identity_clash"):
            continue
        past = max(
            (
                each["cleared_at"]
                for each in pending.under("incident", "terminal", name)
                if each["rule"] == "identity_clash"
            ),
            default=None,
        )
        if past is None or row["last_at"] > past:
            columns = ("terminal", "epoch", "evidence", "seq", "first_at", "previous_at", "last_at")
            found.append(_CLASH((*(row[each] for each in columns), past)))
    found.sort(key=lambda each: (each["terminal"], each["first_at"]))
    return found


STATEMENTS: Final[dict[str, Callable[..., Any]]] = {
    store.TAKE: take,
    store.BEGIN: begin_folds,
    store.POSITIONS: positions,
    store.EVENTS: events,
    store.TRANSACTIONS: transactions,
    store.STATES: states,
    store.MOVE: move,
    store.DEVICES: devices,
    store.UPSERT_TRANSACTIONS: upsert_transactions,
    watch.BEHIND: behind,
    watch.RIPE: ripe,
    watch.LISTENING: read_listening,
    watch.QUIET: quiet,
    watch.HEARD_AGAIN: heard_again,
    watch.OVERDUE: overdue,
    watch.CLASHES: clashes,
    **OF_LEDGER,
}
