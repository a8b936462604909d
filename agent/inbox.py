"""What other threads hand to the main loop: bounded, and it wakes the loop."""

import contextlib
import socket
from collections import deque
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

INBOX_MAX: Final = 10_000
"""Items waiting; beyond it offers are dropped."""
INBOX_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes of messages waiting; a flood beyond it is dropped. An ack that is lost comes again."""

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """A queue whose other end is a file that a selector can watch."""

    def __init__(self) -> None:
        """Open the waking pair."""
        self._items: deque[Item] = deque()
        self._bytes = 0
        self.file, self._wake = socket.socketpair()
        self.file.setblocking(False)
        self._wake.setblocking(False)

    def offer(self, item: Item, *, size: int = 0) -> bool:
        """Queue an item of so many bytes from any thread; False if there was no room."""
        if len(self._items) >= INBOX_MAX or self._bytes + size > INBOX_BYTES_MAX:
            return False
        self._bytes += size
        self.put(item)
        return True

    def put(self, item: Item) -> None:
        """Queue an item whose sender keeps to a bound of its own (one at a time)."""
        self._items.append(item)
        # A full pipe means that the loop is being woken already.
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake.send(b"\0")

    def take(self) -> Sequence[Item]:
        """Return what is queued."""
        with contextlib.suppress(BlockingIOError):
            while self.file.recv(4096):
                pass
        self._bytes = 0
        taken: list[Item] = []
        while self._items:
            taken.append(self._items.popleft())
        return taken
