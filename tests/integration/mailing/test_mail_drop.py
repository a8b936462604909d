"""The drop folder: complete files become reports, what is no mail is put aside, nothing is lost."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.database import pool
from desk.mailing.drop import SETTLE_S, DropFolder, Found, Refusal
from desk.mailing.inbox import drop_round
from desk.mailing.settings import MailSettings
from desk.mailing.state import Mailing
from desk.settings import DeskSettings
from desk.state import Clocks
from tests.integration.desk_world import KEY, Clock

pytestmark = [pytest.mark.anyio, pytest.mark.service]

MAIL = b"From: a@b.ru\r\nMessage-ID: <1@b.ru>\r\n\r\n\xcd\xe5\xf2 \xf7\xe5\xea\xe0\r\n"
LIMIT = 10_000


class Dropping:
    """A drop folder under test, a look at a time."""

    def __init__(self, mailing: Mailing, clock: Clock, folder: Path) -> None:
        self.mailing, self.clock, self.folder = mailing, clock, folder
        self.drop = DropFolder(folder, bytes_max=LIMIT)

    async def look(self) -> int:
        """Look as the program does each second; return how many mails were new."""
        self.clock.move(SETTLE_S)
        return await drop_round(self.mailing, self.drop)

    async def looks(self) -> int:
        """Look often enough that whatever is complete has been taken."""
        return await self.look() + await self.look()

    async def kept(self) -> list[bytes | None]:
        """Return the contents of all reports."""
        rows = await self.mailing.database.fetch("select content from report order by id")
        return [self.mailing.seal.open(row["content"]) for row in rows]

    def there(self) -> list[str]:
        """Return what is in the folder and below."""
        return sorted(
            each.relative_to(self.folder).as_posix()
            for each in self.folder.rglob("*")
            if not each.is_dir() or each.is_symlink()
        )


@pytest.fixture
async def dropping(database: str, tmp_path: Path) -> AsyncIterator[Dropping]:
    """Return an empty drop folder."""
    folder = tmp_path / "drop"
    folder.mkdir()
    clock = Clock()
    desk = DeskSettings(dsn=database, report_key=KEY, account_key=KEY, report_bytes_max=LIMIT)
    async with pool(database, connections_max=2) as open_pool:
        clocks = Clocks(now=lambda: clock.now, monotonic_s=lambda: clock.passed_s)
        mailing = Mailing(MailSettings(drop=folder), desk, open_pool, clocks)
        yield Dropping(mailing, clock, folder)


async def test_a_file_becomes_a_report_and_is_gone(dropping: Dropping) -> None:
    """After a second in which it did not change; its bytes as they are; no clear copy stays."""
    (dropping.folder / "1.eml").write_bytes(MAIL)
    (dropping.folder / "2.EML").write_bytes(MAIL + b"2")
    assert await dropping.look() == 0
    assert await dropping.look() == 2
    assert await dropping.kept() == [MAIL, MAIL + b"2"]
    assert dropping.there() == []
    source = await dropping.mailing.database.fetchval("select distinct source from mail_in")
    assert source == "drop"


async def test_a_file_that_still_grows_waits(dropping: Dropping) -> None:
    """Until it has been left alone for a second."""
    with (dropping.folder / "1.eml").open("wb", buffering=0) as file:
        for byte in MAIL[:10]:
            file.write(bytes((byte,)))
            assert await dropping.look() == 0
        file.write(MAIL[10:])
    assert await dropping.looks() == 1
    assert await dropping.kept() == [MAIL]


async def test_the_same_content_again_is_one_report(dropping: Dropping) -> None:
    """As after a crash between commit and removal; under any name."""
    for name in ("1.eml", "1.eml", "another.eml"):
        (dropping.folder / name).write_bytes(MAIL)
        await dropping.looks()
        assert dropping.there() == []
    assert await dropping.kept() == [MAIL]


async def test_what_cannot_be_taken_is_put_aside_with_its_reason(
    dropping: Dropping, caplog: pytest.LogCaptureFixture
) -> None:
    """Too large, empty, a link, a folder, a pipe: none is followed, opened or waited for."""
    folder = dropping.folder
    secret = folder.parent / "secret.eml"
    secret.write_bytes(MAIL)
    (folder / "large.eml").write_bytes(b"x" * (LIMIT + 1))
    (folder / "empty.eml").write_bytes(b"\n\n")
    (folder / "link.eml").symlink_to(secret)
    (folder / "broken.eml").symlink_to("nowhere")
    (folder / "folder.eml").mkdir()
    os.mkfifo(folder / "pipe.eml")
    (folder / "good.eml").write_bytes(MAIL)
    assert await dropping.looks() == 1
    names = ["broken", "empty", "folder", "large", "link", "pipe"]
    files = {each.name for each in (folder / "refused").iterdir()}
    assert files == {f"{n}.eml" for n in names} | {f"{n}.eml.reason.txt" for n in names}
    assert "report_bytes_max is 10000" in (folder / "refused/large.eml.reason.txt").read_text()
    assert secret.read_bytes() == MAIL
    assert caplog.text.count("is put aside") == len(names)
    assert "large.eml" not in caplog.text, "a name may hold a customer's"
    assert await dropping.looks() == 0


async def test_odd_names_are_names(dropping: Dropping) -> None:
    """Bytes that are no text, blanks, line ends, as long as a name may be; taken or put aside."""
    folder = os.fsencode(dropping.folder)
    names = [b"\xff\xfe.eml", b" .eml", b"a\nb.eml", "Иванова.eml".encode(), b"n" * 251 + b".eml",
             "ж".encode() * 125 + b".eml", b"--help.eml", b"%s%n.eml"]  # fmt: skip
    for content in (MAIL, b""):
        for n, name in enumerate(names):
            with open(folder + b"/" + name, "wb") as file:  # noqa: ASYNC230, PTH123 - a name in bytes
                file.write(content and content + bytes((n,)))
        assert await dropping.looks() == (len(names) if content else 0)
    assert len(await dropping.kept()) == len(names)
    assert all(each.startswith("refused/") for each in dropping.there())
    assert len(dropping.there()) == 2 * len(names)


async def test_names_in_refused_never_collide(dropping: Dropping) -> None:
    """Each refused file is kept, however many have its name."""
    for n in range(3):
        (dropping.folder / "a.eml").write_bytes(b" " * n)
        await dropping.looks()
    refused = dropping.folder / "refused"
    names = ["a.2.eml", "a.3.eml", "a.eml"]
    assert sorted(each.name for each in refused.glob("*.eml")) == names
    assert [(refused / name).stat().st_size for name in names] == [1, 2, 0]


async def test_other_files_are_left_alone(dropping: Dropping) -> None:
    """What is still written has another name, or a dot in front."""
    for name in (".1.eml", "1.eml.tmp", "note.txt", "eml"):
        (dropping.folder / name).write_bytes(MAIL)
    assert await dropping.looks() == 0
    assert len(dropping.there()) == 4


async def test_a_file_put_in_place_of_a_taken_one_is_not_removed(dropping: Dropping) -> None:
    """A writer may use one name again and again, also between our reading and our removing."""
    path = dropping.folder / "1.eml"
    path.write_bytes(MAIL)
    found = dropping.drop.read("1.eml")
    assert isinstance(found, Found)
    (dropping.folder / "1.tmp").write_bytes(MAIL + b"2")
    (dropping.folder / "1.tmp").rename(path)
    dropping.drop.remove("1.eml", found)
    assert path.read_bytes() == MAIL + b"2"
    assert await dropping.looks() == 1


async def test_a_database_that_is_away_loses_no_file(dropping: Dropping) -> None:
    """The file stays until its mail is committed."""
    (dropping.folder / "1.eml").write_bytes(MAIL)
    database = dropping.mailing.database
    await database.execute("alter table mail_in rename to mail_in_away")
    with pytest.raises(Exception, match="mail_in"):
        await dropping.looks()
    assert dropping.there() == ["1.eml"]
    await database.execute("alter table mail_in_away rename to mail_in")
    assert await dropping.looks() == 1
    assert await dropping.kept() == [MAIL]


async def test_many_files_are_taken_round_by_round(dropping: Dropping) -> None:
    """A thousand at once, none twice, none left."""
    for n in range(1_000):
        (dropping.folder / f"{n}.eml").write_bytes(MAIL + str(n).encode())
    began = time.monotonic()
    new = [await dropping.look() for _ in range(4)]
    assert sum(new) == 1_000
    assert max(new) == 500
    assert dropping.there() == []
    assert time.monotonic() - began < 60


def test_a_file_that_is_gone_or_forbidden_is_told_apart(tmp_path: Path) -> None:
    """Gone: nothing to do. Not ours to read: put aside, for a person to see."""
    drop = DropFolder(tmp_path, bytes_max=LIMIT)
    assert drop.read("none.eml") is None
    drop.refuse("none.eml", Refusal("gone"))
    assert list((tmp_path / "refused").iterdir()) == []
    locked = tmp_path / "locked.eml"
    locked.write_bytes(MAIL)
    locked.chmod(0)
    found = drop.read("locked.eml")
    if os.geteuid() == 0:
        assert isinstance(found, Found), "root reads everything"
    else:
        assert isinstance(found, Refusal)


async def test_a_file_that_is_stuck_holds_up_no_other(
    dropping: Dropping, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be put aside, or not be removed: it is tried again in a minute, and said."""
    folder = dropping.folder
    (folder / "refused").write_bytes(b"in the way")
    (folder / "a-89161234567.eml").write_bytes(b"")
    (folder / "b.eml").write_bytes(MAIL)
    assert await dropping.looks() == 1
    assert await dropping.looks() == 0
    assert caplog.text.count("is stuck: File exists") == 1
    assert "89161234567" not in caplog.text
    (folder / "refused").unlink()
    dropping.clock.move(60)
    assert await dropping.looks() == 0
    assert dropping.there() == [
        "refused/a-89161234567.eml", "refused/a-89161234567.eml.reason.txt",
    ]  # fmt: skip
