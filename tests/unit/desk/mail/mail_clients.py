"""What each mail program makes of an answer and of a forward: text and HTML, as found in mailboxes.

Each entry: name, raw mail, what must be new, forwarded, in the signature. Words of our earlier
mail ("Пришлите чек") must never be new.
"""

# ruff: noqa: E501 - mails have the lines that they have

from typing import NamedTuple

from tests.unit.desk.mail.mail_letters import CLAIM, STAFF, mail

ASKED = "Здравствуйте! Пришлите чек и номер терминала 999999."
ANSWER = "Терминал 104233, внёс 500 рублей вчера в 18:40."
REPLY = {"Subject": "Re: Ваше обращение [K-2026-000123]", "In_Reply_To": "<x@kassy.example>"}
US = '"konsultant@kassy.example" <konsultant@kassy.example>'
THEM = "Иван Петров <ivan.petrov@mail.example>"


class Sample(NamedTuple):
    """One mail, and who said what in it."""

    name: str
    raw: bytes
    new: str = ANSWER
    forwarded: str = ""
    signature: str = ""


def replied(name: str, text: str, *, new: str = ANSWER, signature: str = "") -> Sample:
    """Return an answer to our mail in plain text."""
    return Sample(name, mail(text, None, **REPLY), new, "", signature)


def replied_html(name: str, html: str, *, new: str = ANSWER, signature: str = "") -> Sample:
    """Return an answer to our mail that has only HTML."""
    return Sample(name, mail("", html, **REPLY), new, "", signature)


def passed_on(  # noqa: PLR0913 - each but two has its usual value
              name: str, text: str, *, new: str = "", html: str | None = None,
              subject: str = "Fwd: Не пришли деньги", forwarded: str = CLAIM,
              signature: str = "") -> Sample:  # fmt: skip
    """Return a consultant's mail that passes a client's on."""
    content = mail(text, html, From=STAFF, Subject=subject)
    return Sample(name, content, new, forwarded, signature)


