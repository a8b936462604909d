"""What checks speak of: rows as the fold reads them, incidents as they compare, violations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Row: TypeAlias = tuple[int, int, str, int, int, dict[str, Any]]
"""Epoch, seq, kind, rule time, time received (both Unix ms), body as stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An incident without its number and proof; times are Unix milliseconds of rule time."""

    rule: str
    epoch: int | None
    subject: str | None
    cause: str | None
    severity: str
    opened_at: int
    cleared_at: int | None
    times: int

    @property
    def key(self) -> tuple[str, int, str]:
        """What names it at its terminal."""
        return self.rule, self.epoch or 0, self.subject or ""

    def __str__(self) -> str:
        """Return it in words."""
        over = "open" if self.cleared_at is None else f"cleared {self.cleared_at}"
        about = f" of {self.epoch}/{self.subject}" if self.epoch else f" of {self.subject}"
        return (
            f"{self.rule}{about if self.subject else ''} ({self.cause}, {self.severity}), "
            f"opened {self.opened_at}, {over}, {self.times} times"
        )


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that does not hold, where, and what is seen instead: a sentence for a person."""

    law: str
    where: str
    what: str

    def __str__(self) -> str:
        """Return it in a line."""
        return f"[{self.law}] {self.where}: {self.what}"


Say: TypeAlias = Callable[[str, str, str], None]
"""Where violations go: law, where, what."""
