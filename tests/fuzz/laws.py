"""What holds of everything that a parser accepts or refuses: it can be stored, it has a name."""

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

DEPTH_MAX: Final = 110
"""The reader's own bound is 100 inside of one event."""
_REASON: Final = re.compile(r"[a-z0-9_]+(: [a-z0-9_ ]+)*")
_UNHOLDABLE: Final = re.compile("[\x00\ud800-\udfff]")
_DOUBLE_MAX: Final = 1.7976931348623157e308


def is_named(reason: str) -> None:
    """See that a refusal has a reason of our words, with nothing of the sender's."""
    assert len(reason) <= 100, reason
    assert _REASON.fullmatch(reason), reason


def is_told(error: Exception) -> None:
    """See that a person is told something."""
    assert str(error)


def is_text(text: str) -> None:
    """See that PostgreSQL can hold a text."""
    assert not _UNHOLDABLE.search(text), repr(text[:200])


def is_storable(value: Any) -> None:
    """See that jsonb can hold a value, and a double each number in it."""
    for each, depth in _walk(value):
        assert depth <= DEPTH_MAX
        if isinstance(each, str):
            is_text(each)
        elif isinstance(each, float):
            assert math.isfinite(each)
        elif isinstance(each, int):
            assert abs(each) <= _DOUBLE_MAX


def is_masked(value: Any) -> None:
    """See that no field named `account` holds anything but its mask and hash."""
    for each, _ in _walk(value):
        if isinstance(each, dict) and each.get("account") is not None:
            account = each["account"]
            assert isinstance(account, dict), account
            assert account.keys() == {"masked", "hash"}
            assert re.fullmatch("[0-9a-f]{32}", account["hash"])


def json_of(text: str) -> Any:
    """Return the JSON value of a text, `NaN` and the like refused as PostgreSQL does."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def is_argument(value: object) -> None:
    """See that a driver can send a value to PostgreSQL: texts, 64 bits, times with a zone."""
    if isinstance(value, str):
        is_text(value)
    elif isinstance(value, int):
        assert -(2**63) <= value < 2**63
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, datetime):
        assert value.tzinfo is not None
    elif isinstance(value, list | tuple):
        for each in value:
            is_argument(each)


def _walk(value: Any) -> Iterator[tuple[Any, int]]:
    """Yield every value inside a JSON value, keys too, with its depth; without recursion."""
    waiting = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        yield each, depth
        if isinstance(each, dict):
            waiting.extend((inner, depth + 1) for inner in (*each.keys(), *each.values()))
        elif isinstance(each, list):
            waiting.extend((inner, depth + 1) for inner in each)


def moment(at_ms: int) -> datetime:
    """Return the moment of Unix milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
