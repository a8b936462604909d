"""Every number that the contract fixes, each with its section."""

from typing import Final

NUMBER_MAX: Final = 2**53
"""Largest integer that every JSON reader holds exactly; bound of times, seqs and money (3)."""

BATCH_EVENTS_MAX: Final = 500
BATCH_BYTES_MAX: Final = 256 * 1024
"""Events in a batch, and its bytes before compression (2)."""

PAYLOAD_BYTES_MAX: Final = 1024 * 1024
"""Any payload after inflation (head of the contract)."""

EVENT_BYTES_MAX: Final = 32 * 1024
"""An agent never writes a longer event into its journal (rule 9)."""

TX_CHARACTERS_MAX: Final = 64

RETRY_NO_PROGRESS_S: Final = 1.0
"""An ack that brings nothing new for the batch in flight: send again after this (rule 3)."""

RETRY_FIRST_S: Final = 10.0
RETRY_MAX_S: Final = 300.0
"""No ack: send again after 10 s, then 20, 40, … to 300 s, with jitter (rule 4)."""

PULSE_INTERVAL_S: Final = 60
PULSE_ANSWER_INTERVAL_S: Final = 5.0
"""A pulse with something unacknowledged is answered at most once in this time (rule 5)."""

KEEP_ACKNOWLEDGED_DAYS: Final = 7
KEEP_ACKNOWLEDGED_BYTES: Final = 64 * 1024 * 1024
"""How long an agent keeps acknowledged events: whichever is less (2)."""
