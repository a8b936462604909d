"""Payloads that were refused: kept by digest, within bounds that the sender cannot move (pure)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wire.topics import TerminalId

KEPT_PER_MINUTE: Final = 20
"""Refusals of one terminal that are kept or logged in a minute; all are counted."""
KEPT_MAX: Final = 1000
"""Refusals of all terminals between two commits."""
LOGGED_PER_MINUTE: Final = 30
_MINUTE_S: Final = 60.0


@dataclass(slots=True)
class KeptRefusal:
    """One payload, however often it came."""

    terminal: TerminalId
    digest: str
    channel: str
    reason: str
    size: int
    first_at: datetime
    last_at: datetime
    times: int = 1


class Refusals:
    """Collects refusals until they are taken for a commit."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], KeptRefusal] = {}
        self._recent: Counter[str] = Counter()
        self._logged = 0
        self._minute_began = 0.0

    def add(self, refusal: KeptRefusal, instant: float) -> bool:
        """Keep a refusal within the bounds; return whether it should be logged too."""
        if instant - self._minute_began >= _MINUTE_S:
            self._recent.clear()
            self._logged, self._minute_began = 0, instant
        self._recent[refusal.terminal] += 1
        if self._recent[refusal.terminal] > KEPT_PER_MINUTE:
            return False
        known = self._kept.get((refusal.terminal, refusal.digest))
        if known is not None:
            known.times += 1
            known.last_at = refusal.last_at
        elif len(self._kept) < KEPT_MAX:
            self._kept[refusal.terminal, refusal.digest] = refusal
        self._logged += 1
        return self._logged <= LOGGED_PER_MINUTE

    def take(self) -> list[KeptRefusal]:
        """Return what is kept and begin anew."""
        kept, self._kept = self._kept, {}
        return list(kept.values())
