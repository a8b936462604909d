"""Programs kept running, with real processes."""

import asyncio
import os
import sys
import time

import pytest

from kvitok.supervisor import READY_FD, Program, StartFailed, Supervisor

READY = f"import os; os.write(int(os.environ['{READY_FD}']), b'x'); import time; time.sleep(60)"


def program(code: str, name: str = "it") -> Program:
    """Return a program in Python."""
    return Program(name, lambda: [sys.executable, "-c", code], environment=dict(os.environ))


def test_a_start_waits_until_the_program_says_that_it_works() -> None:
    """The descriptor is told in the environment, and one byte is enough."""

    async def run() -> list[str]:
        said: list[str] = []
        supervisor = Supervisor(said.append)
        await supervisor.start(program(READY), within_s=20)
        await supervisor.stop("it")
        return said

    assert asyncio.run(run()) == []


def test_a_program_that_never_works_ends_the_start() -> None:
    """After three deaths the start fails, naming the program and its status."""

    async def run() -> None:
        supervisor = Supervisor(lambda _: None)
        try:
            await supervisor.start(program("raise SystemExit(7)"), within_s=30)
        finally:
            await supervisor.stop("it")

    with pytest.raises(StartFailed, match="it ended 3 times before it worked, last with status 7"):
        asyncio.run(run())


def test_a_program_that_is_too_slow_ends_the_start() -> None:
    """The time is bounded, and who was late is named."""

    async def run() -> None:
        supervisor = Supervisor(lambda _: None)
        try:
            await supervisor.start(
                program(READY, "quick"), program("import time; time.sleep(60)"), within_s=3
            )
        finally:
            await supervisor.stop("quick", "it")

    with pytest.raises(StartFailed, match=r"^it did not become ready within 3 s"):
        asyncio.run(run())


def test_what_fails_before_the_start_is_told_as_it_is() -> None:
    """An error of `prepare` reaches whoever waits."""

    def refuse() -> None:
        raise StartFailed("no place")

    async def run() -> None:
        supervisor = Supervisor(lambda _: None)
        unfit = Program("it", lambda: [sys.executable, "-c", READY], prepare=refuse)
        await supervisor.start(unfit, within_s=20)

    with pytest.raises(StartFailed, match="no place"):
        asyncio.run(run())


def test_a_program_that_dies_later_is_started_again() -> None:
    """It comes back, and its new process is told of."""

    async def run() -> list[int]:
        pids: list[int] = []
        supervisor = Supervisor(lambda _: None, lambda _, pid: pids.append(pid))
        await supervisor.start(program(READY), within_s=20)
        os.kill(pids[0], 9)
        ends = time.monotonic() + 20
        while len(pids) < 2 and time.monotonic() < ends:  # noqa: ASYNC110 - a test may look
            await asyncio.sleep(0.05)
        await supervisor.stop("it")
        return pids

    assert len(asyncio.run(run())) == 2


def test_who_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program deaf to SIGTERM is killed after a while."""
    monkeypatch.setattr("kvitok.supervisor.STOP_WAIT_S", 0.5)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}"

    async def run() -> list[str]:
        said: list[str] = []
        supervisor = Supervisor(said.append)
        await supervisor.start(program(deaf), within_s=20)
        await supervisor.stop("it")
        return said

    assert asyncio.run(run()) == ["it does not end; killing it"]
