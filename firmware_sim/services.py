"""What customers pay for: services, their accounts (chance, kept in memory only) and fees."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A line of the payment menu; the fee is in per mille of what was put in."""

    id: str
    name: str
    fee_per_mille: int
    account: Callable[[Random], str]
    phone: str


def _mobile(chance: Random) -> str:
    return f"+79{chance.randrange(10**9):09d}"


def _digits(count: int) -> Callable[[Random], str]:
    return lambda chance: str(chance.randrange(10 ** (count - 1), 10**count))


SERVICES: Final = (
    Service(id="mobile-north", name="Мобильная связь «Север»", fee_per_mille=30,
            account=_mobile, phone="8 800 000-01-01"),
    Service(id="mobile-alpha", name="Мобильная связь «Альфа»", fee_per_mille=0,
            account=_mobile, phone="8 800 000-01-02"),
    Service(id="utilities", name="Квартплата, единый счёт", fee_per_mille=15,
            account=_digits(10), phone="8 800 000-01-03"),
    Service(id="internet", name="Домашний интернет «Луч»", fee_per_mille=25,
            account=_digits(8), phone="8 800 000-01-04"),
    Service(id="wallet", name="Кошелёк «Монета»", fee_per_mille=50,
            account=_digits(12), phone="8 800 000-01-05"),
)  # fmt: skip

NOTES: Final = (5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)
"""Ruble notes in kopecks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one customer wants: a service, an account, and the notes they hold ready."""

    service: Service
    account: str
    notes: tuple[int, ...]

    @property
    def total(self) -> int:
        """What they mean to put in, in kopecks."""
        return sum(self.notes)


def wish(chance: Random) -> Wish:
    """Return what the next customer wants."""
    service = chance.choice(SERVICES)
    count = chance.choices((1, 2, 3), weights=(70, 20, 10))[0]
    weights = (10, 35, 10, 25, 15, 2, 3)
    notes = tuple(chance.choices(NOTES, weights=weights, k=count))
    return Wish(service=service, account=service.account(chance), notes=notes)


def split(service: Service, inserted: int) -> tuple[int, int]:
    """Return what is credited and the fee on top; together they are what was put in."""
    fee = inserted * service.fee_per_mille // 1000
    return inserted - fee, fee
