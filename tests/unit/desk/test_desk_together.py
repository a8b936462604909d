"""What several letters of one customer say together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.reports.together import is_same_payment, tells_a_payment, told_together
from incidents.matching.passage import Fact, Origin


def fact(kind: str, value: Any, origin: Origin = Origin.NEW) -> Fact:
    """Return a fact."""
    return Fact(kind=kind, value=value, text="", span=(0, 0), confidence=0.9, origin=origin)


def amount(minor: int, role: str = "inserted") -> Fact:
    """Return a sum."""
    return fact("amount", {"minor": minor, "role": role})


def account(digits: str, form: str = "phone") -> Fact:
    """Return an account that was paid."""
    return fact("account", {"digits": digits, "form": form, "role": "paid"})


def kept(key: str) -> Fact:
    """Return an account as it lies in the table."""
    return fact("account", {"masked": "+7 916 ***-**-67", "hash": key, "role": "paid"})


def paid_at(low: str, high: str, *others: tuple[str, str]) -> Fact:
    """Return a time between two clock times of one day."""
    return fact("paid_at", _interval(low, high) | {
        "alternatives": [_interval(*each) for each in others],
    })  # fmt: skip


def _interval(low: str, high: str) -> dict[str, str]:
    day = "2026-11-22T"
    return {"from": f"{day}{low}:00+03:00", "to": f"{day}{high}:00+03:00"}


def place(*terminals: str) -> Fact:
    """Return a place that may mean these terminals."""
    return fact("place", {"words": "Лесная", "terminals": dict.fromkeys(terminals, 0.5)})


NO_RECEIPT, WHERE = fact("symptom", "no_receipt"), fact("terminal", "104233")
DAY, MINUTE = paid_at("00:00", "23:59"), paid_at("14:05", "14:06")
QUOTED = fact("amount", {"minor": 1, "role": "inserted"}, Origin.QUOTED)


@pytest.mark.parametrize(
    ("newer", "older", "both"),
    [
        ([WHERE], [amount(50000)], [WHERE, amount(50000)]),
        ([amount(70000)], [amount(50000), NO_RECEIPT], [amount(70000), NO_RECEIPT]),
        ([amount(70000)], [amount(68000, "credited")], [amount(70000), amount(68000, "credited")]),
        ([account("9160000002")], [account("9160000001")], [account("9160000002")]),
        ([account("0001", "tail")], [account("9160000001")],
         [account("0001", "tail"), account("9160000001")]),
        ([account("0002", "tail")], [account("9160000001")], [account("0002", "tail")]),
        ([DAY], [MINUTE], [MINUTE]),
        ([MINUTE], [DAY], [MINUTE]),
        ([paid_at("10:00", "11:00")], [MINUTE], [paid_at("10:00", "11:00")]),
        ([paid_at("10:00", "11:00", ("14:00", "15:00"))], [MINUTE], [MINUTE]),
        ([WHERE], [fact("terminal", "200001")], [WHERE]),
        ([WHERE], [place("104233", "9")], [WHERE, place("104233", "9")]),
        ([WHERE], [place("9")], [WHERE]),
        ([place("9", "8")], [place("9")], [place("9")]),
        ([fact("receipt", "4471")], [fact("receipt", "004471")],
         [fact("receipt", "4471"), fact("receipt", "004471")]),
        ([fact("receipt", "4471")], [fact("receipt", "4472")], [fact("receipt", "4471")]),
        ([fact("fiscal", {"fp": "1"})], [fact("fiscal", {"fp": "2"})],
         [fact("fiscal", {"fp": "1"})]),
        ([QUOTED], [amount(50000)], [QUOTED, amount(50000)]),
        ([fact("paid_at", {})], [fact("paid_at", "x")], [fact("paid_at", {})]),
    ],
)  # fmt: skip
def test_the_newest_word_counts(newer: list[Fact], older: list[Fact], both: list[Fact]) -> None:
    """Where two contradict; else what both say, by the narrower of two times or places."""
    assert told_together([newer, older]) == both


def test_the_third_letter_is_held_against_both() -> None:
    """Not only against the one before."""
    letters = [[amount(70000)], [WHERE], [amount(50000), fact("terminal", "9"), NO_RECEIPT]]
    assert told_together(letters) == [amount(70000), WHERE, NO_RECEIPT]


@pytest.mark.parametrize(
    ("newer", "older", "same"),
    [
        ([account("9160000001")], [account("9160000001"), amount(5)], True),
        ([kept("a")], [kept("a")], True),
        ([kept("a")], [kept("b")], False),
        ([amount(5), account("9160000001")], [account("9160000001"), amount(6)], False),
        ([MINUTE], [DAY], False),
        ([MINUTE, WHERE], [DAY, WHERE], True),
        ([MINUTE, WHERE], [paid_at("10:00", "11:00"), WHERE], False),
        ([amount(5)], [WHERE], False),
        ([], [WHERE], False),
    ],
)  # fmt: skip
def test_letters_mean_one_payment_only_if_they_say_so(
    newer: list[Fact],
    older: list[Fact],
    same: bool,  # noqa: FBT001 - a column
) -> None:
    """One fact alike at least, beside the time, and none that differs."""
    assert is_same_payment(newer, older) is same
    assert is_same_payment(older, newer) is same


def test_what_tells_of_a_payment() -> None:
    """A time may be that of writing; what is quoted was said before."""
    assert not tells_a_payment([NO_RECEIPT, MINUTE, QUOTED])
    assert tells_a_payment([NO_RECEIPT, WHERE])


FACTS = st.lists(
    st.one_of(
        st.integers(1, 4).map(amount),
        st.sampled_from(["1", "2"]).map(account),
        st.sampled_from([DAY, MINUTE, WHERE, place("104233"), NO_RECEIPT, QUOTED]),
    ),
    max_size=6,
)


@given(st.lists(FACTS, max_size=4))
def test_letters_together_invent_nothing(letters: list[list[Fact]]) -> None:
    """Each fact is somebody's word, and the newest letter loses none but to a narrower one."""
    together = told_together(letters)
    said = [fact for letter in letters for fact in letter]
    assert all(fact in said for fact in together)
    for one in letters[0] if letters else ():
        assert one in together or (one.kind in {"paid_at", "place"} and len(letters) > 1)


@given(FACTS)
def test_one_letter_says_what_it_says(letter: list[Fact]) -> None:
    """Alone, or told again later."""
    assert told_together([letter]) == letter
    assert [fact for fact in told_together([letter, letter]) if fact not in letter] == []


@given(FACTS, FACTS)
def test_no_two_letters_contradict_each_other_afterwards(
    newer: list[Fact], older: list[Fact]
) -> None:
    """What is left of the older letter agrees with some word of the newer."""
    left = [fact for fact in told_together([newer, older]) if fact.kind == "amount"]
    sums = {str(fact.value) for fact in newer if fact.kind == "amount" and fact is not QUOTED}
    if sums:
        assert all(str(fact.value) in sums or fact is QUOTED for fact in left)
