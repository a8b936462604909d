"""How far each claim agrees with a transaction: a level, and its weight in bits.

Laws: a missing fact says nothing. Of several facts of one kind the best counts, less a bit or two
for those that speak of something else; so one more that agrees never lowers a candidate. Terminal
number and place are one evidence, and so are service and phone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log2
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from incidents.matching.claims import READ_IN, Amount, Claims, Interval, Name, Time, plain
from incidents.matching.model import Model, Scene
from incidents.matching.payment import Payment

SURE: Final = 0.85
"""Confidence from which a fact counts in full."""
SURE_BY_FACT: Final[Mapping[str, float]] = {"account": 0.6, "amount": 0.7, "tail": 0.7}
"""Facts that hold more often than their reader is sure of them."""
UNSHIFTED: Final = 0.15
"""How likely a time was told by the clock that it was read in, not by the terminal's."""

DAY_BEGUN: Final = 0.2
"""How likely "today" is the day that has begun there while it was yesterday here."""

STEPS: Final[Mapping[str, tuple[tuple[float, str], ...]]] = {
    "exact": ((3, "3min"), (15, "15min"), (60, "hour")),
    "around": ((15, "15min"), (40, "40min"), (90, "90min")),
}
"""Minutes from the best guess → level."""
CLOCK_OFF: Final[Mapping[str, float]] = {"exact": 30, "around": 90}
"""Minutes that the clock of another day may differ."""

LOST: Final = frozenset(
    "not_credited partly_credited note_swallowed declined money_not_returned hung rebooted "
    "out_of_order double_payment".split()
)
"""Symptoms of money that went in and did not arrive."""
SENT: Final = frozenset("wrong_number wrong_service wrong_amount fee".split())
"""Symptoms of a payment that did arrive, somewhere."""
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "мтс": ("mts", "мтс"), "билайн": ("beeline", "билайн"), "мегафон": ("megafon", "мегафон"),
    "теле2": ("tele2", "теле2", "t2"), "йота": ("yota", "йота"), "киви": ("qiwi", "киви"),
    "ростелеком": ("rostelecom", "ростелеком"), "стим": ("steam",), "юмани": ("yoomoney", "юmoney"),
    "тройка": ("troika", "тройка"), "алтел": ("altel",), "жкх": ("жкх", "utilities", "zhkh"),
    "интернет": ("internet", "интернет"), "вебмани": ("webmoney",),
}  # fmt: skip
"""Names of services as customers say them → as payment programs write them."""
KNOWN: Final = frozenset(name for names in OPERATORS.values() for name in names)


class Evidence(NamedTuple):
    """What one fact says of a candidate, in bits."""

    fact: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Alike:
    """How many candidates share a number: the more, the less it says."""

    accounts: Mapping[str, int]
    near: int
    numbers: Mapping[str, int]


def alike_of(claims: Claims, payments: Iterable[Payment]) -> Alike:
    """Count what the candidates share."""
    accounts: dict[str, int] = {}
    numbers = dict.fromkeys((name.text for name in claims.numbers), 0)
    nearly = frozenset[str]().union(*(each.near for each in claims.paid))
    near = 0
    for payment in payments:
        if payment.account_hash:
            accounts[payment.account_hash] = accounts.get(payment.account_hash, 0) + 1
            near += payment.account_hash in nearly
        for name in claims.numbers:
            numbers[name.text] += plain(name.text) in payment.numbers[name.kind]
    return Alike(accounts, near, numbers)


