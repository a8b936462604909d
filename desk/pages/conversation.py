"""What a case's customer wrote and what we wrote back, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from desk.pages.our_mails import our_mails
from desk.pages.words_of import words_of
from desk.queries.cases import Case, CaseStep
from desk.queries.reports import Report
from desk.state import Desk

OPENED_MAX: Final = 20
"""Reports whose words are shown; the others by their link."""
TEXT_MAX: Final = 1_500
UNFOLDED_MAX: Final = 3
"""Of the customer's messages, the latest."""
_MAIL: Final = frozenset({"mail_sent", "mail_failed", "mail_withheld"})


@dataclass(frozen=True, slots=True)
class Letter:
    """A customer's message, or a line about a mail of ours (`step`), with its text once sent."""

    at: datetime
    report: Report | None = None
    step: CaseStep | None = None
    sender: str = ""
    subject: str = ""
    text: str | None = None
    cut: bool = False
    unfolded: bool = False
    files: int = 0


async def conversation(desk: Desk, case: Case, reports: Sequence[Report]) -> list[Letter]:
    """Return both sides by time, the latest first; `reports` come like that."""
    letters = [
        await _letter(desk, report, unfolded=number < UNFOLDED_MAX)
        if number < OPENED_MAX
        else Letter(report.received_at, report)
        for number, report in enumerate(reports)
    ]
    texts = await our_mails(desk, case.number)
    letters += [
        Letter(step.at, step=step, text=texts.get(step.at) if step.action == "mail_sent" else None)
        for step in case.history
        if step.action in _MAIL
    ]
    return sorted(letters, key=lambda letter: letter.at, reverse=True)


async def _letter(desk: Desk, report: Report, *, unfolded: bool) -> Letter:
    words = await words_of(desk, int(report.id))
    if words is None:
        return Letter(report.received_at, report)
    # The text begins with the subject, which is shown above it.
    text = words.text.removeprefix(words.subject).strip()
    return Letter(
        at=report.received_at,
        report=report,
        sender=words.sender,
        subject=words.subject,
        text=text[:TEXT_MAX],
        cut=len(text) > TEXT_MAX,
        unfolded=unfolded,
        files=len(words.files),
    )
