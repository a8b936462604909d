"""Whom a report's mail goes to is found in no time, whatever else it holds."""

import time
from datetime import UTC, datetime

import pytest

from desk.mail.letter import OwnAddresses
from desk.mailing.addressee import Addressee
from desk.mailing.correspondent import correspondent
from desk.reports.content import Received

HEAD = "From: Anna <anna@customer.example>\r\nMessage-ID: <a@customer.example>\r\n"
PARTS = (
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; '
    "charset=utf-8\r\n\r\nHello, the machine took my money and there is no receipt\r\n--b\r\n"
    "Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
)


@pytest.mark.parametrize(
    ("begins", "goes_on", "language"), [(PARTS, "AAAA\r\n", "en"), ("\r\n", "\r\n-----", None)]
)
def test_a_large_mail_costs_no_more_than_its_beginning(
    begins: str, goes_on: str, language: str | None
) -> None:
    """A report and its case are locked while it is read."""
    raw = (HEAD + begins + goes_on * (20_000_000 // len(goes_on))).encode()
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    received = Received(channel="mail", at=now, reported_at=None)
    began = time.process_time()
    found = correspondent(raw, received, OwnAddresses(), automatic=True)
    assert time.process_time() - began < 3
    assert found.to == Addressee("anna@customer.example")
    assert (found.language, found.message_id) == (language, "a@customer.example")
