"""Adversarial mails: what tempts a matcher to attach what it should not.

Each is one of the held wordings with a snare in it; the kind of a mail says which.
"""
# ruff: noqa: E501 - a template is one line

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from tests.matching.renderers import pen
from tests.matching.renderers.carrier import OURS, Letter
from tests.matching.renderers.claim import Claim
from tests.matching.renderers.family import Family
from tests.matching.renderers.speaker import Speaker

COMMON: Final = Family(
    name="snares", split="held_c",
    subjects=("Обращение", "терминал", "Деньги", "помогите"),
    bodies=(
        "День добрый! [{when:month,near,short_dots,c_plain,c_dash,c_dot} ]<пополнял|оплатил|заплатила за> {service}[, {account:eight,plus_spaced,ten}][, {amount:full,r,sign}][, у вас на {street:bare}][ ({shop:straight})][, т-л {terminal}]. {trouble}",
        "{trouble} [Когда: {when:dots,month,c_bare}.] [Сколько: {amount:full}.] [Куда: {account:plus,eight}.] [Где: {street}.] [Аппарат {terminal}.]",
    ),
    troubles={
        "no_receipt": ("Чек аппарат не отдал.",),
        "not_credited": ("Деньги где-то потерялись.", "Оплата не видна."),
        "hung": ("Машина зависла с моими деньгами.",),
        "copy": ("Сделайте дубликат чека.",),
        "fee": ("Смущает комиссия.",),
        "wrong_number": ("Номер набран неверно.",),
        "double": ("Прошло повторно.",),
    },
    charsets=("utf-8", "windows-1251", "koi8-r"),
)  # fmt: skip


def wrong_day(claim: Claim, _chance: Random) -> None:
    """Let the customer be sure of the wrong day."""
    if claim.moment is not None:
        claim.moment -= timedelta(days=1)
        claim.how = "exact" if claim.how == "day" else claim.how


def two_payments(claim: Claim, chance: Random, body: str) -> str:
    """Return the body with another, good payment of the same person told first."""
    other = claim.other
    assert other is not None
    day = pen.day(other.local.date(), claim.written_at.date(), "month")
    clock = pen.clock(other.local, "plain")
    first = chance.choice((
        f"{day} {clock} я клал {other.inserted // 100} рублей, всё пришло сразу. А вот следующий раз нет.",
        f"Первый платёж {other.inserted // 100} руб. ({day}) прошёл нормально, речь о втором.",
    ))  # fmt: skip
    return f"{first}\n{body}"


def contact_not_account(claim: Claim, speaker: Speaker, body: str) -> str:
    """Return the body with a contact phone that pays elsewhere, and no account."""
    contact = pen.account(claim.contact, speaker.chance.choice(("eight", "plus_spaced", "ten")))
    claim.said.append(("contact", claim.contact.removeprefix("+")))
    return f"{body}\n{speaker.chance.choice(('Связаться со мной:', 'Перезвоните:', 'Мой номер для связи'))} {contact}"


def quoted_older(claim: Claim, chance: Random, body: str) -> str:
    """Return the body above an older claim of the same person that is settled."""
    other = claim.other
    assert other is not None
    day = f"{other.local:%d.%m.%Y}"
    wrote = f"{claim.written_at - timedelta(days=3):%d.%m.%Y}"
    return (
        f"Снова здравствуйте, прошлый вопрос решили, спасибо. Теперь новое.\n{body}\n\n"
        f"{wrote}, 12:05, konsultant <{OURS}> пишет:\n"
        f"> Ваш платёж от {day} на сумму {other.inserted // 100} руб. по терминалу"
        f" {other.place.terminal} зачислен.\n> Счёт {pen.account(other.account, 'plus')}\n"
        f"> {chance.choice(('С уважением, Служба поддержки', 'Ваш консультант Ольга'))}"
    )


def forwarded(claim: Claim, chance: Random, letter: Letter) -> Letter:
    """Return the mail as a consultant passes it on hours later."""
    name, box = chance.choice((("Ирина Павлова", "i.pavlova"), ("Сергей", "serg")))
    sent = letter.sent_at + timedelta(hours=chance.uniform(1, 30))
    head = chance.choice((
        f'-------- Пересылаемое сообщение --------\n{letter.sent_at:%d.%m.%Y, %H:%M}, "{name}" <{box}@mail.example>:\n',
        f"---------- Forwarded message ---------\nОт: {name} <{box}@mail.example>\nDate: {pen.day(letter.sent_at.date(), letter.sent_at.date(), 'long')} в {letter.sent_at:%H:%M}\nSubject: {letter.subject}\nTo: <{OURS}>\n",
    ))  # fmt: skip
    body = f"{chance.choice(('Коллеги, посмотрите.', 'FYI', 'от клиента, разберитесь пож-та'))}\n\n--\nОльга, консультант\n8 800 000-00-02\n\n{head}\n{letter.body}"
    claim.written_at = letter.sent_at
    return replace(
        letter, subject=f"Fwd: {letter.subject}", body=body, sent_at=sent,
        sender=("Ольга Консультант", "olga@staff.kvitok.example"),
    )  # fmt: skip


SNARES: Final = (
    "wrong_day", "two_payments", "contact", "quoted", "forward", "phantom", "phantom_known",
    "phantom_here", "twin", "robot",
)  # fmt: skip
SNARE_WEIGHTS: Final = (12, 14, 12, 12, 16, 8, 8, 8, 6, 10)

_ROBOTS: Final[tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...]] = (
    ("Автоответ: Ваше обращение", "Спасибо за письмо! Я в отпуске до 30 ноября. По срочным вопросам звоните {phone}.",
     "ivanova@firm.example", (("Auto-Submitted", "auto-replied"),)),
    ("Undelivered Mail Returned to Sender", "This is the mail system at host mx.mail.example.\nI'm sorry to have to inform you that your message could not be delivered.\n<serg@mail.example>: user unknown\n\nВаш платёж {amount} руб. терминал {terminal}, счёт {account} зачислен.",
     "MAILER-DAEMON@mx.mail.example", (("Auto-Submitted", "auto-replied"), ("Return-Path", "<>"))),
    ("Скидки до 70% только сегодня", "Успейте купить! Терминалы, принтеры, купюроприёмники от {amount} рублей. Звоните {phone}. Отписаться: http://spam.example/u",
     "news@shop.example", (("List-Unsubscribe", "<http://spam.example/u>"), ("Precedence", "bulk"))),
    ("Платёж принят", "Уважаемый абонент! Ваш платёж {amount} руб. на номер {account} через терминал {terminal} принят. Это письмо сформировано автоматически.",
     "noreply@operator.example", (("Auto-Submitted", "auto-generated"),)),
    ("Вы выиграли 1 000 000 рублей", "Поздравляем! Для получения выигрыша переведите {amount} рублей на номер {account}.",
     "prize@win.example", (("X-Spam-Flag", "YES"),)),
)  # fmt: skip


def robot(claim: Claim, chance: Random) -> Letter:
    """Return a mail that no person wrote, with facts of a real payment in some."""
    subject, body, sender, headers = chance.choice(_ROBOTS)
    payment = claim.payment
    return Letter(
        subject=subject,
        body=body.format(
            amount=payment.inserted // 100, account=payment.account,
            terminal=payment.place.terminal, phone=pen.account(claim.contact, "eight"),
        ),
        sent_at=claim.written_at, sender=("", sender), headers=headers,
    )  # fmt: skip


TWIST: Final[dict[str, Callable[[Claim, Random], None]]] = {"wrong_day": wrong_day}
