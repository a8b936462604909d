from typing import Any, Final

import pytest

from desk.incident_words import KNOWN_RULES, incident_sentence, meaning, title
from desk.sentences import TOLD_KINDS, sentence
from desk.tones import SHOWN
from incidents.thresholds import RULES
from wire.events import KINDS, MONEY_KINDS

RUB: Final = {"currency": "RUB", "tx": "1"}

EXAMPLES: Final[list[tuple[dict[str, Any], str, str]]] = [
    ({"kind": "agent_started", "agent": "1.0", "cause": "power_on"},
     "Терминал включён (1.0).", "The terminal was switched on (1.0)."),
    ({"kind": "transaction_started", "service": "mts", "account": "+7 916 ***-**-67"},
     "Начат платёж: mts, счёт +7 916 ***-**-67.",
     "A payment was started: mts, account +7 916 ***-**-67."),
    ({"kind": "transaction_started", "service": "mts", "service_name": "МТС"},
     "Начат платёж: МТС.", "A payment was started: МТС."),
    ({"kind": "cash_accepted", "amount": 150000, "media": "note", **RUB},
     "Принята купюра: 1\xa0500,00\xa0₽.", "A note was taken: RUB\xa01,500.00."),
    ({"kind": "cash_accepted", "amount": 1000, "media": "coin", **RUB},
     "Принята монета: 10,00\xa0₽.", "A coin was taken: RUB\xa010.00."),
    ({"kind": "cash_returned", "amount": 5, **RUB},
     "Деньги возвращены: 0,05\xa0₽.", "Money was given back: RUB\xa00.05."),
    ({"kind": "payment_result", "outcome": "accepted", "amount": 48500, "fee": 1500, **RUB},
     "Платёж прошёл: зачислено 485,00\xa0₽, комиссия 15,00\xa0₽.",
     "The payment went through: RUB\xa0485.00 credited, fee RUB\xa015.00."),
    ({"kind": "payment_result", "outcome": "declined", "amount": 100, "fee": 0, "code": "5", **RUB},
     "Платёж отклонён (код 5): 1,00\xa0₽.", "The payment was declined (code 5): RUB\xa01.00."),
    ({"kind": "payment_result", "outcome": "unknown", "amount": 100, "fee": 0, **RUB},
     "Процессинг не ответил о платеже: 1,00\xa0₽.",
     "Processing gave no answer about the payment: RUB\xa01.00."),
    ({"kind": "receipt_result", "outcome": "failed", "cause": "paper_out", "tx": "1"},
     "Чек не напечатан: нет бумаги.", "The receipt was not printed: out of paper."),
    ({"kind": "receipt_result", "outcome": "refused", "tx": "1"},
     "Клиент отказался от чека.", "The customer chose to go without a receipt."),
    ({"kind": "transaction_ended", "cause": "timed_out", "tx": "1"},
     "Клиент ушёл: время на платёж вышло.", "The customer went away: the payment timed out."),
    ({"kind": "device_changed", "device": "note_acceptor", "status": "hardware_error",
      "cause": "note_jammed", "code": "0x43"},
     "Купюроприёмник: сломано, замята купюра, код 0x43.",
     "Note acceptor: is broken, a note is jammed, code 0x43."),
    ({"kind": "cassette_collected", "collection": "12", "total": 30000, "currency": "RUB",
      "notes": {"100": 3}},
     "Кассета инкассирована: 300,00\xa0₽, инкассация 12, 3 купюры.",
     "The cassette was collected: RUB\xa0300.00, collection 12, 3 notes."),
    ({"kind": "fault", "component": "ups", "severity": "critical", "code": "E1", "text": "low"},
     "Критический сбой, Резервное питание, E1: low.", "Critical fault, Backup power, E1: low."),
    ({"kind": "service_action", "action": "paper_loaded", "person": "Иван"},
     "Загружена новая бумага (Иван).", "New paper was loaded (Иван)."),
    ({"kind": "clock_stepped", "step_ms": -7_200_000},
     "Часы переведены назад на 2 ч.", "The clock was moved back by 2 h."),
    ({"kind": "journal_lost", "through": 40},
     "Терминал потерял записи с № 12 по № 40.",
     "The terminal lost its records No. 12 to 40."),
    ({"kind": "quarantined", "reason": "bad_at"},
     "Нечитаемое событие помещено в карантин: bad_at.",
     "An unreadable event was put into quarantine: bad_at."),
    ({"kind": "unreadable", "size": 9000},
     "В журнале терминала была запись на 9000 байт, которую не удалось передать.",
     "The terminal had a record of 9000 bytes that could not be sent."),
    ({"kind": "new_thing"}, "Событие неизвестного вида: «new_thing».",
     "An event of an unknown kind: “new_thing”."),
    ({"kind": "receipt_result", "outcome": "printed", "clock": "untrusted"},
     "Чек напечатан. (Часы терминала шли неверно.)",
     "The receipt was printed. (The terminal's clock was wrong.)"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "russian", "english"), EXAMPLES)
def test_an_event_says_what_happened(event: dict[str, Any], russian: str, english: str) -> None:
    """One plain sentence, in both languages."""
    assert sentence(event, "ru", seq=12) == russian
    assert sentence(event, "en", seq=12) == english


def test_every_kind_has_words_of_its_own() -> None:
    """Those that terminals send, and those that the service writes."""
    assert set(KINDS) | {"journal_lost", "quarantined"} == TOLD_KINDS


def test_the_money_filter_shows_what_is_about_money() -> None:
    """The same kinds that the contract counts as money."""
    assert SHOWN["money"] == MONEY_KINDS


def test_every_rule_has_a_name_and_a_meaning() -> None:
    """A rule that opens incidents is explained to whoever reads them."""
    assert set(RULES) <= KNOWN_RULES
    for rule in RULES:
        assert title(rule, "ru") != rule
        assert meaning(rule, "ru") != meaning(rule, "en") != ""


def test_an_incident_says_what_where_and_why() -> None:
    """One sentence; a rule that nobody knows keeps its name."""
    said = incident_sentence("printer_unavailable", "ru", subject="receipt_printer", cause="cutter")
    assert said == "Не работает принтер чеков: Принтер чеков, заклинил отрезчик."
    assert incident_sentence("new_rule", "en", subject=None, cause=None) == "new_rule."
