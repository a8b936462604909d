"""Blocking work beside the loop: in a thread that nobody waits for at the end of the process."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Answer = TypeVar("Answer")


async def aside(work: Callable[[], Answer], *, most_s: float) -> Answer:
    """Return what blocking work returns, or raise what it raises.

    Its thread is given up, not ended, when the caller is cancelled or the time is over: whoever
    hands the work in sees to it that it ends by itself.

    Raises:
        TimeoutError: it took longer than `most_s`.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()

    def settle(answer: Answer | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(answer)  # type: ignore[arg-type]  # None only where Answer is

    def run() -> None:
        answer, failed = None, None
        try:
            answer = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            failed = error
        with suppress(RuntimeError):  # the loop is gone, and with it whoever asked
            loop.call_soon_threadsafe(settle, answer, failed)

    threading.Thread(target=run, name="mailbox", daemon=True).start()
    async with asyncio.timeout(most_s):
        return await future
