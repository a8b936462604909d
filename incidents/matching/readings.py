"""What a day and a time of day mean together: intervals of wall time, the likeliest first."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from incidents.matching.clock import Clock
from incidents.matching.day import Day
from incidents.matching.parts import NOON
from incidents.matching.waits import Moment

Reading = tuple[datetime, datetime, datetime]
"""From, to and best."""
SLOW: Final = timedelta(minutes=20)
"""What a clock may be slow."""
DATED: Final = 0.92
"""What a calendar date with a time in digits is worth at least."""
DAY_UNSAID: Final = 0.65
"""What a time of day is worth whose day nobody named."""


@dataclass(frozen=True, slots=True)
class Now:
    """When a passage was written: the writer's wall time, and how far ahead a terminal's may be."""

    wall: datetime
    ahead: timedelta

    @property
    def latest(self) -> datetime:
        """Return what has been for certain, however slow the writer's clock."""
        return self.wall + SLOW


def at(now: Now, clock: Clock, day: Day | None, span: tuple[int, int]) -> Moment:
    """Return a time of day on its day; without a day, the last such time."""
    first = day.first if day else now.wall.date()
    if day and day.night:
        clock = _of_night(clock)
        first = day.last if clock.best < NOON else day.first
    several = bool(day and day.last != day.first and not day.night)
    readings = _readings(first, clock, day, several=several)
    past = [each for each in readings if each[0] <= now.latest] or _ahead(now, readings)
    if not day:
        past += [each for each in readings if now.latest < each[0] <= now.latest + now.ahead]
    low, high, best = _until(past[0], now.latest + now.ahead)
    precision = "period" if several else clock.precision
    return Moment(*span, low, high, best, precision, _sureness(clock, day), tuple(past[1:4]))


def _sureness(clock: Clock, day: Day | None) -> float:
    sureness = clock.confidence * (day.confidence if day else DAY_UNSAID)
    if clock.precision == "exact":
        return max(sureness, DATED) if day and day.explicit else sureness
    return sureness * 0.8 if clock.half else sureness


def _readings(first: date, clock: Clock, day: Day | None, *, several: bool) -> list[Reading]:
    """Return what a time of day on a day may mean, the likeliest first."""
    readings = [_reading(first, clock)]
    if clock.half:
        move = -NOON if clock.best >= NOON else NOON
        low, high, best = clock.low + move, clock.high + move, clock.best + move
        readings.append(_reading(first, replace(clock, low=low, high=high, best=best)))
    if day and several:
        days = timedelta(days=(day.last - day.first).days)
        early, late, middle = readings[0]
        readings = [(early, late + days, middle + days / 2), *readings[1:]]
    if not day:  # today, or the last such time: but a day may be said in words unknown here
        readings += [_shift(each, -1 - n) for n in range(2) for each in readings]
    for first_day, _ in day.alternatives if day else ():
        readings.append(_reading(first_day, clock))
    if clock.precision == "part_of_day" and clock.low == 0:  # "at night" begins the evening before
        readings = [*_nights(day, readings), *readings[1:]]
    return readings


def _of_night(clock: Clock) -> Clock:
    """Return a clock as it is meant in a night: 9 is 21, and 12 is midnight."""
    best = clock.best % NOON
    if best >= 8 * 60:
        best += NOON
    move = best - clock.best
    return replace(clock, low=clock.low + move, high=clock.high + move, best=best, half=False)


def _nights(day: Day | None, readings: list[Reading]) -> list[Reading]:
    low, high, _ = readings[0]
    if day and day.night:
        low = datetime.combine(day.first, time(22))
        high = datetime.combine(day.last, time(6))
        return [(low, high, low + (high - low) / 2)]
    if day and day.explicit:
        return [
            (low, high + timedelta(hours=18), low + timedelta(hours=3)),
            _shift((low, high, low), 1),
        ]
    low -= timedelta(hours=2)
    return [
        (low, high, low + (high - low) / 2),
        (low + timedelta(days=1), high + timedelta(days=1), high + timedelta(hours=20)),
    ]


def _ahead(now: Now, readings: list[Reading]) -> list[Reading]:
    """Return readings that lie in the future, and what may have been meant the day before."""
    soon = [each for each in readings if each[0] <= now.latest + now.ahead]
    return [*soon, *(_shift(each, -1) for each in soon)] if soon else readings


def _until(reading: Reading, limit: datetime) -> Reading:
    low, high, best = reading
    if low <= limit < high:
        high = limit
        best = min(best, high)
    return low, high, best


def _reading(day: date, clock: Clock) -> Reading:
    return _minute(day, clock.low), _minute(day, clock.high), _minute(day, clock.best)


def _shift(reading: Reading, days: int) -> Reading:
    low, high, best = (each + timedelta(days=days) for each in reading)
    return low, high, best


def whole(now: Now, day: Day) -> Moment:
    """Return a day, a night or a period without a time of day."""
    if day.night:
        low, high = datetime.combine(day.first, time(21)), datetime.combine(day.last, time(6))
        precision = "part_of_day"
    else:
        low = datetime.combine(day.first, time())
        high = datetime.combine(day.last, time()) + timedelta(days=1, minutes=-1)
        precision = "day" if day.first == day.last else "period"
    if low <= now.wall:
        high = min(high, now.wall + now.ahead)
    others = tuple(
        (
            a := datetime.combine(f, time()),
            datetime.combine(t, time()) + timedelta(minutes=1439),
            a + timedelta(hours=14),
        )
        for f, t in day.alternatives
    )
    return Moment(
        day.start, day.end, low, high, low + (high - low) / 2, precision, day.confidence, others
    )


def _minute(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)
