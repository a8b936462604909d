"""The command line's help is the documentation; its errors say what to do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kvitok.cli import status_of
from scripts.command_line import page

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/command-line.md"


def test_the_page_is_the_help() -> None:
    """docs/command-line.md is what `python scripts/command_line.py` writes."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/command_line.py"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """For a report of a mistake, and for scripts."""
    assert status_of(["--version"]) == 0
    assert re.fullmatch(r"kvitok \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("bogus", 2, "No such command 'bogus'"),
        ("serve", 2, "either --embedded --data DIR, or --config FILE"),
        ("serve --embedded", 2, "--embedded needs --data DIR"),
        ("terminal list", 2, "which service?"),
        ("terminal list --data gone", 2, "no service was ever started in gone"),
        ("doctor --config gone.toml", 2, "gone.toml: No such file"),
        ("collector --config gone.toml", 2, "gone.toml: No such file"),
        ("serve --config gone.toml", 2, "gone.toml: No such file"),
        ("terminal list --data a --config b", 2, "either --data or --config"),
        ("terminal import gone.csv --config gone.toml", 2, "gone.toml: No such file"),
        ("incident list --limit 0", 2, "Invalid value for '--limit'"),
        ("incident list --rule receipt", 2, "no rule 'receipt'; there are no_receipt, "),
        ("token create \x7f", 2, "a token needs a name"),
    ],
)
def test_an_error_says_what_to_do(
    line: str, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 for what failed, 2 for what was asked wrongly, one clear line, no traceback."""
    assert status_of(line.split()) == status
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


@pytest.mark.parametrize("line", ["", "--help", "doctor", "serve --embedded --data x"])
def test_on_a_kiosk_it_says_what_it_is(line: str, tmp_path: Path) -> None:
    """With a kiosk's packages only: one line, what to use instead, no traceback, status 2."""
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no typer', name='typer')")
    ran = subprocess.run(
        [sys.executable, "-m", "kvitok", *line.split()],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("kvitok: the package typer is not installed")
    assert "kvitok-agent" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
