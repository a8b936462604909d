"""Every parser that faces the outside, under bytes of any kind and under the kept corpus."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS
from tests.fuzz.strategies import JSON_TARGETS, everywhere, inputs
from tests.fuzz.targets import TARGETS

CORPUS: Final = Path(__file__).parent / "corpus"
KEPT: Final = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
EXAMPLES: Final = {"api": 100, "agent_settings": 80, "service_settings": 80}
EXAMPLES_DEFAULT: Final = 200
CORPUS_FILES_MAX: Final = 300
CORPUS_BYTES_MAX: Final = 1024 * 1024


@pytest.mark.parametrize("target", TARGETS)
def test_good_examples_keep_the_law(target: str) -> None:
    """What mutation begins with is itself fine."""
    for seed in SEEDS[target]:
        TARGETS[target](seed)


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_comes_is_read_or_refused(target: str) -> None:
    """No bytes make a parser raise, and what it accepts can be stored."""

    @settings(
        max_examples=EXAMPLES.get(target, EXAMPLES_DEFAULT),
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def law(data: st.DataObject) -> None:
        TARGETS[target](data.draw(inputs(target)))

    law()


@pytest.mark.parametrize("target", [*JSON_TARGETS, "program", "api"])
def test_each_hostile_value_in_each_place_is_read_or_refused(target: str) -> None:
    """Surrogates, NUL, NaN, huge numbers, odd types: no field of any message is a way in."""
    for data in everywhere(target):
        TARGETS[target](data)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_kept_corpus_keeps_the_law(path: Path) -> None:
    """What a fuzzer once found worth keeping, crashes first of all, stays understood."""
    TARGETS[path.parent.name](path.read_bytes())


def test_the_corpus_stays_small() -> None:
    """It is replayed by every run of the tests."""
    assert len(KEPT) < CORPUS_FILES_MAX
    assert sum(path.stat().st_size for path in KEPT) < CORPUS_BYTES_MAX
    assert {path.parent.name for path in KEPT} <= TARGETS.keys()
