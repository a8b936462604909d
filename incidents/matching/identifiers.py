"""Numbers that a receipt or a sticker bears: the terminal's, the receipt's, the operation's."""

import re
from collections.abc import Iterator
from typing import Final

from incidents.matching.passage import Fact, Origin
from incidents.matching.spoken import whole
from incidents.matching.words import Sheet

NUMBERS_MAX: Final = 20

_OF_NUMBER: Final = (
    r"(?:(?:(?:его|ее|с|под|за|имеет|имеющий|is|was|with) ){0,2}(?:номер\w{0,3}"
    r"|нoмер|ном\.|серийн\w{2,3} номер\w?|код\w?|number|no\.?|num\.?|id|айди|ид"
    r"|нөмір\w{0,2}|nomer)?[ .:]{0,2}"
    r"(?:№|n|#|:|-|=|no\.?|\()?[ :]{0,2})"
)
_MACHINE: Final = (
    r"(?:терм[ие]н+ал\w{0,3}|термінал\w{0,3}|терміналы|автомат\w{0,2}"
    r"|ап+арат\w{0,2}|банкомат\w{0,2}|платомат\w{0,2}|киоск\w{0,2}"
    r"|устройств\w{1,2}|\bт[-/]л\b"
    r"|\bтерм\.?|terminal\w?|kiosk|machine|\bид\b|\bid\b|\bтид\b|\btid\b)"
)
_VALUE: Final = (
    r"(?P<n>(?<![0-9a-zа-я_])(?<![0-9][.,])(?:(?:(?!(?:on|at|in|to|of|is|by|for|the|and|with|from)"
    r"[ ])[a-z]{1,6}|[а-я]{1,4}-)[-_ ]?[0-9]{2,10}"
    r"(?:-[0-9]{1,6})?|[0-9]{1,3}(?: [0-9]{3}){1,2}(?![0-9])|[0-9][0-9-]{0,11}[0-9]"
    r"|[0-9]))(?![0-9a-zа-я_]|[.,:][0-9])"
)
_TERMINAL: Final = re.compile(rf"{_MACHINE}[ ,:]{{0,3}}\"?(?P<label>{_OF_NUMBER}){_VALUE}")
_TERMINAL_LABEL: Final = re.compile(
    r"(?:№|номер\w{0,2}|#|id|код|nomer|number)[ ]{0,2}(?P<label>"
    rf"(?:платежн\w{{2,3}} )?{_MACHINE}[ ]{{0,2}}(?:[:№#-]|-|is"
    rf"|это)?[ :]{{0,2}}){_VALUE}"
)
_TERMINAL_BEHIND: Final = re.compile(
    r"(?P<label>№ ?|номер )(?P<n>[0-9]{3,12})[ )(-]{0,3}(?:терминал|автомат|аппарат)"
    r"(?!\w{0,3}[ :№#(-]{0,3}(?:номер )?[0-9])"
)
_ANOTHERS: Final = re.compile(
    r"(?:чек|квитанц|документ|договор|сч[её]т|заказ|заявк|обращени|операци|транзакци|плат[её]ж"
    r"|карт|закон|приказ|паспорт|дом|школ|магазин|абонент)\w{0,3}[ :]{0,2}(?:номер )?$|[а-я]/с ?$"
)
_BESIDE: Final = re.compile(
    r"(?:(?:номер|№) на (?:корпусе|наклейке|экране|терминале|автомате|аппарате|нем|ней)"
    r"|наклейк\w(?: с номером)?)(?P<label>[ :№-]{1,4})(?P<n>[0-9]{6,8})(?![0-9]|[.,:][0-9])"
)
_DIGITS: Final = re.compile(
    r"цифры (?:с|на|от) (?:терминал|автомат|аппарат|корпус|наклейк)\w{0,2}(?: [а-я]{2,10}){0,2}"
    r"(?P<label>[ :№-]{1,4})(?P<n>[0-9]{3,10})(?![0-9]|[.,:][0-9])"
)
_SIGN: Final = re.compile(r"(?P<label>№ ?)(?P<n>[0-9]{6,8})(?![0-9a-zа-я]|[.,:/-][0-9])")
_AT_MACHINE: Final = re.compile(r"терм[ие]нал|автомат|ап+арат|банкомат|киоск|терм\.|магазин|стоит")
_STICKER: Final = re.compile(
    r"(?:на (?:наклейке|корпусе|нем|ней|экране|терминале|автомате"
    r"|аппарате) (?:\w{1,10} ){0,2}(?P<label>(?:номер|№|написано|указано"
    r"|цифры)[ :]{0,2}))"
    rf"{_VALUE}"
)
_RECEIPT: Final = re.compile(
    r"(?:(?:№|номер\w?|n|#|no\.?) ?(?P<first>(?:чек|квитанц|документ)\w{0,3})"
    r"|(?:чек|квитанц|документ|receipt)\w{0,4})"
    r"(?P<label>(?:,? (?:есть|имеется|прилагаю|сохранился|is|was))?(?: (?:с "
    r"|под )?(?:номер\w{0,2}|ном\.|number"
    r"|no\.?))?[ ]{0,2}[:№#n=-]{0,2}[ :]{0,2}№?[ ]{0,1})"
    r"(?P<n>[0-9][0-9-]{0,14}[0-9]|[0-9])(?![0-9a-zа-я]|[.,:][0-9])"
)
_OPERATION: Final = re.compile(
    r"(?:(?:(?:код|номер|№|ид|id|айди|n)\w{0,2} ?(?:операци|транзакци|платеж"
    r"|авторизаци|сесси|перевод)\w{0,3}"
    r"|(?:операци|транзакци|опер\b|авторизаци)\w{0,3}(?: (?:номер|код|id|№))?"
    r"|тр-(?:я|ци\w)|платеж\w{0,2} (?:номер|код|id|№)|\brrn|\bpnr"
    r"|(?:transaction|operation|payment)(?: (?:id|number|code|no\.?))?|(?:код|номер) операції)"
    r"[ ]{0,2}[.:№#=-]{0,2}[ :]{0,2}№?[ ]?)(?P<n>"
    r"(?=[a-z0-9-]{0,3}[0-9])[0-9a-z][0-9a-z-]{3,38}[0-9a-z])(?![0-9a-zа-я]"
    r"|[.,:][0-9])"
)
_OPERATION_TOLD: Final = re.compile(
    r"\b(?:номер\w{0,2}|код|№|id) (?:этой |моей )?(?:операци|транзакци|платеж)\w{0,3}\b"
    r"(?P<gap>[^0-9.!?\n\x00]{1,60})(?P<n>[0-9]{9,14})(?![0-9]|[.,:-][0-9])"
)
"""The number stands some words behind: "you asked for the operation's number, it showed …"."""
_OTHER_NUMBER: Final = re.compile(
    r"чек|квитанц|терминал|автомат|сч[её]т|договор|лицев|л/с|тел\b|телефон|кошел|карт|звон"
)
_NOT_ID_BEHIND: Final = re.compile(
    r"[ ]{0,2}-?(?:руб|р\b|р\.|₽|тыс|тыщ|[кk]\b|тг|тенге|теңге|грн|коп|купюр"
    r"|бумаж|раз[а]?\b|дн[еяй]|час|мин|сут|месяц|недел|%|цифр|метр|штук|шт\b"
    r"|го\b|янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек|листоп|числ"
    r"|по [0-9])"
)


