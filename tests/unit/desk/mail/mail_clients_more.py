"""Rarer mail programs, written before the splitter had seen them: 26 of these 29 were right at once."""

# ruff: noqa: E501 - mails have the lines that they have

from tests.unit.desk.mail.mail_clients import (
    ANSWER,
    ASKED,
    THEM,
    passed_on,
    replied,
    replied_html,
)  # fmt: skip
from tests.unit.desk.mail.mail_letters import CLAIM

MORE_REPLIES = (
    replied("roundcube",f"konsultant писал 2026-11-22 18:30:\n> {ASKED}\n\n{ANSWER}"),
    replied("roundcube2",f"{ANSWER}\n\n22.11.2026 18:30, konsultant@kassy.example написал:\n\n> {ASKED}"),
    replied("zimbra",f'{ANSWER}\n\n----- Исходное сообщение -----\nОт: "konsultant" <konsultant@kassy.example>\nКому: "Иван" <ivan@mail.example>\nОтправленные: Воскресенье, 22 Ноябрь 2026 г 18:30:00\nТема: Ответ\n\n{ASKED}'),
    replied("outlook.com",f"{ANSWER}\n________________________________\nОт: konsultant@kassy.example <konsultant@kassy.example>\nОтправлено: воскресенье, 22 ноября 2026 г. 18:30\nКому: ivan@mail.example <ivan@mail.example>\nТема: Ответ\n \n{ASKED}"),
    replied("outlook mailto",f"{ANSWER}\n\nFrom: konsultant@kassy.example [mailto:konsultant@kassy.example] \nSent: Sunday, November 22, 2026 6:30 PM\nTo: Иван Петров <ivan@mail.example>; Анна\n <anna@mail.example>\nSubject: Ответ\nImportance: High\n\n{ASKED}"),
    replied("gmail android",f"{ANSWER}\n\nвс, 22 нояб. 2026 г., 18:30 konsultant <konsultant@kassy.example>:\n\n> {ASKED}\n>\n"),
    replied("spark",f"{ANSWER}\n\nОтправлено из Spark\nOn 22 нояб. 2026 г., 18:30 +0300, konsultant <konsultant@kassy.example>, wrote:\n> {ASKED}",signature="Отправлено из Spark"),
    replied("yahoo",f"{ANSWER}\n\n    В воскресенье, 22 ноября 2026 г., 18:30:00 GMT+3, konsultant <konsultant@kassy.example> написал(а):  \n \n {ASKED}  "),
    replied("windows mail",f"{ANSWER}\n\nОтправлено из Почты для Windows\n\nОт: konsultant@kassy.example\nОтправлено: 22 ноября 2026 г. в 18:30\nКому: Иван\nТема: Ответ\n\n{ASKED}",signature="Отправлено из Почты для Windows"),
    replied("proton",f"{ANSWER}\n\nSent with Proton Mail secure email.\n\n------- Original Message -------\nOn Sunday, November 22nd, 2026 at 18:30, konsultant <konsultant@kassy.example> wrote:\n\n\n> {ASKED}",signature="Sent with Proton Mail secure email."),
    replied("lotus",f"{ANSWER}\n\n\n\nFrom:\tkonsultant@kassy.example\nTo:\tIvan\nDate:\t22.11.2026 18:30\nSubject:\tОтвет\n\n\n\n{ASKED}"),
    replied("kmail",f"В письме от воскресенье, 22 ноября 2026 г. 18:30:00 MSK пользователь konsultant \nнаписал:\n> {ASKED}\n\n{ANSWER}"),
    replied("evolution",f"{ANSWER}\n\nВ Вс, 22/11/2026 в 18:30 +0300, konsultant пишет:\n> {ASKED}"),
    replied("em client",f'{ANSWER}\n\n------ Исходное сообщение ------\nОт "konsultant" <konsultant@kassy.example>\nКому "Ivan" <i@mail.example>\nДата 22.11.2026 18:30:00\nТема Ответ\n\n{ASKED}'),
    replied("huawei",f"{ANSWER}\n\n---- Исходное сообщение ----\nОт: konsultant@kassy.example\nДата: вс, 22 нояб. 2026 г., 18:30\nКому: i@mail.example\nТема: Ответ\n{ASKED}"),
    replied("english outlook mac",f"{ANSWER}\n\nFrom: konsultant <konsultant@kassy.example>\nDate: Sunday, 22 November 2026 at 18:30\nTo: Ivan <i@mail.example>\nSubject: Ответ\n{ASKED}"),
    replied("fancy sig",f"{ANSWER}\n\nС уважением,\nПетров Иван Сергеевич\nменеджер ООО «Ромашка»\nмоб.: +7 (916) 222-33-44\nЭто электронное сообщение и любые документы, приложенные к нему, содержат конфиденциальную информацию.",signature="С уважением,\nПетров Иван Сергеевич\nменеджер ООО «Ромашка»\nмоб.: +7 (916) 222-33-44\nЭто электронное сообщение и любые документы, приложенные к нему, содержат конфиденциальную информацию."),
    replied("inline > no header","> Номер терминала?\n104233\n> Сумма?\n500 рублей",new="104233\n500 рублей"),
    replied_html("rambler html",f'<div>{ANSWER}</div><div>22.11.2026, 18:30, от konsultant &lt;konsultant@kassy.example&gt;:<blockquote type="cite">{ASKED}</blockquote></div>'),
    replied_html("new mail.ru html",f'<div><div>{ANSWER}</div></div><div data-signature-widget="container"><div data-signature-widget="content"><div>--<br>Иван Петров</div></div></div><div class="mail-quote-collapse"><div class="js-helper js-readmsg-msg"><div>Воскресенье, 22 ноября 2026, 18:30 +03:00 от konsultant@kassy.example:<br></div><blockquote><div>{ASKED}</div></blockquote></div></div>',signature="--\nИван Петров"),
)  # fmt: skip
MORE_FORWARDS = (
    passed_on("gmail old",f"---------- Пересылаемое сообщение ----------\nОт кого: {THEM}\nДата: 22 ноября 2026 г., 18:30\nТема: Не пришли деньги\nКому: o@kassy.example\n\n\n{CLAIM}"),
    passed_on("roundcube",f"-------- Исходное сообщение --------\nТема: Не пришли деньги\nДата: 2026-11-22 18:30\nОт: {THEM}\nКому: o@kassy.example\n\n{CLAIM}"),
    passed_on("em client",f'------ Пересылаемое сообщение ------\nОт "Иван Петров" <ivan.petrov@mail.example>\nКому "x" <o@kassy.example>\nДата 22.11.2026 18:30:00\nТема Не пришли деньги\n\n{CLAIM}'),
    passed_on("zimbra",f"----- Пересланное сообщение -----\nОт: {THEM}\nКому: o@kassy.example\nОтправленные: Воскресенье, 22 Ноябрь 2026 г 18:30:00\nТема: Не пришли деньги\n\n{CLAIM}"),
    passed_on("outlook fw of re",f"FYI\n\nFrom: Пётр <p.orlov@kassy.example>\nSent: Monday, November 23, 2026 9:00 AM\nTo: Ольга\nSubject: RE: Не пришли деньги\n\nОля, глянь\n\nFrom: {THEM}\nSent: Sunday, November 22, 2026 6:30 PM\nTo: Пётр\nSubject: Не пришли деньги\n\n{CLAIM}",subject="FW: Не пришли деньги",new="FYI",forwarded=f"Оля, глянь\n{CLAIM}"),
    passed_on("samsung fwd",f"Отправлено с устройства Samsung\n\n-------- Перенаправленное сообщение --------\nОт: {THEM}\nДата: 22.11.2026 18:30 (GMT+03:00)\nКому: o@kassy.example\nТема: Не пришли деньги\n\n{CLAIM}",signature="Отправлено с устройства Samsung"),
    passed_on("the bat fwd",f"Hello konsultant,\n\nThis is a forwarded message\nFrom: Ivan <ivan.petrov@mail.example>\nTo: o@kassy.example\nDate: Sunday, November 22, 2026, 6:30:00 PM\nSubject: Не пришли деньги\n\n===8<==============Original message text===============\n{CLAIM}\n===8<===========End of original message text===========",new="Hello konsultant,"),
    passed_on("yandex mobile fwd",f"\n\n-------- Пересылаемое сообщение --------\nОт: Иван Петров (ivan.petrov@mail.example)\nТема: Не пришли деньги\nДата: 22.11.2026, 18:30\nКому: o@kassy.example\n\n{CLAIM}"),
    passed_on("iphone new",f"Отправлено с iPhone\n\nНачало пересылаемого сообщения:\n\n> От: {THEM}\n> Дата: 22 ноября 2026 г. в 18:30:22 МСК\n> Кому: o@kassy.example\n> Тема: Не пришли деньги\n> \n> \n> {CLAIM}\n> \n> Отправлено с iPhone",signature="Отправлено с iPhone\nОтправлено с iPhone"),
)  # fmt: skip
