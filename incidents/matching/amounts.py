"""Amounts of money, and what each is said to be: put in, credited, a fee, meant, given back."""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Final

from incidents.matching.cues import Cue, nearest
from incidents.matching.note_counts import Money, count_of, is_listed, times_of
from incidents.matching.numbers import read_words
from incidents.matching.passage import Fact, Origin
from incidents.matching.words import TAKEN, Sheet

MINOR_MAX: Final = 1_000_000_00
"""More than a million is no cash payment."""
LISTED_WORDS: Final = 3
"""Words of a mail that is a list of numbers, at most."""
AMOUNTS_MAX: Final = 40
"""Numbers of one passage that are weighed."""

_NUMBER: Final = (
    r"(?<![0-9.,:/№#-])(?<!теле )(?<!tele )"
    r"(?P<n>(?<![a-zа-я])[0-9]{1,3}(?:[ '.,][0-9]{3}){1,2}(?![0-9])|[0-9]{1,7}(?![0-9]))"
)
_THOUSANDS: Final = (
    r"(?P<k> ?(?:тысяч[аиуейям]{0,3}|тыщ[аиу]?|тыс\b\.?|тис\b\.?|тисяч[аиу]?|косар[ьяейик]{0,4}"
    r"|штук[аиу]?(?= руб| р\b)|сот(?:ок|ки|ни|ен)\b|пятихат[а-я]{1,4}|т\. ?(?=р)"
    r"|т(?=\.? ?р\b)|тр\b|т(?= [0-9]{3}(?![0-9]))|[кk]\b|мың|thousand|tys\b|tysyach[aiu]?))"
)
_CURRENCY: Final = (
    r"(?P<c>рублик[а-я]{0,3}|рубл[а-я]{0,4}|руб\b\.?|рубасов|рэ\b|р\.|р\b|₽"
    r"|r(?:ou|u)b(?:les?|l?ey?)?\b|rur\b|r\b"
    r"|(?P<uah>грн\b\.?|грив[а-яєі]{2,4}|uah\b)|(?P<kzt>tenge\b|тенге|теңге"
    r"|теңгені|тг\b\.?|₸|kzt\b)"
    r"|(?P<byn>byn\b|бел\. ?руб[а-я]*))"
)
_SUM: Final = re.compile(
    rf"{_NUMBER}(?:(?:[.,]|-(?=00(?![0-9])|[0-9]{{2}} ?р))(?P<f>[0-9]{{1,2}})"
    rf"(?![0-9]|\.[0-9]))?(?:{_THOUSANDS}[. ]{{0,2}}"
    rf"(?P<rest>[0-9]{{3}}(?![0-9]))?)?(?: ?\(?{_CURRENCY}\)?)?"
    r"(?:,?[ ]{0,2}(?P<kop>[0-9]{1,2}) ?(?:коп[а-я]{0,4}\b\.?|к\.))?"
)
_KOPECKS: Final = re.compile(r",? {0,2}(?P<n>[0-9]{1,2}) ?коп[а-я]{0,4}\b\.?")
_AFTER_CURRENCY: Final = re.compile(rf"[ )]{{0,3}}\(?{_CURRENCY}\)?")
_SIGN_FIRST: Final = re.compile(r"(?:₽|₸|руб\.?|тг)[ :]{0,2}$")

NOT_MONEY: Final = re.compile(
    r" {0,2}-?(?:%|коп|(?<=-)[0-9]|процент|раз[а]?\b|рабоч|календ|дн[еяйию]|день|сут"
    r"|час|мин|сек|недел|месяц|мес\b|год|лет\b"
    r"|г\.|числ|этаж|дом|кв\b|метр|шт\b|штук|купюр|бумаж|терминал|человек|цифр"
    r"|знак|платеж|смс|янв|фев|мар[та]"
    r"|апр|ма[яй]\b|июн|июл|авг|сен|окт|ноя|дек|ч\b|утра|вечера|дня|ночи|am\b"
    r"|pm\b|days?\b|hours?\b|min"
    r"|times?\b|листопад|грудн|жовтн|рок|күн|сағат|o'clock|попыт|пин|-?(?:го|ого|е|ый|й|я)\b)"
)
_PLUS: Final = re.compile(
    r" {0,2},?(?:и еще|и|плюс|\+|,|да еще| ?(?:а |и )?потом(?: еще)?|еще)(?: одн[уаи])? {0,2}$"
)

