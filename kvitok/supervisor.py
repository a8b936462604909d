"""Keeps programs running: each is started, waited for, and started again when it dies.

Laws: a program never outlives its supervisor (see `kvitok.embedded.launch`); one that dies before
it has worked once stops the start after a few tries; one that dies later comes back for ever, with
growing pauses; stopping is asked for first and forced after a while.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

PAUSE_FIRST_S: Final = 0.5
PAUSE_MAX_S: Final = 30.0
STEADY_S: Final = 60.0
"""A program that ran this long starts again with the first pause."""

TRIES_MAX: Final = 3
"""Deaths before the first readiness that end the start."""

POLL_S: Final = 0.05
STOP_WAIT_S: Final = 20.0
READY_FD: Final = "KVITOK_READY_FD"
"""Names the descriptor into which a program writes a line when it works."""


class StartFailed(Exception):  # noqa: N818 - says what is, like every error of ours
    """A program did not come up; the text says which, and where to look."""


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Program:
    """One program to keep running."""

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop_signal: signal.Signals = signal.SIGTERM
    prepare: Callable[[], None] = _nothing
    """Done before each start, in a thread; an exception of it ends the start."""
    is_ready: Callable[[], bool] | None = None
    """Asked again and again; None: the program says so itself, through READY_FD."""


class Supervisor:
    """The programs of one service."""

    def __init__(
        self, say: Callable[[str], None], started: Callable[[str, int], None] = lambda *_: None
    ) -> None:
        """Tell people through `say`, and of every new process through `started`."""
        self._say = say
        self._started = started
        self._kept: dict[str, _Kept] = {}

    async def start(self, *programs: Program, within_s: float) -> None:
        """Start programs together and return when all of them work.

        Raises:
            StartFailed: one of them did not.
        """
        waits: list[asyncio.Future[None]] = []
        for program in programs:
            kept = _Kept(program, self._say, self._started)
            self._kept[program.name] = kept
            kept.task = asyncio.create_task(kept.run(), name=program.name)
            waits.append(kept.ready)
        done, late = await asyncio.wait(
            waits, timeout=within_s, return_when=asyncio.FIRST_EXCEPTION
        )
        for each in done:
            each.result()
        if late:
            names = [each.name for each in programs if not self._kept[each.name].works]
            raise StartFailed(
                f"{', '.join(names)} did not become ready within {within_s:.0f} s; "
                "see the log above"
            )

    async def stop(self, *names: str) -> None:
        """End programs together, in order where they can, and return when they are gone."""
        await asyncio.gather(*(self._kept[name].stop() for name in names if name in self._kept))


class _Kept:
    """One program and what is known of it."""

    def __init__(
        self, program: Program, say: Callable[[str], None], started: Callable[[str, int], None]
    ) -> None:
        self.program = program
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Looked at even when nobody waits any more, so that the loop does not complain.
        self.ready.add_done_callback(_looked_at)
        self.task: asyncio.Task[None] | None = None
        self._say = say
        self._started = started
        self._process: asyncio.subprocess.Process | None = None
        self._stop = asyncio.Event()

    @property
    def works(self) -> bool:
        return self.ready.done() and not self.ready.cancelled() and self.ready.exception() is None

    async def run(self) -> None:
        """Start the program again and again until it is to stop."""
        loop = asyncio.get_running_loop()
        pause, deaths = PAUSE_FIRST_S, 0
        while not self._stop.is_set():
            began = loop.time()
            code = await self._once()
            if self._stop.is_set() or (code is None and not self.works):
                return
            deaths += 1
            if not self.works and deaths >= TRIES_MAX:
                self._fail(
                    StartFailed(
                        f"{self.program.name} ended {deaths} times before it worked, last with "
                        f"status {code}; see its lines in the log above"
                    )
                )
                return
            if loop.time() - began > STEADY_S:
                pause = PAUSE_FIRST_S
            self._say(f"{self.program.name} ended with status {code}; again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_S)

    async def _once(self) -> int | None:
        """Run the program until it ends and return its status; None when it cannot be started."""
        try:
            await asyncio.to_thread(self.program.prepare)
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who waits must be told
            self._fail(error)
            return None
        if self._stop.is_set():
            return None
        read, write = os.pipe()
        self._process = await asyncio.create_subprocess_exec(
            *self.program.command(),
            stdin=asyncio.subprocess.DEVNULL,
            # Standard output is for the ready line alone.
            stdout=sys.stderr.fileno(),
            env={**self.program.environment, READY_FD: str(write)},
            pass_fds=(write,),
            process_group=0,
        )
        os.close(write)
        self._started(self.program.name, self._process.pid)
        if self._stop.is_set():
            self._send(self.program.stop_signal)
        ready = asyncio.create_task(self._wait_ready(read))
        code = await self._process.wait()
        ready.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ready
        return code

    async def _wait_ready(self, descriptor: int) -> None:
        try:
            if self.program.is_ready is None:
                await _readable(descriptor)
                if not os.read(descriptor, 1):
                    return
            else:
                await _true(self.program.is_ready)
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who waits must be told
            self._fail(error)
            return
        finally:
            os.close(descriptor)
        if not self.ready.done():
            self.ready.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(error)
        else:
            self._say(f"{self.program.name}: {error}")

    async def stop(self) -> None:
        """Ask it to end; force it after a while."""
        self._stop.set()
        if self.task is None:
            return
        if self._process is None or self._process.returncode is not None:
            # Between two lives, or being prepared: nothing runs that would have to be asked.
            self.task.cancel()
        self._send(self.program.stop_signal)
        done, _ = await asyncio.wait({self.task}, timeout=STOP_WAIT_S)
        if not done:
            self._say(f"{self.program.name} does not end; killing it")
            self._send(signal.SIGKILL)
            await asyncio.wait({self.task})
        if not self.ready.done():
            self.ready.cancel()

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def _looked_at(done: asyncio.Future[None]) -> None:
    if not done.cancelled():
        done.exception()


async def _true(question: Callable[[], bool]) -> None:
    """Return when the answer is yes."""
    while True:
        if await asyncio.to_thread(question):
            return
        await asyncio.sleep(POLL_S)


async def _readable(descriptor: int) -> None:
    """Return when something can be read, the end included."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
