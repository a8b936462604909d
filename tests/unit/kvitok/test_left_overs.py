"""What is left of a server that was killed."""

from typing import cast

import psutil

from kvitok.embedded.postgres import _alive


class Ending:
    """A process that ends right after it was found running."""

    def is_running(self) -> bool:
        """Return True: it is still there."""
        return True

    def status(self) -> str:
        """Find it gone."""
        raise psutil.NoSuchProcess(1)


def test_a_process_that_ends_while_it_is_looked_at_is_gone() -> None:
    """A start after kill -9 does not fail because the old server was quick to end."""
    assert _alive([cast("psutil.Process", Ending())]) == []
