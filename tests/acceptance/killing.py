"""How a test ends a service as a power cut would: every process of the tree at once."""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.acceptance.serving import Served, serving

__all__ = ["Served", "children_of", "kill_tree", "log_of", "serving", "start"]


def start(folder: Path, *options: str, log: Path) -> subprocess.Popen[str]:
    """Start the service and return at once, its log going to a file."""
    command = [sys.executable, "-m", "kvitok", "serve", "--embedded", "--data", str(folder)]
    with log.open("a", encoding="utf-8") as file:
        return subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=file, text=True
        )


def children_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return every process below this one."""
    return psutil.Process(process.pid).children(recursive=True)


def kill_tree(process: subprocess.Popen[str]) -> None:
    """SIGKILL the process and everything below it, and wait until all are gone."""
    everyone = [psutil.Process(process.pid), *children_of(process)]
    for each in everyone:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(everyone, timeout=10)
    assert alive == []
    if process.stdout is not None:
        process.stdout.close()


def log_of(folder: Path) -> Path:
    """Return where `serving` logs for a folder."""
    return folder.parent / f"{folder.name}.log"
