import json

import pytest

from collector.admission import Answered, Cursor, Taken, Why, ack, admit, begins, start
from wire.codec import encode
from wire.journal import Ack, Batch

AT_5 = Cursor(5, "aa")


def batch(first: int, *, prev: str = "aa", lost_from: int | None = None) -> Batch:
    """Return a batch head."""
    return Batch(epoch=7, first=first, prev=prev, last="bb", lost_from=lost_from)


@pytest.mark.parametrize(
    ("cursor", "head", "count", "decision"),
    [
        (AT_5, batch(5), 3, Taken(Cursor(8, "bb"))),
        (AT_5, batch(5, prev="cc"), 3, Answered(AT_5, Why.FORK)),
        (AT_5, batch(6), 1, Answered(AT_5, Why.HOLE)),
        (AT_5, batch(3), 2, Answered(AT_5, Why.REPETITION)),
        (AT_5, batch(3), 3, Answered(AT_5, Why.OVERLAP)),
        (AT_5, batch(9, prev="cc", lost_from=5), 2, Taken(Cursor(11, "bb"), 8)),
        (AT_5, batch(9, lost_from=5), 0, Taken(Cursor(9, "bb"), 8)),
        (AT_5, batch(9, lost_from=6), 2, Answered(AT_5, Why.HOLE)),
        (AT_5, batch(4, lost_from=2), 1, Answered(AT_5, Why.REPETITION)),
        (AT_5, batch(9, lost_from=2), 1, Answered(AT_5, Why.OVERLAP)),
        (None, batch(1, prev="7"), 2, Taken(Cursor(3, "bb"))),
        (None, batch(1, prev="8"), 2, Answered(Cursor(1, "7"), Why.FORK)),
        (None, batch(4, prev="7"), 2, Answered(Cursor(1, "7"), Why.HOLE)),
        (None, batch(4, lost_from=1), 2, Taken(Cursor(6, "bb"), 3)),
    ],
)
def test_what_is_taken(
    cursor: Cursor | None, head: Batch, count: int, decision: Taken | Answered
) -> None:
    """Exactly what begins at the cursor is taken; everything else is told why."""
    assert admit(cursor, head, count) == decision


def test_what_begins_a_journal() -> None:
    """A journal begins at seq 1 with the epoch as mark, or with a loss from 1."""
    assert begins(batch(1, prev="7"))
    assert begins(batch(3, lost_from=1))
    assert not begins(batch(1))
    assert start(7) == Cursor(1, "7")


def test_the_ack_is_that_of_the_contract() -> None:
    """The payload written by hand says what the contract's type says."""
    assert json.loads(ack(7, AT_5)) == json.loads(encode(Ack(epoch=7, next=5, mark="aa")))
