"""The names of months and days of months, and the year that a day without one was in."""

from datetime import date, timedelta
from typing import Final

MONTHS: Final = (
    "янв січ қаңтар jan yanv", "фев лют ақпан feb fev",
    "мар берез наурыз mar", "апр квіт сәуір apr",
    "мая май маи трав мамыр may", "июн черв маусым jun iyun", "июл лип шілде jul iyul",
    "авг серп тамыз aug avg", "сен верес қыркүйек sep sent", "окт жовт қазан oct okt",
    "ноя листоп қараша nov noya", "дек груд желтоқсан dec dek",
)  # fmt: skip
MONTH_OF: Final = {stem: n for n, stems in enumerate(MONTHS, 1) for stem in stems.split()}
MONTH: Final = rf"(?P<m>{'|'.join(sorted(MONTH_OF, key=len, reverse=True))})[а-яіїa-z]{{0,7}}\.?"

ORDINAL_WORDS: Final = (
    "перв втор треть четверт пят шест седьм восьм девят десят одиннадцат двенадцат тринадцат "
    "четырнадцат пятнадцат шестнадцат семнадцат восемнадцат девятнадцат двадцат"
).split()
ORDINALS: Final = {
    **{word: n for n, word in enumerate(ORDINAL_WORDS, 1)},
    **{f"двадцать {word}": 20 + n for n, word in enumerate(ORDINAL_WORDS[:9], 1)},
    "тридцат": 30, "тридцать перв": 31,
}  # fmt: skip
ORDINAL: Final = (
    rf"(?P<w>{'|'.join(sorted(ORDINALS, key=len, reverse=True))})(?:ого|его|ье|ое|ьего)"
)


def year_of(month: int, day: int, today: date) -> int | None:
    """Return the year in which this day was last; None: there is no such day."""
    for year in range(today.year + 1, today.year - 5, -1):
        try:
            if date(year, month, day) <= today + timedelta(days=1):
                return year
        except ValueError:
            continue
    return None
