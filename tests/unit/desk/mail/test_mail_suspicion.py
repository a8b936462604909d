"""What is set aside, by which reason, and what must not be."""

import pytest

from desk.mail.suspicion import Reason
from tests.unit.desk.mail.mail_codes import receipt, saved
from tests.unit.desk.mail.mail_letters import CLAIM, CLIENT, STAFF, mail, mail_with, raw, read

BOUNCE = raw(
    """From: Mail Delivery System <MAILER-DAEMON@mx.mail.example>
    To: konsultant@kassy.example
    Subject: Undelivered Mail Returned to Sender
    Return-Path: <>
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status; boundary="B" """,
    b"--B\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n--B\r\n"
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
    b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--B\r\n"
    b"Content-Type: message/rfc822\r\n\r\n" + mail(From="konsultant@kassy.example") + b"\r\n--B--",
)
AWAY = (
    "Здравствуйте! Я нахожусь в отпуске с 20.11 по 04.12. По срочным вопросам: Мария, доб. 12.",
    "Добрый день. Буду отсутствовать на рабочем месте до 30 ноября.",
    "Ваше письмо получено и будет рассмотрено. Пожалуйста, не отвечайте на это сообщение.",
    "I am currently out of the office until Monday.",
    "Спасибо за обращение! Это автоматический ответ.",
)

SET_ASIDE = [
    ("bounce", Reason.BOUNCE, BOUNCE),
    ("bounce by sender", Reason.BOUNCE, mail("x", From="Mailer-Daemon@corp.mail.example")),
    ("bounce of exim", Reason.BOUNCE, mail("x", X_Failed_Recipients="a@b.example")),
    ("bounce in russian", Reason.BOUNCE,
     mail("x", Return_Path="<>", Subject="Недоставленное сообщение")),
    ("rfc 3834", Reason.AUTOMATIC_REPLY, mail(Auto_Submitted="auto-replied; owner-email=x")),
    ("generated", Reason.AUTOMATIC_REPLY, mail(Auto_Submitted="auto-generated")),
    ("x-autoreply", Reason.AUTOMATIC_REPLY, mail(X_Autoreply="yes")),
    ("precedence", Reason.AUTOMATIC_REPLY, mail(Precedence="auto_reply")),
    ("null sender", Reason.AUTOMATIC_REPLY, mail(Return_Path="<>")),
    ("subject", Reason.AUTOMATIC_REPLY, mail("x", Subject="Автоматический ответ: Деньги")),
    ("subject 2", Reason.AUTOMATIC_REPLY, mail("x", Subject="Автоответ: Re: [K-2026-000123]")),
    ("subject en", Reason.AUTOMATIC_REPLY, mail("x", Subject="Automatic reply: K-2026-000123")),
    ("read receipt", Reason.AUTOMATIC_REPLY, mail("x", Subject="Прочитано: Ответ")),
    *((f"away {at}", Reason.AUTOMATIC_REPLY, mail(text, Subject="Re: Ответ"))
      for at, text in enumerate(AWAY)),
    ("list", Reason.LIST, mail(List_Id="<news.shop.example>")),
    ("bulk", Reason.LIST, mail(Precedence="bulk")),
    ("newsletter", Reason.LIST, mail("Осенние новости магазина", Subject="Новости",
                                     List_Unsubscribe="<mailto:u@x.example>")),
    ("own", Reason.OWN_MAIL, mail(From="Консультант <Konsultant@kassy.example>")),
    ("own with a tag", Reason.OWN_MAIL, mail(From="konsultant+k1@kassy.example")),
    ("own by mark", Reason.OWN_MAIL, mail(X_Kvitok="reply")),
    ("no-reply", Reason.NO_REPLY, mail(From="no-reply@bank.example")),
    ("noreply tagged", Reason.NO_REPLY, mail(From="noreply+12@bank.example")),
    ("called spam", Reason.SPAM_LIKE, mail(X_Spam_Flag="YES")),
    ("spam status", Reason.SPAM_LIKE, mail(X_Spam_Status="Yes, score=8.1 required=5.0")),
    ("yandex spam", Reason.SPAM_LIKE, mail(X_Yandex_Spam="4")),
    ("sells", Reason.SPAM_LIKE,
     mail("Продвижение сайтов в топ! Скидка 30% только сегодня. Отписаться.", Subject="Клиенты")),
    ("casino", Reason.SPAM_LIKE,
     mail("Казино онлайн: вы выиграли бонус", Subject="Bonus")),
    ("sells at prices", Reason.SPAM_LIKE,
     mail("Чайники от 990 руб., утюги от 700 руб.! Оплата картой. Промокод ЗИМА. Отписаться",
          Subject="Чёрная пятница")),
    ("lends", Reason.SPAM_LIKE,
     mail("Поздравляем! Вам одобрен займ 30 000 руб. Без справок, ставка 0,5% в день.",
          Subject="Деньги сегодня")),
    ("a bill", Reason.AUTOMATIC_REPLY,
     mail("Счёт на 980 руб. Письмо создано программой, отвечать на него не нужно.",
          Subject="Счёт за ноябрь")),
    ("an alarm", Reason.AUTOMATIC_REPLY,
     mail("Door 4 open since 02:11. Please do not reply to this e-mail.", Subject="ALARM")),
    ("a statement", Reason.AUTOMATIC_REPLY,
     mail("Обороты за день 90 000 руб. Уведомление создано автоматически.", Subject="Выписка")),
    ("an inheritance", Reason.SPAM_LIKE,
     mail("Dear friend, 3.400.000 USD wait for you. Call my attorney.", Subject="Hello")),
    ("a newsletter with prices", Reason.LIST,
     mail("Сапоги за 3 000 руб., доставка даром.", Subject="Новинки",
          List_Unsubscribe="<mailto:u@x.example>")),
    ("empty", Reason.EMPTY, mail("", Subject="")),
    ("only a signature", Reason.EMPTY, mail("\n\nОтправлено с iPhone\n", Subject="Re:")),
    ("two senders", Reason.NO_SENDER, mail(From="a@b.example, c@d.example")),
    ("nobody", Reason.NO_SENDER, mail(From="")),
    ("no bytes", Reason.NO_SENDER, b""),
]  # fmt: skip

