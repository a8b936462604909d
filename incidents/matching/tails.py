"""Last digits of a phone, checked whole: a mask shows two of them, the keyed hash tells the others.

The digits that nobody told are tried; whether one of these numbers has the account's hash is all
that is learnt. Other accounts are too long to try.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Final

from incidents.matching.payment import Payment

MASK: Final = re.compile(r"\+7 (\d{3}) \*\*\*-\*\*-(\d{2})")
"""How a phone is shown: the operator's code and the last two digits."""
PHONE_DIGITS: Final = 10
UNTOLD_MAX: Final = 3
"""Digits that are tried, so many at most: a thousand numbers."""
TRIED_MAX: Final = 6
"""Accounts that are checked for one report, some milliseconds each."""


def checked(
    digits: str, payments: Iterable[Payment], hash_of: Callable[[str], str]
) -> Mapping[str, bool]:
    """Return, by hash, whether the first of these payments' phones end so, up to one that does."""
    likely: dict[str, str] = {}
    for payment in payments:
        mask = MASK.fullmatch(payment.account_masked or "")
        if mask and payment.account_hash and digits.endswith(mask[2]):
            likely.setdefault(payment.account_hash, mask[1])
    found = {}
    for account, code in islice(likely.items(), TRIED_MAX):
        untold = PHONE_DIGITS - len(code) - len(digits)
        if 0 <= untold <= UNTOLD_MAX:
            numbers = (f"{code}{n:0{untold}d}" if untold else code for n in range(10**untold))
            found[account] = any(hash_of(number + digits) == account for number in numbers)
            if found[account]:
                break
    return found
