"""Which case a customer's report joins."""

from itertools import permutations

from incidents.cases import Standing, case_for

ANNA, PETR, NOBODY = frozenset({"anna"}), frozenset({"petr"}), frozenset[str]()


def case(number: str, by: str = "detector", *customers: str, known: bool = False) -> Standing:
    """Return a case with these customers' reports."""
    return Standing(
        number=number, state="new", opened_by=by, customers=frozenset(customers),
        reports=len(customers), known=known,
    )  # fmt: skip


def test_a_customer_has_one_case_and_nobody_elses() -> None:
    """The own one, else the one left, else the detector's while nobody reported; in any order."""
    detectors, own = case("K-1"), case("K-2", "mail", "anna")
    left, petrs = case("K-3", "mail", known=True), case("K-4", "detector", "petr")
    for some in permutations((detectors, own, left, petrs)):
        assert case_for(ANNA, some) == own
    for some in permutations((detectors, left, petrs)):
        assert case_for(ANNA, some) == left
    for some in permutations((detectors, petrs)):
        assert case_for(ANNA, some) == detectors
        assert case_for(NOBODY, some) == detectors
        assert case_for(PETR, some) == petrs
    assert case_for(ANNA, [petrs]) is None
    assert case_for(NOBODY, [petrs, own]) is None
    assert case_for(ANNA, []) is None


def test_an_emptied_case_of_another_customer_stays_theirs() -> None:
    """What a customer opened and was taken out of is given to nobody else."""
    assert case_for(ANNA, [case("K-1", "mail")]) is None


def test_a_customer_without_an_address_is_like_nobody() -> None:
    """Two of them are not taken for one."""
    unknown = Standing(number="K-1", state="new", opened_by="detector", customers=NOBODY, reports=1)
    assert case_for(NOBODY, [unknown]) is None
