"""An embedded database without its service: run for one errand, and replaced by a restored one.

Laws: the caller holds the folder's lock; the database of before is renamed, never deleted; a
restored one is put in place only when it is whole, by renames that the next start completes where
they were cut short (see `Postgres.prepare`).
"""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from kvitok.embedded.errors import EmbeddedError, first_error
from kvitok.embedded.folder import sync_folder
from kvitok.embedded.postgres import LEFT_OVER_WAIT_S, Postgres

READY_WITHIN_S: Final = 600.0
"""After a power cut it first reads its log, which may take minutes."""

END_WITHIN_S: Final = 600.0
POLL_S: Final = 0.05
RESTORING: Final = "restoring"
"""The folder in which a database is restored; worth nothing until that is done."""


@contextlib.contextmanager
def running(postgres: Postgres) -> Iterator[None]:
    """Run the server while the block does its errand.

    Raises:
        EmbeddedError: it does not come up.
    """
    postgres.prepare()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            postgres.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
        try:
            ends = time.monotonic() + READY_WITHIN_S
            while not postgres.is_ready():
                if process.poll() is not None or time.monotonic() > ends:
                    log.seek(0)
                    said = first_error(log.read())
                    raise EmbeddedError(f"the database in {postgres.data} does not start: {said}")
                time.sleep(POLL_S)
            yield
        finally:
            _end(process)
            postgres.tidy()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()  # it reads its log again at the next start
        process.wait()


@contextlib.contextmanager
def fresh(folder: Path, password: str) -> Iterator[Postgres]:
    """Yield a new database in the folder, beside its own, for a restore; what is left of it goes.

    Whatever a killed restore left there goes first.
    """
    there = folder / RESTORING
    new = Postgres(there, password)
    if new.data.exists():
        new.end_left_overs()
    ends = time.monotonic() + LEFT_OVER_WAIT_S
    while there.exists():
        # What a killed `initdb` started writes a moment longer.
        shutil.rmtree(there, ignore_errors=time.monotonic() < ends)
    there.mkdir(mode=0o700)
    try:
        yield new
    finally:
        shutil.rmtree(there, ignore_errors=True)


def put_in_place(folder: Path, restored: Postgres, now: datetime) -> Path | None:
    """Let the restored database be the folder's, and return where the one of before is kept."""
    postgres = Postgres(folder, restored.password)
    postgres.take_restored()
    if postgres.restored.exists():
        shutil.rmtree(postgres.restored)
    aside = folder / f"{postgres.data.name}.before-{now:%Y%m%dT%H%M%SZ}"
    restored.data.rename(postgres.restored)
    sync_folder(folder)
    kept = postgres.data.exists()
    if kept:
        postgres.end_left_overs()
        postgres.data.rename(aside)
        sync_folder(folder)
    postgres.take_restored()
    return aside if kept else None
