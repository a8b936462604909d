"""The outbox door: a folder that gets each mail as one file.

Law: a file is there whole or not at all, under a name from its Message-ID, so that a mail that is
handed over again (the process died before it could say so) is the same file.
"""

import asyncio
import os
from pathlib import Path

from desk.mailing.delivery import Delivered, Outcome, ServerAway
from desk.mailing.outgoing import Outgoing


class Outbox:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, mail: Outgoing) -> Delivered:
        """Write one mail's file; when this returns, it is durable."""
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            raise ServerAway(f"outbox: {error.strerror}") from error
        return Delivered(Outcome.SENT)

    async def rest(self) -> None:
        """Nothing is held open."""

    def _write(self, mail: Outgoing) -> None:
        path = self._folder / mail.name
        assert path.parent == self._folder, "a Message-ID is no path"
        # One name for all tries: what a killed process left is written over.
        unfinished = self._folder / f".{mail.name}.part"
        with unfinished.open("wb") as file:
            file.write(mail.mail.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
