"""The laws of the copies, looked at in every commit and every published ack.

| law | says |
| --- | --- |
| `stored_once` | a seq has one row in its journal's copy |
| `no_hole` | the rows of a copy follow each other; a lost range is one `journal_lost` row |
| `cursor_is_rows` | after every commit a cursor stands behind the last row, and nowhere else |
| `cursor_forward` | a cursor never goes back, nor changes its mark in place |
| `continues` | a cursor moves only by a batch that was sent and continues it exactly |
| `rows_stay` | a row never changes or vanishes |
| `ack_committed` | an ack names a cursor that is or was committed |
| `folded_is_stored` | the fold's positions never go back, nor beyond the cursors |

Exceptions, all about a restored backup: what the restored database shows counts from then on; an
ack that was true before the restore may still be published by a process that was frozen in between.
It does no lasting harm: the terminal keeps what is acknowledged for days, its next batch or pulse
is answered with where the copy stands, and the laws at the end see whether that healed it.
`stale_acks` counts them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.simulation.told import Say
from wire.codec import PayloadRefused, read

Journal: TypeAlias = tuple[str, int]
"""Terminal and epoch."""
Cursor: TypeAlias = tuple[int, str]
"""The seq wanted next, and the mark before it."""
Line: TypeAlias = Mapping[str, Any]
"""A row of a table by its columns."""
Written: TypeAlias = Mapping[str, Mapping[Any, Line | None]]
"""Table → key → the row that a commit has put there; None: it has taken it away."""


class Copies:
    """What is committed of journals, and every ack, followed step by step."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.cursors: dict[Journal, Cursor] = {}
        self.ends: dict[Journal, int] = {}
        """The seq after the last row."""
        self.folded: dict[Journal, int] = {}
        self.order: dict[str, list[tuple[int, int, int]]] = {}
        """Terminal → epoch, first, until: what the fold read, in its order."""
        self.old_moves: dict[Journal, list[float]] = {}
        """When a smaller epoch moved after a larger one was known (rule 8)."""
        self.restores = 0
        self.stale_acks = 0
        self._marks: dict[Journal, dict[int, str]] = {}
        self._before: dict[Journal, dict[int, set[str]]] = {}
        """Cursors that were committed and then taken back by a restore."""
        self._newest: dict[str, int] = {}
        self._sent: dict[tuple[Journal, Cursor], set[tuple[int, str | None]]] = {}
        """Where a batch leads → where it begins, and after which mark (None: after a loss)."""

    # --- batches

    def sent(self, terminal: str, payload: bytes) -> None:
        """Take note of what a terminal publishes on its `journal`."""
        batch = read(payload)
        if isinstance(batch, PayloadRefused):
            return
        names = ("epoch", "first", "prev", "last", "events", "lost_from")
        epoch, first, prev, last, events, lost_from = (batch.get(name) for name in names)
        if type(epoch) is not int or type(first) is not int or not isinstance(events, list):
            return
        leads = ((terminal, epoch), (first + len(events), str(last)))
        begins = (first, str(prev)) if type(lost_from) is not int else (lost_from, None)
        self._sent.setdefault(leads, set()).add(begins)

    def _continue(self, journal: Journal, before: Cursor, after: Cursor) -> None:
        sent = self._sent.get((journal, after), set())
        if not sent & {before, (before[0], None)}:
            begins = sorted(sent, key=str)
            what = f"the cursor went from {before} to {after}; what leads there begins at {begins}"
            self._say("continues", where(journal), what)

    # --- commits

    def committed(self, written: Written, now: float) -> None:
        """Look at what a commit has changed."""
        touched = self._rows(written.get("event", {}))
        touched.update(self._cursors(written.get("journal", {}), now))
        for journal in touched:
            self._agree(journal)
        self._positions(written.get("fold_position", {}))

    def _rows(self, rows: Mapping[Any, Line | None]) -> set[Journal]:
        found: dict[Journal, list[Line]] = {}
        for key, row in rows.items():
            if row is None:
                self._say("rows_stay", str(key), "a row of `event` is gone")
            else:
                found.setdefault((row["terminal"], row["epoch"]), []).append(row)
        for journal, some in found.items():
            for row in sorted(some, key=lambda row: int(row["seq"])):
                self._row(journal, row)
        return set(found)

    def _row(self, journal: Journal, row: Line) -> None:
        expected, seq = self.ends.get(journal, 1), row["seq"]
        if seq < expected:
            self._say("stored_once", where(journal), f"seq {seq} is stored a second time")
            return
        if seq > expected:
            self._say("no_hole", where(journal), f"seq {seq} is stored, {expected} is not")
        self.ends[journal] = following(row)

    def _cursors(self, rows: Mapping[Any, Line | None], now: float) -> set[Journal]:
        found = set()
        for key, row in rows.items():
            if row is None:
                self._say("cursor_forward", str(key), "a journal is forgotten")
                continue
            journal = (row["terminal"], row["epoch"])
            before = self.cursors.get(journal, (1, str(journal[1])))
            after = (row["next_seq"], row["mark"])
            found.add(journal)
            if after[0] < before[0] or (after[0] == before[0] and after != before):
                what = f"the cursor went from {before} to {after}"
                self._say("cursor_forward", where(journal), what)
            elif after != before:
                self._continue(journal, before, after)
            self._moved(journal, before, after, now)
        return found

    def _moved(self, journal: Journal, before: Cursor, after: Cursor, now: float) -> None:
        self.cursors[journal] = after
        self._marks.setdefault(journal, {})[after[0]] = after[1]
        terminal, epoch = journal
        newest = self._newest[terminal] = max(self._newest.get(terminal, 0), epoch)
        if epoch < newest and after != before:
            self.old_moves.setdefault(journal, []).append(now)

    def _agree(self, journal: Journal) -> None:
        cursor, end = self.cursors.get(journal, (1, ""))[0], self.ends.get(journal, 1)
        if cursor != end:
            what = f"the cursor says {cursor}, the rows end before {end}"
            self._say("cursor_is_rows", where(journal), what)

    def _positions(self, rows: Mapping[Any, Line | None]) -> None:
        known = [row for row in rows.values() if row is not None]
        # One commit reads the epochs of a terminal in their order.
        for row in sorted(known, key=lambda row: int(row["epoch"])):
            journal, until = (row["terminal"], row["epoch"]), row["next_seq"]
            first, stored = self.folded.get(journal, 1), self.ends.get(journal, 1)
            if until < first:
                what = f"the fold's position went from {first} to {until}"
                self._say("folded_is_stored", where(journal), what)
            if until > stored:
                what = f"the fold stands at {until}, the copy ends before {stored}"
                self._say("folded_is_stored", where(journal), what)
            if until > first:
                self.order.setdefault(journal[0], []).append((journal[1], first, until))
            self.folded[journal] = until

    # --- acks

    def acked(self, terminal: str, payload: bytes) -> None:
        """Look at what a collector publishes on a terminal's `ack`."""
        said = json.loads(payload)
        if "refused" in said:
            return
        journal, seq, mark = (terminal, said["epoch"]), said["next"], said["mark"]
        if (seq, mark) == (1, str(journal[1])):
            return
        if self._marks.get(journal, {}).get(seq) == mark:
            return
        if mark in self._before.get(journal, {}).get(seq, ()):
            self.stale_acks += 1
            return
        cursor = self.cursors.get(journal, (1, str(journal[1])))
        what = f"next {seq}, mark {mark} is acknowledged; committed is {cursor}"
        self._say("ack_committed", where(journal), what)

    # --- restores

    def memory(self) -> "Memory":
        """Return what a backup taken now must remember beside its tables."""
        return Memory(
            {terminal: list(read) for terminal, read in self.order.items()},
            {journal: dict(marks) for journal, marks in self._marks.items()},
        )

    def restored(self, tables: Mapping[str, Iterable[Line]], memory: "Memory") -> None:
        """Begin anew with what a restored database shows."""
        self.restores += 1
        for journal, marks in self._marks.items():
            for seq, mark in marks.items():
                self._before.setdefault(journal, {}).setdefault(seq, set()).add(mark)
        self.order = {terminal: list(read) for terminal, read in memory.order.items()}
        self._marks = {journal: dict(marks) for journal, marks in memory.marks.items()}
        self.cursors = {
            (row["terminal"], row["epoch"]): (row["next_seq"], row["mark"])
            for row in tables["journal"]
        }
        self.folded = {
            (row["terminal"], row["epoch"]): row["next_seq"] for row in tables["fold_position"]
        }
        self.ends.clear()
        for row in tables["event"]:
            journal = (row["terminal"], row["epoch"])
            self.ends[journal] = max(self.ends.get(journal, 1), following(row))
        self.old_moves.clear()
        self._newest.clear()
        for journal in {*self.cursors, *self.ends}:
            self._newest[journal[0]] = max(self._newest.get(journal[0], 0), journal[1])
            self._agree(journal)


@dataclass(frozen=True, slots=True)
class Memory:
    """What was known when a backup was taken."""

    order: Mapping[str, list[tuple[int, int, int]]]
    marks: Mapping[Journal, dict[int, str]]


def following(row: Line) -> int:
    """Return the seq after a row: a lost range is one row."""
    if row["kind"] == "journal_lost":
        return int(json.loads(row["body"])["through"]) + 1
    return int(row["seq"]) + 1


def where(journal: Journal) -> str:
    """Name a journal."""
    return f"{journal[0]}, epoch {journal[1]}"
