import json
import zlib
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.admission import Answered, Cursor, Taken, admit
from collector.reading import Readable, Refused, read_batch
from wire.journal import Batch

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = "79165550167"  # noqa: S105 - an account

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
keys = st.sampled_from(["account", "Account", "kind", "at", "x"]) | st.text(max_size=4)
json_values = st.recursive(
    scalars | st.just(SECRET) | st.just(int(SECRET)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
events = st.dictionaries(keys, json_values, max_size=5).map(
    lambda fields: {"kind": "x", "at": 1, **fields}
)


def _hide(value: Any) -> Any:
    """Return the value with everything outside of accounts made harmless."""
    if isinstance(value, dict):
        return {
            str(key).replace("7", "8"): each if key == "account" else _hide(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_hide(each) for each in value]
    return None if str(value) == SECRET else value


def _batch(found: list[Any], *, ascii_only: bool) -> bytes:
    head = {"epoch": 7, "first": 1, "prev": "7", "last": "ab", "events": found}
    return json.dumps(head, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@given(st.lists(st.builds(_hide, events | json_values), min_size=1, max_size=4), st.booleans())
def test_accounts_never_survive(found: list[Any], ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    """For any JSON shape, what stood in a field named `account` is nowhere in what is stored."""
    read = read_batch(_batch(found, ascii_only=ascii_only), NOW, b"key")
    if isinstance(read, Readable):
        assert len(read.rows) == len(found)
        text = "".join(row.body for row in read.rows)
        text += "".join(each.body + each.reason for each in read.quarantined)
        assert SECRET not in text
        # PostgreSQL takes it: UTF-8 without NUL, and JSON.
        assert "\\u0000" not in "".join(row.body for row in read.rows)
        for row in read.rows:
            json.loads(row.body.encode("utf-8"))


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(payload: bytes, packed: bool) -> None:  # noqa: FBT001 - drawn
    """No payload raises."""
    body = zlib.compress(b"{" + payload) if packed else payload
    assert isinstance(read_batch(body, NOW, b"key"), Readable | Refused)


@given(
    st.dictionaries(
        st.sampled_from(["epoch", "first", "prev", "last", "lost_from", "events"]), json_values
    )
)
def test_any_head_is_read_or_refused(head: dict[str, Any]) -> None:
    """No head raises, whatever types its fields have."""
    payload = json.dumps(head).encode()
    assert isinstance(read_batch(payload, NOW, b"key"), Readable | Refused)


@given(st.data())
def test_each_event_is_stored_exactly_once(data: st.DataObject) -> None:
    """Split, repeat and reorder a journal: its copy is a prefix, and the cursor completes it."""
    size = data.draw(st.integers(1, 30))
    marks = ["7", *(f"{number:x}" for number in range(1, size + 1))]
    copy: list[int] = []
    cursor: Cursor | None = None

    def offer(first: int, count: int) -> Cursor:
        nonlocal cursor
        batch = Batch(epoch=7, first=first, prev=marks[first - 1], last=marks[first + count - 1])
        match admit(cursor, batch, count):
            case Taken(moved):
                copy.extend(range(first, first + count))
                cursor = moved
                return moved
            case Answered(now):
                return now

    for _ in range(data.draw(st.integers(0, 20))):
        first = data.draw(st.integers(1, size))
        answered = offer(first, data.draw(st.integers(1, size - first + 1)))
        assert copy == list(range(1, answered.next))
        assert answered.mark == marks[answered.next - 1]
    following = cursor.next if cursor else 1
    while following <= size:
        following = offer(following, data.draw(st.integers(1, size - following + 1))).next
    assert copy == list(range(1, size + 1))
