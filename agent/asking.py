"""Asks the running agent how it is, over the payment program's door."""

import json
import socket
from typing import Any, Final

from agent.settings import ProgramSettings

ANSWER_S_MAX: Final = 3.0
ANSWER_BYTES_MAX: Final = 1024 * 1024


class NotRunning(Exception):  # noqa: N818 - it names what is
    """No agent answers; the text says where it was asked."""


def ask_status(settings: ProgramSettings) -> dict[str, Any]:
    """Return the running agent's status."""
    where = settings.socket or f"{settings.host}:{settings.port}"
    try:
        with _connected(settings) as line, line.makefile("rwb") as file:
            file.write(b'{"do":"status"}\n')
            file.flush()
            answer = json.loads(file.readline(ANSWER_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise NotRunning(
            f"no agent answers at {where} ({error}); is `kvitok-agent run` running?"
        ) from error
    if not isinstance(answer, dict) or answer.get("told") != "status":
        raise NotRunning(f"what answers at {where} is no agent; check [program]")
    return answer


def _connected(settings: ProgramSettings) -> socket.socket:
    if settings.socket is None:
        return socket.create_connection((settings.host, settings.port or 0), ANSWER_S_MAX)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(ANSWER_S_MAX)
    try:
        line.connect(str(settings.socket))
    except OSError:
        line.close()
        raise
    return line
