"""Sets written by hand, a folder each: a small world (`fleet.csv`, `payments.txt`) and its mails.

`=== NAME KIND RIGHT` begins a mail: which payments are right to attach (`-`: none). Headers follow
(`Charset`, `Html` say how it is sent), a blank line, and what somebody wrote. `{qr:KEY}` stands for
the fiscal code of a payment.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from firmware_sim.places import Place
from tests.matching.mails import Mail
from tests.matching.payments import OFFERS, Payment, payments
from tests.matching.renderers import carrier
from tests.matching.worlds import World, fleet

SETS: Final = Path(__file__).parent
BY_HAND: Final = "by_hand"
MOSCOW: Final = ZoneInfo("Europe/Moscow")
_CARRIED: Final = {"From", "Date", "Subject", "Charset", "Html"}
_ENDINGS: Final[dict[str, dict[str, Any]]] = {
    "good": {},
    "wrong": {},
    "no_paper": {"receipt": "failed", "receipt_cause": "paper_out", "rule": "no_receipt"},
    "no_receipt": {"receipt": None, "rule": "no_receipt"},
    "declined": {"outcome": "declined", "receipt": None, "end": "error", "rule": "payment_failed"},
    "failed": {"outcome": "failed", "end": "error", "rule": "payment_failed"},
    "uncertain": {"outcome": "unknown", "end": "timed_out", "rule": "payment_uncertain"},
    "no_payment": {"outcome": None, "receipt": None, "end": "timed_out",
                   "rule": "payment_uncertain"},
    "interrupted": {"outcome": None, "receipt": None, "end": None, "rule": "payment_uncertain"},
}  # fmt: skip


def hand_places(name: str = BY_HAND) -> list[Place]:
    """Return the fleet that the mails of a set speak of."""
    with (SETS / name / "fleet.csv").open(encoding="utf-8") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    return [Place(**row) for row in rows]


def hand_payments(places: Sequence[Place], name: str = BY_HAND) -> dict[str, Payment]:
    """Return the payments that the mails of a set speak of, by key."""
    by_terminal = {str(place.terminal): place for place in places}
    found = {}
    for line in (SETS / name / "payments.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        key, *cells = (cell.strip() for cell in line.split("|"))
        found[key] = _payment(key, cells, by_terminal)
    return found


def _payment(key: str, cells: list[str], places: dict[str, Place]) -> Payment:
    terminal, when, name, account, notes, ending, receipt, reference, fee = cells
    place = places[terminal]
    service = next((offer.id for offer in OFFERS if offer.name == name), name.casefold())
    started_at = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(place.timezone))
    one = Payment(
        place=place, tx=key, started_at=started_at, ended_at=started_at + timedelta(seconds=50),
        end="completed", service=service, service_name=name, account=account,
        notes=tuple(int(note) * 100 for note in notes.split()),
        receipt_number=receipt or None, reference=reference or None,
    )  # fmt: skip
    one = replace(one, **_ENDINGS[ending])
    if one.outcome is None:
        return one
    minor = round(float(fee) * 100)
    fiscal = ("9960440300123456", key[1:] * 2, f"29{key[1:]}4471{key[1:]}")
    return replace(
        one, fee=minor, credited=one.inserted - minor,
        fiscal=fiscal if receipt else None,
    )  # fmt: skip


def hand_world(name: str = BY_HAND, *, others: int, seed: int) -> World:
    """Return a set's small world among so many other payments of a fleet of 300 and its own."""
    places = hand_places(name)
    everywhere = [*places, *fleet(300, seed)]
    mine = list(hand_payments(places, name).values())
    return World(everywhere, [*mine, *payments(everywhere, others, seed)])


def hand_mails(name: str = BY_HAND) -> Iterator[Mail]:
    """Yield the mails of a set."""
    known = hand_payments(hand_places(name), name)
    for path in sorted((SETS / name).glob("mails*.txt")):
        text = path.read_text(encoding="utf-8")
        for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
            yield _mail(part, known)


def _mail(part: str, known: dict[str, Payment]) -> Mail:
    head, _, body = part.partition("\n\n")
    title, *lines = head.splitlines()
    number, kind, *rights = title.replace(",", " ").split()
    headers = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
    when, _, offset = headers["Date"].partition(" +")
    sent_at = datetime.fromisoformat(f"{when}+{offset[:2]}:{offset[2:]}" if offset else when)
    sent_at = sent_at if offset else sent_at.replace(tzinfo=MOSCOW)
    body = re.sub(r"\{qr:(\w+)\}", lambda match: _qr(known[match[1]]), body.strip("\n"))
    letter = carrier.Letter(
        subject=headers.get("Subject", ""), body=body, sent_at=sent_at,
        charset=headers.get("Charset", "utf-8"), html="Html" in headers,
        sender=_sender(headers["From"]),
        headers=[(key, value) for key, value in headers.items() if key not in _CARRIED],
    )  # fmt: skip
    keys = [known[key] for key in rights if key != "-"]
    return Mail(
        name=f"hand-{number}", split="by_hand", family="by_hand", kind=kind,
        raw=carrier.raw(letter, Random(number)), received_at=sent_at + timedelta(seconds=20),
        right=frozenset(one.key for one in keys), robot=kind == "robot",
        zone=keys[0].place.timezone if keys else "Europe/Moscow",
    )  # fmt: skip


def _sender(text: str) -> tuple[str, str]:
    """Return name and address; a comma may stand in the name."""
    name, bracket, address = text.rpartition("<")
    return (name.strip().strip('"'), address.rstrip(">")) if bracket else parseaddr(text)


def _qr(one: Payment) -> str:
    assert one.fiscal is not None
    fn, fd, fp = one.fiscal
    total = one.inserted / 100
    return f"t={one.local:%Y%m%dT%H%M}&s={total:.2f}&fn={fn}&i={fd}&fp={fp}&n=1"
