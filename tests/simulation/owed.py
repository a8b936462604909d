"""The laws of the copies at the end, when everything has drained: against what the disks held.

| law | says |
| --- | --- |
| `as_written` | a stored row is the event that one history wrote there, accounts masked |
| `one_history` | a copy follows one history to its end, and its cursor's mark is that history's |
| `stored` | every event of a living disk is stored, or declared lost |
| `lost_rightly` | a declared loss was dropped: acknowledged and old, or for room and no money |
| `fork_carries` | what a fork took out of an epoch stands at the beginning of the new one |
| `journal_bounded` | a journal keeps within its limits |

Exceptions, each as narrow as what the contract promises (section 2):

* A disk that is no longer in its terminal (replaced, or an image was put over it) owes nothing:
  what it alone held is gone with it. What of it is stored must still be as written.
* A loss is taken without comparing marks (rule 6): the rows before one may be of another history of
  the same epoch, where the journal no longer holds the mark that would tell (`spliced`).
* What was dropped after it was acknowledged can be missing at the end of an older epoch after a
  restore: nobody can declare a loss behind which nothing is held any more (`gone_for_good`).
* Two disks of one number and a restore in between: the copy may go on with the other history. What
  the first had acknowledged and not moved is then under no epoch (`overtaken`); as long as nothing
  more happens there, it has not even forked.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from collector.reading import Refused, read_batch
from incidents.times import ms
from tests.simulation.copies import Cursor, Line, where
from tests.simulation.disk import Chronicle, Gone, History, Written
from tests.simulation.told import Say
from wire.accounts import stored_account
from wire.codec import encode_batch
from wire.journal import Batch, Epoch
from wire.limits import KEEP_ACKNOWLEDGED_DAYS

DAY_MS: Final = 86_400_000
BEHIND_MS: Final = 365 * DAY_MS
AHEAD_MS: Final = 300_000


@dataclass(slots=True)
class Owed:
    """What one number's disks held against its copies."""

    number: str
    histories: Sequence[History]
    copies: Mapping[int, Sequence[Line]]
    """Epoch → rows by seq."""
    cursors: Mapping[int, Cursor]
    key: bytes
    """Of the account hashes."""
    say: Say
    restored: bool = False
    """Whether a backup was restored in this run."""
    roomy: bool = False
    """Whether its disk had room and its clock was right all the time."""
    gone_for_good: int = 0
    overtaken: int = 0
    spliced: int = 0
    with_disks: int = 0
    """Events that went with a disk."""
    _followed: dict[int, Sequence[Written]] = field(default_factory=dict)
    _lost: dict[int, set[int]] = field(default_factory=dict)
    _other: dict[tuple[int, int], Line] = field(default_factory=dict)
    """Rows before a loss that are another history's than the one followed."""

    def check(self) -> None:
        """Look at all of it."""
        for epoch, rows in self.copies.items():
            self._follow(epoch, rows)
        for each in self.histories:
            self._carried(each.chronicle)
            for epoch, written in each.chronicle.epochs.items():
                self._stored(each, epoch, written)

    # --- what is stored was written

    def _follow(self, epoch: int, rows: Sequence[Line]) -> None:
        """Find the history that a copy follows, and compare row by row."""
        place = where((self.number, epoch))
        some = [
            each.chronicle.epochs[epoch]
            for each in self.histories
            if epoch in each.chronicle.epochs
        ]
        if not some:
            if rows:
                self.say("as_written", place, f"{len(rows)} rows of an epoch that no disk had")
            return
        following, mark = self.cursors.get(epoch, (1, str(epoch)))
        fitting = [each for each in some if _mark(each, epoch, following - 1) == mark]
        if not fitting:
            what = f"the cursor ({following}, {mark}) is no place in any of its histories"
            self.say("one_history", place, what)
        followed = (fitting or some)[0]
        self._followed[epoch] = followed
        last_loss = max((row["seq"] for row in rows if row["kind"] == "journal_lost"), default=0)
        for row in rows:
            if row["seq"] < last_loss and self._is_of(some, row):
                if not self._is_of([followed], row):
                    self.spliced += 1
                    self._other[epoch, row["seq"]] = row
                continue
            self._compare(place, epoch, followed, row)

    def _is_of(self, some: Sequence[Sequence[Written]], row: Line) -> bool:
        """Say if one of these histories has just this row."""
        body = json.loads(row["body"])
        found = (_at(written, row["seq"]) for written in some)
        return any(
            one is not None and body == expected_body(one.event, row["received_at"], self.key)
            for one in found
        )

    def _compare(self, place: str, epoch: int, followed: Sequence[Written], row: Line) -> None:
        seq: int = row["seq"]
        if row["kind"] == "journal_lost":
            through = json.loads(row["body"])["through"]
            self._lost.setdefault(epoch, set()).update(range(seq, through + 1))
            self._lost_rightly(place, epoch, seq, through)
            self._lost_in_time(place, followed, row, through)
            return
        found = _at(followed, seq)
        if found is None:
            self.say("as_written", place, f"seq {seq} is stored and was never written")
            return
        event = found.event
        body = json.loads(row["body"])
        if body != expected_body(event, row["received_at"], self.key) and not _stands_in(
            event, row, body, self.key
        ):
            what = f"seq {seq} is stored as {row['body']}, and was written as {_text(event)}"
            self.say("as_written", place, what)
        elif row["kind"] != body["kind"] or ms(row["at"]) != _rule_time(body, row):
            self.say("as_written", place, f"seq {seq}: kind or time is not the event's")

    def _lost_rightly(self, place: str, epoch: int, first: int, through: int) -> None:
        for seq in range(first, through + 1):
            gone = [one for each in self.histories if (one := _gone(each.chronicle, epoch, seq))]
            if not gone:
                what = f"seq {seq} is declared lost in {first}…{through}, and no journal dropped it"
                self.say("lost_rightly", place, what)
            elif not any(one.acknowledged or not one.money for one in gone):
                what = f"seq {seq} is lost: money that was not acknowledged"
                self.say("lost_rightly", place, what)

    def _lost_in_time(
        self, place: str, followed: Sequence[Written], row: Line, through: int
    ) -> None:
        """See that what was dropped had been kept for its days, where there was room."""
        kept_ms = KEEP_ACKNOWLEDGED_DAYS * DAY_MS
        for each in followed if self.roomy else ():
            if row["seq"] <= each.seq <= through and ms(row["received_at"]) - each.at < kept_ms:
                self.say("lost_rightly", place, f"seq {each.seq} was dropped before its time")

    # --- what was written is stored

    def _carried(self, chronicle: Chronicle) -> None:
        """Look at what forks took with them."""
        moved: dict[tuple[int, int], list[int]] = {}
        for (epoch, seq), to in chronicle.moved.items():
            moved.setdefault((epoch, to), []).append(seq)
        for (epoch, to), seqs in moved.items():
            whole = chronicle.epochs[epoch]
            old = [one.event for seq in sorted(seqs) if (one := _at(whole, seq)) is not None]
            new = [each.event for each in chronicle.epochs.get(to, ())[: len(old)]]
            if old != new:
                what = f"of {len(old)} events that a fork moved, epoch {to} does not begin with all"
                self.say("fork_carries", where((self.number, epoch)), what)

    def _stored(self, history: History, epoch: int, written: Sequence[Written]) -> None:
        place = where((self.number, epoch))
        head = history.head
        if (
            history.present
            and head is not None
            and epoch == head.epoch != max(history.chronicle.epochs)
        ):
            self.say("stored", place, "a journal has gone back to an older epoch")
        following = self.cursors.get(epoch, (1, ""))[0]
        common = _common(written, self._followed.get(epoch, ()))
        for each in written:
            if each.seq <= common and each.seq < following:
                continue
            if (epoch, each.seq) in history.chronicle.moved:
                continue
            other = self._other.get((epoch, each.seq))
            if other is not None and self._is_of([written], other):
                continue
            self._missing(history, epoch, each.seq, diverged=each.seq > common)

    def _missing(self, history: History, epoch: int, seq: int, *, diverged: bool) -> None:
        place, gone = where((self.number, epoch)), history.chronicle.gone.get((epoch, seq))
        if gone is not None and self._declared_after_a_fork(history.chronicle, epoch, seq):
            return
        if not history.present:
            self.with_disks += 1
            return
        head = history.head
        is_older = head is not None and epoch != head.epoch
        if gone is not None and self.restored and is_older:
            self.gone_for_good += 1
            return
        if diverged and self.restored and len(self.histories) > 1:
            self.overtaken += 1
            return
        what = f"seq {seq} is on its disk and not stored"
        if gone is not None:
            what = f"seq {seq} was dropped and is neither stored nor declared lost"
        self.say("stored", place, what)

    def _declared_after_a_fork(self, chronicle: Chronicle, epoch: int, seq: int) -> bool:
        """Say if the epoch after a fork declares what was dropped before it."""
        for to, (left, first) in chronicle.forks.items():
            following = seq - first + 1
            if left == epoch and following >= 1:
                declared = following in self._lost.get(to, ())
                return declared or self._declared_after_a_fork(chronicle, to, following)
        return False


