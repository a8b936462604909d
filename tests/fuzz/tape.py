"""A fuzzer's bytes as a supply of decisions: what is not there reads as zeros."""

import itertools


class Tape:
    """Reads bytes from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def __bool__(self) -> bool:
        """Tell whether anything is left."""
        return self._place < len(self._data)

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0] if self else 0

    def take(self, size: int) -> bytes:
        """Return up to so many bytes."""
        start, self._place = self._place, self._place + size
        return self._data[start : self._place]


def portions(data: bytes, size: int) -> list[bytes]:
    """Return the bytes in portions of a size."""
    cuts = [*range(0, len(data), size), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(cuts)]
