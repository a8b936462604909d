"""The processing centre: what it says to a payment, or that it says nothing; by seed."""

from collections import deque
from dataclasses import dataclass
from random import Random

from wire.vocabulary import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What comes back, and when; `unknown` is silence until the program gives up."""

    outcome: Outcome
    after_s: float
    code: str
    reference: str


class Processing:
    """Answers payments; what a test orders comes first, then what is usual: accepted."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._ordered: deque[Outcome] = deque()

    def order(self, outcome: Outcome) -> None:
        """Make the next payment end like this."""
        self._ordered.append(outcome)

    def pay(self) -> Decision:
        """Return what becomes of a payment."""
        outcome = self._ordered.popleft() if self._ordered else "accepted"
        slow = 3.0 if outcome == "unknown" else 0.0
        code = {"accepted": "0", "declined": "241", "failed": "300"}.get(outcome, "")
        return Decision(
            outcome=outcome,
            after_s=slow + self._chance.uniform(0.2, 1.0),
            code=code,
            reference=str(self._chance.randrange(10**10, 10**11)),
        )
