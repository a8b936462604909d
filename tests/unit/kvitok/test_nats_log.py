"""What `serve` passes on of the broker's log."""

from pathlib import Path

import pytest

from kvitok.embedded.nats_log import LINES_MAX, NatsLog

HEAD = "[5483] 2026/11/23 06:48:33.913911"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a log that has something from an earlier run."""
    file = tmp_path / "broker.log"
    file.write_text(f"{HEAD} [ERR] of long ago\n", encoding="utf-8")
    return file


def add(file: Path, text: str) -> None:
    """Write on."""
    with file.open("a", encoding="utf-8") as log:
        log.write(text)


def test_only_what_is_serious_and_new_is_passed_on(file: Path) -> None:
    """No banner, no earlier run, no passwords in a file that is ours alone."""
    log = NatsLog(file)
    add(
        file, f"{HEAD} [INF] Starting nats-server\n{HEAD} [WRN] Plaintext passwords detected, use\n"
    )
    add(file, f"{HEAD} [WRN] disk is slow\n{HEAD} [FTL] no port")
    assert list(log.news()) == ["disk is slow"]
    add(file, " 1883\n")
    assert list(log.news()) == ["no port 1883"]
    assert list(log.news()) == []


def test_a_new_file_is_read_from_its_beginning(file: Path) -> None:
    """NATS renames a file that is full; a log that is not there yet is no matter."""
    log = NatsLog(file)
    file.rename(file.with_suffix(".old"))
    assert list(log.news()) == []
    add(file, f"{HEAD} [ERR] one\n")
    assert list(log.news()) == ["one"]


def test_a_flood_is_cut(file: Path) -> None:
    """The rest is in the file, which is named."""
    log = NatsLog(file)
    add(file, f"{HEAD} [ERR] authentication error\n" * (LINES_MAX + 5))
    said = list(log.news())
    assert len(said) == LINES_MAX + 1
    assert said[-1] == f"and 5 lines more in {file}"