REPLIES = (
    replied("yandex", f"{ANSWER}\n\n22.11.2026, 18:30, {US}:\n> {ASKED}\n> Ждём ответа.\n"),
    replied("yandex, no marks",
            f"{ANSWER}\n \n22.11.2026, 18:30, {US}:\n\n{ASKED}\n \n-- \nКонсультант\n"),
    replied("yandex, signature before",
            f"{ANSWER}\n \n-- \nИван Петров\n8 903 000-11-22\n \n18:30, 22 ноября 2026 г., {US}:\n\n{ASKED}",
            signature="-- \nИван Петров\n8 903 000-11-22"),
    replied("mail.ru",
            f"{ANSWER}\n\n--\nИван Петров\n\n"
            f"Воскресенье, 22 ноября 2026, 18:30 +03:00 от {US}:\n>{ASKED}\n>\n>Ждём.\n",
            signature="--\nИван Петров"),
    replied("mail.ru mobile",
            f"{ANSWER}\n\n--\nОтправлено из Mail.ru для Android\n"
            f"воскресенье, 22 ноября 2026г., 18:30 +03:00 от konsultant konsultant@kassy.example:\n"
            f"\n>{ASKED}", signature="--\nОтправлено из Mail.ru для Android"),
    replied("gmail ru",
            f"{ANSWER}\n\nвс, 22 нояб. 2026 г. в 18:30, {US}:\n\n> {ASKED}\n>\n> --\n> Консультант\n"),
    replied("gmail ru, wrapped",
            f"{ANSWER}\n\nвс, 22 нояб. 2026 г. в 18:30, Консультант отдела расчётов\n"
            f"<konsultant@kassy.example>:\n\n> {ASKED}\n"),
    replied("gmail older",
            f"{ANSWER}\n\n22 ноября 2026 г., 18:30 пользователь {US} написал:\n\n> {ASKED}\n"),
    replied("gmail en",
            f"{ANSWER}\n\nOn Sun, Nov 22, 2026 at 6:30 PM {US}\nwrote:\n\n> {ASKED}\n"),
    replied("outlook ru",
            f"{ANSWER}\n\nС уважением,\nИван Петров\nтел. 8 903 000-11-22\n\n"
            f"From: {US}\nSent: Sunday, November 22, 2026 6:30 PM\nTo: Иван\nSubject: Ответ\n\n{ASKED}",
            signature="С уважением,\nИван Петров\nтел. 8 903 000-11-22"),
    replied("outlook ru block",
            f"{ANSWER}\n\nОт: {US}\nОтправлено: 22 ноября 2026 г. 18:30\nКому: {THEM}\nТема: Ответ\n\n{ASKED}"),
    replied("outlook rule",
            f"{ANSWER}\n\n________________________________\nОт: {US}\n"
            f"Отправлено: 22 ноября 2026 г. 18:30:00\nКому: {THEM}\nТема: Ответ\n\n{ASKED}"),
    replied("outlook express",
            f"{ANSWER}\n\n-----Исходное сообщение-----\nFrom: konsultant\n"
            f"Sent: Sunday, November 22, 2026 6:30 PM\nTo: Иван\nSubject: Ответ\n\n{ASKED}"),
    replied("original message",
            f"{ANSWER}\n\n----- Original Message -----\nFrom: konsultant@kassy.example\nTo: Ivan\n\n{ASKED}"),
    replied("iphone",
            f"{ANSWER}\n\nОтправлено с iPhone\n\n> 22 нояб. 2026 г., в 18:30, {US} написал(а):\n> \n> {ASKED}\n",
            signature="Отправлено с iPhone"),
    replied("iphone, line outside",
            f"{ANSWER}\n\nОтправлено с iPhone\n\n22 нояб. 2026 г., в 18:30, {US} написал(а):\n\n> {ASKED}\n",
            signature="Отправлено с iPhone"),
    replied("thunderbird", f"{ANSWER}\n\n22.11.2026 18:30, Консультант пишет:\n> {ASKED}\n"),
    replied("thunderbird, below",
            f"22.11.2026 18:30, Консультант пишет:\n> {ASKED}\n\n{ANSWER}\n"),
    replied("the bat",
            f"Здравствуйте, Консультант.\n\nВы писали 22 ноября 2026 г., 18:30:22:\n\n"
            f"K> Пришлите чек.\n\nЧек не вышел.\n\nK> Номер терминала?\n\n{ANSWER}\n\n-- \nС уважением,\n Иван",
            new=f"Здравствуйте, Консультант.\n\nЧек не вышел.\n\n{ANSWER}",
            signature="-- \nС уважением,\n Иван"),
    replied("samsung",
            f"{ANSWER}\n\nОтправлено с моего Galaxy\n\n-------- Исходное сообщение --------\n"
            f"От: {US}\nДата: 22.11.2026 18:30 (GMT+03:00)\nКому: {THEM}\nТема: Ответ\n\n{ASKED}",
            signature="Отправлено с моего Galaxy"),
    replied("yandex mobile",
            f"{ANSWER}\n\nОтправлено из мобильной Яндекс Почты\n\n"
            f"22.11.2026, 18:30, {US}:\n> {ASKED}", signature="Отправлено из мобильной Яндекс Почты"),
    replied("weak line, then marks", f"{ANSWER}\n\nКонсультант писал(а):\n> {ASKED}\n"),
    replied("nothing but a signature",
            f"{ANSWER}\n\n--\nИван\n+7 916 555-44-33", signature="--\nИван\n+7 916 555-44-33"),
    replied("afterword",
            f"{ANSWER}\n\nС уважением, Иван\n\nP.S. Внёс ещё 100 рублей.",
            new=f"{ANSWER}\n\nP.S. Внёс ещё 100 рублей.", signature="С уважением, Иван"),
)  # fmt: skip

