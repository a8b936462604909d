"""Where a report says it was: streets, metro stations, shops, against the fleet's addresses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from incidents.matching.gazetteer import (
    GENERIC,
    TYPOS_MAX,
    Gazetteer,
    Word,
    house_of,
    numbered,
)
from incidents.matching.latin import cyrillic
from incidents.matching.passage import Fact, Origin
from incidents.matching.russian import lemma
from incidents.matching.words import Sheet, words

WORDS_MAX: Final = 600
"""Words of one passage that are looked at."""
LOOKED_MAX: Final = 120
"""Words of one passage that are looked up."""
BARE_MAX: Final = 80
"""Words of one passage that are looked up though nothing says that they name a place."""
_CLUSTER: Final = 60
"""Characters between words of one place at most."""

_CUE: Final = re.compile(
    r"(?:\b(?:на|у|в|во|возле|около|рядом с|рядом|напротив|по адресу|адрес\w?|по"
    r"|внутри|при|из|от|за|near|at|in|on|м|ст|ул|пл|пр|пр-т|просп|пер|ш|наб|б-р"
    r"|тц|трц|трк|тк|маг|г|гор|метро|станци\w|улиц\w|проспект\w?|площад\w|шоссе"
    r"|бульвар\w?|магазин\w?|центр\w?|аптек\w|салон\w?|супермаркет\w?"
    r"|гипермаркет\w?|город\w?|вокзал\w?|остановк\w|рынк\w|көшес\w+|даңғыл\w+"
    r"|біля|вул|маркет\w?|сети)[.: \"(,]{1,3}|[\"(])(?:[а-яa-z\"-]{2,16}"
    r" ){0,2}\"?$"
)
_HOUSE_BEHIND: Final = re.compile(
    r"(?:[ ,\"]{1,3}(?:улиц\w|ул\.?|проспект\w?|пр-к?т\w?|пр\.?|шоссе|площад\w"
    r"|пл\.?|проезд\w?|наб\.?|набережн\w+|аллея|тракт\w?|линия|б-р"
    r"|street|st\.?|ulitsa|ul\.?|prospe[ck]t|pr\.?|avenue|ave\.?|square|proezd|shosse"
    r"|бульвар\w?|пер\.?|переул\w+))?[, ]{1,3}(?:(?:д\.?|дом\w?|№"
    r"|house)[ ,]{0,2})?(?P<n>[0-9]{1,4} ?(?:[-/] ?[0-9]{1,3}|[а-г](?![а-я])"
    r"|,? ?(?:к|корп|корпус|стр)\.? ?[0-9]{1,2})?)(?![0-9:]"
    r"|[.,:][0-9])(?! ?(?:руб|р\b|₽|тыс|тыщ|к\b|тг|тенге|грн|час|ч\b|мин|дн|раз"
    r"|купюр|янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек|числ|утра|вечера"
    r"|дня))"
)
_STREET: Final = re.compile(
    r"\b(?:ул\.?|улиц[аеы]|проспект\w?|пр-т\w?|просп\.|пр\.|шоссе|пер\."
    r"|переул\w{2,3}|бульвар\w?|б-р|наб\.|набережн\w+|площад[ьи]"
    r"|пл\.) ?[а-я][а-я-]{2,24}(?: [а-я]{3,20})?,? (?:д\.?"
    r"|дом)? ?[0-9]{1,4}(?:[/кк][0-9]{1,3}|[а-г]\b)?(?! ?(?:руб|р\b|тыс))"
    r"|\b(?:метро|м\.|ст\. ?м\.) ?\"?[а-я][а-я-]{3,24}"
)
_KIND: Final = (
    r"(?:ул\.?|улиц[аеы]|проспект[ае]?|пр-к?т[ае]?|просп\.|пр\.|шоссе|переул\w{2,3}|пер\.|б-р"
    r"|бульвар[ае]?|наб\.|набережн\w{2,3}|площад[ьи]|пл\.|проезд[ае]?|тракт[ае]?)"
)
_ADDRESS: Final = re.compile(
    rf"\b(?:{_KIND} ?\"?(?P<a>[а-я][а-я-]{{3,24}})|(?P<b>[а-я][а-я-]{{3,24}}) {_KIND})\"?,? ?"
    r"(?:д\.?|дом)? ?[0-9]{1,3}(?![0-9:]|[.,][0-9])(?! ?(?:руб|р\b|тыс|₽|коп))"
)
"""A street by its kind and name, with a house."""
_HOUSE_ALONE: Final = re.compile(
    r"\b(?:д\.|дом|кв\.|квартира|корп\.|подъезд|этаж|офис|оф\."
    r"|стр\.) ?[0-9]{1,4}(?:[/-][0-9]{1,3}|[а-г]\b)?(?![0-9]|[.:][0-9]| ?(?:янв|фев|мар|апр|мая"
    r"|июн|июл|авг|сен|окт|ноя|дек|числ|руб|р\b))"
)

ORDINARY: Final = frozenset(
    "деньга деньги чек рубль номер телефон платеж сумма день вечер утро ночь час минута "
    "терминал оплата "
    "почта связь счет сдача карта копия помощь просьба добрый новый большой первый второй "
    "третий последний "
    "свой мой ваш наш этот тот весь магазин продукт продукты покупка человек жена муж сын "
    "дочь мама "
    "мобильный банк интернет услуга копейка январь февраль март апрель май июнь июль "
    "август сентябрь "
    "октябрь ноябрь декабрь здравствуйте пожалуйста спасибо александр сергей иван мария елена "
    "воскресение понедельник вторник среда четверг пятница суббота работа сегодня вчера".split()
)  # fmt: skip
"""Words of every mail: they name a place only behind a cue beside them."""


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    word: Word
    cued: bool


def read_places(sheets: list[Sheet], gazetteer: Gazetteer | None) -> list[Fact]:
    """Take the places off the sheets; with a gazetteer, weigh the terminals that they may mean."""
    facts = []
    for sheet in sheets:
        if sheet.passage.origin != Origin.ATTACHMENT:
            facts += _elsewhere(sheet, gazetteer) if gazetteer else []
            facts += _read(sheet, gazetteer) if gazetteer else _streets(sheet)
        for found in _HOUSE_ALONE.finditer(sheet.left):
            sheet.take(*found.span())
    return facts


def _elsewhere(sheet: Sheet, gazetteer: Gazetteer) -> list[Fact]:
    """Return addresses in streets where the fleet has no terminal: `{"elsewhere": true}`."""
    facts = []
    for found in list(_ADDRESS.finditer(sheet.left))[:10]:
        name = found["a"] or found["b"]
        if name in GENERIC or _home(sheet, found.start()) or gazetteer.resembles(name):
            continue
        value: dict[str, object] = {"words": found[0], "terminals": {}, "elsewhere": True}
        facts.append(sheet.fact("place", value, found.span(), 0.5))
        sheet.take(*found.span())
    return facts


def _streets(sheet: Sheet) -> list[Fact]:
    facts = []
    for found in list(_STREET.finditer(sheet.left))[:10]:
        value: dict[str, object] = {"words": found[0], "terminals": {}}
        facts.append(sheet.fact("place", value, found.span(), 0.5))
        sheet.take(*found.span())
    return facts


def _read(sheet: Sheet, gazetteer: Gazetteer) -> list[Fact]:
    found = _words(sheet, gazetteer)
    clusters: list[list[_Found]] = []
    for each in found:
        if clusters and each.start - clusters[-1][-1].end <= _CLUSTER:
            clusters[-1].append(each)
        else:
            clusters.append([each])
    clusters = [c for c in clusters if len(c) > 1 or c[0].cued]
    clusters = [
        c
        for c in clusters
        if sum(gazetteer.bits(each.word.lemma) for each in c) >= gazetteer.bits_min
    ]
    if not clusters:
        return _streets(sheet)
    said = [each.word for cluster in clusters for each in cluster]
    places = gazetteer.find(said)
    best = max(clusters, key=lambda c: sum(gazetteer.bits(each.word.lemma) for each in c))
    start, end = best[0].start, best[-1].end
    for each in found:
        if each.word.house:
            sheet.take(each.start, each.end)
    value: dict[str, object] = {
        "words": " ".join(dict.fromkeys(word.lemma for word in said)),
        "terminals": dict(places.weights),
        "bits": round(places.bits, 2),
    }
    if not places.weights:
        return [sheet.fact("place", value, (start, end), 0.3)]
    return [sheet.fact("place", value, (start, end), min(0.95, 0.45 + places.bits / 30))]


@dataclass(slots=True)
class _Looked:
    """How many words of a passage have been looked up."""

    count: int = 0
    typos: int = 0
    bare: int = 0


def _words(sheet: Sheet, gazetteer: Gazetteer) -> list[_Found]:
    found: list[_Found] = list(_numbered(sheet, gazetteer))
    ends = {street.end for street in found}
    for street in found:
        sheet.take(street.start, street.end)
    last: _Found | None = None
    looked = _Looked()
    for match in islice(words(sheet.left), WORDS_MAX):
        if len(match[0]) < 3 or match[0] in GENERIC or _is_none(sheet, match):
            continue
        beside = any(0 <= match.start() - end <= 14 for end in ends)
        each = _housed(sheet, match, gazetteer)
        each = each or _named(sheet, match, gazetteer, looked=looked, beside=beside)
        this = each or _bare(match, gazetteer, looked)
        if last and this and _are_one(gazetteer, last, this):
            each = this
            found += [replace(last, cued=True)] if last not in found else []
        last = this
        found += [each] if each else []
        ends |= {each.end} if each else set()
    return sorted(found, key=lambda each: each.start)


def _are_one(gazetteer: Gazetteer, first: _Found, second: _Found) -> bool:
    """Tell whether two words beside each other name one place: "slata baumana"."""
    return 0 < second.start - first.end <= 3 and gazetteer.are_one(first.word, second.word)


def _bare(match: re.Match[str], gazetteer: Gazetteer, looked: _Looked) -> _Found | None:
    """Return what a word may name of which nothing says that it is a place."""
    if looked.bare >= BARE_MAX or len(match[0]) < 4:
        return None
    looked.bare += 1
    named = gazetteer.word(match[0], typos=False)
    if named is None or lemma(match[0]) in ORDINARY:
        return None
    return _Found(*match.span(), named, cued=False)


def _numbered(sheet: Sheet, gazetteer: Gazetteer) -> Iterator[_Found]:
    """Yield streets of the fleet that begin with a number: "at 40 years of the Victory"."""
    for each in islice(numbered(sheet.left), WORDS_MAX):
        if not gazetteer.has(each.name) or _home(sheet, each.start):
            continue
        house = _HOUSE_BEHIND.match(sheet.left, each.end)
        pair = house_of(" " + house["n"]) if house else None
        dated = _DATED.search(sheet.left, each.start, each.end)
        if dated and not (
            _near(sheet, each.start) or _AT.search(sheet.even, 0, each.start) or pair
        ):
            continue
        end = house.end("n") if house and pair else each.end
        yield _Found(each.start, end, Word(each.name, 1.0, pair), cued=True)


def _named(
    sheet: Sheet, match: re.Match[str], gazetteer: Gazetteer, *, looked: _Looked, beside: bool
) -> _Found | None:
    """Return what a word names, if what stands beside it says that it names a place."""
    text, (start, end) = match[0], match.span()
    cued = _cued(sheet, start)
    shouting = sheet.raw.isupper()
    capital = not shouting and _capital(sheet, start)
    opening = not shouting and sheet.raw[start].isupper()
    if not (cued or opening or beside) or looked.count >= LOOKED_MAX:
        return None
    looked.count += 1
    near = _near(sheet, start)
    named = gazetteer.word(text, typos=False) or _latin(text, gazetteer, sure=cued or capital)
    likely = near or cued + capital + beside >= 2
    if named is None and likely and len(text) >= 5 and looked.typos < TYPOS_MAX:
        looked.typos += 1
        named = gazetteer.word(text, typos=True)
    if named is None or (lemma(text) in ORDINARY and not (cued and capital) and not near):
        return None
    house = _HOUSE_BEHIND.match(sheet.left, end)
    pair = house_of(" " + house["n"]) if house and gazetteer.is_street(named.lemma) else None
    if house and pair:
        named, end = replace(named, house=pair), house.end("n")
    return _Found(start, end, named, cued or capital)


def _housed(sheet: Sheet, word: re.Match[str], gazetteer: Gazetteer) -> _Found | None:
    """Return a street with a house where a terminal stands; it needs no word before it."""
    behind = _HOUSE_BEHIND.match(sheet.left, word.end())
    before = _HOUSE_BEFORE.search(sheet.left, max(0, word.start() - 8), word.start())
    for house in (behind, before if word[0].isascii() else None):
        pair = house_of(" " + house["n"]) if house else None
        named = gazetteer.word(cyrillic(word[0]), typos=word[0].isascii()) if pair else None
        if house and named and gazetteer.has_house(named := replace(named, house=pair)):
            start, end = min(word.start(), house.start("n")), max(word.end(), house.end("n"))
            return _Found(start, end, named, cued=True)
    return None


def _latin(text: str, gazetteer: Gazetteer, *, sure: bool) -> Word | None:
    return gazetteer.word(cyrillic(text), typos=True) if sure and text.isascii() else None


_HOME: Final = re.compile(
    r"(?:\bживу|\bпрожива\w+|прописан\w*|зарегистрирован\w* по|адрес (?:проживания|регистрации"
    r"|прописки|для ответа))(?:(?!рядом|недалеко|терминал|автомат|аппарат|магазин|внес|внёс|плати"
    r"|полож)[^!?\n;]){0,60}$"
)
_HOUSE_BEFORE: Final = re.compile(r"(?<![0-9.,:-])(?P<n>[0-9]{1,4}) $")
_PHONE_BEHIND: Final = re.compile(r" (?:\+?7|8)?[ (-]{0,2}9[0-9]{2}[) -]{0,2}[0-9]{3}")
"""A word before a phone is its network."""
_MAILBOX: Final = re.compile(r"почт(?!е\b|[аеуы] росси|амт|ов\w{2,3} отделен)|электронн")
"""The post that is no post office."""


def _is_none(sheet: Sheet, word: re.Match[str]) -> bool:
    """Tell whether a word is a mailbox or a network, whatever place has its name."""
    return bool(
        _MAILBOX.match(sheet.even, word.start())
        or _PHONE_BEHIND.match(sheet.even, word.end())
        or _home(sheet, word.start())
    )


def _home(sheet: Sheet, at: int) -> bool:
    """Tell whether an address is the writer's own."""
    return bool(_HOME.search(sheet.even, max(0, at - 70), at))


