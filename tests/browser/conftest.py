"""A desk with one day's story behind a real address, and a real browser before it."""

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from tests.integration.desk_story import tell
from tests.integration.desk_world import World, desk_over
from tests.integration.postgres import _template, database, empty_database, postgres_server

__all__ = ["_template", "database", "empty_database", "postgres_server"]


@dataclass(frozen=True)
class Served:
    """A running desk: its address, a login link, and a way to make things happen behind it."""

    address: str
    world: World
    loop: asyncio.AbstractEventLoop

    @property
    def login(self) -> str:
        """Return the link that logs a browser in."""
        return f"{self.address}/login?token={self.world.token}"

    def do(self, happening: Coroutine[Any, Any, Any]) -> Any:
        """Let something happen in the desk's own loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(happening, self.loop).result(20)


@pytest.fixture
def served(database: str) -> Iterator[Served]:
    """Return a desk that listens on a free port."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    ready = threading.Event()
    shared: dict[str, Any] = {}

    async def serve() -> None:
        async with desk_over(database) as world:
            await tell(world)
            config = uvicorn.Config(world.app, log_config=None, lifespan="off")
            shared.update(world=world, loop=asyncio.get_running_loop())
            shared["server"] = server = uvicorn.Server(config)
            running = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
                await asyncio.sleep(0.01)
            ready.set()
            await running

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    yield Served(address, shared["world"], shared["loop"])
    shared["server"].should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium, headless; gone before other modules run loops of their own."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None and os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail("Chromium is missing and REQUIRE_SERVICES=1")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield opened
        opened.close()