ROLES: Final = (
    Cue("fee", r"комисс?[ие]\w{0,3}|комису\b|ком-?ию|процент(?:ы|ов)?\b|commission|\bfee\b"
        r"|комісі\w|(?:удержал|содрал)\w{0,2}"),
    Cue("aside", r"(?:на )?баланс\w? (?!пуст|нол|нул|не\b|по нул)(?:был\w? |стал\w? )?"
        r"|стало\b|остал[оа]сь|долг\w?\b"
        r"|задолженност\w"
        r"|(?:(?:на|при)?купил|покупал|беру|потратил)\w{0,2}(?: [а-я]{2,14}){0,4} (?:за|по)\b"
        r"|пен[июя]\b"
        r"|недосчит\w+|недостач\w|не хвата\w+|меньше на|моральн\w+|неустойк\w+|компенсац\w+"
        r"|зарплат\w|пенси\w|сто(?:ит|ил[аи]?)\b|лимит\w?"),
    Cue("unpaid", r"не (?:был[аои]? )?(?:зачислен|зачислил|зачислял|поступил|поступал|пришл"
        r"|пришел|приходил|дошл|дошел|упал|получ|прошл|прошел|попал|появил)\w{0,4}"
        r"|не приход\w+|не (?:вернул|отдал)\w*|надійшл\w*|ne prishl\w"),
    Cue("claimed", r"зачислите|вернуть|верните|возврат\w*|вернете"
        r"|refund|разниц\w"),
    Cue("gave", r"отдал[аои]?\b"),
    Cue("returned", r"вернул[аои]?\w{0,2}\b|выплюнул\w{0,2}"
        r"|сдач[аиуе]\w?|выдал[аои]? (?:обратно|назад)|возвратил\w{0,2}|returned"),
    Cue("credited", r"зачисл(?:ен|ил)\w{0,4}|поступил\w{0,2}|пришл[аои]|пришел|дошл[аои]"
        r"|упал[аои]|получил\w?|на (?:счет|баланс)[уе]? (?:появил|оказал"
        r"|стал)\w{0,4}|credited|в чеке\b|насчитал\w?|got only|only got|received only"
        r"|(?:распознал|посчитал|засчитал|принял"
        r"|увидел|прочитал)\w{0,3}(?: \w{1,9}){0,3} как|прийшло|зарахован\w*"),
    Cue("intended", r"хотел\w{0,2}|собирал\w{0,3}|(?:надо|нужно) было|должн[аы]?\b|должен\b"
        r"|планировал\w?|к оплате|хотіл\w?|wanted|намерен\w*|счет (?:был )?на\b"
        r"|стоимость\w?"),
    Cue("inserted", r"опуст\w{2,4}|опускал\w?|вн[ео]с(?:ил|ла|ли|ено|ен|ены|лось)?\w{0,2}"
        r"|вложил\w?|вставил\w?|вставлял\w?|засунул\w?|сунул\w?|положил\w?"
        r"|полож[еи]н\w?|поклал\w?|ложил\w?|клал\w?|закинул\w?|кинул\w?|скинул\w?"
        r"|опла[тч]\w{1,5}|заплатил\w?|платил\w?|плачу|пополн\w{1,6}|скорм\w{2,4}"
        r"|с[ъь]?ел[аои]?\b|сож[ре]+ал\w?|сожрал\w?|проглот\w{2,4}|зажевал\w?"
        r"|зажева\w?|взял[аои]?\b|забрал\w?|списал\w{1,3}|сумм[аыуе]\w?"
        r"|перев[ео]л\w?|отправил\w?|купюр\w{0,2}|принял\w?|загрузил\w?|забросил\w?"
        r"|дал[аи]? (?:ему|ей|автомату|терминалу|аппарату)"
        r"|(?:совал|пихал|впихнул|запихнул|пропихнул)[аи]?"
        r"|бросил\w?|сунул\w?|paid|inserted|put|topped|ate\b|swallowed|took|поклав"
        r"|поповни[влт]\w?|сплати[влт]\w?|вніс|внесла|жұтып|салды[мқ]|төледім"
        r"|sum\b|amount|total|polozhil\w?|oplatil\w?|zakinul\w?|vnes\w{0,2}|кидал\w?|лежал[аои]"
        r"|плат[её]ж\w{0,3}|зависл[аои]|пропал[аои]|ушл[аои]|потерял\w{0,3}"),
)  # fmt: skip
"""What is said near an amount; `claimed` is money that was put in and is asked for.

Of money that somebody "gave", the sentence says whether the terminal did.
"""
_GIVEN_BACK: Final = re.compile(
    r"(?<!\bв )(?<!\bна )\b(?:терминал|автомат|ап+арат|банкомат|машина|железка|он|кассир\w{0,2}"
    r"|охран\w{1,5}|мне|нам|(?:взял|съел|сожрал|принял|проглотил|забрал)[аои]?)\b[^.!?]{0,40}\bотдал"
    r"|\bотдал[аои]? (?:\w{1,8} ){0,2}(?:обратно|назад|сдач\w|только|лишь|мне|нам)|\bотдал[ои]\b"
)


