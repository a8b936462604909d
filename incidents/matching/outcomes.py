"""Which of two payments a report is about: what it says of the one that went well claims nothing.

"The first went through, the second did not": the first one's time, sum and receipt would find the
wrong transaction. Nothing is changed unless both a success and a failure are told, and the text
tells two payments apart: by an ordinal beside one of them, by a time or an account beside each, or
by words that settle the one ("no claims about that one").
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from incidents.matching.passage import Fact
from incidents.matching.words import Sheet

_DONE: Final = (
    r"(?:прош(?:л[аио]|ел)|зачисл(?:ил[аио]?с[ья]|ен[аоы]?)|дош(?:л[аио]|ел)|приш(?:л[аио]|ел)"
    r"|поступил[аио]?|упал[аио]?|(?:при|про)ходил[аио]?|капнул[аио]?|долетел[аио]?|наш(?:л[аио]с[ья]|елся)"
    r"|(?:отобраз|появ|провел|подтверд)ил(?:[аио]с[ья]|ся))\b"
)
_ONE_OF: Final = r"(?:перв|втор|трет|послед|одн|один|та\b|ту\b|тот|эт[ау])"
_SETTLED: Final = re.compile(
    r"\b(?:претензий|вопросов|жалоб|нареканий) (?:(?:больше|уже|к \w{2,6}|по \w{2,6}) ){0,2}"
    r"(?:нет|не имею|никаких)|\bнет (?:никаких )?(?:претензий|вопросов|жалоб|нареканий)"
    r"|\bвопрос\w? (?:по \w{2,6} )?(?:уже )?(?:снят\w?|закрыт\w?|решен\w?|отпал)\b"
    r"|\b(?:с|по) (?:ней|ним|этой|этим|этому|нему|той|тем|тому|перв\w{2,3}|втор\w{2,3})"
    r"(?: \w{4,9})? (?:(?:уже|теперь) )?(?:все )?(?:в порядке|нормально|хорошо|разобрал\w{1,3}"
    r"|ок\b|ясно|решено|улажено)"
    r"|\bречь(?: идет| сейчас)? не о\b|\bне (?:о|про) (?:н\w{1,2}|эт\w{1,2}|т\w{1,2}) (?:речь|пишу"
    r"|говорю|прошу)|\b(?:уже|давно|потом) вернули|\bвернули (?:сразу|тогда|потом|вчера|на месте)"
    r"|\bвернули,? спасибо|\b(?:уже|давно) разобрал(?:ись|ся|ась)|\bпусть оста\w{3,5}"
    r"|\b(?:можно |прошу )?не (?:искать|ищите|трогайте|возвращать)\b"
)
"""Says by itself that a payment needs nothing."""
_FINE: Final = re.compile(
    rf"(?<!\bне )(?<!\bне был )(?<!\bне была )(?<!\bне были ){_DONE}"
    rf"(?! (?:только|лишь|частич)(?!\w* {_ONE_OF})| не\b)"
    r"|\b(?:все|платеж) (?:было )?(?:нормально|хорошо|в порядке|ок\b|успешно)|без проблем"
    r"|: ок\b"
    r"|went through|arrived (?:fine|ok)|\bуспешно\b"
    r"|(?<!\bне )(?:увидел[аи]?|вижу|получил[аи]?|засчитали|зачислили|провели)\b"
    r"(?= ?(?:[,.;)!\n-]|$|спасибо|на (?:счет|баланс)\w))"
    rf"|{_SETTLED.pattern}"
)
_FAILED: Final = re.compile(
    rf"\bне (?:\w{{2,8}} )?{_DONE}|\bнет\b(?= ?(?:[.,;!?\n]|$))|пропал[аио]?\b|потерял[аио]?с\w"
    r"|\bне (?:видн\w|вижу|увидел\w?|отобраз\w+|получ\w+|выдал\w?|зачислили|провели)"
    r"|\bзавис\w*|\bвисит\b"
    r"|речь (?:о|про|идет) |did not|didn't|never"
    r"|\b(?:а|и|но) где\b|\b(?:обратно|назад) (?:надо|хочу|прошу)|до сих пор"
)
_WHICH: Final = re.compile(
    r"\b(?:перв(?:ый|ая|ое|ую|ого|ым|ой)|втор(?:ой|ая|ое|ую|ого|ым|ом)|треть(?:я|ю|ей|его)|третий"
    r"|друг(?:ой|ая|ую|ого)|следующ\w{2,3}|предыдущ\w{2,3}|прошл\w{2} раз|до этого|одна|один"
    r"|first|second|other|next)\b"
)
_CUT: Final = re.compile(
    rf"[,;]? (?=(?:а|но|зато|однако)\b)|(?:{_FINE.pattern}|{_FAILED.pattern})[^,;.\n]{{0,12}}[,;]"
    r"(?! (?:(?:у нее|у него|ее|его) )?(?:чек|квитанц|операци|на сумму)[^,;.!\n]{0,24}"
    r"(?:[.;!\n]|$))"
)
_ONE_WENT: Final = re.compile(
    rf"\bиз (?:них|двух|трех|обоих) (?:\w+ )?{_DONE} (?:только|лишь)? ?{_ONE_OF}"
)
"""Says of one payment that it went well, and so of the others that they did not."""
_THAT: Final = re.compile(
    r"\b(?:ту|тот|та|те) (?:\w{3,12} )?(?:сотн|тыс|тыщ|пят|дв[аеу]|тр[ие]|пол|сумм|плат|оплат"
    r"|перевод|раз|опер|чек|[0-9])"
)
_OF_BEFORE: Final = re.compile(
    r"\W*(?:и |но |так |а )?(?:он[ао]?|эт[оау]|эти|деньги|с (?:ней|ним)|[кпо]{1,2} (?:ней|нему|нем)"
    r"|претенз|вопрос|нет|тут|там|не (?:о|про)|речь|потом|уже|все)\b"
)
"""Begins a sentence about what the one before it told."""
_TOLD: Final = frozenset({"paid_at", "amount", "receipt", "operation"})
_SHARED: Final = frozenset({"account", "service"})
"""Both payments may have it: it goes only where the other one has its own."""
_ASKED: Final = _TOLD | _SHARED
GUESS: Final = 0.4
"""What the days since a payment that went well are worth, for one that did not."""


@dataclass(slots=True)
class _Clause:
    """A piece of a sentence, and what it says of its payment."""

    text: str
    span: tuple[int, int]
    """Of the whole text."""
    facts: list[Fact]

    of_before: bool = False
    """What is said of it stands in the sentence behind it."""

    @property
    def settled(self) -> bool:
        """Return whether the payment needs nothing."""
        return self.of_before or bool(_SETTLED.search(self.text))

    @property
    def failed(self) -> bool:
        """Return whether the payment failed."""
        return bool(_FAILED.search(_SETTLED.sub("", self.text)))

    @property
    def fine(self) -> bool:
        """Return whether the payment went well."""
        return not self.failed and (self.settled or bool(_FINE.search(self.text)))

    @property
    def timed(self) -> bool:
        """Return whether it says when."""
        return any(fact.kind == "paid_at" for fact in self.facts)


def of_trouble(sheet: Sheet, facts: Sequence[Fact]) -> list[Fact]:
    """Return a passage's facts without those of a payment that went well beside one that failed."""
    clauses = list(_clauses(sheet, facts))
    _look_back(clauses)
    fine = [each for each in clauses if each.fine]
    failed = [each for each in clauses if each.failed]
    if not fine or not _tells_apart(clauses, fine, failed):
        return list(facts)
    rest = [each for each in clauses if not each.fine]
    elsewhere = " ".join(each.text for each in rest)
    others = {(fact.kind, repr(fact.value)) for each in rest for fact in each.facts}
    kept = [fact for fact in facts if not any(_of(e, fact, elsewhere, others) for e in fine)]
    if any(fact.kind == "paid_at" for fact in kept):
        return kept
    return [*kept, *_since(sheet, [fact for each in fine for fact in each.facts])]


