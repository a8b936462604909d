"""Writes docs/command-line.md from the help of every command: `python scripts/command_line.py`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from kvitok.cli import make_app

PAGE: Final = Path(__file__).parents[1] / "docs" / "command-line.md"
WIDTH: Final = 96
HEAD: Final = """\
# The command line

`.venv/bin/kvitok` is everything that people do with the service from a shell. Exit status: 0 done,
1 failed, 2 asked wrongly (no such service, or settings that cannot be used). Answers go to standard
output, everything else to standard error. `--json` prints what the JSON API would say.

Which service a command is about: `--data DIR` for one that was started with `serve --embedded`,
`--config FILE` for any other; or `KVITOK_DATA`, `KVITOK_CONFIG`; or `kvitok.toml` in the present
folder.

This page is written by `python scripts/command_line.py` from the programs' own help.
"""


def page() -> str:
    """Return the whole page."""
    # The help must not depend on the screen and colours of whoever writes it.
    os.environ |= {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    command: Any = typer.main.get_command(make_app(None))
    parts = [HEAD]
    for name, text in _helps(command, "kvitok"):
        parts.append(f"\n## {name}\n\n```\n{text.strip()}\n```\n")
    return "".join(parts)


def _helps(
    command: Any,  # noqa: ANN401 - typer's own click
    name: str,
    parent: Any = None,  # noqa: ANN401 - the same
) -> Iterator[tuple[str, str]]:
    context = command.make_context(
        name.rsplit(maxsplit=1)[-1], [], parent=parent, resilient_parsing=True
    )
    context.terminal_width = context.max_content_width = WIDTH
    yield name, context.get_help()
    for each, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, f"{name} {each}", context)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