def read_terminals(sheet: Sheet, fleet: frozenset[str]) -> list[Fact]:
    """Take terminal numbers off the sheet; `fleet` holds those that exist."""
    return list(_terminals(sheet, fleet))


def _terminals(sheet: Sheet, fleet: frozenset[str]) -> Iterator[Fact]:
    seen = 0
    for pattern in (
        _TERMINAL_LABEL,
        _TERMINAL,
        _TERMINAL_BEHIND,
        _STICKER,
        _BESIDE,
        _DIGITS,
        _SIGN,
    ):
        for found in pattern.finditer(sheet.left):
            seen += 1
            if seen > NUMBERS_MAX:
                return
            start, end = found.span("n")
            number = number_of(sheet.raw[start:end], fleet)
            label = found["label"]
            if pattern in {_TERMINAL_BEHIND, _SIGN} and _is_anothers(sheet, found.start()):
                continue
            if pattern is _SIGN and not (number in fleet or _is_at_machine(sheet, start)):
                continue
            labelled = pattern is not _TERMINAL or bool(
                re.search(r"[№#:=(]|номер|ном\.|код|id|айди|ид\b|number|no|nomer|нөмір|n ?$", label)
            )
            labelled = labelled or found[0].startswith(("id", "ид", "тид", "tid"))
            if not _is_terminal(number, labelled, number in fleet):
                continue
            if not (number in fleet and labelled) and _NOT_ID_BEHIND.match(sheet.left, end):
                continue
            sureness = 0.97 if number in fleet else 0.85 if labelled else 0.7
            yield sheet.fact("terminal", number, (start, end), sureness)
            sheet.take(start, end)
    yield from _known(sheet, fleet)
    for spoken in whole(sheet.left):
        if spoken.digits in fleet:
            yield sheet.fact("terminal", spoken.digits, (spoken.start, spoken.end), 0.75)
            sheet.take(spoken.start, spoken.end)