def read_amounts(sheet: Sheet) -> list[Fact]:
    """Take the amounts off the sheet, each with what it is said to be."""
    found = sorted(_written(sheet), key=lambda each: each.start)
    found = list(_joined(sheet, [each for each in found if _is_money(sheet, each)]))
    said: dict[tuple[int, str], tuple[Money, float]] = {}
    for each in found[:AMOUNTS_MAX]:
        role, sureness = _role(sheet, each)
        sheet.take(each.start, each.end)
        if role and sureness > said.get((each.minor, role), (each, 0.0))[1]:
            said[each.minor, role] = each, sureness
        if each.times > 1 and role == "inserted":
            whole = replace(each, minor=each.minor * each.times)
            said.setdefault((whole.minor, role), (whole, 0.7 * sureness))
    return [_fact(sheet, role, *each) for (_, role), each in _sorted_out(sheet, said).items()]


def _fact(sheet: Sheet, role: str, each: Money, sureness: float) -> Fact:
    value: dict[str, object] = {"minor": each.minor, "role": role}
    if each.currency:
        value["currency"] = each.currency
    return sheet.fact("amount", value, (each.start, each.end), sureness)


def _sorted_out(
    sheet: Sheet, said: dict[tuple[int, str], tuple[Money, float]]
) -> dict[tuple[int, str], tuple[Money, float]]:
    """Return the amounts with claims and change understood.

    What is claimed, or was meant, counts as put in where nothing else was; where change is
    missing, the smaller of two amounts is what was to be paid.
    """
    put = [minor for minor, role in said if role == "inserted"]
    result = {}
    if not put and not any(role == "claimed" for _, role in said):
        wished = {
            (m, "inserted"): (e, 0.65) for (m, role), (e, _) in said.items() if role == "intended"
        }
        said = {**{key: e for key, e in said.items() if key[1] != "intended"}, **wished}
    change = len(put) == 2 and "сдач" in sheet.even
    for (minor, role), each in said.items():
        if role == "claimed":
            if not put:
                result[minor, "inserted"] = each
        elif role == "inserted" and change and minor == min(put):
            result[minor, "intended"] = each
        else:
            result[minor, role] = each
    return result


