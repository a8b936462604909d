"""The evaluation set: raw mails with what is right about each, split by template family."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from tests.matching.payments import Key, Payment
from tests.matching.renderers import (
    calibration,
    carrier,
    held_a,
    held_b,
    held_c,
    pen,
    reserve,
    train,
)
from tests.matching.renderers.claim import BASE, SHIFTED, Claim, Noise, claim, phantom, trouble
from tests.matching.renderers.family import Family
from tests.matching.renderers.speaker import Speaker
from tests.matching.worlds import World

SPLITS: Final[dict[str, tuple[float, Noise, Sequence[Family]]]] = {
    "train": (0.25, BASE, train.FAMILIES),
    "calibration": (0.15, BASE, calibration.FAMILIES),
    "held_a": (0.25, BASE, held_a.FAMILIES),
    "held_b": (0.20, SHIFTED, held_b.FAMILIES),
    "held_c": (0.15, BASE, (held_c.COMMON,)),
}
"""Share of the mails, how much their people remember, and how they write."""
RESERVE: Final = "reserve"
_RESERVED: Final = {RESERVE: (1.0, BASE, reserve.FAMILIES)}
"""For one run when the others are known too well."""
_KINDS: Final = (("plain", 82), ("twin", 6), ("phantom", 7), ("phantom_known", 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A raw mail, and what a person who knows the truth would do with it."""

    name: str
    split: str
    family: str
    kind: str
    raw: bytes
    received_at: datetime
    right: frozenset[Key]
    """Each of these is right to attach; none: nothing is."""
    said: tuple[tuple[str, object], ...] = ()
    zone: str = "Europe/Moscow"
    """Of the terminal: its wall clock is what the customer saw."""
    robot: bool = False


def mails(world: World, count: int, seed: int, *, reserved: bool = False) -> Iterator[Mail]:
    """Yield about so many mails about a world, or of the reserve; the same seed, the same bytes."""
    splits = _RESERVED if reserved else SPLITS
    for split, (share, noise, families) in splits.items():
        chance = Random(f"{seed}:{split}")
        maker = _Maker(world, split, noise, chance)
        for number in range(round(count * share)):
            yield maker.mail(families[number % len(families)], number)


def digest(made: Sequence[Mail]) -> str:
    """Return what names a set: of its mails' bytes and right answers."""
    whole = hashlib.sha256()
    for mail in made:
        whole.update(mail.raw)
        whole.update(repr(sorted(mail.right)).encode())
    return whole.hexdigest()[:16]


class _Maker:
    """Makes the mails of one split."""

    def __init__(self, world: World, split: str, noise: Noise, chance: Random) -> None:
        self._split, self._noise, self._chance = split, noise, chance
        self._world = world
        self._bad = [one for one in world.payments if one.rule and one.notes and not one.twin]
        self._good = [one for one in world.payments if not one.rule and one.notes and not one.twin]
        self._twins = list(world.twins.values())
        self._by_account: dict[str, list[Payment]] = {}
        for one in world.payments:
            self._by_account.setdefault(one.account, []).append(one)

    def mail(self, family: Family, number: int) -> Mail:
        """Return the next mail of a family."""
        chance = self._chance
        snare = self._split == "held_c"
        kinds = tuple(zip(held_c.SNARES, held_c.SNARE_WEIGHTS, strict=True)) if snare else _KINDS
        kind = chance.choices([name for name, _ in kinds], [weight for _, weight in kinds])[0]
        said = self._claim(kind)
        letter = self._letter(family, kind, said)
        received_at = letter.sent_at + timedelta(seconds=chance.uniform(2, 90))
        return Mail(
            name=f"{self._split}-{family.name}-{number}", split=self._split, family=family.name,
            kind=kind, raw=carrier.raw(letter, chance), received_at=received_at,
            right=said.right, said=tuple(said.said), zone=said.payment.place.timezone,
            robot=kind == "robot",
        )  # fmt: skip

    def _claim(self, kind: str) -> Claim:
        chance = self._chance
        if kind == "twin":
            pair = chance.choice(self._twins)
            made = self._about(pair[0], kind, frozenset(one.key for one in pair))
            made.trouble = chance.choice(("double", made.trouble))
            return made
        payment = chance.choice(self._bad if chance.random() < 0.55 else self._good)
        if kind in {"phantom", "phantom_known"}:
            return self._about(
                phantom(payment, chance, known=kind == "phantom_known"), kind, frozenset()
            )
        if kind == "phantom_here":
            nowhere = phantom(payment, chance, known=True)
            return self._about(replace(nowhere, place=payment.place), kind, frozenset())
        right = frozenset() if kind == "robot" else frozenset({payment.key})
        made = self._about(payment, kind, right)
        if kind == "contact":
            made.account = None
            elsewhere = chance.choice(self._good)
            made.contact = elsewhere.account if elsewhere.account[0] == "+" else made.contact
        if kind in {"two_payments", "quoted"}:
            made.other = self._earlier(payment)
        if kind in held_c.TWIST:
            held_c.TWIST[kind](made, chance)
        return made

    def _about(self, payment: Payment, kind: str, right: frozenset[Key]) -> Claim:
        made = claim(payment, kind, right=right, noise=self._noise, chance=self._chance)
        facts = (made.amount, made.moment, made.account, made.terminal)
        if sum(fact is not None for fact in facts) < 2:
            made.amount, made.moment = payment.inserted, payment.local
        return made

    def _earlier(self, payment: Payment) -> Payment:
        others = [
            one for one in self._by_account.get(payment.account, ())
            if one.started_at < payment.started_at and one.notes and one.outcome == "accepted"
        ]  # fmt: skip
        if others:
            return self._chance.choice(others)
        return replace(
            self._chance.choice(self._good), account=payment.account,
            started_at=payment.started_at - timedelta(days=self._chance.randint(2, 6)),
        )  # fmt: skip

    def _letter(self, family: Family, kind: str, said: Claim) -> carrier.Letter:
        chance = self._chance
        if kind == "robot":
            return held_c.robot(said, chance)
        speaker = Speaker(said, chance)
        words = family.troubles.get(said.trouble) or family.troubles[trouble(said.payment, chance)]
        template = chance.choice(family.bodies).replace("{trouble}", chance.choice(words))
        body = speaker.text(template)
        if kind == "two_payments":
            body = held_c.two_payments(said, chance, body)
        elif kind == "contact":
            body = held_c.contact_not_account(said, speaker, body)
        elif kind == "quoted":
            body = held_c.quoted_older(said, chance, body)
        body = self._styled(body, family)
        signature = chance.choice(family.signatures)
        if signature:
            body += "\n" + speaker.text(signature)
        charset = chance.choice(family.charsets)
        letter = carrier.Letter(
            subject=chance.choice(family.subjects), charset=charset, html=family.html, body=body,
            sent_at=said.written_at,
            declared="iso-8859-1" if charset == "windows-1251" and chance.random() < 0.1 else None,
            sender=("Оператор", "line2@staff.kvitok.example") if family.staff else None,
        )  # fmt: skip
        if said.receipt and said.payment.fiscal and chance.random() < family.picture:
            letter.picture = carrier.picture(speaker.qr(), chance)
        if kind == "forward":
            letter = held_c.forwarded(said, chance, letter)
        return letter

    def _styled(self, body: str, family: Family) -> str:
        if family.unpunctuated:
            body = body.replace(",", "").replace("!", "").lower()
        if family.capitals:
            body = body.upper()
        if family.latin:
            body = pen.latin(body)
        body = pen.typos(body, self._chance, self._noise.letters)
        return carrier.wrapped(body) if self._chance.random() < 0.25 else body
