"""Which mails of a mailbox are fetched together: bounded in number and bytes.

Law: a mail that gives trouble (the server refuses it, or the connection ends over it) holds up no
other for long: it comes alone, then only its beginning is asked for, then it is passed over, and
that is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LIST_MAX: Final = 500
"""Mails whose sizes are asked for at once."""
MAILS_MAX: Final = 50
BYTES_MAX: Final = 4_194_304
"""Of one portion; a larger mail comes alone."""
BEGINNING_BYTES: Final = 1_048_576
"""What is kept of a mail that cannot be had whole."""
ONLY_BEGINNING_FROM: Final = 3
PASSED_OVER_FROM: Final = 6
"""Troubles with one mail in a row."""
CUT: Final = "X-Kvitok-Cut"
"""The header in front of a mail of which the beginning was kept: its whole size in bytes."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Mails to be fetched at once."""

    uids: tuple[int, ...]
    whole: bool = True
    """False: a mail too large, or in too much trouble, of which only the beginning is asked for."""

    def __post_init__(self) -> None:
        assert self.uids
        assert self.whole or len(self.uids) == 1


def lists(uids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the uids, so many at once as sizes are asked for."""
    for start in range(0, len(uids), LIST_MAX):
        yield uids[start : start + LIST_MAX]


def portions(
    sizes: Mapping[int, int], troubles: Mapping[int, int], *, bytes_max: int
) -> Iterator[Portion]:
    """Yield every mail of `sizes` (uid → bytes, in order) once, but those that are passed over."""
    together: list[int] = []
    total = 0
    for uid, size in sizes.items():
        trouble = troubles.get(uid, 0)
        alone = trouble > 0 or size > bytes_max
        if together and (alone or len(together) == MAILS_MAX or total + size > BYTES_MAX):
            yield Portion(tuple(together))
            together, total = [], 0
        if trouble >= PASSED_OVER_FROM:
            continue
        if alone:
            yield Portion((uid,), whole=size <= bytes_max and trouble < ONLY_BEGINNING_FROM)
            continue
        together.append(uid)
        total += size
    if together:
        yield Portion(tuple(together))


def cut(raw: bytes, size: int) -> bytes:
    """Return the beginning of a mail with a header that says how large it was."""
    return f"{CUT}: {size}\r\n".encode() + raw[:BEGINNING_BYTES]
