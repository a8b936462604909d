"""How long the note acceptor waits, and how often it tries (CCNET Rev 2.4.3, section 2.8)."""

from typing import Final

POLL_S: Final = 0.2
"""From an answer to the next poll (section 2.8 wants 100 to 200 ms)."""
POLL_OFFLINE_S: Final = 1.0
"""The same while the validator is silent."""
RESPONSE_S: Final = 0.25
"""How long an answer may take. The manual says 10 ms; USB adapters and ptys need more."""
QUIET_S: Final = 0.5
"""Silence after a lost or refused answer: what is on its way still comes, then nothing does."""
GAP_S: Final = 0.02
"""Quiet on the line before the next order (section 2.7)."""
BUSY_S_MAX: Final = 5.0
"""A validator that says how long it is busy is believed up to this."""
OFFLINE_AFTER_S: Final = 5.0
NAKS_MAX: Final = 2
"""Refusals of one answer; after them the request is given up."""
ORDER_AGAIN_S: Final = 1.0
"""RESET, ENABLE and the like are not sent more often than this, so that they can take effect."""
RESET_FAULTY_S: Final = 60.0
"""How often a validator with a fault is told to try again."""
TABLE_TRIES_MAX: Final = 5
"""Requests for the bill table before RESET, or before a note of unknown worth is let go."""
STALE_ESCROW_S: Final = 5.0
"""STACK or RETURN was answered, so an escrow that is still reported is an old one: a validator may
repeat what we did not acknowledge. An order now could hit the next note. After this, try again."""
UNSURE_ESCROW_S: Final = 2.0
"""The same when the answer to STACK or RETURN was lost: time for some ACKs to get through first."""
IDENTIFICATION_TRIES_MAX: Final = 3
