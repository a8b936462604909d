"""Good examples of what customers write: whole mails, and texts."""

from typing import Final

TEXTS: Final = tuple(
    each.encode()
    for each in (
        "Вчера в 18:42 на терминале 104233 внёс 500 рублей на МТС 8 916 123-45-67, чек не вышел.",
        "20.11.2026 около пяти вечера положила 1 000 р., зачислено 950, комиссия 50 руб.",
        "Платил на Люблинской 61 (метро Волжская), номер 9161234567, а надо было 9161234568",
        "Чек № 018423, операция 40718839902, терминал №104240. Деньги не дошли третий день",
        "t=20261119T1842&s=500.00&fn=9960440300123456&i=0102&fp=2901447101&n=1",
        "Мой телефон для связи +7 (903) 552-01-73. Лицевой счёт 2201457763, пять тысяч рублей",
        "позавчера между 9 и 10 утра, две купюры по пятьсот, автомат завис и перезагрузился",
        "в прошлый четверг; номер заканчивается на 4434; косарь двести; пол второго ночи",
        "Yesterday at 5:30 pm I paid 200 RUB at terminal 104233, receipt 007341, no money arrived",
        "Кеше 14:05-те терминалға 1000 теңге салдым. Вчора о 9-й ранку поклав 300 гривень",
        "восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь, сто рублей",
    )
)

_HEAD: Final = (
    "Received: from mx.mail.example by mx.pay.example; Thu, 19 Nov 2026 19:10:02 +0300\r\n"
    "From: =?utf-8?b?0JDQvdC90LA=?= <anna@mail.example>\r\nTo: konsultant@pay.example\r\n"
    "Date: Thu, 19 Nov 2026 19:10:00 +0300\r\nMessage-ID: <1@mail.example>\r\n"
)


def _plain(text: bytes, more: str = "") -> bytes:
    head = f"{_HEAD}{more}Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return head.encode() + text


_REPLY: Final = (
    "Деньги так и не пришли.\r\n\r\n19.11.2026, 20:15, «Поддержка» <konsultant@pay.example>:\r\n"
    "> Ваш номер K-2026-000123\r\n> Терминал 104233\r\n\r\n--\r\nАнна, +7 916 123-45-67\r\n"
)
_FORWARD: Final = (
    "См. ниже\r\n\r\n-------- Пересылаемое сообщение --------\r\nОт: Иван <ivan@mail.example>\r\n"
    "Дата: 18 ноября 2026 г., 21:00\r\nКому: konsultant@pay.example\r\nТема: терминал\r\n\r\n"
    "Сегодня в 20:31 положил 100 рублей\r\n"
)
_PARTS: Final = (
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    'Content-Type: multipart/alternative; boundary="a"\r\n\r\n--a\r\n'
    "Content-Type: text/plain; charset=koi8-r\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "=F7=CE=C5=D3=CC=C1 500 =D2=D5=C2\r\n--a\r\nContent-Type: text/html; charset=windows-1251\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nPHA+wu3l8evgIDUwMCDw8+E8L3A+\r\n--a--\r\n--b\r\n"
    "Content-Type: message/rfc822\r\n\r\nFrom: b@mail.example\r\nDate: Wed, 18 Nov 2026 9:00:00 "
    "+0500\r\nSubject: inner\r\n\r\nterminal 104240\r\n--b\r\n"
    'Content-Type: image/jpeg; name="a.jpg"\r\n'
    "Content-Transfer-Encoding: base64\r\n\r\n/9j/4AA=\r\n"
    "--b--\r\n"
)
_HTML: Final = (
    "<html><head><style>p{}</style></head><body><p>Внес&nbsp;500 <b>руб</b><br>чека нет</p>"
    '<blockquote type="cite">старое</blockquote><table><tr><td>1</td></tr></table></body></html>'
)
MAILS: Final = (
    *(_plain(each) for each in TEXTS[:3]),
    _plain(_REPLY.encode(), "In-Reply-To: <k.1@pay.example>\r\nReferences: <k.1@pay.example>\r\n"),
    _plain(_FORWARD.encode()),
    _HEAD.encode() + _PARTS.encode(),
    _plain(_HTML.encode()).replace(b"text/plain", b"text/html"),
    _plain("Я в отпуске".encode(), "Auto-Submitted: auto-replied\r\nReturn-Path: <>\r\n"),
    b"no header at all",
)
