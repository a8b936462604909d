"""The marks that mail programs leave in a text: quotes, "wrote:" lines, header blocks, signatures.

Each function looks at lines and answers what stands there; what follows from it is `quoting`'s.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from desk.mail.headers import addresses
from desk.mail.letter import NOBODY, Address
from desk.mail.payment_words import names_payment

_LINE_MAX: Final = 400
"""A longer line is a person's paragraph, never a mark."""
_QUOTE: Final = re.compile(r"[ \t]{0,3}(?:[A-ZА-ЯЁІЇЄ][A-Za-zА-Яа-яЁё]{0,3})?>[ ]?")
_RULE: Final = "-–—=*_~<>8 \t:.…"
"""What the line of a separator is drawn with."""
_FORWARD: Final = re.compile(
    r"(?:пересылаемое|пересланное|перенаправленное|переадресованное|forwarded|переслане)"
    r" (?:сообщение|письмо|message|mail|повідомлення)"
    r"|(?:начало|початок) (?:пере(?:адресованного|сылаемого|сланного|направленного|сланого))"
    r" (?:сообщения|письма|повідомлення)|begin forwarded message"
    r"|(?:оригинальный|исходный) текст (?:сообщения|письма)|original message text"
    r"|(?:this is a forwarded|это (?:пересланное|пересылаемое)) (?:message|сообщение|письмо)",
    re.IGNORECASE,
)
_END: Final = re.compile(
    r"(?:(?:конец|завершение|окончание)"
    r" (?:пере(?:сылаемого|сланного|адресованного|направленного)|оригинального|исходного)"
    r" (?:сообщения|письма|текста(?: сообщения| письма)?)"
    r"|end of (?:forwarded message|original message text))",
    re.IGNORECASE,
)
_ORIGINAL: Final = re.compile(
    r"(?:исходное|оригинальное|original|первоначальное|вихідне)"
    r" (?:сообщение|письмо|message|appointment|повідомлення)",
    re.IGNORECASE,
)
_KEYS: Final = {
    **dict.fromkeys(("от", "от кого", "from", "від", "отправитель"), "from"),
    **dict.fromkeys(
        ("отправлено", "отправленные", "дата", "date", "sent", "надіслано", "дата отправки"), "date"
    ),
    **dict.fromkeys(("кому", "to", "получатель", "копия", "cc", "копія", "bcc"), "to"),
    **dict.fromkeys(("reply-to", "ответить", "важность", "importance", "вложения"), "other"),
    **dict.fromkeys(("тема", "subject"), "subject"),
}
_KEY_LINE: Final = re.compile(
    rf"[ \t*_]*(?P<key>{'|'.join(sorted(_KEYS, key=len, reverse=True))})[ \t*_]*:"
    r"[ \t*_]*(?P<value>.*)",
    re.IGNORECASE,
)
_BARE_KEY_LINE: Final = re.compile(
    r"(?P<key>от|кому|копия|дата|тема|from|to|cc|date|subject)[ \t]+(?P<value>\S.*)", re.IGNORECASE
)
"""eM Client's block: no colons."""
_CLOCK: Final = re.compile(r"(?<![\d.:/])\d{1,2}[:.]\d\d(?!\d|\.\d)")
_DATED: Final = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:20)?\d\d|20\d\d[-/.]\d{1,2}[-/.]\d{1,2})(?!\d)"
    r"|(?<!\d)\d{1,2}[ -](?:янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек|січ|лют|бер|кві"
    r"|тра|чер|лип|сер|вер|жов|лис|гру|jan|feb|apr|may|jun|jul|aug|sep|oct|nov|dec)[^\d\n]{0,12}20\d\d"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2},? 20\d\d",
    re.IGNORECASE,
)
_VERB: Final = re.compile(
    r"(?:\bнаписал(?:\(а\)|а|и)?|\bпишет|\bпишут|\bписал(?:\(а\)|а|и)?|\bwrote|\bwrites"
    r"|\bнаписав(?:\(ла\))?|\bнаписала?|\bпише|\bжазды)(?!\w)[^\n]{0,60}:$",
    re.IGNORECASE,
)
_YOU_WROTE: Final = re.compile(r"\b(?:вы|ты) писал[аи]?\b|\byou wrote\b", re.IGNORECASE)
_ANGLED: Final = re.compile(
    r"<\s*(?:mailto:)?[^\s<>@]+@[^\s<>@]+>|\[mailto:[^\]]+\]", re.IGNORECASE
)
_BEGINS: Final = re.compile(
    r"(?:on|в|пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun"
    r"|нд|неділя|понеділок|вівторок|середа|п.ятниця|субота|\d{1,2}|20\d\d)\b",
    re.IGNORECASE,
)
_SIGNED: Final = re.compile(
    r"(?:с (?:уважением|наилучшими|почтением|благодарностью|ув\.)|искренне ваш"
    r"|всего (?:доброго|хорошего)|(?:(?:with )?(?:best|kind|warm) )?regards|sincerely"
    r"|з повагою|құрметпен)\b[^\n]{0,60}",
    re.IGNORECASE,
)
_SENT_FROM: Final = re.compile(
    r"[-–—*_ ]*(?:отправлено (?:с|из|со|через|от)\b|sent (?:from|via|with)\b|get outlook for"
    r"|скачать outlook|получите outlook|надіслано (?:з|із)\b|письмо отправлено из)[^\n]{0,120}",
    re.IGNORECASE,
)
_NOTICE: Final = re.compile(
    r"[-–—*_ ]*(?:настоящ\w+ (?:электронн\w+ )?(?:сообщени|письм)"
    r"|(?:данн|эт)\w+ (?:электронн\w+ )?(?:сообщени|письм)\w*"
    r" (?:и|содержит|может содержать|предназначен)|уведомление о конфиден"
    r"|this (?:e-?mail|message)(?: and)?\b.{0,60}\b(?:confidential|intended)"
    r"|внимание!? ?(?:это )?внешн\w+ (?:отправител|почт|письм)|\[?external\]?[: ]"
    r"|вирусов нет|без вирусов|это сообщение (?:проверено|не содержит вирус)|virus-free)",
    re.IGNORECASE,
)


