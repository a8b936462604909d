"""Where the fleet stands, as words: from a few of them to a weighted set of terminals.

An inverted index by lemma, built once. A word is worth log2(fleet / terminals that have it) bits;
a street's house number adds to it or takes away. The answer is never one terminal by a guess.
"""

import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Final, NamedTuple

from incidents.matching.latin import cyrillic
from incidents.matching.russian import known, lemma
from incidents.matching.words import even, words

CANDIDATES_MAX: Final = 300
"""Terminals named at most; where more are as likely, the words say too little."""
BITS_BELOW_BEST: Final = 5.0
BITS_MIN: Final = 2.0
"""Words that tell less name no place (in a small fleet, half of what a terminal's name tells)."""
BITS_OF_TWO: Final = 6.0
"""Two words beside each other name a place without any cue from here on."""
COMMON: Final = 0.12
"""A word of more than this share of the fleet only weighs among terminals found otherwise."""
TYPO_MIN: Final = 84
ALIKE_MIN: Final = 70
"""Less alike, a word is of no address of the fleet."""
TYPOS_MAX: Final = 8
"""Misspelt words looked up per report."""

GENERIC: Final = frozenset(
    "улица ул проспект пр просп прт переулок пер площадь пл шоссе ш бульвар бр наб набережная "
    "дом д "
    "корпус корп к строение стр литера г город обл область район рн республика край станция "
    "ст метро м "
    "магазин тц трц трк тк центр торговый супермаркет гипермаркет терминал автомат аппарат "
    "поселок пос "
    "деревня село микрорайон мкр проезд тракт аллея им имени россия и на у в с по за тоннель т"
    .split()
)  # fmt: skip
"""Words of an address that tell no place from another."""

_NUMBER: Final = (
    r"(?P<n>[0-9]{1,4})(?!\s?-\s?[а-я]|[0-9])\s*(?P<rest>(?:[-/]\s*[0-9]{1,3}"
    r"|\s?[а-г](?![а-я])|\s?[,]?\s?(?:к|корп|стр)\w{0,6}\.?\s?[0-9]{1,2})?)"
)
_HOUSES: Final = (
    re.compile(rf"(?:,\s*(?:д\.?|дом)?|\bд\.|\bдом)\s*{_NUMBER}"),
    re.compile(rf"(?:,|\s|д\.|дом)\s*{_NUMBER}"),
)
"""A number behind a comma is the house's; another may be the street's name."""


_ENDING: Final = re.compile(r"(?<=[а-я]{4})(?:[аяыио][яй]|ое|ее|ие|ые)$")


def key(word: str) -> str:
    """Return what all forms of a name share: its lemma, and of an adjective the stem."""
    return _ENDING.sub("", lemma(word))


_NUMBERED: Final = re.compile(
    r"(?<![0-9.,:/№-])(?P<n>[0-9]{1,4})(?:[ -]?(?:лет(?:ия|ие|ию|ием)?|летья|го|ого|й|ый|ой|я|ая)\b"
    r"|let\w?\b)?[ -]{1,2}(?P<w>[а-я]{3,20}|[a-z]{3,20})"
)


class Numbered(NamedTuple):
    """A street whose name begins with a number: "40 years of the Victory", "8 March"."""

    start: int
    end: int
    name: str
    """Its number, and its word's lemma."""


def numbered(text: str) -> Iterator[Numbered]:
    """Yield what may be a street's name that begins with a number, in an even text."""
    for found in _NUMBERED.finditer(text):
        word = cyrillic(found["w"])
        if len(word) > 2 and word not in GENERIC:
            yield Numbered(found.start(), found.end(), f"{int(found['n'])} {key(word)}")


class Row(NamedTuple):
    """A terminal and where it stands."""

    terminal: str
    name: str | None = None
    country: str | None = None
    city: str | None = None
    address: str | None = None
    metro: str | None = None
    place: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a report that names something in the fleet's addresses."""

    lemma: str
    likeness: float
    house: tuple[str, str] | None = None
    """A house number that follows: its number, and corpus or building."""


@dataclass(frozen=True, slots=True)
class Places:
    """Terminals that words may mean: their weights sum to at most 1."""

    weights: Mapping[str, float]
    bits: float
    """What the best of them has in common with the words."""


def house_of(text: str) -> tuple[str, str] | None:
    """Return the house number in an even address, and its corpus."""
    found = _HOUSES[0].search(" " + text) or _HOUSES[1].search(" " + text)
    if not found:
        return None
    return found["n"], re.sub(r"[^0-9а-г]", "", found["rest"])


