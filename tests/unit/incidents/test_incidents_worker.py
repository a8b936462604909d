import asyncio
from typing import Any, cast

import pytest
from asyncpg.exceptions import _base

from incidents.commit import NOTHING_ELSE
from incidents.settings import IncidentsSettings
from incidents.worker import UNREACHABLE, Worker


class Refusing:
    """A connection that cannot take a value: asyncpg says so before it asks the server."""

    def transaction(self) -> Any:
        """Fail as the encoder of an argument does."""
        raise _base.DataError("invalid input for query argument $3: value out of int64 range")


def test_a_value_that_no_column_takes_is_no_lost_database(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It pauses its terminal; taken for a lost connection it would stop the fold of everybody."""
    assert isinstance(_base.DataError("x"), UNREACHABLE)
    worker = Worker(IncidentsSettings(dsn="nowhere"))
    asyncio.run(worker._fold(cast(Any, Refusing()), {"T-1": NOTHING_ELSE, "T-2": NOTHING_ELSE}))  # noqa: SLF001 - what a lane calls
    said = [record.getMessage() for record in caplog.records]
    assert said == ["terminal T-1 cannot be written", "terminal T-2 cannot be written"]
