"""Whether a text speaks of money put into a terminal: what keeps a letter from being set aside."""

import re
from typing import Final

_PAYMENT: Final = re.compile(
    r"терминал[аеуы]?\b|автомат[аеу]?\b|оплат|оплач|заплат|плат[её]ж|внес|внёс|вносил|зачисл|пополн"
    r"|\bчек[аиуое]?м?\b|квитанц|купюр|\bсдач[аиуе]\b|\bденьги\b|\bденег\b|не приш[лё]|возврат"
    r"|комисси|\d\s?(?:руб|р\b|₽|тыс)|\bруб(?:\.|л)|сотн[юи]|пятисотк"
    r"|терміна[лу]|\bгрош[іи]|купюру|төлем|ақша|теңге|\btulov|to'lov"
    r"|\bpayment\b|\breceipt\b|\bpaid\b|\bterminal\b|\bkiosk\b|\btop(?:ped)?[- ]up\b",
    re.IGNORECASE,
)
_DEED: Final = re.compile(
    r"оплат(?:ил|а про)|заплат|внес(?:ла|ли|ено)?\b|внёс|положил|пополн|зачисл|не приш|не выда"
    r"|\d\s?(?:руб|₽)|прошу|верните|съел|проглот|застрял|завис|\bpaid\b",
    re.IGNORECASE,
)
_COMPLAINT: Final = re.compile(
    r"терминал|автомат[аеу]?\b|киоск|купюр|бумажк[аиу]\b|\bчек[аиуое]?м?\b|квитанц|\bсдач[аиуе]\b"
    r"|(?:о|за|у)плати(?:л|в)|оплач(?:ен|ива)|внес(?:л|ен)|вн[её]с\b|вносил|клал[аи]?\b|кинул|закинул"
    r"|положил|пополнил|пополнял|перев[её]л\b|перевела|не (?:при|до|за)(?:ш|числ)"
    r"|не (?:поступ|выда)"
    r"|верните|вернуть|возврат|съел|сожрал|проглот|застрял|завис|пропал[аи]?\b"
    r"|терміна|\bгрош[іи]|төле|tulov|to'lov|\bpaid\b|\breceipt\b|\bterminal\b|\bkiosk\b|\btopped",
    re.IGNORECASE,
)


def names_payment(text: str) -> bool:
    """Return whether any word of paying at a terminal stands in the text."""
    return bool(_PAYMENT.search(text))


def speaks_of_payment(text: str) -> bool:
    """Return whether the text tells what was done or went wrong: more than a firm's name does."""
    return bool(_DEED.search(text))


def tells_of_payment(text: str) -> bool:
    """Return whether somebody tells of a payment at a terminal: more than offers and bills do."""
    return bool(_COMPLAINT.search(text))
