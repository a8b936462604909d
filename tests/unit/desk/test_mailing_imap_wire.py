"""What IMAP servers answer to FETCH, in every form that they write it; what errors say."""

import socket

import pytest

from desk.mailing.imap_wire import Fetched, bodies_of, joined, quoted, said, sizes_of
from desk.mailing.settings import MailSettings

SETTINGS = MailSettings(imap_host="h", imap_user="u", imap_password="s3cret")  # noqa: S106 - of the test


@pytest.mark.parametrize(
    "lines",
    [
        [(b"1 (UID 7 BODY[]<0> {5}", b"a\r\nb\n"), b")"],
        [(b"1 (BODY[]<0> {5}", b"a\r\nb\n"), b" UID 7)"],
        [(b"1 (UID 7 FLAGS () BODY[] {5}", b"a\r\nb\n"), b" RFC822.SIZE 5)"],
        [b"9 (FLAGS (\\Seen))", (b"1 (UID 7 BODY[]<0> {5}", b"a\r\nb\n"), b")", b"2 (UID 8)"],
    ],
    ids=["uid first", "uid last", "more", "what nobody asked for"],
)
def test_a_body_is_found_by_its_uid(lines: list[Fetched]) -> None:
    """Wherever the server writes the uid; other answers in between are no mails."""
    assert bodies_of(lines) == {7: b"a\r\nb\n"}


def test_empty_and_short_bodies_need_no_literal() -> None:
    """NIL and quoted strings (RFC 3501, 4.3)."""
    lines: list[Fetched] = [
        b"1 (UID 1 BODY[]<0> NIL)",
        b'2 (UID 2 BODY[]<0> "")',
        b'3 (UID 3 BODY[] "say \\"hi\\" \\\\")',
    ]
    assert bodies_of(lines) == {1: b"", 2: b"", 3: b'say "hi" \\'}


def test_two_bodies_keep_apart() -> None:
    """Each with its own uid, though it stands behind."""
    lines: list[Fetched] = [
        (b"1 (BODY[]<0> {1}", b"a"), b" UID 7)", (b"2 (BODY[]<0> {1}", b"b"), b" UID 8)",
    ]  # fmt: skip
    assert bodies_of(lines) == {7: b"a", 8: b"b"}


def test_sizes_are_found_in_any_order() -> None:
    """Mails that are gone are not named."""
    lines: list[Fetched] = [b"1 (UID 7 RFC822.SIZE 500)", b"2 (RFC822.SIZE 9 UID 8)", b"3 (UID 9)"]
    assert sizes_of(lines) == {7: 500, 8: 9}


def test_folders_are_written_as_the_protocol_wants() -> None:
    """Modified UTF-7, in quotes; nothing ends the command."""
    assert quoted("INBOX") == '"INBOX"'
    assert quoted("Разобрано") == '"&BCAEMAQ3BD4EMQRABDAEPQQ+-"'
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'
    assert joined([3, 5, 8]) == "3,5,8"


def test_no_password_is_told() -> None:
    """Some servers repeat the command that they refuse."""
    assert said([b"BAD LOGIN u s3cret"], SETTINGS) == "BAD LOGIN u ***"
    assert said(OSError("s3cret\r\n next"), SETTINGS) == "*** next"
    assert said(ConnectionRefusedError(), SETTINGS) == "nothing listens there"
    assert "no host of that name" in said(socket.gaierror(-2, "unknown"), SETTINGS)
    assert len(said("x" * 5_000, SETTINGS)) <= 300
