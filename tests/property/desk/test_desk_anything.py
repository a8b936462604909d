import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from desk import cursors, times
from desk.accounts import shown
from desk.sentences import TOLD_KINDS, sentence
from desk.tones import group_of, tone_of
from wire.events import KINDS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = sorted({name for kind in KINDS.values() for name in kind.__dataclass_fields__})
EVENTS = st.builds(
    lambda kind, fields: {**fields, "kind": kind},
    st.sampled_from(sorted(TOLD_KINDS)) | st.text(max_size=10),
    st.dictionaries(st.sampled_from(FIELDS) | st.just("through"), JSON, max_size=6),
)
FIRST = datetime(1970, 1, 1)  # noqa: DTZ001 - Hypothesis wants naive bounds
LAST = datetime(2200, 1, 1)  # noqa: DTZ001 - the same
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(EVENTS, st.sampled_from(["ru", "en"]), st.none() | st.integers(1, 2**53))
def test_no_event_is_without_a_sentence(event: dict[str, Any], language: Any, seq: Any) -> None:
    """However odd its fields: no exception, never an empty or endless text."""
    text = sentence(event, language, seq=seq)
    assert 0 < len(text) < 2000
    assert tone_of(event) in {"good", "bad", "warn", "plain"}
    assert group_of(str(event["kind"])) in {"money", "device", "service", "other"}


@given(JSON, JSON)
def test_no_account_leaves_but_masked(value: Any, account: Any) -> None:
    """Whatever stands under `account`, at any depth, goes out as a short masked text or null."""
    out = shown({"a": [value, {"account": account}]})
    assert out["a"][1]["account"] in (None, "***") or isinstance(account, dict)
    stored = {"masked": "+7 9** *67", "hash": "f" * 32}
    whole = json.dumps(shown([{"x": {"account": stored}}, {"account": stored}]))
    assert "f" * 32 not in whole
    assert whole.count("+7 9** *67") == 2


@given(MOMENTS, st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_cursor_is_its_key(at: datetime, epoch: int, seq: int) -> None:
    """Writing and reading are inverses."""
    assert cursors.read(cursors.write((at, epoch, seq)), (datetime, int, int)) == (at, epoch, seq)


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    """Never an exception."""
    cursors.read(text, (datetime, int, int))
    times.read(text)


@given(MOMENTS)
def test_a_time_reads_back_to_the_millisecond(moment: datetime) -> None:
    """RFC 3339 out, RFC 3339 in."""
    back = times.read(times.rfc3339(moment))
    assert back == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
