"""What lies in the tables of a report's facts: never an account."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail.letter import OwnAddresses
from desk.reports.content import Received, by_clock, joined, read_content
from desk.reports.masking import customer_keys, mask_address, stored_facts
from incidents.matching.passage import Fact, Origin
from wire.accounts import account_hash

KEY = b"a key of the tests"
MOSCOW = ZoneInfo("Europe/Moscow")


def fact(kind: str, value: Any, text: str = "", origin: Origin = Origin.NEW) -> Fact:
    """Return a fact somewhere in a text."""
    return Fact(
        kind=kind, value=value, text=text, span=(0, len(text)), confidence=0.9, origin=origin
    )


ACCOUNT = fact(
    "account", {"digits": "9161234567", "form": "phone", "role": "paid"}, "8 916 123-45-67"
)


def test_an_account_is_its_mask_and_hash() -> None:
    """What the collector stores of the same account; the role stays."""
    (stored,) = stored_facts([ACCOUNT], KEY)
    assert stored.value == {
        "masked": "+7 916 ***-**-67", "hash": account_hash("9161234567", KEY),
        "form": "phone", "role": "paid",
    }  # fmt: skip
    assert stored.text == "+7 916 ***-**-67"


@pytest.mark.parametrize(
    ("kind", "value", "text", "told"),
    [
        ("symptom", "wrong_number", "Вместо 9161234567 надо", "Вместо +7 916 ***-**-67 надо"),
        ("symptom", "x", "на 8(903)222-11-00 не", "на +7 903 ***-**-00 не"),
        ("request", "x", "счёт 4081 7810 0999", "счёт 40***99"),
        ("operation", "89161234567", "89161234567", "+7 916 ***-**-67"),
        ("receipt", "0000123456", "0000123456", "0000123456"),
        ("terminal", "9161234567", "9161234567", "+7 916 ***-**-67"),
        ("terminal", "9030000001", "9030000001", "9030000001"),
        ("fiscal", {"fn": "9280440300000001"}, "fn=9280440300000001", "fn=9280440300000001"),
        ("place", {"words": "ленин", "terminals": {"1": 0.5}}, "на Ленина 5", "на Ленина 5"),
    ],
)
def test_other_facts_hide_what_looks_like_an_account(
    kind: str, value: object, text: str, told: str
) -> None:
    """Numbers of receipts and terminals stay; a phone, or the account itself, does not."""
    stored = stored_facts([ACCOUNT, fact(kind, value, text)], KEY)[1]
    assert stored.text == told
    assert "9161234567" not in json.dumps(stored.value)


@given(st.text(st.sampled_from("0123456789 -()+.абв"), max_size=60), st.integers(9 * 10**9, 10**10))
def test_no_text_shows_the_account(around: str, number: int) -> None:
    """Whatever stands around it."""
    digits = str(number)[:10]
    account = fact("account", {"digits": digits, "form": "phone", "role": "paid"}, digits)
    other = fact("symptom", "x", f"{around} {digits} {around}")
    for stored in stored_facts([account, other], KEY):
        assert digits not in stored.text
        assert digits not in json.dumps(stored.value)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("anna@example.com", "a***@example.com"),
        ("Анна <anna@example.com>", "a***@example.com"),
        ("9161234567", "+7 916 ***-**-67"),
        ("@", "***@"),
        ("", "***"),
    ],
)
def test_an_address_is_known_by_its_first_letter(address: str, told: str) -> None:
    """Enough for staff to tell two customers apart."""
    assert mask_address(address) == told


def test_a_customer_is_where_the_report_came_from() -> None:
    """A mail's sender, whatever the case; a call's contacts; nobody where nothing is left."""
    contact = fact("contact", "9032221100")
    anna = customer_keys("Anna@Example.com", [contact], KEY)
    assert anna == customer_keys("anna@example.com", [], KEY)
    assert anna.isdisjoint(customer_keys(None, [contact], KEY))
    assert anna.isdisjoint(customer_keys("anna@example.com", [], b"another key"))
    assert customer_keys(None, [ACCOUNT], KEY) == frozenset()


def written(**fields: object) -> bytes:
    """Return a typed report as it is sealed."""
    least = {"channel": "form", "text": "нет чека", "reported_at": "2026-11-23T09:00:00Z"}
    return json.dumps(least | fields).encode()


def read(raw: bytes) -> list[Fact]:
    """Return the facts of its fields."""
    received = Received(channel="form", at=datetime(2026, 11, 23, 9, tzinfo=UTC), reported_at=None)
    content = read_content(raw, received, own=OwnAddresses(), zone=MOSCOW)
    assert content.text == "нет чека"
    return list(content.fields)


def test_fields_are_facts() -> None:
    """Blank ones are none; a contract's number is no phone."""
    assert read(written()) == []
    assert read(written(account=" - ", email=" ", terminal=" ", amount=0)) == []
    found = {each.kind: each.value for each in read(written(
        account="00-123/45", email=" a@b.ru ", terminal=" 7 ", amount=5,
        paid_at="2026-11-23T08:00:00Z",
    ))}  # fmt: skip
    assert found["account"] == {"digits": "0012345", "form": "contract", "role": "paid"}
    assert (found["contact"], found["terminal"]) == ("a@b.ru", "7")
    assert found["amount"] == {"minor": 5, "role": "inserted"}
    assert found["paid_at"]["best"] == "2026-11-23T08:00:00.000Z"  # type: ignore[index]  # a dict


def test_what_a_field_says_is_said_once() -> None:
    """The text's own word for it goes; another role or number stays."""
    fields = read(written(account="9161234567", amount=50000, terminal="104 233"))
    text = [
        ACCOUNT, fact("amount", {"minor": 50000, "role": "inserted", "currency": "RUB"}),
        fact("amount", {"minor": 50000, "role": "credited"}), fact("terminal", "104233"),
        fact("symptom", "no_receipt"),
    ]  # fmt: skip
    whole = joined(fields, text, frozenset({"104233"}))
    assert [each.kind for each in whole] == ["account", "terminal", "amount", "amount", "symptom"]
    assert whole[1].value == "104233"


def test_a_wall_time_moves_with_its_other_readings() -> None:
    """14:10 there is 14:10 here; facts without a time stay."""
    there = ZoneInfo("Asia/Yekaterinburg")
    at = dict.fromkeys(("from", "to", "best"), "2026-11-23T09:10:00.000Z")
    moved = by_clock(fact("paid_at", at | {"alternatives": [at]}), there, MOSCOW)
    here = dict.fromkeys(("from", "to", "best"), "2026-11-23T11:10:00.000Z")
    assert moved.value == here | {"alternatives": [here]}
    assert by_clock(ACCOUNT, there, MOSCOW) is ACCOUNT
