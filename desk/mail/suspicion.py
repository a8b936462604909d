"""Why a letter is set aside for a person instead of being read as a report.

A letter that speaks of a payment is never set aside for its wording, only for what its headers
prove. `X-Auto-Response-Suppress` says "do not answer me", not "I am a robot", and
`Auto-Submitted: no` says a person wrote (RFC 3834).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from desk.mail.letter import Letter, OwnAddresses
from desk.mail.payment_words import tells_of_payment
from desk.mail.quoting import bare


class Reason(StrEnum):
    """Why."""

    OWN_MAIL = "own_mail"
    """We wrote it ourselves: a loop."""
    BOUNCE = "bounce"
    """A mail server tells that a mail of ours did not arrive."""
    AUTOMATIC_REPLY = "automatic_reply"
    """A program answered: on holiday, read, received."""
    LIST = "list"
    """A mailing list or a bulk mail."""
    NO_REPLY = "no_reply"
    """Its sender reads no answers, and no other address is given."""
    SPAM_LIKE = "spam_like"
    """A mail server called it spam, or it sells and says nothing of a payment."""
    EMPTY = "empty"
    """No word and no file."""
    NO_SENDER = "no_sender"
    """Nobody, or more than one, claims to have written it."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The reason, and what in the letter shows it."""

    reason: Reason
    shown_by: str


_BOUNCER: Final = re.compile(r"(?:mailer-?daemon|postmaster|mail-daemon)(?:[+._-].*)?@|^<>$")
_BOUNCED: Final = re.compile(
    r"undeliver(?:ed|able)|delivery (?:status notification|failure|has failed)|returned mail"
    r"|mail delivery (?:failed|system|subsystem)|failure notice|message could not be delivered"
    r"|недоставлен|не (?:удалось|может быть) доставл|не доставлено|сообщение не доставлено"
    r"|ошибка доставки|сбой доставки",
    re.IGNORECASE,
)
_ROBOT: Final = re.compile(
    r"(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|donotreply|noreply[-_.\w]*|robot|autoreply|bounces?"
    r"|notifications?|mailer|info-?robot)(?:[+._-][^@]*)?@"
)
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"[\s\[(]*(?:авто(?:матический )?[- ]?ответ|автоматическое (?:уведомление|сообщение)"
    r"|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|вне офиса|отсутствие на рабочем"
    r"|(?:не )?прочитано:|прочтено:|read:|доставлено:|delivered:)",
    re.IGNORECASE,
)
_AWAY: Final = re.compile(
    r"(?:нахожусь|буду находиться|я) (?:сейчас |временно )?(?:в (?:\w+ )?(?:отпуск|командировк)"
    r"|на больничном|вне офиса)|(?:буду|сейчас|временно|в настоящее время) отсутств(?:у|ов)"
    r"|отсутствую (?:на (?:рабочем )?месте|в офисе)|меня (?:не будет|нет) (?:в офисе|на месте)"
    r"|(?:ваше|данное|это) (?:письмо|сообщение|обращение) (?:было )?(?:получено|принято"
    r"|сформировано автоматически|отправлено автоматически|создано автоматически)"
    r"|(?:письмо|сообщение|уведомление) (?:сформировано|создано|отправлено) автоматически"
    r"|do not reply to this (?:e-?mail|message)"
    r"|(?:пожалуйста, )?не отвечайте на (?:это|данное) (?:письмо|сообщение)"
    r"|отвечать на (?:него|это письмо) не (?:нужно|надо|требуется)|это автоматическ(?:ий ответ|ое)"
    r"|перебуваю у відпустці|i am (?:currently )?(?:out of|away from) (?:the )?office"
    r"|i(?:'m| am) on (?:vacation|leave|holiday)|this is an automat(?:ed|ic) (?:reply|message)",
    re.IGNORECASE,
)
_SELLS: Final = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"казино|букмекер|ставк[аи] на спорт|casino|betting|slots\b",
        r"продвижени[ея] (?:сайт|ваш)|\bseo\b|раскрутк|вывод в топ|создание сайт|backlinks?",
        r"отписаться|unsubscribe|рассылк",
        r"промокод|ч[её]рная пятница|купон|кэшбэк|выгод[аен]",
        r"одобрен[ао]? (?:за[йя]м|кредит|карт|заявк)|заявка .{0,20}одобрена|за[йё]м\b|без справок",
        r"ставка \d|процентн\w+ ставк|\d ?% в (?:день|месяц|год)|% годовых",
        r"скидк[аиу]|акци[яи] действует|спецпредложени|только (?:сегодня|до конца)|распродаж",
        r"микрозайм|займ(?:ы|а)? (?:без|онлайн|до)|кредит (?:без|под|за)|viagra|cialis|виагр",
        r"биткоин|bitcoin|crypto|инвестиц|пассивный доход|заработок в интернете",
        r"вы выиграли|you (?:have )?won|наследств|inheritance|donation of|пожертвован",
        r"million (?:usd|eur|dollars|euro)|\d{1,3}(?:[.,]\d{3}){2,} ?(?:usd|eur|\$|€)",
        r"beneficiary|бенефициар|next of kin|my (?:lawyer|attorney)|dear (?:sir or madam|friend)",
        r"коммерческое предложение|оптовые цены|прайс[- ]лист|приглаша.{0,20}(?:вебинар|семинар)",
    )
)
_AUTOMATIC_HEADERS: Final = {
    "auto-submitted": frozenset({"no"}),
    **dict.fromkeys(
        ("x-autoreply", "x-autorespond", "x-autoresponse", "x-mail-autoreply",
         "x-autorespond-from"),
        frozenset({"no", "false", "0"}),
    ),
}  # fmt: skip
"""Headers of robots, with the values that a person's mail may have in them."""
_SPAM_HEADERS: Final = {
    "x-spam-flag": r"yes|true",
    "x-spam": r"yes|true",
    "x-spam-status": r"yes",
    "x-yandex-spam": r"4$",
    "x-rspamd-action": r"reject|add header",
}
"""What mail servers call spam."""
_LINKS_MAX: Final = 6
_AWAY_CHARS_MAX: Final = 1_500
"""A notice of absence is short; a long letter has something to say."""


