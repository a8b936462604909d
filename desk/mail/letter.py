"""A letter: one mail after its bytes were read; and who we are among its addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A name and a mail address in small letters; either may be empty."""

    name: str
    address: str


NOBODY = Address("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A file that came with a letter, as sent."""

    name: str
    media_type: str
    """What the sender calls it; the content may be anything."""
    content: bytes
    inline: bool = False
    """Shown inside the text (a logo in a signature, but also a photo from a phone)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says, without judgement; what could not be read is named in `faults`."""

    sender: Address = NOBODY
    senders: int = 0
    """How many addresses claim to be the sender: anything but 1 is nobody's word."""
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    sent_at: datetime | None = None
    """Its own date (aware), if it has one that a calendar knows."""
    passed_at: tuple[datetime, ...] = ()
    """When mail servers took it (aware), by the lines that they added; the latest first."""
    message_id: str | None = None
    """Without the angle brackets, as all ids here."""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The headers that tell a robot from a person, by small name, each with its values."""
    text: str = ""
    files: tuple[AttachedFile, ...] = ()
    enclosed: tuple["Letter", ...] = ()
    """Whole mails that came as files."""
    media_types: tuple[str, ...] = ()
    """The media types of all parts, the outermost first, with `report-type` where there is one."""
    faults: tuple[str, ...] = ()
    """What was broken or left out: `too_deep`, `too_many_files`, `file_too_large`, …"""

    def header(self, name: str) -> str:
        """Return the first value of a header; empty if it is not there."""
        values = self.headers.get(name)
        return values[0] if values else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAddresses:
    """Who we are: what tells our own mail and our staff from customers. All in small letters."""

    mailboxes: frozenset[str] = frozenset()
    """Addresses that mail is read from and sent from by the program."""
    domains: frozenset[str] = frozenset()
    """Domains of staff: people who may forward what a customer wrote to them."""
    hosts: frozenset[str] = frozenset()
    """Names of our own mail servers, whose Authentication-Results are believed."""

    def is_program(self, address: str) -> bool:
        """Return whether the program itself sends from this address (also with a +tag)."""
        local, _, domain = address.lower().rpartition("@")
        return f"{local.partition('+')[0]}@{domain}" in self.mailboxes

    def is_staff(self, address: str) -> bool:
        """Return whether the address is ours, a person's or the program's."""
        return self.is_program(address) or address.lower().rpartition("@")[2] in self.domains
