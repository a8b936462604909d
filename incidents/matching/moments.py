"""When a payment was made: days and times of day put together to intervals, never to a guess.

A `paid_at` is `{"from", "to", "best", "precision", "alternatives"}`: what is not understood
widens the interval (to the day at last) and never narrows it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from incidents.matching.clock import Clock
from incidents.matching.clocks import read_clocks, read_day_parts
from incidents.matching.cues import Cue, all_near
from incidents.matching.dates import read_short_days
from incidents.matching.day import Day
from incidents.matching.days import read_days
from incidents.matching.parts import GREETING, OPENING
from incidents.matching.passage import Fact, Origin
from incidents.matching.readings import Now, at, whole
from incidents.matching.waits import DEADLINE, Moment, read_ago, read_bounds
from incidents.matching.words import Sheet

_SAID: Final = (
    # Behind "called and said:" stands what happened.
    Cue("other", r"по состоянию на|(?:(?:по)?звонил\w?|обратил\w{1,3}|обращал\w{1,3}|писал\w?"
        r"|написал\w?|ответил\w?)(?![^.;!?\n]{0,60}:\s)"
        r"|звонок|звонк\w+|дозвон\w+|обращени\w|заявк\w|отвеча\w+|перезвон\w+"
        r"|позвон\w+(?![^.;!?\n]{0,60}:\s)|звоните|ждать|обещал\w?|сказали|рожден\w+|выдан\w?\b|паспорт\w*"
        r"|договор от|прописан\w*|пенси\w+|зарплат\w*|оплатить до|до какого|вернут"
        r"|ответ\w?|обновл\w+|действ\w+ до|called|born|дзвони[вл]\w*"
        r"|приходил\w* в офис|заявлени\w"),
    Cue("paid", r"внес\w*|внёс\w*|внос(?:ил\w?|ят|ит\w*)|положил\w?|клал\w?|ложил\w?"
        r"|закин\w+|кинул\w?|опла[тч]\w+|плат\w+|пополн\w+|терминал\w*|автомат\w*|аппарат\w*|чек\w*|дата|время"
        r"|засун\w+|сунул\w?|вставил\w?|съел\w?|сожрал\w?|проглот\w+|завис\w*"
        r"|перев[её]л\w?|совершил\w?|операци\w+|paid|поповн\w+|было это|случил\w+"
        r"|произошл\w+|отправил\w?|скин\w+|зачисл\w*"),
)  # fmt: skip

MAIN_CLOCK: Final = ZoneInfo("Europe/Moscow")
"""What most mailboxes of the fleet's customers keep."""
AHEAD_MAX: Final = timedelta(hours=9)
"""Kamchatka's clock before Moscow's."""
BESIDE: Final = 5
"""So near behind a day stands its own hour: "23 октября, в 10:54"."""
PHONE_MIN: Final = 9
"""So long a number behind "call" takes that word for itself."""


@dataclass(slots=True)
class _Read:
    """What a passage names, before it is put together."""

    sheet: Sheet
    now: Now
    zone: ZoneInfo
    days: list[Day] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    parts: list[Clock] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    bounds: list[Moment] = field(default_factory=list)


def read_moments(sheets: Sequence[Sheet], zone: ZoneInfo) -> list[Fact]:
    """Return the times of payment that the passages of one report name, as facts."""
    reads = [_read(sheet, zone) for sheet in sheets]
    lent = [
        day for read in reads if read.sheet.passage.origin == Origin.SUBJECT for day in read.days
    ]
    facts: list[Fact] = []
    for read in reads:
        spare = None if read.sheet.passage.origin == Origin.SUBJECT or read.days else lent[:1]
        used_elsewhere = read.sheet.passage.origin == Origin.SUBJECT and any(
            (other.clocks or other.days or other.moments) for other in reads if other is not read
        )
        if used_elsewhere and not read.clocks and not read.moments and _repeated(read, reads):
            continue
        found = _together(read, spare[0] if spare else None)
        facts += [_fact(read, moment) for moment in found]
    if not facts:
        facts = [_fact(read, bound) for read in reads for bound in read.bounds[:1]]
    return facts


def _repeated(read: _Read, reads: Sequence[_Read]) -> bool:
    """Tell whether a subject's day is said or used again below."""
    others = [other for other in reads if other is not read]
    if any(other.clocks and not other.days for other in others):
        return True
    own = {(day.first, day.last) for day in read.days}
    return own <= {(day.first, day.last) for other in others for day in other.days}


