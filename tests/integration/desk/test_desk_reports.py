import pytest

from desk.sealing import Seal
from tests.integration.desk_world import KEY, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]

WRITTEN = {
    "channel": "phone",
    "text": "Терминал у метро не выдал чек, телефон 8 916 123-45-67",
    "reported_at": "2026-11-23T12:00:00+03:00",
    "email": "anna@example.com",
    "account": "9161234567",
    "terminal": "104233",
    "amount": 50000,
    "paid_at": "2026-11-23T08:50:00Z",
}
MAIL = (
    "From: Анна <anna@example.com>\r\nTo: konsultant@example.com\r\nSubject: чек\r\n"
    "Date: Mon, 23 Nov 2026 12:00:00 +0300\r\n\r\nНе выдал чек, 8 916 123-45-67\r\n"
).encode()


async def test_a_written_report_is_taken_and_shown(empty_world: World) -> None:
    """201 with the row of GET /reports/{id}: what it says, each with its place; no account."""
    answer = await empty_world.client.post("/api/v1/reports", json=WRITTEN)
    assert answer.status_code == 201
    row = answer.json()
    facts = row.pop("facts")
    assert row == {
        "id": "1", "channel": "phone", "received_at": "2026-11-23T09:30:00.000Z",
        "reported_at": "2026-11-23T09:00:00.000Z", "candidates": [], "none_probability": 1.0,
        "terminals": [], "attached": None, "status": "needs_facts", "set_aside": None,
        "why": "nothing_fits", "ask": row["ask"], "model": row["model"],
        "case": "K-2026-000001", "hint_case": None, "released_by": None, "none_by": None,
    }  # fmt: skip
    assert [(each["kind"], each["value"]) for each in facts[:4]] == [
        ("account", "+7 916 ***-**-67"), ("contact", "a***@example.com"), ("terminal", "104233"),
        ("amount", 50000),
    ]  # fmt: skip
    symptom = next(each for each in facts if each["kind"] == "symptom")
    assert (symptom["value"], symptom["text"]) == ("no_receipt", "не выдал чек")
    start, end = symptom["span"]
    assert WRITTEN["text"][start:end] == symptom["text"]  # type: ignore[index]  # it is a text
    row["facts"] = facts
    assert await empty_world.get("/reports/1") == row


async def test_a_mail_is_taken_whole(empty_world: World) -> None:
    """message/rfc822: the raw bytes are kept, its date is when it was reported."""
    headers = {"Content-Type": "message/rfc822"}
    answer = await empty_world.client.post("/api/v1/reports", content=MAIL, headers=headers)
    assert (answer.status_code, answer.json()["channel"]) == (201, "mail")
    assert answer.json()["reported_at"] == "2026-11-23T09:00:00.000Z"
    sealed = await empty_world.connection.fetchval("select content from report")
    assert Seal(KEY).open(sealed) == MAIL


async def test_what_a_customer_wrote_lies_encrypted(empty_world: World) -> None:
    """No word of it stands in the table."""
    await empty_world.client.post("/api/v1/reports", json=WRITTEN)
    sealed = await empty_world.connection.fetchval("select content from report")
    for word in ("916", "чек", "anna", "104233"):
        assert word.encode() not in sealed
    opened = Seal(KEY).open(sealed)
    assert opened is not None
    assert WRITTEN["text"].encode() in opened  # type: ignore[attr-defined]  # it is a text
    assert Seal(b"another key of 16 bytes").open(sealed) is None


async def test_mails_without_a_readable_date_are_taken_too(empty_world: World) -> None:
    """Mail from outside is what it is: only an empty one is refused."""
    headers = {"Content-Type": "message/rfc822; charset=x"}
    for raw in (b"x", b"Date: never\r\n\r\n", b"\xff\xfe\x00", b"Date: Mon, 23 Nov 2026 12:00\n\n"):
        answer = await empty_world.client.post("/api/v1/reports", content=raw, headers=headers)
        assert (answer.status_code, answer.json()["reported_at"]) == (201, None), raw
    answer = await empty_world.client.post("/api/v1/reports", content=b" \n", headers=headers)
    assert answer.status_code == 422


async def test_a_wrong_report_is_422_and_is_not_quoted(empty_world: World) -> None:
    """The problem names the field, never the customer's words."""
    for change in (
        {"channel": "mail"}, {"channel": None}, {"text": None}, {"text": 7}, {"reported_at": "x"},
        {"reported_at": None}, {"amount": -1}, {"amount": "500"}, {"amount": 1.5}, {"paid_at": "x"},
    ):  # fmt: skip
        answer = await empty_world.client.post("/api/v1/reports", json=WRITTEN | change)
        assert answer.status_code == 422, change
        assert answer.headers["content-type"] == "application/problem+json"
        assert next(iter(change)) in answer.text
        assert "916" not in answer.text
    assert await empty_world.connection.fetchval("select count(*) from report") == 0


async def test_only_what_has_to_be_said_has_to_be_said(empty_world: World) -> None:
    """channel, text and reported_at are enough; null is the same as missing."""
    least = {name: WRITTEN[name] for name in ("channel", "text", "reported_at")}
    for body in (least, least | {"email": None, "amount": None, "paid_at": None}):
        answer = await empty_world.client.post("/api/v1/reports", json=body)
        assert answer.status_code == 201


async def test_a_large_mail_with_attachments_is_taken(empty_world: World) -> None:
    """A report may be larger than any other body, up to what mail servers carry."""
    headers = {"Content-Type": "message/rfc822"}
    raw = MAIL + b"x" * 5_000_000
    answer = await empty_world.client.post("/api/v1/reports", content=raw, headers=headers)
    assert answer.status_code == 201
    too_much = b"x" * (25 * 1024 * 1024 + 1)
    answer = await empty_world.client.post("/api/v1/reports", content=too_much, headers=headers)
    assert answer.status_code == 413


async def test_a_case_lists_its_reports(world: World) -> None:
    """`reports` are ids, as texts."""
    await world.client.post("/api/v1/reports", json=WRITTEN)
    await world.connection.execute("update report set case_number = 'K-2026-000123'")
    assert (await world.get("/cases/K-2026-000123"))["reports"] == ["1"]
