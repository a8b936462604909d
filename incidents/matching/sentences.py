"""A match in plain words, Russian and English: what speaks for a candidate, why it was decided so.

No sentence repeats what the customer wrote; all of them may be shown to staff.
"""

from collections.abc import Mapping
from typing import Final

FACTS: Final[Mapping[str, Mapping[str, str]]] = {
    "ru": {
        "fiscal": "фискальный чек", "receipt": "номер чека", "operation": "номер операции",
        "terminal": "номер терминала", "place": "место", "account": "номер счёта",
        "tail": "последние цифры номера", "intended": "номер, который хотели пополнить",
        "contact": "телефон для связи", "amount": "сумма", "credited": "зачисленная сумма",
        "fee": "комиссия", "returned": "возвращённая сумма", "paid_at": "время",
        "age": "давность", "symptom": "описание сбоя", "known": "известный сбой",
        "service": "услуга", "prior": "априори",
    },
    "en": {
        "fiscal": "fiscal receipt", "receipt": "receipt number", "operation": "operation number",
        "terminal": "terminal number", "place": "place", "account": "account",
        "tail": "last digits of the account", "intended": "account that was meant",
        "contact": "contact phone", "amount": "sum", "credited": "sum credited", "fee": "fee",
        "returned": "sum given back", "paid_at": "time", "age": "age", "symptom": "what went wrong",
        "known": "a known incident", "service": "service", "prior": "before any fact",
    },
}  # fmt: skip

LEVELS: Final[Mapping[str, Mapping[str, str]]] = {
    "ru": {
        "equal": "совпадает", "near": "отличается на одну цифру", "other": "не совпадает",
        "none": "нет у этой операции", "whole": "совпадают все", "in": "подходит",
        "net": "совпадает с учётом комиссии",
        "3min": "до 3 минут", "15min": "до 15 минут", "40min": "до 40 минут", "hour": "до часа",
        "90min": "до полутора часов", "half_day": "расходится на часы",
        "day_off": "расходится на сутки", "same": "подходит", "same_day": "тот же день",
        "day": "до суток", "three_days": "до трёх дней", "ten_days": "до десяти дней",
        "old": "старше десяти дней", "incident": "об этой операции известен сбой",
        "state": "операция похожа", "plain": "операция прошла", "against": "не похоже на операцию",
        "one of all": "одна из всех",
    },
    "en": {
        "equal": "the same", "near": "differs by one digit", "other": "another",
        "none": "this transaction has none",
        "whole": "all the same", "in": "fits", "net": "the same but for the fee",
        "3min": "within 3 minutes", "15min": "within 15 minutes", "40min": "within 40 minutes",
        "hour": "within an hour", "90min": "within 90 minutes", "half_day": "hours apart",
        "day_off": "a day apart", "same": "fits", "same_day": "the same day",
        "day": "within a day", "three_days": "within three days", "ten_days": "within ten days",
        "old": "older than ten days", "incident": "an incident is known of it",
        "state": "it ended like that", "plain": "it went through", "against": "it ended otherwise",
        "one of all": "one of all",
    },
}  # fmt: skip

REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "ru": {
        "sure": "Прикреплено: совпадает достаточно независимых признаков, ничто не противоречит.",
        "one_of_twins": "Прикреплено к одному из двух одинаковых платежей подряд: подходят оба.",
        "automaton": "Операция ясна, но сообщение похоже на автоматическое: решает человек.",
        "contradiction": "Операция вероятна, но один из признаков ей противоречит.",
        "one_strong_fact": "Операция вероятна, но опирается только на один сильный признак.",
        "no_time": "Операция вероятна, но ничто не отличает её от других платежей этого клиента.",
        "quoted": "Само сообщение платёж не называет; возможный платёж найден по цитате.",
        "several_payments": "Сообщение говорит о нескольких платежах.",
        "foreign_terminal": "Операция вероятна, но назван терминал или улица, которых у нас нет.",
        "likely": "Операция вероятна, но недостаточно, чтобы прикрепить её без человека.",
        "twins": "Два платежа подходят одинаково: ясен только терминал.",
        "terminal_only": "Ясен только терминал.",
        "several": "Подходит слишком много операций.",
        "nothing_fits": "Ни одна операция не подходит.",
        "no_facts": "В сообщении ничего не сказано о платеже.",
    },
    "en": {
        "sure": "Attached: enough independent facts agree, and nothing contradicts.",
        "one_of_twins": "Attached to one of two equal payments in a row: both fit.",
        "automaton": "The transaction is clear, but an automaton seems to have written it.",
        "contradiction": "The transaction is likely, but one fact contradicts it.",
        "one_strong_fact": "The transaction is likely, but rests on one strong fact only.",
        "no_time": "The transaction is likely, but nothing tells it from this customer's others.",
        "quoted": "The report itself names no payment; what it quotes may mean this one.",
        "several_payments": "The report speaks of several payments.",
        "foreign_terminal": "The transaction is likely, but another terminal or street is named.",
        "likely": "The transaction is likely, but not enough to attach it without a person.",
        "twins": "Two payments fit equally: only the terminal is clear.",
        "terminal_only": "Only the terminal is clear.",
        "several": "Too many transactions fit.",
        "nothing_fits": "No transaction fits.",
        "no_facts": "The message says nothing of a payment.",
    },
}  # fmt: skip

QUESTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "ru": {
        "receipt": "номер чека или его фотография", "account": "номер, который вы пополняли",
        "terminal": "номер терминала или его адрес", "paid_at": "день и время платежа",
        "amount": "внесённая сумма",
    },
    "en": {
        "receipt": "the receipt's number or a photo of it",
        "account": "the account that you paid to",
        "terminal": "the terminal's number or its address",
        "paid_at": "the day and time of the payment", "amount": "the sum that you put in",
    },
}  # fmt: skip
