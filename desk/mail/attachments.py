"""What is in a letter's files: each opened by a program of its own that may die of it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import desk
from desk.mail.charset import part_text
from desk.mail.letter import AttachedFile
from desk.mail.markup import html_text
from desk.mail.mime import clean

FILES_OPENED_MAX: Final = 8
"""Of one letter; the largest pictures and documents are not the first to be left out."""
WALL_S: Final = 15.0
"""For one file; then its program is ended."""
_TEXT_CHARS_MAX: Final = 20_000
_TEXT_BYTES_MAX: Final = 200_000
_ANSWER_BYTES_MAX: Final = 1_000_000
_LOGO_BYTES_MAX: Final = 1_500
"""A smaller picture holds no code that a person could have photographed."""
_INHERITED: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "TZ")
"""What the program gets of our environment: never a secret."""

Kind = Literal["picture", "pdf", "text", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """What was found in one file, or the reason why nothing was looked for."""

    name: str
    kind: Kind = "file"
    codes: tuple[str, ...] = ()
    """Fiscal QR codes, as they read."""
    text: str = ""
    reason: str | None = None
    """`unknown_type`, `not_readable`, `encrypted`, `too_many_pixels`, `too_much_memory`,
    `too_much_time`, `too_large`, `died`, `too_many_files`."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Return all that facts can be read from."""
        return (*self.codes, self.text) if self.text else self.codes


async def read_files(files: Sequence[AttachedFile]) -> tuple[FileReading, ...]:
    """Return what is in a letter's files, in their order, one opened after the other."""
    readings = []
    opened = 0
    for file in files:
        if opened >= FILES_OPENED_MAX:
            readings.append(FileReading(name=file.name, reason="too_many_files"))
            continue
        reading = _text_file(file)
        if reading is None:
            opened += 1
            reading = await read_file(file)
        readings.append(reading)
    return tuple(readings)


async def read_file(file: AttachedFile, *, wall_s: float = WALL_S) -> FileReading:
    """Return what is in one file; a file that harms its reader is one with a reason."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "desk.mail.attachment_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        limit=_ANSWER_BYTES_MAX,
    )
    try:
        async with asyncio.timeout(wall_s):
            answer, _ = await process.communicate(file.content)
    except TimeoutError:
        return FileReading(name=file.name, reason="too_much_time")
    finally:
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
                await process.wait()
    return _understood(file.name, answer, process.returncode)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | {"PYTHONPATH": str(Path(desk.__file__).parent.parent), "PYTHONSAFEPATH": "1"}


def _understood(name: str, answer: bytes, status: int | None) -> FileReading:
    if status != 0 or len(answer) > _ANSWER_BYTES_MAX:
        slow = status in {-signal.SIGXCPU, -signal.SIGKILL}
        return FileReading(name=name, reason="too_much_time" if slow else "died")
    told: dict[str, Any] = json.loads(answer)
    return FileReading(
        name=name,
        kind=told["kind"],
        codes=tuple(told["codes"]),
        text=clean(told["text"]).strip(),
        reason=told["reason"],
    )


def _text_file(file: AttachedFile) -> FileReading | None:
    """Return what needs no program: plain text, a page, a logo; None for the others."""
    name = file.name.lower()
    if file.media_type.startswith("image/") and len(file.content) < _LOGO_BYTES_MAX:
        return FileReading(name=file.name, kind="picture")
    if file.media_type == "text/html" or name.endswith((".html", ".htm")):
        text = html_text(part_text(file.content[:_TEXT_BYTES_MAX]))
    elif file.media_type == "text/plain" or name.endswith(".txt"):
        text = part_text(file.content[:_TEXT_BYTES_MAX])
    else:
        return None
    return FileReading(name=file.name, kind="text", text=clean(text)[:_TEXT_CHARS_MAX].strip())
