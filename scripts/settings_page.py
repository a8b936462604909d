"""Writes the service's tables in docs/settings.md from the classes that hold the settings."""

import ast
import dataclasses
import inspect
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kvitok.settings import KEPT_IN, SECRETS, SECTIONS, SHARED

PAGE: Final = Path(__file__).parents[1] / "docs" / "settings.md"
BEGIN: Final = "<!-- written by scripts/settings_page.py -->\n"
END: Final = "<!-- end of what is written -->\n"


def with_tables(page: str) -> str:
    """Return the page with its tables made anew; what people wrote around them stays."""
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    return head + BEGIN + tables() + END + tail


def tables() -> str:
    """Return a table for each section."""
    parts = [f"\n## [{name}]\n\n{_table(_rows(kind, name))}\n" for name, kind in SECTIONS.items()]
    secrets = [row for kind in SECTIONS.values() for row in _rows(kind, SECRETS)]
    unique = {row[0]: row for row in secrets if row[0].startswith(SECRETS)}
    parts.append(f"\n## [{SECRETS}]\n\n{_table(iter(unique.values()))}\n")
    return "".join(parts)


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    lines += [
        f"| `{key.rpartition('.')[2]}` | {default} | {meaning} |" for key, default, meaning in rows
    ]
    return "\n".join(lines)


def _rows(kind: type, section: str) -> Iterator[tuple[str, str, str]]:
    """Yield (section.key, default, meaning); keys that stand elsewhere only where they stand."""
    hints, meanings = typing.get_type_hints(kind), _meanings(kind)
    for field in dataclasses.fields(kind):
        if hints[field.name] in SHARED or KEPT_IN.get(field.name, section) != section:
            continue
        is_secret = hints[field.name] is bytes
        if is_secret != (section == SECRETS):
            continue
        default = "required" if field.default is dataclasses.MISSING else _default(field.default)
        if field.name == "dsn" and section != "database":
            default = "`[database] dsn`"
        yield f"{section}.{field.name}", default, meanings.get(field.name, "")


def _default(value: Any) -> str:  # noqa: ANN401 - of any type
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _meanings(kind: type) -> dict[str, str]:
    """Return what stands under each key in the source."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for key, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(key, ast.AnnAssign)
            and isinstance(key.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[key.target.id] = " ".join(str(below.value.value).split())
    return found


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
