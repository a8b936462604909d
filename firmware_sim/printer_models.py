"""What receipt printers answer about themselves, model by model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

FIXED: Final = 0x12
"""Bits 1 and 4 are always set in an answer to DLE EOT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Everything that a status byte may speak of."""

    near_end: bool = False
    paper_end: bool = False
    cover_open: bool = False
    cutter: bool = False
    jammed: bool = False
    overheated: bool = False
    ticket: bool = False
    """A ticket waits in the presenter or the output."""

    @property
    def offline(self) -> bool:
        """Say if it would not print now."""
        return self.paper_end or self.cover_open or self.cutter or self.jammed or self.overheated


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A printer model: how it moves paper, and its answer to each DLE EOT n."""

    name: str
    presenter: bool
    answers: Mapping[int, Callable[[Condition], bytes]]


def _bits(*pairs: tuple[bool, int]) -> int:
    return sum(bit for said, bit in pairs if said)


def _byte(*pairs: tuple[bool, int]) -> bytes:
    return bytes((FIXED | _bits(*pairs),))


def _printer(now: Condition) -> bytes:
    return _byte((now.offline, 0x08))


def _offline_cause(now: Condition) -> bytes:
    error = now.cutter or now.jammed or now.overheated
    return _byte((now.cover_open, 0x04), (now.paper_end, 0x20), (error, 0x40))


def _error_cause(now: Condition) -> bytes:
    return _byte((now.cutter, 0x08), (now.jammed, 0x20), (now.overheated, 0x40))


def _paper_epson(now: Condition) -> bytes:
    return _byte((now.near_end, 0x0C), (now.paper_end, 0x60))


def _paper_ppu231(now: Condition) -> bytes:
    return _byte((now.near_end, 0x04), (now.paper_end, 0x20), (not now.ticket, 0x40))


def _paper_ppu700(now: Condition) -> bytes:
    return _byte((now.near_end, 0x04), (now.paper_end, 0x20), (now.ticket, 0x40))


def _cover_ppu700(now: Condition) -> bytes:
    return _byte((now.cover_open, 0x04), (now.overheated, 0x08))


def _presenter_ppu700(now: Condition) -> bytes:
    return _byte((now.jammed, 0x08))


def _full_custom(now: Condition) -> bytes:
    paper = _bits((now.paper_end, 0x01), (now.near_end, 0x04), (now.ticket, 0x20))
    paper |= _bits((now.paper_end, 0x40))
    user = _bits((now.cover_open, 0x03))
    recoverable = _bits((now.overheated, 0x01), (now.jammed, 0x40))
    unrecoverable = _bits((now.cutter, 0x01))
    return bytes((0x10, 0x0F, paper, user, recoverable, unrecoverable))


_COMMON: Final = {1: _printer, 2: _offline_cause, 3: _error_cause, 4: _paper_epson}

MODELS: Final = {
    model.name: model
    for model in (
        Model(name="epson", presenter=False, answers=_COMMON),
        Model(name="citizen-ppu231", presenter=True, answers=_COMMON | {4: _paper_ppu231}),
        Model(
            name="citizen-ppu700",
            presenter=True,
            answers=_COMMON | {4: _paper_ppu700, 5: _cover_ppu700, 6: _presenter_ppu700},
        ),
        Model(name="custom-vkp80", presenter=True, answers=_COMMON | {0x14: _full_custom}),
        Model(name="custom-kpm", presenter=False, answers=_COMMON | {0x14: _full_custom}),
    )
}
"""The profiles that agents know, by the names they call them by."""