def _is_anothers(sheet: Sheet, at: int) -> bool:
    """Tell whether the word before a number's sign says that it is of something else."""
    return bool(_ANOTHERS.search(sheet.even[max(0, at - 32) : at]))


def _is_at_machine(sheet: Sheet, at: int) -> bool:
    """Tell whether a number stands in a sentence about the terminal, or in a line of its own."""
    before = sheet.before(at, 80)
    alone = not before.strip(" №") and sheet.passage.origin != Origin.SUBJECT
    return alone or bool(_AT_MACHINE.search(before))


def _is_terminal(number: str, labelled: bool, exists: bool) -> bool:  # noqa: FBT001 - two plain answers
    if exists:
        return labelled or len(number) >= 4
    digits = re.sub(r"[^0-9]", "", number)
    if labelled:
        return 2 <= len(digits) <= 12
    if not number.isdigit():
        return len(digits) >= 3 and not number[:1].isdigit()
    return 5 <= len(number) <= 12 and not (int(number) % 50 == 0 and len(number) < 6)


def _known(sheet: Sheet, fleet: frozenset[str]) -> Iterator[Fact]:
    """Yield bare numbers that only a terminal of this fleet bears."""
    if not fleet:
        return
    for found in re.finditer(
        r"(?<![0-9a-z.,№-])[0-9]{5,12}(?![0-9a-z]|[.,][0-9])|\b[a-z]{1,6}-[0-9]{2,10}\b", sheet.left
    ):
        number = number_of(sheet.raw[found.start() : found.end()], fleet)
        if number in fleet and not _NOT_ID_BEHIND.match(sheet.left, found.end()):
            yield sheet.fact("terminal", number, found.span(), 0.75)
            sheet.take(*found.span())


_SEEN: Final = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
_HEARD: Final = str.maketrans("АБВГДЕЗИЙКЛМНОПРСТУФХ", "ABVGDEZIJKLMNOPRSTUFH")


def number_of(written: str, fleet: frozenset[str]) -> str:
    """Return a terminal number as the fleet writes it, whatever blanks and zeros are missing."""
    bare = re.sub(r"\s", "", written)
    seen, heard = bare.upper().translate(_SEEN), bare.upper().translate(_HEARD)
    for form in (
        seen,
        heard,
        written,
        bare,
        bare.upper(),
        bare.replace("-", ""),
        "0" + bare,
        "00" + bare,
        bare.lstrip("0"),
    ):
        if form in fleet:
            return form
    return bare.upper()


def read_receipts(sheet: Sheet) -> list[Fact]:
    """Take receipt and operation numbers off the sheet."""
    facts = []
    plans = (("operation", _OPERATION), ("operation", _OPERATION_TOLD), ("receipt", _RECEIPT))
    for kind, pattern in plans:
        for count, found in enumerate(pattern.finditer(sheet.left)):
            if count >= NUMBERS_MAX:
                break
            start, end = found.span("n")
            if _NOT_ID_BEHIND.match(sheet.left, end):
                continue
            if pattern is _OPERATION_TOLD and _OTHER_NUMBER.search(found["gap"]):
                continue
            if kind == "receipt" and not (
                found["first"] or found["label"].strip() or end - start >= 3
            ):
                continue
            number = sheet.raw[start:end]
            if re.fullmatch(r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}", number):
                continue
            facts.append(sheet.fact(kind, number, (start, end), 0.92 if found[0] else 0.8))
            sheet.take(start, end)
    return facts
