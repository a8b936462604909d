"""Fuzzing of what customers write: raw mails, and the grammar of facts over any text."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from desk.mail.letter import OwnAddresses
from desk.mail.reading import AGE_MAX, read_mail
from desk.reports.masking import stored_facts
from incidents.matching.claims import claims_of
from incidents.matching.facts import read_facts
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.passage import Fact, Origin, Passage
from tests.fuzz import laws
from wire.accounts import account_hash

KEY: Final = b"0123456789abcdef0123456789abcdef"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
ZONE: Final = ZoneInfo("Europe/Moscow")
TEXT_MAX: Final = 4_000
"""A longer text shows nothing that a short one does not."""
OWN: Final = OwnAddresses(
    mailboxes=frozenset({"konsultant@pay.example"}), domains=frozenset({"pay.example"})
)
FLEET: Final = Gazetteer([
    Row("104233", city="Москва", address="ул. Люблинская, 61", metro="Волжская",
        place="Магазин «Дикси»"),
    Row("104240", city="Екатеринбург", address="проспект Ленина, 89"),
])  # fmt: skip


def mail(data: bytes) -> None:
    """Read a raw mail, and the facts of what it says."""
    read = read_mail(data, received_at=NOW, own=OWN, zone=ZONE)
    assert NOW - AGE_MAX <= read.written_at <= read.arrived_at <= NOW
    laws.is_text(read.text)
    for passage in read.passages:
        assert read.text[passage.start : passage.start + len(passage.text)] == passage.text
        assert passage.written_at.tzinfo is not None
    if read.suspicion is not None:
        laws.is_named(read.suspicion.reason.value)
    _facts(read.passages)


def facts(data: bytes) -> None:
    """Read the facts of a text that somebody wrote now."""
    text = data.decode("utf-8", "replace").replace("\0", "")[:TEXT_MAX]
    _facts([Passage(origin=Origin.NEW, text=text, written_at=NOW.astimezone(ZONE), start=7)])


def _facts(passages: Sequence[Passage]) -> None:
    found = read_facts(passages, zone=ZONE, gazetteer=FLEET)
    assert found == read_facts(passages, zone=ZONE, gazetteer=FLEET)
    for fact in found:
        _fact(fact, passages)
    claims_of(found, received_at=NOW, hash_of=lambda digits: account_hash(digits, KEY))
    accounts = {
        str(fact.value["digits"])
        for fact in found
        if fact.kind == "account" and isinstance(fact.value, dict)
    }
    for stored in stored_facts(found, KEY):
        laws.is_storable(asdict(stored))
        laws.is_masked({"account": None} | asdict(stored))
        if stored.kind not in {"receipt", "operation", "terminal", "fiscal", "amount"}:
            assert not any(len(each) > 6 and each in str(stored.value) for each in accounts)


def _fact(fact: Fact, passages: Sequence[Passage]) -> None:
    begin, end = fact.span
    assert any(each.start <= begin <= end <= each.start + len(each.text) for each in passages), (
        fact.kind
    )
    assert 0 <= fact.confidence <= 1
    laws.is_text(fact.text)
    if isinstance(fact.value, dict) and fact.kind == "paid_at":
        for each in (fact.value, *fact.value.get("alternatives", ())):
            low, best, high = (datetime.fromisoformat(each[k]) for k in ("from", "best", "to"))
            assert low <= best <= high
    if isinstance(fact.value, dict) and fact.kind == "amount":
        assert fact.value["minor"] >= 0
