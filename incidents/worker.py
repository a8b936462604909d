"""The worker: woken by notifications, with a poll behind them; folds in lanes until told to stop.

Laws: a terminal waits at most once (`_waiting`) and is in one lane at most (`_busy`); a lane takes
the longest waiting first; a lost notification costs one poll; a lost database costs a back-off; a
terminal whose rows cannot be folded is tried again after a growing pause and stops nobody else.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from incidents import metrics, watch
from incidents.calendar import ANNOUNCED, Calendar
from incidents.commit import NOTHING_ELSE, Errand, Outcome, Run, commit
from incidents.settings import IncidentsSettings
from incidents.silence import was_set
from incidents.store import Connection
from incidents.terms import read_calendar

log: Final = logging.getLogger(__name__)

JOURNAL: Final = "kvitok_journal"
PULSE: Final = "kvitok_pulse"
RETRY_FIRST_S: Final = 5.0
RETRY_MAX_S: Final = 300.0
"""Pauses before rows that could not be folded are tried again."""
CONNECT_AGAIN_S: Final = 1.0
HELD_AGAIN_S: Final = 0.05
"""A terminal that another worker holds is looked at again after this."""
FOLD_EVERY_S: Final = 0.1
"""Commits of one lane do not begin faster than this, unless one is full: a commit costs as much as
dozens of terminals. What comes after a quiet time waits for nothing."""
CALENDAR_EVERY_S: Final = 3600.0
"""How old the imported calendar may be that cases are due by."""
COMMAND_TIMEOUT_S: Final = 60.0
IDLE_IN_TRANSACTION: Final = "30s"
"""The server ends a transaction whose process was stopped in the midst of it: nobody else could
fold its terminals."""
UNREACHABLE: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What a process meets that was frozen while its database went away.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
)
"""The world is gone: wait and connect again."""
LOCKED_OUT: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""A wrong user, password or database: a person must mend it, and may do so at any time."""
SAY_AGAIN_S: Final = 30.0
"""Every lane meets the same trouble every second; the log need not."""


