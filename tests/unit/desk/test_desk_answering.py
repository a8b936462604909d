"""Who is owed an automatic answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desk.reports.answering import AGE_MAX, Sender, answer_to

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANNA = Sender(
    address="anna@example.com", is_staff=False, is_vouched=True, wrote_before=False, received_at=NOW
)


def test_a_customer_is_owed_one_answer() -> None:
    """To the first message of a case, while it is news."""
    assert answer_to(ANNA, NOW + AGE_MAX - timedelta(seconds=1)) == "owed"
    assert answer_to(ANNA, NOW + AGE_MAX) == "withheld"
    assert answer_to(replace(ANNA, wrote_before=True), NOW) == "none"


def test_who_cannot_be_written_to_gets_nothing() -> None:
    """No address, or a phone."""
    for address in (None, "", "9161234567"):
        assert answer_to(replace(ANNA, address=address), NOW) == "none"


@given(st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_staff_and_forged_senders_never_get_one(said: tuple[bool, bool, bool]) -> None:
    """Whatever else holds."""
    is_staff, is_vouched, wrote_before = said
    sender = replace(ANNA, is_staff=is_staff, is_vouched=is_vouched, wrote_before=wrote_before)
    if is_staff or not is_vouched:
        assert answer_to(sender, NOW) != "owed"
