"""What our mails to customers say, in four languages: whole sentences, nothing to be put together.

A place `%(name)s` is filled with what we know ourselves, never with what a customer wrote.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from desk.mailing.settings import AnswerLanguage


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """One language."""

    answer_subject: str
    resolution_subject: str
    greeting: str
    received: str
    by_date: str
    by_days: str
    by_one_day: str
    soon: str
    please: str
    ask: Mapping[str, str]
    """Fact → what it is and where its customer finds it."""
    if_lost: str
    reply: str
    automatic: str
    resolved: str
    not_settled: str
    regards: str
    months: tuple[str, ...]
    """As they stand in a date."""
    date: str

    def day(self, day: dt.date) -> str:
        """Return a date as people write it."""
        return self.date % {
            "day": day.day, "month": self.months[day.month - 1], "year": day.year,
        }  # fmt: skip


RUSSIAN: Final = Phrases(
    answer_subject="Ваше обращение получено",
    resolution_subject="Ваше обращение рассмотрено",
    greeting="Здравствуйте!",
    received="Мы получили ваше обращение и присвоили ему номер %(case)s.",
    by_date="Мы ответим вам не позднее %(date)s.",
    by_days="Мы ответим вам в течение %(days)d рабочих дней.",
    by_one_day="Мы ответим вам в течение одного рабочего дня.",
    soon="Мы ответим вам в ближайшее время.",
    please="Чтобы мы быстрее нашли платёж, пожалуйста, ответьте на это письмо и напишите:",
    ask={
        "receipt": "номер чека: он напечатан на чеке (или приложите фото чека);",
        "account": "номер телефона или счёта, на который вы вносили деньги: он есть на чеке;",
        "terminal": "номер терминала: он указан на чеке и на наклейке на корпусе терминала;",
        "paid_at": "дату и время платежа, хотя бы примерно: они есть на чеке;",
        "amount": "сумму, которую вы внесли наличными.",
    },
    if_lost="Если чего-то из этого вы не знаете, так и напишите: мы будем искать и без этого.",
    reply="Если захотите что-то добавить, просто ответьте на это письмо, не меняя его тему.",
    automatic="Это письмо составлено программой. Обращение прочитает сотрудник.",
    resolved="Мы рассмотрели ваше обращение %(case)s.",
    not_settled="Если вопрос остался, ответьте на это письмо: мы вернёмся к обращению.",
    regards="С уважением,",
    months=("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа",
            "сентября", "октября", "ноября", "декабря"),
    date="%(day)d %(month)s %(year)d года",
)  # fmt: skip

UKRAINIAN: Final = Phrases(
    answer_subject="Ваше звернення отримано",
    resolution_subject="Ваше звернення розглянуто",
    greeting="Вітаємо!",
    received="Ми отримали ваше звернення й надали йому номер %(case)s.",
    by_date="Ми відповімо вам не пізніше %(date)s.",
    by_days="Ми відповімо вам протягом %(days)d робочих днів.",
    by_one_day="Ми відповімо вам протягом одного робочого дня.",
    soon="Ми відповімо вам найближчим часом.",
    please="Щоб ми швидше знайшли платіж, будь ласка, дайте відповідь на цей лист і напишіть:",
    ask={
        "receipt": "номер чека: він надрукований на чеку (або додайте фото чека);",
        "account": "номер телефону або рахунку, на який ви вносили гроші: він є на чеку;",
        "terminal": "номер термінала: він зазначений на чеку та на наклейці на корпусі термінала;",
        "paid_at": "дату й час платежу, хоча б приблизно: вони є на чеку;",
        "amount": "суму, яку ви внесли готівкою.",
    },
    if_lost="Якщо чогось із цього ви не знаєте, так і напишіть: ми шукатимемо й без цього.",
    reply="Якщо захочете щось додати, просто дайте відповідь на цей лист, не змінюючи його тему.",
    automatic="Цей лист склала програма. Звернення прочитає співробітник.",
    resolved="Ми розглянули ваше звернення %(case)s.",
    not_settled="Якщо питання залишилося, дайте відповідь на цей лист: ми до нього повернемося.",
    regards="З повагою,",
    months=("січня", "лютого", "березня", "квітня", "травня", "червня", "липня", "серпня",
            "вересня", "жовтня", "листопада", "грудня"),
    date="%(day)d %(month)s %(year)d року",
)  # fmt: skip

KAZAKH: Final = Phrases(
    answer_subject="Өтінішіңіз қабылданды",
    resolution_subject="Өтінішіңіз қаралды",
    greeting="Сәлеметсіз бе!",
    received="Біз сіздің өтінішіңізді алдық. Оның нөмірі: %(case)s.",
    by_date="Сізге ең кеші %(date)s жауап береміз.",
    by_days="Сізге %(days)d жұмыс күні ішінде жауап береміз.",
    by_one_day="Сізге бір жұмыс күні ішінде жауап береміз.",
    soon="Сізге жақын арада жауап береміз.",
    please="Төлемді тезірек табуымыз үшін осы хатқа жауап беріп, мыналарды жазыңыз:",
    ask={
        "receipt": "чек нөмірі: ол чекте басылған (немесе чектің суретін тіркеңіз);",
        "account": "ақша салынған телефон немесе шот нөмірі: ол чекте бар;",
        "terminal": "терминал нөмірі: ол чекте және терминал корпусындағы жапсырмада көрсетілген;",
        "paid_at": "төлем күні мен уақыты, шамамен болса да: олар чекте бар;",
        "amount": "қолма-қол салынған сома.",
    },
    if_lost="Егер бұлардың бірін білмесеңіз, солай деп жазыңыз: біз онсыз да іздейміз.",
    reply="Бірдеңе қосқыңыз келсе, тақырыбын өзгертпей, осы хатқа жауап беріңіз.",
    automatic="Бұл хатты бағдарлама жазды. Өтінішіңізді қызметкер оқиды.",
    resolved="Біз сіздің %(case)s өтінішіңізді қарап шықтық.",
    not_settled="Сұрағыңыз қалса, осы хатқа жауап беріңіз: біз өтінішке қайта ораламыз.",
    regards="Құрметпен,",
    months=("қаңтарда", "ақпанда", "наурызда", "сәуірде", "мамырда", "маусымда", "шілдеде",
            "тамызда", "қыркүйекте", "қазанда", "қарашада", "желтоқсанда"),
    date="%(year)d жылғы %(day)d %(month)s",
)  # fmt: skip

ENGLISH: Final = Phrases(
    answer_subject="We have received your request",
    resolution_subject="We have dealt with your request",
    greeting="Hello,",
    received="We have received your request. Its number is %(case)s.",
    by_date="We will reply by %(date)s.",
    by_days="We will reply within %(days)d working days.",
    by_one_day="We will reply within one working day.",
    soon="We will reply soon.",
    please="To help us find your payment sooner, please reply to this message and tell us:",
    ask={
        "receipt": "the receipt number: it is printed on the receipt (or attach a photo of it);",
        "account": "the phone or account number that you paid to: it is on the receipt;",
        "terminal": "the terminal number: it is on the receipt and on the terminal's label;",
        "paid_at": "the date and time of the payment, at least roughly: they are on the receipt;",
        "amount": "the amount of cash that you put in.",
    },
    if_lost="If you do not know one of these, just say so: we will search without it.",
    reply="If you want to add something, simply reply to this message and keep its subject.",
    automatic="This message was written by a program. A member of staff will read your request.",
    resolved="We have dealt with your request %(case)s.",
    not_settled="If something is still open, reply to this message and we will look at it again.",
    regards="Yours sincerely,",
    months=("January", "February", "March", "April", "May", "June", "July", "August",
            "September", "October", "November", "December"),
    date="%(day)d %(month)s %(year)d",
)  # fmt: skip

PHRASES: Final[Mapping[AnswerLanguage, Phrases]] = {
    "ru": RUSSIAN,
    "uk": UKRAINIAN,
    "kk": KAZAKH,
    "en": ENGLISH,
}