def _at(written: Sequence[Written], seq: int) -> Written | None:
    """Return the event of a seq; a fork may have left some out."""
    place = bisect_left(written, seq, key=attrgetter("seq"))
    return written[place] if place < len(written) and written[place].seq == seq else None


def _gone(chronicle: Chronicle, epoch: int, seq: int) -> Gone | None:
    """Return how an event was dropped: here, or in the epoch that a fork has left."""
    if (epoch, seq) in chronicle.gone:
        return chronicle.gone[epoch, seq]
    if epoch not in chronicle.forks or _at(chronicle.epochs.get(epoch, ()), seq) is not None:
        return None
    left, first = chronicle.forks[epoch]
    return _gone(chronicle, left, seq + first - 1)


def _mark(written: Sequence[Written], epoch: int, seq: int) -> str | None:
    """Return the mark of a seq; of one that a fork left out, that of the event before it."""
    before = bisect_right(written, seq, key=attrgetter("seq"))
    if before == len(written) and (not written or written[-1].seq < seq) and seq > 0:
        return None
    return written[before - 1].mark if before else str(epoch)


def _common(one: Sequence[Written], other: Sequence[Written]) -> int:
    """Return up to which seq two histories are the same; marks tell of all before them."""
    count = min(len(one), len(other))
    while count and one[count - 1].mark != other[count - 1].mark:
        count -= 1
    return one[count - 1].seq if count else 0