def suspicion(letter: Letter, own: OwnAddresses, *, said: str) -> Suspicion | None:
    """Return why the letter is set aside; None for one to be read.

    `said` is what its sender wrote or passed on, without quotes and signature.
    """
    for reason, check in _CHECKS:
        shown_by = check(letter, own, said)
        if shown_by:
            return Suspicion(reason, shown_by)
    return None


def _own_mail(letter: Letter, own: OwnAddresses, _said: str) -> str:
    if own.is_program(letter.sender.address):
        return f"from: {letter.sender.address}"
    return "x-kvitok" if letter.header("x-kvitok") else ""


def _bounce(letter: Letter, _own: OwnAddresses, _said: str) -> str:
    for kind in letter.media_types:
        if kind.startswith("message/delivery-status") or "report-type=delivery-status" in kind:
            return kind
    if letter.header("x-failed-recipients"):
        return "x-failed-recipients"
    if _BOUNCER.match(letter.sender.address):
        return f"from: {letter.sender.address}"
    null = "<>" in letter.headers.get("return-path", ())
    return "return-path: <>" if null and _BOUNCED.search(letter.subject) else ""


def _automatic(letter: Letter, _own: OwnAddresses, said: str) -> str:
    for name, people in _AUTOMATIC_HEADERS.items():
        value = re.split(r"[;\s]", letter.header(name).strip().lower())[0]
        if value and value not in people:
            return f"{name}: {value}"
    if letter.header("precedence").strip().lower() in {"auto_reply", "auto-reply"}:
        return "precedence: auto_reply"
    if any("report-type=disposition-notification" in kind for kind in letter.media_types):
        return "report-type=disposition-notification"
    if "<>" in letter.headers.get("return-path", ()):
        return "return-path: <>"
    if _AUTOMATIC_SUBJECT.match(letter.subject):
        return f"subject: {letter.subject[:80]}"
    away = _AWAY.search(said) if len(said) <= _AWAY_CHARS_MAX else None
    return away.group() if away and not tells_of_payment(f"{bare(letter.subject)}\n{said}") else ""


def _list(letter: Letter, own: OwnAddresses, said: str) -> str:
    ours = {mailbox.replace("@", ".") for mailbox in own.mailboxes}
    lists = [each.lower() for each in letter.headers.get("list-id", ())]
    if any(mine in each for each in lists for mine in ours):
        return ""  # our own mailbox is a group: its members' mail is not a list's
    for name in ("list-id", "list-post"):
        if letter.header(name):
            return name
    if letter.header("precedence").strip().lower() in {"list", "bulk", "junk"}:
        return f"precedence: {letter.header('precedence')}"
    bulk = letter.header("list-unsubscribe") or letter.header("feedback-id")
    return "list-unsubscribe" if bulk and not tells_of_payment(said) else ""


def _no_reply(letter: Letter, own: OwnAddresses, _said: str) -> str:
    if not _ROBOT.match(letter.sender.address):
        return ""
    others = [each for each in letter.reply_to if not _ROBOT.match(each.address)]
    if any(not own.is_program(each.address) for each in others):
        return ""  # a form on a web page writes so, in a customer's name
    return f"from: {letter.sender.address}"


def _spam_like(letter: Letter, _own: OwnAddresses, said: str) -> str:
    for name, verdict in _SPAM_HEADERS.items():
        if re.match(verdict, letter.header(name).strip(), re.IGNORECASE):
            return f"{name}: {letter.header(name)[:40]}"
    if re.match(r"[\s\[*(]*spam[\s\]*)]", letter.subject, re.IGNORECASE):
        return "subject: [SPAM]"
    text = f"{bare(letter.subject)}\n{said}"
    if tells_of_payment(text):
        return ""
    sold = [found.group() for pattern in _SELLS if (found := pattern.search(text))]
    if len(re.findall(r"https?://", text)) > _LINKS_MAX:
        sold.append("links")
    return ", ".join(sold) if len(sold) > 1 else ""


def _empty(letter: Letter, _own: OwnAddresses, said: str) -> str:
    words = re.search(r"\w", said) or re.search(r"\w{2}", bare(letter.subject))
    return "" if words or letter.files else "no text, no file"


def _no_sender(letter: Letter, _own: OwnAddresses, _said: str) -> str:
    return "" if letter.senders == 1 else f"{letter.senders} senders"


_CHECKS: Final[tuple[tuple[Reason, Callable[[Letter, OwnAddresses, str], str]], ...]] = (
    (Reason.OWN_MAIL, _own_mail),
    (Reason.BOUNCE, _bounce),
    (Reason.AUTOMATIC_REPLY, _automatic),
    (Reason.LIST, _list),
    (Reason.NO_REPLY, _no_reply),
    (Reason.SPAM_LIKE, _spam_like),
    (Reason.NO_SENDER, _no_sender),
    (Reason.EMPTY, _empty),
)
"""Asked in this order; the first that holds is the reason."""
