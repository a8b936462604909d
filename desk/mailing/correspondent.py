"""From a report's content to whom we write about it: address, language, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from desk.mail.letter import OwnAddresses
from desk.mail.mime import read_letter
from desk.mailing.addressee import Addressee, Withheld, of_address, of_letter, usable
from desk.mailing.languages import language_of
from desk.mailing.settings import AnswerLanguage
from desk.reports.content import Received, read_content
from incidents.matching.claims import READ_IN
from incidents.matching.passage import Origin, Passage

READ_BYTES_MAX: Final = 1_048_576
"""Of a mail: its header and its words stand there. Rows are locked meanwhile."""
_OWN_WORDS: Final = frozenset({Origin.NEW, Origin.SUBJECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondent:
    """Whom we write to about a report, or why nobody; nothing of it is ever stored in the clear."""

    to: Addressee | Withheld
    language: AnswerLanguage | None = None
    """The language that the report was written in, if it is sure."""
    message_id: str | None = None
    references: tuple[str, ...] = ()
    directed: bool = False
    """The letter asks for answers to another address than its sender's."""


def correspondent(
    raw: bytes, received: Received, own: OwnAddresses, *, automatic: bool
) -> Correspondent:
    """Return whom we write to; `automatic`: no person decided to write."""
    if received.channel == "mail":
        raw = raw[:READ_BYTES_MAX]
    try:
        content = read_content(raw, received, own=own, zone=READ_IN)
    except ValidationError:
        return Correspondent(to=Withheld.UNREADABLE)
    language = _language(content.passages)
    if received.channel != "mail":
        return Correspondent(to=of_address(content.customer or "", own), language=language)
    letter = read_letter(raw)
    to = of_letter(letter, own, automatic=automatic)
    return Correspondent(
        to=to,
        directed=isinstance(to, Addressee) and to.address != usable(letter.sender.address),
        language=language,
        message_id=letter.message_id,
        references=letter.references or letter.in_reply_to,
    )


def _language(passages: Sequence[Passage]) -> AnswerLanguage | None:
    """Return the language of the customer's own words: a quote may be our own mail."""
    return language_of("\n".join(each.text for each in passages if each.origin in _OWN_WORDS))
