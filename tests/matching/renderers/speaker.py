"""Turns a template into what one person writes.

`<a|b>` is a choice, `{fact:form,form}` a fact in one of these forms, and `[…]` goes when a fact in
it was forgotten (or, without a fact, half of the time).
"""

import re
from random import Random
from typing import Final

from tests.matching.renderers import pen
from tests.matching.renderers.claim import Claim

_CHOICE: Final = re.compile(r"<([^<>]*)>")
_GROUP: Final = re.compile(r"\[([^\[\]]*)\]")
_FACT: Final = re.compile(r"\{(\w+)(?::([\w,]+))?\}")
_CLOCKS: Final = "plain,dash,dot"
_DAYS: Final = "near,weekday,month,short_dots"


class Speaker:
    """A person at the keyboard with a claim in mind."""

    def __init__(self, claim: Claim, chance: Random) -> None:
        self.claim = claim
        self.chance = chance

    def text(self, template: str) -> str:
        """Return the template filled with what is remembered, and note in the claim what was."""
        while _CHOICE.search(template):
            template = _CHOICE.sub(lambda m: self.chance.choice(m[1].split("|")), template)
        while _GROUP.search(template):
            template = _GROUP.sub(self._group, template)
        filled = _FACT.sub(lambda m: self._fact(m[1], m[2]) or "", template)
        return re.sub(r" +([,.;!?])", r"\1", re.sub(r"[ ]{2,}", " ", filled)).strip()

    def _group(self, match: re.Match[str]) -> str:
        facts = _FACT.findall(match[1])
        if not facts:
            return match[1] if self.chance.random() < 0.5 else ""
        return match[1] if all(self._known(name) for name, _ in facts) else ""

    def _known(self, name: str) -> bool:  # noqa: PLR0911 - a row a fact
        claim = self.claim
        payment = claim.payment
        match name:
            case "amount":
                return claim.amount is not None
            case "credited" | "fee":
                return claim.receipt and bool(payment.fee)
            case "when" | "day":
                return claim.moment is not None
            case "account" | "tail":
                return claim.account is not None
            case "terminal":
                return claim.terminal is not None
            case "street" | "shop" | "metro":
                return name in claim.places
            case "receipt":
                return claim.receipt and payment.receipt_number is not None
            case "reference":
                return claim.receipt and payment.reference is not None
            case "qr":
                return claim.receipt and payment.fiscal is not None
            case _:
                return True

    def _fact(self, name: str, forms: str | None) -> str | None:  # noqa: C901, PLR0911, PLR0912 - a row a fact
        if not self._known(name):
            return None
        claim, payment = self.claim, self.claim.payment
        form = self.chance.choice(forms.split(",")) if forms else "plain"
        match name:
            case "amount":
                assert claim.amount is not None
                self._say("amount", claim.amount)
                return pen.money(claim.amount, form)
            case "credited" | "fee":
                minor = payment.credited if name == "credited" else payment.fee
                assert minor is not None
                self._say("amount", minor)
                return pen.money(minor, form)
            case "when":
                return self._when(forms)
            case "day":
                return self._day(form)
            case "account":
                assert claim.account is not None
                self._say("account", claim.account.removeprefix("+"))
                return pen.account(claim.account, form)
            case "tail":
                assert claim.account is not None
                self._say("tail", claim.account[-4:])
                return claim.account[-4:]
            case "terminal":
                self._say("terminal", claim.terminal)
                return claim.terminal
            case "street" | "shop" | "metro":
                self._say("place", payment.place.terminal)
                return self._place(name, form)
            case "receipt":
                self._say("receipt", payment.receipt_number)
                return payment.receipt_number
            case "reference":
                self._say("operation", payment.reference)
                return payment.reference
            case "qr":
                return self.qr()
            case "contact":
                self._say("contact", claim.contact.removeprefix("+"))
                return pen.account(claim.contact, form)
            case "service":
                return payment.service_name
            case "city":
                return payment.place.city
        raise ValueError(name)

    def _say(self, kind: str, value: object) -> None:
        self.claim.said.append((kind, value))

    def qr(self) -> str:
        """Return what the receipt's fiscal QR code says."""
        payment = self.claim.payment
        assert payment.fiscal is not None
        fn, fd, fp = payment.fiscal
        self._say("fiscal", fp)
        total = payment.inserted / 100
        return f"t={payment.local:%Y%m%dT%H%M}&s={total:.2f}&fn={fn}&i={fd}&fp={fp}&n=1"

    def _when(self, forms: str | None) -> str:
        claim = self.claim
        assert claim.moment is not None
        days, clocks = _DAYS, _CLOCKS
        if forms:
            names = forms.split(",")
            clocks = ",".join(n.removeprefix("c_") for n in names if n.startswith("c_")) or clocks
            days = ",".join(n for n in names if not n.startswith("c_")) or days
        said_day = self._day(self.chance.choice(days.split(",")), note=False)
        clock = pen.clock(claim.moment, self.chance.choice(clocks.split(",")))
        self._say("paid_at", (claim.moment, claim.how))
        match claim.how:
            case "exact":
                return f"{said_day} {clock}"
            case "around":
                about = self.chance.choice(("примерно ", "где-то ", "около ", "приблизительно "))
                clock = clock.removeprefix("в ") if about == "около " else clock
                return f"{said_day} {about}{clock}"
            case "part":
                return f"{said_day} {pen.part_alone(claim.moment.hour)}"
            case _:
                return said_day

    def _day(self, form: str, *, note: bool = True) -> str:
        moment = self.claim.moment
        assert moment is not None
        if note:
            self._say("paid_at", (moment, "day"))
        return pen.day(moment.date(), self.claim.written_at.date(), form)

    def _place(self, name: str, form: str) -> str:
        words = {"street": self._street, "shop": self._shop, "metro": self._metro}
        return words[name](form)

    def _street(self, form: str) -> str:
        address = self.claim.payment.place.address
        street, _, house = address.partition(", ")
        bare = re.sub(r"^(?:ул|пр)\. | ул\.$", "", street)
        match form:
            case "bare":
                return f"{bare} {house}"
            case "house":
                return f"{address.replace(', ', ', дом ')}"
            case "alone":
                return bare
            case "small":
                return f"{bare} {house}".lower()
            case _:
                return address

    def _shop(self, form: str) -> str:
        shop = self.claim.payment.place.place
        match form:
            case "small":
                return re.sub(r"[«»]", "", shop).lower().partition(",")[0]
            case "bare":
                return re.sub(r"[«»]", "", shop)
            case "straight":
                return re.sub(r"[«»]", '"', shop)
            case _:
                return shop

    def _metro(self, form: str) -> str:
        metro = self.claim.payment.place.metro
        return metro.lower() if form == "small" else metro