HTML_REPLIES = (
    replied_html("yandex html",
                 f'<div>{ANSWER}</div><div> </div><div>22.11.2026, 18:30, "konsultant" &lt;'
                 f"konsultant@kassy.example&gt;:</div><blockquote><div>{ASKED}</div></blockquote>"),
    replied_html("gmail html",
                 f'<div dir="ltr">{ANSWER}</div><br><div class="gmail_quote"><div dir="ltr" '
                 'class="gmail_attr">вс, 22 нояб. 2026 г. в 18:30, konsultant &lt;<a href="mailto:k">'
                 'konsultant@kassy.example</a>&gt;:<br></div><blockquote class="gmail_quote" '
                 f'style="margin:0px 0px 0px 0.8ex;border-left:1px solid">{ASKED}</blockquote></div>'),
    replied_html("mail.ru html",
                 f'<HTML><BODY><p>{ANSWER}</p><p>--<br>Иван</p><blockquote style="border-left:1px '
                 'solid #0857A6;margin:10px;padding:0 0 0 10px;">Воскресенье, 22 ноября 2026, 18:30 '
                 f'+03:00 от konsultant &lt;konsultant@kassy.example&gt;:<br><div>{ASKED}</div>'
                 "</blockquote></BODY></HTML>", signature="--\nИван"),
    replied_html("outlook html",
                 "<html><head><style>p.MsoNormal{margin:0}</style></head><body><div class=WordSection1>"
                 f'<p class="MsoNormal">{ANSWER}<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
                 '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
                 '<p class="MsoNormal"><b>From:</b> konsultant@kassy.example <br><b>Sent:</b> Sunday, '
                 "November 22, 2026 6:30 PM<br><b>To:</b> Иван Петров<br><b>Subject:</b> Ответ</p></div>"
                 f'<p class="MsoNormal">{ASKED}</p></div></body></html>'),
    replied_html("outlook mobile html",
                 f'<div>{ANSWER}</div><div id="ms-outlook-mobile-signature"><div>Скачать Outlook для iOS'
                 '</div></div><hr><div id="divRplyFwdMsg"><b>От:</b> konsultant@kassy.example<br><b>'
                 "Отправлено:</b> 22 ноября 2026 г. 18:30<br><b>Кому:</b> Иван<br><b>Тема:</b> Ответ"
                 f"</div><div>{ASKED}</div>", signature="--\nСкачать Outlook для iOS"),
    replied_html("iphone html",
                 f'<html><body dir="auto">{ANSWER}<div><br><div dir="ltr">Отправлено с iPhone</div><div '
                 'dir="ltr"><br><blockquote type="cite">22 нояб. 2026&nbsp;г., в 18:30, konsultant '
                 f'написал(а):<br><br></blockquote></div><blockquote type="cite"><div>{ASKED}</div>'
                 "</blockquote></div></body></html>", signature="Отправлено с iPhone"),
    replied_html("thunderbird html",
                 f'<p>{ANSWER}</p><div class="moz-cite-prefix">22.11.2026 18:30, konsultant пишет:<br>'
                 f'</div><blockquote type="cite" cite="mid:x"><p>{ASKED}</p></blockquote>'),
)  # fmt: skip

HEAD = f"От: {THEM}\nДата: вс, 22 нояб. 2026 г. в 18:30\nТема: Не пришли деньги\nКому: o.smirnova@kassy.example"

