"""Accounts that a report names: phones in every spelling, contracts, wallets; and contact phones.

An account's value is `{"digits", "form", "role"}`. `digits` is normalised as the collector does
before it hashes: a Russian or Kazakh phone is its ten digits. `form` is `phone`, `contract`,
`login` or `tail` (only the last digits are known). `role` is `paid` (what was typed), or
`intended` (what should have been typed).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from incidents.matching.account_roles import (
    Number,
    beside_contract,
    said,
    settled,
    swapped,
)
from incidents.matching.bank_numbers import take_bank_numbers
from incidents.matching.passage import Fact, Origin
from incidents.matching.spoken import phones as dictated
from incidents.matching.words import Sheet

NUMBERS_MAX: Final = 40
"""Numbers of one passage that are looked at."""

_GAP: Final = r"[ .()\-/]{0,4}"
_RUN: Final = re.compile(
    rf"(?<![0-9])(?<![0-9][.,])(?:\+ ?)?\(?[0-9](?:{_GAP}[0-9]){{8,14}}(?![0-9])"
)
_MOBILE: Final = re.compile(
    rf"(?<![0-9])(?:\+ ?7|007|07|[78])?{_GAP}(?P<n>9(?:{_GAP}[0-9]){{9}})(?![0-9])"
)
_MASKED: Final = re.compile(
    r"(?:(?:\+?7|8)[ (-]{0,2})?9[0-9x*х]{2}[ )-]{0,2}[x*х.]{2,3}["
    r" -]?[x*х.]{0,2}[ -]?(?P<tail>[0-9]{2}[ -]?[0-9]{2}|[0-9]{2,4})"
    r"|(?:\+?7|8)?9[0-9]{2}[*xх]{4,6}(?P<tail2>[0-9]{2})(?![0-9])"
)
_TAIL: Final = re.compile(
    r"(?:последни\w{1,2}(?: \w{1,6})? цифр\w{0,2}(?: (?:номера|телефона|сч[её]та|карты|моего|его"
    r"|ее|их)){0,2}"
    r"|(?:оканчива|заканчива|кончает)\w{0,5}"
    r"(?: (?:у (?:него|нее)|мой|его|ее|их|этот|номер|телефона?|сч[её]т|карта)){0,3}(?: на)?"
    r"|(?:конец|в конце|хвост) (?:номера|телефона|сч[её]та)"
    r"|(?:тел\w{0,6}|номер\w?)[ .:]{0,2}(?:[.]{2,4}|…|[*xх]{2,8})|ending(?: in| with)?|last (?:4"
    r"|four) digits)[ :-]{0,3}(?P<tail>[0-9]{2}[ -]?[0-9]{2})(?![0-9])"
)
_TAIL_BEHIND: Final = re.compile(
    r"(?:[.]{2,4}|…|[*xх]{2,8})? ?(?<![0-9])(?<![0-9][ .,:-])(?P<tail>[0-9]{2}[ -]?[0-9]{2})"
    r" ?[(-]? ?(?:на конце|в конце (?:номера|телефона|сч[её]та)|последние цифры)"
)
_CARD_TAIL: Final = re.compile(
    r"карт\w{0,3} (?:[а-яa-z]{2,14} ){0,2}(?:№ ?)?(?:[*xх•.]{1,12}"
    r"|[0-9]{4}[ -]?[0-9]{2}[*xх•]{2}[ -]?[*xх•]{4}[ -]?"
    r"|[*xх•0-9]{4}[ *xх•-]{5,12}) ?(?P<tail>[0-9]{4})(?![0-9])"
)
_CORRECTED: Final = re.compile(
    r"(?:вместо|надо было|нужно было|надо|правильно|должно быть"
    r"|а нужно)(?: на)?[ :]{1,2}(?:\.{2,3}|…)?"
    r"(?P<tail>[0-9]{2,4}(?:[- ][0-9]{2}){0,2})(?![0-9 -]*(?:[0-9]|руб|р\b|тыс))"
)
_LABEL: Final = (
    r"(?:лицев(?:ой|ого|ому|ым)(?: сч[её]т\w{0,2})?|\bл\. ?с\.?|л ?/ ?с(?:ч[её]т\w{0,2})?"
    r"|\bлс\b|\bелс\b|един\w{2,3} (?:лицев\w{2,3} )?сч[её]т\w{0,2}"
    r"|договор\w{0,2}|абонент\w{0,6}|сч[её]т[уае]?|рахун\w{2,3}"
    r"|кошел[её]?к\w{0,2}|кошель\w{0,2}|логин\w{0,2}|аккаунт\w{0,2}"
    r"|акаунт\w{0,2}"
    r"|\bуин|учетн\w{2,3} запис\w{1,2}|\bайди игрока|карт[аыуе]\w{0,2}|contract"
    r"|account|wallet|login|шот\w{0,3}|келісім\w{0,5}|\bdogovor\w?)"
)
_CONTRACT: Final = re.compile(
    rf"(?:{_LABEL})(?P<gap>[^0-9\n\x00.!?;]{{0,28}}?)"
    r"(?P<n>(?<![0-9a-zа-я_])(?:[0-9]{7,25}|[0-9](?:[ \-/]?[0-9]){2,19}))(?![0-9]|[.:/][0-9])"
)
_CONTRACT_BEHIND: Final = re.compile(
    r"(?P<n>(?<![0-9])[0-9](?:[ \-/]?[0-9]){4,19}) {0,2}[(-]{0,2} ?(?:лицевой"
    r"|л/с|договор|номер договора|номер счета)"
)
_LOGIN: Final = re.compile(
    r"(?:логин\w{0,2}|аккаунт\w{0,2}|акаунт\w{0,2}|\bник\b|login"
    r"|account)(?: (?:у меня|мой|вот|was|is))?[ :=\"-]{1,3}"
    r"(?P<n>(?=[a-z0-9_.@-]*[a-z])[a-z0-9][a-z0-9_.@-]{2,40}[a-z0-9])"
)
_BARE: Final = re.compile(
    r"(?P<cue>\b(?:номер\w{0,2}(?: мой| такой| счета| у меня)?|тел"
    r"|телефон\w{0,2}(?: (?:дочери|дочк[еи]|сын[ау]|муж[ау]|жен[ыеу]|мам[ыеу]|внук[ау]|внучк[еи]"
    r"|брат[ау]|сестр[еыу]|матери|отц[ау]|пап[ыеу]|бабушк[еи]|мой|его|ее))?"
    r"|за интернет|интернет"
    r"|квартплат\w|игр[уае]|на|по|кошелек|за|верн(?:ый|ого)|правильн\w{2,3}"
    r"|нөмір\w{0,2}|number|to)\b"
    r"[ .:№#-]{1,4})(?P<n>[0-9]{6,16}(?![0-9])|[0-9](?:[ -]?[0-9]){5,15})(?![0-9])"
)

_WHITHER: Final = re.compile(
    r"\b(?:куда(?: платил\w?)?|реквизит\w{0,3}|идентификатор\w{0,3}|получател\w{1,2})[ :=№(-]{1,4}"
    r"(?P<n>[0-9]{5,20})(?![0-9]|[.,:/][0-9])"
)
_SERVICE: Final = re.compile(
    r"\b(?:интернет\w?|телевидени\w|домофон\w?|квартплат\w|коммуналк\w|электр\w{4,12}|жкх|тв"
    r"|капремонт\w?|провайдер\w?)(?: \"[^\"\n]{2,24}\"| [а-яa-z-]{3,16})?[ ,:№-]{1,3}"
    r"(?P<n>[0-9]{7,12})(?![0-9]|[.,:/][0-9])"
)
_LONE: Final = re.compile(
    r"(?<![0-9a-zа-я.,:№#/-])(?<![№#] )(?!20[0-9]{2}[01][0-9])[0-9]{8,12}(?![0-9a-zа-я]"
    r"|[.,:/-][0-9])"
)
"""Digits that nothing is said of."""
_BEHIND_SUM: Final = re.compile(
    r"(?:[0-9] ?(?:р|руб\w{0,4}|₽)\.?|косарь"
    r"|[сдп][а-я]{1,9}(?:отку|атку|шку|инник|тос))[ ,]{1,2}(?P<n>[0-9]{8,12})(?![0-9]|[.,:/][0-9])"
)
_PERSONAL: Final = re.compile(
    r"(?:паспорт\w{0,3}|\bкк[мт]\b|\b[рз]н ккт|эклз"
    r"|снилс|\bинн|\bбик|р/с|к/с|расч[её]тн\w+ сч[её]т\w?"
    r"|корр?\.? ?сч[её]т\w?|\bкпп|огрн|индекс|код подразделения|заявк\w"
    r"|обращени\w|тикет|\biban)"
    r"[^0-9\n]{0,14}[0-9][0-9 -]{2,24}[0-9]"
    r"|\bс (?:моей |своей )?карт\w{1,2} (?:[а-я]{2,14} )?[0-9*xх•]{4}[ -]?[0-9*xх• -]{2,14}[0-9]{4}"
    r"(?![0-9])"
)


_CALENDAR: Final = re.compile(
    r"(?<![0-9])[0-3]?[0-9]([./-])[01]?[0-9]\1 ?(?:20[0-9]{2}(?![0-9])|2[0-9] [0-2][0-9][.: -])"
    r"|(?<![0-9])20[0-9]{2}([./-])[01][0-9]\2[0-3][0-9]"
)
"""A date that stands among digits makes them no number of anybody."""


def read_accounts(sheet: Sheet) -> list[Fact]:
    """Take phones, contracts and logins off the sheet, each with what it is said to be."""
    for personal in _PERSONAL.finditer(sheet.left):
        sheet.take(*personal.span())
    take_bank_numbers(sheet)
    found = [said(sheet, each) for each in list(_numbers(sheet))]
    found = [each for each in found if each.role != "hotline"]
    found = swapped(sheet, beside_contract(found))
    found += _corrections(sheet, found)
    return [_fact(sheet, each) for each in settled(sheet, found)]


def read_lone(sheet: Sheet) -> list[Fact]:
    """Take the one number of which nothing is said; ask it where no other account is named."""
    found = list(_LONE.finditer(sheet.left))
    if len(found) != 1 or sheet.passage.origin == Origin.ATTACHMENT:
        return []
    span = found[0].span()
    sheet.take(*span)
    value = {"digits": found[0][0], "form": "contract", "role": "paid"}
    return [sheet.fact("account", value, span, 0.5)]


def _fact(sheet: Sheet, each: Number) -> Fact:
    span = (each.start, each.end)
    if each.role == "contact":
        return sheet.fact("contact", each.digits, span, each.confidence)
    value = {"digits": each.digits, "form": each.form, "role": each.role}
    return sheet.fact("account", value, span, each.confidence)


def _numbers(sheet: Sheet) -> Iterator[Number]:
    count = 0
    for reader in (_dictated, _phones, _tails, _contracts):
        for each in list(reader(sheet)):
            sheet.take(each.start, each.end)
            if each.form:
                yield each
                count += 1
                if count >= NUMBERS_MAX:
                    return


def _dictated(sheet: Sheet) -> Iterator[Number]:
    for each in dictated(sheet.left):
        yield Number(each.start, each.end, each.digits, "phone", 0.85)


def _phones(sheet: Sheet) -> Iterator[Number]:
    taken = sheet.left
    for found in _MOBILE.finditer(sheet.left):
        digits = re.sub(r"[^0-9]", "", found["n"])
        start = found.start() + len(found[0]) - len(found[0].lstrip(" .()-/"))
        if _labelled_contract(sheet, start) and found[0].lstrip()[:1] == "9":
            continue
        if _CALENDAR.search(found[0]):
            continue
        taken = taken[:start] + "\x00" * (found.end() - start) + taken[found.end() :]
        yield Number(start, found.end(), digits, "phone", 0.95)
    for number, found in enumerate(_RUN.finditer(taken)):
        if number >= NUMBERS_MAX:
            return
        if _CALENDAR.search(found[0]):
            continue
        digits = re.sub(r"[^0-9]", "", found[0])
        form, national = _foreign(digits, plus="+" in found[0])
        start, end = found.span()
        if form == "landline" and _labelled_contract(sheet, start):
            continue
        if form == "landline":
            yield Number(start, end, digits, "", 0.0)
        elif form:
            yield Number(start, end, national, "phone", 0.93)


@lru_cache(maxsize=10_000)
def _foreign(digits: str, *, plus: bool) -> tuple[str, str]:
    """Return what a number that is no Russian mobile is, and its digits as they are kept."""
    import phonenumbers as phones  # noqa: PLC0415 - only where a number is foreign

    if len(digits) == 11 and digits[0] in "78":
        digits_full = "7" + digits[1:]
    elif plus or digits.startswith(("380", "375", "996", "998", "374", "992", "995", "373")):
        digits_full = digits
    elif len(digits) == 10 and digits[0] == "0":
        digits_full = "38" + digits
    else:
        return "", ""
    number = phones.PhoneNumber(
        country_code=int(digits_full[:1]) if digits_full[0] == "7" else int(digits_full[:3]),
        national_number=int(digits_full[1:] if digits_full[0] == "7" else digits_full[3:]),
    )
    if not phones.is_valid_number(number):
        return "", ""
    mobile = phones.number_type(number) in {
        phones.PhoneNumberType.MOBILE,
        phones.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
    if not mobile:
        return "landline", digits_full
    return "phone", digits_full[1:] if digits_full[0] == "7" else digits_full


def _labelled_contract(sheet: Sheet, start: int) -> bool:
    return bool(re.search(
        r"(?:лицев\w+|л/с|\bлс|договор\w*|сч[её]т\w?|кошел\w+|операци\w+"
            r"|платеж[аеу]?|транзакц\w+|паспорт\w*|карт[аыуе]|инн"
            r"|терминал\w?)[ :№#-]{0,4}(?:(?:номер|no|n)[ :№]{1,2})?$",
        sheet.left[max(0, start - 32) : start],
    ))  # fmt: skip


def _tails(sheet: Sheet) -> Iterator[Number]:
    plans = ((_TAIL, 0.85), (_TAIL_BEHIND, 0.8), (_MASKED, 0.85), (_CARD_TAIL, 0.7))
    for pattern, sureness in plans:
        for found in pattern.finditer(sheet.left):
            name = "tail" if found["tail"] else "tail2"
            digits = re.sub(r"[^0-9]", "", found[name])
            sheet.take(found.start(), found.start(name))
            yield Number(*found.span(name), digits, "tail", sureness)


def _contracts(sheet: Sheet) -> Iterator[Number]:
    taken: list[tuple[int, int]] = []
    plans = (
        (_CONTRACT, "contract", 0.9),
        (_CONTRACT_BEHIND, "contract", 0.8),
        (_WHITHER, "contract", 0.8),
        (_SERVICE, "contract", 0.75),
        (_LOGIN, "login", 0.75),
        (_BARE, "contract", 0.6),
        (_BEHIND_SUM, "contract", 0.6),
    )
    for pattern, form, sureness in plans:
        for number, found in enumerate(pattern.finditer(sheet.left)):
            if number >= NUMBERS_MAX:
                break
            start, end = found.span("n")
            if any(start < b and a < end for a, b in taken):
                continue
            if not _is_contract(sheet, found, form):
                continue
            taken.append((start, end))
            plain = found["n"] if form == "login" else re.sub(r"[ \-/.]", "", found["n"])
            yield Number(start, end, plain, form, sureness)


_UNIT_BEHIND: Final = re.compile(
    r"[ ]{0,2}(?:руб|р\b|р\.|₽|тыс|тыщ|тг|тенге|грн|коп|купюр|раз\b|дн|час|мин"
    r"|цифр|янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек)"
)


_DATE: Final = re.compile(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_OTHER_LABEL: Final = re.compile(
    r"терминал|чек|операци|банкомат|автомат|платеж|на сумм|рубл|внес|полож|транзакци"
)
_OTHER_LABEL_BEFORE: Final = re.compile(
    r"(?:терминал\w?|чек\w?|операци\w|транзакци\w|платеж\w)[ :№#-]{0,3}(?:номер)?[ :№#-]{0,3}$"
    r"|(?:терминал|автомат|аппарат|банкомат|киоск|устройств)\w{0,2} (?:с|под|за|имеет|его)"
    r"(?: серийн\w{1,3})? $|серийн\w{2,3} $"
    r"|(?:чек|квитанци)\w? (?:есть|имеется|сохранил\w{1,3}|на руках|прилагаю"
    r"|остал\w{1,3})[ ,:]{0,2}$"
)
_STICKER_BEFORE: Final = re.compile(
    r"(?:\bна (?:ней|нем|корпусе|наклейке|экране|терминале|автомате|аппарате)(?: \w{1,10}){0,2}"
    r"|наклейк\w) ?$"
)


def _is_contract(sheet: Sheet, found: re.Match[str], form: str) -> bool:
    """Tell a contract's number from a date, a sum, a terminal's number."""
    if form == "login":
        return True
    digits = re.sub(r"[^0-9]", "", found["n"])
    groups = found.groupdict()
    said = groups.get("cue") or groups.get("gap") or ""
    before = sheet.left[max(0, found.start() - 22) : found.start()].rpartition("\n")[2]
    if (
        _UNIT_BEHIND.match(sheet.left, found.end("n"))
        or _DATE.fullmatch(found["n"])
        or _OTHER_LABEL.search(said)
        or _OTHER_LABEL_BEFORE.search(before)
        or _STICKER_BEFORE.search(before)
    ):
        return False
    label = found[0][: found.start("n") - found.start()]
    short = label.startswith(("на", "по", "за", "to", "карт"))
    strong = re.search(r"№|#|номер|:|лицев|л/с|лс|договор|логин", label)
    return len(digits) >= (7 if short else 4 if strong else 5)


def _corrections(sheet: Sheet, found: list[Number]) -> list[Number]:
    """Return what should have been typed where only the last digits are told: "instead of 71"."""
    typed = [each for each in found if each.role == "paid" and each.form in {"phone", "contract"}]
    if not typed or any(each.role == "intended" for each in found):
        return []
    match = _CORRECTED.search(sheet.left)
    if not match:
        return []
    tail = re.sub(r"[^0-9]", "", match["tail"])
    start, end = match.span("tail")
    sheet.take(start, end)
    whole = typed[-1].digits[: -len(tail)] + tail
    last = typed[-1].digits[-len(tail) :]
    unlike = sum(a != b for a, b in zip(last, tail, strict=False))
    alike = unlike <= len(tail) // 2 or sorted(last) == sorted(tail)
    if any(each.digits == whole for each in typed) or not alike:
        return []
    return [Number(start, end, whole, typed[-1].form, 0.6, "intended")]
