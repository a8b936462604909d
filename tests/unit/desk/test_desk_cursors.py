from datetime import UTC, datetime

import pytest

from desk.cursors import read, write

KEY = (datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC), 1763860000000, 7)
KINDS = (datetime, int, int)


def test_a_cursor_reads_back_as_its_key() -> None:
    """To the microsecond, and every text."""
    assert read(write(KEY), KINDS) == KEY
    assert read(write((0, 'Щёлковская \\ "1"')), (int, str)) == (0, 'Щёлковская \\ "1"')


def test_a_cursor_is_plain_text_for_an_address() -> None:
    """Letters, digits, - and _ only."""
    assert set(write(KEY)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


@pytest.mark.parametrize(
    "text",
    ["", "x", "====", "W10", "e30", "bnVsbA", "W251bGwsMSwyXQ", "WzEsMl0", "ы", "W1tdLDEsMl0",
     "WzEuNSwxLDJd", "W3RydWUsMSwyXQ", "Wy0xLDEsMl0", "A" * 2000, write((2**62, 1, 2)),
     write((1, 2**64, 2)), "WzFlOTksMSwyXQ", "\0"],
)  # fmt: skip
def test_what_is_no_cursor_of_the_list_is_none(text: str) -> None:
    """Never an exception: the text comes from outside."""
    assert read(text, KINDS) is None


def test_a_text_that_postgres_cannot_hold_is_no_key() -> None:
    """NUL and lone surrogates never reach the database."""
    assert read(write((1, "a\0b")), (int, str)) is None
    assert read("WzEsIlx1ZDgwMCJd", (int, str)) is None