FORWARDS = (
    passed_on("yandex",
              f"Коллеги, прошу проверить.\n\n-------- Пересылаемое сообщение --------\n"
              f'22.11.2026, 18:30, "Иван Петров" <ivan.petrov@mail.example>:\n\n{CLAIM}\n\n'
              "-------- Конец пересылаемого сообщения --------\n\n-- \nС уважением, Ольга\n8 800 555-00-00",
              new="Коллеги, прошу проверить.", signature="-- \nС уважением, Ольга\n8 800 555-00-00"),
    passed_on("mail.ru",
              f"-------- Пересылаемое сообщение --------\nОт кого: {THEM}\nКому: o.smirnova@kassy.example\n"
              f"Дата: Воскресенье, 22 ноября 2026, 18:30 +03:00\nТема: Не пришли деньги\n \n{CLAIM}\n"),
    passed_on("gmail", f"См. ниже\n\n---------- Forwarded message ---------\n{HEAD}\n\n\n{CLAIM}\n",
              new="См. ниже"),
    passed_on("gmail en",
              f"---------- Forwarded message ---------\nFrom: {THEM}\nDate: Sun, Nov 22, 2026 at 6:30 PM\n"
              f"Subject: Не пришли деньги\nTo: <o.smirnova@kassy.example>\n\n\n{CLAIM}"),
    passed_on("outlook",
              f"Прошу в работу.\n\nОльга\n\nFrom: {THEM}\nSent: Sunday, November 22, 2026 6:30 PM\n"
              f"To: Ольга\nSubject: Не пришли деньги\n\n{CLAIM}", subject="FW: Не пришли деньги",
              new="Прошу в работу.\n\nОльга"),
    passed_on("outlook ru",
              f"От: {THEM}\nОтправлено: 22 ноября 2026 г. 18:30\nКому: Ольга\nТема: Не пришли деньги\n\n{CLAIM}",
              subject="ПЕРЕСЛ: Не пришли деньги"),
    passed_on("outlook, no prefix",
              f"От: {THEM}\nОтправлено: 22 ноября 2026 г. 18:30\nКому: Ольга\nТема: Не пришли деньги\n\n{CLAIM}",
              subject="жалоба клиента"),
    passed_on("iphone",
              f"Начало переадресованного сообщения:\n\n> От: {THEM}\n> Дата: 22 ноября 2026 г. в 18:30:22 GMT+3\n"
              f"> Кому: o.smirnova@kassy.example\n> Тема: Не пришли деньги\n> \n> {CLAIM}\n"),
    passed_on("iphone, all marked",
              f"> Begin forwarded message:\n> \n> From: {THEM}\n> Subject: Не пришли деньги\n"
              f"> Date: 22 November 2026 at 18:30:22 GMT+3\n> To: o.smirnova@kassy.example\n> \n> {CLAIM}\n"),
    passed_on("thunderbird",
              f"-------- Перенаправленное сообщение --------\nТема: \tНе пришли деньги\n"
              f"Дата: \tSun, 22 Nov 2026 18:30:00 +0300\nОт: \t{THEM}\nКому: \to.smirnova@kassy.example\n\n\n{CLAIM}"),
    passed_on("the bat",
              f"Добрый день.\n\n===8<==============Оригинальный текст сообщения===============\n"
              f"From: {THEM}\nDate: 22 ноября 2026 г., 18:30:22\nSubject: Не пришли деньги\n\n{CLAIM}\n"
              f"===8<===========Конец оригинального текста сообщения===========\n\n-- \nОльга",
              new="Добрый день.", signature="-- \nОльга"),
    passed_on("client's signature and quote",
              f"---------- Forwarded message ---------\n{HEAD}\n\n{CLAIM}\n\n-- \nИван, 8 903 000-11-22\n\n"
              f"20.11.2026, 11:00, {US}:\n> {ASKED}\n", signature="-- \nИван, 8 903 000-11-22"),
    passed_on("nested",
              "Прошу разобраться\n\n-------- Пересылаемое сообщение --------\n"
              '23.11.2026, 09:00, "Пётр" <p.orlov@kassy.example>:\n\nОля, это к вам\n\n'
              f"---------- Forwarded message ---------\n{HEAD}\n\n{CLAIM}",
              new="Прошу разобраться", forwarded=f"Оля, это к вам\n{CLAIM}"),
    passed_on("colleague's answer above the client",
              "---------- Forwarded message ---------\nОт: Пётр <p.orlov@kassy.example>\n"
              f"Date: пн, 23 нояб. 2026 г. в 09:00\nSubject: Re: Не пришли деньги\nTo: x\n\nПередаю.\n\n"
              f'22.11.2026, 18:30, "Иван Петров" <ivan.petrov@mail.example>:\n> {CLAIM}\n',
              forwarded=f"Передаю.\n{CLAIM}"),
    passed_on("gmail html", "", html=f'<div dir="ltr">См. ниже<br><br><div class="gmail_quote"><div dir="ltr" '
              'class="gmail_attr">---------- Forwarded message ---------<br>От: <strong>Иван Петров</strong> '
              "<span>&lt;ivan.petrov@mail.example&gt;</span><br>Date: вс, 22 нояб. 2026 г. в 18:30<br>"
              f"Subject: Не пришли деньги<br>To: &lt;o@kassy.example&gt;<br></div><br><br>{CLAIM}</div></div>",
              new="См. ниже"),
    passed_on("mail.ru html", "", html="<p>Добрый день</p><blockquote style='border-left:1px solid'>-------- "
              "Пересылаемое сообщение --------<br>От кого: Иван Петров &lt;ivan.petrov@mail.example&gt;<br>"
              "Кому: o.smirnova@kassy.example<br>Дата: Воскресенье, 22 ноября 2026, 18:30 +03:00<br>"
              f"Тема: Не пришли деньги<br><br><div>{CLAIM}</div></blockquote>", new="Добрый день"),
    passed_on("yandex html", "", html="<div>-------- Пересылаемое сообщение --------</div><div>22.11.2026, "
              '18:30, "Иван Петров" &lt;ivan.petrov@mail.example&gt;:</div><div> </div>'
              f"<div>{CLAIM}</div><div> </div><div>-------- Конец пересылаемого сообщения --------</div>"),
    passed_on("outlook html", "", subject="FW: Не пришли деньги",
              html="<div class=WordSection1><p class=MsoNormal>В работу</p><div><div style='border:none;"
              "border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>От:</b> Иван Петров &lt;ivan.petrov@"
              "mail.example&gt; <br><b>Отправлено:</b> 22 ноября 2026 г. 18:30<br><b>Кому:</b> Ольга<br>"
              f"<b>Тема:</b> Не пришли деньги</p></div></div><p class=MsoNormal>{CLAIM}</p></div>",
              new="В работу"),
)  # fmt: skip
