"""The tables that the model of PostgreSQL keeps: committed rows, their indexes and constraints.

Laws. A row is a dict that is never changed once it is written; its values are what asyncpg gives.
What is copied for a backup are the tables' dicts, not the rows.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final, TypeAlias

import asyncpg

Key: TypeAlias = Any
"""The value of the primary key: bare if it is one column, else a tuple."""
Row: TypeAlias = Mapping[str, Any]
Keyed: TypeAlias = Callable[[Row], Any]

_FINISHED: Final = {"resolved", "closed"}
_STATES: Final = {"new", "open", "waiting_customer", "resolved", "closed"}
_TERMINAL: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What the migrations say of one table, as far as it matters."""

    name: str
    columns: tuple[str, ...]
    key: Keyed
    indexes: Mapping[str, Keyed] = field(default_factory=dict)
    unique: Mapping[str, Keyed] = field(default_factory=dict)
    """Beside the key; None: the row is not in the (partial) index."""
    check: Callable[[Row], bool] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a whole row of these values and the defaults."""
        return {**dict.fromkeys(self.columns), **self.defaults, **values}


class Table:
    """What is committed."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.rows: dict[Key, Row] = {}
        self.indexes: dict[str, dict[Any, dict[Key, None]]] = {each: {} for each in shape.indexes}
        self.unique: dict[str, dict[Any, Key]] = {each: {} for each in shape.unique}

    def apply(self, key: Key, row: Row | None) -> Row | None:
        """Put a row, or none, under a key; return what was there."""
        before = self.rows.get(key)
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = row
        for name, of in self.shape.indexes.items():
            index = self.indexes[name]
            old, new = _value(of, before), _value(of, row)
            if old != new:
                if old is not None:
                    del index[old][key]
                if new is not None:
                    index.setdefault(new, {})[key] = None
        for name, of in self.shape.unique.items():
            old, new = _value(of, before), _value(of, row)
            if old != new:
                unique = self.unique[name]
                if old is not None and unique.get(old) == key:
                    del unique[old]
                if new is not None:
                    unique[new] = key
        return before

    def copy(self) -> "Table":
        """Return a copy that shares the rows."""
        other = type(self)(self.shape)
        other.rows = dict(self.rows)
        other.indexes = {
            name: {value: dict(keys) for value, keys in index.items()}
            for name, index in self.indexes.items()
        }
        other.unique = {name: dict(index) for name, index in self.unique.items()}
        return other


class Events(Table):
    """The table `event`: the key is the row's place in the heap, since nothing else is unique."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self._journals: dict[tuple[str, int], tuple[list[int], list[Row]]] = {}

    def apply(self, key: Key, row: Row | None) -> Row | None:
        """Append a row; the journals' copies are never changed."""
        assert row is not None
        assert key not in self.rows
        self.rows[key] = row
        seqs, rows = self._journals.setdefault((row["terminal"], row["epoch"]), ([], []))
        seq = row["seq"]
        place = len(seqs) if not seqs or seq > seqs[-1] else bisect_right(seqs, seq)
        seqs.insert(place, seq)
        rows.insert(place, row)
        return None

    def between(self, terminal: str, epoch: int, first: int, until: int) -> Iterator[Row]:
        """Iterate over the rows of a journal with first <= seq < until, by seq."""
        seqs, rows = self._journals.get((terminal, epoch), ([], []))
        for place in range(bisect_left(seqs, first), bisect_left(seqs, until)):
            yield rows[place]

    def copy(self) -> "Events":
        """Return a copy that shares the rows."""
        other = Events(self.shape)
        other.rows = dict(self.rows)
        other._journals = {
            key: (list(seqs), list(rows)) for key, (seqs, rows) in self._journals.items()
        }
        return other


def _value(of: Keyed, row: Row | None) -> Any:
    return None if row is None else of(row)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _detectors_case(row: Row) -> Any:
    if row["opened_by"] != "detector" or None in (row["tx"], row["epoch"]):
        return None  # two nulls are never the same
    return row["terminal"], row["epoch"], row["tx"]


def _work_order(row: Row) -> str | None:
    is_one = row["topic"] == "work_order" and row["state"] not in _FINISHED
    return row["terminal"] if is_one else None


def _open_incident(row: Row) -> Any:
    if row["cleared_at"] is not None:
        return None
    return row["terminal"], row["rule"], row["epoch"] or 0, row["subject"] or ""


def _of_transaction(row: Row) -> Any:
    return None if row["tx"] is None else (row["terminal"], row["epoch"], row["tx"])


