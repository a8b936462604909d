"""What the kiosk's logic wants done: notices, answers, orders to devices."""

from dataclasses import dataclass
from typing import NewType

from agent.checking import Wrong
from agent.requests import Ref

Client = NewType("Client", int)
"""Names a connection of the payment program."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the program (every connection that said hello)."""

    message: dict[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer one request of one connection."""

    client: Client
    message: dict[str, object]


@dataclass(frozen=True, slots=True)
class TakeNotes:
    """Let the acceptor take notes, or not."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class Print:
    """Print a receipt; the printer answers by the job's name."""

    job: str
    text: str


@dataclass(frozen=True, slots=True)
class PulseNow:
    """A device is no longer as the last pulse said."""


Effect = Tell | Answer | TakeNotes | Print | PulseNow


def told(word: str, **fields: object) -> Tell:
    """Return a notice; fields that are None are left out."""
    return Tell({"told": word, **{name: each for name, each in fields.items() if each is not None}})


def answer(client: Client, ref: Ref, *, seq: int | None = None) -> Answer:
    """Return a yes."""
    message: dict[str, object] = {"ok": True}
    if ref is not None:
        message["ref"] = ref
    if seq is not None:
        message["seq"] = seq
    return Answer(client, message)


def refusal(client: Client, ref: Ref, wrong: Wrong) -> Answer:
    """Return a no, in a word for programs and a text for people."""
    message: dict[str, object] = {"ok": False, "error": wrong.error, "text": wrong.text}
    return Answer(client, message if ref is None else {**message, "ref": ref})
