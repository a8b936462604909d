"""MQTT topics of the contract (section 1): `kvitok/v1/<terminal>/<channel>`."""

import re
from enum import StrEnum
from typing import Final, NewType

TerminalId = NewType("TerminalId", str)
"""The number printed on the terminal: 1 to 32 characters of `A-Z a-z 0-9 _ -`."""

PREFIX: Final = "kvitok/v1"
_TERMINAL: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Channel(StrEnum):
    """What a topic carries."""

    JOURNAL = "journal"
    ACK = "ack"
    PULSE = "pulse"
    PRESENCE = "presence"
    COMMAND = "command"
    REPLY = "reply"


_CHANNELS: Final = {channel.value: channel for channel in Channel}


def terminal_id(text: str) -> TerminalId | None:
    """Return the text as a terminal's number, or None when it cannot be one."""
    return TerminalId(text) if _TERMINAL.fullmatch(text) else None


def topic(terminal: TerminalId, channel: Channel) -> str:
    """Return the topic of a terminal's channel."""
    return f"{PREFIX}/{terminal}/{channel.value}"


def every_terminal(channel: Channel) -> str:
    """Return the filter that matches the channel of every terminal."""
    return f"{PREFIX}/+/{channel.value}"


def read_topic(text: str) -> tuple[TerminalId, Channel] | None:
    """Return whose topic it is and what it carries, or None for a topic that is not ours."""
    parts = text.split("/")
    if len(parts) != 4 or f"{parts[0]}/{parts[1]}" != PREFIX:  # noqa: PLR2004 - the four levels above
        return None
    terminal, channel = terminal_id(parts[2]), _CHANNELS.get(parts[3])
    return (terminal, channel) if terminal and channel else None
