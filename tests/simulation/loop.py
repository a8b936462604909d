"""Virtual time, and processes that live in it.

Laws. Nothing sleeps: time is what the next action in the heap says. Whatever happens at one moment
happens in the order in which it was asked for, so one seed gives one run. A node runs asyncio code
unchanged; frozen it does nothing while the world goes on, and wakes to find that time has passed;
killed it never does anything again, and what it held open is closed by whoever holds the other end.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

_ROUNDS_MAX: Final = 100_000
"""Turns of a dying node before it counts as immortal: a bug."""


class Timer:
    """Something to be done at a moment, unless it is called off."""

    __slots__ = ("action", "when")

    def __init__(self, when: float, action: Callable[[], object]) -> None:
        self.when = when
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        """Call it off."""
        self.action = None


class World:
    """The time of everybody, in seconds since the run began, and what is still to come."""

    def __init__(self, began_at: datetime) -> None:
        self.now = 0.0
        self.steps = 0
        self._began_at = began_at
        self._heap: list[tuple[float, int, Timer]] = []
        self._soon: deque[Callable[[], object]] = deque()
        self._numbers = count()

    def utc(self) -> datetime:
        """Return the true time of day, to the microsecond."""
        return self._began_at + timedelta(seconds=self.now)

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        """Do something then, or now if that is past."""
        timer = Timer(max(when, self.now), action)
        heapq.heappush(self._heap, (timer.when, next(self._numbers), timer))
        return timer

    def after(self, delay_s: float, action: Callable[[], object]) -> Timer:
        """Do something so many seconds from now."""
        return self.at(self.now + delay_s, action)

    def soon(self, action: Callable[[], object]) -> None:
        """Do something now, after what is under way."""
        self._soon.append(action)

    def run_until(self, when: float) -> None:
        """Let everything happen up to then, and be then."""
        heap, soon, steps = self._heap, self._soon, 0
        while True:
            if soon:
                soon.popleft()()
            elif heap and heap[0][0] <= when:
                self.now, _, timer = heapq.heappop(heap)
                if timer.action is None:
                    continue
                timer.action()
            else:
                break
            steps += 1
        self.steps += steps
        self.now = when


if TYPE_CHECKING:
    # What a node leaves out raises NotImplementedError; a type checker would call it abstract.
    _Loop = asyncio.SelectorEventLoop
else:
    _Loop = asyncio.AbstractEventLoop


class Node(_Loop):
    """A process: an event loop of its own on the world's time."""

    def __init__(self, world: World, name: str) -> None:
        # No __init__ above: what a real loop opens is not wanted.
        self.world, self.name = world, name
        self.frozen = self.dead = False
        self.troubles: list[dict[str, Any]] = []
        """What asyncio reported as unhandled: always a bug."""
        self._ready: deque[asyncio.Handle] = deque()
        self._turn_is_due = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_death: list[Callable[[], object]] = []

    # --- what a simulation does with a process

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine in this process."""
        return self.create_task(work)

    def within(self, action: Callable[[], None]) -> None:
        """Do something as this process at its next turn: a packet has arrived, say."""
        self.call_soon(action)

    def freeze(self) -> None:
        """Stop it, as SIGSTOP does."""
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on, as SIGCONT does."""
        self.frozen = False
        self._need_turn()

    def on_death(self, action: Callable[[], object]) -> None:
        """Have the other end of something learn of this process's death."""
        self._on_death.append(action)

    def kill(self) -> None:
        """End it, as SIGKILL does; the doors must do nothing for a dead process."""
        if self.dead:
            return
        self.dead, self.frozen = True, False
        self._ready.clear()
        for action in self._on_death:
            action()
        # Python's objects are taken apart in peace; what they try at the doors has no effect.
        for task in list(self._tasks):
            task.cancel()
        for _ in range(_ROUNDS_MAX):
            if not self._ready:
                break
            self._run_ready()
        else:
            raise AssertionError(f"{self.name} does not end when it is cancelled")
        self._tasks.clear()

    def _need_turn(self) -> None:
        if self._ready and not self._turn_is_due and not self.frozen and not self.dead:
            self._turn_is_due = True
            self.world.soon(self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        if not self.frozen and not self.dead:
            self._run_ready()
            self._need_turn()

    def _run_ready(self) -> None:
        asyncio._set_running_loop(self)  # noqa: SLF001 - it is there for event loops
        try:
            for _ in range(len(self._ready)):
                if not self._ready:  # somebody was killed by what it did itself
                    break
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001 - the same
                if self.frozen:
                    break
        finally:
            asyncio._set_running_loop(None)  # noqa: SLF001 - the same

    # --- what asyncio asks of a loop

    def time(self) -> float:
        """Return the world's time."""
        return self.world.now

    def get_debug(self) -> bool:
        """Return False."""
        return False

    def is_running(self) -> bool:
        """Say if it may still run."""
        return not self.dead

    def is_closed(self) -> bool:
        """Say if it will never run again."""
        return self.dead

    def call_soon(  # type: ignore[override]  # typeshed's is generic in the arguments
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback at the next turn."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        self._need_turn()
        return handle

    def call_soon_threadsafe(  # type: ignore[override]  # typeshed's is generic in the arguments
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback at the next turn; there is only one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(  # type: ignore[override]  # typeshed's is generic in the arguments
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback after so many seconds."""
        return self.call_at(self.world.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # typeshed's is generic in the arguments
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback then."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)

        def due() -> None:
            if not handle.cancelled() and not self.dead:
                self._ready.append(handle)
                self._need_turn()

        self.world.at(when, due)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this process."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # typeshed's is generic in the arguments
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        """Run a coroutine in this process."""
        task = asyncio.Task(coro, loop=self, name=name or self.name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody handled."""
        if not self.dead:
            self.troubles.append(context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a cancelled timer is passed over when its time comes."""