_DATED: Final = re.compile(
    r"[0-3]?[0-9] (?:янв|фев|мар|апр|мая|май|июн|июл|авг|сен|окт|ноя|дек)[а-я]{0,5}$"
)
"""A street's name that is a day as well."""
_AT: Final = re.compile(r"\b(?:на|по) $")
_NEAR: Final = re.compile(
    r"(?:метро|улиц\w|\bул\.?|проспект\w?|\bтц|\bтрц|магазин\w{0,2}|площад\w"
    r"|шоссе|адрес\w?|станци\w|супермаркет\w{0,2}|\bг\.|город\w?) ?[: \"(]{1,3}$"
)


def _near(sheet: Sheet, start: int) -> bool:
    """Tell whether a word for a place stands right before: "metro …"."""
    return bool(_NEAR.search(sheet.even[max(0, start - 18) : start]))


def _cued(sheet: Sheet, start: int) -> bool:
    begin = sheet.sentence(start)[0]
    return bool(_CUE.search(sheet.even[max(begin, start - 48) : start]))


def _capital(sheet: Sheet, start: int) -> bool:
    """Tell whether a word has a capital that no sentence's beginning gave it."""
    if not sheet.raw[start].isupper():
        return False
    begin = sheet.sentence(start)[0]
    return bool(sheet.even[begin:start].strip(' "(-'))
