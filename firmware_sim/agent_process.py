"""The door to the real agent: a child process that dies with its parent and is ended by its id."""

import ctypes
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_END_S: Final = 10.0
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


AGENT: Final = ("-m", "agent")


class AgentProcess:
    """`python -m agent run --config …`; its starter must be a thread that stays."""

    def __init__(self, config: Path, log: Path, program: tuple[str, ...] = AGENT) -> None:
        self._config, self._log, self._program = config, log, program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Say if it lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """How it ended."""
        return self._process.poll() if self._process else None

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it; its log goes to a file."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, *self._program, "run", "--config", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, nothing shared
            )

    def kill(self) -> None:
        """Kill it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """End it politely, or else."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
