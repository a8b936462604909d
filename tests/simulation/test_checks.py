"""A check that cannot fail is worth nothing: each law finds what is made wrong by hand."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.store import Head
from incidents.times import instant
from tests.simulation.copies import Copies, Memory
from tests.simulation.disk import Chronicle, Gone, History, Written
from tests.simulation.owed import Owed, expected_body
from wire.journal import Epoch, Mark, first_mark, mark_after

AT = 1_795_413_600_000
EPOCH = AT
RECEIVED = instant(AT + 5_000)
KEY = b"key"


class Said:
    """Keeps the laws that were found broken."""

    def __init__(self) -> None:
        self.laws: list[str] = []

    def __call__(self, law: str, _place: str, what: str) -> None:
        """Keep one."""
        assert what
        self.laws.append(law)


@pytest.fixture
def said() -> Said:
    """Return where violations go."""
    return Said()


def event(seq: int, epoch: int = EPOCH, **body: Any) -> dict[str, Any]:
    """Return a stored row."""
    whole = {"kind": "x", "at": AT + seq, "n": seq, **body}
    return {
        "terminal": "T",
        "epoch": epoch,
        "seq": seq,
        "kind": whole["kind"],
        "at": instant(whole["at"]),
        "received_at": RECEIVED,
        "body": json.dumps(whole),
    }


def cursor(following: int, mark: str = "m") -> dict[str, Any]:
    """Return a row of `journal`."""
    return {"terminal": "T", "epoch": EPOCH, "next_seq": following, "mark": mark}


def commit(
    copies: Copies, *events: dict[str, Any], to: int, mark: str = "m", prev: str | None = None
) -> None:
    """Show a commit of rows that moves the cursor."""
    rows = {(each["seq"], id(each)): each for each in events}
    first, known = copies.cursors.get(("T", EPOCH), (1, str(EPOCH)))
    batch = {"epoch": EPOCH, "first": first, "prev": prev or known, "last": mark}
    copies.sent("T", json.dumps({**batch, "events": [1] * (to - first)}).encode())
    copies.committed({"event": rows, "journal": {"T": cursor(to, mark)}}, 0.0)


# --- copies


def test_a_copy_as_it_should_be_says_nothing(said: Said) -> None:
    """Rows in order, a lost range as one row, a cursor behind them, an ack of it."""
    copies = Copies(said)
    commit(copies, event(1), event(2), to=3, mark="a")
    commit(copies, event(3, kind="journal_lost", through=7), event(8), to=9, mark="b")
    copies.acked("T", json.dumps({"epoch": EPOCH, "next": 9, "mark": "b"}).encode())
    copies.acked("T", json.dumps({"epoch": EPOCH, "next": 3, "mark": "a"}).encode())
    copies.acked("T", json.dumps({"epoch": 5, "next": 1, "mark": "5"}).encode())
    assert said.laws == []


@pytest.mark.parametrize(
    ("events", "to", "law"),
    [
        ([event(1)], 2, "stored_once"),
        ([event(4)], 5, "no_hole"),
        ([], 4, "cursor_is_rows"),
        ([event(3)], 3, "cursor_is_rows"),
        ([], 2, "cursor_forward"),
    ],
)
def test_a_wrong_commit_is_found(
    said: Said, events: list[dict[str, Any]], to: int, law: str
) -> None:
    """Twice, a hole, a cursor without rows, rows without a cursor, a cursor that goes back."""
    copies = Copies(said)
    commit(copies, event(1), event(2), to=3)
    commit(copies, *events, to=to)
    assert law in said.laws


def test_a_row_that_vanishes_and_a_mark_that_changes_are_found(said: Said) -> None:
    """What is committed stays."""
    copies = Copies(said)
    commit(copies, event(1), to=2)
    copies.committed({"event": {1: None}}, 0.0)
    commit(copies, to=2, mark="other")
    assert said.laws == ["rows_stay", "cursor_forward"]


def test_an_ack_of_what_is_not_committed_is_found(said: Said) -> None:
    """Beyond the cursor, or with another mark."""
    copies = Copies(said)
    commit(copies, event(1), to=2)
    copies.acked("T", json.dumps({"epoch": EPOCH, "next": 3, "mark": "m"}).encode())
    copies.acked("T", json.dumps({"epoch": EPOCH, "next": 2, "mark": "n"}).encode())
    assert said.laws == ["ack_committed"] * 2


def test_after_a_restore_only_what_was_true_before_may_still_be_said(said: Said) -> None:
    """A frozen collector's ack is counted, not forgiven to be wrong."""
    copies = Copies(said)
    commit(copies, event(1), to=2, mark="a")
    memory = copies.memory()
    commit(copies, event(2), to=3, mark="b")
    tables = {"journal": [cursor(2, "a")], "event": [event(1)], "fold_position": []}
    copies.restored(tables, memory)
    copies.acked("T", json.dumps({"epoch": EPOCH, "next": 3, "mark": "b"}).encode())
    assert (copies.stale_acks, said.laws) == (1, [])
    copies.acked("T", json.dumps({"epoch": EPOCH, "next": 3, "mark": "c"}).encode())
    assert said.laws == ["ack_committed"]


def test_a_restored_database_that_does_not_fit_itself_is_found(said: Said) -> None:
    """Cursor and rows of a backup are of one moment."""
    tables = {"journal": [cursor(3)], "event": [event(1)], "fold_position": []}
    Copies(said).restored(tables, Memory({}, {}))
    assert said.laws == ["cursor_is_rows"]


