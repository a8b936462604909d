"""The rules of the house that no linter knows; each is a fact about the source, read as text."""

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = (
    "agent", "collector", "desk", "firmware_sim", "incidents", "kvitok", "sql", "wire",
)  # fmt: skip
FUNCTION_LINES_MAX: Final = 70
MODULE_LINES_MAX: Final = 400

WORLD: Final = {
    "aiosmtplib", "asyncio", "asyncpg", "fcntl", "ftplib", "http", "httpx", "imap_tools",
    "multiprocessing", "os", "paho", "psycopg", "requests", "select", "selectors", "serial",
    "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile",
    "threading", "time", "urllib", "uvicorn",
}  # fmt: skip
"""Modules that touch the world (or hide its time and chance)."""


def doors() -> dict[str, str]:
    """Return module path → why it may touch the world."""
    found = runpy.run_path(str(ROOT / "tests/architecture/doors.py"))["DOORS"]
    assert isinstance(found, dict)
    return found


def modules(*packages: str) -> Iterator[Path]:
    """Yield every module of the packages."""
    for package in packages or PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def name(module: Path) -> str:
    """Return a module's path from the root, as the list of doors writes it."""
    return module.relative_to(ROOT).as_posix()


def imports(module: Path) -> set[str]:
    """Return the top names of everything a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_only_doors_touch_the_world() -> None:
    """A module that imports clock, chance, sockets, files or processes stands in doors.py."""
    found = {name(module): imports(module) & WORLD for module in modules()}
    strangers = {path: sorted(world) for path, world in found.items() if world}
    assert {path: world for path, world in strangers.items() if path not in doors()} == {}


def test_chance_comes_from_a_seed() -> None:
    """Only `random.Random` with its seed is used, never the module's hidden generator."""
    hidden = re.compile(r"\brandom\.(?!Random\b)\w+\(")
    assert [name(m) for m in modules() if hidden.search(m.read_text(encoding="utf-8"))] == []


def test_every_door_exists_and_is_one() -> None:
    """doors.py names no module that is gone or that has become pure."""
    paths = [ROOT / path for path in doors()]
    assert [name(m) for m in paths if not m.exists() or not imports(m) & WORLD] == []


def test_the_wire_needs_nothing_but_the_standard_library() -> None:
    """The kiosk loads the contract without any package."""
    allowed = {"wire", "json", "zlib", "hashlib", "re", "dataclasses", "enum", "functools",
               "typing", "collections", "hmac"}  # fmt: skip
    assert {each for module in modules("wire") for each in imports(module)} <= allowed


def test_the_simulator_never_imports_the_agent() -> None:
    """A mistake of the drivers is not shared by the firmware that tests them."""
    ours = set(PACKAGES) - {"wire", "firmware_sim"}
    assert {name(m): imports(m) & ours for m in modules("firmware_sim") if imports(m) & ours} == {}


@pytest.mark.parametrize("module", list(modules()), ids=name)
def test_a_module_and_its_functions_fit_the_eye(module: Path) -> None:
    """400 lines a module, 70 a function."""
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES_MAX
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_every_rule_has_a_runbook() -> None:
    """A rule that can wake a person tells them what to do."""
    from incidents.thresholds import RULES

    pages = {page.stem for page in (ROOT / "docs/rules").glob("*.md")}
    assert set(RULES) <= pages


def test_every_setting_has_a_line() -> None:
    """docs/settings.md names every key of every section that the programs read."""
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    missing = [
        f"{name(module)}: {key}"
        for module in modules()
        if module.name == "settings.py" and module.parent.name != "kvitok"
        for key in settings_keys(module)
        if not re.search(rf"`{key}`", page)
    ]
    assert missing == []


def settings_keys(module: Path) -> Iterator[str]:
    """Yield the field names of the module's settings classes."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
            yield from (
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            )


def test_nothing_listens_beyond_loopback_by_default() -> None:
    """No default in the source names every interface."""
    wild = re.compile(r"""["'](0\.0\.0\.0|::|\*:)""")
    assert [name(m) for m in modules() if wild.search(m.read_text(encoding="utf-8"))] == []


def test_the_repository_is_of_no_machine() -> None:
    """No committed text names a home or work directory of the machine it was written on."""
    paths = re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|tmp/bash)/")
    texts = [
        p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".toml", ".txt", ".sh", ".yaml"}
    ]
    ours = [
        p for p in texts if not set(p.relative_to(ROOT).parts) & {".venv", "node_modules", ".git"}
    ]
    found = [
        name(p) for p in ours if paths.search(p.read_text(encoding="utf-8")) and p != Path(__file__)
    ]
    assert found == []