async def connect(dsn: str) -> Connection:
    """Return a new connection."""
    return await asyncpg.connect(
        dsn,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={
            "application_name": "kvitok incidents",
            "jit": "off",
            "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION,
        },
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - this is the door


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The world that a worker lives in: clocks and database; a simulator brings its own."""

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic
    connect: Callable[[str], Awaitable[Connection]] = connect
    calendar: Callable[[Connection], Awaitable[Calendar]] = read_calendar


REAL: Final = Doors()


class Worker:
    """Folds whatever is stored, until `stop`."""

    def __init__(
        self,
        settings: IncidentsSettings,
        ready: Callable[[], None] = lambda: None,
        doors: Doors = REAL,
    ) -> None:
        self._settings = settings
        self._ready = ready
        self._doors = doors
        self._numbers = settings.numbers
        self._calendar = ANNOUNCED
        self._calendar_at = float("-inf")
        self._started_at = doors.now()
        self._looked = (self._started_at, doors.monotonic())
        self._since: datetime | None = self._started_at
        self._waiting: dict[str, Errand] = {}
        self._busy: set[str] = set()
        self._said: dict[str, float] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        self._wake = asyncio.Event()
        self._look = asyncio.Event()
        self._pulse = asyncio.Event()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Finish the commits under way and return from `run`."""
        self._stopped.set()
        for event in (self._wake, self._look, self._pulse):
            event.set()

    async def run(self) -> None:
        """Fold until stopped."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._always(self._watch))
            group.create_task(self._always(self._pulses))
            for _ in range(self._settings.lanes):
                group.create_task(self._always(self._lane))

    # --- connections

    async def _always(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Do the work on a connection of its own; connect again whenever it is lost."""
        while not self._stopped.is_set():
            try:
                async with self._connected() as connection:
                    await work(connection)
            except UNREACHABLE as error:
                if self._is_news(error):
                    log.warning("the database is gone (%s: %s)", type(error).__name__, error)
            except LOCKED_OUT as error:
                if self._is_news(error):
                    log.error("the database does not let us in (%s): see [incidents] dsn", error)  # noqa: TRY400 - where is known
            except asyncpg.PostgresError as error:
                # What is asked at every poll must not end the process with the folding lanes.
                if self._is_news(error):
                    log.exception("the database refuses a question; is it migrated?")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), CONNECT_AGAIN_S)

    def _is_news(self, error: Exception) -> bool:
        """Say whether this trouble is worth a line in the log, and remember that it had one."""
        text, at = f"{type(error).__name__}: {error}", self._doors.monotonic()
        if at - self._said.get(text, float("-inf")) < SAY_AGAIN_S:
            return False
        # Only what is fresh is kept, so that changing texts cannot fill the memory.
        self._said = {old: when for old, when in self._said.items() if at - when < SAY_AGAIN_S}
        self._said[text] = at
        return True

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        connection = await self._doors.connect(self._settings.dsn)
        try:
            yield connection
        finally:
            with contextlib.suppress(*UNREACHABLE):
                await connection.close(timeout=2)

    # --- waking

    def _told(self, _c: object, _pid: int, channel: str, payload: object) -> None:
        if channel == PULSE:
            self._pulse.set()
        elif payload:
            self._want(dict.fromkeys(str(payload).split(","), NOTHING_ELSE))
        else:
            self._look.set()

    def _want(self, errands: Mapping[str, Errand]) -> None:
        now = self._doors.monotonic()
        for terminal, errand in errands.items():
            pause = self._pauses.get(terminal)
            if pause is not None and now < pause[0]:
                continue
            waiting = self._waiting.get(terminal)
            self._waiting[terminal] = errand if waiting is None else waiting.joined(errand)
        if self._waiting:
            self._wake.set()

    async def _watch(self, connection: Connection) -> None:
        """Look for rows and silence at every poll, and when a notification named nobody."""
        await self._read_calendar(connection)
        await connection.add_listener(JOURNAL, self._told)
        await connection.add_listener(PULSE, self._told)
        self._ready()
        self._ready = lambda: None
        while not self._stopped.is_set():
            self._look.clear()
            await self._read_calendar(connection)
            now = self._doors.now()
            before, self._looked = self._looked, (now, self._doors.monotonic())
            if was_set(before, self._looked, self._numbers):
                # By the new clock everybody was last heard long ago: the grace begins again.
                log.warning("our clock was set from about %s to %s", before[0], now)
                self._started_at = now
            self._since = await watch.listening_since(
                connection, now, started_at=self._started_at, numbers=self._numbers
            )
            behind, lag_s = await watch.behind(connection, now)
            metrics.LAG_S.set(lag_s)
            self._want(behind)
            self._want(await watch.ripe(connection))
            self._want(await watch.quiet(connection, now, self._since, self._numbers))
            self._want(await watch.overdue(connection, now, self._numbers))
            self._want(await watch.clashes(connection, self._numbers))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), self._settings.poll_s)

    async def _read_calendar(self, connection: Connection) -> None:
        """Read the calendar before the first case is opened by it, and every hour."""
        at = self._doors.monotonic()
        if at - self._calendar_at >= CALENDAR_EVERY_S:
            self._calendar, self._calendar_at = await self._doors.calendar(connection), at

    async def _pulses(self, connection: Connection) -> None:
        """See what newer pulses prove, when told that some have come."""
        while not self._stopped.is_set():
            await self._pulse.wait()
            self._pulse.clear()
            self._want(await watch.ripe(connection))

    # --- folding

    async def _lane(self, connection: Connection) -> None:
        begun = -FOLD_EVERY_S
        while not self._stopped.is_set():
            rest_s = begun + FOLD_EVERY_S - self._doors.monotonic()
            if rest_s > 0 and len(self._waiting) < self._settings.terminals_per_commit:
                await asyncio.sleep(rest_s)
                begun = -FOLD_EVERY_S
                continue
            errands = self._next()
            if not errands:
                self._wake.clear()
                await self._wake.wait()
                continue
            begun = self._doors.monotonic()
            self._busy |= errands.keys()
            try:
                await self._fold(connection, errands)
            except UNREACHABLE:
                self._want(errands)
                raise
            finally:
                self._busy -= errands.keys()
                if self._waiting:
                    self._wake.set()

    def _next(self) -> dict[str, Errand]:
        most = self._settings.terminals_per_commit
        free = (name for name in self._waiting if name not in self._busy)
        names = list(itertools.islice(free, most))
        metrics.WAITING.set(len(self._waiting) - len(names))
        return {name: self._waiting.pop(name) for name in names}

    async def _fold(self, connection: Connection, errands: dict[str, Errand]) -> None:
        run = Run(
            numbers=self._numbers,
            now=self._doors.now(),
            listening_since=self._since,
            events_most=self._settings.events_per_commit,
            calendar=self._calendar,
        )
        begun = time.perf_counter()
        try:
            outcome = await commit(connection, errands, run)
        except Exception as error:
            # A value that its column cannot take is an InterfaceError too, and no lost database.
            if isinstance(error, UNREACHABLE) and not isinstance(error, ValueError):
                raise
            # What the database refuses for one terminal must not stop the others: find it.
            if len(errands) == 1:
                log.exception("terminal %s cannot be written", next(iter(errands)))
                self._pause(errands)
                return
            names = sorted(errands)
            for half in (names[: len(names) // 2], names[len(names) // 2 :]):
                await self._fold(connection, {name: errands[name] for name in half})
            return
        metrics.COMMIT_S.observe(time.perf_counter() - begun)
        self._account(errands, outcome)

    def _account(self, errands: Mapping[str, Errand], outcome: Outcome) -> None:
        metrics.COMMITS.inc()
        metrics.EVENTS.inc(outcome.events)
        metrics.CASES.inc(outcome.cases)
        for rule in outcome.opened:
            metrics.OPENED.labels(rule).inc()
        for name in self._pauses.keys() & errands.keys() - outcome.failed:
            del self._pauses[name]
        self._pause(outcome.failed)
        self._want({name: errands[name] for name in outcome.unfinished - outcome.failed})
        if outcome.held:
            # Rows that came after its holder looked would wait for the poll.
            held = {name: errands[name] for name in outcome.held}
            asyncio.get_running_loop().call_later(HELD_AGAIN_S, self._want, held)

    def _pause(self, names: Iterable[str]) -> None:
        for name in names:
            metrics.FAILED.inc()
            _, last = self._pauses.get(name, (0.0, RETRY_FIRST_S / 2))
            pause = min(RETRY_MAX_S, last * 2)
            self._pauses[name] = (self._doors.monotonic() + pause, pause)
