"""`kvitok mail check`: says of each way what was tried, and of each mistake what to do."""

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desk.mailing.settings import MailSettings
from kvitok.cli import status_of
from kvitok.doctor import Finding, Grade
from kvitok.mail_check import advice, look
from tests.integration.mailboxes import PASSWORD, USER, Dovecot
from tests.integration.postgres import free_port
from tests.integration.smtp_server import ScriptedServer, serving

pytestmark = pytest.mark.service

SECRET = "p4ssw0rd-of-smtp"  # noqa: S105 - of a server that lives for a test


def only(mail: MailSettings, way: str) -> Finding:
    """Return what was found of one way."""
    (found,) = [each for each in look(mail) if each.what.startswith(way)]
    assert PASSWORD not in found.text
    assert SECRET not in found.text
    return found


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mailbox_that_works_is_told_step_by_step(dovecot: Dovecot, security: str) -> None:
    """Host, encryption and its end, login, mails, IDLE; nothing is marked."""
    dovecot.deliver(b"From: a@b.ru\r\n\r\nx\r\n", b"From: a@b.ru\r\n\r\ny\r\n")
    port = dovecot.tls_port if security == "tls" else dovecot.port
    found = only(dovecot.settings(imap_security=security, imap_port=port), "incoming")
    assert found.grade is Grade.OK, found
    encrypted = "not encrypted" if security == "none" else "TLS good until "
    words = ("127.0.0.1 is 127.0.0.1", f"port {port}", encrypted, f"logged in as {USER}",
             "INBOX has 2 mails", "IDLE")  # fmt: skip
    assert all(each in found.text for each in words), found
    assert dovecot.flags() == {1: set(), 2: set()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"imap_password": "wrong-Passw0rd"}, "imap_user and imap_password right"),
        ({"imap_folder": "Nowhere"}, "imap_folder to one of: INBOX"),
        ({"imap_security": "tls"}, '[mail] imap_security = "starttls"'),
        ({"imap_host": "no.such.host.invalid"}, "is [mail] imap_host right"),
        ({"imap_port": free_port()}, "is [mail] imap_port right"),
        ({"imap_security": "starttls", "ca_file": None}, "name its authority in [mail] ca_file"),
        ({"imap_security": "starttls", "imap_host": "localhost"}, "stands in the server's cert"),
        ({"imap_security": "starttls", "ca_file": Path("nowhere.pem")}, "ca_file nowhere.pem: No"),
    ],
    ids=["password", "folder", "plain", "host", "port", "authority", "name", "ca_file"],
)
def test_what_is_wrong_with_a_mailbox_is_told(
    dovecot: Dovecot, change: dict[str, Any], words: str
) -> None:
    """Each mistake by its own words, with what to do."""
    found = only(dovecot.settings(**change), "incoming")
    assert found.grade is Grade.FAIL
    assert words in found.text, found
    assert "wrong-Passw0rd" not in found.text


def test_a_port_of_tls_asked_plainly_is_told(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides wait for the other to speak: that is told as what it is."""
    monkeypatch.setattr("desk.mailing.imap_wire.IO_S", 1.0)
    found = only(dovecot.settings(imap_port=dovecot.tls_port), "incoming")
    assert found.grade is Grade.FAIL
    assert 'imap_security is not "tls"' in found.text


@pytest.fixture
def server(dovecot: Dovecot) -> Iterator[Callable[..., MailSettings]]:
    """Return what makes the settings for a mail server that wants STARTTLS and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*dovecot.authority.issue("smtp"))
    script = ScriptedServer(password=SECRET)

    def settings(**more: Any) -> MailSettings:
        script.rcpt = more.pop("rcpt", [])
        wanted: dict[str, Any] = {
            "sender": "support@pay.example", "smtp_host": "127.0.0.1", "smtp_port": script.port,
            "smtp_user": "support", "smtp_password": SECRET, "ca_file": dovecot.authority.file,
        }  # fmt: skip
        return MailSettings(**(wanted | more))

    with serving(script, context):
        yield settings
    assert script.taken == [], "nothing is sent"


