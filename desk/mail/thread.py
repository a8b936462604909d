"""Which case a letter belongs to: by our own signed Message-ID, by ids seen before, by its token.

Law: a stranger's letter never lands in somebody's case. Whatever the letter carries, it joins a
case only if its one sender belongs to that case; otherwise the case is a hint for a person.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from desk.mail.letter import Letter, OwnAddresses

_CASE: Final = r"K-\d{4}-\d{6,9}"
_TOKEN: Final = re.compile(rf"\[\s*({_CASE})\s*\]", re.IGNORECASE)
_NAMED: Final = re.compile(rf"(?<![\w-])({_CASE})(?![\w-])", re.IGNORECASE)
_SIGNED: Final = re.compile(rf"ks\.({_CASE})\.(\d{{1,9}})\.([0-9a-f]{{12}})@.+", re.IGNORECASE)
_KEY_BYTES_MIN: Final = 16


class MessageIds:
    """Makes the Message-IDs of our mails and knows them again.

    `ks.<case>.<n>.<signature>@host`: the host is not signed, for gateways rewrite it.
    """

    def __init__(self, key: bytes, host: str) -> None:
        if len(key) < _KEY_BYTES_MIN:
            raise ValueError(f"Message-IDs need a key of {_KEY_BYTES_MIN} bytes or more.")
        self._key = hmac.new(key, b"kvitok message-id v1", hashlib.sha256).digest()
        self._host = host

    def issue(self, case: str, number: int) -> str:
        """Return the id of a case's mail of that number, without angle brackets."""
        if not re.fullmatch(_CASE, case):
            raise ValueError(f"no case number: {case!r}")
        return f"ks.{case}.{number}.{self._signature(case, number)}@{self._host}"

    def case_of(self, message_id: str) -> str | None:
        """Return the case of an id that we made; None for every other."""
        found = _SIGNED.fullmatch(message_id)
        if found is None or not message_id.isascii():
            return None
        case, number = found[1].upper(), int(found[2])
        good = hmac.compare_digest(self._signature(case, number), found[3].lower())
        return case if good else None

    def _signature(self, case: str, number: int) -> str:
        text = f"{case}.{number}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:12]


class Trace(StrEnum):
    """What in a letter names a case, the surest first."""

    SIGNED_ID = "signed_id"
    """It answers a mail of ours."""
    KNOWN_ID = "known_id"
    """It answers a mail that was in the case before."""
    TOKEN = "token"  # noqa: S105 - the number that customers see, no secret
    """The case's number stands in the subject or the text."""


@dataclass(frozen=True, slots=True)
class Thread:
    """The case that a letter names: joined, or only a hint for a person, and why."""

    case: str
    trace: Trace
    joined: bool


@dataclass(frozen=True, slots=True)
class Home:
    """What became of a case that a letter names."""

    live: str
    """The case that goes on with it, after all mergers."""
    own: str | None = None
    """The case in which the letter's one sender is now, having been in the one that is named."""


IDS_MAX: Final = 100
"""Ids that a letter answers; the oldest of a longer history name nothing."""


def answered(letter: Letter) -> tuple[str, ...]:
    """Return the ids that a letter answers: the mail answered directly, then back in time."""
    return tuple(dict.fromkeys((*letter.in_reply_to, *reversed(letter.references))))[:IDS_MAX]


def find_thread(
    letter: Letter,
    own: OwnAddresses,
    named: Iterable[tuple[str, Trace]],
    homes: Mapping[str, Home],
) -> Thread | None:
    """Return the case that the letter names (`traces`); `homes` are those that there are.

    The surest trace whose case the sender belongs to joins; if there is none, the surest is a hint.
    """
    hint: Thread | None = None
    for case, trace in named:
        home = homes.get(case)
        if home is None:
            continue
        typed = trace is Trace.TOKEN and not speaks_for_itself(letter)
        if home.own is not None and vouched(letter, own, trace) and not typed:
            return Thread(home.own, trace, joined=True)
        hint = hint or Thread(home.live, trace, joined=False)
    return hint


def traces(
    letter: Letter, ids: MessageIds, *, known: Mapping[str, str]
) -> Iterable[tuple[str, Trace]]:
    """Yield each case that the letter names, the surest trace first, each case once for a trace.

    `known` are cases by the ids of letters that came before.
    """
    before = answered(letter)
    by_us = (case for each in before if (case := ids.case_of(each)))
    seen = (known[each] for each in before if each in known)
    told = _TOKEN.findall(letter.subject) + _NAMED.findall(letter.subject)
    told += _TOKEN.findall(letter.text)[:5]
    for trace, cases in (
        (Trace.SIGNED_ID, by_us),
        (Trace.KNOWN_ID, seen),
        (Trace.TOKEN, (each.upper() for each in told)),
    ):
        for case in dict.fromkeys(cases):
            yield case, trace


def speaks_for_itself(letter: Letter) -> bool:
    """Return whether a letter's sender is who wrote it, as far as its headers say.

    A form on another site sends all its customers' words from one address, with theirs for answers.
    """
    return all(each.address == letter.sender.address for each in letter.reply_to)


def vouched(letter: Letter, own: OwnAddresses, trace: Trace | None = None) -> bool:
    """Return whether a letter may be taken for its sender's.

    A sender's address is only a claim: where our own mail server found it forged, it is nobody's,
    unless the letter also shows an id that only the case's people were sent.
    """
    if letter.senders != 1 or not letter.sender.address:
        return False
    return trace is Trace.SIGNED_ID or not is_forged(letter, own)


def is_forged(letter: Letter, own: OwnAddresses) -> bool:
    """Return whether our own mail server says that the sender's domain did not send the letter."""
    for value in letter.headers.get("authentication-results", ()):
        server, _, results = value.lower().partition(";")
        if server.split() and server.split()[0] in own.hosts:
            dmarc = re.search(r"\bdmarc\s*=\s*(\w+)", results)
            if dmarc:
                return dmarc[1] == "fail"
            spf = re.search(r"\bspf\s*=\s*(\w+)", results)
            dkim = re.findall(r"\bdkim\s*=\s*(\w+)", results)
            return spf is not None and spf[1] == "fail" and "pass" not in dkim
    return False