class Gazetteer:
    """The fleet's addresses, ready to be asked; build it once, of rows in any order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Index the rows."""
        self._terminals: list[str] = []
        self._houses: list[tuple[str, str] | None] = []
        lists: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        streets: defaultdict[str, set[int]] = defaultdict(set)
        for number, row in enumerate(rows):
            self._terminals.append(row.terminal)
            address = even(row.address or "")
            self._houses.append(house_of(address))
            for word in _lemmas(address) | _numbered(address):
                streets[word].add(number)
            said = even(" ; ".join(filter(None, row[1:])))
            for word in _lemmas(said) | _numbered(address):
                lists[word].append(number)
        self.fleet: frozenset[str] = frozenset(self._terminals)
        self._lists = dict(lists)
        self._streets = dict(streets)
        total = max(len(self._terminals), 1)
        self._bits = {word: log2(total / len(found)) for word, found in self._lists.items()}
        self.bits_min = min(BITS_MIN, log2(total) / 2)
        self._by_initial: defaultdict[str, list[str]] = defaultdict(list)
        for word in self._lists:
            if len(word) >= 4:
                self._by_initial[word[0]].append(word)

    def __len__(self) -> int:
        """Return how many terminals it knows."""
        return len(self._terminals)

    def word(self, text: str, *, typos: bool) -> Word | None:
        """Return what a word names in the fleet's addresses, misspelt too if asked."""
        for form in (key(text), text):
            if form in GENERIC or lemma(text) in GENERIC:
                return None
            if form in self._lists:
                return Word(form, 1.0)
        if not typos or len(text) < 5 or (known(text) and len(text) < 7):
            return None
        from rapidfuzz import fuzz, process  # noqa: PLC0415 - only where a place is misspelt

        form = key(text)
        found = process.extractOne(
            form, self._by_initial.get(form[0], ()), scorer=fuzz.ratio, score_cutoff=TYPO_MIN
        )
        return Word(found[0], found[1] / 100 - 0.1) if found else None

    def has(self, name: str) -> bool:
        """Tell whether a street whose name begins with a number is one of the fleet's."""
        return name in self._streets

    def are_one(self, one: Word, other: Word) -> bool:
        """Tell whether two words name one terminal: its street or town, and its shop or mall."""
        first, second = self._lists[one.lemma], self._lists[other.lemma]
        streets = (one.lemma in self._streets) + (other.lemma in self._streets)
        if (
            one.lemma == other.lemma
            or self._bits[one.lemma] + self._bits[other.lemma] < BITS_OF_TWO
        ):
            return False
        few, many = sorted((first, second), key=len)
        places = (bisect_left(many, number) for number in few)
        both = any(
            at < len(many) and many[at] == number for at, number in zip(places, few, strict=True)
        )
        return streets < 2 and both

    def resembles(self, text: str) -> bool:
        """Tell whether a word may be one of the fleet's addresses, however badly misspelt."""
        from rapidfuzz import fuzz, process  # noqa: PLC0415 - only where an address is unknown

        if self.word(text, typos=True):
            return True
        alike = self._by_initial.get(text[0], ())
        return any(
            process.extractOne(form, alike, scorer=fuzz.ratio, score_cutoff=ALIKE_MIN)
            for form in (text, key(text))
        )

    def is_street(self, word: str) -> bool:
        """Tell whether a lemma stands in an address, where house numbers are."""
        return word in self._streets

    def has_house(self, word: Word) -> bool:
        """Tell whether a terminal stands at this house of this street."""
        if word.house is None:
            return False
        houses = (self._houses[number] for number in self._streets.get(word.lemma, ()))
        return any(house and house[0] == word.house[0] for house in houses)

    def bits(self, word: str) -> float:
        """Return how much a lemma tells, in bits."""
        return self._bits.get(word, 0.0)

    def find(self, said: Sequence[Word]) -> Places:
        """Return the terminals that words may mean."""
        best = _surest(said)
        limit = max(COMMON * len(self._terminals), 50)
        rare = [w for w in best.values() if len(self._lists[w.lemma]) <= limit]
        common = [w for w in best.values() if len(self._lists[w.lemma]) > limit]
        if not rare and common:
            rare = [min(common, key=lambda w: len(self._lists[w.lemma]))]
            common.remove(rare[0])
        scores: defaultdict[int, float] = defaultdict(float)
        for word in rare:
            worth = self._bits[word.lemma] * word.likeness
            for number in self._lists[word.lemma]:
                scores[number] += worth
        if not scores:
            return Places({}, 0.0)
        if len(scores) > 2_000:
            floor = max(scores.values()) - BITS_BELOW_BEST
            scores = defaultdict(float, {n: s for n, s in scores.items() if s >= floor})
        for word in common:
            worth = self._bits[word.lemma] * word.likeness
            found = self._lists[word.lemma]
            for number in scores:
                at = bisect_left(found, number)
                if at < len(found) and found[at] == number:
                    scores[number] += worth
        self._weigh_houses(best.values(), scores)
        return self._places(scores)

    def _weigh_houses(self, said: Iterable[Word], scores: dict[int, float]) -> None:
        for word in said:
            if word.house is None:
                continue
            streets = self._streets.get(word.lemma, set())
            for number in scores:
                house = self._houses[number]
                if house and number in streets:
                    same = house[0] == word.house[0]
                    whole = same and house[1] == word.house[1]
                    scores[number] += 4.0 if whole else 2.5 if same else -2.0

    def _places(self, scores: dict[int, float]) -> Places:
        top = max(scores.values())
        near = sorted(
            ((s, n) for n, s in scores.items() if s >= top - BITS_BELOW_BEST), reverse=True
        )
        if len(near) > CANDIDATES_MAX:
            cut = near[CANDIDATES_MAX][0]
            near = [each for each in near[:CANDIDATES_MAX] if each[0] > cut]
        whole = sum(2 ** (score - top) for score, _ in near)
        named = {self._terminals[n]: round(0.95 * 2 ** (s - top) / whole, 4) for s, n in near}
        return Places(named, top)


def _surest(said: Iterable[Word]) -> dict[str, Word]:
    """Return each word once, as it is said surest."""
    best: dict[str, Word] = {}
    for each in said:
        other = best.get(each.lemma)
        if other is None or (each.likeness, each.house or ()) > (other.likeness, other.house or ()):
            best[each.lemma] = each
    return best


def _numbered(address: str) -> set[str]:
    """Return the streets of an even address that begin with a number."""
    return {each.name for each in numbered(address)}


def _lemmas(text: str) -> set[str]:
    """Return the telling lemmas of an even address."""
    return {
        key(word[0])
        for word in words(text)
        if len(word[0]) > 1 and word[0] not in GENERIC and lemma(word[0]) not in GENERIC
    }
