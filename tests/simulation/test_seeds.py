"""Seeds that once failed: each must hold for ever, and says what it showed."""

from typing import Final

import pytest

from tests.simulation.run import run_seed

SHOWED: Final[dict[int, str]] = {
    5: "a fleet was called silent after a restore, although it had been heard a moment ago",
    75: "what a full disk had dropped before a fork was lost without a word",
    139: "the same, of several events",
    172: "a restored database lists no terminal that the collector believes to be listed",
    257: "a power cut brings rows back whose loss is declared already",
    366: "as 172, with two collectors",
    477: "a fork leaves a hole at its end, and the next event goes behind it",
    895: "all that a fork should carry was dropped before it",
    2203: "a loss is declared behind which another history goes on",
    2658: "the same, with two machines under one number",
}
"""Seed → what it was."""


@pytest.mark.parametrize("seed", SHOWED)
def test_a_seed_that_failed_holds(seed: int) -> None:
    """What was mended stays mended."""
    assert run_seed(seed).violations == []