def _read(sheet: Sheet, zone: ZoneInfo) -> _Read:
    clock = _clock_of(sheet.passage.written_at, zone)
    now = clock.wall
    read = _Read(sheet, clock, zone)
    for pattern in (GREETING, OPENING, DEADLINE):
        for found in list(pattern.finditer(sheet.left)):
            sheet.take(*found.span())
    days = read_days(sheet, now.date())
    read.days = [day for day in days if _of_payment(sheet, day.start, day.end)]
    others = [day.end for day in days if day not in read.days]
    read.moments = [m for m in read_ago(sheet, now) if _of_payment(sheet, m.start, m.end)]
    read.bounds = read_bounds(sheet, now)
    named = list(read.days)
    short = read_short_days(sheet, now.date(), lambda found: _is_clock(sheet, found, named))
    read.days += [day for day in short if _of_payment(sheet, day.start, day.end)]
    read.clocks = [
        clock
        for clock in read_clocks(sheet)
        # The hour of a call on another day is no payment's on an unknown one.
        if _of_payment(sheet, clock.start, clock.end)
        and not any(0 <= clock.start - end <= BESIDE for end in others)
    ]
    read.parts = read_day_parts(sheet)
    read.days = _plain(read.days)
    return read


def _clock_of(written_at: datetime, zone: ZoneInfo) -> Now:
    """Return the wall time that a writer saw, and how far ahead of it a terminal's may be.

    A mailbox that keeps the fleet's main clock, or a server's, does not tell where its owner lives.
    """
    offset = written_at.utcoffset()
    at_home = written_at.astimezone(zone)
    if not offset or offset == at_home.utcoffset():
        return Now(at_home.replace(tzinfo=None), AHEAD_MAX)
    if offset == written_at.astimezone(MAIN_CLOCK).utcoffset():
        # The terminal that is named tells where the writer was.
        return Now(at_home.replace(tzinfo=None), timedelta(0))
    return Now(written_at.replace(tzinfo=None), timedelta(0))


_CLOCK_NEXT: Final = re.compile(r",? (?:в|около|примерно|at) [0-2]?[0-9][:.-][0-5][0-9]")


def _is_clock(sheet: Sheet, found: re.Match[str], named: Sequence[Day]) -> bool:
    """Tell whether `12.11` is a time: "at 12.11", or a date stands before it."""
    hour, minute = int(found["d"]), found["m"]
    if hour > 23 or len(minute) < 2:
        return False
    dated = hour >= 1 and _CLOCK_NEXT.match(sheet.even, found.end())
    if dated and not sheet.even.endswith(("в ", "во "), 0, found.start()):
        return False
    beside = [day for day in named if 0 <= found.start() - day.end <= 12 and day.first == day.last]
    if any((day.first.day, day.first.month) == (hour, int(minute)) for day in beside):
        return False
    if re.search(
        r"(?:\b(?:в|около|к|до|после|at|время|времени|о|примерно|с|v)[: ]{1,2})$",
        sheet.even[max(0, found.start() - 12) : found.start()],
    ):
        return True
    if re.match(r" ?(?:утра|вечера|дня|ночи|час|по мск|мск|ч\b)", sheet.even[found.end() :][:9]):
        return True
    return bool(beside)


def _of_payment(sheet: Sheet, start: int, end: int) -> bool:
    """Tell whether a time is not that of a call, a letter, a birthday."""
    near = [each for each in all_near(sheet, (start, end), _SAID, 50)
            if each.behind or "\x00" * PHONE_MIN not in sheet.left[each.end : start]]  # fmt: skip
    if not near or near[0].name == "paid":
        return True
    paid = next((each for each in near if each.name == "paid"), None)
    if re.search(r"(?:ждать|жду) (?:с|еще с) $", sheet.before(start, 12)):
        return True
    return bool(paid and paid.distance <= near[0].distance + 3)


def _plain(days: list[Day]) -> list[Day]:
    """Return the days without those that a calendar date beside them says again."""
    result = []
    for day in sorted(days, key=lambda each: each.start):
        beside = [
            o for o in days if o.explicit and not day.explicit and -45 < o.start - day.end < 45
        ]
        if beside and not day.night:
            continue
        result.append(day)
    return result


