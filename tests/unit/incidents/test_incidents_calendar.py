"""The production calendar: announced, imported, unknown; and what a case's term says of it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.calendar import ANNOUNCED, Calendar, Due, YearUnknown, announced, due, zone

UNKNOWN = next(year for year in range(2026, 2100) if not announced(year))
"""The first year that nobody has announced; a newer package knows more."""
DECEMBER = datetime(UNKNOWN - 1, 12, 29, 9, tzinfo=UTC)


def test_a_year_that_nobody_announced_is_refused() -> None:
    """Its fixed holidays are known, what is moved is not: no answer is better than a wrong one."""
    assert ANNOUNCED.is_working_day(date(2025, 11, 1))
    with pytest.raises(YearUnknown) as refused:
        ANNOUNCED.is_working_day(date(UNKNOWN, 6, 1))
    assert refused.value.year == UNKNOWN
    assert "kvitok calendar import" in str(refused.value)


def test_a_case_opens_all_the_same_and_says_what_was_guessed() -> None:
    """In December of the last known year a term lies in the next."""
    term = due(DECEMBER, zone_name=None, working_days=5)
    assert term.guessed == (UNKNOWN,)
    assert term.is_guessed
    assert not Due(DECEMBER).is_guessed
    assert term.at > datetime(UNKNOWN, 1, 9, tzinfo=UTC), "the fixed holidays are off in any year"


def test_an_imported_year_is_known_and_its_days_count() -> None:
    """One more day off moves the term by one working day, and nothing is guessed any more."""
    guess = due(DECEMBER, zone_name=None, working_days=5)
    last = guess.at.astimezone(zone(None)).date()
    more = due(DECEMBER, zone_name=None, working_days=5, calendar=Calendar({last: False}))
    assert not more.is_guessed
    assert more.at > guess.at
    assert Calendar({last: False}).knows(UNKNOWN)


def test_what_is_imported_wins_over_what_was_announced() -> None:
    """A region's own holiday, or a working Saturday told late."""
    monday, saturday = date(2026, 6, 15), date(2026, 6, 20)
    there = Calendar({monday: False, saturday: True})
    assert ANNOUNCED.is_working_day(monday)
    assert not there.is_working_day(monday)
    assert there.is_working_day(saturday)
    assert not ANNOUNCED.is_working_day(saturday)


def test_the_last_known_year() -> None:
    """Years in a row: one imported behind a gap is not reached."""
    assert ANNOUNCED.last_known(2020) == UNKNOWN - 1
    assert ANNOUNCED.last_known(UNKNOWN) is None
    assert Calendar({date(UNKNOWN, 1, 6): False}).last_known(2020) == UNKNOWN
    assert Calendar({date(UNKNOWN + 1, 1, 6): False}).last_known(2020) == UNKNOWN - 1


@given(
    opened=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    working_days=st.integers(1, 12),
    days=st.dictionaries(st.dates(date(2020, 1, 1), date(2041, 1, 1)), st.booleans(), max_size=40),
    zone_name=st.sampled_from([None, "Asia/Yekaterinburg", "Asia/Kamchatka"]),
)
def test_a_term_has_so_many_working_days(
    opened: datetime, working_days: int, days: dict[date, bool], zone_name: str | None
) -> None:
    """Exactly so many, the last of them the term's; guessed years are exactly the unknown ones."""
    calendar = Calendar(days)
    term = due(opened, zone_name=zone_name, working_days=working_days, calendar=calendar)
    first = opened.astimezone(zone(zone_name)).date()
    last = term.at.astimezone(zone(zone_name)).date()
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(calendar.is_usually_working(day) for day in between) == working_days
    assert calendar.is_usually_working(last)
    assert term.guessed == tuple(
        sorted({day.year for day in between if not calendar.knows(day.year)})
    )