def expected_body(event: bytes, received_at: datetime, key: bytes) -> Any:
    """Return what the copy holds of an event: as sent, accounts masked, the clock judged."""
    body = json.loads(event)
    if not isinstance(body, dict):
        return None
    _mask(body, key)
    at, received = body.get("at"), ms(received_at)
    if type(at) is int and not received - BEHIND_MS <= at <= received + AHEAD_MS:
        body["clock"] = "untrusted"
    return body


def _mask(value: Any, key: bytes) -> None:
    if isinstance(value, dict):
        if "account" in value:
            value["account"] = stored_account(value["account"], key)
        for each in value.values():
            _mask(each, key)
    elif isinstance(value, list):
        for each in value:
            _mask(each, key)


def _stands_in(event: bytes, row: Line, body: Mapping[str, Any], key: bytes) -> bool:
    """Say if an event that the service cannot take as it is has what stands for it."""
    batch = Batch(epoch=Epoch(row["epoch"]), first=row["seq"], prev="0" * 16, last="0" * 16)
    read = read_batch(encode_batch(batch, [event]), row["received_at"], key)
    if body["kind"] == "unreadable":
        return isinstance(read, Refused) and body["size"] == len(event)
    if body["kind"] == "quarantined":
        return not isinstance(read, Refused) and bool(read.quarantined)
    return False


def _rule_time(body: Mapping[str, Any], row: Line) -> int:
    if body.get("clock") == "untrusted" or body["kind"] == "quarantined":
        return ms(row["received_at"])
    return int(body["at"])


def _text(event: bytes) -> str:
    return event.decode("utf-8", "replace")


def by_epoch(rows: Iterable[Line]) -> dict[int, list[Line]]:
    """Return the rows of one terminal by epoch, in their order."""
    found: dict[int, list[Line]] = {}
    for row in rows:
        found.setdefault(row["epoch"], []).append(row)
    for some in found.values():
        some.sort(key=lambda row: int(row["seq"]))
    return found
