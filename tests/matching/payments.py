"""The payments of a made-up world: who paid what, where, and how it ended."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from firmware_sim.places import Place
from wire.vocabulary import Cause, EndCause, Outcome, ReceiptOutcome

EPOCH: Final = 1_790_000_000_000
UNTIL: Final = datetime(2026, 11, 21, tzinfo=ZoneInfo("Europe/Moscow"))
"""The end of every world: Friday night before Saturday."""
DAYS: Final = 30

Key = tuple[str, int, str]
"""Terminal, epoch, tx."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A row of `transaction` with what only the customer knows: the account and the notes."""

    place: Place
    tx: str
    started_at: datetime
    ended_at: datetime | None
    end: EndCause | None
    service: str
    service_name: str
    account: str
    notes: tuple[int, ...]
    returned: int = 0
    outcome: Outcome | None = "accepted"
    credited: int | None = None
    fee: int | None = None
    reference: str | None = None
    receipt: ReceiptOutcome | None = "printed"
    receipt_cause: Cause | None = None
    receipt_number: str | None = None
    fiscal: tuple[str, str, str] | None = None
    epoch: int = EPOCH
    rule: str | None = None
    """Of the incident that the rules have opened for it."""
    twin: bool = False
    """Made by the same customer again at once."""

    @property
    def key(self) -> Key:
        """Return what identifies it."""
        return self.place.terminal, self.epoch, self.tx

    @property
    def inserted(self) -> int:
        """Return what was put in, in kopecks."""
        return sum(self.notes)

    @property
    def local(self) -> datetime:
        """Return when it began by the clock on the wall there."""
        return self.started_at.astimezone(ZoneInfo(self.place.timezone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A line of the payment menu; the fee in per mille, and at least so many kopecks."""

    id: str
    name: str
    kind: str
    account: Callable[[Random], str]
    fee_per_mille: int
    fee_min: int = 0


def _mobile(prefix: str) -> Callable[[Random], str]:
    return lambda chance: f"+7{prefix}{chance.randrange(10**7):07d}"


def _digits(count: int) -> Callable[[Random], str]:
    return lambda chance: str(chance.randrange(10 ** (count - 1), 10**count))


OFFERS: Final = (
    Offer(id="mts", name="МТС", kind="phone", account=_mobile("916"), fee_per_mille=30),
    Offer(id="beeline", name="Билайн", kind="phone", account=_mobile("903"), fee_per_mille=50),
    Offer(id="megafon", name="МегаФон", kind="phone", account=_mobile("926"), fee_per_mille=0),
    Offer(id="tele2", name="Tele2", kind="phone", account=_mobile("952"), fee_per_mille=40,
          fee_min=1_000),
    Offer(id="utilities", name="Квартплата, единый счёт", kind="utilities", account=_digits(10),
          fee_per_mille=15, fee_min=2_000),
    Offer(id="power", name="Энергосбыт", kind="power", account=_digits(9), fee_per_mille=20),
    Offer(id="internet", name="Домашний интернет «Луч»", kind="internet", account=_digits(8),
          fee_per_mille=25),
    Offer(id="wallet", name="Кошелёк «Монета»", kind="wallet", account=_digits(12),
          fee_per_mille=60),
)  # fmt: skip
_POPULAR: Final = (24, 18, 16, 12, 10, 4, 9, 7)
NOTES: Final = (5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)
_HOURS: Final = (
    2,
    1,
    1,
    1,
    1,
    2,
    5,
    12,
    22,
    30,
    36,
    40,
    44,
    42,
    40,
    42,
    46,
    52,
    54,
    46,
    34,
    22,
    12,
    6,
)
_ENDINGS: Final[dict[str, tuple[int, dict[str, object]]]] = {
    "good": (930, {}),
    "no_paper": (12, {"receipt": "failed", "receipt_cause": "paper_out", "rule": "no_receipt"}),
    "no_receipt": (8, {"receipt": None, "rule": "no_receipt"}),
    "declined": (8, {"outcome": "declined", "receipt": None, "end": "error",
                     "rule": "payment_failed"}),
    "failed": (8, {"outcome": "failed", "end": "error", "rule": "payment_failed"}),
    "uncertain": (8, {"outcome": "unknown", "end": "timed_out", "rule": "payment_uncertain"}),
    "no_payment": (6, {"outcome": None, "receipt": None, "end": "timed_out",
                       "rule": "payment_uncertain"}),
    "interrupted": (6, {"outcome": None, "receipt": None, "end": None,
                        "rule": "payment_uncertain"}),
    "went_away": (8, {"outcome": None, "receipt": None, "end": "cancelled"}),
    "refused": (6, {"receipt": "refused"}),
}  # fmt: skip


class Customers:
    """People who pay: some come back with the same account."""

    def __init__(self, chance: Random, count: int) -> None:
        self._chance = chance
        self._regulars = [self._new() for _ in range(max(1, count // 6))]

    def _new(self) -> tuple[Offer, str]:
        offer = self._chance.choices(OFFERS, weights=_POPULAR)[0]
        return offer, offer.account(self._chance)

    def next(self) -> tuple[Offer, str]:
        """Return what the next one pays for, and the account."""
        return self._chance.choice(self._regulars) if self._chance.random() < 0.5 else self._new()


def payments(places: Sequence[Place], count: int, seed: int, prefix: str = "") -> Iterator[Payment]:
    """Yield so many payments at these places, in no order of time; one in fifty made twice."""
    chance = Random(f"{seed}:payments")
    customers = Customers(chance, count)
    busy = list(accumulate([chance.uniform(0.3, 2.0) for _ in places]))
    numbers = {place.terminal: chance.randrange(1_000, 90_000) for place in places}
    made = 0
    while made < count:
        place = chance.choices(places, cum_weights=busy)[0]
        one = _payment(place, customers.next(), chance, f"{prefix}{made:07x}")
        made += 1
        if one.receipt == "printed":
            numbers[place.terminal] += 1
            one = replace(one, receipt_number=f"{numbers[place.terminal]:06d}")
        if chance.random() < 0.02 and made < count and one.inserted:
            again = _again(one, chance, f"{prefix}{made:07x}")
            made += 1
            if again.receipt == "printed":
                numbers[place.terminal] += 1
                again = replace(again, receipt_number=f"{numbers[place.terminal]:06d}")
            yield again
            one = replace(one, twin=True)
        yield one


def _moment(place: Place, chance: Random) -> datetime:
    hour = chance.choices(range(24), weights=_HOURS)[0]
    day = UNTIL.date() - timedelta(days=chance.randint(1, DAYS))
    seconds = chance.randrange(3600)
    return datetime(
        day.year, day.month, day.day, hour, seconds // 60, seconds % 60,
        tzinfo=ZoneInfo(place.timezone),
    )  # fmt: skip


def notes_of(chance: Random) -> tuple[int, ...]:
    """Return the notes that somebody puts in."""
    count = chance.choices((1, 2, 3, 4), weights=(64, 22, 10, 4))[0]
    return tuple(chance.choices(NOTES, weights=(8, 30, 10, 26, 18, 2, 6), k=count))


def _payment(place: Place, who: tuple[Offer, str], chance: Random, tx: str) -> Payment:
    offer, account = who
    names = list(_ENDINGS)
    name = chance.choices(names, weights=[_ENDINGS[name][0] for name in names])[0]
    notes = () if name == "went_away" else notes_of(chance)
    started_at = _moment(place, chance)
    one = Payment(
        place=place, tx=tx, started_at=started_at,
        ended_at=started_at + timedelta(seconds=chance.uniform(20, 120)), end="completed",
        service=offer.id, service_name=offer.name, account=account, notes=notes,
    )  # fmt: skip
    one = replace(one, **_ENDINGS[name][1])  # type: ignore[arg-type]  # the table's words fit
    if one.end is None:
        one = replace(one, ended_at=None if chance.random() < 0.3 else one.ended_at)
    return with_result(one, offer, chance)


def with_result(one: Payment, offer: Offer, chance: Random) -> Payment:
    """Return the payment with fee, reference and fiscal values where there is a result."""
    if one.outcome is None:
        return replace(one, receipt=None)
    fee = min(max(one.inserted * offer.fee_per_mille // 1000, offer.fee_min), one.inserted)
    fiscal = None
    if one.outcome == "accepted" and one.receipt == "printed":
        number = Random(one.place.terminal).randrange(10**5, 10**6)
        fiscal = (
            f"9960440300{number:06d}",
            str(chance.randrange(100, 90_000)),
            f"{chance.randrange(10**9, 2**32)}",
        )
    return replace(
        one, credited=one.inserted - fee, fee=fee, fiscal=fiscal,
        reference=str(chance.randrange(10**10, 10**11)) if one.outcome != "unknown" else None,
    )  # fmt: skip


def _again(one: Payment, chance: Random, tx: str) -> Payment:
    later = timedelta(seconds=chance.uniform(60, 200))
    offer = next(offer for offer in OFFERS if offer.id == one.service)
    other = replace(
        one, tx=tx, started_at=one.started_at + later,
        ended_at=one.ended_at and one.ended_at + later, twin=True,
    )  # fmt: skip
    return with_result(other, offer, chance)
