"""The payment program's end of the agent's local door: JSON lines over a Unix socket."""

import contextlib
import json
import socket
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from firmware_sim.clock import monotonic, sleep

_ANSWER_S: Final = 15.0
_READ_BYTES: Final = 65_536


class AgentGone(Exception):  # noqa: N818 - it names what is
    """The agent hung up, or does not answer."""


class AgentRefused(Exception):  # noqa: N818 - it names what is
    """The agent answered that it will not; the text is its word for why."""


Told = dict[str, Any]


class Door:
    """A connection; one thread uses it."""

    def __init__(self, path: Path, *, patience_s: float) -> None:
        """Connect and say hello.

        Raises:
            AgentGone: nobody listens there for so long.
        """
        self._buffer = b""
        self._ref = 0
        self._answers: dict[str, Told] = {}
        self.told: deque[Told] = deque(maxlen=1_000)
        """What the agent has told and nobody has looked at yet."""
        self._socket = _connected(path, patience_s)
        self.ask({"do": "hello", "program": "simulated-program 1"})

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def record(self, event: Mapping[str, Any]) -> None:
        """Have an event journaled; returns when it is durable."""
        self.ask({"do": "record", "event": dict(event)})

    def ask(self, request: Mapping[str, Any]) -> Told:
        """Ask for something and wait for the answer.

        Raises:
            AgentGone: the agent hung up or was silent.
            AgentRefused: it will not.
        """
        self._ref += 1
        ref = str(self._ref)
        line = json.dumps({**request, "ref": ref}, ensure_ascii=False).encode() + b"\n"
        try:
            self._socket.sendall(line)
        except OSError as error:
            raise AgentGone(str(error)) from error
        ends = monotonic() + _ANSWER_S
        while ref not in self._answers:
            if monotonic() > ends:
                raise AgentGone(f"no answer to {request['do']}")
            self._read(0.5)
        answer = self._answers.pop(ref)
        if not answer["ok"]:
            raise AgentRefused(f"{request['do']}: {answer.get('error')} {answer.get('text')}")
        return answer

    def wait_for(self, wanted: Callable[[Told], bool], seconds: float) -> Told | None:
        """Return the first thing told that is wanted, dropping what comes before; None in time."""
        ends = monotonic() + seconds
        while True:
            while self.told:
                told = self.told.popleft()
                if wanted(told):
                    return told
            if monotonic() > ends:
                return None
            self._read(0.1)

    def _read(self, wait_s: float) -> None:
        self._socket.settimeout(wait_s)
        try:
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return
        except OSError as error:
            raise AgentGone(str(error)) from error
        if not data:
            raise AgentGone("the agent hung up")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "ok" in message and "ref" in message:
                self._answers[message["ref"]] = message
            elif "told" in message:
                self.told.append(message)


def _connected(path: Path, patience_s: float) -> socket.socket:
    ends = monotonic() + patience_s
    while True:
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.connect(str(path))
        except OSError as error:
            with contextlib.suppress(OSError):
                door.close()
            if monotonic() > ends:
                raise AgentGone(f"nobody listens at the door: {error}") from error
            sleep(0.05)
        else:
            return door