SHAPES: Final = (
    Shape(
        name="terminal",
        columns=_words(
            "terminal registered name country city address metro place lat lon timezone region"
            " technician opens closes first_heard_at changed_at"
        ),
        key=itemgetter("terminal"),
        check=lambda row: _TERMINAL.fullmatch(row["terminal"]) is not None,
        defaults={"registered": False, "timezone": "Europe/Moscow"},
    ),
    Shape(
        name="journal",
        columns=_words("terminal epoch next_seq mark moved_at"),
        key=itemgetter("terminal", "epoch"),
        indexes={"terminal": itemgetter("terminal")},
        check=lambda row: row["next_seq"] >= 1,
    ),
    Shape(
        name="event",
        columns=_words("terminal epoch seq kind at received_at body"),
        key=itemgetter("terminal", "epoch", "seq"),  # not used: nothing is unique
    ),
    Shape(
        name="terminal_now",
        columns=_words(
            "terminal heard_at pulse pulse_at pulse_received_at boot online online_changed_at"
        ),
        key=itemgetter("terminal"),
    ),
    Shape(
        name="journal_clash",
        columns=_words("terminal epoch evidence seq times first_at previous_at last_at"),
        key=itemgetter("terminal", "epoch", "evidence"),
        check=lambda row: row["evidence"] in {"fork", "old_epoch"},
        defaults={"times": 1},
    ),
    Shape(
        name="quarantine",
        columns=_words("id terminal epoch seq received_at reason body"),
        key=itemgetter("id"),
    ),
    Shape(
        name="refusal",
        columns=_words("terminal digest channel reason size_bytes times first_at last_at"),
        key=itemgetter("terminal", "digest"),
        indexes={"terminal": itemgetter("terminal")},
    ),
    Shape(
        name="fold",
        columns=_words("terminal state ripe_at pulse_received_at changed_at"),
        key=itemgetter("terminal"),
    ),
    Shape(
        name="fold_position",
        columns=_words("terminal epoch next_seq received_at"),
        key=itemgetter("terminal", "epoch"),
    ),
    Shape(
        name="device_now",
        columns=_words("terminal device status paper storage cause code since"),
        key=itemgetter("terminal", "device"),
    ),
    Shape(
        name="transaction",
        columns=_words(
            "terminal epoch tx started_at ended_at end_cause service service_name account_masked"
            " account_hash accepted returned currency payment payment_amount payment_fee"
            " payment_code payment_reference receipt receipt_cause receipt_number fiscal proof"
            " judged"
        ),
        key=itemgetter("terminal", "epoch", "tx"),
        defaults={"accepted": 0, "returned": 0, "judged": "{}"},
    ),
    Shape(
        name="support_case",
        columns=_words(
            "number topic state terminal epoch tx opened_at due_at opened_by touched changed_at"
            " merged_into"
        ),
        key=itemgetter("number"),
        indexes={"terminal": itemgetter("terminal"), "transaction": _of_transaction},
        unique={"support_case_tx": _detectors_case, "support_case_work_order": _work_order},
        check=lambda row: (
            row["state"] in _STATES
            and row["opened_by"] in {"detector", "mail", "phone", "form"}
            and (row["terminal"] is not None or row["epoch"] is None is row["tx"])
        ),
        defaults={"touched": False},
    ),
    Shape(
        name="case_history",
        columns=_words("id number at actor action state_from state_to text public"),
        key=itemgetter("id"),
        defaults={"public": False},
    ),
    Shape(
        name="incident",
        columns=_words(
            "id terminal rule epoch subject cause severity provisional opened_at detected_at"
            " cleared_at times proof case_number"
        ),
        key=itemgetter("id"),
        indexes={"terminal": itemgetter("terminal"), "case_number": itemgetter("case_number")},
        unique={"incident_open": _open_incident},
        check=lambda row: row["severity"] in {"info", "warning", "critical"},
        defaults={"provisional": False, "times": 1},
    ),
    Shape(
        name="listening",
        columns=_words("collector since until"),
        key=itemgetter("collector"),
    ),
    Shape(
        name="report",
        columns=_words("id channel received_at reported_at status content case_number"),
        key=itemgetter("id"),
        indexes={"case_number": itemgetter("case_number")},
    ),
)


def empty() -> dict[str, Table]:
    """Return every table without a row."""
    return {
        shape.name: Events(shape) if shape.name == "event" else Table(shape) for shape in SHAPES
    }


_NOT_AS_WRITTEN: Final = re.compile(r"[0-9][eE][-+]?[0-9]|-0")
"""Where jsonb may give a number back in other words."""


def jsonb_kept(text: str | None) -> str | None:
    """Return what a parser reads as it reads the jsonb; the order of its keys may differ."""
    if text is None:
        return None
    if r"\u" in text or _NOT_AS_WRITTEN.search(text):
        return jsonb(text)
    return text


def jsonb(text: str | None) -> str | None:
    """Return the very text that PostgreSQL gives of a jsonb.

    Raises:
        asyncpg.UntranslatableCharacterError: jsonb cannot hold it.
        asyncpg.InvalidTextRepresentationError: it is no JSON.
    """
    if text is None:
        return None
    try:
        value = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise asyncpg.InvalidTextRepresentationError(str(error)) from error
    return _jsonb(value)


def _jsonb(value: Any) -> str:
    match value:
        case dict():
            names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
            return (
                "{" + ", ".join(f"{_string(each)}: {_jsonb(value[each])}" for each in names) + "}"
            )
        case list():
            return "[" + ", ".join(_jsonb(each) for each in value) + "]"
        case str():
            return _string(value)
        case Decimal():
            return format(value or abs(value), "f")
        case _:
            return json.dumps(value)


def _string(text: str) -> str:
    if "\x00" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise asyncpg.UntranslatableCharacterError("unsupported Unicode escape sequence")
    return json.dumps(text, ensure_ascii=False)


def rows_of(shape: Shape, columns: Iterable[str], *values: Iterable[Any]) -> Iterator[Row]:
    """Iterate over whole rows made of columns' arrays, as unnest does."""
    names = tuple(columns)
    for each in zip(*values, strict=True):
        yield shape.row(dict(zip(names, each, strict=True)))
