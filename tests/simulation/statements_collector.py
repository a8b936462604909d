"""What each SQL statement of the collector means, written again in Python.

Each function takes the open commit and the statement's arguments; one that may have to wait for
another's commit is a generator. None: no rows.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from collector import now, store
from tests.simulation.pending import Pending, Waits
from tests.simulation.records import Record, records_of
from tests.simulation.tables import SHAPES, Row, jsonb_kept, rows_of

_MINUTE: Final = timedelta(minutes=1)
_BYTES_IN_NOTICE_MAX: Final = 7000
_SHAPES: Final = {shape.name: shape for shape in SHAPES}

_MOVED: Final = records_of("array_agg array_agg pg_notify")
_CURSOR: Final = records_of("terminal epoch next_seq mark")
_UPKEEP: Final = records_of("made dropped")


def add_terminals(pending: Pending, names: Sequence[str], heard: Sequence[datetime]) -> Waits[None]:
    """List terminals; the time first heard is set once."""
    shape = _SHAPES["terminal"]
    rows = [
        shape.row({"terminal": name, "first_heard_at": at, "changed_at": pending.now})
        for name, at in zip(names, heard, strict=True)
    ]

    def change(known: Row, new: Row) -> Row | None:
        if known["first_heard_at"] is not None:
            return None
        return {**known, "first_heard_at": new["first_heard_at"]}

    yield from pending.upsert("terminal", rows, change)


def add_heard(pending: Pending, names: Sequence[str], heard: Sequence[datetime]) -> Waits[None]:
    """Keep the later time heard."""

    def change(known: Row, new: Row) -> Row | None:
        if not known["heard_at"] < new["heard_at"]:
            return None
        return {**known, "heard_at": new["heard_at"]}

    rows = rows_of(_SHAPES["terminal_now"], ("terminal", "heard_at"), names, heard)
    yield from pending.upsert("terminal_now", rows, change)


def add_journals(pending: Pending, names: Sequence[str], epochs: Sequence[int]) -> Waits[None]:
    """Begin journals that are not known."""
    for name, epoch in zip(names, epochs, strict=True):
        row = {
            "terminal": name,
            "epoch": epoch,
            "next_seq": 1,
            "mark": str(epoch),
            "moved_at": pending.now,
        }
        yield from pending.insert("journal", row)


def move_cursors(  # noqa: PLR0913, PLR0917 - the statement's arguments
    pending: Pending,
    names: Sequence[str],
    epochs: Sequence[int],
    places: Sequence[int],
    prevs: Sequence[str | None],
    nexts: Sequence[int],
    marks: Sequence[str],
) -> Waits[list[Record]]:
    """Move the cursors that stand where a batch begins, and tell of it."""
    batches = [
        (
            (name, epoch),
            (place, prev, following, mark),
            any(row["epoch"] > epoch for row in pending.under("journal", "terminal", name)),
        )
        for name, epoch, place, prev, following, mark in zip(
            names, epochs, places, prevs, nexts, marks, strict=True
        )
        if stands(pending.row("journal", (name, epoch)), place, prev)
    ]
    moved: dict[str, bool] = {}
    done = set()
    for key, (place, prev, following, mark), is_old in batches:
        row = yield from pending.lock("journal", key)
        if key in done or not stands(row, place, prev):
            continue
        done.add(key)
        assert row is not None
        changed = {**row, "next_seq": following, "mark": mark, "moved_at": pending.now}
        yield from pending.write("journal", key, changed)
        moved[key[0]] = is_old
    if not moved:
        return []
    words = ",".join(moved)
    pending.notify("kvitok_journal", words if len(words) <= _BYTES_IN_NOTICE_MAX else "")
    return [_MOVED((list(moved), list(moved.values()), ""))]


def stands(row: Row | None, place: int, prev: str | None) -> bool:
    """Return whether a cursor stands where a batch begins and continues what it holds."""
    return row is not None and row["next_seq"] == place and (prev is None or row["mark"] == prev)


def read_cursors(pending: Pending, names: Sequence[str], epochs: Sequence[int]) -> list[Record]:
    """Return the cursors of the journals that are known."""
    found = []
    for name, epoch in zip(names, epochs, strict=True):
        row = pending.row("journal", (name, epoch))
        if row is not None:
            found.append(_CURSOR((name, epoch, row["next_seq"], row["mark"])))
    return found


def add_quarantined(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Keep what could not be read."""
    names = ("terminal", "epoch", "seq", "received_at", "reason", "body")
    for row in rows_of(_SHAPES["quarantine"], names, *columns):
        number = pending.next_value("quarantine")
        yield from pending.insert_new("quarantine", {**row, "id": number})


