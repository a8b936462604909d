import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.devices.machine import Instant
from agent.journal import Journal, JournalFull
from agent.shape import Entry
from agent.store_sqlite import open_store

RESERVE = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Have a file system of 12 MiB, where this user may mount one."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(tmp_path)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("no right to mount a small file system")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def entry(number: int, *, money: bool) -> Entry:
    """Return an event of about 500 bytes."""
    return Entry(at=1, money=money, event=b'{"kind":"x","n":%d}' % number + b" " * 500)


def append_for_ever(journal: Journal) -> None:
    """Append money until there is no room."""
    while True:
        journal.append([entry(journal.next, money=True)])


def held(journal: Journal) -> list[int]:
    """Return the seqs that are held and not acknowledged."""
    found: list[int] = []
    seq = journal.acked
    while seq < journal.next:
        chunk = journal.read(seq, events_most=500, bytes_most=10**6)
        found.extend(range(chunk.first, chunk.first + len(chunk.events)))
        seq = chunk.first + len(chunk.events)
    return found


def test_a_disk_full_to_the_last_byte(small_disk: Path) -> None:
    """Safe events go first, then plain ones, money never; sales stop, and resume with room."""
    opened = open_store(small_disk / "journal.db", reserve_bytes=RESERVE, at=1_000)
    journal = Journal(opened.store, at=1_000)
    journal.upkeep(Instant(1))
    for number in range(1_200):
        journal.append([entry(number, money=number % 3 == 0)])
    journal.acknowledged(400)
    filling = os.open(small_disk / "filling", os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while True:
            os.write(filling, b"x" * 4096)
    os.close(filling)
    with pytest.raises(JournalFull):
        append_for_ever(journal)
    assert journal.short
    assert journal.next > 1_600
    left = held(journal)
    assert not [seq for seq in left if seq <= 1_200 and (seq - 1) % 3]
    assert [seq for seq in left if seq <= 1_200] == list(range(400, 1_201, 3))
    assert left[-1] == journal.next - 1
    journal.upkeep(Instant(1))
    assert journal.short
    (small_disk / "filling").unlink()
    journal.upkeep(Instant(1))
    journal.upkeep(Instant(1))
    journal.append([entry(1, money=False)])
    following = journal.next
    opened.store.close()
    again = open_store(small_disk / "journal.db", reserve_bytes=RESERVE, at=2_000)
    assert Journal(again.store, at=2_000).next == following
    again.store.close()
