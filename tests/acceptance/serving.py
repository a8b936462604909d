"""A running `kvitok serve --embedded`, as an operator has it, and a small client of its API."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

READY_S_MAX: Final = 90.0


@dataclass(frozen=True)
class Served:
    """The ready line of a service, and its process."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    folder: Path

    @property
    def mqtt_port(self) -> int:
        """Return the broker's port on loopback."""
        return int(self.ready["mqtt"].rpartition(":")[2])

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the API with the token of the ready line."""
        headers = {"Authorization": f"Bearer {self.ready['token']}", **more.pop("headers", {})}
        url = f"{self.ready['http']}{path}"
        return httpx.request(method, url, headers=headers, timeout=30, **more)

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a GET under /api/v1; fails on any error."""
        answer = self.call("GET", f"/api/v1{path}", params=params)
        assert answer.status_code == 200, (path, params, answer.status_code, answer.text)
        return answer.json()

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Return a whole list, all pages of it."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(path, **params, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def until(
        self, question: Callable[[], Any], *, within_s: float = 20.0, what: str = "it"
    ) -> Any:
        """Ask until the answer is true, and return it."""
        end = time.monotonic() + within_s
        while True:
            answer = question()
            if answer:
                return answer
            assert time.monotonic() < end, f"{what}: not within {within_s} s; last: {answer!r}"
            time.sleep(0.1)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """Start the service on a folder and end it cleanly: exit status 0 is asserted."""
    command = [sys.executable, "-m", "kvitok", "serve", "--embedded", "--data", str(folder)]
    log = (folder.parent / f"{folder.name}.log").open("a", encoding="utf-8")
    process = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder.parent / f"{folder.name}.log").read_text(encoding="utf-8")[-3000:]
        yield Served(process, json.loads(line), folder)
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(60) == 0
        assert rest == "", "standard output carries the ready line and nothing else"
    finally:
        log.close()
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
