"""What one customer will write about: the payment, what they remember of it, and how wrongly."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from tests.matching.payments import Key, Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How much people of a set remember, as shares of mails."""

    receipt: float = 0.35
    terminal: float = 0.40
    place: float = 0.60
    account: float = 0.85
    amount: float = 0.94
    time: float = 0.93
    exact: float = 0.45
    sigma_min: float = 15
    wrong_day: float = 0.02
    digit_typo: float = 0.03
    letters: float = 0.002


BASE: Final = Noise()
SHIFTED: Final = Noise(
    receipt=0.20, terminal=0.25, exact=0.2, sigma_min=40, wrong_day=0.12, digit_typo=0.10,
    letters=0.008,
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Claim:
    """A customer with a payment in mind; a fact that is None was forgotten."""

    payment: Payment
    right: frozenset[Key]
    kind: str
    """`plain`, `twin`, `phantom`, …: how the bench groups it."""
    trouble: str
    written_at: datetime
    amount: int | None
    moment: datetime | None
    how: str
    """How exactly the time is remembered: `exact`, `around`, `part`, `day`."""
    account: str | None
    terminal: str | None
    places: Sequence[str]
    """Which words for the place: `street`, `metro`, `shop`."""
    receipt: bool
    contact: str
    letters: float
    other: Payment | None = None
    said: list[tuple[str, object]] = field(default_factory=list)


def claim(
    payment: Payment, kind: str, *, right: frozenset[Key], noise: Noise, chance: Random
) -> Claim:
    """Return what a customer remembers of a payment."""
    has_paper = payment.receipt == "printed" and chance.random() < noise.receipt
    delay = timedelta(minutes=min(chance.lognormvariate(5.6, 1.7), 60 * 24 * 12))
    zone = ZoneInfo(payment.place.timezone)
    written_at = _waking((payment.started_at + delay + timedelta(minutes=4)).astimezone(zone))
    how = "exact" if has_paper or chance.random() < noise.exact else chance.choices(
        ("around", "part", "day"), weights=(55, 22, 23))[0]  # fmt: skip
    moment = payment.local if chance.random() < noise.time else None
    if moment is not None and not has_paper:
        moment = _remembered(moment, how, noise, chance)
        moment = min(moment, written_at - timedelta(minutes=1))
    account: str | None = payment.account if chance.random() < noise.account else None
    if account and chance.random() < noise.digit_typo:
        account = mistyped(account, chance)
    terminal: str | None = (
        payment.place.terminal if has_paper or chance.random() < noise.terminal else None
    )
    if terminal and not has_paper and chance.random() < noise.digit_typo:
        terminal = mistyped(terminal, chance)
    place = chance.random() < noise.place
    return Claim(
        payment=payment, right=right, kind=kind, trouble=trouble(payment, chance),
        written_at=written_at, moment=moment, how=how, account=account, terminal=terminal,
        amount=payment.inserted if chance.random() < noise.amount else None,
        places=_places(payment, chance) if place else (),
        receipt=has_paper, contact=f"+79{chance.randrange(10**9):09d}", letters=noise.letters,
    )  # fmt: skip


def _waking(moment: datetime) -> datetime:
    """Return the moment, or the next morning: few write at night."""
    return moment.replace(hour=7, minute=moment.minute) if 2 <= moment.hour < 7 else moment


def _remembered(moment: datetime, how: str, noise: Noise, chance: Random) -> datetime:
    if chance.random() < noise.wrong_day:
        moment += timedelta(days=chance.choice((-1, 1, -1)))
    if how == "exact":
        return moment + timedelta(minutes=round(chance.gauss(0, 2)))
    if how == "around":
        moment += timedelta(minutes=chance.gauss(0, noise.sigma_min))
        step = chance.choice((5, 10, 15, 30, 30, 60))
        minutes = round((moment.hour * 60 + moment.minute) / step) * step
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return start + timedelta(minutes=min(minutes, 24 * 60 - step))
    return moment


def _places(payment: Payment, chance: Random) -> list[str]:
    known = ["street", "shop"] + (["metro"] if payment.place.metro else [])
    return chance.sample(known, k=chance.choices((1, 2), weights=(65, 35))[0])


def mistyped(digits: str, chance: Random) -> str:
    """Return digits with one behind the first two wrong, or two of them swapped."""
    at = chance.randrange(2 if len(digits) < 8 else 5, len(digits) - 1)
    if chance.random() < 0.4 and digits[at] != digits[at + 1]:
        return digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    other = chance.choice([each for each in "0123456789" if each != digits[at]])
    return digits[:at] + other + digits[at + 1 :]


def trouble(payment: Payment, chance: Random) -> str:
    """Return what the customer writes about."""
    if payment.outcome is None and payment.end != "completed":
        return chance.choice(("hung", "hung", "not_credited"))
    if payment.outcome != "accepted":
        return "not_credited"
    if payment.receipt != "printed":
        return "no_receipt"
    return chance.choices(("not_credited", "copy", "fee", "wrong_number"), (70, 12, 8, 10))[0]


def phantom(payment: Payment, chance: Random, *, known: bool) -> Payment:
    """Return a payment that this fleet has not taken.

    It was made at a competitor's terminal in the same town; by a customer of ours when `known`.
    """
    streets = ("ул. Чехова", "Заводская ул.", "пр. Космонавтов", "ул. Полевая", "ул. Новая")
    shops = ("Магазин «Фасоль»", "ТЦ «Галион»", "Киоск «Пресса»", "Кафе «Встреча»")
    terminal = str(
        chance.choice((chance.randrange(10**6, 10**7), chance.randrange(300000, 990000)))
    )
    place = replace(
        payment.place, terminal=terminal, name=f"Терминал {terminal}", metro="",  # type: ignore[arg-type]  # a made-up id
        address=f"{chance.choice(streets)}, {chance.randint(1, 90)}", place=chance.choice(shops),
    )  # fmt: skip
    shifted = payment.started_at + timedelta(
        minutes=chance.choice((-1, 1)) * chance.randint(200, 3000)
    )
    digits = payment.account
    account = digits if known else digits[:4] + f"{chance.randrange(10**9):09d}"[: len(digits) - 4]
    notes = tuple(chance.choices((5_000, 10_000, 50_000, 100_000, 200_000), k=chance.randint(1, 3)))
    return replace(
        payment, place=place, tx="nowhere", account=account, notes=notes, started_at=shifted,
        receipt_number=str(chance.randrange(10**3, 10**6)), fiscal=None,
        reference=str(chance.randrange(10**10, 10**11)), credited=sum(notes), fee=0,
    )  # fmt: skip