def add_clashes(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Count what speaks for two journals."""
    names = ("terminal", "epoch", "evidence", "seq", "first_at")
    rows = [
        {**row, "last_at": row["first_at"]}
        for row in rows_of(_SHAPES["journal_clash"], names, *columns)
    ]

    def change(known: Row, new: Row) -> Row:
        return {
            **known,
            "times": known["times"] + 1,
            "seq": new["seq"],
            "previous_at": known["last_at"],
            "last_at": new["last_at"],
        }

    yield from pending.upsert("journal_clash", rows, change)


def notify_journal(pending: Pending, terminal: str) -> None:
    """Tell of one terminal."""
    pending.notify("kvitok_journal", terminal)


def copy_event(pending: Pending, records: Sequence[Sequence[Any]], columns: Sequence[str]) -> None:
    """Append events; nothing of them is unique."""
    writes = pending.writes.setdefault("event", {})
    for each in records:
        row = dict(zip(columns, each, strict=True))
        row["body"] = jsonb_kept(row["body"])
        writes[pending.next_value("event")] = row


# --- news


def add_rows(pending: Pending, names: Sequence[str], heard: Sequence[datetime]) -> Waits[None]:
    """Begin the rows of terminals never heard before."""
    for row in rows_of(_SHAPES["terminal_now"], ("terminal", "heard_at"), names, heard):
        yield from pending.insert("terminal_now", row)


_NEWS: Final = [
    "terminal",
    "heard_at",
    "pulse",
    "pulse_at",
    "pulse_received_at",
    "boot",
    "online",
    "offline_boot",
    "changed_at",
]


def change_rows(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Join news with what is known of how terminals are."""
    news = {row[0]: dict(zip(_NEWS, row, strict=True)) for row in zip(*columns, strict=True)}
    known = [name for name in sorted(news) if pending.row("terminal_now", name) is not None]
    for name in known:
        row = yield from pending.lock("terminal_now", name)
        if row is not None:
            yield from pending.write("terminal_now", name, _joined(row, news[name]))


def _joined(known: Row, new: Row) -> Row:
    boot, online = _presence(known, new)
    row = dict(known)
    row["heard_at"] = _heard_at(known["heard_at"], new["heard_at"])
    if new["pulse"] is not None and not _is_held(known, new):
        row["pulse"] = jsonb_kept(new["pulse"])
        row["pulse_at"] = new["pulse_at"]
        row["pulse_received_at"] = new["pulse_received_at"]
    row["boot"], row["online"] = boot, online
    if online is not known["online"]:
        row["online_changed_at"] = new["changed_at"]
    return row


def _is_held(known: Row, new: Row) -> bool:
    """Return whether the stored pulse is newer, and by no more than two clocks may differ."""
    old, fresh = known["pulse_received_at"], new["pulse_received_at"]
    if old is None or fresh is None:
        return False
    return bool(fresh < old <= fresh + _MINUTE)


def _heard_at(known: datetime, new: datetime | None) -> datetime:
    if new is None:
        return known
    return new if known > new + _MINUTE else max(known, new)


def _presence(known: Row, new: Row) -> tuple[str | None, bool | None]:
    was, boot = known["boot"], new["boot"]
    is_offline = new["online"] is False and (
        boot is not None
        or was is None
        or (new["offline_boot"] is not None and was == new["offline_boot"])
    )
    if boot is not None:
        after = boot
    else:
        after = new["offline_boot"] if is_offline else was
    if new["online"]:
        return after, True
    if is_offline:
        return after, False
    if boot is not None:
        is_another = boot != was
        return after, True if is_another or known["online"] is None else known["online"]
    return after, known["online"]


def notify_pulse(pending: Pending) -> None:
    """Tell that there is news."""
    pending.notify("kvitok_pulse", "")


def say_listening(  # noqa: PLR0917 - the statement's own
    pending: Pending, collector: str, since: datetime, until: datetime, gap: timedelta
) -> Waits[None]:
    """Say since when and until when a collector listens; after a gap it has only begun to."""

    def joined(known: Row, new: Row) -> Row:
        if known["until"] < until - gap:
            return new
        began = max(known["since"], since) if known["since"] <= until else since
        return {**new, "since": began}

    row = {"collector": collector, "since": until, "until": until}
    yield from pending.upsert("listening", [row], joined)


def add_refusals(pending: Pending, *columns: Sequence[Any]) -> Waits[None]:
    """Count refused payloads."""
    names = (
        *("terminal", "digest", "channel", "reason", "size_bytes"),
        *("first_at", "last_at", "times"),
    )

    def change(known: Row, new: Row) -> Row:
        return {**known, "times": known["times"] + new["times"], "last_at": new["last_at"]}

    rows = list(rows_of(_SHAPES["refusal"], names, *columns))
    yield from pending.upsert("refusal", rows, change)


def drop_refusals(pending: Pending, names: Sequence[str], most: int) -> Waits[None]:
    """Delete each terminal's refusals but the latest."""
    doomed = []
    for name in dict.fromkeys(names):
        rows = pending.under("refusal", "terminal", name)
        rows.sort(key=lambda row: row["last_at"], reverse=True)
        doomed += [(name, row["digest"]) for row in rows[most:]]
    for key in doomed:
        if (yield from pending.lock("refusal", key)) is not None:
            yield from pending.write("refusal", key, None)


def keep_partitions(_pending: Pending, *_arguments: object) -> list[Record]:
    """Do nothing: the model has no partitions."""
    return [_UPKEEP((0, 0))]


STATEMENTS: Final[dict[str, Callable[..., Any]]] = {
    store.ADD_TERMINALS: add_terminals,
    store.ADD_HEARD: add_heard,
    store.ADD_JOURNALS: add_journals,
    store.MOVE_CURSORS: move_cursors,
    store.READ_CURSORS: read_cursors,
    store.ADD_QUARANTINED: add_quarantined,
    store.ADD_CLASHES: add_clashes,
    store.NOTIFY: notify_journal,
    now.ADD_ROWS: add_rows,
    now.CHANGE_ROWS: change_rows,
    now.NOTIFY: notify_pulse,
    now.LISTENING: say_listening,
    now.ADD_REFUSALS: add_refusals,
    now.DROP_REFUSALS: drop_refusals,
    now.KEEP_PARTITIONS: keep_partitions,
}
COPIES: Final[dict[str, Callable[..., Any]]] = {"event": copy_event}
