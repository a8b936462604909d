"""When a mail was written, and by when at the latest: its own date, and the servers' lines."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from desk.mail.letter import OwnAddresses
from desk.mail.reading import ReadMail, read_mail

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATE = "Date: Thu, 19 Nov 2026 16:30:00 +0500"
WRITTEN = datetime(2026, 11, 19, 11, 30, tzinfo=UTC)


def read(*headers: str) -> ReadMail:
    """Read a mail with these headers."""
    raw = "\r\n".join(["From: a@b.example", *headers, "", "Терминал не дал чек"]).encode()
    return read_mail(raw, received_at=NOW, own=OwnAddresses())


def test_a_mail_read_days_later_was_written_when_it_says() -> None:
    """An old mailbox that is read today holds old mails."""
    mail = read(DATE)
    assert mail.written_at == mail.arrived_at == WRITTEN


def test_servers_know_better_than_a_slow_clock() -> None:
    """A sender's clock may be hours behind; the last server's is not."""
    mail = read(
        "Received: from a by mx.b.example with ESMTPS id 7 (TLS); Thu, 19 Nov 2026 18:00:02 +0300",
        "Received: from [10.0.0.2] by a; Thu, 19 Nov 2026 07:59:58 -0700 (PDT)",
        DATE,
    )
    assert mail.written_at == WRITTEN
    assert mail.arrived_at == datetime(2026, 11, 19, 15, 0, 2, tzinfo=UTC)


def test_without_a_date_the_servers_say_when() -> None:
    """Else an old mail would be of today."""
    mail = read("Received: by mx.b.example; Thu, 19 Nov 2026 18:00:02 +0300")
    assert mail.written_at == mail.arrived_at == datetime(2026, 11, 19, 15, 0, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    ["Received: by mx; Fri, 19 Nov 2027 18:00:02 +0300", "Received: by mx; Mon, 5 Jan 1970 0:00:00",
     "Received: by mx", "Received: by mx; yesterday", "Received: ;;;"],
)  # fmt: skip
def test_what_a_server_cannot_have_said_says_nothing(line: str) -> None:
    """After now, years ago, or no date at all."""
    mail = read(line, DATE)
    assert mail.arrived_at == WRITTEN


def test_without_any_date_it_is_of_now() -> None:
    """Nothing else is known."""
    mail = read()
    assert mail.written_at == mail.arrived_at == NOW


@pytest.mark.parametrize("ahead", [timedelta(seconds=3), timedelta(hours=2), timedelta(days=900)])
def test_a_clock_that_is_ahead_still_tells_its_zone(ahead: timedelta) -> None:
    """«Вчера в 17:11» is by the writer's clock, three seconds ahead of ours or not."""
    there = timezone(timedelta(hours=5))
    mail = read(f"Date: {format_datetime((NOW + ahead).astimezone(there))}")
    assert mail.written_at == mail.arrived_at == NOW
    assert mail.written_at.utcoffset() == timedelta(hours=5)
