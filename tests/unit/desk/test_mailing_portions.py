"""Mails are fetched in portions that are bounded, and trouble stays alone."""

from hypothesis import given
from hypothesis import strategies as st

from desk.mailing.portions import (
    BEGINNING_BYTES,
    BYTES_MAX,
    LIST_MAX,
    MAILS_MAX,
    ONLY_BEGINNING_FROM,
    PASSED_OVER_FROM,
    Portion,
    cut,
    lists,
    portions,
)

LIMIT = 5_000_000


def test_small_mails_come_together_and_large_ones_alone() -> None:
    """In the order of their uids; one that is too large only by its beginning."""
    sizes = {1: 10, 2: 20, 3: LIMIT, 4: 30, 5: LIMIT + 1, 6: 40}
    assert list(portions(sizes, {}, bytes_max=LIMIT)) == [
        Portion((1, 2)), Portion((3,)), Portion((4,)), Portion((5,), whole=False), Portion((6,)),
    ]  # fmt: skip


def test_a_mail_that_gives_trouble_comes_alone_then_cut_then_not_at_all() -> None:
    """And the others go on as ever."""
    sizes = {1: 10, 2: 20, 3: 30, 4: 40}
    for count, wanted in (
        (1, [Portion((1,)), Portion((2,)), Portion((3, 4))]),
        (ONLY_BEGINNING_FROM, [Portion((1,)), Portion((2,), whole=False), Portion((3, 4))]),
        (PASSED_OVER_FROM, [Portion((1,)), Portion((3, 4))]),
    ):
        assert list(portions(sizes, {2: count}, bytes_max=LIMIT)) == wanted


@given(
    st.dictionaries(st.integers(1, 10_000), st.integers(0, 3 * LIMIT), max_size=300),
    st.dictionaries(st.integers(1, 10_000), st.integers(0, PASSED_OVER_FROM + 1), max_size=5),
)
def test_every_mail_comes_once_in_bounded_portions(
    sizes: dict[int, int], troubles: dict[int, int]
) -> None:
    """In order; none is forgotten but those that are passed over."""
    sizes = dict(sorted(sizes.items()))
    found = list(portions(sizes, troubles, bytes_max=LIMIT))
    wanted = [uid for uid in sizes if troubles.get(uid, 0) < PASSED_OVER_FROM]
    assert [uid for each in found for uid in each.uids] == wanted
    for each in found:
        assert len(each.uids) <= MAILS_MAX
        assert len(each.uids) == 1 or sum(sizes[uid] for uid in each.uids) <= BYTES_MAX
        assert each.whole == (
            sizes[each.uids[0]] <= LIMIT and troubles.get(each.uids[0], 0) < ONLY_BEGINNING_FROM
        )


@given(st.integers(0, 3 * LIST_MAX))
def test_lists_hold_every_uid_once(count: int) -> None:
    """So many as may be asked for at once."""
    uids = list(range(count))
    found = list(lists(uids))
    assert [uid for each in found for uid in each] == uids
    assert all(0 < len(each) <= LIST_MAX for each in found)


def test_a_cut_mail_says_how_large_it_was() -> None:
    """In a header in front; the same mail is cut the same way each time."""
    raw = b"From: a@b.ru\r\n\r\n" + b"x" * (2 * BEGINNING_BYTES)
    found = cut(raw, len(raw))
    assert found == cut(raw[: BEGINNING_BYTES + 5], len(raw))
    assert found.startswith(f"X-Kvitok-Cut: {len(raw)}\r\nFrom: a@b.ru\r\n".encode())
