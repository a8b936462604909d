"""One round of a printer's status queries, and when a round is believed.

A status byte has no checksum and does not say what it answers. Hence:
- One query is on the line at a time; the next is sent when it is answered or given up.
- A round is told only when every query that must be answered was.
- What differs from what is believed is believed when two rounds in a row say the same.
"""

from collections.abc import Sequence
from typing import Final

from agent.devices.escpos.status import Query, Signs, find_answer, read_signs
from agent.devices.machine import Instant

ANSWER_S: Final = 0.5
"""How long an answer may take: at 9,600 baud with a USB adapter some 30 ms, more while printing."""
OPTIONAL_MISSES_MAX: Final = 3
"""An optional query that stayed unanswered so often in a row is not asked any more."""


class Round:
    """Asks the queries in turn; `over` with `signs`, or without them: silence."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self.asked = queries
        self._index = -1
        self._buffer = b""
        self._repeated = False
        self._code = ""
        self.signs: Signs = frozenset()
        self.answer_by = Instant(0.0)
        self.over = False
        self.silent = False
        self.missed: list[Query] = []

    @property
    def code(self) -> str:
        """Return the answers as hex digits: the device's own code."""
        return self._code

    def next_request(self, now: Instant) -> bytes:
        """Return the next query's bytes; `b""` when there is none."""
        self._index += 1
        self._buffer = b""
        self._repeated = False
        if self._index >= len(self.asked):
            self.over = True
            return b""
        self.answer_by = Instant(now + ANSWER_S)
        return self.asked[self._index].request

    def received(self, data: bytes, now: Instant) -> bytes:
        """Take bytes; return the next request if they answer this one."""
        query = self.asked[self._index]
        self._buffer += data
        answer, used = find_answer(query, self._buffer)
        self._buffer = self._buffer[used:]
        if answer is None:
            return b""
        self.signs |= read_signs(query, answer)
        self._code += answer.hex().upper()
        return self.next_request(now)

    def unanswered(self, now: Instant) -> bytes:
        """Give up this answer; return the request that follows if the round can go on."""
        query = self.asked[self._index]
        if query.optional:
            self.missed.append(query)
            return self.next_request(now)
        if not self._repeated:
            # Once more: one lost byte must not look like a printer without power.
            self._index -= 1
            request = self.next_request(now)
            self._repeated = True
            return request
        self.over = self.silent = True
        return b""


class Belief:
    """What is believed of the printer, from round to round."""

    def __init__(self) -> None:
        self.signs: Signs | None = None
        self.code = ""
        self._rumour: Signs | None = None

    def heard(self, signs: Signs, code: str) -> bool:
        """Take a finished round; return whether it says what is believed (now)."""
        if signs not in (self.signs, self._rumour):
            self._rumour = signs
            return False
        self.signs, self.code, self._rumour = signs, code, None
        return True

    def silent(self) -> None:
        """Believe nothing any more."""
        self.signs = self._rumour = None