def _written(sheet: Sheet) -> Iterator[Money]:
    text = sheet.left
    for found in list(_SUM.finditer(text))[:AMOUNTS_MAX]:
        money = _digits(text, found)
        if money:
            yield money
        if money and money.sure:
            text = text[: money.start] + TAKEN * (money.end - money.start) + text[money.end :]
    worded = read_words(text)
    for number, each in enumerate(worded):
        beside = worded[number - 1 : number] + worded[number + 1 : number + 2]
        unit = _AFTER_CURRENCY.match(text, each.end)
        near = any(min(abs(e.start - each.end), abs(each.start - e.end)) <= 1 for e in beside)
        if near and not unit:
            continue  # digits spelt one by one
        sure = bool(unit) or each.money or each.value >= 1000
        if not sure and (each.value < 50 or NOT_MONEY.match(text, each.end)):
            continue
        end = unit.end() if unit else each.end
        kopecks = _KOPECKS.match(text, end) if unit else None
        yield Money(
            each.start,
            kopecks.end() if kopecks else end,
            int(each.value * 100) + int(kopecks["n"] if kopecks else 0),
            unit and _currency(unit),
            sure,
            worded=each.money,
            in_words=True,
        )


def _digits(text: str, found: re.Match[str]) -> Money | None:
    """Return what a number in digits is worth, if it can be money."""
    bare = not (found["k"] or found["c"] or found["f"] or found["kop"])
    before = text[max(0, found.start() - 16) : found.start()]
    inside = before[-1:].isalpha() and not _TIMES_BEFORE.search(before)
    if bare and (
        inside
        or found["n"].startswith("0")
        or (NOT_MONEY.match(text, found.end()) and not _SUM_BEFORE.search(before))
    ):
        return None
    value = Fraction(re.sub(r"[ '.,]", "", found["n"]))
    if found["f"]:
        value += Fraction(int(found["f"]), 10 if len(found["f"]) == 1 else 100)
    if found["k"]:
        value = value * _times(found["k"]) + int(found["rest"] or 0)
    if found["kop"]:
        value += Fraction(int(found["kop"]), 100)
    end = found.end() - (len(found[0]) - len(found[0].rstrip(" (")))
    sure = bool(found["c"] or found["k"] or found["kop"])
    sure = sure or bool(_SIGN_FIRST.search(text[max(0, found.start() - 6) : found.start()]))
    sure = sure or (found["f"] == "00" and value >= 24)
    return Money(found.start(), end, int(value * 100), _currency(found), sure)


_SUM_BEFORE: Final = re.compile(r"сумм\w{0,2}[ :=-]{1,3}$")
_TIMES_BEFORE: Final = re.compile(r"(?<![0-9])[0-9][xх]$")


def _times(word: str) -> int:
    return 100 if "сот" in word else 500 if "пятихат" in word else 1000


def _currency(found: re.Match[str]) -> str | None:
    for name in ("uah", "kzt", "byn"):
        if found[name]:
            return name.upper()
    return "RUB" if found["c"] else None


_LABEL_BEFORE: Final = re.compile(
    r"(?:№|#|…|\bномер|\bдом|\bд\.|\b(?:кв|корп|стр|ул)\.?|\bчек|л/с|\bкод"
    r"|\b(?:поезд|вагон|мест|рейс|автобус|маршрут|трамва|кабинет|палат|комнат|общежити|room|dorm"
    r"|flat|bus|train)\w{0,4}"
    r"|паспорт|серия|\bid)"
    r" {0,2}[:]? {0,2}$|\b(?:около|к|до|после|с|между|час[ао]в|минут|о|at) $"
)


def _is_money(sheet: Sheet, each: Money) -> bool:
    """Tell money from a time, a house, a label's number."""
    if each.sure or not 0 < each.minor <= MINOR_MAX:
        return 0 < each.minor <= MINOR_MAX
    before = sheet.left[max(0, each.start - 14) : each.start]
    if _LABEL_BEFORE.search(before):
        return False
    if re.search(r"\bв $", before) and each.minor <= 2400_00:
        return False
    if each.minor < 50_00 and not re.search(
        r"(?:сумм\w*|комисс?и\w{1,2}(?: \w{1,9})?) {0,2}[:=-]? ?$", sheet.left[: each.start][-30:]
    ):
        return bool(re.search(r"\b(?:как|чеке) $", before))
    return True


