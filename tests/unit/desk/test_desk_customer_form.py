from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.pages.customer_form import Filled, read
from desk.pages.customer_topics import TOPICS, Kind
from desk.pages.evidence import in_a_sentence
from desk.queries.reports import Evidence
from desk.reports.written import FilledForm, field_facts
from desk.vocabulary import SAID
from desk.words import preferred, words
from incidents.matching.claims import READ_IN
from incidents.matching.symptoms import TOPICS as KNOWN

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NAMES = ("email", "account", "amount", "day", "clock", "terminal", "receipt", "text", "screen",
         "note", "fee", "intended", "promised", "arrived", "copy", "homepage")  # fmt: skip


def filled(topic: str = "not_credited", **typed: str) -> Filled:
    """Read a form that is right but for `typed`."""
    right = {"email": "a@example.com", "account": "9161234567"}
    return read(topic, right | typed, now=NOW, words=words("ru"))


def test_every_topic_is_one_that_facts_know() -> None:
    """What a customer chooses is a symptom as the grammar names it, and has words for staff."""
    for name, topic in TOPICS.items():
        assert topic.symptoms == (() if name == "other" else (name,))
        assert set(topic.symptoms) <= set(KNOWN)
        assert set(topic.symptoms) <= set(SAID)
        assert {each.kind for each in topic.questions} <= set(get_args(Kind))
        assert all((each.kind == "choice") == bool(each.choices) for each in topic.questions)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("500", 50000), ("1 500,50", 150050), ("1500.5 руб.", 150050), ("700 ₽", 70000),
     ("2\u00a0000 рублей", 200000), ("10р", 1000), ("1000000", 100_000_000)],
)  # fmt: skip
def test_sums_as_people_type_them(text: str, minor: int) -> None:
    """Blanks, a comma, the currency behind."""
    assert filled(amount=text).values["amount"] == minor


@pytest.mark.parametrize("text", ["0", "-5", "1e9", "пятьсот", "1000001", "1,2,3", "5 или 10"])
def test_what_is_no_sum_is_told(text: str) -> None:
    """Nothing is guessed."""
    assert list(filled(amount=text).errors) == ["amount"]


@pytest.mark.parametrize(
    ("text", "good"),
    [("a@b.cd", True), ("имя@почта.рф", True), ("a.b+c@mail.example.com", True), ("a@b", False),
     ("a b@c.de", False), ("@b.cd", False), ("a@b..cd", False), ("a@b.cd, e@f.gh", False),
     ("<a@b.cd>", False), ("a" * 250 + "@b.cd", False)],
)  # fmt: skip
def test_mail_addresses(text: str, good: bool) -> None:  # noqa: FBT001 - a parameter of a table
    """One address, nothing around it."""
    assert ("email" not in filled(email=text).errors) is good


@pytest.mark.parametrize(
    ("day", "clock", "kept"),
    [("22.11.2026", "9.05", ("2026-11-22", "09:05:00")),
     ("22/11/26", "23:59", ("2026-11-22", "23:59:00")),
     ("2026-11-22", "14-30", ("2026-11-22", "14:30:00")), ("2026-11-22", "", ("2026-11-22", None))],
)  # fmt: skip
def test_days_and_times_of_old_browsers(day: str, clock: str, kept: tuple[str, str | None]) -> None:
    """Where there is no picker, people type them their way."""
    values = filled(day=day, clock=clock).values
    assert (values["paid_on"], values["paid_clock"]) == kept


@given(
    st.sampled_from(sorted(TOPICS)),
    st.dictionaries(st.sampled_from(NAMES), st.text(max_size=60) | st.sampled_from(
        ["dark", "no", "500", "22.11.2026", "11:20", "a@b.cd", "+7 916 123-45-67"])),
)  # fmt: skip
def test_any_form_is_a_report_or_an_error_beside_a_field(topic: str, typed: dict[str, str]) -> None:
    """Whatever is typed: either a report whose facts can be read, or words at a field."""
    form = read(topic, typed, now=NOW, words=words("ru"))
    if form.errors:
        assert set(form.errors) <= set(NAMES)
        assert all(words("ru").say(text) != text for text in form.errors.values())
        return
    report = FilledForm(channel="form", reported_at="2026-11-23T09:30:00Z", **form.values)  # type: ignore[arg-type]  # as JSON has it
    again = FilledForm.model_validate_json(report.model_dump_json())
    assert again.account
    facts = field_facts(again, READ_IN)
    assert {"account", "contact"} <= {fact.kind for fact in facts}


def test_a_note_is_the_sum_where_no_sum_is_told() -> None:
    """Of a swallowed note people know what it was."""
    assert filled("note_swallowed", note="500").values["amount"] == 50000
    assert filled("note_swallowed", note="500", amount="1500").values["amount"] == 150000


def test_answers_that_are_symptoms() -> None:
    """A dark screen and money that did not arrive count, where the topic asks for them."""
    assert filled(screen="dark").values["symptoms"] == ("not_credited", "hung")
    assert filled("fee", screen="dark").values["symptoms"] == ("fee",)
    assert filled("no_receipt", arrived="no").values["symptoms"] == ("no_receipt", "not_credited")


def test_the_first_language_that_we_have() -> None:
    """By weight, not by place; a long header is cut."""
    assert preferred("en;q=0.1, ru;q=0.5", "en") == "ru"
    assert preferred("fr, de;q=0.5", "ru") == "en"
    assert preferred("ru;q=0, en", "ru") == "en"
    assert preferred("x" * 100_000, "ru") == "en"


def test_evidence_in_a_sentence() -> None:
    """For and against, the heaviest first; what weighs nothing and the prior are left out."""
    evidence = [
        Evidence("prior", "one of all", -20.0), Evidence("amount", "equal", 3.2),
        Evidence("account", "equal", 17.5), Evidence("paid_at", "exact: day_off", -2.1),
        Evidence("service", "equal", 0.1),
    ]  # fmt: skip
    assert in_a_sentence(evidence, "ru") == (
        "За: номер счёта – совпадает, сумма – совпадает. Против: время – расходится на сутки."
    )
    assert in_a_sentence(evidence[:1], "en") == ""
