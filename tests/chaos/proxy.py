"""Small proxies that bytes go through on their way, until somebody cuts, stalls or throttles them.

All run in one thread with a loop of its own; every method may be called from any other thread.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Final

_CHUNK: Final = 65_536
_LOOK_S: Final = 0.05

Place = tuple[str, int] | Path
"""A TCP address, or a Unix socket."""


class Proxies:
    """The thread that carries the bytes of all proxies."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._proxies: list[Proxy] = []
        self._thread = Thread(target=self._loop.run_forever, name="chaos-proxies", daemon=True)
        self._thread.start()

    def open(self, listen: Place, target: Place) -> "Proxy":
        """Listen, and carry every connection to the target."""
        proxy = Proxy(self._loop, listen, target)
        asyncio.run_coroutine_threadsafe(proxy.listen(), self._loop).result(10)
        self._proxies.append(proxy)
        return proxy

    def close(self) -> None:
        """Cut everything and end the thread."""
        for proxy in self._proxies:
            asyncio.run_coroutine_threadsafe(proxy.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Proxy:
    """One path."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listen: Place, target: Place) -> None:
        self._loop = loop
        self._listen, self._target = listen, target
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing = self._stalled = False
        self._rate = 0
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | None = None

    def cut(self) -> None:
        """End every connection at once, as a reset, and refuse new ones."""
        self._do(self._cut)

    def stall(self) -> None:
        """Carry no byte; connections stay."""
        self._stalled = True

    def throttle(self, bytes_a_second: int) -> None:
        """Carry so many bytes a second, all connections and both ways together."""
        self._rate = bytes_a_second

    def mend(self) -> None:
        """Carry everything again."""
        self._refusing = self._stalled = False
        self._rate = 0

    async def listen(self) -> None:
        """Take connections."""
        if isinstance(self._listen, Path):
            self._listen.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, self._listen)
            self._listen.chmod(0o777)
        else:
            host, port = self._listen
            self._server = await asyncio.start_server(self._serve, host, port, backlog=1024)

    async def close(self) -> None:
        """Take no more connections, and end those that are."""
        if self._server is not None:
            self._server.close()
        self._cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self) -> None:
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def _do(self, do: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(do)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if not self._refusing:
                await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self._target, Path):
            there, back = await asyncio.open_unix_connection(self._target)
        else:
            there, back = await asyncio.open_connection(*self._target)
        pair = {writer, back}
        self._writers |= pair
        ways = [
            asyncio.create_task(self._pump(reader, back)),
            asyncio.create_task(self._pump(there, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers -= pair
            back.transport.abort()
            # What is left to write goes before the end does.
            with contextlib.suppress(OSError):
                await asyncio.wait_for(writer.drain(), 1)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK if not self._rate else max(1, self._rate // 20)):
            while self._stalled:  # noqa: ASYNC110 - set from other threads
                await asyncio.sleep(_LOOK_S)
            if self._rate:
                # In turns: who sends much does not starve who sends little.
                async with self._turn:
                    await asyncio.sleep(len(data) / self._rate if self._rate else 0.0)
            writer.write(data)
            await writer.drain()