def _tells_apart(clauses: list[_Clause], fine: list[_Clause], failed: list[_Clause]) -> bool:
    """Tell whether a text is of two payments, of which one needs nothing."""
    if any(each.settled and each.facts for each in fine):
        rest = [each for each in clauses if not each.fine]
        told = {fact.kind for each in rest for fact in each.facts}
        own = {fact.kind for each in fine for fact in each.facts}
        # A second sum or phone is a second payment; else a failure has to be told.
        return bool(told & own & {"amount", "account"}) or bool(failed and told & _ASKED)
    if any(_ONE_WENT.search(each.text) for each in fine):
        return True
    if not failed:
        return False
    if any(_WHICH.search(e.text) for e in fine + failed) or any(_THAT.search(e.text) for e in fine):
        return True
    if any(e.timed for e in fine) and any(e.timed for e in failed):
        return True
    good, bad = _accounts(fine), _accounts(failed)
    return bool(good and bad and not good & bad)


def _accounts(clauses: list[_Clause]) -> set[str]:
    """Return the paid accounts that clauses name."""
    facts = [fact for each in clauses for fact in each.facts if fact.kind == "account"]
    return {repr(fact.value) for fact in facts}


def _look_back(clauses: list[_Clause]) -> None:
    """Mark a sentence as of a payment that went well where the next one says so of it."""
    for before, each in pairwise(clauses):
        if not each.fine or any(fact.kind in _TOLD for fact in each.facts):
            continue
        told = [fact.kind for fact in before.facts]
        alone = max((told.count(kind) for kind in _TOLD), default=0) == 1
        if alone and not before.failed and _OF_BEFORE.match(each.text):
            before.of_before = each.settled or bool(_FINE.search(each.text))


