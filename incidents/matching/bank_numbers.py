"""Bank cards and bank accounts in a report: where to return money, never what was paid."""

import re
from typing import Final

from incidents.matching.words import Sheet

_CARD: Final = re.compile(
    r"(?<![0-9+])(?<![0-9][ -])[2456][0-9]{3}(?P<gap>[ -]?)[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{4}"
    r"(?![0-9]|[ -][0-9]{2})"
)
_CARD_BEFORE: Final = re.compile(
    r"\bкарт(?:[ауеы]|очк[ауие])(?: (?:№ ?)?[а-яa-z-]{2,14}){0,3}[ :№-]{1,4}$"
    r"|\b(?:visa|mastercard|маестро|виза|мир|сбер\w{0,6}|тинькоф\w{0,3}|т-банк\w?|втб|альф\w{1,6}"
    r"|card)[ :№-]{1,4}$"
)
_OTHERS: Final = re.compile(
    r"(?:лицев\w{2,3}|л/с|\bлс|договор\w?|абонент\w{0,6}|кошел\w{1,3}|сч[её]т\w?|логин|\bуин)"
    r"(?: [а-я]{3,10})?[ :№-]{0,4}$"
    r"|\b(?:тройк|стрелк|подорожник|транспортн|проездн)\w{0,3}[^0-9]{0,12}$"
)
_ACCOUNT: Final = re.compile(
    r"(?<![0-9])(?:40[1-8][0-9]{2}|42[0-9]{3}|30[1-3][0-9]{2}|455[0-9]{2})"
    r" ?(?:810|643|840|978|398) ?[0-9](?:[ -]?[0-9]){11}(?![0-9])"
)
"""Twenty digits of a Russian bank's account: what it is for, its currency, and the rest."""
_LOAN: Final = re.compile(r"(?:лицев\w{2,3}|л/с|\bлс|кредит\w{0,3}|за[ей]м\w{0,2})[^0-9\n]{0,16}$")
"""A loan is paid to the account that the bank keeps for it."""


def take_bank_numbers(sheet: Sheet) -> None:
    """Take bank cards and bank accounts off the sheet, that no reader sees an account in them."""
    for found in _ACCOUNT.finditer(sheet.left):
        if not _LOAN.search(sheet.left, max(0, found.start() - 24), found.start()):
            sheet.take(*found.span())
    for found in _CARD.finditer(sheet.left):
        before = sheet.left[max(0, found.start() - 48) : found.start()]
        if _OTHERS.search(before):
            continue
        if _CARD_BEFORE.search(before) or _is_card(re.sub(r"[^0-9]", "", found[0])):
            sheet.take(*found.span())


def _is_card(digits: str) -> bool:
    """Tell whether the last digit of a number is the check digit of a card's (Luhn)."""
    doubled = (2 * int(each) for each in digits[-2::-2])
    total = sum(int(each) for each in digits[-1::-2])
    return (total + sum(each - 9 if each > 9 else each for each in doubled)) % 10 == 0
