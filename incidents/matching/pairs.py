"""Two payments of one customer: twins, of which either is meant, and pairs, of which both are told.

Twins are one payment made twice at once. A pair is told where a sum or a time fits the likeliest
payment, and another fits only another of the same account within a day, or only another of which
an incident is known: the report speaks of both, and which one it complains of a person reads.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from incidents.matching.claims import READ_IN, Amount, Claims, Time
from incidents.matching.payment import Payment

APART_MAX: Final = timedelta(days=1)
"""Payments further apart are told apart by their day."""
CLOCKS_OFF: Final = timedelta(minutes=15)
"""How far a time may lie from the payment that it tells."""
TWINS_APART_MAX: Final = timedelta(minutes=15)
"""How soon somebody who tries again does."""
READ_MIN: Final = 0.5
"""Less sure facts pair up with nothing."""
PUT_IN: Final = frozenset({"inserted", "credited", "intended"})

_Told = TypeVar("_Told", Amount, Time)


def is_paired(best: Payment, others: Iterable[Payment], claims: Claims) -> bool:
    """Tell whether two sums or two times are told, one of the best payment, one of another."""
    sums = [each for each in claims.amounts if each.role in PUT_IN]
    theirs = [other for other in others if _is_theirs(best, other)]
    return any(
        _parted(sums, best, other, _is_sum)
        or (_is_beside(best, other) and _parted(claims.times, best, other, _is_time))
        for other in theirs
        if _is_beside(best, other) or (other.incidents and not best.incidents)
    )


def is_twin(one: Payment, other: Payment) -> bool:
    """Tell whether somebody made one payment twice at once; a payment is no twin of itself."""
    return (
        _is_theirs(one, other)
        and (one.terminal, one.accepted, one.currency)
        == (other.terminal, other.accepted, other.currency)
        and abs(other.started_at - one.started_at) <= TWINS_APART_MAX
    )


def _is_theirs(best: Payment, other: Payment) -> bool:
    return (
        other.key != best.key
        and best.account_hash is not None
        and other.account_hash == best.account_hash
    )


def _is_beside(best: Payment, other: Payment) -> bool:
    return abs(other.started_at - best.started_at) <= APART_MAX


def _parted(
    told: Sequence[_Told], best: Payment, other: Payment, fits: Callable[[_Told, Payment], bool]
) -> bool:
    sure = [each for each in told if each.confidence >= READ_MIN]
    return any(fits(each, best) for each in sure) and any(
        fits(each, other) and not fits(each, best) for each in sure
    )


def _is_sum(amount: Amount, payment: Payment) -> bool:
    arrived = payment.payment_amount or 0
    sums = {payment.accepted, payment.accepted - payment.returned, arrived}
    return amount.minor in (sums | {arrived + (payment.payment_fee or 0)}) - {0}


def _is_time(time: Time, payment: Payment) -> bool:
    for zone in {payment.zone, READ_IN}:
        begin = payment.started_at.astimezone(zone).replace(tzinfo=None) - CLOCKS_OFF
        end = payment.over_at.astimezone(zone).replace(tzinfo=None) + CLOCKS_OFF
        if any(span.low <= end and begin <= span.high for _, span in time.readings):
            return True
    return False
