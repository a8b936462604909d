"""How answers look: a table for people, JSON for programs."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from pydantic import TypeAdapter

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[
    int, typer.Option("--limit", min=1, max=100_000, metavar="N", help="Rows at most.")
]

NOTHING: Final = "-"


def as_json(kind: Any, value: object) -> None:  # noqa: ANN401 - any type that pydantic knows
    """Print a value as the JSON API writes it."""
    adapter = TypeAdapter(kind)
    typer.echo(adapter.dump_json(value, indent=2).decode())


def as_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str | None = None
) -> None:
    """Print aligned columns; the last one is as wide as it is. No rows: `empty` in their place."""
    texts = [[cell(each) for each in row] for row in rows]
    if not texts and empty is not None:
        typer.echo(empty)
        return
    lines = [list(head), *texts]
    widths = [max(width(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        padded = [text + " " * (widths[at] - width(text)) for at, text in enumerate(line)]
        typer.echo("  ".join(padded).rstrip())


def as_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one a line."""
    known = [(name, cell(value)) for name, value in fields]
    longest = max(len(name) for name, _ in known)
    for name, text in known:
        typer.echo(f"{name:<{longest}}  {text}")


def cell(value: object) -> str:
    """Return a value as a person reads it: local time, a dash for nothing."""
    if value is None or value in ((), ""):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, tuple | list):
        return ", ".join(cell(each) for each in value)
    return "".join(each if _shown(each) else "\ufffd" for each in str(value))


def _shown(character: str) -> bool:
    """Say no to what would tell a screen to move its cursor; the spaces in `95,00 ₽` may stay."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


def width(text: str) -> int:
    """Return the columns a text takes on a screen."""
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )
