"""What each number of a report is said to be: paid, meant, one's own, a hotline, a contact."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from incidents.matching.cues import Cue, all_near
from incidents.matching.passage import Origin
from incidents.matching.words import Sheet

CONTRACT_SURE: Final = 0.8
"""Confidence of a number that is labelled as a contract."""

ROLES: Final = (
    Cue("contact", r"(?:клиент|заявител|обратил)\w{0,3}(?=:)|для (?:связи|справок)"
        r"|(?:по)?звонил\w? (?:клиент|абонент)\w*|звонок (?:от|с)\b|(?:клиент|абонент)\w? звонил\w?"
        r"|обр\w{0,5}\.? ?св(?:яз\w|\.)"
        r"|(?<!за )(?<!ил )(?<!ила )(?<!ил за )домашн\w{2,3} (?:тел|номер)\w*"
        r"|с которого (?:пишу|звоню)|звонить на"
        r"|(?:мне|можно|прошу|просьба) (?:\w{1,8} ){0,2}звонить"
        r"|звонить\b|(?<!ая )(?<!ую )связь(?: со мной)?(?: по\b| через| только)?(?= ?[:+-]| по)"
        r"|ответ(?:ьте|ить|ите)? (?:\w{1,8} )?на|(?:жду|ждем) звонк\w|набира(?:ть|йте)|набрать"
        r"|наберит\w|на связи|в[оа][тц]с?[ -]?ап\w*|в телег\w{1,5}|смс(?:ку)? (?:мне|сюда)"
        r"|reach me|text me|для звонк\w{1,2}|\bсбп\b"
        r"|связа?т\w+|свяж\w+|контакт\w*|перезвон\w*"
        r"|перезвін\w*|позвон\w+|звоните|наберите|дозвон\w+|моб\b|whats ?app"
        r"|ватсап\w*|вайбер\w*|viber|telegram|телеграм\w*|пишите|call me|contact"
        r"|my phone is|со мной|сообщите|смс на|байланыс\w*|хабарлас\w*"),
    Cue("own", r"(?:мой|моего|моему|наш|нашего) (?:\w{1,12} )?(?:номер|тел|моб|сот)\w*"
        r"|(?:тел\w*|номер) (?:девушк|женщин|мужчин|парн|обративш|заявител)\w{1,6}"
        r"|(?:мой(?: (?:личный|рабочий|запасной|второй|основной|домашний))?|наш|у меня|я)"
        r"(?= ?[:-]? ?$)|мій (?:номер|тел)\w*"
        r"|my (?:number|phone)|тел\b\.?"),
    Cue("hotline", r"горяч\w+ лини\w*|гарячу лінію|техподдержк\w+|колл?[ -]?центр\w*"
        r"|звонил\w*(?: к)? (?:вам|на|по)|ваш(?:ему|ем|его)? (?:номер|тел)\w*"
        r"|номер поддержк\w|hotline|дзвони[вл]\w* на|служб\w поддержк\w"
        r"|указан\w+ на терминал\w"),
    Cue("intended", r"вместо|(?:надо|нужно|необходимо) (?:было )?(?!верн)|хотел\w{0,2}"
        r"|правильн\w{2,3}|верн(?:ый|ого|ом)\b|должн[аоы]? был[аои]?|должен был"
        r"|следовало|instead of|замість|треба було|потрібно|собирал\w{1,3}"
        r"|перекин\w+|переве(?:сти|дите)|а (?:надо|нужно)\b|correct"),
    Cue("paid", r"(?:ее|его|их) (?:номер|тел|моб|сот)\w*"
        r"|ошиб\w{1,8}|неправильн\w{1,3}|неверн\w{1,3}|чуж\w{2,3}|(?:по|за)(?:ложил"
        r"|платил)\w?|клал\w?|набрал\w?|ввел\w?|ввела|вбил\w?|указал\w?|перевел\w?"
        r"|пополн\w+|оплат\w+|внес\w{0,2}|вніс|ушл[аои]|закин\w+|кинул\w?|скинул\w?"
        r"|отправил\w?|зачисл\w+|попал[аои]?|поступ\w+|на номер\w?|на тел\w*"
        r"|набирал\w?|paid|платил\w?|wrong|помилк\w+|polozhil\w?|oplat\w+|на мтс"
        r"|на билайн|на мегафон|на теле2"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, and what it is taken for."""

    start: int
    end: int
    digits: str
    form: str
    confidence: float
    role: str = "paid"
    cued: bool = False
    """Something near says that it was paid."""


MISTAKE: Final = (
    r"ошиб|вместо (?:номера?\b|\+?[0-9][0-9 ()-]{6})|неправильн|неверн|не тот|не на тот|чуж"
    r"|перепута\w+ (?:\w+ )?(?:номер|цифр)|wrong|опечат|промахн|не туда|помилк"
)


_KIN: Final = (
    r"(?:мам\w|пап\w|от[её]?ц\w?|матери|мать|муж\w?|жен[аыу]|сын\w?|доч\w{1,4}|бабушк\w|дедушк\w)"
)
_PAYING: Final = r"(?:пла[тч]|опла|клал|лож|положи|пополн|кину|кидал|внес|внос|опуст|перев)"
_PAID_BY_ANOTHER: Final = re.compile(
    rf"\bпишу за {_KIN}|\b(?:{_KIN}|она|он) (?:[а-я]{{1,12}} ){{0,2}}{_PAYING}"
)
NAME_MAX: Final = 60
"""Characters of a line that is no more than a name, or an address under it."""
_CALLED: Final = re.compile(r"\W*(?:(?:тел|моб|сот)\w*|т|phone|tel)?[ .:+-]*", re.IGNORECASE)
_NAME: Final = (
    r"(?:[А-ЯЁA-Z][а-яёa-z]+,? ?){2,3}|(?:[А-ЯЁA-Z]\. ?){1,2}[А-ЯЁA-Z][а-яёa-z]+"
    r"|[А-ЯЁA-Z][а-яёa-z]+ (?:[А-ЯЁA-Z]\. ?){1,2}"
)
_SIGNED: Final = re.compile(
    rf"\W*(?:(?:{_NAME})|(?i:с уважением|уважением|спасибо|заранее|благодар|всего добр|представител"
    r"|директор|менеджер|бухгалтер|юрист|адвокат|regards|thank)[^0-9]{0,50})\W*"
)
_FIRST_NAME: Final = re.compile(r"[А-ЯЁ][а-яё]{2,12}[.,! ]{0,3}")
_NO_ADDRESS: Final = re.compile(r"[0-9]{3}|[0-9][:.][0-9]|руб|\bр\b|₽")


def _signed(sheet: Sheet, each: Number, *, others: bool) -> bool:
    """Tell whether a phone stands alone at the end under its owner's name, or beside it."""
    if each.form != "phone" or each.cued or each.role not in {"paid", "own"}:
        return False
    start = sheet.raw.rfind("\n", 0, each.start) + 1
    line, _, behind = sheet.raw[each.end :].partition("\n")
    above = sheet.raw[:start].rstrip()
    if not above or len(behind) > NAME_MAX or _NO_ADDRESS.search(behind.lower()):
        return False
    if line.strip(" .,;)"):
        return False
    label = sheet.raw[start : each.start]
    owner = above.rpartition("\n")[2]
    if len(label) > NAME_MAX:
        return False
    if not _CALLED.fullmatch(label):
        owner = label
    if len(owner) > NAME_MAX:
        return False
    # One word alone may be an operator's name: it signs only where another number was paid.
    return bool(_SIGNED.fullmatch(owner) or (others and _FIRST_NAME.fullmatch(owner)))


_FORM: Final = re.compile(
    r"(?:имя|фио|ф\.и\.о\.?|e-?mail|эл\.? ?почта|почта|name|клиент|заявитель|отправитель|от кого"
    r"|контакт\w*)\b[^\n]{0,3}:"
)


def _of_sender(sheet: Sheet, each: Number) -> bool:
    """Tell whether a phone stands in a form's lines about who wrote."""
    start = sheet.even.rfind("\n", 0, each.start) + 1
    if not _CALLED.fullmatch(sheet.even[start : each.start]) or start == each.start:
        return False
    above = sheet.even[: max(start - 1, 0)].rpartition("\n")[2]
    below = sheet.even[each.end :].partition("\n")[2]
    return bool(_FORM.match(above) or _FORM.match(below))


