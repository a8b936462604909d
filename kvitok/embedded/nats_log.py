"""What the broker's own log says that a person should hear, read as it grows.

Laws: NATS keeps the whole log in a file of its own and bounds it, so that it never waits for us;
here only warnings and errors are picked out, and never more than a screenful at a time.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LINES_MAX: Final = 20
"""A fleet with a wrong password must not fill the service's log: the rest stands in the file."""

_READ_BYTES_MAX: Final = 4 * 1024 * 1024
_SERIOUS: Final = re.compile(r"\[(?:WRN|ERR|FTL)\] (.*)")
_USUAL: Final = re.compile(
    # The file with them is ours alone, and NATS listens on loopback.
    r"Plaintext passwords detected"
)


class NatsLog:
    """The log's file, from where it ends now on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file, self._at = self._stand()

    def news(self) -> Iterator[str]:
        """Yield what is serious in the lines that came since the last time."""
        found = [text for text in self._lines() if not _USUAL.search(text)]
        yield from found[:LINES_MAX]
        if len(found) > LINES_MAX:
            yield f"and {len(found) - LINES_MAX} lines more in {self.path}"

    def _lines(self) -> Iterator[str]:
        file, size = self._stand()
        if file != self._file or size < self._at:
            # NATS has begun a new one; what it said last may stand in the old one only.
            self._file, self._at = file, 0
        if size == self._at:
            return
        with self.path.open("rb") as log:
            log.seek(self._at)
            whole, _, _ = log.read(_READ_BYTES_MAX).rpartition(b"\n")
        self._at += len(whole) + 1 if whole else 0
        for line in whole.decode(errors="replace").splitlines():
            if serious := _SERIOUS.search(line):
                yield serious[1]

    def _stand(self) -> tuple[int, int]:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return 0, 0
        return stat.st_ino, stat.st_size
