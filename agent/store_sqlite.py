"""The journal's file: SQLite in WAL mode, a reserve file beside it for the day the disk is full.

A commit with `synchronous=FULL` flushes the write-ahead log, with everything written before it. A
file that SQLite cannot use is moved aside, never deleted and never a reason not to start.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from agent.store import ROW_OVERHEAD_BYTES, Change, Head, Key, Row, StoreFull, StoreLost, Stub
from wire.journal import Epoch, Mark, mark_after

_SCHEMA: Final = """
create table if not exists event (
  epoch integer not null,
  seq integer not null,
  at integer not null,
  money integer not null,
  prev text not null,
  mark text not null,
  body blob not null,
  primary key (epoch, seq)
) without rowid;
create table if not exists head (
  one integer primary key check (one = 1),
  epoch integer not null,
  next integer not null,
  mark text not null,
  acked integer not null,
  size integer not null,
  acked_size integer not null
);
"""
_HEAD: Final = "select epoch, next, mark, acked, size, acked_size from head"
_SET_HEAD: Final = (
    "insert or replace into head (one, epoch, next, mark, acked, size, acked_size)"
    " values (1, ?, ?, ?, ?, ?, ?)"
)
_PUT: Final = (
    "insert into event (epoch, seq, at, money, prev, mark, body) values (?, ?, ?, ?, ?, ?, ?)"
)
_DROP: Final = "delete from event where epoch = ? and seq = ?"
_ROWS: Final = (
    "select seq, at, money, prev, mark, body from event"
    " where epoch = ? and seq >= ? order by seq limit ?"
)
_OLDEST: Final = (
    "select epoch, seq, at, length(body) from event"
    " where (epoch, seq) < (?, ?) and (epoch, seq) >= (?, ?) and money between ? and ?"
    " order by epoch, seq limit ?"
)
_LAST: Final = 2**62
_ROOM: Final = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
)
"""Codes that may pass; a full disk may show as any of them."""


class SqliteStore:
    """Keeps rows in one SQLite file."""

    def __init__(self, path: Path, *, reserve_bytes: int, page_limit: int | None = None) -> None:
        """Open or create the file.

        Raises:
            StoreLost: the file is no usable database.
            StoreFull: there is no room to open it.
        """
        self._reserve, self._reserve_bytes = path.with_name(path.name + ".reserve"), reserve_bytes
        self._durable: bool | None = None
        with _translated():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1)
            try:
                self._prepare(page_limit)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, page_limit: int | None) -> None:
        # Two writers would give one seq twice: the file is ours alone while we run.
        self._db.execute("pragma locking_mode=exclusive")
        self._db.execute("pragma journal_mode=wal")
        # A short log keeps the reserve for events: on a full disk it could not be folded in.
        self._db.execute("pragma wal_autocheckpoint=100")
        self._db.execute("pragma temp_store=memory")
        self._db.execute("pragma cache_size=-256")
        if page_limit is not None:
            self._db.execute(f"pragma max_page_count={page_limit:d}")
        self._db.executescript(_SCHEMA)
        self._check()

    def _check(self) -> None:
        """See that head and last row belong together; the rest is checked by SQLite as it is read.

        A check of every page would cost a slow disk seconds at each start.
        """
        head = self.head()
        if head is None:
            return
        for row in self.rows(head.epoch, first=max(1, head.next - 1), most=2):
            if row.key.seq >= head.next or row.mark != head.mark:
                raise sqlite3.DatabaseError("head and rows disagree")
            if mark_after(row.prev, row.event) != row.mark:
                raise sqlite3.DatabaseError("an event does not fit its mark")

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    def head(self) -> Head | None:
        """Return the head last written."""
        with _translated(reading=True):
            found = self._db.execute(_HEAD).fetchone()
        if found is None:
            return None
        epoch, following, mark, acked, size, acked_size = found
        return Head(
            epoch=Epoch(epoch),
            next=following,
            mark=Mark(mark),
            acked=acked,
            size=size,
            acked_size=acked_size,
        )

    def write(self, change: Change, *, durable: bool) -> None:
        """Make the change true in one commit."""
        with _translated():
            if durable is not self._durable:
                self._db.execute(f"pragma synchronous={'full' if durable else 'normal'}")
                self._durable = durable
            self._db.execute("begin immediate")
            try:
                self._db.executemany(_DROP, [(key.epoch, key.seq) for key in change.drop])
                self._db.executemany(_PUT, [_values(row) for row in change.put])
                self._db.execute(_SET_HEAD, astuple(change.head))
                self._db.execute("commit")
            except BaseException:
                # SQLite may have rolled back by itself (it does on a full disk).
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("rollback")
                raise

    def rows(self, epoch: Epoch, *, first: int, most: int) -> Sequence[Row]:
        """Return the epoch's rows from seq `first` on."""
        with _translated(reading=True):
            found = self._db.execute(_ROWS, (epoch, first, most)).fetchall()
            return [_row(epoch, values) for values in found]

    def oldest(
        self, *, before: Key | None = None, since: Key | None = None, money: bool | None, most: int
    ) -> Sequence[Stub]:
        """Return the oldest rows that the arguments leave."""
        until = (before.epoch, before.seq) if before else (_LAST, 0)
        start = (since.epoch, since.seq) if since else (0, 0)
        either = (0, 1) if money is None else (int(money), int(money))
        with _translated(reading=True):
            found = self._db.execute(_OLDEST, (*until, *start, *either, most)).fetchall()
            return [
                Stub(key=Key(Epoch(epoch), seq), at=at, size=length + ROW_OVERHEAD_BYTES)
                for epoch, seq, at, length in found
            ]

    def release_reserve(self) -> bool:
        """Delete the reserve file, which gives SQLite room for its log on a full disk."""
        try:
            self._reserve.unlink()
        except OSError:
            return False
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("pragma wal_checkpoint(truncate)").fetchall()
        return True

    def restore_reserve(self) -> bool:
        """Write the reserve file again, if the disk has the room."""
        if not self._reserve_bytes or self._reserve.exists():
            return True
        fresh = self._reserve.with_name(self._reserve.name + ".new")
        try:
            # Real bytes: a hole in a sparse file reserves nothing.
            with fresh.open("wb") as file:
                for _ in range(0, self._reserve_bytes, 65536):
                    file.write(b"\xa5" * 65536)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._reserve)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A store that can be written, and what became of the file found before it.

    `salvaged` are the unacknowledged events that could still be read from a damaged file; a store
    without a head does not have them yet. `epoch_least` is the least epoch that is larger than any
    old one. Until `settle` gives the damaged file its last name, `aside`, each opening salvages it.
    """

    store: SqliteStore
    epoch_least: int = 1
    salvaged: Sequence[Row] = ()
    aside: Path | None = None
    pending: Path | None = None

    def settle(self) -> None:
        """Take note that the salvaged events are in the store."""
        if self.pending is not None and self.aside is not None:
            _move(self.pending, self.aside)


def open_store(path: Path, *, reserve_bytes: int, at: int) -> Opened:
    """Open the journal's file; a damaged one is moved aside and a new one begun.

    Raises:
        StoreFull: there is no room to open it, or it is locked.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pending = path.with_name(path.name + ".damaged")
    aside = path.with_name(f"{pending.name}-{at}")
    store = None
    if not _condemned(path).exists():
        with contextlib.suppress(StoreLost):
            store = SqliteStore(path, reserve_bytes=reserve_bytes)
    if store is None:
        # Condemned while it is moved: a power cut must not part the file from its log. Of two
        # damaged files the first has the events.
        condemn(path)
        _move(path, aside if pending.exists() else pending)
        _condemned(path).unlink(missing_ok=True)
        store = SqliteStore(path, reserve_bytes=reserve_bytes)
    if not pending.exists():
        return Opened(store=store)
    salvaged, epoch_least = _salvage(pending)
    return Opened(
        store=store, epoch_least=epoch_least, salvaged=salvaged, aside=aside, pending=pending
    )