@dataclass(frozen=True, slots=True)
class Judge:
    """Weighs payments against the claims of one report."""

    claims: Claims
    model: Model
    scene: Scene
    alike: Alike

    def evidence(self, payment: Payment) -> tuple[Evidence, ...]:
        """Return what speaks for and against a payment."""
        found = [self._fiscal(payment), self._number(payment, "receipt")]
        found += [self._number(payment, "operation"), self._where(payment), self._whose(payment)]
        found += self._amounts(payment)
        found += [self._when(payment), self._symptom(payment), self._service(payment, found[4])]
        return tuple(each for each in found if each is not None)

    def _bits(self, fact: str, level: str) -> Evidence:
        return Evidence(fact, level, self.model.bits(fact, level, self.scene))

    def _fiscal(self, payment: Payment) -> Evidence | None:
        if not self.claims.fiscal:
            return None
        if not payment.fiscal:
            return self._bits("fiscal", "none")
        own = payment.fiscal
        for key in self.claims.fiscal:
            same = (
                plain(own.get("fp")) == plain(key.fp),
                plain(own.get("fd")) == plain(key.fd) and plain(own.get("fn")) == plain(key.fn),
            )
            if all(same) or (same[0] and own.get("fn") == key.fn):
                return self._bits("fiscal", "equal")
        return self._bits("fiscal", "other")

    def _number(self, payment: Payment, kind: str) -> Evidence | None:
        said = [name for name in self.claims.numbers if name.kind == kind]
        if not said:
            return None
        own = payment.numbers[kind]

        def weigh(name: Name) -> Evidence:
            if plain(name.text) in own:
                alike = self.alike.numbers.get(name.text, 1)
                bits = self.model.key_bits(kind, "equal", self.scene, alike)
                return Evidence(kind, "equal", bits)
            known = payment.receipt_number if kind == "receipt" else payment.payment_reference
            return self._bits(kind, "other" if known else "none")

        return best_of((tempered(weigh(name), name.confidence)) for name in said)

    def _where(self, payment: Payment) -> Evidence | None:
        found = []
        for name in self.claims.terminals:
            level = "equal" if name.text == payment.terminal else "other"
            if level == "other" and payment.terminal in self.claims.near_terminals:
                level = "near"
            bits = self.model.terminal_bits(level, self.scene)
            found.append(tempered(Evidence("terminal", level, bits), name.confidence))
        for place in self.claims.places:
            weight = place.weights.get(payment.terminal, 0.0)
            bits = self.model.place_bits(weight, self.scene)
            level = "in" if weight > 0 else "other"
            # Words of a place are weighed by how well they fit: their confidence is in the weights.
            found.append(Evidence("place", level, bits))
        return best_of(found)

    def _whose(self, payment: Payment) -> Evidence | None:
        claims, own = self.claims, payment.account_hash
        alike = self.alike.accounts.get(own, 1) if own else 0
        stated = {each.hash for each in (*claims.paid, *claims.intended)}
        found = []
        for each in claims.paid:
            if own == each.hash:
                bits = self.model.key_bits("account", "equal", self.scene, alike)
                weighed = Evidence("account", "equal", bits)
            elif own in each.near and own not in stated:
                bits = self.model.key_bits("account", "near", self.scene, self.alike.near)
                weighed = Evidence("account", "near", bits)
            elif own is None:
                # Money taken before an account was typed: the customer still names theirs.
                continue
            else:
                weighed = self._bits("account", "other")
            found.append(tempered(weighed, each.confidence))
        found += [
            tempered(ending, tail.confidence)
            for tail in claims.tails
            if (ending := self._tail(payment, tail.digits, alike))
        ]
        for each in claims.intended:
            if own is not None and (own == each.hash or own in each.near):
                level = "equal" if own == each.hash else "near"
                bits = self.model.key_bits("intended", level, self.scene, alike)
                found.append(tempered(Evidence("intended", level, bits), each.confidence))
        if not found and own and not claims.paid:
            for each in claims.contacts:
                if own == each.hash:
                    bits = self.model.key_bits("contact", "equal", self.scene, alike)
                    found.append(Evidence("contact", "equal", bits))
        return best_of(found)

    def _tail(self, payment: Payment, digits: str, alike: int) -> Evidence | None:
        ends = self.claims.ends.get((digits, payment.account_hash or ""))
        if ends:
            bits = self.model.key_bits("tail", "whole", self.scene, alike)
            return Evidence("tail", "whole", bits)
        level = _tail_level(payment, digits) if ends is None else "other"
        return self._bits("tail", level) if level else None

    def _amounts(self, payment: Payment) -> list[Evidence]:
        by_role: dict[str, list[Amount]] = {}
        for amount in self.claims.amounts:
            by_role.setdefault(amount.role, []).append(amount)
        credited = by_role.get("credited", [])
        put_in = self._put_in(payment, by_role.get("inserted", []))
        alone = best_of(tempered(self._sum(payment, a), a.confidence) for a in credited)
        arrived = self._part("credited", payment.payment_amount, credited)
        if put_in is None:
            put_in, arrived = alone, None
        elif alone is not None and put_in.bits >= 0:
            # What arrived says no less because what was put in, told beside it, agrees.
            least = alone.bits - put_in.bits
            if least > (0.0 if arrived is None else arrived.bits):
                arrived = Evidence("credited", alone.level, least)
        found = [put_in, arrived, self._part("fee", payment.payment_fee, by_role.get("fee", []))]
        found.append(self._part("returned", payment.returned, by_role.get("returned", [])))
        return [each for each in found if each is not None]

    def _put_in(self, payment: Payment, told: list[Amount]) -> Evidence | None:
        best = best_of(tempered(self._sum(payment, a), a.confidence) for a in told)
        whole = sum(amount.minor for amount in told)
        if len(told) > 1 and whole == payment.accepted:
            # Notes told one by one.
            bits = self.model.amount_bits("equal", whole, self.scene) - 1
            best = max([best, Evidence("amount", "equal", bits)], key=_weight)
        return best

    def _part(self, role: str, own: int | None, told: list[Amount]) -> Evidence | None:
        if own is None:
            return None
        return best_of(
            tempered(self._bits(role, "equal" if a.minor == own else "other"), a.confidence)
            for a in told
        )

    def _sum(self, payment: Payment, amount: Amount) -> Evidence:
        level = "other"
        if not (amount.currency and payment.currency and amount.currency != payment.currency):
            put_in = {payment.accepted, payment.accepted - payment.returned} - {0}
            arrived = set() if payment.payment_amount is None else {payment.payment_amount}
            if amount.role == "credited":
                put_in, arrived = arrived, put_in
            net = arrived | set(_gross(payment))
            level = "equal" if amount.minor in put_in else "net" if amount.minor in net else level
        bits = self.model.amount_bits(level, amount.minor, self.scene)
        return Evidence("amount", level, bits)

    def _when(self, payment: Payment) -> Evidence | None:
        age = self._age(payment)
        if not self.claims.times:
            return age
        # Where the day was only guessed, what is recent is likelier all the same.
        return best_of(
            tempered(self._time(payment, time), time.confidence, otherwise=age.bits)
            for time in self.claims.times
        )

    def _age(self, payment: Payment) -> Evidence:
        age = self.claims.received_at - payment.started_at
        days = age / timedelta(days=1)
        steps = ((1, "day"), (3, "three_days"), (10, "ten_days"))
        return self._bits("age", next((name for most, name in steps if days <= most), "old"))

    def _time(self, payment: Payment, time: Time) -> Evidence:
        """Weigh the readings of a time together: the name of the best, the mean of their odds."""
        zones: tuple[tuple[float, ZoneInfo], ...] = ((1.0, payment.zone),)
        start = payment.started_at
        if start.astimezone(payment.zone).utcoffset() != start.astimezone(READ_IN).utcoffset():
            zones = ((1 - UNSHIFTED, payment.zone), (UNSHIFTED, READ_IN))
        odds, best = 0.0, Evidence("paid_at", "other", -99.0)
        for zone_share, zone in zones:
            begin = start.astimezone(zone).replace(tzinfo=None)
            end = payment.over_at.astimezone(zone).replace(tzinfo=None)
            for share, interval in self._readings(time, zone):
                level, bits = self._moment(time.precision, interval, (begin, end))
                odds += zone_share * share * 2**bits
                best = max(best, Evidence("paid_at", level, bits), key=_weight)
        return best._replace(bits=log2(odds))

    def _readings(self, time: Time, zone: ZoneInfo) -> Iterator[tuple[float, Interval]]:
        """Yield the readings; and the day after, if it may be called the same day there."""
        here, there = (
            self.claims.received_at.astimezone(each).replace(tzinfo=None)
            for each in (READ_IN, zone)
        )
        day = timedelta(days=1)
        for share, said in time.readings:
            later = said.best + day
            if later <= there and (here < later or here.date() < there.date()):
                yield share * (1 - DAY_BEGUN), said
                yield share * DAY_BEGUN, Interval(said.low + day, said.high + day, later)
            else:
                yield share, said

    def _moment(
        self, precision: str, said: Interval, real: tuple[datetime, datetime]
    ) -> tuple[str, float]:
        begin, end = real
        inside = said.low <= end and begin <= said.high
        if precision == "period" or (precision == "day" and said.low.date() != said.high.date()):
            days = (said.high - said.low) / timedelta(days=1)
            if inside:
                return "period: in", self.model.period_bits(days, self.scene)
            return "period: other", self.model.bits("period", "other", self.scene)
        level = _level(precision, said, (begin, end), inside=inside)
        kind = precision if precision in self.model.levels else "around"
        return f"{kind}: {level}", self.model.bits(kind, level, self.scene)

    def _symptom(self, payment: Payment) -> Evidence | None:
        said = self.claims.symptoms
        found = []
        if "no_receipt" in said:
            level = "against" if payment.receipt == "printed" else "state"
            found.append("incident" if "no_receipt" in payment.incidents else level)
        if said & LOST:
            level = "plain" if payment.payment == "accepted" else "state"
            troubled = payment.incidents & {"payment_failed", "payment_uncertain"}
            found.append("incident" if troubled else level)
        if found:
            return max((self._bits("symptom", level) for level in found), key=_weight)
        if said & SENT:
            return None if payment.payment == "accepted" else self._bits("symptom", "against")
        return self._bits("known", "incident") if payment.incidents else None

    def _service(self, payment: Payment, whose: Evidence | None) -> Evidence | None:
        if not self.claims.services or (whose is not None and whose.bits > 0):
            return None
        own = f"{payment.service or ''} {payment.service_name or ''}".casefold().strip()
        named = {name for said in self.claims.services for name in (said, *OPERATORS.get(said, ()))}
        if any(name in own for name in named):
            return self._bits("service", "equal")
        # A number, or a name that nobody knows, says nothing against it.
        return self._bits("service", "other") if any(name in own for name in KNOWN) else None


