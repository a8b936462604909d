"""Payments as journals: what a terminal that read only the contract writes and sends of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from tests.acceptance.foreign import ForeignTerminal, JsonObject
from tests.matching.payments import EPOCH, Payment

BATCH: Final = 100
_LASTED: Final = timedelta(seconds=50)
_PHONE: Final = 12
"""Characters of `+7` and ten digits."""


def as_told(account: str, _number: int) -> str:
    """Return an account as the evaluation set has it."""
    return account


def as_people_type(account: str, number: int) -> str:
    """Return an account in one of the ways that payment programs pass it on."""
    if len(account) != _PHONE or not account.startswith("+7"):
        return (account, f"{account[:4]} {account[4:]}", f"{account[:4]}-{account[4:]}")[number % 3]
    bare = account[2:]
    parts = (bare[:3], bare[3:6], bare[6:8], bare[8:])
    return (
        account, bare, f"7{bare}", f"8{bare}", "+7 {} {}-{}-{}".format(*parts),
        "8 ({}) {}-{}-{}".format(*parts), "({}) {} {} {}".format(*parts),
    )[number % 7]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a payment program fills the fields that the contract leaves to it."""

    name: str
    account: Callable[[str, int], str] = as_told
    number: Callable[[str], str] = str
    """A receipt's number as the printer counts it."""


PLAIN: Final = Hand(name="plain")
OTHER: Final = Hand(
    name="other",
    account=as_people_type,
    number=lambda number: number.lstrip("0"),
)


def one_by_one(payments: Iterable[Payment]) -> list[Payment]:
    """Return what a terminal can have served: one customer at a time, the first come."""
    kept: list[Payment] = []
    for _, some in groupby(
        sorted(payments, key=lambda one: (one.place.terminal, one.started_at)),
        key=lambda one: one.place.terminal,
    ):
        free_at: datetime | None = None
        for one in some:
            if free_at is None or one.started_at >= free_at:
                kept.append(one)
                free_at = _over_at(one) + timedelta(seconds=5)
    return kept


def _over_at(one: Payment) -> datetime:
    return one.ended_at or one.started_at + _LASTED


def events(one: Payment, number: int, hand: Hand = PLAIN) -> list[JsonObject]:
    """Return the events of a payment, in the contract's words and order."""
    start, end = one.started_at, _over_at(one)
    step = (end - start) / (len(one.notes) + 4)
    found: list[JsonObject] = [
        {"kind": "transaction_started", "tx": one.tx, "service": one.service,
         "service_name": one.service_name, "account": hand.account(one.account, number)}
    ]  # fmt: skip
    found += [
        {"kind": "cash_accepted", "tx": one.tx, "amount": note, "currency": "RUB", "media": "note"}
        for note in one.notes
    ]
    if one.outcome is not None:
        found.append(
            {"kind": "payment_result", "tx": one.tx, "outcome": one.outcome,
             "amount": one.credited, "fee": one.fee, "currency": "RUB", **_given(
                 reference=one.reference)}
        )  # fmt: skip
    if one.receipt is not None:
        found.append(
            {"kind": "receipt_result", "tx": one.tx, "outcome": one.receipt, **_given(
                cause=one.receipt_cause,
                number=one.receipt_number and hand.number(one.receipt_number),
                fiscal=one.fiscal and dict(zip(("fn", "fd", "fp"), one.fiscal, strict=True)))}
        )  # fmt: skip
    if one.returned:
        found.append(
            {"kind": "cash_returned", "tx": one.tx, "amount": one.returned, "currency": "RUB"}
        )
    last: JsonObject = {"kind": "agent_started", "agent": "other/1.0", "cause": "power_on"}
    if one.end is not None:
        last = {"kind": "transaction_ended", "tx": one.tx, "cause": one.end}
    for place, event in enumerate(found):
        event["at"] = _ms(start + place * step)
    return [*found, {**last, "at": _ms(end)}]


def _given(**fields: Any) -> JsonObject:
    return {name: value for name, value in fields.items() if value}


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def send_journals(served: Any, payments: Sequence[Payment], hand: Hand = PLAIN) -> int:
    """Send each terminal's payments as its journal; return how many events were acked."""
    acked = 0
    in_order = sorted(payments, key=lambda one: (one.place.terminal, one.started_at))
    for number, some in groupby(in_order, key=lambda one: str(one.place.terminal)):
        journal = [
            event for at, one in enumerate(some, start=acked) for event in events(one, at, hand)
        ]
        terminal = ForeignTerminal(served, number, epoch=EPOCH)
        try:
            for first in range(0, len(journal), BATCH):
                terminal.send(*journal[first : first + BATCH])
        finally:
            terminal.close()
        acked += len(journal)
    return acked