def _move(path: Path, to: Path) -> None:
    """Move a database with its log, the database last."""
    for ending in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(to.with_name(to.name + ending))


def condemn(path: Path) -> None:
    """Have `open_store` move the file aside: damage was found where opening does not look."""
    with contextlib.suppress(OSError):
        _condemned(path).touch()


def _condemned(path: Path) -> Path:
    return path.with_name(path.name + ".condemned")


def _salvage(path: Path) -> tuple[list[Row], int]:
    """Read what is readable and unacknowledged, oldest first, and the least new epoch.

    Without a head nothing tells what is acknowledged: then nothing is taken, since to report the
    same money twice is worse than to have a person look into the file that was moved aside.
    """
    salvaged: list[Row] = []
    epoch_least = 1
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
            epoch, acked = database.execute("select epoch, acked from head").fetchone()
            epoch_least = epoch + 1
            for values in database.execute(_ROWS, (epoch, acked, -1)):
                row = _row(epoch, values)
                if mark_after(row.prev, row.event) == row.mark:
                    salvaged.append(row)
    except (sqlite3.Error, TypeError, ValueError):
        pass  # What came before the damage counts; the rest cannot be had.
    return salvaged, epoch_least


def _row(epoch: int, values: tuple[int, int, int, str, str, bytes]) -> Row:
    seq, at, money, prev, mark, body = values
    return Row(
        key=Key(Epoch(epoch), seq),
        at=at,
        money=bool(money),
        prev=Mark(prev),
        mark=Mark(mark),
        event=bytes(body),
    )


def _values(row: Row) -> tuple[object, ...]:
    key = row.key
    return (key.epoch, key.seq, row.at, int(row.money), row.prev, row.mark, row.event)


@contextlib.contextmanager
def _translated(*, reading: bool = False) -> Iterator[None]:
    """Turn SQLite's errors, and what damage does to values, into the store's two.

    A read that fails is damage even where the code is one of a full disk.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        passing = code in _ROOM and not reading
        raise (StoreFull if passing else StoreLost)(str(error)) from error
    except (sqlite3.DatabaseError, TypeError, ValueError) as error:
        raise StoreLost(str(error)) from error