class Separator(Enum):
    """A line that stands between two mails."""

    FORWARD = auto()
    END = auto()
    ORIGINAL = auto()


@dataclass(frozen=True, slots=True)
class Heading:
    """What is said of an earlier mail above its text: a header block, or one line."""

    lines: int
    sender: Address
    date: str
    subject: str = ""
    subject_line: int | None = None
    """Which of its lines holds the subject."""


def unquoted(line: str) -> str | None:
    """Return the line without its outermost quote mark; None if it has none."""
    mark = _QUOTE.match(line)
    return line[mark.end() :] if mark else None


def separator(line: str) -> Separator | None:
    """Return what the line separates."""
    words = line.strip(_RULE)
    if len(line) > 160 or not words:  # noqa: PLR2004 - a rule of dashes around a few words
        return None
    if _FORWARD.fullmatch(words):
        return Separator.FORWARD
    if _END.fullmatch(words):
        return Separator.END
    ruled = line.lstrip().startswith(("--", "==", "__", "**", "- -"))
    return Separator.ORIGINAL if ruled and _ORIGINAL.fullmatch(words) else None


def header_block(lines: Sequence[str], at: int, *, announced: bool) -> Heading | None:
    """Return the header block that begins at a line.

    One that no separator announced must name a sender, a clock and two things more, so that a
    customer's "От: … Кому: … Дата: …" stays what it is: a letter.
    """
    found: dict[str, tuple[int, str]] = {}
    end = at
    for index in range(at, min(at + 14, len(lines))):
        line = lines[index]
        match = _KEY_LINE.fullmatch(line) if len(line) <= _LINE_MAX * 5 else None
        if match is None and announced and line.strip() and index == end:
            match = _BARE_KEY_LINE.fullmatch(line.strip()[:_LINE_MAX])
        if match:
            found.setdefault(_KEYS[match["key"].lower()], (index, match["value"].strip(" *_\t")))
            end = index + 1
        elif index == at or not line.strip() or index >= end + 3:
            break
    if "from" not in found or not found.keys() & {"date", "subject", "to"}:
        return None
    _, sender = found["from"]
    _, date = found.get("date", (0, ""))
    if not announced and (len(found) < 3 or not _CLOCK.search(date)):  # noqa: PLR2004 - told above
        return None
    line_of_subject, subject = found.get("subject", (None, ""))
    return Heading(
        end - at,
        _person(sender),
        date,
        subject,
        None if line_of_subject is None else line_of_subject - at,
    )


def attribution(lines: Sequence[str], at: int, *, quote_follows: bool = False) -> Heading | None:
    """Return the "wrote:" lines that begin at a line (a program may have wrapped them)."""
    text = ""
    for index in range(at, min(at + 4, len(lines))):
        line = lines[index].strip()
        if not line or len(line) > _LINE_MAX:
            return None
        text = f"{text} {line}".strip()
        if line.endswith(":") and _is_attribution(text, sure=not quote_follows):
            return Heading(index - at + 1, _person(_sender_in(text)), text)
        if not _BEGINS.match(text):
            return None
    return None


def is_rule(line: str) -> bool:
    """Return whether the line is drawn across the page."""
    text = line.strip()
    return len(text) >= 5 and len(set(text)) == 1 and text[0] in "_-—=*"  # noqa: PLR2004 - a signature's mark is shorter


def opens_signature(line: str) -> bool:
    """Return whether everything from this line on is a signature."""
    text = line.strip()
    if text in {"--", "—", "–", "---", "- -", "__"}:
        return True
    return len(text) <= 90 and bool(_SIGNED.fullmatch(text))  # noqa: PLR2004 - the words and a name


def is_program_line(line: str) -> bool:
    """Return whether a mail program or a company put this line there, not the person."""
    text = line.strip()
    return bool(_SENT_FROM.fullmatch(text) or _NOTICE.match(text)) and not names_payment(text)


def _is_attribution(text: str, *, sure: bool) -> bool:
    dated = bool(_DATED.search(text))
    clocked = dated and bool(_CLOCK.search(text))
    addressed = bool(_ANGLED.search(text)) or ("@" in text and clocked)
    spoken = bool(_VERB.search(text) or _YOU_WROTE.search(text))
    if (clocked and addressed) or (spoken and (clocked or addressed)):
        return True
    return not sure and (spoken or dated or addressed)


def _sender_in(text: str) -> str:
    """Return the part of a "wrote:" line that holds the address."""
    found = _ANGLED.search(text)
    if found is None:
        return re.sub(r".*[,\d] ", "", text.rstrip(":"))
    name = re.split(r"[,\d] |\bот\b|\bпользователь\b", text[: found.start()])[-1]
    return f"{name.strip()} {found.group()}"


def _person(text: str) -> Address:
    """Return who a heading names."""
    text = re.sub(r"[\[<]\s*mailto:([^\]>]+)[\]>]", r"<\1>", text[:_LINE_MAX])
    found = addresses([text]) if "@" in text else ()
    return found[0] if found else (Address(text.strip(' "'), "") if text else NOBODY)