def _together(read: _Read, spare: Day | None) -> list[Moment]:
    """Return the moments of a passage: each time of day with its day, then days alone."""
    found = list(read.moments)
    timed: set[Day] = set()
    for clock in read.clocks:
        day = _day_for(read, clock) or spare
        found.append(_at(read, clock, day))
        timed |= {day} if day else set()
    found += _parts(read, spare, timed, told=bool(found))
    for day in sorted(read.days, key=lambda each: (each.last - each.first).days > 3):
        if day in timed or (found and not day.explicit):
            continue
        moment = whole(read.now, day)
        found.append(replace(moment, confidence=moment.confidence * (0.7 if found else 1)))
    return _different(_past(read, found))


def _parts(read: _Read, spare: Day | None, timed: set[Day], *, told: bool) -> list[Moment]:
    """Return the parts of days that have no time of day, and mark those days as timed."""
    found: list[Moment] = []
    for part in read.parts[:6]:
        day = _day_for(read, part) or spare
        known = day in timed if day else told or bool(found)
        if known or not _of_payment(read.sheet, part.start, part.end):
            continue
        timed |= {day} if day else set()
        found.append(_at(read, part, day))
    return found


def _past(read: _Read, found: list[Moment]) -> list[Moment]:
    """Return the moments that can have been; of one alone in the future, the day before."""
    limit = read.now.latest
    past = [each for each in found if each.low <= limit + read.now.ahead]
    if past or not found:
        return past
    first, day = found[0], timedelta(days=1)
    if first.low - day > limit:
        return []
    low, high, best = first.low - day, first.high - day, first.best - day
    return [replace(first, low=low, high=high, best=best, confidence=0.4, alternatives=())]


def _different(found: list[Moment]) -> list[Moment]:
    """Return the moments without those that another says as well or better."""
    result: list[Moment] = []
    order = {"exact": 0, "around": 1, "part_of_day": 2, "day": 3, "period": 4}
    for each in sorted(found, key=lambda m: (order[m.precision], m.start)):
        if any(
            each.low <= o.low and o.high <= each.high and each.precision != "exact" for o in result
        ):
            continue
        if any((o.low, o.high) == (each.low, each.high) for o in result):
            continue
        result.append(each)
    return sorted(result, key=lambda m: m.start)


def _day_for(read: _Read, clock: Clock) -> Day | None:
    """Return the day that a clock belongs to: of its sentence, or the nearest before, or after."""
    begin, close = read.sheet.sentence(clock.start)
    single = [day for day in read.days if (day.last - day.first).days <= 1 or not day.explicit]
    same = [day for day in single if begin <= day.start < close]
    if same:
        return min(same, key=lambda day: _gap(read.sheet, day, clock))
    before = [day for day in single if day.end <= clock.start]
    if before:
        return before[-1]
    return min(single, key=lambda day: day.start, default=None)


def _gap(sheet: Sheet, day: Day, clock: Clock) -> int:
    if day.end <= clock.start:
        between = sheet.even[day.end : clock.start]
        return len(between) + 10 * between.count(",")
    between = sheet.even[clock.end : day.start]
    return len(between) + 12 + 10 * between.count(",")


def _span(day: Day | None, clock: Clock) -> tuple[int, int]:
    if day and -1 <= clock.start - day.end <= 30:
        return day.start, clock.end
    if day and -1 <= day.start - clock.end <= 30:
        return clock.start, day.end
    return clock.start, clock.end


def _at(read: _Read, clock: Clock, day: Day | None) -> Moment:
    span = _span(day if day in read.days else None, clock)
    return at(read.now, clock, day, span)


def _fact(read: _Read, moment: Moment) -> Fact:
    value: dict[str, object] = {
        **_interval(read, moment.low, moment.high, moment.best),
        "precision": moment.precision,
    }
    if moment.alternatives:
        value["alternatives"] = [_interval(read, *each) for each in moment.alternatives]
    return read.sheet.fact("paid_at", value, (moment.start, moment.end), moment.confidence)


def _interval(read: _Read, low: datetime, high: datetime, best: datetime) -> dict[str, object]:
    return {
        name: local.replace(tzinfo=read.zone).astimezone(UTC).isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
        for name, local in (("from", low), ("to", high), ("best", best))
    }  # fmt: skip
