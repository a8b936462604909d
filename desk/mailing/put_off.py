"""What failed is put off for a while, so that it holds up nothing else."""

from dataclasses import dataclass, field
from typing import Final

PUT_OFF_S: Final = 600.0
PUT_OFF_MAX: Final = 1000
"""Put off at once; the first of them is tried again when there are more."""


@dataclass(slots=True)
class PutOff:
    """What failed lately: its id, and since when on the monotonic clock."""

    since_s: dict[int, float] = field(default_factory=dict)

    def ids(self, now_s: float) -> list[int]:
        """Return what is still put off."""
        ends = now_s - PUT_OFF_S
        self.since_s = {each: since for each, since in self.since_s.items() if since > ends}
        return list(self.since_s)

    def put(self, failed: int, now_s: float) -> None:
        """Put one off."""
        if len(self.since_s) >= PUT_OFF_MAX:
            del self.since_s[next(iter(self.since_s))]
        self.since_s[failed] = now_s


@dataclass(slots=True)
class Taken:
    """What a step has taken up: told before it works on it, so that a failure has a name."""

    id: int | None = None
