"""What other threads hand to the main loop: bounded, and it wakes the loop."""

import contextlib
import socket
from collections import deque
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

INBOX_MAX: Final = 10_000
"""Items waiting; beyond it offers are dropped."""

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """A queue whose other end is a file that a selector can watch."""

    def __init__(self) -> None:
        """Open the waking pair."""
        self._items: deque[Item] = deque()
        self.file, self._wake = socket.socketpair()
        self.file.setblocking(False)
        self._wake.setblocking(False)

    def offer(self, item: Item) -> bool:
        """Queue an item from any thread; False if there was no room."""
        if len(self._items) >= INBOX_MAX:
            return False
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
        taken: list[Item] = []
        while self._items:
            taken.append(self._items.popleft())
        return taken