def _joined(sheet: Sheet, found: list[Money]) -> Iterator[Money]:
    """Yield products and sums as one amount: "3 notes of 1000 and 1 of 500" is 3500."""
    total: Money | None = None
    counted = False
    for each in found:
        count, start, by_times = count_of(sheet, each)
        part = replace(each, start=start, minor=each.minor * count, times=times_of(sheet, each))
        between = sheet.left[total.end : start] if total else ""
        if total and _BY.fullmatch(between):
            continue  # "500 in fifties"
        plus = bool(total and len(between) < 24 and _PLUS.fullmatch(between))
        several = (start < each.start and not by_times) or count > 1 or is_listed(sheet, each)
        if (
            total
            and plus
            and (
                counted
                or several
                or "+" in between
                or "еще" in between
                or "потом" in between
                or (total.worded and part.worded)
            )
        ):
            total = replace(
                total, end=part.end, minor=total.minor + part.minor,
                sure=total.sure or part.sure, currency=part.currency or total.currency,
                counted=True,
            )  # fmt: skip
            counted = True
            continue
        if total and counted and total.minor == part.minor:
            continue  # "150 in all"
        if total:
            yield total
        total, counted = replace(part, counted=several), several
    if total:
        yield total


_BY: Final = re.compile(
    r",? ?(?:(?:одной|двумя|тремя|[0-9]) )?"
    r"(?:купюрами|бумажками|монетами|мелочью|мелкими|банкнотами) по "
)


def _line_of_its_own(sheet: Sheet, each: Money) -> bool:
    """Tell whether a line holds nothing else: a mail that is a list of numbers."""
    line = sheet.even[sheet.even.rfind("\n", 0, each.start) + 1 :].partition("\n")[0]
    return line.strip(" .,") == sheet.even[each.start : each.end] and each.minor % 10_00 == 0


def _hundreds(each: Money) -> bool:
    """Tell whether hundreds are told in words, which are rarely anything but money."""
    return each.in_words and each.minor % 100_00 == 0


def _in_list(sheet: Sheet, each: Money) -> bool:
    """Tell whether a round number stands beside an account or a terminal, in a mail of numbers."""
    beside = re.search(r"\x00[ ,;]{1,2}$", sheet.left[: each.start]) or re.match(
        r"[ ,;]{1,2}\x00", sheet.left[each.end :]
    )
    if (
        re.match(r" на (?:[а-яa-z]{3,8}2? )?\x00", sheet.left[each.end :])
        and each.minor % 10_00 == 0
    ):
        return True  # "500 on 8903…"
    listed = len(re.findall(r"[а-яa-z]{4}", sheet.left)) <= LISTED_WORDS
    return bool(beside) and listed and each.minor % 50_00 == 0 and each.minor <= 15_000_00


def _role(sheet: Sheet, each: Money) -> tuple[str | None, float]:
    """Return what an amount is said to be, and how surely; None: probably no money at all."""
    if sheet.even.endswith("вместо ", 0, each.start):
        return "intended", 0.85
    cue = nearest(sheet, (each.start, each.end), ROLES)
    if each.counted:
        return "inserted", 0.9
    if cue is not None and cue.name == "aside":
        return None, 0.0
    if cue is None:
        if not each.sure:
            alone = _line_of_its_own(sheet, each) or _in_list(sheet, each) or _hundreds(each)
            return ("inserted", 0.55) if alone else (None, 0.0)
        return "inserted", 0.7 if sheet.passage.origin != Origin.SUBJECT else 0.6
    role = "inserted" if cue.name == "unpaid" else cue.name
    if role == "gave":
        begin, end = sheet.sentence(each.start)
        role = "returned" if _GIVEN_BACK.search(sheet.even[begin:end]) else "inserted"
    sureness = 0.95 if each.sure else 0.8
    if cue.name in {"claimed", "unpaid"}:
        sureness -= 0.15
    return role, sureness - min(cue.distance, 60) / 300