def _clauses(sheet: Sheet, facts: Sequence[Fact]) -> Iterator[_Clause]:
    cuts = sorted({0, len(sheet.even), *(at + 1 for at in sheet.breaks),
                   *(found.end() for found in _CUT.finditer(sheet.even))})  # fmt: skip
    for start, end in pairwise(cuts):
        if start >= end or start >= len(sheet.offsets):
            continue
        span = (
            sheet.passage.start + sheet.offsets[start],
            sheet.passage.start + sheet.offsets[end - 1] + 1,
        )
        inside = [fact for fact in facts if span[0] <= fact.span[0] and fact.span[1] <= span[1]]
        yield _Clause(sheet.even[start:end], span, inside)


def _of(clause: _Clause, fact: Fact, elsewhere: str, others: set[tuple[str, str]]) -> bool:
    """Tell whether a fact is of the payment that went well, and of that alone."""
    if fact.kind in _SHARED and fact in clause.facts:
        same = {value for kind, value in others if kind == fact.kind}
        return bool(same) and repr(fact.value) not in same
    if fact.kind not in _TOLD or fact not in clause.facts:
        return False
    if isinstance(fact.value, dict) and fact.kind == "amount":
        roubles = rf"(?<![0-9]){fact.value['minor'] // 100}(?![0-9])"
        whole = fact.value["role"] == "inserted" or clause.settled or _THAT.search(clause.text)
        own = {repr(each.value) for each in clause.facts if each.kind == "account"}
        theirs = {value for kind, value in others if kind == "account"}
        whole = whole or (own and theirs and not own & theirs)
        return bool(whole) and not re.search(roubles, elsewhere)
    return True


def _since(sheet: Sheet, facts: Sequence[Fact]) -> list[Fact]:
    """Return the days since a payment, where no other time is told."""
    for fact in facts:
        if fact.kind == "paid_at" and isinstance(fact.value, dict):
            low = datetime.fromisoformat(fact.value["from"]) - timedelta(hours=12)
            high = sheet.passage.written_at.astimezone(UTC)
            if low >= high:
                continue
            ends = {"from": low, "to": high, "best": low + (high - low) / 2}
            value: dict[str, object] = {name: _text(at) for name, at in ends.items()}
            value["precision"] = "period"
            return [replace(fact, value=value, confidence=GUESS)]
    return []


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
