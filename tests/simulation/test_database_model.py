"""The model of PostgreSQL does what PostgreSQL does: one play on both, compared step by step."""

import asyncio

import pytest

from tests.integration.postgres import _template, database, postgres_server
from tests.simulation.twins import ModelStage, RealStage

__all__ = ["_template", "database", "postgres_server"]

pytestmark = pytest.mark.service


@pytest.mark.parametrize("seed", range(2))
def test_one_after_the_other(database: str, seed: int) -> None:
    """One actor alone gets the same answers and leaves the same tables on both."""
    play = ModelStage(seed, actors=1, works=150).run()
    asyncio.run(RealStage(database, play).run())


@pytest.mark.parametrize("seed", range(100, 109))
def test_at_once(database: str, seed: int) -> None:
    """Three whose statements alternate wait for the same, get the same, and leave the same."""
    play = ModelStage(seed, actors=3, works=10).run()
    asyncio.run(RealStage(database, play).run())
