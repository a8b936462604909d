"""A template family: one way to write, with its own words for every trouble."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "calibration", "held_a", "held_b", "held_c", "reserve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Templates of one way to write; `{trouble}` stands for a line of `troubles`."""

    name: str
    split: Split
    subjects: Sequence[str]
    bodies: Sequence[str]
    troubles: dict[str, Sequence[str]]
    """By `no_receipt`, `not_credited`, `hung`, `copy`, `fee`, `wrong_number`, `double`."""
    signatures: Sequence[str] = ("",)
    charsets: Sequence[str] = ("utf-8",)
    html: bool = False
    capitals: bool = False
    unpunctuated: bool = False
    latin: bool = False
    picture: float = 0.0
    """Share of mails with a photo of the receipt's code, where there is one."""
    staff: bool = False
    """Written by our own people about a customer's call."""
