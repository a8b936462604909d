from datetime import UTC, datetime

import pytest

from kvitok.show import as_fields, as_table, cell, width


def test_a_table_is_aligned_whatever_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns line up by what a screen shows."""
    as_table(("A", "B"), [("Москва", 1), ("й", "x")])
    assert capsys.readouterr().out == "A       B\nМосква  1\nй       x\n"


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Not only a head with nothing under it."""
    as_table(("A",), [], empty="no letters")
    as_table(("A",), [("x",)], empty="no letters")
    assert capsys.readouterr().out == "no letters\nA\nx\n"


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Names line up."""
    as_fields([("a", 1), ("long", None)])
    assert capsys.readouterr().out == "a     1\nlong  -\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ((), "-"),
        (True, "yes"),
        (("a", "b"), "a, b"),
        ("a\x1b[2Jb", "a\ufffd[2Jb"),
        ("1\u202f140,00\xa0₽", "1\u202f140,00\xa0₽"),
    ],
)
def test_a_cell_is_plain_text(value: object, shown: str) -> None:
    """Nothing is a dash, and data never moves the cursor."""
    assert cell(value) == shown


def test_a_time_is_local() -> None:
    """A person reads the clock of their own zone."""
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert cell(moment) == f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def test_width_counts_columns() -> None:
    """Combining marks take none, wide letters two."""
    assert (width("e\u0301"), width("中")) == (1, 2)
