import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from babel.messages.extract import extract_from_dir

from desk.vocabulary import CAUSE
from desk.words import FOLDER, catalog, words
from wire.vocabulary import Cause

DESK: Final = Path(__file__).parents[3] / "desk"
KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "count": (1, 2),
    "counted": (1, 2),
    "message": None,
    "say": None,
}
METHODS: Final = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]


def messages() -> Iterator[str | tuple[str, ...]]:
    """Yield every message of the desk: texts of the code and of the templates."""
    options = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
    found = extract_from_dir(
        DESK, method_map=METHODS, options_map=options, keywords=KEYWORDS, comment_tags=()
    )
    for _, _, text, _, _ in found:
        if text and text != "%(num)d":
            yield text


ALL: Final = sorted(set(messages()), key=str)


def test_there_are_messages_to_translate() -> None:
    """The extractor sees code and templates."""
    assert len(ALL) > 150
    assert "Open incidents" in ALL
    assert "The receipt was printed." in ALL


def test_every_message_is_translated_into_russian() -> None:
    """Nobody who reads Russian meets an English sentence."""
    russian = words("ru")
    single = [text for text in ALL if isinstance(text, str) and text not in russian.single]
    plural = [text for text in ALL if isinstance(text, tuple) and text[0] not in russian.plural]
    assert (single, plural) == ([], [])


def test_no_translation_is_left_over() -> None:
    """A message that nobody says any more leaves the catalogue with the code."""
    known = {text if isinstance(text, str) else text[0] for text in ALL}
    russian = words("ru")
    assert sorted((set(russian.single) | set(russian.plural)) - known) == []


def test_a_translation_fills_the_same_places() -> None:
    """`%(name)s` stands in both texts, so no sentence breaks when it is filled in."""
    places = re.compile(r"%\(\w+\)[sd]")
    wrong = {
        text: translated
        for text, translated in words("ru").single.items()
        if sorted(places.findall(text)) != sorted(places.findall(translated))
    }
    assert wrong == {}


def test_every_cause_of_an_incident_has_words() -> None:
    """No page shows a bare `old_epoch`; docs/rules names the causes that are not a device's."""
    runbooks = (DESK.parent / "docs" / "rules").glob("*.md")
    said = [line for page in runbooks for line in page.read_text("utf-8").splitlines()]
    causes = {
        cause
        for line in said
        if line.startswith("**Cause:**")
        for cause in re.findall(r"`([a-z_]+)`", re.split(r"Subject|Proof", line)[0])
    }
    assert {"fork", "old_epoch", "no_result"} <= causes
    assert {*causes, *get_args(Cause)} <= set(CAUSE)


def test_no_translation_is_fuzzy() -> None:
    """What a tool guessed is not shown to anybody."""
    assert [entry.id for entry in catalog(FOLDER / "ru.po") if entry.fuzzy and entry.id] == []


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1 инцидент"), (2, "2 инцидента"), (5, "5 инцидентов"), (11, "11 инцидентов"),
     (21, "21 инцидент"), (112, "112 инцидентов")],
)  # fmt: skip
def test_russian_counts_in_three_forms(number: int, said: str) -> None:
    """1 инцидент, 2 инцидента, 5 инцидентов."""
    assert words("ru").count("%(num)d incident", "%(num)d incidents", number) == said


def test_english_needs_no_catalogue() -> None:
    """The msgids are the English text."""
    assert words("en").say("Open incidents") == "Open incidents"
    assert words("en").count("%(num)d incident", "%(num)d incidents", 1) == "1 incident"
    assert words("en").count("%(num)d incident", "%(num)d incidents", 2) == "2 incidents"
