"""Says every two seconds what goes on, whatever the run itself waits for."""

import sys
import time
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

_LINE_S: Final = 2.0


def say(text: str) -> None:
    """Tell the person who watches."""
    sys.stdout.write(f"chaos: {text}\n")
    sys.stdout.flush()


class Telling:
    """A thread that tells what `what` says."""

    def __init__(self) -> None:
        self.what: Callable[[], str] = lambda: "starting"
        self._began = time.monotonic()
        self._ending = Event()
        self._thread = Thread(target=self._run, name="chaos-telling", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._ending.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ending.wait(_LINE_S):
            say(f"{time.monotonic() - self._began:4.0f} s · {self.what()}")
