"""What an answer of the validator is, by its shape: nothing in it says what it answers."""

from enum import Enum, auto
from typing import Final

from agent.devices.ccnet import orders
from agent.devices.ccnet.bill_table import TABLE_BYTES

STATE_BYTES_MAX: Final = 5
"""An answer to POLL has one or two bytes; bill-to-bill units add a few."""


class Answer(Enum):
    """The shapes of answers."""

    PLAIN = auto()
    """ACK, NAK or ILLEGAL COMMAND."""
    STATE = auto()
    TABLE = auto()
    IDENTIFICATION = auto()


ANSWERS: Final = {
    orders.POLL: frozenset({Answer.STATE}),
    orders.GET_BILL_TABLE: frozenset({Answer.TABLE, Answer.PLAIN}),
    orders.IDENTIFICATION: frozenset({Answer.IDENTIFICATION, Answer.PLAIN}),
}
ESCROW_ORDERS: Final = frozenset({orders.STACK, orders.RETURN})
ORDER_ANSWERS: Final = frozenset({Answer.PLAIN})
"""What answers every other order."""


def kind_of(body: bytes) -> Answer:
    """Return what an answer is."""
    if body in {orders.ACK, orders.NAK, orders.ILLEGAL_COMMAND}:
        return Answer.PLAIN
    if len(body) == TABLE_BYTES:
        return Answer.TABLE
    return Answer.STATE if len(body) <= STATE_BYTES_MAX else Answer.IDENTIFICATION
