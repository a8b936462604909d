"""A real IMAP server for tests: Dovecot on free loopback ports, one mailbox, its files in /tmp.

Use the fixture `dovecot` (a server of the session, an empty mailbox a test) or `start_dovecot`
where a test ends the server. `deliver` puts bytes into the mailbox as a mail server would.
"""

import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desk.mailing.settings import MailSettings
from tests.integration.authority import Authority
from tests.integration.postgres import free_port, killed_with_parent, require

USER = "konsultant@pay.example"
PASSWORD = "sesam-oeffne-dich"  # noqa: S105 - of a server that lives for a test

_CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {owner}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 0
mail_location = maildir:{folder}/mail
mail_fsync = never
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password} user={user}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
"""


def dovecot_program() -> str | None:
    """Return Dovecot's path, which lies outside a user's PATH."""
    return shutil.which("dovecot") or shutil.which("/usr/sbin/dovecot")


class Dovecot:
    """A mail server of a test; `stop()` and `start()` keep its ports and its mail."""

    def __init__(self, program: str) -> None:
        self.host = "127.0.0.1"
        self.port, self.tls_port = free_port(), free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="kvitok-dovecot-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.authority = Authority(self.folder, "authority")
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        root = os.geteuid() == 0
        # Dovecot gives no mail to root; where it cannot change users, all of it runs as ours.
        self._mail = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        ours = self._mail.pw_name
        certificate, key = self.authority.issue("imap")
        for name in ("mail", "home", "run"):
            (self.folder / name).mkdir()
        for name in ("mail", "home"):
            os.chown(self.folder / name, self._mail.pw_uid, self._mail.pw_gid)
        self._config = self.folder / "dovecot.conf"
        self._config.write_text(
            _CONFIG.format(
                folder=self.folder, certificate=certificate, key=key, password=PASSWORD, user=USER,
                owner="dovecot" if root else ours, login="dovenull" if root else ours,
                group="dovecot" if root else grp.getgrgid(self._mail.pw_gid).gr_name,
                uid=self._mail.pw_uid, gid=self._mail.pw_gid, port=self.port,
                tls_port=self.tls_port,
            )
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start the server and wait until it greets."""
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [self._program, "-F", "-c", str(self._config)],
                stdout=output,
                stderr=output,
                preexec_fn=killed_with_parent,  # noqa: PLW1509 - one call to prctl
            )
        deadline = time.monotonic() + 15
        while True:
            try:
                with socket.create_connection((self.host, self.port), 1) as probe:
                    if probe.recv(4) == b"* OK":
                        return
            except OSError:
                pass
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server; its connections break."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        """End the server and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """Return what the server has told."""
        files = [self.folder / "output", self.folder / "log"]
        return "\n".join(each.read_text() for each in files if each.exists())

    def settings(self, **more: Any) -> MailSettings:
        """Return the settings with which the mail program reads this mailbox."""
        wanted: dict[str, Any] = {
            "imap_host": self.host, "imap_port": self.port, "imap_security": "none",
            "imap_user": USER, "imap_password": PASSWORD, "ca_file": self.authority.file,
        } | more  # fmt: skip
        return MailSettings(**wanted)

    def client(self) -> imaplib.IMAP4:
        """Return a connection that is logged in and has the mailbox open."""
        client = imaplib.IMAP4(self.host, self.port, 10)
        client.login(USER, PASSWORD)
        client.select()
        return client

    def deliver(self, *mails: bytes, folder: str = "INBOX") -> None:
        """Put mails into the mailbox, their bytes as they are."""
        client = self.client()
        for raw in mails:
            status, said = client.append(folder, "", "", raw)
            assert status == "OK", said
        client.logout()

    def flags(self) -> dict[int, set[str]]:
        """Return each mail's flags by its uid."""
        client = self.client()
        _, lines = client.uid("FETCH", "1:*", "(FLAGS)")
        client.logout()
        found = {}
        for line in filter(None, lines):
            assert isinstance(line, bytes)
            uid = int(line.partition(b"UID ")[2].split()[0].rstrip(b")"))
            found[uid] = {
                each.decode() for each in imaplib.ParseFlags(line) if each.decode() != r"\Recent"
            }
        return found

    def empty(self, uidvalidity: int | None = None) -> None:
        """Forget all mail and folders; count anew, under another UIDVALIDITY or this one."""
        mail = self.folder / "mail"
        shutil.rmtree(mail)
        mail.mkdir()
        if uidvalidity is not None:
            (mail / "dovecot-uidlist").write_text(f"3 V{uidvalidity} N1 G{'1' * 32}\n")
        for each in (mail, *mail.iterdir()):
            os.chown(each, self._mail.pw_uid, self._mail.pw_gid)

    def renumber(self) -> None:
        """Forget the uids, as a server that lost its index: another UIDVALIDITY, the same mail."""
        for each in (self.folder / "mail").glob("dovecot[.-][iu]*"):
            if not each.name.startswith("dovecot-uidvalidity"):
                each.unlink()


def start_dovecot() -> Dovecot:
    """Start a Dovecot of one's own."""
    program = dovecot_program()
    require("dovecot-imapd", missing=program is None)
    return Dovecot(str(program))


@pytest.fixture(scope="session")
def _dovecot() -> Iterator[Dovecot]:
    server = start_dovecot()
    yield server
    server.close()


@pytest.fixture
def dovecot(_dovecot: Dovecot) -> Dovecot:
    """Return the Dovecot of this test session with an empty mailbox."""
    _dovecot.empty()
    return _dovecot
