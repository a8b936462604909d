"""How `kvitok serve` is told to stop."""

import asyncio
import os
import signal

from kvitok.serve import _until_signal


def test_a_second_signal_does_not_cut_the_stopping_short() -> None:
    """Whoever presses Ctrl-C twice still gets a database that was shut down."""
    done: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(10)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
            done.append("stopped")

    asyncio.run(asyncio.wait_for(_until_signal(work), 5))
    assert done == ["stopped"]
