"""How people write amounts, phones, days and clocks: one function a thing, one branch a habit."""

from datetime import date, datetime
from random import Random
from typing import Final

_ONES: Final = ("", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять",
                "десять", "одиннадцать", "двенадцать", "тринадцать", "четырнадцать", "пятнадцать",
                "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать")  # fmt: skip
_TENS: Final = ("", "", "двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят",
                "восемьдесят", "девяносто")  # fmt: skip
_HUNDREDS: Final = ("", "сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот",
                    "восемьсот", "девятьсот")  # fmt: skip
MONTHS: Final = ("", "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа",
                 "сентября", "октября", "ноября", "декабря")  # fmt: skip
_WEEKDAYS: Final = ("в понедельник", "во вторник", "в среду", "в четверг", "в пятницу",
                    "в субботу", "в воскресенье")  # fmt: skip
_TO_HOUR: Final = ("", "первого", "второго", "третьего", "четвёртого", "пятого", "шестого",
                   "седьмого", "восьмого", "девятого", "десятого", "одиннадцатого",
                   "двенадцатого")  # fmt: skip
_AT_HOUR: Final = ("", "час", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять",
                   "десять", "одиннадцать", "двенадцать")  # fmt: skip
_SLANG: Final = {5_000: "полтос", 10_000: "сотку", 20_000: "двести", 50_000: "пятихатку",
                 100_000: "косарь", 150_000: "полторашку", 200_000: "два косаря",
                 500_000: "пятёрку тыщ"}  # fmt: skip