def tempered(evidence: Evidence, confidence: float, *, otherwise: float = 0.0) -> Evidence:
    """Return the evidence of a fact that may have been misread: then it would say nothing."""
    sure = min(1.0, confidence / SURE_BY_FACT.get(evidence.fact, SURE))
    if sure >= 1.0:
        return evidence
    return evidence._replace(bits=log2(sure * 2**evidence.bits + (1 - sure) * 2**otherwise))


def best_of(weighed: Iterable[Evidence | None]) -> Evidence | None:
    """Return what the best of several facts of one kind says, if the others mean something else."""
    found = [each for each in weighed if each is not None]
    if len(found) <= 1:
        return found[0] if found else None
    best = max(found, key=_weight)
    against = [each.bits for each in found if each.bits < 0]
    if best.bits < 0 or not against:
        return best
    return best._replace(bits=max(best.bits - log2(1 + len(against)), *against))


def _weight(evidence: Evidence | None) -> tuple[float, str]:
    return (-99.0, "") if evidence is None else (evidence.bits, evidence.level)


def _gross(payment: Payment) -> Iterator[int]:
    if payment.payment_amount is not None and payment.payment_fee:
        yield payment.payment_amount + payment.payment_fee


def _tail_level(payment: Payment, digits: str) -> str:
    """Return whether the visible end of a masked account fits; nothing where all is masked."""
    seen = (payment.account_masked or "")[-2:]
    if len(seen) < 2 or not seen.isalnum():
        return ""
    return "equal" if digits.endswith(seen) else "other"


def _level(precision: str, said: Interval, real: tuple[datetime, datetime], *, inside: bool) -> str:
    begin, end = real
    if precision in {"day", "part_of_day"}:
        if inside or begin.date() == said.best.date():
            return "same" if inside else "same_day"
        low, high = said.low.date() - timedelta(days=1), said.high.date() + timedelta(days=1)
        return "day_off" if low <= begin.date() <= high else "other"
    away = max(begin - said.best, said.best - end, timedelta(0)) / timedelta(minutes=1)
    steps = STEPS["exact" if precision == "exact" else "around"]
    for most, level in steps:
        if away <= most:
            return level
    if inside:
        return steps[1][1]
    if abs(away - 1440) <= CLOCK_OFF["exact" if precision == "exact" else "around"]:
        return "day_off"
    return "half_day" if away <= 720 else "other"