@pytest.mark.parametrize("until", [1, 9])
def test_a_fold_that_goes_back_or_too_far_is_found(said: Said, until: int) -> None:
    """Positions only go on, and never beyond what is stored."""
    copies = Copies(said)
    commit(copies, event(1), event(2), to=3)
    for each in (2, until):
        row = {"terminal": "T", "epoch": EPOCH, "next_seq": each}
        copies.committed({"fold_position": {"T": row}}, 0.0)
    assert said.laws == ["folded_is_stored"]


def test_a_batch_that_continues_another_history_is_found(said: Said) -> None:
    """The mark before a batch is that of the cursor which it moves."""
    copies = Copies(said)
    commit(copies, event(1), to=2, mark="a")
    commit(copies, event(2), to=3, mark="b", prev="another")
    assert said.laws == ["continues"]


# --- what disks held


def disk(count: int, *, epoch: int = EPOCH, money: bool = False, salt: str = "") -> list[Written]:
    """Return a history of so many events."""
    written, mark = [], first_mark(Epoch(epoch))
    for seq in range(1, count + 1):
        body = {"kind": "x", "at": AT + seq, "n": seq, **({"salt": salt} if salt else {})}
        bare = json.dumps(body).encode()
        mark = mark_after(mark, bare)
        written.append(Written(seq, bare, mark, money, AT + seq, 0.0))
    return written


def history(written: list[Written], *, present: bool = True, epoch: int = EPOCH) -> History:
    """Return a disk with one epoch."""
    chronicle = Chronicle()
    chronicle.epochs[epoch] = written
    head = Head(epoch=Epoch(epoch), next=len(written) + 1, mark=Mark(written[-1].mark), acked=1)
    return History("T/1", present, head, chronicle)


def owed(said: Said, some: History, rows: list[dict[str, Any]], **more: Any) -> Owed:
    """Return the comparison of one disk with one copy."""
    following = rows[-1]["seq"] + 1
    mark = some.chronicle.epochs[EPOCH][min(following, len(some.chronicle.epochs[EPOCH]) + 1) - 2]
    return Owed(
        number="T",
        histories=[some],
        copies={EPOCH: rows},
        cursors={EPOCH: (following, mark.mark)},
        key=KEY,
        say=said,
        **more,
    )


def test_an_exact_copy_says_nothing(said: Said) -> None:
    """Everything written is stored as written."""
    owed(said, history(disk(3)), [event(1), event(2), event(3)]).check()
    assert said.laws == []


@pytest.mark.parametrize(
    ("rows", "law"),
    [
        ([event(1), event(2)], "stored"),
        ([event(1), event(2, n=7), event(3)], "as_written"),
        ([event(1), event(2), event(3, kind="y")], "as_written"),
        ([event(1), event(2), event(3), event(4)], "as_written"),
        ([event(1), event(2, kind="journal_lost", through=3)], "lost_rightly"),
    ],
)
def test_a_wrong_copy_is_found(said: Said, rows: list[dict[str, Any]], law: str) -> None:
    """Missing, changed, made up, declared lost and still held."""
    owed(said, history(disk(3)), rows).check()
    assert law in said.laws


def test_lost_money_is_found_and_what_may_be_lost_is_not(said: Said) -> None:
    """A declared loss of what was dropped for room is right, but for unacknowledged money."""
    rows = [event(1, kind="journal_lost", through=1), event(2)]
    some = history(disk(2))
    some.chronicle.gone[EPOCH, 1] = Gone(acknowledged=False, money=False)
    owed(said, some, rows).check()
    assert said.laws == []
    owed(said, some, rows, roomy=True).check()
    assert said.laws == ["lost_rightly"]
    some.chronicle.gone[EPOCH, 1] = Gone(acknowledged=False, money=True)
    owed(said, some, rows).check()
    assert said.laws == ["lost_rightly"] * 2


def test_a_copy_that_mixes_two_histories_is_found(said: Said) -> None:
    """Rows of one history under the mark of another."""
    whole = owed(said, history(disk(3)), [event(1), event(2), event(3)])
    whole.cursors = {EPOCH: (4, disk(3, salt="other")[-1].mark)}
    whole.check()
    assert said.laws == ["one_history"]


def test_a_fork_that_forgets_is_found(said: Said) -> None:
    """What a fork took out of an epoch must begin the new one."""
    some = history(disk(3))
    some.chronicle.moved[EPOCH, 3] = EPOCH + 9
    some.chronicle.epochs[EPOCH + 9] = disk(3, epoch=EPOCH + 9)[2:]
    some = replace(some, head=None)
    check = owed(said, some, [event(1), event(2)])
    check.check()
    assert said.laws == ["stored"]  # the new epoch's event is not stored
    some.chronicle.epochs[EPOCH + 9] = []
    check.check()
    assert said.laws == ["stored", "fork_carries"]


def test_a_disk_that_is_gone_owes_nothing(said: Said) -> None:
    """What only a replaced disk held is counted, not claimed."""
    check = owed(said, history(disk(3), present=False), [event(1), event(2)])
    check.check()
    assert (said.laws, check.with_disks) == ([], 1)


def test_accounts_are_masked_at_any_depth_and_clocks_judged() -> None:
    """What the copy holds is worked out without the collector's reader."""
    bare = json.dumps({"kind": "x", "at": 5, "deep": [{"account": "79161234567"}]}).encode()
    body = expected_body(bare, datetime(2026, 1, 1, tzinfo=UTC), KEY)
    assert body["deep"][0]["account"]["masked"] == "+7 916 ***-**-67"
    assert body["clock"] == "untrusted"