_LATIN: Final = dict(
    zip(
        "абвгдезийклмнопрстуфхцыэ",
        "abvgdeziyklmnoprstufhcye",
        strict=True,
    )
) | {"ё": "e", "ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}


def words(number: int) -> str:
    """Return a number below a million in Russian words."""
    parts = []
    if number >= 1000:
        thousands = number // 1000
        spoken = words(thousands).replace("один", "одна").replace("два", "две")
        spoken = spoken.replace("однанадцать", "одиннадцать").replace("двенадцать", "двенадцать")
        last = thousands % 100 if thousands % 100 < 20 else thousands % 10
        parts.append(f"{spoken} {_plural(last, 'тысяча', 'тысячи', 'тысяч')}")
    rest = number % 1000
    parts.append(_HUNDREDS[rest // 100])
    rest %= 100
    parts += [_ONES[rest]] if rest < 20 else [_TENS[rest // 10], _ONES[rest % 10]]
    return " ".join(part for part in parts if part)


def _plural(number: int, one: str, few: str, many: str) -> str:
    return one if number == 1 else few if 2 <= number <= 4 else many


def money(minor: int, form: str) -> str:  # noqa: C901, PLR0911, PLR0912 - a row a habit
    """Return an amount as somebody writes it."""
    rubles, kopecks = divmod(minor, 100)
    if kopecks:
        exact = (
            f"{rubles}.{kopecks:02d}" if form in {"dot", "receipt"} else f"{rubles},{kopecks:02d}"
        )
        return f"{exact} руб."
    match form:
        case "r":
            return f"{rubles}р"
        case "rub":
            return f"{rubles} руб."
        case "full":
            return f"{rubles} {_rubles(rubles)}"
        case "sign":
            return f"{rubles:,} ₽".replace(",", " ")
        case "spaced":
            return f"{rubles:,} рублей".replace(",", " ")
        case "receipt":
            return f"{rubles}.00 руб."
        case "dash":
            return f"{rubles}-00"
        case "words":
            return f"{words(rubles)} {_rubles(rubles)}"
        case "both":
            return f"{rubles} ({words(rubles)}) рублей 00 копеек"
        case "thousands" if rubles % 500 == 0 and rubles >= 1000:
            return (
                "полторы тысячи" if rubles == 1500 else f"{rubles / 1000:g} тыс".replace(".", ",")
            )
        case "k" if rubles % 500 == 0 and rubles >= 1000:
            return f"{rubles / 1000:g}к"
        case "slang" if minor in _SLANG:
            return _SLANG[minor]
        case "bare":
            return f"{rubles}"
        case _:
            return f"{rubles} рублей"


def _rubles(number: int) -> str:
    last = number % 100 if number % 100 < 20 else number % 10
    return _plural(last, "рубль", "рубля", "рублей")


def account(text: str, form: str) -> str:  # noqa: C901, PLR0911 - a row a habit
    """Return a phone or a contract number as somebody writes it."""
    digits = text.removeprefix("+")
    if len(digits) != 11:
        if form == "spaced":
            return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
        return f"№ {digits}" if form == "numbered" else digits
    a, b, c, d = digits[1:4], digits[4:7], digits[7:9], digits[9:]
    match form:
        case "plus":
            return f"+7{a}{b}{c}{d}"
        case "plus_spaced":
            return f"+7 {a} {b}-{c}-{d}"
        case "eight":
            return f"8{a}{b}{c}{d}"
        case "brackets":
            return f"8({a}){b}{c}{d}"
        case "dashes":
            return f"8-{a}-{b}-{c}-{d}"
        case "spaced":
            return f"8 {a} {b} {c} {d}"
        case "pairs":
            return f"{a} {b[0]}{b[1]} {b[2]}{c} {d}"
        case "dots":
            return f"8.{a}.{b}.{c}.{d}"
        case _:
            return f"{a}{b}{c}{d}"


def day(moment: date, written: date, form: str) -> str:  # noqa: C901, PLR0911, PLR0912 - a row a habit
    """Return a day as somebody writes it who writes on the other day."""
    ago = (written - moment).days
    match form:
        case "near" if 0 <= ago <= 2:
            return ("сегодня", "вчера", "позавчера")[ago]
        case "weekday" if 1 <= ago <= 6:
            return _WEEKDAYS[moment.weekday()]
        case "last_weekday" if 2 <= ago <= 6:
            return _WEEKDAYS[moment.weekday()].replace("в ", "в эту ", 1) if moment.weekday() in {
                2, 4, 5} else _WEEKDAYS[moment.weekday()]  # fmt: skip
        case "ago" if 2 <= ago <= 6:
            return f"{ago} дня назад" if ago < 5 else f"{ago} дней назад"
        case "week" if ago == 7:
            return "ровно неделю назад"
        case "number":
            return f"{moment.day}-го числа"
        case "dots":
            return f"{moment:%d.%m.%Y}"
        case "short_dots":
            return f"{moment:%d.%m}"
        case "year2":
            return f"{moment:%d.%m.%y}"
        case "slash":
            return f"{moment.day}/{moment.month}"
        case "iso":
            return f"{moment:%Y-%m-%d}"
        case "long":
            return f"{moment.day} {MONTHS[moment.month]} {moment.year} г."
        case _:
            return f"{moment.day} {MONTHS[moment.month]}"


def clock(moment: datetime, form: str) -> str:  # noqa: C901, PLR0911, PLR0912 - a row a habit
    """Return a time of day as somebody writes it, with its preposition."""
    hour, minute = moment.hour, moment.minute
    twelve = hour % 12 or 12
    match form:
        case "dash":
            return f"в {hour}-{minute:02d}"
        case "dot":
            return f"в {hour}.{minute:02d}"
        case "seconds":
            return f"{moment:%H:%M:%S}"
        case "bare":
            return f"{moment:%H:%M}"
        case "h_min":
            return f"в {hour} ч. {minute:02d} мин."
        case "spoken":
            return f"в {words(hour) or 'ноль'} {words(minute) or 'ровно'}"
        case "words" if minute == 30:
            return f"в половине {_TO_HOUR[hour % 12 + 1]} {part(hour)}"
        case "words" if minute == 15:
            return f"в четверть {_TO_HOUR[hour % 12 + 1]} {part(hour)}"
        case "words" if minute == 45:
            return f"без пятнадцати {_AT_HOUR[hour % 12 + 1]} {part((hour + 1) % 24)}"
        case "words" if minute == 0:
            return f"в {_AT_HOUR[twelve]} {'часа' if twelve in {2, 3, 4} else 'часов'} {part(hour)}"
        case "words":
            return f"в начале {_TO_HOUR[hour % 12 + 1]} {part(hour)}"
        case "half" if minute == 30:
            return f"в пол{_TO_HOUR[hour % 12 + 1].replace('одинн', '-одинн')} {part(hour)}"
        case "hours" if minute == 0:
            return f"часов в {twelve} {part(hour)}"
        case _:
            return f"в {hour}:{minute:02d}"


def part(hour: int) -> str:
    """Return the part of the day that is said behind an hour."""
    return "ночи" if hour < 4 else "утра" if hour < 12 else "дня" if hour < 17 else "вечера"


def part_alone(hour: int) -> str:
    """Return the part of the day that is said instead of an hour."""
    return "ночью" if hour < 5 else "утром" if hour < 11 else "днём" if hour < 17 else "вечером"


def latin(text: str) -> str:
    """Return Russian in Latin letters, as some write on the road."""
    out = []
    for letter in text:
        small = _LATIN.get(letter.lower())
        out.append(letter if small is None else small.upper() if letter.isupper() else small)
    return "".join(out)


def typos(text: str, chance: Random, rate: float) -> str:
    """Return the text with letters (never digits) dropped, doubled or swapped now and then."""
    out = list(text)
    for at in range(1, len(out) - 2):
        if not (out[at].isalpha() and out[at + 1].isalpha()) or chance.random() >= rate:
            continue
        match chance.randrange(3):
            case 0:
                out[at] = ""
            case 1:
                out[at] *= 2
            case _:
                out[at], out[at + 1] = out[at + 1], out[at]
    return "".join(out)