def test_a_mail_server_that_works_is_told(server: Callable[..., MailSettings]) -> None:
    """It is asked whether it would take a mail, and gets none."""
    found = only(server(), "outgoing")
    assert found.grade is Grade.OK, found
    words = ("TLS good until", "logged in as support", "would take mail from support@pay.example")
    assert all(each in found.text for each in words), found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"smtp_password": "wrong-Passw0rd"}, "smtp_user and smtp_password right"),
        ({"smtp_security": "tls"}, '[mail] smtp_security = "starttls"'),
        ({"smtp_security": "none"}, '[mail] smtp_security = "tls" or "starttls"'),
        ({"smtp_port": free_port()}, "is [mail] smtp_port right"),
        ({"ca_file": None}, "name its authority in [mail] ca_file"),
        ({"sender": "support@kvitok.invalid"}, "[mail] sender is not set"),
        ({"rcpt": ["550 5.7.1 not yours"]}, "is [mail] sender an address of that account"),
    ],
    ids=["password", "plain", "not encrypted", "port", "authority", "no sender", "sender refused"],
)
def test_what_is_wrong_with_a_mail_server_is_told(
    server: Callable[..., MailSettings], change: dict[str, Any], words: str
) -> None:
    """Each mistake by its own words, with what to do."""
    found = only(server(**change), "outgoing")
    assert found.grade is Grade.FAIL
    assert words in found.text, found
    assert "wrong-Passw0rd" not in found.text


def test_folders_are_tried_and_left_as_they_are(tmp_path: Path) -> None:
    """There, a folder, writable; what waits and what was put aside is counted."""
    drop, outbox = tmp_path / "drop", tmp_path / "file"
    (drop / "refused").mkdir(parents=True)
    (drop / "a.eml").write_bytes(b"x")
    (drop / "refused" / "b.eml").write_bytes(b"x")
    outbox.write_text("no folder")
    found = list(look(MailSettings(drop=drop, outbox=outbox)))
    assert [each.grade for each in found] == [Grade.OK, Grade.FAIL]
    assert "1 mails in it; 1 put aside" in found[0].text
    assert sorted(each.name for each in drop.iterdir()) == ["a.eml", "refused"]
    (missing,) = [each for each in look(MailSettings(drop=tmp_path / "no")) if "drop" in each.what]
    assert missing.grade is Grade.FAIL
    assert [each.grade for each in look(MailSettings())] == [Grade.WARN, Grade.WARN]


def test_the_command_ends_with_its_status(
    dovecot: Dovecot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 when all that is set works, else 1; the same as JSON."""
    config, outbox = tmp_path / "kvitok.toml", tmp_path / "outbox"
    outbox.mkdir()
    text = (
        f'[mail]\nimap_host = "127.0.0.1"\nimap_port = {dovecot.port}\nimap_security = "none"\n'
        f'imap_user = "{USER}"\nimap_password = "{PASSWORD}"\noutbox = "outbox"\n'
    )
    config.write_text(text)
    assert status_of(["mail", "check", "--config", str(config)]) == 0
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()] == ["OK", "OK"]
    config.write_text(text.replace(PASSWORD, "wrong"))
    assert status_of(["mail", "check", "--json", "--config", str(config)]) == 1
    said = capsys.readouterr()
    assert [each["grade"] for each in json.loads(said.out)] == ["FAIL", "OK"]


def test_every_advice_has_a_case_that_it_is_for() -> None:
    """What servers say, as they say it; what nobody knows gets no advice."""
    for text, words in (
        ("certificate verify failed: certificate has expired", "have it renewed"),
        ("login: [PRIVACYREQUIRED] Plaintext authentication disallowed", "only encrypted"),
        ("login: [AUTHENTICATIONFAILED] Authentication failed.", "imap_password right"),
        ("TLS not supported by server", "offers no STARTTLS"),
        ("no answer within 30 s", "firewall"),
    ):
        assert words in advice("imap", text), text
    assert '_security = "starttls"' in advice("smtp", "Connection lost", "tls")
    assert "of TLS (465" in advice("smtp", "Connection closed", "starttls")
    assert advice("imap", "the moon is full") == ""
