"""The door to the clock: everything else here is given its time."""

import time


def unix_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Return monotonic seconds; only differences mean anything."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Block the calling thread."""
    time.sleep(max(0.0, seconds))
