"""Times as clients write them."""

from datetime import UTC, datetime

import pytest

from desk.times import ALWAYS, FOREVER, read, read_bound

MOMENT = datetime(2026, 11, 23, 4, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T04:52:00Z", "2026-11-23t04:52:00z", "2026-11-23T07:52:00.000+03:00",
     "2026-11-23T07:52:00 03:00", "2026-11-23 04:52:00Z"],
)  # fmt: skip
def test_one_moment_has_many_spellings(text: str) -> None:
    """Small letters, offsets, and a plus that arrived as a space name the same moment."""
    assert read(text) == read_bound(text) == MOMENT


@pytest.mark.parametrize("text", ["", "now", "2026-11-23", "2026-11-23T04:52:00", "2026-13-01T0Z"])
def test_what_is_no_moment(text: str) -> None:
    """Without a date, a time and a zone it is no moment, and no bound."""
    assert read(text) is None
    assert read_bound(text) is None


@pytest.mark.parametrize(
    ("text", "bound"), [("0001-01-01T00:00:00Z", ALWAYS), ("9999-12-31T23:59:59Z", FOREVER)]
)
def test_the_ends_of_time_are_bounds_and_no_moments(text: str, bound: datetime) -> None:
    """A client that asks for everything may say so; nothing happened then."""
    assert read_bound(text) == bound
    assert read(text) is None