READ = [
    ("plain", mail()),
    ("a person says no robot", mail(Auto_Submitted="no")),
    ("outlook wants no answers", mail(X_Auto_Response_Suppress="All")),
    ("only a subject", mail("", Subject="Терминал 104233 не выдал чек на 500 руб")),
    ("only a photo", mail_with((("1.jpg", "image/jpeg", saved(receipt())),), "", Subject="")),
    ("was on holiday", mail("Я был в отпуске, деньги через терминал 104233 не пришли.")),
    ("away, but paid", mail("Я в отпуске, заплатил через терминал 500 руб., чек не вышел")),
    ("form of a page", mail(From="noreply@shop.example", Reply_To="ivan@mail.example")),
    ("our mailbox is a group",
     mail(List_Id="<konsultant.kassy.example>", Precedence="list", List_Post="<x>")),
    ("customer of a firm with a newsletter footer", mail(List_Unsubscribe="<mailto:x@y.example>")),
    ("forward of a robot's mail by staff", mail(From=STAFF, Subject="Fwd: Автоответ")),
    ("ham", mail(X_Spam_Status="No, score=-1", X_Spam_Flag="NO", X_Yandex_Spam="1")),
    ("speaks of a discount", mail("Скидка не сработала, отписаться не могу, терминал взял 500р")),
    ("lured by an offer", mail("По промокоду со скидкой кинул 500 руб., займ не погасился")),
    ("prices alone", mail("Скидка была 10%, вышло 450 р. вместо 500", Subject="вопрос")),
    ("return path", mail(Return_Path="<ivan@mail.example>")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "content"), [each[1:] for each in SET_ASIDE],
                         ids=[each[0] for each in SET_ASIDE])  # fmt: skip
def test_a_letter_is_set_aside_for_its_reason(reason: Reason, content: bytes) -> None:
    """With what shows it; the letter itself is still all there."""
    found = read(content).suspicion
    assert found is not None
    assert found.reason is reason
    assert found.shown_by


@pytest.mark.parametrize("content", [each[1] for each in READ], ids=[each[0] for each in READ])
def test_a_letter_of_a_person_is_read(content: bytes) -> None:
    """What only resembles a robot's mail."""
    assert read(content).suspicion is None


def test_a_quoted_notice_of_absence_is_no_automatic_reply() -> None:
    """Only what the sender says now counts."""
    text = f"{CLAIM}\n\n22.11.2026, 18:30, {CLIENT}:\n> Я нахожусь в отпуске\n"
    assert read(mail(text)).suspicion is None
