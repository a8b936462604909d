"""What a controller sends to a bill validator (CCNET Rev 2.4.3, section 5.3)."""

from typing import Final

ADDRESS_BILL_VALIDATOR: Final = 0x03

ACK: Final = b"\x00"
NAK: Final = b"\xff"
ILLEGAL_COMMAND: Final = b"\x30"
"""The three answers that are no data; ACK and NAK go both ways."""

RESET: Final = b"\x30"
SET_SECURITY: Final = b"\x32\x00\x00\x00"
"""No bill type with high security: the firmware's own judgement."""
POLL: Final = b"\x33"
STACK: Final = b"\x35"
RETURN: Final = b"\x36"
IDENTIFICATION: Final = b"\x37"
GET_BILL_TABLE: Final = b"\x41"
DISABLE: Final = b"\x34\x00\x00\x00\xff\xff\xff"
"""No type is taken, and all go by way of escrow: a note on its way in just now must not be stacked
without being asked for, as types without escrow are."""


def enable(mask: bytes) -> bytes:
    """Return the order to accept these bill types, all of them by way of escrow."""
    return b"\x34" + mask + mask


def read_identification(body: bytes) -> str:
    """Return part and serial number as text."""
    part, serial = body[:15], body[15:27]
    words = (each.decode("ascii", "replace").strip(" \x00") for each in (part, serial))
    text = " ".join(word for word in words if word)
    return "".join(each if each.isprintable() else "?" for each in text)
