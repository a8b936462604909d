"""Who is written to, and why nobody is: what RFC 3834 asks of programs that answer mail.

An automatic answer goes to the address that the letter itself gives for answers, never to one that
stands in its text: who passes on a letter is answered by nobody, and neither is the person whose
letter was passed on, for anybody can write any address into a text.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from desk.mail.letter import Letter, OwnAddresses
from desk.mail.thread import is_forged


class Withheld(StrEnum):
    """Why nobody is written to."""

    NO_ADDRESS = "no_address"
    """There is none, or more than one sender."""
    UNUSABLE = "unusable_address"
    """An address that no mail server takes, or that we refuse to take: see `usable`."""
    OURS = "ours"
    """Our own address or that of our staff, a passed-on letter included."""
    ROBOT = "robot"
    """An address that no person reads."""
    AUTOMATIC = "automatic"
    """A program or a list sent it."""
    SUPPRESSED = "suppressed"
    """Its sender's program asks for no automatic answers."""
    FORGED = "forged"
    """Our own mail server found that its sender's domain did not send it."""
    SUSPENDED = "suspended"
    """It is set aside for a person."""
    SWITCHED_OFF = "switched_off"
    """[mail] answers or resolutions says so."""
    ADDRESS_CAP = "address_cap"
    """The address has had as many automatic answers as are good for anybody."""
    TOO_LATE = "too_late"
    """The answer waited so long for its turn that it would only puzzle."""
    UNREADABLE = "unreadable"
    """The report's content cannot be opened."""


ADDRESS_CHARS_MAX: Final = 254
_LOCAL_CHARS_MAX: Final = 64
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_TOP: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{2,59}")
_NOWHERE: Final = frozenset({"invalid", "localhost", "local", "onion", "arpa"})
"""Top labels that no mail can be sent to (RFC 6761 and others)."""
_ROBOT: Final = re.compile(
    r"(?:no[-_.]?(?:reply|response|answer)|do[-_.]?not[-_.]?(?:reply|respond)|noreply[-_.\w]*"
    r"|robot|bot|auto[-_.]?(?:reply|mail|responder|answer)|bounces?|return|returns|notifications?"
    r"|notify|alerts?|mailer[-_.]?daemon|mail[-_.]?daemon|daemon|mailer|postmaster|hostmaster"
    r"|webmaster|root|abuse|nobody|null|newsletter|majordomo|listserv|mailman|owner-.*|.*-owner"
    r"|.*-request|.*-bounces?|prvs=.*|srs[01]=.*)(?:[+].*)?"
)
_ROBOTS: Final = (
    "x-autoreply", "x-autorespond", "x-autoresponse", "x-mail-autoreply", "x-autorespond-from",
    "x-failed-recipients", "x-kvitok",
)  # fmt: skip
"""Headers that programs write, and people's programs do not, or with `no` in them."""
_LISTS: Final = ("list-id", "list-post", "list-unsubscribe", "feedback-id")
_PEOPLE: Final = frozenset({"", "no", "false", "0"})
_BULK: Final = frozenset({"bulk", "list", "junk", "auto_reply", "auto-reply"})
_SUPPRESSING: Final = frozenset({"all", "autoreply"})


@dataclass(frozen=True, slots=True)
class Addressee:
    """An address that may be written to, in the form that goes over the wire."""

    address: str


def usable(address: str) -> str | None:
    """Return an address as it goes over the wire; None for one that is not sent to.

    A domain in any script goes as its ASCII form. Refused are: what has no domain with a dot, what
    is quoted, commented, or no ASCII before the @ (few servers take it), and anything with a
    control character or a blank: it would write another line of the header.
    """
    local, at, domain = address.rpartition("@")
    if not at or len(local) > _LOCAL_CHARS_MAX or not _LOCAL.fullmatch(local):
        return None
    try:
        wire = domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = wire.split(".")
    top = labels[-1]
    if len(labels) < 2 or not _TOP.fullmatch(top) or top in _NOWHERE:  # noqa: PLR2004 - a.b
        return None
    whole = f"{local}@{wire}"
    good = all(_LABEL.fullmatch(each) for each in labels) and len(whole) <= ADDRESS_CHARS_MAX
    return whole if good else None


def of_letter(letter: Letter, own: OwnAddresses, *, automatic: bool) -> Addressee | Withheld:
    """Return who gets an answer to a letter; `automatic`: no person decided to write it."""
    if letter.senders != 1 or not letter.sender.address:
        return Withheld.NO_ADDRESS
    if own.is_staff(letter.sender.address):
        return Withheld.OURS
    if is_forged(letter, own):
        return Withheld.FORGED
    if _is_automatic(letter, own):
        return Withheld.AUTOMATIC
    if automatic and _SUPPRESSING & _words(letter, "x-auto-response-suppress"):
        return Withheld.SUPPRESSED
    # More than one address for answers: none of them is surely our customer's.
    replies = {each.address for each in letter.reply_to}
    target = next(iter(replies)) if len(replies) == 1 else letter.sender.address
    return of_address(target, own)


def of_address(address: str, own: OwnAddresses) -> Addressee | Withheld:
    """Return whether an address that somebody gave for answers may be written to."""
    if not address.strip():
        return Withheld.NO_ADDRESS
    wire = usable(address.strip())
    if wire is None:
        return Withheld.UNUSABLE
    if own.is_staff(address.strip()) or own.is_staff(wire):
        return Withheld.OURS
    return Withheld.ROBOT if _ROBOT.fullmatch(wire.rpartition("@")[0].lower()) else Addressee(wire)


def _is_automatic(letter: Letter, own: OwnAddresses) -> bool:
    if "<>" in letter.headers.get("return-path", ()):
        return True
    submitted = re.split(r"[;\s]", letter.header("auto-submitted").strip().lower())[0]
    if submitted not in {"", "no"} or _said(letter, _ROBOTS):
        return True
    lists = " ".join(letter.headers.get("list-id", ())).lower()
    if any(mailbox.replace("@", ".") in lists for mailbox in own.mailboxes):
        return False  # our own mailbox is a group: its members' mail is not a list's
    return bool(_BULK & _words(letter, "precedence")) or _said(letter, _LISTS)


def _said(letter: Letter, names: tuple[str, ...]) -> bool:
    return any(letter.header(name).strip().lower() not in _PEOPLE for name in names)


def _words(letter: Letter, name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w-]+", " ".join(letter.headers.get(name, ())).lower()))