def settled(sheet: Sheet, found: list[Number]) -> list[Number]:
    """Return the numbers, their roles given by the words around each, as all of them agree."""
    another = len(found) > 1
    signed = [
        _signed(sheet, each, others=len(found) > 1) or (another and _of_sender(sheet, each))
        for each in found
    ]
    found = [
        replace(e, role="contact") if sign else e for e, sign in zip(found, signed, strict=True)
    ]
    if sheet.passage.origin == Origin.SIGNATURE:
        found = [replace(each, role="contact") for each in found if each.form == "phone"]
    elif not any(each.role in {"paid", "intended", "own"} for each in found):
        found = [e if sign else _only(sheet, e) for e, sign in zip(found, signed, strict=True)]
    elif any(each.role in {"paid", "intended"} for each in found):
        found = [_own(sheet, each, found) for each in found]
    if _PAID_BY_ANOTHER.search(sheet.even):
        found = [replace(e, role="contact") if e.role == "own" else e for e in found]
    found = [replace(e, role="paid", confidence=0.75) if e.role == "own" else e for e in found]
    if not any(each.role == "paid" for each in found):
        intended = [each for each in found if each.role == "intended"]
        if len(intended) == 1 and not re.search(MISTAKE, sheet.even):
            found = [replace(e, role="paid") if e is intended[0] else e for e in found]
    return found


_BEFORE_NUMBER: Final = re.compile(
    r"(?:[ .,:-]{1,3}(?:на|по|мне|нам|номер\w?|тел|телефон\w?|моб)?){0,3}[ .:№(-]{0,2}"
    r"\+?[0-9][0-9() -]{5}"
)
"""Words behind a number that belong to the next one: "pay X, call Y"."""


def said(sheet: Sheet, each: Number) -> Number:
    """Return a number with the role that the words around it give."""
    near = [n for n in all_near(sheet, (each.start, each.end), ROLES, 60)
            if not (n.behind and (n.name in {"hotline", "own", "intended"}
                                  or _BEFORE_NUMBER.match(sheet.even, n.end)))]  # fmt: skip
    ours = [n for n in near if _free(sheet, each, n.distance, behind=n.behind)]
    if not ours:
        return replace(each, role="paid")
    best = ours[0]
    if best.name == "contact" and each.form != "phone":
        return each
    paid_before = any(n.name == "paid" and not n.behind for n in ours)
    reach = 16 if paid_before else 40
    if best.name == "own" and any(n.name == "contact" and n.distance < reach for n in ours):
        return replace(each, role="contact")
    if (
        best.name == "paid"
        and best.behind
        and any(n.name == "contact" and not n.behind for n in ours)
    ):
        return replace(each, role="contact")
    if best.name == "own" and paid_before:
        return replace(each, cued=True)
    return replace(each, role=best.name, cued=best.name == "paid")


def beside_contract(found: list[Number]) -> list[Number]:
    """Read a phone of which nothing is said as contact where a contract was paid."""
    if not any(each.form == "contract" and each.confidence >= CONTRACT_SURE for each in found):
        return found
    return [replace(e, role="contact") if e.form == "phone" and not e.cued else e for e in found]


def _free(sheet: Sheet, each: Number, distance: int, *, behind: bool) -> bool:
    """Tell whether no other number stands between a cue and this one."""
    distance = min(distance, 60)
    between = sheet.left[each.end : each.end + distance] if behind else (
        sheet.left[max(0, each.start - distance) : each.start]
    )  # fmt: skip
    return "\x00" not in between


def swapped(sheet: Sheet, found: list[Number]) -> list[Number]:
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


def _own(sheet: Sheet, each: Number, found: list[Number]) -> Number:
    """Read "my number" beside a paid one: the right one if it is nearly the same, or a contact."""
    if each.role != "own":
        return each
    near = any(
        (e.role == "paid" and e.form == each.form and sorted(e.digits) == sorted(each.digits))
        or sum(a != b for a, b in zip(e.digits, each.digits, strict=False)) <= 2
        for e in found if e is not each
    )  # fmt: skip
    mistaken = near and re.search(MISTAKE, sheet.even)
    return replace(each, role="intended" if mistaken else "contact")


def _only(sheet: Sheet, each: Number) -> Number:
    """A lone contact phone may be the paid one too, where the mail says so."""
    if re.search(
        r"(?:этот|свой|свою|мой|себе|на него|указанн\w+)(?: же)?(?: \w+)? (?:номер|тел)"
        r"(?!\w*:? (?:для (?:связи|обратн|звонк)|контакт))|себе на"
        r"|звонить на (?:него|нее|тот|этот)(?: же)?\b"
        r"|(?:тот|этот|он) же\b|с которого (?:звон|пиш)|same number",
        sheet.even,
    ):
        return replace(each, role="paid", confidence=0.6)
    return each
