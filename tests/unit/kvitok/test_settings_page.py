from pathlib import Path

from scripts.settings_page import with_tables

PAGE = Path(__file__).parents[3] / "docs/settings.md"


def test_the_tables_are_the_classes() -> None:
    """docs/settings.md is what `python scripts/settings_page.py` writes, and every key is told."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "run: python scripts/settings_page.py"
    assert "|  |" not in page, "each key says what it means, in the source"
