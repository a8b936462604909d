"""`kvitok case move|comment`: what a person does with a case."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from desk.settings import DeskSettings
from incidents.actions import Refused, Word, comment_case, move_case
from incidents.store import Connection
from kvitok.ask import NotFound, ask
from kvitok.place import Config, Data, settings_of

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="As K-2026-000123.")]
Who = Annotated[
    str, typer.Option("--as", metavar="NAME", help="Who does it, for the history of the case.")
]
Public = Annotated[bool, typer.Option("--public", help="The customer may read the text.")]
Answer = TypeVar("Answer")


class Step(StrEnum):
    """The moves of a case's life."""

    TAKE = "take"
    ASK_CUSTOMER = "ask_customer"
    ANSWERED = "answered"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"


def case_move(  # noqa: PLR0913 - one an option
    number: Number,
    step: Annotated[Step, typer.Argument(metavar="STEP", help=", ".join(Step))],
    *,
    text: Annotated[str | None, typer.Option("--text", metavar="TEXT", help="Why.")] = None,
    public: Public = False,
    who: Who = "command line",
    data: Data = None,
    config: Config = None,
) -> None:
    """Take a case, resolve it, close it, …; from then on it never resolves by itself."""
    word = Word(actor=who, at=_now(), text=text, public=public)
    state = _do(lambda c: move_case(c, number, step.value, word), data, config)
    typer.echo(f"{number}: {state}")


def case_comment(
    number: Number,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What there is to say.")],
    *,
    public: Public = False,
    who: Who = "command line",
    data: Data = None,
    config: Config = None,
) -> None:
    """Write a comment into the history of a case."""
    word = Word(actor=who, at=_now(), text=text, public=public)
    _do(lambda c: comment_case(c, number, word), data, config)
    typer.echo(f"{number}: noted")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the command line is a door


def _do(
    work: Callable[[Connection], Awaitable[Answer | Refused]], data: Data, config: Config
) -> Answer:
    settings = settings_of(data, config)
    answer = ask(settings, settings.section(DeskSettings).dsn, work)
    if isinstance(answer, Refused):
        raise NotFound(f"{answer.text}; `kvitok case list` shows what there is")
    return answer
