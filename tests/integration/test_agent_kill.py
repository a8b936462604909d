import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from agent.devices.machine import Instant
from agent.journal import Journal, JournalFull, Limits
from agent.shape import Entry
from agent.store_sqlite import SqliteStore, condemn, open_store
from wire.journal import mark_after

KILLS = 15
WRITER = Path(__file__).with_name("agent_writer.py")
ROOT = Path(__file__).parents[2]


def killed_writer(path: Path, seconds: float) -> list[list[int]]:
    """Run the writer, kill it after its first word and some time more, return what it said."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(path)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        rest = process.stdout.read()
    # The last line may be cut: then its append was durable but not yet told.
    lines = [*first.splitlines(), *rest.split("\n")[:-1]]
    return [[int(word) for word in line.split()] for line in lines]


def check_whole(journal: Journal) -> dict[int, int]:
    """Assert that the current epoch has no hole and that its marks chain; return seq → n."""
    found: dict[int, int] = {}
    mark, first = journal.mark(0), 1
    assert mark is not None
    while first < journal.next:
        chunk = journal.read(first, events_most=100, bytes_most=100_000)
        assert (chunk.first, chunk.prev) == (first, mark)
        for event in chunk.events:
            mark = mark_after(mark, event)
            found[first] = json.loads(event)["n"]
            first += 1
    assert journal.mark(journal.next - 1) == mark
    return found


def test_a_killed_writer_leaves_no_hole_and_loses_nothing_it_was_told(tmp_path: Path) -> None:
    """Killed at random instants, again and again on one file: all that was told is there."""
    path, random = tmp_path / "journal.db", Random(7)
    for _ in range(KILLS):
        said = killed_writer(path, random.uniform(0, 0.25))
        store = SqliteStore(path, reserve_bytes=0)
        journal = Journal(store, at=1)
        held = check_whole(journal)
        last_epoch = said[-1][0]
        assert journal.epoch >= last_epoch
        if journal.epoch == last_epoch:
            assert journal.next >= said[-1][2]
            for epoch, first, following, number in said:
                if epoch == last_epoch and number:
                    assert {held[seq] for seq in range(first, following)} == {number}
        store.close()


def entry(number: int) -> Entry:
    """Return a money event."""
    return Entry(at=number, money=True, event=json.dumps({"at": number, "n": number}).encode())


def test_any_cut_of_the_write_ahead_log_opens_with_a_prefix(tmp_path: Path) -> None:
    """A log torn anywhere is a shorter journal, whole in itself: never an error, never a hole."""
    path = tmp_path / "journal.db"
    store = SqliteStore(path, reserve_bytes=0)
    journal = Journal(store, at=1_000)
    for number in range(1, 40):
        journal.append([entry(number)])
    database = path.read_bytes()
    log = path.with_name("journal.db-wal").read_bytes()
    store.close()
    random = Random(3)
    for case in range(30):
        torn = tmp_path / f"torn-{case}.db"
        torn.write_bytes(database)
        cut = bytearray(log[: random.randrange(len(log))])
        for _ in range(case % 3):
            if cut:
                cut[random.randrange(len(cut))] ^= 0xFF
        torn.with_name(torn.name + "-wal").write_bytes(bytes(cut))
        opened = open_store(torn, reserve_bytes=0, at=2_000)
        held = check_whole(Journal(opened.store, at=2_000))
        assert list(held.values()) == list(range(1, len(held) + 1))
        assert opened.aside is None
        opened.store.close()


def test_a_ruined_file_is_moved_aside_and_its_readable_events_go_first(tmp_path: Path) -> None:
    """Damage anywhere in the file: it opens all the same, under a larger epoch where it must."""
    path = tmp_path / "journal.db"
    store = SqliteStore(path, reserve_bytes=0)
    journal = Journal(store, at=5_000)
    for number in range(1, 200):
        journal.append([entry(number)])
    journal.acknowledged(50)
    store.close()
    whole = path.read_bytes()
    random = Random(5)
    for case in range(40):
        ruined = tmp_path / f"ruined-{case}.db"
        data = bytearray(whole)
        start = random.randrange(len(data))
        data[start : start + 3_000] = random.randbytes(len(data[start : start + 3_000]))
        ruined.write_bytes(bytes(data) if case else b"this is no database, whatever it was")
        opened = open_store(ruined, reserve_bytes=0, at=4_000)
        again = Journal(opened.store, at=max(4_000, opened.epoch_least), salvaged=opened.salvaged)
        if opened.aside is not None:
            opened.settle()
            assert opened.aside.exists()
            assert again.epoch > 5_000 or not opened.salvaged
            held = check_whole(again)
            assert set(held.values()) <= set(range(50, 200))
        again.append([entry(999)])
        opened.store.close()


def test_the_power_may_go_while_a_ruined_file_is_replaced(tmp_path: Path) -> None:
    """Whatever was done of it: every event that can be read is there once, under one new epoch."""
    path = tmp_path / "journal.db"
    store = SqliteStore(path, reserve_bytes=0)
    journal = Journal(store, at=5_000)
    journal.append([entry(number) for number in range(1, 9)])
    journal.acknowledged(4)
    store.close()
    condemn(path)
    for at in (6_000, 7_000):  # The power goes before the new journal has a head.
        opened = open_store(path, reserve_bytes=0, at=at)
        assert len(opened.salvaged) == 5
        opened.store.close()
    for at in (8_000, 9_000):  # It goes before the file that was moved aside has its last name.
        opened = open_store(path, reserve_bytes=0, at=at)
        again = Journal(opened.store, at=at, salvaged=opened.salvaged)
        assert list(check_whole(again).values()) == [4, 5, 6, 7, 8]
        assert (again.epoch, opened.aside is not None) == (8_000, True)
        opened.store.close()
    opened = open_store(path, reserve_bytes=0, at=10_000)
    opened.settle()
    opened.store.close()
    assert open_store(path, reserve_bytes=0, at=11_000).aside is None
    assert [each.name for each in tmp_path.glob("*damaged*")] == ["journal.db.damaged-10000"]


def append_for_ever(journal: Journal, each: Entry) -> None:
    """Append until something stops it."""
    while True:
        journal.append([each])


def is_short(journal: Journal) -> bool:
    """Say if sales must stop (mypy would take the attribute's last value for its next)."""
    return journal.short


def test_a_file_full_to_its_last_page_keeps_money_and_says_so(tmp_path: Path) -> None:
    """On a full disk plain events go first, sales stop, and when there is room all goes on."""
    path = tmp_path / "journal.db"
    store = SqliteStore(path, reserve_bytes=65_536, page_limit=60)
    journal = Journal(store, at=1_000, limits=Limits())
    journal.upkeep(Instant(1))
    plain = Entry(at=1, money=False, event=b'{"at":1,"n":0}' + b" " * 2_000)
    money = Entry(at=1, money=True, event=b'{"at":1,"n":1}' + b" " * 2_000)
    journal.append([plain] * 40)
    for _ in range(40):
        journal.append([money])
    with pytest.raises(JournalFull):
        append_for_ever(journal, money)
    assert is_short(journal)
    journal.upkeep(Instant(1))
    assert is_short(journal)
    kept = journal.next
    # Everything without money is gone before any money is.
    first = journal.read(1, events_most=500, bytes_most=10**7)
    assert all(event.startswith(b'{"at":1,"n":1}') for event in first.events)
    journal.acknowledged(kept)
    journal.upkeep(Instant(1))
    assert not is_short(journal)
    journal.append([plain])
    store.close()
