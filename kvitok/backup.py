"""A backup: a folder with a dump of the database and `manifest.json`; whole, or not there.

Laws: it is written beside its name and gets its name last, after every byte is on disk; what a
killed backup left is never taken for one; a byte that changed since is found before it is restored.
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from kvitok.embedded.folder import sync_folder

DUMP: Final = "database.dump"
MANIFEST: Final = "manifest.json"
CHUNK_BYTES: Final = 1 << 20

Tell = Callable[[str], None]
"""Takes how far something is; whoever gets it decides how often a person hears it."""


class BackupFailed(Exception):  # noqa: N818 - says what is, like every error of ours
    """No backup was made, or none can be used; the text says why and what to do."""


@dataclass(frozen=True)
class Origin:
    """Where a backup comes from."""

    made_at: datetime
    kvitok: str
    schema: int
    """The last migration that had landed."""
    postgres: int
    """The server's major version."""
    keys: Mapping[str, str]
    """Name of a secret key → its fingerprint: what was written with a key needs the same one."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    kind: Literal["kvitok backup"]
    origin: Origin
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Backup:
    """A backup that was found in a folder."""

    folder: Path
    manifest: Manifest

    @property
    def dump(self) -> Path:
        """Return the file that `pg_restore` reads."""
        return self.folder / DUMP


def fingerprint(key: bytes) -> str:
    """Return what tells a key of 256 random bits from another, and nothing else of it."""
    return hmac.new(key, b"kvitok backup", hashlib.sha256).hexdigest()[:16]


def write(target: Path, origin: Origin, dump: Callable[[Path], None], tell: Tell) -> Backup:
    """Make a backup at the target of what `dump` writes into the file that it is given.

    Raises:
        BackupFailed: the target is there already, or cannot be written; nothing is left of it.
    """
    if target.exists():
        raise BackupFailed(f"{target} is there already: name a folder that is not")
    partial = target.with_name(target.name + ".partial")
    try:
        with _alone(partial):
            try:
                manifest = _fill(partial, origin, dump, tell)
                partial.rename(target)
                sync_folder(target.parent)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    except OSError as error:
        raise BackupFailed(
            f"cannot write {target}: {error.strerror}; no backup was made"
        ) from error
    return Backup(target, manifest)


def read(folder: Path) -> Backup:
    """Return the backup in a folder.

    Raises:
        BackupFailed: there is none.
    """
    try:
        manifest = TypeAdapter(Manifest).validate_json((folder / MANIFEST).read_bytes())
        found = (folder / DUMP).stat().st_size
    except OSError as error:
        raise BackupFailed(
            f"{folder} is no backup ({error.filename}: {error.strerror}): name a folder that "
            "`kvitok db backup` made"
        ) from error
    except ValidationError as error:
        raise BackupFailed(f"{folder / MANIFEST} is not what `kvitok db backup` wrote") from error
    if found != manifest.bytes:
        raise BackupFailed(
            f"{folder / DUMP} has {found} bytes and had {manifest.bytes}: it was not copied whole; "
            "copy it again, or take another backup"
        )
    return Backup(folder, manifest)


def verify(backup: Backup, tell: Tell) -> None:
    """Return when every byte of the dump is what it was.

    Raises:
        BackupFailed: it is not, or cannot be read.
    """
    try:
        same = _digest(backup.dump, tell) == backup.manifest.sha256
    except OSError as error:
        raise BackupFailed(f"cannot read {backup.dump}: {error.strerror}") from error
    if not same:
        raise BackupFailed(f"{backup.dump} is damaged (its SHA-256 differs): take another backup")


def size(count: int) -> str:
    """Return a number of bytes as a person reads it."""
    value, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:  # noqa: PLR2004 - what the units are made of
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"


@contextlib.contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Have the folder for this process, empty of what a killed backup left in it."""
    partial.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        partial.chmod(0o700)
        for name in (DUMP, MANIFEST):
            (partial / name).unlink(missing_ok=True)
        yield
    except BlockingIOError:
        raise BackupFailed(
            f"another backup is being written into {partial}: wait for it, or name another folder"
        ) from None
    finally:
        os.close(handle)


def _fill(partial: Path, origin: Origin, dump: Callable[[Path], None], tell: Tell) -> Manifest:
    file = partial / DUMP
    # Made first, for its owner only: it holds what customers wrote.
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    dump(file)
    manifest = Manifest("kvitok backup", origin, file.stat().st_size, _digest(file, tell))
    text = TypeAdapter(Manifest).dump_json(manifest, indent=2)
    (partial / MANIFEST).write_bytes(text + b"\n")
    for name in (DUMP, MANIFEST):
        with (partial / name).open("rb") as each:
            os.fsync(each.fileno())
    sync_folder(partial)
    return manifest


def _digest(file: Path, tell: Tell) -> str:
    digest, done, whole = hashlib.sha256(), 0, file.stat().st_size
    with file.open("rb") as dump:
        while chunk := dump.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            tell(f"reading the dump: {size(done)} of {size(whole)}")
    return digest.hexdigest()
