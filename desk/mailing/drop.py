"""The drop folder: `.eml` files that a mail server, a script or a person puts there.

Laws: a file is complete when it is under its name as a regular file and has not changed for a
second; who writes for longer writes under another name and renames. What is no mail that we can
take is moved to `refused/` with its reason beside it; nothing is followed out of the folder. A file
is removed only after its mail is committed: a crash in between brings it once more, and it is known
by its content. No clean copy stays behind: the words of customers lie sealed in the database.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SETTLE_S: Final = 1.0
STUCK_S: Final = 60.0
"""After which a file that the disk gave trouble with is tried again."""
ROUND_MAX: Final = 500
"""Files of one look; the others come with the next."""
REFUSED: Final = "refused"
REASON: Final = ".reason.txt"
_SUFFIX: Final = ".eml"
_NAME_BYTES_MAX: Final = 200
"""Of a name in `refused/`: room for the reason's, and for a number."""
_LOCKED: Final = frozenset({errno.EACCES, errno.EPERM})
_GONE: Final = frozenset({errno.ENOENT, errno.ELOOP})

_Look = tuple[int, int, int]
"""Inode, size, time of change: what a file that is still written changes."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that cannot be taken, and why: in words that name nothing of it."""

    reason: str


class FileStuck(Exception):  # noqa: N818 - says what is, like every error of ours
    """The disk does not give a file out, or does not let it go; the text names nothing of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was read whole."""

    raw: bytes
    look: _Look


class DropFolder:
    """One drop folder as one program sees it."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self.folder = folder
        self._bytes_max = bytes_max
        self._seen: dict[str, tuple[_Look, float]] = {}
        self._stuck: dict[str, float] = {}
        """Name → since when."""

    def complete(self, now_s: float) -> list[str]:
        """Return the names of what waits and has not changed for `SETTLE_S`, in order."""
        seen: dict[str, tuple[_Look, float]] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.lower().endswith(_SUFFIX):
                    continue
                try:
                    look = _look(entry.stat(follow_symlinks=False))
                except FileNotFoundError:
                    continue
                before = self._seen.get(entry.name)
                since = before[1] if before is not None and before[0] == look else now_s
                seen[entry.name] = (look, since)
        self._seen = seen
        self._stuck = {
            name: since for name, since in self._stuck.items()
            if name in seen and now_s - since < STUCK_S
        }  # fmt: skip
        ready = [name for name, (_, since) in seen.items() if now_s - since >= SETTLE_S]
        return sorted(each for each in ready if each not in self._stuck)[:ROUND_MAX]

    def put_off(self, name: str, now_s: float) -> None:
        """Leave a file alone for `STUCK_S`: it holds up no other."""
        self._stuck[name] = now_s

    def read(self, name: str) -> Found | Refusal | None:
        """Return a file's bytes or why it is refused; None if it changes yet, or is gone.

        Raises:
            FileStuck: the disk fails; the file stays where it is.
        """
        with _telling():
            return self._read(name)

    def _read(self, name: str) -> Found | Refusal | None:
        try:
            if not stat.S_ISREG((self.folder / name).lstat().st_mode):
                return Refusal("this is no regular file; links are not followed")
            # Not followed and not waited for, should it have become something else just now.
            number = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _LOCKED:
                return Refusal("the mail program may not read this file")
            if error.errno in _GONE:
                return None
            raise
        with os.fdopen(number, "rb") as file:
            before = os.fstat(number)
            raw = file.read(self._bytes_max + 1)
            after = os.fstat(number)
        if after.st_size > self._bytes_max:
            return Refusal(f"{after.st_size} bytes; [desk] report_bytes_max is {self._bytes_max}")
        if _look(before) != _look(after) or len(raw) != after.st_size:
            return None
        return Found(raw, _look(after)) if raw.strip() else Refusal("the file is empty")

    def remove(self, name: str, found: Found) -> None:
        """Forget a file whose mail is committed; another one by that name stays.

        Raises:
            FileStuck: the folder cannot be written; the file stays where it is.
        """
        path = self.folder / name
        with _telling(), contextlib.suppress(FileNotFoundError):
            if _look(path.lstat()) == found.look:
                path.unlink()

    def refuse(self, name: str, refusal: Refusal) -> None:
        """Put a file aside with its reason.

        Raises:
            FileStuck: the folder cannot be written; the file stays where it is.
        """
        with _telling():
            self._refuse(name, refusal)

    def _refuse(self, name: str, refusal: Refusal) -> None:
        aside = self.folder / REFUSED
        aside.mkdir(mode=0o700, exist_ok=True)
        target = aside / _free(aside, name)
        # The reason first: a crash in between leaves a reason too many, never a file without one.
        Path(f"{target}{REASON}").write_text(f"{refusal.reason}\n", encoding="utf-8")
        try:
            (self.folder / name).rename(target)
        except FileNotFoundError:
            Path(f"{target}{REASON}").unlink()


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileStuck(error.strerror or type(error).__name__) from error


def _look(found: os.stat_result) -> _Look:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _free(folder: Path, name: str) -> str:
    """Return the name, or the first with a number that no file in the folder has."""
    stem = os.fsdecode(os.fsencode(name)[:-4][:_NAME_BYTES_MAX])
    number, free = 1, f"{stem}{_SUFFIX}"
    while os.path.lexists(folder / free):
        number += 1
        free = f"{stem}.{number}{_SUFFIX}"
    return free
