"""Accounts that a report names: phones in every spelling, contracts, wallets; and contact phones.

An account's value is `{"digits", "form", "role"}`. `digits` is normalised as the collector does
before it hashes: a Russian or Kazakh phone is its ten digits. `form` is `phone`, `contract`,
`login` or `tail` (only the last digits are known). `role` is `paid` (what was typed), or
`intended` (what should have been typed).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

from incidents.matching.cues import Cue, all_near
from incidents.matching.passage import Fact, Origin
from incidents.matching.words import Sheet

NUMBERS_MAX: Final = 40
"""Numbers of one passage that are looked at."""
CONTRACT_SURE: Final = 0.8
"""Confidence of a number that is labelled as a contract."""

_GAP: Final = r"[ .()\-/]{0,3}"
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
    r"(?:последни\w{1,2}(?: \w{1,6})? цифр\w{0,2}(?: номера)?"
    r"|оканчива\w{2,5}(?: на)?|заканчива\w{2,5}(?: на)?"
    r"|конец номера"
    r"|(?:тел\w{0,4}|номер\w?)[ .:]{0,2}(?:[.]{2,4}|…|[*xх]{2,8})|ending(?: in| with)?|last (?:4"
    r"|four) digits)[ :-]{0,3}(?P<tail>[0-9]{2}[ -]?[0-9]{2})(?![0-9])"
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
    r"|учетн\w{2,3} запис\w{1,2}|\bайди игрока|карт[аыуе]\w{0,2}|contract"
    r"|account|wallet|login|шот\w{0,3}|келісім\w{0,5}|\bdogovor\w?)"
)
_CONTRACT: Final = re.compile(
    rf"(?:{_LABEL})(?P<gap>[^0-9\n\x00.!?;]{{0,28}}?)"
    r"(?P<n>(?<![0-9a-zа-я])(?:[0-9]{7,20}|[0-9](?:[ \-/]?[0-9]){2,19}))(?![0-9]|[.:/][0-9])"
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
    r"(?P<cue>\b(?:номер\w{0,2}|телефон\w{0,2}|тел|за интернет|интернет"
    r"|квартплат\w|игр[уае]|на|по|кошелек|за|верн(?:ый|ого)|правильн\w{2,3}"
    r"|нөмір\w{0,2}|number|to)\b"
    r"[ .:№#-]{1,4})(?P<n>[0-9](?:[ -]?[0-9]){5,15})(?![0-9])"
)

ROLES: Final = (
    Cue("contact", r"(?:клиент|заявител|обратил)\w{0,3}(?=:)|для связи|обратн\w{2} связ\w"
        r"|связа?т\w+|свяж\w+|контакт\w*|перезвон\w*"
        r"|перезвін\w*|позвон\w+|звоните|наберите|дозвон\w+|моб\b|whats ?app"
        r"|ватсап\w*|вайбер\w*|viber|telegram|телеграм\w*|пишите|call me|contact"
        r"|my phone is|со мной|сообщите|смс на|байланыс\w*|хабарлас\w*"),
    Cue("own", r"(?:мой|моего|моему|наш|нашего) (?:\w{1,12} )?(?:номер|тел|моб|сот)\w*"
        r"|мій (?:номер|тел)\w*|my (?:number|phone)|тел\b\.?"),
    Cue("hotline", r"горяч\w+ лини\w*|гарячу лінію|техподдержк\w+|колл?[ -]?центр\w*"
        r"|звонил\w*(?: к)? (?:вам|на|по)|ваш(?:ему|ем|его)? (?:номер|тел)\w*"
        r"|номер поддержк\w|hotline|дзвони[вл]\w* на|служб\w поддержк\w"
        r"|указан\w+ на терминал\w"),
    Cue("intended", r"вместо|(?:надо|нужно|необходимо) (?:было )?(?!верн)|хотел\w{0,2}"
        r"|правильн\w{2,3}|верн(?:ый|ого|ом)\b|должн[аоы]? был[аои]?|должен был"
        r"|следовало|instead of|замість|треба було|потрібно|собирал\w{1,3}"
        r"|перекин\w+|переве(?:сти|дите)|а (?:надо|нужно)\b|correct"),
    Cue("paid", r"ошиб\w{1,8}|неправильн\w{1,3}|неверн\w{1,3}|чуж\w{2,3}|(?:по|за)(?:ложил"
        r"|платил)\w?|клал\w?|набрал\w?|ввел\w?|ввела|вбил\w?|указал\w?|перевел\w?"
        r"|пополн\w+|оплат\w+|внес\w{0,2}|вніс|ушл[аои]|закин\w+|кинул\w?|скинул\w?"
        r"|отправил\w?|зачисл\w+|попал[аои]?|поступ\w+|на номер\w?|на тел\w*"
        r"|набирал\w?|paid|платил\w?|wrong|помилк\w+|polozhil\w?|oplat\w+|на мтс"
        r"|на билайн|на мегафон|на теле2"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Number:
    start: int
    end: int
    digits: str
    form: str
    confidence: float
    role: str = "paid"
    cued: bool = False
    """Something near says that it was paid."""


_PERSONAL: Final = re.compile(
    r"(?:паспорт\w{0,3}|снилс|\bинн|\bбик|р/с|к/с|расч[её]тн\w+ сч[её]т\w?"
    r"|корр?\.? ?сч[её]т\w?|\bкпп|огрн|индекс|код подразделения|заявк\w"
    r"|обращени\w|тикет|\biban)"
    r"[^0-9\n]{0,14}[0-9][0-9 -]{2,24}[0-9]"
)


def read_accounts(sheet: Sheet) -> list[Fact]:
    """Take phones, contracts and logins off the sheet, each with what it is said to be."""
    for personal in _PERSONAL.finditer(sheet.left):
        sheet.take(*personal.span())
    found = [_said(sheet, each) for each in _numbers(sheet)]
    found = [each for each in found if each.role != "hotline"]
    found = _swapped(sheet, _beside_contract(found))
    found += _corrections(sheet, found)
    if sheet.passage.origin == Origin.SIGNATURE:
        found = [replace(each, role="contact") for each in found if each.form == "phone"]
    elif not any(each.role in {"paid", "intended", "own"} for each in found):
        found = [_only(sheet, each) for each in found]
    elif any(each.role in {"paid", "intended"} for each in found):
        found = [_own(sheet, each, found) for each in found]
    found = [replace(e, role="paid", confidence=0.75) if e.role == "own" else e for e in found]
    if not any(each.role == "paid" for each in found):
        intended = [each for each in found if each.role == "intended"]
        if len(intended) == 1 and not re.search(_MISTAKE, sheet.even):
            found = [replace(e, role="paid") if e is intended[0] else e for e in found]
    return [_fact(sheet, each) for each in found]


_MISTAKE: Final = (
    r"ошиб|вместо (?:номера?\b|[0-9+])|неправильн|неверн|не тот|не на тот|чуж"
    r"|перепута\w+ (?:\w+ )?(?:номер|цифр)|wrong|опечат|промахн|не туда|помилк"
)


def _fact(sheet: Sheet, each: _Number) -> Fact:
    span = (each.start, each.end)
    if each.role == "contact":
        return sheet.fact("contact", each.digits, span, each.confidence)
    value = {"digits": each.digits, "form": each.form, "role": each.role}
    return sheet.fact("account", value, span, each.confidence)


def _numbers(sheet: Sheet) -> Iterator[_Number]:
    count = 0
    for reader in (_phones, _tails, _contracts):
        for each in list(reader(sheet)):
            sheet.take(each.start, each.end)
            if each.form:
                yield each
                count += 1
                if count >= NUMBERS_MAX:
                    return


def _phones(sheet: Sheet) -> Iterator[_Number]:
    taken = sheet.left
    for found in _MOBILE.finditer(sheet.left):
        digits = re.sub(r"[^0-9]", "", found["n"])
        start = found.start() + len(found[0]) - len(found[0].lstrip(" .()-/"))
        if _labelled_contract(sheet, start) and found[0].lstrip()[:1] == "9":
            continue
        taken = taken[:start] + "\x00" * (found.end() - start) + taken[found.end() :]
        yield _Number(start, found.end(), digits, "phone", 0.95)
    for number, found in enumerate(_RUN.finditer(taken)):
        if number >= NUMBERS_MAX:
            return
        digits = re.sub(r"[^0-9]", "", found[0])
        form, national = _foreign(digits, plus="+" in found[0])
        start, end = found.span()
        if form == "landline" and _labelled_contract(sheet, start):
            continue
        if form == "landline":
            yield _Number(start, end, digits, "", 0.0)
        elif form:
            yield _Number(start, end, national, "phone", 0.93)


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


def _tails(sheet: Sheet) -> Iterator[_Number]:
    for pattern, sureness in ((_TAIL, 0.85), (_MASKED, 0.85), (_CARD_TAIL, 0.7)):
        for found in pattern.finditer(sheet.left):
            name = "tail" if found["tail"] else "tail2"
            digits = re.sub(r"[^0-9]", "", found[name])
            sheet.take(found.start(), found.start(name))
            yield _Number(*found.span(name), digits, "tail", sureness)


def _contracts(sheet: Sheet) -> Iterator[_Number]:
    taken: list[tuple[int, int]] = []
    plans = (
        (_CONTRACT, "contract", 0.9),
        (_CONTRACT_BEHIND, "contract", 0.8),
        (_LOGIN, "login", 0.75),
        (_BARE, "contract", 0.6),
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
            yield _Number(start, end, plain, form, sureness)


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
    ):
        return False
    label = found[0][: found.start("n") - found.start()]
    short = label.startswith(("на", "по", "за", "to", "карт"))
    strong = re.search(r"№|#|номер|:|лицев|л/с|лс|договор|логин", label)
    return len(digits) >= (7 if short else 4 if strong else 5)


def _said(sheet: Sheet, each: _Number) -> _Number:
    """Return a number with the role that the words around it give."""
    near = [n for n in all_near(sheet, (each.start, each.end), ROLES, 60)
            if not (n.behind and n.name in {"hotline", "own", "intended"})]  # fmt: skip
    ours = [n for n in near if _free(sheet, each, n.distance, behind=n.behind)]
    if not ours:
        return replace(each, role="paid")
    best = ours[0]
    if best.name == "contact" and each.form != "phone":
        return each
    if best.name == "own" and any(n.name == "contact" and n.distance < 40 for n in ours):
        return replace(each, role="contact")
    if (
        best.name == "paid"
        and best.behind
        and any(n.name == "contact" and not n.behind for n in ours)
    ):
        return replace(each, role="contact")
    if best.name == "own" and any(n.name == "paid" and not n.behind for n in ours):
        return replace(each, cued=True)
    return replace(each, role=best.name, cued=best.name == "paid")


def _beside_contract(found: list[_Number]) -> list[_Number]:
    """Read a phone of which nothing is said as contact where a contract was paid."""
    if not any(each.form == "contract" and each.confidence >= CONTRACT_SURE for each in found):
        return found
    return [replace(e, role="contact") if e.form == "phone" and not e.cued else e for e in found]


def _free(sheet: Sheet, each: _Number, distance: int, *, behind: bool) -> bool:
    """Tell whether no other number stands between a cue and this one."""
    distance = min(distance, 60)
    between = sheet.left[each.end : each.end + distance] if behind else (
        sheet.left[max(0, each.start - distance) : each.start]
    )  # fmt: skip
    return "\x00" not in between


def _swapped(sheet: Sheet, found: list[_Number]) -> list[_Number]:
    """Return them with "X instead of Y" read right, whatever stands before X."""
    result = list(found)
    for number, (left, right) in enumerate(pairwise(found)):
        between = sheet.even[left.end : right.start]
        if len(between) <= 40 and re.search(
            r"\b(?:вместо|instead of|замість|а (?:надо|нужно|правильн))", between
        ):
            result[number] = replace(left, role="paid")
            result[number + 1] = replace(right, role="intended")
    return result


def _corrections(sheet: Sheet, found: list[_Number]) -> list[_Number]:
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
    return [_Number(start, end, whole, typed[-1].form, 0.6, "intended")]


def _own(sheet: Sheet, each: _Number, found: list[_Number]) -> _Number:
    """Read "my number" beside a paid one: the right one if it is nearly the same, or a contact."""
    if each.role != "own":
        return each
    near = any(
        (e.role == "paid" and e.form == each.form and sorted(e.digits) == sorted(each.digits))
        or sum(a != b for a, b in zip(e.digits, each.digits, strict=False)) <= 2
        for e in found if e is not each
    )  # fmt: skip
    mistaken = near and re.search(_MISTAKE, sheet.even)
    return replace(each, role="intended" if mistaken else "contact")


def _only(sheet: Sheet, each: _Number) -> _Number:
    """A lone contact phone may be the paid one too, where the mail says so."""
    if re.search(
        r"(?:этот|свой|свою|мой|себе|на него|указанн\w+)(?: же)?(?: \w+)? (?:номер|тел)|себе на",
        sheet.even,
    ):
        return replace(each, role="paid", confidence=0.6)
    return each
